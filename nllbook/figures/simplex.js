// Three classes: logits, the point of their softmax in the triangle, and the loss of a class.
export function values({ a, b, c, y }) {
  const z = [a, b, c];
  const most = Math.max(...z);
  const powers = z.map((one) => Math.exp(one - most));
  const sum = powers[0] + powers[1] + powers[2];
  const lse = most + Math.log(sum);
  return { p: powers.map((one) => one / sum), nll: lse - z[y], lse }; // nats
}

const CORNERS = [[70, 176], [276, 176], [173, 12]];
const place = (p) => [0, 1].map((i) => p.reduce((sum, one, j) => sum + one * CORNERS[j][i], 0));

export default {
  render: figure({
    title: "The softmax triangle",
    controls: [
      ...["a", "b", "c"].map((name, i) => ({
        name,
        label: `logit ${i + 1}`,
        min: -6,
        max: 6,
        step: 0.1,
      })),
      { name: "y", label: "right class", options: [[0, "1"], [1, "2"], [2, "3"]] },
    ],
    values,
    draw(stage, { y }, { p }) {
      const path = (points) => points.map((point) => point.map((at) => at.toFixed(1))).join("L");
      make(stage, "path", { class: "axis", d: `M${path(CORNERS)}Z` });
      const others = [0, 1, 2].filter((i) => i !== y);
      for (const loss of [0.25, 0.5, 1, 1.5, 2, 3]) {
        const right = Math.exp(-loss); // all points with this probability have this loss
        const ends = others.map((i) => place([0, 1, 2].map((j) => (j === y ? right : j === i ? 1 - right : 0))));
        make(stage, "path", { class: "guide", d: `M${path(ends)}` });
        make(stage, "text", { class: "tiny", x: ends[1][0] + 4, y: ends[1][1] + 3 }, short(loss));
      }
      CORNERS.forEach(([x, top], i) => {
        const text = `class ${i + 1}${i === y ? ", right" : ""}`;
        make(stage, "text", { x: i < 2 ? x : x + 12, y: i < 2 ? top + 18 : top + 4, "text-anchor": i < 2 ? "middle" : "start" }, text);
      });
      const [x, top] = place(p);
      make(stage, "circle", { class: "dot", cx: x, cy: top, r: 5 });
    },
    say: ({ y }, { p, nll }) =>
      `Probabilities ${p.map((one) => short(one)).join(", ")}; the loss of class ${y + 1} is ` +
      `${short(nll)} nats.`,
    drag(point) {
      // The shares of the corners at this place, then logits whose mean is 0.
      const [[ax, ay], [bx, by], [cx, cy]] = CORNERS;
      const area = (bx - ax) * (cy - ay) - (cx - ax) * (by - ay);
      const [x, y] = point;
      const second = ((x - ax) * (cy - ay) - (cx - ax) * (y - ay)) / area;
      const third = ((bx - ax) * (y - ay) - (x - ax) * (by - ay)) / area;
      const logs = [1 - second - third, second, third].map((p) => Math.log(Math.max(p, 1e-4)));
      const mean = (logs[0] + logs[1] + logs[2]) / 3;
      return { a: logs[0] - mean, b: logs[1] - mean, c: logs[2] - mean };
    },
  }),
};
