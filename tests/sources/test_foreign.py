"""What belongs to the sequences of a file that seqtool did not write: what rides along, and what does not."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

import seqtool
from seqtool.errors import DataError, UsageError
from seqtool.files.inputs import opened
from seqtool.sources.numpy_files import read_array
from seqtool.sources.options import ForeignSpec, Sequences
from tests.command import Place, succeeded
from tests.sources.options import source_options

X = np.array([[[1.0, 2], [0, 0]], [[3, 4], [5, 6]], [[0, 0], [0, 0]]], np.float32)
LENGTHS = np.array([1, 2, 0])


def read(path: Path, **options: Any) -> Sequences:
    with opened([str(path)]) as [source]:
        return read_array(source, source_options(**options))


def saved(folder: Path, **arrays: Any) -> Path:
    np.savez(folder / "in.npz", **{"x": X, "lengths": LENGTHS, **arrays})
    return folder / "in.npz"


COMPANY: dict[str, Any] = {
    "y": np.array([1, 0, 1], np.int16),
    "classes": np.array(["a", "b"]),
    "keys": np.array([7, 7, 9], np.int32),
    "part": np.array([0, 5, 0], np.int16),
    "split": np.array(["train", "train", "val"]),
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
    result = read(path)
    ragged = result.ragged
    assert np.asarray(ragged.per_sequence["y"]).tolist() == [1, 0, 1]
    assert np.asarray(ragged.per_sequence["static"]).tolist() == [[1.5], [2.5], [3.5]]
    assert {name: part.tolist() for name, part in ragged.names.items()} == {
        "classes": ["a", "b"],
        "static_features": ["age"],
    }
    keys: Any = ragged.keys
    assert (np.asarray(keys).tolist(), keys.dtype) == ([7, 7, 9], np.int64)
    part: Any = ragged.per_sequence["part"]
    assert (np.asarray(part).tolist(), part.dtype) == ([0, 5, 0], np.int64)
    assert np.asarray(ragged.per_sequence["split"]).tolist() == ["train", "train", "val"]
    assert ragged.features == ("p", "q")
    assert (result.notes, result.warnings) == (["arrays not read: notes"], [])


def test_what_rode_along_follows_its_sequence(place: Place) -> None:
    saved(place.folder, **COMPANY)
    succeeded(place.run("pad", "in.npz", "--min-len", "1", "--post", "-o", "out.npz"))
    arrays = place.arrays("out.npz")
    assert (arrays["y"].tolist(), arrays["keys"].tolist()) == ([1, 0], [7, 7])
    assert (arrays["part"].tolist(), arrays["split"].tolist()) == ([0, 5], ["train", "train"])
    assert arrays["static"].tolist() == [[1.5], [2.5]]
    assert arrays["features"].tolist() == ["p", "q"]
    succeeded(place.run("check", "out.npz", "--for", "torch"))


MISFITS: dict[str, tuple[Any, str]] = {
    "y": (np.array([1, 0]), "y has shape (2,); (3) was expected"),
    "keys": (np.array([0.5, 1, 2]), "keys is float64; int64 or text was expected"),
    "step_y": (np.ones((3, 5)), "step_y has shape (3, 5); (3, 2) was expected"),
}


@pytest.mark.parametrize("name", MISFITS)
def test_labels_and_keys_are_not_lost_in_silence(place: Place, name: str) -> None:
    array, message = MISFITS[name]
    saved(place.folder, **{name: array})
    failed = place.run("pad", "in.npz", "-o", "out.npz")
    assert (failed.code, failed.err.count("\n")) == (1, 1)
    assert message in failed.err
    assert failed.err.endswith("to leave it out: --array x\n")
    assert not (place.folder / "out.npz").exists()
    done = succeeded(place.run("pad", "in.npz", "--array", "x", "-o", "out.npz"))
    assert f"{message}; it was not read" in " ".join(done.err.split()).replace(", or more dimensions", "")
    assert name not in place.arrays("out.npz")


def test_labels_that_only_a_pickle_can_hold(place: Place) -> None:
    saved(place.folder, y=np.array(["up", None, "down"], dtype=object))
    failed = place.run("pad", "in.npz")
    assert failed.code == 1
    assert (
        "in.npz: y holds neither numbers nor text: save it as one of these, such as y.astype(str)"
        in failed.err
    )


def test_other_arrays_that_misfit_are_reported_and_left(tmp_path: Path) -> None:
    odd: dict[str, Any] = {"part": ["a", "b", "c"], "split": [0, 1, 2]}
    odd |= {"features": np.ones((3, 4)), "static": np.ones((2, 1)), "static_features": ["a"]}
    result = read(saved(tmp_path, **odd))
    assert result.ragged.features is None
    assert result.ragged.per_sequence == {}
    assert [text.partition(" ")[0] for text in result.warnings] == ["part", "split", "features", "static"]
    assert all(text.endswith("it was not read") for text in result.warnings)
    assert result.notes == ["arrays not read: static_features"]


# Labels of steps

STEP_LABELS = np.array([[4, 9], [5, 6], [9, 9]], np.int16)


@pytest.mark.parametrize("name", ["y", "step_y"])
def test_labels_of_steps_move_and_are_cut_with_their_steps(place: Place, name: str) -> None:
    saved(place.folder, x=X[:, ::-1], **{name: STEP_LABELS[:, ::-1]})
    succeeded(place.run("pad", "in.npz", "--input-padding", "pre", "--post", "-o", "out.npz"))
    arrays = place.arrays("out.npz")
    assert "y" not in arrays
    assert arrays["step_y"].tolist() == [[4, -100], [6, 5], [-100, -100]]
    assert arrays["x"][1].tolist() == [[5, 6], [3, 4]]
    succeeded(place.run("check", "out.npz", "--for", "dynamic-rnn"))
    succeeded(place.run("pad", "out.npz", "--maxlen", "1", "--min-len", "1", "-o", "cut.npz"))
    assert place.arrays("cut.npz")["step_y"].tolist() == [[4], [5]]
    assert (
        "holds a label for each step" in place.run("check", "in.npz", "--input-padding", "pre").out.decode()
    )


def test_labels_of_steps_where_no_lengths_are_known(place: Place) -> None:
    saved(place.folder, y=np.array([["a", "b"], ["b", "c"], ["d", "d"]]))
    np.savez(place.folder / "in.npz", x=X, y=np.array([["a", "b"], ["b", "c"], ["d", "d"]]))
    succeeded(place.run("pad", "in.npz", "--strip", "0", "--post", "-o", "out.npz"))
    arrays = place.arrays("out.npz")
    assert arrays["step_y"].tolist() == [[0, -100], [1, 2], [-100, -100]]
    assert arrays["classes"].tolist() == ["a", "b", "c", "d"]


def test_labels_of_steps_behind_one_another(tmp_path: Path) -> None:
    np.savez(tmp_path / "a.npz", values=X[0], offsets=[0, 1, 1, 2], y=[0.5, 1.5])
    result = read(tmp_path / "a.npz")
    assert np.asarray(result.ragged.per_step["step_y"].data).tolist() == [0.5, 1.5]


def test_each_kind_of_label_has_its_own_classes(place: Place) -> None:
    walks = np.array([["run", ""], ["walk", "run"], ["", ""]])
    for y, classes, names in (
        (["up", "down", "up"], {}, ["down", "up"]),
        ([1, 0, 1], {"classes": ["u", "v"]}, ["u", "v"]),
    ):
        saved(place.folder, y=np.array(y), step_y=walks, **classes)
        succeeded(place.run("pad", "in.npz", "--post", "-o", "out.npz"))
        arrays = place.arrays("out.npz")
        assert arrays["classes"].tolist() == names
        assert arrays["step_classes"].tolist() == ["run", "walk"]  # and not what padding holds
        assert arrays["y"].tolist() == [1, 0, 1]
        assert arrays["step_y"].tolist() == [[0, -100], [1, 0], [-100, -100]]
        succeeded(place.run("check", "out.npz"))


def test_as_many_classes_as_steps_are_no_labels_of_steps(tmp_path: Path) -> None:
    x = np.ones((4, 3, 2), np.float32)
    hot = np.eye(3)[[0, 1, 2, 0]]
    np.savez(tmp_path / "a.npz", x=x, y=hot)
    assert read(tmp_path / "a.npz").ragged.per_sequence["y"].shape == (4, 3)
    x[1:, 2] = 0
    np.savez(tmp_path / "a.npz", x=x, y=np.eye(3)[[0, 2, 1, 2]] * 5, lengths=[3, 2, 2, 2])
    assert read(tmp_path / "a.npz").ragged.per_sequence["y"].shape == (4, 3)
    steps = np.array([[1, 1, 2], [1, 2, -1], [2, 2, -1], [1, 1, -1]])
    np.savez(tmp_path / "a.npz", x=x, y=steps, lengths=[3, 2, 2, 2])
    assert "step_y" in read(tmp_path / "a.npz").ragged.per_step


def test_whole_numbers_that_are_stored_as_others(place: Place) -> None:
    saved(place.folder, y=np.array([1.0, 0, 1]), classes=["a", "b"], keys=np.array([3.0, 1, 2]))
    succeeded(place.run("pad", "in.npz", "-o", "out.npz"))
    arrays = place.arrays("out.npz")
    assert (arrays["y"].dtype, arrays["keys"].dtype) == (np.int64, np.int64)
    saved(place.folder, y=np.array([True, False, True]), classes=["a", "b"])
    succeeded(place.run("pad", "in.npz", "-o", "out.npz"))
    succeeded(place.run("check", "out.npz"))


@pytest.mark.parametrize("y", [np.array([0, 1, 2]), np.array([0, -1, 1]), np.array([0.5, 0, 1])])
def test_labels_outside_of_their_classes_are_refused(place: Place, y: np.ndarray) -> None:
    for arrays in ({"x": X, "lengths": LENGTHS}, {"x": X}, {"values": X[0], "offsets": [0, 1, 1, 2]}):
        np.savez(place.folder / "in.npz", **arrays, y=y, classes=["a", "b"])
        failed = place.run("pad", "in.npz")
        assert (failed.code, failed.err.count("\n")) == (1, 1)
        assert "classes" in failed.err


def test_an_array_has_one_part(tmp_path: Path) -> None:
    path = saved(tmp_path, target=np.array([1, 2, 3]))
    for options in ({"label": "x"}, {"label": "lengths"}, {"key": "x"}, {"label": "target", "key": "target"}):
        with pytest.raises(UsageError, match="already used for something else"):
            read(path, **options)


def test_ragged_arrays_beside_others(tmp_path: Path) -> None:
    arrays = {"values": X[0], "offsets": [0, 1, 1, 2], "lengths": [1, 0, 1]}
    np.savez(tmp_path / "a.npz", **arrays, keys=np.array([0.5, 1, 2]))
    with pytest.raises(DataError, match="to leave it out: --array values"):
        read(tmp_path / "a.npz")
    result = read(tmp_path / "a.npz", array="values")
    assert np.asarray(result.ragged.lengths).tolist() == [1, 0, 1]
    assert result.notes == []
    np.savez(tmp_path / "a.npz", **{**arrays, "lengths": [0, 1, 1]})
    with pytest.raises(DataError, match="contradict"):
        read(tmp_path / "a.npz")


def test_rows_of_labels_of_sequences_are_no_labels_of_steps(tmp_path: Path) -> None:
    for shape in ((3, 5), (3, 1)):
        result = read(saved(tmp_path, y=np.ones(shape)))
        assert result.ragged.per_sequence["y"].shape == shape
    result = read(saved(tmp_path, x=X[:, :1], lengths=[1, 1, 0], y=np.ones((3, 1))))  # of one slot
    assert result.ragged.per_sequence["y"].shape == (3, 1)


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
    assert "a.npz: holds no array 'z' for --label; the arrays are X, Y, who, n" in failed.err
    np.savez(place.folder / "b.npz", x=X, Y=[1, 2])
    failed = place.run("pad", "b.npz", "--label", "Y")
    assert failed.code == 1
    assert "b.npz: Y has shape (2,); (3) was expected" in failed.err


def test_the_array_of_sequences_is_the_one_that_is_left(tmp_path: Path) -> None:
    np.savez(tmp_path / "a.npz", X=X, Y=[1, 2, 3])
    assert len(read(tmp_path / "a.npz", label="Y").ragged) == 3
    with pytest.raises(DataError, match="several arrays"):
        read(tmp_path / "a.npz")
    with pytest.raises(DataError, match="--lengths nope: neither an array of the input nor a file"):
        read(tmp_path / "a.npz", lengths="nope")
    np.savez(tmp_path / "a.npz", X=X, y=[1, 2, 3], lengths=LENGTHS)
    assert np.asarray(read(tmp_path / "a.npz").ragged.per_sequence["y"]).tolist() == [1, 2, 3]
    np.savez(tmp_path / "a.npz", features=X)
    assert len(read(tmp_path / "a.npz").ragged) == 3


def test_numbered_arrays_that_are_no_sequences_say_what_they_may_be(tmp_path: Path) -> None:
    np.savez(tmp_path / "a.npz", X, LENGTHS)
    with pytest.raises(DataError, match=r"sequence 0 \(3, 2, 2\).* all sequences: --array arr_0"):
        read(tmp_path / "a.npz")
    assert len(read(tmp_path / "a.npz", array="arr_0", lengths="arr_1").ragged) == 3
    assert read(tmp_path / "a.npz", lengths="arr_1").steps == 3
    np.savez(tmp_path / "a.npz", X, np.array([1, 0, 1]))
    assert "y" in read(tmp_path / "a.npz", label="arr_1").ragged.per_sequence


def test_a_single_array_and_a_file_of_ours_have_none_to_name(tmp_path: Path) -> None:
    np.save(tmp_path / "a.npy", X)
    with pytest.raises(UsageError, match="holds only one"):
        read(tmp_path / "a.npy", label="y")
    seqtool.save(tmp_path / "b.npz", seqtool.pad([[1], [2]]))
    with pytest.raises(UsageError, match="leave --label out"):
        read(tmp_path / "b.npz", label="y")


def test_what_is_said_is_said_again_in_a_cure() -> None:
    text = ForeignSpec(array="x", input_padding="pre", value=(0, 1.5), labels=("Y",))
    options = {"--array": "x", "--input-padding": "pre", "--value": "0,1.5", "--label": "Y"}
    assert text.options == options


# Old data


def test_clean_padding_with_zeros_is_no_old_data_whatever_the_new_value(tmp_path: Path) -> None:
    assert read(saved(tmp_path), value=-1).warnings == []
    dirty = X.copy()
    dirty[0, 1] = 9
    assert "1 step beyond lengths was overwritten" in " ".join(
        read(saved(tmp_path, x=dirty), value=-1).warnings
    )
    dirty[0, 1] = -1
    assert read(saved(tmp_path, x=np.where(X == 0, -1, X)), value=-1).warnings == []


def test_padding_at_the_start_is_seen_whatever_the_new_value(tmp_path: Path) -> None:
    path = saved(tmp_path, x=X[:, ::-1])
    for value in (None, -1):
        with pytest.raises(DataError, match="looks padded at its start"):
            read(path, value=value)
    for padding in (-1, np.nan):
        x = np.where(X == 0, padding, X)[:, ::-1]
        with pytest.raises(DataError, match="looks padded at its start"):
            read(saved(tmp_path, x=x))
    saved(tmp_path, x=X[:, ::-1])
    assert read(path, value=-1, input_padding="pre").warnings == []
