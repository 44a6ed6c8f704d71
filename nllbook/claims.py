"""check(...): one line that says a claim of the book holds, or an error that says how it fails."""

from __future__ import annotations

import math
import numbers
import sys
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from nllbook._notebook import display
from nllbook._validate import plain_array, scalar

SIGMAS = 4  # an honest simulation lands further out once in 16,000 seeds
RIVAL_SIGMAS = 10  # a check that could not tell the nearest wrong value apart would be no check


class ClaimError(AssertionError):
    """A claim does not hold: the two sides of its check disagree. ``claim`` is its id.

    Examples
    --------
    >>> check("sum", 2 + 2, 5, exact=True)
    Traceback (most recent call last):
        ...
    nllbook.claims.ClaimError: sum fails: 4 against 5, a difference of -1; wanted exactly equal
    """

    def __init__(self, claim: str, message: str) -> None:
        super().__init__(f"{claim} {message}")
        self.claim = claim


@np.errstate(all="ignore")
def check(
    claim: str,
    left: ArrayLike,
    right: ArrayLike | None = None,
    *,
    rtol: float | None = None,
    atol: float | None = None,
    standard_error: float | None = None,
    rival: float | None = None,
    greater_than: float | None = None,
    less_than: float | None = None,
    margin: float | None = None,
    exact: bool = False,
) -> None:
    """Compare two independently computed sides of the claim with the given id.

    Exactly one of these forms:

    - ``rtol`` or ``atol`` (or both): every ``|left − right| <= atol + rtol · |right|``.
    - ``standard_error`` with ``rival``, for a simulation: left lies within 4 standard errors of
      right, and the rival, the nearest plausible wrong value of right, at least 10 away from right
      and more than 4 from left.
    - ``greater_than`` or ``less_than`` with ``margin`` > 0: every entry of left is beyond the bound
      by at least the margin.
    - ``exact=True``: equal to the last bit (infinities too).

    Parameters
    ----------
    claim : str
        Id of the claim, as in the label of its statement.
    left, right : array_like
        The two sides, of one shape or one of them a scalar. NaN always fails.
    rtol, atol : float, optional
        How far apart they may be: by that share of right, and by that much.
    standard_error, rival : float, optional
        The standard error of left, and the nearest plausible wrong value of right.
    greater_than, less_than, margin : float, optional
        One bound on left, which has no right then, and by how much left is beyond it.
    exact : bool
        Whether they are the same to the last bit.

    Raises
    ------
    ClaimError
        Where the claim fails; both sides, their difference and the tolerance are in the message.
    TypeError, ValueError
        Where the call is not one of the forms, a tolerance is not positive, the shapes differ, or
        there is nothing to compare.

    Notes
    -----
    In a notebook the line is the same on every machine; the raw difference travels in the output's
    metadata, for the ledger of claims. Elsewhere the line is printed.

    Examples
    --------
    >>> check("log-of-a-product", np.log(6.0), np.log(2.0) + np.log(3.0), rtol=1e-15)
    ✓ log-of-a-product: within rtol 1e-15
    """
    form = _form(rtol, atol, standard_error, greater_than, less_than, exact)
    _refuse_strays(form, right, rival, margin)
    if form != "exact":
        _refuse_others(left=left, right=left if right is None else right)
    if form == "exact":
        a, b = _sides(claim, left, right)
        # as Python numbers: NumPy would round 2⁵³ + 1 before it compares it with a float
        same = [x == y for x, y in zip(a.ravel().tolist(), b.ravel().tolist(), strict=True)]
        _require(claim, np.reshape(same, a.shape), a, b, "exactly equal")
        _report(claim, form, "exactly equal", 0.0, 0.0)
    elif form == "close":
        a, b = _sides(claim, left, right)
        rtol, atol = rtol or 0.0, atol or 0.0
        difference, right_size = _gap(a, b), np.abs(b.astype(float))
        # not `difference > tolerance`: a NaN must fail, and ∞ is within no tolerance
        holds = np.isfinite(difference) & (difference <= atol + rtol * right_size)
        parts = [f"{name} {value:g}" for name, value in (("rtol", rtol), ("atol", atol)) if value]
        text = "within " + " + ".join(parts)
        _require(claim, holds, a, b, text)
        scale = np.where(right_size > 0, right_size, 1.0) if rtol and not atol else 1.0
        _report(claim, form, text, float(np.max(difference / scale)), rtol + atol)
    elif form == "simulation":
        _simulation(claim, left, right, float(standard_error or 0.0), rival)
    else:
        sign, word = (1, ">") if form == "greater" else (-1, "<")
        bound = float(greater_than if greater_than is not None else less_than or 0.0)
        a, b = _sides(claim, left, bound)
        slack = sign * (a.astype(float) - b)
        text = f"{word} {bound:g} by at least {margin:g}"
        _require(claim, slack >= float(margin or 0.0), a, b, text)
        _report(claim, form, text, float(np.min(slack)), float(margin or 0.0))


