"""What the four programs share: the files they read and the arrays they write. NumPy alone, nothing of seqtool.

Call: PROGRAM FOLDER. In FOLDER, `sequences.npz` holds the sequences end to end (`values`, `offsets`), and each
`NAME.padded.npz` the same sequences as seqtool padded them. The program runs one LSTM over each sequence alone,
a batch of one without padding, and writes `alone.npz`; then with the same weights over each padded batch, and
writes `NAME.read.npz`; and over that batch once more as if padding were data, and writes `NAME.unmasked.npz`.
"""

import json
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

UNITS = 6
SEED = 4


@dataclass(frozen=True)
class Batch:
    """A batch as a program gets it: which steps are real is told by `lengths` and `padding`, or by `value`."""

    x: np.ndarray  # (N, T, F) float32
    lengths: np.ndarray  # (N,) int64
    padding: str  # the side that is filled, "pre" or "post"
    value: float  # what padding holds


# Gives `outputs` (N, T, UNITS) and the final state, `h` and `c` (N, UNITS). A batch that is not masked is read
# as if all its steps were real.
Lstm = Callable[[Batch, bool], dict[str, Any]]


def run_over_files(lstm: Lstm) -> None:
    """Run an LSTM over every file of the folder that the program is called with."""
    folder = Path(sys.argv[1])
    with np.load(folder / "sequences.npz") as truth:
        sequences = np.split(truth["values"], truth["offsets"][1:-1])
    alone = [lstm(_batch_of_one(sequence), False) for sequence in sequences]
    outputs = np.concatenate([np.asarray(ran["outputs"])[0] for ran in alone])
    states = {name: np.concatenate([np.asarray(ran[name]) for ran in alone]) for name in ("h", "c")}
    np.savez(folder / "alone.npz", outputs=outputs, **states)
    for path in sorted(folder.glob("*.padded.npz")):
        name = path.name.removesuffix(".padded.npz")
        batch = _load(path)
        np.savez(folder / f"{name}.read.npz", **lstm(batch, True))
        np.savez(folder / f"{name}.unmasked.npz", **lstm(batch, False))


def _batch_of_one(sequence: np.ndarray) -> Batch:
    return Batch(sequence[np.newaxis], np.array([len(sequence)]), "post", 0.0)


def _load(path: Path) -> Batch:
    with np.load(path) as data:
        meta = json.loads(str(data["meta"]))
        return Batch(data["x"], data["lengths"], meta["padding"], float(meta["value"]))
