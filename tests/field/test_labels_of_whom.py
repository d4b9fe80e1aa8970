"""Labels (N, H) with as many numbers as there are steps: of sequences or of steps, which a person says."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tests.command import Place, succeeded

X = np.arange(12.0).reshape(2, 3, 2)
Y = np.array([[5, 6, 7], [8, 9, 9]])


@pytest.fixture
def place(tmp_path: Path) -> Place:
    return Place(tmp_path)


def saved(place: Place, **arrays: Any) -> None:
    np.savez(place.folder / "in.npz", x=X, **arrays)


@pytest.mark.thinned
@pytest.mark.parametrize(
    "y", [Y, Y + 0.5, np.stack([Y, Y], axis=2)], ids=["whole", "fractions", "two a step"]
)
@pytest.mark.parametrize("command", [["pad"], ["truncate"], ["pad", "--ragged"]])
def test_numbers_that_may_be_either_are_an_error_that_names_both(
    y: np.ndarray, command: list[str], place: Place
) -> None:
    saved(place, y=y)
    done = place.run(*command, "in.npz", "--maxlen", "2", "-o", "out.npz")
    assert done.code == 1
    assert (
        "a label for each of 3 steps, or 3 for each sequence; --step-label y or --label y says which"
        in done.err
    )
    succeeded(place.run(*command, "in.npz", "--maxlen", "2", "--label", "y", "-o", "out.npz"))
    arrays = place.arrays("out.npz")
    assert arrays["y"].tolist() == y.tolist()
    assert "step_y" not in arrays
    succeeded(place.run(*command, "in.npz", "--maxlen", "2", "--step-label", "y", "-o", "out.npz"))
    arrays = place.arrays("out.npz")
    assert arrays["step_y"].reshape(2, 2, *y.shape[2:]).tolist() == y[:, 1:].tolist()
    assert "y" not in arrays


def test_check_and_plan_know_the_options(place: Place) -> None:
    saved(place, y=Y)
    done = place.run("check", "in.npz")
    assert (done.code, "--step-label y or --label y" in " ".join(done.out.decode().split())) == (1, True)
    for option in ("--label", "--step-label"):
        succeeded(place.run("check", "in.npz", option, "y"))
        succeeded(place.run("plan", "in.npz", option, "y"))
    assert "step_y" in place.run("check", "in.npz", "--step-label", "y").out.decode()


def test_labels_of_steps_of_another_name(place: Place) -> None:
    saved(place, tags=np.array([["a", "b", "a"], ["b", "b", "a"]]), y=[1.5, 2.5], lengths=[3, 2])
    succeeded(place.run("pad", "in.npz", "--step-label", "tags", "--post", "-o", "out.npz"))
    arrays = place.arrays("out.npz")
    assert arrays["step_y"].tolist() == [[0, 1, 0], [1, 1, -100]]
    assert (arrays["step_classes"].tolist(), arrays["y"].tolist()) == (["a", "b"], [1.5, 2.5])
    receipt = str(arrays["meta"])
    assert '"step_label": "tags"' in receipt


def test_what_a_step_label_cannot_be(place: Place) -> None:
    saved(place, y=[1, 2], z=Y)
    for options, code, message in (
        (["--step-label", "y"], 1, "y has shape (2,); (2, 3) was expected"),
        (["--step-label", "w"], 1, "holds no array 'w' for --step-label"),
        (
            ["--step-label", "z", "--label", "z"],
            2,
            "label z: that array is already used for something else",
        ),
        (["--step-label", "x"], 2, "--step-label x: that array is already used"),
    ):
        done = place.run("pad", "in.npz", *options, "-o", "out.npz")
        assert (done.code, message in done.err) == (code, True), done.err
    place.write("t.txt", "1 2\n")
    done = place.run("pad", "t.txt", "--step-label", "y")
    assert (done.code, "leave --step-label out" in done.err) == (2, True)


def test_what_needs_no_word(place: Place) -> None:
    """Text is a label of steps, a row with a single 1 a class; with lengths, padding tells labels of steps."""
    saved(place, y=np.array([["a", "b", "a"], ["b", "b", "a"]]))
    succeeded(place.run("pad", "in.npz", "-o", "out.npz"))
    assert place.arrays("out.npz")["step_y"].shape == (2, 3)
    saved(place, y=np.eye(3)[:2])
    succeeded(place.run("pad", "in.npz", "-o", "out.npz"))
    assert place.arrays("out.npz")["y"].tolist() == np.eye(3)[:2].tolist()
    saved(place, y=np.array([[5, 6, -1], [7, -1, -1]]), lengths=[2, 1])
    succeeded(place.run("pad", "in.npz", "--post", "-o", "out.npz"))
    assert place.arrays("out.npz")["step_y"].tolist() == [[5, 6], [7, -100]]
