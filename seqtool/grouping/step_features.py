"""Features that are computed of sorted rows, in chunks, when steps are read: times between steps, and their numbers."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from fractions import Fraction
from typing import Any, NoReturn, Protocol

import numpy as np

from seqtool.advice import Advice
from seqtool.arrays.dtypes import Array, describe_loss, first_loss
from seqtool.arrays.lazy import AnyArray, Lazy, chunks
from seqtool.arrays.spool import Spool
from seqtool.errors import DataError, refuse_without_subject
from seqtool.grouping.encoder_plan import EncoderPlan
from seqtool.grouping.encoder_state import EncoderState
from seqtool.grouping.kernel import Computed, Grouped
from seqtool.grouping.order_values import order_column
from seqtool.grouping.step_times import SinceObserved, StepTimes, first_rows
from seqtool.sequences.orders import DURATIONS
from seqtool.tables.roles import PLAIN_ORDER
from seqtool.words import count, shortened

_ROWS = 1 << 16  # looked at together
_SINGLE, _INT64 = np.dtype(np.float32), np.dtype(np.int64)


def computed_names(plan: EncoderPlan, features: Sequence[str]) -> list[str]:
    """The names of the features that a call asks for beside `features`; raises DataError where one is taken."""
    options, time = plan.options, plan.roles.time
    if options.since_observed and not features:  # but categories alone
        refuse_without_subject("--since-observed", "features")
    names = [] if options.delta is None or time is None else [f"{plan.label(time)}_delta"]
    names += ["position"] if options.position else []
    names += [f"{name}_since" for name in features] if options.since_observed else []
    for name in names:
        if name in features:
            raise DataError(
                f"column {shortened(name)!r} is a feature, and a computed one would have its name: ",
                Advice("--drop", name),
            )
    return names


def with_step_features(
    grouped: Grouped, plan: EncoderPlan, state: EncoderState, features: Sequence[str], spool: Spool
) -> Computed:
    """Sorted rows with the features that the call asks for; `features` are the names of those that they have.

    The type of the features stays, but whole numbers become float32 where a computed one holds fractions. Raises
    DataError for an order column whose cells have no differences, and for what the type of the features cannot hold.
    """
    names = computed_names(plan, features)
    if not names:
        return Computed(grouped)
    times, unit = _times(grouped, plan, state)
    parts = _parts(grouped, plan, times, spool)
    survey = _Survey(grouped.values.dtype, plan)
    left = names
    for part in parts:
        width = 0
        for cells in part.first_pass():
            width = cells.shape[1]
            survey.look(left[:width], cells)
        left = left[width:]
    target = survey.target(grouped.values, features)
    width = len(features) + len(names)

    def read(begin: int, end: int) -> Array:
        out = np.empty((end - begin, width), target)
        columns = [grouped.values[begin:end], *(part.cells(begin, end) for part in parts)]
        with np.errstate(all="ignore"):  # what does not fit was refused
            np.concatenate(columns, axis=1, out=out, casting="unsafe")
        return out

    values = Lazy((len(grouped.values), width), target, read)
    meaning = _meaning(plan, unit)
    if target != grouped.values.dtype:
        meaning["x"] = f"{target}, as {survey.fraction} holds fractions"
    warnings = [text for part in parts for text in part.warnings(plan)]
    return Computed(replace(grouped, values=values), names, meaning, unit or None, warnings)


def _times(grouped: Grouped, plan: EncoderPlan, state: EncoderState) -> tuple[StepTimes | None, str]:
    """The times between which differences are taken, if the call asks for any, and their unit, empty for numbers."""
    time, unit = plan.roles.time, plan.options.time_unit
    if time is None:
        return None, ""
    column = order_column(plan, grouped, state, time, "--delta" if plan.options.delta else "--since-observed")
    if column.tick is not None:
        unit = unit or "s"
        return StepTimes(column.name, column.values, Fraction(DURATIONS[column.tick], DURATIONS[unit])), unit
    if unit is not None:
        raise DataError(
            f"order column {column.name!r} holds numbers, and --time-unit is of times: ",
            Advice(without=["--time-unit"]),
        )
    return StepTimes(column.name, column.values), ""


def _meaning(plan: EncoderPlan, unit: str) -> dict[str, str]:
    """What the computed features that hold times are, by their names."""
    options, since = plan.options, f"{unit} since" if unit else "since"
    named = {"" if plan.roles.time is None else plan.label(plan.roles.time): options.delta is not None}
    found = {f"{name}_delta": f"{since} the step before" for name, is_on in named.items() if is_on}
    if options.since_observed:
        found["*_since"] = f"{since} the feature was last observed"
    return found


class _Part(Protocol):
    """Some of the computed features: `first_pass` gives all of their cells, or those that tell their type."""

    def first_pass(self) -> Iterator[Array]:
        """Cells, (n, width) int64 or float64 at a time."""

    def cells(self, begin: int, end: int) -> Array:
        """The cells of some rows, (n, width); after `first_pass` is through."""

    def warnings(self, plan: EncoderPlan) -> list[str]:
        """What may be wrong with them."""


def _parts(grouped: Grouped, plan: EncoderPlan, times: StepTimes | None, spool: Spool) -> list[_Part]:
    """The computed features, in the order of their names."""
    options, found = plan.options, list[_Part]()
    if options.delta is not None and times is not None:
        found.append(_Delta(times, grouped.offsets))
    if options.position:
        found.append(_Position(grouped.offsets))
    if options.since_observed and times is not None:
        found.append(SinceObserved(grouped.values, grouped.offsets, times, spool))
    return found


class _Delta:
    """The time since the step before, (S, 1); 0 in the first step of a sequence."""

    def __init__(self, times: StepTimes, offsets: AnyArray) -> None:
        self._times, self._offsets = times, offsets
        self._backward = 0

    def first_pass(self) -> Iterator[Array]:
        rows = len(self._times.values)
        for begin in range(0, rows, _ROWS):
            cells = self.cells(begin, min(begin + _ROWS, rows))
            self._backward += int((cells < 0).sum())
            yield cells

    def cells(self, begin: int, end: int) -> Array:
        earliest = max(begin - 1, 0)
        times = self._times.values[earliest:end]
        before = np.maximum(np.arange(begin, end) - 1, first_rows(self._offsets, begin, end))
        return self._times.between(times[begin - earliest :], times[before - earliest])[:, None]

    def warnings(self, plan: EncoderPlan) -> list[str]:
        read_as = plan.roles.order_as.get(-1 if plan.roles.time is None else plan.roles.time, PLAIN_ORDER)
        if not self._backward or read_as.descending:
            return []
        name = self._times.name
        return [f"{name} goes back in {count(self._backward, 'step')}, where {name}_delta is below 0"]


class _Position:
    """The number of each step in its sequence, from 0, (S, 1)."""

    def __init__(self, offsets: AnyArray) -> None:
        self._offsets = offsets

    def first_pass(self) -> Iterator[Array]:
        for begin, part in chunks(self._offsets):
            edges = self._offsets[max(begin - 1, 0) : begin + len(part)]
            yield np.diff(edges, prepend=edges[:1]).max(initial=1, keepdims=True)[:, None] - 1

    def cells(self, begin: int, end: int) -> Array:
        return (np.arange(begin, end) - first_rows(self._offsets, begin, end))[:, None]

    def warnings(self, plan: EncoderPlan) -> list[str]:
        return []


class _Survey:
    """Which types hold the computed features, found in one pass over their cells; `own` is that of the others."""

    def __init__(self, own: np.dtype[Any], plan: EncoderPlan) -> None:
        self._plan = plan
        free = plan.options.dtype is None and own.kind in "iu"  # so that they may widen
        self._candidates = [own]
        if free:
            self._candidates += [_INT64, _SINGLE]
        self._losses: dict[np.dtype[Any], tuple[str, Any]] = {}
        self.fraction = ""

    def look(self, names: Sequence[str], cells: Array) -> None:
        """Look at some cells, (n, width), of the features with these names."""
        for dtype in self._candidates:
            place = None if dtype in self._losses else first_loss(cells, dtype)
            if place is not None:
                name, number = names[place % len(names)], cells.reshape(-1)[place].item()
                self._losses[dtype] = name, number
                self.fraction = self.fraction or name

    def target(self, values: AnyArray, features: Sequence[str]) -> np.dtype[Any]:
        """The first type that holds them, and the `values` of the other features; raises DataError where none does."""
        held = [dtype for dtype in self._candidates if dtype not in self._losses]
        if not held:
            dtype = self._candidates[-1]
            name, number = self._losses[dtype]
            self._refuse(f"feature {name!r} would hold {describe_loss(number, dtype)}", dtype)
        if held[0] == _SINGLE != values.dtype:
            for _, part in chunks(values):
                place = first_loss(part, _SINGLE)
                if place is not None:
                    name = features[place % len(features)]
                    lost = describe_loss(part.reshape(-1)[place].item(), _SINGLE)
                    self._refuse(
                        f"feature {name!r}: {lost}, and beside fractions of {self.fraction!r} x is float32",
                        _SINGLE,
                    )
        return held[0]

    def _refuse(self, problem: str, dtype: np.dtype[Any]) -> NoReturn:
        if dtype.kind != "f" and self._plan.options.dtype is not None:
            raise DataError(f"{problem}; ", Advice(without=["--dtype"]))
        raise DataError(f"{problem}; ", Advice("--dtype", "float64"))
