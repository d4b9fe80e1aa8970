"""Files of sequences that the tests of the adapters read."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np

import seqtool
from seqtool.arrays.lazy import Lazy
from seqtool.sequences.ragged import Ragged, StepArray
from seqtool.sequences.validation import offsets_of
from seqtool.system.platform import peak_memory as peak

COUNT, FEATURES = 50, 3


def sequences() -> list[np.ndarray]:
    """Sequences of 1 to 9 steps; no two are alike, and no step is zero."""
    random = np.random.default_rng(0)
    return [random.random((length, FEATURES), np.float32) + 1 for length in random.integers(1, 10, COUNT)]


def write(folder: Path) -> None:
    """The same sequences in every kind of file; the label of a sequence is its position."""
    some = sequences()
    offsets = offsets_of(np.array([len(sequence) for sequence in some]))
    keys = np.array([f"key {i}" for i in range(COUNT)])
    bare = Ragged(np.concatenate(some), offsets, keys=keys)
    ragged = bare.replace(per_sequence={"y": np.arange(COUNT)})
    tokens = Ragged(np.arange(1, 1 + offsets[-1]), offsets, per_sequence={"y": np.arange(COUNT) / 2})
    steps = bare.replace(per_step={"step_y": StepArray(np.arange(offsets[-1]), -100)})
    seqtool.save(folder / "ragged.npz", ragged)
    seqtool.save(folder / "packed.npz", ragged, compress="fast")
    seqtool.save(folder / "post.npz", seqtool.pad(ragged, padding="post"))
    seqtool.save(folder / "pre.npz", seqtool.pad(ragged, padding="pre", maxlen=12, value=-1))
    seqtool.save(folder / "bare.npz", bare)
    seqtool.save(folder / "tokens.npz", tokens)
    seqtool.save(folder / "steps.npz", steps)
    for name, labels in several_labels().items():
        seqtool.save(folder / f"{name}.npz", bare.replace(per_sequence={"y": labels.y}, names=labels.names))


@dataclass(frozen=True)
class Labels:
    """Labels (N, 2) side by side, with the names that belong to them."""

    y: np.ndarray
    names: dict[str, np.ndarray]


def several_labels() -> dict[str, Labels]:
    """Two numbers for each sequence; whole numbers beside classes; and fractions beside classes: by file."""
    order = np.arange(COUNT)
    called, classes = {"label_names": np.array(["time", "event"])}, {"classes_1": np.array(["cured", "lost"])}
    fractions = np.stack([order / 4, order % 2], axis=1)
    return {
        "numbers": Labels(fractions, called),
        "whole": Labels((4 * fractions).astype(np.int64), {**called, **classes}),
        "mixed": Labels(fractions.astype(np.float32), {**called, **classes}),
    }


def write_large(folder: Path) -> None:
    """A file of 200 MB of sequences of 10 to 30 steps, with two classes, and one of a tenth of them."""
    random = np.random.default_rng(0)
    drawn = random.random((1 << 12, 200), np.float32)
    for name, count in (("large", 12_500), ("tenth", 1_250)):
        lengths = random.integers(10, 31, count)
        offsets = offsets_of(lengths)
        values = Lazy(
            (int(offsets[-1]), 200),
            np.dtype(np.float32),
            lambda begin, end: drawn[np.arange(begin, end) % len(drawn)],
        )
        seqtool.save(
            folder / f"{name}.npz", Ragged(values, offsets, per_sequence={"y": np.arange(count) % 2})
        )


def grown(train: Callable[[Path], object], folder: Path) -> None:
    """Print by how many bytes the peak memory grows when training goes on from the tenth to the large file."""
    train(folder / "tenth.npz")
    before = peak()
    train(folder / "large.npz")
    after = peak()
    print("unknown" if before is None or after is None else after - before)


EVERYTHING = [
    *("static", "keys", "part", "split", "original_lengths", "step_y", "row_index", "mask"),
    *("c", "observed", "weight", "order"),
]


def write_everything(path: Path, kind: str = "ragged") -> dict[str, np.ndarray]:
    """Sequences of 1, 0 and 3 steps with all that can belong to them; gives the batch of the third and the first."""
    ragged = Ragged(
        np.arange(8, dtype=np.float32).reshape(4, 2) + 1,
        np.array([0, 1, 1, 4]),
        keys=np.array(["a", "b", "b"]),
        per_sequence={
            "y": np.array([1, 0, 1]),
            "static": np.array([[0.5, 1], [2, 3], [4, 5]]),
            "part": np.array([0, 0, 7]),
            "split": np.array(["train", "val", "test"]),
            "original_lengths": np.array([1, 0, 9]),
        },
        per_step={
            "step_y": StepArray(np.array([1, 2, 0, 1]), -100),
            "row_index": StepArray(np.array([3, 0, 2, 1]), -1),
            "c": StepArray(np.array([[3], [1], [2], [3]]), 0),
            "observed": StepArray(np.array([[True, False], [True, True], [False, True], [True, True]]), 0),
            "weight": StepArray(np.array([1.0, 0, 1, 1]), 0),
            "order": StepArray(np.array([5, 7, 8, 9]), 0),
        },
        names={
            "static_features": np.array(["age", "size"]),
            "categories": np.array(["city"]),
            "vocabulary_0": np.array(["rome"]),
        },
    )
    padding = {"post": {"padding": "post"}, "pre": {"padding": "pre", "maxlen": 5}}
    data = seqtool.pad(ragged, **padding[kind]) if kind in padding else ragged
    seqtool.save(path, data, compress="fast" if kind == "packed" else None)
    return {
        "x": np.array([[[3, 4], [5, 6], [7, 8]], [[1, 2], [0, 0], [0, 0]]]),
        "lengths": np.array([3, 1]),
        "y": np.array([1, 1]),
        "static": np.array([[4, 5], [0.5, 1]]),
        "keys": np.array(["b", "a"]),
        "part": np.array([7, 0]),
        "split": np.array(["test", "train"]),
        "original_lengths": np.array([9, 1]),
        "step_y": np.array([[2, 0, 1], [1, -100, -100]]),
        "row_index": np.array([[0, 2, 1], [3, -1, -1]]),
        "mask": np.array([[True, True, True], [True, False, False]]),
        "c": np.array([[[1], [2], [3]], [[3], [0], [0]]]),
        "observed": np.array(
            [[[True, True], [False, True], [True, True]], [[True, False], [False] * 2, [False] * 2]]
        ),
        "weight": np.array([[0.0, 1, 1], [1, 0, 0]]),
        "order": np.array([[7, 8, 9], [5, 0, 0]]),
    }
