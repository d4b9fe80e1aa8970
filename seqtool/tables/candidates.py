"""Guesses which columns of a table may be its key, for the advice to a call that names none."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from itertools import pairwise
from typing import Any

import numpy as np

from seqtool.advice import Advice
from seqtool.errors import DataError
from seqtool.files.inputs import Input
from seqtool.tables.list_cells import CellKindError
from seqtool.tables.opening import open_tables
from seqtool.tables.table import Expected, Table, TextOptions
from seqtool.words import expanded, join_names, listed

_LISTS = 100  # rows looked at for lists
_ROWS = 1 << 14  # looked at for cells that repeat
_MOST_ROWS = 1 << 21  # looked at for a second value in a column that begins with one


def key_advice(inputs: Sequence[Input], text: TextOptions | None = None) -> tuple[str, Advice]:
    """A hint that lists the columns that may be the key, and the advice to name the likeliest one.

    The hint is empty, and the advice names a COLUMN, where there is no such column, or no table.
    """
    try:
        names = key_candidates(open_tables(inputs, text, list_cells=False))
    except DataError:
        names = []
    hint = f"columns whose cells repeat are {listed([*map(repr, names)])}; " if names else ""
    return hint, Advice("--key", join_names(names[:1]) or "COLUMN")


def steps_advice(source: Input, text: TextOptions | None = None) -> Advice | None:
    """The advice to pad a table that seems to hold one sequence a row; None for other tables.

    The columns of such a table are numbered, t0, t1 and so on; or there are several, and none of them may be a key:
    then the advice has A,B in place of their names. Or a column holds lists that are written as text.
    """
    try:
        table = open_tables([source], text, list_cells=False)
        lists = _lists_in_text(table)
        steps = numbered([name or "" for name in table.columns])
        if steps is None and len(table.columns) >= _FEWEST_COLUMNS and not key_candidates(table):
            steps = "A,B"
    except DataError:
        return None
    file = source.name if source.named_path else "-"
    if lists is not None:
        return Advice("seqtool", "pad", file, "--array", lists)
    return None if steps is None else Advice("seqtool", "pad", file, "--steps", steps)


def _lists_in_text(table: Table) -> str | None:
    """The first named column whose first cells are all written as lists, such as [5, 6]; None if there is none."""
    if not table.text:
        return None
    columns, batch = _first_rows(table, [c for c, name in enumerate(table.columns) if name is not None])
    for column, array in zip(columns, [] if batch is None else batch.columns, strict=False):
        cells = _cells(array.slice(0, _LISTS))
        if cells and all(cell.startswith("[") and cell.endswith("]") for cell in cells):
            return table.columns[column]
    return None


def numbered(names: Sequence[str]) -> str | None:
    """The longest run of names that count up one by one, as a range that `--steps` takes; None if there is none.

    >>> numbered(["id", "t8", "t9", "t10", "x"]), numbered(["a", "b1"])
    ('t{8..10}', None)
    """
    runs: list[list[str]] = [[]]
    for name in names:
        match = _NUMBERED.fullmatch(name)
        last = _NUMBERED.fullmatch(runs[-1][-1]) if runs[-1] else None
        if match is None:
            runs.append([])
        elif last is not None and (last[1], int(last[2]) + 1) == (match[1], int(match[2])):
            runs[-1].append(name)
        else:
            runs.append([name])
    longest = max(runs, key=len)
    if len(longest) < _FEWEST_STEPS:
        return None
    first, last = _NUMBERED.fullmatch(longest[0]), _NUMBERED.fullmatch(longest[-1])
    assert first is not None
    assert last is not None
    steps = f"{first[1]}{{{first[2]}..{last[2]}}}"
    return steps if expanded(steps) == longest else None


_NUMBERED = re.compile(r"([^,\"{}]*?)(\d{1,9})")
_FEWEST_COLUMNS = 5  # of a table with one sequence a row, where they are not numbered
_FEWEST_STEPS = 3  # numbered columns that are probably the steps of a sequence


def key_candidates(table: Table) -> list[str]:
    """The names of the columns whose cells repeat and are no fractions, the likeliest key first.

    A column in which equal cells stand together is likelier, for many files are in the order of their key.
    """
    columns = [c for c in range(len(table.columns)) if c not in table.list_sizes and c not in table.cells]
    columns = [c for c in columns if table.columns[c] is not None or not table.named]
    columns, batch = _first_rows(table, columns)
    if batch is None:
        return []
    candidates, constant = list[tuple[bool, int]](), dict[int, str]()
    for column, array in zip(columns, batch.columns, strict=True):
        cells = _cells(array.slice(0, _ROWS))
        distinct = len(set(cells))
        if 1 < distinct < len(cells) and not any("." in cell for cell in cells):
            runs = 1 + sum(cell != following for cell, following in pairwise(cells))
            candidates.append((runs != distinct, column))
        elif distinct == 1 < len(cells) and "." not in cells[0]:
            constant[column] = cells[0]
    candidates += [(False, column) for column in _changing_later(table, constant)]
    return [table.label(column) for _, column in sorted(candidates)]


def _first_rows(table: Table, columns: Sequence[int]) -> tuple[list[int], Any]:
    """Those of the columns that hold one value a cell, and a batch of their first rows; None for a table without rows.

    Only reading shows which fields of JSON hold several values.
    """
    readable = [*columns]
    while readable:
        try:
            return readable, next(iter(table.batches(readable, Expected(keys=frozenset(readable)))), None)
        except CellKindError as error:
            readable.remove(table.columns.index(error.column))
    return [], None


def _changing_later(table: Table, constant: Mapping[int, str]) -> list[int]:
    """The columns that change only after the first rows, as the key of long sequences does.

    `constant` holds the one cell that each column has in the first rows. Many rows may be read, for the call that needs
    this is refused anyway.
    """
    unchanged, rows = [*constant], 0
    for batch in table.batches(unchanged, Expected(keys=frozenset(unchanged))) if unchanged else ():
        arrays = dict(zip(constant, batch.columns, strict=True))
        unchanged = [
            column for column in unchanged if {*_cells(arrays[column].unique())} <= {constant[column]}
        ]
        rows += len(batch)
        if not unchanged or rows > _MOST_ROWS:
            break
    return [column for column in constant if column not in unchanged]


def _cells(array: Any) -> list[str]:
    """The cells as text; an empty list for a column of fractions, or of lists."""
    import pyarrow as pa

    kind = array.type
    floats = pa.types.is_floating(kind)
    if pa.types.is_nested(kind) or (floats and not _are_whole(array)):
        return []
    return [str(int(cell) if floats else cell) for cell in array.to_pylist()]


def _are_whole(array: Any) -> bool:
    numbers = np.asarray(array.to_numpy(zero_copy_only=False))
    return bool((np.isfinite(numbers) & (numbers == np.trunc(numbers))).all())
