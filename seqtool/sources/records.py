"""JSON with a sequence in each record: lists, objects, or mappings of keys to either."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np

from seqtool.advice import Advice
from seqtool.arrays.dtypes import Rounding, describe_loss, dtype_named, first_loss, rounding
from seqtool.errors import DataError, NotSequencesError, UsageError
from seqtool.files.inputs import Input
from seqtool.files.kinds import bare_name
from seqtool.files.packing import BROKEN, damaged_packing, open_bytes
from seqtool.operations.cast import rounding_warnings, wide_enough
from seqtool.sequences.conversion import NoCommonTypeError, from_lists
from seqtool.sequences.ragged import Ragged
from seqtool.sources.aligned import Aligned, LabelColumn, check_equal_lengths, with_aligned
from seqtool.sources.cells import cells_in_brackets
from seqtool.sources.options import Sequences, SourceOptions
from seqtool.system.memory import Memory
from seqtool.tables.cells import reads_as_missing
from seqtool.tables.cells.cells import whole_number
from seqtool.tables.cells.number_state import is_float
from seqtool.words import count, name_meant

# About the bytes of memory that a byte of JSON takes once it is parsed, and that each of these marks adds: measured.
_EACH_BYTE = 3
_EACH_MARK = {b",": 30, b"[": 240, b"{": 240, b"\n": 200}
_PIECE = 1 << 20  # bytes of JSON that are looked at together
_FAR = 100  # times the memory allowed; counting stops there


def read_json(source: Input, options: SourceOptions) -> Sequences:
    """The sequences of a JSON document, or of JSON lines: each is a list of numbers or of steps, or an object.

    Several lists of an object stand side by side as features; text may be a list as in a cell of CSV. Whole numbers
    alone give int64; any fraction gives float32 unless a dtype is asked for. Raises DataError that names the record.
    """
    _check_memory(source, options.memory)
    records, found, warnings = list(_json_records(source, options)), Aligned(), list[str]()
    places = [place for place, _ in records]
    rows = [record for _, record in records]
    if not rows:
        raise DataError(f"{source.name}: holds no sequences")
    spec, features = options.foreign, None
    if spec.rows.keys_from_names:
        found.keys = [json.loads(place.removeprefix(_NAMED)) for place in places]
    if isinstance(rows[0], dict):
        names = spec.arrays or [_only_list(source, rows[0])]
        found, lists = _fields(source, records, names, options, found)
        features = tuple(names) if len(names) > 1 else None
    elif spec.array or spec.labels or spec.key or spec.step_label or spec.rows.static:
        words = ("--array", "--label", "--step-label", "--key", "--static")
        raise UsageError(
            f"--array, --label and --key name fields of objects; {source.name} holds lists: ",
            spec.without(*words),
        )
    else:
        lists = [_as_list(source, place, row) for place, row in records]
    try:
        ragged = from_lists(lists)
    except NoCommonTypeError as error:
        ragged = _rounded(source, lists, options, error, warnings)
    except DataError as error:
        raise DataError(f"{source.name}: {_at_place(str(error), places)}") from None
    ragged = _narrowed(source, ragged, places, options, warnings)
    if features is not None and ragged.values.ndim == 1:  # no step at all
        ragged = ragged.replace(values=np.empty((0, len(features)), ragged.values.dtype))
    ragged = ragged.replace(features=features)
    return with_aligned(source.name, ragged, found, spec.rows, sum(map(len, lists)), warnings)


def _fields(
    source: Input, records: list[tuple[str, Any]], names: list[str], options: SourceOptions, found: Aligned
) -> tuple[Aligned, list[Any]]:
    """The keys, labels and static numbers of objects, added to `found`, and their lists of steps."""
    spec = options.foreign
    named = len(spec.arrays) > 0

    def field(name: str) -> list[Any]:
        return [_field(source, place, row, name) for place, row in records]

    def beside(name: str) -> list[Any]:
        """What stands beside the sequences: missing where a record does not have the field, but another has."""
        absent = [
            isinstance(row, dict) and name not in row and name_meant(name, row) is None for _, row in records
        ]
        if all(absent):
            return field(name)
        pairs = zip(records, absent, strict=True)
        return [None if gone else _field(source, place, row, name) for (place, row), gone in pairs]

    def lists_in(name: str, *, text: bool) -> list[list[Any]]:
        cells = zip(records, field(name), strict=True)
        return [_as_list(source, place, cell, text=text) for (place, _), cell in cells]

    columns = [lists_in(name, text=named) for name in names]
    for name in spec.labels:
        found.labels[name] = LabelColumn(source.name, name, options, place=lambda i: records[i][0])
        found.labels[name].add(beside(name))
    found.static = {str(name): beside(str(name)) for name in spec.rows.static}
    if spec.key is not None:
        found.keys = field(spec.key)
    of_steps = [] if spec.step_label is None else [lists_in(spec.step_label, text=True)]
    labelled = [] if spec.step_label is None else [spec.step_label]
    for i, (place, _) in enumerate(records):
        check_equal_lengths(
            f"{source.name}: {place}",
            [len(column[i]) for column in [*columns, *of_steps]],
            [*names, *labelled],
        )
    if of_steps:
        ends = np.cumsum([len(cells) for cells in of_steps[0]])
        found.step_labels = LabelColumn(
            source.name,
            labelled[0],
            options,
            holder="step",
            place=lambda step: records[int(np.searchsorted(ends, step, side="right"))][0],
        )
        found.step_labels.add([cell for cells in of_steps[0] for cell in cells])
    if len(columns) == 1:
        return found, columns[0]
    return found, [[[*step] for step in zip(*rows, strict=True)] for rows in zip(*columns, strict=True)]


def _as_list(source: Input, place: str, cell: Any, *, text: bool = False) -> list[Any]:
    """The list in a cell, or in its text if `text`; raises DataError for anything else."""
    if isinstance(cell, list):
        return cell
    if text and isinstance(cell, str):
        return [_number(spelled) for spelled in cells_in_brackets(cell)]
    raise DataError(f"{source.name}: {place}: {str(cell)[:40]!r}; a list of numbers or of steps was expected")


def _number(cell: str) -> Any:
    """The number that a cell of text spells, None for a missing value; other text as it is."""
    if reads_as_missing(cell):
        return None
    whole = whole_number(cell)
    if whole is not None:
        return whole
    return float(cell) if is_float(cell) else cell


def _narrowed(
    source: Input, ragged: Ragged, places: list[str], options: SourceOptions, warnings: list[str]
) -> Ragged:
    """The sequences with fractions as float32, or as the dtype asked for; it adds to `warnings`."""
    values = np.asarray(ragged.values)
    if values.dtype != np.float64 and (values.dtype != np.uint64 or options.dtype is None):
        return ragged
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
        return ragged.replace(values=values.astype(target))


def _rounded(
    source: Input, lists: list[Any], options: SourceOptions, error: DataError, warnings: list[str]
) -> Ragged:
    """The sequences as float64, which rounds some whole numbers, if it is asked for; it adds to `warnings`.

    Raises DataError with the advice to ask for it.
    """
    lost = 0

    def as_float(cell: Any) -> Any:
        nonlocal lost
        if isinstance(cell, list):
            return [as_float(element) for element in cell]
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
    """Raise DataError for JSON that takes more memory than is allowed; short lists take far more than their text."""
    needed = 0
    try:
        with open_bytes(source.path, source.packing) as stream:
            while needed < _FAR * memory.limit and (piece := stream.read(_PIECE)):
                needed += _EACH_BYTE * len(piece)
                needed += sum(each * piece.count(mark) for mark, each in _EACH_MARK.items())
    except BROKEN as error:
        raise damaged_packing(source.name, source.packing or "file's", error) from None
    memory.check_whole(source.name, needed, "save them as .npz, text or Parquet")


def _json_records(source: Input, options: SourceOptions) -> Iterator[tuple[str, Any]]:
    """The record of each sequence with its place: its line or number, or its key in a mapping."""
    by_names = options.foreign.rows.keys_from_names
    for place, record in _documents(source, as_pairs=by_names):
        if not by_names:
            yield place, record
        elif not isinstance(record, _Pairs):
            raise DataError(
                f"{source.name}: {place}: an object whose names are keys of sequences was expected"
            )
        else:
            for name, value in record:
                yield f"{_NAMED}{json.dumps(name)}", dict(value) if isinstance(value, _Pairs) else value


_NAMED = "key "


class _Pairs(tuple[tuple[str, Any], ...]):
    """A JSON object as pairs, so that a name that stands there twice is seen."""


def _documents(source: Input, *, as_pairs: bool) -> Iterator[tuple[str, Any]]:
    """The records of a document, or of JSON lines, each with its place."""
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
            yield f"line {number}", _parse_json(source, number, line, as_pairs=as_pairs)
        return
    document = _parse_json(source, 1, text, as_pairs=as_pairs)
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


def _parse_json(source: Input, line: int, text: str, *, as_pairs: bool = False) -> Any:
    try:
        return json.loads(text, parse_float=_finite, object_pairs_hook=_Pairs if as_pairs else None)
    except json.JSONDecodeError as error:
        place = f"line {line + error.lineno - 1}, column {error.colno}"
        raise DataError(f"{source.name}: {place}: not JSON ({error.msg})") from None
    except RecursionError:
        raise DataError(f"{source.name}: line {line}: nested too deeply") from None
    except ValueError as error:  # from `_finite`, or Python's own, which advises Python
        why = "thousands of digits" if "digits" in str(error) else error
        raise DataError(f"{source.name}: line {line}: a number that no dtype can hold ({why})") from None


def _finite(text: str) -> float:
    """A fraction; raises ValueError where float64 would make it infinite."""
    number = float(text)
    if abs(number) == float("inf"):
        raise ValueError(f"{text} is out of range for float64")
    return number


def _only_list(source: Input, record: dict[str, Any]) -> str:
    """The only field that holds a list; raises DataError where there are none or several."""
    lists = [name for name, cell in record.items() if isinstance(cell, list)]
    if not lists:
        raise NotSequencesError(f"{source.name}: holds no list of steps")
    if len(lists) > 1:
        by_names: list[object] = []
        if len(lists) == len(record):
            by_names = [
                "; or if each of these is a sequence and its name the key: ",
                Advice("--keys-from-names"),
            ]
        raise DataError(
            f"{source.name}: holds several lists; choose one of {', '.join(lists)}, such as ",
            Advice("--array", lists[0]),
            *by_names,
        )
    return lists[0]


def _field(source: Input, place: str, record: Any, name: str) -> Any:
    """A field of a record; raises DataError where it lacks the field, or is no object."""
    field = name_meant(name, record) if isinstance(record, dict) and name not in record else name
    if not isinstance(record, dict) or field is None:
        there = ", ".join(record) if isinstance(record, dict) else type(record).__name__
        raise DataError(f"{source.name}: {place}: no field {name!r} in {there}")
    return record[field]


def _at_place(message: str, places: Sequence[str]) -> str:
    """A message that begins with `sequences[3]`, with the place of that record instead."""
    if message.startswith("sequences["):
        number, rest = message.removeprefix("sequences[").split("]", 1)
        return f"{places[int(number)]}: the sequence{rest}"
    return message
