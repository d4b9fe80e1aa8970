"""Duplicates: keys within a file, keys and whole sequences in two files.

Each sequence has a 64-bit fingerprint, computed chunk by chunk. Sequences with the same one are compared number by
number, so fingerprints that are equal by chance do no harm. Numbers are compared by value: 1.0 equals 1, minus zero
equals zero, and NaN equals NaN; floats of two dtypes are compared in the narrower one.
"""

from __future__ import annotations

from collections.abc import Iterator
from math import prod
from typing import cast

import numpy as np

from seqtool.arrays.dtypes import Array
from seqtool.arrays.gather import gather, offsets_together, ranges
from seqtool.arrays.lazy import CHUNK, AnyArray, chunks
from seqtool.arrays.spool import GrowingArray, Spool
from seqtool.arrays.text import Text
from seqtool.dataclass import dataclass
from seqtool.operations.cast import rounded
from seqtool.sequences.ragged import Ragged
from seqtool.sequences.validation import offsets_of

_PAIRS = 1 << 16  # of sequences that are processed together
_SORTED = 1 << 21  # fingerprints that are sorted in memory together


@dataclass(frozen=True)
class Twice:
    """How many sequences occur in another place too, and the first of them: (the other place, its place)."""

    count: int
    first: tuple[int, int]


def shared(
    one: Ragged, other: Ragged, spool: Spool, *, marks: tuple[AnyArray, AnyArray] | None = None
) -> Twice | None:
    """The sequences of `other` that are in `one` too; those without steps do not count.

    Steps must have the same number of features. `first` is (place in one, place in other). `marks` are fingerprints
    of both, (N,) uint64 each, where they are known already.

    >>> one, other = (Ragged(np.array(v), np.array([0, 2, 3])) for v in ([1, 2, 3], [4, 5, 3]))
    >>> shared(one, other, Spool())
    Twice(count=1, first=(1, 1))
    """
    one, other = alike_types(one, other)
    marks = marks or (fingerprints(one, spool), fingerprints(other, spool))
    return _counted(_alike(*marks), one, other)


def alike_types(one: Ragged, other: Ragged) -> tuple[Ragged, Ragged]:
    """Both, with floats of two dtypes rounded to the narrower one: 0.1 as float32 is not 0.1."""
    floats = {data.values.dtype for data in (one, other) if data.values.dtype.kind == "f"}
    if len(floats) < 2:
        return one, other
    narrow = min(floats, key=lambda dtype: dtype.itemsize)
    return rounded(one, narrow), rounded(other, narrow)


def repeated(ragged: Ragged, spool: Spool) -> Twice | None:
    """The sequences that equal an earlier one: `first` is (earlier place, later place).

    >>> repeated(Ragged(np.array([7, 8, 7]), np.array([0, 1, 2, 3])), Spool())
    Twice(count=1, first=(0, 2))
    """
    marks = fingerprints(ragged, spool)
    later = ((one[one < other], other[one < other]) for one, other in _alike(marks, marks))
    return _counted(later, ragged, ragged)


def repeats(ragged: Ragged, spool: Spool) -> Iterator[tuple[Array, Array]]:
    """Pairs of places of equal sequences: the first one, and each later one that equals it.

    >>> [pair[1].tolist() for pair in repeats(Ragged(np.array([7, 8, 7]), np.arange(4)), Spool())]
    [[2]]
    """
    marks = fingerprints(ragged, spool)
    for ones, others in _alike(marks, marks):
        later = ones < others
        ones, others = ones[later], others[later]
        if len(ones):
            same = _equal(ragged, ragged, ones, others)
            yield ones[same], others[same]


def key_cells(
    keys: AnyArray | Text, spool: Spool, *, part: AnyArray | None = None, as_text: bool = False
) -> Ragged:
    """Keys as sequences of numbers that are equal where the keys are: integers, or the code points of text.

    `part`, (N,) integers, is a further column of the keys. `as_text` makes text of integers too. A zero ends each cell
    of text, for no text holds one.

    >>> key_cells(np.array([["a", "bc"]]), Spool()).values.tolist()
    [97, 0, 98, 99, 0]
    >>> key_cells(np.array([7, 7]), Spool(), part=np.array([0, 5])).values.tolist()
    [7, 0, 7, 5]
    """
    text = as_text or keys.dtype.kind not in "iu"
    numbers = keys.dtype if part is None else np.dtype(np.int64)  # distinct uint64 stay distinct as int64
    cells = GrowingArray(spool, np.dtype(np.uint32) if text else numbers)
    ends, before = GrowingArray(spool, np.dtype(np.int64)), 0
    ends.add(np.zeros(1, np.int64))
    for begin, chunk in chunks(cast(AnyArray, keys), _KEYS):
        columns = chunk.astype(str) if as_text and chunk.dtype.kind in "iu" else chunk
        if part is not None:
            columns = _with_part(columns, part[begin : begin + len(chunk)])
        found, counts = (_letters if text else _numbers)(columns)
        cells.add(found)
        ends.add(np.cumsum(counts) + before)
        before += len(found)
    return Ragged(cells.done(), ends.done())


