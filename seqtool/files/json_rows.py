"""JSON lines with a sequence in each: the first line is the description, each other one an object.

NaN is null, as JSON has none, and infinities are text. Numbers are spelled so that they are read back to the last bit.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from itertools import count
from typing import TYPE_CHECKING, Any, BinaryIO

from seqtool.errors import DataError
from seqtool.files.deflate import Compress
from seqtool.files.packing import BROKEN, damaged_packing
from seqtool.files.row_files import RowContents
from seqtool.files.row_layout import Layout, StoredArray
from seqtool.files.traces import JSON_BEGIN
from seqtool.files.zip_writer import write_all

if TYPE_CHECKING:
    from seqtool.files.inputs import Input

_TOGETHER = 4 << 20  # bytes of lines that are parsed together, or one line
_LONGEST_META = 1 << 28  # bytes of a description


class JsonContents(RowContents):
    """Lines of JSON; see `seqtool.files.writers.Contents`."""

    _each = 60

    def write(
        self,
        file: BinaryIO,
        *,
        seekable: bool,
        compress: Compress | None = None,
        on_written: Callable[[int], None] | None = None,
        threads: int | None = None,
    ) -> None:
        """Write the description, then a line for each sequence."""
        from seqtool.files.row_batches import batches, schema_of

        assert compress is None
        write_all(file, JSON_BEGIN + self.rows.meta.encode() + b"}\n")
        for batch, size in batches(self.rows, schema_of(self.rows.layout)):
            write_all(file, _lines(batch))
            if on_written is not None:
                on_written(size)


def _lines(batch: Any) -> memoryview:
    """The rows of a batch as lines."""
    import pyarrow as pa
    import pyarrow.compute as pc

    fields = [
        pc.binary_join_element_wise(
            pa.scalar(f"{json.dumps(name, ensure_ascii=False)}: "), _spelled(column), ""
        )
        for name, column in zip(batch.schema.names, batch.columns, strict=True)
    ]
    whole = pc.binary_join_element_wise(*fields, ", ")
    lines = pc.binary_join_element_wise(pa.scalar("{"), whole, pa.scalar("}\n"), "")
    end = int.from_bytes(lines.buffers()[1].slice(4 * len(lines), 4).to_pybytes(), "little")
    return memoryview(lines.buffers()[2])[:end] if end else memoryview(b"")


def _spelled(cells: Any) -> Any:
    """The cells of a column as JSON, (n,) text."""
    import pyarrow as pa
    import pyarrow.compute as pc

    kind = cells.type
    if pa.types.is_list(kind) or pa.types.is_fixed_size_list(kind):
        inner = _spelled(cells.flatten())
        if pa.types.is_list(kind):
            ends = pc.subtract(cells.offsets, cells.offsets[0])
        else:
            ends = pa.array(range(0, len(inner) + 1, kind.list_size), pa.int32())
        joined = pc.binary_join(pa.ListArray.from_arrays(ends, inner), ", ")
        return pc.binary_join_element_wise(pa.scalar("["), joined, pa.scalar("]"), "")
    if pa.types.is_string(kind):
        return pa.array([json.dumps(cell, ensure_ascii=False) for cell in cells.to_pylist()], pa.string())
    if pa.types.is_float16(kind):
        cells = cells.cast(pa.float32())
    text = pc.cast(cells, pa.string())
    if not pa.types.is_floating(kind) or pc.all(pc.is_finite(cells)).as_py() is not False:
        return text
    text = pc.if_else(pc.is_nan(cells), "null", text)
    infinite = pc.binary_join_element_wise(pa.scalar('"'), text, pa.scalar('"'), "")
    return pc.if_else(pc.is_inf(cells), infinite, text)


def json_meta(source: Input) -> str:
    """The description in the first line; raises DataError where it is damaged."""
    with source.open() as stream:
        line = stream.readline(_LONGEST_META)
    text = line.decode("utf-8", "replace").rstrip()
    if not text.endswith("}"):
        raise DataError(f"{source.name}: line 1: the description is cut short")
    return text[len(JSON_BEGIN) : -1]


def read_lines(source: Input, layout: Layout) -> Iterator[Any]:
    """The lines in batches of Arrow; raises DataError that names the line."""
    columns = {column: stored for stored in layout.arrays for column in stored.columns}
    try:
        with source.open() as stream:
            stream.readline(_LONGEST_META)
            first = 2
            while lines := stream.readlines(_TOGETHER):
                yield _batch(lines, columns, source.name, first)
                first += len(lines)
    except BROKEN as error:
        raise damaged_packing(source.name, source.packing or "file's", error) from None


def _batch(lines: list[bytes], columns: dict[str, StoredArray], name: str, first: int) -> Any:
    import pyarrow as pa
    import pyarrow.json as pj

    types = {column: _type(stored) for column, stored in columns.items()}
    whole = b"".join(lines)
    parse = pj.ParseOptions(explicit_schema=pa.schema(list(types.items())), unexpected_field_behavior="error")
    read = pj.ReadOptions(use_threads=False, block_size=max(1 << 20, len(whole) + 1))
    try:
        found = pj.read_json(pa.BufferReader(whole), read_options=read, parse_options=parse)
    except pa.ArrowInvalid:
        return _batch_slowly(lines, types, name, first)
    return found.combine_chunks().to_batches()[0]


def _batch_slowly(lines: list[bytes], types: dict[str, Any], name: str, first: int) -> Any:
    """The same where a number is infinite, or something is wrong: what is wrong is found here."""
    import pyarrow as pa

    rows = []
    for number, line in zip(count(first), lines, strict=False):
        try:
            row = json.loads(line, parse_int=_whole)
            if not isinstance(row, dict) or {*row} != {*types}:
                raise ValueError("not the fields that the description lists")
            row = {column: _cell(row[column], kind) for column, kind in types.items()}
            rows.append({column: pa.scalar(cell, types[column]) for column, cell in row.items()})
        except (ValueError, TypeError, RecursionError, OverflowError) as error:
            raise DataError(
                f"{name}: line {number}: damaged ({' '.join(str(error).split())[:200]})"
            ) from None
    arrays = [pa.array([row[column] for row in rows], kind) for column, kind in types.items()]
    return pa.RecordBatch.from_arrays(arrays, names=list(types))


def _whole(text: str) -> float:
    """A whole number; the zero that has a sign is a fraction."""
    return -0.0 if text == "-0" else int(text)


def _cell(cell: Any, kind: Any) -> Any:
    """A cell in which the numbers of a column of fractions are such, as infinities are text in JSON.

    Raises ValueError for a cell of another type.
    """
    import pyarrow as pa

    if pa.types.is_list(kind) and isinstance(cell, list):
        return [_cell(part, kind.value_type) for part in cell]
    if pa.types.is_floating(kind) and cell is not None:
        if isinstance(cell, str) and cell not in ("inf", "-inf"):
            raise ValueError(f"{cell[:40]!r} is no number")
        return float(cell)
    expected = str if pa.types.is_string(kind) else bool if pa.types.is_boolean(kind) else int
    if cell is not None and type(cell) is not expected:
        raise ValueError(f"{str(cell)[:40]!r}; {kind} was expected")
    return cell


def _type(stored: StoredArray) -> Any:
    """The type that JSON has for a column."""
    import numpy as np
    import pyarrow as pa

    kind = pa.string() if stored.is_text else pa.from_numpy_dtype(np.dtype(stored.dtype))
    kind = pa.float32() if kind == pa.float16() else kind
    for _ in stored.cell_shape:
        kind = pa.list_(kind)
    return pa.list_(kind) if stored.per_step else kind
