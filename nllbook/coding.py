"""Codes: how a model's surprise becomes bits on a disk, and how they are read again.

A **prefix code** gives every symbol a word of zeros and ones, and no word begins another, so that
a text needs no marks between its words. Huffman's is the shortest such code on average. An
**arithmetic code** gives one number to the whole message, and so spends no whole bit per symbol:
its length is −log₂ of the message's probability, and a little more for the message as a whole.

Symbols are 0, …, k − 1. A code holds neither the model nor the length of the message: whoever
decodes has both. See the chapter "Entropy, cross-entropy and KL divergence".
"""

from __future__ import annotations

import heapq
import math
from bisect import bisect_right
from collections.abc import Sequence
from fractions import Fraction

import numpy as np
from numpy.typing import ArrayLike

from nllbook._validate import integer, plain_array, real_array

# The interval of the arithmetic coder: 96 bits after the point, and 32 more with each step, are
# kept exactly. Its width is between 2⁶⁴ and 2⁹⁶ of these last places, so that a table of up to 2³²
# counts divides it finely.
STEP = 32  # bits that are handed on at a time
NARROW = 1 << 64
FULL = NARROW << STEP
MAX_TOTAL = 1 << 32


# ---- prefix codes


def huffman_code(weights: ArrayLike) -> list[str]:
    """The code words of a prefix code with the smallest mean length Σ weight · length.

    Huffman's rule (1952): the two rarest symbols get words that differ in the last bit alone. So
    merge them into one, find a code for what is left, and append 0 and 1 to the merged word. For
    probabilities the mean lies between their entropy in bits and 1 more. See the chapter "Entropy,
    cross-entropy and KL divergence".

    Parameters
    ----------
    weights : array_like
        Counts or probabilities of the symbols, one dimension, all > 0 and finite. They need not
        sum to 1.

    Returns
    -------
    list of str
        A word of zeros and ones for each symbol. Of equal weights the one whose first symbol
        comes first is merged first, and of two merged trees the first gets the 0: the same code
        on every machine. A single symbol gets the word "0", so that a text of three such symbols
        can be told from one of two.

    Raises
    ------
    TypeError, ValueError
        For no weights, more than one dimension, and a weight that is no number, not finite or not
        > 0: a symbol that never occurs needs no word.

    Examples
    --------
    >>> huffman_code([4, 2, 1, 1])
    ['0', '10', '110', '111']
    """
    array = plain_array("weights", weights)
    if array.dtype.kind not in "biu":  # integers are added as they are, of any size
        array = real_array("weights", array)
    if array.ndim != 1 or array.size == 0:
        raise ValueError(f"weights must be a list of at least one, got shape {array.shape}")
    for symbol, weight in enumerate(array.tolist()):
        if not 0 < weight < math.inf:
            raise ValueError(f"weights[{symbol}] = {weight} must be finite and > 0")
    if array.size == 1:
        return ["0"]
    words = [""] * array.size
    # a tree is (weight, its first symbol, its symbols); fractions add without rounding
    trees = [(Fraction(weight), symbol, [symbol]) for symbol, weight in enumerate(array.tolist())]
    heapq.heapify(trees)
    while len(trees) > 1:
        lightest = sorted([heapq.heappop(trees), heapq.heappop(trees)], key=lambda tree: tree[1])
        (weight_0, first, zeros), (weight_1, _, ones) = lightest
        for bit, members in (("0", zeros), ("1", ones)):
            for symbol in members:
                words[symbol] = bit + words[symbol]
        heapq.heappush(trees, (weight_0 + weight_1, first, zeros + ones))
    return words


def prefix_encode(symbols: ArrayLike, words: Sequence[str]) -> str:
    """The words of the symbols, one after the other, with nothing in between.

    So its length in bits is Σ length(words[s]) over the symbols s. See the chapter "Entropy,
    cross-entropy and KL divergence".

    Parameters
    ----------
    symbols : array_like of int
        The message, one dimension.
    words : sequence of str
        The code word of each symbol, as ``huffman_code`` gives them.

    Returns
    -------
    str
        Zeros and ones, a character for each bit.

    Raises
    ------
    TypeError, ValueError
        For symbols that are no integers in 0, …, k − 1, and for words that are no prefix code.

    Examples
    --------
    >>> prefix_encode([0, 2, 0, 1], ["0", "10", "11"])
    '011010'
    """
    _tree(words)
    by_symbol = list(words)  # a pandas Series looks its index up
    return "".join([by_symbol[symbol] for symbol in _symbols(symbols, len(by_symbol))])


