"""Batches for training: ours, from memory and from the file, and the ways of each framework, all from memory.

Figures are batches a second without start-up. Each batch is padded to its longest sequence, but where a contender
pads all sequences alike, and is made of sequences in random order.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from pathlib import Path

from tests.benchmarks.measuring import Case, Contender, script

_LONGEST, _FEATURES, _BATCH, _FEWEST = 85, 5, 64, 20
_MANY, _FEW = 500, 50  # batches that are loaded

_TORCH = {
    "seqtool": ["torch", "seqtool"],
    "seqtool, from the file": ["torch", "file"],
    "list of tensors, pad_sequence": ["torch", "list"],
    "TensorDataset of padded rows": ["torch", "tensors"],
}
_WAYS = {
    "torch": {name: [*way, "0"] for name, way in _TORCH.items()},
    "torch-workers": {name: [*way, "2"] for name, way in _TORCH.items()},
    "torch-training": {
        f"{name}, {workers} workers": [*way, workers, "train"]
        for name, way in _TORCH.items()
        for workers in ("0", "2")
    },
    "keras": {
        "seqtool": ["keras", "seqtool"],
        "seqtool, from the file": ["keras", "file"],
        "PyDataset of padded rows": ["keras", "arrays"],
    },
    "tf": {
        "seqtool": ["tf", "seqtool"],
        "seqtool, from the file": ["tf", "file"],
        "from_tensor_slices, batch": ["tf", "slices"],
        "ragged, batch, to_tensor": ["tf", "ragged"],
    },
    "datasets": {
        "seqtool, from Parquet": ["torch", "parquet", "0"],
        "datasets, as torch": ["datasets", "torch"],
        "datasets, as Arrow": ["datasets", "arrow"],
    },
}
_SLOW = ("datasets", "torch-training")
_NEEDS = {"torch": "torch", "keras": "keras", "tf": "tensorflow", "datasets": "datasets"}


def cases(scale: float) -> Iterator[Case]:
    """A case for each framework; `scale` is of the full number of sequences."""
    count = max(round(100_000 * scale), _FEWEST * _BATCH)
    for name, ways in _WAYS.items():
        also = {"torch-workers": ", 2 workers", "torch-training": ", with a step of an LSTM on one thread"}
        yield Case(
            f"load-{name}",
            f"{count:,} sequences of 1 to {_LONGEST} steps of {_FEATURES} float32, {_BATCH} a batch, shuffled"
            + also.get(name, ""),
            make=partial(make_sequences, count=count, parquet=name == "datasets"),
            # Most of a round is the start of a framework; `datasets` and a step of training take 25 ms a batch.
            contenders=partial(
                contenders, ways, batches=min(_FEW if name in _SLOW else _MANY, count // _BATCH - 1)
            ),
            rounds=2,
            rate="batches",
        )


def make_sequences(folder: Path, count: int, *, parquet: bool = False) -> int:
    """Sequences with two classes; how many bytes their steps take."""
    import numpy as np

    import seqtool
    from seqtool.sequences.validation import offsets_of

    random = np.random.default_rng(0)
    offsets = offsets_of(random.integers(1, _LONGEST + 1, count))
    values = random.random((int(offsets[-1]), _FEATURES), dtype=np.float32)
    labels = {"y": random.integers(0, 2, count)}
    ragged = seqtool.Ragged(values, offsets, per_sequence=labels, features=tuple("abcde"))
    seqtool.save(folder / ("in.parquet" if parquet else "in.npz"), ragged)
    return values.nbytes


def contenders(ways: dict[str, list[str]], size: int, *, batches: int) -> list[Contender]:
    """Each of the ways, which loads so many batches."""
    del size
    return [
        Contender(
            name,
            script("load", *way[:2], str(batches), *way[2:]),
            needs=(_NEEDS[way[0]],),
            rows=batches,
            clock="seconds.txt",
        )
        for name, way in ways.items()
    ]
