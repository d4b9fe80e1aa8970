"""Columns of lists of one size, such as embeddings: a column for each of their cells, behind all others."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any, NamedTuple


class Spread(NamedTuple):
    """The names and types of all columns, those of cells behind the others; for each list column those of its cells."""

    names: tuple[str | None, ...]
    types: tuple[Any, ...]
    elements: Mapping[int, tuple[int, ...]]


def spread(names: Sequence[str | None], types: Sequence[Any]) -> Spread:
    """What columns there are where a list column `emb` of K cells has columns `emb_0` to `emb_K-1` too.

    One whose cells would be called as another column is has none.

    >>> import pyarrow as pa
    >>> found = spread(["id", "emb"], [pa.int64(), pa.list_(pa.float32(), 2)])
    >>> found.names, found.elements
    (('id', 'emb', 'emb_0', 'emb_1'), {1: (2, 3)})
    """
    import pyarrow as pa

    all_names, all_types, elements = [*names], [*types], dict[int, tuple[int, ...]]()
    for column, (name, kind) in enumerate(zip(names, types, strict=True)):
        if name is None or not pa.types.is_fixed_size_list(kind) or pa.types.is_nested(kind.value_type):
            continue
        cells = [f"{name}_{i}" for i in range(kind.list_size)]
        if cells and not {*cells} & {*all_names}:
            elements[column] = tuple(range(len(all_names), len(all_names) + len(cells)))
            all_names += cells
            all_types += [kind.value_type] * len(cells)
    return Spread(tuple(all_names), tuple(all_types), elements)


def reading(read: Callable[..., Iterator[Any]], found: Spread) -> Callable[..., Iterator[Any]]:
    """What reads the columns of cells too, where `read` reads those of lists; a list that is null holds no cells."""
    owners = {
        cell: (column, place) for column, cells in found.elements.items() for place, cell in enumerate(cells)
    }

    def batches(columns: Sequence[int], expected: Any) -> Iterator[Any]:
        import pyarrow as pa
        import pyarrow.compute as pc

        if owners.keys().isdisjoint(columns):
            yield from read(columns, expected)
            return
        wanted = [owners.get(column, (column, None)) for column in columns]
        there = list(dict.fromkeys(column for column, _ in wanted))
        for batch in read(there, expected):
            held = dict(zip(there, batch.columns, strict=True))
            arrays = [
                held[column] if place is None else pc.list_element(held[column], place)
                for column, place in wanted
            ]
            yield pa.RecordBatch.from_arrays(arrays, [str(i) for i in range(len(arrays))])

    return batches
