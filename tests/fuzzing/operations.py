"""Random sequences through some operations in a row, by files, pipes and other formats, against plain Python."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Callable
from dataclasses import dataclass, replace
from random import Random
from statistics import fmean, median
from typing import Any

import numpy as np

import seqtool
from tests.fuzzing.cases import Failure, Scratch, equal
from tests.oracles import centered, encoded, filled, left_out, stretch, windows

NAN = float("nan")


@dataclass(frozen=True)
class One:
    """A sequence: its steps are lists of F numbers, each with a name; y is a class, or what follows the steps.

    A name is empty where it is missing, and None where it is unknown.
    """

    key: str
    steps: list[list[float]]
    names: list[str | None]
    y: Any = None
    split: str | None = None
    part: int | None = None

    def taken(self, numbers: list[int], **changes: Any) -> One:
        """Some of its steps."""
        steps, names = [self.steps[i] for i in numbers], [self.names[i] for i in numbers]
        return replace(self, steps=steps, names=names, **changes)


Drawn = list[One]
Asked = tuple[
    list[str], Drawn | int
]  # the options, and what comes out: sequences, or the exit code of an error


def run(rng: Random, scratch: Scratch) -> None:
    """A table, grouped, and what some operations make of it one after another."""
    drawn, name, piped = _grouped(rng, scratch), "0.npz", b""
    for number, kind in enumerate(rng.sample([*_OPERATIONS], rng.choice([1, 2, 3, 4])), 1):
        asked = _OPERATIONS[kind](rng, drawn)
        if asked is None:
            continue
        options, expected = asked
        suffix = rng.choice(_SUFFIXES) if rng.random() < 0.3 and "--index" not in options else ".npz"
        output = "-" if suffix == ".npz" and rng.random() < 0.3 else f"{number}{suffix}"
        sources = [] if piped else [name]
        if kind == "concat":
            sources, piped = [name, _copied(scratch, name)], b""
        done = scratch.run(kind, *sources, *options, "-o", output, stdin=piped)
        if done.code or isinstance(expected, int):
            if done.code != expected:
                raise Failure(f"exit {done.code}: {done.err}")
            return
        name, piped = f"{number}{suffix}", done.out if output == "-" else b""
        if piped:
            (scratch.place.folder / name).write_bytes(piped)
        drawn = _compared(expected, seqtool.load(scratch.place.folder / name))
    _checked(scratch, name)
    _unpadded(scratch, name, drawn)


def _copied(scratch: Scratch, name: str) -> str:
    """Another file of the same sequences."""
    scratch.succeed("convert", name, "-o", "copy.npz")
    return "copy.npz"


# Drawing a table


def _grouped(rng: Random, scratch: Scratch) -> Drawn:
    """Sequences of one to three features, grouped from the rows of a table in any order."""
    width = rng.choice([1, 1, 2, 3])
    gaps = rng.choice([0, 0, 0.3, 0.9])
    y = rng.random() < 0.4
    drawn = []
    for key in sorted(rng.sample("abcdefghijklmnop", rng.choice([1, 2, 3, 5, 9]))):
        length = rng.choice([1, 1, 2, 3, 5, 8])
        steps = [
            [NAN if rng.random() < gaps else rng.randint(-40, 40) / 8 for _ in range(width)]
            for _ in range(length)
        ]
        names: list[str | None] = [rng.choice(["u", "v", "w", "x y", "é", ""]) for _ in range(length)]
        drawn.append(One(key, steps, names, y=rng.choice("pq") if y else None))
    rows = [
        [one.key, t, *("" if number != number else number for number in step), name, one.y or ""]
        for one in drawn
        for t, (step, name) in enumerate(zip(one.steps, one.names, strict=True))
    ]
    rng.shuffle(rows)
    out = io.StringIO()
    features = [f"f{i}" for i in range(width)]
    csv.writer(out).writerows([["k", "t", *features, "c", "y"], *rows])
    scratch.place.write("t.csv", out.getvalue())
    options = ["--key", "k", "--order-by", "t", "--columns", ",".join(features), "--category", "c"]
    options += ["--dtype", "float64", "--ragged", *(["--label", "y"] if y else [])]
    scratch.succeed("group", "t.csv", *options, "-o", "0.npz")
    return _compared(drawn, seqtool.load(scratch.place.folder / "0.npz"))


# Operations: what is asked for, and what comes out; None where the sequences have something that does not go with it


def _truncate(rng: Random, drawn: Drawn) -> Asked:
    maxlen = rng.choice([1, 2, 3, 6])
    if rng.random() < 0.5:
        side = rng.choice(["pre", "post"])
        begins = [max(0, len(one.steps) - maxlen) if side == "pre" else 0 for one in drawn]
        options, ends = ["--maxlen", str(maxlen), "--truncating", side], maxlen
        return options, [
            one.taken([*range(len(one.steps))][begin : begin + ends])
            for one, begin in zip(drawn, begins, strict=True)
        ]
    start = rng.choice([-3, -1, 0, 1, 2])
    kept = [stretch([*range(len(one.steps))], start, maxlen) for one in drawn]
    options = ["--from", str(start), "--maxlen", str(maxlen)]
    return options, [one.taken(numbers) for one, numbers in zip(drawn, kept, strict=True)]


def _filter(rng: Random, drawn: Drawn) -> Asked:
    way, least = rng.choice(["--min-len", "--max-len", "--where", "--first"]), rng.choice([1, 2, 3])
    option = f"length > {least} and key != a" if way == "--where" else str(least)
    kept = {
        "--min-len": [one for one in drawn if len(one.steps) >= least],
        "--max-len": [one for one in drawn if len(one.steps) <= least],
        "--where": [one for one in drawn if len(one.steps) > least and one.key != "a"],
        "--first": drawn[:least],
    }[way]
    return [way, option], kept or 1


def _split(rng: Random, drawn: Drawn) -> Asked | None:
    if any(one.split or one.part is not None for one in drawn):
        return None
    if rng.random() < 0.5 and all(one.y is None for one in drawn):
        last = rng.choice([1, 2])
        found = []
        for one in drawn:
            for number, (split, x, y) in enumerate(left_out([*range(len(one.steps))], last)):
                found.append(one.taken(x, split=split, part=number, y=_of_step(one.steps[y])))
        wanted = {"train", "test"} if last == 1 else {"train", "val", "test"}
        return ["--last", str(last)], found if {one.split for one in found} == wanted else 1
    shares = {"val": rng.choice([0, 0.2]), "test": rng.choice([0.1, 0.3, 0.5])}
    exact = {
        name: len(drawn) * share for name, share in [*shares.items(), ("train", 1 - sum(shares.values()))]
    }
    options = [f"--{name}={share}" for name, share in shares.items() if share]
    options += ["--seed", str(rng.randint(0, 9))]
    if any(0 < number < 1 for number in exact.values()):
        return None  # whether there is one depends on the remainders
    return options, [replace(one, split="?") for one in drawn]


def _scale(rng: Random, drawn: Drawn) -> Asked:
    width = _width(drawn)
    method = rng.choice(["standard", "minmax", "robust", "maxabs"])
    chosen = [*range(width)] if rng.random() < 0.5 else [rng.randrange(width)]
    options = ["--method", method, "--features", ",".join(f"f{i}" for i in chosen)]
    train = _train(drawn)
    if train is None:
        return options, 2
    columns = {}
    for i in chosen:
        seen = [step[i] for one in train for step in one.steps]
        if any(one.steps for one in drawn) and not any(number == number for number in seen):
            return options, 1
        # Those of train come first: all are scaled by the numbers of these alone.
        columns[i] = lambda number, seen=seen: centered_by(number, seen, method)
    return options, [
        replace(
            one, steps=[[columns[i](v) if i in columns else v for i, v in enumerate(s)] for s in one.steps]
        )
        for one in drawn
    ]


def centered_by(number: float, seen: list[float], method: str) -> float:
    """A number scaled by the numbers of others: what the oracle makes of two of them tells its line."""
    real = sorted({other for other in seen if other == other})
    scaled = centered([other for other in seen if other == other], method)
    at = dict(zip([other for other in seen if other == other], scaled, strict=True))
    if len(real) == 1:
        return number - real[0]
    low, high = real[0], real[-1]
    return at[low] + (number - low) * (at[high] - at[low]) / (high - low)


def _fill(rng: Random, drawn: Drawn) -> Asked:
    methods = rng.choice(
        ["forward", "linear", "zero", "mean", "2.5", "forward,mean", "forward,median", "linear,zero"]
    )
    limit = (
        rng.choice([1, 2]) if methods.split(",")[0] in ("forward", "linear") and rng.random() < 0.4 else None
    )
    options = ["--method", methods, *(["--limit", str(limit)] if limit else [])]
    train, last, averages = _train(drawn), methods.split(",")[-1], [0.0] * _width(drawn)
    if last in ("mean", "median"):
        if train is None:
            return options, 2
        for i in range(len(averages)):
            seen = [step[i] for one in train for step in one.steps if step[i] == step[i]]
            if not seen and any(one.steps for one in drawn):
                return options, 1
            averages[i] = (fmean if last == "mean" else median)(seen or [0.0])
    found = []
    for one in drawn:
        columns = [
            filled([step[i] for step in one.steps], methods.split(","), limit=limit, average=average)
            for i, average in enumerate(averages)
        ]
        found.append(replace(one, steps=[list(step) for step in zip(*columns, strict=True)]))
    return options, found


def _window(rng: Random, drawn: Drawn) -> Asked | None:
    if any(one.part is not None for one in drawn):
        return None
    size, stride, rate = rng.choice([1, 2, 3]), rng.choice([1, 1, 2, 4]), rng.choice([1, 1, 2])
    horizon = rng.choice([0, 1, 2]) if all(one.y is None for one in drawn) else 0
    lead = rng.choice([0, 1]) if horizon else 0
    least = rng.choice([None, 1]) if size > 1 else None
    way = rng.choice(["", "", "--from-end", "--index"] if rate == 1 else ["", "--from-end"])
    options = [
        *("--size", str(size)),
        *("--stride", str(stride)),
        *("--rate", str(rate)),
        *([way] if way else []),
    ]
    options += ["--horizon", str(horizon), "--lead", str(lead)] if horizon else []
    options += ["--min-size", str(least)] if least else []
    found = [
        one.taken(
            numbers,
            part=numbers[0],
            y=[_of_step(one.steps[numbers[-1] + 1 + lead + i]) for i in range(horizon)] if horizon else one.y,
        )
        for one in drawn
        for numbers in windows(
            len(one.steps),
            size=size,
            stride=stride,
            rate=rate,
            min_size=least,
            after=horizon + lead,
            from_end=way == "--from-end",
        )
    ]
    return options, found or 1


def _encode(rng: Random, drawn: Drawn) -> Asked:
    least = rng.choice([1, 2, 3])
    train = _train(drawn)
    if train is None:
        return ["--min-count", str(least)], 2
    seen = [name or "" for one in train for name in one.names]
    cells = [name or "" for one in drawn for name in one.names]
    ids = iter(encoded(cells, seen, least=least))
    return ["--min-count", str(least)], [
        replace(one, names=[None if next(ids) == 2 else name for name in one.names]) for one in drawn
    ]


def _concat(rng: Random, drawn: Drawn) -> Asked:
    return ["--on-clash", rng.choice(["first", "last"])], drawn


def _pad(rng: Random, drawn: Drawn) -> Asked | None:
    if not any(one.steps for one in drawn):
        return None
    maxlen = rng.choice([None, 2, 4])
    options = [rng.choice(["--pre", "--post"]), "--value", rng.choice(["0", "-9", "nan"])]
    options += ["--maxlen", str(maxlen)] if maxlen else []
    return options, [one.taken([*range(len(one.steps))][-(maxlen or 99) :]) for one in drawn]


def _convert(rng: Random, drawn: Drawn) -> Asked:
    return [], drawn


_OPERATIONS: dict[str, Callable[[Random, Drawn], Asked | None]] = {
    "truncate": _truncate,
    "filter": _filter,
    "split": _split,
    "scale": _scale,
    "fill": _fill,
    "window": _window,
    "encode": _encode,
    "concat": _concat,
    "pad": _pad,
    "convert": _convert,
}
_SUFFIXES = [".parquet", ".arrow", ".jsonl", "/"]


def _train(drawn: Drawn) -> Drawn | None:
    """The sequences that are learned from; None where there are splits, but no train."""
    if all(one.split is None for one in drawn):
        return drawn
    return [one for one in drawn if one.split == "train"] or None


def _width(drawn: Drawn) -> int:
    return next((len(step) for one in drawn for step in one.steps), 1)


def _of_step(step: list[float]) -> Any:
    """A step as a label has it: of a single feature its number."""
    return step[0] if len(step) == 1 else step


# What came out


def _compared(expected: Drawn, data: Any) -> Drawn:
    """Raise Failure where sequences are others than expected; the same, with the splits that were drawn by chance."""
    ragged = seqtool.unpad(data) if isinstance(data, seqtool.Padded) else data
    held = {name: np.asarray(array).tolist() for name, array in ragged.per_sequence.items()}
    equal("keys", np.asarray(ragged.keys).tolist(), [one.key for one in expected])
    equal("lengths", np.asarray(ragged.lengths).tolist(), [len(one.steps) for one in expected])
    offsets, values = np.asarray(ragged.offsets).tolist(), np.asarray(ragged.values).tolist()
    _near("values", values, [step for one in expected for step in one.steps])
    if any(one.part is not None for one in expected):
        found = held["part"]
        if any(one.split and one.part is not None for one in expected):
            pairs = [*zip(np.asarray(ragged.keys).tolist(), found, strict=True)]
            equal("pairs of key and part", len({*pairs}), len(pairs))
        else:
            equal("part", found, [one.part for one in expected])
    classes = [str(name) for name in np.asarray(ragged.names.get("classes", [])).tolist()]
    if any(one.y is not None for one in expected):
        _near("y", [classes[id_] for id_ in held["y"]] if classes else held["y"], [one.y for one in expected])
    vocabulary: list[str | None] = ["", None, *map(str, np.asarray(ragged.names["vocabulary_0"]).tolist())]
    ids = np.asarray(ragged.per_step["c"].data)[:, 0].tolist()
    equal("names", [vocabulary[id_ - 1] for id_ in ids], [name for one in expected for name in one.names])
    equal("offsets", len(offsets), len(expected) + 1)
    splits = held.get("split", [None] * len(expected))
    if any(one.split == "?" for one in expected):
        return [replace(one, split=split) for one, split in zip(expected, splits, strict=True)]
    equal("split", splits, [one.split for one in expected])
    return expected


def _near(name: str, got: Any, expected: Any) -> None:
    """Numbers may differ by their rounding; all else is equal."""
    if isinstance(expected, list) and isinstance(got, list) and len(got) == len(expected):
        for one, other in zip(got, expected, strict=True):
            _near(name, one, other)
    elif not (
        isinstance(expected, float) and np.isclose(got, expected, rtol=1e-9, atol=1e-9, equal_nan=True)
    ):
        equal(name, got, expected)


def _checked(scratch: Scratch, name: str) -> None:
    """Raise Failure where `check` finds anything wrong but numbers that are missing."""
    found = json.loads(scratch.run("check", name, "--json").out)["findings"]
    wrong = [
        one for one in found if one["verdict"] == "fail" and one["name"] not in ("values", "y", "padding")
    ]
    if wrong:
        raise Failure(f"check: {wrong}")


def _unpadded(scratch: Scratch, name: str, drawn: Drawn) -> None:
    """The rows of the sequences are their steps, each with its key."""
    scratch.succeed("unpad", name, "-o", "rows.jsonl")
    rows = [
        json.loads(line) for line in (scratch.place.folder / "rows.jsonl").read_text("utf-8").splitlines()
    ]
    equal("keys of the rows", [row["k"] for row in rows], [one.key for one in drawn for _ in one.steps])
    columns = [f"f{i}" for i in range(_width(drawn))]
    numbers = [[NAN if row[column] is None else float(row[column]) for column in columns] for row in rows]
    _near("numbers of the rows", numbers, [step for one in drawn for step in one.steps])
