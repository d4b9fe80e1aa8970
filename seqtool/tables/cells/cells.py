"""What all columns share: cells that hold nothing, cells that do not fit, and text."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from itertools import product
from typing import Any, Protocol, TypeVar

import pyarrow as pa

from seqtool.arrays.dtypes import Array
from seqtool.tables.cells.spelling import is_uuid, uuid_text

MISSING = ("", "na", "n/a", "null", "none", "nan")  # in any case
INTEGER = re.compile(r"\s*[+-]?\d+\s*")
EXACT = 2.0**53  # past this, a float64 no longer holds every integer

Row = Any
"""A row's number in its table, an int; among the rows of several files a pair, the file's number and the row in it."""


class BadCellError(Exception):
    """A cell that is not what its column needs: its row within the batch, what stands there, and what was expected.

    `expected` is set where the column alone does not tell; `readings` are what may follow the column in an order, so
    that its cells can be read.
    """

    def __init__(self, row: int, cell: str, expected: str = "", readings: Sequence[str] = ()) -> None:
        super().__init__(f"row {row} holds {cell!r}")
        self.row = row
        self.cell = cell
        self.expected = expected
        self.readings = tuple(readings)


class UnseenError(Exception):
    """A batch holds what the final state that it is to be encoded with has not seen: the data changed meanwhile."""


@dataclass(frozen=True)
class BadCell:
    """The first cell of a column that is not what the column needs: its row, and what stands there.

    `odd` of the `sampled` cells about it are not numbers, and `words` are the first of these; `kind` is set where the
    type of the whole column is what is wrong, `reason` where Arrow refused it; `expected` and `readings` as in
    `BadCellError`.
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


def earliest(*found: P | None) -> P | None:
    """The one with the lowest row, the first of those in one row; None where there is none.

    >>> earliest(BadCell(7, "x"), None, BadCell(3, "y")).cell
    'y'
    """
    return min((one for one in found if one is not None), key=lambda one: one.row, default=None)


def in_file(found: Any, file: int) -> Any:
    """The same place, its row counted in a file of several; None stays None.

    >>> in_file(BadCell(3, "y"), 2).row
    (2, 3)
    """
    return None if found is None else replace(found, row=(file, found.row))


def added_counts(one: Mapping[str, int], other: Mapping[str, int]) -> dict[str, int]:
    """The counts of both by text.

    >>> added_counts({"NA": 1}, {"NA": 2, "": 5})
    {'NA': 3, '': 5}
    """
    return {
        text: one.get(text, 0) + other.get(text, 0) for text in [*one, *(t for t in other if t not in one)]
    }


def row_of(rows: int | Array, place: int) -> int:
    """The row in the table of a place in a batch, which begins at a row, or whose rows are listed.

    >>> row_of(5, 2), row_of(pa.array([5, 9, 11]).to_numpy(), 2)
    (7, 11)
    """
    return rows + place if isinstance(rows, int) else int(rows[place])


def missing_words(more: Iterable[str] = ()) -> Any:
    """The set of spellings of a missing value: the usual words in any case, and `more` as they are.

    >>> len(missing_words(["?"])) - len(missing_words())
    1
    """
    cases = {
        "".join(letters) for word in MISSING for letters in product(*zip(word, word.upper(), strict=True))
    }
    return pa.array(sorted(cases | set(more)), pa.string())


def reads_as_missing(cell: str) -> bool:
    """Whether a cell of text is one of the usual words for a missing value, or holds nothing.

    >>> reads_as_missing(" NA "), reads_as_missing("Nantes")
    (True, False)
    """
    # Nearly all cells are cleared by their first letter.
    return cell[:1] in _BEGIN and len(cell) <= _LONGEST and cell.strip().lower() in MISSING


_BEGIN = frozenset(["", "n", "N", *map(chr, filter(lambda code: chr(code).isspace(), range(0x3001)))])
_LONGEST = 40  # letters, blanks included: what is longer is not looked at


@lru_cache(maxsize=32)
def word_set(words: tuple[str, ...]) -> Any:
    """Spellings of a missing value as Arrow looks them up; what is pickled holds the words alone."""
    return pa.array(words, pa.string())


def whole_number(text: str) -> int | None:
    """The integer that a text spells, None for any other text.

    One of more digits than any dtype holds becomes one that no dtype holds either: Python refuses to read thousands
    of digits, which takes long.

    >>> whole_number(" -12"), whole_number("1.0"), whole_number("9" * 5000) == 10**400
    (-12, None, True)
    """
    if not INTEGER.fullmatch(text):
        return None
    number = text.strip()
    digits = number.lstrip("+-").lstrip("0")
    sign = -1 if number.startswith("-") else 1
    return sign * (int(digits or "0") if len(digits) <= _MOST_DIGITS else 10**_MOST_DIGITS)


_MOST_DIGITS = 400  # float64 ends before 10^309


def is_text(array: Any) -> bool:
    """Whether a column holds text."""
    return bool(pa.types.is_string(array.type) or pa.types.is_large_string(array.type))


def plain(array: Any) -> Any:
    """An Arrow array without dictionary or view encoding; UUIDs, of 16 bytes each, as their text."""
    if pa.types.is_dictionary(array.type):
        if pa.types.is_string_view(array.type.value_type):  # which cannot be taken from, in Arrow
            array = pa.DictionaryArray.from_arrays(array.indices, array.dictionary.cast(pa.string()))
        array = array.dictionary_decode()
    if is_uuid(array.type):
        return uuid_text(array)
    if pa.types.is_string_view(array.type) or pa.types.is_large_string(array.type):
        array = array.cast(pa.string())
    return array
