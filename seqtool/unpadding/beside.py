"""Columns of sequences beside the rows that these were grouped from: every row of the table, in its order."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import field
from functools import cached_property
from itertools import chain
from math import prod
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from seqtool.arrays.dtypes import Array
from seqtool.dataclass import dataclass
from seqtool.errors import DataError, UsageError
from seqtool.tables.cells.cells import BadCellError, plain
from seqtool.tables.cells.keys import read_keys
from seqtool.tables.table import Table
from seqtool.unpadding.names import SourceNames
from seqtool.unpadding.rows import FlatRows, check_row_index
from seqtool.words import in_short, name_meant


@dataclass
class Beside:
    """The rows of a table with the last columns of some rows beside them: those behind the first `own`.

    A row of which no step is left, since it was dropped or cut, has empty cells. Of several steps of one row, as
    windows make them, the last one counts; `repeated` counts such rows, and `empty` those without a step. A row has the
    key of the sequence of its step in the columns of the table that the receipt names, `keys` by their place in the
    table; None where it lacks one of them, so that nothing is compared.
    """

    table: Table
    rows: FlatRows
    own: int
    repeated: int = field(default=0, init=False)
    empty: int = field(default=0, init=False)

    def __post_init__(self) -> None:
        check_row_index(self.rows.ragged)
        names = self.names
        twice = next((name for name in names if names.count(name) > 1), None)
        if twice is not None:
            raise UsageError(f"--add {twice}: {self.table.name} has a column of this name; choose another")

    @property
    def names(self) -> list[str]:
        """The names of the columns of the table, then of the others."""
        columns = [self.table.label(column) for column in self._columns]
        return [*columns, *self.rows.names[self.own :]]

    @property
    def _columns(self) -> list[int]:
        return [column for column in range(len(self.table.columns)) if column not in self.table.hidden]

    def read(self) -> tuple[Any, Iterator[Any]]:
        """The schema, and all rows of the table in order as record batches; text is as it stands in the table."""
        source = self.table.batches(self._columns)
        first = next(source, None)
        texts = [pa.string()] * len(self._columns)
        types = texts if first is None else [_plain(kind) for kind in first.schema.types]
        schema = pa.schema(
            [
                *zip(self.names, types, strict=False),
                *(self.rows.schema.field(i) for i in range(self.own, self._end)),
            ]
        )
        return schema, self._batches(schema, source if first is None else chain([first], source))

    @property
    def _end(self) -> int:
        return len(self.rows.names)

    def _batches(self, schema: Any, source: Iterable[Any]) -> Iterator[Any]:
        keys = self.keys or []
        added = _Ahead(self.rows, [*range(len(keys)), *range(self.own, self._end)])
        expected = [self._columns.index(column) for column in keys]
        begin = 0
        for batch in source:
            if len(batch):
                places, cells, again = added.until(begin + len(batch))
                self.repeated += again
                of_rows = [batch.column(place) for place in expected]
                self._check_keys(begin, places - begin, of_rows, cells[: len(keys)])
                row = np.full(len(batch), -1)
                row[places - begin] = np.arange(len(places))
                self.empty += int((row < 0).sum())
                which = pa.array(row, mask=row < 0)
                more = [cell.take(which) for cell in cells[len(keys) :]]
                own = [
                    self._cells(column.cast(kind))
                    for column, kind in zip(batch.columns, schema.types, strict=False)
                ]
                yield pa.RecordBatch.from_arrays([*own, *more], schema=schema)
            begin += len(batch)
        beyond = added.next_row()
        if beyond is not None:
            raise DataError(
                f"{self.table.name} has {begin:,} rows, but there are steps of row {beyond:,} (row_index): "
                "these sequences were grouped from another table"
            )

    @cached_property
    def keys(self) -> list[int] | None:
        """The columns of the table that hold the keys of sequences; None where it does not have them all."""
        ragged = self.rows.ragged
        names = SourceNames.of(ragged.receipt).key
        width = 0 if ragged.keys is None else prod(ragged.keys.shape[1:])
        labels = {self.table.label(column): column for column in self._columns}
        found = [name_meant(name, labels) for name in names]
        if not width or len(names) != width or None in found:
            return None
        return [labels[str(name)] for name in found]

    def _check_keys(self, begin: int, places: Array, found: list[Any], keys: list[Any]) -> None:
        """Raise DataError for the first row at some places behind row `begin` whose key is not that of its sequence."""
        if not keys or not len(places):
            return
        taken = [_as_text(cells).take(pa.array(places)) for cells in found]
        wanted = [_as_text(cells) for cells in keys]
        differs = np.zeros(len(places), bool)
        for one, other in zip(taken, wanted, strict=True):
            differs |= np.asarray(pc.not_equal(one, other))
        if not differs.any():
            return
        i = int(np.argmax(differs))
        expected, there = (in_short(" ".join(cells[i].as_py() for cells in each)) for each in (wanted, taken))
        raise DataError(
            f"{self.table.place(begin + int(places[i]))}: the key is {there}, but {expected} was expected, that of the "
            "sequence whose step this row is by row_index: name the table that was grouped, its rows in their order"
        )

    def _cells(self, column: Any) -> Any:
        """The cells of a column of the table; text files do not tell an empty cell from an empty text."""
        if not (self.table.text and pa.types.is_string(column.type)):
            return column
        return pc.if_else(pc.equal(column, ""), pa.scalar(None, pa.string()), column)


def _as_text(cells: Any) -> Any:
    """Keys as group writes them, in text."""
    try:
        return read_keys(cells, keep_empty=True, integer=False)[0]
    except BadCellError:
        return plain(cells).cast(pa.string(), safe=False)


def _plain(kind: Any) -> Any:
    """The type of the values of a dictionary, any other type as it is."""
    return kind.value_type if pa.types.is_dictionary(kind) else kind


class _Ahead:
    """The rows of sequences, read as far as they are needed."""

    def __init__(self, rows: FlatRows, columns: Sequence[int]) -> None:
        self._numbers = rows.ragged.per_step["row_index"].data
        self._stretches = rows.stretches()
        self._rows, self._columns = rows, columns
        self._waiting: list[tuple[Array, Any]] = []

    def until(self, row: int) -> tuple[Array, list[Any], int]:
        """The rows below `row`, (n,), each once, the last of those that are there more than once; their cells."""
        while not self._waiting or self._waiting[-1][0][-1] < row:
            stretch = next(self._stretches, None)
            if stretch is None:
                break
            if len(stretch):
                numbers = stretch.of_steps(self._numbers).astype(np.int64)
                cells = self._rows.batch(stretch).columns
                self._waiting.append((numbers, [cells[i] for i in self._columns]))
        taken: list[tuple[Array, Any]] = []
        left: list[tuple[Array, Any]] = []
        for numbers, cells in self._waiting:
            edge = int(np.searchsorted(numbers, row))
            taken += [(numbers[:edge], [cell.slice(0, edge) for cell in cells])]
            left += [(numbers[edge:], [cell.slice(edge) for cell in cells])] if edge < len(numbers) else []
        self._waiting = left
        numbers = np.concatenate([np.empty(0, np.int64), *(numbers for numbers, _ in taken)])
        last = np.append(numbers[1:] != numbers[:-1], len(numbers) > 0)[: len(numbers)]
        types = self._rows.schema.types
        types = [types[i] for i in self._columns]
        columns = [
            pa.chunked_array([cells[i] for _, cells in taken], kind).combine_chunks().filter(pa.array(last))
            for i, kind in enumerate(types)
        ]
        return numbers[last], columns, int((~last).sum())

    def next_row(self) -> int | None:
        """The number of the next row that was not asked for yet; None where there is none."""
        if not self._waiting and (stretch := next(self._stretches, None)) is not None:
            self._waiting.append((stretch.of_steps(self._numbers), []))
        return int(self._waiting[0][0][0]) if self._waiting else None
