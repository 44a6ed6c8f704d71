// The surprise −log p of an event of probability p.
export function values({ p }) {
  return { nats: -Math.log(p), bits: -Math.log2(p) };
}

export default {
  render: figure({
    title: "The surprise of an event",
    controls: [{ name: "p", label: "p", min: 0.01, max: 1, step: 0.005 }],
    values,
    draw(stage, { p }, { nats }) {
      const at = plot(stage, {
        x: [0, 1],
        y: [0, 5.5],
        xlabel: "p, the probability of what happened",
        ylabel: "surprise −log p, nats",
        xticks: [0, 0.25, 0.5, 0.75, 1],
        yticks: [0, 1, 2, 3, 4, 5],
      });
      curve(stage, at, (x) => -Math.log(x), [0.001, 1], { class: "curve blue" });
      const [x, y] = [at.x(p), at.y(nats)];
      make(stage, "path", { class: "guide", d: `M${x},${at.y(0)}V${y}H${at.x(0)}` });
      const half = [at.x(p / 2), at.y(nats + Math.log(2))];
      make(stage, "path", { class: "mark orange", d: `M${half[0]},${y}V${half[1]}` });
      make(stage, "circle", { class: "dot small", cx: half[0], cy: half[1], r: 3 });
      make(stage, "circle", { class: "dot", cx: x, cy: y, r: 5 });
    },
    say: ({ p }, { nats, bits }) =>
      `An event of probability ${short(p)} has a surprise of ${short(nats)} nats, ` +
      `${count(bits, "bit")}. Half as probable, it would have ${short(nats + Math.log(2))} nats, ` +
      `${count(bits + 1, "bit")}.`,
    drag: ([x]) => ({ p: (x - 34) / 304 }),
  }),
};
