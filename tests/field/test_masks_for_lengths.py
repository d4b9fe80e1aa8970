"""External arrays whose lengths stand in a mask: padding was taken for real steps."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tests.command import Place, succeeded

X = np.array([[[1, 2], [0, 0], [0, 0]], [[3, 4], [5, 6], [0, 0]], [[7, 8], [9, 9], [8, 7]]])
LENGTHS = np.array([1, 2, 3])
MASK = np.arange(3) < LENGTHS[:, None]
BACKWARDS = {"x": X[:, ::-1], "mask": MASK[:, ::-1]}


@pytest.fixture
def place(tmp_path: Path) -> Place:
    return Place(tmp_path)


def saved(place: Place, **arrays: Any) -> None:
    np.savez(place.folder / "in.npz", **arrays)


def padded(place: Place, *options: str) -> dict[str, np.ndarray]:
    succeeded(place.run("pad", "in.npz", *options, "-o", "out.npz"))
    succeeded(place.run("check", "out.npz"))
    return place.arrays("out.npz")


@pytest.mark.thinned
@pytest.mark.parametrize("dtype", ["bool", "int8", "uint64", "float32"])
@pytest.mark.parametrize("side", ["post", "pre"])
def test_lengths_and_side_follow_from_a_mask(side: str, dtype: str, place: Place) -> None:
    step = 1 if side == "post" else -1
    saved(place, x=X[:, ::step], mask=MASK[:, ::step].astype(dtype))
    for options in ([], ["--lengths", "mask"], ["--input-padding", side]):
        arrays = padded(place, *options)
        assert arrays["lengths"].tolist() == [1, 2, 3]
        assert arrays["x"].tolist() == X[:, ::step].tolist()  # padded at the side that it was
    assert f"mask tells the lengths, padded {side}" in place.run("pad", "in.npz", "-o", "out.npz").err
    cut = place.run("truncate", "in.npz", "--maxlen", "2", "-o", "cut.npz")
    assert cut.code == 0
    assert place.arrays("cut.npz")["lengths"].tolist() == [1, 2, 2]
    text = succeeded(place.run("check", "in.npz")).out.decode()
    assert "3 sequences of 1 to 3 steps, 6 in all" in text


@pytest.mark.parametrize("without", [["lengths"], ["lengths", "meta"]])
@pytest.mark.parametrize("side", ["--post", "--pre"])
def test_a_file_of_ours_without_its_lengths_comes_back(without: list[str], side: str, place: Place) -> None:
    place.write("t.csv", "k,y,v\na,u,1\nb,w,2\nb,w,3\n")
    succeeded(place.run("group", "t.csv", "--key", "k", "--label", "y", "--mask", side, "-o", "own.npz"))
    own = place.arrays("own.npz")
    saved(place, **{name: array for name, array in own.items() if name not in without})
    result = padded(place, "--mask")
    for name in ("x", "lengths", "mask", "keys", "y", "classes", "features"):
        assert result[name].tolist() == own[name].tolist(), name


def test_a_mask_in_a_file_of_its_own(place: Place) -> None:
    place.write("x.npy", X[:, ::-1])
    place.write("real.npy", MASK[:, ::-1])
    succeeded(place.run("pad", "x.npy", "--lengths", "real.npy", "-o", "out.npz"))
    assert place.arrays("out.npz")["lengths"].tolist() == [1, 2, 3]
    assert "3 sequences of 1 to 3 steps" in place.run("check", "x.npy", "--lengths", "real.npy").out.decode()


def test_a_mask_of_another_name_and_an_array_of_another_name(place: Place) -> None:
    saved(place, data=X, attention=MASK)
    arrays = padded(place, "--array", "data", "--lengths", "attention")
    assert arrays["lengths"].tolist() == [1, 2, 3]
    saved(place, data=X, mask=MASK, y=[1, 2, 3])
    assert padded(place)["lengths"].tolist() == [1, 2, 3]


WRONG: dict[str, tuple[dict[str, Any], str]] = {
    "a hole": ({"x": X, "mask": MASK & (np.arange(3) != 1)}, "mask[2]: its true cells do not stand together"),
    "the middle": (
        {"x": X, "mask": np.arange(3) == np.ones((3, 1))},
        "mask[0]: its true cells do not stand together",
    ),
    "two sides": (
        {"x": X, "mask": np.where(np.arange(3)[:, None] == 1, MASK[:, ::-1], MASK)},
        "mask: sequence 0 is padded at its end, but sequence 1 at its start",
    ),
    "other numbers": ({"x": X, "mask": MASK * 0.5}, "mask[0, 0] is 0.5; a mask holds 0 and 1 alone"),
    "another shape": (
        {"x": X, "mask": MASK[:, :2]},
        "mask is bool (3, 2); a mask of booleans, or of 0 and 1, of shape (3, 3)",
    ),
    "a mask of features": ({"x": X, "mask": X > 0}, "mask is bool (3, 3, 2)"),
}


@pytest.mark.parametrize("wrong", WRONG)
def test_another_mask_is_an_error_that_says_so(wrong: str, place: Place) -> None:
    arrays, message = WRONG[wrong]
    saved(place, **arrays)
    done = place.run("pad", "in.npz", "-o", "out.npz")
    assert done.code == 1
    assert f"in.npz: {message}" in done.err
    assert "--array x" in done.err
    done = succeeded(place.run("pad", "in.npz", "--array", "x", "-o", "out.npz"))  # as it proposes
    assert f"{message}" in done.err.replace("\n", " ")
    assert place.arrays("out.npz")["lengths"].tolist() == [3, 3, 3]
    saved(place, **arrays, lengths=LENGTHS)
    assert padded(place)["lengths"].tolist() == [1, 2, 3]  # there is no need of it


def test_a_mask_beside_lengths(place: Place) -> None:
    saved(place, **BACKWARDS, lengths=LENGTHS)
    assert padded(place)["x"].tolist() == X[:, ::-1].tolist()  # the mask tells the side
    saved(place, x=X, mask=MASK, lengths=[3, 2, 1])
    done = place.run("pad", "in.npz", "-o", "out.npz")
    assert (done.code, "lengths[0] is 3, but mask[0] is true in 1 slots" in done.err) == (1, True), done.err
    assert padded(place, "--lengths", "mask")["lengths"].tolist() == [1, 2, 3]
    saved(place, x=X, mask=MASK)
    done = place.run("pad", "in.npz", "--input-padding", "pre", "-o", "out.npz")
    assert (done.code, "--input-padding is pre, but the mask tells post" in done.err) == (2, True)


def test_masks_that_tell_no_side(place: Place) -> None:
    saved(place, x=X, mask=np.ones((3, 3), bool))
    assert padded(place)["lengths"].tolist() == [3, 3, 3]
    saved(place, x=X * 0, mask=np.zeros((3, 3), bool))
    assert padded(place)["lengths"].tolist() == [0, 0, 0]


@pytest.mark.parametrize(
    ("name", "array", "told"),
    [
        ("attention_mask", np.array([[1, 1, 0], [1, 1, 1]]), True),
        ("seq_len", np.array([2, 3]), True),
        ("attention_mask", np.array([[1, 0, 1], [1, 1, 1]]), False),
        ("other", np.array([2, 3]), False),
    ],
)
def test_arrays_that_may_tell_the_lengths_are_not_passed_over(
    name: str, array: np.ndarray, told: bool, tmp_path: Path
) -> None:
    place = Place(tmp_path)
    np.savez(place.folder / "a.npz", x=np.ones((2, 3, 1)), **{name: array})
    for command in (["pad", "a.npz", "-o", "o.npz"], ["check", "a.npz"]):
        done = place.run(*command)
        said = f"though {name} may tell the lengths: --lengths {name}"
        assert (said in " ".join((done.err + done.out.decode()).split())) == told
    if told:
        place.run("pad", "a.npz", "--lengths", name, "-o", "o.npz")
        assert place.arrays("o.npz")["lengths"].tolist() == [2, 3]
