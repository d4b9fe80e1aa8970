"""One record a sequence: JSON lists and objects, and list columns of Parquet and Arrow."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import numpy as np
import pyarrow as pa

from seqtool.advice import Advice
from seqtool.arrays.dtypes import Array, Rounding, describe_loss, dtype_named, first_loss, rounding
from seqtool.arrays.lazy import chunks
from seqtool.arrays.list_columns import is_list, lists_of
from seqtool.arrays.spool import GrowingArray
from seqtool.arrays.text import Text
from seqtool.errors import DataError, NotSequencesError, UsageError, at
from seqtool.files.inputs import Input
from seqtool.files.kinds import bare_name
from seqtool.files.packing import BROKEN, damaged_packing, open_bytes
from seqtool.grouping.kernel import key_array
from seqtool.operations.cast import rounding_warnings, wide_enough
from seqtool.sequences.conversion import NoCommonTypeError, cumulative_offsets, from_lists
from seqtool.sequences.ragged import Ragged
from seqtool.sources.options import Sequences, SourceOptions
from seqtool.system.memory import Memory
from seqtool.tables.arrow_files import record_batches
from seqtool.tables.cells import BadCellError, Keys, Labels, LabelState, several_meanings
from seqtool.words import count

# About the bytes that each byte of JSON takes once it is read, and what each of these marks takes beside: measured.
_EACH_BYTE = 3
_EACH_MARK = {b",": 30, b"[": 240, b"{": 240, b"\n": 200}
_PIECE = 1 << 20  # bytes of JSON that are looked at together
_FAR = 100  # times what is allowed: further nobody needs to count


def read_json(source: Input, options: SourceOptions) -> Sequences:
    """One list a sequence, of numbers or of steps, or one object a sequence; a document, or JSON lines.

    Whole numbers alone give int64; any fraction gives float32 unless a dtype is asked for.
    """
    _check_memory(source, options.memory)
    records = list(_json_records(source))
    places = [place for place, _ in records]
    rows = [record for _, record in records]
    if not rows:
        raise DataError(f"{source.name}: holds no sequences")
    fields: dict[str, Any] = {}
    if isinstance(rows[0], dict):
        name = _array_name(source, options, [k for k, cell in rows[0].items() if isinstance(cell, list)])
        wanted = _wanted(name, options)
        for part, wanted_name in wanted.items():
            fields[part] = [_field(source, p, row, wanted_name) for p, row in zip(places, rows, strict=True)]
        lists = fields["array"]
    elif options.foreign.array or options.foreign.labels or options.foreign.key:
        raise UsageError(
            f"--array, --label and --key name fields of objects; {source.name} holds lists: ",
            options.foreign.without("--array", "--label", "--key"),
        )
    else:
        lists = rows
    for place, row in zip(places, lists, strict=True):
        if not isinstance(row, list):
            raise DataError(
                f"{source.name}: {place}: {str(row)[:40]!r}; a list of numbers or of steps was expected"
            )
    warnings = list[str]()
    try:
        ragged = from_lists(lists)
    except NoCommonTypeError as error:
        ragged = _rounded(source, lists, options, error, warnings)
    except DataError as error:
        raise DataError(f"{source.name}: {_at_place(str(error), places)}") from None
    values = np.asarray(ragged.values)
    if values.dtype == np.float64 or (values.dtype == np.uint64 and options.dtype is not None):
        target = np.dtype(np.float32) if options.dtype is None else dtype_named(options.dtype)
        explicit = options.dtype is not None and target.kind == "f"
        found = rounding(values, target) if explicit else Rounding(0, first_loss(values, target))
        warnings += rounding_warnings(found.count, target)
        lost = found.overflow
        if lost is not None:
            step = np.unravel_index(lost, values.shape)[0]
            place = places[int(np.searchsorted(ragged.offsets, step, side="right")) - 1]
            raise DataError(
                f"{source.name}: {place}: {describe_loss(values.reshape(-1)[lost].item(), target)}; ",
                wide_enough(values),
            )
        with np.errstate(under="ignore"):
            ragged = ragged.replace(values=values.astype(target))
    return _with_aligned(source, ragged, fields, sum(map(len, lists)), warnings)


def _rounded(
    source: Input, lists: list[Any], options: SourceOptions, error: DataError, warnings: list[str]
) -> Ragged:
    """The sequences as float64, which rounds some whole numbers, where that is asked for; it adds to `warnings`."""
    lost = 0

    def as_float(cell: Any) -> Any:
        nonlocal lost
        if isinstance(cell, list):
            return [as_float(one) for one in cell]
        if type(cell) is not int:
            return cell
        lost += int(float(cell)) != cell
        return float(cell)

    try:
        ragged = from_lists(as_float(lists))
    except OverflowError:
        raise DataError(f"{source.name}: holds a number that no dtype can hold") from None
    if options.dtype != "float64":
        raise DataError(f"{source.name}: {error}; ", Advice("--dtype", "float64"), " rounds them")
    if lost:
        warnings.append(
            f"{count(lost, 'whole number')} {'was' if lost == 1 else 'were'} rounded to float64, "
            "which cannot hold so large ones exactly"
        )
    return ragged


def _check_memory(source: Input, memory: Memory) -> None:
    """Raise DataError for JSON that takes more memory than is allowed: short lists take far more than their letters."""
    needed = 0
    try:
        with open_bytes(source.path, source.packing) as stream:
            while needed < _FAR * memory.limit and (piece := stream.read(_PIECE)):
                needed += _EACH_BYTE * len(piece)
                needed += sum(each * piece.count(mark) for mark, each in _EACH_MARK.items())
    except BROKEN as error:
        raise damaged_packing(source.name, source.packing or "file's", error) from None
    memory.check_whole(source.name, needed, "save them as .npz, text or Parquet")


def _json_records(source: Input) -> Iterator[tuple[str, Any]]:
    """Every sequence's record and where it stands."""
    try:
        with open_bytes(source.path, source.packing) as stream:
            text = stream.read().decode("utf-8-sig")
    except UnicodeDecodeError:
        raise DataError(f"{source.name}: not UTF-8 text") from None
    except BROKEN as error:
        raise damaged_packing(source.name, source.packing or "file's", error) from None
    lines = [(number, line) for number, line in enumerate(text.split("\n"), 1) if line.strip()]
    bare = bare_name(source.name.lower())
    one_a_line = bare.endswith((".jsonl", ".ndjson")) or (len(lines) > 1 and _is_json(lines[0][1]))
    if one_a_line or not lines:
        for number, line in lines:
            yield f"line {number}", _parse_json(source, number, line)
        return
    document = _parse_json(source, 1, text)
    if isinstance(document, list) and all(isinstance(item, (list, dict)) for item in document):
        yield from ((f"record {i}", record) for i, record in enumerate(document))
    else:
        yield "line 1", document


