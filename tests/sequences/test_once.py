import tempfile
import warnings
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import seqtool as sq
from seqtool.arrays.gather import LazyGather
from seqtool.errors import DataError
from seqtool.sequences.once import is_once, offsets_at, stored_once
from seqtool.sequences.ragged import Ragged, StepArray
from seqtool.sequences.take import take
from seqtool.training.sequence_file import SequenceFile
from tests import oracles
from tests.command import Place, succeeded


def windows_by_loop(starts: list[int], lengths: list[int], values: Any) -> list[list[Any]]:
    return [values[s : s + n].tolist() for s, n in zip(starts, lengths, strict=True)]


@given(
    st.lists(st.tuples(st.integers(0, 12), st.integers(0, 5)), max_size=9).map(sorted),
    st.booleans(),
)
def test_each_step_that_a_sequence_has_is_stored_once(pieces: list[tuple[int, int]], nested: bool) -> None:
    steps = np.arange(17) * 10
    labels = StepArray(np.arange(17) + 100, -100)
    whole = Ragged(steps, np.array([0, 17]), per_step={"step_y": labels})
    which = np.zeros(len(pieces), np.int64)
    starts, lengths = (np.array([piece[i] for piece in pieces], np.int64) for i in (0, 1))
    taken = take(whole, which, starts, lengths, once=True)
    if nested:  # of what shares steps, each second sequence shares them still
        taken, starts, lengths = take(taken, np.arange(0, len(taken), 2)), starts[::2], lengths[::2]
    assert is_once(taken)
    found = stored_once(taken)
    assert found is not None
    kept = sorted({step for s, n in zip(starts, lengths, strict=True) for step in range(s, s + n)})
    assert np.asarray(found.arrays["values"]).tolist() == steps[kept].tolist()
    assert np.asarray(found.arrays["step_y"]).tolist() == [step + 100 for step in kept]
    expected = windows_by_loop(starts.tolist(), lengths.tolist(), steps)
    stored = np.asarray(found.arrays["values"])
    assert windows_by_loop(np.asarray(found.starts).tolist(), lengths.tolist(), stored) == expected
    assert [sequence.tolist() for sequence in taken.in_memory()] == expected


def test_sequences_in_another_order_than_their_steps_are_written_in_full(tmp_path: Path) -> None:
    whole = Ragged(np.arange(5), np.array([0, 5]))
    taken = take(whole, np.zeros(2, np.int64), np.array([2, 0]), np.array([3, 3]), once=True)
    assert stored_once(taken) is None
    sq.save(tmp_path / "in.npz", taken)
    with np.load(tmp_path / "in.npz") as file:
        assert (file["values"].tolist(), file["offsets"].tolist()) == ([2, 3, 4, 0, 1, 2], [0, 3, 6])


@given(oracles.raggeds(riders=True))
def test_a_file_of_starts_reads_as_one_of_copies(ragged: Ragged) -> None:
    ragged = ragged.replace(per_sequence={k: v for k, v in ragged.per_sequence.items() if k != "part"})
    if not np.asarray(ragged.lengths).max(initial=0) >= 2:
        return
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", UserWarning)  # of sequences that are too short
        copies, index = (sq.window(ragged, size=2, index=index) for index in (False, True))
    assert isinstance(index.values, LazyGather)
    with tempfile.TemporaryDirectory() as name_of_folder:
        folder = Path(name_of_folder)
        for name, data in (("copies", copies), ("index", index)):
            sq.save(folder / f"{name}.npz", data)
        again = sq.load(folder / "index.npz"), sq.load(folder / "index.npz", mmap=True)
        sq.save(folder / "again.npz", again[0])
        assert (folder / "again.npz").read_bytes() == (folder / "index.npz").read_bytes()
        for found in again:
            assert found.values.dtype == copies.values.dtype
            same(found, copies)


def same(found: Any, expected: Any) -> None:
    for steps, wanted in zip(found, expected, strict=True):
        np.testing.assert_array_equal(steps, wanted)  # NaN equals NaN
    for name, array in expected.per_step.items():
        np.testing.assert_array_equal(np.asarray(found.per_step[name].data), array.data)
    for name, array in {"keys": expected.keys, **expected.per_sequence}.items():
        held = found.keys if name == "keys" else found.per_sequence[name]
        np.testing.assert_array_equal(np.asarray(held), array)


@pytest.mark.parametrize(
    ("starts", "lengths", "match"),
    [
        ([0, 4], [2, 2], r"starts\[1\] is 4, and lengths\[1\] is 2, but values holds 5 steps"),
        ([-1, 0], [2, 2], r"starts\[0\] is -1"),
        ([0, 1], [2, -1], r"lengths\[1\] is -1"),
        ([0, 1], [2, 1 << 62], r"starts\[1\] is 1"),
        ([0, 1 << 62], [2, 1 << 62], r"starts\[1\] is"),
        ([0], [2, 1], r"starts is int64 \(1,\); int64 of shape \(N,\) was expected"),
    ],
)
def test_starts_are_within_the_steps(starts: list[int], lengths: list[int], match: str) -> None:
    with pytest.raises(DataError, match=match):
        offsets_at(np.array(lengths), np.array(starts), 5)


