"""Two ways to an optimum, gradient descent and Newton's method, each with its whole history.

Both take one function, written as on paper, and give back every iterate they visited, so that a
chapter can show the way and not only its end. Neither has safeguards: where a step leads too far,
the history shows it.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import ArrayLike

from nllbook._validate import FloatArray, integer, real_array, refuse, scalar

if TYPE_CHECKING:
    from matplotlib.axes import Axes

Point = tuple[FloatArray, ...]  # an iterate, the value there, the gradient there


@dataclass(frozen=True, eq=False)
class History:
    """The iterates of an optimiser, from the start to where it stopped.

    See the chapters "Log-likelihood" and "Negative log-likelihood".

    Attributes
    ----------
    x : ndarray, shape (number of iterates, *shape of x0)
        The iterates: ``x[0]`` is the start, ``x[-1]`` the result.
    value : ndarray, shape (number of iterates,)
        The function there.
    gradient : ndarray, shape of ``x``
        Its gradient there.
    converged : bool or None
        From ``newton``: whether it stopped in time, at a point where the Hessian does not
        speak against the kind of optimum that was asked for. None from
        ``gradient_descent``, which takes its steps and asks nothing.

    Examples
    --------
    >>> way = gradient_descent(lambda x: (x**2, 2 * x), 1.0, learning_rate=0.25, steps=2)
    >>> len(way), way.value.tolist()
    (3, [1.0, 0.25, 0.0625])
    """

    x: FloatArray
    value: FloatArray = field(repr=False)
    gradient: FloatArray = field(repr=False)
    converged: bool | None = None

    def __len__(self) -> int:
        return len(self.value)

    def plot(self, ax: Axes | None = None) -> Axes:
        """Draw the value against the step, in the book's style; values not finite leave a gap.

        Parameters
        ----------
        ax : matplotlib axes, optional
            Where to draw; a new figure where left out.

        Returns
        -------
        matplotlib axes

        Raises
        ------
        ModuleNotFoundError
            Where matplotlib is not installed.
        """
        if ax is None:
            from nllbook import plotting

            ax = plotting.figure()[1][0]
        ax.plot(np.where(np.isfinite(self.value), self.value, np.nan))
        ax.set_xlabel("step")
        ax.set_ylabel("value")
        return ax


def gradient_descent(
    value_and_grad: Callable[[Any], tuple[Any, Any]],
    x0: ArrayLike,
    *,
    learning_rate: float,
    steps: int,
    maximize: bool = False,
) -> History:
    """Step by step, x − learning_rate · ∇f(x); with ``maximize``, x + learning_rate · ∇f(x).

    Negating a float is exact, so maximising f visits bit for bit the iterates of minimising −f.
    See the chapter "Negative log-likelihood".

    Parameters
    ----------
    value_and_grad : callable
        ``value_and_grad(x)`` is ``(value, gradient)`` at an iterate: a number, and an array of
        the shape of ``x0``.
    x0 : array_like
        The start: a number, or an array of any shape. float32 stays float32.
    learning_rate : float
        A number > 0.
    steps : int
        How many steps to take, >= 0.
    maximize : bool
        Climb instead of descending.

    Returns
    -------
    History
        ``steps + 1`` iterates, the start included. It ends earlier where the run leaves the
        finite numbers: with the first iterate whose value or gradient is not finite, or that is
        itself not finite (the function is not asked there; value and gradient are NaN). NumPy's
        warnings of overflow and the like are silenced meanwhile: the history shows what happened.

    Raises
    ------
    TypeError, ValueError
        For a start that is not finite, and for values and gradients of the wrong kind or shape.
        What ``value_and_grad`` raises passes through.

    Examples
    --------
    >>> def square(x):
    ...     return (x - 3.0) ** 2, 2 * (x - 3.0)
    >>> gradient_descent(square, 0.0, learning_rate=0.25, steps=3).x
    array([0.   , 1.5  , 2.25 , 2.625])
    """
    rate = scalar("learning_rate", learning_rate, "finite and > 0", low=0)
    x, visited = _start(x0, steps), list[Point]()
    while True:
        value, gradient = _evaluate(value_and_grad, x, "value_and_grad", ["value", "gradient"])
        visited.append((x, value, gradient))
        if len(visited) > steps or not _finite(value, gradient):
            return _history(visited, None)
        with np.errstate(all="ignore"):  # a rate in float32 could be infinite, or 0
            move = (rate * gradient.astype(np.float64)).astype(x.dtype)
            x = x + move if maximize else x - move


def newton(
    derivatives: Callable[[Any], tuple[Any, Any, Any]],
    x0: ArrayLike,
    *,
    steps: int = 50,
    tolerance: float = 1e-12,
    maximize: bool = False,
) -> History:
    """Newton's method: step by step x − h, where hessian · h = gradient, without safeguards.

    Each step goes to the stationary point of the parabola that touches f in value, slope and
    curvature: near an optimum where the Hessian is not singular the number of right digits
    doubles, far from it the step may lead anywhere. See the chapters "Log-likelihood" and
    "Mean squared error as Gaussian NLL".

    Parameters
    ----------
    derivatives : callable
        ``derivatives(x)`` is ``(value, gradient, hessian)`` at an iterate: a number, an array of
        the shape of ``x0``, and one of that shape twice, (d, d) for (d,). For a number x0 all
        three are numbers.
    x0 : array_like
        The start: a number, or an array of any shape. float32 stays float32.
    steps : int
        The most steps to take, >= 0.
    tolerance : float
        It stops after a step none of whose components exceeds tolerance · max(1, abs(x)), or where
        the gradient is exactly 0.
    maximize : bool
        Which kind of optimum ``converged`` means. The iterates are the same for f and −f: both
        signs of the equation for h change.

    Returns
    -------
    History
        ``converged`` is True where it stopped in time, and the Hessian there has no eigenvalue
        (beyond rounding) of the wrong sign: below 0, or above 0 for ``maximize``. It is False for
        a stationary point that the Hessian shows to be of another kind (an eigenvalue of 0 cannot
        tell, and passes), where ``steps`` were not enough, where the Hessian is
        singular, and where the run left the finite numbers, which ends the history as in
        ``gradient_descent``.

    Raises
    ------
    TypeError, ValueError
        As ``gradient_descent``. What ``derivatives`` raises passes through: that is how a
        function says that a step left its domain.

    Examples
    --------
    >>> def minus_log_plus_x(x):
    ...     return -np.log(x) + x, 1 - 1 / x, 1 / x**2
    >>> history = newton(minus_log_plus_x, 0.5)
    >>> history.x[:5], history.converged
    (array([0.5       , 0.75      , 0.9375    , 0.99609375, 0.99998474]), True)
    """
    scalar("tolerance", tolerance, "finite and >= 0", low=0, closed=True)
    x, visited, small = _start(x0, steps), list[Point](), False
    if x.size == 0:
        raise ValueError("x0 is empty: there is nothing to optimise")
    while True:
        value, gradient, hessian = _evaluate(
            derivatives, x, "derivatives", ["value", "gradient", "hessian"]
        )
        visited.append((x, value, gradient))
        if not _finite(value, gradient, hessian):
            return _history(visited, False)
        square = hessian.reshape(x.size, x.size)
        if small or not np.any(gradient):
            curvatures = np.linalg.eigvalsh(-square if maximize else square)
            with np.errstate(all="ignore"):
                rounding = x.size * np.finfo(x.dtype).eps * np.max(np.abs(curvatures))
            return _history(visited, bool(np.all(curvatures >= -rounding)))
        if len(visited) > steps:
            return _history(visited, False)
        try:
            move = np.linalg.solve(square, gradient.reshape(x.size)).reshape(x.shape)
        except np.linalg.LinAlgError:  # a singular Hessian: there is no such step
            return _history(visited, False)
        with np.errstate(all="ignore"):
            small = bool(np.all(np.abs(move) <= tolerance * np.maximum(1, np.abs(x))))
            x = x - move


def _start(x0: ArrayLike, steps: int) -> FloatArray:
    integer("steps", steps)
    x = np.array(real_array("x0", x0))
    refuse("x0", x, ~np.isfinite(x), "finite")
    return x


def _evaluate(
    function: Callable[[Any], Any], x: FloatArray, name: str, parts: list[str]
) -> list[FloatArray]:
    """Value, gradient, … at x, of the shapes (), x.shape, 2 · x.shape and in x's float type."""
    shapes = [i * x.shape for i in range(len(parts))]
    if not np.all(np.isfinite(x)):
        return [np.full(shape, np.nan, x.dtype) for shape in shapes]
    x = np.asarray(x)
    x.flags.writeable = False  # the history holds it
    with np.errstate(all="ignore"):  # what comes of it is in the history
        answer = function(x[()])
    if not isinstance(answer, tuple) or len(answer) != len(parts):
        raise TypeError(f"{name} must return a tuple ({', '.join(parts)}), got {answer!r}")
    with np.errstate(all="ignore"):
        arrays = [np.array(real_array(*pair), x.dtype) for pair in zip(parts, answer, strict=True)]
    for part, array, shape in zip(parts, arrays, shapes, strict=True):
        if array.shape != shape:
            raise ValueError(f"{name} must return a {part} of shape {shape}, got {array.shape}")
    return arrays


def _finite(*arrays: FloatArray) -> bool:
    return all(bool(np.all(np.isfinite(array))) for array in arrays)


def _history(visited: list[Point], converged: bool | None) -> History:
    x, value, gradient = (np.stack(parts) for parts in zip(*visited, strict=True))
    return History(x, value, gradient, converged)
