"""Columns of numbers: features and static columns."""

from __future__ import annotations

from typing import Any

import numpy as np

from seqtool.arrays.dtypes import Array
from seqtool.tables.cells.cells import (
    BadCell,
    BadCellError,
    is_text,
    plain,
    row_of,
)
from seqtool.tables.cells.column import Column
from seqtool.tables.cells.instants import TimeUnit
from seqtool.tables.cells.number_reading import is_numeric, read_numbers
from seqtool.tables.cells.number_state import FLOAT64, INT64, Loss, NumberOptions, NumberState, is_float


def bad_number(error: BadCellError, array: Any, rows: int | Array, options: NumberOptions) -> BadCell:
    """The record of a cell that is no number, with how many of the first cells of its batch are not numbers either."""
    array = plain(array)
    row = row_of(rows, error.row)
    if error.expected:  # it is no time, where times are numbers
        return BadCell(row, error.cell, expected=error.expected)
    if not (options.text and is_text(array)):
        return BadCell(row, error.cell, kind="" if is_numeric(array.type) else str(array.type))
    cells = [cell for cell in array.slice(0, _SAMPLE).to_pylist() if not options.is_missing(cell)]
    odd = [cell for cell in cells if not Numbers.is_number(cell)]
    words = tuple(dict.fromkeys([error.cell, *odd]))[:_WORDS]
    return BadCell(row, error.cell, len(odd), len(cells), words=words)


_WORDS = 4  # distinct cells to be kept
_SAMPLE = 1000  # cells that show whether a column holds text


class Numbers(Column[NumberState]):
    """A column of numbers: int64 until a fraction or a missing value appears, then float64.

    With `keep` all batches have the dtype of the array, whatever the state.
    """

    def __init__(
        self,
        target: np.dtype[Any],
        words: Any,
        *,
        text: bool,
        keep: bool = False,
        rounds: bool = False,
        time_as: TimeUnit | None = None,
        state: NumberState | None = None,
        final: bool = False,
    ) -> None:
        spellings = words if isinstance(words, tuple) else tuple(words.to_pylist())
        self.options = NumberOptions(target, spellings, text, keep, rounds and target.kind == "f", time_as)
        super().__init__(state or NumberState(), final=final)

    def encode(self, array: Any, first_row: int | Array) -> Array:
        """The batch as (n,) numbers; raises BadCellError for a cell that is none."""
        numbers, state_of_batch = read_numbers(array, first_row, self.options, known=self.state)
        whole = self.state.whole
        no_longer = "a fraction or a missing value stands where all numbers were whole"
        self._learn(state_of_batch, unseen=no_longer if whole and not state_of_batch.whole else "")
        if not self._final or self.options.keep:
            return numbers
        return numbers.astype(INT64 if whole else FLOAT64, copy=False)

    @property
    def whole(self) -> bool:
        """Whether all numbers so far are whole."""
        return self.state.whole

    @property
    def missing(self) -> int:
        """The number of missing values so far."""
        return self.state.missing

    @property
    def seen(self) -> int:
        """The number of cells so far."""
        return self.state.seen

    @property
    def coarse(self) -> bool:
        """As `NumberState.coarse`."""
        return self.state.coarse

    def loss(self, dtype: np.dtype[Any]) -> Loss | None:
        """The first number that changes if the column becomes `dtype`: the target, or int64."""
        return self.state.loss(dtype, rounds=self.options.rounds and dtype == self.options.target)

    @property
    def words(self) -> list[str] | None:
        """The spellings of a missing value; None where one is a number, so that only the text tells them apart."""
        return None if self.options.careful else list(self.options.words)

    def is_missing(self, cell: str) -> bool:
        """Whether a cell of text is one of the spellings of a missing value."""
        return self.options.is_missing(cell)

    @staticmethod
    def is_number(cell: str) -> bool:
        """Whether a cell of text is spelled as a number, or as true or false."""
        return is_float(cell.strip()) or cell.strip().lower() in ("true", "false")
