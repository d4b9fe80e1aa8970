"""The steps of sequences in rows: the columns of a wide table, list columns, and lists in cells of text."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Protocol

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from seqtool.advice import Advice, Message
from seqtool.arrays.dtypes import Array, dtype_named
from seqtool.arrays.list_columns import Lists, is_list, lists_of
from seqtool.errors import DataError, NotSequencesError, UsageError, at
from seqtool.sources.cells import PLAIN, plain_cells, settled_dtype, split_cells
from seqtool.sources.options import ForeignSpec, SourceOptions
from seqtool.sources.tokens import are_names
from seqtool.tables.cell_errors import bad_cell_error
from seqtool.tables.cells import BadCell, BadCellError, Numbers, missing_words
from seqtool.tables.cells.cells import is_text, plain
from seqtool.tables.cells.keys import spelled
from seqtool.tables.named_columns import position
from seqtool.tables.table import Table
from seqtool.words import expanded, join_names


class StepReader(Protocol):
    """Turns the cells of some columns into lists of steps; `names` are those of the columns."""

    names: list[str]

    def lists(self, columns: Sequence[Any], first_row: int) -> Lists:
        """The lists of a batch."""


def holds_lists_of_names(table: Table, column: int, spec: ForeignSpec) -> bool:
    """Whether a category is a list for the steps of each row, and not one name: its type or `--array` says so."""
    if table.types and is_list(table.types[column]):
        return True
    with at(table.name):
        return column in [position(table, name, "--array") for name in spec.arrays]


def steps_of(
    table: Table, spec: ForeignSpec, numbers: NumberCells, of_names: Sequence[int]
) -> tuple[list[StepReader], list[list[int]]]:
    """The readers of the numbers of steps, and the columns of each; `of_names` are lists of names."""
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
        if {*places} <= {*of_names}:
            return [], []
        if {*places} & {*of_names}:
            raise UsageError(
                "--category and --steps: all columns of steps are names, or none: ",
                _as_categories([table.label(column) for column in places]),
            )
        wide = Wide(table, places, numbers, keep_trailing=spec.rows.keep_trailing)
        return [wide], [places]
    with at(table.name):
        columns = [position(table, name, "--array") for name in spec.arrays]
    columns = [column for column in columns or _only_list(table, of_names) if column not in of_names]
    typed = [bool(table.types) and is_list(table.types[column]) for column in columns]
    found: list[StepReader] = [
        TypedLists(table.label(column))
        if is_typed
        else TextLists(table.label(column), numbers, i, len(columns))
        for i, (column, is_typed) in enumerate(zip(columns, typed, strict=True))
    ]
    return found, [[column] for column in columns]


def _as_categories(names: list[str]) -> Advice:
    from seqtool.tables.candidates import numbered

    counted = numbered(names)
    same = counted is not None and expanded(counted) == names
    return Advice("--category", counted if same and counted else join_names(names), without=["--category"])


def name_of_all(names: Sequence[str]) -> str:
    """What the steps of a wide table are called: what the names of its columns begin with, without numbers.

    >>> name_of_all(["word_1", "word_2", "word_10"]), name_of_all(["1", "2"])
    ('word', 'word')
    """
    same = next(
        size for size in range(len(names[0]), -1, -1) if all(n[:size] == names[0][:size] for n in names)
    )
    return names[0][:same].rstrip("0123456789_- ") or "word"


def names_across(columns: Sequence[Any], *, keep_trailing: bool) -> tuple[Any, Array]:
    """The names in the columns of a wide table, row by row, and how many each has: up to the last that is not empty.

    >>> names_across([pa.array(["a", "c"]), pa.array(["b", None])], keep_trailing=False)[1]
    array([2, 1])
    """
    texts = [one if is_text(one) else one.cast(pa.string()) for one in (spelled(plain(c)) for c in columns)]
    cells = (
        np.array([pc.fill_null(one, "").to_pylist() for one in texts], dtype=object).reshape(len(texts), -1).T
    )
    ends = np.arange(1, len(texts) + 1)
    lengths = np.where(cells != "", ends, 0).max(axis=1, initial=0)
    if keep_trailing:
        lengths[:] = len(texts)
    return pa.array(cells[ends <= lengths[:, None]].tolist(), pa.string()), lengths.astype(np.int64)


def _only_list(table: Table, of_names: Sequence[int]) -> list[int]:
    """The one list column of numbers; none is needed beside lists of names."""
    columns = [c for c, kind in enumerate(table.types) if is_list(kind) and c not in of_names]
    lists = [table.label(column) for column in columns]
    if of_names and not lists:
        return []
    if not lists:
        raise NotSequencesError(f"{table.name}: holds no list of steps")
    if len(lists) > 1:
        raise DataError(
            f"{table.name}: holds several lists; choose one of {', '.join(lists)}, such as ",
            Advice("--array", lists[0]),
        )
    return columns


class NumberCells:
    """The numbers of a table, which all become one type; a cell is counted as row * width + column."""

    def __init__(self, table: Table, options: SourceOptions) -> None:
        self._table = table
        self._asked = options.dtype
        self.target = np.dtype(np.float32) if options.dtype is None else dtype_named(options.dtype)
        self.words = missing_words(options.foreign.rows.missing)
        self.marks = PLAIN if options.foreign.rows.text is None else options.foreign.rows.text.marks
        self.numbers = Numbers(self.target, self.words, text=True, rounds=options.dtype is not None)
        self.width, self.names, self.lists = 1, list[str](), False

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
                way_out=self._as_names(bad.cell, column),
            ) from None

    def _as_names(self, cell: str, column: int) -> Message | None:
        """The advice to read a list of text as names."""
        if not cell[:1].isalpha():
            return None
        if not self.lists:
            return Message("as ids of names: ", _as_categories(self.names))
        return Message("as ids of names: ", Advice("--category", self.names[column]))

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


class Wide:
    """Columns of single steps, in order; empty cells at the end of a row are no steps unless `keep_trailing`."""

    def __init__(
        self, table: Table, columns: Sequence[int], numbers: NumberCells, *, keep_trailing: bool
    ) -> None:
        self.names = [table.label(column) for column in columns]
        self._numbers, self._keep = numbers, keep_trailing
        numbers.width, numbers.names = len(columns), self.names

    def lists(self, columns: Sequence[Any], first_row: int) -> Lists:
        """The lists of a batch."""
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


class TextLists:
    """Lists of numbers in the cells of a column of text."""

    def __init__(self, name: str, numbers: NumberCells, place: int, width: int) -> None:
        self.names, self._numbers, self._place = [name], numbers, place
        numbers.width, numbers.lists = width, True
        numbers.names = [*numbers.names, *[""] * (place - len(numbers.names)), name]

    def lists(self, columns: Sequence[Any], first_row: int) -> Lists:
        """The lists of a batch."""
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


class TypedLists:
    """Lists of numbers in a list column, which keep their type."""

    def __init__(self, name: str) -> None:
        self.names = [name]

    def lists(self, columns: Sequence[Any], first_row: int) -> Lists:
        """The lists of a batch."""
        if are_names(columns[0].type):
            raise DataError(
                f"column {self.names[0]!r} holds lists of text; lists of numbers were expected; as ids of names: ",
                Advice("--category", self.names[0]),
            )
        return lists_of(columns[0], self.names[0], first_row=first_row)
