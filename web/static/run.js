// Runs the page's code in Python, in a worker beside the page. Nothing is fetched before the first
// Run. Cells before the one that is run go first, as in a notebook; each says what it is doing.
(() => {
  const folder = new URL("../pyodide/", location.href);
  const make = (name, properties = {}, ...children) => {
    const element = Object.assign(document.createElement(name), properties);
    element.append(...children);
    return element;
  };
  let worker;
  let busy; // the cell that runs
  let waiting = []; // those that will

  const cells = [...document.querySelectorAll(".cell .cell_input")].map((input, place) => {
    const whole = input.closest(".cell");
    const pre = input.querySelector("pre");
    const cell = { place, whole, pre, first: pre.textContent.replace(/\n$/, ""), ran: false };
    cell.name = `cell ${place + 1}`;
    cell.stored = [...whole.querySelectorAll(":scope > .cell_output")];
    cell.note = make("span", { className: "run-note", role: "status" });
    const button = (text, act) => make("button", { type: "button", textContent: text, onclick: act });
    cell.run = button("Run", () => (busy ? stop() : start(cell)));
    cell.edit = button("Edit", () => edit(cell));
    cell.reset = button("Reset", () => reset(cell));
    cell.reset.hidden = true;
    for (const one of [cell.run, cell.edit, cell.reset])
      one.setAttribute("aria-label", `${one.textContent} ${cell.name}`);
    const bar = make("div", { className: "run-bar" }, cell.run, cell.edit, cell.reset, cell.note);
    input.append(bar);
    return cell;
  });

  const source = (cell) => cell.area?.value ?? cell.first;
  const say = (cell, text) => (cell.note.textContent = text);

  function edit(cell) {
    if (!cell.area) {
      const rows = cell.first.split("\n").length;
      cell.area = make("textarea", { value: cell.first, rows, spellcheck: false, wrap: "off" });
      cell.area.setAttribute("aria-label", `Code of ${cell.name}; Shift and Enter run it`);
      cell.area.autocapitalize = "off";
      cell.area.oninput = () => (cell.ran = false);
      cell.area.onkeydown = (event) => {
        if (event.key === "Enter" && event.shiftKey) {
          event.preventDefault();
          start(cell);
        }
      };
      cell.pre.hidden = true;
      cell.pre.after(cell.area);
      cell.reset.hidden = false;
    }
    cell.area.focus();
  }

  // The output of this run, in the place of the stored one.
  function place(cell) {
    if (!cell.output) {
      cell.output = make("div", { className: "cell_output run-output" });
      (cell.stored[0] ?? cell.whole.lastElementChild).after(cell.output);
      for (const one of cell.stored) one.hidden = true;
      cell.reset.hidden = false;
    }
    return cell.output;
  }

  function show(cell, kind, content) {
    const output = place(cell);
    if (kind === "image") {
      const figure = cell.stored.map((one) => one.querySelector("figure")).find(Boolean);
      const alt = figure?.querySelector("img")?.alt ?? "";
      const image = make("img", { src: `data:image/png;base64,${content}`, alt });
      const caption = figure?.querySelector("figcaption")?.cloneNode(true);
      output.append(make("figure", {}, image, ...(caption ? [caption] : [])));
      return;
    }
    let last = output.lastElementChild;
    if (last?.dataset.kind !== kind) {
      last = make("pre", { tabIndex: 0 });
      last.dataset.kind = kind;
      output.append(last);
    }
    last.append(content);
  }

  function reset(cell) {
    cell.area?.remove();
    delete cell.area;
    cell.pre.hidden = false;
    cell.output?.remove();
    delete cell.output;
    for (const one of cell.stored) one.hidden = false;
    cell.ran = false;
    cell.reset.hidden = true;
    say(cell, "As it was.");
    cell.run.focus();
  }

  function stop() {
    worker?.terminate();
    worker = undefined;
    for (const one of [busy, ...waiting]) if (one) say(one, "Stopped. The next Run begins anew.");
    busy = undefined;
    waiting = [];
    for (const one of cells) one.ran = false;
    label();
  }

  const label = () => {
    for (const one of cells) {
      one.run.textContent = busy ? "Stop" : "Run";
      one.run.setAttribute("aria-label", busy ? "Stop" : `Run ${one.name}`);
    }
  };

  function start(cell) {
    if (location.protocol === "file:") {
      say(cell, "Code runs where the book is served: here it lies on a disk, from which browsers start no Python.");
      return;
    }
    waiting = cells.filter((one) => one.place < cell.place && !one.ran);
    waiting.push(cell);
    next();
  }

  function next() {
    busy = waiting.shift();
    label();
    if (!busy) return;
    if (!worker) {
      worker = new Worker(new URL("worker.mjs", folder), { type: "module" });
      worker.onmessage = ({ data }) => hear(data);
      worker.onerror = () => hear({ kind: "failed" });
    }
    busy.output?.replaceChildren();
    const place = waiting.length ? `, ${waiting.length} more after it` : "";
    say(busy, `Waiting${place} …`);
    worker.postMessage({ id: busy.place, name: `<${busy.name}>`, source: source(busy) });
  }

  function hear({ kind, content }) {
    const cell = busy;
    if (!cell) return;
    if (kind === "note") say(cell, content);
    else if (kind === "failed") {
      stop();
      say(cell, "Python could not be loaded. Is there a connection?");
    } else if (kind === "done") {
      place(cell);
      cell.ran = content;
      say(cell, content ? "Done." : "It ended in an error.");
      if (!content) waiting = [];
      next();
    } else show(cell, kind, content);
  }
})();
