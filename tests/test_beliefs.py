"""The book's own wrong beliefs: all that it promises to answer, each refuted by what it prints."""

from __future__ import annotations

import contextlib
import io
import math
import re
import warnings
from importlib import import_module
from typing import Any

import numpy as np
import pytest
import scipy.special
import scipy.stats

from nllbook import datasets
from web import beliefs
from web.notebooks import NOTEBOOKS, v4

KNOWN = beliefs.load()
NUMBER = re.compile(r"-?\d+(?:\.\d+)?(?:e-?\d+)?|inf")

# What people get wrong, and the beliefs under which they find it; each must be answered.
PROMISED = {
    "A density is a probability, so it cannot exceed 1": ["likelihood-at-most-one"],
    "An NLL cannot be negative": ["nll-is-positive", "negative-gaussian-nll-is-a-bug"],
    "The likelihood of the data": ["likelihood-of-the-data"],
    "The likelihood is P(θ | data)": ["likelihood-is-probability-of-parameter"],
    "The likelihood's value is an absolute score of fit": ["likelihood-is-a-score"],
    "argmax E[p] = argmax E[log p]": ["mean-of-p-or-of-log-p"],
    "Dropped constants never matter": ["constants-never-matter"],
    "The MLE of the variance divides by n − 1": ["mle-is-unbiased", "std-is-the-mle"],
    "`std` means the same in every library": ["std-is-the-mle"],
    "The Poisson NLL leaves out log y!": ["poisson-loss-leaves-out-the-factorial"],
    "The entropy of a continuous variable is not negative": ["entropy-cannot-be-negative"],
    "Gradient descent and maximum likelihood are rivals": ["gradient-descent-or-mle"],
    "Cross-entropy reaches 0, also with soft labels": ["loss-goes-to-zero"],
    "Cross-entropy is an alternative to MSE": ["cross-entropy-instead-of-mse"],
    "MSE is bad for classification in general": ["squared-error-never-for-classes"],
    "BCE needs labels 0 and 1": ["bce-needs-hard-labels"],
    "kl_div(a, b) is KL(a‖b)": ["kl-div-argument-order"],
    "kl_div with reduction='mean' is the KL": ["kl-div-mean"],
    "Take the absolute value of a negative KL estimate": ["negative-kl-estimate"],
    "The terms of a KL sum are not negative": ["kl-terms-are-positive"],
    "SciPy's entropy takes what it is given": ["entropy-takes-what-it-gets"],
    "Perplexity is 2 to the nats": ["perplexity-is-two-to-the-nats"],
    "Corpus perplexity is the average over batches": ["mean-of-perplexities"],
    "The printed loss is bits per character": ["loss-is-bits-per-character"],
    "nll_loss takes the log for you": ["nll-loss-takes-the-log"],
    "Cross-entropy logs twice": ["cross-entropy-logs-twice"],
    "Log-probabilities spoil a cross-entropy": ["log-probabilities-are-no-logits"],
    "A softmax before cross-entropy is harmless": ["softmax-before-cross-entropy"],
    "With log-softmax the labels need a log": ["labels-need-a-log"],
    "log(softmax(z)) is log_softmax(z) in floats": ["log-of-softmax-is-log-softmax"],
    "A from_logits mistake shows": ["from-logits-mistake-shows"],
    "Targets of shape (N, 1) are class indices": ["column-of-labels"],
    "Softmax for several labels": ["softmax-for-many-labels"],
    "BCE of a sigmoid is BCE with logits in floats": ["log-of-softmax-is-log-softmax"],
    "Tune the clipping ε": ["clip-until-it-looks-right"],
    "A weighted mean divides by N": ["weighted-mean-divides-by-n"],
    "ignore_index is a position, or a class left out": ["ignore-index-is-a-position"],
    "The mean is 0 when everything is ignored": ["all-ignored-is-zero"],
    "Smoothing, ignoring and weights compose": ["smoothing-composes-by-itself"],
    "The mean of micro-batch means is the mean": ["mean-of-batch-means"],
    "The Gaussian NLL takes σ; ε is added": ["std-or-variance"],
    "Sum or mean is cosmetic": ["sum-or-mean-is-printing"],
    "(N, 1) − (N,) is a column": ["column-minus-row"],
    "Loss and accuracy cannot both rise": ["loss-and-accuracy-cannot-both-rise"],
    "Negating improves numerical stability": ["minimising-is-more-stable"],
    "−log p is always positive": ["nll-is-positive"],
    "Log-probabilities are very small numbers": ["log-probabilities-are-tiny"],
    "NLL is cross-entropy up to a constant": ["cross-entropy-up-to-a-constant"],
    "The sample's entropy is the mean NLL": ["mean-nll-is-the-sample-entropy"],
    "Likelihood and information theory are two methods": ["two-ways-of-training", "two-losses"],
    "max f = min(−f), by the log's monotonicity": ["max-equals-min-of-negative"],
    "NLL counts the bits to encode the error": ["bits-encode-the-error"],
    "TensorFlow has an NLLLoss": ["nll-loss-is-in-every-library"],
    "Cross-entropy needs one-hot labels": ["labels-must-be-one-hot"],
    "H(p̂) depends on the process": ["entropy-of-the-sample"],
    "Huber's δ can be tuned by its own loss": ["huber-delta-by-training-loss"],
}


