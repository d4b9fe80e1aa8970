"""Numbers from several sources as one array that holds each of them exactly, with NaN for missing values."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from seqtool.arrays.array_likes import is_array_like, plain
from seqtool.arrays.dtypes import EXACT, Array, first_loss
from seqtool.errors import DataError, at


def common_type(arrays: Sequence[Array]) -> np.dtype[Any]:
    """The dtype that holds every number of some arrays exactly; raises OverflowError where no dtype does."""
    kinds = {array.dtype.kind for array in arrays}
    mixed_signs = {"u", "i"} <= kinds <= {"u", "i", "b"}
    candidates = [np.dtype(np.int64), np.dtype(np.uint64)] if mixed_signs else [np.result_type(*arrays)]
    for dtype in candidates:
        if all(a.dtype.kind not in "biuf" or first_loss(a, dtype) is None for a in arrays):
            return dtype
    raise OverflowError


def filled(array: Any, name: str = "the array") -> tuple[Array, int]:
    """A masked array with NaN in its masked cells, and the number of these; any other array as it is.

    Raises DataError for masked integers, which cannot hold NaN; it names the first masked cell.

    >>> filled(np.ma.masked_array([1.5, 2.5], [False, True]))
    (array([1.5, nan]), 1)
    """
    if not isinstance(array, np.ma.MaskedArray):
        return array, 0
    mask = np.ma.getmaskarray(array)
    missing = int(mask.sum())
    if missing and array.dtype.kind in "biu":
        place = ", ".join(str(i) for i in np.argwhere(mask)[0].tolist())
        raise DataError(
            f"{name}[{place}] is masked: a missing value, which {array.dtype} cannot hold; convert the array first, "
            "with .astype('float64'), or fill it, with .filled(0)"
        )
    return np.asarray(array.filled(np.nan) if missing else array.data), missing


def joined(arrays: Sequence[Array]) -> Array:
    """Arrays end to end; raises OverflowError where no dtype holds all of their numbers exactly.

    >>> joined([np.array([2**63], np.uint64), np.array([1])]).dtype
    dtype('uint64')
    """
    common = common_type(arrays)
    return np.concatenate([array.astype(common, copy=False) for array in arrays])


def array_of(steps: list[Any]) -> tuple[Array, int]:
    """Numbers, or lists of them, as one array, and how many are missing.

    Whole numbers give int64 or uint64, all others float64. Raises TypeError, ValueError or OverflowError for what
    makes no array of numbers, and for a whole number that would be rounded.

    >>> array_of([1, None])
    (array([ 1., nan]), 1)
    """
    if not steps:
        return np.empty(0), 0
    values, missing = np.array(steps), 0
    if values.dtype == object and any(hasattr(cell, "as_py") for cell in values.flat):  # Arrow's scalars
        cells = [cell.as_py() if hasattr(cell, "as_py") else cell for cell in values.flat]
        steps = np.array(cells, dtype=object).reshape(values.shape).tolist()
        values = np.array(steps)
    if values.dtype == object:  # None among numbers; a mixture of anything else raises
        values, missing = _with_gaps(values)
    if values.dtype == np.float64 and not (np.abs(values) < EXACT).all():
        numbers = np.array(steps, dtype=object).reshape(-1).tolist()
        if all(isinstance(number, (int, np.integer)) and number >= 0 for number in numbers):
            return np.array(numbers, dtype=np.uint64).reshape(values.shape), 0
        _check_whole(numbers, values.reshape(-1))
    return values, missing


def _with_gaps(cells: Array) -> tuple[Array, int]:
    """Objects as float64, NaN for missing values, and the number of these; raises TypeError for text."""
    flat = cells.reshape(-1)
    if any(isinstance(cell, (str, bytes)) for cell in flat):
        raise TypeError
    gaps = np.fromiter(map(is_gap, flat), bool, len(flat))
    return np.where(gaps, np.nan, flat).astype(np.float64).reshape(cells.shape), int(gaps.sum())


def is_gap(cell: Any) -> bool:
    """Whether a cell stands for a missing value: None, or the NA of pandas, which is not loaded to ask.

    >>> is_gap(None), is_gap(float("nan"))
    (True, False)
    """
    return cell is None or type(cell).__name__ == "NAType"


def _check_whole(numbers: list[Any], floats: Array) -> None:
    """Raise OverflowError where a whole number was rounded as one of the floats."""
    for place in np.flatnonzero(~(np.abs(floats) < EXACT)).tolist():
        whole = isinstance(numbers[place], (int, np.integer))
        if whole and (not np.isfinite(floats[place]) or int(floats[place]) != int(numbers[place])):
            raise OverflowError


def numbers_in(cells: Any, name: str = "the array") -> tuple[Array, int]:
    """The cells of one sequence as `plain` gives them, as numbers, (n,) or (n, F), and how many are missing.

    Raises DataError for cells that are not numbers.

    >>> numbers_in([np.array([1, 2]), np.array([0.5, 1.5])])[0].tolist()
    [[1.0, 0.5], [2.0, 1.5]]
    """
    if isinstance(cells, list):
        return _side_by_side(cells)
    if isinstance(cells, np.ndarray):
        if cells.dtype.kind == "V":  # a dtype of a framework, such as bfloat16; or one with fields
            raise DataError(f"holds {cells.dtype}; numbers were expected, such as .astype('float32') makes")
        if cells.dtype != object:
            return filled(cells, name)
        try:
            return array_of(cells.tolist())
        except (ValueError, TypeError, OverflowError):
            raise DataError("holds objects; numbers were expected") from None
    from seqtool.arrays.list_columns import is_list, lists_of, numbers_of

    if not is_list(cells.type):
        return numbers_of(cells), cells.null_count
    steps = lists_of(cells)
    if len(steps.lengths) and (steps.lengths != steps.lengths[0]).any():
        raise DataError("its steps have different numbers of features")
    width = int(steps.lengths[0]) if len(steps.lengths) else 0
    return steps.values.reshape(len(cells), width), steps.missing


def filled_step(step: Any, place: str) -> tuple[Any, int]:
    """A step of a list of steps, as an array that NumPy can join to others, and how many numbers are missing.

    >>> filled_step(np.ma.masked_array([1.5, 2.5], [False, True]), "sequences[0][0]")
    (array([1.5, nan]), 1)
    """
    if isinstance(step, np.ndarray) or not is_array_like(step):
        return filled(step, place)
    with at(place):
        return numbers_in(plain(step), place)


def _side_by_side(columns: list[Any]) -> tuple[Array, int]:
    """The columns of a table as one array (n, F), of the dtype that holds all of them."""
    if not columns:
        raise DataError("a table without columns; numbers were expected")
    parts = []
    for place, column in enumerate(columns):
        part, missing = numbers_in(column)
        if part.dtype.kind not in "biuf" or part.ndim != 1:
            content = part.dtype if part.ndim == 1 else "lists"
            raise DataError(f"column {place} holds {content}; numbers were expected")
        parts.append((part, missing))
    arrays = [part for part, _ in parts]
    try:
        dtype = common_type(arrays)
    except OverflowError:
        raise DataError(
            "the columns hold whole numbers that no common type holds exactly; convert them first"
        ) from None
    side_by_side = np.stack([array.astype(dtype, copy=False) for array in arrays], axis=1)
    return side_by_side, sum(missing for _, missing in parts)
