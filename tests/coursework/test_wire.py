"""The frames between grader and sandbox: what is sent arrives, what is odd is refused."""

from __future__ import annotations

import io
import json
from typing import Any

import numpy as np
import pytest
from nllgrade.wire import WireError, frame, pack, read_frame, unpack

MOST = 1 << 20


def back(data: bytes, head: int = MOST, arrays: int = MOST) -> tuple[dict[str, Any], list[Any]]:
    return read_frame(io.BytesIO(data).read, head, arrays)


@pytest.mark.parametrize(
    "array",
    [
        np.array(0.5),
        np.arange(6).reshape(2, 3),
        np.arange(6.0).reshape(3, 2).T,
        np.array([], dtype=np.float32),
        np.array([np.nan, np.inf, -0.0]),
        np.array([True, False]),
        np.array([1, 2], dtype=">i4"),
        np.array([255], dtype=np.uint8),
    ],
    ids=str,
)
def test_arrays_arrive_as_they_were(array: np.ndarray[Any, Any]) -> None:
    head, (found,) = back(frame({"id": 3}, [array]))
    assert head == {"id": 3}
    assert found.shape == array.shape
    assert found.dtype == array.dtype.newbyteorder("<")
    assert found.tobytes() == array.astype(found.dtype).tobytes()


@pytest.mark.parametrize(
    "value",
    [None, True, 3, 0.1, -0.0, "text", (1, (2.5, "x")), [1, [2]], float("inf"), 10**30],
    ids=repr,
)
def test_arguments_arrive_as_they_were(value: object) -> None:
    arrays: list[Any] = []
    said = json.loads(json.dumps(pack(value, arrays)))
    assert unpack(said, arrays) == value
    assert repr(unpack(said, arrays)) == repr(value)


def test_arrays_among_arguments_are_copies() -> None:
    arrays: list[Any] = []
    given = (np.arange(3), [np.float64(0.25), np.ones(2)])
    said = pack(given, arrays)
    found = unpack(said, arrays)
    np.testing.assert_array_equal(found[0], [0, 1, 2])
    assert found[1][0] == 0.25
    found[0][0] = 7
    assert arrays[0][0] == 0


def test_what_is_no_plain_argument_is_refused() -> None:
    with pytest.raises(TypeError, match="an argument is a set"):
        pack({1}, [])


def head(**said: object) -> bytes:
    text = json.dumps(said).encode()
    return len(text).to_bytes(4, "big") + text


@pytest.mark.parametrize(
    ("data", "why"),
    [
        (b"\xff\xff\xff\xff", "a head of 4294967295 bytes"),
        (b"\0\0\0\2{]", "no JSON"),
        (b"\0\0\0\2\xff\xfe", "no JSON"),
        (b"\0\0\x10\0" + b"[" * 4096, "no JSON|lists no arrays"),
        (b"\0\0\0\2[]", "lists no arrays"),
        (head(id=1), "lists no arrays"),
        (head(arrays=3), "lists no arrays"),
        (head(arrays=[["|O", [1]]]), "described as"),
        (head(arrays=[["<f16", [1]]]), "described as"),
        (head(arrays=[["<c16", [1]]]), "described as"),
        (head(arrays=[["<f8", [-1]]]), "described as"),
        (head(arrays=[["<f8", [1.0]]]), "described as"),
        (head(arrays=[["<f8", [0, 1 << 70]]]), "described as"),
        (head(arrays=[["<f8", [True]]]), "described as"),
        (head(arrays=[["<f8", [1] * 9]]), "described as"),
        (head(arrays=[["<f8"]]), "described as"),
        (head(arrays=["<f8"]), "described as"),
        (head(arrays=[["<f8, (9,)", []]]), "described as"),
        (head(arrays=[["<f8", [1 << 31]]]), "arrays of over"),
        (head(arrays=[["<f8", [1 << 16]]] * 3), "arrays of over"),
    ],
    ids=lambda one: one[:40] if isinstance(one, str) else "",
)
def test_odd_frames_are_refused_before_anything_is_read(data: bytes, why: str) -> None:
    with pytest.raises(WireError, match=why):
        back(data)
