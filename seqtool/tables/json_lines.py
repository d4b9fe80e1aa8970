"""Reads JSON lines, one object per line, or an array of objects; cells are the text in the file."""

from __future__ import annotations

import io
import json
from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from itertools import islice
from typing import Any

from seqtool.advice import Advice
from seqtool.errors import DataError
from seqtool.files.inputs import Input
from seqtool.files.lines import lines_of
from seqtool.files.packing import BROKEN, damaged_packing
from seqtool.tables.csv_dialect import is_number
from seqtool.tables.json_arrays import is_array, records_of_array
from seqtool.tables.list_cells import MOST_CELLS, CellKindError
from seqtool.tables.table import BATCH_BYTES

_CELLS = 200_000  # in a batch, each of which is a Python object while it is read


def fields(source: Input) -> tuple[tuple[str, ...], dict[int, int]]:
    """The names of the fields of the first objects, in the order of their first appearance: the columns.

    Also returned are the columns that hold lists of numbers, each with the length of its first list.
    """
    head = io.BytesIO(source.head)
    whole = source.head_is_all
    if is_array(source):
        first = [*records_of_array(source, head, whole=whole)]
    else:
        first = [*_parsed_lines(source, (line for line in head if whole or line.endswith(b"\n")))]
    if not first and not whole:
        first = [*islice(_objects(source), 1)]
    if not first:
        raise DataError(f"{source.name}: holds no rows; one JSON object per line was expected")
    for line, row in first:
        for name in row:
            _check_text(source, line, f"the name {name!r}", name)
    names = tuple(dict.fromkeys(name for _, row in first for name in row))
    sizes = {i: _list_size(row[name] for _, row in first if name in row) for i, name in enumerate(names)}
    return names, {i: size for i, size in sizes.items() if size}


def _list_size(cells: Iterable[Any]) -> int:
    """The length of the first cell of a field that is not null, if it is a list of numbers; else 0."""
    first = next((cell for cell in cells if cell is not None), None)
    if not isinstance(first, list) or not all(_may_be_number(cell) for cell in first):
        return 0
    return len(first) if len(first) <= MOST_CELLS else 0


def _may_be_number(cell: Any) -> bool:
    from seqtool.tables.cells import reads_as_missing

    if cell is None or isinstance(cell, bool):
        return True
    return isinstance(cell, str) and (is_number(cell) or reads_as_missing(cell))


def batches(
    source: Input,
    columns: Sequence[str],
    wanted: Sequence[int],
    *,
    others: bool = False,
    lists: Collection[int] = (),
) -> Iterator[Any]:
    """The rows as record batches of text, one column for each position in `wanted`; a missing field is empty text.

    Columns among `lists` are lists of text, null for a missing field. Raises DataError that names the line of a record
    that is no object, or has a field that is not among `columns`, unless `others` are allowed.
    """
    import pyarrow as pa

    known = frozenset(columns)
    read = [(_list if i in lists else _cell, columns[i]) for i in wanted]
    kinds = [pa.list_(pa.string()) if i in lists else pa.string() for i in wanted]
    size_of: Callable[[Any], int] = _size if lists else len
    rows: list[list[Any]] = []
    size = 0

    def batch() -> Any:
        arrays = [pa.array(cells, kind) for cells, kind in zip(zip(*rows, strict=True), kinds, strict=True)]
        return pa.RecordBatch.from_arrays(arrays, [str(i) for i in wanted])

    for line, row in _objects(source):
        if not (others or row.keys() <= known):
            extra = next(name for name in row if name not in known)
            raise DataError(
                f"{source.name}: line {line}: field {extra!r} is not in the first objects; to leave it out, name the "
                "features: ",
                Advice("--columns", "COLUMN"),
                "; or add it to the first object, with null if need be",
            )
        cells = [read_cell(source, line, name, row.get(name)) for read_cell, name in read]
        rows.append(cells)
        size += sum(map(size_of, cells))
        if len(rows) * len(wanted) >= _CELLS or size >= BATCH_BYTES:
            yield batch()
            rows.clear()
            size = 0
    if rows:
        yield batch()


def _size(cell: str | list[str] | None) -> int:
    """About the bytes of a cell; each cell of a list counts as an object, too."""
    if isinstance(cell, list):
        return sum(map(len, cell)) + len(cell) * (BATCH_BYTES // _CELLS)
    return len(cell or "")


def line_of(source: Input, row: int) -> int:
    """The line of a row, counted from 0."""
    return next(line for i, (line, _) in enumerate(_objects(source)) if i == row)


def _objects(source: Input) -> Iterator[tuple[int, dict[str, Any]]]:
    try:
        with source.open_metered() as stream:
            if is_array(source):
                yield from records_of_array(source, stream)
            else:
                yield from _parsed_lines(source, lines_of(stream, source))
    except DataError:
        raise
    except UnicodeDecodeError:
        raise DataError(f"{source.name}: not UTF-8 text") from None
    except BROKEN as error:
        raise damaged_packing(source.name, source.packing or "file's", error) from None


def _parsed_lines(source: Input, lines: Iterable[bytes]) -> Iterator[tuple[int, dict[str, Any]]]:
    for number, text in enumerate(lines, 1):
        if text.strip():
            yield number, _parsed(source, number, text)


def _parsed(source: Input, line: int, text: bytes) -> dict[str, Any]:
    try:
        # Numbers stay text, for 7 and 7.0 are different keys.
        row = json.loads(
            text.removeprefix(b"\xef\xbb\xbf"), parse_int=str, parse_float=str, parse_constant=str
        )
    except RecursionError:
        raise DataError(f"{source.name}: line {line}: nested too deeply") from None
    except ValueError as error:
        raise DataError(f"{source.name}: line {line}: not JSON ({error})") from None
    if not isinstance(row, dict):
        raise DataError(f"{source.name}: line {line}: one JSON object per line was expected")
    return row


def _check_text(source: Input, line: int, subject: str, text: str) -> None:
    if any("\ud800" <= char <= "\udfff" for char in text):
        raise DataError(
            f"{source.name}: line {line}: {subject} holds a lone surrogate, which is not valid text"
        )


def _cell(source: Input, line: int, name: str, cell: Any) -> str:
    if isinstance(cell, str):
        if not cell.isascii():
            _check_text(source, line, f"field {name!r}", cell)
        return cell
    if cell is None:
        return ""
    if isinstance(cell, bool):
        return "true" if cell else "false"
    problem = f"field {name!r} holds a {type(cell).__name__}, not one value"
    raise CellKindError(f"{source.name}: line {line}: {problem}", column=name)


def _list(source: Input, line: int, name: str, cells: Any) -> list[str] | None:
    if cells is None:
        return None
    if isinstance(cells, list):
        return [_cell(source, line, name, cell) for cell in cells]
    problem = f"field {name!r} holds one value, and a list before; a list was expected"
    raise CellKindError(f"{source.name}: line {line}: {problem}", column=name)
