"""What a network can learn from sequences."""

from __future__ import annotations

import re

import numpy as np
import pytest

import seqtool
from seqtool.arrays.lazy import CHUNK, Lazy
from seqtool.codegen.targets import Target
from seqtool.codegen.tasks import task_of
from seqtool.errors import DataError
from seqtool.sequences.ragged import Ragged, StepArray
from tests.learnable import COUNT, files, kinds

TARGETS = {
    "classes": Target("y", True, 4),
    "real": Target("y", False, 1),
    "whole": Target("y", False, 1, whole=True),
    "two": Target("y", False, 2, flat=False),
    "empty": Target("y", True, 3),
    "true": Target("y", True, 2),
    "true_steps": Target("step_y", True, 2),
    "next": Target("next", False, 3, flat=False),
    "steps": Target("step_y", True, 4, ignored=-100),
    "numbers": Target("step_y", False, 1),
    "rows": Target("step_y", False, 2, flat=False),
    "zero": Target("step_y", True, 4),
    "ids": Target("y", True, 3),
    "id0": Target("y", True, 3),
    "next_id": Target("next", True, 20),
    "next_id0": Target("next", True, 20),
    "id_steps": Target("step_y", True, 4, ignored=-1),
    "number": Target("y", True, 3),
    "next_number": Target("next", False, 1),
    "column": Target("y", True, 3, ignored=-100),
    "next_column": Target("next", True, 20),
    "column_steps": Target("step_y", True, 4),
    "holes": Target("y", False, 2, flat=False, missing=True),
    "next_holes": Target("next", False, 3, flat=False, missing=True),
    "hole_labels": Target("y", False, 1, missing=True),
    "block": Target("y", False, 6, flat=False, shape=(2, 3), whole=True),
    "hole_block": Target("y", False, 6, flat=False, shape=(2, 3), missing=True),
    "category": Target("y", True, 3),
    "category_alone": Target("y", False, 6, flat=False, shape=(2, 3), missing=True),
    "category_holes": Target("step_y", False, 1),
    "category_id": Target("y", True, 3),
    "next_category": Target("next", False, 3, flat=False),
    "own": Target("y", True, 3),
    "next_own": Target("next", False, 3, flat=False),
    "own_id_steps": Target("step_y", True, 4, ignored=-1),
    "own_category": Target("y", False, 2, flat=False, missing=True),
    "hole_steps": Target("step_y", False, 1, missing=True),
}


@pytest.mark.thinned
@pytest.mark.parametrize("name", files())
def test_the_task_is_that_of_the_sequences_however_they_are_stored(name: str) -> None:
    kind = name.split(".")[0]
    task = task_of(files()[name])
    assert task.target == TARGETS[kind]
    lengths = kinds()[kind].lengths
    assert (task.count, task.shortest, task.longest) == (COUNT, lengths.min(), lengths.max())
    assert task.column == ("column" in kind)
    assert task.categories == ((7, 6) if "category" in kind else ())
    with_static = (
        *("column", "column_steps", "holes", "next_holes", "hole_steps", "category", "next_category"),
        *("next_own", "own_id_steps", "own_category"),
    )
    assert task.static_c == ((6, 5) if "own" in kind else ())
    assert task.own == task.static + 64 * ("own" in kind)
    assert task.static == 2 * (kind in with_static)
    assert (task.missing > 0) == (kind in ("holes", "next_holes", "hole_steps", "category_holes"))
    assert (task.static_missing > 0) == (kind in ("holes", "next_own"))
    if "id" in kind or "column" in kind:
        least = 0 if "0" in kind or "steps" in kind or kind in ("column", "category_id") else 1
        assert (task.reads, task.inputs, task.least) == ("ids", 20, least)
    else:
        number = "number" in kind.split("_")[-1:] or kind == "hole_steps"
        assert (task.reads, task.inputs) == (
            ("number", 1) if number else ("features", 3 * (kind != "category_alone"))
        )


def labelled(y: object, **names: object) -> Ragged:
    y = np.asarray(y)
    classes = {name: np.asarray(held) for name, held in names.items()}
    offsets = np.arange(len(y) + 1)
    return Ragged(np.ones((len(y), 2)), offsets, per_sequence={"y": y}, names=classes)


