"""Which sequences a condition of `seqtool.where` selects, by their keys, labels, lengths and static numbers."""

from __future__ import annotations

import operator
import re
from collections.abc import Callable
from typing import Any

import numpy as np

from seqtool.arrays.dtypes import Array
from seqtool.errors import DataError, UsageError
from seqtool.sequences.columns import SequenceColumn, column_named, sequence_columns
from seqtool.sequences.ragged import Ragged
from seqtool.where import Comparison, Expression, Not, Operand, comparisons, parse
from seqtool.words import listed

_COMPARE: dict[str, Callable[[Any, Any], Any]] = {
    "==": operator.eq,
    "!=": operator.ne,
    "<": operator.lt,
    "<=": operator.le,
    ">": operator.gt,
    ">=": operator.ge,
    "in": operator.eq,
}
_NUMBER = re.compile(r"[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?")
_WHOLE = re.compile(r"[+-]?\d{1,300}")


class Condition:
    """A condition on sequences, whose columns were found: those that `sequence_columns` names.

    Raises UsageError for text that is no condition, for a bare word that is a column too, and for numbers compared with
    text; DataError for a column that is not there.

    >>> ragged = Ragged(np.arange(4), np.array([0, 1, 4]), keys=np.array(["a", "b"]))
    >>> Condition("length > 2 or key == c", ragged).selected(0, 2)[0].tolist()
    [False, True]
    """

    def __init__(self, text: str, ragged: Ragged) -> None:
        self._expression = parse(text)
        known = sequence_columns(ragged)
        self._columns: dict[str, SequenceColumn] = {}
        for comparison in comparisons(self._expression):
            self._columns[comparison.column] = column_named(ragged, comparison.column, "--where")
            for value in comparison.values:
                if value.bare and value.text in known:
                    raise UsageError(
                        f"--where: {value.text} is a column too, and cells are compared with a number or text; put "
                        f"text in single quotes: '{value.text}'"
                    )
        self._classes = {
            name: np.asarray(column.classes)
            for name, column in self._columns.items()
            if column.classes is not None
        }

    def selected(self, begin: int, end: int) -> tuple[Array, Array]:
        """Which of the sequences from `begin` to `end` are selected, and which are not as a cell is missing."""
        return self._decided(self._expression, begin, end)

    def _decided(self, expression: Expression, begin: int, end: int) -> tuple[Array, Array]:
        """Where an expression is true, and where a missing cell decides, as `seqtool.where.mask` has it for a table."""
        if isinstance(expression, Comparison):
            found, missing = self._compared(expression, begin, end)
            return found & ~missing, missing
        if isinstance(expression, Not):
            found, missing = self._decided(expression.part, begin, end)
            return ~found & ~missing, missing
        parts = [self._decided(part, begin, end) for part in expression.parts]
        missing = np.logical_or.reduce([missing for _, missing in parts])
        if expression.any_of:
            found = np.logical_or.reduce([found for found, _ in parts])
            return found, missing & ~found
        found = np.logical_and.reduce([found for found, _ in parts])
        fails = np.logical_or.reduce([~found & ~missing for found, missing in parts])
        return found, missing & ~fails

    def _compared(self, comparison: Comparison, begin: int, end: int) -> tuple[Array, Array]:
        """Which cells compare so, and which are missing: NaN, empty text, and numbers that are no class."""
        cells = np.asarray(self._columns[comparison.column].cells[begin:end])
        classes = self._classes.get(comparison.column)
        if classes is None:
            return _cells_compared(comparison, cells)
        known = (cells >= 0) & (cells < len(classes))
        places = np.where(known, cells, 0).astype(np.int64)
        if not len(classes):
            return np.zeros(len(cells), bool), ~known
        try:
            found, missing = _cells_compared(comparison, classes)
        except DataError:
            unknown = [value.text for value in comparison.values if value.text not in classes]
            if not unknown:
                raise
            raise DataError(
                f"--where: {comparison.column} is of the classes {listed([*map(str, classes.tolist())])}, none of "
                f"which is {unknown[0]}"
            ) from None
        return found[places], missing[places] | ~known


def _cells_compared(comparison: Comparison, cells: Array) -> tuple[Array, Array]:
    is_text = cells.dtype.kind in "UT"
    missing = (
        cells == "" if is_text else np.isnan(cells) if cells.dtype.kind == "f" else np.zeros(len(cells), bool)
    )
    found = np.zeros(len(cells), bool)
    for value in comparison.values:
        with_value = _text_compared if is_text else _numbers_compared
        found |= with_value(comparison, cells, value)
    return found, np.asarray(missing, bool)


def _text_compared(comparison: Comparison, cells: Array, value: Operand) -> Array:
    """Text compared with text, in the order of code points; or read as numbers, to be compared with one."""
    compare = _COMPARE[comparison.sign]
    if value.number is None:
        return np.asarray(compare(cells, value.text), bool)
    number = value.number
    return np.array(
        [bool(cell) and compare(_number(cell, comparison, value), number) for cell in cells.tolist()], bool
    )


def _number(cell: str, comparison: Comparison, value: Operand) -> float:
    """The number that text spells; raises DataError for other text."""
    if _WHOLE.fullmatch(cell):
        return int(cell)
    if _NUMBER.fullmatch(cell):
        return float(cell)
    raise DataError(
        f"--where: {comparison.column} holds {cell[:40]!r}, which is compared with the number {value.text}; to compare "
        f"text, put quotes around it: '{value.text}'"
    )


def _numbers_compared(comparison: Comparison, cells: Array, value: Operand) -> Array:
    number = value.number
    if number is None and _WHOLE.fullmatch(value.text):
        number = int(value.text)
    if number is None:
        raise UsageError(
            f"--where: {comparison.column} holds numbers, which are not compared with the text {value.text[:40]!r}"
        )
    if cells.dtype.kind == "f" and isinstance(number, int):
        number = float(number) if abs(number) < _BEYOND else float("inf") * (1 if number > 0 else -1)
    with np.errstate(over="ignore"):
        return np.asarray(_COMPARE[comparison.sign](cells, number), bool)


_BEYOND = 10**308  # about where floats end
