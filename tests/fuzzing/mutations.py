"""Damaged files: whatever bytes they hold, a call ends in one line, or with what a trusted reader finds in them."""

from __future__ import annotations

import contextlib
import csv
import gzip
import io
import json
import warnings
import zipfile
import zlib
from collections.abc import Callable
from random import Random
from typing import Any

import numpy as np
import pyarrow as pa
from pyarrow import parquet

import seqtool
from seqtool.errors import SeqtoolError
from seqtool.files.npz import write
from tests.fuzzing.cases import Failure, Scratch, equal

Reader = Callable[[bytes], Any]
_ODD = [
    b"\x00",
    b"\xff",
    b"\n",
    b"\r",
    b'"',
    b",",
    b"\xed\xa0\x80",
    b"9" * 400,
    b"[",
    b"{",
    b"\xef\xbb\xbf",
    b"NaN",
    b"-",
    b"\\u",
]
_NUMBERS = [0, 1, -1, 127, 255, 1 << 15, 1 << 31, (1 << 31) - 1, 1 << 40, (1 << 63) - 1]


def run(rng: Random, scratch: Scratch) -> None:
    """One file, damaged, and one call that reads it; or a sound one, and a call with an odd option."""
    name, calls, trusted = rng.choice(_FILES)
    data = _DATA[name]
    call = rng.choice(calls).replace("{}", name).split()
    if rng.random() < 0.3:
        scratch.place.write(name, data)
        scratch.run(*call, rng.choice(_OPTIONS.get(call[0], _OF_ALL)), *rng.choice(_ARGUMENTS))
        return
    for _ in range(rng.choice([1, 1, 1, 2, 4])):
        data = rng.choice(_DAMAGES)(rng, data) if rng.random() < 0.4 else _within(rng, name, data)
    scratch.place.write(name, data)
    done = scratch.run(*call)
    if name.endswith("npz") and rng.random() < 0.3:
        _load(scratch, name)
    if trusted is None or done.code or call[0] not in ("pad", "group"):
        return
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            expected = trusted(data)
        except Exception as error:  # noqa: BLE001 - readers raise many kinds
            raise Failure(f"{call[0]} made a file of what its trusted reader refuses: {error}") from None
    if expected is None:
        return
    output = scratch.place.arrays("out.npz")
    equal("what was read", _steps(output), expected)


def _load(scratch: Scratch, name: str) -> None:
    scratch.calls.append(f'python -c "import seqtool; seqtool.load({name!r})"')
    with contextlib.suppress(SeqtoolError):
        seqtool.load(scratch.place.folder / name)


def _steps(arrays: dict[str, np.ndarray]) -> list[Any]:
    """All steps of the sequences, sorted, so that neither keys nor their order matter; as floats, NaN as text."""
    return _sorted(arrays["values"].tolist())


def _sorted(steps: list[Any]) -> list[Any]:
    rows = [step if isinstance(step, list) else [step] for step in steps]
    return sorted([repr(float(number)) for number in row] for row in rows)


# Odd options

_OF_ALL = ["--json", "--nothing", "--sequence", "--array", "--label", "--lengths"]
_OF_OUTPUT = [
    "--value",
    "--maxlen",
    "--min-len",
    "--truncating",
    "--dtype",
    "--compress",
    "--max-memory",
    "--temp-dir",
]
_OPTIONS = {
    "group": [
        *_OF_OUTPUT,
        *(
            "--order-by",
            "--label",
            "--step-label",
            "--static",
            "--columns",
            "--drop",
            "--missing",
            "--label-as",
        ),
        *(
            "--label-value",
            "--empty-key",
            "--empty-label",
            "--delimiter",
            "--encoding",
            "--keep-row-index",
            "--header",
        ),
    ],
    "pad": [
        *_OF_OUTPUT,
        *(
            "--array",
            "--label",
            "--key",
            "--lengths",
            "--strip",
            "--strip-side",
            "--input-padding",
            "--multiple-of",
        ),
        *("--mask", "--step-label"),
    ],
    "plan": [
        "--order-by",
        "--label",
        "--columns",
        "--drop",
        "--max-memory",
        "--encoding",
        "--dtype",
        "--batch-size",
    ],
}
_ODD_TEXTS = [
    *(
        "",
        " ",
        "0",
        "-1",
        "1",
        "2",
        "1.5",
        "nan",
        "inf",
        "-inf",
        "1e999",
        "9" * 5000,
        str(2**64),
        "-9223372036854777856",
    ),
    *(
        "k",
        "v",
        "w",
        "x",
        "y",
        "a",
        "k,v",
        "k:text",
        "v:text",
        "t:desc",
        ":text",
        "auto",
        "pre",
        "post",
        "drop",
        "keep",
    ),
    *(
        "class",
        "number",
        "int8",
        "uint64",
        "float16",
        "complex64",
        "float32",
        "latin-1",
        "utf-16",
        "base64",
        "fast",
    ),
    *(
        "\n",
        '"',
        ",",
        "é",
        "\udce9",
        "a\nb",
        "../t.csv",
        "/dev/null",
        "0,0",
        "1,,2",
        "--",
        "-",
        "256M",
        "1K",
        "tab",
    ),
]
_ARGUMENTS = [[], *([text] for text in _ODD_TEXTS), ["v", "--label", "w"], ["1", "--post", "--ragged"]]


