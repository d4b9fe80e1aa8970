"""Time-major arrays: the first steps of all sequences stand first, (T, N), (T, N, F) or (T, N, H, W, C)."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import seqtool
from seqtool.errors import DataError
from seqtool.files import strided
from tests.command import Place, succeeded

LENGTHS = np.array([7, 0, 4])


@pytest.fixture
def place(tmp_path: Path) -> Place:
    return Place(tmp_path)


def block(*step: int) -> np.ndarray:
    """(T, N, ...) of T 7 and N 3, zero where a sequence has no step."""
    x = np.arange(1.0, 1 + 21 * np.prod(step, dtype=int)).reshape(7, 3, *step)
    x[np.arange(7)[:, None] >= LENGTHS] = 0
    return x


STEPS = [(), (2,), (2, 1, 3)]


@pytest.mark.parametrize("step", STEPS)
def test_pad_in_python_is_that_of_the_transpose(step: tuple[int, ...]) -> None:
    x = block(*step)
    found = seqtool.pad(x, time_major=True, maxlen=5)
    expected = seqtool.pad(np.moveaxis(x, 1, 0), maxlen=5)
    assert np.array_equal(found.x, expected.x)
    assert found.receipt[0]["arguments"]["time_major"] is True
    assert "time_major" not in expected.receipt[0]["arguments"]


@pytest.mark.parametrize("given", [[[1], [2]], np.ones(3), seqtool.pad([[1]])])
def test_only_arrays_are_time_major(given: Any) -> None:
    with pytest.raises(DataError, match="time_major describes an array"):
        seqtool.pad(given, time_major=True)


@pytest.mark.thinned
@pytest.mark.parametrize("step", STEPS)
@pytest.mark.parametrize("how", ["npy", "fortran", "npz", "compressed", "turned"])
def test_pad_of_a_file(
    place: Place, how: str, step: tuple[int, ...], monkeypatch: pytest.MonkeyPatch
) -> None:
    if how == "turned":
        monkeypatch.setattr(strided, "_CACHE_BYTES", 40)
    x, folder = block(*step), place.folder
    source = ["t.npz"] if how in ("npz", "compressed") else ["t.npy", "--lengths", "l.npy"]
    np.save(folder / "t.npy", np.asfortranarray(x) if how == "fortran" else x)
    np.save(folder / "l.npy", LENGTHS)
    {"compressed": np.savez_compressed}.get(how, np.savez)(folder / "t.npz", x=x, lengths=LENGTHS)
    np.savez(folder / "n.npz", x=np.moveaxis(x, 1, 0), lengths=LENGTHS)
    options = ["--maxlen", "5", "--post", "-o"]
    succeeded(place.run("pad", *source, "--time-major", *options, "a.npz"))
    succeeded(place.run("pad", "n.npz", *options, "b.npz"))
    found, expected = place.arrays("a.npz"), place.arrays("b.npz")
    assert all(np.array_equal(found[name], expected[name]) for name in ("x", "lengths", "original_lengths"))
    assert json.loads(str(found["meta"]))["receipt"][0]["arguments"]["time_major"] is True


def test_what_has_as_many_slots_is_time_major_too(place: Place) -> None:
    labels = np.where(np.arange(7)[:, None] < LENGTHS, np.arange(21).reshape(7, 3), 0)
    arrays = {"x": block(2), "lengths": LENGTHS, "step_y": labels, "y": np.array([1, 0, 1])}
    for name, mask in {
        "first": np.arange(7)[:, None] < LENGTHS,
        "last": np.arange(7) < LENGTHS[:, None],
    }.items():
        np.savez(place.folder / f"{name}.npz", **arrays, mask=mask)
        succeeded(place.run("pad", f"{name}.npz", "--time-major", "-o", "out.npz"))
        out = place.arrays("out.npz")
        assert out["lengths"].tolist() == LENGTHS.tolist()
        assert (out["step_y"][0] == labels[:, 0]).all()
        assert (out["step_y"][2, :4] == labels[:4, 2]).all()
    np.save(place.folder / "t.npy", block(2))
    np.save(place.folder / "m.npy", np.arange(7)[:, None] < LENGTHS)
    succeeded(place.run("pad", "t.npy", "--time-major", "--lengths", "m.npy", "-o", "out.npz"))
    assert place.arrays("out.npz")["lengths"].tolist() == LENGTHS.tolist()


@pytest.mark.parametrize("in_file", [True, False])
def test_a_mask_of_a_square_block_may_be_either(place: Place, in_file: bool) -> None:
    mask = np.array([[True, True], [True, False]])
    np.savez(
        place.folder / "t.npz",
        x=np.ones((2, 2, 3)),
        n=np.array([2, 1]),
        **({"mask": mask} if in_file else {}),
    )
    np.save(place.folder / "m.npy", mask)
    lengths = () if in_file else ("--lengths", "m.npy")
    done = place.run("pad", "t.npz", "--time-major", "--array", "x", *lengths)
    assert (done.code, "may be (N, T) or (T, N); name lengths" in done.err) == (1, True)
    succeeded(place.run("pad", "t.npz", "--time-major", "--array", "x", "--lengths", "n"))


def test_the_other_commands(place: Place) -> None:
    np.savez(place.folder / "t.npz", x=block(2), lengths=LENGTHS)
    planned = json.loads(succeeded(place.run("plan", "t.npz", "--time-major", "--json")).out)
    assert (planned["sequences"], planned["steps"], "--time-major" in planned["command"]) == (3, 11, True)
    succeeded(place.run("truncate", "t.npz", "--time-major", "--maxlen", "2", "-o", "cut.npz"))
    assert (place.arrays("cut.npz")["x"][2] == block(2)[2:4, 2]).all()
    checked = json.loads(succeeded(place.run("check", "t.npz", "--time-major", "--json")).out)
    assert "--time-major" in {one["name"]: one for one in checked["findings"]}["dtype"]["cure"]


def test_lengths_of_a_time_major_array_tell_that_it_is_one(place: Place) -> None:
    np.savez(place.folder / "t.npz", x=block(2), lengths=LENGTHS)
    done = place.run("pad", "t.npz")
    assert done.code == 1
    assert done.err.rstrip().endswith("sequences first: --time-major") or "--time-major" in done.err


@pytest.mark.parametrize(
    ("content", "name"),
    [("[[1], [2, 3]]", "t.json"), ("1 2\n3\n", "t.txt"), (None, "ours.npz"), (None, "several.npz")],
)
def test_what_is_no_array_is_not_time_major(place: Place, content: str | None, name: str) -> None:
    seqtool.save(place.folder / "ours.npz", seqtool.pad([[1], [2, 3]]))
    np.savez(place.folder / "several.npz", np.ones(2), np.ones(3))
    if content is not None:
        place.write(name, content)
    done = place.run("pad", name, "--time-major")
    assert (done.code, "leave --time-major out" in done.err) == (2, True)
    succeeded(place.run("pad", name))
