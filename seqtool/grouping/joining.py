"""Joining labels and static numbers of other tables to the sequences, by their keys as they are written.

Another table is read like the first one, by the same encoder and kernel, which sorts it by its key. Then it stands in
memory, a row for each key, and each sequence looks up its row.
"""

from __future__ import annotations

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from typing import Any

import numpy as np

from seqtool.advice import Advice, Message
from seqtool.arrays.dtypes import Array
from seqtool.arrays.lazy import AnyArray, chunks
from seqtool.arrays.spool import GrowingArray, Spool
from seqtool.arrays.text import Text
from seqtool.dataclass import dataclass
from seqtool.errors import DataError, at
from seqtool.grouping.cautions import cautions
from seqtool.grouping.elsewhere import Companion
from seqtool.grouping.encoder import Encoder
from seqtool.grouping.encoder_plan import EncoderPlan
from seqtool.grouping.encoder_state import EncoderState
from seqtool.grouping.kernel import Grouped, Grouper, RowSchema
from seqtool.grouping.options import GroupOptions
from seqtool.grouping.reading import check, encoded
from seqtool.grouping.row_columns import ROW, static_name
from seqtool.system.memory import Memory
from seqtool.tables.cells import LabelState, NumberState
from seqtool.words import count, listed, shortened


@dataclass(frozen=True)
class JoinedFile:
    """What became of one table: `unused` of its rows belong to no sequence, and `without` sequences have no row."""

    name: str
    columns: list[str]
    rows: int
    unused: int
    without: int
    sequences: int

    def line(self) -> str:
        """The same as a line of the summary."""
        parts = [f"{listed(self.columns)} from {self.name}"]
        if self.unused:
            parts.append(f"{self.unused:,} of {count(self.rows, 'row')} there unused")
        if self.without:
            parts.append(f"no row there for {self.without:,} of {count(self.sequences, 'sequence')}")
        return "; ".join(parts)


@dataclass(frozen=True)
class Joined:
    """The sequences with what was joined to them; plan and state hold it like columns of the first table."""

    grouped: Grouped
    plan: EncoderPlan
    state: EncoderState
    files: list[JoinedFile]
    warnings: list[str]


def joined(
    grouped: Grouped,
    plan: EncoderPlan,
    state: EncoderState,
    others: Sequence[Companion],
    *,
    spool: Spool,
    memory: Memory,
) -> Joined:
    """Join the labels and static numbers of other tables to grouped sequences.

    A sequence without a row there has no label, and NaN as static numbers. Raises DataError for a key that is there
    twice, for sequences without a label unless `empty_label` says what to do, and as `group_table` does.
    """
    result = Joined(grouped, plan, state, [], [])
    for other in others:
        with at(other.table.name):
            rows = _Rows.of(other, plan.options, spool, memory)
            result = _with(result, other, rows, spool)
    _check_statics(result.plan, result.state)
    return result


def _check_statics(plan: EncoderPlan, state: EncoderState) -> None:
    """Raise DataError for whole numbers that no type holds beside NaN or fractions in other static columns."""
    dtype = plan.static_dtype(state)
    for column in plan.roles.static:
        if loss := state.statics[column].loss(dtype):
            raise DataError(f"static column {plan.label(column)!r}: {loss.reason}; leave it out")


@dataclass(frozen=True)
class _Rows:
    """The rows of another table in memory: (n,) keys as Arrow text, and (n,) columns by part, such as `y` or `s2`.

    `count` is the number of its rows before those without a key were dropped.
    """

    keys: Any
    columns: dict[str, Array]
    plan: EncoderPlan
    state: EncoderState
    count: int

    @classmethod
    def of(cls, other: Companion, options: GroupOptions, spool: Spool, memory: Memory) -> _Rows:
        """Read a table, sorted by its key; raises DataError for a duplicate key."""
        table = other.table
        options = replace(options, keep_row_index=True, dtype=None, gap=None, where=None)
        plan = replace(EncoderPlan.of(table, other.roles, options), elsewhere=other.named)
        encoder = Encoder(plan)
        room, threads = memory.for_rows(len(other.roles.used)) // 2, memory.threads()
        grouper: Grouper | None = None
        with ThreadPoolExecutor(threads) as pool:
            for batch in encoded(table, encoder, pool, threads=threads):
                if grouper is None:
                    # Per-step columns may differ within a key, so that the error can name both rows.
                    whole = plan.layout(encoder.state)
                    layout = RowSchema(whole.keys, (), (), per_step=[*whole.static, *whole.per_step])
                    grouper = Grouper(layout, spool, memory=room, at_most=table.at_most)
                encoder.spool_labels(spool, memory, table.share_read())
                grouper.add(batch, pool)
        state = encoder.state
        check(plan, state, name=table.name, place=table.place, read=table.rows)
        assert grouper is not None  # a table without rows was refused
        rows = grouper.finish()
        _refuse_twice(rows, other)
        _check_size(rows, memory)
        keys = _as_text(rows.keys, 0, len(rows.keys), len(other.roles.key))
        columns = {name: np.asarray(column) for name, column in rows.per_step.items() if name != ROW}
        return cls(keys, columns, plan, state, table.rows)