@pytest.fixture(scope="module")
def printed() -> dict[str, str]:
    """What each counterexample prints on its own, with nothing imported or computed before it."""
    found = {}
    for belief in KNOWN.values():
        code = compile(belief.counterexample, f"{belief.id} in {beliefs.FILE.name}", "exec")
        with warnings.catch_warnings(), contextlib.redirect_stdout(io.StringIO()) as out:
            warnings.simplefilter("error")
            exec(code, {})
        found[belief.id] = out.getvalue()
    return found


def test_everything_promised_is_answered() -> None:
    assert {name for names in PROMISED.values() for name in names} <= set(KNOWN)


def test_every_counterexample_shows_numbers_to_compare(printed: dict[str, str]) -> None:
    for name, text in printed.items():
        assert len(NUMBER.findall(text)) >= 2, (name, text)


def test_alone_a_counterexample_prints_what_its_page_shows(printed: dict[str, str]) -> None:
    notebook = v4.reads((NOTEBOOKS / "wrong-beliefs.ipynb").read_text(encoding="utf-8"))
    cells = [cell for cell in notebook.cells if cell.cell_type == "code"]
    shown = {cell.source: "".join(output.text for output in cell.outputs) for cell in cells}
    for name, text in printed.items():
        assert shown.get(KNOWN[name].counterexample) == text, (
            f"{name}: run python -m web.notebooks wrong-beliefs"
        )
    assert len(shown) == len(printed)


def test_every_printed_loss_has_a_unit(printed: dict[str, str]) -> None:
    for name, text in printed.items():
        if re.search(r"\bNLL|^entropy|\bKL|surprise", text, re.MULTILINE):
            assert re.search(r"\bnats|\bbits", text), (name, text)


# The numbers of some counterexamples by other means: first the wrong, then the right one.


def softmax_loss(z: list[float], label: int) -> float:
    return float(-scipy.special.log_softmax(z)[label])


