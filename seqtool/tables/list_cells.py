"""Columns of lists of one size, such as embeddings: a column for each of their cells, behind all others."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from seqtool.errors import DataError
from seqtool.tables.table import Expected, Table

MOST_CELLS = 1 << 16  # cells of a list that become columns


class CellKindError(DataError):
    """A cell that holds several values where one was expected, or not as many as others; `column` is its name."""

    def __init__(self, *parts: object, column: str) -> None:
        super().__init__(*parts)
        self.column = column


class UnequalListsError(CellKindError):
    """A list that is not as long as the first one of its column."""


def with_list_cells(table: Table) -> Table:
    """The same table, where a list column `emb` of K cells has columns `emb_0` to `emb_K-1` too.

    How many cells a list has is in its type, or told by the first that is there: the others are held to it when they
    are read. A column whose cells would be called as another column is has none.

    >>> import pyarrow as pa
    >>> from seqtool.tables.in_memory import table_of
    >>> found = table_of(pa.table({"id": [1, 2], "emb": [[0.5, 1.5], [2.5, 3.5]]}))
    >>> found.columns, found.elements
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
    """How many cells the lists of each column of a typed table have; those of no one size by the first of them."""
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
    with contextlib.suppress(DataError):  # which comes again where the column is used
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
    """What reads the columns of cells too, where `table` has those of lists; a list that is null holds no cells."""

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
        there = list(dict.fromkeys(column for column, _ in wanted))
        lists = frozenset(column for column, place in wanted if place is not None)
        first_row = 0
        for batch in self.table.read(there, replace(expected, lists=lists)):
            held = dict(zip(there, batch.columns, strict=True))
            for column in lists:
                self._check(held[column], column, first_row)
            arrays = [
                held[column] if place is None else _element(held[column], place, text=self.table.text)
                for column, place in wanted
            ]
            first_row += len(batch)
            yield pa.RecordBatch.from_arrays(arrays, [str(i) for i in range(len(arrays))])

    def _check(self, lists: Any, column: int, first_row: int) -> None:
        """Raise CellKindError for the first list that is longer or shorter than there are columns for its cells."""
        import pyarrow.compute as pc

        from seqtool.arrays.list_columns import is_list

        size, name = len(self.elements[column]), self.table.label(column)
        if not is_list(lists.type):
            wrong, what, kind = pc.index(lists.is_valid(), True).as_py(), f"holds {lists.type}", CellKindError
        else:
            wrong = pc.index(pc.not_equal(pc.list_value_length(lists), size), True).as_py()
            what, kind = f"a list of length {len(lists[wrong]) if wrong >= 0 else size}", UnequalListsError
        if wrong >= 0:
            place = f"{self.table.place(first_row + wrong)}, column {name!r}"
            raise kind(f"{place}: {what}; length {size} was expected, as of the first list", column=name)


def _element(lists: Any, place: int, *, text: bool) -> Any:
    """What stands at a place of each list; where there is no list it is null, or text of nothing."""
    import pyarrow as pa
    import pyarrow.compute as pc

    if pa.types.is_null(lists.type):
        return lists
    cells = pc.list_element(lists, place)
    return pc.fill_null(cells, "") if text else cells
