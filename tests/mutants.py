"""Checks of the book's checks: plausible mistakes, planted one at a time; each must be caught.

A mutant replaces one piece of text in the package or in a chapter's cells. The chapter's cells are
then run (without drawing), and a `check(...)` of the book must raise. `make mutants` names the
claim that caught each.
"""

from __future__ import annotations

import argparse
import os
import shutil
import subprocess
import sys
import tempfile
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from unittest.mock import MagicMock

from web import source

CAUGHT = 3  # exit status of a run that a check stopped; 1 would be any crash


@dataclass(frozen=True)
class Mutant:
    """``old``, which stands once in ``file``, becomes ``new``; the chapter's checks must object."""

    mistake: str
    file: str
    old: str
    new: str
    chapter: str = "likelihood"


DISTRIBUTIONS = "nllbook/distributions.py"
LIKELIHOOD = "chapters/likelihood.md"
LOG = "chapters/log-likelihood.md"
NLL = "chapters/negative-log-likelihood.md"

MUTANTS = [
    # the package
    Mutant(
        "the log to base 2 where nats are meant",
        "nllbook/numerics.py",
        "x_wide * np.log(y_wide)",
        "x_wide * np.log2(y_wide)",
    ),
    Mutant("lose the factorial of the Poisson", DISTRIBUTIONS, " - lgamma(x[few] + 1)", ""),
    Mutant("(x + 1)! for x!", DISTRIBUTIONS, "lgamma(x[few] + 1)", "lgamma(x[few] + 2)"),
    Mutant("drop a minus: e^λ for e^−λ", DISTRIBUTIONS, ") - self.rate - lg", ") + self.rate - lg"),
    Mutant(
        "swap p and 1 − p",
        DISTRIBUTIONS,
        "np.where(x == 1, np.log(self.p), np.log1p(-self.p))",
        "np.where(x == 0, np.log(self.p), np.log1p(-self.p))",
    ),
    Mutant(
        "lose ½ log 2π",
        DISTRIBUTIONS,
        " - math.log(self.std) - 0.5 * LOG_2PI",
        " - math.log(self.std)",
    ),
    Mutant("lose log σ", DISTRIBUTIONS, " - math.log(self.std) - 0.5", " - 0.5"),
    Mutant(
        "σ² for σ", DISTRIBUTIONS, "(x - self.mean) / self.std", "(x - self.mean) / self.std**2"
    ),
    Mutant("n − 1 for n in the MLE of σ", DISTRIBUTIONS, "std(ddof=0)", "std(ddof=1)"),
    Mutant(
        "the median for the mean",
        DISTRIBUTIONS,
        "cls(scale * float(scaled.mean()), ",
        "cls(float(np.median(data)), ",
    ),
    Mutant(
        "the mean for one over the mean",
        DISTRIBUTIONS,
        "cls(1 / (scale",
        "cls((scale",
    ),
    Mutant(
        "smooth the frequencies",
        DISTRIBUTIONS,
        "cls(counts / data.size)",
        "cls((counts + 1) / (data.size + counts.size))",
    ),
    Mutant(
        "an open interval for a closed one", DISTRIBUTIONS, "(x <= self.high)", "(x < self.high)"
    ),
    Mutant("the sum for the product", "nllbook/likelihood.py", "np.prod(", "np.sum("),
    # the chapter
    Mutant(
        "swap the joint and the product in the expectation",
        LIKELIHOOD,
        "np.sum(joint * np.log(joint / product))",
        "np.sum(product * np.log(joint / product))",
    ),
    Mutant(
        "n for n − 1 neighbours", LIKELIHOOD, "(length - 1) * information", "length * information"
    ),
    Mutant(
        "the wrong sign in the exponent of the ratio",
        LIKELIHOOD,
        "total * math.exp(-n * (0.7 - 0.5))",
        "total * math.exp(n * (0.7 - 0.5))",
    ),
    Mutant(
        "n for n − 1 in the bias", LIKELIHOOD, "Fraction(size - 1, size)", "Fraction(size, size)"
    ),
    Mutant("forget Jacobian: a factor once, not n times", LIKELIHOOD, "1000.0**66", "1000.0"),
    Mutant(
        "the smallest number itself as the bound",
        LIKELIHOOD,
        "gaussian, np.float32, -150",
        "gaussian, np.float32, -149",
    ),
    Mutant(
        "n for n + 1 in the beta integral",
        LIKELIHOOD,
        "f(k) * f(trials - k) / f(trials + 1)",
        "f(k) * f(trials - k) / f(trials)",
    ),
    Mutant(
        "compare values the wrong way round",
        LIKELIHOOD,
        "(a, high) if f(a) < f(b)",
        "(a, high) if f(a) > f(b)",
    ),
    # chapter 2
    Mutant(
        "the log to base 2 where nats are meant, of the largest likelihood",
        LOG,
        "ell.max(), math.log(L.max())",
        "ell.max(), math.log2(L.max())",
        "log-likelihood",
    ),
    Mutant(
        "search for a minimum",
        LOG,
        "(a, high) if f(a) < f(b)",
        "(a, high) if f(a) > f(b)",
        "log-likelihood",
    ),
    Mutant(
        "the mean for the sum",
        "nllbook/likelihood.py",
        "rounded(np.sum(dist.log_prob(",
        "rounded(np.mean(dist.log_prob(",
        "log-likelihood",
    ),
    Mutant(
        "lose a power of 2 of the product",
        LOG,
        "e += shift",
        "e += abs(shift)",
        "log-likelihood",
    ),
    Mutant(
        "forget a factor in the product rule",
        LOG,
        "slope * p + value * dp",
        "slope * p + dp",
        "log-likelihood",
    ),
    Mutant(
        "lose the −1 of the score",
        LOG,
        "np.float32(x / rate - 1)",
        "np.float32(x / rate)",
        "log-likelihood",
    ),
    Mutant(
        "weigh the values alike",
        LOG,
        "np.bincount(text) / len(text)",
        "np.full(26, 1 / 26)",
        "log-likelihood",
    ),
    Mutant(
        "lose the ½ of the quadratic",
        LOG,
        "sp.log(v) - squares / (2 * v)",
        "sp.log(v) - squares / v",
        "log-likelihood",
    ),
    Mutant(
        "the second derivative of one sample for that of all",
        LOG,
        "(v, v): -n / (2 * v_hat**2)",
        "(v, v): -1 / (2 * v_hat**2)",
        "log-likelihood",
    ),
    Mutant(
        "σ² for σ",
        LOG,
        "Gaussian(mean, math.sqrt(var))",
        "Gaussian(mean, var)",
        "log-likelihood",
    ),
    Mutant(
        "forget u − 1 in the gap",
        LOG,
        "n / 2 * (u - 1 - np.log(u))",
        "n / 2 * -np.log(u)",
        "log-likelihood",
    ),
    Mutant(
        "the information of one sample for that of all",
        LOG,
        "J, len(deaths) / rate",
        "J, 1 / rate",
        "log-likelihood",
    ),
    Mutant(
        "the spread without its square",
        LOG,
        "(S - m) ** 2 / S, Poisson",
        "abs(S - m) / S, Poisson",
        "log-likelihood",
    ),
    Mutant(
        "the logarithm of the product for that of its slope",
        LOG,
        "log_L + np.log(np.abs(score))",
        "log_L",
        "log-likelihood",
    ),
    Mutant(
        "the slope of log k − ψ(k) without its 1",
        LOG,
        "(1 - k * trigamma(k))",
        "(-k * trigamma(k))",
        "log-likelihood",
    ),
    Mutant(
        "the mean over the shape for the rate",
        DISTRIBUTIONS,
        "cls(shape, shape / mean / scale)",
        "cls(shape, mean / shape / scale)",
        "log-likelihood",
    ),
    Mutant(
        "1 standard error for 1.96",
        LOG,
        "squares <= 1.96**2",
        "squares <= 1",
        "log-likelihood",
    ),
    Mutant(
        "2n for 4n in the spread of σ̂",
        LOG,
        "(kurtosis - 1) / (4 * n)",
        "(kurtosis - 1) / (2 * n)",
        "log-likelihood",
    ),
    Mutant(
        "the score of σ without its −1",
        LOG,
        "(z**2 - 1) / std",
        "z**2 / std",
        "log-likelihood",
    ),
    Mutant(
        "forget that the support moves",
        LOG,
        "Uniform(0, theta + step)",
        "Uniform(0, theta)",
        "log-likelihood",
    ),
    Mutant(
        "differentiate −λ wrongly in the score",
        LOG,
        "/ lam - 1  # scores",
        "/ lam - lam  # scores",
        "log-likelihood",
    ),
    Mutant(
        "lose the minus of the second form",
        LOG,
        "-np.sum(p * second), 1 / lam",
        "np.sum(p * second), 1 / lam",
        "log-likelihood",
    ),
    Mutant(
        "the mean of log for the log of the mean",
        LOG,
        "s = math.log(rain.mean()) - np.mean(np.log(rain))",
        "s = math.log(np.median(rain)) - np.mean(np.log(rain))",
        "log-likelihood",
    ),
    Mutant(
        "shape times mean for the rate",
        LOG,
        "Gamma(k, k / rain.mean())",
        "Gamma(k, k * rain.mean())",
        "log-likelihood",
    ),
    Mutant(
        "accumulate in float64",
        LOG,
        "np.cumsum(tenths)[-1]",
        "np.cumsum(tenths, dtype=np.float64)[-1]",
        "log-likelihood",
    ),
    Mutant(
        "drop the minus of the NLL",
        "nllbook/likelihood.py",
        "surprise = -dist",
        "surprise = dist",
        "negative-log-likelihood",
    ),
    Mutant(
        "half a step where one climbs",
        "nllbook/optimize.py",
        "x + move if maximize else",
        "x + move / 2 if maximize else",
        "negative-log-likelihood",
    ),
    Mutant(
        "nats where bits are asked for",
        "nllbook/information.py",
        "np.log2(y) if _unit(base) == math.log(2)",
        "np.log(y) if _unit(base) == math.log(2)",
        "negative-log-likelihood",
    ),
    Mutant(
        "lose ½ log 2π of the Gaussian",
        DISTRIBUTIONS,
        " - math.log(self.std) - 0.5 * LOG_2PI",
        " - math.log(self.std)",
        "negative-log-likelihood",
    ),
    Mutant(
        "max f = min(−f)",
        NLL,
        "up_value, -down_value",
        "up_value, down_value",
        "negative-log-likelihood",
    ),
    Mutant(
        "0 − x for −x",
        NLL,
        "negated = -patterns",
        "negated = 0.0 - patterns",
        "negative-log-likelihood",
    ),
    Mutant(
        "one binary digit too many",
        NLL,
        "(2 ** int(bits) - 1).bit_length()",
        "(2 ** int(bits)).bit_length()",
        "negative-log-likelihood",
    ),
    Mutant(
        "log 10 for log 2",
        NLL,
        "1 / (k * 2**k)",
        "(0.9**k) / k",
        "negative-log-likelihood",
    ),
    Mutant(
        "n − 1 for n in the shares",
        NLL,
        "share = np.bincount(deaths) / n",
        "share = np.bincount(deaths) / (n - 1)",
        "negative-log-likelihood",
    ),
    Mutant(
        "forget n in the limit of the sum",
        NLL,
        "2 * sigma**2 / len(newcomb)}",
        "2 * sigma**2}",
        "negative-log-likelihood",
    ),
    Mutant(
        "1 for 2 in the limit",
        NLL,
        '"mean": 2 * sigma**2,',
        '"mean": sigma**2,',
        "negative-log-likelihood",
    ),
    Mutant(
        "a variance that does not shrink with n",
        NLL,
        "squares = size * (slopes",
        "squares = (slopes",
        "negative-log-likelihood",
    ),
    Mutant(
        "the number of items for their weight",
        NLL,
        "Fraction(size, len(pairs)) * sum(weights)",
        "Fraction(size)",
        "negative-log-likelihood",
    ),
    Mutant(
        "forget the denominator of the bias",
        NLL,
        "-covariance / average(weights)",
        "-covariance",
        "negative-log-likelihood",
    ),
    Mutant(
        "lose the e of 2πe σ²",
        NLL,
        "math.log(2 * math.pi * math.e * spread)",
        "math.log(2 * math.pi * spread)",
        "negative-log-likelihood",
    ),
    Mutant(
        "the shift once, not once per dimension",
        NLL,
        "pair_y - pair, 2 * math.log(0.001)",
        "pair_y - pair, math.log(0.001)",
        "negative-log-likelihood",
    ),
    Mutant(
        "add ε instead of clipping at ε",
        NLL,
        "surprisal(max(1 / (1 + math.exp(-z)), eps))",
        "surprisal(1 / (1 + math.exp(-z)) + eps)",
        "negative-log-likelihood",
    ),
    Mutant(
        "forget that one sample is one of n",
        NLL,
        "surprisal(1e-7)) / len(first)",
        "surprisal(1e-7))",
        "negative-log-likelihood",
    ),
    Mutant(
        "test and training swapped",
        NLL,
        "for x in (test, train)]",
        "for x in (train, test)]",
        "negative-log-likelihood",
    ),
    Mutant(
        "the variance of a term for that of the mean",
        NLL,
        "spread, variance / r",
        "spread, variance",
        "negative-log-likelihood",
    ),
    Mutant(
        "k/n for 2/(n − 3)",
        NLL,
        "(2, var, 2 / (size - 3), 2 / size)",
        "(2, var, 2 / size, 2 / (size - 3))",
        "negative-log-likelihood",
    ),
    Mutant(
        "μ² for μ²/2: the slope of the penalty doubled",
        NLL,
        "slope + mu / sigma**2",
        "slope + 2 * mu / sigma**2",
        "negative-log-likelihood",
    ),
]


