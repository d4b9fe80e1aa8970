"""One row a sequence: the columns of a wide table, list columns, and lists in cells of text."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Protocol

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from seqtool.advice import Advice
from seqtool.arrays.dtypes import Array, dtype_named
from seqtool.arrays.list_columns import Lists, is_list, lists_of
from seqtool.arrays.spool import GrowingArray, running_sums
from seqtool.errors import DataError, NotSequencesError, UsageError, at
from seqtool.sequences.ragged import Ragged
from seqtool.sources.aligned import Aligned, LabelColumn, check_equal_lengths, with_aligned
from seqtool.sources.cells import PLAIN, plain_cells, settled_dtype, split_cells
from seqtool.sources.options import ForeignSpec, Sequences, SourceOptions
from seqtool.tables.cell_errors import bad_cell_error
from seqtool.tables.cells import BadCell, BadCellError, Numbers, missing_words
from seqtool.tables.cells.cells import is_text
from seqtool.tables.roles import position
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


class _Steps(Protocol):
    """Turns the cells of some columns into lists of steps; `names` are those of the columns."""

    names: list[str]

    def lists(self, columns: Sequence[Any], first_row: int) -> Lists:
        """The lists of a batch."""


class _Reading:
    """The sequences of a table while it is read, batch by batch."""

    def __init__(self, table: Table, options: SourceOptions) -> None:
        self._table, self._options = table, options
        spec = options.foreign
        self._numbers = _NumberCells(table, options)
        self._of_steps, self._places = _steps_of(table, spec, self._numbers)
        with at(table.name):
            self._step_label = _position(table, spec.step_label, "--step-label")
            self._labels = {name: position(table, name, "--label") for name in spec.labels}
            self._static = [position(table, name, "--static") for name in spec.rows.static]
            self._key = _position(table, spec.key, "--key")
        single = [column for column in (self._key, self._step_label) if column is not None]
        beside = [*single, *self._labels.values(), *self._static]
        of_steps = [column for places in self._places for column in places]
        self.columns = list(dict.fromkeys([*of_steps, *beside]))
        self._beside = frozenset(beside)
        whole = [*self._static, *([] if self._key is None else [self._key])]
        self._batches: dict[int, list[Any]] = {column: [] for column in whole}
        self._aligned = Aligned(
            labels={name: LabelColumn(table.name, name, options, place=table.place) for name in self._labels}
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
        key = frozenset(() if self._key is None else (self._key,))
        words, wide = self._numbers.numbers.words, bool(self._options.foreign.rows.steps)
        steps = frozenset(self._places[0]) - self._beside if wide else frozenset()
        # Labels and static numbers may be written as steps are.
        beside = frozenset(self._beside - {self._key, self._step_label})
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
        lengths = found[0].lengths
        named = [
            (reader.names[0], lists.lengths) for reader, lists in zip(self._of_steps, found, strict=True)
        ]
        if self._step_label is not None:
            cells, label_lengths = _cells_of(columns[self._step_label])
            named.append((self._table.label(self._step_label), label_lengths))
        self._check_lengths(named, first)
        if self._aligned.step_labels is not None:
            self._aligned.step_labels.add(cells)
        for name, column in self._labels.items():
            self._aligned.labels[name].add(columns[column])
        self._add(found)
        self._lengths.add(lengths)
        self._empty += int((lengths == 0).sum())
        for column, parts in self._batches.items():
            parts.append(columns[column])

    def _check_lengths(self, named: list[tuple[str, Array]], first: int) -> None:
        names, lengths = [name for name, _ in named], [found for _, found in named]
        for other in lengths[1:]:
            wrong = np.flatnonzero(other != lengths[0])
            if len(wrong):
                row = int(wrong[0])
                place = self._table.place(first + row)
                check_equal_lengths(place, [int(some[row]) for some in lengths], names)

    def _add(self, found: list[Lists]) -> None:
        """Add the steps of a batch, those of several columns side by side."""
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
        if self._values is None:  # no batch at all
            nothing = [pa.array([], kind) for kind in table.types] or [pa.array([], pa.string())]
            self.take({c: nothing[c if len(nothing) > 1 else 0] for c in self.columns}, 0)
        assert self._values is not None
        dtype = np.result_type(*self._kinds) if self._kinds else self._values.dtype
        if self._numbers.numbers.seen or all(isinstance(one, (_Wide, _TextLists)) for one in self._of_steps):
            dtype = self._numbers.dtype(warnings)
        if self._empty and not all(isinstance(one, _TypedLists) for one in self._of_steps):
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
        ragged = Ragged(self._values.done(dtype), offsets, features=features)
        return with_aligned(table.name, ragged, found, spec.rows, len(self._values), warnings)

    def _whole(self, column: int) -> Any:
        """All cells of a column; as text again where they came as numbers in some batches alone."""
        parts = self._batches[column]
        kinds = {part.type for part in parts}
        if len(kinds) > 1:
            parts = [part.cast(pa.string()) for part in parts]
        return pa.concat_arrays(parts) if parts else pa.array([], pa.string())


def _position(table: Table, name: str | int | None, option: str) -> int | None:
    return None if name is None else position(table, name, option)


def _steps_of(table: Table, spec: ForeignSpec, numbers: _NumberCells) -> tuple[list[_Steps], list[list[int]]]:
    """The readers of steps, and the columns of each."""
    if spec.rows.steps:
        if spec.array is not None:
            raise UsageError(
                "--array and --steps both say where the steps stand: ",
                Advice(without=["--array"]),
            )
        with at(table.name):
            places = [position(table, name, "--steps") for name in spec.rows.steps]
        if len(set(places)) < len(places):
            twice = next(place for place in places if places.count(place) > 1)
            raise UsageError(f"--steps names column {table.label(twice)!r} twice")
        wide = _Wide(table, places, numbers, keep_trailing=spec.rows.keep_trailing)
        return [wide], [places]
    names = spec.arrays or [_only_list(table)]
    with at(table.name):
        columns = [position(table, name, "--array") for name in names]
    typed = [bool(table.types) and is_list(table.types[column]) for column in columns]
    found: list[_Steps] = [
        _TypedLists(table.label(column))
        if is_typed
        else _TextLists(table.label(column), numbers, i, len(columns))
        for i, (column, is_typed) in enumerate(zip(columns, typed, strict=True))
    ]
    return found, [[column] for column in columns]


def _only_list(table: Table) -> str:
    """The one list column."""
    lists = [table.label(column) for column, kind in enumerate(table.types) if is_list(kind)]
    if not lists:
        raise NotSequencesError(f"{table.name}: holds no list of steps")
    if len(lists) > 1:
        raise DataError(
            f"{table.name}: holds several lists; choose one of {', '.join(lists)}, such as ",
            Advice("--array", lists[0]),
        )
    return lists[0]


def _cells_of(column: Any) -> tuple[Any, Array]:
    """The cells of lists end to end, and how many each holds."""
    if is_list(column.type):
        lengths = pc.fill_null(pc.list_value_length(column), 0)
        return column.flatten(), np.asarray(lengths).astype(np.int64)
    if not is_text(column):
        column = column.cast(pa.string())
    cells, counts = split_cells(column.to_pylist())
    return pa.array(cells, pa.string()), counts


class _NumberCells:
    """The numbers of a table, which all become one type; a cell is counted as row * width + column."""

    def __init__(self, table: Table, options: SourceOptions) -> None:
        self._table = table
        self._asked = options.dtype
        self.target = np.dtype(np.float32) if options.dtype is None else dtype_named(options.dtype)
        self.words = missing_words(options.foreign.rows.missing)
        self.marks = PLAIN if options.foreign.rows.text is None else options.foreign.rows.text.marks
        self.numbers = Numbers(self.target, self.words, text=True, rounds=options.dtype is not None)
        self.width, self.names = 1, list[str]()

    def read(self, cells: Any, rows: Array, column: int) -> Array:
        """The cells, (n,), of a column as numbers; `rows` has the row of each. Raises DataError for a bad cell."""
        try:
            return self.numbers.encode(cells, rows * self.width + column)
        except BadCellError as bad:
            raise bad_cell_error(
                BadCell(int(rows[bad.row]), bad.cell),
                "feature",
                self.names[column],
                name=self._table.name,
                place=self._table.place,
            ) from None

    def dtype(self, warnings: list[str]) -> np.dtype[Any]:
        """The type of all numbers: int64 if they are whole and no type is asked for. Raises DataError for a loss."""

        def place(cell: int) -> str:
            return self.place(*divmod(cell, self.width))

        return settled_dtype(
            self.numbers, self.target, asked=self._asked is not None, place=place, warnings=warnings
        )

    def place(self, row: int, column: int) -> str:
        """Where a cell stands, in words."""
        return f"{self._table.place(row)}, column {self.names[column]!r}"


class _Wide:
    """Columns of single steps, in order; empty cells at the end of a row are no steps unless `keep_trailing`."""

    def __init__(
        self, table: Table, columns: Sequence[int], numbers: _NumberCells, *, keep_trailing: bool
    ) -> None:
        self.names = [table.label(column) for column in columns]
        self._numbers, self._keep = numbers, keep_trailing
        numbers.width, numbers.names = len(columns), self.names

    def lists(self, columns: Sequence[Any], first_row: int) -> Lists:
        rows, width = len(columns[0]), len(columns)
        lengths = np.full(rows, width, dtype=np.int64)
        if not self._keep:
            lengths[:] = 0
            for i, column in enumerate(columns):
                lengths[~self._missing(column)] = i + 1
        numbers = list[Array]()
        for i, column in enumerate(columns):
            kept = np.flatnonzero(lengths > i)
            cells = column if len(kept) == rows else column.take(pa.array(kept))
            numbers.append(self._numbers.read(cells, first_row + kept, i))
        block = np.zeros((rows, width), np.result_type(*(part.dtype for part in numbers)))
        for i, part in enumerate(numbers):
            block[lengths > i, i] = part
        return Lists(block[np.arange(width) < lengths[:, None]], lengths, 0)

    def _missing(self, column: Any) -> Array:
        """Which cells of a column are empty or spell a missing value, (n,) bool."""
        if is_text(column):
            nothing = pc.is_in(pc.utf8_trim_whitespace(column), value_set=self._numbers.words)
            return np.asarray(pc.or_(pc.is_null(column), nothing))
        return np.asarray(pc.is_null(column, nan_is_null=True))


class _TextLists:
    """Lists of numbers in the cells of a column of text."""

    def __init__(self, name: str, numbers: _NumberCells, place: int, width: int) -> None:
        self.names, self._numbers, self._place = [name], numbers, place
        numbers.width = width
        numbers.names = [*numbers.names, *[""] * (place - len(numbers.names)), name]

    def lists(self, columns: Sequence[Any], first_row: int) -> Lists:
        if not (is_text(columns[0]) or pa.types.is_string_view(columns[0].type)):
            raise DataError(
                f"column {self.names[0]!r} holds {columns[0].type}; lists of numbers were expected"
            )
        cells, lengths = split_cells(columns[0].to_pylist(), self._numbers.marks)
        rows = first_row + np.repeat(np.arange(len(lengths)), lengths)
        plain = plain_cells(
            cells, self._numbers.marks, lambda cell: self._numbers.place(rows[cell], self._place)
        )
        return Lists(self._numbers.read(plain, rows, self._place), lengths, 0)


class _TypedLists:
    """Lists of numbers in a list column, which keep their type."""

    def __init__(self, name: str) -> None:
        self.names = [name]

    def lists(self, columns: Sequence[Any], first_row: int) -> Lists:
        return lists_of(columns[0], self.names[0], first_row=first_row)
