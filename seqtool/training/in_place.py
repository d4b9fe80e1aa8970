"""Stretches of an array that stands in a file, read where they stand."""

from __future__ import annotations

from itertools import pairwise

import numpy as np

from seqtool.arrays.dtypes import Array
from seqtool.arrays.file_array import FileArray
from seqtool.arrays.gather import gather, ranges
from seqtool.arrays.lazy import AnyArray, rows_per_chunk
from seqtool.arrays.spool import Spool, spooled

_GAP = 1 << 14  # bytes between two stretches that are rather read along than passed over


def in_place(array: AnyArray, spool: Spool) -> AnyArray:
    """An array of which any window is read at once: as it stands in the file, or inflated."""
    return array if isinstance(array, FileArray) else spooled(spool, array)


def read_stretches(array: AnyArray, starts: Array, counts: Array) -> Array:
    """A copy of stretches of rows that ascend, end to end; those that lie close together are read together."""
    if isinstance(array, np.ndarray):
        return array.take(ranges(starts, counts), axis=0)
    ends = starts + counts
    apart = np.flatnonzero(starts[1:] - ends[:-1] > rows_per_chunk(array, _GAP)) + 1
    parts = [
        array[starts[a] : ends[a]] if b - a == 1 else gather(array, starts[a:b], counts[a:b])
        for a, b in pairwise([0, *apart.tolist(), len(starts)])
        if b > a
    ]
    return parts[0] if len(parts) == 1 else np.concatenate([array[:0], *parts])
