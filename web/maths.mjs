// Draw formulas with KaTeX: one JSON request per line in, one JSON answer per line out.
//
// usage: node maths.mjs KATEX_FOLDER MACROS_AS_JSON
// request {"tex": "...", "display": true}, answer {"html": "..."} or {"error": "..."}

import { createInterface } from "node:readline";
import { join } from "node:path";
import { pathToFileURL } from "node:url";

const [folder, macros] = process.argv.slice(2);
const { default: katex } = await import(pathToFileURL(join(folder, "katex.mjs")));

// What KaTeX would otherwise draw in red, or draw unlike LaTeX, is an error here:
// the build can then name the formula instead of publishing it wrong.
const options = {
  output: "htmlAndMathml",
  throwOnError: true,
  strict: "error",
  trust: ({ command }) => {
    throw new Error(`${command} is not allowed in a formula`);
  },
};

for await (const line of createInterface({ input: process.stdin })) {
  const { tex, display } = JSON.parse(line);
  let answer;
  try {
    // Fresh macros each time, so that no formula can depend on an earlier one.
    const html = katex.renderToString(tex, {
      ...options, displayMode: display, macros: JSON.parse(macros),
    });
    answer = { html };
  } catch (error) {
    answer = { error: error.rawMessage ?? error.message };
  }
  process.stdout.write(JSON.stringify(answer) + "\n");
}
