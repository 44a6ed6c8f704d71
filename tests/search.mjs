// Answers queries as the site does, with the scripts of its page of results: per line in, a query
// as a JSON string; per line out, the addresses of what is found, the best first.
//
// usage: node search.mjs SCRIPT...

import { readFileSync } from "node:fs";
import { createInterface } from "node:readline";
import { createContext, runInContext } from "node:vm";

const page = createContext({});
for (const script of process.argv.slice(2)) {
  runInContext(readFileSync(script, "utf-8"), page);
}
page.book = runInContext("new BookSearch.Search(bookIndex)", page);
for await (const line of createInterface({ input: process.stdin })) {
  const found = page.book.find(JSON.parse(line));
  process.stdout.write(JSON.stringify(found.map(({ entry }) => entry.url)) + "\n");
}
