"""The ways out of numbers that a type cannot hold, and of cells that are none: options that the whole table allows."""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping, Sequence
from typing import Any

import numpy as np

from seqtool.advice import Advice, Message
from seqtool.arrays.dtypes import describe_rounding
from seqtool.files.inputs import Input
from seqtool.grouping.encoder_plan import EncoderPlan
from seqtool.grouping.encoder_state import EncoderState
from seqtool.tables.cells import BadCell, OrderState
from seqtool.tables.cells.instants import is_time
from seqtool.tables.cells.times import is_plain_day
from seqtool.tables.list_cells import CellKindError, UnequalListsError
from seqtool.tables.number_marks import marks_of
from seqtool.tables.roles import PLAIN_ORDER
from seqtool.words import join_names, listed

_INT, _SINGLE, _DOUBLE = np.dtype(np.int64), np.dtype(np.float32), np.dtype(np.float64)


def without_features(plan: EncoderPlan, columns: Sequence[int]) -> Advice | None:
    """How to leave columns out of the features; None where none would be left."""
    roles = plan.roles
    left = [column for column in roles.features if column not in columns]
    if not left:
        return None if plan.counter is None or roles.chosen else _counter_alone(plan, columns)
    if roles.chosen:
        return Advice("--columns", join_names(_names(plan, left)), without=["--columns"])
    names = _names(plan, [column for column in columns if not plan.named or column not in roles.key])
    dropped = ["--drop", join_names(names)] if names else []
    # Of a table with names the key is a feature because somebody asked for it.
    return Advice(*dropped, without=["--keep-key"] if {*columns} & {*roles.key} and plan.named else [])


def _names(plan: EncoderPlan, columns: Sequence[int]) -> list[str]:
    """What a call names columns by: a list column stands for its cells, where all of them are there."""
    of_lists = {
        cell: plan.label(owner)
        for owner, cells in plan.elements.items()
        if {*cells} <= {*columns}
        for cell in cells
    }
    return list(dict.fromkeys(of_lists.get(column) or plan.label(column) for column in columns))


def for_list(plan: EncoderPlan, error: CellKindError, sources: Sequence[Input]) -> list[object]:
    """What to do about a cell that is a list, or one of another length than others."""
    column = plan.columns.index(error.column)
    features = [cell for cell in plan.elements.get(column, (column,)) if cell in plan.features]
    out: list[object] = []
    if isinstance(error, UnequalListsError) and not sources:
        out.append(f"; if each is a sequence: seqtool.pad(data, array={error.column!r})")
    if isinstance(error, UnequalListsError) and len(sources) == 1:
        file = sources[0].name if sources[0].named_path else "-"
        out += ["; if each is a sequence: ", Advice("seqtool", "pad", file, "--array", error.column)]
    leaving = without_features(plan, features) if features else None
    return out if leaving is None else [*out, "; without this column: ", leaving]


def _counter_alone(plan: EncoderPlan, columns: Collection[int]) -> Advice:
    """How to leave the numbers of sequences as the only feature, where all cells of a tagging file are text."""
    return Advice("--drop", join_names([*map(plan.label, columns)]), "--keep-key")


def fitting_dtype(plan: EncoderPlan, state: EncoderState, columns: Collection[int]) -> str | None:
    """The dtype that holds all numbers of some features; None where not even float64 does.

    What is not known of float32, because another type was asked for, is taken for too much.
    """
    numbers = [state.features[column] for column in columns]

    def hold(dtype: np.dtype[Any]) -> bool:
        return all(
            one.loss(dtype) is None and not (plan.asked_dtype == dtype and one.rounded) for one in numbers
        )

    if all(one.whole for one in numbers) and hold(_INT):
        return _INT.name
    known = plan.asked_dtype in (None, _SINGLE)
    if hold(_SINGLE) if known else not any(one.large for one in numbers):
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
    times = plan.times(state)
    for name, count in plan.rounded(state).items():
        what = "time" if name in times else "whole number"
        way_out = [] if dtype == _DOUBLE else ["; ", for_features(plan, state)]
        warnings.append(Message(f"{name}: {describe_rounding(count, dtype, what)}", *way_out))
    return warnings


