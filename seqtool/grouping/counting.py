"""Counting the rows of a table by key, and judging all else that `group` would read: this is behind `seqtool plan`."""

from __future__ import annotations

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from typing import Any

import numpy as np

from seqtool.arrays.lazy import AnyArray
from seqtool.arrays.spool import Spool
from seqtool.dataclass import dataclass
from seqtool.errors import DataError
from seqtool.grouping.assembling import assembled
from seqtool.grouping.cautions import cautions
from seqtool.grouping.elsewhere import Companion
from seqtool.grouping.encoder import Encoder
from seqtool.grouping.encoder_plan import EncoderPlan
from seqtool.grouping.group import check_missing_words
from seqtool.grouping.joining import Joined, joined
from seqtool.grouping.kernel import ChangingError, Grouped, Grouper, RowSchema
from seqtool.grouping.options import COMBINED, UNNAMED, GroupOptions
from seqtool.grouping.pivoting import Pivot
from seqtool.grouping.reading import batches, check
from seqtool.grouping.row_columns import ITEM, STEP_LABEL
from seqtool.grouping.static_columns import changing
from seqtool.grouping.step_features import computed_names, with_step_features
from seqtool.grouping.stepping import Outline, combined_dtype
from seqtool.grouping.unlabelled import labelled
from seqtool.grouping.workspace import Workspace
from seqtool.sequences.receipts import Rows
from seqtool.tables.roles import Roles
from seqtool.tables.table import Table


@dataclass(frozen=True)
class CountResult:
    """The result of counting the rows of a table by key: the (N,) lengths of the sequences, and their features.

    `dtype` is the type of the features, None where that is not known. `texts` are columns that cannot be features,
    because they hold text, dates or lists; `refused` is what else `group_table` would raise, if anything; `warnings`
    tell of the key.
    """

    lengths: AnyArray
    rows: Rows
    features: list[str]
    dtype: np.dtype[np.generic] | None
    texts: list[str]
    refused: DataError | None
    warnings: list[str]


def count_table(
    table: Table,
    roles: Roles,
    options: GroupOptions,
    workspace: Workspace,
    others: Sequence[Companion] = (),
) -> CountResult:
    """Find the length of each sequence that `group_table` would give, and judge every cell, without keeping steps.

    All rows are read, since any of them may hold what `group_table` refuses; only the key is kept, and what must be
    the same within a key. Where something other than the key is refused, the key alone is read again; then `dtype`
    is None.

    Raises DataError for empty keys and for what is no table, as `group_table` does.
    """
    check_missing_words(table, roles, options)
    whole = _Counting(table, roles, options).result(workspace, others)
    if whole.refused is None:
        return whole
    if options.gap is not None or not roles.key:  # the key alone does not tell how long sequences are
        raise whole.refused
    of_key = _Counting(table, roles.key_alone(), options).result(workspace, ())
    if of_key.refused is not None:
        raise of_key.refused
    return replace(whole, lengths=of_key.lengths, rows=of_key.rows, warnings=of_key.warnings, dtype=None)


