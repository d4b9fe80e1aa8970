"""How sequences stand in the rows of a table, one each: which column holds which array, and all that is no column.

Parquet, Arrow and JSON lines share it. A feature is a column of lists, so that other programs read it by its name; the
names of columns may be changed to be unique, and what they stand for is in the description.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from math import prod
from typing import Any

import numpy as np

from seqtool.arrays.dtypes import Array
from seqtool.arrays.lazy import AnyArray, span
from seqtool.arrays.text import Text
from seqtool.dataclass import dataclass
from seqtool.errors import DataError
from seqtool.files.contents import check_names, description, text_or_numbers
from seqtool.files.meta import parse_meta
from seqtool.sequences.conversion import as_ragged
from seqtool.sequences.padding_values import number_from_json, value_to_json
from seqtool.sequences.ragged import Padded, Ragged
from seqtool.sequences.stream import PaddedStream
from seqtool.words import human

_LONGEST_TABLES = 16_000_000  # bytes of names: every reader of a file takes in its description first
VARIABLE = "text"
_TITLES = {
    "values": "features",
    "static": "static_features",
    "static_c": "static_categories",
    "y": "label_names",
    "c": "categories",
}


@dataclass(frozen=True)
class StoredArray:
    """An array of steps or of sequences, of which a row has a `shape`: in one column, or one for each of its cells.

    `dtype` is the name of a NumPy dtype, such as float32 or U5, or "text" of variable width.
    """

    name: str
    per_step: bool
    dtype: str
    shape: tuple[int, ...]
    columns: tuple[str, ...]

    @property
    def row_bytes(self) -> int:
        """The bytes of a row."""
        each = 0 if self.dtype == VARIABLE else np.dtype(self.dtype).itemsize
        return prod(self.shape) * each

    @property
    def is_text(self) -> bool:
        """Whether its cells are text."""
        return self.dtype == VARIABLE or np.dtype(self.dtype).kind == "U"

    @property
    def cell_shape(self) -> tuple[int, ...]:
        """The shape of what a column holds of a row."""
        return self.shape if len(self.columns) == 1 else ()


@dataclass(frozen=True)
class Layout:
    """The arrays in the rows, and how many sequences and steps there are; `longest` is the longest one.

    `maxlen` is the number of slots of a padded block; `mask` says that its file held one. `tables` are the names of
    features, classes and so on, each with its dtype and cells.
    """

    sequences: int
    steps: int
    longest: int
    arrays: tuple[StoredArray, ...]
    tables: Mapping[str, Mapping[str, Any]]
    maxlen: int | None = None
    mask: bool = False

    @classmethod
    def from_json(cls, held: Any) -> Layout:
        """The layout that a description holds; raises KeyError, TypeError or ValueError for anything else."""
        arrays = tuple(
            StoredArray(
                str(entry["name"]),
                bool(entry["per_step"]),
                _known(entry["dtype"]),
                tuple(map(_size, entry["shape"])),
                tuple(map(str, entry["columns"])),
            )
            for entry in held["arrays"]
        )
        kinds = {stored.name: stored.per_step for stored in arrays}
        if len(kinds) < len(arrays) or (kinds.get("lengths"), kinds.get("values")) != (False, True):
            raise ValueError("an array that is listed twice, or is missing")
        sequences, steps, longest = (_size(held[name]) for name in ("sequences", "steps", "longest"))
        maxlen = None if held["maxlen"] is None else _size(held["maxlen"])
        return cls(sequences, steps, longest, arrays, dict(held["tables"]), maxlen, bool(held["mask"]))

    def longest_takes(self, copies: int, each: int) -> int:
        """The bytes of memory of the longest sequence: so many copies, and so many bytes for each of its cells."""
        of_steps = [stored for stored in self.arrays if stored.per_step]
        cells = sum(prod(stored.shape) for stored in of_steps)
        return self.longest * (copies * sum(stored.row_bytes for stored in of_steps) + each * cells)

    def named_tables(self) -> dict[str, Array | Text]:
        """The tables of names as arrays; raises ValueError or OverflowError for cells of another dtype."""
        found: dict[str, Array | Text] = {}
        for name, table in self.tables.items():
            dtype, cells = _known(table["dtype"]), table["cells"]
            if dtype == VARIABLE or np.dtype(dtype).kind == "U":
                text = np.array([str(cell) for cell in cells], dtype=np.dtypes.StringDType())
                found[name] = text if dtype == VARIABLE else text.astype(dtype)
            else:
                numbers = [cell if isinstance(cell, int) else number_from_json(cell) for cell in cells]
                found[name] = np.array(numbers, dtype=dtype)
        return found


def _size(number: Any) -> int:
    if type(number) is not int or number < 0:
        raise ValueError(f"{number!r} is no size")
    return number


def _known(dtype: Any) -> str:
    if dtype != VARIABLE and np.dtype(str(dtype)).kind not in "biufU":
        raise ValueError(f"{dtype!r} is no dtype of numbers or text")
    return str(dtype)


@dataclass(frozen=True, eq=False)
class RowArrays:
    """Sequences that are to be written as rows: their arrays by name, the offsets of their steps, the description."""

    arrays: Mapping[str, AnyArray | Text]
    offsets: AnyArray
    layout: Layout
    meta: str

    @property
    def nbytes(self) -> int:
        """The bytes of all arrays, without padding and before compression."""
        counts = {True: self.layout.steps, False: self.layout.sequences}
        return sum(counts[stored.per_step] * stored.row_bytes for stored in self.layout.arrays)


def rows_of(data: Ragged | Padded | PaddedStream, *, mask: bool = False) -> RowArrays:
    """Sequences as rows; raises DataError for names of classes that are too many for a description.

    >>> rows = rows_of(Ragged(np.ones((3, 1)), np.array([0, 1, 3]), features=("speed",)))
    >>> [stored.columns for stored in rows.layout.arrays]
    [('lengths',), ('speed',)]
    """
    ragged = data.ragged if isinstance(data, PaddedStream) else as_ragged(data)
    check_names(ragged)
    arrays: dict[str, AnyArray | Text] = {"lengths": ragged.lengths, **ragged.per_sequence}
    if ragged.keys is not None:
        arrays = {"keys": ragged.keys, **arrays}
    steps = {"values": ragged.values} | {name: array.data for name, array in ragged.per_step.items()}
    dtypes = {"values": data.dtype} if isinstance(data, PaddedStream) else {}
    tables: dict[str, AnyArray | Text] = dict(ragged.names)
    if ragged.features is not None:
        tables["features"] = np.array(ragged.features, dtype=str)
    meta = description(data)
    known = _tables(tables)
    lengths, titles = span(ragged.lengths), {name: table["cells"] for name, table in known.items()}
    layout = Layout(
        len(ragged),
        lengths.total,
        lengths.largest,
        _stored(arrays, steps, dtypes, titles),
        known,
        None
        if isinstance(data, Ragged)
        else data.maxlen
        if isinstance(data, PaddedStream)
        else data.x.shape[1],
        mask,
    )
    return RowArrays(
        {**arrays, **steps}, ragged.offsets, layout, json.dumps({**meta, "rows": asdict(layout)})
    )


def parse_layout(meta: str, name: str) -> tuple[dict[str, Any], Layout]:
    """The description in the file of this name, and its layout; raises DataError where it is damaged."""
    parsed = parse_meta(meta, name)
    try:
        return parsed, Layout.from_json(parsed["rows"])
    except (KeyError, TypeError, ValueError) as error:
        raise DataError(f"{name}[meta]: damaged: the layout of the rows: {error}") from None


def _stored(
    arrays: Mapping[str, AnyArray | Text],
    steps: Mapping[str, AnyArray],
    dtypes: Mapping[str, np.dtype[Any]],
    titles: Mapping[str, Sequence[Any]],
) -> tuple[StoredArray, ...]:
    """The arrays with their columns: those that have their own name first, as features may be called so too."""
    whole = {**arrays, **steps}
    wide = {name: _titles_of(name, array, titles) for name, array in whole.items()}
    taken = {name for name, columns in wide.items() if columns is None}
    found = []
    for name, array in whole.items():
        titled, shape = wide[name], array.shape[1:]
        columns = (name,) if titled is None else tuple(_unique(title, taken) for title in titled)
        columns = columns if prod(shape) else ()
        dtype = str(dtypes[name]) if name in dtypes else _dtype_of(name, array)
        found.append(StoredArray(name, name in steps, dtype, shape, columns))
    return tuple(found)


def _titles_of(name: str, array: AnyArray | Text, titles: Mapping[str, Sequence[Any]]) -> list[str] | None:
    """The names of the cells of a row, where each has one; None for an array that is a single column."""
    if len(array.shape) != 2:
        return None
    numbered = [f"{name}_{i}" for i in range(array.shape[1])]
    if name == "keys":
        return numbered
    known = titles.get(_TITLES.get(name, ""))
    if known is None or len(known) != array.shape[1]:
        return None
    return [str(title) or number for title, number in zip(known, numbered, strict=True)]


def _unique(title: str, taken: set[str]) -> str:
    """A name that no other column has: the title, or with a number behind it."""
    name, number = title, 1
    while name in taken:
        number += 1
        name = f"{title}_{number}"
    taken.add(name)
    return name


def _dtype_of(name: str, array: AnyArray | Text) -> str:
    """The dtype that a file of arrays has for an array: text of one width, unless it is too much."""
    members = [*text_or_numbers(name, array)]
    dtype = members[0].dtype
    if len(members) > 1:
        return VARIABLE
    return f"U{dtype.itemsize // 4}" if dtype.kind == "U" else dtype.name


def _tables(tables: Mapping[str, AnyArray | Text]) -> dict[str, dict[str, Any]]:
    """The tables as JSON; raises DataError where they are too large."""
    found, size = {}, 0
    for name, table in tables.items():
        size += table.data.size if isinstance(table, Text) else table.size * table.dtype.itemsize
        if size > _LONGEST_TABLES:
            raise DataError(
                f"{name}: names of {human(size)}, and at most {human(_LONGEST_TABLES)} fit into the description of a "
                "table of rows; write .npz"
            )
        cells = np.asarray(table).tolist()
        numbers = [cell if isinstance(cell, (str, int)) else value_to_json(cell) for cell in cells]
        found[name] = {"dtype": _dtype_of(name, table), "cells": numbers}
    return found
