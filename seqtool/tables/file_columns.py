"""Columns that hold the same in all rows of a file: what its path says of them."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

from seqtool.advice import Advice
from seqtool.errors import DataError
from seqtool.files.inputs import Input
from seqtool.files.path_parts import PathPattern, partitions, parts_of
from seqtool.tables.csv_dialect import is_number
from seqtool.tables.table import Expected, Table

_INTEGER = re.compile(r"0|-?[1-9]\d{0,17}")


@dataclass(frozen=True)
class FileColumn:
    """A column of several files: what it holds in each of them, in their order.

    `part` is what a pattern calls it, None for a partition.
    """

    name: str
    cells: tuple[str, ...]
    part: str | None = None

    @cached_property
    def whole(self) -> bool:
        """Whether all cells are integers plainly written, which are the same as text."""
        return all(_INTEGER.fullmatch(cell) for cell in self.cells)

    @cached_property
    def numbers(self) -> bool:
        """Whether all cells are numbers, or hold nothing."""
        return all(is_number(cell) or not cell for cell in self.cells)


def file_columns(inputs: Sequence[Input], pattern: PathPattern | None) -> list[FileColumn]:
    """What the paths of inputs say: the parts that the pattern names, then their partitions in sorted order.

    Raises DataError for paths that do not match the pattern.
    """
    names = [item.name for item in inputs]
    found = []
    if pattern is not None:
        parts = parts_of(names, pattern)
        found = [FileColumn(name, tuple(one[name] for one in parts), name) for name in pattern.names]
    lying_in = [partitions(name) for name in names]
    shared = sorted({name for one in lying_in for name in one} - {column.name for column in found})
    for name in shared:
        if all(name in one for one in lying_in):  # what only some have is told by their other folders
            found.append(FileColumn(name, tuple(one[name] for one in lying_in)))
    return found


def refuse_part(name: str, cell: str, pattern: PathPattern) -> DataError:
    """The error for a part of paths that would be a static number, and is none."""
    return DataError(
        f"the part {{{name}}} of --key-from is a static number, but {cell!r} is none; where it plays no part: ",
        Advice("--key-from", pattern.without(name)),
    )


def with_file_columns(table: Table, columns: Sequence[FileColumn], file: int) -> Table:
    """The table of one file of several with these columns behind its own.

    A partition whose column stands in the file is left to it; a part of that name is called {name}.
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
    """The batches of a table with what its path says."""

    table: Table
    added: Sequence[FileColumn]
    file: int

    def __call__(self, columns: Sequence[int], expected: Expected) -> Iterator[Any]:
        import pyarrow as pa

        width = len(self.table.columns)
        # Some column has to tell how many rows there are.
        own = [column for column in columns if column < width] or [0]
        inner = frozenset(range(width))
        within = replace(expected, numbers=expected.numbers & inner, keys=expected.keys & inner)
        for batch in self.table.read(own, within):
            arrays: Mapping[int, Any] = dict(zip(own, batch.columns, strict=True))
            found = [
                arrays[column]
                if column < width
                else pa.repeat(self._cell(column - width, column in expected.numbers), len(batch))
                for column in columns
            ]
            yield pa.RecordBatch.from_arrays(found, [str(column) for column in columns])

    def _cell(self, place: int, as_number: bool) -> Any:
        """What stands in all rows: text in a table of text; in one with types a number, where all are numbers."""
        import pyarrow as pa

        column = self.added[place]
        cell = column.cells[self.file]
        if not self.table.text and column.whole:
            return pa.scalar(int(cell), pa.int64())
        if not self.table.text and as_number and column.numbers:
            return pa.scalar(float(cell) if cell else None, pa.float64())
        return pa.scalar(cell, pa.string())