def _may_order(plan: EncoderPlan, state: EncoderState, column: int) -> bool:
    """Whether a feature may become the order instead: then a table with names has it no longer among its features."""
    roles = plan.roles
    return plan.named and not roles.chosen and not roles.order and not state.features[column].missing


def for_cell(plan: EncoderPlan, state: EncoderState, part: str, column: int, bad: BadCell) -> Message:
    """What to do about a cell that is no number, of a feature or a static column."""
    leaving = without_features(plan, [column]) if part == "feature" else without_static(plan, [column])
    marks = for_marks(plan, [bad])
    marks = marks or (for_times(plan, {column: bad}) if part == "static" else None)
    ways: list[object] = [] if marks is None else [marks]
    if _are_no_values(bad) and not (part == "static" and state.statics[column].no_numbers):
        words = [word for cell in bad.words or (bad.cell,) for word in ("--missing", cell)]
        ways = ["as a missing value: ", Advice(*words)]
    if leaving is not None:
        ways += ["; " if ways else "", "without this column: ", leaving]
    alike = (
        "correct it, or leave its row out" if bad.expected else "write it as a plain number, such as 1234.5"
    )
    return Message(*ways or [alike])


def for_marks(plan: EncoderPlan, wrong: Collection[BadCell]) -> Message | None:
    """How cells of text are numbers, where all of them are written with commas, or points between thousands."""
    words = [word for bad in wrong for word in bad.words or (bad.cell,)]
    options = marks_of(words) if plan.text and not plan.marked else []
    return Message("as numbers that are written so: ", Advice(*options)) if options else None


def for_times(plan: EncoderPlan, wrong: Mapping[int, BadCell]) -> Message | None:
    """How columns are numbers that hold times, where there are such among these columns."""
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
    """Whether the cells of a column that holds no numbers are times."""
    if bad.kind:
        return bad.kind.startswith(("timestamp", "date", "time", "duration"))
    return all(map(is_time, bad.words or (bad.cell,)))


def for_order(plan: EncoderPlan, column: int, readings: Sequence[str]) -> Message:
    """How an order column can be read: by what may follow it in the call."""
    name = plan.label(column)
    falls = ":desc" if plan.roles.order_as.get(column, PLAIN_ORDER).descending else ""
    out: list[object] = []
    for reading in readings:
        changed = Advice("--order-by", f"{name}:{reading}{falls}", without=["--order-by", f"{name}{falls}"])
        out += [" or " if out else "", changed]
    return Message(*out, " sorts the column as text" if readings == ("text",) else " reads it")


def for_days(plan: EncoderPlan, order: OrderState, column: int, *words: str) -> Advice | None:
    """How an order column of numbers is read as days, where its first cell is written so; with other words."""
    if order.first is None or not is_plain_day(order.first.cell):
        return None
    name = plan.label(column)
    falls = ":desc" if plan.roles.order_as.get(column, PLAIN_ORDER).descending else ""
    as_days = f"{name}:%Y%m%d{falls}"
    return Advice("--order-by", as_days, *words, without=["--order-by", f"{name}{falls}"])


def without_static(plan: EncoderPlan, columns: Collection[int]) -> Advice:
    """How to do without static columns: where nobody chose the features, they would become some of them."""
    names = [plan.label(column) for column in columns if column not in plan.of_files]
    return plan.without_static(
        columns, *([] if plan.roles.chosen or not names else ["--drop", join_names(names)])
    )


def _are_no_values(bad: BadCell) -> bool:
    """Whether what stands among numbers may well mean that there is none: a few words, no numbers."""
    words = bad.words or (bad.cell,)
    return len(words) <= _FEW and not any(re.match(r"\W*\d", word) for word in words)


_FEW = 3
