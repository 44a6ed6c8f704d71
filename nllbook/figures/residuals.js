// Ten numbers under a Gaussian: squared residuals, σ, and the mean NLL.
const DATA = [1.2, 1.9, 2.3, 2.6, 3.1, 3.2, 3.8, 4.1, 4.9, 5.9];

export function values({ m, s }) {
  const mse = DATA.reduce((sum, y) => sum + (y - m) ** 2, 0) / DATA.length;
  return { mse, nll: mse / (2 * s * s) + Math.log(s) + Math.log(2 * Math.PI) / 2 };
}

export default {
  render: figure({
    title: "Residuals under a Gaussian",
    controls: [
      { name: "m", label: "mean μ", min: 0, max: 7, step: 0.1 },
      { name: "s", label: "σ", min: 0.2, max: 4, step: 0.05 },
    ],
    values,
    draw(stage, { m, s }, { nll }) {
      const at = plot(stage, {
        x: [0, 7],
        y: [0, 1],
        box: [34, 20, 190, 180],
        xlabel: "y",
        ylabel: "density",
        xticks: [0, 2, 4, 6],
        yticks: [0, 0.5, 1],
      });
      const density = (y) => Math.exp(-(((y - m) / s) ** 2) / 2) / (s * Math.sqrt(2 * Math.PI));
      curve(stage, at, density, [0, 7], { class: "curve blue" });
      for (const y of DATA) {
        const high = Math.min(density(y), 1);
        make(stage, "path", { class: "mark orange thin", d: `M${at.x(y)},${at.y(0)}V${at.y(high)}` });
        make(stage, "circle", { class: "dot small", cx: at.x(y), cy: at.y(high), r: 3 });
      }
      const right = plot(stage, {
        x: [0, 4],
        y: [1, 4],
        box: [232, 20, 338, 180],
        xlabel: "σ",
        ylabel: "mean NLL, nats",
        xticks: [0, 2, 4],
        yticks: [1, 2, 3, 4],
      });
      curve(stage, right, (std) => values({ m, s: std }).nll, [0.2, 4], { class: "curve blue" });
      make(stage, "circle", { class: "dot", cx: right.x(s), cy: right.y(Math.min(nll, 4)), r: 5 });
      if (nll > 4) make(stage, "text", { x: right.x(s) + 10, y: right.y(4) + 12 }, "↑ higher");
    },
    say: ({ m, s }, { mse, nll }) =>
      `μ = ${short(m)}, σ = ${short(s)}: mean squared error ${short(mse)}, ` +
      `mean NLL ${short(nll)} nats. The root of the mean squared error is ${short(Math.sqrt(mse))}.`,
    drag: ([x], state) =>
      x < 210 ? { m: ((x - 34) * 7) / 156, s: state.s } : { m: state.m, s: ((x - 232) * 4) / 106 },
  }),
};
