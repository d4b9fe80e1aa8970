"""Selecting sequences: those of enough steps, with all that belongs to them."""

from __future__ import annotations

from math import prod
from typing import overload

import numpy as np

from seqtool.arrays.dtypes import Array
from seqtool.arrays.gather import gather, lazy_gather
from seqtool.arrays.lazy import AnyArray, Lazy, chunks
from seqtool.arrays.spool import GrowingArray, Spool
from seqtool.arrays.text import Text
from seqtool.errors import UsageError
from seqtool.sequences.conversion import cumulative_offsets
from seqtool.sequences.ragged import Ragged, StepArray


def at_least(ragged: Ragged, least: int, *, spool: Spool | None = None) -> Ragged:
    """The sequences of at least so many steps, in their order; everything that belongs to them follows.

    Where they stand, and arrays of one row for each, go to `spool` where that is much. Raises UsageError for
    a negative number.

    >>> at_least(Ragged(np.array([5, 1, 3]), np.array([0, 2, 2, 3])), 1).lengths
    array([2, 1])
    """
    if least < 0:
        raise UsageError(f"min_len is {least}; 0 or more was expected")
    spool = spool or Spool()
    kept = GrowingArray(spool, np.dtype(np.int64))
    for begin, part in chunks(ragged.lengths):
        kept.add(np.flatnonzero(part >= least) + begin)
    which = kept.done()
    if len(which) == len(ragged):
        return ragged
    starts = _picked(ragged.offsets, which, spool)
    offsets = cumulative_offsets(_picked(ragged.lengths, which, spool))
    total = int(offsets[len(which) :][0])

    def steps(rows: AnyArray) -> AnyArray:
        found = lazy_gather(rows, starts, offsets, (total, *rows.shape[1:]))
        return np.asarray(found) if isinstance(rows, np.ndarray) else found

    return ragged.replace(
        values=steps(ragged.values),
        offsets=offsets,
        keys=None if ragged.keys is None else _picked(ragged.keys, which, spool),
        per_step={n: StepArray(steps(array.data), array.value) for n, array in ragged.per_step.items()},
        per_sequence={name: _picked(array, which, spool) for name, array in ragged.per_sequence.items()},
    )


@overload
def _picked(array: AnyArray, which: AnyArray, spool: Spool) -> AnyArray: ...
@overload
def _picked(array: AnyArray | Text, which: AnyArray, spool: Spool) -> AnyArray | Text: ...
def _picked(array: AnyArray | Text, which: AnyArray, spool: Spool) -> AnyArray | Text:
    """The rows of an array at some ascending places."""
    if isinstance(array, Text):
        return _picked_text(array, which, spool)
    if isinstance(array, np.ndarray):
        return np.asarray(array[np.asarray(which)])
    growing = GrowingArray(spool, array.dtype, array.shape[1:])
    for _, places in chunks(which, _TOGETHER):
        growing.add(gather(array, places))
    return growing.done()


_TOGETHER = 1 << 18  # bytes of places that are looked up together


def _picked_text(text: Text, which: AnyArray, spool: Spool) -> Text:
    """The rows of text at some ascending places."""
    width = prod(text.shape[1:])
    sizes = Lazy((len(text), width), np.dtype(np.int64), lambda begin, end: _sizes(text, begin, end))
    begins = _row_edges(text.offsets, width, len(text))
    kept, starts = (GrowingArray(spool, np.dtype(np.int64)) for _ in range(2))
    for _, places in chunks(which, _TOGETHER):
        kept.add(gather(sizes, places).reshape(-1))
        starts.add(gather(begins, places))
    offsets = cumulative_offsets(kept.done())
    edges = _row_edges(offsets, width, len(which))
    total = int(edges[len(which) :][0])
    data = lazy_gather(text.data, starts.done(), edges, (total,))
    return Text(data, offsets, (len(which), *text.shape[1:]), widest=text.widest)


def _sizes(text: Text, begin: int, end: int) -> Array:
    """The bytes of each cell of some rows, (rows, width)."""
    width = prod(text.shape[1:])
    return np.asarray(np.diff(text.offsets[begin * width : end * width + 1]).reshape(-1, width))


def _row_edges(offsets: AnyArray, width: int, rows: int) -> Lazy:
    """Where each row of `width` cells begins, and the end of the last: (rows + 1,)."""

    def read(begin: int, end: int) -> Array:
        return np.asarray(offsets[begin * width : (end - 1) * width + 1][::width])

    return Lazy((rows + 1,), np.dtype(np.int64), read)
