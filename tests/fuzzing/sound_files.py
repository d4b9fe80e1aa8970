"""Sound files of every kind, the calls that read them, and readers that are trusted."""

from __future__ import annotations

import csv
import gzip
import io
import json
from collections.abc import Callable
from typing import Any

import numpy as np
import pyarrow as pa
from pyarrow import parquet

import seqtool
from tests.written import write

Reader = Callable[[bytes], Any]
"""The steps in the bytes of a file, as `sorted_steps` gives them; None where the reader cannot say."""


def sorted_steps(steps: list[Any]) -> list[Any]:
    """Steps so that neither keys nor their order matter; as floats, NaN as text, and -0 as 0, as text has it."""
    rows = [step if isinstance(step, list) else [step] for step in steps]
    return sorted([repr(float(number) + 0.0) for number in row] for row in rows)


def _csv_rows(data: bytes) -> list[Any] | None:
    rows = [row for row in csv.reader(io.StringIO(data.decode("utf-8-sig"), newline="")) if row]
    if not all(rows[0]):
        return None  # a column without a name is left out
    return _numbers([row[1:] for row in rows[1:]], len(rows[0]) - 1)


def _numbers(rows: list[list[Any]], width: int) -> list[Any]:
    words = {"", "na", "n/a", "null", "none", "nan"}
    if any(len(row) != width for row in rows):
        raise ValueError("rows of several lengths")

    def number(cell: Any) -> float:
        text = str(cell).strip()
        if text.lower() in words or text.lower() in ("true", "false"):
            return float("nan") if text.lower() in words else float(text.lower() == "true")
        if "_" in text:
            raise ValueError(text)
        return float(np.float32(float(text)))

    return sorted_steps([[number(cell) for cell in row] for row in rows])


def _json_rows(data: bytes) -> list[Any]:
    lines = [
        line.removeprefix("\ufeff") for line in data.decode().split("\n")
    ]  # as files joined by `cat` have them
    rows = [json.loads(line) for line in lines if line.strip()]
    names = [name for name in dict.fromkeys(name for row in rows for name in row) if name != "k"]
    cells = [["" if row.get(name) is None else row[name] for name in names] for row in rows]
    return _numbers(cells, len(names))


def _json_lists(data: bytes) -> list[Any]:
    records = json.loads(data.decode("utf-8-sig"))
    return sorted_steps([number for record in records for number in record])


def _npy_rows(data: bytes) -> list[Any]:
    return sorted_steps([step for steps in np.load(io.BytesIO(data)).tolist() for step in steps])


def _npz_rows(data: bytes) -> list[Any] | None:
    with np.load(io.BytesIO(data)) as archive:
        if {*archive.files} != {"x", "lengths"}:
            return None  # what the arrays are is a matter of names
        x, lengths = archive["x"], archive["lengths"]
    return sorted_steps(
        [
            step
            for row, length in zip(x.tolist(), lengths.tolist(), strict=True)
            for step in row[: int(length)]
        ]
    )


def _arrow_table(data: bytes) -> list[Any]:
    source = pa.BufferReader(data)
    table = parquet.read_table(source) if data.startswith(b"PAR1") else pa.ipc.open_file(source).read_all()
    table.validate(full=True)
    columns = [table[name].to_pylist() for name in table.schema.names if name != "k"]
    return _numbers(
        [["" if cell is None else cell for cell in row] for row in zip(*columns, strict=True)], len(columns)
    )


def _npy() -> bytes:
    file = io.BytesIO()
    np.save(file, np.arange(24, dtype=np.float32).reshape(2, 4, 3))
    return file.getvalue()


def _npz(**arrays: np.ndarray) -> bytes:
    file = io.BytesIO()
    np.savez(file, **arrays)  # type: ignore[arg-type]
    return file.getvalue()


def _fortran() -> bytes:
    file = io.BytesIO()
    np.save(file, np.asfortranarray(np.arange(24.0).reshape(2, 4, 3)))
    return file.getvalue()


def _wide() -> bytes:
    """A file of ours whose keys and classes stand as bytes and offsets."""
    parts: dict[str, np.ndarray] = {}
    with np.load(io.BytesIO(_of_ours(ragged=False))) as archive:
        parts.update(archive)
    for name in ("keys", "classes"):
        cells = [cell.encode() for cell in parts[name].tolist()]
        parts[name] = np.frombuffer(b"".join(cells), np.uint8)
        parts[f"{name}_offsets"] = np.cumsum([0, *map(len, cells)])
        parts[f"{name}_shape"] = np.array([len(cells)])
    return _npz(**parts)


def _foreign() -> bytes:
    return _npz(
        x=np.arange(12, dtype=np.float32).reshape(3, 4),
        lengths=np.array([4, 2, 1]),
        y=np.array([1, 0, 1]),
        keys=np.array(["p", "q", "r"]),
        classes=np.array(["no", "yes"]),
        features=np.array(["f"]),
    )


def _pickled() -> bytes:
    file = io.BytesIO()
    np.save(file, np.array([[1, 2], [3]], dtype=object))
    return file.getvalue()


