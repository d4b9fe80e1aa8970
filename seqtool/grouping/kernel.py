"""The kernel: rows in any order become one sequence for each key.

Rows are gathered in memory until that is full, sorted (`seqtool.grouping.runs`), and where they do not fit, the sorted
runs go to a spool and are merged (`seqtool.grouping.merging`). What comes out depends neither on how the rows were
cut into batches nor on how much memory there was.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import Executor
from dataclasses import field, replace
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa

from seqtool.arrays.dtypes import Array
from seqtool.arrays.gather import ranges
from seqtool.arrays.lazy import AnyArray, Lazy, side_by_side
from seqtool.arrays.spool import Spool
from seqtool.arrays.text import Text
from seqtool.dataclass import dataclass
from seqtool.grouping.columns import GrowingText, Ranked, Spelled, TextColumn, is_numbers
from seqtool.grouping.merging import merged
from seqtool.grouping.runs import ChangingError, RowBuffer, RowSchema, Run, in_order
from seqtool.grouping.sorting import as_codes, spelled, stable_order

if TYPE_CHECKING:
    from seqtool.grouping.gaps import GapCut

__all__ = ["ChangingError", "Computed", "Grouped", "Grouper", "RowSchema", "key_array"]


@dataclass(frozen=True)
class Grouped:
    """S rows in N groups, keys ascending.

    `values` is (S, F), `offsets` (N + 1,) int64; `keys` is (N,), or (N, K) for K key columns: int64 or text. `static`
    holds arrays (N,) and `per_step` arrays (S,) by name; `ties` counts rows whose order columns all equal those of the
    row before, of the same key.
    """

    values: AnyArray
    offsets: AnyArray
    keys: AnyArray | Text
    static: Mapping[str, AnyArray]
    per_step: Mapping[str, AnyArray]
    ties: int


@dataclass(frozen=True)
class Computed:
    """Sorted rows with computed features behind their own: the names of these, and what they are.

    `unit` is that of times between steps, None where there are none; `warnings` are sentences.
    """

    grouped: Grouped
    names: list[str] = field(default_factory=list)
    meaning: dict[str, str] = field(default_factory=dict)
    unit: str | None = None
    warnings: list[str] = field(default_factory=list)


class Grouper:
    """Takes rows batch by batch and groups them, in about `memory` bytes; what does not fit goes to `spool`.

    `at_most` is an upper bound on the number of rows, if one is known; `share_read()` estimates the share of the rows
    added so far, 0 where that is not known.

    >>> with Spool() as spool:
    ...     grouper = Grouper(RowSchema(["k"], [], ["a", "b"]), spool, memory=1 << 20)
    ...     grouper.add({"k": np.array([2, 1, 2]), "a": np.array([5, 6, 7]), "b": np.array([0, 1, 2])})
    ...     grouped = grouper.finish()
    >>> grouped.offsets.tolist(), np.asarray(grouped.values).tolist()
    ([0, 1, 3], [[6, 1], [5, 0], [7, 2]])
    """

    def __init__(
        self,
        layout: RowSchema,
        spool: Spool,
        *,
        memory: int,
        at_most: int | None = None,
        share_read: Callable[[], float] = lambda: 0.0,
    ) -> None:
        self._layout = layout
        self._spool = spool
        self._memory = memory
        self._rows = RowBuffer(layout, memory, at_most)
        self._runs: list[Run] = []
        self._share_read = share_read

    def add(self, batch: Mapping[str, Any], pool: Executor | None = None) -> None:
        """Add a batch: a column for each name of the layout, of NumPy numbers or of Arrow text.

        From one batch to the next integers may become floats, or text in keys. Raises ChangingError where a static
        column changes within a key.
        """
        count = len(next(iter(batch.values())))
        done = 0
        while done < count:
            if not self._rows.room or self._rows.too_many_for(batch):
                self._spill()
            done += self._rows.add({name: column[done:] for name, column in batch.items()}, pool)

    def _spill(self) -> None:
        run = self._rows.sorted_run()
        share = self._share_read()
        if not self._runs and share > 0:  # the first run tells about how much will go to the spool
            self._spool.check_room(int(run.nbytes / share))
        self._runs.append(run.spilled(self._spool))

    @property
    def nbytes(self) -> int:
        """About the bytes of the runs that are to be merged."""
        return sum(run.nbytes for run in self._runs)

    def finish(
        self,
        *,
        dtype: np.dtype[Any] | None = None,
        cut: GapCut | None = None,
        on_progress: Callable[[int, int], None] = lambda _bytes, _rows: None,
    ) -> Grouped:
        """All rows, grouped; `dtype` is that of the values, and `cut` splits groups at gaps.

        `on_progress` is called with the bytes and the rows that are in order.
        """
        return self._grouped(self._sorted(on_progress), dtype, cut)

    def finish_each(
        self, *, dtype: np.dtype[Any] | None = None, cut: GapCut | None = None
    ) -> Iterator[tuple[int, Grouped]]:
        """All rows, grouped apart for each number in the first key column, which is no part of their keys.

        The first has the ties of all.
        """
        run = self._sorted(lambda _bytes, _rows: None)
        numbers, ties = np.asarray(run.keys[0]), run.ties
        run = replace(run, keys=run.keys[1:])
        begins = np.flatnonzero(np.diff(numbers, prepend=-1))
        for begin, end in zip(begins, [*begins[1:], len(numbers)], strict=True):
            part = replace(run.groups(int(begin), int(end)), ties=ties)
            yield int(numbers[begin]), self._grouped(part, dtype, cut)
            ties = 0

    def _sorted(self, on_progress: Callable[[int, int], None]) -> Run:
        """All rows as one run."""
        if not self._runs:
            return self._rows.sorted_run()
        self._spill()
        runs, each = self._of_one_kind(), self.nbytes / sum(map(len, self._runs))
        return merged(
            runs,
            self._spool,
            memory=self._memory // 2,
            falls=self._layout.falls,
            tied=self._layout.tied,
            on_progress=lambda rows: on_progress(int(rows * each), rows),
        )

    def _grouped(self, run: Run, dtype: np.dtype[Any] | None, cut: GapCut | None) -> Grouped:
        run = run if cut is None else cut.of(run, self._spool)
        return Grouped(
            run.values if dtype is None else _cast(run.values, dtype),
            _offsets(run.ends),
            key_array(run.keys, self._spool),
            run.static,
            run.per_step,
            run.ties,
        )

    def _of_one_kind(self) -> list[Run]:
        """The runs with key columns of one kind: text in all of them where some run has text."""
        count = len(self._layout.keys)
        text = [any(not is_numbers(run.keys[i]) for run in self._runs) for i in range(count)]
        return [
            run
            if all(is_numbers(run.keys[i]) != text[i] for i in range(count))
            else _with_text_keys(run, text).spilled(self._spool)
            for run in self._runs
        ]


def _with_text_keys(run: Run, text: Sequence[bool]) -> Run:
    """A run whose integer key columns become text where `text` says so, rows in the order of text; read in chunks."""
    to_texts = [wanted and is_numbers(column) for column, wanted in zip(run.keys, text, strict=True)]
    keys = [column[:] for column in run.keys]
    order = stable_order(
        [
            part
            for column, to_text in zip(keys, to_texts, strict=True)
            for part in (spelled(column) if to_text else [as_codes(column)])
        ]
    )
    if order is None:
        return replace(
            run,
            keys=[
                Spelled(column) if to_text else column for column, to_text in zip(keys, to_texts, strict=True)
            ],
        )
    ends = run.ends[:]
    counts = np.diff(ends, prepend=0)
    rows = ranges((ends - counts)[order], counts[order])

    def moved(column: Any, by: Array) -> Any:
        return in_order(column[:], by) if is_numbers(column) else Ranked(by, column[:])

    return Run(
        moved(run.values, rows),
        np.cumsum(counts[order]),
        [
            Spelled(in_order(column, order)) if to_text else moved(column, order)
            for column, to_text in zip(keys, to_texts, strict=True)
        ],
        [moved(column, rows) for column in run.order],
        {name: moved(column, order) for name, column in run.static.items()},
        {name: moved(column, rows) for name, column in run.per_step.items()},
        run.ties,
    )


def _offsets(ends: AnyArray) -> AnyArray:
    """The first row of each group, and the end of the last: (N + 1,) int64 from `ends`, (N,)."""
    if isinstance(ends, np.ndarray):
        return np.concatenate([[0], ends])

    def read(begin: int, end: int) -> Array:
        part = ends[max(begin - 1, 0) : end - 1] if end > begin else ends[:0]
        return part if begin or end == begin else np.concatenate([[0], part])

    return Lazy((len(ends) + 1,), np.dtype(np.int64), read)


def _cast(values: AnyArray, dtype: np.dtype[Any]) -> AnyArray:
    if values.dtype == dtype:
        return values

    def read(begin: int, end: int) -> Array:
        with np.errstate(all="ignore"):  # what would be lost was refused when it was read
            return values[begin:end].astype(dtype)

    return Lazy(values.shape, dtype, read)


def key_array(columns: Sequence[Any], spool: Spool | None = None) -> AnyArray | Text:
    """The keys of N groups from their key columns: (N,) for one column, (N, K) for several; int64 or text.

    Columns of integers alone give integers; with a column of text among them, all become text.

    >>> key_array([pa.array(["b", "c"]), np.array([1, 2])])[:]
    array([['b', '1'],
           ['c', '2']], dtype='<U1')
    """
    count, width = len(columns[0]), len(columns)
    if not all(map(is_numbers, columns)):
        return _text_keys(columns, (count,) if width == 1 else (count, width), spool or Spool())
    if width == 1:
        return columns[0]  # type: ignore[no-any-return]
    return side_by_side(columns, np.dtype(np.int64))


def _text_keys(columns: Sequence[Any], shape: tuple[int, ...], spool: Spool) -> Text:
    """Key columns as text, (N,) or (N, K)."""
    cells = columns[0]
    if len(columns) > 1 or not isinstance(cells, TextColumn):
        growing = GrowingText(spool)
        for begin in range(0, shape[0], _KEYS):
            end = min(begin + _KEYS, shape[0])
            parts = [pa.array(c[begin:end]) if is_numbers(c) else c[begin:end] for c in columns]
            together = pa.concat_arrays([part.cast(pa.large_string()) for part in parts])
            rows = np.arange(len(together)).reshape(len(columns), -1).T.reshape(-1)
            growing.add(together.take(pa.array(rows)) if len(columns) > 1 else together)
        cells = growing.done()
    return Text(cells.data, cells.offsets, shape, widest=cells.widest)


_KEYS = 1 << 16  # turned into text together
