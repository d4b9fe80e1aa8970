"""Words for what is wrong in a table: the place, what was expected, what stood there, and the way out."""

from __future__ import annotations

import re
import shlex
from collections.abc import Callable, Mapping
from typing import Any

from seqtool.errors import DataError, NotNumbersError
from seqtool.tables.cells import BadCell

_EXPECTED = {
    "key": "a key without a NUL character, one value per cell, was expected",
    "order": "a number, or an ISO date or time such as 2026-01-31T12:00:00, was expected",
    "feature": "a number was expected; --missing {cell} reads it as a missing value, --drop {column} leaves "
    "the column out",
    "static": "a number was expected; --missing {cell} reads it as a missing value",
    "label": "text or a number was expected",
}
_COLUMN = re.compile(r"\{column(:[^{}]*)?\}")  # and what follows it in an option, which is quoted with it


def bad_cell_error(
    bad: BadCell, part: str, column: str, *, name: str, place: Callable[[Any], str]
) -> DataError:
    """The error for a cell that is not what its column needs; `name` is the table's, `place` names a row in it."""
    if bad.reason:
        return DataError(f"{name}: column {column!r} cannot be a {part} ({bad.reason})")
    cell = bad.cell if len(bad.cell) <= 40 else bad.cell[:37] + "..."
    expected = _EXPECTED[part].format(column=shlex.quote(column), cell=shlex.quote(cell))
    if bad.expected:
        expected = _COLUMN.sub(lambda found: shlex.quote(f"{column}{found[1]}"), bad.expected)
    what = bad.cell if bad.cell.startswith("a column of") else repr(cell)
    return DataError(f"{place(bad.row)}, column {column!r}: {what}; {expected}")


def no_numbers_error(wrong: Mapping[str, BadCell]) -> NotNumbersError:
    """The one error that lists every feature column which holds text, dates or lists, by name."""
    listed = ", ".join(
        f"{name!r} ({bad.kind or f'such as {bad.cell[:20]!r}'})" for name, bad in wrong.items()
    )
    many = len(wrong) > 1
    return NotNumbersError(
        f"{'columns' if many else 'column'} {listed} cannot be {'features' if many else 'a feature'}: not numeric; "
        f"leave {'them' if many else 'it'} out",
        list(wrong),
    )