def _simulation(
    claim: str, left: ArrayLike, right: ArrayLike | None, error: float, rival: float | None
) -> None:
    a, b = _sides(claim, left, right)
    if a.size != 1:
        raise ValueError(f"{claim}: a simulation is checked one number at a time, got {a.size}")
    if rival is None:
        raise TypeError(f"{claim}: standard_error needs rival, the nearest plausible wrong value")
    estimate, target = float(a.flat[0]), float(b.flat[0])
    rival = scalar("rival", rival, "finite", low=-math.inf)
    if abs(rival - target) < RIVAL_SIGMAS * error:
        raise ValueError(
            f"{claim}: the rival {rival:g} is only {abs(rival - target) / error:.1f} standard "
            f"errors from {target:g}: take more samples, until at least {RIVAL_SIGMAS} lie between"
        )
    text = f"within {SIGMAS} standard errors, the rival {rival:.3g} is not"
    near = abs(estimate - target) <= SIGMAS * error  # so it is at least 6 from the rival
    _require(claim, np.full(a.shape, near), a, b, f"{text} (SE {error:g})")
    _report(claim, "simulation", text, abs(estimate - target) / error, float(SIGMAS))


def _form(
    rtol: float | None,
    atol: float | None,
    standard_error: float | None,
    greater_than: float | None,
    less_than: float | None,
    exact: bool,
) -> str:
    given = {
        "close": rtol is not None or atol is not None,
        "simulation": standard_error is not None,
        "greater": greater_than is not None,
        "less": less_than is not None,
        "exact": exact,
    }
    forms = [name for name, is_given in given.items() if is_given]
    if len(forms) != 1:
        raise TypeError(
            "check takes exactly one of rtol/atol, standard_error, greater_than, less_than, exact; "
            f"got {' and '.join(forms) or 'none'}"
        )
    for name, value in (("rtol", rtol), ("atol", atol), ("standard_error", standard_error)):
        if value is not None:
            scalar(name, value, "positive and finite", low=0)
    for name, value in (("greater_than", greater_than), ("less_than", less_than)):
        if value is not None:
            scalar(name, value, "finite", low=-math.inf)
    return forms[0]


def _refuse_strays(
    form: str, right: ArrayLike | None, rival: float | None, margin: float | None
) -> None:
    one_sided = form in ("greater", "less")
    if one_sided != (margin is not None):
        raise TypeError("margin goes with greater_than or less_than, and they need it")
    if margin is not None:
        scalar("margin", margin, "positive and finite", low=0)
    if one_sided == (right is not None):
        raise TypeError("right is needed, except with greater_than or less_than")
    if rival is not None and form != "simulation":
        raise TypeError("rival goes with standard_error")


def _sides(
    claim: str, left: ArrayLike, right: ArrayLike | None
) -> tuple[NDArray[Any], NDArray[Any]]:
    sides: dict[str, Any] = {"left": left, "right": right}
    a, b = (plain_array(*pair) for pair in sides.items())
    if a.shape != b.shape and a.ndim and b.ndim:
        raise ValueError(f"{claim}: the sides have shapes {a.shape} and {b.shape}")
    a, b = np.broadcast_arrays(a, b)
    if a.size == 0:
        raise ValueError(f"{claim}: there is nothing to compare (both sides are empty)")
    return a, b


def _is_real(side: NDArray[Any]) -> bool:
    """Whether float64 can hold the numbers but for rounding: not texts, and not 10⁴⁰⁰."""
    if side.dtype.kind != "O":
        return side.dtype.kind in "biuf"
    try:
        side.astype(float)
    except (TypeError, ValueError, OverflowError):
        return False
    return all(isinstance(x, numbers.Real) for x in side.flat)  # fractions, and large integers


def _refuse_others(**sides: ArrayLike) -> None:
    for name, side in sides.items():
        if not _is_real(plain_array(name, side)):
            raise TypeError(f"{name} must be real numbers that fit into float64, got {side!r}")


def _gap(a: NDArray[Any], b: NDArray[Any]) -> NDArray[np.float64]:
    """|a − b| in float64: unsigned integers and booleans neither wrap nor refuse; fractions too."""
    return np.asarray(np.abs(a.astype(float) - b.astype(float)))


def _plain(x: Any) -> Any:
    """A NumPy number as Python's own: 5.0, where NumPy 2 says np.float64(5.0)."""
    return x.item() if isinstance(x, np.generic) else x


def _minus(x: Any, y: Any) -> float:
    return float(_plain(x) - _plain(y))


def _require(
    claim: str, holds: NDArray[np.bool_], a: NDArray[Any], b: NDArray[Any], wanted: str
) -> None:
    if np.all(holds):
        return
    numeric = _is_real(a) and _is_real(b)
    gaps = np.where(holds, -1.0, _gap(a, b)) if numeric else ~holds  # NaN counts as largest
    worst = np.unravel_index(int(np.argmax(gaps)), a.shape)
    x, y = a[worst], b[worst]
    by = f"a difference of {_minus(x, y):.3g}" if numeric else "different values"
    place = f" at {tuple(int(i) for i in worst)}" if a.ndim else ""
    raise ClaimError(
        claim,
        f"fails{place}: {_plain(x)!r} against {_plain(y)!r}, {by}; wanted {wanted}",
    )


def _report(claim: str, kind: str, text: str, difference: float, tolerance: float) -> None:
    line = f"✓ {claim}: {text}"
    record = {
        "claim": claim,
        "kind": kind,
        "difference": min(difference, sys.float_info.max),
        "tolerance": float(tolerance),
    }
    if not display({"text/plain": line}, {"nllbook": record}):
        print(line)