# Damages


def _flip(rng: Random, data: bytes) -> bytes:
    place = rng.randrange(len(data))
    return data[:place] + bytes([data[place] ^ 1 << rng.randrange(8)]) + data[place + 1 :]


def _cut(rng: Random, data: bytes) -> bytes:
    return data[: rng.randint(1, len(data))]


def _insert(rng: Random, data: bytes) -> bytes:
    place = rng.randint(0, len(data))
    return data[:place] + rng.choice(_ODD) + data[place:]


def _overwrite(rng: Random, data: bytes) -> bytes:
    """An odd number in the place of four or eight bytes."""
    size = rng.choice([2, 4, 8])
    number = rng.choice(_NUMBERS) % (1 << 8 * size)
    place = rng.randrange(len(data)) // size * size
    return (
        data[:place] + number.to_bytes(size, rng.choice(["little", "little", "big"])) + data[place + size :]
    )


def _repeat(rng: Random, data: bytes) -> bytes:
    begin, end = sorted(rng.randint(0, len(data)) for _ in range(2))
    return data[:end] + data[begin:]


def _remove(rng: Random, data: bytes) -> bytes:
    begin = rng.randrange(len(data))
    return data[:begin] + data[begin + rng.choice([1, 1, 4, 20]) :] or b"\n"


def _swap(rng: Random, data: bytes) -> bytes:
    size = rng.choice([1, 4, 8])
    a, b = (rng.randrange(max(1, len(data) - size)) for _ in range(2))
    a, b = min(a, b), max(a, b, min(a, b) + size)
    return data[:a] + data[b : b + size] + data[a + size : b] + data[a : a + size] + data[b + size :]


def _within(rng: Random, name: str, data: bytes) -> bytes:
    """Damage to what is packed in a file, whose sizes and checksums are right afterwards."""
    damage = rng.choice(_DAMAGES)
    try:
        if name.endswith(".gz"):
            return gzip.compress(damage(rng, gzip.decompress(data)), mtime=0)
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            members = {member: archive.read(member) for member in archive.namelist()}
    except (OSError, EOFError, ValueError, zipfile.BadZipFile, zlib.error, NotImplementedError):
        return damage(rng, data)  # no such file, or damaged already
    chosen = rng.choice([*members])
    if chosen == "meta.npy" and rng.random() < 0.8:
        members[chosen] = _other_meta(rng, members[chosen])
    elif rng.random() < 0.2:
        members[rng.choice([*members, "z.npy", "keys_offsets.npy", "classes_shape.npy"])] = members.pop(
            chosen
        )
    else:
        members[chosen] = damage(rng, members[chosen])
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", rng.choice([zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED])) as archive:
        for member, content in members.items():
            archive.writestr(zipfile.ZipInfo(member), content)
    return file.getvalue()


_VALUES: list[Any] = [
    None,
    True,
    0,
    -1,
    1.5,
    float("inf"),
    2**64,
    "",
    "nan",
    "x",
    [],
    {},
    [[]],
    {"a": 1},
    [None],
    "\ud800",
    "\0",
]


def _other_meta(rng: Random, member: bytes) -> bytes:
    """The description with another value somewhere, or none."""
    try:
        meta = json.loads(str(np.load(io.BytesIO(member))))
    except Exception:  # noqa: BLE001 - readers raise many kinds
        return member
    holder: Any = meta
    place: Any = None
    while isinstance(holder, (dict, list)) and holder:
        inside, place = holder, rng.choice([*holder] if isinstance(holder, dict) else range(len(holder)))
        holder = inside[place]
        if rng.random() < 0.4:
            break
    if place is None or rng.random() < 0.2:
        meta[rng.choice(["version", "receipt", "kind", "more"])] = rng.choice(_VALUES)
    elif rng.random() < 0.2:
        del inside[place]
    else:
        inside[place] = rng.choice(_VALUES)
    file = io.BytesIO()
    np.save(file, np.array(json.dumps(meta)))
    return file.getvalue()


_DAMAGES = [_flip, _flip, _cut, _insert, _overwrite, _overwrite, _repeat, _remove, _swap]


# Files, the calls that read them, and readers that are trusted


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

    return _sorted([[number(cell) for cell in row] for row in rows])


def _json_rows(data: bytes) -> list[Any]:
    rows = [json.loads(line) for line in data.decode("utf-8-sig").split("\n") if line.strip()]
    names = [name for name in rows[0] if name != "k"]
    cells = [["" if row.get(name) is None else row[name] for name in names] for row in rows]
    return _numbers(cells, len(names))


def _json_lists(data: bytes) -> list[Any]:
    records = json.loads(data.decode("utf-8-sig"))
    return _sorted([number for record in records for number in record])


def _npy_rows(data: bytes) -> list[Any]:
    return _sorted([step for steps in np.load(io.BytesIO(data)).tolist() for step in steps])


def _npz_rows(data: bytes) -> list[Any] | None:
    with np.load(io.BytesIO(data)) as archive:
        if {*archive.files} != {"x", "lengths"}:
            return None  # what the arrays are is a matter of names
        x, lengths = archive["x"], archive["lengths"]
    return _sorted(
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
_DATA: dict[str, bytes] = {
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
_FILES: list[tuple[str, list[str], Reader | None]] = [
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