def _refuse_twice(rows: Grouped, other: Companion) -> None:
    """Raise DataError for a key of several rows, with the places of two of them."""
    for begin, part in chunks(rows.offsets):
        ends = np.append(part[1:], rows.offsets[begin + len(part) : begin + len(part) + 1])
        twice = np.flatnonzero(ends - part[: len(ends)] > 1)
        if len(twice):
            at_row = int(part[twice[0]])
            one, two = sorted(rows.per_step[ROW][at_row : at_row + 2].tolist())
            which = begin + int(twice[0])
            key = _quoted_key(_as_text(rows.keys, which, which + 1, len(other.roles.key))[0].as_py())
            lines = f"{other.table.place(one)}, and {other.table.place(two)}"
            raise DataError(f"{lines}: key {key} stands twice; a single row for each key was expected")


def _check_size(rows: Grouped, memory: Memory) -> None:
    """Raise DataError where the table by which keys are looked up does not fit into memory."""
    keys = rows.keys
    letters = keys.data.nbytes if isinstance(keys, Text) else 20 * int(np.prod(keys.shape))
    needed = 3 * letters + len(keys) * (_EACH_ROW + 16 * len(rows.per_step))
    memory.check_whole(f"its {count(len(keys), 'row')}, which are looked up by their keys", needed)


_EACH_ROW = 60  # bytes that a row takes in the table by which keys are looked up
_KEYS = 1 << 18  # looked up together


def _as_text(keys: AnyArray | Text, begin: int, end: int, width: int) -> Any:
    """Keys of `width` columns as Arrow text, joined by a NUL, which no key holds.

    A further column, which counts the pieces of a key that was cut at gaps, is left out.
    """
    import pyarrow as pa
    import pyarrow.compute as pc

    cells = keys[begin:end]
    columns = [cells] if cells.ndim == 1 else [cells[:, i] for i in range(width)]
    kinds = [pa.array(c) if c.dtype.kind == "i" else pa.array(c.tolist(), pa.large_string()) for c in columns]
    texts = [kind.cast(pa.large_string()) for kind in kinds]
    if len(texts) == 1:
        return texts[0]
    return pc.binary_join_element_wise(*texts, pa.scalar("\0", pa.large_string()))


def _quoted_key(key: str) -> str:
    return ", ".join(repr(shortened(part)) for part in key.split("\0"))


def _with(before: Joined, other: Companion, rows: _Rows, spool: Spool) -> Joined:
    """The sequences with the columns of one more table."""
    keys, width = before.grouped.keys, len(before.plan.roles.key)
    places, used = _looked_up(keys, width, rows, spool)
    lost = sum(int((part < 0).sum()) for _, part in chunks(places))
    if lost == len(keys):
        here, there = _as_text(keys, 0, 1, width)[0].as_py(), rows.keys[0].as_py()
        raise DataError(
            f"none of its keys is that of a sequence: the first is {_quoted_key(there)} there, and "
            f"{_quoted_key(here)} here; keys are compared as they are written"
        )
    file = JoinedFile(other.table.name, other.names, rows.count, int(len(used) - used.sum()), lost, len(keys))
    if lost and other.roles.labels and before.plan.options.empty_label == "error":
        first = next(begin + int(np.argmax(part < 0)) for begin, part in chunks(places) if (part < 0).any())
        raise DataError(
            f"has no row for {count(lost, 'sequence')} of {len(keys):,}, the first of key "
            f"{_quoted_key(_as_text(keys, first, first + 1, width)[0].as_py())}; say what to do with them: ",
            Advice("--empty-label", "drop"),
            ", or ",
            Advice("--empty-label", "keep"),
        )
    plan, state, static = _known(before, other, rows, places, lost, spool)
    more = [
        Message(f"{other.table.name}: ", one) for one in cautions(rows.plan, rows.state, other.table.place)
    ]
    return Joined(
        replace(before.grouped, static={**before.grouped.static, **static}),
        plan,
        state,
        [*before.files, file],
        [*before.warnings, *more],
    )


