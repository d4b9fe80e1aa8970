"""From a table to an encoder: rows encoded for the kernel, or only observed; errors name the place in the table."""

from __future__ import annotations

import shlex
from collections.abc import Callable, Iterator
from concurrent.futures import Executor
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa

from seqtool.advice import Advice, Message
from seqtool.arrays.dtypes import Array
from seqtool.errors import DataError
from seqtool.grouping.advising import (
    for_cell,
    for_days,
    for_features,
    for_list,
    for_marks,
    for_order,
    for_times,
    without_features,
)
from seqtool.grouping.encoder import Encoder, TextKeyError
from seqtool.grouping.encoder_plan import EncoderPlan
from seqtool.grouping.encoder_state import EncoderState
from seqtool.grouping.static_columns import without_static
from seqtool.system.prefetch import prefetched
from seqtool.tables.cell_errors import bad_cell_error, no_numbers_error
from seqtool.tables.cells import LabelState, Loss
from seqtool.tables.list_cells import CellKindError
from seqtool.tables.table import Expected, Table
from seqtool.words import join_names

if TYPE_CHECKING:
    from seqtool.grouping.gaps import Gap

PlaceOf = Callable[[Any], str]
"""Says in words where the row of a state stands, as `Table.place` does."""


def encoded(
    table: Table, encoder: Encoder, pool: Executor, *, threads: int | None = None
) -> Iterator[dict[str, Any]]:
    """The rows of a table as the kernel takes them, batch by batch; rows with an empty key are left out if so asked.

    `threads` read at once, by default one a core; `pool` encodes. Raises DataError for the first cell that is not what
    its column needs, and TextKeyError for a key of text that would be a feature.
    """
    for arrays, first_row in batches(table, encoder.plan, threads):
        columns = encoder.encode(arrays, first_row, pool)
        if encoder.faulty:
            _check_cells(encoder.plan, encoder.state, table.name, table.place)
        if encoder.has_text_keys:
            features = encoder.plan.features
            left = encoder.plan.settled(encoder.state).features
            raise TextKeyError(next(column for column in features if column not in left))
        if columns:
            yield columns


def batches(
    table: Table, plan: EncoderPlan, threads: int | None = None
) -> Iterator[tuple[dict[int, Any], int | Array]]:
    """The columns of some rows at a time by position, and the number of the first row, or of each after `where`."""
    expected, where = replace(plan.expected(), threads=threads), plan.options.where
    try:
        yield from _all(table, plan, expected) if where is None else _filtered(table, plan, expected, where)
    except CellKindError as error:
        raise DataError(error, *for_list(plan, error, table.sources)) from None


def _all(table: Table, plan: EncoderPlan, expected: Expected) -> Iterator[tuple[dict[int, Any], int]]:
    columns, first_row = plan.roles.used, 0
    for raw in prefetched(table.batches(columns, expected)):
        if len(raw):
            yield dict(zip(columns, raw.columns, strict=True)), first_row
            first_row += len(raw)


def _filtered(
    table: Table, plan: EncoderPlan, expected: Expected, where: str
) -> Iterator[tuple[dict[int, Any], Array]]:
    """The same of the rows for which `where` is true; the others are counted in `table.left_out`."""
    from seqtool.tables.row_filter import LEFT_OUT, MISSING, BadFilterCell, RowFilter

    chosen = RowFilter.of(where, table, plan.options.missing, plan.roles.used, expected)
    columns = sorted({*plan.roles.used, *chosen.columns.values()})
    first_row = kept = missing = 0
    for raw in prefetched(table.batches(columns, chosen.expecting(expected))):
        arrays = dict(zip(columns, raw.columns, strict=True))
        try:
            keep, unknown = chosen.kept(arrays)
        except BadFilterCell as bad:
            raise bad.at(table.place(first_row + bad.row)) from None
        rows = first_row + np.flatnonzero(keep)
        first_row += len(raw)
        kept += len(rows)
        missing += unknown
        table.left_out.update({LEFT_OUT: first_row - kept - missing, MISSING: missing})
        if len(rows):
            marks = pa.array(keep)
            yield {column: arrays[column].filter(marks) for column in plan.roles.used}, rows


