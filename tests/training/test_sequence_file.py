"""Batches out of files: the part of the framework adapters that needs no framework."""

import gc
import multiprocessing
import os
import pickle
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import seqtool
from seqtool.arrays.lazy import Lazy
from seqtool.errors import DataError, UsageError
from seqtool.sequences.padding_values import Value
from seqtool.sequences.ragged import Ragged, StepArray
from seqtool.sequences.validation import offsets_of
from seqtool.training.sequence_file import SequenceFile
from tests.command import Place, succeeded

# The same sequences in every kind of file


def some(*, count: int = 40, features: int | None = 3, longest: int = 12, seed: int = 0) -> list[np.ndarray]:
    random = np.random.default_rng(seed)
    shape = () if features is None else (features,)
    lengths = random.integers(0, longest + 1, count)
    if features is None:
        return [random.integers(1, 1000, length) for length in lengths]
    return [random.random((length, *shape), dtype=np.float32) for length in lengths]


def ragged_of(sequences: list[np.ndarray], **more: Any) -> Ragged:
    values = np.concatenate([sequences[0][:0], *sequences])
    return Ragged(values, offsets_of(np.array([len(sequence) for sequence in sequences])), **more)


Save = Callable[[Path, Ragged], None]


def save(**how: Any) -> Save:
    compress = how.pop("compress", None)

    def write(path: Path, ragged: Ragged) -> None:
        seqtool.save(path, seqtool.pad(ragged, **how) if how else ragged, compress=compress)

    return write


KINDS: dict[str, Save] = {
    "ragged": save(),
    "post": save(padding="post"),
    "pre": save(padding="pre"),
    "wide": save(padding="pre", maxlen=50),
    "ragged, compressed": save(compress="fast"),
    "pre, compressed": save(padding="pre", compress="small"),
}
every_kind = pytest.mark.parametrize("kind", KINDS)


def padded_by_hand(sequences: list[np.ndarray], *, slots: int, value: Any = 0) -> np.ndarray:
    x = np.empty((len(sequences), slots, *sequences[0].shape[1:]), sequences[0].dtype)
    x[...] = value
    for row, sequence in zip(x, sequences, strict=True):
        row[: len(sequence)] = sequence
    return x


@pytest.mark.thinned
@pytest.mark.parametrize("in_memory", [True, False])
@every_kind
@pytest.mark.parametrize("features", [3, None])
def test_a_batch_holds_its_sequences_in_order_padded_to_the_longest(
    kind: str, features: int | None, in_memory: bool, tmp_path: Path
) -> None:
    sequences = some(features=features)
    KINDS[kind](tmp_path / "in.npz", ragged_of(sequences, per_sequence={"y": np.arange(40)}))
    file = SequenceFile(tmp_path / "in.npz", in_memory=in_memory)
    assert len(file) == 40
    assert file.lengths.tolist() == [len(sequence) for sequence in sequences]
    for indices in ([3], [7, 2, 30], [5, 5, 1, 5], range(40), range(39, -1, -1), np.array([39, 0])):
        chosen = [sequences[i] for i in indices]
        x, lengths, y = file.batch(indices)
        expected = padded_by_hand(chosen, slots=max(1, *(len(sequence) for sequence in [chosen[0], *chosen])))
        np.testing.assert_array_equal(x, expected)
        assert x.dtype == (np.float32 if features else np.int64)
        assert lengths.tolist() == [len(sequence) for sequence in chosen]
        assert lengths.dtype == np.int64
        assert y is not None
        assert y.tolist() == list(indices)
        assert y.dtype == np.int64


@every_kind
def test_a_sequence_comes_without_padding(kind: str, tmp_path: Path) -> None:
    sequences = some()
    KINDS[kind](tmp_path / "in.npz", ragged_of(sequences, per_sequence={"y": np.arange(40) % 4}))
    file = SequenceFile(tmp_path / "in.npz")
    for i, sequence in enumerate(sequences):
        steps, label = file.sequence(i)
        np.testing.assert_array_equal(steps, sequence)
        assert label == i % 4