def _looked_up(keys: AnyArray | Text, width: int, rows: _Rows, spool: Spool) -> tuple[AnyArray, Array]:
    """The row of each sequence, (N,) int64, -1 for none; and which rows belong to a sequence, (n,) bool."""
    import pyarrow.compute as pc

    places, used = GrowingArray(spool, np.dtype(np.int64)), np.zeros(len(rows.keys), dtype=bool)
    for begin in range(0, len(keys), _KEYS):
        some = _as_text(keys, begin, min(begin + _KEYS, len(keys)), width)
        found = pc.index_in(some, value_set=rows.keys)
        part = np.asarray(pc.fill_null(found, -1)).astype(np.int64)
        used[part[part >= 0]] = True
        places.add(part)
    return places.done(), used


def _known(
    before: Joined, other: Companion, rows: _Rows, places: AnyArray, lost: int, spool: Spool
) -> tuple[EncoderPlan, EncoderState, dict[str, AnyArray]]:
    """The plan and the state with the columns of another table after those of the first, and the (N,) columns."""
    old, first = before.plan, len(before.plan.columns)
    added = [*other.roles.labels, *other.roles.all_static]
    new_position = {column: first + i for i, column in enumerate(added)}
    roles = replace(
        old.roles,
        labels=(*old.roles.labels, *(new_position[column] for column in other.roles.labels)),
        static=(*old.roles.static, *(new_position[column] for column in other.roles.static)),
        static_categories=(
            *old.roles.static_categories,
            *(new_position[column] for column in other.roles.static_categories),
        ),
    )
    plan = replace(old, roles=roles, columns=(*old.columns, *(other.table.label(c) for c in added)))
    labels, statics = dict(before.state.labels), dict(before.state.statics)
    static: dict[str, AnyArray] = {}
    categories = dict(before.state.categories)
    new_parts = {column: part for part, column in (plan.labels | plan.static_categories).items()}
    for held, own, found in (
        (labels, rows.plan.labels, rows.state.labels),
        (categories, rows.plan.static_categories, rows.state.categories),
    ):
        for part, column in own.items():
            new_part = new_parts[new_position[column]]
            held[new_part] = found[part]
            nothing = _unlabelled_code(found[part], lost)
            static[new_part] = _picked(rows.columns[part], places, nothing, spool)
    for column in other.roles.static:
        cells = rows.columns[static_name(column)]
        cells = cells.astype(np.float64) if lost else cells
        numbers = rows.state.statics[column]
        statics[new_position[column]] = (
            numbers.merge(NumberState(whole=False, missing=lost, seen=lost)) if lost else numbers
        )
        static[static_name(new_position[column])] = _picked(cells, places, np.nan if lost else 0, spool)
    state = replace(before.state, labels=labels, statics=statics, categories=categories)
    return plan, state, static


def _unlabelled_code(labels: LabelState, lost: int) -> int:
    """The code of no label for `lost` sequences without a row; it is added to the labels if need be."""
    if not lost:
        return 0
    code = int(labels.find([""])[0])
    if code < 0:
        code = len(labels.codes)
        labels.add([""], [0])
    labels.absent[""] = labels.absent.get("", 0) + lost
    return code


def _picked(cells: Array, places: AnyArray, nothing: float, spool: Spool) -> AnyArray:
    """The cell in the row of each sequence, (N,); `nothing` where it has no row."""
    growing = GrowingArray(spool, cells.dtype)
    for _, part in chunks(places):
        found = cells[np.maximum(part, 0)]
        found[part < 0] = nothing
        growing.add(found)
    return growing.done()
