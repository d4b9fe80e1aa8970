"""Random tables through `group`, in every format, against plain Python."""

from __future__ import annotations

import csv
import gzip
import io
import json
from dataclasses import dataclass, field
from random import Random
from typing import Any

import numpy as np
import pyarrow as pa
from pyarrow import parquet

from tests.fuzzing.cases import Scratch, equal
from tests.oracles import group_rows, pad_sequences

NAN = float("nan")
Column = list[Any]
_NAMES = ["v", "v", "v", "é", "a b", "v,w", 'q"', "l\nm", "x:text", "Ünï", "%", "--", "0"]
_TEXTS = [
    "a",
    "b",
    "B",
    "é",
    "a b",
    "x,y",
    'q"q',
    "007",
    "7",
    "0x7",
    "-0",
    "1e3",
    "ÿ",
    "日本",
    "'",
    ";",
    "#",
    "a\tb",
    "l\nm",
]


@dataclass
class Table:
    """Columns by name; a cell is a number, a text, or None where nothing stands."""

    columns: dict[str, Column]
    options: list[str] = field(default_factory=list)
    features: list[str] = field(default_factory=list)
    keys: list[str] = field(default_factory=list)
    order: list[str] = field(default_factory=list)
    label: str | None = None
    step_label: str | None = None
    static: list[str] = field(default_factory=list)
    delimiter: str | None = None


def run(rng: Random, scratch: Scratch) -> None:
    """One table, grouped."""
    table = _table(rng)
    write = rng.choice(_FORMATS)
    names = [write(rng, scratch, table, part) for part in _parts(rng, table)]
    shape, options = _shape(rng)
    scratch.succeed("group", *names, *table.options, *options, "-o", "out.npz")
    output = scratch.place.arrays("out.npz")
    _compare(table, shape, output)
    if rng.random() < 0.25:
        scratch.succeed("check", "out.npz")


def _parts(rng: Random, table: Table) -> list[dict[str, Column]]:
    """The rows of one file, or of two; where two differ in what they hold, they still are one table."""
    rows = len(next(iter(table.columns.values())))
    cut = rng.randint(1, rows - 1) if rows > 1 and rng.random() < 0.2 else rows
    spans = [slice(0, cut), slice(cut, rows)] if cut < rows else [slice(0, rows)]
    return [{name: cells[span] for name, cells in table.columns.items()} for span in spans]


# Drawing a table


def _table(rng: Random) -> Table:
    rows = rng.choice([1, 2, 3, 5, 8, 13, 40])
    table = Table({})
    pools = [_keys(rng) for _ in range(rng.choice([1, 1, 1, 2]))]
    for number, pool in enumerate(pools):
        table.columns[f"k{number}"] = [rng.choice(pool) for _ in range(rows)]
        table.keys.append(f"k{number}")
        table.options += ["--key", f"k{number}"]
    groups = [*zip(*(table.columns[name] for name in table.keys), strict=True)]
    for number in range(rng.choice([1, 1, 2, 3])):
        name = rng.choice(_NAMES) + str(number)
        table.columns[name] = _numbers(rng, rows)
        table.features.append(name)
    if rng.random() < 0.5:
        table.columns["t"] = _times(rng, rows)
        table.order = ["t"]
        table.options += ["--order-by", "t"]
    if rng.random() < 0.4:
        table.columns["y"], table.label = _one_for_each(rng, groups, _labels(rng)), "y"
        table.options += ["--label", "y"]
    if rng.random() < 0.3:
        pool = _labels(rng)
        table.columns["z"], table.step_label = [rng.choice(pool) for _ in range(rows)], "z"
        table.options += ["--step-label", "z"]
    if rng.random() < 0.3:
        table.columns["s"], table.static = _one_for_each(rng, groups, [0, 1, -3, 0.5, 2.25]), ["s"]
        table.options += ["--static", "s"]
    names = [*table.columns]
    rng.shuffle(names)
    table.columns = {name: table.columns[name] for name in names}
    table.features.sort(key=names.index)
    return table


def _keys(rng: Random) -> Column:
    pools: list[Column] = [
        [1, 2, 3],
        [-5, 0, 10, 9, 2**53 + 1, 2**53 + 2, -(2**63), 2**63 - 1],
        _TEXTS,
        ["7", "07", "007"],
        ["NAN", "x"],
    ]
    return rng.choice(pools)


def _labels(rng: Random) -> Column:
    return rng.choice([["p", "q", "r,s"], [3, 1, 2], [0.5, 1.25, -2.5], ["7", "x"], [10, 9, 100]])


def _one_for_each(rng: Random, groups: list[Any], pool: Column) -> Column:
    chosen = {group: rng.choice(pool) for group in sorted({*groups}, key=repr)}
    return [chosen[group] for group in groups]


