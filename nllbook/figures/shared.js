// What all interactive figures share. A figure is a stage of SVG, a slider for each number, and a
// line that says what is shown. `figure(...)` makes anywidget's render({ model, el }) of it.
const [WIDTH, HEIGHT] = [346, 216]; // of the stage: on a phone one unit is about one pixel

const OWN_KEYS = { "data-lm-suppress-shortcuts": true }; // else JupyterLab takes the arrow keys

// An element below `parent`; attributes that are undefined are left out.
function make(parent, name, attributes = {}, text = "") {
  const svg = name === "svg" || parent.namespaceURI.endsWith("svg");
  const element = svg
    ? document.createElementNS("http://www.w3.org/2000/svg", name)
    : document.createElement(name);
  for (const [key, value] of Object.entries(attributes))
    if (value !== undefined) element.setAttribute(key, value);
  element.textContent = text;
  parent.append(element);
  return element;
}

// A picture with axes: from numbers to places on the stage, and back.
function plot(stage, { x, y, box = [34, 20, 338, 180], xlabel, ylabel, xticks, yticks }) {
  const [left, top, right, bottom] = box;
  const place = ([from, to], [low, high]) => {
    const scale = (value) => from + ((to - from) * (value - low)) / (high - low);
    scale.back = (at) => low + ((high - low) * (at - from)) / (to - from);
    return scale;
  };
  const at = { x: place([left, right], x), y: place([bottom, top], y), box };
  make(stage, "path", { class: "axis", d: `M${left},${top}V${bottom}H${right}` });
  const write = (text, attributes) => make(stage, "text", attributes, text);
  for (const [value, text = short(value)] of (xticks ?? []).map((tick) => [tick].flat())) {
    make(stage, "path", { class: "axis", d: `M${at.x(value)},${bottom}v4` });
    write(text, { x: at.x(value), y: bottom + 15, "text-anchor": "middle" });
  }
  for (const [value, text = short(value)] of (yticks ?? []).map((tick) => [tick].flat())) {
    make(stage, "path", { class: "axis", d: `M${left},${at.y(value)}h-4` });
    write(text, { x: left - 6, y: at.y(value) + 4, "text-anchor": "end" });
  }
  if (xlabel) write(xlabel, { x: (left + right) / 2, y: bottom + 31, "text-anchor": "middle" });
  if (ylabel) write(ylabel, { x: left - 4, y: top - 8 });
  return at;
}

// A curve through the values of f between two numbers, cut off at the upper and lower edge.
function curve(stage, at, f, [low, high], attributes) {
  const [, top, , bottom] = at.box;
  let d = "";
  let last;
  for (let i = 0; i <= 200; i += 1) {
    const x = low + ((high - low) * i) / 200;
    const y = at.y(f(x));
    const within = Math.min(bottom, Math.max(top, y));
    const point = { out: y !== within, text: `${at.x(x).toFixed(1)},${within.toFixed(1)}` };
    if (last && !(last.out && point.out)) d += `${d.endsWith(last.text) ? "" : `M${last.text}`}L${point.text}`;
    last = point;
  }
  return make(stage, "path", { class: "curve", ...attributes, d });
}

// A number as people write it: so many digits, commas between thousands, a real minus sign, and
// powers of ten for what is very small or large.
function short(value, digits = 3) {
  if (Number.isNaN(value)) return "undefined";
  if (!Number.isFinite(value)) return value > 0 ? "∞" : "−∞";
  if (!value) return "0"; // −0, too
  const size = Math.abs(value);
  const text = Number.isInteger(value) ? value : Number(value.toPrecision(digits));
  if (size >= 1e-3 && size < 1e7) return text.toLocaleString("en", { maximumFractionDigits: 9 }).replace("-", "−");
  const [head, power] = value.toExponential(1).replaceAll("-", "−").split("e");
  return `${head}\u00a0·\u00a010${[...power].map((one) => "⁰¹²³⁴⁵⁶⁷⁸⁹"[one] ?? { "−": "⁻" }[one] ?? "").join("")}`;
}

const count = (number, word) => `${short(number)} ${word}${number === 1 ? "" : "s"}`;

