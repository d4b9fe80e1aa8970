"""Detects the dialect of a CSV: its first row, whether that is a header, and its delimiter."""

from __future__ import annotations

import codecs
import csv
import io
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from itertools import chain
from typing import IO

from seqtool.advice import Advice
from seqtool.dataclass import dataclass
from seqtool.errors import DataError, UsageError
from seqtool.files.inputs import Input
from seqtool.files.kinds import bare_name
from seqtool.files.lines import lines_of
from seqtool.tables.number_marks import NumberMarks
from seqtool.words import human


@dataclass(frozen=True)
class Dialect:
    """How one file is written; `header` tells whether its first row is one."""

    first_row: tuple[str, ...]
    header: bool
    delimiter: str
    encoding: str
    blank_lines: int  # before the first row

    @property
    def skipped(self) -> int:
        """The number of records before the first row of data."""
        return self.blank_lines + int(self.header)


_DELIMITERS = (",", "\t", ";", "|")

ESCAPES = {"\\t": "\t", "tab": "\t"}
"""Other spellings of a delimiter in a call."""


def sniff(
    source: Input,
    *,
    delimiter: str | None,
    header: bool | None,
    encoding: str,
    marks: NumberMarks = NumberMarks(),  # noqa: B008 - it is frozen
) -> Dialect:
    """Find the dialect of a file by its first row.

    A first row without any number is a header; one of numbers alone is data. Raises DataError for a mixed one (if
    `header` is None), for a header with a repeated name, and for bytes that are not text in `encoding`; UsageError for
    an unknown encoding, or a delimiter of several characters.
    """
    if delimiter is not None:
        delimiter = ESCAPES.get(delimiter, delimiter)
        if len(delimiter) != 1 or ord(delimiter) > 127 or delimiter in '"\r\n':
            raise UsageError(
                f"--delimiter is {delimiter!r}; one ASCII character was expected, such as ';'; or ",
                Advice(without=["--delimiter"]),
                ", for the first row shows it",
            )
    try:
        row, delimiter, blank_lines = _first_row(source, delimiter, encoding, marks)
    except UnicodeError:  # in most encodings such bytes become surrogates instead
        raise not_text_in(source, encoding) from None
    for column, cell in enumerate(row):
        check_encoded(source, blank_lines + 1, column, cell, encoding)
    if header is None:
        cells = row if marks.are_plain else [*map(marks.plain, row)]
        header = is_header(f"{source.name}: line {blank_lines + 1}", cells)
    if header:
        check_unique(source.name, row)
    return Dialect(tuple(row), header, delimiter, encoding, blank_lines)


def _first_row(
    source: Input, delimiter: str | None, encoding: str, marks: NumberMarks
) -> tuple[list[str], str, int]:
    """The cells of the first row, the delimiter between them, and the number of blank lines before them.

    The head of the input is enough, unless the first row does not end there, or lines are rewritten.
    """
    with _decoded(io.BytesIO(source.head), encoding) as text:
        try:
            lines = text if source.head_is_all else _whole_lines(text)
            if source.rewriting is None:
                return _split_first_row(source, lines, delimiter, marks)
        except (_HeadTooShortError, UnicodeError):  # the head may end within a character
            if source.head_is_all:
                raise
    with open_text(source, encoding) as text:
        return _split_first_row(source, lines_of(text, source), delimiter, marks)


class _HeadTooShortError(Exception):
    """The first row does not end within the head."""


def _whole_lines(lines: Iterable[str]) -> Iterator[str]:
    """The lines that have a line end; raises _HeadTooShortError after the last of them."""
    for line in lines:
        if line.endswith(("\n", "\r")):
            yield line
    raise _HeadTooShortError


def _split_first_row(
    source: Input, lines: Iterable[str], delimiter: str | None, marks: NumberMarks
) -> tuple[list[str], str, int]:
    lines, first, blank = iter(lines), "", 0
    for line in lines:
        first = first or (line if line.strip("\r\n") else "")
        blank += not first
        if line.strip():
            break
    else:
        raise DataError(f"{source.name}: holds only blank lines; rows were expected")
    # `line` is the first with anything but blanks, for a row of blanks shows no delimiter.
    delimiter = delimiter or _guess_delimiter(source, line, marks)
    _, row = next(csv_rows(source, chain([first], lines), delimiter))
    return [row[0].removeprefix("\ufeff"), *row[1:]], delimiter, blank


def _guess_delimiter(source: Input, line: str, marks: NumberMarks) -> str:
    if bare_name(source.name.lower()).endswith(".tsv"):
        return "\t"
    likely = [mark for mark in _DELIMITERS if mark not in (marks.decimal, marks.thousands)]
    return next((mark for mark in [*likely, *_DELIMITERS] if mark in line), ",")


