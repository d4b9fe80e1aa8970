"""Several sorted runs into one, a range of keys at a time, however many rows any key may have.

The runs are cut at the same keys, into ranges of at most some rows. What puts the rows of a range in order is
worked out once and kept in the spool; the rows themselves are read when their chunk is asked for. A key
with more rows than make a range is cut by its order columns; where there are none, or all are equal, its
rows are in order already: run after run.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from itertools import accumulate
from typing import Any

import numpy as np
import pyarrow as pa

from seqtool.arrays.dtypes import Array
from seqtool.arrays.gather import ranges
from seqtool.arrays.lazy import AnyArray, Lazy
from seqtool.arrays.spool import GrowingArray, Spool
from seqtool.grouping.columns import GrowingText, is_numbers
from seqtool.grouping.cutting import by_key, by_order, cells_at, cut_together, rows_before
from seqtool.grouping.merged_rows import Range, RowSpan, merged_rows, total_rows
from seqtool.grouping.runs import ChangingError, Run
from seqtool.grouping.sorting import as_codes, changes, falling, ranking_bytes, stable_order, taken


def merged(
    runs: Sequence[Run],
    spool: Spool,
    *,
    memory: int,
    falls: Sequence[bool] | None = None,
    tied: int | None = None,
    on_progress: Callable[[int], None] = lambda _rows: None,
) -> Run:
    """Merge runs, in the order in which they came, into one; their key columns must be of the same kinds.

    `falls` tells which order columns descend; None: none of them. The first `tied` of them are compared for ties, by
    default all. What is not in the spool takes about `memory`
    bytes; `on_progress` is called with the rows so far. Raises ChangingError where a static column differs between
    runs.
    """
    most = max(1, memory // max(map(_row_bytes, runs)))
    columns = len(runs[0].order)
    groups = _Groups(runs, spool, falls or [False] * columns, columns if tied is None else tied)
    sections: list[Range] = []
    for spans in cut_together([by_key(run) for run in runs], most):
        sections += _ranges_of(runs, spans, groups, most)
        on_progress(groups.rows)
    ends = list(accumulate(part.count for part in sections))

    def rows(pick: Callable[[Run], AnyArray]) -> Lazy:
        return merged_rows([pick(run) for run in runs], sections, ends)

    def per_step(name: str) -> Lazy:
        return rows(lambda run: run.per_step[name])

    return Run(
        rows(lambda run: run.values),
        groups.ends.done(),
        [growing.done() for growing in groups.keys],
        [],
        {name: growing.done() for name, growing in groups.static.items()},
        {name: per_step(name) for name in runs[0].per_step},
        groups.ties,
    )


class _Groups:
    """The groups of the result, as they are found; `falls` tells which order columns descend, `tied` see `merged`."""

    def __init__(self, runs: Sequence[Run], spool: Spool, falls: Sequence[bool], tied: int) -> None:
        self.spool = spool
        self.falls = falls
        self.tied = tied
        self.keys: list[Any] = [
            GrowingArray(spool, column.dtype) if is_numbers(column) else GrowingText(spool)
            for column in runs[0].keys
        ]
        self.ends = GrowingArray(spool, np.dtype(np.int64))
        self.static = {
            name: GrowingArray(spool, np.result_type(*(run.static[name].dtype for run in runs)))
            for name in runs[0].static
        }
        self.rows = 0
        self.ties = 0

    def add(self, keys: Sequence[Any], lengths: Array, static: Mapping[str, Array]) -> None:
        """Add the groups that follow: their keys, their numbers of rows, and their static values."""
        for growing, column in zip(self.keys, keys, strict=True):
            growing.add(column)
        self.ends.add(np.cumsum(lengths) + self.rows)
        for name, growing in self.static.items():
            growing.add(static[name])
        self.rows += int(lengths.sum())


def _row_bytes(run: Run) -> int:
    """The bytes of a row while a range is sorted, or while it is read, whichever is more."""
    steps = run.values.shape[1] * run.values.dtype.itemsize
    return max(steps + 12, 64 + sum(map(_cell_bytes, [*run.keys, *run.order])))


def _cell_bytes(column: Any) -> int:
    """The bytes of a cell in a column that rows are sorted by; text is held, copied and ranked."""
    if is_numbers(column):
        return 16
    text: int = 8 + column.data.nbytes // max(1, len(column))
    return 2 * text + ranking_bytes(text, 1)


def _ranges_of(runs: Sequence[Run], spans: Sequence[RowSpan], groups: _Groups, most: int) -> Iterator[Range]:
    """The ranges of the groups between two cuts; `spans` are the groups of each run."""
    rows = [
        (rows_before(run, begin), rows_before(run, end))
        for run, (begin, end) in zip(runs, spans, strict=True)
    ]
    total = total_rows(rows)
    if not total:
        return
    keys = [_together([run.keys[i] for run in runs], spans) for i in range(len(groups.keys))]
    codes = [as_codes(column) for column in keys]
    entries = stable_order(codes)  # an entry is the part of a group that lies in one run
    new = np.concatenate([changed for _, changed in changes(codes, entries)])
    ends = [run.ends[begin:end] for run, (begin, end) in zip(runs, spans, strict=True)]
    counts = np.concatenate(
        [np.diff(part, prepend=begin) for part, (begin, _) in zip(ends, rows, strict=True)]
    )
    starts = np.cumsum(counts) - counts
    if entries is None:
        entries = np.arange(len(counts))
    firsts = np.flatnonzero(new)
    lengths = np.add.reduceat(counts[entries], firsts)
    static = _constant(runs, spans, keys, entries, new)
    picked = entries[firsts]
    groups.add(
        [column.take(pa.array(picked) if not is_numbers(column) else picked) for column in keys],
        lengths,
        static,
    )
    if len(firsts) == 1 and total > most:
        yield from _one_group(runs, rows, groups, most)
        return
    order = ranges(starts[entries], counts[entries])
    if runs[0].order:
        order = _by_columns(runs, rows, groups, order, lengths)
    yield Range(rows, groups.spool.append(order), total)


def _one_group(runs: Sequence[Run], rows: list[RowSpan], groups: _Groups, most: int) -> Iterator[Range]:
    """The ranges of a group of more rows than one range holds; `rows` are its rows in each run."""
    if not runs[0].order:
        yield Range(rows, None, total_rows(rows))
        return
    for spans in cut_together(
        [by_order(run, span, groups.falls) for run, span in zip(runs, rows, strict=True)], most
    ):
        part = [(begin + a, begin + b) for (begin, _), (a, b) in zip(rows, spans, strict=True)]
        total = total_rows(part)
        if total > most and _all_equal(runs, part):
            groups.ties += total - 1
            yield Range(part, None, total)
        elif total:
            order = _by_columns(runs, part, groups, None, np.array([total]))
            yield Range(part, groups.spool.append(order), total)


def _all_equal(runs: Sequence[Run], rows: Sequence[RowSpan]) -> bool:
    """Whether the rows of these sorted spans are equal in all order columns: their first and last rows are."""
    edges = {
        cells_at(run.order)(at)
        for run, (begin, end) in zip(runs, rows, strict=True)
        if end > begin
        for at in (begin, end - 1)
    }
    return len(edges) == 1


def _by_columns(
    runs: Sequence[Run], rows: Sequence[RowSpan], groups: _Groups, order: Array | None, lengths: Array
) -> Array:
    """The order of the rows of some groups by the order columns, (rows,); counts ties.

    `order` puts rows of equal keys together, None where they are; `lengths` are the rows of each group.
    """
    columns = [as_codes(_together([run.order[i] for run in runs], rows)) for i in range(len(runs[0].order))]
    columns = [
        falling(column) if falls else column for column, falls in zip(columns, groups.falls, strict=True)
    ]
    if order is not None:
        columns = [taken(column, order) for column in columns]
    group = np.repeat(np.arange(len(lengths), dtype=np.int32), lengths)
    by = stable_order([group, *columns])
    compared = columns[: groups.tied]
    if compared:
        for (_, new), (_, differs) in zip(changes([group]), changes(compared, by), strict=True):
            groups.ties += int((~(new | differs)).sum())
    if order is None:
        return np.arange(len(group), dtype=np.uint32) if by is None else by
    return order if by is None else taken(order, by)


def _constant(
    runs: Sequence[Run], spans: Sequence[RowSpan], keys: Sequence[Any], entries: Array, new: Array
) -> dict[str, Array]:
    """The value of each static column in each group; raises ChangingError where runs differ."""
    values = {}
    for name in runs[0].static:
        column = _together([run.static[name] for run in runs], spans).take(entries)
        wrong = next(iter(np.flatnonzero(~new & np.concatenate([c for _, c in changes([column])]))), None)
        if wrong is not None:
            key = tuple(str(part[int(entries[wrong])]) for part in keys)
            raise ChangingError(name, key, column[wrong - 1].item(), column[wrong].item())
        values[name] = column[new]
    return values


def _together(columns: Sequence[Any], spans: Sequence[RowSpan]) -> Any:
    """The same column of several runs, end to end."""
    parts = [column[begin:end] for column, (begin, end) in zip(columns, spans, strict=True) if end > begin]
    return np.concatenate(parts) if is_numbers(parts[0]) else pa.concat_arrays(parts)
