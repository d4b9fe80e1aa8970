"""The values of order columns behind sorted rows: numbers, or times as whole microseconds or nanoseconds."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from seqtool.advice import Advice
from seqtool.arrays.dtypes import Array, describe_loss, first_loss
from seqtool.arrays.lazy import AnyArray, chunks, lazy_map
from seqtool.errors import DataError
from seqtool.grouping.encoder_plan import EncoderPlan
from seqtool.grouping.encoder_state import EncoderState
from seqtool.grouping.kernel import Grouped
from seqtool.grouping.row_columns import order_name
from seqtool.sequences.orders import SINCE, OrderColumn, Tick

_INT64, _FLOAT64 = np.dtype(np.int64), np.dtype(np.float64)
_MOST_MICROSECONDS = (2**63 - 1) // 1000  # whose nanoseconds int64 holds


def order_values(plan: EncoderPlan, grouped: Grouped, state: EncoderState) -> list[OrderColumn]:
    """The order columns of sorted rows, in the order of the call, each (S,), so that one array can hold them.

    Raises DataError for ordered categories, which are no numbers; for nanoseconds beside times that int64 does not hold
    in that unit; and for whole numbers that float64 does not hold beside fractions in another order column.
    """
    columns = [order_column(plan, grouped, state, column, "--keep-order") for column in plan.roles.order]
    if any(column.values.dtype != _INT64 for column in columns):
        for column in columns:
            _check_as_float(column)
    return columns


def order_column(
    plan: EncoderPlan, grouped: Grouped, state: EncoderState, column: int, option: str
) -> OrderColumn:
    """One order column of sorted rows, for an `option` that takes numbers and times; errors as in `order_values`."""
    name, kind = plan.label(column), state.orders[column].kind
    parts = [grouped.per_step[order_name(column, i)] for i in range(state.orders[column].parts)]
    if kind == "categories":
        raise DataError(
            f"order column {name!r} holds categories, and {option} takes numbers and times: ",
            Advice(without=[option]),
        )
    if kind in SINCE:
        tick, values = _ticks(name, parts, option)
        return OrderColumn(name, f"{tick}{SINCE[kind]}", values)
    whole = parts[0].dtype.kind in "biu"
    return OrderColumn(name, "", _as(_INT64 if whole else _FLOAT64, parts[0]))


def _ticks(name: str, parts: Sequence[AnyArray], option: str) -> tuple[Tick, AnyArray]:
    """Times in microseconds, or in nanoseconds where some need them, and the unit."""
    micro, beyond = parts
    if not any(part.any() for _, part in chunks(beyond)):
        return "us", _as(_INT64, micro)
    most = max(int(np.abs(part).max(initial=0)) for _, part in chunks(micro))
    if most >= _MOST_MICROSECONDS:
        raise DataError(
            f"order column {name!r} holds nanoseconds, and times so far from 1970 that int64 holds no nanoseconds of "
            "them: ",
            Advice(without=[option]),
        )

    def together(micro: Array, beyond: Array) -> Array:
        return micro.astype(np.int64) * 1000 + beyond

    return "ns", lazy_map(together, micro, beyond, dtype=_INT64)


def _as(dtype: np.dtype[Any], values: AnyArray) -> AnyArray:
    return values if values.dtype == dtype else lazy_map(lambda part: part.astype(dtype), values, dtype=dtype)


def _check_as_float(column: OrderColumn) -> None:
    """Raise DataError for a whole number that float64 does not hold: another order column holds fractions."""
    for _, part in chunks(column.values):
        place = first_loss(part, _FLOAT64)
        if place is not None:
            raise DataError(
                f"order column {column.name!r}: {describe_loss(part[place].item(), _FLOAT64)}, and beside fractions in "
                "another order column numbers are float64: ",
                Advice(without=["--keep-order"]),
            )
