"""The order values that `group --keep-order` stores, as other operations read them: columns with their units.

`order` is (S,), or (S, K) of several columns; the tables `order_columns` and `order_units`, both (K,) text, name the
columns and say what their numbers are.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import timedelta
from fractions import Fraction
from typing import Any, Literal

import numpy as np

from seqtool.advice import Advice
from seqtool.arrays.dtypes import Array
from seqtool.arrays.lazy import AnyArray, Lazy
from seqtool.dataclass import dataclass
from seqtool.errors import DataError, UsageError
from seqtool.sequences.iso_writing import all_plain, written
from seqtool.sequences.ragged import Padded, Ragged, StepArray
from seqtool.words import in_short

SINCE = {
    "times": " since 1970-01-01",
    "times of a format": " since 1970-01-01",
    "times with a zone": " since 1970-01-01 UTC",
    "times of day": " since midnight",
    "durations": "",
}
"""What the unit of each kind of times says behind us or ns: what its numbers are measured from."""
DURATIONS = {
    "ns": 1,
    "us": 10**3,
    "ms": 10**6,
    "s": 10**9,
    "m": 60 * 10**9,
    "h": 3600 * 10**9,
    "d": 86400 * 10**9,
}
"""The nanoseconds of each unit of a duration such as 30m."""
_SIZE = re.compile(
    r"(?P<number>\d{1,400}(?:\.\d{0,400})?|\.\d{1,400})(?P<exponent>[eE][+-]?\d{1,3})?(?P<unit>[a-z]*)"
)
_MOMENT = re.compile(
    r"(?P<time>[+-]?\d{4,}(?:-\d\d(?:-\d\d(?:[T ]\d\d(?::\d\d(?::\d\d(?:\.\d{1,9})?)?)?)?)?)?)"
    r" ?(?:(?P<utc>Z|UTC|GMT)|(?P<zone>[+-]\d\d(?::?\d\d)?))?"
)
_TIME_OF_DAY = re.compile(r"\d\d:\d\d(?::\d\d(?:\.\d{1,9})?)?")
Tick = Literal["us", "ns"]


@dataclass(frozen=True)
class OrderColumn:
    """One column of order values: its name, its unit, and its values, (S,) int64 or float64.

    `unit` is empty for numbers; of times it is us or ns, with what they are since: "us since 1970-01-01", followed by
    UTC where the times had a zone, "us since midnight", or "us" of durations.
    """

    name: str
    unit: str
    values: AnyArray

    @property
    def tick(self) -> Tick | None:
        """The unit of the numbers alone, us or ns; None where they are no times."""
        return None if not self.unit else "ns" if self.unit.startswith("ns") else "us"

    def moment(self, option: str, text: str) -> int | float:
        """The first value that is not before a moment: a number, or of times an ISO date or time.

        A time without a zone is UTC, as are those in the column. Raises UsageError for anything else.

        >>> OrderColumn("t", "us since 1970-01-01", np.arange(3)).moment("--at", "1970-01-01T00:00:01")
        1000000
        """
        if self.tick is None:
            return _number(option, text)
        nanoseconds = self._nanoseconds(text.strip())
        if nanoseconds is None:
            such = (
                "30m"
                if self.unit == self.tick
                else "12:30"
                if "midnight" in self.unit
                else "2026-01-31T12:00"
            )
            raise UsageError(
                f"{option} is {in_short(text)}; order column {self.name!r} holds times: one such as {such} was expected"
            )
        return -(-nanoseconds // _NANOSECONDS[self.tick])

    def _nanoseconds(self, text: str) -> int | None:
        if self.unit == self.tick:  # durations
            size = size_in(text)
            return int(size[0]) if size is not None and size[1] else None
        if "midnight" in self.unit:
            return _since_epoch(f"1970-01-01T{text}") if _TIME_OF_DAY.fullmatch(text) else None
        return _since_epoch(text)

    def distance(self, option: str, size: Any) -> Fraction:
        """The distance of two values that a call names: a number, or of times such as 48h, or a timedelta.

        Raises UsageError for anything else.

        >>> OrderColumn("t", "us since 1970-01-01", np.arange(3)).distance("--within", "2s")
        Fraction(2000000, 1)
        """
        found = size_in(size)
        if found is not None and found[1] == (self.tick is not None):
            return found[0] if self.tick is None else found[0] / _NANOSECONDS[self.tick]
        expected = "numbers: a number" if self.tick is None else "times: a duration such as 48h"
        raise UsageError(
            f"{option} is {in_short(size)}; order column {self.name!r} holds {expected} was expected"
        )

    def texts(self, values: Array, writing: str = "") -> list[str]:
        """Values as a table has them: numbers, ISO times (in a `writing` that holds them), times of day, seconds.

        >>> OrderColumn("t", "us since 1970-01-01 UTC", np.arange(3)).texts(np.array([1_500_000]))
        ['1970-01-01T00:00:01.500000Z']
        """
        if self.tick is None:
            return [repr(value) for value in values.tolist()]
        values = values.astype(np.int64)  # floats where another order column has fractions
        is_duration = self.unit == self.tick
        whole, rest = np.divmod(np.abs(values) if is_duration else values, 10**9 // _NANOSECONDS[self.tick])
        digits = 9 if self.tick == "ns" else 6
        fractions = [f".{part:0{digits}}" if part else "" for part in rest.tolist()]
        if is_duration:
            signs = ["-" if value < 0 else "" for value in values.tolist()]
            parts = zip(signs, whole.tolist(), fractions, strict=True)
            return [f"{sign}{second}{fraction}" for sign, second, fraction in parts]
        if writing:
            plain = all_plain(whole, writing) if not rest.any() else None
            if plain is not None:
                return plain
        seconds = np.datetime_as_string(whole.astype("datetime64[s]")).tolist()
        if writing:
            parts_of = zip(seconds, rest.tolist(), strict=True)
            return [
                written(second, f"{part:0{digits}}" if part else "", writing) for second, part in parts_of
            ]
        skipped = len("1970-01-01T") if "midnight" in self.unit else 0
        zone = "Z" if self.unit.endswith("UTC") else ""
        return [
            f"{second[skipped:]}{fraction}{zone}" for second, fraction in zip(seconds, fractions, strict=True)
        ]


_NANOSECONDS = {"us": 1000, "ns": 1}


def order_columns(ragged: Ragged, option: str) -> list[OrderColumn]:
    """The columns of order values; raises DataError where there are none, for the `option` that wants them."""
    order = ragged.per_step.get("order")
    if order is None:
        raise DataError(
            f"{option} reads order values, and none are stored; group again with ", Advice("--keep-order")
        )
    width = order.data.shape[1] if order.data.ndim > 1 else 1
    names = np.asarray(ragged.names.get("order_columns", [f"order {i}" for i in range(width)])).tolist()
    units = np.asarray(ragged.names.get("order_units", [""] * width)).tolist()
    columns = [order.data] if order.data.ndim == 1 else [_column(order.data, i) for i in range(width)]
    return [OrderColumn(*parts) for parts in zip(names, units, columns, strict=True)]


def order_titles(data: Ragged | Padded) -> list[str]:
    """What is shown of order values: the name of each column, and its unit.

    >>> order, tables = stored([OrderColumn("t", "us since midnight", np.arange(2))])
    >>> order_titles(Ragged(np.ones((2, 1)), np.array([0, 2]), per_step={"order": order}, names=tables))
    ['t in us since midnight']
    """
    if "order" not in data.per_step or "order_units" not in data.names:
        return []
    tables = [np.asarray(data.names[name]).tolist() for name in ("order_columns", "order_units")]
    return [f"{name} in {unit}" if unit else name for name, unit in zip(*tables, strict=True)]


def first_order(ragged: Ragged, option: str) -> OrderColumn:
    """The first of the order columns, by which steps are sorted before all others; errors as in `order_columns`."""
    return order_columns(ragged, option)[0]


def stored(columns: Sequence[OrderColumn]) -> tuple[StepArray, dict[str, Array]]:
    """The inverse of `order_columns`: the array `order`, and the tables of names and units.

    It is int64 where all columns are, else float64, which the caller knows to hold all of them.
    """
    whole = all(column.values.dtype.kind == "i" for column in columns)
    dtype, values = np.dtype(np.int64 if whole else np.float64), [column.values for column in columns]

    def read(begin: int, end: int) -> Array:
        cells = [column[begin:end].astype(dtype, copy=False) for column in values]
        return cells[0] if len(cells) == 1 else np.stack(cells, axis=1)

    shape = (len(values[0]),) if len(values) == 1 else (len(values[0]), len(values))
    tables = {
        "order_columns": np.array([column.name for column in columns]),
        "order_units": np.array([column.unit for column in columns]),
    }
    return StepArray(Lazy(shape, dtype, read), 0), tables


def _column(array: AnyArray, i: int) -> Lazy:
    return Lazy(array.shape[:1], array.dtype, lambda begin, end: np.asarray(array[begin:end][:, i]))


def size_in(size: Any) -> tuple[Fraction, bool] | None:
    """A number of 0 or more, or a duration in nanoseconds, and whether it is one; None for anything else.

    >>> size_in("30m") == (30 * 60 * 10**9, True), size_in(0.1), size_in("5 apples")
    (True, (Fraction(1, 10), False), None)
    """
    written = _SIZE.fullmatch(size_text(size))
    unit = written["unit"] if written else ""
    if written is None or (unit and unit not in DURATIONS):
        return None
    return Fraction(written["number"] + (written["exponent"] or "")) * DURATIONS.get(unit, 1), bool(unit)


def size_text(size: Any) -> str:
    """A number or a duration as a call writes it.

    >>> size_text(timedelta(seconds=2)), size_text(0.5)
    ('2000000000ns', '0.5')
    """
    if isinstance(size, np.timedelta64):
        return f"{size.astype('timedelta64[ns]').astype(np.int64)}ns"
    if isinstance(size, timedelta):
        return f"{size // timedelta(microseconds=1) * 1000 + getattr(size, 'nanoseconds', 0)}ns"
    return str(size).strip()


def _number(option: str, text: str) -> int | float:
    try:
        return int(text)
    except ValueError:
        pass
    try:
        number = float(text)
    except ValueError:
        number = np.nan
    if not np.isfinite(number):
        raise UsageError(f"{option} is {in_short(text)}; a number was expected, as in the order column")
    return number


def _since_epoch(text: str) -> int | None:
    """The nanoseconds of an ISO date or time since 1970, those without a zone as UTC; None for other text."""
    written = _MOMENT.fullmatch(text)
    if written is None:
        return None
    try:
        moment = np.datetime64(written["time"].replace(" ", "T"))
    except ValueError:  # such as a 13th month
        return None
    seconds = moment.astype("datetime64[s]")
    fraction = written["time"].partition(".")[2]
    nanoseconds = int(seconds.astype(np.int64)) * 10**9 + int(fraction.ljust(9, "0") if fraction else 0)
    return nanoseconds - _offset(written["zone"] or "+00") * 10**9


def _offset(zone: str) -> int:
    """The seconds of a zone such as +01:00."""
    digits = zone[1:].replace(":", "").ljust(4, "0")
    return (3600 * int(digits[:2]) + 60 * int(digits[2:])) * (-1 if zone[0] == "-" else 1)
