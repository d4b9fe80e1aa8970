"""CSV and TSV: what its first row is, its rows as text, and where a fault stands.

`pyarrow.csv` parses, strictly and fast; every cell stays the text that was written. Python's `csv` module
reads a file again only to name the line of a fault.
"""

from __future__ import annotations

import codecs
import csv
import io
import os
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from itertools import chain, islice
from typing import IO, Any

import numpy as np

from seqtool.errors import DataError, UsageError
from seqtool.files.inputs import BROKEN, Input, damaged_packing, open_bytes
from seqtool.system.prefetch import ordered_map
from seqtool.tables.cells.spelling import plain_integers
from seqtool.tables.csv_blocks import LONGEST_ROW, Block, Dialect, QuoteWatch, Rest, blocks, is_utf8

_DELIMITERS = (",", "\t", ";", "|")
_ESCAPES = {"\\t": "\t", "tab": "\t"}


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
    if source.name.lower().removesuffix(".gz").removesuffix(".zst").endswith(".tsv"):
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
    twice = sorted(name for name, count in Counter(row).items() if name and count > 1)
    if twice:
        names = ", ".join(map(repr, twice))
        raise DataError(f"{source.name}: the header names {names} more than once; rename one of them")


def batches(
    source: Input, dialect: Dialect, columns: Sequence[int], expected: Expected | None = None
) -> Iterator[Any]:
    """The rows as pyarrow record batches, one column for each position in `columns`, in file order.

    Cells are the text that was written; columns that are `expected` to be numbers come as numbers where that
    says the same. Raises DataError that names the line of a row with too few or too many cells, of bytes that
    are not text, or of a quote that is never closed.
    """
    import pyarrow as pa

    parser = _Parser(dialect, columns, expected or Expected())
    workers = os.cpu_count() or 1
    with source.open_metered() as raw, ThreadPoolExecutor(workers) as pool:
        try:
            cut = blocks(raw, dialect)
            first = map(parser.parse, islice(cut, 1))  # alone, for the parser learns from it
            for found in chain(first, ordered_map(parser.parse, cut, pool, waiting=workers)):
                if isinstance(found, Rest):
                    yield from _one_by_one(source, parser, found)
                elif len(found):
                    yield found
        except (pa.ArrowInvalid, UnicodeDecodeError) as error:
            fault = _fault(source, dialect, error)
            if fault is not None:
                raise fault from None
        except BROKEN as error:
            raise damaged_packing(source.name, source.packing or "file's", error) from None


def _one_by_one(source: Input, parser: _Parser, rest: Rest) -> Iterator[Any]:
    """The rows of a stream that cannot be cut into blocks by looking at its line ends."""
    stream = QuoteWatch(rest, parser.dialect.delimiter)
    yield from parser.stream(stream, skip=parser.dialect.skipped if rest.from_start else 0)
    if stream.odd or not is_utf8(parser.dialect.encoding):
        _check_quotes(source, parser.dialect)


@dataclass(frozen=True)
class Expected:
    """What columns are likely to hold: it saves work where it is so, and changes nothing where it is not.

    `numbers` are the columns that are likely numbers, `missing` the spellings of a missing value there, `keys`
    the columns of keys.
    """

    numbers: frozenset[int] = frozenset()
    missing: Sequence[str] = ()
    keys: frozenset[int] = frozenset()


