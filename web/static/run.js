// Runs the page's code in Python, in a worker beside the page (run-worker.mjs). Nothing is fetched
// before the first Run. The cells above the one that is run go first, as in a notebook; a cell that
// ran runs again if it, or one above it, was changed. What was changed is kept while the tab lives.
(() => {
  const folder = new URL("../pyodide/", location.href);
  const disk =
    "This page was opened from a disk, from where browsers start no Python. The code runs on the " +
    "book's site, and in a copy that is served: python -m http.server.";
  let worker;
  let busy; // the cell that runs
  let waiting = []; // those that will
  let asked; // the one whose Run was pressed
  let queued; // one whose Run was pressed meanwhile
  let aloud; // a timer

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
      cell.run = button("Run", ({ detail }) => {
        if (detail < 2) asked === cell ? stop() : start(cell); // a double click is one
      });
      cell.edit = button("Edit", () => edit(cell).focus());
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
  const outdate = (cell) => cells.slice(cell.place).forEach((one) => (one.ran = false));

  function say(cell, text, spoken = text) {
    cell.note.textContent = text;
    clearTimeout(aloud);
    if (spoken) live.textContent = `${cell.name}: ${spoken}`;
  }

  // What was written into a cell, for when the page is loaded again; not every browser allows it.
  const key = (cell) => `${location.pathname} ${cell.name}`;
  const kept = (cell) => {
    try {
      const [first, text] = JSON.parse(sessionStorage.getItem(key(cell))) ?? [];
      return first === cell.first ? text : undefined;
    } catch {
      return undefined;
    }
  };
  const keep = (cell) => {
    try {
      if (changed(cell)) sessionStorage.setItem(key(cell), JSON.stringify([cell.first, source(cell)]));
      else sessionStorage.removeItem(key(cell));
    } catch {} // then it is not kept
  };

  function edit(cell, text = cell.first) {
    if (cell.area) return cell.area;
    const rows = text.split("\n").length;
    cell.area = make("textarea", { value: text, rows, spellcheck: false, wrap: "off" });
    cell.area.setAttribute("aria-label", `Code of ${cell.name}`);
    cell.area.autocapitalize = "off";
    cell.area.oninput = () => {
      outdate(cell);
      keep(cell);
    };
    cell.area.onkeydown = (event) => {
      if (event.key === "Escape") cell.run.focus();
      if (event.key !== "Enter" || !event.shiftKey) return;
      event.preventDefault();
      start(cell);
    };
    cell.pre.after(cell.area);
    cell.area.setSelectionRange(0, 0);
    folded(cell, true);
    say(cell, "Shift and Enter run it.");
    return cell.area;
  }

  // While the code is edited, it is not shown beside, nor copied.
  function folded(cell, hidden) {
    cell.pre.hidden = cell.edit.hidden = hidden;
    for (const one of cell.whole.querySelectorAll(".copybtn")) one.hidden = hidden;
    cell.reset.hidden = !hidden && !cell.output;
  }

  function reset(cell) {
    if (busy && (cell === asked || cell === busy || waiting.includes(cell))) stop();
    if (changed(cell)) outdate(cell);
    cell.area?.remove();
    cell.output?.remove();
    delete cell.area;
    delete cell.output;
    keep(cell);
    for (const one of cell.stored) one.classList.remove("run-old");
    folded(cell, false);
    cell.run.focus();
    say(cell, "As it was.");
  }

  // Where this run's output goes: into the place of the stored one.
  function output(cell) {
    if (!cell.output) {
      cell.output = make("div", { className: "cell_output docutils container run-output" });
      cell.output.setAttribute("role", "group");
      cell.output.setAttribute("aria-label", `Output of ${cell.name}`);
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
      const { name, state, png } = kind === "figure" ? JSON.parse(content) : { png: content };
      const figure = make("figure", { className: "align-default" }, picture(cell, png));
      into.append(figure);
      const fill = globalThis.nllFigures?.[name];
      if (fill) {
        const place = make("div", { className: "live" });
        place.style.setProperty("--rows", Object.keys(state).length);
        figure.append(place);
        fill(place, state);
      }
      if (caption) figure.append(caption.cloneNode(true));
      return;
    }
    if (kind === "error") cell.error = content.trim().split("\n").at(-1);
    let last = into.lastElementChild;
    if (last?.dataset.kind !== kind) {
      last = make("pre", { tabIndex: 0 });
      last.dataset.kind = kind;
      into.append(last);
    }
    last.append(content);
  }

  // Ends Python; the next Run starts it anew, with the first cell.
  function stop(why = "Stopped, and all variables are gone: the next Run starts Python anew.") {
    worker?.terminate();
    worker = undefined;
    queued = undefined;
    if (busy !== asked) say(busy, "Stopped.", "");
    say(asked, why);
    for (const one of cells) one.ran = false;
    finish();
  }

  function finish() {
    [busy, waiting, asked] = [undefined, [], undefined];
    label();
    const after = queued;
    queued = undefined;
    if (after) start(after);
  }

  function label() {
    for (const one of cells) {
      one.run.textContent = busy && one === asked ? "Stop" : "Run";
      one.run.setAttribute("aria-label", `${one.run.textContent} ${one.name}`);
    }
  }

  function start(cell) {
    if (location.protocol === "file:") say(cell, disk);
    else if (!busy) {
      asked = cell;
      waiting = cells.filter((one) => one.place < cell.place && !one.ran);
      waiting.push(cell);
      next();
    } else if (cell !== asked) {
      if (queued && queued !== cell) say(queued, "Not run: another cell was asked for since.", "");
      queued = cell;
      say(cell, `Waits until ${asked.name} has run.`);
    }
  }

  function next() {
    busy = waiting.shift();
    label();
    if (!busy) return finish();
    if (!worker) {
      worker = new Worker(new URL("run-worker.mjs", folder), { type: "module" });
      worker.onmessage = ({ data }) => hear(data);
      worker.onerror = ({ message }) => hear({ kind: "failed", content: message ?? "a file is missing" });
    }
    busy.sent = source(busy);
    busy.output?.replaceChildren();
    worker.postMessage({ name: `<${busy.name}>`, source: busy.sent });
  }

  function hear({ kind, content }) {
    const cell = busy;
    if (!cell) return;
    if (kind === "note") {
      const first = cell === asked ? "" : ` (${cell.name}, which goes first)`;
      const running = content.startsWith("Running");
      if (first) say(cell, content, "");
      say(asked, content + first, running ? "" : content);
      if (running) aloud = setTimeout(() => (live.textContent = `${cell.name}: ${content}`), 1000);
    } else if (kind === "failed") {
      stop(`Python could not be loaded, or broke down (${content}). Run tries again.`);
    } else if (kind === "done") {
      output(cell);
      const above = cells.slice(0, cell.place).every((one) => one.ran);
      cell.ran = content && above && cell.sent === source(cell);
      if (content) {
        say(cell, "Done.", cell === asked ? "Done." : "");
        return next();
      }
      outdate(cell);
      say(cell, "It ended in an error.", cell === asked ? `It ended in an error: ${cell.error}` : "");
      if (cell !== asked) say(asked, `Not run: ${cell.name} above ended in an error.`);
      finish();
    } else show(cell, kind, content);
  }

  for (const cell of cells) {
    const text = kept(cell);
    if (text !== undefined) edit(cell, text);
  }
  live.textContent = "";
})();
