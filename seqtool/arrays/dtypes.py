"""Casts that lose nothing but the rounding of a fraction.

NumPy casts silently: 0.9 becomes 0, NaN becomes -2147483648, 300 becomes 44 in int8, 16777217 becomes
16777216 in float32. Here each of these is an error that names the first such number.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
import numpy.typing as npt

from seqtool.dataclass import dataclass
from seqtool.errors import DataError, UsageError
from seqtool.words import count, in_short

Array = npt.NDArray[Any]
EXACT = 2.0**53  # from here on, a float64 no longer holds every integer

DTYPES = [
    "bool",
    "int8",
    "int16",
    "int32",
    "int64",
    "uint8",
    "uint16",
    "uint32",
    "uint64",
    "float16",
    "float32",
    "float64",
]
_CHUNK = 1 << 20  # numbers that are checked at a time, so that a check takes little memory


def dtype_named(name: str | np.dtype[Any]) -> np.dtype[Any]:
    """The dtype of a name such as float32; raises UsageError for one that is not among `DTYPES`.

    >>> dtype_named("float32").itemsize
    4
    """
    plain = name if isinstance(name, str) else np.dtype(name).name
    if plain not in DTYPES:
        raise UsageError(f"dtype is {in_short(plain)}; one of {', '.join(DTYPES)} was expected")
    return np.dtype(plain)


def cast(values: Array, dtype: np.dtype[Any], *, name: str = "values") -> Array:
    """`values` as `dtype`; raises DataError for the first number that would lose more than a fraction's rounding.

    >>> cast(np.array([0.1, 2.0]), np.dtype("float32")).dtype
    dtype('float32')
    >>> cast(np.array([1, 300]), np.dtype("int8"))
    Traceback (most recent call last):
    seqtool.errors.DataError: values[1] is 300, which int8 cannot hold
    """
    check_cast(values, dtype, name=name)
    with np.errstate(all="ignore"):
        return np.asarray(values.astype(dtype, copy=False))


def check_cast(values: Array, dtype: np.dtype[Any], *, name: str = "values") -> None:
    """Raise the DataError that `cast` would raise."""
    place = first_loss(values, dtype)
    if place is not None:
        where = ", ".join(str(i) for i in np.unravel_index(place, values.shape))
        raise DataError(f"{name}[{where}] is {describe_loss(values.reshape(-1)[place].item(), dtype)}")


def describe_loss(number: float, dtype: np.dtype[Any]) -> str:
    """The number, and why `dtype` cannot hold it, as the end of a message.

    >>> describe_loss(0.5, np.dtype("int32"))
    '0.5, whose fraction int32 would lose'
    """
    if dtype.kind == "f":
        exactly = " exactly" if abs(number) <= float(np.finfo(dtype).max) else ""
        return f"{number}, which {dtype} cannot hold{exactly}"
    if abs(number) == np.inf or number != number:  # an integer may be past what NumPy takes
        what = "a missing value" if number != number else str(number)
        return f"{what}, which {dtype} cannot hold"
    if number != int(number):
        return f"{number}, whose fraction {dtype} would lose"
    return f"{int(number)}, which {dtype} cannot hold"


def describe_rounding(number: int, dtype: np.dtype[Any], what: str = "whole number") -> str:
    """How many numbers a cast to a float dtype rounded, as a message; `what` is the noun for one of them.

    >>> describe_rounding(1200, np.dtype("float32"))
    '1,200 whole numbers were rounded to float32'
    """
    return f"{count(number, what)} {'were' if number > 1 else 'was'} rounded to {dtype}"


@dataclass(frozen=True)
class Rounding:
    """How many whole numbers a cast to a float dtype rounds, and the first number that overflows.

    `overflow` is its flat position, None where no number becomes infinite.
    """

    count: int
    overflow: int | None


def rounding(values: Array, dtype: np.dtype[Any]) -> Rounding:
    """What a cast to a float `dtype` does to the whole numbers among `values`; rounded fractions do not count.

    >>> rounding(np.array([1, 2**24 + 1]), np.dtype("float32"))
    Rounding(count=1, overflow=None)
    """
    count, overflow = 0, None
    if values.dtype == dtype or holds_all(values.dtype, dtype):
        return Rounding(0, None)
    for start, chunk in _chunks(values):
        changed = chunk[_losses(chunk, dtype)]
        if not len(changed):
            continue
        with np.errstate(all="ignore"):
            count += int(np.isfinite(changed.astype(dtype)).sum())
            if overflow is None:
                lost = np.flatnonzero(np.isfinite(chunk) & ~np.isfinite(chunk.astype(dtype)))
                overflow = start + int(lost[0]) if len(lost) else None
    return Rounding(count, overflow)


def holds(whole: int, dtype: np.dtype[Any]) -> bool:
    """Whether a dtype holds this integer, which may have any size, exactly.

    >>> holds(2**53 + 2, np.dtype("float64")), holds(2**53 + 2, np.dtype("float32"))
    (True, False)
    """
    if dtype.kind == "f":
        with np.errstate(over="ignore"):
            cast_number = np.array(float(whole)).astype(dtype).item() if abs(whole) < 10**300 else np.inf
        return bool(np.isfinite(cast_number)) and int(cast_number) == whole
    limits = np.iinfo(dtype) if dtype.kind in "iu" else None
    return limits is not None and limits.min <= whole <= limits.max


def first_loss(values: Array, dtype: np.dtype[Any]) -> int | None:
    """The flat position of the first number that a cast to `dtype` would damage, or None.

    A whole number must stay exact (float64 holds all of them up to 2^53, float32 up to 2^24). A float that is
    whole and at most 2^53 counts as one, for a column of integers with gaps becomes floats. A fraction may be
    rounded, but not to infinity.

    >>> first_loss(np.array([1.0, 2**24 + 1]), np.dtype("float32"))
    1
    """
    if values.dtype == dtype or holds_all(values.dtype, dtype):
        return None
    for start, chunk in _chunks(values):
        lost = np.flatnonzero(_losses(chunk, dtype))
        if len(lost):
            return start + int(lost[0])
    return None


def _chunks(values: Array) -> Iterator[tuple[int, Array]]:
    flat = values.reshape(-1)
    for start in range(0, len(flat), _CHUNK):
        yield start, flat[start : start + _CHUNK]


def holds_all(source: np.dtype[Any], target: np.dtype[Any]) -> bool:
    """Whether one dtype holds every number of another exactly.

    >>> holds_all(np.dtype("float32"), np.dtype("float64")), holds_all(np.dtype("int64"), np.dtype("float64"))
    (True, False)
    """
    # NumPy calls int64 to float64 safe, although it rounds past 2^53.
    rounds = source.kind in "iu" and target.kind == "f" and source.itemsize >= 8
    return np.can_cast(source, target, "safe") and not rounds


def _losses(chunk: Array, dtype: np.dtype[Any]) -> Array:
    """Which numbers a cast to `dtype` would damage, (n,) bool; a chunk has one number at least."""
    if dtype.kind == "b":
        return np.asarray((chunk != 0) & (chunk != 1))
    if dtype.kind == "f":
        return _to_float_losses(chunk, dtype)
    if chunk.dtype.kind == "f":
        return _fraction_losses(chunk, dtype)
    limits = np.iinfo(dtype)
    own = np.iinfo(chunk.dtype)  # limits beyond it need no comparison
    return np.asarray((chunk < max(limits.min, own.min)) | (chunk > min(limits.max, own.max)))


def _fraction_losses(chunk: Array, dtype: np.dtype[Any]) -> Array:
    limits = np.iinfo(dtype)
    # Both bounds are powers of two, or 0, which float64 holds exactly.
    wide = chunk.astype(np.float64)
    inside = (wide >= float(limits.min)) & (wide < float(limits.max + 1))
    return np.asarray(~inside | (wide != np.trunc(wide)))


def _to_float_losses(chunk: Array, dtype: np.dtype[Any]) -> Array:
    exact = 2 ** (np.finfo(dtype).nmant + 1)
    with np.errstate(all="ignore"):
        if chunk.dtype.kind != "f":
            if -exact <= int(chunk.min()) and int(chunk.max()) <= exact:
                return np.zeros(len(chunk), dtype=bool)
            return _integer_changes(chunk, dtype)
        big = np.abs(chunk) > exact
        if not big.any():
            return np.asarray(big)
        cast_chunk = chunk.astype(dtype)
        whole = (chunk == np.trunc(chunk)) & (np.abs(chunk) <= EXACT)
        overflows = np.isfinite(chunk) & ~np.isfinite(cast_chunk)
        return np.asarray(big & ((whole & (cast_chunk != chunk)) | overflows))


def _integer_changes(chunk: Array, dtype: np.dtype[Any]) -> Array:
    """Which integers a cast to a float dtype changes: they differ after the cast back."""
    floats, limits = chunk.astype(dtype).astype(np.float64), np.iinfo(chunk.dtype)
    inside = (floats >= float(limits.min)) & (floats < float(int(limits.max) + 1))
    return np.asarray(~inside | (np.where(inside, floats, 0).astype(chunk.dtype) != chunk))