class _Parser:
    """Turns the bytes of whole rows into a record batch.

    Columns that are expected to be numbers are read as such: as integers, until a block shows fractions. Which
    of these is tried is a guess that saves time; what comes out does not depend on it.
    """

    def __init__(self, dialect: Dialect, columns: Sequence[int], expected: Expected) -> None:
        self.dialect = dialect
        self._columns = columns
        self._places = {column: place for place, column in enumerate(columns)}
        self._expected = expected
        self._wholes = expected.numbers
        self._floats: frozenset[int] = frozenset()
        self._integer_keys = dict.fromkeys(expected.keys, True)

    def parse(self, block: Block | Rest) -> Any:
        """The rows of a block; what is no block is handed on."""
        import pyarrow as pa

        if isinstance(block, Rest):
            return block
        numbers = {column: pa.int64() for column in self._wholes}
        numbers |= {column: pa.float64() for column in self._floats}
        if numbers:
            try:
                found = self._read(block, numbers)
                if self._says_the_same(block, found, numbers):
                    return self._keys_read(found)
            except pa.ArrowInvalid:  # something else than numbers among them
                pass
        found = self._read(block, {})
        self._learn(found)
        return self._keys_read(found)

    def _learn(self, found: Any) -> None:
        """Find out from a block of text what its columns are; a column that is no numbers now is none later."""
        wholes, floats = self._wholes, self._floats
        for column in self._wholes | self._floats:
            cells = found.column(self._places[column])
            if column in wholes and _holds(cells, self._expected.missing, whole=True):
                continue
            if not _holds(cells, self._expected.missing, whole=False):
                wholes, floats = wholes - {column}, floats - {column}
            elif _spelled_as_floats(cells, self._expected.missing):  # +5 does not prove it: it is whole
                wholes, floats = wholes - {column}, floats | {column}
        self._wholes, self._floats = wholes, floats

    def _read(self, block: Block, numbers: Mapping[int, Any]) -> Any:
        import pyarrow as pa
        import pyarrow.csv as arrow_csv

        table = arrow_csv.read_csv(
            pa.BufferReader(block.data),
            read_options=self._reading(len(block.data) + 1, block.skip, use_threads=False),
            parse_options=self._parsing(),
            convert_options=self._converting(numbers),
        ).combine_chunks()
        batches = table.to_batches()
        return batches[0] if batches else pa.RecordBatch.from_pylist([], schema=table.schema)

    def stream(self, stream: Any, *, skip: int) -> Iterator[Any]:
        """The rows of a stream, with Arrow's own reader, which is slower and finds every row's end."""
        import pyarrow as pa
        import pyarrow.csv as arrow_csv

        yield from arrow_csv.open_csv(
            pa.PythonFile(stream, mode="r"),
            read_options=self._reading(LONGEST_ROW, skip, use_threads=True),
            parse_options=self._parsing(),
            convert_options=self._converting({}),
        )

    def _reading(self, size: int, skip: int, *, use_threads: bool) -> Any:
        import pyarrow.csv as arrow_csv

        return arrow_csv.ReadOptions(
            block_size=size,
            column_names=[str(i) for i in range(len(self.dialect.first_row))],
            skip_rows_after_names=skip,
            encoding=self.dialect.encoding,
            use_threads=use_threads,
        )

    def _parsing(self) -> Any:
        import pyarrow.csv as arrow_csv

        return arrow_csv.ParseOptions(
            delimiter=self.dialect.delimiter, newlines_in_values=True, ignore_empty_lines=True
        )

    def _converting(self, numbers: Mapping[int, Any]) -> Any:
        import pyarrow as pa
        import pyarrow.csv as arrow_csv

        kinds = {
            str(i): numbers[i] if i in numbers else pa.string() for i in range(len(self.dialect.first_row))
        }
        return arrow_csv.ConvertOptions(
            column_types=kinds,
            include_columns=[str(i) for i in self._columns],
            null_values=list(self._expected.missing) if numbers else [],
            strings_can_be_null=False,
        )

    def _says_the_same(self, block: Block, found: Any, numbers: Mapping[int, Any]) -> bool:
        """Whether numbers that Arrow read are those that `seqtool.tables.cells` finds in the text."""
        import pyarrow as pa

        text: Any = block.data.obj
        # By `numbers`, not by what the parser has learnt: another thread may have learnt more by now.
        wholes = any(pa.types.is_integer(kind) for kind in numbers.values())
        if wholes and (b"0x" in text or b"0X" in text):
            return False  # Arrow takes 0x1F for an integer
        for column in numbers:
            cells = found.column(self._places[column])
            if pa.types.is_floating(cells.type) and len(cells) > cells.null_count:
                present = np.asarray(cells.drop_null() if cells.null_count else cells)
                # A NaN makes both of them NaN; whole numbers past 2^53 are no longer what was written.
                if not (present.max() < _EXACT and present.min() > -_EXACT):
                    return False
        return True

    def _keys_read(self, found: Any) -> Any:
        """Key columns as integers, where all cells are plainly written ones."""
        import pyarrow as pa

        columns = list(found.columns)
        for column in self._expected.keys:
            place = self._places[column]
            integers = plain_integers(columns[place]) if self._integer_keys[column] else None
            self._integer_keys[column] = integers is not None
            columns[place] = columns[place] if integers is None else integers
        return pa.RecordBatch.from_arrays(columns, found.schema.names)


_EXACT = 2.0**53


def _present(cells: Any, missing: Sequence[str]) -> Any:
    import pyarrow as pa
    import pyarrow.compute as pc

    return pc.if_else(pc.is_in(cells, value_set=pa.array(missing, pa.string())), None, cells)


def _spelled_as_floats(cells: Any, missing: Sequence[str]) -> bool:
    """Whether some number is written with a point or an exponent: then all of the column become floats."""
    import pyarrow.compute as pc

    return bool(pc.any(pc.match_substring_regex(_present(cells, missing), "[.eE]")).as_py())


def _holds(cells: Any, missing: Sequence[str], *, whole: bool) -> bool:
    """Whether all cells of text are spelled as numbers, or as missing ones."""
    import pyarrow as pa
    import pyarrow.compute as pc

    try:
        pc.cast(_present(cells, missing), pa.int64() if whole else pa.float64())
    except pa.ArrowInvalid:
        return False
    return True


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
        reason = f"a row of more than {LONGEST_ROW >> 20} MB"
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
