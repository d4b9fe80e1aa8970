"""Casts of the steps of sequences, which may lose nothing but the rounding to a float."""

from __future__ import annotations

from typing import Any

import numpy as np

from seqtool.advice import Advice, Message
from seqtool.arrays.dtypes import Array, describe_loss, describe_rounding, first_loss, rounding
from seqtool.arrays.gather import sequence_of
from seqtool.arrays.lazy import AnyArray, chunks, lazy_map
from seqtool.errors import DataError
from seqtool.sequences.ragged import Ragged


def check_cast(ragged: Ragged, dtype: np.dtype[Any]) -> int:
    """The number of whole numbers that a cast of the values to a float dtype rounds; 0 for any other dtype.

    Raises DataError where the cast would lose more than the rounding to a float.
    """
    if ragged.values.dtype == dtype:
        return 0
    if dtype.kind == "f":
        count, cell = rounded_cells(ragged.values, dtype)
    else:
        count, cell = 0, lost(ragged.values, dtype)
    if cell is None:
        return count
    step, *feature = cell
    offsets = ragged.offsets
    sequence = sequence_of(offsets, step)
    where = f"sequence {sequence}, step {step - int(offsets[sequence : sequence + 1][0])}"
    if len(feature) > 1:
        where += f", cell {tuple(feature)}"
    elif feature:
        where += f", feature {feature[0] if ragged.features is None else ragged.features[feature[0]]}"
    number = ragged.values[step : step + 1][0][*feature].item()
    raise DataError(f"{where}: {describe_loss(number, dtype)}; ", wide_enough(ragged.values))


def wide_enough(values: AnyArray) -> Message:
    """The advice where a dtype cannot hold some values: the first of the usual dtypes that can hold all."""
    usual = ("float32", "float64") if values.dtype.kind == "f" else ("int64",)
    name = next((name for name in usual if lost(values, np.dtype(name)) is None), None)
    if name is None:
        return Message("to keep the type that they have, ", Advice(without=["--dtype"]))
    return Message("choose ", Advice("--dtype", name))


def rounding_warnings(count: int, dtype: np.dtype[Any]) -> list[str]:
    """The warning that `count` whole numbers were rounded to a float dtype; none where there are none."""
    if not count:
        return []
    keeping = Advice(without=["--dtype"])
    return [
        Message(describe_rounding(count, dtype), ", which cannot hold them exactly; to keep them, ", keeping)
    ]


def rounded(ragged: Ragged, dtype: np.dtype[Any]) -> Ragged:
    """The same sequences with values of another dtype, cast as they are read, without a check.

    >>> rounded(Ragged(np.array([1, 2]), np.array([0, 2])), np.dtype("float32")).values
    array([1., 2.], dtype=float32)
    """

    def cast_rows(rows: Array) -> Array:
        with np.errstate(all="ignore"):
            return rows.astype(dtype, copy=False)

    return ragged.replace(values=lazy_map(cast_rows, ragged.values, dtype=dtype))


def rounded_cells(values: AnyArray, dtype: np.dtype[Any]) -> tuple[int, tuple[int, ...] | None]:
    """How many whole numbers a cast to a float dtype rounds, and the cell of the first number that overflows."""
    count, cell = 0, None
    for begin, part in chunks(values):
        found = rounding(part, dtype)
        count += found.count
        if cell is None and found.overflow is not None:
            row, *within = np.unravel_index(found.overflow, part.shape)
            cell = begin + int(row), *map(int, within)
    return count, cell


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
