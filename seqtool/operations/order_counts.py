"""Which steps come before a moment, or within a time of the first or last step of their sequence, by order values."""

from __future__ import annotations

from collections.abc import Iterator
from fractions import Fraction
from math import floor

import numpy as np

from seqtool.advice import Advice
from seqtool.arrays.dtypes import Array
from seqtool.arrays.gather import gather, offsets_together
from seqtool.arrays.lazy import AnyArray, lazy_map, rows_per_chunk
from seqtool.arrays.spool import GrowingArray, Spool
from seqtool.errors import DataError
from seqtool.sequences.orders import OrderColumn, first_order
from seqtool.sequences.ragged import Ragged


def steps_before(ragged: Ragged, column: OrderColumn, limits: AnyArray | float, *, spool: Spool) -> AnyArray:
    """The steps of each sequence whose order value is below its limit, (N,) int64; `limits` is (N,) or one for all.

    They are the first steps of the sequence: raises DataError where a later one is below the limit too.

    >>> data = Ragged(np.zeros(5), np.array([0, 3, 5]))
    >>> steps_before(data, OrderColumn("t", "", np.array([1, 5, 9, 6, 7])), 6, spool=Spool()).tolist()
    [2, 0]
    """
    counts = GrowingArray(spool, np.dtype(np.int64))
    for first, offsets in offsets_together(ragged.offsets):
        size = len(offsets) - 1
        limit = limits if isinstance(limits, (int, float)) else limits[first : first + size]
        counts.add(_counts(column, offsets, np.broadcast_to(limit, size), first))
    return counts.done()


def bounds_within(
    ragged: Ragged, size: str, *, of_end: bool, option: str, spool: Spool
) -> tuple[AnyArray, AnyArray]:
    """The first step of each sequence within `size` of its first order value, or of its last, and the end, (N,) each.

    A step that is exactly so far away is within it. Raises DataError where order values fall within a sequence.
    """
    column = first_order(ragged, option)
    distance = column.distance(option, size)
    limits = GrowingArray(spool, column.values.dtype)
    for first, offsets in offsets_together(ragged.offsets):
        _check_ascending(column, offsets, first)
        limits.add(_limits(column, offsets, distance, of_end=of_end))
    inside = steps_before(ragged, column, limits.done(), spool=spool)
    if of_end:
        return inside, ragged.lengths
    return lazy_map(np.zeros_like, inside, dtype=np.int64), inside


def _limits(column: OrderColumn, offsets: Array, distance: Fraction, *, of_end: bool) -> Array:
    """The least order value that is near enough to the last step of each sequence, or too far from the first."""
    real = np.flatnonzero(np.diff(offsets))
    edges = gather(column.values, offsets[1:][real] - 1 if of_end else offsets[:-1][real])
    limits = np.zeros(len(offsets) - 1, column.values.dtype)
    if column.values.dtype.kind == "i":
        limits[real] = edges - floor(distance) if of_end else edges + floor(distance) + 1
    else:
        limits[real] = edges - float(distance) if of_end else np.nextafter(edges + float(distance), np.inf)
    return limits


def _counts(column: OrderColumn, offsets: Array, limits: Array, first: int) -> Array:
    """The same of some sequences, the first of which is number `first`."""
    counts = np.zeros(len(limits), np.int64)
    for values, of, before in _chunks(column, offsets):
        below = values < limits[of]
        counts += np.bincount(of[below], minlength=len(counts))
        _check(column, below & (before >= limits[of]), values, of + first)
    return counts


def _check_ascending(column: OrderColumn, offsets: Array, first: int) -> None:
    """Raise DataError where an order value of a sequence is below the one before it."""
    for values, of, before in _chunks(column, offsets):
        _check(column, values < before, values, of + first)


def _chunks(column: OrderColumn, offsets: Array) -> Iterator[tuple[Array, Array, Array]]:
    """The order values of sequences in pieces, the sequence of each, and the value before it there.

    Before the first value of a sequence is that value itself.
    """
    begin, end = int(offsets[0]), int(offsets[-1])
    size = rows_per_chunk(column.values)
    last = column.values[begin : begin + 1]
    for at in range(begin, end, size):
        values = column.values[at : min(at + size, end)]
        of = np.searchsorted(offsets, np.arange(at, at + len(values)), side="right") - 1
        before = np.concatenate([last, values[:-1]])
        starts = offsets[of] == np.arange(at, at + len(values))
        yield values, of, np.where(starts, values, before)
        last = values[-1:]


def _check(column: OrderColumn, falls: Array, values: Array, sequences: Array) -> None:
    wrong = np.flatnonzero(falls)
    if len(wrong):
        raise DataError(
            f"the values of order column {column.name!r} fall within sequence {sequences[wrong[0]]}, to "
            f"{column.texts(values[wrong[:1]])[0]}; ascending ones were expected: group with ",
            Advice("--order-by", column.name, without=["--order-by"]),
        )
