"""Columns that put steps in order: numbers, ISO dates and times, text if asked."""

from __future__ import annotations

import contextlib
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from seqtool.arrays.dtypes import Array
from seqtool.tables.cells.cells import BadCellError, is_text, plain
from seqtool.tables.cells.numbers import Loss, Numbers

_TIMES = {"times": None, "times with a zone": "UTC"}
_IN_TWO_PARTS = (*_TIMES, "times of day", "durations")


class Order:
    """A column that puts the steps of a sequence in order: numbers, ISO dates and times, or text if asked.

    `kind` is what its first cell was found to be, and all others must be; `missing` counts cells that hold
    nothing.
    """

    def __init__(self, words: Any, *, as_text: bool) -> None:
        self._numbers = Numbers(np.dtype(np.float64), words, text=True)
        self._words = words
        self._not_numbers = 0  # missing cells that no number stands for
        self.kind: str | None = "text" if as_text else None

    @property
    def missing(self) -> int:
        """The cells so far that hold nothing."""
        return self._not_numbers + self._numbers.missing

    @property
    def parts(self) -> int:
        """The columns that the engine sorts by: times take two, microseconds and the nanoseconds beyond."""
        return 2 if self.kind in _IN_TWO_PARTS else 1

    @property
    def loss(self) -> Loss | None:
        """The first number that cannot be told from its neighbours."""
        return self._numbers.loss(np.dtype(np.int64))

    def encode(self, array: Any, first_row: int | Array) -> list[Any]:
        """The batch as `parts` columns, of NumPy numbers or Arrow text; BadCellError for a cell unlike the first."""
        array = plain(array)
        if self.kind == "text":
            text = pc.fill_null(array.cast(pa.string()), "")
            self._not_numbers += pc.sum(pc.equal(text, "")).as_py() or 0
            return [text]
        if pa.types.is_temporal(array.type):
            return self._typed_times(array)
        if not is_text(array):
            if array.null_count == len(array):  # of these nobody can say what they are
                self._not_numbers += len(array)
                return [np.zeros(len(array), np.int64)] * self.parts
            self._agree("numbers", array)
            return self._as_numbers(array, first_row)
        array = pc.fill_null(array, "")
        missing = pc.or_(
            pc.is_in(array, value_set=self._words),
            pc.is_in(pc.utf8_trim_whitespace(array), value_set=self._words),
        )
        present = array.filter(pc.invert(missing))
        if not len(present):
            self._not_numbers += len(array)
            return [np.zeros(len(array), np.int64)] * self.parts
        if self.kind is None:
            self.kind = _order_kind(present.slice(0, 1))
        if self.kind in _TIMES and _as_times(present, self.kind) is not None:
            self._not_numbers += len(array) - len(present)
            return _as_times(pc.if_else(missing, None, array), self.kind) or []
        if self.kind == "numbers":
            with contextlib.suppress(BadCellError):
                return self._as_numbers(array, first_row)
        for row, cell in enumerate(array):
            if not missing[row].as_py() and (
                self.kind is None or _order_kind(pa.array([cell.as_py()], pa.string())) != self.kind
            ):
                raise BadCellError(row, cell.as_py())
        raise AssertionError("a column that cannot be sorted has a cell that says why")

    def _agree(self, kind: str, array: Any) -> None:
        if self.kind not in (None, kind):
            raise BadCellError(0, str(array[0]))
        self.kind = kind

    def _typed_times(self, array: Any) -> list[Any]:
        """Times of any unit, in one unit, so that files of several units sort together."""
        kind = array.type
        if pa.types.is_timestamp(kind) or pa.types.is_date(kind):
            self._agree("times with a zone" if getattr(kind, "tz", None) else "times", array)
            fine = pa.timestamp(
                "ns" if getattr(kind, "unit", "") == "ns" else "us", getattr(kind, "tz", None)
            )
        else:
            self._agree("times of day" if pa.types.is_time(kind) else "durations", array)
            fine = pa.time64("ns") if pa.types.is_time(kind) else pa.duration(kind.unit)
        self._not_numbers += array.null_count
        ticks = array.cast(fine).cast(pa.int64())
        return _micro_and_beyond(ticks, 1000 if str(fine).startswith("timestamp[ns") else 1)

    def _as_numbers(self, array: Any, first_row: int | Array) -> list[Any]:
        return [self._numbers.encode(array, first_row)]


def _order_kind(cells: Any) -> str | None:
    """What cells of text are, all alike: numbers, times, times with a zone, or None."""
    if Numbers.is_number(cells[0].as_py()):
        return "numbers"
    return next((kind for kind in _TIMES if _as_times(cells, kind) is not None), None)


def _as_times(cells: Any, kind: str) -> list[Any] | None:
    """ISO dates and times as microseconds since 1970 and nanoseconds beyond, or None where a cell is none."""
    for unit, factor in (("us", 1), ("ns", 1000)):  # nanoseconds end in the year 2262
        try:
            ticks = pc.cast(cells, pa.timestamp(unit, _TIMES[kind])).cast(pa.int64())
        except pa.ArrowInvalid:
            continue
        return _micro_and_beyond(ticks, factor)
    if len(cells) == 1:
        return None
    # One cell may need nanoseconds and another a later year.
    halves = [
        _as_times(half, kind) for half in (cells.slice(0, len(cells) // 2), cells.slice(len(cells) // 2))
    ]
    if halves[0] is None or halves[1] is None:
        return None
    return [np.concatenate(parts) for parts in zip(*halves, strict=True)]


def _micro_and_beyond(ticks: Any, factor: int) -> list[Array]:
    whole = np.asarray(pc.fill_null(ticks, 0))  # missing ones are refused in the end
    return [whole // factor, whole % factor]
