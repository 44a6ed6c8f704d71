"""Codes: the shortest, by trying all; exact intervals as fractions; there and back again."""

from __future__ import annotations

import itertools
import math
import string
from collections.abc import Callable
from fractions import Fraction
from typing import Any

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from nllbook import (
    arithmetic_decode,
    arithmetic_encode,
    datasets,
    huffman_code,
    prefix_decode,
    prefix_encode,
)

FEW = settings(derandomize=True, max_examples=60, deadline=None)


# ---- Huffman's code, and prefix codes at all


def shortest(weights: list[int]) -> int:
    """The smallest Σ weight · length over all lengths that a prefix code can have.

    By Kraft's inequality those are the lengths with Σ 2^−length <= 1; none needs more than k − 1.
    """
    k = len(weights)
    lengths = itertools.combinations_with_replacement(range(1, k), k)
    possible = [one for one in lengths if sum(Fraction(1, 2**length) for length in one) <= 1]
    heaviest_first = sorted(weights, reverse=True)
    return min(
        sum(w * length for w, length in zip(heaviest_first, one, strict=True)) for one in possible
    )


@FEW
@given(st.lists(st.integers(1, 30), min_size=2, max_size=6))
@example([1, 1, 2, 4, 8, 16])
@example([1, 1, 1, 1, 1])
def test_huffman_is_the_shortest_of_all_prefix_codes(weights: list[int]) -> None:
    words = huffman_code(weights)
    assert sum(w * len(word) for w, word in zip(weights, words, strict=True)) == shortest(weights)
    assert sum(Fraction(1, 2 ** len(word)) for word in words) == 1  # complete: no word is missing
    for one, other in itertools.permutations(words, 2):
        assert not other.startswith(one)


@FEW
@given(st.lists(st.floats(1e-6, 1.0), min_size=2, max_size=40))
def test_huffmans_mean_length_is_less_than_a_bit_above_the_entropy(weights: list[float]) -> None:
    p = np.array(weights) / math.fsum(weights)
    mean = math.fsum(p * [len(word) for word in huffman_code(p)])
    entropy = -math.fsum(p * np.log2(p))
    assert entropy - 1e-12 <= mean < entropy + 1


def test_ties_are_broken_by_the_first_symbol() -> None:
    assert huffman_code([1, 1, 1, 1]) == ["00", "01", "10", "11"]
    assert huffman_code([1, 1, 1]) == ["00", "01", "1"]
    assert huffman_code([0.5, 0.25, 0.25]) == ["0", "10", "11"]
    assert huffman_code(np.array([1, 1, 2])) == ["00", "01", "1"]
    assert huffman_code([True, True]) == ["0", "1"]


@pytest.mark.parametrize("number", [int, float])
def test_weights_are_added_without_rounding(number: type) -> None:
    # as floats 1 + 2⁵³ is 2⁵³, and would be merged once more before the other two
    weights = [number(weight) for weight in (1, 2**53, 2**53, 2**53)]
    assert huffman_code(weights) == ["00", "01", "10", "11"]
    assert {len(word) for word in huffman_code([1e308] * 8)} == {3}  # as floats: inf, soon


def test_one_symbol_has_a_word_of_one_bit() -> None:
    assert huffman_code([7]) == ["0"]
    assert prefix_decode(prefix_encode([0, 0, 0], ["0"]), ["0"]) == [0, 0, 0]


