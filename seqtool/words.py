"""Words that errors and reports share: counts with their nouns, lists of names, sizes, percentages."""

from __future__ import annotations

import re
import reprlib
from collections.abc import Iterable, Sequence


def count(number: int, noun: str) -> str:
    """A number with its noun, thousands separated.

    >>> count(1, "row"), count(5000, "row")
    ('1 row', '5,000 rows')
    """
    return f"{number:,} {noun}{'' if number == 1 else 's'}"


def step_in_words(shape: Sequence[int]) -> str:
    """What a step of this shape is called.

    >>> step_in_words(()), step_in_words((2,)), step_in_words((32, 32, 3))
    ('a single number', '2 features', 'an array of 32 x 32 x 3')
    """
    if len(shape) > 1:
        return f"an array of {by_size(shape)}"
    return count(shape[0], "feature") if shape else "a single number"


def by_size(shape: Sequence[int]) -> str:
    """The sizes of an array, joined by x.

    >>> by_size((3, 1000))
    '3 x 1,000'
    """
    return " x ".join(f"{size:,}" for size in shape)


def listed(names: Sequence[str], most: int = 8, *, paths: bool = False) -> str:
    """Names joined by commas; of many, the first `most - 1` and the last. Never is a single name left out.

    Long names are shortened, except `paths`, which a person copies.

    >>> listed(list("abcde"), most=3), listed(list("abcd"), most=3)
    ('a, b, ... e', 'a, b, c, d')
    """
    shown = list(names) if paths else [*map(shortened, names)]
    if len(names) <= most + 1:
        return ", ".join(shown)
    return f"{', '.join(shown[: most - 1])}, ... {shown[-1]}"


def shortened(text: str, most: int = 60) -> str:
    """Text of at most `most` characters; longer text is cut, and ends in dots.

    >>> shortened("temperature", 8), shortened("short", 8)
    ('tempe...', 'short')
    """
    return text if len(text) <= most else f"{text[: most - 3]}..."


def in_short(value: object) -> str:
    """The repr of a value, shortened; of integers with thousands of digits Python refuses to give one.

    >>> in_short([1, "a"]), in_short(10**5000)
    ("[1, 'a']", 'a number of thousands of digits')
    """
    try:
        return shortened(_SHORT.repr(value))
    except ValueError:
        return "a number of thousands of digits"


_SHORT = reprlib.Repr()
_SHORT.maxstring = _SHORT.maxother = _SHORT.maxlong = 60


STDIN = "standard input"
"""The name of standard input in messages."""


def as_source(name: str) -> str:
    """The name of an input as a command takes it: - for standard input, and no name that reads as an option.

    >>> as_source("a.npz"), as_source("-a.npz"), as_source(STDIN)
    ('a.npz', './-a.npz', '-')
    """
    if name == STDIN:
        return "-"
    return f"./{name}" if name.startswith("-") and name != "-" else name


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
    """Text from data with its line breaks and control characters escaped, which would disturb a terminal.

    >>> len(printable(chr(27)))
    4
    """
    return "".join(char if char.isprintable() else char.encode("unicode_escape").decode() for char in text)


def percent(part: int, whole: int) -> str:
    """A share in percent: only nothing reads as 0%, and only the whole as 100%.

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


def place_in(text: str, size: int) -> int | None:
    """The position, counted from 0, that text states, if it is below `size`; else None.

    Python refuses to read thousands of digits, so the digits are counted first.

    >>> place_in("2", 3), place_in("3", 3), place_in("two", 3)
    (2, None, None)
    """
    short = len(text.lstrip("0")) <= len(str(size))
    place = int(text.lstrip("0") or "0") if text.isdecimal() and short else size
    return place if place < size else None


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


def name_meant(text: str, names: Iterable[str | None]) -> str | None:
    """The name that `text` refers to: an equal one, or else the only one that differs by blanks around it alone.

    >>> name_meant("id", ["id ", " v"]), name_meant("id", ["id ", "id"]), name_meant("id", ["id ", " id"])
    ('id ', 'id', None)
    """
    alike = [name for name in names if name is not None and name.strip() == text.strip()]
    return text if text in alike else alike[0] if len(alike) == 1 else None


def split_names(text: str) -> list[str]:
    """The names of `--columns A,B,C`; a name that holds a comma stands in double quotes.

    >>> split_names('a,"b,c"')
    ['a', 'b,c']
    """
    found = re.finditer(_NAME, text) if text else ()
    return [
        name["quoted"].replace('""', '"') + name["rest"] if name["quoted"] else name["rest"] for name in found
    ]


def expanded(name: str) -> list[str]:
    """The names that a range in braces stands for, in order, as in a shell; any other name as it is.

    >>> expanded("t{8..11}"), expanded("t{08..10}_x"), expanded("{2..1}"), expanded("t")
    (['t8', 't9', 't10', 't11'], ['t08_x', 't09_x', 't10_x'], ['2', '1'], ['t'])
    """
    found = re.search(_RANGE, name)
    if found is None:
        return [name]
    begin, end = int(found[1]), int(found[2])
    padded = any(len(bound) > 1 and bound[0] == "0" for bound in found.groups())
    width = max(map(len, found.groups())) if padded else 0
    stride = 1 if begin <= end else -1
    numbers = (str(number).zfill(width) for number in range(begin, end + stride, stride))
    return [f"{name[: found.start()]}{number}{name[found.end() :]}" for number in numbers]


# Patterns are compiled when they are used: `seqtool --help` uses none.
_RANGE = r"\{(\d{1,9})\.\.(\d{1,9})\}"

# As in a row of CSV, but a line break outside quotes is a letter like others.
_NAME = r'(?:^|,) *(?:"(?P<quoted>(?:[^"]|"")*)(?:"|\Z))?(?P<rest>[^,]*)'
