"""`split`: padded sequences into a file for each of train, val and test, by key."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from pathlib import Path

from tests.benchmarks.measuring import SEQTOOL, Case, Contender, copy_of, floors, script


def cases(scale: float) -> Iterator[Case]:
    """One case; `scale` is of its full numbers."""
    count = max(round(300_000 * scale), 20)
    yield Case(
        "split",
        f"{count:,} sequences of 1 to 85 steps of 5 float32, three files",
        make=partial(make_keyed, sequences=count),
        contenders=splitters,
        processor=True,
    )


def make_keyed(folder: Path, sequences: int) -> int:
    """Padded sequences with keys, as seqtool writes them; how many bytes x takes."""
    import numpy as np

    import seqtool

    random = np.random.default_rng(0)
    lengths = random.integers(1, 86, sequences)
    values = random.normal(size=(lengths.sum(), 5)).astype(np.float32)
    keys = random.permutation(sequences)
    ragged = seqtool.Ragged(values, np.concatenate(([0], np.cumsum(lengths))), keys=keys)
    seqtool.save(folder / "in.npz", seqtool.pad(ragged, padding="post"))
    return sequences * int(lengths.max()) * values[0].nbytes


def splitters(size: int) -> list[Contender]:
    """Ours, what people write in NumPy, a copy, and the floor."""
    ours = [*SEQTOOL, "split", "in.npz", "--val", "0.1", "--test", "0.1", "-q", "-o", "{split}.npz"]
    theirs = script("split_numpy", "in.npz", "numpy")
    return [
        Contender("seqtool", ours, "train.npz"),
        Contender("NumPy", theirs, "numpy.train.npz"),
        copy_of("in.npz"),
        *floors("-", size),
    ]
