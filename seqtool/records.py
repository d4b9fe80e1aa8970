"""One record a sequence: JSON lists and objects, and list columns of Parquet and Arrow."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from seqtool.building import from_lists
from seqtool.casting import Array, check_cast, dtype_named
from seqtool.encoding import BadCellError, Keys, Labels, missing_words
from seqtool.errors import DataError, UsageError
from seqtool.grouping import key_array
from seqtool.inputs import Input, open_bytes
from seqtool.ragged import Ragged
from seqtool.sequences import Sequences, SourceOptions


def read_json(source: Input, options: SourceOptions) -> Sequences:
    """One list a sequence, of numbers or of steps, or one object a sequence; a document, or JSON lines.

    Whole numbers alone give int64; any fraction gives float32 unless a dtype is asked for.
    """
    records = list(_json_records(source))
    places = [place for place, _ in records]
    rows = [record for _, record in records]
    if not rows:
        raise DataError(f"{source.name}: holds no sequences")
    fields: dict[str, Any] = {}
    if isinstance(rows[0], dict):
        name = _array_name(source, options, [k for k, cell in rows[0].items() if isinstance(cell, list)])
        wanted = {"array": name, "label": options.label, "key": options.key}
        for part, wanted_name in wanted.items():
            if wanted_name is not None:
                fields[part] = [
                    _field(source, p, row, wanted_name) for p, row in zip(places, rows, strict=True)
                ]
        lists = fields["array"]
    elif options.array or options.label or options.key:
        raise UsageError(f"--array, --label and --key name fields of objects; {source.name} holds lists")
    else:
        lists = rows
    for place, row in zip(places, lists, strict=True):
        if not isinstance(row, list):
            raise DataError(
                f"{source.name}: {place}: {str(row)[:40]!r}; a list of numbers or of steps was expected"
            )
    try:
        ragged = from_lists(lists)
    except DataError as error:
        raise DataError(f"{source.name}: {_at_place(str(error), places)}") from None
    if ragged.values.dtype == np.float64:
        target = np.dtype(np.float32) if options.dtype is None else dtype_named(options.dtype)
        check_cast(ragged.values, target, name=f"{source.name}: values")
        ragged = ragged.replace(values=ragged.values.astype(target))
    return _with_company(source, ragged, fields, sum(map(len, lists)))


def _json_records(source: Input) -> Iterator[tuple[str, Any]]:
    """Every sequence's record and where it stands."""
    with open_bytes(source.path, source.packing) as stream:
        try:
            text = stream.read().decode("utf-8-sig")
        except UnicodeDecodeError:
            raise DataError(f"{source.name}: not UTF-8 text") from None
    lines = [(number, line) for number, line in enumerate(text.split("\n"), 1) if line.strip()]
    if not source.name.endswith((".jsonl", ".ndjson")) and (len(lines) == 1 or not _is_json(lines[0][1])):
        document = _parse_json(source, 1, text)
        if isinstance(document, list) and all(isinstance(item, (list, dict)) for item in document):
            yield from ((f"record {i}", record) for i, record in enumerate(document))
        else:
            yield "line 1", document
        return
    for number, line in lines:
        yield f"line {number}", _parse_json(source, number, line)


def _is_json(line: str) -> bool:
    try:
        json.loads(line)
    except ValueError:
        return False
    return True


def _parse_json(source: Input, line: int, text: str) -> Any:
    try:
        return json.loads(text)
    except json.JSONDecodeError as error:
        place = f"line {line + error.lineno - 1}, column {error.colno}"
        raise DataError(f"{source.name}: {place}: not JSON ({error.msg})") from None
    except RecursionError:
        raise DataError(f"{source.name}: line {line}: nested too deeply") from None


def _array_name(source: Input, options: SourceOptions, lists: Sequence[str]) -> str:
    if options.array is not None:
        return options.array
    if len(lists) != 1:
        raise DataError(
            f"{source.name}: holds {'several lists' if lists else 'no list'}; say which with --array: "
            f"{', '.join(lists) or '(none)'}"
        )
    return lists[0]


def _field(source: Input, place: str, record: Any, name: str) -> Any:
    if not isinstance(record, dict) or name not in record:
        there = ", ".join(record) if isinstance(record, dict) else type(record).__name__
        raise DataError(f"{source.name}: {place}: no field {name!r}; there is {there}")
    return record[name]


