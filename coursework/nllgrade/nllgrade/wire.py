"""What the grader and the sandbox say to each other: frames of JSON and plain arrays, no pickles.

A frame is the length of its head (4 bytes, big-endian), the head (JSON in UTF-8), and the bytes of
the arrays that the head lists. This file runs on both sides, so it needs nothing but NumPy.
"""

from __future__ import annotations

import json
import math
import re
from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

# Booleans, integers and floats of the common sizes: nothing that could hold an object.
_DTYPE = re.compile(r"\|b1|\|[iu]1|<[iu][248]|<f[248]")
MOST_DIMENSIONS = 8
MOST_LENGTH = 1 << 31  # of a dimension


class WireError(Exception):
    """A frame that is not as described, in one line."""


def frame(head: dict[str, Any], arrays: list[NDArray[Any]]) -> bytes:
    """Put a head and its arrays together as one frame."""
    plain = [np.ascontiguousarray(one, dtype=one.dtype.newbyteorder("<")) for one in arrays]
    # ascontiguousarray makes a scalar a row of one
    shapes = [[one.dtype.str, list(given.shape)] for one, given in zip(plain, arrays, strict=True)]
    text = json.dumps({**head, "arrays": shapes}).encode()
    return b"".join([len(text).to_bytes(4, "big"), text, *(one.tobytes() for one in plain)])


def read_frame(
    read: Callable[[int], bytes], most_head: int, most_arrays: int
) -> tuple[dict[str, Any], list[NDArray[Any]]]:
    """Read a frame, with ``read(n)`` giving exactly n bytes; believe nothing that it says.

    Raises
    ------
    WireError
        Where the head is longer than ``most_head`` bytes or no JSON object, an array has another
        dtype than booleans, integers and floats, or all of them are over ``most_arrays`` bytes.
    """
    length = int.from_bytes(read(4), "big")
    if length > most_head:
        raise WireError(f"a head of {length} bytes, of at most {most_head}")
    try:
        head = json.loads(read(length).decode())
    except (ValueError, RecursionError):
        raise WireError("a head that is no JSON") from None
    if not isinstance(head, dict) or not isinstance(head.get("arrays"), list):
        raise WireError("a head that lists no arrays")
    layouts = [_layout(one) for one in head.pop("arrays")]
    if sum(size for _, _, size in layouts) > most_arrays:
        raise WireError(f"arrays of over {most_arrays} bytes")
    return head, [np.frombuffer(read(size), dtype).reshape(shape) for dtype, shape, size in layouts]


def _layout(said: object) -> tuple[np.dtype[Any], tuple[int, ...], int]:
    match said:
        case [str(name), list(shape)] if _DTYPE.fullmatch(name) and len(shape) <= MOST_DIMENSIONS:
            if all(type(one) is int and 0 <= one <= MOST_LENGTH for one in shape):
                dtype = np.dtype(name)
                return dtype, tuple(shape), dtype.itemsize * math.prod(shape)
    raise WireError(f"an array that is described as {said!r:.80}")


def pack(value: Any, arrays: list[NDArray[Any]]) -> Any:
    """Write an argument as JSON, its arrays put aside in ``arrays``; ``unpack`` undoes it."""
    match value:
        case np.ndarray():
            arrays.append(value)
            return {"array": len(arrays) - 1}
        case np.generic():
            return pack(value.item(), arrays)
        case tuple():
            return {"tuple": [pack(one, arrays) for one in value]}
        case list():
            return [pack(one, arrays) for one in value]
        case None | bool() | int() | float() | str():
            return value
    raise TypeError(f"an argument is a {type(value).__name__}: give arrays, numbers, text, tuples")


def unpack(said: Any, arrays: list[NDArray[Any]]) -> Any:
    """Read an argument; arrays are copies that may be written to."""
    match said:
        case {"array": index}:
            return arrays[index].copy()
        case {"tuple": parts}:
            return tuple(unpack(one, arrays) for one in parts)
        case list():
            return [unpack(one, arrays) for one in said]
    return said