@every_kind
def test_parts_and_splits_do_not_stand_in_the_way(kind: str, tmp_path: Path) -> None:
    sequences = some()
    per_sequence = {"part": np.arange(40), "split": np.array(["train", "val"] * 20)}
    keys = np.repeat(["a", "b"], 20)
    KINDS[kind](tmp_path / "in.npz", ragged_of(sequences, keys=keys, per_sequence=per_sequence))
    x, _, y = SequenceFile(tmp_path / "in.npz").batch([7, 2])
    slots = max(len(sequences[i]) for i in (7, 2))
    np.testing.assert_array_equal(x, padded_by_hand([sequences[7], sequences[2]], slots=slots))
    assert y is None


@given(
    st.lists(st.integers(0, 6), min_size=1, max_size=12),
    st.data(),
    st.sampled_from(["ragged", "post", "pre"]),
    st.integers(1, 5),
)
def test_any_choice_is_what_pad_makes_of_it(
    scratch: Path, lengths: list[int], data: st.DataObject, kind: str, multiple_of: int
) -> None:
    ragged = Ragged(
        np.arange(2 * sum(lengths), dtype=np.float32).reshape(-1, 2), offsets_of(np.array(lengths))
    )
    KINDS[kind](scratch / "in.npz", ragged)
    indices = data.draw(st.lists(st.integers(0, len(lengths) - 1), min_size=1, max_size=20))
    chosen = [ragged.values[ragged.offsets[i] : ragged.offsets[i + 1]] for i in indices]
    expected = seqtool.pad(chosen, padding="post", multiple_of=multiple_of)
    x, found, y = SequenceFile(scratch / "in.npz", in_memory=False).batch(indices, multiple_of=multiple_of)
    assert y is None
    assert found.tolist() == expected.lengths.tolist()
    if any(found):
        np.testing.assert_array_equal(x, expected.x)
    else:
        assert x.shape == (len(indices), multiple_of, 2)


def test_stretches_far_apart_and_close_together_are_all_read(tmp_path: Path) -> None:
    # 4 kB a step, so that what lies between two chosen ones is now read along and now passed over.
    sequences = some(count=200, features=1024, longest=3)
    seqtool.save(tmp_path / "in.npz", ragged_of(sequences))
    file = SequenceFile(tmp_path / "in.npz", in_memory=False)
    random = np.random.default_rng(1)
    for size in (1, 2, 10, 60, 200):
        indices = random.integers(0, 200, size)
        expected = np.concatenate([sequences[i] for i in indices])
        np.testing.assert_array_equal(file.take(indices).values, expected)


# What padding holds


@pytest.mark.parametrize("value", [-1, 0.5, (1, 2, 3)])
def test_padding_holds_what_it_holds_in_the_file(value: Value, tmp_path: Path) -> None:
    seqtool.save(tmp_path / "in.npz", seqtool.pad(ragged_of(some()), value=value, padding="pre"))
    file = SequenceFile(tmp_path / "in.npz")
    assert file.value == value
    expected = padded_by_hand(some(), slots=12, value=value)
    np.testing.assert_array_equal(file.batch(range(40)).x, expected)


def test_padding_holds_another_value_when_asked(tmp_path: Path) -> None:
    seqtool.save(tmp_path / "in.npz", ragged_of(some()))
    x = SequenceFile(tmp_path / "in.npz").batch(range(40), value=-7, multiple_of=16).x
    np.testing.assert_array_equal(x, padded_by_hand(some(), slots=16, value=-7))


# Types


@pytest.mark.parametrize("stored", ["int64", "uint8", "float64", "bool"])
def test_features_become_float32_unless_another_type_is_asked_for(stored: str, tmp_path: Path) -> None:
    seqtool.save(tmp_path / "in.npz", seqtool.pad(np.ones((2, 3, 4), stored)))
    assert SequenceFile(tmp_path / "in.npz").batch([0]).x.dtype == np.float32
    assert SequenceFile(tmp_path / "in.npz", dtype="float64").batch([0]).x.dtype == np.float64


def test_numbers_that_are_no_token_ids_stay_fractions(tmp_path: Path) -> None:
    seqtool.save(tmp_path / "in.npz", seqtool.pad([[0.5], [1.5, 2.5]]))
    assert SequenceFile(tmp_path / "in.npz").sequence(1)[0].tolist() == [1.5, 2.5]