@pytest.mark.parametrize(
    ("weights", "message"),
    [
        ([], r"weights must be a list of at least one, got shape \(0,\)"),
        ([[1, 2]], r"weights must be a list of at least one, got shape \(1, 2\)"),
        (3, r"got shape \(\)"),
        ([1, 0, 2], r"weights\[1\] = 0 must be finite and > 0"),
        ([1, -2], r"weights\[1\] = -2 must be finite and > 0"),
        ([math.nan, 1], r"weights\[0\] = nan must be finite and > 0"),
        ([1.0, math.inf], r"weights\[1\] = inf must be finite and > 0"),
    ],
)
def test_bad_weights_are_named(weights: object, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        huffman_code(weights)  # type: ignore[arg-type]


def test_weights_must_be_numbers() -> None:
    with pytest.raises(TypeError, match="weights must be real numbers, got an array of dtype <U1"):
        huffman_code(["a", "b"])


@FEW
@given(st.lists(st.integers(1, 30), min_size=1, max_size=8), st.data())
def test_prefix_codes_there_and_back(weights: list[int], data: st.DataObject) -> None:
    words = huffman_code(weights)
    symbols = data.draw(st.lists(st.integers(0, len(words) - 1), max_size=30))
    code = prefix_encode(symbols, words)
    assert code == "".join(words[symbol] for symbol in symbols)
    assert prefix_decode(code, words) == symbols


def test_an_incomplete_prefix_code_works_too() -> None:
    words = ["00", "01", "110"]
    assert prefix_encode([2, 0, 1], words) == "1100001"
    assert prefix_decode("1100001", words) == [2, 0, 1]
    with pytest.raises(ValueError, match=r"code\[2\] = '1' begins no word there"):
        prefix_decode("111", words)


@pytest.mark.parametrize(
    ("code", "message"),
    [
        ("01", "the code of 2 bits ends within a word: it was cut off"),
        ("0x", r"code\[1\] = 'x' must be 0 or 1"),
    ],
)
def test_what_is_no_code_is_refused(code: str, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        prefix_decode(code, ["0", "10", "11"])


def test_words_are_counted_not_looked_up() -> None:
    """A pandas Series answers ``words[0]`` with what has the label 0, wherever that stands."""

    class Labelled(list[str]):
        def __getitem__(self, label: Any) -> Any:
            return super().__getitem__(len(self) - 1 - label)

    words = Labelled(["0", "10", "11"])
    assert prefix_encode([0, 1, 2], words) == "01011"
    assert prefix_decode("01011", words) == [0, 1, 2]
    with pytest.raises(ValueError, match=r"words\[0\] = '0' begins words\[2\]"):
        prefix_encode([0], Labelled(["0", "10", "01"]))


def test_words_hold_nothing_but_zeros_and_ones() -> None:
    for sign in sorted(set(string.printable) - {"0", "1"}):
        for word in (sign, sign + "0", "1" + sign):
            with pytest.raises(ValueError, match=r"^words.* must be made of zeros and ones$"):
                prefix_encode([0], ["0", word])


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["0", "01"], r"words\[0\] = '0' begins words\[1\]"),
        (["01", "0"], r"words\[1\] = '0' begins another word: no prefix code"),
        (["0", "0"], r"words\[0\] = '0' begins words\[1\]"),
        (["0", ""], r"words\[1\] = '' must be made of zeros and ones"),
        (["0", "12"], r"words\[1\] = '12' must be made of zeros and ones"),
        ([], r"words must be a list of code words, got \[\]"),
        ("01", "words must be a list of code words, got '01'"),
        (None, "words must be a list of code words, got None"),
        ({"0", "1"}, "words must be a list of code words, got {"),
        (np.array("0"), "words must be a list of code words, got array"),
    ],
)
def test_what_is_no_prefix_code_is_refused(words: Any, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        prefix_encode([0], words)
    with pytest.raises(ValueError, match=message):
        prefix_decode("0", words)


# ---- the arithmetic coder


def exact_interval(symbols: list[int], table: list[list[int]]) -> tuple[Fraction, Fraction]:
    """Where a message's interval begins, and how wide it is: no rounding anywhere."""
    low, width, previous = Fraction(0), Fraction(1), 0
    for symbol in symbols:
        row = table[previous]
        low += width * Fraction(sum(row[:symbol]), sum(row))
        width *= Fraction(row[symbol], sum(row))
        previous = symbol
    return low, width


def exact_code(low: Fraction, width: Fraction) -> bytes:
    """The shortest m bytes, and then the first, whose interval of 256^−m lies inside."""
    for m in itertools.count():
        number: int = math.ceil(low * 256**m)
        if Fraction(number + 1, 256**m) <= low + width:
            return number.to_bytes(m, "big")
    raise AssertionError


@st.composite
def messages(
    draw: st.DrawFn, largest: int = 1000
) -> tuple[list[int], list[int] | list[list[int]], list[list[int]]]:
    """A message, its frequencies as the coder takes them, and always as a table of rows."""
    k = draw(st.integers(1, 6))
    rows = st.lists(st.integers(0, largest), min_size=k, max_size=k).filter(any)
    if draw(st.booleans()):
        table = draw(st.lists(rows, min_size=k, max_size=k))
        frequencies: list[int] | list[list[int]] = table
    else:
        frequencies = draw(rows)
        table = [frequencies] * k
    symbols, previous = list[int](), 0
    for _ in range(draw(st.integers(0, 40))):
        previous = draw(st.sampled_from([s for s, f in enumerate(table[previous]) if f]))
        symbols.append(previous)
    return symbols, frequencies, table


@FEW
@given(messages())
def test_arithmetic_codes_there_and_back_and_their_length(
    message: tuple[list[int], list[int] | list[list[int]], list[list[int]]],
) -> None:
    symbols, frequencies, table = message
    code = arithmetic_encode(symbols, frequencies)
    assert arithmetic_decode(code, frequencies, len(symbols)) == symbols
    # −log₂ p <= 8 · len(code) < −log₂ p + 9 + n · 2⁻³¹, compared as fractions
    p = exact_interval(symbols, table)[1]
    spent = Fraction(1, 256 ** len(code))
    assert spent <= p
    assert spent * 512 * (1 + Fraction(len(symbols) + 1, 2**31)) > p


@FEW
@given(messages(largest=2**32 // 6))
def test_large_tables_there_and_back(
    message: tuple[list[int], list[int] | list[list[int]], list[list[int]]],
) -> None:
    symbols, frequencies, _ = message
    code = arithmetic_encode(symbols, frequencies)
    assert arithmetic_decode(code, frequencies, len(symbols)) == symbols


@FEW
@given(st.lists(st.integers(0, 3), max_size=25), st.permutations([1, 2, 4, 9]))
def test_where_the_division_is_exact_so_is_the_code(
    symbols: list[int], frequencies: list[int]
) -> None:
    # a total of 16 divides the width of 2⁹⁶ without a rest, again and again
    expected = exact_code(*exact_interval(symbols, [frequencies] * 4))
    assert arithmetic_encode(symbols, frequencies) == expected


def test_the_codes_of_all_messages_of_one_length_are_a_prefix_code() -> None:
    codes = [arithmetic_encode(one, [5, 2, 1]) for one in itertools.product(range(3), repeat=5)]
    for one, other in itertools.permutations(codes, 2):
        assert not other.startswith(one)
    assert sum(Fraction(1, 256 ** len(code)) for code in codes) <= 1


@FEW
@given(messages(), st.integers(1, 14), st.binary(min_size=1, max_size=14))
def test_a_code_cut_off_or_prolonged_is_noticed(
    message: tuple[list[int], list[int] | list[list[int]], list[list[int]]],
    cut: int,
    more: bytes,
) -> None:
    symbols, frequencies, _ = message
    code = arithmetic_encode(symbols, frequencies)
    with pytest.raises(ValueError, match=r"too long|no message"):
        arithmetic_decode(code + more, frequencies, len(symbols))
    if code:
        with pytest.raises(ValueError, match=r"too short|too long|no message"):
            arithmetic_decode(code[:-cut], frequencies, len(symbols))


def test_errors_of_length_are_named() -> None:
    frequencies = [3, 2, 1]
    symbols = [2, 0, 1, 1, 0, 2, 2, 2, 1] * 3
    code = arithmetic_encode(symbols, frequencies)
    with pytest.raises(ValueError, match=f"the code of {len(code) - 1} bytes is too short for 27"):
        arithmetic_decode(code[:-1], frequencies, 27)
    for extra in (b"\0", b"abc", b"\0" * 40):
        size = len(code) + len(extra)
        with pytest.raises(
            ValueError, match=f"the code of {size} bytes is too long for 27 symbols"
        ):
            arithmetic_decode(code + extra, frequencies, 27)
    with pytest.raises(ValueError, match="too short"):
        arithmetic_decode(code, frequencies, 40)
    with pytest.raises(ValueError, match="too long"):
        arithmetic_decode(code, frequencies, 9)
    # 2⁹⁶ is no multiple of 3: the last number of all belongs to no symbol
    with pytest.raises(ValueError, match="the code belongs to no message: it fails at symbol 0"):
        arithmetic_decode(b"\xff" * 12, [1, 1, 1], 1)


def test_a_carry_goes_through_any_number_of_words() -> None:
    # the interval of 1, 1, 1, … closes in on ½ from both sides: 0.0111… or 0.1000…, and only a
    # symbol at the end tells which
    for n in (1, 20, 100, 400):
        for end in ([0], [2], [2, 0], [0, 2]):
            symbols = [1] * n + end
            code = arithmetic_encode(symbols, [1, 2, 1])
            assert code == exact_code(*exact_interval(symbols, [[1, 2, 1]] * 3))
            assert arithmetic_decode(code, [1, 2, 1], len(symbols)) == symbols
    assert code.startswith(b"\x7f" + b"\xff" * 40)


def test_nothing_and_the_certain_cost_nothing() -> None:
    assert arithmetic_encode([], [1, 2]) == b""
    assert arithmetic_decode(b"", [1, 2], 0) == []
    assert arithmetic_encode([0] * 1000, [8]) == b""
    assert arithmetic_encode([1] * 1000, [0, 4, 0]) == b""
    assert arithmetic_decode(b"", [0, 4, 0], 1000) == [1] * 1000


def test_a_table_of_rows_is_read_by_the_previous_symbol() -> None:
    # after 0 always 1, after 1 always 0: nothing to tell; the first is coded as if after 0
    assert arithmetic_encode([1, 0, 1, 0], [[0, 4], [4, 0]]) == b""
    assert arithmetic_decode(b"", [[0, 4], [4, 0]], 4) == [1, 0, 1, 0]
    with pytest.raises(ValueError, match=r"symbols\[2\] = 0 has frequency 0 after 0"):
        arithmetic_encode([1, 0, 0], [[0, 4], [4, 0]])


@pytest.mark.parametrize("third", [0, 1, 2])
@pytest.mark.parametrize("edge", [0, 2])
def test_both_sides_divide_in_the_same_place_where_the_interval_is_just_wide_enough(
    third: int, edge: int
) -> None:
    # Sixteen quarters leave a width of exactly 2⁶⁴, which thirds do not divide; what follows clings
    # to the edge of its third, so that the code notices where that was.
    table = [[1, 1, 2], [1, 1, 1], [1, 1, 1]]
    message = [0] * 15 + [1, third] + [edge] * 60
    assert arithmetic_decode(arithmetic_encode(message, table), table, len(message)) == message


def test_the_novel_there_and_back() -> None:
    text = np.frombuffer(datasets.load_novel().text.encode(), dtype=np.uint8)
    for frequencies in (np.bincount(text, minlength=128), np.ones((128, 128), dtype=int)):
        code = arithmetic_encode(text, frequencies)
        assert arithmetic_decode(code, frequencies, len(text)) == text.tolist()
        rows = np.broadcast_to(frequencies, (128, 128))
        share = rows / rows.sum(axis=1, keepdims=True)
        bits = -math.fsum(np.log2(share[np.concatenate([[0], text[:-1]]), text]))
        assert bits <= 8 * len(code) < bits + 9.001


@pytest.mark.parametrize(
    ("symbols", "message"),
    [
        ([0, 3], r"symbols\[1\] = 3 is outside 0..2"),
        ([0, 1, -1], r"symbols\[2\] = -1 is outside 0..2"),
        ([[0]], r"symbols must have one dimension, got shape \(1, 1\)"),
        ([0, 0, 2], r"symbols\[2\] = 2 has frequency 0$"),
    ],
)
def test_bad_symbols_are_named(symbols: list[int], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        arithmetic_encode(symbols, [1, 1, 0])
    with pytest.raises(ValueError, match=message.removesuffix("$")):
        arithmetic_encode(symbols, [[1, 1, 0]] * 3)


@pytest.mark.parametrize(
    ("frequencies", "message"),
    [
        ([1, -1], r"frequencies\[1\] = -1 must be >= 0"),
        ([[1, 1], [2, -3]], r"frequencies\[1\]\[1\] = -3 must be >= 0"),
        ([0, 0], "frequencies must sum to 1 or more, at most 2\\*\\*32, got 0"),
        ([[1, 1], [0, 0]], r"frequencies\[1\] must sum to 1 or more, at most 2\*\*32, got 0"),
        ([2**32, 1], "got 4294967297"),
        (np.zeros((2, 3), dtype=int), r"must have shape \(k,\) or \(k, k\), got \(2, 3\)"),
        (np.zeros((2, 2, 2), dtype=int), r"got \(2, 2, 2\)"),
        (np.zeros(0, dtype=int), r"got \(0,\)"),
        (3, r"got \(\)"),
    ],
)
def test_bad_frequencies_are_named(frequencies: object, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        arithmetic_encode([0], frequencies)  # type: ignore[arg-type]
    with pytest.raises(ValueError, match=message):
        arithmetic_decode(b"", frequencies, 0)  # type: ignore[arg-type]


def test_wrong_types_are_refused() -> None:
    with pytest.raises(TypeError, match="frequencies must be integers, got an array of dtype flo"):
        arithmetic_encode([0], [0.5, 0.5])
    with pytest.raises(TypeError, match="symbols must be integers, got an array of dtype float64"):
        arithmetic_encode([0.0], [1, 1])
    with pytest.raises(TypeError, match="code must be bytes, got str"):
        arithmetic_decode("01", [1, 1], 2)  # type: ignore[arg-type]
    with pytest.raises(ValueError, match="length = -1 must be >= 0"):
        arithmetic_decode(b"", [1, 1], -1)
    for length in (2.0, True):
        with pytest.raises(TypeError, match="length must be an integer, got "):
            arithmetic_decode(b"", [1, 1], length)  # type: ignore[arg-type]
    with pytest.raises(TypeError, match="code must be a string of 0 and 1, got bytes"):
        prefix_decode(b"01", ["0", "1"])  # type: ignore[arg-type]
    with pytest.raises(ValueError, match=r"words\[1\] = 1 must be made of zeros and ones"):
        prefix_encode([0, 1], ["0", 1])  # type: ignore[list-item]


def test_masked_and_ragged_arrays_are_refused() -> None:
    masked = np.ma.MaskedArray([1, 2, 3], mask=[False, True, False])
    calls: dict[str, Callable[[Any], object]] = {
        "weights": huffman_code,
        "symbols": lambda wrong: arithmetic_encode(wrong, [1, 1, 1, 1]),
        "frequencies": lambda wrong: arithmetic_encode([0], wrong),
    }
    for name, call in calls.items():
        with pytest.raises(TypeError, match=f"{name} must not be a masked array"):
            call(masked)
        with pytest.raises(ValueError, match=f"{name} must be an array of real numbers, but its"):
            call([[1, 2], [3]])


def test_other_types_of_the_same_things_are_taken() -> None:
    code = arithmetic_encode([1, 0, 1], [1, 2])
    assert arithmetic_decode(bytearray(code), [1, 2], np.int64(3)) == [1, 0, 1]  # type: ignore[arg-type]
    assert prefix_encode([0, 1], np.array(["0", "1"])) == "01"  # type: ignore[arg-type]
    assert huffman_code(np.array([1, 2], dtype=np.longdouble)) == ["0", "1"]


def test_the_largest_table_is_allowed() -> None:
    frequencies = [2**32 - 1, 1]
    symbols = [0, 1, 1, 0, 1]
    code = arithmetic_encode(symbols, frequencies)
    assert len(code) == 13  # three times 32 bits, and one more byte at most
    assert arithmetic_decode(code, frequencies, 5) == symbols
