"""The rows of a table that an expression of `seqtool.where` selects."""

from __future__ import annotations

import operator
from collections.abc import Collection, Mapping, Sequence
from dataclasses import field, replace
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from seqtool.arrays.dtypes import EXACT, Array
from seqtool.dataclass import dataclass
from seqtool.errors import DataError, UsageError
from seqtool.tables.cells import BadCellError, is_numeric, is_text, missing_words, plain
from seqtool.tables.cells.cells import whole_number
from seqtool.tables.cells.number_reading import read_numbers
from seqtool.tables.cells.number_state import NumberOptions
from seqtool.tables.named_columns import position
from seqtool.tables.number_marks import NumberMarks
from seqtool.tables.table import Expected, Table
from seqtool.where import Comparison, Expression, Operand, comparisons, mask, parse

LEFT_OUT, MISSING = "left out by where", "left out by where, for a cell is missing"
_COMPARE_NUMBERS = {"==": operator.eq, "!=": operator.ne, "<": operator.lt, "<=": operator.le}
_COMPARE_NUMBERS |= {">": operator.gt, ">=": operator.ge}
_COMPARE_ARROW = {"==": pc.equal, "!=": pc.not_equal, "<": pc.less, "<=": pc.less_equal}
_COMPARE_ARROW |= {">": pc.greater, ">=": pc.greater_equal}


@dataclass(frozen=True)
class RowFilter:
    """An expression, the column behind each name in it, and the spellings of a missing value.

    Cells of the columns `as_written`, such as keys, are not parsed as numbers by the reader of the file, so that a key
    stays the same whatever it is compared with. Numbers in the columns that are `marked` still have the marks of the
    file, and are read by `marks` for a comparison.
    """

    expression: Expression
    columns: Mapping[str, int]
    missing: Sequence[str] = ()
    as_written: Collection[int] = ()
    marks: NumberMarks = field(default_factory=NumberMarks)
    marked: Collection[int] = ()

    @classmethod
    def of(
        cls,
        text: str,
        table: Table,
        missing: Sequence[str] = (),
        used: Collection[int] = (),
        expected: Expected | None = None,
    ) -> RowFilter:
        """Parse the text of an expression, and look up its columns in a table.

        `used` are the columns that other parts of the call read too, as they are `expected` to be.

        Raises UsageError for a bare word that is also the name of a column, and DataError for an unknown column.
        """
        expected = expected or Expected()
        expression = parse(text)
        columns = {
            comparison.column: position(table, comparison.column) for comparison in comparisons(expression)
        }
        for comparison in comparisons(expression):
            for value in comparison.values:
                if value.bare and table.named and value.text in table.columns:
                    raise UsageError(
                        f"--where: {value.text} is a column too, and cells are compared with a number or text; put "
                        f"text in single quotes: '{value.text}'"
                    )
        marks = NumberMarks(table.dialect.get("decimal", "."), table.dialect.get("thousands"))
        as_written = {*used} - expected.numbers
        return cls(expression, columns, missing, as_written, marks, as_written - expected.spelled)

    def expecting(self, expected: Expected) -> Expected:
        """The same expectations for a reader, but columns that are compared with text come as text."""
        texts = {
            self.columns[comparison.column]
            for comparison in comparisons(self.expression)
            if any(value.number is None for value in comparison.values)
        }
        only_here = {*self.columns.values()} - {*self.as_written}
        return replace(
            expected,
            numbers=(expected.numbers | (only_here if expected.numbers else set())) - texts,
            spelled=(expected.spelled | only_here) - texts,
            keys=expected.keys - texts,
        )

    def kept(self, arrays: Mapping[int, Any]) -> tuple[Array, int]:
        """Which rows of a batch are selected, (n,) bool, and how many others are not because a cell is missing.

        Raises `BadFilterCell` for a cell that is no number where one is needed, and UsageError for a column whose
        type cannot be compared with the value.
        """

        def compare(comparison: Comparison) -> Any:
            try:
                return self._compared(comparison, plain(arrays[self.columns[comparison.column]]))
            except BadCellError as error:
                raise BadFilterCell(error, comparison) from None

        selected = mask(self.expression, compare)
        return np.asarray(pc.fill_null(selected, False)), selected.null_count

    def _compared(self, comparison: Comparison, cells: Any) -> Any:
        sign = "==" if comparison.sign == "in" else comparison.sign
        first, *others = (
            self._with_value(comparison.column, cells, sign, value) for value in comparison.values
        )
        for other in others:
            first = pc.or_kleene(first, other)
        return first

    def _with_value(self, column: str, cells: Any, sign: str, value: Operand) -> Any:
        """The cells compared with one value: Arrow booleans, null where a cell is missing."""
        if value.number is not None and (is_text(cells) or is_numeric(cells.type)):
            return self._with_number(self.columns[column], cells, sign, value.number)
        if is_text(cells):
            present = pc.if_else(pc.is_in(cells, value_set=pa.array(["", *self.missing])), None, cells)
            return _COMPARE_ARROW[sign](present, value.text)
        try:
            return _COMPARE_ARROW[sign](cells, _as_type(value.text, cells.type))
        except (pa.ArrowInvalid, pa.ArrowNotImplementedError, pa.ArrowTypeError):
            raise UsageError(
                f"--where: column {column!r} holds {cells.type}, which is not compared with {value.text!r}"
            ) from None

    def _with_number(self, column: int, cells: Any, sign: str, number: float) -> Any:
        words = tuple(missing_words(self.missing).to_pylist())
        if is_text(cells) and column in self.marked and not self.marks.are_plain:
            bad = self.marks.misread(cells)
            if bad >= 0:
                raise BadCellError(bad, cells[bad].as_py())
            cells = self.marks.read(cells)
        numbers, _ = read_numbers(cells, 0, NumberOptions(np.dtype(np.float64), words, is_text(cells)))
        compare = _COMPARE_NUMBERS[sign]
        result = compare(numbers, number)
        if numbers.dtype.kind == "f" and abs(number) >= EXACT:
            # Several integers become this float64: whether a cell is the same one, its own digits say.
            for row in np.flatnonzero(numbers == float(number)).tolist():
                cell = cells[row].as_py()
                exact = whole_number(cell) if isinstance(cell, str) else cell
                result[row] = result[row] if exact is None else compare(exact, number)
        return pa.array(result, mask=np.isnan(numbers))


class BadFilterCell(Exception):  # noqa: N818 - it is turned into an error that names the place
    """A cell, in row `row` of its batch, that is no number although it is compared with one."""

    def __init__(self, error: BadCellError, comparison: Comparison) -> None:
        super().__init__(str(error))
        self.row, self.cell, self.comparison = error.row, error.cell, comparison

    def at(self, place: str) -> DataError:
        """The error for this cell, which stands at a place in a table."""
        value = next(value for value in self.comparison.values if value.number is not None)
        return DataError(
            f"{place}, column {self.comparison.column!r}: {self.cell[:40]!r}; compared with the number {value.text}, "
            f"so a number was expected; to compare text, put quotes around it: '{value.text}'"
        )


def _as_type(text: str, kind: Any) -> Any:
    """Text as a scalar of an Arrow type; dates and times as ISO has them, in UTC where the column has a zone."""
    try:
        return pa.scalar(text).cast(kind)
    except (pa.ArrowInvalid, pa.ArrowNotImplementedError):
        if not pa.types.is_timestamp(kind):
            raise
        return pa.scalar(text).cast(pa.timestamp(kind.unit)).cast(kind)
