"""Times of any type, and in text as ISO has them: as ticks since 1970, and as numbers of seconds or days."""

from __future__ import annotations

from typing import Any, Literal

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from seqtool.arrays.dtypes import Array
from seqtool.tables.cells.cells import BadCellError, is_text, word_set
from seqtool.tables.cells.number_state import is_float

TimeUnit = Literal["seconds", "days"]
TIMES = {"times": None, "times with a zone": "UTC"}
"""The kinds of ISO dates and times, and the zone that each is read in."""
MEASURED_FROM = {
    **dict.fromkeys(TIMES, " since 1970-01-01 UTC"),
    "times of day": " since midnight",
    "durations": "",
}
"""What numbers of times of each kind are measured from."""
_MICROSECONDS = {"seconds": 10**6, "days": 86_400 * 10**6}
_EXACT = 2**53


def typed_kind(kind: Any) -> str:
    """What cells of an Arrow type are; what is neither number nor time is left to the reader of numbers to refuse.

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
    """What cells of text are, all alike: numbers, times, times with a zone, or None."""
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
    """Times of any unit, in one unit, so that files of several units sort together: two (n,) arrays of int64.

    They are microseconds, and the nanoseconds beyond; what is null gives 0.
    """
    kind = array.type
    unit = "ns" if getattr(kind, "unit", "") == "ns" else "us"
    if pa.types.is_time(kind):
        return micro_and_beyond(array.cast(pa.time64("ns")).cast(pa.int64()), 1000)
    fine = pa.duration(unit) if pa.types.is_duration(kind) else pa.timestamp(unit, getattr(kind, "tz", None))
    return micro_and_beyond(array.cast(fine).cast(pa.int64()), 1000 if unit == "ns" else 1)


def text_ticks(cells: Any, kind: str) -> list[Array] | None:
    """ISO dates and times as `typed_ticks` has them, or None where a cell is none."""
    for unit, factor in (("us", 1), ("ns", 1000)):  # nanoseconds end in the year 2262
        try:
            ticks = pc.cast(cells, pa.timestamp(unit, TIMES[kind])).cast(pa.int64())
        except pa.ArrowInvalid:
            continue
        return micro_and_beyond(ticks, factor)
    plain = _zones_as_iso(cells)
    if TIMES[kind] and not plain.equals(cells):
        return text_ticks(plain, kind)
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
    """The same text with zones as ISO has them: `UTC` as Z, and no blank before +01:00."""
    utc = pc.replace_substring_regex(cells, r" ?(UTC|GMT)$", "Z")
    return pc.replace_substring_regex(utc, r" ([+-]\d\d(:?\d\d)?)$", r"\1")


def micro_and_beyond(ticks: Any, factor: int) -> list[Array]:
    """Ticks, of which a microsecond has so many, as whole microseconds and the nanoseconds beyond."""
    whole = np.asarray(pc.fill_null(ticks, 0))  # missing ones are refused in the end
    return [whole // factor, whole % factor]


def missing_texts(array: Any, words: tuple[str, ...]) -> Array:
    """Which cells of text hold nothing, or a word for it, (n,) bool."""
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
    """A column of times as Arrow numbers, int64 if all are whole, else float64; any other column as it is.

    Also of what kind the column is, None where nothing tells, and the first cell that is not missing. Of the column so
    far it is `known`; raises BadCellError for a cell of another kind.

    >>> as_numbers(pa.array(["1970-01-02", "NA"]), "seconds", ("NA",), None)[0].to_pylist()
    [86400, None]
    """
    text = is_text(array)
    missing = missing_texts(array, words) if text else np.asarray(array.is_null())
    if missing.all():  # of these nobody can say what they are
        return (array if text else pa.nulls(len(array), pa.float64())), None, 0
    place = int(np.argmin(missing))
    kind = (known or text_kind(array.slice(place, 1))) if text else typed_kind(array.type)
    if known not in (None, kind):
        raise BadCellError(place, str(array[place]), _like(known or ""))
    if kind not in MEASURED_FROM:
        return array, kind, place
    micro, beyond = _text_ticks(array, missing, str(kind)) if text else typed_ticks(array)
    return pa.array(_in_unit(micro, beyond, _MICROSECONDS[unit]), mask=missing), kind, place


def _text_ticks(array: Any, missing: Array, kind: str) -> list[Array]:
    found = text_ticks(pc.if_else(pa.array(missing), None, array), kind) if kind in TIMES else None
    if found is not None:
        return found
    places = np.flatnonzero(~missing).tolist()
    bad = next(row for row in places if kind not in TIMES or text_ticks(array.slice(row, 1), kind) is None)
    raise BadCellError(bad, array[bad].as_py(), _like(kind))


def _like(kind: str) -> str:
    return f"the cells before it are {kind}, and another was expected"


def _in_unit(micro: Array, beyond: Array, unit: int) -> Array:
    """Ticks as whole units, or as float64 next to the time."""
    if not beyond.any() and not (micro % unit).any():
        return micro // unit
    apart = micro // unit + (micro % unit + beyond / 1000) / unit
    return np.where(np.abs(micro) < _EXACT, (micro + beyond / 1000) / unit, apart)