_KEYS = 1 << 19  # bytes of keys that are processed together


def _with_part(keys: Array, part: Array) -> Array:
    """Some keys with their parts as a last column, (n, K + 1): int64, or text where the keys are."""
    whole = keys.dtype.kind in "iu"
    columns, last = keys.reshape(len(keys), -1), part.astype(np.int64 if whole else str)[:, None]
    return np.concatenate([columns.astype(np.int64) if whole else columns, last], axis=1)


def _numbers(keys: Array) -> tuple[Array, Array]:
    """The numbers of some keys, end to end, and how many each has."""
    return keys.reshape(-1), np.full(len(keys), prod(keys.shape[1:]))


def _letters(keys: Array) -> tuple[Array, Array]:
    """The code points of some keys, end to end, and how many each has; a zero ends each cell."""
    if keys.dtype.kind != "U":  # of variable width
        whole = "".join(f"{cell}\0" for cell in keys.reshape(-1).tolist())
        letters = np.frombuffer(whole.encode("utf-32-le"), np.uint32)
        ends = np.flatnonzero(letters == 0) + 1
        return letters, np.diff(ends.reshape(keys.shape).reshape(len(keys), -1)[:, -1], prepend=0)
    width = keys.dtype.itemsize // 4
    cells = np.zeros((keys.size, width + 1), np.uint32)
    cells[:, :width] = np.ascontiguousarray(keys).reshape(-1).view(np.uint32).reshape(keys.size, width)
    sizes = np.strings.str_len(keys).reshape(-1) + 1
    letters = cells[np.arange(width + 1) < sizes[:, None]]
    return letters, sizes.reshape(len(keys), -1).sum(axis=1)


# Fingerprints


def fingerprints(ragged: Ragged, spool: Spool) -> AnyArray:
    """A 64-bit number for each sequence, (N,) uint64: the same for the same numbers in the same places.

    Every number is mixed with its feature, and every step with its place, so that a sequence of any length may be
    summed in pieces.
    """
    growing = GrowingArray(spool, np.dtype(np.uint64))
    for _, offsets in offsets_together(ragged.offsets):
        sums = np.zeros(len(offsets) - 1, np.uint64)
        least, most, step = int(offsets[0]), int(offsets[-1]), steps_together(ragged.values)
        for at in range(least, most, step):
            to = min(at + step, most)
            low, high = np.maximum(offsets[:-1], at), np.minimum(offsets[1:], to)
            read = np.flatnonzero(high > low)  # sequences with steps in this piece
            places = ranges((low - offsets[:-1])[read], (high - low)[read])
            marks = mixed(_row_marks(ragged.values[at:to]) + places * _PLACE)
            sums[read] += np.add.reduceat(marks, (low - at)[read])
        growing.add(mixed(sums + np.diff(offsets).astype(np.uint64)))
    return growing.done()


_PLACE = np.uint64(0x9E3779B97F4A7C15)
_MANTISSA_BEYOND_FLOAT32 = np.uint64(29)  # bits, zero in numbers that were float32


def _row_marks(rows: Array) -> Array:
    """A number for each step of (S, ...), (S,) uint64: the sum of its numbers, each times a factor of its feature."""
    numbers: Array = np.empty(rows.shape, np.float64)
    np.add(rows, 0.0, out=numbers, casting="unsafe")  # minus zero becomes zero
    if numbers.size and np.isnan(numbers.min()):
        numbers[np.isnan(numbers)] = np.nan  # NaN has many bit patterns
    # Float64 numbers differ mostly in their high bits, and a product passes on differences to higher bits alone.
    codes: Array = numbers.view(np.uint64)
    codes ^= codes >> _MANTISSA_BEYOND_FLOAT32
    if codes.ndim == 1:
        return np.asarray(codes * _PLACE)
    codes = codes.reshape(len(codes), prod(codes.shape[1:]))
    factors = mixed(np.arange(1, codes.shape[1] + 1, dtype=np.uint64) * _PLACE) | np.uint64(1)
    return np.asarray(np.einsum("ij,j->i", codes, factors))


def step_marks(rows: Array) -> Array:
    """A number for each step, (S,) uint64, each bit of which depends on all numbers of the step."""
    return mixed(_row_marks(rows))


