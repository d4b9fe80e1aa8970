"""Where a file holds NaN and infinities, which make the loss of a network NaN."""

from __future__ import annotations

from collections.abc import Iterator
from math import prod
from typing import Any

import numpy as np

from seqtool.arrays.lazy import AnyArray, chunks
from seqtool.arrays.text import Text
from seqtool.sequences.conversion import as_ragged
from seqtool.sequences.ragged import Padded, Ragged

_LOOKED = (
    1 << 28
)  # bytes of each array that are looked at: what follows is mostly like it, and may be a terabyte


def not_finite(data: Ragged | Padded, *, looked: int = _LOOKED) -> Iterator[dict[str, Any]]:
    """For each array with NaN or infinities in its real cells: how many, and the first sequence that has one.

    Only rows within the first `looked` bytes of an array are read: `looked` of its `rows` in what is given.

    >>> [odd["nan"] for odd in not_finite(Ragged(np.array([1, np.nan]), np.array([0, 2])))]
    [1]
    """
    real = as_ragged(data)
    name = "x" if isinstance(data, Padded) else "values"
    per_step = {name: real.values, **{step: array.data for step, array in real.per_step.items()}}
    for array, cells in (*per_step.items(), *real.per_sequence.items()):
        odd = None if isinstance(cells, Text) else _counted(cells, looked)
        if odd is not None:
            first = odd.pop("first")
            if array in per_step:
                first = _sequence(real.offsets, first)
            yield {"array": array, **odd, "sequence": first}


def _counted(cells: AnyArray, looked: int) -> dict[str, int] | None:
    if cells.dtype.kind != "f":
        return None
    rows = min(len(cells), max(1, looked // max(1, cells.dtype.itemsize * prod(cells.shape[1:]))))
    nan = infinite = 0
    first: int | None = None
    for begin, part in chunks(cells):
        part = part[: rows - begin]
        finite = np.isfinite(part)
        if not finite.all():
            unknown = int(np.isnan(part).sum())
            nan, infinite = nan + unknown, infinite + finite.size - int(finite.sum()) - unknown
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
