// The memory of a softmax loss: rows, classes, and the type of the logits.
const WIDE = 4; // bytes of a float32
const ROWS = 2048; // of a chunk

export function values({ rows, classes, bytes }) {
  const [n, k] = [2 ** rows, Math.round(2 ** classes)];
  return {
    n,
    k,
    logits: n * k * bytes,
    peak: n * k * (bytes + 3 * WIDE), // the logits stay in use
    chunk: Math.min(n, ROWS) * k * WIDE,
  };
}

const size = (bytes) => {
  const [unit, name] = bytes >= 1e9 ? [1e9, "GB"] : bytes >= 1e6 ? [1e6, "MB"] : [1e3, "kB"];
  return `${short(bytes / unit, 2)} ${name}`;
};

export default {
  render: figure({
    title: "The memory of the logits",
    controls: [
      { name: "rows", label: "rows", min: 8, max: 16, step: 1, show: (rows) => short(2 ** rows) },
      {
        name: "classes",
        label: "classes",
        min: 7,
        max: 18,
        step: 0.25,
        show: (classes) => short(Math.round(2 ** classes)),
      },
      { name: "bytes", label: "logits in", options: [[4, "float32"], [2, "bfloat16"]] },
    ],
    values,
    draw(stage, state, { logits, peak, chunk }) {
      const at = plot(stage, {
        x: [4, 12],
        y: [0, 3],
        box: [64, 8, 322, 180],
        xlabel: "bytes",
        xticks: [4, 6, 8, 10, 12].map((power) => [power, ["10 kB", "1 MB", "100 MB", "10 GB", "1 TB"][power / 2 - 2]]),
      });
      const bar = (row, bytes, name, text) => {
        const end = at.x(Math.max(4, Math.log10(bytes)));
        make(stage, "rect", { class: `bar ${name}`, x: 64, y: at.y(row + 0.8), width: end - 64, height: at.y(0) - at.y(0.6) });
        make(stage, "text", { x: 58, y: at.y(row + 0.5) + 4, "text-anchor": "end" }, text);
        const inside = end > 260;
        make(stage, "text", { class: inside ? "inside" : "", x: end + (inside ? -6 : 6), y: at.y(row + 0.5) + 4, "text-anchor": inside ? "end" : "start" }, size(bytes));
      };
      bar(2, logits, "blue", "logits");
      bar(1, peak, "blue", "peak");
      bar(0, chunk, "orange", "a chunk");
      make(stage, "path", { class: "guide", d: `M${at.x(Math.log10(80e9))},${at.y(3)}V${at.y(0)}` });
      make(stage, "text", { class: "tiny", x: at.x(Math.log10(80e9)) + 4, y: 16 }, "80 GB");
    },
    say: (state, { n, k, logits, peak, chunk }) =>
      `${short(n)} rows, ${short(k)} classes: the logits take ${size(logits)}, the plain loss at its ` +
      `peak ${size(peak)}, a chunk of ${short(Math.min(n, ROWS))} rows ${size(chunk)}.`,
  }),
};
