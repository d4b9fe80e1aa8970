"""Casting the steps of sequences, where nothing but the rounding of a fraction may be lost."""

from __future__ import annotations

from typing import Any

import numpy as np

from seqtool.arrays.dtypes import Array, describe_loss, dtype_named, first_loss
from seqtool.arrays.gather import sequence_of
from seqtool.arrays.lazy import AnyArray, chunks, lazy_map
from seqtool.errors import DataError
from seqtool.sequences.ragged import Ragged


def check_cast(ragged: Ragged, dtype: np.dtype[Any]) -> None:
    """Raise DataError where a cast of the values would lose more than the rounding of a fraction."""
    if ragged.values.dtype == dtype:
        return
    cell = lost(ragged.values, dtype)
    if cell is None:
        return
    step, *feature = cell
    offsets = ragged.offsets
    sequence = sequence_of(offsets, step)
    where = f"sequence {sequence}, step {step - int(offsets[sequence : sequence + 1][0])}"
    if feature:
        where += f", feature {feature[0] if ragged.features is None else ragged.features[feature[0]]}"
    raise DataError(f"{where}: {describe_loss(ragged.values[step : step + 1][0][*feature].item(), dtype)}")


def recast(ragged: Ragged, dtype: str | np.dtype[Any]) -> Ragged:
    """The same sequences with values of another type, cast where they are read; errors as in `pad`.

    >>> recast(Ragged(np.array([1, 2]), np.array([0, 2])), "float32").values
    array([1., 2.], dtype=float32)
    """
    target = dtype_named(dtype)
    if ragged.values.dtype == target:
        return ragged
    check_cast(ragged, target)
    return rounded(ragged, target)


def rounded(ragged: Ragged, dtype: np.dtype[Any]) -> Ragged:
    """The same with values of another type, cast where they are read, whatever that does to them."""

    def cast_rows(rows: Array) -> Array:
        with np.errstate(all="ignore"):
            return rows.astype(dtype, copy=False)

    return ragged.replace(values=lazy_map(cast_rows, ragged.values, dtype=dtype))


def lost(values: AnyArray, dtype: np.dtype[Any]) -> tuple[int, ...] | None:
    """The cell of the first number that a cast to `dtype` would damage; None where it damages none.

    >>> lost(np.array([[1, 2], [3, 2**24 + 1]]), np.dtype("float32"))
    (1, 1)
    """
    for begin, part in chunks(values):
        place = first_loss(part, dtype)
        if place is not None:
            row, *within = np.unravel_index(place, part.shape)
            return begin + int(row), *map(int, within)
    return None
