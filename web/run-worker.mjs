// Runs a page's cells in Python, beside the page, one after the other (run_cell.py says how).
// Each message { name, source } is answered by messages { kind, content }; the last is "done".
import { loadPyodide } from "./pyodide.mjs";

const LIMIT = 200_000; // characters of output that one run may show
let python;
let scope;
let run;

// The largest file lies on the site compressed: not every host would compress it on the way.
const { fetch } = globalThis;
globalThis.fetch = async (what, options) => {
  const address = String(what.url ?? what);
  if (!address.endsWith(".wasm")) return fetch(what, options);
  const packed = await fetch(`${address}.gz`, options);
  if (!packed.ok) return packed;
  const stream = packed.body.pipeThrough(new DecompressionStream("gzip"));
  return new Response(stream, { headers: { "Content-Type": "application/wasm" } });
};

// Pyodide only logs what it could not load.
async function need(load, what) {
  let why = "";
  const errorCallback = (text) => (why += `${text} `);
  await load.call(python, what, { messageCallback: () => {}, errorCallback });
  if (why) throw new Error(why.trim());
}

const say = (content) => postMessage({ kind: "note", content });

async function start() {
  say("Loading Python …");
  python = await loadPyodide({ env: { MPLBACKEND: "agg" } });
  say("Loading NumPy and nllbook …");
  await need(python.loadPackage, ["numpy", "nllbook"]);
  const answer = await fetch(new URL("run_cell.py", import.meta.url));
  python.FS.writeFile("/home/pyodide/run_cell.py", await answer.text());
  run = python.pyimport("run_cell").run;
  scope = python.globals.get("dict")();
  scope.set("__name__", "__main__");
}

async function load(source) {
  if (/\b(plotting|plt|matplotlib)\b/.test(source) && !python.loadedPackages.matplotlib) {
    say("Loading matplotlib …");
    await need(python.loadPackage, "matplotlib");
    await python.runPythonAsync("import matplotlib.pyplot"); // says once that it looks for fonts
  }
  const found = python.pyimport("pyodide.code").find_imports(source).toJs();
  if (found.includes("sympy") && !python.loadedPackages.sympy) say("Loading SymPy …");
  await need(python.loadPackagesFromImports, source);
}

// What is printed; of more than a few lines, sent some times a second: a page cannot follow a loop.
function printer() {
  const decoders = { out: new TextDecoder(), err: new TextDecoder() };
  let text = "";
  let room = LIMIT;
  let last = -Infinity;
  let sent = 0;
  const flush = () => {
    if (text) postMessage({ kind: "text", content: text });
    sent += 1;
    [text, last] = ["", performance.now()];
  };
  const write = (stream) => (bytes) => {
    const more = decoders[stream].decode(bytes, { stream: true });
    if (room > 0) text += more.slice(0, room);
    if (room > 0 && more.length >= room) text += "\n… and more, which is not shown.\n";
    room -= more.length;
    if (sent < 100 || performance.now() - last > 100) flush();
    return bytes.length;
  };
  return { flush, write };
}

onmessage = async ({ data: { name, source } }) => {
  let done = false;
  try {
    if (!python) await start();
    await load(source).catch((error) => {
      if (!/SyntaxError/.test(error)) throw error; // running the cell tells of those
    });
    say("Running …");
    const { flush, write } = printer();
    python.setStdout({ write: write("out") });
    python.setStderr({ write: write("err") });
    done = run(source, name, scope, (kind, content) => {
      flush();
      if (/text|error/.test(kind) && content.length > LIMIT)
        content = `${content.slice(0, LIMIT)}\n… and more, which is not shown.\n`;
      postMessage({ kind, content });
    });
    flush();
    postMessage({ kind: "done", content: done });
  } catch (error) {
    postMessage({ kind: "failed", content: String(error) });
  }
};
