"""What is asked of tensors that callers pass in; the messages are in the style of the package."""

from __future__ import annotations

import torch
from torch import Tensor

FLOATS = (torch.float64, torch.float32, torch.bfloat16, torch.float16)
INTEGERS = (torch.int64, torch.int32, torch.int16, torch.int8, torch.uint8)


def tensor(name: str, value: object) -> Tensor:
    """``value``, which must be a tensor."""
    if not isinstance(value, Tensor):
        raise TypeError(f"{name} must be a torch.Tensor, got {type(value).__name__}")
    return value


def floating(name: str, value: object, like: Tensor | None = None, of: str = "") -> Tensor:
    """A tensor of floats, of the type and on the device of ``like``, which is called ``of``."""
    found = tensor(name, value)
    if found.dtype not in FLOATS:
        raise TypeError(f"{name} must be float64, float32, bfloat16 or float16, got {found.dtype}")
    if like is not None and found.dtype != like.dtype:
        raise TypeError(f"{name} must have the dtype of {of}, {like.dtype}, got {found.dtype}")
    if like is not None:
        same_device(name, found, like, of)
    return found


def indices(value: object, shape: torch.Size, like: Tensor, of: str) -> Tensor:
    """Class indices as int64, one for each row of ``like``, which is called ``of``."""
    found = tensor("target", value)
    if found.dtype not in INTEGERS:
        raise TypeError(f"target must be integers, the indices of classes, got {found.dtype}")
    if found.shape != shape:
        raise ValueError(
            f"target must have the shape of {of} without its last axis, {tuple(shape)}, "
            f"got {tuple(found.shape)}"
        )
    same_device("target", found, like, of)
    return found.long()


def same_device(name: str, found: Tensor, like: Tensor, of: str) -> None:
    if found.device != like.device:
        raise ValueError(f"{name} is on {found.device}, but {of} is on {like.device}")


def number(name: str, value: object) -> None:
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise TypeError(f"{name} must be a number, got {value!r}")


def whole(name: str, value: object) -> None:
    if isinstance(value, bool) or not isinstance(value, int):
        raise TypeError(f"{name} must be a whole number, got {value!r}")


def fraction(name: str, value: float) -> None:
    number(name, value)
    if not 0 <= value <= 1:
        raise ValueError(f"{name} = {value} must be in [0, 1]")


def reduction(value: str) -> None:
    if value not in ("mean", "sum", "none"):
        raise ValueError(f"reduction must be 'mean', 'sum' or 'none', got {value!r}")


def classes(target: Tensor, k: int, ignore_index: int) -> int:
    """The number of rows that are kept; a ValueError for a row whose class is none of the k.

    One transfer from the device tells both.
    """
    kept = target != ignore_index
    wrong = kept & ((target < 0) | (target >= k))
    count, bad = torch.stack([kept.sum(), wrong.sum()]).tolist()
    if bad:
        where = torch.nonzero(wrong)[0].tolist()
        place = ", ".join(map(str, where))
        raise ValueError(
            f"target[{place}] = {int(target[tuple(where)])} is outside 0..{k - 1}, "
            f"and not ignore_index = {ignore_index}"
        )
    return int(count)
