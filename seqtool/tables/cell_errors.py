"""Words for what is wrong in a table: the place, what was expected, what stood there, and the way out."""

from __future__ import annotations

import shlex
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

import pyarrow as pa

from seqtool.arrays.dtypes import Array
from seqtool.errors import DataError, NotNumbersError
from seqtool.tables.cells import BadCellError, Numbers, is_numeric, is_text, plain, row_of
from seqtool.tables.tables import Table

_EXPECTED = {
    "key": "a key without a NUL character, one value a cell, was expected",
    "order": "a number, or an ISO date or time such as 2026-01-31T12:00:00, was expected; "
    "{column}:text sorts the column as text",
    "feature": "a number was expected; --missing {cell} reads it as a missing value, --drop {column} leaves "
    "the column out",
    "static": "a number was expected; --missing {cell} reads it as a missing value",
    "label": "text or a number was expected",
}
_SAMPLE = 1000  # cells of a column that decide whether it holds text


@contextmanager
def bad_cell(table: Table, column: int, part: str, rows: int | Array) -> Iterator[None]:
    """Turn what an encoder says of a batch, which begins at a row or lists its `rows`, into a DataError."""
    try:
        yield
    except BadCellError as bad:
        name = table.label(column)
        cell = bad.cell if len(bad.cell) <= 40 else bad.cell[:37] + "..."
        expected = _EXPECTED[part].format(column=shlex.quote(name), cell=shlex.quote(cell))
        what = cell if cell.startswith("a column of") else repr(cell)
        raise DataError(
            f"{table.place(row_of(rows, bad.row))}, column {name!r}: {what}; {expected}"
        ) from None
    except pa.ArrowException as error:
        reason = " ".join(str(error).split())
        raise DataError(
            f"{table.name}: column {table.label(column)!r} cannot be a {part} ({reason})"
        ) from None


def text_columns(
    table: Table, features: Sequence[int], arrays: Mapping[int, Any], numbers: Mapping[int, Numbers]
) -> None:
    """Raise one DataError that lists every feature column which holds text, dates or lists, if there are any.

    A column with single bad cells among numbers is not one of them.
    """
    found = {column: _kind(table, arrays[column], numbers[column]) for column in features}
    wrong = {column: kind for column, kind in found.items() if kind}
    if not wrong:
        return
    listed = ", ".join(f"{table.label(column)!r} ({kind})" for column, kind in wrong.items())
    many = len(wrong) > 1
    raise NotNumbersError(
        f"{'columns' if many else 'column'} {listed} cannot be {'features' if many else 'a feature'}, for features "
        "are numbers; leave them out",
        [table.label(column) for column in wrong],
    )


def _kind(table: Table, array: Any, numbers: Numbers) -> str | None:
    """What a column holds if not numbers: judged by its first cells, most of which would have to be numbers."""
    array = plain(array)
    if not (table.text and is_text(array)):
        return None if is_numeric(array.type) else str(array.type)
    cells = [cell for cell in array.slice(0, _SAMPLE).to_pylist() if not numbers.is_missing(cell)]
    odd = [cell for cell in cells if not numbers.is_number(cell)]
    seen = len(cells) + numbers.seen - numbers.missing
    return f"such as {odd[0][:20]!r}" if 2 * len(odd) > seen else None