NEWCOMB = datasets.load_newcomb()["deviation"]
P, Q = [0.5, 0.5], [0.9, 0.1]
ROWS = ([[0.7, 0.1, 0.1, 0.1], [0.25] * 4], [[0.4, 0.2, 0.2, 0.2], [0.7, 0.1, 0.1, 0.1]])
EXPECTED = {
    "std-is-the-mle": (np.sqrt(5 / 3), np.sqrt(5 / 4)),
    "mle-is-unbiased": (35 / 24, 35 / 12),
    "log-makes-it-worse": (0, 1000 * math.log(0.001)),
    "mean-of-p-or-of-log-p": (0, 122 / 200),
    "curvature-is-always-right": (NEWCOMB.std() / math.sqrt(2 * len(NEWCOMB)),),
    "likelihood-at-most-one": (1000 / (math.sqrt(2 * math.pi) * NEWCOMB.std()),),
    "mean-of-batch-means": (2, (900 * 1 + 100 * 3) / 1000),
    "nll-is-positive": (scipy.stats.norm(scale=NEWCOMB.std() / 1000).entropy(),),
    "kl-is-a-distance": (scipy.stats.entropy(Q, P), scipy.stats.entropy(P, Q)),
    "kl-div-argument-order": (
        scipy.special.rel_entr(P, Q).sum(),
        scipy.special.rel_entr(Q, P).sum(),
    ),
    "kl-div-mean": (
        np.mean(scipy.special.rel_entr(*ROWS)),
        np.mean(scipy.stats.entropy(*ROWS, axis=1)),
    ),
    "entropy-takes-what-it-gets": (
        scipy.stats.entropy([0.5, 0.2]),
        scipy.stats.entropy([0.5, 0.2, 0.3]),
    ),
    "mean-nll-is-the-sample-entropy": (scipy.stats.entropy([0.4, 0.3, 0.2, 0.1]),),
    "perplexity-is-two-to-the-nats": (2 ** math.log(8), 8),
    "mean-of-perplexities": (25, 20),
    "loss-is-bits-per-character": (3.2, 3.2 * math.log2(math.e) * 1000 / 4300),
    "poisson-loss-leaves-out-the-factorial": (
        2 - 2 * math.log(2),
        -scipy.stats.poisson(2).logpmf([0, 1, 2, 5]).mean(),
    ),
    "std-or-variance": (
        -scipy.stats.norm(0, math.sqrt(20)).logpdf(20),
        -scipy.stats.norm(0, 20).logpdf(20),
    ),
    "huber-delta-by-training-loss": (np.mean(scipy.special.huber(1, (NEWCOMB - 27) / 5)),),
    "softmax-before-cross-entropy": (math.log(math.e + 9) - 1, 0),
    "nll-loss-takes-the-log": (-2, softmax_loss([2, 0, 1], 0)),
    "log-probabilities-are-no-logits": (
        softmax_loss(list(scipy.special.softmax([2, 0, 1])), 0),
        softmax_loss([2, 0, 1], 0),
    ),
    "cross-entropy-logs-twice": (softmax_loss([2, 0, 1], 0),),
    "labels-must-be-one-hot": ((softmax_loss([2, 0, 1], 0) + softmax_loss([0, 3, 0], 2)) / 2,),
    "column-of-labels": (0, np.mean(np.logaddexp(0, [-3, 1, 2]))),
    "from-logits-mistake-shows": (
        scipy.stats.entropy([0.2, 0.8]),
        0.2 * softmax_loss([1, 0], 1) + 0.8 * softmax_loss([1, 0], 0),
    ),
    "weighted-mean-divides-by-n": (5 / 2 * math.log(2), math.log(2)),
    "smoothing-composes-by-itself": (1.1 * math.log(2), math.log(2)),
    "likelihood-of-the-data": (1, 1 / 4, 1 / 12),
    "log-is-only-a-trick": (122 / 200 - 1,),
    "loss-goes-to-zero": (math.log(6), scipy.stats.entropy([0.7, 0.2, 0.1])),
    "softmax-for-many-labels": (2 * math.log(2), -3 * math.log(0.99)),
    "log-of-softmax-is-log-softmax": (math.inf, 1000, 0, math.exp(-40)),
}


@pytest.mark.parametrize("name", EXPECTED)
def test_the_numbers_are_right(printed: dict[str, str], name: str) -> None:
    said = NUMBER.findall(printed[name])
    for value in EXPECTED[name]:
        assert any(_rounds_to(float(value), one) for one in said), (value, printed[name])


