"""The rows of several sorted runs in the order of the result, read range by range when they are asked for."""

from __future__ import annotations

import bisect
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from seqtool.arrays.dtypes import Array
from seqtool.arrays.file_array import FileArray
from seqtool.arrays.lazy import AnyArray, Lazy

Span = tuple[int, int]
"""The first of some rows of a run, and the one behind the last."""


@dataclass(frozen=True)
class Range:
    """Consecutive rows of the result: a span of rows of each run, end to end, in this order among them."""

    spans: list[Span]
    order: FileArray | None
    count: int


def merged_rows(arrays: Sequence[AnyArray], sections: Sequence[Range], ends: Sequence[int]) -> Lazy:
    """Rows of the runs in the order of the result; the range that was read last is kept for the next chunk."""
    dtype = np.result_type(*(array.dtype for array in arrays))
    tail = arrays[0].shape[1:]
    kept: list[Any] = [None, None]

    def block(number: int) -> Array:
        if kept[0] != number:
            kept[:] = [None, None]  # let go of the old one first
            kept[:] = [number, _read(arrays, sections[number].spans, tail, dtype)]
        held: Array = kept[1]
        return held

    def read(begin: int, end: int) -> Array:
        out = np.empty((end - begin, *tail), dtype)
        number, done = bisect.bisect_right(ends, begin), begin
        while done < end:
            first = ends[number] - sections[number].count
            to = min(end, ends[number])
            part, order = out[done - begin : to - begin], sections[number].order
            if order is None:
                spans = _within(sections[number].spans, done - first, to - first)
                part[...] = _read(arrays, spans, tail, dtype)
            else:
                part[...] = block(number).take(order[done - first : to - first], axis=0)
            number, done = number + 1, to
        return out

    return Lazy((ends[-1], *tail), dtype, read)


def _read(
    arrays: Sequence[AnyArray], spans: Sequence[Span], tail: tuple[int, ...], dtype: np.dtype[Any]
) -> Array:
    out = np.empty((total_rows(spans), *tail), dtype)
    done = 0
    for array, (begin, end) in zip(arrays, spans, strict=True):
        out[done : done + end - begin] = array[begin:end]
        done += end - begin
    return out


def _within(spans: Sequence[Span], begin: int, end: int) -> list[Span]:
    """The rows from `begin` to `end` of spans that lie end to end."""
    found, done = [], 0
    for first, last in spans:
        low, high = max(begin - done, 0), min(end - done, last - first)
        found.append((first + low, first + high) if high > low else (first, first))
        done += last - first
    return found


def total_rows(spans: Sequence[Span]) -> int:
    """The rows of all spans together."""
    return sum(end - begin for begin, end in spans)