def test_what_does_not_fit_the_type_is_refused(tmp_path: Path) -> None:
    seqtool.save(tmp_path / "in.npz", seqtool.pad([[1e300]]))
    file = SequenceFile(tmp_path / "in.npz")
    with pytest.raises(DataError, match=r"in\.npz: sequence 0 holds 1e\+300, which float32 cannot hold"):
        file.batch([0])
    assert SequenceFile(tmp_path / "in.npz", dtype="float64").sequence(0)[0].tolist() == [1e300]
    with pytest.raises(UsageError, match=r"dtype is int64, but the steps of in\.npz are float64"):
        SequenceFile(tmp_path / "in.npz", dtype="int64")


TIME, LARGE = 1_700_000_001, 2**40


@pytest.mark.thinned
@every_kind
@pytest.mark.parametrize(
    ("stored", "number", "dtype", "message"),
    [
        ("int64", TIME, None, "1700000001, which float32 cannot hold exactly; use dtype float64"),
        ("float64", TIME, None, r"1700000001\.0, which float32 cannot hold exactly; use dtype float64"),
        ("int64", LARGE, "int32", "1099511627776, which int32 cannot hold; use dtype int64"),
        (
            "int64",
            2**53 + 1,
            "float64",
            "9007199254740993, which float64 cannot hold exactly; use dtype int64",
        ),
    ],
)
def test_a_number_that_the_type_cannot_hold_is_refused_where_it_stands(
    kind: str, stored: str, number: int, dtype: str | None, message: str, tmp_path: Path
) -> None:
    sequences = [np.full((length, 2), 7, stored) for length in (2, 0, 3, 1)]
    sequences[2][1, 1] = number
    KINDS[kind](tmp_path / "in.npz", ragged_of(sequences))
    file = SequenceFile(tmp_path / "in.npz", dtype=dtype)
    assert file.batch([3, 0]).x.tolist() == [[[7, 7], [0, 0]], [[7, 7], [7, 7]]]
    for indices in ([2], [3, 2, 0], [0, 2, 2]):
        with pytest.raises(DataError, match=rf"^in\.npz: sequence 2 holds {message}$"):
            file.batch(indices)
    way_out = message.rpartition(" ")[2]
    assert int(SequenceFile(tmp_path / "in.npz", dtype=way_out).batch([2]).x[0, 1, 1]) == number


def test_token_ids_that_int64_would_turn_negative(tmp_path: Path) -> None:
    sequences = [np.array([1, 2], "uint64"), np.array([3, 2**63 + 5], "uint64")]
    seqtool.save(tmp_path / "in.npz", ragged_of(sequences))
    with pytest.raises(
        DataError, match=r"sequence 1 holds 9223372036854775813, which int64 cannot .* dtype uint64"
    ):
        SequenceFile(tmp_path / "in.npz").batch([1])
    assert SequenceFile(tmp_path / "in.npz", dtype="uint64").batch([1]).x.tolist() == [[3, 2**63 + 5]]


@pytest.mark.parametrize("dtype", ["float", "complex64", "S3"])
def test_a_type_that_no_tensor_has(dtype: str, tmp_path: Path) -> None:
    seqtool.save(tmp_path / "in.npz", ragged_of(some()))
    with pytest.raises(UsageError, match=f"dtype is '{dtype}'; one of bool, int8"):
        SequenceFile(tmp_path / "in.npz", dtype=dtype)


def test_fractions_are_rounded(tmp_path: Path) -> None:
    seqtool.save(tmp_path / "in.npz", seqtool.pad([[0.1, float("nan"), float("inf")]]))
    x = SequenceFile(tmp_path / "in.npz").batch([0]).x
    np.testing.assert_array_equal(x, np.array([[0.1, float("nan"), float("inf")]], np.float32))


