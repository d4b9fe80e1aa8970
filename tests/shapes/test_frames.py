"""Steps of several dimensions: the frames of videos, (L, H, W, C) each, and blocks of them, (N, T, H, W, C)."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import seqtool
from seqtool.errors import DataError
from seqtool.sequences.stream import PaddedStream
from tests import oracles
from tests.command import Place, succeeded

FRAME = (4, 5, 3)
LENGTHS = (2, 0, 5, 3)


@pytest.fixture
def place(tmp_path: Path) -> Place:
    return Place(tmp_path)


def clips(lengths: tuple[int, ...] = LENGTHS, *, dtype: Any = np.uint8) -> list[np.ndarray]:
    rng = np.random.default_rng(3)
    return [rng.integers(1, 250, (length, *FRAME)).astype(dtype) for length in lengths]


def padded(sequences: list[np.ndarray], value: Any = 0, **options: Any) -> np.ndarray:
    """What the oracle makes of them; `value` broadcasts over a frame."""
    frame = np.broadcast_to(np.asarray(value), FRAME).tolist()
    rows = oracles.pad_sequences([one.tolist() for one in sequences], value=frame, **options)
    return np.array(rows, dtype=sequences[0].dtype)


# Python


@pytest.mark.parametrize("value", [0, 7, (1, 2, 3)])
@pytest.mark.parametrize("options", [{}, {"padding": "post", "maxlen": 3, "truncating": "post"}])
def test_pad_of_arrays_lists_and_a_block(options: dict[str, Any], value: Any) -> None:
    expected = padded(clips(), value, **options)
    for given_as in (clips(), [one.tolist() for one in clips()]):
        assert (seqtool.pad(given_as, value=value, **options).x == expected).all()
    block = np.stack(clips((3, 3)))
    assert (seqtool.pad(block, maxlen=5, value=value).x == padded([*block], value, maxlen=5)).all()


@settings(max_examples=20, deadline=None)
@given(
    st.lists(st.integers(0, 4), min_size=1, max_size=5),
    st.sampled_from(["pre", "post"]),
    st.sampled_from([(1, 2), (2, 1, 3), (2, 0)]),
)
def test_unpad_is_the_inverse_of_pad(lengths: list[int], padding: Any, step: tuple[int, ...]) -> None:
    sequences = [np.full((length, *step), i + 1.5) for i, length in enumerate(lengths)]
    block = seqtool.pad(sequences, padding=padding)
    again = seqtool.unpad(block)
    assert again.values.shape[1:] == step
    for one, two, three in zip(sequences, again, block, strict=True):
        assert np.array_equal(one, two)
        assert np.array_equal(one, three)


def test_what_they_say_of_themselves() -> None:
    ragged = seqtool.unpad(seqtool.pad(clips()))
    assert repr(ragged) == "Ragged(4 sequences, 10 steps of 4 x 5 x 3 uint8)"
    assert ragged[2].shape == (5, *FRAME)


def test_a_value_for_each_channel_is_for_the_last_dimension_alone() -> None:
    with pytest.raises(DataError, match=r"2 numbers, but a step is an array of 4 x 5 x 3; one number, or 3,"):
        seqtool.pad(clips(), value=(1, 2))


def test_frames_have_no_names_of_features() -> None:
    ragged = seqtool.unpad(seqtool.pad(clips()))
    with pytest.raises(DataError, match="names 4 features, but a step is an array of 4 x 5 x 3"):
        ragged.replace(features=("a", "b", "c", "d"))


def test_a_free_value_is_one_that_no_frame_holds_throughout() -> None:
    frames = np.zeros((3, 2, 2))
    frames[1, 0, 0] = 5
    assert seqtool.pad([frames, frames[:1]], value="auto").value == -1


def test_other_libraries_give_their_tensors() -> None:
    class Tensor:
        def __init__(self, cells: np.ndarray) -> None:
            self.cells = cells

        def __len__(self) -> int:
            return len(self.cells)

        def __array__(self, dtype: Any = None, copy: bool | None = None) -> np.ndarray:
            return self.cells

    expected = padded(clips())
    assert (seqtool.pad([Tensor(one) for one in clips()]).x == expected).all()
    assert seqtool.pad(Tensor(expected)).x.shape == expected.shape


def test_blocks_are_the_same_however_they_are_cut(monkeypatch: pytest.MonkeyPatch) -> None:
    from seqtool.operations.pad import pad_stream
    from seqtool.sequences import stream

    ragged = seqtool.unpad(seqtool.pad(clips(dtype=np.float32)))
    whole = pad_stream(ragged, maxlen=4).whole()
    for size in (1, 500, 2_000):
        for limit in ("_BLOCK_BYTES", "_LONG_BYTES"):
            monkeypatch.setattr(stream, limit, size)
        again: PaddedStream = pad_stream(ragged, maxlen=4)
        assert (again.whole() == whole).all()


# The command line


@pytest.fixture
def files(place: Place) -> Place:
    sequences = clips()
    np.savez(place.folder / "several.npz", *sequences)
    np.save(place.folder / "block.npy", padded(sequences, padding="post"))
    np.save(place.folder / "lengths.npy", LENGTHS)
    objects = np.empty(len(sequences), object)
    objects[:] = sequences
    np.save(place.folder / "objects.npy", objects, allow_pickle=True)
    return place


@pytest.mark.parametrize(
    "source",
    [("block.npy", "--lengths", "lengths.npy"), ("several.npz",), ("objects.npy", "--allow-pickle")],
)
def test_pad_of_a_file(files: Place, source: tuple[str, ...]) -> None:
    done = succeeded(
        files.run("pad", *source, "--maxlen", "3", "--post", "--value", "9,8,7", "-o", "out.npz")
    )
    out = files.arrays("out.npz")
    assert (out["x"] == padded(clips(), (9, 8, 7), maxlen=3, padding="post")).all()
    assert out["lengths"].tolist() == [2, 0, 3, 3]
    assert "x (4, 3, 4, 5, 3) uint8" in done.err
    assert json.loads(str(out["meta"]))["receipt"][0]["rows"] == {
        "in": 10,
        "kept": 8,
        "cut": 2,
        "dropped": {},
    }
    checked = succeeded(files.run("check", "out.npz", "--json"))
    assert {found["verdict"] for found in json.loads(checked.out)["findings"]} == {"ok"}


def test_one_clip_a_file(place: Place) -> None:
    for i, clip in enumerate(clips()):
        np.save(place.folder / f"clip{i}.npy", clip)
    succeeded(place.run("pad", "clip*.npy", "--key-from", "clip{key}.npy", "-o", "out.npz"))
    assert (place.arrays("out.npz")["x"] == padded(clips())).all()


def test_several_arrays_may_each_hold_all_sequences(files: Place) -> None:
    done = succeeded(files.run("pad", "several.npz"))
    assert "each array is one sequence of steps of 4 x 5 x 3 (if one of them holds all" in done.err
    alone = succeeded(files.run("pad", "several.npz", "--array", "arr_2", "-o", "alone.npz"))
    assert "x (5, 4, 5, 3)" in alone.err


def test_ragged_truncate_strip_and_min_len(files: Place) -> None:
    succeeded(files.run("pad", "several.npz", "--ragged", "-o", "r.npz"))
    assert (files.arrays("r.npz")["values"] == np.concatenate(clips())).all()
    succeeded(files.run("truncate", "r.npz", "--maxlen", "2", "-o", "cut.npz"))
    assert (files.arrays("cut.npz")["values"] == np.concatenate([one[-2:] for one in clips()])).all()
    succeeded(files.run("pad", "block.npy", "--strip", "0", "--min-len", "3", "--ragged", "-o", "s.npz"))
    assert (files.arrays("s.npz")["values"] == np.concatenate([one for one in clips() if len(one) > 2])).all()


def test_leftover_padding_is_seen(files: Place) -> None:
    done = succeeded(files.run("pad", "block.npy"))
    assert "3 of 4 sequences end in steps of 0 alone" in done.err


def test_the_same_clips_in_two_files(files: Place) -> None:
    succeeded(files.run("pad", "several.npz", "--ragged", "-o", "a.npz"))
    seqtool.save(files.folder / "b.npz", seqtool.pad([clips()[2], clips((4,))[0]]))
    done = files.run("check", "a.npz", "--against", "b.npz", "--json")
    failed = {
        found["name"]: found for found in json.loads(done.out)["findings"] if found["verdict"] == "fails"
    }
    assert done.code == 1
    assert "sequence 2 and b.npz: sequence 0" in failed["shared sequences"]["place"]


def test_what_a_check_names_of_a_frame(files: Place) -> None:
    block = seqtool.pad(clips(dtype=np.float32), padding="post")
    x = np.array(block.x)
    x[2, 1, 3, 4, 2] = np.nan
    seqtool.save(files.folder / "nan.npz", block.replace(x=x))
    done = files.run("check", "nan.npz", "--for", "keras")
    assert "x[2, 1, 3, 4, 2]" in " ".join(done.out.decode().split())


@pytest.mark.parametrize(("reader", "layer"), [("keras", "ConvLSTM2D"), ("torch", "flatten each step")])
def test_what_a_network_reads(files: Place, reader: str, layer: str) -> None:
    seqtool.save(files.folder / "f.npz", seqtool.pad(clips((2, 3), dtype=np.float32), padding="post"))
    done = succeeded(files.run("check", "f.npz", "--for", reader, "--json"))
    found = {one["name"]: one for one in json.loads(done.out)["findings"]}
    assert layer in found["step"]["message"]
    assert "mask value" not in found


@pytest.mark.parametrize("code", ["keras", "torch", "tf", "jax"])
def test_no_program_trains_an_lstm_on_frames(files: Place, code: str) -> None:
    seqtool.save(files.folder / "f.npz", seqtool.pad(clips()))
    done = files.run("info", "f.npz", "--code", code)
    assert done.code == 1
    assert "an array of 4 x 5 x 3, which needs a network of your own" in done.err
    succeeded(files.run("info", "f.npz", "--code", "numpy"))


def test_info_tells_the_shape_and_the_extent_of_frames(files: Place) -> None:
    seqtool.save(files.folder / "f.npz", seqtool.pad(clips()))
    facts = json.loads(succeeded(files.run("info", "f.npz", "--json")).out)["sequences"]
    assert facts["step_shape"] == [4, 5, 3]
    first = clips()[0][0]
    assert facts["preview"][0]["extent"][0] == [str(n) for n in (first.min(), first.mean(), first.max())]
    text = succeeded(files.run("info", "f.npz")).out.decode()
    assert "an array of 4 x 5 x 3" in text
    assert "on the scale beside each row" not in text
    steps = json.loads(succeeded(files.run("info", "f.npz", "--sequence", "2", "--json")).out)["steps"]
    assert steps == clips()[2].tolist()


def test_plan_knows_the_size_of_frames(files: Place) -> None:
    planned = json.loads(succeeded(files.run("plan", "several.npz", "--json")).out)
    assert (planned["features"], planned["step_shape"]) == (None, [4, 5, 3])
    assert {found["nbytes"] / found["maxlen"] for found in planned["candidates"]} == {4 * 4 * 5 * 3}
    assert "10 steps of 4 x 5 x 3" in succeeded(files.run("plan", "several.npz")).out.decode()


def test_a_picture_has_the_lengths_and_says_what_it_leaves_out() -> None:
    from seqtool.plotting.figure import headline
    from seqtool.plotting.portrait import portrait

    found = portrait(seqtool.unpad(seqtool.pad(clips())))
    assert (found.heat, found.distributions, found.ids) == (None, (), None)
    assert found.omitted == ("steps of 4 x 5 x 3",)
    assert headline(found) == "4 sequences, 10 steps of 4 x 5 x 3; ragged"
    assert found.facts()["step_shape"] == [4, 5, 3]
    with pytest.raises(DataError, match="leave --feature out"):
        portrait(seqtool.unpad(seqtool.pad(clips())), feature="0")


def test_features_beside_frames_are_damage(files: Place) -> None:
    seqtool.save(files.folder / "f.npz", seqtool.pad(clips()))
    np.savez(files.folder / "g.npz", **files.arrays("f.npz"), features=np.array(["a", "b", "c", "d"]))
    done = files.run("check", "g.npz")
    assert (done.code, "4 features, but a step is an array of" in " ".join(done.out.decode().split())) == (
        1,
        True,
    )


def test_batches_of_frames(files: Place) -> None:
    from seqtool.training.sequence_file import SequenceFile

    seqtool.save(files.folder / "f.npz", seqtool.pad(clips(), value=(1, 2, 3)))
    file = SequenceFile(files.folder / "f.npz")
    assert file.feature_shape == FRAME
    batch = file.batch([2, 0])
    assert (batch.x == padded([clips()[2], clips()[0]], (1, 2, 3), padding="post")).all()
    assert batch.x.dtype == np.float32
