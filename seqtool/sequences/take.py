"""`take`: some sequences, or stretches of them, in any order, with their keys and all other arrays."""

from __future__ import annotations

from collections.abc import Callable
from math import prod
from typing import Any, overload

import numpy as np

from seqtool.arrays.dtypes import Array
from seqtool.arrays.gather import LazyGather, gather, lazy_gather
from seqtool.arrays.lazy import AnyArray, Lazy, chunks, lazy_map
from seqtool.arrays.spool import GrowingArray, Spool, running_sums
from seqtool.arrays.text import Text, stretches
from seqtool.sequences.once import is_once, underlying
from seqtool.sequences.ragged import Ragged, StepArray


def take(
    ragged: Ragged,
    which: AnyArray | None = None,
    starts: AnyArray | None = None,
    lengths: AnyArray | None = None,
    *,
    every: int = 1,
    once: bool = False,
    spool: Spool | None = None,
) -> Ragged:
    """Some sequences, or a stretch of each; keys, per-step and per-sequence arrays go with them.

    `which` (M,) int64 are the places of sequences, in any order, perhaps repeated; None takes all. Of each, `lengths`
    (M,) steps from step `starts` (M,) on are taken; None stands for all up to the last, and for 0. With `every`
    they are that many steps apart, and `lengths` are needed. `once` says that a file should hold each step once.
    Steps are read on demand: `values` (S', F) and per-step arrays are lazy. Arrays of a number for each sequence go to
    `spool` where they are large. The places are not checked.

    >>> ragged = Ragged(np.array([5, 6, 7, 8]), np.array([0, 3, 4]), keys=np.array(["a", "b"]))
    >>> last = take(ragged, np.array([1, 0]), starts=np.array([0, 1]))
    >>> np.asarray(last.values).tolist(), last.offsets.tolist(), last.keys.tolist()
    ([8, 6, 7], [0, 1, 3], ['b', 'a'])
    """
    spool = spool or Spool()
    begins, offsets = _stretches(ragged, which, starts, lengths, spool)
    total = int(offsets[len(offsets) - 1 :][0])
    # What was gathered is gathered from the same rows: one read instead of one within another.
    gathered = underlying(ragged) is not None
    once = every == 1 and (once or is_once(ragged))

    def steps(rows: AnyArray) -> AnyArray:
        rows = rows.array if gathered and isinstance(rows, LazyGather) else rows
        return lazy_gather(rows, begins, offsets, (total, *rows.shape[1:]), every=every, once=once)

    changes: dict[str, Any] = {"offsets": offsets}
    if which is not None:
        arrays = ragged.per_sequence.items()
        changes["per_sequence"] = {name: taken_rows(array, which, spool) for name, array in arrays}
        changes["keys"] = None if ragged.keys is None else taken_rows(ragged.keys, which, spool)
    return map_steps(ragged, steps, **changes)


def map_steps(ragged: Ragged, function: Callable[[AnyArray], AnyArray], **changes: Any) -> Ragged:
    """The same sequences with `function` applied to `values` and to each per-step array, and with other changes.

    >>> map_steps(Ragged(np.arange(3), np.array([0, 3])), lambda array: array[::-1]).values
    array([2, 1, 0])
    """
    arrays = ragged.per_step.items()
    per_step = {name: StepArray(function(array.data), array.value) for name, array in arrays}
    return ragged.replace(values=function(ragged.values), per_step=per_step, **changes)


def in_memory_like(taken: Ragged, source: Ragged) -> Ragged:
    """Sequences that were taken from `source`, with their steps in memory if those of the source are."""
    return map_steps(taken, np.asarray) if isinstance(source.values, np.ndarray) else taken


