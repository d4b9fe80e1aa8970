"""Counting the rows of a table by key, and judging all else that `group` would read: this is behind `seqtool plan`."""

from __future__ import annotations

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace

import numpy as np

from seqtool.arrays.lazy import AnyArray
from seqtool.arrays.spool import Spool
from seqtool.errors import DataError
from seqtool.grouping.cautions import cautions
from seqtool.grouping.elsewhere import Companion
from seqtool.grouping.encoder import Encoder
from seqtool.grouping.encoder_plan import EncoderPlan
from seqtool.grouping.group import Watch, check_missing_words, unwatched
from seqtool.grouping.joining import Joined, joined
from seqtool.grouping.kernel import ChangingError, Grouper, Layout
from seqtool.grouping.options import COMBINED, UNNAMED, GroupOptions
from seqtool.grouping.pivoting import Pivot
from seqtool.grouping.reading import batches, check
from seqtool.grouping.unlabelled import labelled
from seqtool.sequences.receipts import Rows
from seqtool.system.memory import Memory
from seqtool.tables.roles import Roles
from seqtool.tables.table import Table


@dataclass(frozen=True)
class CountResult:
    """The result of counting the rows of a table by key: the sequences' lengths, and the features they would have.

    `dtype` is the type of the features. `texts` are columns that cannot be features, for they hold text, dates or
    lists; `refused` is what else `group_table` would raise, if anything; `warnings` are what a person should know of
    the key.
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
    *,
    spool: Spool,
    memory: Memory,
    watch: Watch = unwatched,
    others: Sequence[Companion] = (),
) -> CountResult:
    """What `group_table` would find, but without a step: how long each sequence is, and whether each cell can be read.

    All rows are read, since any of them may hold what `group_table` refuses; nothing is kept but the key and what
    must be the same within a key. Where something else is refused, the key is read once more, alone; then `dtype` is
    not known.

    Raises DataError for empty keys and for what is no table, as `group_table` does.
    """
    check_missing_words(table, roles, options)

    def counted(some: Roles, others: Sequence[Companion] = ()) -> CountResult:
        counting = _Counting(table, some, options)
        whole, refused = counting.read(spool, memory, watch, others)
        return counting.result(whole, refused, spool)

    found = counted(roles, others)
    if found.refused is None:
        return found
    if options.gap is not None or not roles.key:  # the key alone does not tell how long sequences are
        raise found.refused
    alone = counted(roles.key_alone())
    if alone.refused is not None:
        raise alone.refused
    return replace(found, lengths=alone.lengths, rows=alone.rows, warnings=alone.warnings, dtype=None)


class _Counting:
    """One look at all rows of a table. A feature of text stops it nowhere, so that one look finds all of them."""

    def __init__(self, table: Table, roles: Roles, options: GroupOptions) -> None:
        self._table = table
        self._plan = EncoderPlan.of(table, roles, options)
        spared = roles if roles.item is not None else replace(roles, spare_features=frozenset(roles.features))
        self._encoder = Encoder(EncoderPlan.of(table, spared, options))

    def read(
        self, spool: Spool, memory: Memory, watch: Watch, others: Sequence[Companion]
    ) -> tuple[Joined | None, DataError | None]:
        """The sequences without their steps; or what `group` would raise for the rows."""
        table, encoder = self._table, self._encoder
        room, threads = memory.for_rows(len(self._plan.roles.used)), memory.threads()
        grouper: Grouper | None = None
        try:
            with watch("reading", table.size) as on_progress, ThreadPoolExecutor(threads) as pool:
                for arrays, first_row in batches(table, encoder.plan, threads):
                    columns = encoder.encode(arrays, first_row, pool)
                    if encoder.faulty:
                        break
                    encoder.check_items(memory)
                    encoder.spool_labels(spool, memory, table.share_read())
                    if columns:
                        if grouper is None:  # its first rows tell whether an order column is of times
                            layout = self._layout()
                            grouper = Grouper(layout, spool, memory=room, at_most=table.at_most)
                        grouper.add({name: columns[name] for name in layout.singles}, pool)
                    on_progress(table.bytes_read, table.rows)
            check(self._judged(), encoder.state, name=table.name, place=table.place)
            assert grouper is not None  # a table without rows was refused
            with watch("sorting", grouper.nbytes) as on_progress:
                grouped = grouper.finish(cut=self._plan.cut(encoder.state), on_progress=on_progress)
            if self._plan.roles.item is not None:
                steps = Pivot(self._plan, encoder.state).steps(grouped, spool)
                grouped = replace(
                    grouped, values=np.empty((steps.count, 0)), offsets=steps.offsets, per_step={}
                )
            return joined(grouped, self._judged(), encoder.state, others, spool=spool, memory=memory), None
        except ChangingError as error:
            return None, self._plan.changing(error, encoder.state)
        except DataError as error:
            return None, error

    def _layout(self) -> Layout:
        """The key, and what must not change within one; the order tells where it does."""
        whole = self._plan.layout(self._encoder.state)
        cut = self._plan.cut(self._encoder.state)
        if cut is not None or self._plan.roles.item is not None:
            of_items = [*whole.order, "p"] if self._plan.roles.item is not None else []
            parts = [*cut.order, *cut.static] if cut else []
            return replace(whole, features=(), per_step=[*of_items, *parts])
        of_steps = ["t"] if "t" in whole.per_step and self._plan.options.empty_label == "drop" else []
        return Layout(
            whole.keys, whole.order if whole.static else (), (), static=whole.static, per_step=of_steps
        )

    def _texts(self) -> list[str]:
        """The features that hold no numbers, but those that are none for that."""
        states = self._encoder.state.features
        sure = [column for column in self._plan.features if column not in self._plan.roles.spare_features]
        return [self._plan.label(c) for c in sure if states[c].bad is not None and states[c].no_numbers]

    def _judged(self) -> EncoderPlan:
        """What is to be done with the columns, those of text left out."""
        return replace(self._plan, roles=self._plan.roles.without_features(self._texts(), self._table))

    def result(self, whole: Joined | None, refused: DataError | None, spool: Spool) -> CountResult:
        """What was found of the rows that were read."""
        state, plan = self._encoder.state, self._judged()
        plan = plan.settled(state)
        of_key = replace(plan, roles=plan.roles.key_alone())
        lengths: AnyArray = np.empty(0, np.int64)
        kept = 0
        dropped = {**self._table.left_out, "empty key": state.dropped}
        if whole is not None:
            ragged = of_key.ragged(whole.grouped, state)
            named = labelled(ragged, whole.grouped, whole.plan, whole.state, spool=spool)
            lengths, kept = named.ragged.lengths, len(named.ragged.values)
            dropped |= named.dropped
        features, dtype = [plan.label(column) for column in plan.features], plan.dtype(state)
        if plan.roles.item is not None:
            folded = self._table.rows - sum(dropped.values()) - state.unnamed - kept
            dropped |= {UNNAMED: state.unnamed, COMBINED: folded}
            features, dtype = Pivot(plan, state).features, plan.asked_dtype or np.dtype(np.float32)
        rows = Rows(rows_in=self._table.rows, kept=kept, dropped=dropped)
        return CountResult(
            lengths,
            rows,
            features,
            dtype,
            self._texts(),
            refused,
            cautions(of_key, state, self._table.place),
        )
