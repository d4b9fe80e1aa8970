"""From the cells of a column to numbers and keys, batch by batch, the same however the batches were cut.

Each column starts with the narrowest type that its cells allow and widens when a later batch needs it:
integers to floats, integer keys to text. Widening never loses what was written, so the first odd value may
stand anywhere.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from itertools import product
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from seqtool.casting import Array, first_loss
from seqtool.errors import DataError

MISSING = ("", "na", "n/a", "null", "none", "nan")  # in any case
_EXACT = 2.0**53  # past this, a float64 no longer holds every integer
_INTEGER = re.compile(r"\s*[+-]?\d+\s*")


class BadCellError(Exception):
    """A cell that is not what its column needs: its row within the batch, and what stands there."""

    def __init__(self, row: int, cell: str) -> None:
        super().__init__(f"row {row} holds {cell!r}")
        self.row = row
        self.cell = cell


def missing_words(more: Iterable[str] = ()) -> Any:
    """The set of spellings of a missing value: the usual words in any case, and `more` as they are.

    >>> len(missing_words(["?"])) - len(missing_words())
    1
    """
    cases = {
        "".join(letters) for word in MISSING for letters in product(*zip(word, word.upper(), strict=True))
    }
    return pa.array(sorted(cases | set(more)), pa.string())


def is_text(array: Any) -> bool:
    """Whether a column holds text."""
    return bool(pa.types.is_string(array.type) or pa.types.is_large_string(array.type))


def plain(array: Any) -> Any:
    """An Arrow array without dictionary or view encoding."""
    if pa.types.is_dictionary(array.type):
        array = array.dictionary_decode()
    if pa.types.is_string_view(array.type) or pa.types.is_large_string(array.type):
        array = array.cast(pa.string())
    return array


class Numbers:
    """A column of numbers: whole ones as int64 until a fraction or a missing value comes, then float64.

    `missing` counts missing values; `loss` is the first (row, number) that the type `target` cannot hold.
    Columns of an array keep its own type.
    """

    def __init__(self, target: np.dtype[Any], words: Any, *, text: bool) -> None:
        self._target = target
        self._words = words
        self._text = text
        self.whole = True
        self.missing = 0
        self.loss: tuple[int, float] | None = None

    def encode(self, array: Any, first_row: int) -> Array:
        """The batch as (n,) numbers; raises BadCellError for a cell that is none."""
        array = plain(array)
        if self._text:
            numbers = self._from_text(array)
        elif is_numeric(array.type):
            numbers = _from_typed(array)
        else:
            raise BadCellError(0, f"a column of {array.type}")
        if numbers.dtype.kind == "f":
            self.whole = False
            self.missing += int(np.isnan(numbers).sum())
        if self.loss is None:
            place = first_loss(numbers, self._target)
            if place is not None:
                self.loss = (first_row + place, numbers[place].item())
        return numbers

    def is_missing(self, cell: str) -> bool:
        """Whether a cell of text is one of the spellings of a missing value."""
        return pc.is_in(pa.scalar(cell.strip()), value_set=self._words).as_py() is True

    @staticmethod
    def is_number(cell: str) -> bool:
        """Whether a cell of text is spelled as a number, or as true or false."""
        number = _parse(pa.array([cell.strip()]), pa.float64())
        return number is not None or cell.strip().lower() in ("true", "false")

    def _from_text(self, array: Any) -> Array:
        for target in (pa.int64(), pa.float64()) if self.whole else (pa.float64(),):
            parsed = _parse(array, target)
            if parsed is not None:
                return np.asarray(parsed)
        return self._from_odd_text(array)

    def _from_odd_text(self, array: Any) -> Array:
        """Cells among which some are missing, true or false, or stand between blanks."""
        missing = pc.is_in(array, value_set=self._words)
        trimmed = pc.utf8_trim_whitespace(array)
        missing = pc.or_(missing, pc.is_in(trimmed, value_set=self._words))
        present = pc.if_else(missing, None, trimmed)
        if present.null_count == 0:
            parsed = _parse(present, pa.int64())
            if parsed is not None:
                return np.asarray(parsed)
        floats = _parse(present, pa.float64())
        if floats is None:
            lower = pc.utf8_lower(present)
            if pc.all(pc.is_in(lower, value_set=pa.array(["true", "false", None]))).as_py():
                floats = pc.cast(pc.equal(lower, "true"), pa.float64())
                if present.null_count == 0:
                    return np.asarray(pc.cast(floats, pa.int64()))
        if floats is None:
            raise _first_bad(array, present)
        return np.asarray(pc.fill_null(floats, float("nan")))


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
    if pa.types.is_integer(target):
        return None if _holds_hexadecimal(array) else parsed
    largest = pc.max(pc.abs(parsed)).as_py()
    if largest is not None and not largest < _EXACT:
        _check_large(array, parsed)
    return parsed


def _holds_hexadecimal(array: Any) -> bool:
    # Arrow reads 0x1F as an integer; nobody who writes that in a table means 31.
    offsets = np.frombuffer(array.buffers()[1], dtype=np.int32)
    begin, end = offsets[array.offset], offsets[array.offset + len(array)]
    if begin == end:
        return False
    letters = np.frombuffer(array.buffers()[2], dtype=np.uint8)[begin:end]
    return bool((letters > ord("9")).any())


def _check_large(array: Any, parsed: Any) -> None:
    """Among cells so large that a float64 cannot hold every integer, find one that it changed."""
    numbers = np.asarray(pc.fill_null(parsed, 0.0))
    for row in np.flatnonzero(~(np.abs(numbers) < _EXACT)).tolist():
        cell, number = array[row].as_py(), numbers[row].item()
        if np.isinf(number) and "inf" not in cell.lower():
            raise BadCellError(row, cell)
        if _INTEGER.fullmatch(cell) and int(cell) != number:
            raise BadCellError(row, cell)


def _first_bad(array: Any, present: Any) -> BadCellError:
    for row, cell in enumerate(present):
        if cell.is_valid and _parse(pa.array([cell.as_py()]), pa.float64()) is None:
            return BadCellError(row, array[row].as_py())
    return BadCellError(0, array[0].as_py())


def _from_typed(array: Any) -> Array:
    if pa.types.is_boolean(array.type):
        array = array.cast(pa.int8())
    if pa.types.is_decimal(array.type) or pa.types.is_null(array.type):
        array = array.cast(pa.float64())
    if array.null_count and pa.types.is_integer(array.type):
        wide = array.cast(pa.float64(), safe=False)
        changed = pc.not_equal(wide.cast(array.type, safe=False), array)
        if pc.any(changed).as_py():
            row = int(np.argmax(np.asarray(pc.fill_null(changed, False))))
            raise BadCellError(row, str(array[row].as_py()))
        array = wide
    if array.null_count:
        array = pc.fill_null(array, pa.scalar(float("nan"), array.type))
    return np.asarray(array)


class Keys:
    """A column that tells sequences apart: int64 while every cell is a plain integer, else text.

    Cells are compared as written: 007, 07 and 7 are three keys. `empty` counts cells that hold nothing; with
    `keep_empty` they are a key of text like others, else their rows are to be left out.
    """

    def __init__(self, *, keep_empty: bool = False) -> None:
        self._keep_empty = keep_empty
        self.integer = True
        self.empty = 0

    def encode(self, array: Any) -> tuple[Any, Any]:
        """The batch as an Arrow array of int64 or text, and which rows have no key, or None."""
        array = _spelled(plain(array))
        if pa.types.is_integer(array.type) and not array.null_count:
            return (array, None) if self.integer else (array.cast(pa.string()), None)
        if not is_text(array):
            array = array.cast(pa.string())
        array = pc.fill_null(array, "")
        _refuse_nul(array)
        empty = pc.equal(array, "")
        count = pc.sum(empty).as_py() or 0
        self.empty += count
        left_out = empty if count and not self._keep_empty else None
        if self.integer:
            integers = _plain_integers(array if left_out is None else pc.if_else(empty, "0", array))
            if integers is not None:
                return integers, left_out
            self.integer = False
        return array, left_out


def _spelled(array: Any) -> Any:
    """A typed key column as its integers, or as the text that a person would write."""
    if pa.types.is_integer(array.type):
        try:
            return array.cast(pa.int64())
        except pa.ArrowInvalid:
            return array.cast(pa.string())
    if pa.types.is_floating(array.type):
        return pa.array([_float_key(number) for number in np.asarray(array).tolist()], pa.string())
    if pa.types.is_nested(array.type) or pa.types.is_binary(array.type):
        raise BadCellError(0, f"a column of {array.type}")
    return array


def _float_key(number: float) -> str:
    if number != number:
        return ""
    return str(int(number)) if abs(number) < _EXACT and number == int(number) else repr(number)


def _plain_integers(array: Any) -> Any:
    """Text as int64 if writing each integer gives back its text, else None: 007, +7 and -0 do not."""
    try:
        integers = pc.cast(array, pa.int64())
    except pa.ArrowInvalid:
        return None
    return integers if pc.all(pc.equal(pc.cast(integers, pa.string()), array)).as_py() else None


def _refuse_nul(array: Any) -> None:
    with_nul = pc.match_substring(array, "\0")
    if pc.any(with_nul).as_py():
        row = int(np.argmax(np.asarray(with_nul)))
        raise BadCellError(row, array[row].as_py())


class Order:
    """A column that puts the steps of a sequence in order: numbers, ISO dates and times, or text if asked.

    `kind` is what it was found to be; `missing` counts cells that hold nothing.
    """

    def __init__(self, words: Any, *, as_text: bool, text: bool) -> None:
        self._numbers = Numbers(np.dtype(np.float64), words, text=text)
        self._words = words
        self._text = text
        self._missing_times = 0
        self.kind: str | None = "text" if as_text else None

    @property
    def missing(self) -> int:
        """The cells so far that hold nothing."""
        return self._missing_times + self._numbers.missing

    @property
    def loss(self) -> tuple[int, float] | None:
        """The first integer that became unsortable among fractions, for it is past 2^53: (row, number)."""
        return None if self._numbers.whole else self._numbers.loss

    def encode(self, array: Any, first_row: int) -> Any:
        """The batch as Arrow int64, float64, times or text; raises BadCellError for a cell that is none."""
        array = plain(array)
        if self.kind == "text":
            text = array.cast(pa.string())
            self._missing_times += text.null_count + (pc.sum(pc.equal(text, "")).as_py() or 0)
            return text
        if pa.types.is_temporal(array.type):
            self._missing_times += array.null_count
            wide = pa.int32() if array.type.bit_width == 32 else pa.int64()
            return array.cast(wide).cast(pa.int64())
        if self._text and self.kind != "numbers":
            times = self._times(array)
            if times is not None:
                return times
        try:
            numbers = self._numbers.encode(array, first_row)
        except BadCellError as bad:
            raise self._first_bad(array) or bad from None
        if len(numbers) > np.isnan(numbers).sum():
            self._agree("numbers", array)
        return pa.array(numbers)

    def _times(self, array: Any) -> Any:
        """ISO dates and times as int64 nanoseconds, or None where a cell is none."""
        missing = pc.is_in(array, value_set=self._words)
        present = pc.if_else(missing, None, array)
        if present.null_count == len(present):
            return None
        for kind in (pa.timestamp("ns"), pa.timestamp("ns", "UTC")):
            try:
                times = pc.cast(present, kind)
            except pa.ArrowInvalid:
                continue
            self._agree("times with a zone" if kind.tz else "times", array)
            self._missing_times += times.null_count
            return times.cast(pa.int64())
        return None

    def _agree(self, kind: str, array: Any) -> None:
        if self.kind not in (None, kind):
            raise BadCellError(0, str(array[0]))
        self.kind = kind

    def _first_bad(self, array: Any) -> BadCellError | None:
        """The first cell that is no time, in a column that begins with one."""
        if not is_text(array):
            return None
        for row, cell in enumerate(array.to_pylist()):
            probe = Order(self._words, as_text=False, text=True)
            if probe._times(pa.array([cell])) is None and cell not in self._words.to_pylist():
                return BadCellError(row, cell) if row or self.kind in (None, "numbers") else None
        return None


class Labels:
    """A column of labels: each distinct text gets a code in the order of appearance.

    `finish` tells the codes' final meaning. `missing` counts cells that hold nothing.
    """

    def __init__(self, words: Any) -> None:
        self._words = words
        self._codes: dict[str, int] = {}
        self.missing = 0

    def encode(self, array: Any) -> Array:
        """The batch as (n,) int64 codes."""
        array = _spelled(plain(array))
        if not is_text(array):
            array = array.cast(pa.string())
        array = pc.fill_null(array, "")
        encoded = array.dictionary_encode()
        distinct = encoded.dictionary.to_pylist()
        codes = np.array(
            [self._codes.setdefault(text, len(self._codes)) for text in distinct], dtype=np.int64
        )
        self.missing += pc.sum(pc.is_in(array, value_set=self._words)).as_py() or 0
        return np.asarray(codes[np.asarray(encoded.indices)])

    def text(self, code: int) -> str:
        """The label behind a code."""
        return list(self._codes)[code]

    def finish(self, how: str | None) -> tuple[Array, Array | None]:
        """What each code becomes, and the names of the classes; (codes,) numbers and None for plain numbers.

        Text and whole numbers become class ids, 0 to C - 1 in sorted order; fractions stay numbers, float32;
        `how` is "class" or "number" where a person decides. Raises DataError for numbers that are none.
        """
        texts = list(self._codes)
        numbers = [_number(text) for text in texts]
        whole = all(number is not None and number == int(number) for number in numbers)
        if how == "number" or (how is None and not whole and all(number is not None for number in numbers)):
            for text, number in zip(texts, numbers, strict=True):
                if number is None:
                    raise DataError(f"label {text!r} is not a number; use --label-as class")
            kind = np.int64 if whole else np.float32
            return np.array(numbers, dtype=kind), None
        integers = _integers(texts) if whole else None
        names = np.array(texts, dtype=str) if integers is None else np.array(integers, dtype=np.int64)
        classes, ids = np.unique(names, return_inverse=True)
        return ids.astype(np.int64), classes


def _number(text: str) -> float | None:
    try:
        number = float(text)
    except ValueError:
        return None
    return number if np.isfinite(number) and "_" not in text else None


def _integers(texts: list[str]) -> list[int] | None:
    integers = [int(text) if _INTEGER.fullmatch(text) else int(float(text)) for text in texts]
    inside = all(-(2**63) <= integer < 2**63 for integer in integers)
    return integers if inside else None