@pytest.mark.parametrize(
    ("label", "message"),
    [
        (np.float64(1e300), r"1e\+300, which float32 cannot hold exactly; use dtype float64"),
        (np.uint64(2**63), "9223372036854775808, which int64 cannot hold; store smaller numbers"),
    ],
)
def test_labels_that_would_change_are_refused(label: Any, message: str, tmp_path: Path) -> None:
    y = np.array([0, 0, label], label.dtype)
    ragged = ragged_of([np.ones((2, 1)), np.ones((0, 1)), np.ones((1, 1))])
    seqtool.save(tmp_path / "in.npz", ragged.replace(per_sequence={"y": y}))
    with pytest.raises(DataError, match=rf"^in\.npz: y of sequence 2 holds {message}"):
        SequenceFile(tmp_path / "in.npz")
    seqtool.save(tmp_path / "in.npz", ragged.replace(per_step={"step_y": StepArray(y, 0)}))
    file = SequenceFile(tmp_path / "in.npz")
    with pytest.raises(DataError, match=rf"^in\.npz: step_y of sequence 2 holds {message}"):
        file.batch([0, 2])


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        ("int8", "int64"),
        ("uint16", "int64"),
        ("bool", "int64"),
        ("float64", "float32"),
        ("float32", "float32"),
    ],
)
def test_labels_are_what_losses_take(given: str, expected: str, tmp_path: Path) -> None:
    labels = np.array([0, 1]).astype(given)
    seqtool.save(tmp_path / "in.npz", seqtool.pad([[1.5], [2.5]]).replace(per_sequence={"y": labels}))
    y = SequenceFile(tmp_path / "in.npz").batch([1, 0]).y
    assert y is not None
    assert (y.dtype, y.tolist()) == (np.dtype(expected), [1, 0])


def test_labels_of_several_numbers_follow_their_sequence(tmp_path: Path) -> None:
    labels = np.arange(80.0).reshape(40, 2)
    seqtool.save(tmp_path / "in.npz", ragged_of(some(), per_sequence={"y": labels}))
    y = SequenceFile(tmp_path / "in.npz").batch([9, 4]).y
    assert y is not None
    assert y.tolist() == [[18, 19], [8, 9]]


@every_kind
def test_labels_of_steps_are_padded_with_their_own_value(kind: str, tmp_path: Path) -> None:
    sequences = some()
    labels = [np.arange(len(sequence)) + 100 * i for i, sequence in enumerate(sequences)]
    step_y = StepArray(np.concatenate(labels), -100)
    KINDS[kind](tmp_path / "in.npz", ragged_of(sequences, per_step={"step_y": step_y}))
    file = SequenceFile(tmp_path / "in.npz")
    x, _, y = file.batch([8, 3, 20])
    np.testing.assert_array_equal(
        y, padded_by_hand([labels[8], labels[3], labels[20]], slots=x.shape[1], value=-100)
    )
    np.testing.assert_array_equal(file.sequence(8)[1], labels[8])


def test_a_batch_is_the_callers_own(tmp_path: Path) -> None:
    for kind, write in KINDS.items():
        write(tmp_path / f"{kind}.npz", ragged_of(some(), per_sequence={"y": np.arange(80.0).reshape(40, 2)}))
        file = SequenceFile(tmp_path / f"{kind}.npz")
        for change in (0, 1):
            steps, label = file.sequence(20)
            np.testing.assert_array_equal(steps, some()[20])
            np.testing.assert_array_equal(label, [40, 41])
            steps += change + 1
            label += 1


# From the command line


def test_files_of_the_command_line_with_text_keys_classes_and_features(tmp_path: Path) -> None:
    place = Place(tmp_path)
    rows = ["user,t,a,b,kind", *(f"u{k},{t},{k},{t},{'xy'[k % 2]}" for k in range(5) for t in range(k + 1))]
    place.write("in.csv", "\n".join(rows))
    call = ["group", "in.csv", "--key", "user", "--order-by", "t", "--columns", "a,b", "--label", "kind"]
    for more in (
        ["-o", "post.npz"],
        ["--pre", "-o", "pre.npz"],
        ["--ragged", "--compress", "fast", "-o", "ragged.npz"],
    ):
        succeeded(place.run(*call, *more))
    for name in ("post", "pre", "ragged"):
        file = SequenceFile(place.folder / f"{name}.npz")
        assert file.features == ("a", "b")
        assert file.classes is not None
        assert file.classes.tolist() == ["x", "y"]
        x, lengths, y = file.batch([4, 0])
        assert lengths.tolist() == [5, 1]
        assert x.tolist() == [[[4, t] for t in range(5)], [[0, 0]] * 5]
        assert y is not None
        assert y.tolist() == [0, 0]


# Other processes


