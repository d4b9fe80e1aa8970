"""What belongs to the sequences of a file that seqtool did not write: what rides along, and what does not."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

import seqtool
from seqtool.arrays import read_array
from seqtool.errors import DataError, UsageError
from seqtool.foreign import Foreign
from seqtool.inputs import opened
from seqtool.sequences import Sequences, SourceOptions
from tests.command import Place, succeeded

X = np.array([[[1.0, 2], [0, 0]], [[3, 4], [5, 6]], [[0, 0], [0, 0]]], np.float32)
LENGTHS = np.array([1, 2, 0])


@pytest.fixture
def place(tmp_path: Path) -> Place:
    return Place(tmp_path)


def read(path: Path, **said: Any) -> Sequences:
    with opened([str(path)]) as [source]:
        return read_array(source, SourceOptions(**said))


def saved(folder: Path, **arrays: Any) -> Path:
    np.savez(folder / "in.npz", **{"x": X, "lengths": LENGTHS, **arrays})
    return folder / "in.npz"


COMPANY: dict[str, Any] = {
    "y": np.array([1, 0, 1], np.int16),
    "classes": np.array(["a", "b"]),
    "keys": np.array([7, 8, 9], np.int32),
    "features": np.array(["p", "q"]),
    "static": np.array([[1.5], [2.5], [3.5]]),
    "static_features": np.array(["age"]),
}


@pytest.mark.parametrize("form", ["padded", "dense", "ragged"])
def test_arrays_that_are_called_as_ours_ride_along(tmp_path: Path, form: str) -> None:
    path = saved(tmp_path, **COMPANY, notes=np.zeros(2))
    if form == "dense":
        np.savez(path, x=X, **COMPANY, notes=np.zeros(2))
    if form == "ragged":
        np.savez(path, values=X[0], offsets=[0, 1, 2, 2], **COMPANY, notes=np.zeros(2))
    came = read(path)
    ragged = came.ragged
    assert np.asarray(ragged.per_sequence["y"]).tolist() == [1, 0, 1]
    assert np.asarray(ragged.per_sequence["static"]).tolist() == [[1.5], [2.5], [3.5]]
    assert {name: part.tolist() for name, part in ragged.names.items()} == {
        "classes": ["a", "b"],
        "static_features": ["age"],
    }
    keys: Any = ragged.keys
    assert (np.asarray(keys).tolist(), keys.dtype) == ([7, 8, 9], np.int64)
    assert ragged.features == ("p", "q")
    assert (came.notes, came.warnings) == (["arrays not read: notes"], [])


def test_what_rode_along_follows_its_sequence(place: Place) -> None:
    saved(place.folder, **COMPANY)
    succeeded(place.run("pad", "in.npz", "--min-len", "1", "--post", "-o", "out.npz"))
    arrays = place.arrays("out.npz")
    assert (arrays["y"].tolist(), arrays["keys"].tolist()) == ([1, 0], [7, 8])
    assert arrays["static"].tolist() == [[1.5], [2.5]]
    assert arrays["features"].tolist() == ["p", "q"]
    succeeded(place.run("check", "out.npz", "--for", "torch"))


def test_arrays_that_misfit_are_told_and_left(place: Place) -> None:
    path = saved(
        place.folder,
        y=np.array([1, 0]),
        classes=np.array(["a", "b"]),
        features=np.ones((3, 4)),
        keys=np.array([0.5, 1, 2]),
    )
    came = read(path)
    assert "y" not in came.ragged.per_sequence
    assert came.ragged.features is None
    assert came.ragged.keys is None
    assert [told.partition(" ")[0] for told in came.warnings] == ["keys", "features", "y"]
    assert all(told.endswith("it was not read") for told in came.warnings)
    assert came.notes == ["arrays not read: classes"]
    done = succeeded(place.run("pad", "in.npz", "-o", "out.npz"))
    assert "y has shape (2,); (3) was expected" in done.err
    assert "y" not in place.arrays("out.npz")


def test_labels_and_keys_may_be_called_anything(place: Place) -> None:
    np.savez(place.folder / "a.npz", X=X, Y=["up", "down", "up"], who=["a", "b", "c"], n=LENGTHS)
    call = ["a.npz", "--array", "X", "--label", "Y", "--key", "who", "--lengths", "n"]
    succeeded(place.run("pad", *call, "-o", "out.npz"))
    arrays = place.arrays("out.npz")
    assert arrays["y"].tolist() == [1, 0, 1]
    assert arrays["classes"].tolist() == ["down", "up"]
    assert arrays["keys"].tolist() == ["a", "b", "c"]
    done = succeeded(place.run("check", *call))
    assert "2 classes" in done.out.decode()
    failed = place.run("pad", "a.npz", "--array", "X", "--label", "z")
    assert (failed.code, failed.err.count("\n")) == (1, 1)
    assert "a.npz: holds no array 'z' for --label; there are X, Y, who, n" in failed.err
    np.savez(place.folder / "b.npz", x=X, Y=[1, 2])
    failed = place.run("pad", "b.npz", "--label", "Y")
    assert failed.code == 1
    assert "b.npz: Y has shape (2,); (3) was expected" in failed.err


def test_the_array_of_sequences_is_the_one_that_is_left(tmp_path: Path) -> None:
    np.savez(tmp_path / "a.npz", X=X, Y=[1, 2, 3])
    assert len(read(tmp_path / "a.npz", label="Y").ragged) == 3
    with pytest.raises(DataError, match="several arrays"):
        read(tmp_path / "a.npz")
    np.savez(tmp_path / "a.npz", X=X, y=[1, 2, 3], lengths=LENGTHS)
    assert np.asarray(read(tmp_path / "a.npz").ragged.per_sequence["y"]).tolist() == [1, 2, 3]
    np.savez(tmp_path / "a.npz", features=X)
    assert len(read(tmp_path / "a.npz").ragged) == 3


def test_a_single_array_and_a_file_of_ours_have_none_to_name(tmp_path: Path) -> None:
    np.save(tmp_path / "a.npy", X)
    with pytest.raises(UsageError, match="holds only one"):
        read(tmp_path / "a.npy", label="y")
    seqtool.save(tmp_path / "b.npz", seqtool.pad([[1], [2]]))
    with pytest.raises(UsageError, match="leave --label out"):
        read(tmp_path / "b.npz", label="y")


def test_what_is_said_is_said_again_in_a_cure() -> None:
    said = Foreign(array="x", input_padding="pre", value=(0, 1.5), label="Y")
    assert said.options == ("--array", "x", "--input-padding", "pre", "--value", "0,1.5", "--label", "Y")


# Old data


def test_clean_padding_with_zeros_is_no_old_data_whatever_the_new_value(tmp_path: Path) -> None:
    assert read(saved(tmp_path), value=-1).warnings == []
    dirty = X.copy()
    dirty[0, 1] = 9
    assert "1 steps past" in " ".join(read(saved(tmp_path, x=dirty), value=-1).warnings)
    dirty[0, 1] = -1
    assert read(saved(tmp_path, x=np.where(X == 0, -1, X)), value=-1).warnings == []


def test_padding_at_the_start_is_seen_whatever_the_new_value(tmp_path: Path) -> None:
    path = saved(tmp_path, x=X[:, ::-1])
    for value in (None, -1):
        with pytest.raises(DataError, match="looks padded at its start"):
            read(path, value=value)
    assert read(path, value=-1, input_padding="pre").warnings == []
