"""Random sequences through `pad`, from every kind of file that holds them, against plain Python."""

from __future__ import annotations

import json
from dataclasses import dataclass
from random import Random
from typing import Any

import numpy as np
import pyarrow as pa
from pyarrow import parquet

import seqtool
from tests.fuzzing.cases import Failure, Scratch, equal
from tests.oracles import NUMBERS, pad_sequences, step_mask, strip

Sequences = list[list[Any]]


@dataclass
class Drawn:
    """Sequences of steps, each a number or a list of `width` numbers, and the type that they have."""

    sequences: Sequences
    width: int | None
    dtype: np.dtype[Any]
    padding: str = "pre"  # the side that `pad` chooses for it
    value: Any = 0
    options: tuple[str, ...] = ()

    @property
    def arrays(self) -> list[np.ndarray]:
        """Each sequence as an array."""
        tail = () if self.width is None else (self.width,)
        return [np.array(steps, self.dtype).reshape(len(steps), *tail) for steps in self.sequences]


def run(rng: Random, scratch: Scratch) -> None:
    """Some sequences, padded."""
    write = rng.choice(_WRITERS)
    drawn = _draw(rng, typed=write not in _UNTYPED)
    name = write(rng, scratch, drawn)
    options, expected, ragged = _asked(rng, drawn)
    scratch.succeed("pad", name, *drawn.options, *options, "-o", "out.npz")
    output = scratch.place.arrays("out.npz")
    sequences, maxlen = expected["sequences"], expected["maxlen"]
    if name.endswith((".json", ".jsonl", ".txt")) and not any(drawn.sequences):
        # Of text without a number nobody knows that they are whole, or how many stand in a step.
        drawn.dtype, drawn.width = np.dtype(np.float32), None
    if ragged:
        equal("values", output["values"], [step for steps in sequences for step in steps])
        equal("dtype", str(output["values"].dtype), str(drawn.dtype))
    else:
        fill = expected["value"] if drawn.width is None else [expected["value"]] * drawn.width
        x = pad_sequences(
            sequences,
            maxlen=maxlen,
            padding=expected["padding"],
            truncating=expected["truncating"],
            value=fill,
        )
        equal("x", output["x"], x)
        equal("dtype", str(output["x"].dtype), str(drawn.dtype))
    lengths = [len(steps) if maxlen is None else min(maxlen, len(steps)) for steps in sequences]
    equal("lengths", output["lengths"], lengths)
    if "--mask" in options:
        slots = output["x"].shape[1]
        equal("mask", output["mask"], step_mask(lengths, maxlen=slots, padding=expected["padding"]))
    if rng.random() < 0.25:
        scratch.succeed("check", "out.npz")
    if rng.random() < 0.25:
        _through_python(scratch, output, ragged=ragged)


def _through_python(scratch: Scratch, arrays: dict[str, np.ndarray], *, ragged: bool) -> None:
    """What `load` reads is what was written, and stays so when it is saved again."""
    path = scratch.place.folder / "out.npz"
    loaded = seqtool.load(path)
    seqtool.save(scratch.place.folder / "again.npz", loaded, mask="mask" in arrays)
    if (scratch.place.folder / "again.npz").read_bytes() != path.read_bytes():
        raise Failure("loaded and saved again, the file differs")


# Drawing sequences


def _draw(rng: Random, *, typed: bool) -> Drawn:
    dtype = np.dtype(rng.choice(NUMBERS) if typed else rng.choice(["int64", "float32"]))
    width = rng.choice([None, None, 1, 2, 3])
    lengths = [rng.choice([0, 1, 1, 2, 3, 5, 9]) for _ in range(rng.choice([1, 2, 3, 7, 20]))]

    def step() -> Any:
        return _number(rng, dtype) if width is None else [_number(rng, dtype) for _ in range(width)]

    return Drawn([[step() for _ in range(length)] for length in lengths], width, dtype)


def _number(rng: Random, dtype: np.dtype[Any]) -> Any:
    if dtype.kind == "b":
        return rng.random() < 0.5
    if dtype.kind == "f":
        return rng.randint(-500, 500) / 8
    limits = np.iinfo(dtype)
    if rng.random() < 0.1:
        return rng.choice([int(limits.min), int(limits.max)])
    return rng.randint(max(limits.min, -100), 100)


# Writing them


def _block(rng: Random, drawn: Drawn, side: str) -> tuple[np.ndarray, np.ndarray]:
    """Sequences as a padded array, its padding perhaps full of old data, in any order of memory and of bytes."""
    slots = max(1, max(map(len, drawn.sequences))) + rng.choice([0, 0, 2])
    fill = 0 if drawn.width is None else [0] * drawn.width
    rows = pad_sequences(drawn.sequences, maxlen=slots, padding=side, value=fill)
    tail = () if drawn.width is None else (drawn.width,)
    x = np.array(rows, drawn.dtype).reshape(len(rows), slots, *tail)
    if rng.random() < 0.3:
        x = np.asfortranarray(x)
    if rng.random() < 0.2:
        x = x.astype(x.dtype.newbyteorder(">"))
    return x, np.array([*map(len, drawn.sequences)], rng.choice(["int64", "int32", "uint8", "float64"]))


def _steps_first(rng: Random, x: np.ndarray) -> tuple[np.ndarray, tuple[str, ...]]:
    """The block as it is, or time-major, with the option that says so."""
    return (x.swapaxes(0, 1), ("--time-major",)) if rng.random() < 0.3 else (x, ())


