"""Dates, times and durations, typed or as ISO text: as ticks since 1970, and as numbers of seconds or days."""

from __future__ import annotations

from typing import Any, Literal

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from seqtool.arrays.dtypes import EXACT, Array
from seqtool.tables.cells.cells import BadCellError, is_text, unlike_before, word_set
from seqtool.tables.cells.number_state import is_float

TimeUnit = Literal["seconds", "days"]
TIMES = {"times": None, "times with a zone": "UTC"}
"""The kinds of ISO dates and times, and the time zone in which each is read."""
MEASURED_FROM = {
    **dict.fromkeys(TIMES, " since 1970-01-01 UTC"),
    "times of day": " since midnight",
    "durations": "",
}
"""What the numbers of each kind of times are measured from, as messages have it."""
_MICROSECONDS = {"seconds": 10**6, "days": 86_400 * 10**6}


def typed_kind(kind: Any) -> str:
    """The kind of the cells of an Arrow type; other types count as numbers, whose reader refuses them.

    >>> typed_kind(pa.date32()), typed_kind(pa.duration("s")), typed_kind(pa.int8())
    ('times', 'durations', 'numbers')
    """
    types = pa.types
    if types.is_timestamp(kind) or types.is_date(kind):
        return "times with a zone" if getattr(kind, "tz", None) else "times"
    if types.is_time(kind):
        return "times of day"
    return "durations" if types.is_duration(kind) else "numbers"


def text_kind(cells: Any) -> str | None:
    """The kind of some cells of text, all alike: numbers, times, times with a zone, or None for any other text."""
    cell = cells[0].as_py().strip()
    if is_float(cell) or cell.lower() in ("true", "false"):
        return "numbers"
    return next((kind for kind in TIMES if text_ticks(cells, kind) is not None), None)


def is_time(cell: str) -> bool:
    """Whether text is an ISO date or time.

    >>> is_time("2024-01-31T10:00Z"), is_time("2024")
    (True, False)
    """
    return text_kind(pa.array([cell])) in TIMES


def typed_ticks(array: Any) -> list[Array]:
    """Times as two (n,) arrays of int64: microseconds since 1970, and the nanoseconds beyond; 0 for null.

    The unit is the same for all types, so that files with several units sort together.
    """
    kind = array.type
    unit = "ns" if getattr(kind, "unit", "") == "ns" else "us"
    if pa.types.is_time(kind):
        return micro_and_beyond(array.cast(pa.time64("ns")).cast(pa.int64()), 1000)
    fine = pa.duration(unit) if pa.types.is_duration(kind) else pa.timestamp(unit, getattr(kind, "tz", None))
    return micro_and_beyond(array.cast(fine).cast(pa.int64()), 1000 if unit == "ns" else 1)


def text_ticks(cells: Any, kind: str) -> list[Array] | None:
    """ISO dates and times as two arrays, as those of `typed_ticks`; None where some cell is not of this kind."""
    for unit, factor in (("us", 1), ("ns", 1000)):  # nanoseconds end in the year 2262
        try:
            ticks = pc.cast(cells, pa.timestamp(unit, TIMES[kind])).cast(pa.int64())
        except pa.ArrowInvalid:
            continue
        return micro_and_beyond(ticks, factor)
    with_iso_zones = _zones_as_iso(cells)
    if TIMES[kind] and not with_iso_zones.equals(cells):
        return text_ticks(with_iso_zones, kind)
    if len(cells) == 1:
        return None
    # One cell may need nanoseconds and another a later year.
    halves = [
        text_ticks(half, kind) for half in (cells.slice(0, len(cells) // 2), cells.slice(len(cells) // 2))
    ]
    if halves[0] is None or halves[1] is None:
        return None
    return [np.concatenate(parts) for parts in zip(*halves, strict=True)]


def _zones_as_iso(cells: Any) -> Any:
    """The same text with zones as in ISO 8601: `UTC` as Z, and no blank before +01:00."""
    utc = pc.replace_substring_regex(cells, r" ?(UTC|GMT)$", "Z")
    return pc.replace_substring_regex(utc, r" ([+-]\d\d(:?\d\d)?)$", r"\1")


def micro_and_beyond(ticks: Any, factor: int) -> list[Array]:
    """Ticks as whole microseconds and the nanoseconds beyond; `factor` is the number of ticks in a microsecond."""
    filled = np.asarray(pc.fill_null(ticks, 0))
    return [filled // factor, filled % factor]


def missing_texts(array: Any, words: tuple[str, ...]) -> Array:
    """Which cells of text are missing, (n,) bool: null, or one of the words, with or without blanks around it."""
    array, spellings = pc.fill_null(array.cast(pa.string()), ""), word_set(words)
    return np.asarray(
        pc.or_(
            pc.is_in(array, value_set=spellings),
            pc.is_in(pc.utf8_trim_whitespace(array), value_set=spellings),
        )
    )


def as_numbers(
    array: Any, unit: TimeUnit, words: tuple[str, ...], known: str | None
) -> tuple[Any, str | None, int]:
    """A batch of times as Arrow numbers, int64 if all are whole, else float64; other batches are returned as they are.

    Also returned are the kind of the batch, None if all cells are missing, and the place of the first cell that is not.
    `known` is the kind of the column so far; raises BadCellError for a cell of another kind.

    >>> as_numbers(pa.array(["1970-01-02", "NA"]), "seconds", ("NA",), None)[0].to_pylist()
    [86400, None]
    """
    text = is_text(array)
    missing = missing_texts(array, words) if text else np.asarray(array.is_null())
    if missing.all():  # whose kind stays open
        return (array if text else pa.nulls(len(array), pa.float64())), None, 0
    place = int(np.argmin(missing))
    kind = (known or text_kind(array.slice(place, 1))) if text else typed_kind(array.type)
    if known not in (None, kind):
        raise BadCellError(place, str(array[place]), unlike_before(known))
    if kind not in MEASURED_FROM:
        return array, kind, place
    micro, beyond = _text_ticks(array, missing, str(kind)) if text else typed_ticks(array)
    return pa.array(_in_unit(micro, beyond, _MICROSECONDS[unit]), mask=missing), kind, place


def _text_ticks(array: Any, missing: Array, kind: str) -> list[Array]:
    """As `text_ticks`, with 0 for missing cells; raises BadCellError for the first cell that is of another kind."""
    ticks = text_ticks(pc.if_else(pa.array(missing), None, array), kind) if kind in TIMES else None
    if ticks is not None:
        return ticks
    places = np.flatnonzero(~missing).tolist()
    bad = next(row for row in places if kind not in TIMES or text_ticks(array.slice(row, 1), kind) is None)
    raise BadCellError(bad, array[bad].as_py(), unlike_before(kind))


def _in_unit(micro: Array, beyond: Array, unit: int) -> Array:
    """Times in units of so many microseconds: int64 if all are whole, else the nearest float64."""
    if not beyond.any() and not (micro % unit).any():
        return micro // unit
    # Where a float64 does not hold the microseconds, their whole units are split off first.
    split = micro // unit + (micro % unit + beyond / 1000) / unit
    return np.where(np.abs(micro) < EXACT, (micro + beyond / 1000) / unit, split)
