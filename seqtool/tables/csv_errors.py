"""Finds where a CSV is faulty, by reading it again with Python's `csv` module, which is slow but knows its lines."""

from __future__ import annotations

from itertools import islice

from seqtool.errors import DataError
from seqtool.files.inputs import Input
from seqtool.files.lines import lines_of
from seqtool.files.packing import BROKEN, damaged_packing
from seqtool.tables.csv_blocks import LONGEST_ROW
from seqtool.tables.csv_dialect import Dialect, check_encoded, csv_rows, not_text_in, open_text


def line_of(source: Input, dialect: Dialect, row: int) -> int:
    """The line on which a row of data, counted from 0, ends."""
    with open_text(source, dialect.encoding) as text:
        rows = csv_rows(source, lines_of(text, source), dialect.delimiter)
        lines = (line for line, cells in rows if cells)
        return next(islice(lines, row + int(dialect.header), None))


def first_csv_error(source: Input, dialect: Dialect, error: Exception) -> DataError | None:
    """The error for the first fault of a file that Arrow refused with `error`; None if it is only a header."""
    try:
        check_quotes(source, dialect)
        rows = _check_rows(source, dialect)
    except DataError as fault:
        return fault
    except UnicodeError:
        return not_text_in(source, dialect.encoding)
    except BROKEN as broken:
        return damaged_packing(source.name, source.packing or "file's", broken)
    reason = " ".join(str(error).split())
    if "straddling" in reason:
        if rows <= int(dialect.header):
            return None
        reason = (
            f"a row of more than {LONGEST_ROW >> 20} MB; longer ones need UTF-8 and quotes around whole cells"
        )
    return DataError(f"{source.name}: cannot be parsed as CSV ({reason})")


def _check_rows(source: Input, dialect: Dialect) -> int:
    """The number of rows, header included; raises DataError at one with more or fewer cells than the first."""
    # Where rows are numbered by sequence, each has a cell more than the file shows.
    count, added = 0, int(source.rewriting is not None and source.rewriting.numbered)
    expected = len(dialect.first_row)
    with open_text(source, dialect.encoding) as text:
        for line, row in csv_rows(source, lines_of(text, source), dialect.delimiter):
            count += bool(row)
            if row and len(row) != expected:
                raise DataError(
                    f"{source.name}: line {line}: the first row has {expected - added} cells, but this "
                    f"one {len(row) - added}: {dialect.delimiter.join(row[: len(row) - added])[:60]!r}"
                )
            for column, cell in enumerate(row):
                check_encoded(source, line, column, cell, dialect.encoding)
    return count


def check_quotes(source: Input, dialect: Dialect) -> None:
    """Raise DataError for a quote that is never closed, or that closes before the end of its cell."""
    with open_text(source, dialect.encoding) as text:
        for _ in csv_rows(source, lines_of(text, source), dialect.delimiter, strict=True):
            pass
