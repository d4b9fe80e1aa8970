"""Sequences of every kind that a network can learn from, and the files that they stand in."""

from __future__ import annotations

import warnings
from collections.abc import Mapping
from functools import cache
from math import nan
from typing import Any

import numpy as np

import seqtool
from seqtool.sequences.ragged import Padded, Ragged, StepArray
from seqtool.sequences.validation import offsets_of

COUNT = 30  # all of them fit into one batch
LENGTHS = np.random.default_rng(1).integers(2, 9, COUNT)
LENGTHS[:2] = 8, 1
FEW = np.where(np.arange(COUNT) < 5, [8, 1, 2, 4, 1, *[0] * (COUNT - 5)], 0)  # most have no step
STEPS = int(LENGTHS.sum())


@cache
def kinds() -> Mapping[str, Ragged]:
    """Ragged sequences by what their steps are, and what is known of them."""
    random = np.random.default_rng(0)
    features = random.standard_normal((STEPS, 3)).astype(np.float32)
    ids = random.integers(1, 20, STEPS)
    ids[:2] = 19, 1
    with_zero = ids.copy()
    with_zero[1] = 0
    three = np.arange(COUNT) % 3
    fractions = random.random(STEPS)
    four = np.arange(STEPS) % 4

    def ragged_of(
        values: np.ndarray, lengths: np.ndarray = LENGTHS, step_y: StepArray | None = None, **more: Any
    ) -> Ragged:
        steps = {} if step_y is None else {"step_y": StepArray(step_y.data[: lengths.sum()], step_y.value)}
        y = {name: more[name] for name in more if name in ("y", "static", "static_c")}
        names = {} if "classes" not in more else {"classes": np.array(more["classes"])}
        if "c" in more:
            steps["c"] = StepArray(more["c"][: lengths.sum()], 0)
            names |= {"categories": np.array(["city", "device"])}
            names |= {f"vocabulary_{i}": np.array(["a", "b", "c", "d"][: 4 - i]) for i in range(2)}
        if "static_c" in more:
            names["static_categories"] = np.array(["town", "plan"][: more["static_c"].shape[1]])
            names |= {f"static_vocabulary_{i}": np.array(["a", "b", "c"][: 3 - i]) for i in range(2)}
        return Ragged(
            values[: lengths.sum()], offsets_of(lengths), per_step=steps, per_sequence=y, names=names
        )

    holed = features.copy()
    holed[::4, 0] = holed[5] = nan
    static = random.standard_normal((COUNT, 2))
    two = random.random((COUNT, 2))
    two[3, 1] = two[7] = nan
    holed_static = np.where(np.arange(2 * COUNT).reshape(COUNT, 2) % 5, static, nan)
    holed_fractions, labels = fractions.copy(), random.random(STEPS)
    holed_fractions[::3] = labels[1::3] = nan
    c = np.stack([random.integers(1, 7, STEPS), random.integers(1, 6, STEPS)], axis=1)
    own = np.stack([1 + np.arange(COUNT) % 5, 1 + np.arange(COUNT) % 4], axis=1)
    blocks = random.random((COUNT, 2, 3))
    blocks[3, 1, 0] = nan
    return {
        "classes": ragged_of(features, y=three, classes=["a", "b", "c", "d"]),
        "real": ragged_of(features.astype(np.float64), y=random.random(COUNT)),
        "whole": ragged_of(features, y=np.arange(COUNT) * 7),
        "two": ragged_of(features, y=random.random((COUNT, 2))),
        "empty": ragged_of(features, FEW, y=three),
        "true": ragged_of(features, y=np.arange(COUNT) % 2 == 1),
        "true_steps": ragged_of(features, step_y=StepArray(four > 1, 0)),
        "next": ragged_of(features, FEW),
        "steps": ragged_of(features, FEW, StepArray(four, -100)),
        "numbers": ragged_of(features, step_y=StepArray(random.random(STEPS), nan)),
        "rows": ragged_of(features, step_y=StepArray(random.random((STEPS, 2)), -100)),
        "zero": ragged_of(features, step_y=StepArray(four, 0)),  # padding of labels looks like a class
        "ids": ragged_of(ids, y=three),
        "id0": ragged_of(with_zero, y=three),
        "next_id": ragged_of(ids, FEW),
        "next_id0": ragged_of(with_zero),
        "id_steps": ragged_of(with_zero, step_y=StepArray(four, -1)),
        "number": ragged_of(fractions, y=three),
        "next_number": ragged_of(fractions),
        "column": ragged_of(
            with_zero[:, None], y=np.where(three == 1, -100, three), classes=["a", "b", "c"], static=static
        ),
        "next_column": ragged_of(ids[:, None]),
        "column_steps": ragged_of(with_zero[:, None], step_y=StepArray(four, 0), static=np.int64(9 * static)),
        "holes": ragged_of(holed, y=two, static=holed_static),
        "next_holes": ragged_of(holed, FEW, static=static),
        "hole_labels": ragged_of(features, y=np.where(three, random.random(COUNT), nan)),
        "block": ragged_of(features, y=np.arange(6 * COUNT).reshape(COUNT, 2, 3) % 11),
        "hole_block": ragged_of(features, y=blocks),
        "category": ragged_of(features, y=three, c=c, static=static),
        "category_alone": ragged_of(features[:, :0], y=blocks[::-1], c=c),
        "category_holes": ragged_of(holed, step_y=StepArray(random.random(STEPS), nan), c=c),
        "category_id": ragged_of(with_zero, y=three, c=c),
        "next_category": ragged_of(features, FEW, c=c, static=static),
        "own": ragged_of(features, y=three, static_c=own),
        "next_own": ragged_of(features, FEW, static=holed_static, static_c=own),
        "own_id_steps": ragged_of(
            with_zero, step_y=StepArray(four, -1), static=np.int64(9 * static), static_c=own
        ),
        "own_category": ragged_of(features, y=two, c=c, static=static, static_c=own),
        "hole_steps": ragged_of(holed_fractions, step_y=StepArray(labels, nan), static=static),
    }


@cache
def files() -> Mapping[str, Ragged | Padded]:
    """Each kind ragged, padded at the end, and padded at the start with what no network should read."""
    found: dict[str, Ragged | Padded] = {}
    with warnings.catch_warnings():
        # Labels of steps may be 0 in padding and in real steps: a program must not take one for the other.
        warnings.filterwarnings("ignore", "step_y holds 0 in padding")
        for name, data in kinds().items():
            ids = data.values.dtype.kind == "i"
            found[f"{name}.ragged"] = data
            found[f"{name}.post"] = seqtool.pad(data, padding="post")
            found[f"{name}.pre"] = seqtool.pad(data, padding="pre", maxlen=11, value=-1 if ids else nan)
    return found
