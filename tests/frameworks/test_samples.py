"""The programs in samples/ run, and show what they say they show."""

from __future__ import annotations

import csv
import re
from pathlib import Path

import numpy as np
import pytest

from tests.command import SAMPLES
from tests.frameworks.running import run_alone


def test_groupby(tmp_path: Path) -> None:
    lines = run_alone(SAMPLES / "groupby.py", folder=tmp_path).splitlines()
    assert lines == [
        "key 1, 1 of 2 steps real: [[0, 1, 1], [0, 0, 0]]",
        "key 2, 2 of 2 steps real: [[3, 0, 2], [2, 1, 2]]",
        "key 3, 2 of 2 steps real: [[1, 2, 3], [2, 0, 3]]",
        "key 4, 1 of 2 steps real: [[1, 1, 4], [0, 0, 0]]",
        "seqtool group gives the same",
    ]


@pytest.mark.tensorflow
def test_dynamic_rnn(tmp_path: Path) -> None:
    text = run_alone(SAMPLES / "dynamic_rnn.py", folder=tmp_path)
    assert re.findall(r"sequence \d, (\d) of 3 steps real", text) == ["3", "1", "3", "2", "2"]
    past = re.findall(r"^  past (\d) \[(.*)\] -> \[(.*)\]$", text, re.MULTILINE)
    assert [slot for slot, _, _ in past] == ["1", "2", "2", "2"]
    assert {float(number) for _, step, output in past for number in (step + output).split()} == {0}
    # The state after each sequence is the output of its last real step, as printed.
    outputs, state = r"(?:  step \d \[.*\] -> (\[.*\])\n)+", r"(?:  past .*\n)*  state +-> (\[.*\])"
    ends = re.findall(outputs + state, text)
    assert len(ends) == 5
    assert all(last == standing for last, standing in ends)
    assert text.endswith(
        "outputs past the end are zero: True\nthe state is the output of the last real step: True\n"
    )


@pytest.mark.slow
@pytest.mark.keras
def test_classifier(tmp_path: Path) -> None:
    text = run_alone(SAMPLES / "classifier_keras.py", "made", folder=tmp_path)
    with np.load(tmp_path / "made" / "in.pad.npz") as data:
        assert data["x"].shape == (1920, 100, 20)
        assert (data["lengths"] == 45).all()
    with (tmp_path / "made" / "history.csv").open(newline="") as file:
        history = list(csv.DictReader(file))
    assert [row["epoch"] for row in history] == list("012")
    # The program ends with the accuracy of the checkpoint: that of the epoch with the smallest loss.
    best = min(history, key=lambda row: float(row["val_loss"]))
    last = text.splitlines()[-1]
    assert last.startswith(f"{float(best['val_accuracy']):.1%} of the sequences held out")
    assert float(best["val_accuracy"]) > 0.9  # by chance: 0.08


@pytest.mark.slow
@pytest.mark.parametrize(
    ("framework", "epochs"),  # as many as it takes to learn
    [pytest.param("torch", 20, marks=pytest.mark.torch), pytest.param("keras", 10, marks=pytest.mark.keras)],
)
def test_train_vowels(tmp_path: Path, framework: str, epochs: int) -> None:
    call = f"--framework {framework} --seeds 1 --epochs {epochs}"
    text = run_alone(SAMPLES / "train_vowels.py", *call.split(), folder=tmp_path)
    assert text.startswith("270 utterances to train on, 370 to test on\n")
    runs = re.findall(rf"^{framework} +(\S.*?)  +(\d|mean)  +([\d.]+)%", text, re.MULTILINE)
    ways = ["packed or masked", "read as data"]
    assert [run[:2] for run in runs] == [
        *((way, "0") for way in ways),
        *((way, "mean") for way in ways),
    ]
    found = [float(accuracy) for way, _, accuracy in runs if way == ways[0]]
    assert min(found) >= 94
    # What reading padding as data does is told as it falls: here, only that it learns at all.
    assert min(float(accuracy) for _, _, accuracy in runs) > 100 / 9
