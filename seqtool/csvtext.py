"""CSV and TSV: what its first row is, its rows as text, and where a fault stands.

`pyarrow.csv` parses, strictly and fast; every cell stays the text that was written. Python's `csv` module
reads a file again only to name the line of a fault.
"""

from __future__ import annotations

import codecs
import csv
import io
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import IO, Any

import numpy as np

from seqtool.casting import Array
from seqtool.errors import DataError, UsageError
from seqtool.inputs import BROKEN, Input, damaged_packing, open_bytes

_BLOCK = 4 << 20  # bytes that the parser takes at a time; a row may not be longer
_DELIMITERS = (",", "\t", ";", "|")
_ESCAPES = {"\\t": "\t", "tab": "\t"}


@dataclass(frozen=True)
class Dialect:
    """How one file is written: its first row, whether that is a header, and what separates cells."""

    first_row: tuple[str, ...]
    header: bool
    delimiter: str
    encoding: str
    blank_lines: int  # before the first row

    @property
    def skipped(self) -> int:
        """The records before the first row of data."""
        return self.blank_lines + int(self.header)


def sniff(source: Input, *, delimiter: str | None, header: bool | None, encoding: str) -> Dialect:
    """Read the first row of a file and decide what it is.

    A first row with no number among its cells is a header; one of numbers alone is data. Raises DataError
    for a mixed one (when `header` is None), for a header with the same name twice, and for bytes that are
    not text in `encoding`; UsageError for an unknown encoding or a delimiter of several characters.
    """
    if delimiter is not None:
        delimiter = _ESCAPES.get(delimiter, delimiter)
        if len(delimiter) != 1 or ord(delimiter) > 127 or delimiter in '"\r\n':
            raise UsageError(f"--delimiter is {delimiter!r}; one ASCII character was expected, such as ';'")
    with _text(source, encoding, errors="surrogateescape") as text:
        begin = _first_line(source, text)
    delimiter = delimiter or _guess_delimiter(source, begin)
    row, blank = [begin], 0
    with _text(source, encoding, errors="surrogateescape") as text:  # again, for a stream cannot go back
        for cells in _reader(text, delimiter):
            if cells:
                row = cells
                break
            blank += 1
    row = [cell.removeprefix("\ufeff") if i == 0 else cell for i, cell in enumerate(row)]
    for column, cell in enumerate(row):
        _check_encoded(source, blank + 1, column, cell, encoding)
    if header is None:
        header = _is_header(source, row, blank + 1)
    if header:
        _check_unique(source, row)
    return Dialect(tuple(row), header, delimiter, encoding, blank)


def _first_line(source: Input, text: IO[str]) -> Any:
    for line in text:
        if line.strip():
            return line
    raise DataError(f"{source.name}: holds only blank lines; rows were expected")


def _guess_delimiter(source: Input, line: str) -> str:
    if ".tsv" in source.name.lower():
        return "\t"
    return next((mark for mark in _DELIMITERS if mark in line), ",")


def is_number(cell: str) -> bool:
    """Whether a cell is spelled as a finite number.

    >>> is_number("-1.5e3"), is_number("1_000"), is_number("nan")
    (True, False, False)
    """
    try:
        return "_" not in cell and abs(float(cell)) < float("inf")
    except ValueError:
        return False


def _is_header(source: Input, row: Sequence[str], line: int) -> bool:
    numbers = [is_number(cell) for cell in row]
    if all(numbers):
        return False
    if not any(numbers):
        return True
    number, other = row[numbers.index(True)], row[numbers.index(False)]
    raise DataError(
        f"{source.name}: line {line}: the first row mixes numbers ({number!r}) with other cells ({other!r}); "
        "say --header if it names the columns, --no-header if it is data"
    )


def _check_unique(source: Input, row: Sequence[str]) -> None:
    twice = sorted({name for name in row if name and row.count(name) > 1})
    if twice:
        names = ", ".join(map(repr, twice))
        raise DataError(f"{source.name}: the header names {names} more than once; rename one of them")


def batches(source: Input, dialect: Dialect, columns: Sequence[int]) -> Iterator[Any]:
    """The rows as pyarrow record batches of text, one column for each position in `columns`, in file order.

    Raises DataError that names the line of a row with too few or too many cells, of bytes that are not text,
    or of a quote that is never closed.
    """
    import pyarrow as pa
    import pyarrow.csv as arrow_csv

    names = [str(i) for i in range(len(dialect.first_row))]
    with open_bytes(source.path, source.packing) as raw:
        stream = _QuoteWatch(raw, dialect.delimiter)
        try:
            yield from arrow_csv.open_csv(
                pa.PythonFile(stream, mode="r"),
                read_options=arrow_csv.ReadOptions(
                    block_size=_BLOCK,
                    column_names=names,
                    skip_rows_after_names=dialect.skipped,
                    encoding=dialect.encoding,
                ),
                parse_options=arrow_csv.ParseOptions(
                    delimiter=dialect.delimiter, newlines_in_values=True, ignore_empty_lines=True
                ),
                convert_options=arrow_csv.ConvertOptions(
                    column_types={name: pa.string() for name in names},
                    include_columns=[names[i] for i in columns],
                    null_values=[],
                    strings_can_be_null=False,
                ),
            )
        except (pa.ArrowInvalid, UnicodeDecodeError) as error:
            fault = _fault(source, dialect, error)
            if fault is not None:
                raise fault from None
        except BROKEN as error:
            raise damaged_packing(source.name, source.packing or "file's", error) from None
    if stream.odd or dialect.encoding.lower().startswith(("utf-16", "utf-32", "utf_16", "utf_32")):
        _check_quotes(source, dialect)