@pytest.mark.parametrize(
    ("y", "classes"),
    [
        ([0, 1, 1], 2),
        ([False, True, True], 2),
        (range(100), 100),
        (range(101), None),
        ([0, 2, 2], None),
        ([1, 2, 2], None),
        ([-1, 0, 1], None),
        ([0, 0, 0], None),
        ([0.0, 1.0, 1.0], None),
        ([[0, 1], [1, 0]], None),
    ],
)
def test_whole_numbers_without_names_are_classes_if_they_are_few_from_0_on_without_a_gap(
    y: object, classes: int | None
) -> None:
    target = task_of(labelled([*y] if isinstance(y, range) else y)).target
    assert (target.outputs if target.classes else None) == classes


def test_classes_that_nobody_has_count_too() -> None:
    assert task_of(labelled([0, 0], classes=["a", "b", "c"])).target == Target("y", True, 3)


def test_step_labels_have_classes_of_their_own() -> None:
    step_y = StepArray(np.array([0, 1, 0]), -100)
    names = {"step_classes": np.array(["a", "b", "c"])}
    data = Ragged(np.ones((3, 2)), np.array([0, 1, 3]), per_step={"step_y": step_y}, names=names)
    assert task_of(data).target.outputs == 3


def test_a_step_without_a_label_counts_for_nothing() -> None:
    data = Ragged(
        np.ones((4, 2)), np.array([0, 4]), per_step={"step_y": StepArray(np.array([0, -100, 1, 0]), -100)}
    )
    assert task_of(data).target == Target("step_y", True, 2, ignored=-100)


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (Ragged(np.empty((0, 2)), np.array([0, 0])), "no sequence has a step"),
        (Ragged(np.empty((0, 2)), np.array([0])), "no sequence has a step"),
        (Ragged(np.ones((2, 0)), np.array([0, 2])), "a step has no features"),
        (Ragged(np.ones((2, 1)), np.array([0, 1, 2])), "no labels, and no sequence has a second step"),
        (Ragged(np.array([3, -2]), np.array([0, 2])), "whole numbers down to -2"),
        (Ragged(np.array([3, 10**6]), np.array([0, 2])), "ids up to 1,000,000, more than"),
        (Ragged(np.array([0, 0]), np.array([0, 2])), "steps: all of one class"),
        (labelled([0, 0], classes=["a"]), "y: all of one class"),
        (labelled([0, 2], classes=["a", "b"]), "y holds 2, but there are 2 classes"),
        (labelled([0, -1], classes=["a", "b"]), "y holds -1, but there are 2 classes"),
        (labelled(["a", "b"]), "y holds text"),
        (labelled([0.5, np.inf]), "y[1] is inf: the loss would be NaN"),
        (labelled([np.nan, np.nan]), "y holds nothing but NaN"),
        (labelled([-100, -100], classes=["a", "b"]), "y holds nothing but -100"),
        (labelled([[1e300, 0], [0, 0]]), "y[0, 0] is 1e+300"),
        (
            Ragged(np.array([[1.0], [2.0**24 + 1]]), np.array([0, 2])),
            "step 1 of all holds 16777217.0, which float32",
        ),
        (Ragged(np.array([[1e300]]), np.array([0, 1])), "step 0 of all holds 1e+300, which float32"),
        (labelled(np.ones((2, 3, 0))), "a label in y has shape (3, 0)"),
        (
            Ragged(np.ones((2, 1)), np.array([0, 2]), per_step={"step_y": StepArray(np.ones((2, 3, 4)), 0)}),
            "a label in step_y has shape (3, 4)",
        ),
    ],
)
def test_where_there_is_nothing_to_learn(data: Ragged, message: str) -> None:
    with pytest.raises(DataError, match=re.escape(message)):
        task_of(data)


def test_measurements_that_look_like_ids_are_taken_as_the_error_says() -> None:
    data = seqtool.pad([[3, -2], [5]], dtype="float32")
    assert (task_of(data).reads, task_of(data).inputs) == ("number", 1)


def test_a_file_larger_than_memory_is_read_in_windows() -> None:
    most = 0

    def read(begin: int, end: int) -> np.ndarray:
        nonlocal most
        most = max(most, end - begin)
        return np.arange(begin, end) % 7 + 1

    count = 10 * CHUNK // 8
    values = Lazy((count,), np.dtype(np.int64), read)
    task = task_of(Ragged(values, np.array([0, count])))
    assert (task.inputs, task.least, task.target.outputs) == (8, 1, 8)
    assert most <= CHUNK // 8
