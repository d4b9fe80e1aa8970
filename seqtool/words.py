"""Words that errors and reports share: counts with their nouns, lists of names, sizes, percentages."""

from __future__ import annotations

import csv
from collections.abc import Sequence


def count(number: int, noun: str) -> str:
    """A number with its noun, thousands separated.

    >>> count(1, "row"), count(5000, "row")
    ('1 row', '5,000 rows')
    """
    return f"{number:,} {noun}{'' if number == 1 else 's'}"


def listed(names: Sequence[str], most: int = 8) -> str:
    """Names with commas; of many, the first and the last.

    >>> listed(list("abcdefghijk"), most=3)
    'a, b, ... k'
    """
    if len(names) <= most:
        return ", ".join(names)
    return f"{', '.join(names[: most - 1])}, ... {names[-1]}"


def human(size: int) -> str:
    """A number of bytes as a person reads it.

    >>> human(999), human(12_300_000)
    ('999 B', '12.3 MB')
    """
    amount = float(size)
    for unit in ("B", "kB", "MB", "GB", "TB"):
        if amount < 999.95 or (unit == "B" and amount < 1000):
            return f"{amount:.0f} {unit}" if unit == "B" else f"{amount:.1f} {unit}"
        amount /= 1000
    return f"{amount:,.1f} PB"


def printable(text: str) -> str:
    """What came from data may hold line breaks and escape codes; a person sees their names instead.

    >>> len(printable(chr(27)))
    4
    """
    return "".join(char if char.isprintable() else char.encode("unicode_escape").decode() for char in text)


def percent(part: int, whole: int) -> str:
    """A share in percent, told apart from nothing and from all.

    >>> percent(0, 9), percent(1, 1_000_000), percent(1, 8)
    ('0%', '<0.1%', '12.5%')
    """
    if not part:
        return "0%"
    if 2000 * part < whole:
        return "<0.1%"
    if part < whole < part + whole / 2000:
        return ">99.9%"
    return f"{100 * part / whole:.1f}%"


def join_names(names: Sequence[str]) -> str:
    """The inverse of `split_names`.

    >>> join_names(["a", "b,c"])
    'a,"b,c"'
    """
    quoted = ('"' + name.replace('"', '""') + '"' for name in names)
    plain = (name == name.strip() and not {*name} & {*',"\n\r'} for name in names)
    return ",".join(
        name if is_plain else quote for name, quote, is_plain in zip(names, quoted, plain, strict=True)
    )


def split_names(text: str) -> list[str]:
    """The names of `--columns A,B,C`; a name that holds a comma stands in double quotes.

    >>> split_names('a,"b,c"')
    ['a', 'b,c']
    """
    return next(csv.reader([text], skipinitialspace=True), [])
