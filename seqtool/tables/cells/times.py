"""Dates and times in other formats than ISO: read by a strptime format, or recognised for the advice of an error."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from datetime import datetime
from itertools import pairwise
from typing import Any

import numpy as np
import pyarrow.compute as pc

from seqtool.arrays.dtypes import Array
from seqtool.dataclass import dataclass
from seqtool.errors import UsageError
from seqtool.system.hiding import need_pandas
from seqtool.tables.cells.cells import BadCellError

_DATES = (
    *("%Y-%m-%d", "%Y/%m/%d", "%Y.%m.%d", "%d.%m.%Y", "%m/%d/%Y", "%d/%m/%Y", "%d-%m-%Y", "%m-%d-%Y"),
    *("%d.%m.%y", "%m/%d/%y", "%d/%m/%y", "%d-%m-%y", "%m-%d-%y", "%m/%Y"),
    *("%Y-%m", "%Y/%m", "%Y.%m", "%Y %b", "%Y-%b", "%Y %b %d", "%Y-%b-%d", "%Y %B", "%Y %B %d"),
    *(
        "%b %d %Y",
        "%b %d, %Y",
        "%d %b %Y",
        "%d-%b-%Y",
        "%d-%b-%y",
        "%d/%b/%Y",
        "%d. %b %Y",
        "%b %Y",
        "%b-%y",
        "%b",
    ),
    *("%B %d %Y", "%B %d, %Y", "%d %B %Y", "%d-%B-%Y", "%d. %B %Y", "%B %Y", "%B"),
    *("%a, %d %b %Y", "%a %b %d %Y", "%A, %B %d, %Y", "%A, %d %B %Y"),
)
_CLOCK = re.compile(
    r"(?P<seconds>\d\d?:\d\d(:\d\d)?)(?P<part>\.\d{1,6})?(?P<half> ?[ap]m)?(?P<zone> ?[+-]\d\d:?\d\d)?$", re.I
)
_SAMPLE = 200  # distinct cells that show how a column is written
_PLAIN_DAY = re.compile(r"(19|20)\d{6}")
_NUMBER = re.compile(r"(\d+)")
_FRACTION = re.compile(r"(?<=:\d\d)\.\d+")  # of a second, which sorts at any width
_ONE_DIGIT = re.compile(r"(?<!\d)\d(?!\d)")


@dataclass(frozen=True)
class Writing:
    """How the cells of a column of text are written, for the error about sorting by them.

    `time_formats` are the formats that all cells share. Of the cell of the error, `dated` tells that it looks like a
    date, `day` that it is a day of the week, `month` that it names a month. `clash` are two cells that would be sorted
    differently as text than by the numbers in them, such as 10 before 9.
    """

    time_formats: tuple[str, ...]
    dated: bool
    day: bool
    month: bool
    clash: tuple[str, str] | None


def writing_of(cells: Any, cell: str) -> Writing:
    """How the cells of a column are written, judged by some of them; `cell` is the one that an error is about.

    >>> import pyarrow as pa
    >>> writing_of(pa.array(["01.02.2020", "31.12.2019"]), "01.02.2020").time_formats
    ('%d.%m.%Y',)
    >>> writing_of(pa.array(["frame2", "frame10"]), "frame2").clash
    ('frame10', 'frame2')
    """
    sample = pc.unique(cells)[:_SAMPLE].to_pylist()
    return Writing(
        time_formats(sample), bool(time_formats([cell])), is_day(cell), _names_month(cell), _clash(sample)
    )


def time_formats(cells: Sequence[str]) -> tuple[str, ...]:
    """The usual formats that all of these cells share, that of ISO dates among them.

    >>> time_formats(["Jan 1 2000 3:04 PM"]), time_formats(["frame 1"])
    (('%b %d %Y %I:%M %p',), ())
    """
    formats = dict.fromkeys(_formats_of(cells[0])) if cells else {}
    return tuple(
        time_format for time_format in formats if all(_is_written(cell, time_format) for cell in cells)
    )


def is_day(cell: str) -> bool:
    """Whether text is a day of the week, which no format can put in order.

    >>> is_day("Mon"), is_day("Monday"), is_day("Monkey")
    (True, True, False)
    """
    return _is_written(cell, "%a") or _is_written(cell, "%A")


def _names_month(cell: str) -> bool:
    return any(
        _is_written(word, "%b") or _is_written(word, "%B") for word in re.findall(r"[^\W\d_]+", cell[:100])
    )


def is_plain_day(cell: str) -> bool:
    """Whether a number may be a date, written as YYYYMMDD.

    >>> is_plain_day("19580329"), is_plain_day("19581329"), is_plain_day("5803")
    (True, False, False)
    """
    return _PLAIN_DAY.fullmatch(cell) is not None and _is_written(cell, "%Y%m%d")


def text_sorts(cell: str, time_format: str) -> bool:
    """Whether text of a format sorts by time: units from large to small, all of them digits padded with zeros.

    >>> text_sorts("2020/01/31", "%Y/%m/%d"), text_sorts("2020/1/31", "%Y/%m/%d"), text_sorts("2020 Jul", "%Y %b")
    (True, False, False)
    """
    in_order = time_format.startswith(("%Y", "%H")) and "%b" not in time_format and "%B" not in time_format
    return in_order and not _ONE_DIGIT.search(_FRACTION.sub("", cell))


def _formats_of(cell: str) -> Iterator[str]:
    """The formats that a cell may be written in: that of its time of day, after each date with the same punctuation."""
    match = _CLOCK.search(cell)
    clock = "" if match is None else _clock_format(match)
    date = cell if match is None else cell[: match.start()]
    gap = date[len(date.rstrip(" T:,")) :]
    if match is not None and not date:
        yield clock
    punctuation = re.sub(r"\w", "", date.removesuffix(gap))
    for date_format in _DATES:
        if re.sub("%.", "", date_format) == punctuation:
            yield f"{date_format}{gap}{clock}"


def _clock_format(clock: re.Match[str]) -> str:
    hour = "%I" if clock["half"] else "%H"
    gap, zone = (" " * (part or "").count(" ") for part in (clock["half"], clock["zone"]))
    seconds = ":%S" if clock["seconds"].count(":") == 2 else ""
    return (
        f"{hour}:%M{seconds}{'.%f' if clock['part'] else ''}"
        f"{f'{gap}%p' if clock['half'] else ''}{f'{zone}%z' if clock['zone'] else ''}"
    )


def _is_written(cell: str, time_format: str) -> bool:
    try:
        datetime.strptime(cell, time_format)
    except ValueError:
        return False
    return True


def _clash(cells: Sequence[str]) -> tuple[str, str] | None:
    """Two cells that are sorted differently as text than with their digits as numbers; None if there are none."""
    ordered = sorted(cell for cell in cells if len(cell) <= 100)
    natural_key = by_numbers(ordered)
    return next((pair for pair in pairwise(ordered) if natural_key(pair[0]) > natural_key(pair[1])), None)


def by_numbers(cells: Sequence[str]) -> Callable[[str], list[Any]]:
    """How to compare cells by the numbers in them; where all name a year it counts first, as in Q4 2019."""
    dated = all(_YEAR.search(cell) for cell in cells)

    def natural_key(cell: str) -> list[Any]:
        year = _YEAR.search(cell) if dated else None
        parts = [int(part) if i % 2 else part for i, part in enumerate(_NUMBER.split(cell))]
        return [int(year[0]) if year else 0, *parts]

    return natural_key


_YEAR = re.compile(r"(?<!\d)(?:19|20)\d\d(?!\d)")


def check_time_format(time_format: str) -> None:
    """Raise UsageError for a text that is no strptime format.

    >>> check_time_format("%d.%q")
    Traceback (most recent call last):
    seqtool.errors.UsageError: --order-by: 'q' is a bad directive in format '%d.%q'
    """
    need_pandas()
    import pandas as pd

    try:
        pd.to_datetime(["x"], format=time_format, errors="coerce", utc=True)
    except ValueError as error:
        raise UsageError(f"--order-by: {' '.join(str(error).split())}") from None


def read_times(cells: Any, time_format: str) -> tuple[Array, int]:
    """Arrow text as (n,) int64 ticks since 1970, 0 for null; and the number of ticks in a microsecond, 1 or 1000.

    pandas reads each distinct text once: unlike Arrow's, its parser refuses the 30th of February. Raises BadCellError
    for a cell that is not written in this format.

    >>> import pyarrow as pa
    >>> read_times(pa.array(["Jan 2 1970", None]), "%b %d %Y")[0].tolist()
    [86400000000, 0]
    """
    need_pandas()
    import pandas as pd

    encoded = cells.dictionary_encode()
    texts = pd.Index(encoded.dictionary.to_pylist(), dtype=object)
    times = pd.DatetimeIndex(
        pd.to_datetime(texts, format=time_format, errors="coerce", utc=True, cache=False)
    )
    codes = np.asarray(pc.fill_null(encoded.indices, -1)).astype(np.int64)
    unread = np.append(np.asarray(times.isna()), False)  # the last one is for null, whose code is -1
    bad = np.flatnonzero(unread[codes])
    if len(bad):
        raise BadCellError(int(bad[0]), cells[int(bad[0])].as_py())
    nano = times.unit == "ns"
    ticks = np.append((times if nano else times.as_unit("us")).asi8, 0)
    return ticks[codes], 1000 if nano else 1
