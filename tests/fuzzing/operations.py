"""Random sequences through two or three operations in a row, by pipe, file and Python, against plain Python."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass, replace
from math import fsum, isnan
from random import Random
from typing import Any

import numpy as np

from tests.fuzzing.cases import Failure, Scratch, equal
from tests.oracles import centered, filled, left_out, pad_sequences, stretch, windows

Steps = list[list[float]]


@dataclass(frozen=True)
class Sequence:
    """What belongs to one sequence: its steps are lists of F numbers; a split and a part only where there are some."""

    key: str
    steps: Steps
    y: Any = None
    split: str | None = None
    part: int | None = None


@dataclass(frozen=True)
class Drawn:
    """Sequences, and what has been done to them: whether their values are rounded, and y is the label of a window."""

    sequences: list[Sequence]
    width: int
    has_missing: bool = True


def run(rng: Random, scratch: Scratch) -> None:
    """A table, grouped, and what some operations make of it one after another."""
    drawn = _draw(rng)
    _write(scratch, drawn)
    scratch.succeed("group", "t.csv", "--key", "k", "--order-by", "t", "--dtype", "float64", "--ragged", "-o", "0.npz")
    drawn = replace(drawn, sequences=sorted(drawn.sequences, key=lambda one: one.key))
    kinds = rng.sample([*_OPERATIONS], rng.choice([1, 2, 2, 3]))
    name, number = "0.npz", 0
    for kind in kinds:
        asked = _OPERATIONS[kind](rng, drawn)
        if asked is None:
            continue
        options, drawn = asked
        number += 1
        output = f"{number}.npz"
        if not drawn.sequences:
            if scratch.run(kind, name, *options, "-o", output).code != 1:
                raise Failure("no sequence was left, and it ended well")
            return
        scratch.succeed(kind, name, *options, "-o", output)
        name = output
        _compare(drawn, scratch.place.arrays(name))
        if rng.random() < 0.15:
            name = _padded_and_back(rng, scratch, drawn, name)
    scratch.succeed("check", name)
