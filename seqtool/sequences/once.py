"""Sequences that share steps, such as windows: a file holds each step once, and where each sequence begins there."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

import numpy as np

from seqtool.arrays.dtypes import Array
from seqtool.arrays.gather import LazyGather, lazy_gather
from seqtool.arrays.lazy import AnyArray, chunks
from seqtool.arrays.spool import GrowingArray, Spool, running_sums
from seqtool.dataclass import dataclass
from seqtool.errors import DataError

if TYPE_CHECKING:
    from seqtool.sequences.ragged import Ragged


@dataclass(frozen=True, eq=False)
class Once:
    """Arrays of steps by name, `values` among them, (R, ...) each, and the row at which each sequence begins, (N,)."""

    arrays: Mapping[str, AnyArray]
    starts: AnyArray

    def gathered(self, offsets: AnyArray, *, once: bool = True) -> dict[str, LazyGather]:
        """The steps of all sequences, end to end, (S, ...) for each array; sequences have these offsets."""
        steps = int(offsets[len(offsets) - 1 :][0])
        return {
            name: lazy_gather(array, self.starts, offsets, (steps, *array.shape[1:]), once=once)
            for name, array in self.arrays.items()
        }

    def in_memory(self) -> Once:
        """The same with all arrays in memory."""
        arrays = {name: np.asarray(array) for name, array in self.arrays.items()}
        return Once(arrays, np.asarray(self.starts))


def underlying(ragged: Ragged) -> Once | None:
    """What the steps of sequences are gathered from, a stretch for each sequence; None where they are not.

    >>> from seqtool.sequences.ragged import Ragged
    >>> offsets = np.array([0, 2, 4])
    >>> values = lazy_gather(np.arange(3), np.array([0, 1]), offsets, (4,))
    >>> underlying(Ragged(values, offsets)).starts.tolist()
    [0, 1]
    """
    values = ragged.values
    if not isinstance(values, LazyGather) or values.every != 1 or values.offsets is not ragged.offsets:
        return None
    arrays = {"values": values.array}
    for name, array in ragged.per_step.items():
        data = array.data
        if not isinstance(data, LazyGather) or data.every != 1 or data.starts is not values.starts:
            return None
        arrays[name] = data.array
    return Once(arrays, values.starts)


def is_once(ragged: Ragged) -> bool:
    """Whether a file should hold each step of sequences once, however many of them have it."""
    return underlying(ragged) is not None and isinstance(ragged.values, LazyGather) and ragged.values.once


def stored_once(ragged: Ragged) -> Once | None:
    """What a file holds of sequences whose steps it should hold once: the steps that some sequence has, and no others.

    None where steps are to be written in full, and where sequences are in another order than their steps.

    >>> from seqtool.sequences.ragged import Ragged
    >>> offsets = np.array([0, 2, 4])
    >>> values = lazy_gather(np.arange(9), np.array([5, 6]), offsets, (4,), once=True)
    >>> stored = stored_once(Ragged(values, offsets))
    >>> np.asarray(stored.arrays["values"]).tolist(), stored.starts.tolist()
    ([5, 6, 7], [0, 1])
    """
    whole = underlying(ragged) if is_once(ragged) else None
    if whole is None:
        return None
    spool = Spool()
    # Stretches of rows that sequences have: where each begins in the array, and where it begins in the file.
    starts, begins, edges = (GrowingArray(spool, np.dtype(np.int64)) for _ in range(3))
    begins.add(np.zeros(1, np.int64))
    edges.add(np.zeros(1, np.int64))
    last = reach = left_out = 0
    for begin, part in chunks(whole.starts):
        if (np.diff(part, prepend=last) < 0).any():
            return None
        ends = part + np.diff(ragged.offsets[begin : begin + len(part) + 1])
        reached = np.maximum.accumulate(np.concatenate([[reach], ends]))
        gaps = np.maximum(part - reached[:-1], 0)
        placed = part - left_out - np.cumsum(gaps)
        starts.add(placed)
        begins.add(part[gaps > 0])
        edges.add(placed[gaps > 0])
        last, reach, left_out = int(part[-1]), int(reached[-1]), left_out + int(gaps.sum())
    rows = reach - left_out
    edges.add(np.array([rows], np.int64))
    arrays: dict[str, AnyArray] = {
        name: lazy_gather(array, begins.done(), edges.done(), (rows, *array.shape[1:]))
        for name, array in whole.arrays.items()
    }
    return Once(arrays, starts.done())


def offsets_at(lengths: AnyArray, starts: AnyArray, rows: int) -> AnyArray:
    """The offsets (N + 1,) of sequences that begin at some of so many rows.

    Raises DataError for one that is not within them.

    >>> offsets_at(np.array([2, 2]), np.array([0, 1]), 3).tolist()
    [0, 2, 4]
    """
    for name, array in (("lengths", lengths), ("starts", starts)):
        if array.ndim != 1 or array.dtype != np.int64 or len(array) != len(lengths):
            raise DataError(f"{name} is {array.dtype} {array.shape}; int64 of shape (N,) was expected")
    for begin, part in chunks(starts):
        sizes = lengths[begin : begin + len(part)]
        wrong = np.flatnonzero(_outside(part, sizes, rows))
        if len(wrong):
            i = int(wrong[0])
            raise DataError(
                f"starts[{begin + i}] is {part[i]}, and lengths[{begin + i}] is {sizes[i]}, but values holds "
                f"{rows:,} steps"
            )
    return running_sums(lengths, Spool())


def _outside(starts: Array, lengths: Array, rows: int) -> Array:
    """Which stretches are not within so many rows; nothing overflows."""
    negative = (starts < 0) | (lengths < 0)
    return np.asarray(negative | (starts > rows) | (lengths > rows - np.clip(starts, 0, rows)))
