"""The one road from a table to sequences: read, encode, group.

`group_table` is behind `seqtool group` and `seqtool.group`; what `seqtool plan` counts is in `counting`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from seqtool.arrays.spool import Spool
from seqtool.errors import DataError, UsageError
from seqtool.grouping.cautions import cautions, of_steps, of_times
from seqtool.grouping.elsewhere import Companion
from seqtool.grouping.encoder import Encoder, TextKeyError
from seqtool.grouping.encoder_plan import EncoderPlan
from seqtool.grouping.joining import JoinedFile, joined
from seqtool.grouping.kernel import ChangingError, Grouped, Grouper
from seqtool.grouping.options import COMBINED, UNNAMED, GroupOptions
from seqtool.grouping.reading import check, encoded
from seqtool.grouping.spec import GroupSpec
from seqtool.grouping.suspects import Suspects, joined_leaks
from seqtool.grouping.unlabelled import labelled
from seqtool.operations.pad import pad_stream, resolved, with_receipt
from seqtool.operations.select import AtLeast
from seqtool.sequences.labels import class_tables
from seqtool.sequences.ragged import Ragged
from seqtool.sequences.receipts import Entry, Rows
from seqtool.sequences.stream import PaddedStream
from seqtool.system.memory import Memory
from seqtool.tables.roles import Roles
from seqtool.tables.table import Table

if TYPE_CHECKING:
    from seqtool.grouping.pivoting import Pivoted

OnProgress = Callable[[int, int], None]
"""Called with the bytes that are done, and the rows."""
Watch = Callable[[str, int | None], AbstractContextManager[OnProgress]]
"""Called when a stage of the work begins, with its bytes in all, where they are known."""


def unwatched(_stage: str, _total: int | None) -> AbstractContextManager[OnProgress]:
    """Nobody watches."""
    return nullcontext(lambda _bytes, _rows: None)


@dataclass(frozen=True)
class GroupResult:
    """The result of grouping a table: the sequences, what became of its rows, and what a person should know.

    `missing` counts missing values by feature; `ties` neighbours that `--order-by` could not tell apart;
    `features` names the features also where the table has no names; `coarse` are those of numbers so large that
    float32 has no room for their fractions. `warnings` are sentences, which name options of the command line;
    `unlabelled` counts rows that were kept without a label, by its column; `joined` tells of each other table,
    `times` what the numbers of columns of times are.
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
    pivoted: Pivoted | None = None
    times: Mapping[str, str] = field(default_factory=dict)


def group_table(
    table: Table,
    roles: Roles,
    options: GroupOptions,
    *,
    spool: Spool,
    memory: Memory,
    watch: Watch = unwatched,
    others: Sequence[Companion] = (),
) -> GroupResult:
    """Gather the rows of a table into one sequence for each key, keys sorted, rows in order.

    What does not fit into `memory` goes to `spool`, which must stay open as long as the sequences are used.
    `watch` is called for each stage of the work. Labels and static numbers of `others` are joined by the key.

    Raises DataError for cells that are not what their column needs, empty keys, labels that change within a
    key, and numbers that the dtype cannot hold; each names the place and the way out.
    """
    AtLeast(options.min_len)  # judged before any work
    check_missing_words(table, roles, options)
    found = _settled(
        table, roles, lambda settled: _grouped(table, settled, options, spool, memory, watch, others)
    )
    single = of_steps([*map(table.label, roles.key)], found.ragged, options.gap)
    return replace(found, warnings=[*found.warnings, *single])


def check_missing_words(table: Table, roles: Roles, options: GroupOptions) -> None:
    """Raise UsageError for spellings of a missing value where no column holds text."""
    if options.missing and not table.text and not table.texts & roles.as_written:
        raise UsageError(
            "missing: words for missing values are for text; a table with types has its own, and neither key nor label "
            "is a column of text"
        )


