"""Where a fault of a CSV stands, found by reading the file again with Python's `csv` module, slowly."""

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
    """The first fault of the file, found by reading it again, slowly; none in a header without rows."""
    try:
        check_quotes(source, dialect)
        rows = _check_rows(source, dialect)
    except DataError as found:
        return found
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
    """Count the rows, the header included; raise DataError at the first that is not like the first row."""
    count, counters = 0, int(source.rewriting is not None and source.rewriting.numbered)
    expected = len(dialect.first_row)
    with open_text(source, dialect.encoding) as text:
        for line, row in csv_rows(source, lines_of(text, source), dialect.delimiter):
            count += bool(row)
            if row and len(row) != expected:
                raise DataError(
                    f"{source.name}: line {line}: the first row has {expected - counters} cells, but this "
                    f"one {len(row) - counters}: {dialect.delimiter.join(row[: len(row) - counters])[:60]!r}"
                )
            for column, cell in enumerate(row):
                check_encoded(source, line, column, cell, dialect.encoding)
    return count


def check_quotes(source: Input, dialect: Dialect) -> None:
    """Raise DataError for a quote that is never closed, or that more of a cell follows."""
    with open_text(source, dialect.encoding) as text:
        for _ in csv_rows(source, lines_of(text, source), dialect.delimiter, strict=True):
            pass
