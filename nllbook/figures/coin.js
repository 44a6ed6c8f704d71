// The likelihood of a coin's parameter θ after k heads in n throws, and its logarithm.
const log = (count, share) => (count ? count * Math.log(share) : 0); // 0 · log 0 = 0

export function values({ n, k }) {
  const share = k / n;
  const nll = -(log(k, share) + log(n - k, 1 - share)) / n;
  return {
    mle: share,
    nll, // at the estimate, in nats, the mean
    likelihood: Math.exp(-n * nll),
    error: Math.sqrt((share * (1 - share)) / n),
  };
}

export default {
  render: figure({
    title: "The likelihood of a coin",
    controls: [
      { name: "n", label: "throws", min: 1, max: 100, step: 1 },
      { name: "k", label: "heads", min: 0, max: ({ n }) => n, step: 1, show: (k, { n }) => `${k} of ${n}` },
    ],
    limit: ({ n, k }) => ({ n, k: Math.min(k, n) }),
    values,
    draw(stage, { n, k }, { mle, nll, error }) {
      const at = plot(stage, {
        x: [0, 1],
        y: [0, 1.08],
        xlabel: "θ, the probability of heads",
        ylabel: "likelihood, over its largest",
        xticks: [0, 0.25, 0.5, 0.75, 1],
        yticks: [0, 1],
      });
      const ratio = (theta) => Math.exp(log(k, theta) + log(n - k, 1 - theta) + n * nll);
      curve(stage, at, ratio, [0, 1], { class: "curve blue" });
      const [low, high] = [mle - error, mle + error];
      make(stage, "path", { class: "guide", d: `M${at.x(mle)},${at.y(0)}V${at.y(1)}` });
      make(stage, "path", { class: "mark orange", d: `M${at.x(low)},${at.y(0.606)}H${at.x(high)}` });
      make(stage, "circle", { class: "dot", cx: at.x(mle), cy: at.y(1), r: 4 });
    },
    say: ({ n, k }, { mle, likelihood, error }) =>
      `${count(k, "head")} in ${count(n, "throw")}: the likelihood is largest at ` +
      `θ = ${short(mle)}, where it is ${short(likelihood)}; ` +
      (error ? `half the bar is ${short(error)}.` : "at the edge there is no bar: its formula fails."),
    drag: ([x], { n }) => ({ k: (n * (x - 34)) / 304 }),
  }),
};