def _numbers(rng: Random, rows: int) -> Column:
    """Whole numbers or fractions that a float32 holds exactly, perhaps with gaps."""
    whole = rng.random() < 0.5
    gaps = rng.random() < 0.3
    cells: Column = [
        rng.randint(-(2**20), 2**20) if whole else rng.randint(-999, 999) / 8 for _ in range(rows)
    ]
    return [None if gaps and rng.random() < 0.3 else cell for cell in cells]


def _times(rng: Random, rows: int) -> Column:
    if rng.random() < 0.5:
        return [rng.randint(-9, 9) for _ in range(rows)]
    return [f"2024-0{rng.randint(1, 9)}-1{rng.randint(0, 9)} 0{rng.randint(0, 9)}:00:00" for _ in range(rows)]


# Writing it


def _as_csv(rng: Random, scratch: Scratch, table: Table, part: dict[str, Column]) -> str:
    table.delimiter = table.delimiter or rng.choice([",", ",", ";", "\t", "|"])
    quoting: Any = rng.choice([csv.QUOTE_MINIMAL, csv.QUOTE_ALL])
    text = io.StringIO()
    ends = rng.choice(["\n", "\r\n"])
    writer = csv.writer(text, delimiter=table.delimiter, quoting=quoting, lineterminator=ends)
    writer.writerow(part)
    nothing = rng.choice(["", "NA", "nan", "None"])
    for cells in zip(*part.values(), strict=True):
        row = zip(part, cells, strict=True)
        writer.writerow(
            nothing if cell is None else _spelled(rng, cell) if name in table.features else cell
            for name, cell in row
        )
    data = (("\ufeff" if rng.random() < 0.1 else "") + text.getvalue()).encode()
    name = f"t{len(scratch.place.files())}.csv"
    if rng.random() < 0.2:
        data, name = gzip.compress(data, mtime=0), name + ".gz"
    scratch.place.write(name, data)
    if "--delimiter" not in table.options:
        table.options += ["--delimiter", table.delimiter, "--header"]
    return name


def _spelled(rng: Random, number: Any) -> str:
    """A number as somebody else may write it."""
    text = str(number)
    spellings = [text, text, text, f" {text}", f"{text} ", text if number < 0 else f"+{text}"]
    if isinstance(number, float):
        spellings += [f"{text}00", f"{number:e}" if float(f"{number:e}") == number else text]
    return rng.choice(spellings)


def _as_json(rng: Random, scratch: Scratch, table: Table, part: dict[str, Column]) -> str:
    lines = []
    for row in zip(*part.values(), strict=True):
        record = dict(zip(part, row, strict=True))
        if lines and rng.random() < 0.5:
            record = {name: cell for name, cell in record.items() if cell is not None}
        lines.append(json.dumps(record, ensure_ascii=rng.random() < 0.5))
    name = f"t{len(scratch.place.files())}.jsonl"
    scratch.place.write(name, "\n".join(lines) + "\n")
    return name


def _arrow_table(rng: Random, table: Table, part: dict[str, Column]) -> pa.Table:
    arrays = {}
    for name, cells in part.items():
        texts = any(isinstance(cell, str) for cell in table.columns[name])
        fractions = any(isinstance(cell, float) for cell in table.columns[name])
        cells = [cell if cell is None or not texts else str(cell) for cell in cells]
        array = pa.array(cells, pa.string() if texts else pa.float64() if fractions else pa.int64())
        if texts and rng.random() < 0.5:
            array = rng.choice([array.dictionary_encode, lambda a=array: a.cast(pa.large_string())])()
        arrays[name] = array
    return pa.table(arrays)


def _as_parquet(rng: Random, scratch: Scratch, table: Table, part: dict[str, Column]) -> str:
    name = f"t{len(scratch.place.files())}.parquet"
    rows = rng.choice([1, 3, 1000])
    parquet.write_table(_arrow_table(rng, table, part), scratch.place.folder / name, row_group_size=rows)
    return name


def _as_arrow(rng: Random, scratch: Scratch, table: Table, part: dict[str, Column]) -> str:
    arrow = _arrow_table(rng, table, part)
    writer = rng.choice([pa.ipc.new_file, pa.ipc.new_stream])
    packed = pa.ipc.IpcWriteOptions(
        compression=rng.choice([None, None, "lz4", "zstd"]), unify_dictionaries=True
    )
    name = f"t{len(scratch.place.files())}.arrow"
    path = str(scratch.place.folder / name)
    with pa.OSFile(path, "wb") as file, writer(file, arrow.schema, options=packed) as sink:
        sink.write_table(arrow, max_chunksize=rng.choice([1, 3, 1000]))
    return name


_FORMATS = [_as_csv, _as_csv, _as_json, _as_parquet, _as_arrow]


# What must come out


