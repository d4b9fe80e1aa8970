"""JSON lines, one object a line, or an array of objects: the cells as the text that was written."""

from __future__ import annotations

import io
import json
from collections.abc import Iterable, Iterator, Sequence
from itertools import islice
from typing import Any

from seqtool.advice import Advice
from seqtool.errors import DataError
from seqtool.files.inputs import Input
from seqtool.files.lines import lines_of
from seqtool.files.packing import BROKEN, damaged_packing
from seqtool.tables.json_arrays import is_array, records_of_array
from seqtool.tables.table import BATCH_BYTES

_CELLS = 200_000  # in one batch, each of which is an object while it is read


def names(source: Input) -> tuple[str, ...]:
    """The fields of the first objects, which are the columns, in the order of their first appearance."""
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
    return tuple(dict.fromkeys(name for _, row in first for name in row))


def batches(
    source: Input, columns: Sequence[str], wanted: Sequence[int], *, others: bool = False
) -> Iterator[Any]:
    """The rows as record batches of text, one column for each position in `wanted`; a missing field is empty.

    Raises DataError that names the line of what is no object, or holds a field that is not among `columns`, unless
    `others` may come and go.
    """
    import pyarrow as pa

    known = frozenset(columns)
    rows: list[list[str]] = []
    letters = 0

    def packed() -> Any:
        arrays = [pa.array(cells, pa.string()) for cells in zip(*rows, strict=True)]
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
        cells = [_cell(source, line, columns[i], row.get(columns[i])) for i in wanted]
        rows.append(cells)
        letters += sum(map(len, cells))
        if len(rows) * len(wanted) >= _CELLS or letters >= BATCH_BYTES:
            yield packed()
            rows.clear()
            letters = 0
    if rows:
        yield packed()


def line_of(source: Input, row: int) -> int:
    """The line on which a row, counted from 0, stands."""
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
        # Numbers stay as written: 7 and 7.0 may be different keys.
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


def _check_text(source: Input, line: int, what: str, text: str) -> None:
    if not text.isascii() and any("\ud800" <= char <= "\udfff" for char in text):
        raise DataError(f"{source.name}: line {line}: {what} holds a lone surrogate, which is not valid text")


def _cell(source: Input, line: int, name: str, cell: Any) -> str:
    if isinstance(cell, str):
        _check_text(source, line, f"field {name!r}", cell)
        return cell
    if cell is None:
        return ""
    if isinstance(cell, bool):
        return "true" if cell else "false"
    raise DataError(
        f"{source.name}: line {line}: field {name!r} holds a {type(cell).__name__}, not one value"
    )