def _at_place(message: str, places: Sequence[str]) -> str:
    """`sequences[3][0] ...` with the place of the record in the file."""
    if message.startswith("sequences["):
        number, rest = message.removeprefix("sequences[").split("]", 1)
        return f"{places[int(number)]}: the sequence{rest}"
    return message


def read_list_column(source: Input, options: SourceOptions) -> Sequences:
    """A list column: of numbers, or of lists of F numbers each; its type stays."""
    table = _table(source)
    lists = [f.name for f in table.schema if pa.types.is_nested(f.type) and not pa.types.is_struct(f.type)]
    wanted = {"array": _array_name(source, options, lists), "label": options.label, "key": options.key}
    fields = {}
    for part, name in wanted.items():
        if name is not None and name not in table.column_names:
            raise DataError(
                f"{source.name}: no column {name!r}; the columns are {', '.join(table.column_names)}"
            )
        if name is not None:
            fields[part] = table[name].combine_chunks()
    values, offsets = _flat(source, wanted["array"] or "", fields["array"])
    return _with_company(source, Ragged(values, offsets), fields, len(values))


def _table(source: Input) -> Any:
    import pyarrow.parquet as parquet

    try:
        if source.kind == "parquet":
            return parquet.read_table(source.path)
        mapped = pa.memory_map(str(source.path))
        return (pa.ipc.open_stream if source.kind == "arrow-stream" else pa.ipc.open_file)(mapped).read_all()
    except (pa.ArrowException, OSError) as error:
        reason = " ".join(str(error).split())
        raise DataError(f"{source.name}: damaged, or not a whole {source.kind} file ({reason})") from None


def _flat(source: Input, name: str, column: Any) -> tuple[Array, Array]:
    """The numbers of a list column, (S,) or (S, F), and the offsets of its lists."""
    if column.null_count:
        row = int(np.argmax(np.asarray(column.is_null())))
        raise DataError(
            f"{source.name}: row {row} of {name!r} is null; a list was expected, if need be an empty one"
        )
    if not pa.types.is_nested(column.type):
        raise DataError(f"{source.name}: column {name!r} holds {column.type}; lists of numbers were expected")
    lengths = np.asarray(pc.list_value_length(column)).astype(np.int64)
    inner = column.flatten()
    shape: tuple[int, ...] = (len(inner),)
    if pa.types.is_nested(inner.type):
        widths = np.asarray(pc.list_value_length(inner))
        if inner.null_count or (len(widths) and (widths != widths[0]).any()):
            raise DataError(f"{source.name}: the steps of {name!r} have different numbers of features")
        shape = (len(inner), int(widths[0]) if len(widths) else 0)
        inner = inner.flatten()
    if not (
        pa.types.is_integer(inner.type) or pa.types.is_floating(inner.type) or pa.types.is_boolean(inner.type)
    ):
        raise DataError(f"{source.name}: column {name!r} holds {inner.type}; lists of numbers were expected")
    if inner.null_count:
        inner = pc.fill_null(inner.cast(pa.float64()), float("nan"))
    offsets = np.concatenate([[0], np.cumsum(lengths)]).astype(np.int64)
    return inner.to_numpy(zero_copy_only=False).reshape(shape), offsets


def _with_company(source: Input, ragged: Ragged, fields: dict[str, Any], steps: int) -> Sequences:
    """The sequences with their labels and keys."""
    try:
        if "key" in fields:
            keys, empty = Keys(keep_empty=True).encode(_cells(fields["key"]))
            if empty is not None:
                raise DataError(f"{source.name}: {pc.sum(empty).as_py():,} sequences have no key")
            ragged = ragged.replace(keys=key_array([keys]))
        if "label" in fields:
            labels = Labels(missing_words())
            codes = labels.encode(_cells(fields["label"]))
            if labels.missing:
                raise DataError(f"{source.name}: {labels.missing:,} sequences have no label")
            meaning, classes = labels.finish(None)
            names = {} if classes is None else {"classes": classes}
            ragged = ragged.replace(per_sequence={"y": meaning[codes]}, names=names)
    except (BadCellError, pa.ArrowInvalid, pa.ArrowTypeError) as error:
        raise DataError(
            f"{source.name}: the key and the label must be one text or number each ({error})"
        ) from None
    missing = int(np.isnan(ragged.values).sum()) if ragged.values.dtype.kind == "f" else 0
    warnings = [f"{missing:,} missing values became NaN"] if missing else []
    return Sequences(ragged, steps, warnings=warnings)


def _cells(column: Any) -> Any:
    return pa.array(column) if isinstance(column, list) else column