@dataclass
class Shape:
    """How sequences are cut and padded."""

    maxlen: int | None = None
    padding: str = "post"
    truncating: str = "pre"
    value: int = 0
    min_len: int = 0
    ragged: bool = False
    row_index: bool = False


def _shape(rng: Random) -> tuple[Shape, list[str]]:
    shape, options = Shape(), list[str]()
    if rng.random() < 0.3:
        shape.min_len = rng.choice([1, 2, 3])
        options += ["--min-len", str(shape.min_len)]
    if rng.random() < 0.2:
        shape.row_index = True
        options.append("--keep-row-index")
    if rng.random() < 0.25:
        shape.ragged = True
        return shape, [*options, "--ragged"]
    if rng.random() < 0.5:
        shape.maxlen = rng.choice([1, 2, 3, 7, 50])
        options += ["--maxlen", str(shape.maxlen)]
    if rng.random() < 0.5:
        shape.padding = rng.choice(["pre", "post"])
        options += [f"--{shape.padding}"]
    if rng.random() < 0.5:
        shape.truncating = rng.choice(["pre", "post"])
        options += ["--truncating", shape.truncating]
    if rng.random() < 0.3:
        shape.value = rng.choice([-1, 7, -100])
        options += ["--value", str(shape.value)]
    return shape, options


def _compare(table: Table, shape: Shape, arrays: dict[str, np.ndarray]) -> None:
    numeric = [*table.order, *table.keys]
    cells = {
        name: _judged(table.columns[name]) if name in numeric else table.columns[name]
        for name in table.columns
    }
    keys, rows, _ = group_rows(cells, table.keys, table.order, min_len=shape.min_len)
    equal("keys", arrays["keys"], keys)
    equal("features", arrays["features"], table.features)
    steps = [
        [NAN if cell is None else cell for cell in row]
        for row in zip(*(table.columns[f] for f in table.features), strict=True)
    ]
    whole = all(isinstance(cell, int) for row in steps for cell in row)
    found = arrays["values" if shape.ragged else "x"]
    equal("the dtype", str(found.dtype), "int64" if whole else "float32")
    _compare_steps(
        "values" if shape.ragged else "x", found, steps, rows, shape, [shape.value] * len(table.features)
    )
    kept = [row[: shape.maxlen] for row in rows] if shape.maxlen is not None else rows
    equal("lengths", arrays["lengths"], [len(row) for row in kept])
    cut = shape.maxlen is not None and any(len(row) > shape.maxlen for row in rows)
    equal("original_lengths", arrays.get("original_lengths"), [len(row) for row in rows] if cut else None)
    if table.label is not None:
        y, classes = _labelled(table.columns[table.label])
        equal("y", arrays["y"], [y[row[0]] for row in rows])
        equal("classes", arrays.get("classes"), classes)
    if table.step_label is not None:
        z, classes = _labelled(table.columns[table.step_label])
        name = "step_classes" if table.label is not None and "step_classes" in arrays else "classes"
        _compare_steps("step_y", arrays["step_y"], z, rows, shape, -100)
        if table.label is None:
            equal(name, arrays.get(name), classes)
    if table.static:
        equal("static", arrays["static"], [[table.columns[s][row[0]] for s in table.static] for row in rows])
    if shape.row_index:
        _compare_steps("row_index", arrays["row_index"], [*range(len(steps))], rows, shape, -1)
    counts = json.loads(str(arrays["meta"]))["receipt"][-1]["rows"]
    equal("rows in", counts["in"], len(steps))
    equal("rows kept", counts["kept"], sum(map(len, kept)))


def _compare_steps(
    name: str, found: np.ndarray, steps: Column, rows: list[list[int]], shape: Shape, value: Any
) -> None:
    sequences = [[steps[row] for row in group] for group in rows]
    if shape.ragged:
        equal(name, found, [step for sequence in sequences for step in sequence])
        return
    expected = pad_sequences(
        sequences, maxlen=shape.maxlen, padding=shape.padding, truncating=shape.truncating, value=value
    )
    equal(name, found, expected)


def _judged(column: Column) -> Column:
    """Keys of text that are plain integers, all of them, are integers."""
    texts = [str(cell) for cell in column]
    if all(text.removeprefix("-").isdecimal() and str(int(text)) == text for text in texts):
        return [int(text) for text in texts]
    return [
        cell if isinstance(cell, (int, float)) and not isinstance(column[0], str) else str(cell)
        for cell in column
    ]


def _labelled(column: Column) -> tuple[Column, Column | None]:
    """Class ids and the classes, or numbers where there is a fraction among numbers."""
    try:
        numbers = [float(cell) for cell in column]
    except ValueError:
        classes: Column = sorted({str(cell) for cell in column})
        return [classes.index(str(cell)) for cell in column], classes
    if any(number != int(number) for number in numbers):
        return numbers, None
    ids = sorted({int(number) for number in numbers})
    return [ids.index(int(number)) for number in numbers], ids