def _is_json(line: str) -> bool:
    try:
        json.loads(line)
    except (ValueError, RecursionError):
        return False
    return True


def _parse_json(source: Input, line: int, text: str) -> Any:
    try:
        return json.loads(text, parse_float=_finite)
    except json.JSONDecodeError as error:
        place = f"line {line + error.lineno - 1}, column {error.colno}"
        raise DataError(f"{source.name}: {place}: not JSON ({error.msg})") from None
    except RecursionError:
        raise DataError(f"{source.name}: line {line}: nested too deeply") from None
    except ValueError as error:  # from `_finite`, or Python's own, which advises Python
        why = "thousands of digits" if "digits" in str(error) else error
        raise DataError(f"{source.name}: line {line}: a number that no dtype can hold ({why})") from None


def _finite(text: str) -> float:
    number = float(text)
    if abs(number) == float("inf"):
        raise ValueError(f"{text} is out of range for float64")
    return number


def _array_name(source: Input, options: SourceOptions, lists: Sequence[str]) -> str:
    if options.foreign.array is not None:
        return options.foreign.array
    if not lists:
        raise NotSequencesError(f"{source.name}: holds no list of steps")
    if len(lists) > 1:
        raise DataError(
            f"{source.name}: holds several lists; choose one of {', '.join(lists)}, such as ",
            Advice("--array", lists[0]),
        )
    return lists[0]


def _field(source: Input, place: str, record: Any, name: str) -> Any:
    if not isinstance(record, dict) or name not in record:
        there = ", ".join(record) if isinstance(record, dict) else type(record).__name__
        raise DataError(f"{source.name}: {place}: no field {name!r} in {there}")
    return record[name]


def _at_place(message: str, places: Sequence[str]) -> str:
    """`sequences[3][0] ...` with the place of the record in the file."""
    if message.startswith("sequences["):
        number, rest = message.removeprefix("sequences[").split("]", 1)
        return f"{places[int(number)]}: the sequence{rest}"
    return message


def _wanted(array: str, options: SourceOptions) -> dict[str, str]:
    """The fields or columns that are read, by their parts: the array, the key, and each label with its name."""
    labels = {f"{_LABEL}{name}": name for name in options.foreign.labels}
    key = {} if options.foreign.key is None else {"key": options.foreign.key}
    return {"array": array, **labels, **key}


_LABEL = "label "


