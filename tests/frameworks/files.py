"""Files of sequences that the tests of the adapters read."""

from collections.abc import Callable
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


def write_large(folder: Path) -> None:
    """A file of 300 MB of sequences of 10 to 30 steps, with two classes, and one of a tenth of them."""
    random = np.random.default_rng(0)
    drawn = random.random((1 << 12, 200), np.float32)
    for name, count in (("large", 18_750), ("tenth", 1_875)):
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