def _dense_npy(rng: Random, scratch: Scratch, drawn: Drawn) -> str:
    side = rng.choice(["pre", "post"])
    x, lengths = _block(rng, drawn, side)
    x, order = _steps_first(rng, x)
    np.save(scratch.place.folder / "t.npy", x)
    np.save(scratch.place.folder / "lengths.npy", lengths)
    drawn.options = ("--lengths", "lengths.npy", "--input-padding", side, *order)
    return "t.npy"


def _foreign_npz(rng: Random, scratch: Scratch, drawn: Drawn) -> str:
    side = rng.choice(["pre", "post"])
    x, lengths = _block(rng, drawn, side)
    x, order = _steps_first(rng, x)
    rng.choice([np.savez, np.savez_compressed])(scratch.place.folder / "t.npz", x=x, lengths=lengths)
    drawn.options = ("--input-padding", side, *order)
    return "t.npz"


def _single_arrays(rng: Random, scratch: Scratch, drawn: Drawn) -> str:
    if len(drawn.sequences) < 2:
        drawn.sequences = drawn.sequences * 2
    np.savez(scratch.place.folder / "t.npz", *drawn.arrays)
    return "t.npz"


def _ours(rng: Random, scratch: Scratch, drawn: Drawn) -> str:
    ragged = seqtool.Ragged(
        np.concatenate(drawn.arrays),
        np.cumsum([0, *map(len, drawn.sequences)]),
        keys=np.arange(len(drawn.sequences)),
    )
    data: Any = ragged
    if rng.random() < 0.5:
        drawn.padding = rng.choice(["pre", "post"])
        data = seqtool.pad(ragged, padding=drawn.padding)
    seqtool.save(scratch.place.folder / "t.npz", data, compress=rng.choice([None, None, "fast", "small"]))
    return "t.npz"


def _list_column(rng: Random, scratch: Scratch, drawn: Drawn) -> str:
    kind = pa.from_numpy_dtype(drawn.dtype)
    inner = kind if drawn.width is None else rng.choice([pa.list_(kind), pa.list_(kind, drawn.width)])
    array = pa.array(drawn.sequences, rng.choice([pa.list_, pa.large_list])(inner))
    if pa.types.is_list(inner) and not any(drawn.sequences):
        drawn.width = 0  # steps are lists, but of how many numbers no step tells
    table = pa.table({"v": array})
    if rng.random() < 0.5:
        parquet.write_table(
            table, scratch.place.folder / "t.parquet", row_group_size=rng.choice([1, 2, 1000])
        )
        return "t.parquet"
    path = str(scratch.place.folder / "t.arrow")
    with pa.OSFile(path, "wb") as file, pa.ipc.new_file(file, table.schema) as writer:
        writer.write_table(table, max_chunksize=rng.choice([1, 2, 1000]))
    return "t.arrow"


def _json(rng: Random, scratch: Scratch, drawn: Drawn) -> str:
    named = rng.random() < 0.5
    records = [{"v": steps} if named else steps for steps in drawn.sequences]
    if rng.random() < 0.5:
        scratch.place.write("t.jsonl", "".join(json.dumps(record) + "\n" for record in records))
        name = "t.jsonl"
    else:
        scratch.place.write("t.json", json.dumps(records, indent=rng.choice([None, 1])))
        name = "t.json"
    return name


def _lines(rng: Random, scratch: Scratch, drawn: Drawn) -> str:
    drawn.sequences = [
        [step if drawn.width is None else step[0] for step in steps] for steps in drawn.sequences
    ]
    drawn.width = None
    between = rng.choice([" ", ",", "\t", ", "])
    ends = rng.choice(["\n", "\r\n"])
    scratch.place.write("t.txt", "".join(between.join(map(str, steps)) + ends for steps in drawn.sequences))
    return "t.txt"


_UNTYPED = (_json, _lines)
_WRITERS = [_dense_npy, _foreign_npz, _single_arrays, _ours, _list_column, *_UNTYPED]


# What is asked for, and what must come out


def _asked(rng: Random, drawn: Drawn) -> tuple[list[str], dict[str, Any], bool]:
    expected: dict[str, Any] = {"sequences": drawn.sequences, "truncating": "pre", "value": 0}
    expected |= {"padding": drawn.padding, "maxlen": None}
    options = list[str]()
    if rng.random() < 0.2:
        value, side = rng.choice([0, 1]), rng.choice(["pre", "post"])
        options += ["--strip", str(value), "--strip-side", side]
        expected["sequences"] = [strip(steps, value=value, side=side) for steps in drawn.sequences]
    if rng.random() < 0.2:
        least = rng.choice([1, 2])
        options += ["--min-len", str(least)]
        expected["sequences"] = [steps for steps in expected["sequences"] if len(steps) >= least]
    if rng.random() < 0.2:
        return [*options, "--ragged"], {**expected, "maxlen": None}, True
    if rng.random() < 0.6:
        expected["maxlen"] = rng.choice([1, 2, 3, 7, 12])
        options += ["--maxlen", str(expected["maxlen"])]
    for name in ("padding", "truncating"):
        if rng.random() < 0.4:
            expected[name] = rng.choice(["pre", "post"])
            options += [f"--{expected[name]}"] if name == "padding" else ["--truncating", expected[name]]
    if rng.random() < 0.3:
        expected["value"] = 1
        options += ["--value", "1"]
    if rng.random() < 0.3:
        options.append("--mask")
    return options, expected, False