def read_list_column(source: Input, options: SourceOptions) -> Sequences:
    """A list column: of numbers, or of lists of F numbers each; its type stays."""
    schema, batches, _ = record_batches(source)
    lists = [field.name for field in schema if is_list(field.type)]
    named = _wanted(_array_name(source, options, lists), options)
    for name in named.values():
        if name not in schema.names:
            raise DataError(f"{source.name}: no column {name!r}; the columns are {', '.join(schema.names)}")
    values: GrowingArray | None = None
    lengths, fields = GrowingArray(options.spool, np.dtype(np.int64)), {part: list[Any]() for part in named}
    kinds: set[np.dtype[Any]] = set()
    for batch in batches([schema.names.index(name) for name in named.values()]):
        columns = dict(zip(named, batch.columns, strict=True))
        with at(source.name):
            found = lists_of(columns.pop("array"), named["array"], first_row=len(lengths))
        steps, counts = found.values.copy(), found.lengths  # copied, for the batch gives its pages back
        if values is None or (not len(values) and values.tail != steps.shape[1:]):
            values = GrowingArray(options.spool, steps.dtype, steps.shape[1:])
        if len(steps) and steps.shape[1:] != values.tail:
            raise DataError(
                f"{source.name}: the steps of {named['array']!r} have different numbers of features"
            )
        if len(steps):
            values.add(steps)
            kinds.add(steps.dtype)
        lengths.add(counts)
        for part, column in columns.items():
            fields[part].append(column)
    if values is None:  # no batch at all
        nothing = pa.array([], schema.field(named["array"]).type)
        with at(source.name):
            steps = lists_of(nothing, named["array"]).values
        values = GrowingArray(options.spool, steps.dtype, steps.shape[1:])
    dtype = np.result_type(*kinds) if kinds else values.dtype
    ragged = Ragged(values.done(dtype), cumulative_offsets(lengths.done()))
    aligned = {part: pa.concat_arrays(columns) for part, columns in fields.items() if columns}
    return _with_aligned(source, ragged, aligned, len(values), [])


def _with_aligned(
    source: Input, ragged: Ragged, fields: dict[str, Any], steps: int, warnings: list[str]
) -> Sequences:
    """The sequences with their labels and keys."""
    try:
        if "key" in fields:
            column = Keys()
            keys, empty = column.encode(_cells(fields["key"]))
            warnings += _kept("key", column.state.words)
            if empty is not None:
                raise DataError(f"{source.name}: {int(empty.sum()):,} sequences have no key")
            if not isinstance(keys, np.ndarray) and pa.types.is_dictionary(keys.type):
                keys = keys.dictionary_decode()
            ragged = ragged.replace(keys=key_array([keys]))
        labels = {
            part.removeprefix(_LABEL): cells for part, cells in fields.items() if part.startswith(_LABEL)
        }
        if labels:
            y, names = _labels(source, labels, warnings)
            ragged = ragged.replace(per_sequence={"y": y}, names=names)
    except UnicodeEncodeError:
        raise DataError(
            f"{source.name}: a key or a label holds a lone surrogate, which is not valid text"
        ) from None
    except (BadCellError, pa.ArrowInvalid, pa.ArrowTypeError) as error:
        raise DataError(
            f"{source.name}: the key and the label must be one text or number each ({error})"
        ) from None
    is_float = ragged.values.dtype.kind == "f"
    missing = sum(int(np.isnan(part).sum()) for _, part in chunks(ragged.values)) if is_float else 0
    warnings += [f"{missing:,} missing values became NaN"] if missing else []
    return Sequences(ragged, steps, warnings=warnings)


def _kept(what: str, words: Mapping[str, int]) -> list[str]:
    """Warnings of keys or labels that are words for missing values."""
    return [
        f"{what} {text!r} of {count(rows, 'sequence')} reads as a missing value; it was kept as it is written"
        for text, rows in words.items()
    ]


def _labels(
    source: Input, fields: dict[str, Any], warnings: list[str]
) -> tuple[Array, dict[str, Array | Text]]:
    """The labels of records, (N,), or (N, L) of several, with the names of their classes; it adds to `warnings`."""
    labels, codes = dict[str, LabelState](), list[Array]()
    for name, cells in fields.items():
        column = Labels()
        codes.append(column.encode(_cells(cells)))
        if column.missing:
            without = count(column.missing, "sequence")
            have, of = "has" if column.missing == 1 else "have", f" {name!r}" if len(fields) > 1 else ""
            raise DataError(f"{source.name}: {without} {have} no label{of}")
        labels[name] = column.state
        warnings += _kept("label", column.state.doubtful)
    if len(labels) > 1:
        meanings, tables = several_meanings(labels, None)
        return np.stack([one[some] for one, some in zip(meanings, codes, strict=True)], axis=1), tables
    meaning, classes = next(iter(labels.values())).finish(None)
    return np.asarray(meaning[codes[0]]), {} if classes is None else {"classes": classes}


def _cells(column: Any) -> Any:
    """The keys or labels of records as an Arrow array of one kind; integers past 64 bits as text."""
    if not isinstance(column, list):
        return column
    kinds = {float if type(cell) is int else type(cell) for cell in column if cell is not None}
    if len(kinds) > 1 or not kinds <= {str, float, bool}:
        raise pa.ArrowInvalid("lists, objects or mixed types")
    if any(type(cell) is int and not -(2**63) <= cell < 2**63 for cell in column):
        column = [None if cell is None else str(cell) for cell in column]
    return pa.array(column)