def check(plan: EncoderPlan, state: EncoderState, *, name: str, place: PlaceOf, read: int = 0) -> None:
    """Raise DataError for what is wrong with the rows of a table called `name`, after all of them were `read`.

    The first bad cell comes first; then what only all rows show: empty keys, order values and labels, and numbers
    that the type of their column cannot hold.
    """
    if read and not state.rows and plan.options.where is not None:
        where = shlex.quote(plan.options.where)
        raise DataError(f"--where {where}: true of none of the {read:,} rows of {name}")
    if not state.rows:
        raise DataError(f"{name}: holds a header, but no rows; rows were expected")
    _check_cells(plan, state, name, place)
    settled = plan.settled(state)
    if plan.features and not settled.features:
        raise DataError(f"{name}: no column is left to be a feature: none holds numbers")
    _check_keys(settled, state)
    for column in settled.roles.order:
        _check_empty(settled, state, "order", column, state.orders[column].missing)
        _check_loss(settled, column, state.orders[column].loss, place)
    for option, size in (("--gap", settled.options.gap), ("--every", settled.options.every)):
        if size is not None:
            _check_size(settled, state, size, option)
    _check_items(settled, state, place)
    for part, column in settled.labels.items():
        _check_labels(settled, state.labels[part], column, state.rows, place)
    _check_dtypes(settled, state, place)


def _check_keys(plan: EncoderPlan, state: EncoderState) -> None:
    """Raise DataError for rows with an empty key, unless the call says what to do, and where no row is left."""
    for column in plan.roles.key:
        if state.keys[column].empty and plan.options.empty_key == "error":
            raise DataError(
                f"key column {plan.label(column)!r} is empty in {state.keys[column].empty:,} of {state.rows:,} rows; "
                "say what to do with them: ",
                Advice("--empty-key", "drop"),
                ", or ",
                Advice("--empty-key", "keep"),
            )
    if state.unnamed and state.rows == state.dropped + state.unnamed:
        raise DataError(
            f"none of {state.rows:,} rows holds an item that --columns names; nothing is left to group"
        )
    if state.rows == state.dropped:
        raise DataError(f"all {state.rows:,} rows have an empty key; nothing is left to group")


def _check_dtypes(plan: EncoderPlan, state: EncoderState, place: PlaceOf) -> None:
    """Raise DataError for the first number that the type of the features, or of the static numbers, cannot hold."""
    dtype, static_dtype = plan.dtype(state), plan.static_dtype(state)
    for column in plan.features:
        if loss := state.features[column].loss(dtype, rounds=plan.rounds):
            where = f"{place(loss.row)}, column {plan.label(column)!r}"
            raise DataError(f"{where}: {loss.reason}; ", for_features(plan, state))
    for column in plan.roles.static:
        if loss := state.statics[column].loss(static_dtype):
            where = f"{place(loss.row)}, static column {plan.label(column)!r}"
            raise DataError(f"{where}: {loss.reason}; ", without_static(plan, [column]))


def _check_cells(plan: EncoderPlan, state: EncoderState, name: str, place: PlaceOf) -> None:
    """Raise DataError for the first bad cell; it names all features that hold no numbers if it is one of those."""
    found = plan.first_bad_cell(state)
    if found is None:
        return
    if found.part == "feature":
        wrong = {
            column: bad
            for column in plan.sure_features
            if (bad := state.features[column].bad) and state.features[column].no_numbers
        }
        if wrong:
            named = {plan.label(column): bad for column, bad in wrong.items()}
            otherwise = for_marks(plan, wrong.values()) or for_times(plan, wrong)
            text = (
                not plan.roles.chosen and plan.roles.item is None and not any(b.kind for b in wrong.values())
            )
            as_names = Advice("--category", join_names([*named])) if text else None
            raise no_numbers_error(named, without_features(plan, [*wrong]), otherwise, as_names)
    way_out = None
    if found.part in ("feature", "static"):
        way_out = for_cell(plan, state, found.part, found.column, found.bad)
    elif found.part == "order":
        way_out = for_marks(plan, [found.bad])
        if way_out is None and found.bad.readings:
            way_out = for_order(plan, found.column, found.bad.readings)
    raise bad_cell_error(
        found.bad, found.part, plan.label(found.column), name=name, place=place, way_out=way_out
    )


