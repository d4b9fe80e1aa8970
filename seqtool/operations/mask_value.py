"""Mask values: which real steps a mask by value would skip, and a value that would skip none.

Keras' `Masking(v)` skips a step when all of its features equal v, and compares as float32.
"""

from __future__ import annotations

from collections.abc import Sequence
from math import prod
from typing import Any

import numpy as np

from seqtool.advice import Advice
from seqtool.arrays.dtypes import Array, first_loss
from seqtool.arrays.lazy import AnyArray, chunks
from seqtool.dataclass import dataclass
from seqtool.errors import DataError

_TRIED = (0, -1, -2, -9, -10, -99, -100, -999, -1000, -9999, -10_000, -99_999, -100_000, -1_000_000)

_UNSIGNED = (0, 255, 254, 253, 65_535, 65_534, 999_999, 9_999_999)  # float32 holds each of them

_SINGLE = np.dtype(np.float32)


@dataclass(frozen=True)
class Held:
    """The real steps whose features all equal a value: how many, and the first of them."""

    count: int
    first: int


def holding(values: AnyArray, value: float) -> Held | None:
    """The steps of (S, ...) whose features all equal `value`, compared as float32; None if there are none.

    >>> holding(np.array([[0, 1], [0, 0], [0, 0]]), 0)
    Held(count=2, first=1)
    """
    return _holding(values, [value], values.dtype)[0]


def free_value(values: AnyArray, dtype: np.dtype[Any] | None = None) -> int:
    """The first of some usual mask values that no step of (S, ...) holds in every feature.

    Steps are compared after a cast to `dtype`, and then to float32. The values tried are 0, -1, -2, -9, -10, -99
    and so on; for unsigned integers 0, 255 and so on. Raises DataError where none is free.

    >>> free_value(np.array([[0.0, 0.0], [-1.0, 5.0]]))
    -1
    """
    dtype = dtype or values.dtype
    tried = candidates(dtype)
    holders = _holding(values, tried, dtype)
    for value, found in zip(tried, holders, strict=True):
        if found is None:
            return value
    wider: list[object] = []
    if dtype.kind in "biu" and None in _holding(values, candidates(_SINGLE), _SINGLE):
        wider = [", or take a type that holds more numbers: ", Advice("--dtype", _SINGLE.name)]
    raise DataError(
        f"no mask value is free: real steps hold each of {', '.join(map(str, tried))}; name one that is: ",
        Advice("--value", "V"),
        *wider,
    )


def candidates(dtype: np.dtype[Any]) -> list[int]:
    """The usual mask values that a dtype can hold, in the order in which they are tried.

    >>> candidates(np.dtype("uint8"))
    [0, 255, 254, 253]
    """
    usual = {"b": (0, 1), "u": _UNSIGNED}.get(dtype.kind, _TRIED)
    return [value for value in usual if first_loss(np.array([value]), dtype) is None]


def _holding(values: AnyArray, sought: Sequence[float], dtype: np.dtype[Any]) -> list[Held | None]:
    """For each of some values the steps whose features all equal it; one pass finds all of them."""
    numbers = [_as_compared(np.array(value), dtype) for value in sought]
    counts, firsts = [0] * len(numbers), [0] * len(numbers)
    for begin, part in chunks(values):
        rows, contents = _of_one_number(_as_compared(part, dtype))
        for i, number in enumerate(numbers):
            same = contents == number
            count = int(np.count_nonzero(same))
            if count and not counts[i]:
                firsts[i] = begin + int(rows[int(np.argmax(same))])
            counts[i] += count
    return [Held(count, first) if count else None for count, first in zip(counts, firsts, strict=True)]


def _as_compared(numbers: Array, dtype: np.dtype[Any]) -> Array:
    """Numbers as a mask by value sees them: cast to the dtype of x, and then to float32."""
    with np.errstate(all="ignore"):
        return np.asarray(numbers.astype(dtype, copy=False).astype(np.float32, copy=False))


def _of_one_number(steps: Array) -> tuple[Array | range, Array]:
    """The steps whose features are all the same number, and that number for each."""
    if steps.ndim == 1:
        return range(len(steps)), steps
    if 0 in steps.shape[1:]:  # without features there is nothing to compare
        return range(0), np.empty(0, steps.dtype)
    steps = steps.reshape(len(steps), prod(steps.shape[1:]))
    rows = np.flatnonzero(steps[:, 0] == steps[:, -1])  # rules out most steps, so that few are compared whole
    likely = steps[rows]
    same = (likely == likely[:, :1]).all(axis=1)
    return rows[same], likely[same, 0]
