"""The programs of `seqtool info --code` run, and learn from real steps alone what the file holds."""

from __future__ import annotations

import json
import re
from pathlib import Path

import numpy as np
import pytest

import seqtool
from seqtool.codegen import program
from tests.command import SAMPLES, Place, succeeded
from tests.frameworks.running import PROGRAMS, printed, run_program
from tests.learnable import files

FRAMEWORKS = [
    pytest.param(code, marks=getattr(pytest.mark, marker))
    for code, marker in (("torch", "torch"), ("keras", "keras"), ("tf", "tensorflow"), ("jax", "jax"))
]
# The process that each is run in has Keras too, on its own backend.
BACKENDS = {"torch": "torch", "keras": "tensorflow", "tf": "tensorflow", "jax": "jax"}
every_framework = pytest.mark.parametrize("code", FRAMEWORKS)
# What the LSTM reads of a step, and what the network says.
SIZES = {
    "classes": (3, 4),
    "real": (3, 1),
    "whole": (3, 1),
    "two": (3, 2),
    "empty": (3, 3),
    "next": (3, 3),
    "steps": (3, 4),
    "numbers": (3, 1),
    "rows": (3, 2),
    "zero": (3, 4),
    "ids": (32, 3),
    "id0": (32, 3),
    "next_id": (32, 20),
    "next_id0": (32, 20),
    "id_steps": (32, 4),
    "number": (1, 3),
    "next_number": (1, 1),
    "column": (32, 3),
    "next_column": (32, 20),
    "column_steps": (32, 4),
    "holes": (3, 2),
    "next_holes": (3, 3),
    "hole_labels": (3, 1),
    "block": (3, 6),
    "hole_block": (3, 6),
    "category": (67, 3),
    "category_alone": (64, 6),
    "category_holes": (67, 1),
    "category_id": (96, 3),
    "next_category": (67, 3),
    "own": (3, 3),
    "next_own": (3, 3),
    "own_id_steps": (32, 4),
    "own_category": (67, 2),
    "hole_steps": (1, 1),
}


# A real file


@pytest.fixture(scope="module")
def vowels(tmp_path_factory: pytest.TempPathFactory) -> Place:
    place = Place(tmp_path_factory.mktemp("vowels"))
    by = "--key utterance --order-by frame --label speaker --drop split --ragged"
    succeeded(place.run("group", SAMPLES / "japanese_vowels.csv", *by.split(), "-o", "it's a file.npz"))
    return place


@every_framework
def test_a_printed_program_runs_as_it_stands_and_tells_its_loss(code: str, vowels: Place) -> None:
    text = succeeded(vowels.run("info", "it's a file.npz", "--code", code)).out.decode()
    assert text.splitlines()[1] == "# 640 sequences of 7 to 29 steps of 12 features, to learn 9 classes"
    path = vowels.write(f"train_{code}.py", text)
    done = run_program(path, folder=vowels.folder, environment={"KERAS_BACKEND": BACKENDS[code]})
    assert done.returncode == 0, done.stderr
    assert "Warning:" not in done.stderr
    loss = re.fullmatch(r"loss (\d+\.\d{3})\n", done.stdout)
    assert loss is not None, done.stdout
    assert abs(float(loss[1]) - np.log(9)) < 0.5  # of a network that knows nothing yet


# Every kind of file

FORMS = ["ragged", "post", "pre"]
WHICH = {name: i for i, name in enumerate(["torch", "keras", "tf", "jax"])}


def chosen(code: str) -> list[str]:
    """Every kind of file in one form, and one kind in all of them; each in PyTorch and two of the others."""
    pairs = {
        f"{kind}.{FORMS[(i + WHICH[code]) % 3]}"
        for i, kind in enumerate(SIZES)
        if code == "torch" or i % 3 != WHICH[code] - 1
    }
    return sorted(pairs | {f"classes.{form}" for form in FORMS})


@every_framework
def test_the_loss_is_that_of_each_sequence_alone(code: str, tmp_path: Path) -> None:
    for name in chosen(code):
        seqtool.save(tmp_path / f"{name}.npz", files()[name])
        text = program(files()[name], path=str(tmp_path / f"{name}.npz"), code=code)
        (tmp_path / f"{name}.py").write_text(text, encoding="utf-8")
    backend = {"KERAS_BACKEND": BACKENDS[code]}
    out = printed(
        PROGRAMS / "loss_alone.py", code, tmp_path, folder=tmp_path, environment=backend
    ).splitlines()
    assert len([line for line in out if line.startswith("loss ")]) == len(chosen(code))
    facts = json.loads(out[-1])
    assert {name: (found["reads"], found["says"]) for name, found in facts.items()} == {
        name: SIZES[name.split(".")[0]] for name in chosen(code)
    }
    assert {name: found["loss"] for name, found in facts.items()} == {
        name: pytest.approx(found["alone"], rel=1e-4) for name, found in facts.items()
    }


@every_framework
def test_each_of_several_labels_has_its_own_loss(code: str, tmp_path: Path) -> None:
    """Labels of which a network knows nothing yet: numbers near 0, and two classes."""
    y = np.array([[0.0, 0.0], [0.0, 1.0], [0.0, 1.0]], np.float32)
    names = {"label_names": np.array(["delay", "kind"]), "classes_1": np.array(["a", "b"])}
    data = seqtool.Ragged(
        np.ones((6, 2), np.float32), np.array([0, 2, 3, 6]), per_sequence={"y": y}, names=names
    )
    seqtool.save(tmp_path / "several.npz", data)
    path = tmp_path / "train.py"
    path.write_text(program(data, path="several.npz", code=code), encoding="utf-8")
    done = run_program(path, folder=tmp_path, environment={"KERAS_BACKEND": BACKENDS[code]})
    assert done.returncode == 0, done.stderr
    loss = re.fullmatch(r"loss (\d+\.\d{3})\n", done.stdout)
    assert loss is not None, done.stdout
    assert abs(float(loss[1]) - np.log(2)) < 0.3