def _settled(table: Table, roles: Roles, work: Callable[[Roles], GroupResult]) -> GroupResult:
    """What `work` gives for the roles that the columns turn out to have.

    A key of text in a table without names is no feature, wherever its first word stands.
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
    spool: Spool,
    memory: Memory,
    watch: Watch,
    others: Sequence[Companion],
) -> GroupResult:
    plan = EncoderPlan.of(table, roles, options)
    encoder, suspects = Encoder(plan), Suspects(plan) if roles.item is None else None
    grouped = _sorted(table, encoder, suspects, spool, memory, watch)
    state = encoder.state
    unlabelled = plan.kept_unlabelled(state)
    notes = [*cautions(plan, state, table.place), *(suspects.cautions(state.labels) if suspects else [])]
    features, pivoted = [table.label(column) for column in plan.features], None
    folded: dict[str, int] = {}
    if roles.item is not None:
        from seqtool.grouping.pivoting import Pivot

        pivot = Pivot(plan, state)
        grouped, pivoted = pivot.folded(grouped, spool)
        notes += pivot.warnings(pivoted)
        features = pivoted.features
        folded = {UNNAMED: state.unnamed, COMBINED: pivoted.rows - pivoted.steps}
    whole = joined(grouped, plan, state, others, spool=spool, memory=memory)
    if pivoted is None:
        notes += joined_leaks(whole.grouped, whole.plan, whole.state, plan)
    grouped, plan, state = whole.grouped, whole.plan, whole.state
    ragged = plan.ragged(grouped, state, features if pivoted else None)
    named = labelled(ragged, grouped, plan, state, spool=spool)
    long = AtLeast(options.min_len).apply(named.ragged, None, spool=spool)
    dropped = {**table.left_out, "empty key": state.dropped, **named.dropped, **long.dropped, **folded}
    rows = Rows(rows_in=table.rows, kept=len(long.ragged.values), dropped=dropped)
    rows.check()
    return GroupResult(
        long.ragged,
        rows,
        features,
        plan.missing(state) if pivoted is None else {**pivoted.missing, **plan.missing_statics(state)},
        grouped.ties,
        plan.coarse(state),
        [*notes, *whole.warnings, *of_times(plan, state)],
        unlabelled,
        whole.files,
        pivoted,
        plan.times(state),
    )


def _sorted(
    table: Table, encoder: Encoder, suspects: Suspects | None, spool: Spool, memory: Memory, watch: Watch
) -> Grouped:
    """The rows of a table as numbers, sorted by key and order."""
    plan = encoder.plan
    room, threads = memory.for_rows(len(plan.roles.used)), memory.threads()
    grouper: Grouper | None = None
    try:
        with watch("reading", table.size) as on_progress, ThreadPoolExecutor(threads) as pool:
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
        check(plan, state, name=table.name, place=table.place)
        assert grouper is not None  # a table without rows was refused
        with watch("sorting", grouper.nbytes) as on_progress:
            return grouper.finish(dtype=plan.dtype(state), cut=plan.cut(state), on_progress=on_progress)
    except ChangingError as error:
        raise plan.changing(error, encoder.state) from None


@dataclass(frozen=True)
class Grouping:
    """What `group` gives: the sequences with their receipt, padded or ragged, and what a person should know."""

    data: PaddedStream | Ragged
    result: GroupResult


def group(
    table: Table,
    spec: GroupSpec,
    *,
    inputs: list[str],
    spool: Spool,
    memory: Memory,
    watch: Watch = unwatched,
    others: Sequence[Companion] = (),
) -> Grouping:
    """Group a table as a call asks for: this is `seqtool group`, and `seqtool.group` in Python.

    `inputs` are the base names of the files, for the receipt. Padding is checked, and not carried out yet. Errors
    are those of `group_table` and of `seqtool.pad`. `others` are the tables that labels and statics come from.
    """
    roles = spec.roles(table)
    result = group_table(table, roles, spec, spool=spool, memory=memory, watch=watch, others=others)
    ragged, rows = result.ragged, result.rows
    arguments = {**spec.resolved(table, roles, result.features, others), **_label_kind(ragged)}
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
            spool=spool,
        )
        arguments |= {**resolved(data), "truncating": spec.truncating}
        rows = replace(rows, kept=rows.kept - data.steps_cut, cut=data.steps_cut)
    return Grouping(with_receipt(data, Entry("group", inputs, arguments, rows)), result)


def _label_kind(ragged: Ragged) -> dict[str, str]:
    """Whether labels became classes, where there are any; of several perhaps some of them, as their cells are."""
    if not {"y", "step_y"} & {*ragged.per_sequence, *ragged.per_step}:
        return {}
    several = ragged.names.get("label_names")
    if several is not None and 0 < len(class_tables(ragged.names)) < len(several):
        return {}
    return {"label_as": "class" if {"classes", "classes_0"} & {*ragged.names} else "number"}
