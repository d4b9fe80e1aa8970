"""One row a sequence: the columns of a wide table, list columns, and lists in cells of text."""

from __future__ import annotations

from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from seqtool.arrays.dtypes import Array
from seqtool.arrays.list_columns import Lists, is_list
from seqtool.arrays.spool import GrowingArray, running_sums
from seqtool.errors import DataError, at
from seqtool.sequences.ragged import Ragged
from seqtool.sources.aligned import Aligned, CategoryColumn, LabelColumn, check_equal_lengths, with_aligned
from seqtool.sources.cells import split_cells
from seqtool.sources.options import Sequences, SourceOptions
from seqtool.sources.row_steps import (
    NumberCells,
    TextLists,
    TypedLists,
    Wide,
    holds_lists_of_names,
    name_of_all,
    names_across,
    steps_of,
)
from seqtool.sources.tokens import without_features
from seqtool.tables.cells.cells import is_text
from seqtool.tables.named_columns import position
from seqtool.tables.table import Expected, Table
from seqtool.words import count


def read_rows(table: Table, options: SourceOptions) -> Sequences:
    """The sequences of a table in which each row holds one; `options.foreign` names its columns.

    In a wide table `rows.steps` are the columns of the steps of one feature. Columns of `array` hold lists of numbers,
    or lists of lists of F numbers; several columns stand side by side as features. Raises DataError for columns that
    the table lacks, for cells that are no numbers, and for lists of one row that differ in length.
    """
    reading = _Reading(table, options)
    for batch in table.batches(reading.columns, reading.expected()):
        reading.take(dict(zip(reading.columns, batch.columns, strict=True)), len(batch))
    return reading.done()


