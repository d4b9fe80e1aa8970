"""Columns of lists of one length, such as embeddings: each cell becomes a column of its own, after all others."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any

from seqtool.dataclass import dataclass
from seqtool.errors import DataError
from seqtool.tables.table import Expected, Table

MOST_CELLS = 1 << 16  # of a list, that may become columns


class CellKindError(DataError):
    """A cell with several values where one was expected, or with another number of them; `column` is its name."""

    def __init__(self, *parts: object, column: str) -> None:
        super().__init__(*parts)
        self.column = column


class UnequalListsError(CellKindError):
    """A list of another length than the first one of its column."""


def with_list_cells(table: Table) -> Table:
    """The same table, in which a list column `emb` of K cells has the columns `emb_0` to `emb_K-1` too.

    The length is that of the type, or of the first list that is not null; lists of another length are refused when they
    are read. A list column gets no such columns if the name of one of them is taken.

    >>> import pyarrow as pa
    >>> from seqtool.tables.in_memory import table_of
    >>> table = table_of(pa.table({"id": [1, 2], "emb": [[0.5, 1.5], [2.5, 3.5]]}))
    >>> table.columns, table.elements
    (('id', 'emb', 'emb_0', 'emb_1'), {1: (2, 3)})
    """
    names, types, elements = [*table.columns], [*table.types], dict[int, tuple[int, ...]]()
    sizes = table.list_sizes if table.text else _sizes(table)
    for column, size in sizes.items():
        cells = [f"{table.columns[column]}_{i}" for i in range(size)]
        if not {*cells} & {*names}:
            elements[column] = tuple(range(len(names), len(names) + size))
            names += cells
            types += [types[column].value_type] * size if types else []
    if not elements:
        return table
    read = _Reading(table, elements)
    return replace(table, columns=tuple(names), types=tuple(types), elements=elements, read=read)


def _sizes(table: Table) -> dict[int, int]:
    """The length of the lists in each such column of a typed table, by their type or the first of them."""
    import pyarrow as pa
    import pyarrow.compute as pc

    from seqtool.arrays.list_columns import is_list, is_number

    sizes, varying = dict[int, int](), list[int]()
    for column, (name, kind) in enumerate(zip(table.columns, table.types, strict=False)):
        if name is None or not is_list(kind) or pa.types.is_nested(kind.value_type):
            continue
        if pa.types.is_fixed_size_list(kind):
            sizes[column] = kind.list_size
        elif is_number(kind.value_type):
            varying.append(column)
    with contextlib.suppress(DataError):  # it is raised again if the column is used
        for batch in table.read(varying, Expected()) if varying else ():
            for column, lists in zip(varying, batch.columns, strict=True):
                if column not in sizes and lists.null_count < len(lists):
                    size = len(lists[pc.index(lists.is_valid(), True).as_py()])
                    sizes[column] = size if size <= MOST_CELLS else 0
            if sizes.keys() >= {*varying}:
                break
    return {column: sizes[column] for column in sorted(sizes) if sizes[column]}


@dataclass(frozen=True)
class _Reading:
    """Reads the columns of single cells, too, from the lists of a table; the cells of a null list are missing."""

    table: Table
    elements: Mapping[int, tuple[int, ...]]

    def __call__(self, columns: Sequence[int], expected: Expected) -> Iterator[Any]:
        import pyarrow as pa

        owners = {
            cell: (column, place)
            for column, cells in self.elements.items()
            for place, cell in enumerate(cells)
        }
        if owners.keys().isdisjoint(columns):
            yield from self.table.read(columns, expected)
            return
        wanted = [owners.get(column, (column, None)) for column in columns]
        stored = list(dict.fromkeys(column for column, _ in wanted))
        lists = frozenset(column for column, place in wanted if place is not None)
        first_row = 0
        for batch in self.table.read(stored, replace(expected, lists=lists)):
            by_column = dict(zip(stored, batch.columns, strict=True))
            for column in lists:
                self._check(by_column[column], column, first_row)
            arrays = [
                by_column[column]
                if place is None
                else _element(by_column[column], place, text=self.table.text)
                for column, place in wanted
            ]
            first_row += len(batch)
            yield pa.RecordBatch.from_arrays(arrays, [str(i) for i in range(len(arrays))])

    def _check(self, lists: Any, column: int, first_row: int) -> None:
        """Raise CellKindError for the first list of another length than there are columns for its cells."""
        import pyarrow.compute as pc

        from seqtool.arrays.list_columns import is_list

        size, name = len(self.elements[column]), self.table.label(column)
        if not is_list(lists.type):
            wrong, problem = pc.index(lists.is_valid(), True).as_py(), f"holds {lists.type}"
            error = CellKindError
        else:
            wrong = pc.index(pc.not_equal(pc.list_value_length(lists), size), True).as_py()
            problem = f"a list of length {len(lists[wrong]) if wrong >= 0 else size}"
            error = UnequalListsError
        if wrong >= 0:
            place = f"{self.table.place(first_row + wrong)}, column {name!r}"
            raise error(f"{place}: {problem}; length {size} was expected, as of the first list", column=name)


def _element(lists: Any, place: int, *, text: bool) -> Any:
    """The cell at a place of each list; where a list is null, the cell is null, or in a table of text empty."""
    import pyarrow as pa
    import pyarrow.compute as pc

    if pa.types.is_null(lists.type):
        return lists
    cells = pc.list_element(lists, place)
    return pc.fill_null(cells, "") if text else cells
