"""`--compress`: time and size beside `np.savez_compressed`."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from pathlib import Path

from tests.benchmarks.measuring import SEQTOOL, Case, Contender, script

_STEPS, _FEATURES = 200, 20


def cases(scale: float) -> Iterator[Case]:
    """A block of 400 MB at full scale, 40 % of it padding."""
    sequences = max(round(12_500 * scale), 1)
    yield Case(
        "compress",
        f"({sequences}, {_STEPS}, {_FEATURES}) float64 of 4 decimals, 40 % padding",
        make=partial(make, sequences=sequences),
        contenders=partial(contenders, source="in.npy", numpy="compress_numpy"),
        base="NumPy",
        sizes=True,
    )


def make(folder: Path, sequences: int) -> int:
    """Rounded normals, padded with 0; how many bytes they take."""
    import numpy as np

    random = np.random.default_rng(0)
    x = np.round(random.normal(size=(sequences, _STEPS, _FEATURES)), 4)
    lengths = random.integers(_STEPS // 5, _STEPS + 1, sequences)
    x[np.arange(_STEPS) >= lengths[:, None]] = 0
    np.save(folder / "in.npy", x)
    return x.nbytes


def contenders(_: int, *, source: str, numpy: str) -> list[Contender]:
    """NumPy's, which is the script of that name, and ours by name of level."""
    theirs = script(numpy, source, "numpy.npz")
    found = [Contender("np.savez_compressed", theirs, "numpy.npz", verified=True)]
    for level in ("fast", "small"):
        ours = [*SEQTOOL, "pad", source, "--post", "--compress", level, "-q", "-o", f"{level}.npz"]
        found.append(Contender(f"seqtool --compress {level}", ours, f"{level}.npz", verified=True))
    return found
