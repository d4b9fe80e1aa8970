"""The side of a sequence that is padded, and the value that padding has."""

from __future__ import annotations

from functools import lru_cache
from math import isfinite
from typing import Any, Literal, cast, get_args

import numpy as np

from seqtool.advice import Advice
from seqtool.arrays.array_likes import is_array_like
from seqtool.arrays.dtypes import first_loss
from seqtool.errors import DataError, UsageError
from seqtool.words import in_short, shortened, step_in_words

Side = Literal["pre", "post"]


Value = float | tuple[float, ...]
"""The padding value: one number, or one for each feature; for steps (H, W, C) one for each channel."""


_SINGLE = np.dtype(np.float32)
UNLABELLED = -100
"""The label of what has none, and of padded steps: losses ignore it by convention."""


def check_side(name: str, side: str) -> Side:
    """The side; raises UsageError unless it is pre or post."""
    if side not in get_args(Side):
        raise UsageError(f"{name} is {in_short(side)}; pre or post was expected")
    return cast(Side, side)


def as_value(value: Any) -> Any:
    """A padding value as a Python number, where it is a tensor or array without dimensions.

    Anything else stays as it is; `check_value` judges it.

    >>> as_value(np.array(2)), as_value((0, 1))
    (2, (0, 1))
    """
    return np.asarray(value).item() if is_array_like(value) and not getattr(value, "ndim", 1) else value


def check_value(value: Value, feature_shape: tuple[int, ...], dtype: np.dtype[Any]) -> None:
    """Raise DataError unless `value` is one number, or a tuple of one for each feature, that `dtype` can hold.

    As in every cast, a fraction may be rounded and nothing else may change.
    """
    check_value_shape(value, feature_shape)
    numbers: tuple[object, ...] = value if isinstance(value, tuple) else (value,)
    for number in numbers:
        if not isinstance(number, (int, float, np.integer, np.floating)):
            raise DataError(
                f"value is {in_short(value)}; a number, or a tuple of one for each feature, was expected"
            )
        if not _is_held(number, dtype):
            single = dtype != _SINGLE and _is_held(number, _SINGLE)
            raise DataError(
                f"value {shortened(in_short(number), 24)} cannot be held in {dtype}; choose another, such as ",
                Advice("--value", "0"),
                *([", or ", Advice("--dtype", _SINGLE.name)] if single else []),
            )


@lru_cache(typed=True)  # the same few numbers, for one sequence after another
def _is_held(number: float | np.number[Any], dtype: np.dtype[Any]) -> bool:
    cell = np.array([number])
    return cell.dtype != object and first_loss(cell, dtype) is None  # object: an integer past 64 bits


def check_step_value(name: str, value: float, dtype: np.dtype[Any], option: str = "") -> None:
    """Raise DataError unless a per-step array of `dtype` can hold the `value` that pads it; `option` set the value.

    >>> check_step_value("step_y", float("nan"), np.dtype("int64"), "--label-value")  # doctest: +ELLIPSIS
    Traceback (most recent call last):
    seqtool.errors.DataError: --label-value: nan cannot be held in int64, the type of step_y; ... was expected
    """
    try:
        check_value(value, (), dtype)
    except DataError:
        what = "a whole number" if dtype.kind in "iu" else "0 or 1" if dtype.kind == "b" else "another number"
        raise DataError(
            f"{option or f'the padding of {name}'}: {value} cannot be held in {dtype}, the type of {name}; "
            f"{what} was expected"
        ) from None


def check_value_shape(value: Value, feature_shape: tuple[int, ...]) -> None:
    """Raise DataError unless a tuple has a number for each feature, or for each place of the last axis of a step."""
    if isinstance(value, tuple) and (len(value),) != feature_shape[-1:]:
        if len(feature_shape) > 1:
            step, last = step_in_words(feature_shape), feature_shape[-1]
            raise DataError(
                f"value has {len(value)} numbers, but a step is {step}; one number, or {last}, were expected"
            )
        features = feature_shape[0] if feature_shape else "no"
        raise DataError(f"value has {len(value)} numbers, but a step has {features} features")


def value_to_json(value: Value) -> Any:
    """A padding value for strict JSON: NaN and infinities as text.

    >>> value_to_json((0, float("nan")))
    [0, 'nan']
    """
    if isinstance(value, tuple):
        return [value_to_json(number) for number in value]
    number: Any = value.item() if hasattr(value, "item") else value  # NumPy's numbers are no JSON
    return number if isfinite(number) else str(number)


def value_from_json(value: Any) -> Value:
    """The inverse of `value_to_json`; raises DataError for anything but numbers."""
    if isinstance(value, list):
        return tuple(number_from_json(number) for number in value)
    return number_from_json(value)


def number_from_json(number: Any) -> float:
    """One number of `value_to_json` as a Python number; raises DataError for anything else."""
    if number in ("nan", "inf", "-inf"):
        return float(number)
    if not isinstance(number, (int, float)):
        raise DataError(f"meta says that padding holds {in_short(number)}; a number was expected")
    return number


def mask_number(value: Value) -> float | None:
    """The finite number that pads every feature, with which a mask by value can compare; None without one.

    >>> mask_number((0, 0)), mask_number((0, 1)), mask_number(float("nan"))
    (0, None, None)
    """
    numbers = set(value) if isinstance(value, tuple) else {value}
    return numbers.pop() if len(numbers) == 1 and np.isfinite(list(numbers)).all() else None