def in_torch() -> dict[str, tuple[float, ...]]:
    """What PyTorch itself returns where a counterexample says what it returns."""
    torch = import_module("torch")
    f = torch.nn.functional

    def table(*rows: object) -> Any:
        return torch.tensor(rows, dtype=torch.float64)

    a, b, z, counts = table(0.5, 0.5), table(0.9, 0.1), table([2, 0, 1]), table(0, 1, 2, 5)
    first, given = torch.tensor([0]), {"weight": table(1, 3), "label_smoothing": 0.1}
    p, q = table(*ROWS[0]), table(*ROWS[1])
    column, labels = table([3], [-1], [2]), table([1], [1], [0])
    weights, classes, even = table(1, 4), torch.tensor([0, 1]), torch.zeros(2, 2).double()
    return {
        "kl-div-argument-order": tuple(
            f.kl_div(one, b, reduction="sum").item() for one in (a.log(), a)
        ),
        "kl-div-mean": tuple(
            f.kl_div(q.log(), p, reduction=one).item() for one in ("mean", "batchmean")
        ),
        "nll-loss-takes-the-log": tuple(
            f.nll_loss(one, first).item() for one in (z, z.softmax(1), z.log_softmax(1))
        ),
        "column-of-labels": (abs(f.cross_entropy(column, labels).item()),),
        "std-or-variance": (f.gaussian_nll_loss(table(0), table(0), table(1e-6), eps=1e-6).item(),),
        "poisson-loss-leaves-out-the-factorial": tuple(
            f.poisson_nll_loss(torch.full((4,), 2.0), counts, log_input=False, full=full).item()
            for full in (False, True)
        ),
        "std-is-the-mle": (table(3, 0, 1, 2).std().item(),),
        "smoothing-composes-by-itself": tuple(
            f.cross_entropy(table([0, 0]), torch.tensor([label]), **given).item()
            for label in (0, 1)
        ),
        "weighted-mean-divides-by-n": (
            f.cross_entropy(even, classes, weight=weights).item(),
            f.cross_entropy(even, torch.eye(2).double(), weight=weights).item(),
            f.binary_cross_entropy_with_logits(even[0], table(0, 1), pos_weight=weights[1]).item(),
        ),
        "log-probabilities-are-no-logits": tuple(
            f.cross_entropy(one, first).item() for one in (z.log_softmax(1), z.softmax(1))
        ),
    }


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore:reduction. 'mean' divides")
def test_torch_returns_what_the_counterexamples_say(printed: dict[str, str]) -> None:
    for name, values in in_torch().items():
        said = NUMBER.findall(printed[name])
        for value in values:
            assert any(_rounds_to(value, one) for one in said), (name, value, printed[name])


@pytest.mark.slow
def test_a_batch_without_labels_has_no_loss_in_torch_and_no_gradient() -> None:
    torch = import_module("torch")
    f, labels, mask = torch.nn.functional, torch.tensor([-100, -100]), torch.zeros(2)
    z = torch.ones(2, 3, requires_grad=True)
    loss = f.cross_entropy(z, labels)
    loss.backward()
    assert loss.isnan()
    assert not z.grad.any()
    z.grad = None
    terms = f.cross_entropy(z, labels + 100, reduction="none")
    ((terms * mask).sum() / mask.sum()).backward()
    assert z.grad.isnan().all()


@pytest.mark.slow
def test_torch_refuses_columns_and_stops_at_100() -> None:
    torch = import_module("torch")
    f = torch.nn.functional
    for classes, dtype in ((1, torch.long), (2, torch.long), (2, torch.float)):
        with pytest.raises(RuntimeError):
            f.cross_entropy(torch.zeros(3, classes), torch.zeros(3, 1, dtype=dtype))
    z, one = torch.tensor(-200.0), torch.tensor(1.0)
    assert f.binary_cross_entropy(z.sigmoid(), one) == 100
    assert f.binary_cross_entropy_with_logits(z, one) == 200


def _rounds_to(value: float, said: str) -> bool:
    if "." not in said or math.isinf(value):
        return float(said) == round(value) if math.isfinite(value) else float(said) == value
    digits, _, power = said.partition("e")
    unit = 10.0 ** (int(power or 0) - len(digits.partition(".")[2]))
    return abs(float(said) - value) <= 0.501 * unit
