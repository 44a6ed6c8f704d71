// A yes-or-no question: probability, losses and gradients at a logit z.
const sigmoid = (z) => (z >= 0 ? 1 / (1 + Math.exp(-z)) : Math.exp(z) / (1 + Math.exp(z)));
const softplus = (z) => Math.max(z, 0) + Math.log1p(Math.exp(-Math.abs(z)));

export function values({ z, y }) {
  const p = sigmoid(z);
  return {
    p,
    nll: softplus(y ? -z : z), // nats
    slope: y ? -sigmoid(-z) : p, // p − y
    square: (p - y) ** 2,
    squareSlope: 2 * (y ? -sigmoid(-z) : p) * p * sigmoid(-z),
  };
}

export default {
  render: figure({
    title: "Loss and gradient at a logit",
    controls: [
      { name: "z", label: "logit z", min: -8, max: 8, step: 0.1 },
      { name: "y", label: "label y", options: [[1, "1, yes"], [0, "0, no"]] },
    ],
    values,
    draw(stage, { z, y }, found) {
      const panel = (box, range, ylabel, yticks, names) => {
        const at = plot(stage, {
          x: [-8, 8],
          y: range,
          box,
          xlabel: "logit z",
          ylabel,
          xticks: [-8, 0, 8],
          yticks,
        });
        const path = (name) => (x) => values({ z: x, y })[name];
        curve(stage, at, path(names[0]), [-8, 8], { class: "curve blue" });
        curve(stage, at, path(names[1]), [-8, 8], { class: "curve orange dashed" });
        make(stage, "circle", { class: "dot", cx: at.x(z), cy: at.y(found[names[0]]), r: 5 });
        make(stage, "circle", { class: "dot small", cx: at.x(z), cy: at.y(found[names[1]]), r: 3 });
      };
      panel([28, 20, 164, 180], [0, 8.2], "NLL; squared, dashed", [0, 4, 8], ["nll", "square"]);
      const slopes = y ? [-1, 0.2] : [-0.2, 1];
      panel([208, 20, 338, 180], slopes, "their gradients", [y ? -1 : 1, 0], ["slope", "squareSlope"]);
    },
    say: ({ z, y }, { p, nll, slope, square, squareSlope }) =>
      `Label ${y}, logit ${short(z)}, probability of a yes ${short(p)}. NLL ${short(nll)} nats, ` +
      `gradient ${short(slope)}; squared error ${short(square)}, gradient ${short(squareSlope)}.`,
    drag: ([x], { y }) => ({ z: x < 186 ? ((x - 28) * 16) / 136 - 8 : ((x - 208) * 16) / 130 - 8, y }),
  }),
};