def mutate(mutant: Mutant, folder: Path) -> Path:
    """A copy of the package and the chapter in ``folder``, mutated; the chapter's path."""
    shutil.copytree(
        source.ROOT / "nllbook", folder / "nllbook", ignore=shutil.ignore_patterns("__pycache__")
    )
    chapter = folder / "chapters" / f"{mutant.chapter}.md"
    chapter.parent.mkdir()
    shutil.copy(source.CHAPTERS / chapter.name, chapter)
    target = folder / mutant.file
    text = target.read_text(encoding="utf-8")
    if text.count(mutant.old) != 1:
        raise ValueError(
            f"{mutant.file}: the mutant {mutant.mistake!r} must find {mutant.old!r} exactly once, "
            f"found it {text.count(mutant.old)} times: mend the mutant"
        )
    target.write_text(text.replace(mutant.old, mutant.new), encoding="utf-8")
    return chapter


def catch(mutant: Mutant) -> tuple[bool, str]:
    """Whether a check of the book caught the mutant, and its claim (or what happened instead)."""
    with tempfile.TemporaryDirectory() as folder:
        chapter = mutate(mutant, Path(folder))
        run = subprocess.run(
            [sys.executable, "-m", "tests.mutants", "--run", str(chapter)],
            cwd=folder,  # so that the mutated package is imported, not the one of the checkout
            env={**os.environ, "PYTHONPATH": os.pathsep.join([folder, str(source.ROOT)])},
            capture_output=True,
            text=True,
            timeout=300,
            check=False,
        )
    if run.returncode == CAUGHT:
        return True, run.stdout.strip().splitlines()[-1]
    if run.returncode == 0:
        return False, "SURVIVED: no check of the book objects"
    return False, f"CRASHED, no check objects: {run.stderr.strip().splitlines()[-1]}"


