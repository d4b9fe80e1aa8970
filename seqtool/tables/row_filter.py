"""The rows of a table that an expression of `seqtool.tables.where` means."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from seqtool.arrays.dtypes import Array
from seqtool.errors import DataError, UsageError
from seqtool.tables.cells import BadCellError, is_numeric, is_text, missing_words, plain
from seqtool.tables.cells.number_state import NumberOptions
from seqtool.tables.cells.numbers import read_numbers
from seqtool.tables.number_marks import NumberMarks
from seqtool.tables.roles import position
from seqtool.tables.table import Expected, Table
from seqtool.tables.where import Comparison, Expression, Value, comparisons, mask, parse

LEFT_OUT, MISSING = "left out by where", "left out by where, for a cell is missing"
_COMPARE = {"==": np.equal, "!=": np.not_equal, "<": np.less, "<=": np.less_equal}
_COMPARE |= {">": np.greater, ">=": np.greater_equal}
_OF_TEXT = {"==": pc.equal, "!=": pc.not_equal, "<": pc.less, "<=": pc.less_equal}
_OF_TEXT |= {">": pc.greater, ">=": pc.greater_equal}


@dataclass(frozen=True)
class RowFilter:
    """An expression, the columns of a table that its names stand for, and the spellings of a missing value.

    `as_written` are columns that are not parsed as numbers: a key is the same whatever it is compared with. `marks` are
    those of numbers in the columns that are `marked`, for nothing else reads them.
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
        """What is written, for a table, of which some columns are `used` for another part of the call, as `expected`.

        Raises UsageError for a bare word that is a column too, and DataError for a column that is not there.
        """
        expected = expected or Expected()
        expression = parse(text)
        columns = {one.column: position(table, one.column) for one in comparisons(expression)}
        for one in comparisons(expression):
            for value in one.values:
                if value.bare and table.named and value.text in table.columns:
                    raise UsageError(
                        f"--where: {value.text} is a column too, and cells are compared with a number or text; put "
                        f"text in single quotes: '{value.text}'"
                    )
        marks = NumberMarks(table.dialect.get("decimal", "."), table.dialect.get("thousands"))
        as_written = {*used} - expected.numbers
        return cls(expression, columns, missing, as_written, marks, as_written - expected.spelled)

    def expecting(self, expected: Expected) -> Expected:
        """What the columns are expected to hold: those compared with text come as they are written."""
        texts = {
            self.columns[one.column]
            for one in comparisons(self.expression)
            if any(value.number is None for value in one.values)
        }
        alone = {*self.columns.values()} - {*self.as_written}
        return replace(
            expected,
            numbers=(expected.numbers | (alone if expected.numbers else set())) - texts,
            spelled=(expected.spelled | alone) - texts,
            keys=expected.keys - texts,
        )

    def kept(self, arrays: Mapping[int, Any]) -> tuple[Array, int]:
        """Which rows are meant, (n,) bool, and of how many others that hangs on a missing cell.

        Raises `BadFilterCell` for a cell that is no number where a number is compared with it, and DataError for a
        column of a type that is not compared with such a value.
        """

        def compare(one: Comparison) -> Any:
            try:
                return self._compared(one, plain(arrays[self.columns[one.column]]))
            except BadCellError as error:
                raise BadFilterCell(error, one) from None

        found = mask(self.expression, compare)
        return np.asarray(pc.fill_null(found, False)), found.null_count

    def _compared(self, one: Comparison, cells: Any) -> Any:
        sign = "==" if one.sign == "in" else one.sign
        found, *others = (self._with_value(one.column, cells, sign, value) for value in one.values)
        for other in others:
            found = pc.or_kleene(found, other)
        return found

    def _with_value(self, column: str, cells: Any, sign: str, value: Value) -> Any:
        if value.number is not None and (is_text(cells) or is_numeric(cells.type)):
            words = tuple(missing_words(self.missing).to_pylist())
            if is_text(cells) and self.columns[column] in self.marked and not self.marks.are_plain:
                bad = self.marks.misread(cells)
                if bad >= 0:
                    raise BadCellError(bad, cells[bad].as_py())
                cells = self.marks.read(cells)
            numbers, _ = read_numbers(cells, 0, NumberOptions(np.dtype(np.float64), words, is_text(cells)))
            return pa.array(_COMPARE[sign](numbers, value.number), mask=np.isnan(numbers))
        if is_text(cells):
            present = pc.if_else(pc.is_in(cells, value_set=pa.array(["", *self.missing])), None, cells)
            return _OF_TEXT[sign](present, value.text)
        try:
            return _OF_TEXT[sign](cells, _as_type(value.text, cells.type))
        except (pa.ArrowInvalid, pa.ArrowNotImplementedError, pa.ArrowTypeError):
            raise UsageError(
                f"--where: column {column!r} holds {cells.type}, which is not compared with {value.text!r}"
            ) from None


class BadFilterCell(Exception):  # noqa: N818 - it is turned into an error that names the place
    """A cell that is no number, in the batch row `row`, compared with one."""

    def __init__(self, error: BadCellError, one: Comparison) -> None:
        super().__init__(str(error))
        self.row, self.cell, self.comparison = error.row, error.cell, one

    def at(self, place: str) -> DataError:
        """The error of the cell at a place in a table."""
        one = self.comparison
        value = next(value for value in one.values if value.number is not None)
        return DataError(
            f"{place}, column {one.column!r}: {self.cell[:40]!r}; compared with the number {value.text}, so "
            f"a number was expected; to compare text, put quotes around it: '{value.text}'"
        )


def _as_type(text: str, kind: Any) -> Any:
    """Text as a value of a type: dates and times are written as ISO has them, in UTC where the column has a zone."""
    try:
        return pa.scalar(text).cast(kind)
    except (pa.ArrowInvalid, pa.ArrowNotImplementedError):
        if not pa.types.is_timestamp(kind):
            raise
        return pa.scalar(text).cast(pa.timestamp(kind.unit)).cast(kind)
