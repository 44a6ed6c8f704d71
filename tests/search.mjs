// Answers queries as the site does, with the scripts of its page of results: per line in, a query
// as a JSON string; per line out, the addresses of what is found, the best first, and the words
// that nothing has.
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
  const query = JSON.parse(line);
  const found = page.book.find(query).map(({ entry }) => entry.url);
  process.stdout.write(JSON.stringify([found, page.book.missing(query)]) + "\n");
}