class _QuoteWatch(io.RawIOBase):
    """Passes bytes on and watches the quotes, for the parser takes an odd one without a word.

    Every other quote closes: a delimiter, a line end or a quote must follow; the ones between open: one of
    these must stand before. A quote within an unquoted cell breaks that too, so what is odd needs a closer look.
    """

    def __init__(self, raw: IO[bytes], delimiter: str) -> None:
        self._raw = raw
        self._borders = np.frombuffer(f'{delimiter}\r\n"'.encode(), np.uint8)
        self._quotes = 0
        self._last = self._borders[1]
        self.odd = False

    def readable(self) -> bool:
        return True

    def read(self, size: int = -1) -> bytes:
        data = self._raw.read(size)
        if not data:
            self.odd |= self._quotes % 2 == 1
        elif b'"' in data or self._last == _QUOTE:
            self._watch(np.frombuffer(data, np.uint8))
        if data:
            self._last = np.uint8(data[-1])
        return data

    def _watch(self, text: Array) -> None:
        text = np.concatenate([[self._last], text]).astype(np.uint8)
        # The quote at the very end is judged with the block that follows it.
        places = np.flatnonzero(text[:-1] == _QUOTE)
        if text[-1] == _QUOTE:
            places = np.append(places, len(text) - 1)
        new = places[places > 0]
        opens = new[self._quotes % 2 :: 2]
        self.odd |= not np.isin(text[opens - 1], self._borders).all()
        closes = new[1 - self._quotes % 2 :: 2]
        before = self._last == _QUOTE and self._quotes % 2 == 0 and self._quotes > 0
        closes = np.append(closes, 0) if before else closes
        closes = closes[closes < len(text) - 1]
        self.odd |= not np.isin(text[closes + 1], self._borders).all()
        self._quotes += len(new)


_QUOTE = ord('"')


def line_of(source: Input, dialect: Dialect, row: int) -> int:
    """The line on which a row of data, counted from 0, ends."""
    with _text(source, dialect.encoding, errors="surrogateescape") as text:
        reader = _reader(text, dialect.delimiter)
        for number, _ in enumerate(cells for cells in reader if cells):
            if number == row + int(dialect.header):
                break
        return int(reader.line_num)


def _fault(source: Input, dialect: Dialect, error: Exception) -> DataError | None:
    """The first fault of the file, found by reading it again, slowly; none in a header without rows."""
    try:
        _check_quotes(source, dialect)
        rows = _check_rows(source, dialect)
    except DataError as found:
        return found
    except UnicodeError:
        return DataError(f"{source.name}: not text in {dialect.encoding}; say what it is with --encoding")
    except BROKEN as broken:
        return damaged_packing(source.name, source.packing or "file's", broken)
    reason = " ".join(str(error).split())
    if "straddling" in reason:
        if rows <= int(dialect.header):
            return None
        reason = f"a row of more than {_BLOCK >> 20} MB"
    return DataError(f"{source.name}: cannot be parsed as CSV ({reason})")


def _check_rows(source: Input, dialect: Dialect) -> int:
    """Count the rows, the header included; raise DataError at the first that is not like the first row."""
    expected, count = len(dialect.first_row), 0
    with _text(source, dialect.encoding, errors="surrogateescape") as text:
        reader = _reader(text, dialect.delimiter)
        for row in reader:
            count += bool(row)
            if row and len(row) != expected:
                raise DataError(
                    f"{source.name}: line {reader.line_num}: the first row has {expected} cells, but this "
                    f"one {len(row)}: {dialect.delimiter.join(row)[:60]!r}"
                )
            for column, cell in enumerate(row):
                _check_encoded(source, reader.line_num, column, cell, dialect.encoding)
    return count


def _check_quotes(source: Input, dialect: Dialect) -> None:
    with _text(source, dialect.encoding, errors="surrogateescape") as text:
        reader = csv.reader(text, delimiter=dialect.delimiter, strict=True)
        begin = 1
        try:
            for _ in reader:
                begin = reader.line_num + 1
        except csv.Error as error:
            what = "opens a quote that is never closed"
            if "end of data" not in str(error):
                what = "a quote closes a cell, but more of the cell follows it"
            raise DataError(f"{source.name}: line {begin}: {what}") from None


def _check_encoded(source: Input, line: int, column: int, cell: str, encoding: str) -> None:
    if cell.isascii():
        return
    wrong = next((char for char in cell if "\udc80" <= char <= "\udcff"), None)
    if wrong:
        raise DataError(
            f"{source.name}: line {line}, column {column}: byte 0x{ord(wrong) - 0xDC00:02x} is not text in "
            f"{encoding}; say what it is with --encoding, such as latin-1 or cp1252"
        )


def _reader(text: IO[str], delimiter: str) -> Any:
    csv.field_size_limit(1 << 30)
    return csv.reader(text, delimiter=delimiter)


def _text(source: Input, encoding: str, *, errors: str) -> io.TextIOWrapper:
    try:
        codecs.lookup(encoding)
    except LookupError:
        raise UsageError(
            f"--encoding {encoding}: no such encoding; utf-8, latin-1 and cp1252 are common"
        ) from None
    name = "utf-8-sig" if encoding.lower() in ("utf-8", "utf8") else encoding
    return io.TextIOWrapper(open_bytes(source.path, source.packing), encoding=name, errors=errors, newline="")
