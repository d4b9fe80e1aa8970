"""Which columns of a table may be its key: for advice to a call that names none."""

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

_ROWS = 1 << 14  # that are looked at
_FAR = 1 << 21  # that are looked at for a second cell in a column


def key_advice(inputs: Sequence[Input], text: TextOptions | None = None) -> tuple[str, Advice]:
    """What to say of the columns of some inputs that may be the key, and the advice to name the likeliest.

    Of what is no table, or has no such column, nothing is said, and the reader is to name the COLUMN.
    """
    try:
        names = key_candidates(open_tables(inputs, text, list_cells=False))
    except DataError:
        names = []
    hint = f"columns whose cells repeat are {listed([*map(repr, names)])}; " if names else ""
    return hint, Advice("--key", join_names(names[:1]) or "COLUMN")


def steps_advice(source: Input, text: TextOptions | None = None) -> Advice | None:
    """The advice to pad a table as one sequence a row, whose columns are numbered, t0, t1 and so on; else None.

    Of a table in which no cell repeats that may be a key, and has columns enough, the reader is to name them.
    """
    try:
        table = open_tables([source], text, list_cells=False)
        steps = numbered([name or "" for name in table.columns])
        if steps is None and len(table.columns) >= _COLUMNS and not key_candidates(table):
            steps = "A,B"
    except DataError:
        return None
    if steps is None:
        return None
    file = source.name if source.named_path else "-"
    return Advice("seqtool", "pad", file, "--steps", steps)


def numbered(names: Sequence[str]) -> str | None:
    """The range of names that count up one by one, as `--steps` takes it, of the longest such run; None for none.

    >>> numbered(["id", "t8", "t9", "t10", "x"]), numbered(["a", "b1"])
    ('t{8..10}', None)
    """
    runs: list[list[str]] = [[]]
    for name in names:
        found = _NUMBERED.fullmatch(name)
        last = _NUMBERED.fullmatch(runs[-1][-1]) if runs[-1] else None
        if found is None:
            runs.append([])
        elif last is not None and (last[1], int(last[2]) + 1) == (found[1], int(found[2])):
            runs[-1].append(name)
        else:
            runs.append([name])
    longest = max(runs, key=len)
    if len(longest) < _STEPS:
        return None
    first, last = _NUMBERED.fullmatch(longest[0]), _NUMBERED.fullmatch(longest[-1])
    assert first is not None
    assert last is not None
    steps = f"{first[1]}{{{first[2]}..{last[2]}}}"
    return steps if expanded(steps) == longest else None


_NUMBERED = re.compile(r"([^,\"{}]*?)(\d{1,9})")
_COLUMNS = 5  # that a table of one sequence a row has at least, where they have no numbers
_STEPS = 3  # numbered columns that are likely the steps of a sequence


def key_candidates(table: Table) -> list[str]:
    """The columns of which cells repeat and are no fractions, the likeliest key first.

    Likeliest is what stands in runs of equal cells, as keys of files that are in order do.
    """
    columns = [c for c in range(len(table.columns)) if c not in table.list_sizes and c not in table.cells]
    columns = [c for c in columns if table.columns[c] is not None or not table.named]
    batch = _first_rows(table, columns)
    if batch is None:
        return []
    found, same = list[tuple[bool, int]](), dict[int, str]()
    for column, array in zip(columns, batch.columns, strict=True):
        cells = _cells(array.slice(0, _ROWS))
        distinct = len(set(cells))
        if 1 < distinct < len(cells) and not any("." in cell for cell in cells):
            runs = 1 + sum(one != other for one, other in pairwise(cells))
            found.append((runs != distinct, column))
        elif distinct == 1 < len(cells) and "." not in cells[0]:
            same[column] = cells[0]
    found += [(False, column) for column in _changing_later(table, same)]
    return [table.label(column) for _, column in sorted(found)]


def _first_rows(table: Table, columns: list[int]) -> Any:
    """Some rows, None where there are none; fields of JSON that hold several values are taken off the columns."""
    while columns:
        try:
            return next(iter(table.batches(columns, Expected(keys=frozenset(columns)))), None)
        except CellKindError as error:
            columns.remove(table.columns.index(error.column))
    return None


def _changing_later(table: Table, same: Mapping[int, str]) -> list[int]:
    """Those of the columns with one cell in the first rows that hold another later, as the key of long sequences does.

    So many rows are looked at, for this is only said where a call is refused.
    """
    left, rows = [*same], 0
    for batch in table.batches(left, Expected(keys=frozenset(left))) if left else ():
        of_batch = dict(zip(same, batch.columns, strict=True))
        left = [column for column in left if {*_cells(of_batch[column].unique())} <= {same[column]}]
        rows += len(batch)
        if not left or rows > _FAR:
            break
    return [column for column in same if column not in left]


def _cells(array: Any) -> list[str]:
    """The cells as they are written; none of a column of fractions, or of lists."""
    import pyarrow as pa

    kind = array.type
    if pa.types.is_nested(kind) or (pa.types.is_floating(kind) and not _are_whole(array)):
        return []
    whole = pa.types.is_floating(kind)
    return [str(int(cell) if whole else cell) for cell in array.to_pylist()]


def _are_whole(array: Any) -> bool:
    numbers = np.asarray(array.to_numpy(zero_copy_only=False))
    return bool((numbers == np.trunc(numbers)).all())