def prefix_decode(code: str, words: Sequence[str]) -> list[int]:
    """The symbols whose words make up the code: walk down the tree, and at a leaf start anew.

    ``prefix_decode(prefix_encode(symbols, words), words) == symbols``. See the chapter "Entropy,
    cross-entropy and KL divergence".

    Parameters
    ----------
    code : str
        Zeros and ones.
    words : sequence of str
        The code word of each symbol.

    Returns
    -------
    list of int
        The message.

    Raises
    ------
    TypeError, ValueError
        For a code that is not made of these words, ends within one, or holds anything but zeros
        and ones, and for words that are no prefix code.

    Examples
    --------
    >>> prefix_decode("011010", ["0", "10", "11"])
    [0, 2, 0, 1]
    """
    if not isinstance(code, str):
        raise TypeError(f"code must be a string of 0 and 1, got {type(code).__name__}")
    children, leaves = _tree(words)
    symbols, node = [], 0
    for place, bit in enumerate(code):
        child = children[node].get(bit)
        if child is None:
            what = "begins no word there" if bit in ("0", "1") else "must be 0 or 1"
            raise ValueError(f"code[{place}] = {bit!r} {what}")
        if child in leaves:
            symbols.append(leaves[child])
            node = 0
        else:
            node = child
    if node:
        raise ValueError(f"the code of {len(code)} bits ends within a word: it was cut off")
    return symbols


def _tree(words: Sequence[str]) -> tuple[list[dict[str, int]], dict[int, int]]:
    """The tree of a prefix code: the children of each node by their bit, and each leaf's symbol."""
    array = hasattr(words, "__array__") and np.ndim(words) == 1  # a pandas Series, too
    if not (array or isinstance(words, Sequence)) or isinstance(words, str) or len(words) == 0:
        raise ValueError(f"words must be a list of code words, got {words!r}")
    words = list(words)
    children: list[dict[str, int]] = [{}]
    leaves: dict[int, int] = {}
    for symbol, word in enumerate(words):
        if not isinstance(word, str) or not word or word.strip("01"):
            raise ValueError(f"words[{symbol}] = {word!r} must be made of zeros and ones")
        node, new = 0, False
        for bit in word:
            if bit not in children[node]:
                children[node][bit] = len(children)
                children.append({})
                new = True
            node = children[node][bit]
            if node in leaves:
                first = leaves[node]
                raise ValueError(f"words[{first}] = {words[first]!r} begins words[{symbol}]")
        if not new:
            raise ValueError(f"words[{symbol}] = {word!r} begins another word: no prefix code")
        leaves[node] = symbol
    return children, leaves


# ---- arithmetic coding


def arithmetic_encode(symbols: ArrayLike, frequencies: ArrayLike) -> bytes:
    """The message as one number in [0, 1), in as few bytes as single it out.

    Every message owns an interval. That of the empty message is [0, 1); appending a symbol cuts
    the interval in proportion to the frequencies and keeps the symbol's part. So the width is the
    product of the conditional probabilities, the message's own probability p. The code is the
    shortest string of bytes b₁b₂…bₘ such that *every* number that begins 0.b₁b₂…bₘ lies in the
    interval: an interval of width 256⁻ᵐ inside one of width p. See the chapter "Entropy,
    cross-entropy and KL divergence".

    Parameters
    ----------
    symbols : array_like of int
        The message, one dimension.
    frequencies : array_like of int
        Counts >= 0: of shape (k,) for every place alike, or of shape (k, k) with a row for each
        *previous* symbol. (The first symbol is coded as if symbol 0 had come before it.) No row
        may be all zeros, or sum to more than 2³².

    Returns
    -------
    bytes
        The code. A string of b bits fits into any interval of width 2 · 2⁻ᵇ, whence some
        b < −log₂ p + 2 will do; whole bytes add at most 7 bits, and rounding in the division of
        the interval less than 2⁻³¹ bits a symbol:
        8 · len(code) < −log₂ p + 9 + n · 2⁻³¹ for n symbols.

    Raises
    ------
    TypeError, ValueError
        For symbols outside 0, …, k − 1 or with frequency 0, and for bad frequencies.

    Examples
    --------
    >>> code = arithmetic_encode([0] * 1000 + [1], [999, 1])  # −log₂ p = 11.4 bits
    >>> len(code)
    2
    """
    table = _cumulative(frequencies)
    low, width, limbs, previous = 0, FULL, list[int](), 0
    for place, symbol in enumerate(_symbols(symbols, len(table))):
        row = table[previous]
        part = width // row[-1]
        low += part * row[symbol]
        width = part * (row[symbol + 1] - row[symbol])
        if width < NARROW:
            if not width:
                after = f" after {previous}" if np.ndim(frequencies) == 2 else ""
                raise ValueError(f"symbols[{place}] = {symbol} has frequency 0{after}")
            limbs.append(low >> 64)  # perhaps one bit too long: _joined carries it
            low = (low & (NARROW - 1)) << STEP
            width <<= STEP
        previous = symbol
    low, places = _joined([*limbs, low >> 64]) << 64 | low & (NARROW - 1), 96 + STEP * len(limbs)
    # The shortest m bytes, from the first m with 256⁻ᵐ <= width on: a whole interval from one
    # multiple of 256⁻ᵐ to the next must lie between low and low + width.
    m = (places - width.bit_length()) // 8 + 1
    while True:
        shift = places - 8 * m
        number = -(-low >> shift)
        if (number + 1) << shift <= low + width:
            return number.to_bytes(m, "big")
        m += 1


