"""How ISO times are written, so that rows can come back as they were: 2026-01-31, or with a blank before the hours."""

from __future__ import annotations

from typing import Any

import numpy as np

from seqtool.arrays.dtypes import Array

DAYS = "YYYY-MM-DD"
PLAIN = "YYYY-MM-DDThh:mm:ss"
"""The writing of times of which nothing is known."""


def writing_of(cells: Any) -> str:
    """The writing that all cells of Arrow text share, which are ISO dates or times without a zone; "" for none.

    >>> import pyarrow as pa
    >>> writing_of(pa.array(["2026-01-31 12:00", "2026-02-01 00:30"])), writing_of(pa.array(["2026-01-31T12:00Z"]))
    ('YYYY-MM-DD hh:mm', '')
    """
    import pyarrow.compute as pc

    first = cells[0].as_py()
    ends = pc.min_max(pc.binary_length(cells)).as_py()
    if ends["min"] != ends["max"]:
        return ""
    size, digits = len(first), len(first) - len(PLAIN) - 1
    if size == len(DAYS):
        return DAYS
    has_fraction = digits > 0 and first[len(PLAIN)] == "."
    if size not in (16, len(PLAIN)) and not has_fraction:
        return ""
    mark = first[len(DAYS)]
    if pc.any(pc.match_substring(cells, "T" if mark == " " else " ")).as_py():
        return ""
    fraction = "." + "f" * digits if has_fraction else ""
    return str(DAYS + mark + PLAIN[len(DAYS) + 1 : min(size, len(PLAIN))]) + fraction


def written(second: str, fraction: str, writing: str) -> str:
    """A time (a second in plain ISO, and the digits of its fraction) as a writing has it, if that holds all of it.

    >>> written("2026-01-31T12:00:05", "500000", "YYYY-MM-DD hh:mm:ss.ff"), written("2026-01-31T12:00:05", "", DAYS)
    ('2026-01-31 12:00:05.50', '2026-01-31T12:00:05')
    """
    whole, _, digits = writing.partition(".")
    size = len(whole)
    lost = fraction[len(digits) :].strip("0") or second[size:].strip("T0:")
    if lost or len(second) != len(PLAIN):
        return f"{second}.{fraction}" if fraction else second
    text = second[:size].replace("T", whole[len(DAYS) : len(DAYS) + 1])
    return f"{text}.{fraction[: len(digits)]:0<{len(digits)}}" if digits else text


def all_plain(seconds: Array, writing: str) -> list[str] | None:
    """All times (n,) in seconds since 1970 as a writing without a fraction has them; None where it does not hold all.

    >>> all_plain(np.array([0, 86400]), DAYS), all_plain(np.array([60]), DAYS)
    (['1970-01-01', '1970-01-02'], None)
    """
    unit = {len(DAYS): "D", len("YYYY-MM-DDThh:mm"): "m", len(PLAIN): "s"}.get(len(writing))
    times = seconds.astype("datetime64[s]")
    if unit is None or (times.astype(f"datetime64[{unit}]") != times).any():
        return None
    texts: list[str] = np.datetime_as_string(times.astype(f"datetime64[{unit}]")).tolist()
    if {*map(len, texts)} != {len(writing)}:  # of other years than four digits hold
        return None
    return [text.replace("T", " ") for text in texts] if writing[len(DAYS) :][:1] == " " else texts
