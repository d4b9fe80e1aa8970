"""The one road from a table to sequences: read, encode, sort by key, join other tables, drop what was not wanted.

`group` is behind `seqtool group` and `seqtool.group`; what `seqtool plan` counts is in `counting`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import field, replace
from typing import TYPE_CHECKING

from seqtool.arrays.spool import Spool
from seqtool.dataclass import dataclass
from seqtool.errors import DataError, UsageError
from seqtool.grouping import column_facts
from seqtool.grouping.assembling import assembled
from seqtool.grouping.cautions import cautions, of_steps, of_times
from seqtool.grouping.elsewhere import Companion
from seqtool.grouping.encoder import Encoder, TextKeyError
from seqtool.grouping.encoder_plan import EncoderPlan
from seqtool.grouping.encoder_state import EncoderState
from seqtool.grouping.joining import JoinedFile, joined
from seqtool.grouping.kernel import ChangingError, Computed, Grouped, Grouper
from seqtool.grouping.options import COMBINED, EMPTY, UNNAMED, GroupOptions
from seqtool.grouping.reading import check, encoded
from seqtool.grouping.row_columns import ITEM
from seqtool.grouping.spec import GroupSpec
from seqtool.grouping.static_columns import changing
from seqtool.grouping.suspects import Suspects, joined_leaks
from seqtool.grouping.unlabelled import labelled
from seqtool.grouping.workspace import Workspace
from seqtool.operations.pad import pad_stream, resolved, with_receipt
from seqtool.operations.select import AtLeast
from seqtool.sequences.labels import class_tables
from seqtool.sequences.ragged import Ragged
from seqtool.sequences.receipts import Entry, Rows
from seqtool.sequences.stream import PaddedStream
from seqtool.tables.roles import Roles
from seqtool.tables.table import Table

if TYPE_CHECKING:
    from seqtool.grouping.folding import Folded
    from seqtool.grouping.stepping import Stepped


@dataclass(frozen=True)
class GroupResult:
    """The result of grouping a table: the sequences, what became of its rows, and what a person should know.

    `features` names the features, by position where the table has no names, and `computed` those that were computed
    beside them; `missing` counts missing values by column, and `valueless` are columns and items without any value;
    `ties` counts neighbours that `--order-by` could not tell apart; `coarse` are the features with numbers so large
    that float32 has no room for their fractions. `warnings` are sentences, which name options of the command line;
    `unlabelled` counts the rows that were kept without a label, by label column, `missing_categories` those without a
    category, and `unnamed` the folded steps without one. `joined` describes each other table, `pivoted` the steps
    of a long table, `grid` in a sentence those of a regular grid; `times` tells the unit and the origin of columns
    of times, `time_unit` that of times between steps.
    """

    ragged: Ragged
    rows: Rows
    features: list[str]
    missing: dict[str, int]
    ties: int
    coarse: list[str]
    warnings: list[str]
    unlabelled: dict[str, int]
    joined: Sequence[JoinedFile] = ()
    pivoted: Folded | None = None
    grid: str | None = None
    times: Mapping[str, str] = field(default_factory=dict)
    computed: Sequence[str] = ()
    time_unit: str | None = None
    missing_categories: Mapping[str, int] = field(default_factory=dict)
    unnamed: Mapping[str, int] = field(default_factory=dict)
    order_writing: Sequence[str] = ()
    valueless: Sequence[str] = ()


def group_table(
    table: Table,
    roles: Roles,
    options: GroupOptions,
    workspace: Workspace,
    others: Sequence[Companion] = (),
) -> GroupResult:
    """Gather the rows of a table into one sequence for each key, keys sorted, rows in order.

    Labels and static numbers of `others` are joined by the key.

    Raises DataError for cells that are not what their column needs, empty keys, labels that change within a
    key, and numbers that the dtype cannot hold; each names the place and the way out.
    """
    check_missing_words(table, roles, options)
    result = _settled(table, roles, lambda settled: _grouped(table, settled, options, workspace, others))
    single = of_steps([*map(table.label, roles.key)], result.ragged, options.gap)
    return replace(result, warnings=[*result.warnings, *single])


def check_missing_words(table: Table, roles: Roles, options: GroupOptions) -> None:
    """Raise UsageError for spellings of a missing value where no column holds text."""
    if options.missing and not table.text and not table.texts & roles.as_written:
        raise UsageError(
            "missing: words for missing values are for text; a table with types has its own, and neither key nor label "
            "is a column of text"
        )


def _settled(table: Table, roles: Roles, work: Callable[[Roles], GroupResult]) -> GroupResult:
    """The result of `work` for the roles that the columns turn out to have.

    A key that is text is no feature in a table without names, wherever its first word stands.
    """
    while True:
        try:
            return work(roles)
        except TextKeyError as error:
            roles = roles.without_feature(error.column)
        if not roles.features:
            raise DataError(f"{table.name}: no column is left to be a feature: none holds numbers")


def _grouped(
    table: Table,
    roles: Roles,
    options: GroupOptions,
    workspace: Workspace,
    others: Sequence[Companion],
) -> GroupResult:
    plan = EncoderPlan.of(table, roles, options)
    encoder, suspects = Encoder(plan), Suspects(plan) if roles.item is None else None
    grouped = _sorted_rows(table, encoder, suspects, workspace)
    state = encoder.state
    notes = [*cautions(plan, state, table.place), *(suspects.cautions(state.labels) if suspects else [])]
    left_out = {**table.left_out, "empty key": state.dropped}
    rows = SortedRows(grouped, plan, state, table.rows, left_out, state.unnamed, notes)
    return sequences_of(rows, workspace, others=others)


@dataclass(frozen=True)
class SortedRows:
    """Sorted rows, before they become sequences.

    `rows` counts the rows that were read for them, of which `left_out` were left out by reason, and `unnamed` because
    `--columns` does not name their item; `notes` are warnings so far. The state may be that of more rows than these.
    """

    grouped: Grouped
    plan: EncoderPlan
    state: EncoderState
    rows: int
    left_out: Mapping[str, int] = field(default_factory=dict)
    unnamed: int = 0
    notes: Sequence[str] = ()


def sequences_of(rows: SortedRows, workspace: Workspace, *, others: Sequence[Companion] = ()) -> GroupResult:
    """Sorted rows as sequences: folded into steps, joined with other tables, and without what was not wanted.

    Raises DataError as `group_table` does.
    """
    spool, options = workspace.spool, rows.plan.options
    unlabelled = column_facts.kept_unlabelled(rows.plan, rows.state)
    features = [rows.plan.label(column) for column in rows.plan.features]
    steps = _folded_steps(rows, features, spool)
    features = features if steps is None else steps.folded.features
    pivoted = None if steps is None or rows.plan.roles.item is None else steps.folded
    whole = joined(
        rows.grouped if steps is None else steps.grouped,
        rows.plan,
        rows.state,
        others,
        spool=spool,
        memory=workspace.memory,
    )
    notes = [*rows.notes, *(steps.warnings if steps else [])]
    if pivoted is None:
        notes += joined_leaks(whole.grouped, whole.plan, whole.state, rows.plan)
    grouped, plan, state = whole.grouped, whole.plan, whole.state
    computed = _with_computed(grouped, plan, state, features, spool)
    named_here = plan.named or pivoted is not None or computed.names
    names = [*features, *computed.names] if named_here else None
    ragged = assembled(plan, computed.grouped, state, names)
    named = labelled(ragged, grouped, plan, state, spool=spool)
    long = AtLeast(options.min_len).apply(named.ragged, None, spool=spool)
    return GroupResult(
        ragged=long.ragged,
        rows=_counted(rows, steps, {**named.dropped, **long.dropped}, kept=len(long.ragged.values)),
        features=features,
        computed=computed.names,
        time_unit=computed.unit,
        missing=column_facts.missing(plan, state)
        if steps is None
        else {**steps.folded.missing, **column_facts.missing_statics(plan, state)},
        valueless=_valueless(plan, state, steps),
        ties=grouped.ties,
        coarse=column_facts.coarse(plan, state),
        warnings=[*notes, *whole.warnings, *of_times(plan, state), *computed.warnings],
        unlabelled=unlabelled,
        joined=whole.files,
        pivoted=pivoted,
        grid=None if steps is None or options.every is None else steps.line(options),
        times={**column_facts.times(plan, state), **computed.meaning},
        missing_categories=column_facts.missing_categories(plan, state, static_alone=steps is not None),
        unnamed={} if steps is None else steps.unnamed,
        order_writing=column_facts.order_writing(plan, state),
    )


def _folded_steps(rows: SortedRows, features: list[str], spool: Spool) -> Stepped | None:
    """The rows folded into steps, where a long table or a regular grid asks for it; else None."""
    if rows.plan.roles.item is None and rows.plan.options.every is None:
        return None
    from seqtool.grouping.stepping import stepped

    return stepped(rows.grouped, rows.plan, rows.state, features, spool)


def _counted(rows: SortedRows, steps: Stepped | None, dropped: Mapping[str, int], *, kept: int) -> Rows:
    """What became of all rows: so many were kept as steps, others dropped by reason, or added where none stood.

    Raises AssertionError unless that makes the rows that were read.
    """
    folded, empty = dict[str, int](), dict[str, int]()
    if steps is not None:
        folded = {UNNAMED: rows.unnamed, COMBINED: steps.folded.rows - steps.folded.steps}
        empty = {EMPTY: steps.empty}
    counted = Rows(rows_in=rows.rows, kept=kept, dropped={**rows.left_out, **dropped, **folded}, added=empty)
    counted.check()
    return counted


def _valueless(plan: EncoderPlan, state: EncoderState, steps: Stepped | None) -> list[str]:
    """The features and static columns without any value, among them items of a long table that no row holds."""
    numbers = {plan.label(column): held for column, held in state.statics.items()}
    items: list[str] = []
    if plan.roles.item is None or steps is None:
        numbers = {plan.label(column): state.features[column] for column in plan.features} | numbers
    else:
        found, cells = steps.folded, steps.folded.steps + steps.empty
        there = state.items[ITEM].codes
        items = [name for name in found.features if name not in there or found.missing.get(name, 0) == cells]
    return [*items, *(name for name, held in numbers.items() if held.missing == held.seen)]


def _with_computed(
    grouped: Grouped, plan: EncoderPlan, state: EncoderState, features: list[str], spool: Spool
) -> Computed:
    """Sorted rows with the features that are computed of them, if the call asks for any."""
    options = plan.options
    if options.delta is None and not options.position and not options.since_observed:
        return Computed(grouped)
    from seqtool.grouping.step_features import with_step_features

    return with_step_features(grouped, plan, state, features, spool)


def _sorted_rows(table: Table, encoder: Encoder, suspects: Suspects | None, workspace: Workspace) -> Grouped:
    """All rows of a table, sorted by key and order; raises DataError, and TextKeyError as `encoded` does."""
    spool, memory, plan = workspace.spool, workspace.memory, encoder.plan
    room, threads = memory.for_rows(len(plan.roles.used)), memory.threads()
    grouper: Grouper | None = None
    try:
        with workspace.watch("reading", table.size) as on_progress, ThreadPoolExecutor(threads) as pool:
            for batch in encoded(table, encoder, pool, threads=threads):
                if grouper is None:  # its first rows tell whether an order column is of times, which take two
                    grouper = Grouper(
                        plan.layout(encoder.state),
                        spool,
                        memory=room,
                        at_most=table.at_most,
                        share_read=table.share_read,
                    )
                encoder.spool_labels(spool, memory, table.share_read())
                encoder.check_items(memory)
                if suspects is not None:
                    suspects.look(batch, encoder.labels)
                grouper.add(batch, pool)
                on_progress(table.bytes_read, table.rows)
        state = encoder.state
        check(plan, state, name=table.name, place=table.place, read=table.rows)
        assert grouper is not None  # a table without rows was refused
        with workspace.watch("sorting", grouper.nbytes) as on_progress:
            return grouper.finish(dtype=plan.dtype(state), cut=plan.cut(state), on_progress=on_progress)
    except ChangingError as error:
        raise changing(plan, error, encoder.state) from None


@dataclass(frozen=True)
class Grouping:
    """The sequences of a call of `group` with their receipt, padded or ragged, and the result of grouping."""

    data: PaddedStream | Ragged
    result: GroupResult


def group(
    table: Table,
    spec: GroupSpec,
    workspace: Workspace,
    *,
    inputs: list[str],
    others: Sequence[Companion] = (),
) -> Grouping:
    """Group a table as a call asks for: this is `seqtool group`, and `seqtool.group` in Python.

    `inputs` are the base names of the files, for the receipt; `others` are the tables that labels and static numbers
    come from. The padding is checked here, and carried out when blocks are read.

    Raises the errors of `GroupSpec.roles`, `group_table` and `seqtool.pad`.
    """
    roles = spec.roles(table)
    result = group_table(table, roles, spec, workspace, others)
    ragged, rows = result.ragged, result.rows
    arguments = {**spec.resolved(table, roles, result.features, others), **label_kind(ragged)}
    arguments |= {} if result.time_unit is None else {"time_unit": result.time_unit}
    arguments |= {"order_writing": [*result.order_writing]} if any(result.order_writing) else {}
    data: PaddedStream | Ragged = ragged
    if spec.ragged:
        arguments["dtype"] = str(ragged.values.dtype)
    else:
        data = pad_stream(
            ragged,
            maxlen=spec.maxlen,
            padding=spec.padding,
            truncating=spec.truncating,
            value=spec.value,
            spool=workspace.spool,
        )
        arguments |= {**resolved(data), "truncating": spec.truncating}
        rows = replace(rows, kept=rows.kept - data.steps_cut, cut=data.steps_cut)
    return Grouping(with_receipt(data, Entry("group", inputs, arguments, rows)), result)


def label_kind(ragged: Ragged) -> dict[str, str]:
    """How labels were read, for the receipt; nothing where there are none, or where only some became classes."""
    if not {"y", "step_y"} & {*ragged.per_sequence, *ragged.per_step}:
        return {}
    several = ragged.names.get("label_names")
    if several is not None and 0 < len(class_tables(ragged.names)) < len(several):
        return {}
    return {"label_as": "class" if {"classes", "classes_0"} & {*ragged.names} else "number"}
