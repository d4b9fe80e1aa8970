"""Columns of numbers: features and static columns."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from seqtool.arrays.dtypes import Array, describe_loss, first_loss
from seqtool.tables.cells.cells import EXACT, INTEGER, MISSING, BadCellError, is_text, plain, row_of


@dataclass(frozen=True)
class Loss:
    """A number that a type cannot hold: its row in the table, and why, with the way out."""

    row: int
    reason: str


class Numbers:
    """A column of numbers: whole ones as int64 until a fraction or a missing value comes, then float64.

    True and false count as 1 and 0. `missing` counts missing values, `seen` all cells; `coarse` tells
    of floats so large that a float32 has no room for their fraction. With `keep`
    the columns of an array keep its own type.
    """

    def __init__(self, target: np.dtype[Any], words: Any, *, text: bool, keep: bool = False) -> None:
        self._target = target
        self._keep = keep
        self._words = words
        self._text = text
        # A missing value that is spelled as a number, such as -1, must be found before numbers are read.
        self._careful = any(_is_float(word) for word in words.to_pylist() if word.lower() not in MISSING)
        self._losses: dict[np.dtype[Any], Loss] = {}
        self.whole = True
        self.missing = 0
        self.seen = 0
        self._doubles = self._large = False

    def loss(self, dtype: np.dtype[Any]) -> Loss | None:
        """The first number that does not survive if the column becomes `dtype`: the target, or int64."""
        # Beside a fraction or a missing value, whole numbers are held as float64 on their way.
        on_the_way = None if self.whole else self._losses.get(_FLOAT)
        found = [loss for loss in (on_the_way, self._losses.get(dtype)) if loss is not None]
        return min(found, key=lambda loss: loss.row, default=None)

    def encode(self, array: Any, first_row: int | Array) -> Array:
        """The batch as (n,) numbers; raises BadCellError for a cell that is none."""
        array = plain(array)
        if self._text and is_text(array):
            numbers = self._from_text(array, first_row)
        elif is_numeric(array.type):
            numbers = self._from_typed(array, first_row)
        else:
            raise BadCellError(0, f"a column of {array.type}")
        self.seen += len(numbers)
        if numbers.dtype.kind == "f":
            if self._text:  # -0 is 0 among integers; so it is among fractions, wherever those begin
                numbers = numbers + 0.0
            self.whole = False
            self._doubles |= numbers.dtype == np.float64
        if self._target in _HOLD_SMALL and _is_small(numbers):  # nearly always: then there is nothing to note
            return numbers
        if numbers.dtype.kind == "f":
            self.missing += int(np.isnan(numbers).sum())
        if not self._large and (numbers.dtype == np.float64 or numbers.dtype.kind in "iu"):
            self._large = bool((numbers > _WHOLE_SINGLES).any() or (numbers < -_WHOLE_SINGLES).any())
        self._judge(numbers, first_row)
        return numbers

    @property
    def coarse(self) -> bool:
        """Whether there are fractions, or gaps, beside numbers so large that a float32 holds none there."""
        return self._doubles and self._large

    @property
    def words(self) -> list[str] | None:
        """The spellings of a missing value; None where one is a number itself, so that text must be looked at."""
        return None if self._careful else self._words.to_pylist()

    def is_missing(self, cell: str) -> bool:
        """Whether a cell of text is one of the spellings of a missing value."""
        return pc.is_in(pa.array([cell.strip()], pa.string()), value_set=self._words)[0].as_py() is True

    @staticmethod
    def is_number(cell: str) -> bool:
        """Whether a cell of text is spelled as a number, or as true or false."""
        return _is_float(cell.strip()) or cell.strip().lower() in ("true", "false")

    def _judge(self, numbers: Array, first_row: int | Array) -> None:
        """Note the first number that a type which the column may become cannot hold."""
        for dtype in {self._target, _FLOAT, _INT}:
            place = first_loss(numbers, dtype) if numbers.dtype.kind != "f" or dtype == self._target else None
            if place is not None:
                self._note(dtype, row_of(first_row, place), describe_loss(numbers[place].item(), dtype))

    def _note(self, dtype: np.dtype[Any], row: int, reason: str) -> None:
        if dtype not in self._losses or row < self._losses[dtype].row:
            self._losses[dtype] = Loss(row, reason)

    def _from_text(self, array: Any, first_row: int | Array) -> Array:
        present, parsed = array, None
        if not self._careful:
            parsed = _parse(array, pa.int64()) if self.whole else None
            if parsed is None:
                parsed = _parse(array, pa.float64())
        if parsed is None or (pa.types.is_floating(parsed.type) and self.whole and _spelled_whole(array)):
            present = self._plainly_spelled(array)
            parsed = _parse(present, pa.int64()) if present.null_count == 0 else None
            if parsed is None:
                parsed = _parse(present, pa.float64())
        if parsed is None:
            raise _first_bad(array, present)
        if pa.types.is_floating(parsed.type):
            self._check_floats(array, present, np.asarray(pc.fill_null(parsed, 0.0)), first_row)
        return np.asarray(pc.fill_null(parsed, float("nan")) if parsed.null_count else parsed)

    def _check_floats(self, array: Any, present: Any, numbers: Array, first_row: int | Array) -> None:
        """Find what became a float of another value, and what Arrow takes for NaN although nobody meant it."""
        if np.abs(numbers).max(initial=0) < EXACT:  # neither NaN nor large
            return
        for row in np.flatnonzero(np.isnan(numbers)).tolist():
            if not self.is_missing(array[row].as_py()):
                raise BadCellError(row, array[row].as_py())
        for row in np.flatnonzero(np.abs(numbers) >= EXACT).tolist():
            cell, number = present[row].as_py(), numbers[row].item()
            whole = int(cell) if INTEGER.fullmatch(cell) else None
            changed = whole is not None and (np.isinf(number) or whole != number)
            if changed or (np.isinf(number) and "inf" not in cell.lower()):
                shown = repr(cell if len(cell) <= 30 else f"{cell[:27]}...")
                self._note(_FLOAT, row_of(first_row, row), f"{shown}, which float64 cannot hold exactly")
            elif whole is not None and not holds(whole, self._target):
                self._note(self._target, row_of(first_row, row), describe_loss(whole, self._target))

    def _plainly_spelled(self, array: Any) -> Any:
        """The cells without blanks and plus signs around them, true as 1, false as 0, missing ones as null."""
        trimmed = pc.utf8_trim_whitespace(array)
        missing = pc.or_(pc.is_in(array, value_set=self._words), pc.is_in(trimmed, value_set=self._words))
        cells = pc.if_else(missing, None, pc.replace_substring_regex(trimmed, r"^\+([0-9.])", r"\1"))
        lower = pc.utf8_lower(cells)
        cells = pc.if_else(pc.equal(lower, "true"), "1", cells)
        return pc.if_else(pc.equal(lower, "false"), "0", cells)

    def _from_typed(self, array: Any, first_row: int | Array) -> Array:
        if pa.types.is_boolean(array.type):
            array = array.cast(pa.int8())
        if pa.types.is_decimal(array.type):
            return self._from_decimals(array, first_row)
        if pa.types.is_null(array.type):
            array = array.cast(pa.float64())
        if array.null_count and pa.types.is_integer(array.type):
            self._judge(np.asarray(pc.fill_null(array, 0)), first_row)
            array = array.cast(pa.float64(), safe=False)
        numbers = np.asarray(array.to_numpy(zero_copy_only=False))
        if self._keep or numbers.dtype.kind not in "iu":
            return numbers
        # Files of one call may hold integers of several widths; here all are int64, or on their way to floats.
        if numbers.dtype == np.uint64 and self._target == np.uint64:
            return numbers
        large = (
            numbers > np.uint64(np.iinfo(np.int64).max) if numbers.dtype == np.uint64 else np.empty(0, bool)
        )
        past = np.flatnonzero(large)
        if len(past):
            reason = f"{numbers[past[0]]}, which int64 cannot hold; choose --dtype uint64"
            self._note(_FLOAT, row_of(first_row, int(past[0])), reason)
            return numbers.astype(np.float64)
        return numbers.astype(np.int64, copy=False)

    def _from_decimals(self, array: Any, first_row: int | Array) -> Array:
        numbers = np.asarray(array.cast(pa.float64()).to_numpy(zero_copy_only=False))
        for row in np.flatnonzero(np.abs(numbers) >= EXACT).tolist():
            exact = array[row].as_py()
            if exact == exact.to_integral_value() and int(exact) != int(numbers[row]):
                self._note(_FLOAT, row_of(first_row, row), f"{exact}, which float64 cannot hold exactly")
        return numbers


_WHOLE_SINGLES = 2**24  # past this, a float32 holds no fraction
_HOLD_SMALL = {np.dtype(np.float32), np.dtype(np.float64)}  # hold all numbers up to that


def _is_small(numbers: Array) -> bool:
    """Whether all numbers are within 2^24, none of them missing: two looks, each as fast as memory is read."""
    if not len(numbers) or numbers.dtype.kind not in "iuf":
        return not len(numbers)
    return (
        float(numbers.max()) <= _WHOLE_SINGLES and float(numbers.min()) >= -_WHOLE_SINGLES
    )  # NaN fails both


_FLOAT, _INT = np.dtype(np.float64), np.dtype(np.int64)


def _is_float(cell: str) -> bool:
    return _parse(pa.array([cell], pa.string()), pa.float64()) is not None


def holds(whole: int, dtype: np.dtype[Any]) -> bool:
    """Whether a dtype holds an integer of any size exactly.

    >>> holds(2**53 + 2, np.dtype("float64")), holds(2**53 + 2, np.dtype("float32"))
    (True, False)
    """
    if dtype.kind == "f":
        with np.errstate(over="ignore"):
            held = np.array(float(whole)).astype(dtype).item() if abs(whole) < 10**300 else np.inf
        return bool(np.isfinite(held)) and int(held) == whole
    limits = np.iinfo(dtype) if dtype.kind in "iu" else None
    return limits is not None and limits.min <= whole <= limits.max


def _spelled_whole(array: Any) -> bool:
    """Whether no cell has a point or an exponent: +5 is a whole number that Arrow takes for a float."""
    return not (_letters(array, b".") or _letters(array, b"e") or _letters(array, b"n"))


def _letters(array: Any, letter: bytes) -> bool:
    """Whether a letter stands in any cell, as a capital or not."""
    offsets = np.frombuffer(array.buffers()[1], dtype=np.int32)
    begin, end = offsets[array.offset], offsets[array.offset + len(array)]
    if begin == end:
        return False
    text = np.frombuffer(array.buffers()[2], dtype=np.uint8)[begin:end]
    return bool((text == ord(letter)).any() or (text == ord(letter.upper())).any())


def is_numeric(kind: Any) -> bool:
    """Whether an Arrow type is a number, or true and false."""
    types = pa.types
    return bool(
        types.is_integer(kind)
        or types.is_floating(kind)
        or types.is_boolean(kind)
        or types.is_decimal(kind)
        or types.is_null(kind)
    )


def _parse(array: Any, target: Any) -> Any:
    """Text as numbers if every cell is spelled as one, else None."""
    try:
        parsed = pc.cast(array, target)
    except pa.ArrowInvalid:
        return None
    # Arrow reads 0x1F as an integer; nobody who writes that in a table means 31.
    return None if pa.types.is_integer(target) and _letters(array, b"x") else parsed


def _first_bad(array: Any, present: Any) -> BadCellError:
    """The first cell that is no number, in a batch that has one: halved until it stands alone."""
    begin, end = 0, len(present)
    while end - begin > 1:
        middle = (begin + end) // 2
        if _parse(present.slice(begin, middle - begin), pa.float64()) is None:
            end = middle
        else:
            begin = middle
    return BadCellError(begin, array[begin].as_py())