def mixed(marks: Array) -> Array:
    """The finalizer of splitmix64 (Steele, Lea, Flood, 2014): each bit of the input changes half of the output."""
    marks = (marks ^ (marks >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    marks = (marks ^ (marks >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return np.asarray(marks ^ (marks >> np.uint64(31)))


# Pairs


def _alike(ones: AnyArray, others: AnyArray) -> Iterator[tuple[Array, Array]]:
    """Pairs of places of equal fingerprints: for each place in `others`, ascending, the first one in `ones`.

    Fingerprints that do not fit into memory together are divided into parts by their value.
    """
    parts = 1 + (len(ones) + len(others)) // _SORTED
    for part in range(parts):
        marks, places = _part(ones, part, parts)
        known, firsts = np.unique(marks, return_index=True)
        marks, others_places = _part(others, part, parts)
        if not len(known) or not len(marks):
            continue
        at = np.minimum(np.searchsorted(known, marks), len(known) - 1)
        same = known[at] == marks
        pairs = places[firsts[at[same]]], others_places[same]
        for begin in range(0, len(pairs[0]), _PAIRS):
            yield pairs[0][begin : begin + _PAIRS], pairs[1][begin : begin + _PAIRS]


def _part(marks: AnyArray, part: int, parts: int) -> tuple[Array, Array]:
    """The fingerprints that belong to a part, and their places."""
    found = [(np.empty(0, np.uint64), np.empty(0, np.int64))]
    for begin, chunk in chunks(marks):
        chosen = np.flatnonzero(chunk % np.uint64(parts) == part)
        found.append((chunk[chosen], chosen + begin))
    kept, places = zip(*found, strict=True)
    return np.concatenate(kept), np.concatenate(places)


def _counted(pairs: Iterator[tuple[Array, Array]], one: Ragged, other: Ragged) -> Twice | None:
    """How many of the pairs are equal sequences, and the first of these by its place in `other`."""
    count, first = 0, (0, 0)
    for ones, others in pairs:
        same = _equal(one, other, ones, others)
        if same.any():
            found = (int(ones[same][0]), int(others[same][0]))
            first = found if not count or found[1] < first[1] else first
            count += int(same.sum())
    return Twice(count, first) if count else None


def _equal(one: Ragged, other: Ragged, ones: Array, others: Array) -> Array:
    """Which pairs of sequences have the same steps, one at least, (n,) bool; places in `other` ascend."""
    distinct, which = np.unique(ones, return_inverse=True)
    begins, counts = (part[which] for part in _stretches(one, distinct))
    begins_other, counts_other = _stretches(other, others)
    same = (counts == counts_other) & (counts > 0)
    which = np.flatnonzero(same)
    same[which] = same_stretches(one.values, begins[which], other.values, begins_other[which], counts[which])
    return np.asarray(same)


def same_stretches(
    one: AnyArray, begins: Array, other: AnyArray, begins_other: Array, counts: Array
) -> Array:
    """Which pairs of stretches of `counts` rows each, one at least, hold the same numbers, (n,) bool."""
    same, before = np.zeros(len(counts), bool), offsets_of(counts)
    most, at = min(steps_together(one), steps_together(other)), 0
    while at < len(counts):
        to = max(at + 1, int(np.searchsorted(before, before[at] + most, side="right")) - 1)
        compare = _same_steps if counts[at] <= most else _same_long
        same[at:to] = compare(one, begins[at:to], other, begins_other[at:to], counts[at:to])
        at = to
    return same


def _same_steps(one: AnyArray, begins: Array, other: AnyArray, begins_other: Array, counts: Array) -> Array:
    """The same for stretches that fit into memory together."""
    distinct, firsts, which = np.unique(begins, return_index=True, return_inverse=True)
    if (counts[firsts][which] == counts).all():
        rows = gather(one, distinct, counts[firsts])  # each is read once, even if it is in several pairs
        rows = rows.take(ranges(offsets_of(counts[firsts])[which], counts), axis=0)
    else:
        rows = gather(one, begins, counts)
    same = _same_rows(rows, gather(other, begins_other, counts))
    return np.asarray(np.logical_and.reduceat(same, offsets_of(counts)[:-1]))


def _same_long(one: AnyArray, begins: Array, other: AnyArray, begins_other: Array, counts: Array) -> bool:
    """The same for one pair, whose stretches are too long to be in memory as a whole."""
    begin, begin_other, count = int(begins[0]), int(begins_other[0]), int(counts[0])
    most = min(steps_together(one), steps_together(other))
    pieces = ((t, min(t + most, count)) for t in range(0, count, most))
    return all(
        bool(_same_rows(one[begin + t : begin + to], other[begin_other + t : begin_other + to]).all())
        for t, to in pieces
    )


def _same_rows(one: Array, other: Array) -> Array:
    """Which rows hold the same numbers, (S,) bool; whole numbers past 2^53 are compared without rounding."""
    with np.errstate(invalid="ignore"):
        same = one == other
        if one.dtype.kind == "f" and other.dtype.kind == "f":
            same |= np.isnan(one) & np.isnan(other)
        elif one.dtype.kind == "f":
            same &= one.astype(other.dtype) == other
        elif other.dtype.kind == "f":
            same &= other.astype(one.dtype) == one
    return np.asarray(same.all(axis=tuple(range(1, same.ndim))))


def _stretches(ragged: Ragged, places: Array) -> tuple[Array, Array]:
    """The first steps of the sequences at some places, ascending, and their lengths."""
    begins = gather(ragged.offsets, places)
    return begins, gather(ragged.offsets, places + 1) - begins


def steps_together(values: AnyArray) -> int:
    """The number of rows that make a chunk when each number takes 8 bytes."""
    return max(1, CHUNK // (8 * max(1, prod(values.shape[1:]))))
