"""Numbers with a decimal comma or marks between thousands, `2.334,01` or `1,000`, turned into plain ones."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from seqtool.advice import Advice
from seqtool.dataclass import dataclass
from seqtool.errors import DataError, UsageError

if TYPE_CHECKING:
    from seqtool.tables.table import Expected, Table

_EXPONENT = r"([eE][+-]?[0-9]+)?"


@dataclass(frozen=True)
class NumberMarks:
    """The mark before the fraction of a number, and the one between its thousands, None if there is none.

    Raises UsageError for a text that cannot be such a mark.
    """

    decimal: str = "."
    thousands: str | None = None

    def __post_init__(self) -> None:
        for option, mark in (("--decimal", self.decimal), ("--thousands", self.thousands)):
            if mark is not None and (len(mark) != 1 or mark.isalnum() or mark in '+-"\r\n'):
                raise UsageError(f"{option} is {mark!r}; one mark was expected, such as ',' or '.'")
        if self.decimal == self.thousands:
            raise UsageError(f"--decimal and --thousands are both {self.decimal!r}; they tell numbers apart")

    @property
    def between(self) -> str:
        """What separates the numbers of a list: a comma, or a semicolon where the comma is a mark within numbers."""
        return ";" if "," in (self.decimal, self.thousands) else ","

    @property
    def are_plain(self) -> bool:
        """Whether these are the usual marks: a point, and nothing between thousands."""
        return self.decimal == "." and self.thousands is None

    def plain(self, cell: str) -> str:
        """A cell as a plain number if it is a number by these marks, else as it is.

        >>> NumberMarks(",", ".").plain("2.334,01"), NumberMarks(thousands=",").plain("1,00")
        ('2334.01', '1,00')
        """
        import pyarrow as pa

        return str(self.read(pa.array([cell]))[0].as_py())

    def read(self, cells: Any) -> Any:
        """Arrow text, in which cells that are numbers by these marks become plain numbers."""
        import pyarrow.compute as pc

        decimal = re.escape(self.decimal)
        if self.thousands is not None:
            mark = re.escape(self.thousands)
            grouped = rf"^\s*[+-]?[0-9]{{1,3}}({mark}[0-9]{{3}})+({decimal}[0-9]*)?{_EXPONENT}\s*$"
            has_groups = pc.match_substring_regex(cells, grouped)
            cells = pc.if_else(has_groups, pc.replace_substring(cells, self.thousands, ""), cells)
        if self.decimal != ".":
            has_fraction = pc.match_substring_regex(cells, rf"^\s*[+-]?[0-9]*{decimal}[0-9]*{_EXPONENT}\s*$")
            cells = pc.if_else(has_fraction, pc.replace_substring(cells, self.decimal, "."), cells)
        return cells

    def misread(self, cells: Any) -> int:
        """The place of the first cell with a decimal point although another mark is the decimal one; -1 if none."""
        import pyarrow.compute as pc

        if self.decimal == ".":
            return -1
        ungrouped = cells
        if self.thousands == ".":
            grouped = rf"^\s*[+-]?[0-9]{{1,3}}(\.[0-9]{{3}})+{_EXPONENT}\s*$"
            ungrouped = pc.if_else(pc.match_substring_regex(cells, grouped), "", cells)
        with_point = pc.match_substring_regex(ungrouped, rf"^\s*[+-]?[0-9]*\.[0-9]*{_EXPONENT}\s*$")
        return int(pc.index(with_point, True).as_py())


def with_plain_numbers(table: Table, marks: NumberMarks) -> Table:
    """The same table of text, with plain numbers in the columns where numbers are expected.

    Its reader raises DataError for a number with a point where another mark begins fractions.
    """
    import pyarrow as pa

    def read(columns: Sequence[int], expected: Expected) -> Iterator[Any]:
        of_numbers = expected.spelled | expected.numbers
        places = [place for place, column in enumerate(columns) if column in of_numbers]
        first_row = 0
        for batch in table.read(columns, replace(expected, numbers=frozenset())):
            arrays = list(batch.columns)
            for place in places:
                bad = marks.misread(arrays[place])
                if bad >= 0:
                    name, cell = table.label(columns[place]), arrays[place][bad].as_py()
                    raise misread_error(marks, f"{table.place(first_row + bad)}, column {name!r}", cell)
                arrays[place] = marks.read(arrays[place])
            first_row += len(batch)
            yield pa.RecordBatch.from_arrays(arrays, batch.schema.names)

    dialect = {**table.dialect, "decimal": marks.decimal, "thousands": marks.thousands}
    return replace(table, read=read, dialect=dialect)


def misread_error(marks: NumberMarks, where: str, cell: str) -> DataError:
    """The error for a number with a point, where fractions begin with another mark."""
    problem = f"{where}: {cell!r}; a fraction begins with {marks.decimal!r} and not a point"
    if marks.thousands is None:
        return DataError(f"{problem}; if it separates thousands: ", Advice("--thousands", "."))
    return DataError(f"{problem}, and after one that separates thousands three digits were expected")


def marks_of(cells: Sequence[str]) -> list[str]:
    """The options by which all of these cells are numbers; an empty list if there are none.

    >>> marks_of(["1,000", "12,345.5"]), marks_of(["2.334,01"]), marks_of(["0,5"]), marks_of(["x", "0,5"])
    (['--thousands', ','], ['--decimal', ',', '--thousands', '.'], ['--decimal', ','], [])
    """
    for pattern, options in _WRITTEN.items():
        if cells and all(re.fullmatch(pattern, cell.strip()) for cell in cells):
            return options
    return []


_WRITTEN = {
    r"[+-]?(\d{1,3}(,\d{3})+(\.\d*)?)": ["--thousands", ","],
    r"[+-]?\d*,\d*": ["--decimal", ","],
    r"[+-]?(\d{1,3}(\.\d{3})+|\d*)(,\d*)?": ["--decimal", ",", "--thousands", "."],
}
