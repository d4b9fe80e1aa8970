"""Arrays of a file that are read at any place, as batches need it."""

from __future__ import annotations

from seqtool.arrays.file_array import FileArray
from seqtool.arrays.lazy import AnyArray
from seqtool.arrays.spool import Spool, spooled


def in_place(array: AnyArray, spool: Spool) -> AnyArray:
    """An array whose chunks can be read in any order: one stored in a file as it is, any other copied to a spool."""
    return array if isinstance(array, FileArray) else spooled(spool, array)