def arithmetic_decode(code: bytes, frequencies: ArrayLike, length: int) -> list[int]:
    """The message of the given length behind a code of ``arithmetic_encode``.

    ``arithmetic_decode(arithmetic_encode(s, f), f, len(s)) == s``. See the chapter "Entropy,
    cross-entropy and KL divergence".

    Parameters
    ----------
    code : bytes
        What ``arithmetic_encode`` gave.
    frequencies : array_like of int
        The same frequencies as there.
    length : int
        The number of symbols.

    Returns
    -------
    list of int
        The message, exactly.

    Raises
    ------
    TypeError, ValueError
        For a code that is too short or too long for the message: every code of which bytes were
        cut off or to which some were added is noticed. (Bytes that were *changed* may give
        another message, or even the same: there is no checksum.) And for bad frequencies or a bad
        length.

    Examples
    --------
    >>> arithmetic_decode(arithmetic_encode([2, 0, 1], [3, 2, 1]), [3, 2, 1], length=3)
    [2, 0, 1]
    """
    if not isinstance(code, bytes | bytearray):
        raise TypeError(f"code must be bytes, got {type(code).__name__}")
    length = integer("length", length)
    table = _cumulative(frequencies)
    # offset is how far the code's number lies above low, in last places
    offset, width, read, previous = int.from_bytes(code[:12].ljust(12, b"\0"), "big"), FULL, 12, 0
    symbols = []
    for place in range(length):
        row = table[previous]
        part = width // row[-1]
        target = offset // part
        if target >= row[-1]:
            raise ValueError(f"the code belongs to no message: it fails at symbol {place}")
        previous = bisect_right(row, target) - 1
        symbols.append(previous)
        offset -= part * row[previous]
        width = part * (row[previous + 1] - row[previous])
        if width < NARROW:
            offset = offset << STEP | int.from_bytes(code[read : read + 4].ljust(4, b"\0"), "big")
            width <<= STEP
            read += 4
    _refuse_other_lengths(code, offset, width, read, length)
    return symbols


def _refuse_other_lengths(code: bytes, offset: int, width: int, read: int, length: int) -> None:
    """Every number that begins like the code is in the interval, and one byte less will not do."""
    spare = 8 * (read - len(code))  # last places that the code leaves open, as a power of 2
    if spare >= 0 and offset + (1 << spare) > width:
        raise ValueError(f"the code of {len(code)} bytes is too short for {length} symbols")
    if code:
        start = offset - (code[-1] << spare) if spare >= 0 else 0
        if spare < 0 or (start >= 0 and start + (1 << (spare + 8)) <= width):
            raise ValueError(f"the code of {len(code)} bytes is too long for {length} symbols")


def _cumulative(frequencies: ArrayLike) -> list[list[int]]:
    """For each previous symbol 0, f₀, f₀ + f₁, …: where each symbol's part begins, and the sum."""
    array = plain_array("frequencies", frequencies)
    if array.dtype.kind not in "iu":
        raise TypeError(f"frequencies must be integers, got an array of dtype {array.dtype}")
    k = array.shape[-1] if array.ndim else 0
    if k == 0 or array.shape not in ((k,), (k, k)):
        raise ValueError(f"frequencies must have shape (k,) or (k, k), got {array.shape}")
    rows: list[list[int]] = []
    for previous, row in enumerate(np.atleast_2d(array).tolist()):
        where = f"frequencies[{previous}]" if array.ndim == 2 else "frequencies"
        if min(row) < 0:
            raise ValueError(f"{where}[{row.index(min(row))}] = {min(row)} must be >= 0")
        if not 0 < sum(row) <= MAX_TOTAL:
            raise ValueError(f"{where} must sum to 1 or more, at most 2**32, got {sum(row)}")
        sums = [0]
        for count in row:
            sums.append(sums[-1] + count)
        rows.append(sums)
    return rows if array.ndim == 2 else rows * k


def _symbols(symbols: ArrayLike, k: int) -> list[int]:
    array = plain_array("symbols", symbols)
    if array.ndim != 1:
        raise ValueError(f"symbols must have one dimension, got shape {array.shape}")
    if array.size == 0:
        return []
    if array.dtype.kind not in "iu":
        raise TypeError(f"symbols must be integers, got an array of dtype {array.dtype}")
    wrong = (array < 0) | (array >= k)
    if np.any(wrong):
        place = int(np.argmax(wrong))
        raise ValueError(f"symbols[{place}] = {array[place]} is outside 0..{k - 1}")
    numbers: list[int] = array.tolist()
    return numbers


def _joined(limbs: list[int]) -> int:
    """The number with these 32-bit limbs, the highest first; a 33rd bit is carried upwards."""
    for i in range(len(limbs) - 1, 0, -1):
        limbs[i - 1] += limbs[i] >> STEP
        limbs[i] &= (1 << STEP) - 1
    return int.from_bytes(b"".join(limb.to_bytes(STEP // 8, "big") for limb in limbs), "big")
