"""Sequences as batches of Arrow, a sequence in each row, and back: what Parquet, Arrow and JSON lines have in common.

Where batches end depends on the sequences alone, so that the same sequences give the same bytes.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from seqtool.arrays.dtypes import Array
from seqtool.arrays.lazy import AnyArray
from seqtool.arrays.spool import GrowingArray, Spool
from seqtool.arrays.text import Text, stretches
from seqtool.errors import DataError, damaged
from seqtool.files.contents import encoded
from seqtool.files.row_layout import VARIABLE, Layout, RowArrays, StoredArray

_TOGETHER = 16 << 20  # bytes of the arrays of a batch, unless one sequence has more
_MOST_STEPS = (1 << 31) - 1  # of one sequence: Arrow counts the cells of a list in 31 bits


def schema_of(layout: Layout, metadata: dict[str, str] | None = None) -> Any:
    """The columns of the rows as a schema of Arrow."""
    fields = [
        pa.field(column, pa.list_(_cell_type(stored)) if stored.per_step else _cell_type(stored))
        for stored in layout.arrays
        for column in stored.columns
    ]
    return pa.schema(fields, metadata)


def _cell_type(stored: StoredArray) -> Any:
    kind = pa.string() if stored.is_text else pa.from_numpy_dtype(np.dtype(stored.dtype))
    for size in reversed(stored.cell_shape):
        kind = pa.list_(kind, size)
    return kind


def batches(rows: RowArrays, schema: Any) -> Iterator[tuple[Any, int]]:
    """The rows in batches, each with the bytes of its arrays; raises DataError for a sequence of too many steps."""
    if rows.layout.longest > _MOST_STEPS:
        raise DataError(
            f"a sequence of {rows.layout.longest:,} steps; a row holds {_MOST_STEPS:,} at most: write .npz"
        )
    per_step = sum(stored.row_bytes for stored in rows.layout.arrays if stored.per_step)
    per_row = sum(stored.row_bytes for stored in rows.layout.arrays if not stored.per_step)
    most = max(1, _TOGETHER // per_row)
    for first, last in stretches(rows.offsets, size=max(1, _TOGETHER // max(1, per_step))):
        for begin in range(first, last, most):
            end = min(begin + most, last)
            offsets = rows.offsets[begin : end + 1]
            columns = [
                column
                for stored in rows.layout.arrays
                for column in _columns(stored, rows.arrays[stored.name], begin, end, offsets)
            ]
            size = per_step * int(offsets[-1] - offsets[0]) + per_row * (end - begin)
            yield pa.RecordBatch.from_arrays(columns, schema=schema), size


def _columns(
    stored: StoredArray, array: AnyArray | Text, begin: int, end: int, offsets: Array
) -> Iterator[Any]:
    """The columns of some rows of an array."""
    if not stored.columns:
        return
    if stored.per_step:
        begin, end = int(offsets[0]), int(offsets[-1])
    part = array[begin:end]
    if not stored.is_text:
        part = part.astype(stored.dtype, copy=False)
    ends = pa.array((offsets - offsets[0]).astype(np.int32)) if stored.per_step else None
    for i in range(len(stored.columns)):
        cells = _cells(part if len(stored.columns) == 1 else part[:, i], stored.is_text)
        yield cells if ends is None else pa.ListArray.from_arrays(ends, cells)


def _cells(part: Array, is_text: bool) -> Any:
    """Rows (n, ...) as an array of Arrow of n cells: numbers or text, or lists of a fixed size of these."""
    flat = np.ascontiguousarray(part).reshape(-1)
    cells = pa.array(flat.tolist(), pa.string()) if is_text else pa.array(flat)
    for size in reversed(part.shape[1:]):
        cells = pa.FixedSizeListArray.from_arrays(cells, size)
    return cells


def arrays_of(found: Iterable[Any], layout: Layout, name: str, spool: Spool) -> dict[str, AnyArray | Text]:
    """The arrays in the batches of the file of this name, in memory while they are small, else in the spool.

    Raises DataError where they are not those of the layout.
    """
    growing = {stored.name: _Growing(stored, spool) for stored in layout.arrays}
    for batch in found:
        with damaged(f"{name}: damaged"):  # offsets and text that are wrong would crash whoever reads them
            batch.validate(full=True)
        lengths = _numbers(
            _column(batch, "lengths", name), (), np.dtype(np.int64), f"{name}: column 'lengths'"
        )
        if len(lengths) and not 0 <= int(lengths.min()) <= int(lengths.max()) <= layout.longest:
            raise DataError(f"{name}: column 'lengths' holds others than 0 to {layout.longest:,}")
        for stored in layout.arrays:
            growing[stored.name].add(_rows(batch, stored, lengths, name))
    for stored in layout.arrays:
        expected = layout.steps if stored.per_step else layout.sequences
        if len(growing[stored.name]) != expected:
            what = "steps" if stored.per_step else "sequences"
            raise DataError(
                f"{name}: holds {len(growing[stored.name]):,} {what} and says that it holds {expected:,}; its rows "
                "were changed when it was written again; write it without the metadata 'seqtool', and it is a table"
            )
    return {stored: array.done() for stored, array in growing.items()}


def _rows(batch: Any, stored: StoredArray, lengths: Array, name: str) -> Array:
    """The rows of an array in a batch, (n, ...): a copy, as a view would keep the whole batch in memory."""
    parts = []
    for column in stored.columns:
        cells, label = _column(batch, column, name), f"{name}: column {column!r}"
        if stored.per_step:
            cells = _steps(cells, lengths, label)
        parts.append(_read(cells, stored, label))
    if not parts:
        count = int(lengths.sum()) if stored.per_step else len(lengths)
        return np.empty((count, *stored.shape), object if stored.dtype == VARIABLE else stored.dtype)
    return np.array(parts[0]) if len(parts) == 1 else np.stack(parts, axis=1)


class _Growing:
    """An array that grows by the parts that batches hold."""

    def __init__(self, stored: StoredArray, spool: Spool) -> None:
        self._stored = stored
        is_bytes = stored.dtype == VARIABLE
        dtype = np.dtype(np.uint8 if is_bytes else stored.dtype)
        self._cells = GrowingArray(spool, dtype, () if is_bytes else stored.shape)
        self._sizes = GrowingArray(spool, np.dtype(np.int64))
        self._count = 0

    def __len__(self) -> int:
        return self._count

    def add(self, part: Array) -> None:
        self._count += len(part)
        if self._stored.dtype != VARIABLE:
            self._cells.add(part)
            return
        text = encoded(self._stored.name, part.astype(np.dtypes.StringDType()))
        self._cells.add(np.asarray(text.data))
        self._sizes.add(np.diff(text.offsets))

    def done(self) -> AnyArray | Text:
        cells = self._cells.done()
        if self._stored.dtype != VARIABLE:
            return cells
        offsets = np.concatenate([[0], np.cumsum(np.asarray(self._sizes.done()), dtype=np.int64)])
        return Text(cells, offsets, (self._count, *self._stored.shape), widest=None)


def _column(batch: Any, column: str, name: str) -> Any:
    places = batch.schema.get_all_field_indices(column)
    if len(places) != 1:
        raise DataError(
            f"{name}: has {len(places)} columns {column!r}, and its metadata says that it has one"
        )
    return batch.column(places[0])


def _steps(cells: Any, lengths: Array, label: str) -> Any:
    """The cells of the lists of a column, which must be as long as the sequences."""
    is_list = pa.types.is_list(cells.type) or pa.types.is_large_list(cells.type)
    if not is_list or cells.null_count:
        raise DataError(f"{label} holds {cells.type}, or nulls; a list for each sequence was expected")
    if not np.array_equal(np.asarray(pc.list_value_length(cells)), lengths):
        raise DataError(f"{label} holds lists of other lengths than those in the column 'lengths'")
    return cells.flatten()


def _read(cells: Any, stored: StoredArray, label: str) -> Array:
    """The cells of a column, (n, ...)."""
    if not stored.is_text:
        return _numbers(cells, stored.cell_shape, np.dtype(stored.dtype), label)
    count = len(cells)
    flat = _flat(cells, stored.cell_shape, label)
    text = flat.to_pylist()
    if not all(isinstance(cell, str) and "\0" not in cell for cell in text):
        raise DataError(f"{label} holds {flat.type}, nulls or a NUL; text was expected")
    found = np.array(text, dtype=object).reshape(count, *stored.cell_shape)
    if stored.dtype == VARIABLE:
        return found
    width = np.dtype(stored.dtype).itemsize // 4
    if max(map(len, text), default=0) > width:
        raise DataError(
            f"{label} holds text of more than {width} characters, and its metadata says that it does not"
        )
    return found.astype(stored.dtype)


def _numbers(cells: Any, shape: tuple[int, ...], dtype: np.dtype[Any], label: str) -> Array:
    """The numbers in cells (n,), as (n, *shape) of a dtype; null stands for NaN, as in JSON."""
    count, flat = len(cells), _flat(cells, shape, label)
    wider = dtype == np.float16 and flat.type == pa.float32()  # which JSON has none of
    if flat.type != pa.from_numpy_dtype(dtype) and not wider:
        raise DataError(f"{label} holds {flat.type}; {dtype} was expected")
    if flat.null_count:
        if dtype.kind != "f":
            raise DataError(f"{label} holds nulls; {dtype} was expected")
        flat = pc.fill_null(flat, float("nan"))
    numbers = np.asarray(flat.to_numpy(zero_copy_only=False))
    return numbers.astype(dtype, copy=False).reshape(count, *shape)


def _flat(cells: Any, shape: tuple[int, ...], label: str) -> Any:
    """The cells within lists of a known shape."""
    count = len(cells)
    for size in shape:
        kind = cells.type
        count *= size
        if not (pa.types.is_list(kind) or pa.types.is_large_list(kind) or pa.types.is_fixed_size_list(kind)):
            raise DataError(f"{label} holds {kind}; lists of {size} were expected")
        widths = np.asarray(pc.list_value_length(cells))
        if cells.null_count or (widths != size).any():
            raise DataError(f"{label} holds lists of other lengths than {size}")
        cells = cells.flatten()
    assert len(cells) == count
    return cells
