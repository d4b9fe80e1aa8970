"""Reads workbooks of spreadsheets: a sheet as a table of text, each cell as it would be written in CSV.

Whole numbers have no decimal point, dates and times are in ISO format, blank cells and errors such as #N/A are empty.
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
from seqtool.arrays.dtypes import EXACT
from seqtool.errors import DataError, UsageError
from seqtool.files.inputs import Input
from seqtool.files.workbooks import check_size
from seqtool.tables.csv_dialect import check_unique, is_header
from seqtool.tables.table import Expected, Table, TextOptions, left_out
from seqtool.words import listed

_CELLS = 200_000  # in a batch, each of which is a Python object while it is read


def workbook_table(source: Input, options: TextOptions, *, many: bool) -> Table:
    """The sheet of a workbook that the options name, or the only one with rows.

    With `many` workbooks the sheet is not kept in memory, but opened each time it is read. Raises DataError where
    several sheets have rows and none is named, or the workbook does not fit into memory; UsageError for options of text
    files.
    """
    _refuse_text_options(source, options)
    rows = _Rows(source, _sheet(source, options), options.lines.skip_rows, keep=not many)
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
    before_data = int(header)
    return Table(
        source.name,
        names,
        header,
        lambda columns, expected: _batches(rows, before_data, columns, expected, options.marks.decimal),
        lambda row: rows.place(next(islice(rows, row + before_data, None))[0]),
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

    def __init__(self, source: Input, sheet: Any, skip: int, *, keep: bool) -> None:
        self._source, self._skip = source, skip
        self._sheet = sheet if keep else None
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
        """A row, by its number in the sheet, as errors name it."""
        return f"{self._source.name}: sheet {self.name!r}, row {number}"


def _batches(
    rows: _Rows, skip: int, columns: Sequence[int], expected: Expected, decimal: str
) -> Iterator[Any]:
    import pyarrow as pa

    data = islice(rows, skip, None)
    while chunk := list(islice(data, max(1, _CELLS // max(1, len(columns))))):
        numbers, cells_of_rows = zip(*chunk, strict=True)
        cells_of_columns = list(zip(*cells_of_rows, strict=True))
        arrays = []
        for column in columns:
            cells = cells_of_columns[column]
            array = _plain_numbers(cells, column, expected)
            if array is None:
                if column not in expected.spelled:
                    _check_exact(rows, numbers, cells, column)
                array = pa.array([_text(cell, decimal) for cell in cells], pa.string())
            arrays.append(array)
        yield pa.RecordBatch.from_arrays(arrays, [str(column) for column in columns])


def _plain_numbers(cells: Sequence[Any], column: int, expected: Expected) -> Any:
    """Cells as an array of numbers, if all are such and numbers are expected; keys only if all are whole. Else None."""
    import pyarrow as pa

    if column not in expected.numbers | expected.keys or {*map(type, cells)} != {float}:
        return None
    numbers = np.array(cells)
    if (np.abs(numbers) < EXACT).all() and (numbers == np.trunc(numbers)).all():
        return pa.array(numbers.astype(np.int64))
    return pa.array(numbers) if column in expected.numbers else None


def _check_exact(rows: _Rows, numbers: Sequence[int], cells: Sequence[Any], column: int) -> None:
    """Raise DataError for a key or label of so many digits that the sheet may have rounded it to another one."""
    for number, cell in zip(numbers, cells, strict=True):
        if type(cell) is float and abs(cell) >= EXACT:
            raise DataError(
                f"{rows.place(number)}, column {rows.labels[column]!r}: {cell:.0f}; past 2^53 sheets do not hold every "
                "whole number: store such a key or label as text"
            )


def _text(cell: Any, decimal: str = ".") -> str:
    """A cell as it would be written in CSV, with this decimal mark."""
    if type(cell) is float:
        if abs(cell) < EXACT and cell.is_integer():
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
    """A duration as a sheet shows it, in hours, minutes and seconds.

    >>> _as_clock(timedelta(hours=30, seconds=5))
    '30:00:05'
    """
    seconds = int(duration.total_seconds())
    minutes, seconds = divmod(abs(seconds), 60)
    return f"{'-' if duration < timedelta(0) else ''}{minutes // 60}:{minutes % 60:02}:{seconds:02}"


def _refuse_text_options(source: Input, options: TextOptions) -> None:
    """Raise UsageError for options about the lines of text files."""
    lines = options.lines
    values = {
        "--delimiter": options.delimiter,
        "--comment": lines.comment,
        "--key-blank-lines": lines.key_blank_lines,
    }
    refused = [option for option, value in values.items() if value]
    if refused:
        raise UsageError(
            f"{listed(refused)}: of text files, and {source.name} is a workbook: ", Advice(without=refused)
        )


def _sheet(source: Input, options: TextOptions) -> Any:
    """The sheet that the options name, or the only visible one with rows."""
    check_size(source.name, source.path, source.memory)
    book = _workbook(source)
    names = _worksheets(book)
    with _readable(source):
        if options.sheet in names:
            return book.get_sheet_by_name(options.sheet)
        if options.sheet is not None and not options.of_other_tables:
            by_lower = {name.lower(): name for name in names}
            near = get_close_matches(options.sheet.lower(), by_lower, 1)
            advice: list[object] = ["perhaps ", Advice("--sheet", by_lower[near[0]]), "; "] if near else []
            raise DataError(
                f"{source.name}: no sheet {options.sheet!r}; ",
                *advice,
                f"the sheets are {listed([*map(repr, names)])}",
            )
        filled: list[Any] = []
        for name in _worksheets(book, visible=True) or names:
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


def _worksheets(book: Any, *, visible: bool = False) -> list[str]:
    """The names of the sheets with cells, in contrast to those with charts; if asked only the visible ones."""
    from python_calamine import SheetTypeEnum, SheetVisibleEnum

    return [
        sheet.name
        for sheet in book.sheets_metadata
        if sheet.typ == SheetTypeEnum.WorkSheet and (not visible or sheet.visible == SheetVisibleEnum.Visible)
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
    """Turn whatever the reader raises for a damaged or protected workbook into DataError."""
    try:
        yield
    except (DataError, MemoryError, GeneratorExit):
        raise
    except BaseException as error:
        # A panic in Rust arrives as a BaseException.
        if not isinstance(error, Exception) and type(error).__name__ != "PanicException":
            raise
        reason = " ".join(str(error).split())[:200]
        raise DataError(
            f"{source.name}: damaged, protected by a password, or no workbook ({reason})"
        ) from None