class _Reading:
    """The sequences of a table while it is read, batch by batch."""

    def __init__(self, table: Table, options: SourceOptions) -> None:
        self._table, self._options = table, options
        spec = options.foreign
        self._numbers = NumberCells(table, options)
        with at(table.name):
            named = [position(table, name, "--category") for name in spec.rows.category]
            wide = [position(table, name, "--steps") for name in spec.rows.steps]
        lists = [
            column for column in named if column not in wide and holds_lists_of_names(table, column, spec)
        ]
        self._of_steps, self._places = steps_of(table, spec, self._numbers, [*lists, *{*wide} & {*named}])
        self._names = {table.label(column): [column] for column in lists}
        if wide and not self._of_steps:
            self._names[name_of_all([table.label(column) for column in wide])] = wide
        names = [column for places in self._names.values() for column in places]
        self._static_names = [column for column in named if column not in names]
        with at(table.name):
            self._step_label = _position(table, spec.step_label, "--step-label")
            self._labels = {name: position(table, name, "--label") for name in spec.labels}
            statics = [position(table, name, "--static") for name in spec.rows.static]
            self._static = [column for column in statics if column not in self._static_names]
            self._key = _position(table, spec.key, "--key")
        single = [column for column in (self._key, self._step_label) if column is not None]
        self._as_names = frozenset([*names, *self._static_names])
        beside = [*single, *self._labels.values(), *self._static, *names, *self._static_names]
        of_steps = [column for places in self._places for column in places]
        self.columns = list(dict.fromkeys([*of_steps, *beside]))
        self._beside = frozenset(beside)
        whole = [*self._static, *([] if self._key is None else [self._key])]
        self._batches: dict[int, list[Any]] = {column: [] for column in whole}
        self._aligned = Aligned(
            labels={name: LabelColumn(table.name, name, options, place=table.place) for name in self._labels},
            categories={
                title: CategoryColumn(table.name, title, options, holder="step") for title in self._names
            },
            static_categories={
                table.label(c): CategoryColumn(table.name, table.label(c), options, place=table.place)
                for c in self._static_names
            },
        )
        if self._step_label is not None:
            label = table.label(self._step_label)
            self._aligned.step_labels = LabelColumn(
                table.name, label, options, holder="step", place=self._place_of_step
            )
        self._values: GrowingArray | None = None
        self._kinds: set[np.dtype[Any]] = set()
        self._lengths = GrowingArray(options.spool, np.dtype(np.int64))
        self._empty = 0

    def expected(self) -> Expected:
        """What the columns of text are likely to hold: numbers in those of a wide table."""
        key = frozenset({*self._as_names, *(() if self._key is None else (self._key,))})
        words, wide = self._numbers.numbers.words, bool(self._options.foreign.rows.steps and self._of_steps)
        steps = frozenset(self._places[0]) - self._beside if wide else frozenset()
        # Labels and static numbers may be written as steps are.
        beside = frozenset(self._beside - {self._key, self._step_label} - self._as_names)
        if words is None or not wide:
            return Expected(keys=key, spelled=steps | beside)
        return Expected(steps, words, key, spelled=beside)

    def _place_of_step(self, step: int) -> str:
        ends = np.cumsum(self._lengths.done()[:])
        return self._table.place(int(np.searchsorted(ends, step, side="right")))

    def take(self, columns: dict[int, Any], rows: int) -> None:
        """Add the rows of a batch: its `columns` by position, and their number."""
        first, found = len(self._lengths), list[Lists]()
        for reader, places in zip(self._of_steps, self._places, strict=True):
            with at(self._table.name):
                found.append(reader.lists([columns[column] for column in places], first))
        named = [
            (reader.names[0], lists.lengths) for reader, lists in zip(self._of_steps, found, strict=True)
        ]
        of_names = {
            title: self._cells_across([columns[column] for column in places])
            for title, places in self._names.items()
        }
        named += [(title, counts) for title, (_, counts) in of_names.items()]
        lengths = named[0][1]
        if self._step_label is not None:
            cells, label_lengths = _cells_of(columns[self._step_label])
            named.append((self._table.label(self._step_label), label_lengths))
        self._check_lengths(named, first)
        if self._aligned.step_labels is not None:
            self._aligned.step_labels.add(cells)
        for title, (names, _) in of_names.items():
            self._aligned.categories[title].add(names)
        for column in self._static_names:
            self._aligned.static_categories[self._table.label(column)].add(columns[column])
        for name, column in self._labels.items():
            self._aligned.labels[name].add(columns[column])
        self._add(found)
        self._lengths.add(lengths)
        self._empty += int((lengths == 0).sum())
        for column, parts in self._batches.items():
            parts.append(columns[column])

    def _cells_across(self, columns: list[Any]) -> tuple[Any, Array]:
        """The names of the steps of each row, end to end, and how many it has: in a list, or in several columns."""
        if len(columns) == 1 and not self._options.foreign.rows.steps:
            return _cells_of(columns[0])
        return names_across(columns, keep_trailing=self._options.foreign.rows.keep_trailing)

    def _check_lengths(self, named: list[tuple[str, Array]], first: int) -> None:
        names, lengths = [name for name, _ in named], [found for _, found in named]
        for other in lengths[1:]:
            wrong = np.flatnonzero(other != lengths[0])
            if len(wrong):
                row = int(wrong[0])
                place = self._table.place(first + row)
                check_equal_lengths(place, [int(some[row]) for some in lengths], names)

    def _add(self, found: list[Lists]) -> None:
        """Add the steps of a batch, those of several columns side by side; none where steps are names alone."""
        if not found:
            return
        if len(found) > 1:
            for reader, lists in zip(self._of_steps, found, strict=True):
                if lists.values.ndim > 1:
                    raise DataError(
                        f"{self._table.name}: the steps of {reader.names[0]!r} are lists; numbers were expected, for "
                        "several columns stand side by side"
                    )
            steps = np.stack([lists.values for lists in found], axis=1)
        else:
            steps = found[0].values.copy()  # for the batch gives its pages back
        values = self._values
        if values is None or (not len(values) and values.tail != steps.shape[1:]):
            self._values = values = GrowingArray(self._options.spool, steps.dtype, steps.shape[1:])
        if len(steps) and steps.shape[1:] != values.tail:
            name = self._of_steps[0].names[0]
            raise DataError(f"{self._table.name}: the steps of {name!r} have different numbers of features")
        if len(steps):
            values.add(steps)
            self._kinds.add(steps.dtype)

    def done(self) -> Sequences:
        """All sequences, with their keys, labels and static numbers."""
        warnings, table = list[str](), self._table
        if self._values is None and not len(self._lengths):  # no batch at all
            nothing = [pa.array([], kind) for kind in table.types] or [pa.array([], pa.string())]
            self.take({c: nothing[c if len(nothing) > 1 else 0] for c in self.columns}, 0)
        values = self._values
        if values is not None:
            dtype = np.result_type(*self._kinds) if self._kinds else values.dtype
            if self._numbers.numbers.seen or all(
                isinstance(one, (Wide, TextLists)) for one in self._of_steps
            ):
                dtype = self._numbers.dtype(warnings)
        typed = all(isinstance(one, TypedLists) for one in self._of_steps)
        if self._empty and not (typed and not self._options.foreign.rows.steps):
            became = "a sequence" if self._empty == 1 else "sequences"
            warnings.append(f"{count(self._empty, 'row')} without a step became {became} without steps")
        found, spec = self._aligned, self._options.foreign
        steps = {column for places in self._places for column in places}
        warnings += [
            f"label {name!r} is one of the steps too, which leaks the label"
            for name, column in self._labels.items()
            if column in steps
        ]
        if self._key is not None:
            found.keys = self._whole(self._key)
        found.static = {table.label(column): self._whole(column) for column in self._static}
        features = tuple(one.names[0] for one in self._of_steps) if len(self._of_steps) > 1 else None
        offsets = running_sums(self._lengths.done(), self._options.spool)
        ragged = without_features(offsets)
        if values is not None:
            ragged = Ragged(values.done(dtype), offsets, features=features)
        return with_aligned(table.name, ragged, found, spec.rows, len(ragged.values), warnings)

    def _whole(self, column: int) -> Any:
        """All cells of a column; as text again where they came as numbers in some batches alone."""
        parts = self._batches[column]
        kinds = {part.type for part in parts}
        if len(kinds) > 1:
            parts = [part.cast(pa.string()) for part in parts]
        return pa.concat_arrays(parts) if parts else pa.array([], pa.string())


def _position(table: Table, name: str | int | None, option: str) -> int | None:
    return None if name is None else position(table, name, option)


def _cells_of(column: Any) -> tuple[Any, Array]:
    """The cells of lists end to end, and how many each holds."""
    if is_list(column.type):
        lengths = pc.fill_null(pc.list_value_length(column), 0)
        return column.flatten(), np.asarray(lengths).astype(np.int64)
    if not is_text(column):
        column = column.cast(pa.string())
    cells, counts = split_cells(column.to_pylist())
    return pa.array(cells, pa.string()), counts
