"""Columns of sequences, one cell each, by the names that they had in a table: keys, labels and static numbers."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np

from seqtool.arrays.dtypes import Array
from seqtool.arrays.lazy import AnyArray, Lazy
from seqtool.arrays.text import Text
from seqtool.dataclass import dataclass
from seqtool.errors import DataError
from seqtool.sequences.categories import static_categories_of
from seqtool.sequences.labels import label_arrays
from seqtool.sequences.ragged import Padded, Ragged
from seqtool.words import in_short, listed


@dataclass(frozen=True, eq=False)
class SequenceColumn:
    """One cell of each sequence, (N,), and the names of the classes where cells are their numbers.

    `array` is the array that it stands in: keys, y, static or another.
    """

    array: str
    cells: AnyArray
    classes: AnyArray | Text | None = None


def sequence_columns(data: Ragged | Padded) -> dict[str, SequenceColumn]:
    """The columns of one cell a sequence by name: those of keys, labels and static numbers, then other arrays.

    Names are those of the table, which the receipt remembers; without them `key` and `y`. Where two have the same
    name, the first holds it.

    >>> data = Ragged(np.arange(3), np.array([0, 1, 3]), keys=np.array([7, 8]))
    >>> sequence_columns(data)["key"].cells.tolist(), list(sequence_columns(data))
    ([7, 8], ['key', 'length'])
    """
    columns: dict[str, SequenceColumn] = {}
    for name, column in (*_keys(data), *_labels(data), *_statics(data), *_categories(data), *_others(data)):
        columns.setdefault(name, column)
    return columns


def column_named(data: Ragged | Padded, name: str, option: str) -> SequenceColumn:
    """One of the columns; raises DataError that says which there are, for the `option` that names it."""
    columns = sequence_columns(data)
    if name not in columns:
        raise DataError(
            f"{option}: no column {in_short(name)} of one cell a sequence; there are {listed([*columns])}"
        )
    return columns[name]


def table_names(data: Ragged | Padded, argument: str) -> list[str]:
    """The columns that an argument of `group` named, as the receipt says; none where it is silent.

    >>> table_names(Ragged(np.arange(1), np.array([0, 1]), receipt=({"arguments": {"key": ["user"]}},)), "key")
    ['user']
    """
    for entry in data.receipt:
        named = entry.get("arguments", {}).get(argument)
        if named is not None and entry.get("command", "group") in ("group", "pad"):
            return [without_file(str(name)) for name in (named if isinstance(named, list) else [named])]
    return []


def without_file(name: str) -> str:
    """The name of a column without that of the other table which it came from.

    >>> without_file("patients.csv:age"), without_file("a:b")
    ('age', 'a:b')
    """
    file, _, column = name.rpartition(":")
    return column if "." in file and column else name


def _keys(data: Ragged | Padded) -> Iterator[tuple[str, SequenceColumn]]:
    keys = data.keys
    if keys is None:
        return
    width = 1 if keys.ndim == 1 else keys.shape[1]
    names = table_names(data, "key")
    if len(names) != width:
        names = ["key"] if width == 1 else [f"key_{i}" for i in range(width)]
    for i, name in enumerate(names):
        yield name, SequenceColumn("keys", _column(keys, i))
    if width == 1:
        yield "key", SequenceColumn("keys", _column(keys, 0))


def _labels(data: Ragged | Padded) -> Iterator[tuple[str, SequenceColumn]]:
    named = table_names(data, "label")
    for label in label_arrays(data):
        if label.name != "y" or label.cells.ndim != 1:
            continue
        column = SequenceColumn("y", label.cells, label.classes)
        if label.title == "y" and len(named) == 1:
            yield named[0], column
        yield label.title, column


def _statics(data: Ragged | Padded) -> Iterator[tuple[str, SequenceColumn]]:
    static = data.per_sequence.get("static")
    if static is None or static.ndim != 2:
        return
    titles = data.names.get("static_features")
    names = [f"static_{i}" for i in range(static.shape[1])] if titles is None else np.asarray(titles).tolist()
    for i, name in enumerate(names):
        yield name, SequenceColumn("static", _column(static, i))


def _categories(data: Ragged | Padded) -> Iterator[tuple[str, SequenceColumn]]:
    """The categories of sequences: their ids, behind whose first numbers no name stands."""
    for one in static_categories_of(data):
        nothing = np.array(["", "", ""])  # padding, missing, unknown
        names = np.asarray(one.vocabulary)
        classes = np.concatenate([nothing, names]) if len(names) else nothing
        yield one.name, SequenceColumn("static_c", _column(data.per_sequence["static_c"], one.place), classes)


def _others(data: Ragged | Padded) -> Iterator[tuple[str, SequenceColumn]]:
    yield "length", SequenceColumn("lengths", data.lengths)
    for name in ("original_lengths", "part", "split"):
        if name in data.per_sequence:
            yield name, SequenceColumn(name, data.per_sequence[name])


def _column(array: Any, i: int) -> Any:
    """Column i of (N, K), or the cells (N,) themselves; read in chunks where the array is."""
    if array.ndim == 1:
        return array
    if isinstance(array, np.ndarray):
        return np.asarray(array[:, i])

    def read(begin: int, end: int) -> Array:
        return np.asarray(array[begin:end][:, i])

    return Lazy(array.shape[:1], array.dtype, read)


def class_of(column: SequenceColumn, names: Sequence[str]) -> AnyArray:
    """The cells of a column as text where they are text or have classes; else DataError that asks for `names`."""
    if column.cells.dtype.kind in "UT":
        return column.cells
    if column.classes is None or column.classes.dtype.kind not in "UT":
        raise DataError(f"{column.array} holds numbers; {listed([*names])} were expected")
    classes = np.asarray(column.classes)
    cells = column.cells

    def read(begin: int, end: int) -> Array:
        return np.asarray(classes[cells[begin:end]])

    return Lazy(cells.shape, classes.dtype, read)
