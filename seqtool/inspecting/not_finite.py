"""NaN and infinities in a file, which make the loss of a network NaN."""

from __future__ import annotations

from collections.abc import Iterator
from math import prod
from typing import Any

import numpy as np

from seqtool.arrays.lazy import AnyArray, chunks
from seqtool.arrays.text import Text
from seqtool.sequences.conversion import as_ragged
from seqtool.sequences.ragged import Padded, Ragged

# Bytes that are read of each array: the rest is mostly like them, and may be a terabyte.
_MOST_BYTES = 1 << 28


def not_finite(data: Ragged | Padded, *, looked: int = _MOST_BYTES) -> Iterator[dict[str, Any]]:
    """For each array with NaN or infinities in its real cells: their numbers, and the first sequence that has one.

    Only rows within the first `looked` bytes of an array are read: `looked` of its `rows`, as the facts state.

    >>> [facts["nan"] for facts in not_finite(Ragged(np.array([1, np.nan]), np.array([0, 2])))]
    [1]
    """
    real = as_ragged(data)
    name = "x" if isinstance(data, Padded) else "values"
    per_step = {name: real.values, **{step: array.data for step, array in real.per_step.items()}}
    for array, cells in (*per_step.items(), *real.per_sequence.items()):
        counted = None if isinstance(cells, Text) else _counted(cells, looked)
        if counted is not None:
            first = counted.pop("first")
            if array in per_step:
                first = _sequence(real.offsets, first)
            yield {"array": array, **counted, "sequence": first}


def _counted(cells: AnyArray, looked: int) -> dict[str, int] | None:
    """The NaN and infinities in the first rows of an array, and the `first` row that has any; None without any."""
    if cells.dtype.kind != "f":
        return None
    rows = min(len(cells), max(1, looked // max(1, cells.dtype.itemsize * prod(cells.shape[1:]))))
    nan = infinite = 0
    first: int | None = None
    for begin, part in chunks(cells):
        part = part[: rows - begin]
        finite = np.isfinite(part)
        if not finite.all():
            nan_here = int(np.isnan(part).sum())
            nan, infinite = nan + nan_here, infinite + finite.size - int(finite.sum()) - nan_here
            if first is None:
                first = begin + int(np.argmin(finite.reshape(len(part), -1).all(axis=1)))
        if begin + len(part) >= rows:
            break
    if first is None:
        return None
    return {"nan": nan, "infinite": infinite, "first": first, "looked": rows, "rows": len(cells)}


def _sequence(offsets: AnyArray, step: int) -> int:
    """The sequence that a step belongs to."""
    found = 0
    for begin, part in chunks(offsets):
        if part[0] > step:
            break
        found = begin + int(np.searchsorted(part, step, side="right")) - 1
    return found
