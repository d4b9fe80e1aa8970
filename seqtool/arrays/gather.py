"""Gathering rows, and stretches of consecutive rows, from arrays in memory, in files and computed ones."""

from __future__ import annotations

import bisect
from collections.abc import Iterator
from typing import Any

import numpy as np

from seqtool.arrays.dtypes import Array
from seqtool.arrays.file_array import FileArray
from seqtool.arrays.lazy import AnyArray, Lazy, rows_per_chunk

SEQUENCES_TOGETHER = 1 << 16  # whose offsets are read at once


def gather(array: AnyArray, starts: Array, counts: Array | None = None) -> Array:
    """Stretches of rows, end to end: `counts[i]` rows from `starts[i]` on; without `counts` one row each.

    They may come in any order, overlap and repeat. Of an array that is not in memory, stretches close to each other
    are read together.

    >>> gather(np.arange(9), np.array([6, 1, 1]), np.array([1, 2, 2])).tolist()
    [6, 1, 2, 1, 2]
    """
    counts = np.ones(len(starts), np.int64) if counts is None else counts
    parts = list(gathered(array, starts, counts))
    return parts[0] if len(parts) == 1 else np.concatenate([array[:0], *parts])


def ranges(starts: Array, counts: Array, every: int = 1) -> Array:
    """The row numbers of several stretches, end to end: `counts[i]` of them from `starts[i]` on, `every` rows apart.

    >>> ranges(np.array([5, 0]), np.array([2, 3])).tolist()
    [5, 6, 0, 1, 2]
    """
    total = int(counts.sum())
    kind = index_type(int((starts + every * counts).max(initial=0)))
    before = every * np.concatenate([[0], np.cumsum(counts)[:-1]]) if len(starts) else starts
    shift = starts.astype(np.int64) - before
    rows = np.repeat(shift.astype(kind), counts)  # a negative shift wraps around, and back in the addition
    rows += every * np.arange(total, dtype=kind)
    return rows


def index_type(count: int) -> np.dtype[Any]:
    """The narrowest dtype that holds the positions of `count` rows."""
    return np.dtype(np.uint32 if count < 1 << 32 else np.int64)


def offsets_together(offsets: AnyArray) -> Iterator[tuple[int, Array]]:
    """The offsets of all sequences in parts (n + 1,), each with the number of its first sequence.

    A part begins with the offset that the one before ends with.

    >>> [(first, part.tolist()) for first, part in offsets_together(np.array([0, 2, 5]))]
    [(0, [0, 2, 5])]
    """
    for first in range(0, len(offsets) - 1, SEQUENCES_TOGETHER):
        yield first, offsets[first : first + SEQUENCES_TOGETHER + 1]


def sequence_of(offsets: AnyArray, row: int, near: int = 0) -> int:
    """The number of the sequence that a row belongs to, found with few reads of the offsets.

    It is looked for from sequence `near` on first.

    >>> sequence_of(np.array([0, 2, 2, 5]), 2)
    2
    """
    if isinstance(offsets, np.ndarray):
        return int(np.searchsorted(offsets[:-1], row, side="right")) - 1
    for size in _SEARCHED:
        edges = offsets[near : near + size]
        if len(edges) and edges[0] <= row < edges[-1]:
            return near + int(np.searchsorted(edges, row, side="right")) - 1
    return bisect.bisect_right(range(len(offsets) - 1), row, key=lambda i: int(offsets[i : i + 1][0])) - 1


_NEAR = 64  # sequences whose offsets are read together
_SEARCHED = (_NEAR, 64 * _NEAR)  # those that are looked through before others: a sample passes over some


