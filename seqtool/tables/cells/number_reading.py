"""A batch of cells as numbers, whatever they are: text, numbers of any type, decimals, times."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from seqtool.arrays.dtypes import EXACT, Array, describe_loss, first_loss, holds, rounding
from seqtool.tables.cells.cells import (
    BadCell,
    BadCellError,
    earliest,
    is_text,
    plain,
    row_of,
    whole_number,
    word_set,
)
from seqtool.tables.cells.instants import MEASURED_FROM, TimeUnit, as_numbers
from seqtool.tables.cells.number_state import FLOAT64, INT64, Loss, NumberOptions, NumberState
from seqtool.tables.cells.spelling import parsed_as, spelled_whole


def read_numbers(
    array: Any, rows: int | Array, options: NumberOptions, *, known: NumberState | None = None
) -> tuple[Array, NumberState]:
    """A batch as (n,) numbers, and the state of the batch; `rows` is its first row, or the row of each cell.

    Whole numbers are int64 if all that is `known` so far are whole, else floats. True and false are 1 and 0. Raises
    BadCellError for a cell that is no number.

    >>> options = NumberOptions(np.dtype("float32"), ("", "NA"), text=True)
    >>> numbers, state = read_numbers(pa.array(["1", "NA"]), 0, options)
    >>> numbers.tolist(), state.whole, state.missing
    ([1.0, nan], False, 1)
    """
    known = known or NumberState()
    array = plain(array)
    if options.time_as is not None:
        return _read_times(array, rows, options, options.time_as, known)
    return _read_numeric(array, rows, options, known)


def _read_times(
    array: Any, rows: int | Array, options: NumberOptions, unit: TimeUnit, known: NumberState
) -> tuple[Array, NumberState]:
    """The same for a column whose cells may be times, which become numbers of this unit."""
    cells, kind, place = as_numbers(array, unit, options.words, known.kind)
    numbers, state = _read_numeric(cells, rows, options, known)
    if kind is None:
        return numbers, state
    rounded = state.rounded
    if kind in MEASURED_FROM and options.rounds and numbers.dtype.kind == "f":
        rounded += _count_shifted(numbers, options.target, unit)
    first = None if known.first else BadCell(row_of(rows, place), str(array[place].as_py()))
    return numbers, replace(state, kind=kind, first=first, rounded=rounded)


def _count_shifted(numbers: Array, dtype: np.dtype[Any], unit: TimeUnit) -> int:
    """How many times with a fraction are shifted by a millisecond or more when they become this float dtype."""
    with np.errstate(all="ignore"):
        shift = np.abs(numbers.astype(dtype) - numbers)
    millisecond = 1e-3 / (86_400 if unit == "days" else 1)
    return int(((shift >= millisecond) & (numbers % 1 != 0)).sum())


def _read_numeric(
    array: Any, rows: int | Array, options: NumberOptions, known: NumberState
) -> tuple[Array, NumberState]:
    reader = _Reader(options, rows, known.whole)
    if options.text and is_text(array):
        numbers = reader.from_text(array)
    elif is_numeric(array.type):
        numbers = reader.from_typed(array)
    else:
        raise BadCellError(0, f"a column of {array.type}")
    floats, doubles = numbers.dtype.kind == "f", numbers.dtype == np.float64
    if floats and options.text:  # -0 becomes 0, as among integers, wherever the first fraction stands
        numbers = numbers + 0.0
    if options.target in _HOLD_SMALL and _is_small(numbers):  # nearly always: no loss is possible
        return numbers, NumberState(not floats, 0, len(numbers), doubles)
    large = known.large
    if not large and (doubles or numbers.dtype.kind in "iu"):
        large = _any_large(numbers)
    if not reader.judged:
        reader.judge(numbers)
    missing = int(np.isnan(numbers).sum()) if floats else 0
    return numbers, NumberState(
        not floats, missing, len(numbers), doubles, large, reader.losses, rounded=reader.rounded
    )


class _Reader:
    """Reads one batch, and notes for each dtype the first number that it cannot hold."""

    def __init__(self, options: NumberOptions, rows: int | Array, whole: bool) -> None:
        self._options = options
        self._rows = rows
        self._whole = whole
        self.losses: dict[np.dtype[Any], Loss] = {}
        self.rounded = 0
        self.judged = False

    def judge(self, numbers: Array) -> None:
        """Note the losses of numbers by the dtypes that the column may become."""
        self.judged = True
        target, floats = self._options.target, numbers.dtype.kind == "f"
        if self._options.rounds:
            result = rounding(numbers, target)
            self.rounded += result.count
            if result.overflow is not None:
                self._note(target, result.overflow, describe_loss(numbers[result.overflow].item(), target))
        for dtype in {target, FLOAT64, INT64} - ({target} if self._options.rounds else set()):
            place = first_loss(numbers, dtype) if not floats or dtype == target else None
            if place is not None:
                number = numbers[place].item()
                changed = str(number) if dtype == FLOAT64 and not floats else ""
                self._note(dtype, place, describe_loss(number, dtype), changed)

    def _rounds_to(self, dtype: np.dtype[Any]) -> bool:
        return self._options.rounds and self._options.target == dtype

    def _note(
        self, dtype: np.dtype[Any], place: int, reason: str, number: str = "", *, past_int64: bool = False
    ) -> None:
        loss = Loss(row_of(self._rows, place), reason, number, past_int64)
        self.losses[dtype] = earliest(self.losses.get(dtype), loss) or loss

    def from_text(self, array: Any) -> Array:
        """The numbers of a batch of text."""
        present, parsed = array, None
        if not self._options.careful:
            parsed = parsed_as(array, pa.int64()) if self._whole else None
            if parsed is None:
                parsed = parsed_as(array, pa.float64())
        if parsed is None or (pa.types.is_floating(parsed.type) and self._whole and spelled_whole(array)):
            present = self._plainly_spelled(array)
            parsed = parsed_as(present, pa.int64()) if present.null_count == 0 else None
            if parsed is None:
                parsed = parsed_as(present, pa.float64())
        if parsed is None:
            raise _first_bad(array, present)
        if pa.types.is_floating(parsed.type):
            self._check_floats(array, present, np.asarray(pc.fill_null(parsed, 0.0)))
        return np.asarray(pc.fill_null(parsed, float("nan")) if parsed.null_count else parsed)

    def _check_floats(self, array: Any, present: Any, numbers: Array) -> None:
        """Note the integers that changed as floats; raises BadCellError for a NaN that is not missing by its text."""
        if np.abs(numbers).max(initial=0) < EXACT:  # neither NaN nor large
            return
        for row in np.flatnonzero(np.isnan(numbers)).tolist():
            if not self._options.is_missing(array[row].as_py()):
                raise BadCellError(row, array[row].as_py())
        for row in np.flatnonzero(np.abs(numbers) >= EXACT).tolist():
            cell, number = present[row].as_py(), numbers[row].item()
            whole = whole_number(cell)
            changed = whole is not None and (np.isinf(number) or whole != number)
            infinite = np.isinf(number) and "inf" not in cell.lower()
            self.rounded += changed and not infinite and self._options.rounds
            if infinite and self._options.rounds:
                self._note(
                    self._options.target, row, f"{cell[:30]!r}, which {self._options.target} cannot hold"
                )
            if (changed or infinite) and not self._rounds_to(FLOAT64):
                shown = repr(cell if len(cell) <= 30 else f"{cell[:27]}...")
                if whole is not None and holds(whole, INT64):
                    shown = str(whole)
                self._note(
                    FLOAT64, row, f"{shown}, which float64 cannot hold{'' if infinite else ' exactly'}"
                )
            elif not (changed or infinite) and whole is not None and not holds(whole, self._options.target):
                self._note(self._options.target, row, describe_loss(whole, self._options.target))

    def _plainly_spelled(self, array: Any) -> Any:
        """The cells without blanks and plus signs, true as 1, false as 0, missing ones as null."""
        words = word_set(self._options.words)
        trimmed = pc.utf8_trim_whitespace(array)
        missing = pc.or_(pc.is_in(array, value_set=words), pc.is_in(trimmed, value_set=words))
        cells = pc.if_else(missing, None, pc.replace_substring_regex(trimmed, r"^\+([0-9.])", r"\1"))
        lower = pc.utf8_lower(cells)
        cells = pc.if_else(pc.equal(lower, "true"), "1", cells)
        return pc.if_else(pc.equal(lower, "false"), "0", cells)

    def from_typed(self, array: Any) -> Array:
        """The numbers of a batch of a typed column."""
        if pa.types.is_boolean(array.type):
            array = array.cast(pa.int8())
        if pa.types.is_decimal(array.type):
            return self._from_decimals(array)
        if pa.types.is_null(array.type):
            array = array.cast(pa.float64())
        if array.null_count and pa.types.is_integer(array.type):
            # Losses are noted before the integers become float64.
            self.judge(np.asarray(pc.fill_null(array, 0)))
            self.judged = self._options.rounds
            array = array.cast(pa.float64(), safe=False)
        numbers = np.asarray(array.to_numpy(zero_copy_only=False))
        if self._options.keep or numbers.dtype.kind not in "iu":
            return numbers
        # Files of one call may have integers of several widths: all become int64, or else floats.
        if numbers.dtype == np.uint64 and self._options.target == np.uint64:
            return numbers
        beyond = numbers.dtype == np.uint64 and numbers > np.uint64(np.iinfo(np.int64).max)
        past = np.flatnonzero(beyond)
        if len(past):
            if self._options.rounds:
                self.judge(numbers)
            reason = f"{numbers[past[0]]}, which int64 cannot hold"
            self._note(FLOAT64, int(past[0]), reason, past_int64=True)
            return numbers.astype(np.float64)
        return numbers.astype(np.int64, copy=False)

    def _from_decimals(self, array: Any) -> Array:
        numbers = np.asarray(array.cast(pa.float64()).to_numpy(zero_copy_only=False))
        for row in np.flatnonzero(np.abs(numbers) >= EXACT).tolist():
            exact = array[row].as_py()
            if exact != exact.to_integral_value() or int(exact) == int(numbers[row]):
                continue
            self.rounded += self._options.rounds
            if not self._rounds_to(FLOAT64):
                self._note(FLOAT64, row, f"{exact}, which float64 cannot hold exactly")
        return numbers


def _any_large(numbers: Array) -> bool:
    """Whether a finite number is past 2^24."""
    large = (numbers > _WHOLE_SINGLES) | (numbers < -_WHOLE_SINGLES)
    return bool(large.any() and np.isfinite(numbers[large]).any())


_WHOLE_SINGLES = 2**24  # up to here float32 holds every integer, and beyond no fraction
_HOLD_SMALL = {np.dtype(np.float32), FLOAT64}  # dtypes that hold every integer up to that


def _is_small(numbers: Array) -> bool:
    """Whether all numbers are within 2^24, none of them missing; as fast as reading the numbers twice."""
    if not len(numbers) or numbers.dtype.kind not in "iuf":
        return not len(numbers)
    # A NaN fails both.
    return float(numbers.max()) <= _WHOLE_SINGLES and float(numbers.min()) >= -_WHOLE_SINGLES


def is_numeric(kind: Any) -> bool:
    """Whether an Arrow type is numeric, boolean, or null."""
    types = pa.types
    return bool(
        types.is_integer(kind)
        or types.is_floating(kind)
        or types.is_boolean(kind)
        or types.is_decimal(kind)
        or types.is_null(kind)
    )


def _first_bad(array: Any, present: Any) -> BadCellError:
    """The error for the first cell that is no number, found by bisection; `present` has null for missing cells."""
    begin, end = 0, len(present)
    while end - begin > 1:
        middle = (begin + end) // 2
        if parsed_as(present.slice(begin, middle - begin), pa.float64()) is None:
            end = middle
        else:
            begin = middle
    return BadCellError(begin, array[begin].as_py())
