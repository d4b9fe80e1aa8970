"""Record batches of Arrow and Parquet files: validated, checked for cells that are too large, and cut into pieces."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Any, NamedTuple

from seqtool.files.inputs import Input
from seqtool.tables.table import BATCH_BYTES, BATCH_ROWS
from seqtool.words import human


class Records(NamedTuple):
    """A file of record batches.

    `batches` yields the columns at some positions; `rows` is None where only reading shows how many there are.
    """

    schema: Any
    batches: Callable[[Sequence[int]], Iterator[Any]]
    rows: int | None


def check_dictionary(source: Input, name: str, size: int) -> None:
    """Raise DataError for a dictionary of texts, of `size` bytes, that takes more memory than is allowed."""
    source.memory.check_whole(
        f"{source.name}: the dictionary of column {name!r}", COPIES * size, "write plain text"
    )


def check_list(source: Input, place: str, size: int) -> None:
    """Raise DataError for a list, of `size` bytes, that takes more memory than is allowed."""
    source.memory.check_whole(
        f"{source.name}: {place}: a list of {human(size)}", COPIES * size, "save its steps as rows"
    )


def check_text(source: Input, place: str, size: int) -> None:
    """Raise DataError for a cell of text, of `size` bytes, that is longer than is allowed."""
    source.memory.check_single(f"{source.name}: {place}: a cell of text", size, "shorten it")


def check_cells(source: Input, batch: Any, before: int) -> None:
    """Raise DataError for a text or a list that is too large; `before` is the number of rows before the batch."""
    import pyarrow.compute as pc

    for name, column in zip(batch.schema.names, batch.columns, strict=True):
        lengths = _list_bytes(column) if is_nested(column.type) else _text_bytes(column)
        largest = 0 if lengths is None else pc.max(lengths).as_py() or 0
        if largest > _LARGE:
            place = f"row {before + pc.index(lengths, largest).as_py() + 1}, column {name!r}"
            if is_nested(column.type):
                check_list(source, place, largest)
            else:
                check_text(source, place, largest)


COPIES = 5  # of a dictionary or a list, in memory at the same time
_LARGE = 1 << 20  # bytes: smaller cells are never too large


def rows_at_once(schema: Any, columns: Sequence[int]) -> int:
    """How many rows a batch should have: fewer for many columns, and for lists, whose lengths are unknown."""
    nested = any(is_nested(schema.field(i).type) for i in columns)
    return max(1, min(BATCH_ROWS, BATCH_BYTES // (8 * max(1, len(columns)) * (100 if nested else 1))))


def in_pieces(batch: Any) -> Iterator[Any]:
    """A batch, halved until no piece has too much text, which is copied when it is read."""
    if len(batch) < 2 or sum(map(_text_size, batch.columns)) <= BATCH_BYTES:
        yield batch
        return
    half = len(batch) // 2
    yield from in_pieces(batch.slice(0, half))
    yield from in_pieces(batch.slice(half))


def serialized(batch: Any) -> Any:
    """A record batch with its schema and dictionaries as a buffer, which `pa.ipc.open_stream` reads."""
    import pyarrow as pa

    sink = pa.BufferOutputStream()
    with pa.ipc.new_stream(sink, batch.schema) as writer:
        writer.write_batch(batch)
    return sink.getvalue()


def _text_size(column: Any) -> int:
    """The bytes of all text in a column; 0 for a column of another type."""
    import pyarrow.compute as pc

    lengths = _text_bytes(column)
    return 0 if lengths is None else pc.sum(lengths).as_py() or 0


def _text_bytes(column: Any) -> Any:
    """The bytes of each cell of text; None for a column of another type."""
    import pyarrow as pa
    import pyarrow.compute as pc

    if pa.types.is_dictionary(column.type) and _is_text(column.type.value_type):
        return pc.take(pc.binary_length(column.dictionary), column.indices)
    return pc.binary_length(column) if _is_text(column.type) else None


def _list_bytes(column: Any) -> Any:
    """The bytes of the numbers in each list; None for a column of another type."""
    import pyarrow as pa
    import pyarrow.compute as pc

    kind = column.type
    if not (pa.types.is_list(kind) or pa.types.is_large_list(kind)):
        return None
    each = kind.value_type.bit_width // 8 if pa.types.is_primitive(kind.value_type) else 8
    return pc.multiply(pc.cast(pc.list_value_length(column), pa.int64()), max(1, each))


def _is_text(kind: Any) -> bool:
    import pyarrow as pa

    types = pa.types
    return bool(
        types.is_string(kind)
        or types.is_large_string(kind)
        or types.is_binary(kind)
        or types.is_large_binary(kind)
    )


def is_nested(kind: Any) -> bool:
    """Whether each cell of this type may hold several values."""
    import pyarrow as pa

    return bool(pa.types.is_nested(kind))


def validate(batch: Any, *, once: bool | None = None) -> None:
    """Raise ArrowInvalid where offsets decrease or point past their data, or text is not UTF-8.

    Of lists and dictionaries Arrow validates all values, however small the slice is; of numbers the count of nulls.
    With `once=True` only these columns are validated, with `once=False` only the others, with None all of them.
    """
    import pyarrow as pa

    for name, column in zip(batch.schema.names, batch.columns, strict=True):
        kind = column.type
        whole = is_nested(kind) or pa.types.is_dictionary(kind) or pa.types.is_primitive(kind)
        if once is None or once == whole:
            try:
                # Times past midnight, and dates with a time of day, are harmless.
                column.validate(full=not (pa.types.is_time(kind) or pa.types.is_date64(kind)))
            except pa.ArrowInvalid as error:
                raise pa.ArrowInvalid(f"column {name!r}: {error}") from None
