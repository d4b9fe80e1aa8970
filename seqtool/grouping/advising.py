"""Advice for numbers that a type cannot hold and for cells that are no numbers: options that suit the whole table."""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping, Sequence
from typing import Any

import numpy as np

from seqtool.advice import Advice, Message
from seqtool.arrays.dtypes import describe_rounding
from seqtool.files.inputs import Input
from seqtool.grouping import column_facts
from seqtool.grouping.encoder_plan import EncoderPlan
from seqtool.grouping.encoder_state import EncoderState
from seqtool.grouping.static_columns import without_static
from seqtool.tables.cells import BadCell, OrderState
from seqtool.tables.cells.instants import is_time
from seqtool.tables.cells.times import is_plain_day
from seqtool.tables.list_cells import CellKindError, UnequalListsError
from seqtool.tables.number_marks import marks_of
from seqtool.tables.roles import PLAIN_ORDER
from seqtool.words import join_names, listed

_INT, _SINGLE, _DOUBLE = np.dtype(np.int64), np.dtype(np.float32), np.dtype(np.float64)


def without_features(plan: EncoderPlan, columns: Sequence[int]) -> Advice | None:
    """The advice to leave columns out of the features; None where no feature would be left."""
    roles = plan.roles
    left = [column for column in roles.features if column not in columns]
    if not left:
        return None if plan.counter is None or roles.chosen else _counter_alone(plan, columns)
    if roles.chosen:
        return Advice("--columns", join_names(_names(plan, left)), without=["--columns"])
    names = _names(plan, [column for column in columns if not plan.named or column not in roles.key])
    dropped = ["--drop", join_names(names)] if names else []
    # In a table with names the key is a feature only if the call asks for it.
    return Advice(*dropped, without=["--keep-key"] if {*columns} & {*roles.key} and plan.named else [])


def _names(plan: EncoderPlan, columns: Sequence[int]) -> list[str]:
    """The names of columns in a call: that of a list column for all of its cells together."""
    of_lists = {
        cell: plan.label(owner)
        for owner, cells in plan.elements.items()
        if {*cells} <= {*columns}
        for cell in cells
    }
    return list(dict.fromkeys(of_lists.get(column) or plan.label(column) for column in columns))


def for_list(plan: EncoderPlan, error: CellKindError, sources: Sequence[Input]) -> list[object]:
    """What to do about a cell that is a list, or a list of another length than others."""
    column = plan.columns.index(error.column)
    features = [cell for cell in plan.elements.get(column, (column,)) if cell in plan.features]
    ways: list[object] = []
    if isinstance(error, UnequalListsError) and not sources:
        ways.append(f"; if each is a sequence: seqtool.pad(data, array={error.column!r})")
    if isinstance(error, UnequalListsError) and len(sources) == 1:
        file = sources[0].name if sources[0].named_path else "-"
        ways += ["; if each is a sequence: ", Advice("seqtool", "pad", file, "--array", error.column)]
    leaving = without_features(plan, features) if features else None
    return ways if leaving is None else [*ways, "; without this column: ", leaving]


def _counter_alone(plan: EncoderPlan, columns: Collection[int]) -> Advice:
    """The advice to keep the number of the sequence as the only feature, where all cells of a tagging file are text."""
    return Advice("--drop", join_names([*map(plan.label, columns)]), "--keep-key")


def fitting_dtype(plan: EncoderPlan, state: EncoderState, columns: Collection[int]) -> str | None:
    """The dtype that holds all numbers of some features; None where not even float64 does.

    Where another type than float32 was asked for, losses to float32 were not counted; then any large number is
    taken to be one.
    """
    features = [state.features[column] for column in columns]

    def hold(dtype: np.dtype[Any]) -> bool:
        rounds = plan.asked_dtype == dtype
        return all(numbers.loss(dtype) is None and not (rounds and numbers.rounded) for numbers in features)

    if all(numbers.whole for numbers in features) and hold(_INT):
        return _INT.name
    counted = plan.asked_dtype in (None, _SINGLE)
    if hold(_SINGLE) if counted else not any(numbers.large for numbers in features):
        return _SINGLE.name
    return _DOUBLE.name if hold(_DOUBLE) else None


def for_features(plan: EncoderPlan, state: EncoderState) -> Message:
    """What to do where the type of the features does not hold all of their numbers."""
    dtype = fitting_dtype(plan, state, plan.features)
    if dtype is not None:
        return Message("choose ", Advice("--dtype", dtype))
    wrong = [column for column in plan.features if state.features[column].loss(_DOUBLE) is not None]
    names = listed([repr(plan.label(column)) for column in wrong])
    about = f"no type holds {names} beside the other numbers"
    left = [column for column in plan.features if column not in wrong]
    leaving = without_features(plan, wrong)
    if leaving is None and len(plan.features) == 1 and not plan.text and state.features[wrong[0]].unsigned:
        return Message("choose ", Advice("--dtype", "uint64"))
    if leaving is None:
        return Message(f"{about}; to round whole numbers: ", Advice("--dtype", "float64"))
    # What is left may need a type of its own.
    needed = fitting_dtype(plan, state, left)
    dtype_words = ["--dtype", needed] if needed == _DOUBLE.name else []
    asked = ["--dtype"] if plan.options.dtype is not None and not dtype_words and not plan.rounds else []
    out: list[object] = []
    if len(wrong) == 1 and _may_order(plan, state, wrong[0]):
        order = Advice("--order-by", plan.label(wrong[0]), *dtype_words, without=asked)
        out = ["if it tells the order, ", order, "; or "]
    leaving = Advice(*leaving.words, *dtype_words, without=[*leaving.without, *asked])
    return Message(f"{about}; ", *out, "leave it out: " if len(wrong) == 1 else "leave them out: ", leaving)


