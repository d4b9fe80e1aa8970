"""Errors about the cells of a table: the place, what was expected, what stood there, and the way out."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from seqtool.advice import Advice, Message
from seqtool.errors import DataError, NotNumbersError
from seqtool.tables.cells import BadCell
from seqtool.tables.cells.order_state import EXPECTED_ORDER

_EXPECTED = {
    "key": "a key without a NUL character, one value per cell, was expected",
    "order": EXPECTED_ORDER,
    "feature": "a number was expected",
    "static": "a number was expected",
    "label": "text without a NUL character, or a number, was expected",
    "category": "a name without a NUL character was expected",
    "item": "a name without a NUL character was expected",
}


def bad_cell_error(
    bad: BadCell,
    part: str,
    column: str,
    *,
    name: str,
    place: Callable[[Any], str],
    way_out: Message | None = None,
) -> DataError:
    """The error for a cell that does not fit the role of its column; `place` describes a row of the table `name`."""
    if bad.reason:
        return DataError(f"{name}: column {column!r} cannot be a {part} ({bad.reason})")
    cell = bad.cell if len(bad.cell) <= 40 else bad.cell[:37] + "..."
    expected = bad.expected or _EXPECTED[part]
    shown = bad.cell if bad.cell.startswith("a column of") else repr(cell)
    advice = [] if way_out is None else ["; ", way_out]
    return DataError(f"{place(bad.row)}, column {column!r}: {shown}; {expected}", *advice)


def no_numbers_error(
    wrong: Mapping[str, BadCell],
    way_out: Advice | None,
    marks: Message | None = None,
    as_names: Advice | None = None,
) -> NotNumbersError:
    """The one error that lists all feature columns of text, dates or lists.

    `way_out` is the advice to leave them out, None where no feature would be left; `marks` is the advice to read
    numbers with a decimal comma, or times, and `as_names` to read text as categories.
    """
    listed = ", ".join(
        f"{name!r} ({bad.kind or f'such as {bad.cell[:20]!r}'})" for name, bad in wrong.items()
    )
    many = len(wrong) > 1
    problem = f"{'columns' if many else 'column'} {listed} cannot be {'features' if many else 'a feature'}: not numeric"
    if marks is not None:
        without = [] if way_out is None else [f"; without {'them' if many else 'it'}: ", way_out]
        return NotNumbersError(f"{problem}; ", marks, *without, columns=list(wrong))
    ids = [] if as_names is None else [f"; for ids of {'their' if many else 'its'} names: ", as_names]
    if way_out is None:
        none_left = f"{problem}, and no other column is left to be one"
        return NotNumbersError(none_left, *ids, columns=list(wrong))
    leave_out = f"; leave {'them' if many else 'it'} out: "
    return NotNumbersError(problem, leave_out, way_out, *ids, columns=list(wrong))