def _of_ours(*, ragged: bool, compress: Any = None) -> bytes:
    frame = {
        "k": ["a", "b", "b", "c"],
        "v": [1.5, 2.0, 3.0, -4.0],
        "y": ["p", "q", "q", "p"],
        "z": [0, 1, 0, 2],
    }
    grouped = seqtool.group(
        pa.table(frame), key="k", label="y", step_label="z", ragged=ragged, keep_row_index=True
    )
    file = io.BytesIO()
    write(file, grouped, seekable=True, compress=compress)
    return file.getvalue()


_TABLE = {"k": ["a", "b", "b", "c", "a"], "v": [1.5, 2.0, None, -4.0, 0.25], "w": [1, 2, 3, 4, 5]}


def _parquet(**options: Any) -> bytes:
    file = pa.BufferOutputStream()
    parquet.write_table(pa.table(_TABLE), file, **options)
    return file.getvalue().to_pybytes()


def _arrow(table: Any, *, stream: bool = False) -> bytes:
    file = pa.BufferOutputStream()
    with (pa.ipc.new_stream if stream else pa.ipc.new_file)(file, table.schema) as writer:
        writer.write_table(table, max_chunksize=2)
    return file.getvalue().to_pybytes()


_CSV = b'k,v,w\na,1.5,1\nb,2,2\n"b",,3\nc,-4,4\na,0.25,5\n'
_JSONL = b'{"k": "a", "v": 1.5, "w": 1}\n{"k": "b", "v": null, "w": 2}\n{"k": "b", "v": -4, "w": 3}\n'
_LISTS = b"[[1, 2, 3], [4.5], [], [6, 7]]"
DATA: dict[str, bytes] = {
    "t.csv": _CSV,
    "t.csv.gz": gzip.compress(_CSV, mtime=0),
    "rows.jsonl": _JSONL,
    "lists.json": _LISTS,
    "records.jsonl": b'{"a": [1, 2], "y": "p", "k": 7}\n{"a": [3], "y": "q", "k": 8}\n',
    "t.txt": b"1 2 3\n4.5\n\n6,7\n",
    "t.npy": _npy(),
    "f.npy": _fortran(),
    "t.npz": _npz(x=np.arange(24, dtype=np.float32).reshape(2, 4, 3), lengths=np.array([3, 4])),
    "padded.npz": _of_ours(ragged=False),
    "ragged.npz": _of_ours(ragged=True),
    "packed.npz": _of_ours(ragged=True, compress="fast"),
    "wide.npz": _wide(),
    "foreign.npz": _foreign(),
    "objects.npy": _pickled(),
    "arrays.npz": _npz(arr_0=np.array([1.5, 2.5]), arr_1=np.array([3.5]), arr_2=np.array([])),
    "t.parquet": _parquet(compression="none"),
    "s.parquet": _parquet(compression="snappy", use_dictionary=False),
    "t.arrow": _arrow(pa.table(_TABLE)),
    "d.arrow": _arrow(pa.table({**_TABLE, "k": pa.array(_TABLE["k"]).dictionary_encode()})),
    "s.arrow": _arrow(pa.table(_TABLE), stream=True),
    "lists.arrow": _arrow(pa.table({"a": [[1.0, 2.0], [], [3.0]], "k": ["x", "y", "z"]})),
}
_ROWS = ["group {} --key k --ragged -o out.npz", "group {} --key k --ragged -o out.npz", "plan {} --key k"]
_STEPS = ["pad {} --ragged -o out.npz", "pad {} --ragged -o out.npz", "plan {}"]
_ARRAYS = [*_STEPS, "info {}", "check {}", "group {} --key 0 -o other.npz"]
_OF_OURS = [
    *_ARRAYS,
    "info {} --sequence b",
    "info {} --json",
    "truncate {} --maxlen 1 -o other.npz",
    "check {} --against {}",
]
FILES: list[tuple[str, list[str], Reader | None]] = [
    ("t.csv", _ROWS, _csv_rows),
    ("t.csv.gz", _ROWS, lambda data: _csv_rows(gzip.decompress(data))),
    ("rows.jsonl", _ROWS, _json_rows),
    ("lists.json", _STEPS, None),
    ("records.jsonl", ["pad {} --array a --label y --key k -o other.npz", *_STEPS], None),
    ("t.txt", _STEPS, None),
    ("t.npy", _ARRAYS, _npy_rows),
    ("f.npy", _ARRAYS, _npy_rows),
    ("t.npz", _ARRAYS, _npz_rows),
    ("padded.npz", _OF_OURS, None),
    ("ragged.npz", _OF_OURS, None),
    ("packed.npz", _OF_OURS, None),
    ("wide.npz", _OF_OURS, None),
    ("foreign.npz", ["pad {} --label y --key keys -o other.npz", *_ARRAYS], None),
    ("objects.npy", _ARRAYS, None),
    ("arrays.npz", _ARRAYS, None),
    ("t.parquet", _ROWS, _arrow_table),
    ("s.parquet", _ROWS, _arrow_table),
    ("t.arrow", _ROWS, _arrow_table),
    ("d.arrow", _ROWS, _arrow_table),
    ("s.arrow", _ROWS, None),
    ("lists.arrow", ["pad {} --array a --key k -o other.npz", *_STEPS], None),
]
