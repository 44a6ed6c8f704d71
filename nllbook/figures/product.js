// Likelihood and log-likelihood of n throws of which 7 in 10 came up heads, over θ.
const SHARE = 0.7;
const one = (theta) => SHARE * Math.log(theta) + (1 - SHARE) * Math.log(1 - theta);

export function values({ n }) {
  const best = n * one(SHARE);
  return { sum: best, product: Math.exp(best) }; // at θ = 0.7; the sum in nats
}

export default {
  render: figure({
    title: "Product and sum",
    controls: [{ name: "n", label: "throws", min: 10, max: 1500, step: 10 }],
    values,
    draw(stage, { n }, { sum, product }) {
      const panel = (box, y, ylabel, yticks) =>
        plot(stage, {
          x: [0, 1],
          y,
          box,
          xlabel: "θ",
          ylabel,
          xticks: [0, [SHARE, "0.7"], 1],
          yticks,
        });
      const left = panel([30, 20, 160, 180], [0, 1.05], "product", [0, [1, "max"]]);
      // In float64: 0 is what is held where the product is smaller than 2.5 · 10⁻³²⁴.
      const held = (theta) => (product ? Math.exp(n * one(theta)) / product : 0);
      curve(stage, left, held, [0.0005, 0.9995], { class: "curve orange" });
      const right = panel([222, 20, 338, 180], [3 * sum, 0], "sum, nats", [
        0,
        [sum, short(Math.round(sum))],
        [3 * sum, short(Math.round(3 * sum))],
      ]);
      curve(stage, right, (theta) => n * one(theta), [0.0005, 0.9995], { class: "curve blue" });
    },
    say: ({ n }, { sum, product }) =>
      `${n} throws, 7 in 10 of them heads: at θ = 0.7 the product is ` +
      `${product ? short(product) : "0 in float64"}, the sum ${short(sum, 4)} nats.`,
  }),
};
