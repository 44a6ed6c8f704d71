// Entropy, cross-entropy and the gap between them, for a coin with p = 0.3 and a belief q.
const P = 0.3;
const cross = (q) => -(P * Math.log(q) + (1 - P) * Math.log(1 - q));

export function values({ q }) {
  return { entropy: cross(P), cross: cross(q), kl: cross(q) - cross(P) }; // nats
}

export default {
  render: figure({
    title: "Cross-entropy is entropy and a gap",
    controls: [{ name: "q", label: "belief q", min: 0.01, max: 0.99, step: 0.01 }],
    values,
    draw(stage, { q }, { entropy, cross: height, kl }) {
      const bars = plot(stage, {
        x: [0, 3],
        y: [0, 3.4],
        box: [34, 20, 140, 180],
        xticks: [[0.8, "H(p)"], [2.2, "H(p, q)"]],
        yticks: [0, 1, 2, 3],
        ylabel: "nats",
      });
      const bar = (x, low, high, name) =>
        make(stage, "rect", {
          class: name,
          x: bars.x(x),
          y: bars.y(high),
          width: bars.x(1) - bars.x(0),
          height: Math.max(0, bars.y(low) - bars.y(high)),
        });
      bar(0.3, 0, entropy, "bar blue");
      bar(1.7, 0, entropy, "bar blue");
      bar(1.7, entropy, height, "bar orange");
      if (kl > 0.1) {
        const y = (bars.y(entropy) + bars.y(height)) / 2 + 4;
        make(stage, "text", { class: "inside", x: bars.x(2.2), y, "text-anchor": "middle" }, "KL");
      }
      const at = plot(stage, {
        x: [0, 1],
        y: [0, 3.4],
        box: [186, 20, 338, 180],
        xlabel: "belief q",
        xticks: [0, [P, "p"], 1],
        yticks: [0, 1, 2, 3],
      });
      curve(stage, at, () => entropy, [0, 1], { class: "guide" });
      curve(stage, at, cross, [0.0001, 0.9999], { class: "curve blue" });
      make(stage, "path", { class: "mark orange", d: `M${at.x(q)},${at.y(entropy)}V${at.y(height)}` });
      make(stage, "circle", { class: "dot", cx: at.x(q), cy: at.y(height), r: 5 });
    },
    say: ({ q }, { entropy, cross: height, kl }) =>
      `p = ${P}, q = ${short(q)}: cross-entropy ${short(height)} nats, of which ` +
      `${short(entropy)} are the entropy of p and ${short(kl)} the divergence KL(p‖q).`,
    drag: ([x], { q }) => (x > 160 ? { q: (x - 186) / 152 } : { q }),
  }),
};
