"""Arrays of a file that batches are read from."""

from __future__ import annotations

from seqtool.arrays.file_array import FileArray
from seqtool.arrays.lazy import AnyArray
from seqtool.arrays.spool import Spool, spooled


def in_place(array: AnyArray, spool: Spool) -> AnyArray:
    """An array of which any chunk is read at once: as it stands in the file, or inflated into a spool."""
    return array if isinstance(array, FileArray) else spooled(spool, array)