def run_cells(path: Path) -> str | None:
    """Run a chapter's cells without drawing; the id of the first claim that fails, if any."""
    from nllbook import ClaimError, plotting

    def figure(columns: int = 1, *, height: float = 3.2) -> Any:
        return MagicMock(), [_Axes() for _ in range(columns)]

    plotting.figure = figure
    namespace: dict[str, object] = {}
    for cell in source.read(path).cells:
        # the line of the chapter, so that a traceback points to it
        code = compile("\n" * (cell.body_line - 1) + cell.body, str(path), "exec")
        try:
            exec(code, namespace)
        except ClaimError as error:
            return error.claim
    return None


class _Axes(MagicMock):
    """Axes that draw nothing; `plot` gives one line, as for one pair of x and y."""

    def plot(self, *args: object, **kwargs: object) -> list[MagicMock]:
        return [MagicMock()]


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument(
        "--run", type=Path, help="run this chapter's cells; exit 3 at a failing check"
    )
    arguments = parser.parse_args()
    if arguments.run:
        claim = run_cells(arguments.run)
        print(claim or "no check objects")
        return CAUGHT if claim else 0
    survivors, proven = 0, set[str]()
    with ThreadPoolExecutor(os.cpu_count()) as pool:
        for mutant, (caught, by) in zip(MUTANTS, pool.map(catch, MUTANTS), strict=True):
            survivors += not caught
            proven |= {by} if caught else set()
            print(f"{'caught by ' + by if caught else by:48} {mutant.file}: {mutant.mistake}")
    print(f"{len(MUTANTS) - survivors} of {len(MUTANTS)} mutants caught by the book's checks")
    claims = {one.options["label"] for page in source.chapters() for one in page.statements}
    for claim in sorted(claims - proven):
        print(f"{claim}: no mutant is caught by its checks, so nothing shows that they can fail")
    return 1 if survivors or claims - proven else 0


if __name__ == "__main__":
    sys.exit(main())
