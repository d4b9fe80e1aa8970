"""The records of JSON, each with its place: those of a document, of JSON lines, or of a mapping of keys."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

from seqtool.errors import DataError
from seqtool.files.inputs import Input
from seqtool.files.kinds import bare_name
from seqtool.files.packing import BROKEN, READ_AT_ONCE, damaged_packing, open_bytes
from seqtool.sources.options import SourceOptions
from seqtool.system.memory import Memory

# About the bytes of memory that a byte of JSON takes once it is parsed, and that each of these marks adds: measured.
_EACH_BYTE = 3
_EACH_MARK = {b",": 30, b"[": 240, b"{": 240, b"\n": 200}
_FAR = 100  # times the memory allowed; counting stops there


def check_memory(source: Input, memory: Memory) -> None:
    """Raise DataError for JSON that takes more memory than is allowed; short lists take far more than their text."""
    needed = 0
    try:
        with open_bytes(source.path, source.packing) as stream:
            while needed < _FAR * memory.limit and (piece := stream.read(READ_AT_ONCE)):
                needed += _EACH_BYTE * len(piece)
                needed += sum(each * piece.count(mark) for mark, each in _EACH_MARK.items())
    except BROKEN as error:
        raise damaged_packing(source.name, source.packing or "file's", error) from None
    memory.check_whole(source.name, needed, "save them as .npz, text or Parquet")


def json_records(source: Input, options: SourceOptions) -> Iterator[tuple[str, Any]]:
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
                yield f"{NAMED}{json.dumps(name)}", dict(value) if isinstance(value, _Pairs) else value


NAMED = "key "
"""What the place of a record begins with that stands in a mapping; its name follows, as JSON."""


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