def rounding_warnings(plan: EncoderPlan, state: EncoderState) -> list[str]:
    """A warning for each feature of which whole numbers were rounded to the dtype asked for."""
    dtype, warnings = plan.dtype(state), list[str]()
    times = column_facts.times(plan, state)
    for name, count in column_facts.rounded(plan, state).items():
        what = "time" if name in times else "whole number"
        way_out = [] if dtype == _DOUBLE else ["; ", for_features(plan, state)]
        warnings.append(Message(f"{name}: {describe_rounding(count, dtype, what)}", *way_out))
    return warnings


def _may_order(plan: EncoderPlan, state: EncoderState, column: int) -> bool:
    """Whether a feature may become the order instead; in a table with names it is then no feature any more."""
    roles = plan.roles
    return plan.named and not roles.chosen and not roles.order and not state.features[column].missing


def for_cell(plan: EncoderPlan, state: EncoderState, part: str, column: int, bad: BadCell) -> Message:
    """What to do about a cell of a feature or a static column that is no number; `part` says which."""
    leaving = without_features(plan, [column]) if part == "feature" else without_static(plan, [column])
    marks = for_marks(plan, [bad])
    marks = marks or (for_times(plan, {column: bad}) if part == "static" else None)
    ways: list[object] = [] if marks is None else [marks]
    if _are_no_values(bad) and not (part == "static" and state.statics[column].no_numbers):
        words = [word for cell in bad.words or (bad.cell,) for word in ("--missing", cell)]
        ways = ["as a missing value: ", Advice(*words)]
    if part == "static" and plan.elsewhere is None and _are_names(bad, state.statics[column].no_numbers):
        ways += [
            "; " if ways else "",
            "as ids of names: ",
            Advice("--category", join_names([plan.label(column)])),
        ]
    if leaving is not None:
        ways += ["; " if ways else "", "without this column: ", leaving]
    alike = (
        "correct it, or leave its row out" if bad.expected else "write it as a plain number, such as 1234.5"
    )
    return Message(*ways or [alike])


def _are_names(bad: BadCell, no_numbers: bool) -> bool:
    """Whether a static column holds text alone, which is no time."""
    return no_numbers and (bad.kind in ("string", "large_string") if bad.kind else not _holds_times(bad))


def for_marks(plan: EncoderPlan, wrong: Collection[BadCell]) -> Message | None:
    """The advice to name the marks of numbers such as 1.234,5; None where not all bad cells are such."""
    words = [word for bad in wrong for word in bad.words or (bad.cell,)]
    options = marks_of(words) if plan.text and not plan.marked else []
    return Message("as numbers that are written so: ", Advice(*options)) if options else None


def for_times(plan: EncoderPlan, wrong: Mapping[int, BadCell]) -> Message | None:
    """The advice to read times as numbers, and to leave out other bad columns; None where no column holds times."""
    others = [column for column, bad in wrong.items() if not _holds_times(bad)]
    if plan.options.time_as is not None or len(others) == len(wrong):
        return None
    leaving = without_features(plan, others) if others else None
    if others and leaving is None:
        return None
    more, without = (leaving.words, leaving.without) if leaving else ((), ())
    as_seconds = Advice("--time-as", "seconds", *more, without=without)
    return Message("times as seconds since 1970: ", as_seconds)


def _holds_times(bad: BadCell) -> bool:
    """Whether the cells of a column without numbers are times."""
    if bad.kind:
        return bad.kind.startswith(("timestamp", "date", "time", "duration"))
    return all(map(is_time, bad.words or (bad.cell,)))


def for_order(plan: EncoderPlan, column: int, readings: Sequence[str]) -> Message:
    """The advice to read an order column as one of some `readings`, which follow its name after a colon."""
    name = plan.label(column)
    falls = ":desc" if plan.roles.order_as.get(column, PLAIN_ORDER).descending else ""
    ways: list[object] = []
    for reading in readings:
        changed = Advice("--order-by", f"{name}:{reading}{falls}", without=["--order-by", f"{name}{falls}"])
        ways += [" or " if ways else "", changed]
    return Message(*ways, " sorts the column as text" if readings == ("text",) else " reads it")


def for_days(plan: EncoderPlan, order: OrderState, column: int, *words: str) -> Advice | None:
    """The advice to read an order column of numbers as days; None where its first cell is not like 20240131.

    `words` are further options of the advice.
    """
    if order.first is None or not is_plain_day(order.first.cell):
        return None
    name = plan.label(column)
    falls = ":desc" if plan.roles.order_as.get(column, PLAIN_ORDER).descending else ""
    as_days = f"{name}:%Y%m%d{falls}"
    return Advice("--order-by", as_days, *words, without=["--order-by", f"{name}{falls}"])


def _are_no_values(bad: BadCell) -> bool:
    """Whether bad cells among numbers are likely spellings of a missing value: a few words, none like a number."""
    words = bad.words or (bad.cell,)
    return len(words) <= _MOST_WORDS and not any(re.match(r"\W*\d", word) for word in words)


_MOST_WORDS = 3
