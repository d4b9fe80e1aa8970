"""One look at all cells of a file: what several checks ask of them, and whether they are those that were written."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from seqtool.arrays.dtypes import Array
from seqtool.arrays.lazy import AnyArray, chunks
from seqtool.files.npy import cellwise
from seqtool.sequences.ragged import Padded, Ragged
from seqtool.sequences.validation import Stale, stale_slots


@dataclass(frozen=True)
class Scan:
    """What one look at the cells of a block (N, T, ...), or of values (S, ...), told.

    `finite` says that none is NaN or infinite, padding included; `stale` are the slots of a block outside its sequences
    that do not hold its padding value.
    """

    finite: bool
    stale: Stale | None = None


def scanned(cells: AnyArray, data: Ragged | Padded) -> Scan:
    """Look at the cells of sequences once, from their front to their end.

    >>> scanned(np.array([1.0, np.nan]), Ragged(np.array([1.0, np.nan]), np.array([0, 2])))
    Scan(finite=False, stale=None)
    """
    finite = True

    def seen(part: Array) -> Array:
        nonlocal finite
        finite = finite and (part.dtype.kind != "f" or bool(np.isfinite(part).all()))
        return part

    watched = cellwise(seen, cells, dtype=cells.dtype)
    stale = None
    if isinstance(data, Padded):
        stale = stale_slots(watched, data.lengths, padding=data.padding, value=data.value)
    else:
        for _ in chunks(watched):
            pass
    return Scan(finite, stale)