def test_every_command_and_adapter_reads_starts(place: Place) -> None:
    values = np.arange(20, dtype=np.float32).reshape(10, 2)
    series = Ragged(values, np.array([0, 4, 10]), keys=np.array(["a", "b"]), features=("p", "q"))
    sq.save(place.folder / "in.npz", series)
    options = ["window", "in.npz", "--size", "3", "--horizon", "1", "--target", "p"]
    succeeded(place.run(*options, "-o", "copies.npz"))
    run = succeeded(place.run(*options, "--index", "-o", "index.npz"))
    assert "each step is stored once, and where each window begins" in run.err
    with np.load(place.folder / "index.npz") as file:
        assert file["values"].tolist() == [*values[:3].tolist(), *values[4:9].tolist()]
        assert (file["starts"].tolist(), file["lengths"].tolist()) == ([0, 3, 4, 5], [3] * 4)
        assert '"version": 2' in str(file["meta"])
    for call in (["pad"], ["filter", "--where", "part > 0"], ["scale", "--method", "standard"], ["unpad"]):
        command, *more = call
        suffix = ".csv" if command == "unpad" else ".npz"
        for name in ("copies", "index"):
            succeeded(place.run(command, f"{name}.npz", *more, "-o", f"{name}.out{suffix}"))
        if suffix == ".csv":
            assert (place.folder / "index.out.csv").read_bytes() == (
                place.folder / "copies.out.csv"
            ).read_bytes()
            continue
        found, expected = (sq.load(place.folder / f"{name}.out.npz") for name in ("index", "copies"))
        same(found, expected)
    assert b"all checks pass" in succeeded(place.run("check", "index.npz")).out
    succeeded(place.run("filter", "index.npz", "--first", "1", "-o", "few.npz"))
    with np.load(place.folder / "few.npz") as file:  # only what its sequences have
        assert file["values"].tolist() == values[:3].tolist()
    found = SequenceFile(place.folder / "index.npz").batch([2, 0])
    expected = SequenceFile(place.folder / "copies.npz").batch([2, 0])
    np.testing.assert_array_equal(found.x, expected.x)
    np.testing.assert_array_equal(found.y, expected.y)
    program = succeeded(place.run("info", "index.npz", "--code", "numpy")).out.decode()
    assert 'file["starts"], file["lengths"], file["y"]' in program


def test_each_file_of_a_split_holds_its_own_steps(place: Place) -> None:
    values = np.arange(8)
    split = {"split": np.array(["test", "train"])}
    sq.save(place.folder / "in.npz", Ragged(values, np.array([0, 4, 8]), per_sequence=split))
    succeeded(place.run("window", "in.npz", "--size", "2", "--index", "-o", "{split}.npz"))
    for name, expected in (("train", [4, 5, 6, 7]), ("test", [0, 1, 2, 3])):
        with np.load(place.folder / f"{name}.npz") as file:
            assert (file["values"].tolist(), file["starts"].tolist()) == (expected, [0, 1, 2])


def test_a_padded_block_becomes_an_index_without_its_padding(place: Place) -> None:
    sq.save(place.folder / "in.npz", sq.pad([[1, 2, 3], [4, 5, 6, 7]]))
    succeeded(place.run("window", "in.npz", "--size", "2", "--index", "-o", "out.npz"))
    with np.load(place.folder / "out.npz") as file:
        assert (file["values"].tolist(), file["starts"].tolist()) == ([1, 2, 3, 4, 5, 6, 7], [0, 1, 3, 4, 5])


def test_damaged_starts_fail_the_check(place: Place) -> None:
    sq.save(place.folder / "in.npz", sq.window([[1, 2, 3]], size=2, index=True))
    with np.load(place.folder / "in.npz") as file:
        arrays = dict(file)
    np.savez(place.folder / "bad.npz", **{**arrays, "starts": np.array([0, 2])})
    for call in (["check", "bad.npz"], ["pad", "bad.npz"]):
        run = place.run(*call)
        assert run.code == 1
        assert "starts[1] is 2, and lengths[1] is 2, but values holds 3 steps" in " ".join(
            (run.out.decode() + run.err).split()
        )
    with pytest.raises(DataError, match=r"starts\[1\] is 2"):
        SequenceFile(place.folder / "bad.npz")


def test_what_cannot_be_an_index_is_refused(place: Place) -> None:
    sq.save(place.folder / "in.npz", sq.unpad(sq.pad([[1, 2, 3]])))
    for more, expected in (
        (["--rate", "2"], "--index writes where windows of consecutive steps begin: leave --rate out"),
        (["-o", "out.parquet"], "use .npz for an index, or leave --index out"),
        (["-o", "out.jsonl"], "use .npz for an index, or leave --index out"),
    ):
        run = place.run("window", "in.npz", "--size", "2", "--index", *more)
        assert run.code == 2
        assert expected in run.err
