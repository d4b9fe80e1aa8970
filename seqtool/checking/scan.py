"""One look at all cells of a file: what several checks ask of them, and whether they are those that were written."""

from __future__ import annotations

from math import isfinite

import numpy as np

from seqtool.arrays.dtypes import Array
from seqtool.arrays.lazy import AnyArray, chunks
from seqtool.dataclass import dataclass
from seqtool.files.npy import cellwise
from seqtool.sequences.ragged import Padded, Ragged
from seqtool.sequences.validation import Stale, stale_slots


@dataclass(frozen=True)
class Scan:
    """What one look at the cells of a block (N, T, ...), or of values (S, ...), told.

    `largest` is the magnitude of the largest number, padding included: NaN or infinity where any is. `stale` are the
    slots of a block outside its sequences that do not hold its padding value.
    """

    largest: float
    stale: Stale | None = None

    @property
    def finite(self) -> bool:
        """Whether no number is NaN or infinite."""
        return isfinite(self.largest)


def scanned(cells: AnyArray, data: Ragged | Padded) -> Scan:
    """Look at the cells of sequences once, from their front to their end.

    >>> scanned(np.array([1.0, -3.0]), Ragged(np.array([1.0, -3.0]), np.array([0, 2])))
    Scan(largest=3.0, stale=None)
    """
    largest = 0.0

    def seen(part: Array) -> Array:
        nonlocal largest
        if part.dtype.kind == "f" and part.size:
            largest = float(np.maximum(largest, max(abs(part.min()), abs(part.max()))))  # NaN stays NaN
        return part

    watched = cellwise(seen, cells, dtype=cells.dtype)
    stale = None
    if isinstance(data, Padded):
        stale = stale_slots(watched, data.lengths, padding=data.padding, value=data.value)
    else:
        for _ in chunks(watched):
            pass
    return Scan(largest, stale)
