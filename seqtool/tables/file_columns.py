"""Columns whose one value in all rows of a file comes from its path: parts of a pattern, and partitions."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from functools import cached_property
from typing import Any

from seqtool.advice import Advice
from seqtool.dataclass import dataclass
from seqtool.errors import DataError
from seqtool.files.inputs import Input
from seqtool.files.path_parts import PathPattern, partitions, parts_of
from seqtool.tables.csv_dialect import is_number
from seqtool.tables.table import Expected, Table

_INTEGER = re.compile(r"0|-?[1-9]\d{0,17}")


@dataclass(frozen=True)
class FileColumn:
    """A column with one value in each of several files: `cells` holds these, in the order of the files.

    `part` is its name in the pattern of paths, None for a partition.
    """

    name: str
    cells: tuple[str, ...]
    part: str | None = None

    @cached_property
    def whole(self) -> bool:
        """Whether all cells are plainly written integers, so that none changes when it is read as a number."""
        return all(_INTEGER.fullmatch(cell) for cell in self.cells)

    @cached_property
    def numbers(self) -> bool:
        """Whether all cells are numbers, or empty."""
        return all(is_number(cell) or not cell for cell in self.cells)


def file_columns(inputs: Sequence[Input], pattern: PathPattern | None) -> list[FileColumn]:
    """The columns that the paths of inputs give: the parts of the pattern, then their partitions in sorted order.

    Raises DataError for paths that do not match the pattern.
    """
    names = [item.name for item in inputs]
    columns = []
    if pattern is not None:
        parts = parts_of(names, pattern)
        columns = [FileColumn(name, tuple(cells[name] for cells in parts), name) for name in pattern.names]
    of_files = [partitions(name) for name in names]
    for name in sorted(set.intersection(*map(set, of_files)) - {column.name for column in columns}):
        columns.append(FileColumn(name, tuple(cells[name] for cells in of_files)))
    return columns


def refuse_part(name: str, cell: str, pattern: PathPattern) -> DataError:
    """The error for a part of paths that is not a number, although it would be a static one."""
    return DataError(
        f"the part {{{name}}} of --key-from is a static number, but {cell!r} is none; if it is not needed: ",
        Advice("--key-from", pattern.without(name)),
    )


def with_file_columns(table: Table, columns: Sequence[FileColumn], file: int) -> Table:
    """The table of the file with this index, with these columns after its own.

    Where the file has a column of the same name, a partition is left out, and a part of the pattern is called {name}.
    """
    added, names, notes = list[FileColumn](), list[str](), list[str]()
    for column in columns:
        if column.name not in table.columns:
            added.append(column)
            names.append(column.name)
        elif column.part is None:
            notes.append(f"partition {column.name!r} is a column of the file too, which is read instead")
        else:
            added.append(column)
            names.append(f"{{{column.name}}}")
    if not added:
        return replace(table, notes=[*table.notes, *notes])
    width = len(table.columns)
    return replace(
        table,
        columns=(*table.columns, *names),
        read=_Reading(table, added, file),
        texts=table.texts | {width + i for i, column in enumerate(added) if not column.whole},
        of_files={width + i: column for i, column in enumerate(added)},
        notes=[*table.notes, *notes],
    )


@dataclass(frozen=True)
class _Reading:
    """Reads a table with the columns that its path gives."""

    table: Table
    added: Sequence[FileColumn]
    file: int

    def __call__(self, columns: Sequence[int], expected: Expected) -> Iterator[Any]:
        import pyarrow as pa

        width = len(self.table.columns)
        # Without any column of the file there would be no count of its rows.
        own = [column for column in columns if column < width] or [0]
        inner = frozenset(range(width))
        of_file = replace(
            expected,
            numbers=expected.numbers & inner,
            keys=expected.keys & inner,
            spelled=expected.spelled & inner,
        )
        for batch in self.table.read(own, of_file):
            arrays: Mapping[int, Any] = dict(zip(own, batch.columns, strict=True))
            wanted = [
                arrays[column]
                if column < width
                else pa.repeat(self._cell(column - width, column in expected.numbers), len(batch))
                for column in columns
            ]
            yield pa.RecordBatch.from_arrays(wanted, [str(column) for column in columns])

    def _cell(self, place: int, as_number: bool) -> Any:
        """The value in all rows: text in a table of text; in a typed one a number, where all files have numbers."""
        import pyarrow as pa

        column = self.added[place]
        cell = column.cells[self.file]
        if not self.table.text and column.whole:
            return pa.scalar(int(cell), pa.int64())
        if not self.table.text and as_number and column.numbers:
            return pa.scalar(float(cell) if cell else None, pa.float64())
        return pa.scalar(cell, pa.string())
