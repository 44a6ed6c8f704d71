// Runs the page's code in Python, in a worker beside the page (run-worker.mjs). Nothing is fetched
// before the first Run. The cells above the one that is run go first, as in a notebook.
(() => {
  const folder = new URL("../pyodide/", location.href);
  const disk =
    "This page was opened from a disk, from where browsers start no Python. The code runs on the " +
    "book's site, and in a copy that is served: python -m http.server.";
  let worker;
  let busy; // the cell that runs
  let waiting = []; // those that will
  let asked; // the one whose Run was pressed

  const make = (name, properties = {}, ...children) => {
    const element = Object.assign(document.createElement(name), properties);
    element.append(...children);
    return element;
  };

  const cells = [...document.querySelectorAll(".cell:has(> .cell_input, > details > .cell_input)")]
    .map((whole, place) => {
      const input = whole.querySelector(".cell_input");
      const pre = input.querySelector("pre");
      const cell = { whole, pre, place, name: `cell ${place + 1}`, ran: false };
      cell.first = pre.textContent.replace(/\n$/, "");
      cell.stored = [...whole.querySelectorAll(":scope > .cell_output")];
      cell.note = make("span", { className: "run-note" });
      const button = (text, act) => {
        const one = make("button", { type: "button", textContent: text, onclick: act });
        one.setAttribute("aria-label", `${text} ${cell.name}`);
        return one;
      };
      cell.run = button("Run", () => (asked === cell ? stop() : start(cell)));
      cell.edit = button("Edit", () => edit(cell));
      cell.reset = button("Reset", () => reset(cell));
      cell.reset.hidden = true;
      input.append(make("div", { className: "run-bar" }, cell.run, cell.edit, cell.reset, cell.note));
      return cell;
    });

  const live = make("div", { className: "visually-hidden" });
  live.setAttribute("role", "status"); // one for all: a screen reader need not hear every cell
  document.body.append(live);

  const source = (cell) => cell.area?.value ?? cell.first;
  const changed = (cell) => source(cell) !== cell.first;

  function say(cell, text, aloud = true) {
    cell.note.textContent = text;
    if (aloud) live.textContent = `${cell.name}: ${text}`;
  }

  function edit(cell) {
    if (!cell.area) {
      const rows = cell.first.split("\n").length;
      cell.area = make("textarea", { value: cell.first, rows, spellcheck: false, wrap: "off" });
      cell.area.setAttribute("aria-label", `Code of ${cell.name}. Shift and Enter run it`);
      cell.area.autocapitalize = "off";
      cell.area.oninput = () => (cell.ran = false);
      cell.area.onkeydown = (event) => {
        if (event.key !== "Enter" || !event.shiftKey) return;
        event.preventDefault();
        start(cell);
      };
      cell.pre.hidden = true;
      cell.pre.after(cell.area);
      cell.reset.hidden = false;
      say(cell, "Shift and Enter run it.");
    }
    cell.area.focus();
  }

  function reset(cell) {
    if (busy && waiting.concat(busy).includes(cell)) stop();
    if (changed(cell)) cell.ran = false;
    cell.area?.remove();
    cell.output?.remove();
    delete cell.area;
    delete cell.output;
    cell.pre.hidden = false;
    for (const one of cell.stored) one.classList.remove("run-old");
    cell.run.focus();
    cell.reset.hidden = true;
    say(cell, "As it was.");
  }

  // Where this run's output goes: into the place of the stored one.
  function output(cell) {
    if (!cell.output) {
      cell.output = make("div", { className: "cell_output docutils container run-output" });
      cell.whole.append(cell.output);
      for (const one of cell.stored) one.classList.add("run-old"); // links to it still lead here
      cell.reset.hidden = false;
    }
    return cell.output;
  }

  function picture(cell, content) {
    const images = cell.stored.map((one) => one.querySelector("figure img")).filter(Boolean);
    const alt = changed(cell) ? "" : (images[0]?.alt ?? "");
    return make("img", { src: `data:image/png;base64,${content}`, alt: alt || "What the code drew" });
  }

  function show(cell, kind, content) {
    const into = output(cell);
    if (kind === "image" || kind === "figure") {
      const caption = cell.stored.map((one) => one.querySelector("figcaption")).find(Boolean);
      const figure = make("figure", { className: "align-default" });
      into.append(figure);
      const { name, state, png } = kind === "figure" ? JSON.parse(content) : { png: content };
      const fill = globalThis.nllFigures?.[name];
      if (fill) {
        const place = make("div", { className: "live" });
        place.style.setProperty("--rows", Object.keys(state).length);
        figure.append(place);
        fill(place, state);
      } else figure.append(picture(cell, png));
      if (caption) figure.append(caption.cloneNode(true));
      return;
    }
    let last = into.lastElementChild;
    if (last?.dataset.kind !== kind) {
      last = make("pre", { tabIndex: 0 });
      last.dataset.kind = kind;
      into.append(last);
    }
    last.append(content);
  }

  // Ends Python; the next Run starts it anew, with the first cell.
  function stop(why = "Stopped.") {
    worker?.terminate();
    worker = undefined;
    for (const one of [busy, asked]) if (one) say(one, why);
    finish();
    for (const one of cells) one.ran = false;
  }

  function finish() {
    [busy, waiting] = [undefined, []];
    label();
    asked = undefined;
  }

  function label() {
    for (const one of cells) {
      const stops = busy && one === asked;
      one.run.textContent = stops ? "Stop" : "Run";
      one.run.setAttribute("aria-label", `${one.run.textContent} ${one.name}`);
      one.run.disabled = Boolean(busy) && !stops;
    }
  }

  function start(cell) {
    if (location.protocol === "file:") say(cell, disk);
    else if (busy) say(cell, "Another cell is running: stop it, or wait.");
    else {
      asked = cell;
      waiting = cells.filter((one) => one.place < cell.place && !one.ran);
      waiting.push(cell);
      next();
    }
  }

  function next() {
    busy = waiting.shift();
    label();
    if (!busy) return finish();
    if (!worker) {
      worker = new Worker(new URL("run-worker.mjs", folder), { type: "module" });
      worker.onmessage = ({ data }) => hear(data);
      worker.onerror = (event) => hear({ kind: "failed", content: event.message });
    }
    busy.fresh = true;
    worker.postMessage({ name: `<${busy.name}>`, source: source(busy) });
  }

  function hear({ kind, content }) {
    const cell = busy;
    if (!cell) return;
    if (cell.fresh && kind !== "note") {
      output(cell).replaceChildren();
      cell.fresh = false;
    }
    if (kind === "note") {
      if (cell !== asked) say(cell, content, false);
      const first = cell === asked ? "" : ` (${cell.name}, which goes first)`;
      say(asked, content + first, !content.startsWith("Running"));
    } else if (kind === "failed") {
      stop(`Python could not be loaded or broke down (${content}). Run tries again.`);
    } else if (kind === "done") {
      cell.ran = content;
      say(cell, content ? "Done." : "It ended in an error.", cell === asked);
      if (content) return next();
      if (cell !== asked) say(asked, `Not run: ${cell.name} above ended in an error.`);
      finish();
    } else show(cell, kind, content);
  }
})();
