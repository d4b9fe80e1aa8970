"""The rows of several sorted runs in the order of the result, read range by range when they are asked for."""

from __future__ import annotations

import bisect
from collections.abc import Sequence
from typing import Any

import numpy as np

from seqtool.arrays.dtypes import Array
from seqtool.arrays.file_array import FileArray
from seqtool.arrays.lazy import AnyArray, Lazy
from seqtool.dataclass import dataclass

RowSpan = tuple[int, int]
"""The first of some consecutive rows of a run, and the row behind the last."""


@dataclass(frozen=True)
class Range:
    """Consecutive rows of the result: a span of rows of each run, end to end, rearranged by `order`.

    `order` is (count,) positions among these rows; None where they are in order.
    """

    spans: list[RowSpan]
    order: FileArray | None
    count: int


def merged_rows(arrays: Sequence[AnyArray], sections: Sequence[Range], ends: Sequence[int]) -> Lazy:
    """All rows of the runs in the order of the result, read in chunks.

    `ends` are the rows of the result that the `sections` end before. The section that was read last is kept in
    memory, for the next chunk is likely to need it.
    """
    dtype = np.result_type(*(array.dtype for array in arrays))
    tail = arrays[0].shape[1:]
    cached: tuple[int, Array] | None = None

    def section_rows(number: int) -> Array:
        nonlocal cached
        current = cached  # one look, for another thread may replace it
        if current is None or current[0] != number:
            current = cached = None  # frees the old rows before the new ones are read
            current = cached = (number, _read(arrays, sections[number].spans, tail, dtype))
        return current[1]

    def read(begin: int, end: int) -> Array:
        out = np.empty((end - begin, *tail), dtype)
        number, done = bisect.bisect_right(ends, begin), begin
        while done < end:
            section, stop = sections[number], min(end, ends[number])
            first = ends[number] - section.count
            part, order = out[done - begin : stop - begin], section.order
            if order is None:
                spans = _within(section.spans, done - first, stop - first)
                part[...] = _read(arrays, spans, tail, dtype)
            else:
                part[...] = section_rows(number).take(order[done - first : stop - first], axis=0)
            number, done = number + 1, stop
        return out

    return Lazy((ends[-1], *tail), dtype, read)


def _read(
    arrays: Sequence[AnyArray], spans: Sequence[RowSpan], tail: tuple[int, ...], dtype: np.dtype[Any]
) -> Array:
    """A span of each array, end to end."""
    out = np.empty((total_rows(spans), *tail), dtype)
    done = 0
    for array, (begin, end) in zip(arrays, spans, strict=True):
        out[done : done + end - begin] = array[begin:end]
        done += end - begin
    return out


def _within(spans: Sequence[RowSpan], begin: int, end: int) -> list[RowSpan]:
    """The rows from `begin` to `end` of spans that lie end to end, as a span within each."""
    parts, done = [], 0
    for first, last in spans:
        low, high = max(begin - done, 0), min(end - done, last - first)
        parts.append((first + low, first + high) if high > low else (first, first))
        done += last - first
    return parts


def total_rows(spans: Sequence[RowSpan]) -> int:
    """The rows of all spans together."""
    return sum(end - begin for begin, end in spans)
