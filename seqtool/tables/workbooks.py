"""Workbooks of spreadsheets: a sheet as a table of text, each cell written as it would be in CSV.

Whole numbers have no point there, dates and times are as ISO has them, and blank cells are empty, as are those of
errors such as #N/A.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import date, datetime, time, timedelta
from difflib import get_close_matches
from itertools import islice
from typing import Any

import numpy as np

from seqtool.advice import Advice
from seqtool.errors import DataError, UsageError
from seqtool.files.inputs import Input
from seqtool.files.workbooks import check_size
from seqtool.tables.csv_dialect import check_unique, is_header
from seqtool.tables.table import Expected, Table, TextOptions, left_out
from seqtool.words import listed

_CELLS = 200_000  # in one batch, each of which is an object while it is read
_EXACT = 2.0**53


def workbook_table(source: Input, options: TextOptions, *, many: bool) -> Table:
    """The one sheet of a workbook that holds rows, or the one that was named; where there are `many`, none is held.

    Raises DataError for several sheets of which none was named, and for what does not fit into memory; UsageError for
    options of text files.
    """
    _refuse_of_text(source, options)
    rows = _Rows(source, _sheet(source, options), options.lines.skip_rows, hold=not many)
    number, cells = next(iter(rows), (0, []))
    if not cells:
        raise DataError(f"{source.name}: sheet {rows.name!r} holds no rows")
    texts = [_text(cell) for cell in cells]
    header = options.header
    if header is None:
        header = is_header(rows.place(number), texts)
    if header:
        check_unique(source.name, texts)
    names = tuple(text or None for text in texts) if header else (None,) * len(texts)
    notes = [
        f"sheet {rows.name!r}",
        "the first row is a header" if header else "the first row is data (no header)",
    ]
    notes += [left_out(position) for position, name in enumerate(names) if header and name is None]
    rows.labels = [name or str(position) for position, name in enumerate(names)]
    behind = int(header)
    return Table(
        source.name,
        names,
        header,
        lambda columns, expected: _batches(rows, behind, columns, expected, options.marks.decimal),
        lambda row: rows.place(next(islice(rows, row + behind, None))[0]),
        text=True,
        at_most=rows.at_most,
        notes=notes,
        dialect={"header": header, "sheet": rows.name, **options.lines.resolved},
    )


def sheet_names(source: Input) -> list[str]:
    """The names of the sheets of a workbook."""
    return _worksheets(_workbook(source))


class _Rows:
    """The rows of a sheet that are not blank, each with its number in the sheet, from 1."""

    def __init__(self, source: Input, sheet: Any, skip: int, *, hold: bool) -> None:
        self._source, self._skip = source, skip
        self._sheet = sheet if hold else None
        self.name: str = sheet.name
        self.labels: Sequence[str] = ()
        self.at_most: int = sheet.total_height + 1

    def __iter__(self) -> Iterator[tuple[int, list[Any]]]:
        sheet = self._sheet or _workbook(self._source).get_sheet_by_name(self.name)
        with _readable(self._source):
            for number, cells in enumerate(sheet.iter_rows(), 1):
                if number > self._skip and (any(cells) or any(cell != "" for cell in cells)):
                    yield number, cells

    def place(self, number: int) -> str:
        """What an error calls a row."""
        return f"{self._source.name}: sheet {self.name!r}, row {number}"


def _batches(
    rows: _Rows, skip: int, columns: Sequence[int], expected: Expected, decimal: str
) -> Iterator[Any]:
    import pyarrow as pa

    left = islice(rows, skip, None)
    while True:
        some = list(islice(left, max(1, _CELLS // max(1, len(columns)))))
        if not some:
            return
        numbers, cells = zip(*some, strict=True)
        by_column = list(zip(*cells, strict=True))
        arrays = []
        for column in columns:
            found = by_column[column]
            as_numbers = _plain_numbers(found, column, expected)
            if as_numbers is None:
                if column not in expected.spelled:
                    _check_exact(rows, numbers, found, column)
                as_numbers = pa.array([_text(cell, decimal) for cell in found], pa.string())
            arrays.append(as_numbers)
        yield pa.RecordBatch.from_arrays(arrays, [str(column) for column in columns])


def _plain_numbers(cells: Sequence[Any], column: int, expected: Expected) -> Any:
    """Cells that are all numbers as such, where they are expected; keys only where all are whole. Else None."""
    import pyarrow as pa

    if column not in expected.numbers | expected.keys or {*map(type, cells)} != {float}:
        return None
    numbers = np.array(cells)
    if (np.abs(numbers) < _EXACT).all() and (numbers == np.trunc(numbers)).all():
        return pa.array(numbers.astype(np.int64))
    return pa.array(numbers) if column in expected.numbers else None


def _check_exact(rows: _Rows, numbers: Sequence[int], cells: Sequence[Any], column: int) -> None:
    """Raise DataError for a key or label of so many digits that others may have been the same number."""
    for number, cell in zip(numbers, cells, strict=True):
        if type(cell) is float and abs(cell) >= _EXACT:
            raise DataError(
                f"{rows.place(number)}, column {rows.labels[column]!r}: {cell:.0f}; past 2^53 sheets do not hold every "
                "whole number: store such a key or label as text"
            )


def _text(cell: Any, decimal: str = ".") -> str:
    """A cell as it would be written."""
    if type(cell) is float:
        if abs(cell) < _EXACT and cell.is_integer():
            return str(int(cell))
        return repr(cell) if decimal == "." else repr(cell).replace(".", decimal)
    if isinstance(cell, str):
        return cell
    if isinstance(cell, bool):
        return "true" if cell else "false"
    if isinstance(cell, (datetime, date, time)):
        return cell.isoformat()
    if isinstance(cell, timedelta):
        return _as_clock(cell)
    return str(cell)


def _as_clock(duration: timedelta) -> str:
    """A duration as a sheet shows it.

    >>> _as_clock(timedelta(hours=30, seconds=5))
    '30:00:05'
    """
    seconds = int(duration.total_seconds())
    minutes, seconds = divmod(abs(seconds), 60)
    return f"{'-' if duration < timedelta(0) else ''}{minutes // 60}:{minutes % 60:02}:{seconds:02}"


def _refuse_of_text(source: Input, options: TextOptions) -> None:
    """Raise UsageError for what tells how the lines of text are read."""
    lines = options.lines
    given = {
        "--delimiter": options.delimiter,
        "--comment": lines.comment,
        "--key-blank-lines": lines.key_blank_lines,
    }
    wrong = [option for option, held in given.items() if held]
    if wrong:
        raise UsageError(
            f"{listed(wrong)}: of text files, and {source.name} is a workbook: ", Advice(without=wrong)
        )


def _sheet(source: Input, options: TextOptions) -> Any:
    """The sheet of a workbook that was named, or the only one that is shown and holds rows."""
    check_size(source.name, source.path, source.memory)
    book = _workbook(source)
    names = _worksheets(book)
    with _readable(source):
        if options.sheet in names:
            return book.get_sheet_by_name(options.sheet)
        if options.sheet is not None and not options.of_other_tables:
            known = {name.lower(): name for name in names}
            near = get_close_matches(options.sheet.lower(), known, 1)
            meant: list[object] = ["perhaps ", Advice("--sheet", known[near[0]]), "; "] if near else []
            raise DataError(
                f"{source.name}: no sheet {options.sheet!r}; ",
                *meant,
                f"the sheets are {listed([*map(repr, names)])}",
            )
        filled: list[Any] = []
        for name in _worksheets(book, shown=True) or names:
            sheet = book.get_sheet_by_name(name)
            if sheet.height:
                filled.append(sheet)
    if not filled:
        raise DataError(f"{source.name}: a workbook without rows")
    if len(filled) == 1:
        return filled[0]
    several = f"{source.name}: rows stand in sheets {listed([repr(sheet.name) for sheet in filled])}; "
    if options.of_other_tables:
        raise DataError(f"{several}save the one that is meant as a file of its own")
    raise DataError(f"{several}name the one to read: ", Advice("--sheet", filled[0].name))


def _worksheets(book: Any, *, shown: bool = False) -> list[str]:
    from python_calamine import SheetTypeEnum, SheetVisibleEnum

    return [
        sheet.name
        for sheet in book.sheets_metadata
        if sheet.typ == SheetTypeEnum.WorkSheet and (not shown or sheet.visible == SheetVisibleEnum.Visible)
    ]


def _workbook(source: Input) -> Any:
    try:
        from python_calamine import CalamineWorkbook
    except ImportError:
        raise UsageError(
            f"python-calamine is missing; {source.name} is a workbook, which needs it: pip install 'seqtool[excel]'"
        ) from None
    with _readable(source):
        return CalamineWorkbook.from_path(source.path)


@contextmanager
def _readable(source: Input) -> Iterator[None]:
    """Whatever the reader says of a damaged workbook, or one behind a password, as DataError."""
    try:
        yield
    except (DataError, MemoryError, GeneratorExit):
        raise
    except BaseException as error:
        # What Rust calls a panic is no Exception in Python.
        if not isinstance(error, Exception) and type(error).__name__ != "PanicException":
            raise
        reason = " ".join(str(error).split())[:200]
        raise DataError(
            f"{source.name}: damaged, protected by a password, or no workbook ({reason})"
        ) from None