// `controls`: [{ name, label, min, max, step, show }] or [{ name, label, options: [[value, text]] }];
// `max` may be a function of the state.
// `limit(state)` mends a state in which numbers do not fit together; `values(state)` are the numbers
// shown, `draw(stage, state, values)` draws them, `say(state, values)` says them in a sentence.
// `drag(point, state)`: what changes when a point (in the stage's units) is pointed at.
const most = ({ max }, state) => (typeof max === "function" ? max(state) : max);

function figure({ title, controls, limit = (state) => state, values, draw, say, drag }) {
  return ({ model, el }) => {
    el.classList.add("nll-figure");
    const stage = make(el, "svg", { viewBox: `0 0 ${WIDTH} ${HEIGHT}`, role: "img" });
    const panel = make(el, "div", { class: "nll-controls", role: "group", "aria-label": title });
    const line = make(el, "p", { class: "nll-says" });
    const live = make(el, "p", { class: "nll-live", role: "status" });
    const read = () => limit(Object.fromEntries(controls.map(({ name }) => [name, model.get(name)])));
    const write = (changes) => {
      for (const [name, value] of Object.entries(limit({ ...read(), ...changes })))
        model.set(name, value);
      model.save_changes();
      show();
    };
    let wait;
    let animation;
    const show = () => {
      cancelAnimationFrame(animation);
      animation = requestAnimationFrame(() => {
        const state = read();
        const found = values(state);
        stage.replaceChildren();
        draw(stage, state, found);
        fields.forEach((update) => update(state));
        const text = say(state, found);
        stage.setAttribute("aria-label", `${title}: ${text}`);
        clearTimeout(wait); // read aloud when the hand rests
        if (line.textContent) wait = setTimeout(() => (live.textContent = text), 400);
        line.textContent = text;
      });
    };
    // Where a touch turns out to scroll the page, what it moved before goes back.
    const holds = (element) => {
      let held;
      element.addEventListener("pointerdown", () => (held = read()));
      element.addEventListener("pointercancel", () => write(held));
    };
    const fields = controls.map((one) => {
      const label = make(panel, "label");
      make(label, "span", {}, one.label);
      if (one.options) {
        const select = make(label, "select", OWN_KEYS);
        for (const [value, text] of one.options) make(select, "option", { value }, text);
        select.onchange = () => write({ [one.name]: one.options[select.selectedIndex][0] });
        return (state) => {
          select.selectedIndex = one.options.findIndex(([value]) => value === state[one.name]);
        };
      }
      const range = { type: "range", min: one.min, step: one.step };
      const input = make(label, "input", { ...range, ...OWN_KEYS });
      const output = make(label, "span", { class: "nll-value", "aria-hidden": true });
      holds(input);
      input.oninput = () => write({ [one.name]: Number(input.value) });
      return (state) => {
        const text = one.show ? one.show(state[one.name], state) : short(state[one.name]);
        input.max = most(one, state);
        input.value = state[one.name];
        input.setAttribute("aria-valuetext", text);
        output.textContent = text;
      };
    });
    if (drag) {
      stage.classList.add("nll-drag");
      const move = (event) => {
        const { left, top, width } = stage.getBoundingClientRect();
        const scale = WIDTH / width;
        const point = [(event.clientX - left) * scale, (event.clientY - top) * scale];
        const changes = drag(point, read());
        for (const [name, value] of Object.entries(changes)) {
          const one = controls.find((one) => one.name === name);
          const [{ min, step }, max] = [one, most(one, read())];
          const near = min + Math.round((value - min) / step) * step;
          changes[name] = Math.min(max, Math.max(min, Number(near.toFixed(9))));
        }
        write(changes);
      };
      holds(stage);
      stage.onpointerdown = (event) => {
        if (event.button) return;
        stage.setPointerCapture(event.pointerId);
        if (event.pointerType !== "touch") move(event);
      };
      stage.onpointermove = (event) => stage.hasPointerCapture(event.pointerId) && move(event);
      stage.onclick = move; // a tap
    }
    for (const { name } of controls) model.on(`change:${name}`, show);
    show();
    return () => clearTimeout(wait);
  };
}
