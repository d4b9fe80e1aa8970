"""The order of rows by some columns: a stable sort in linear time, which first looks whether rows are in order."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from seqtool.arrays.dtypes import Array
from seqtool.arrays.gather import index_type, ranges
from seqtool.grouping.distinct import distinct
from seqtool.system.platform import cpu_count

_PIECE = 1 << 18  # rows processed together, so that the memory beside the columns stays small
_PARTS = 8  # ranges of the first column that are sorted separately
_AT_ONCE = 2  # of these ranges, so that the memory of sorting stays small
_LONG_SEGMENT = 8  # rows a segment; from there on it pays to move segments instead of rows


def stable_order(columns: Sequence[Array]) -> Array | None:
    """The order that sorts rows by the first column, then the next; rows equal in all keep their order.

    Columns are (S,) numbers without NaN. The order is (S,) uint32, or int64 past 2^32 rows; None where the
    rows are in order already.

    >>> stable_order([np.array([1, 0, 1, 0]), np.array([5, 9, 4, 9])]).tolist()
    [1, 3, 2, 0]
    """
    if _in_order(columns):
        return None
    if len(columns) == 1:
        starts = _few_segments(columns[0])
        if starts is not None:  # rows of a key stand together; only the keys are out of order
            counts = np.diff(starts, append=len(columns[0]))
            by_segment = _sorted([columns[0][starts]])
            return ranges(starts[by_segment], counts[by_segment])
    elif not _in_order(columns[:1]):
        # Files are often written in the order that is asked for: then the first column alone decides.
        order = stable_order(columns[:1])
        if order is not None and _in_order(columns, order):
            return order
    return _sorted(columns)


def taken(column: Array, order: Array) -> Array:
    """`column[order]`, in pieces, since NumPy would first widen all of a narrow `order` to int64."""
    out = np.empty((len(order), *column.shape[1:]), column.dtype)
    for begin in range(0, len(order), _PIECE):
        column.take(order[begin : begin + _PIECE], axis=0, out=out[begin : begin + _PIECE], mode="clip")
    return out


def changes(columns: Sequence[Array], order: Array | None = None) -> Iterator[tuple[int, Array]]:
    """Whether each row differs from the one before in any column: pieces of (n,) bool, with the first row of each."""
    count = len(columns[0])
    for begin in range(0, count, _PIECE):
        end = min(begin + _PIECE, count)
        changed = np.zeros(end - begin, dtype=bool)
        changed[0] = begin == 0
        for column in columns:
            rows = _piece(column, order, max(begin - 1, 0), end)
            differs = rows[1:] != rows[:-1]
            if rows.dtype.kind == "f":  # NaN is like NaN here: it is a missing value
                differs &= ~(np.isnan(rows[1:]) & np.isnan(rows[:-1]))
            changed[(1 if begin == 0 else 0) :] |= differs
        yield begin, changed


def ranks(cells: Any) -> tuple[Array, Any]:
    """Arrow text as (n,) int32 numbers in the same order, by code point, and the sorted distinct texts.

    >>> ranks(pa.array(["b", "a", "b"]))[0].tolist()
    [1, 0, 1]
    """
    numbers, texts = distinct([cells])
    pa.default_memory_pool().release_unused()  # what that took, several times its text, would stay ours
    places = pc.sort_indices(texts)
    rank = np.empty(len(texts), np.int32)
    rank[np.asarray(places)] = np.arange(len(texts), dtype=np.int32)
    return rank[numbers], texts.take(places)


def spelled(integers: Array) -> list[Array]:
    """Columns that sort integers like their text: by sign, then digits from the first on, then number of digits.

    >>> numbers = np.array([7, 10, -1, 1])
    >>> numbers[stable_order(spelled(numbers))].tolist()
    [-1, 1, 10, 7]
    """
    size = np.abs(integers.astype(np.int64)).view(
        np.uint64
    )  # right for -2**63 too, whose abs overflows to itself
    digits = np.searchsorted(_POWERS[1:], size, side="right").astype(np.int8)
    return [(integers >= 0).astype(np.int8), size * _POWERS[18 - digits], digits]


_POWERS = 10 ** np.arange(19, dtype=np.uint64)  # of ten: as many as int64 has digits


def ranking_bytes(size: int, count: int) -> int:
    """About the bytes that `ranks` takes beside `count` texts of `size` bytes: measured with distinct texts."""
    return 3 * size + 96 * count


def as_codes(cells: Any) -> Array:
    """The column itself if it holds numbers, the ranks of its texts if it is Arrow text."""
    return cells if isinstance(cells, np.ndarray) else ranks(cells)[0]


def falling(codes: Array) -> Array:
    """Numbers in the reverse order of these; equal ones stay equal, and the least integer does not overflow.

    >>> falling(np.array([3, -(2**63)])).tolist(), falling(np.array([0.5])).tolist()
    ([-4, 9223372036854775807], [-0.5])
    """
    return -codes if codes.dtype.kind == "f" else ~codes


def _piece(column: Array, order: Array | None, begin: int, end: int) -> Array:
    return column[begin:end] if order is None else column.take(order[begin:end])


def _in_order(columns: Sequence[Array], order: Array | None = None) -> bool:
    """Whether the rows, taken in this order, ascend."""
    count = len(columns[0])
    for begin in range(0, count, _PIECE):
        below = equal = None  # for each pair of neighbours: known to descend, or undecided so far
        for column in columns:
            rows = _piece(column, order, begin, min(begin + _PIECE + 1, count))
            falls = rows[1:] < rows[:-1]
            if equal is None:
                below, equal = falls, rows[1:] == rows[:-1]
            else:
                below |= equal & falls
                equal &= rows[1:] == rows[:-1]
        if below is not None and below.any():
            return False
    return True


def _few_segments(column: Array) -> Array | None:
    """The first row of each segment of equal neighbours; None where there are too many for moving them to pay."""
    starts: list[Array] = []
    found = 0
    for begin, changed in changes([column]):
        starts.append(np.flatnonzero(changed) + begin)
        found += len(starts[-1])
        if found * _LONG_SEGMENT > begin + len(changed):
            return None
    return np.concatenate(starts)


def _sorted(columns: Sequence[Array]) -> Array:
    """The order of the rows, found for ranges of the first column, two at a time.

    So the memory of sorting is a fraction of that of the columns, and fits better into the caches.
    """
    count = len(columns[0])
    if count < 4 * _PIECE or columns[0].dtype.kind == "f":
        return _sorted_by_digits(columns)
    part, order, done = _parts(columns[0]), np.empty(count, index_type(count)), 0

    def in_order(number: int) -> Array:
        rows = np.flatnonzero(part == number).astype(order.dtype)
        return taken(rows, _sorted_by_digits([taken(column, rows) for column in columns]))

    with ThreadPoolExecutor(min(_AT_ONCE, cpu_count())) as pool:
        for rows in pool.map(in_order, range(int(part.max()) + 1)):
            order[done : done + len(rows)] = rows
            done += len(rows)
    return order


def _parts(column: Array) -> Array:
    """The range in which each integer lies, (n,) uint8; ranges ascend and have about equally many rows."""
    low, high = int(column.min()), int(column.max())
    shift = max(0, (high - low).bit_length() - 8)
    part = np.empty(len(column), np.uint8)
    for begin in range(0, len(column), _PIECE):
        cells = column[begin : begin + _PIECE].astype(np.int64)
        part[begin : begin + _PIECE] = (cells - low).view(np.uint64) >> np.uint64(shift)
    rows = np.bincount(part, minlength=256)
    before = np.cumsum(rows) - rows
    together = np.minimum(before * _PARTS // len(column), _PARTS - 1)
    return np.unique(together, return_inverse=True)[1].astype(np.uint8)[part]


def _sorted_by_digits(columns: Sequence[Array]) -> Array:
    """A radix sort, least significant digit first: NumPy sorts 16-bit digits stably in linear time."""
    count = len(columns[0])
    kind = index_type(count)
    order: Array | None = None
    for column in reversed(columns):
        for digit in _digits(column):
            if order is None:
                order = np.argsort(digit(column), kind="stable").astype(kind)
            else:
                order = order.take(np.argsort(taken(digit(column), order), kind="stable"))
    return np.arange(count, dtype=kind) if order is None else order


def _digits(column: Array) -> Iterator[Any]:
    """A function for each 16-bit digit of a column, lowest first, as far as its range needs digits."""
    if not len(column):
        return
    if column.dtype.kind == "f":
        column = _ordinal(column)
    low, high = int(column.min()), int(column.max())
    for bits in range(0, (high - low).bit_length(), 16):
        yield lambda column, bits=bits, low=low: _digit(column, low, bits)


def _digit(column: Array, low: int, bits: int) -> Array:
    out = np.empty(len(column), np.uint16)
    for begin in range(0, len(column), _PIECE):
        part = column[begin : begin + _PIECE]
        part = _ordinal(part) if part.dtype.kind == "f" else part
        distance = part.astype(np.uint64) - np.uint64(low % (1 << 64))  # wraps around where low is negative
        out[begin : begin + _PIECE] = distance >> np.uint64(bits)
    return out


def _ordinal(numbers: Array) -> Array:
    """Floats as uint64 in the same order; the two zeros are one."""
    bits = (numbers.astype(np.float64) + 0.0).view(np.uint64)
    negative = bits >> np.uint64(63) != 0
    return np.where(negative, ~bits, bits | np.uint64(1 << 63))
