"""Arrays of a file that are read at any place, as batches need it."""

from __future__ import annotations

from math import prod

from seqtool.arrays.file_array import FileArray, FilesArray
from seqtool.arrays.lazy import AnyArray, chunks
from seqtool.arrays.spool import Spool


def in_place(array: AnyArray, spool: Spool) -> FileArray | FilesArray:
    """An array as it is stored in a file; one that is compressed or computed is copied to a spool.

    >>> import numpy as np
    >>> with Spool() as spool:
    ...     in_place(np.arange(5), spool)[1:3]
    array([1, 2])
    """
    if isinstance(array, (FileArray, FilesArray)):
        return array
    whole, cells = spool.blank(array.shape, array.dtype), prod(array.shape[1:])
    for begin, part in chunks(array):
        spool.put(part, whole, begin * cells)
    return whole