def _stretches(
    ragged: Ragged, which: AnyArray | None, starts: AnyArray | None, lengths: AnyArray | None, spool: Spool
) -> tuple[AnyArray, AnyArray]:
    """The step among all steps at which each stretch begins, (M,), and the offsets of the result, (M + 1,)."""
    whole = underlying(ragged)
    if whole is not None:
        begins = whole.starts
    elif isinstance(ragged.offsets, np.ndarray):
        begins = ragged.offsets[:-1]
    else:
        begins = _without_last(ragged.offsets)
    if which is not None:
        begins = taken_rows(begins, which, spool)
    if lengths is None:
        of_whole = ragged.lengths if which is None else taken_rows(ragged.lengths, which, spool)
        lengths = of_whole if starts is None else lazy_map(np.subtract, of_whole, starts, dtype=np.int64)
    if starts is not None:
        begins = lazy_map(np.add, begins, starts, dtype=np.int64)
    return begins, running_sums(lengths, spool)


def _without_last(offsets: AnyArray) -> Lazy:
    return Lazy((len(offsets) - 1,), np.dtype(np.int64), lambda begin, end: offsets[begin:end])


@overload
def taken_rows(array: AnyArray, which: AnyArray, spool: Spool) -> AnyArray: ...
@overload
def taken_rows(array: AnyArray | Text, which: AnyArray, spool: Spool) -> AnyArray | Text: ...
def taken_rows(array: AnyArray | Text, which: AnyArray, spool: Spool) -> AnyArray | Text:
    """The rows of an array at some places, in any order: in memory if both are, else copied into the spool."""
    if isinstance(array, Text):
        return _taken_text(array, which, spool)
    if isinstance(array, np.ndarray) and isinstance(which, np.ndarray):
        return np.asarray(array[which])
    growing = GrowingArray(spool, array.dtype, array.shape[1:])
    for _, places in chunks(which, _TOGETHER):
        growing.add(gather(array, places))
    return growing.done()


_TOGETHER = 1 << 18  # bytes of places whose rows are read together


def _taken_text(text: Text, which: AnyArray, spool: Spool) -> Text:
    """The rows of text at some places."""
    width = prod(text.shape[1:])
    sizes = Lazy((len(text), width), np.dtype(np.int64), lambda begin, end: _sizes(text, begin, end))
    begins = _row_edges(text.offsets, width, len(text))
    offsets, starts = (GrowingArray(spool, np.dtype(np.int64)) for _ in range(2))
    offsets.add(np.zeros(1, np.int64))
    end = 0
    for _, places in chunks(which, _TOGETHER):
        ends = np.cumsum(gather(sizes, places).reshape(-1), dtype=np.int64) + end
        offsets.add(ends)
        end = int(ends[-1]) if len(ends) else end
        starts.add(gather(begins, places))
    edges = _row_edges(offsets.done(), width, len(which))
    data = lazy_gather(text.data, starts.done(), edges, (end,))
    widest = None if text.widest is None else _widest(data, offsets.done())
    return Text(data, offsets.done(), (len(which), *text.shape[1:]), widest=widest)


def _widest(data: AnyArray, offsets: AnyArray) -> int:
    """The characters of the longest cell: its bytes except those that continue a character of UTF-8."""
    longest = 0
    for begin, end in stretches(offsets, size=_LETTERS):
        edges = offsets[begin : end + 1]
        continues = (data[int(edges[0]) : int(edges[-1])] & 0xC0) == 0x80
        characters = np.diff(edges) - np.diff(np.concatenate([[0], np.cumsum(continues)])[edges - edges[0]])
        longest = max(longest, int(characters.max(initial=0)))
    return longest


_LETTERS = 1 << 20  # bytes whose characters are counted together


def _sizes(text: Text, begin: int, end: int) -> Array:
    """The bytes of each cell of some rows, (rows, width)."""
    width = prod(text.shape[1:])
    return np.asarray(np.diff(text.offsets[begin * width : end * width + 1]).reshape(-1, width))


def _row_edges(offsets: AnyArray, width: int, rows: int) -> Lazy:
    """The byte at which each row of `width` cells begins, and the end of the last: (rows + 1,)."""

    def read(begin: int, end: int) -> Array:
        return np.asarray(offsets[begin * width : (end - 1) * width + 1][::width])

    return Lazy((rows + 1,), np.dtype(np.int64), read)
