"""Which numbers batches hold: what losses and layers take, and nothing that a cast would damage."""

from __future__ import annotations

from typing import Any

import numpy as np

from seqtool.arrays.dtypes import first_loss
from seqtool.errors import DataError, UsageError


def step_dtype(
    stored: np.dtype[Any], requested: np.dtype[Any] | None, *, tokens: bool, name: str
) -> np.dtype[Any]:
    """The dtype of the steps of batches: the requested one, else float32, and int64 for token ids.

    Raises UsageError for one that would lose fractions; `name` is the file.
    """
    if requested is None:
        return np.dtype(np.int64 if tokens and stored.kind in "iu" else np.float32)
    if not np.can_cast(stored, requested, "same_kind"):
        raise UsageError(f"dtype is {requested}, but the steps of {name} are {stored}")
    return requested


def label_dtype(name: str, stored: np.dtype[Any], steps: np.dtype[Any]) -> np.dtype[Any]:
    """The dtype of labels as losses take them: whole numbers int64, floats the float dtype of the steps, else float32.

    What was observed stays as the mask is. Raises DataError for text.
    """
    if name == "observed":
        return stored
    if stored.kind not in "biuf":
        raise DataError(f"{name} holds text; numbers were expected, with their names in classes")
    if stored.kind != "f":
        return np.dtype(np.int64)
    return steps if steps.kind == "f" else np.dtype(np.float32)


def lost(file: str, name: str, i: int, number: Any, dtype: np.dtype[Any]) -> DataError:
    """The error for a number of sequence i that a dtype cannot hold; `name` is its array, nothing for the steps."""
    where = f"{name} of sequence" if name else "sequence"
    return DataError(
        f"{file}: {where} {i} holds {number}, which {dtype} cannot hold"
        f"{' exactly' if dtype.kind == 'f' else ''}; {_way_out(number, dtype, labels=bool(name))}"
    )


def _way_out(number: Any, dtype: np.dtype[Any], *, labels: bool) -> str:
    """The advice for a number that a dtype cannot hold."""
    if dtype.kind == "f" and first_loss(np.array([number]), np.dtype(np.float64)) is None:
        return "use dtype float64"
    return "store smaller numbers" if labels else f"use dtype {number.dtype}"