class _Counting:
    """One pass over all rows of a table, which no feature of text stops, so that it finds all of these."""

    def __init__(self, table: Table, roles: Roles, options: GroupOptions) -> None:
        self._table = table
        self._plan = EncoderPlan.of(table, roles, options)
        spared = roles if roles.item is not None else replace(roles, spare_features=frozenset(roles.features))
        self._encoder = Encoder(EncoderPlan.of(table, spared, options))
        self._dtype: np.dtype[Any] | None = None

    def result(self, workspace: Workspace, others: Sequence[Companion]) -> CountResult:
        """Read the rows and count them; `refused` holds the DataError that grouping them would raise."""
        sequences: Joined | None = None
        refused: DataError | None = None
        try:
            sequences = self._sequences(workspace, others)
        except ChangingError as error:
            refused = changing(self._plan, error, self._encoder.state)
        except DataError as error:
            refused = error
        return self._counted(sequences, refused, workspace.spool)

    def _sequences(self, workspace: Workspace, others: Sequence[Companion]) -> Joined:
        """The sequences without their steps; raises what grouping the rows would raise."""
        spool, memory, plan, encoder = workspace.spool, workspace.memory, self._plan, self._encoder
        grouper = self._read(workspace)
        table = self._table
        check(self._judged(), encoder.state, name=table.name, place=table.place, read=table.rows)
        assert grouper is not None  # a table without rows was refused
        with workspace.watch("sorting", grouper.nbytes) as on_progress:
            grouped = grouper.finish(cut=plan.cut(encoder.state), on_progress=on_progress)
        empty = 0
        if plan.roles.item is not None or plan.options.every is not None:
            outline = Outline.of(grouped, plan, encoder.state, spool)
            grouped = outline.without_values(grouped, [*self._layout().order])
            empty = 0 if outline.grid is None else outline.grid.empty
        self._dtype = self._with_computed(grouped, empty, spool)
        return joined(grouped, self._judged(), encoder.state, others, spool=spool, memory=memory)

    def _with_computed(self, grouped: Grouped, empty: int, spool: Spool) -> np.dtype[Any]:
        """The type of the features with those that are computed; raises what computing them would raise."""
        plan, state = self._judged(), self._encoder.state
        plan = plan.settled(state)
        if plan.roles.item is not None:
            own = plan.asked_dtype or np.dtype(np.float32)
        else:
            own = combined_dtype(plan.dtype(state), plan.options, empty)
        if plan.roles.time is None:
            return own
        # Sums of times between steps are whole where these are.
        options = replace(plan.options, delta=plan.roles.time, since_observed=False)
        alone = replace(grouped, values=np.empty((len(grouped.values), 0), own))
        return with_step_features(
            alone, replace(plan, options=options), state, [], spool
        ).grouped.values.dtype

    def _read(self, workspace: Workspace) -> Grouper | None:
        """The rows as far as the first bad cell, gathered for sorting; None where there are none."""
        table, encoder, memory = self._table, self._encoder, workspace.memory
        room, threads = memory.for_rows(len(self._plan.roles.used)), memory.threads()
        grouper: Grouper | None = None
        with workspace.watch("reading", table.size) as on_progress, ThreadPoolExecutor(threads) as pool:
            for arrays, first_row in batches(table, encoder.plan, threads):
                columns = encoder.encode(arrays, first_row, pool)
                if encoder.faulty:
                    break
                encoder.check_items(memory)
                encoder.spool_labels(workspace.spool, memory, table.share_read())
                if columns:
                    if grouper is None:  # its first rows tell whether an order column is of times
                        layout = self._layout()
                        grouper = Grouper(layout, workspace.spool, memory=room, at_most=table.at_most)
                    grouper.add({name: columns[name] for name in layout.singles}, pool)
                on_progress(table.bytes_read, table.rows)
        return grouper

    def _layout(self) -> RowSchema:
        """The columns that are kept: the key, and what must not change within one; the order tells where it does."""
        whole = self._plan.layout(self._encoder.state)
        cut = self._plan.cut(self._encoder.state)
        is_timed = self._plan.roles.time is not None or self._plan.options.every is not None
        timed = [*whole.order] if is_timed else []
        if cut is not None or self._plan.roles.item is not None:
            of_items = [*whole.order, ITEM] if self._plan.roles.item is not None else timed
            parts = [*cut.order, *cut.static] if cut else []
            return replace(whole, features=(), per_step=[*of_items, *parts])
        of_steps = (
            [STEP_LABEL] if STEP_LABEL in whole.per_step and self._plan.options.empty_label == "drop" else []
        )
        order = whole.order if whole.static or timed else ()
        return RowSchema(whole.keys, order, (), static=whole.static, per_step=[*of_steps, *timed])

    def _texts(self) -> list[str]:
        """The features that hold text, dates or lists; a key of text in a table without names was never one."""
        states = self._encoder.state.features
        return [
            self._plan.label(column)
            for column in self._plan.sure_features
            if states[column].bad is not None and states[column].no_numbers
        ]

    def _judged(self) -> EncoderPlan:
        """The plan without the features that hold no numbers."""
        return replace(self._plan, roles=self._plan.roles.without_features(self._texts(), self._table))

    def _counted(self, whole: Joined | None, refused: DataError | None, spool: Spool) -> CountResult:
        """What the rows that were read tell of the sequences."""
        state = self._encoder.state
        plan = self._judged().settled(state)
        of_key = replace(plan, roles=plan.roles.key_alone(), options=replace(plan.options, keep_order=False))
        lengths: AnyArray = np.empty(0, np.int64)
        kept = 0
        dropped = {**self._table.left_out, "empty key": state.dropped}
        if whole is not None:
            ragged = assembled(of_key, whole.grouped, state)
            named = labelled(ragged, whole.grouped, whole.plan, whole.state, spool=spool)
            lengths, kept = named.ragged.lengths, len(named.ragged.values)
            dropped |= named.dropped
        features = [plan.label(column) for column in plan.features]
        dtype = self._dtype or plan.dtype(state)
        if plan.roles.item is not None:
            folded = self._table.rows - sum(dropped.values()) - state.unnamed - kept
            dropped |= {UNNAMED: state.unnamed, COMBINED: folded}
            features, dtype = Pivot(plan, state).features, plan.asked_dtype or np.dtype(np.float32)
        features += computed_names(plan, features)
        rows = Rows(rows_in=self._table.rows, kept=kept, dropped=dropped)
        warnings = cautions(of_key, state, self._table.place)
        return CountResult(lengths, rows, features, dtype, self._texts(), refused, warnings)
