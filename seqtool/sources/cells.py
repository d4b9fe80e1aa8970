"""Sequences in cells of text: `5 6 7`, `[0.5, 1]`, `['B', 'I']`; and the type of numbers in text."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING, Any

import numpy as np

from seqtool.advice import Advice
from seqtool.arrays.dtypes import Array
from seqtool.errors import DataError
from seqtool.operations.cast import rounding_warnings
from seqtool.tables.number_marks import NumberMarks, misread_error

if TYPE_CHECKING:
    from seqtool.tables.cells import Numbers

PLAIN = NumberMarks()


def cells_in(text: str, mark: str | None) -> list[str]:
    """The cells of a line, or of a list in a cell, separated by `mark`; None: by blanks.

    >>> cells_in("5 6 7", None), cells_in("1,,2 ", ","), cells_in(" ", None)
    (['5', '6', '7'], ['1', '', '2'], [])
    """
    return [cell.strip() for cell in text.strip().split(mark)] if mark else text.split()


def mark_in(text: str, marks: NumberMarks = PLAIN) -> str | None:
    """The mark between numbers in a line or a cell, given the marks within numbers; None for blanks.

    >>> mark_in("1, 2"), mark_in("1,5 2,5", NumberMarks(",")), mark_in("1,5; 2", NumberMarks(","))
    (',', None, ';')
    """
    return marks.between if marks.between in text or marks.thousands == " " else None


def cells_in_brackets(text: str, marks: NumberMarks = PLAIN) -> list[str]:
    """The cells of a list as Python, NumPy or JSON write it, without its brackets and quotes.

    >>> cells_in_brackets("[0.5, 1]"), cells_in_brackets("['B', 'I']"), cells_in_brackets("[]")
    (['0.5', '1'], ['B', 'I'], [])
    """
    text = text.strip()
    if text[:1] + text[-1:] in ("[]", "()"):
        text = text[1:-1].strip()
        text = text.removesuffix(marks.between)  # a tuple of one
    cells = cells_in(text, mark_in(text, marks)) if text else []
    return [_unquoted(cell) for cell in cells] if "'" in text or '"' in text else cells


def _unquoted(cell: str) -> str:
    quoted = len(cell) > 1 and cell[0] == cell[-1] and cell[0] in "'\""
    return cell[1:-1] if quoted else cell


def split_cells(column: Iterable[str | None], marks: NumberMarks = PLAIN) -> tuple[list[str], Array]:
    """The cells of a column of such lists, end to end, and the length of each list, (n,) int64; None is empty.

    >>> split_cells(["1 2", None, "[3]"])
    (['1', '2', '3'], array([2, 0, 1]))
    """
    rows = [cells_in_brackets(cell or "", marks) for cell in column]
    lengths = np.fromiter(map(len, rows), dtype=np.int64, count=len(rows))
    return [cell for row in rows for cell in row], lengths


def plain_cells(cells: list[str], marks: NumberMarks, place: Callable[[int], str]) -> Any:
    """Cells as Arrow text, (n,), with numbers rewritten from the marks of the call to plain ones.

    Raises DataError for a plain fraction where the marks say otherwise; `place` says where a cell stands.
    """
    import pyarrow as pa

    found = pa.array(cells, pa.string())
    if marks.are_plain:
        return found
    bad = marks.misread(found)
    if bad >= 0:
        raise misread_error(marks, place(bad), cells[bad])
    return marks.read(found)


def settled_dtype(
    numbers: Numbers,
    target: np.dtype[Any],
    *,
    asked: bool,
    place: Callable[[int], str],
    warnings: list[str],
) -> np.dtype[Any]:
    """The type of numbers that were read: int64 if all are whole and no type was `asked` for, else the target.

    `place` says where a number stands, given the row that `numbers` has of it. Adds to `warnings` how many numbers
    were rounded. Raises DataError for a number that the type cannot hold.
    """
    chosen = np.dtype(np.int64) if numbers.whole and not asked and numbers.seen else target
    loss = numbers.loss(chosen)
    if loss:
        out = [] if chosen == np.float64 else ["; choose ", Advice("--dtype", "float64")]
        raise DataError(f"{place(int(loss.row))}: {loss.reason}", *out)
    warnings += rounding_warnings(numbers.state.rounded, chosen)
    return chosen