def _check_empty(plan: EncoderPlan, state: EncoderState, part: str, column: int, count: int) -> None:
    if count:
        raise DataError(
            f"{part} column {plan.label(column)!r} is empty in {count:,} of {state.rows:,} rows; "
            "fill them in, or remove these rows"
        )


def _check_items(plan: EncoderPlan, state: EncoderState, place: PlaceOf) -> None:
    """Raise DataError for rows of a long table whose item is empty."""
    for items in state.items.values():
        if items.absent and plan.roles.item is not None:
            names = [text for text in items.codes if text not in items.absent]
            few = names if 0 < len(names) <= _FEW_ITEMS else ["A", "B"]
            raise DataError(
                f"{place(items.row(''))}: item column {plan.label(plan.roles.item)!r} is empty in "
                f"{sum(items.absent.values()):,} of {state.rows:,} rows; name the items that become features: ",
                Advice("--columns", join_names(sorted(few))),
            )


_FEW_ITEMS = 20


def _check_size(plan: EncoderPlan, state: EncoderState, size: Gap, option: str) -> None:
    """Raise DataError where a size cannot be measured in the order column: a duration in numbers, or the reverse."""
    column = plan.roles.order[0]
    kind, name = state.orders[column].kind, plan.label(column)
    if state.orders[column].parts == 2 and not size.is_time:
        way_out = Message("name its unit, such as ", Advice(option, f"{size.text}s"))
        raise DataError(
            f"order column {name!r} holds {kind}, and {option} {size.text} is a plain number; ", way_out
        )
    if kind == "numbers" and size.is_time and (as_days := for_days(plan, state.orders[column], column)):
        raise DataError(
            f"order column {name!r} holds numbers, and {option} {size.text} is a duration; as days: ",
            as_days,
        )
    if kind == "numbers" and size.is_time:
        seconds = Advice(option, f"{float(size.size / 10**9):.15g}")
        raise DataError(
            f"order column {name!r} holds numbers, and {option} {size.text} is a duration; name a number in their "
            "unit; of seconds that is ",
            seconds,
        )
    if kind not in ("numbers", None) and state.orders[column].parts == 1:
        raise DataError(f"order column {name!r} holds {kind}; {option} is measured in numbers or times")


def _check_labels(plan: EncoderPlan, labels: LabelState, column: int, rows: int, place: PlaceOf) -> None:
    """Raise DataError where rows lack the label and the call does not say what to do, or where all lack it."""
    without = labels.without
    if not without:
        return
    name, count = plan.label(column), sum(without.values())
    if len(without) == len(labels.codes):
        raise DataError(f"label column {name!r} is empty in all {rows:,} rows: no label is left")
    if plan.options.empty_label == "error":
        first, text = min((labels.row(text), text) for text in without)
        raise DataError(
            f"label column {name!r} is empty in {count:,} of {rows:,} rows, the first at {place(first)}"
            f"{f' ({text!r})' if text else ''}; say what to do with these sequences: ",
            Advice("--empty-label", "drop"),
            ", or ",
            Advice("--empty-label", "keep"),
        )


def _check_loss(plan: EncoderPlan, column: int, loss: Loss | None, place: PlaceOf) -> None:
    if loss is not None:
        raise DataError(f"{place(loss.row)}, column {plan.label(column)!r}: {loss.reason}")