def test_a_copy_for_another_process_is_its_path(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    seqtool.save(tmp_path / "in.npz", ragged_of(some(count=4000)), compress="fast")
    monkeypatch.chdir(tmp_path)
    file = SequenceFile("in.npz", dtype="float64", in_memory=False)
    pickled = pickle.dumps(file)
    assert len(pickled) < 1000
    monkeypatch.chdir("/")
    copy = pickle.loads(pickled)
    assert copy.dtype == np.float64
    np.testing.assert_array_equal(copy.batch([3999]).x, file.batch([3999]).x)


@pytest.mark.parametrize("other", [some(count=3), some(count=4, longest=90)], ids=["fewer", "longer"])
def test_a_copy_refuses_a_file_that_was_replaced(other: list[np.ndarray], tmp_path: Path) -> None:
    seqtool.save(tmp_path / "in.npz", ragged_of(some(count=4)))
    pickled = pickle.dumps(SequenceFile(tmp_path / "in.npz", in_memory=False))
    assert len(pickle.loads(pickle.dumps(pickle.loads(pickled)))) == 4
    seqtool.save(tmp_path / "in.npz", ragged_of(other))
    with pytest.raises(
        DataError, match=r"^in\.npz: changed on disk since it was opened: it held 4 sequences in "
    ):
        pickle.loads(pickled)


READ_ELSEWHERE: list[SequenceFile] = []


def checksum(i: int) -> float:
    return float(READ_ELSEWHERE[-1].sequence(i)[0].sum())


@pytest.mark.thinned
@every_kind
@pytest.mark.filterwarnings("ignore:.*fork:DeprecationWarning")  # of the threads of libraries
def test_processes_that_were_forked_read_one_open_file(kind: str, tmp_path: Path) -> None:
    KINDS[kind](tmp_path / "in.npz", ragged_of(some()))
    file = SequenceFile(tmp_path / "in.npz", in_memory=False)
    expected = [float(file.sequence(i)[0].sum()) for i in range(40)]
    READ_ELSEWHERE.append(file)
    with multiprocessing.get_context("fork").Pool(3) as pool:
        assert pool.map(checksum, range(40), chunksize=1) == expected


def test_many_files_may_be_opened_and_dropped(tmp_path: Path) -> None:
    descriptors = Path("/proc/self/fd")
    if not descriptors.is_dir():
        pytest.skip("the system does not tell the open files of a process")
    path = tmp_path / "in.npz"
    seqtool.save(path, ragged_of(some(count=1000)), compress="fast")

    def times_open() -> int:
        # Of this file alone: what else runs in the process opens and closes files of its own.
        return sum(os.path.realpath(descriptor) == str(path) for descriptor in descriptors.iterdir())

    file = SequenceFile(path, in_memory=False)
    file.sequence(3)
    assert times_open() == 1
    del file
    for i in range(20):
        SequenceFile(path, in_memory=i % 2 == 0).sequence(3)
    gc.collect()
    assert times_open() == 0


# Memory


EPOCH = """
import sys
from seqtool.training.batches import epoch
from seqtool.system.platform import peak_memory as peak
from seqtool.training.sequence_file import SequenceFile
before = peak()
file = SequenceFile(sys.argv[1], in_memory=False)
batches = epoch(file.lengths, batch_size=64, seed=[0])
total = sum(float(file.batch(batch).x[:, 0, 0].sum()) for batch in batches)
print(total, "unknown" if before is None else peak() - before)
"""


@pytest.mark.slow
@pytest.mark.parametrize("compress", [None, "fast"])
def test_an_epoch_of_a_large_file_takes_the_memory_of_a_batch(compress: Any, tmp_path: Path) -> None:
    place = Place(tmp_path)
    count, length = 20_000, 200  # 192 MB

    def rows(begin: int, end: int) -> np.ndarray:
        return np.repeat(np.arange(begin, end, dtype=np.float32)[:, None] // length, 12, axis=1)

    values = Lazy((count * length, 12), np.dtype(np.float32), rows)
    ragged = Ragged(values, offsets_of(np.full(count, length)))
    seqtool.save(place.folder / "in.npz", ragged, compress=compress)
    done = subprocess.run(
        [sys.executable, "-c", EPOCH, place.folder / "in.npz"],
        env=place.environment(),
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    total, grown = done.stdout.split()
    assert float(total) == sum(range(count))
    if grown == "unknown":
        pytest.skip("the system does not tell the memory of a process")
    assert int(grown) < 80_000_000


# What is refused


def test_a_sequence_that_is_not_there(tmp_path: Path) -> None:
    seqtool.save(tmp_path / "in.npz", ragged_of(some()))
    file = SequenceFile(tmp_path / "in.npz")
    for i in (-1, 40):
        with pytest.raises(
            IndexError, match=rf"in\.npz: there is no sequence {i}; there are 40, counted from 0"
        ):
            file.batch([0, i])
    with pytest.raises(TypeError):
        file.batch([0.5])  # type: ignore[list-item]


def test_a_file_without_sequences(tmp_path: Path) -> None:
    for kind, write in KINDS.items():
        write(tmp_path / f"{kind}.npz", Ragged(np.empty((0, 3)), np.zeros(1, np.int64)))
        file = SequenceFile(tmp_path / f"{kind}.npz")
        assert len(file) == 0
        assert file.batch([]).x.shape == (0, 1, 3)


def test_files_that_are_none_of_ours(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"^gone\.npz: no such file"):
        SequenceFile(tmp_path / "gone.npz")
    (tmp_path / "text.npz").write_text("hello")
    with pytest.raises(DataError, match=r"^text\.npz: not a complete \.npz file"):
        SequenceFile(tmp_path / "text.npz")
    np.savez(tmp_path / "foreign.npz", x=np.ones((2, 3)))
    np.save(tmp_path / "x.npy", np.ones((2, 3)))
    with pytest.raises(DataError, match=r"^x\.npy: an \.npz of seqtool was expected; .*seqtool group FILE"):
        SequenceFile(tmp_path / "x.npy")
    with pytest.raises(DataError, match=r"^foreign\.npz: not written by seqtool"):
        SequenceFile(tmp_path / "foreign.npz")


@pytest.mark.parametrize(
    ("kind", "name", "wrong", "message"),
    [
        ("ragged", "offsets", np.array([0, 3, 1, 4]), r"offsets\[2\] is 1, below the 3 before it"),
        ("ragged", "offsets", np.array([0, 1, 3, 5]), "offsets ends at 5, but values holds 4 steps"),
        ("post", "lengths", np.array([1, 9, 1]), r"lengths\[1\] is 9, but x holds 2 steps"),
        ("post", "y", np.array(["a", "b", "c"]), "y holds text; numbers were expected"),
        ("post", "y", np.arange(4), r"y has shape \(4,\), but there are 3 sequences"),
        ("ragged", "y", np.arange(4), r"y has shape \(4,\), but there are 3 sequences"),
        ("pre", "step_y", np.ones((3, 3), int), r"step_y has shape \(3, 3\), but x has shape \(3, 2, 2\)"),
        ("post", "step_y", np.ones((3, 1), int), r"step_y has shape \(3, 1\), but x has shape \(3, 2, 2\)"),
        ("ragged", "step_y", np.ones(3, int), r"step_y has shape \(3,\), but there are 4 steps"),
    ],
)
def test_what_would_give_wrong_batches(
    kind: str, name: str, wrong: np.ndarray, message: str, tmp_path: Path
) -> None:
    sequences = [np.ones((length, 2)) for length in (1, 2, 1)]
    labels = {"y": np.arange(3)}
    steps = {"step_y": StepArray(np.arange(4), -100)}
    KINDS[kind](tmp_path / "in.npz", ragged_of(sequences, per_sequence=labels, per_step=steps))
    with np.load(tmp_path / "in.npz") as archive:
        arrays = {**archive, name: wrong}
    np.savez(tmp_path / "in.npz", **arrays)
    with pytest.raises(DataError, match=rf"^in\.npz: {message}"):
        SequenceFile(tmp_path / "in.npz")


# The adapters, where their framework is absent


@pytest.mark.parametrize(
    ("adapter", "framework", "message"),
    [
        ("torch", "torch", "seqtool.torch needs PyTorch"),
        ("keras", "keras", "seqtool.keras needs Keras 3 and a backend"),
        ("tf", "tensorflow", "seqtool.tf needs TensorFlow"),
    ],
)
def test_an_adapter_says_what_it_needs(adapter: str, framework: str, message: str) -> None:
    call = f"import sys; sys.modules[{framework!r}] = None; import seqtool.{adapter}"
    done = subprocess.run([sys.executable, "-c", call], capture_output=True, text=True, check=False)
    last = done.stderr.splitlines()[-1]
    assert last.startswith(f"ImportError: {message}")
    assert f"pip install {framework}" in last
    assert "During handling" not in done.stderr
