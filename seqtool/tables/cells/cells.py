"""What all kinds of columns share: missing cells, cells that do not fit, and text."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from functools import cache, lru_cache
from itertools import product
from typing import Any, Protocol, TypeVar

import pyarrow as pa

from seqtool.arrays.dtypes import Array
from seqtool.dataclass import dataclass
from seqtool.tables.cells.spelling import is_uuid, uuid_text

MISSING = ("", "na", "n/a", "null", "none", "nan")  # in any case
INTEGER = re.compile(r"\s*[+-]?\d+\s*")

Row = Any
"""The number of a row in its table, an int; or among several files a pair, the number of the file and the row in it."""


class BadCellError(Exception):
    """A cell that does not fit its column: its row within the batch, and its text.

    `expected` says what was expected, where the role of the column does not; `readings` are what may follow the name of
    the column in `--order-by`, such as `:text`, so that its cells can be read.
    """

    def __init__(self, row: int, cell: str, expected: str = "", readings: Sequence[str] = ()) -> None:
        super().__init__(f"row {row} holds {cell!r}")
        self.row = row
        self.cell = cell
        self.expected = expected
        self.readings = tuple(readings)


class UnseenError(Exception):
    """A batch does not fit the final state that it is encoded with: the data changed between two passes."""


@dataclass(frozen=True)
class BadCell:
    """The first cell that does not fit its column: its row in the table, and its text.

    Of `sampled` cells of the column, `odd` are not numbers, and `words` are the first of these. `kind` is the type of a
    column that does not fit as a whole, `reason` what Arrow says of one that it cannot read; `expected` and `readings`
    are those of `BadCellError`.
    """

    row: Row
    cell: str
    odd: int = 0
    sampled: int = 0
    kind: str = ""
    reason: str = ""
    words: tuple[str, ...] = ()
    expected: str = ""
    readings: tuple[str, ...] = ()


class _Placed(Protocol):
    @property
    def row(self) -> Row: ...


P = TypeVar("P", bound=_Placed)


def earliest(*items: P | None) -> P | None:
    """The item with the lowest row, the first of several in the same row; None where all are None.

    >>> earliest(BadCell(7, "x"), None, BadCell(3, "y")).cell
    'y'
    """
    return min((item for item in items if item is not None), key=lambda item: item.row, default=None)


def in_file(item: Any, file: int) -> Any:
    """The same item, its row as one of the file with this number; None stays None.

    >>> in_file(BadCell(3, "y"), 2).row
    (2, 3)
    """
    return None if item is None else replace(item, row=(file, item.row))


def added_counts(first: Mapping[str, int], second: Mapping[str, int]) -> dict[str, int]:
    """The sum of two counts of texts, in the order of their first appearance.

    >>> added_counts({"NA": 1}, {"NA": 2, "": 5})
    {'NA': 3, '': 5}
    """
    return {text: first.get(text, 0) + second.get(text, 0) for text in {**first, **second}}


def unlike_before(kind: str | None) -> str:
    """What was expected of a cell that is of another kind than those before it."""
    return f"the cells before it are {kind}, and so should it be"


def row_of(rows: int | Array, place: int) -> int:
    """The row in the table of a place in a batch; `rows` is the first row of the batch, or the row of each cell.

    >>> row_of(5, 2), row_of(pa.array([5, 9, 11]).to_numpy(), 2)
    (7, 11)
    """
    return rows + place if isinstance(rows, int) else int(rows[place])


def missing_words(more: Iterable[str] = ()) -> Any:
    """The spellings of a missing value as an Arrow array: the usual words in any case, and `more` as they are.

    >>> len(missing_words(["?"])) - len(missing_words())
    1
    """
    return pa.array(sorted(_in_any_case().union(more)), pa.string())


@cache
def _in_any_case() -> frozenset[str]:
    """Each usual word for a missing value in each of its spellings."""
    return frozenset(
        "".join(letters) for word in MISSING for letters in product(*zip(word, word.upper(), strict=True))
    )


def reads_as_missing(cell: str) -> bool:
    """Whether a cell of text is empty, or one of the usual words for a missing value.

    >>> reads_as_missing(" NA "), reads_as_missing("Nantes")
    (True, False)
    """
    # Nearly all cells are ruled out by their first letter.
    return cell[:1] in _FIRST_LETTERS and len(cell) <= _LONGEST and cell.strip().lower() in MISSING


_FIRST_LETTERS = frozenset(["", "n", "N", *map(chr, filter(lambda code: chr(code).isspace(), range(0x3001)))])
_LONGEST = 40  # letters of such a cell, blanks included


@lru_cache(maxsize=32)
def word_set(words: tuple[str, ...]) -> Any:
    """Spellings of a missing value as an Arrow array, cached here so that states and options pickle as plain text."""
    return pa.array(words, pa.string())


def whole_number(text: str) -> int | None:
    """The integer that a text spells; None for any other text.

    One with more digits than any dtype holds becomes 10**400 with its sign, which no dtype holds either: Python refuses
    to parse thousands of digits.

    >>> whole_number(" -12"), whole_number("1.0"), whole_number("9" * 5000) == 10**400
    (-12, None, True)
    """
    if not INTEGER.fullmatch(text):
        return None
    number = text.strip()
    digits = number.lstrip("+-").lstrip("0")
    sign = -1 if number.startswith("-") else 1
    return sign * (int(digits or "0") if len(digits) <= _MOST_DIGITS else 10**_MOST_DIGITS)


_MOST_DIGITS = 400  # the largest float64 has 309


def is_text(array: Any) -> bool:
    """Whether an Arrow array holds text."""
    return bool(pa.types.is_string(array.type) or pa.types.is_large_string(array.type))


def plain(array: Any) -> Any:
    """An Arrow array without dictionary or view encoding; UUIDs become text."""
    if pa.types.is_dictionary(array.type):
        if pa.types.is_string_view(array.type.value_type):  # Arrow cannot decode these
            array = pa.DictionaryArray.from_arrays(array.indices, array.dictionary.cast(pa.string()))
        array = array.dictionary_decode()
    if is_uuid(array.type):
        return uuid_text(array)
    if pa.types.is_string_view(array.type) or pa.types.is_large_string(array.type):
        array = array.cast(pa.string())
    return array
