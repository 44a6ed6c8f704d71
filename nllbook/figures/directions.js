// The Gaussian nearest to half N(−a, 1) and half N(a, 1), by KL in either direction.
const density = (x, m, s) => Math.exp(-(((x - m) / s) ** 2) / 2) / (s * Math.sqrt(2 * Math.PI));
const two = (x, a) => (density(x, -a, 1) + density(x, a, 1)) / 2;
const logTwo = (x, a) => {
  const [near, far] = [-((Math.abs(x) - a) ** 2) / 2, -((Math.abs(x) + a) ** 2) / 2];
  return near + Math.log1p(Math.exp(far - near)) - Math.log(2 * Math.sqrt(2 * Math.PI));
};

// KL(q‖p) in nats for q = N(m, s²): a sum over even steps. Its error falls like e^(−2π · distance
// of the nearest pole of log p / step), some e^(−27) for bumps at ±2.5.
function reverse(m, s, a) {
  let sum = 0;
  const step = 0.06;
  for (let i = -120; i <= 120; i += 1) {
    const z = i * step;
    sum += Math.exp((-z * z) / 2) * logTwo(m + s * z, a);
  }
  const mean = (sum * step) / Math.sqrt(2 * Math.PI);
  return -Math.log(s) - Math.log(2 * Math.PI * Math.E) / 2 - mean;
}

const rounded = (kl) => (kl < 1e-12 ? 0 : kl); // what is left of 0 are rounding errors

// Descends along m and s in turn, with steps that halve.
function descend(m, s, a) {
  let best = reverse(m, s, a);
  for (let step = 0.25; step > 1e-5; ) {
    const near = [[m + step, s], [m - step, s], [m, s + step], [m, Math.max(0.05, s - step)]];
    const found = near.map(([u, v]) => reverse(u, v, a));
    const least = Math.min(...found);
    if (least < best) {
      [m, s] = near[found.indexOf(least)];
      best = least;
    } else step /= 2;
  }
  return { mean: m, std: s, kl: rounded(best) };
}

export function values({ a, direction }) {
  const wide = Math.sqrt(1 + a * a); // forward: mean and variance are those of p
  if (direction === "reverse") {
    const [middle, bump] = [descend(0, wide, a), descend(a, 1, a)];
    return bump.kl < middle.kl - 1e-9 ? bump : { ...middle, mean: 0 };
  }
  let sum = 0;
  for (let i = -2000; i <= 2000; i += 1) {
    const x = (i * (a + 10)) / 2000;
    const p = two(x, a);
    sum += p * (logTwo(x, a) - Math.log(density(x, 0, wide) || 1e-300));
  }
  return { mean: 0, std: wide, kl: rounded((sum * (a + 10)) / 2000) };
}

export default {
  render: figure({
    title: "The nearest Gaussian, in two directions",
    controls: [
      { name: "a", label: "bumps at ±a", min: 0, max: 4, step: 0.1 },
      {
        name: "direction",
        label: "smallest",
        options: [["forward", "KL(p‖q), forward"], ["reverse", "KL(q‖p), reverse"]],
      },
    ],
    values,
    draw(stage, { a }, { mean, std }) {
      const at = plot(stage, {
        x: [-8, 8],
        y: [0, 0.45],
        xlabel: "x",
        ylabel: "density",
        xticks: [-8, -4, 0, 4, 8],
        yticks: [0, 0.2, 0.4],
      });
      curve(stage, at, (x) => two(x, a), [-8, 8], { class: "curve blue" });
      curve(stage, at, (x) => density(x, mean, std), [-8, 8], { class: "curve orange dashed" });
      make(stage, "text", { class: "blue", x: 330, y: 22, "text-anchor": "end" }, "p");
      make(stage, "text", { class: "orange", x: 330, y: 38, "text-anchor": "end" }, "q, dashed");
    },
    say: ({ a, direction }, { mean, std, kl }) =>
      `Bumps at ±${short(a)}, ${direction} KL: q has mean ${short(mean)} and standard deviation ` +
      `${short(std)}; the divergence is ${short(kl)} nats.`,
  }),
};