class LazyGather(Lazy):
    """`gather` on demand, see `lazy_gather`; what it gathers from can be read in other ways, too."""

    def __init__(
        self,
        array: AnyArray,
        starts: AnyArray,
        offsets: AnyArray,
        shape: tuple[int, ...],
        *,
        every: int = 1,
        once: bool = False,
    ) -> None:
        super().__init__(shape, array.dtype, self._gathered)
        self.array = array
        self.starts = starts
        self.offsets = offsets
        self.every = every
        self.once = once
        self._each = max(1, shape[0] // max(1, len(offsets) - 1))  # rows of a stretch, on average
        self._near = 0  # the stretch in which the last read ended: mostly, the next one begins there

    def _gathered(self, begin: int, end: int) -> Array:
        array, starts, offsets, every = self.array, self.starts, self.offsets, self.every
        out = np.empty((end - begin, *array.shape[1:]), array.dtype)
        done = begin
        first = sequence_of(offsets, begin, self._near)
        while done < end:
            likely = min(_STRETCHES, _NEAR + 2 * (end - done) // self._each)
            edges = offsets[first : first + likely + 1]
            edges = edges[: int(np.searchsorted(edges, end)) + 1]
            count = len(edges) - 1
            low, high = np.maximum(edges[:-1], begin), np.minimum(edges[1:], end)
            sources, sizes = starts[first : first + count] + every * (low - edges[:-1]), high - low
            for rows in gathered(array, sources, sizes, every):
                if len(rows) == len(out) and isinstance(array, Lazy):
                    out = rows  # all that is asked for, and nobody else's
                else:
                    out[done - begin : done - begin + len(rows)] = rows
                done += len(rows)
            first += count
        self._near = max(0, first - 1)
        return out


def lazy_gather(
    array: AnyArray,
    starts: AnyArray,
    offsets: AnyArray,
    shape: tuple[int, ...],
    *,
    every: int = 1,
    once: bool = False,
) -> LazyGather:
    """`gather` on demand: stretch i begins at row `starts[i]` and becomes the rows `offsets[i]` to `offsets[i + 1]`.

    Of each stretch, one row in `every` is taken. `shape` is that of the result. `once` says that a file should hold
    each row of the array once, however many stretches have it.

    >>> lazy_gather(np.arange(9), np.array([1, 6]), np.array([0, 2, 5]), (5,))[1:4].tolist()
    [2, 6, 7]
    """
    return LazyGather(array, starts, offsets, shape, every=every, once=once)


_STRETCHES = 1 << 16  # whose starts and offsets are read together


def gathered(array: AnyArray, starts: Array, counts: Array, every: int = 1) -> Iterator[Array]:
    """The rows of `gather`, in pieces of about a chunk; a piece may be a view of the array.

    Those of a stretch are `every` rows apart.
    """
    if every > rows_per_chunk(array, _GAP):  # it is cheaper to read row by row
        starts = ranges(starts, counts, every).astype(np.int64)
        counts, every = np.ones(len(starts), np.int64), 1
    ends = starts + _spans(counts, every)
    between = starts[1:] - ends[:-1]
    if (between < 0).any():
        yield from _in_any_order(array, starts, counts, every)
        return
    most, at = rows_per_chunk(array), 0
    far = between > _cheap_to_read(array)
    read = ends - starts
    read[1:] += np.where(far, 0, between)
    before = np.concatenate([[0], np.cumsum(read)])
    while at < len(starts):
        to = max(at + 1, int(np.searchsorted(before, before[at] + most, side="right")) - 1)
        apart = np.flatnonzero(far[at : to - 1]) + 1  # where a read that went on would be wasted
        first = np.concatenate([[0], apart])
        low, high = starts[at:to][first], ends[at:to][np.append(apart, to - at) - 1]
        block = _end_to_end(array, low, high)
        if len(block) == counts[at:to].sum():
            yield block
        else:
            shift = np.repeat(_sums_before(high - low) - low, np.diff(first, append=to - at))
            yield from _stretches_of(block, starts[at:to] + shift, counts[at:to], every)
        at = to


def _end_to_end(array: AnyArray, begins: Array, ends: Array) -> Array:
    """Stretches of rows that ascend, end to end."""
    if len(begins) == 1:
        return array[int(begins[0]) : int(ends[0])]
    if isinstance(array, FileArray):
        return array.end_to_end(begins, ends)
    parts = zip(begins.tolist(), ends.tolist(), strict=True)
    return np.concatenate([array[begin:end] for begin, end in parts])


def _sums_before(sizes: Array) -> Array:
    """The sum of all sizes before each."""
    return np.concatenate([[0], np.cumsum(sizes)[:-1]])


def _cheap_to_read(array: AnyArray) -> int:
    """How many rows between two stretches are cheaper to read along than to skip: few, where they are in a file."""
    if isinstance(array, LazyGather) and isinstance(array.array, FileArray):
        return rows_per_chunk(array, _GATHERED_GAP)
    return rows_per_chunk(array, _GAP) if isinstance(array, FileArray) else rows_per_chunk(array)


def _spans(counts: Array, every: int) -> Array:
    """How many rows there are from the first of each stretch to its last."""
    return counts if every == 1 else np.maximum((counts - 1) * every + 1, 0)


_GAP = 1 << 14  # bytes between two stretches of a file that are cheaper to read than to skip
_GATHERED_GAP = 1 << 18  # the same where each stretch is gathered from several


def _in_any_order(array: AnyArray, starts: Array, counts: Array, every: int) -> Iterator[Array]:
    """Stretches that do not ascend: as many at a time as make a chunk, of which each row is read once."""
    if isinstance(array, np.ndarray):
        yield from _stretches_of(array, starts, counts, every)
        return
    spans, most = _spans(counts, every), rows_per_chunk(array)
    before, at = np.concatenate([[0], np.cumsum(spans)]), 0
    while at < len(starts):
        to = max(at + 1, int(np.searchsorted(before, before[at] + most, side="right")) - 1)
        begins, sizes = starts[at:to], spans[at:to]
        order = np.argsort(begins, kind="stable")
        reach = np.maximum.accumulate((begins + sizes)[order])
        new = np.flatnonzero(begins[order][1:] > reach[:-1]) + 1
        first = np.concatenate([[0], new])
        low, high = begins[order][first], reach[np.concatenate([new - 1, [to - at - 1]])]
        union = np.concatenate([array[:0], *gathered(array, low, high - low)])
        place = _sums_before(high - low) - low  # of a row in the union, less its number
        which = np.repeat(np.arange(len(first)), np.diff(first, append=to - at))
        shift = np.empty(to - at, np.int64)
        shift[order] = place[which]
        yield from _stretches_of(union, begins + shift, counts[at:to], every)
        at = to


def _stretches_of(array: Array, starts: Array, counts: Array, every: int) -> Iterator[Array]:
    """Stretches of an array in memory, in pieces; where all but the first and last are of one size, an item each."""
    size, row = int(counts[len(counts) // 2]), array[:1].nbytes
    if size < 2 or not row or not array.flags.c_contiguous or (counts[1:-1] != size).any():
        yield array.take(ranges(starts, counts, every), axis=0)
        return
    inner = slice(int(counts[0] != size), len(counts) - int(counts[-1] != size))
    if inner.start:
        yield array[starts[0] :][: _spans(counts[:1], every)[0] : every]
    # Each item overlaps the next one, a row further on. A take would first copy all of them, an index does not.
    if every == 1:
        items = np.ndarray((len(array) - size + 1,), f"V{size * row}", array, strides=(row,))
    else:
        begins = len(array) - (size - 1) * every
        items = np.ndarray((begins, size), f"V{row}", array, strides=(row, every * row))
    yield items[starts[inner]].view(array.dtype).reshape(-1, *array.shape[1:])
    if inner.stop < len(counts):
        yield array[starts[-1] :][: _spans(counts[-1:], every)[0] : every]
