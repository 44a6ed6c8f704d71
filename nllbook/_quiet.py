"""Floating-point warnings silenced for the length of one call, whatever other threads do."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import ParamSpec, TypeVar

import numpy as np

P = ParamSpec("P")
R = TypeVar("R")


def quiet(function: Callable[P, R]) -> Callable[P, R]:
    """The same function, in which overflow, 0 · ∞ and the like pass without a word.

    Before NumPy 2, ``np.errstate`` as a decorator keeps the caller's settings in one place for all
    calls, and of two threads one gets back the settings of the other.
    """

    @wraps(function)
    def quietly(*args: P.args, **kwargs: P.kwargs) -> R:
        with np.errstate(all="ignore"):
            return function(*args, **kwargs)

    return quietly
