// Runs a page's cells in Python, beside the page, in the order in which they are asked for.
import { loadPyodide } from "./pyodide.mjs";

const SETUP = `
import ast, base64, io, linecache, sys, traceback

def _figures():
    plt = sys.modules.get("matplotlib.pyplot")
    for number in plt.get_fignums() if plt else ():
        content = io.BytesIO()
        plt.figure(number).savefig(content, format="png")
        yield base64.b64encode(content.getvalue()).decode()
    if plt:
        plt.close("all")

def _picture(value):
    if hasattr(value, "_repr_mimebundle_"):
        found = value._repr_mimebundle_()
        picture = found.get("image/png") if isinstance(found, dict) else None
        return base64.b64encode(picture).decode() if isinstance(picture, bytes) else picture

def _run(source, name, scope, emit):
    linecache.cache[name] = (len(source), None, source.splitlines(True), name)
    try:
        tree = ast.parse(source, name)
        last = None
        if tree.body and isinstance(tree.body[-1], ast.Expr):
            last = ast.Expression(tree.body.pop().value)
        exec(compile(tree, name, "exec"), scope)
        value = eval(compile(last, name, "eval"), scope) if last else None
        picture = _picture(value)
        if picture:
            emit("image", picture)
        elif value is not None and not source.rstrip().endswith(";"):
            scope["_"] = value
            emit("text", repr(value) + "\\n")
        for picture in _figures():
            emit("image", picture)
        return True
    except BaseException as error:
        if "matplotlib.pyplot" in sys.modules:
            sys.modules["matplotlib.pyplot"].close("all")
        frames = error.__traceback__
        while frames and frames.tb_frame.f_code.co_filename != name:
            frames = frames.tb_next
        lines = traceback.format_exception(type(error), error, frames)
        emit("error", "".join(lines))
        return False
`;
let python;
let scope;

async function start(say) {
  say("Loading Python …");
  python = await loadPyodide({ stdout: () => {}, env: { MPLBACKEND: "agg" } });
  say("Loading NumPy and nllbook …");
  await python.loadPackage(["numpy", "nllbook"], { messageCallback: () => {} });
  python.runPython(SETUP);
  scope = python.globals.get("dict")();
  scope.set("__name__", "__main__");
}

onmessage = async ({ data: { id, name, source } }) => {
  const emit = (kind, content) => postMessage({ id, kind, content });
  try {
    if (!python) await start((text) => emit("note", text));
    if (/\bplotting\.|\bplt\.|matplotlib/.test(source) && !python.loadedPackages.matplotlib) {
      emit("note", "Loading matplotlib …");
      await python.loadPackage("matplotlib", { messageCallback: () => {} });
    }
    emit("note", "Running …");
    await python.loadPackagesFromImports(source, { messageCallback: () => {} });
    const decode = new TextDecoder();
    const write = (bytes) => {
      emit("text", decode.decode(bytes, { stream: true }));
      return bytes.length;
    };
    python.setStdout({ write });
    python.setStderr({ write: (bytes) => bytes.length }); // warnings, as in the committed notebooks
    const run = python.globals.get("_run");
    const done = run(source, name, scope, emit);
    run.destroy();
    emit("done", done);
  } catch (error) {
    emit("error", String(error));
    emit("done", false);
  }
};
