"""Sequences that stand in cells of text: `5 6 7`, `[0.5, 1]`, `['B', 'I']`."""

from __future__ import annotations

import re
from collections.abc import Iterable

import numpy as np

from seqtool.arrays.dtypes import Array

_COMMA = re.compile(r"\s*,\s*")


def cells_in(text: str, *, commas: bool) -> list[str]:
    """The cells of a line or a cell of text, separated by commas or by blanks.

    >>> cells_in("5 6 7", commas=False), cells_in("1,,2 ", commas=True), cells_in(" ", commas=False)
    (['5', '6', '7'], ['1', '', '2'], [])
    """
    return _COMMA.split(text.strip()) if commas else text.split()


def cells_in_brackets(text: str) -> list[str]:
    """The same for a list as Python, NumPy or JSON write it: without the brackets around it and quotes within.

    >>> cells_in_brackets("[0.5, 1]"), cells_in_brackets("['B', 'I']"), cells_in_brackets("[]")
    (['0.5', '1'], ['B', 'I'], [])
    """
    text = text.strip()
    if text[:1] + text[-1:] in ("[]", "()"):
        text = text[1:-1].strip()
        text = text.removesuffix(",")  # a tuple of one
    cells = cells_in(text, commas="," in text)
    return [_unquoted(cell) for cell in cells] if "'" in text or '"' in text else cells


def _unquoted(cell: str) -> str:
    quoted = len(cell) > 1 and cell[0] == cell[-1] and cell[0] in "'\""
    return cell[1:-1] if quoted else cell


def split_cells(column: Iterable[str | None]) -> tuple[list[str], Array]:
    """The cells of a column of such lists end to end, and how many each has, (n,) int64; of nothing none.

    >>> split_cells(["1 2", None, "[3]"])
    (['1', '2', '3'], array([2, 0, 1]))
    """
    rows = [cells_in_brackets(cell or "") for cell in column]
    lengths = np.fromiter(map(len, rows), dtype=np.int64, count=len(rows))
    return [cell for row in rows for cell in row], lengths