def is_number(cell: str) -> bool:
    """Whether a cell is spelled as a finite number.

    >>> is_number("-1.5e3"), is_number("1_000"), is_number("nan")
    (True, False, False)
    """
    try:
        return "_" not in cell and abs(float(cell)) < float("inf")
    except ValueError:
        return False


def is_header(where: str, row: Sequence[str]) -> bool:
    """Whether a first row names the columns; raises DataError for a mixed one, which stands at `where`."""
    numbers = [is_number(cell) for cell in row]
    if all(numbers):
        return False
    if not any(numbers):
        return True
    number, other = row[numbers.index(True)], row[numbers.index(False)]
    raise DataError(
        f"{where}: the first row mixes numbers ({number!r}) with other cells ({other!r}); say ",
        Advice("--header"),
        " if it names the columns, ",
        Advice("--no-header"),
        " if it is data",
    )


def check_unique(source: str, row: Sequence[str]) -> None:
    """Raise DataError for a name that is repeated in a header."""
    twice = sorted(name for name, count in Counter(row).items() if name and count > 1)
    if twice:
        names = ", ".join(map(repr, twice))
        raise DataError(f"{source}: the header names {names} more than once; rename one of them")


def check_encoded(source: Input, line: int, column: int, cell: str, encoding: str) -> None:
    """Raise DataError for a cell with bytes that are not text in this encoding."""
    if cell.isascii():
        return
    surrogate = next((char for char in cell if "\udc80" <= char <= "\udcff"), None)
    if surrogate:
        raise DataError(
            f"{source.name}: line {line}, column {column}: byte 0x{ord(surrogate) - 0xDC00:02x} is not text in "
            f"{encoding}; name its encoding, such as ",
            Advice("--encoding", "latin-1"),
        )


def csv_rows(
    source: Input, lines: Iterable[str], delimiter: str, *, strict: bool = False
) -> Iterator[tuple[int, list[str]]]:
    """The rows of some lines, as Python's `csv` module reads them, each with the line on which it ends.

    Raises DataError for a cell that is too long for memory, such as one whose quote is never closed; with `strict` also
    for a quote that closes before the end of its cell.
    """
    longest = source.memory.single
    csv.field_size_limit(longest)
    reader = csv.reader(lines, delimiter=delimiter, strict=strict)
    begin = 1
    try:
        for row in reader:
            yield reader.line_num, row
            begin = reader.line_num + 1
    except csv.Error as error:
        problem: list[object] = ["a quote closes a cell, but more of the cell follows it"]
        if "end of data" in str(error):
            problem = ["opens a quote that is never closed"]
        elif "limit" in str(error):
            problem = [
                f"opens a quote that is not closed within {human(longest)}; close it, or allow more: ",
                Advice("--max-memory", "SIZE"),
            ]
        raise DataError(f"{source.name}: line {begin}: ", *problem) from None


def not_text_in(source: Input, encoding: str) -> DataError:
    """The error for a file that is in another encoding."""
    return DataError(
        f"{source.name}: not text in {encoding}; name its encoding, such as ", Advice("--encoding", "latin-1")
    )


def check_encoding(encoding: str) -> None:
    """Raise UsageError for a name that is no encoding of text files, such as base64 or idna.

    >>> check_encoding("latin-1")
    """
    try:
        known = codecs.lookup(encoding)
    except (LookupError, ValueError):  # ValueError: a NUL in its name
        problem = "no such encoding"
    else:
        if known.name not in _NO_FILES and getattr(known, "_is_text_encoding", True):
            return
        problem = "no encoding of text files"
    raise UsageError(
        f"--encoding {encoding}: {problem}; ",
        Advice(without=["--encoding"]),
        " for UTF-8; latin-1 and cp1252 are common too",
    )


# Encodings of domain names and of literals in Python; `undefined` refuses everything.
_NO_FILES = {"idna", "punycode", "undefined", "unicode-escape", "unicode_escape", "raw-unicode-escape"}


def open_text(source: Input, encoding: str) -> io.TextIOWrapper:
    """The text of a source; bytes that are not text become surrogates."""
    return _decoded(source.open(), encoding)


def _decoded(stream: IO[bytes], encoding: str) -> io.TextIOWrapper:
    """Bytes as text with their own line ends; bytes that are not text become surrogates, if the encoding allows."""
    check_encoding(encoding)
    name = "utf-8-sig" if encoding.lower() in ("utf-8", "utf8") else encoding
    return io.TextIOWrapper(stream, encoding=name, errors="surrogateescape", newline="")
