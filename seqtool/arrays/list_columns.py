"""Arrow arrays as NumPy arrays: numbers, and lists of numbers end to end with their lengths."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from seqtool.arrays.dtypes import EXACT, Array, describe_loss, first_loss
from seqtool.errors import DataError


class Lists(NamedTuple):
    """The numbers of a list column: `values` (S,) or (S, F), `lengths` (N,) int64, and the number of missing values."""

    values: Array
    lengths: Array
    missing: int


def is_list(kind: Any) -> bool:
    """Whether the cells of an Arrow type are lists."""
    return bool(pa.types.is_list(kind) or pa.types.is_large_list(kind) or pa.types.is_fixed_size_list(kind))


def lists_of(column: Any, name: str | None = None, *, first_row: int = 0) -> Lists:
    """The numbers in a batch of a list column, in its own type; integers with nulls become float64.

    Raises DataError for a list that is null, and for lists of anything but numbers; it names the column `name`, and
    the row, counted from `first_row`.

    >>> lists_of(pa.array([[1, 2], [], [3]])).lengths
    array([2, 0, 1])
    """
    of = "the array" if name is None else repr(name)
    what = "the array" if name is None else f"column {name!r}"
    if column.null_count:
        row = first_row + int(np.argmax(np.asarray(column.is_null())))
        raise DataError(f"row {row} of {of} is null; a list was expected, if need be an empty one")
    if not is_list(column.type):
        raise DataError(f"{what} holds {column.type}; lists of numbers were expected")
    lengths = np.asarray(pc.list_value_length(column)).astype(np.int64)
    inner = column.flatten()
    shape: tuple[int, ...] = (len(inner),)
    if is_list(inner.type):
        if inner.null_count:
            raise DataError(f"a step of {of} is null; a list of numbers was expected, if need be of nulls")
        widths = np.asarray(pc.list_value_length(inner))
        if len(widths) and (widths != widths[0]).any():
            raise DataError(f"the steps of {of} have different numbers of features")
        declared = inner.type.list_size if pa.types.is_fixed_size_list(inner.type) else 0
        shape = (len(inner), int(widths[0]) if len(widths) else declared)
        inner = inner.flatten()
    if not is_number(inner.type):
        raise DataError(f"{what} holds {inner.type}; lists of numbers were expected")
    try:
        return Lists(numbers_of(inner).reshape(shape), lengths, inner.null_count)
    except DataError as error:
        raise DataError(f"{what}: {error}") from None


def numbers_of(array: Any) -> Array:
    """The numbers of an Arrow array, (n,), null as NaN: integers with nulls become float64.

    Raises DataError for cells of another type, and for an integer beside a null that float64 cannot hold.

    >>> numbers_of(pa.array([1, None]))
    array([ 1., nan])
    """
    if not is_number(array.type):
        raise DataError(f"holds {array.type}; numbers were expected")
    if pa.types.is_decimal(array.type):
        array = _doubles(array)
    if not array.null_count or pa.types.is_floating(array.type):
        return np.asarray(array.to_numpy(zero_copy_only=False))
    present = np.asarray(pc.fill_null(array, pa.scalar(0).cast(array.type)).to_numpy(zero_copy_only=False))
    double = np.dtype(np.float64)
    lost = first_loss(present, double)
    if lost is not None:
        raise DataError(describe_loss(present[lost].item(), double))
    return np.where(np.asarray(array.is_null()), np.nan, present.astype(double))


def _doubles(decimals: Any) -> Any:
    """Decimals as float64; raises DataError for a whole number that float64 would change."""
    doubles = decimals.cast(pa.float64())
    numbers = np.asarray(pc.fill_null(doubles, 0.0))
    for place in np.flatnonzero(np.abs(numbers) >= EXACT).tolist():
        exact = decimals[place].as_py()
        if exact == exact.to_integral_value() and int(exact) != int(numbers[place]):
            raise DataError(f"holds {exact}, which float64 cannot hold exactly")
    return doubles


def without_null_type(array: Any) -> Any:
    """The same Arrow array, lists of the null type (empty, or null alone) cast to lists of float64."""
    kind = array.type
    empty = pa.types.is_list(kind) and pa.types.is_null(kind.value_type)
    return array.cast(pa.list_(pa.float64())) if empty else array


def is_number(kind: Any) -> bool:
    """Whether the cells of an Arrow type are numbers or booleans."""
    types = pa.types
    return bool(
        types.is_integer(kind) or types.is_floating(kind) or types.is_boolean(kind) or types.is_decimal(kind)
    )
