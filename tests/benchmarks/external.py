"""Padded blocks of an external `.npz` with lengths: `pad` beside the same block as a dense `.npy`, and `--compress`.

And `check`, `info` and `plot` of a large file of ours beside reading its bytes.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from pathlib import Path

from tests.benchmarks import compress
from tests.benchmarks.measuring import SEQTOOL, Case, Contender

_STEPS, _FEATURES = 85, 5


def cases(scale: float) -> Iterator[Case]:
    """Blocks of 400 MB and of 1.1 GB at full scale."""
    count, many = (max(round(number * scale), 1) for number in (120_000, 640_000))
    about = f"({count:,}, {_STEPS}, {_FEATURES}) float64 of 4 decimals with lengths, half of it padding"
    yield Case(
        "external-pad",
        f"{about}: from .npz",
        make=partial(make_external, sequences=count),
        contenders=of_padding,
        base="dense .npy",
    )
    yield Case(
        "external-compress",
        f"{about}: from .npz, compressed",
        make=partial(make_external, sequences=count),
        contenders=partial(compress.contenders, source="in.npz", numpy="compress_external_numpy"),
        base="NumPy",
        sizes=True,
    )
    yield Case(
        "check",
        f"({many:,}, {_STEPS}, {_FEATURES}) float32 of ours",
        make=partial(make_ours, sequences=many),
        contenders=of_checking,
        base="cat",
    )
    few = max(round(180_000 * scale), 1)
    yield Case(
        "check-against",
        f"({few:,}, {_STEPS}, {_FEATURES}) float32 of ours, and as many others",
        make=partial(make_pair, sequences=few),
        contenders=of_comparing,
        base="check",
    )


def make_external(folder: Path, sequences: int) -> int:
    """The block with its lengths, and alone; how many bytes it takes."""
    import numpy as np

    random = np.random.default_rng(0)
    x = np.round(random.normal(size=(sequences, _STEPS, _FEATURES)), 4)
    lengths = random.integers(1, _STEPS + 1, sequences)
    x[np.arange(_STEPS) >= lengths[:, None]] = 0
    np.savez(folder / "in.npz", x=x, lengths=lengths)
    np.save(folder / "in.npy", x)
    return x.nbytes


def make_ours(folder: Path, sequences: int, *, seed: int = 0) -> int:
    """A padded file of ours; how many bytes its block takes."""
    import numpy as np

    import seqtool

    random = np.random.default_rng(seed)
    lengths = random.integers(1, _STEPS + 1, sequences)
    values = random.normal(size=(lengths.sum(), _FEATURES)).astype(np.float32)
    offsets = np.concatenate(([0], np.cumsum(lengths)))
    seqtool.save(folder / "in.npz", seqtool.pad(seqtool.Ragged(values, offsets), padding="post"))
    return sequences * _STEPS * _FEATURES * 4


def make_pair(folder: Path, sequences: int) -> int:
    """Two files of ours that share no sequence; how many bytes the block of one takes."""
    size = make_ours(folder, sequences, seed=1)
    (folder / "in.npz").rename(folder / "other.npz")
    make_ours(folder, sequences)
    return size


def of_comparing(_: int) -> list[Contender]:
    """The file by itself, and against what it was made of."""
    check = [*SEQTOOL, "check", "in.npz"]
    return [
        Contender("seqtool check", check),
        Contender("seqtool check --against", [*check, "--against", "other.npz"]),
    ]


def of_padding(_: int) -> list[Contender]:
    """The dense block, and the same with lengths."""
    return [
        Contender(name, [*SEQTOOL, "pad", source, "--post", "-q", "-o", f"{source}.out.npz"])
        for name, source in (("dense .npy", "in.npy"), (".npz with lengths", "in.npz"))
    ]


def of_checking(_: int) -> list[Contender]:
    """The bytes alone, all that is checked, and what `info` tells at once."""
    return [
        Contender("cat FILE | wc -c", ["/bin/sh", "-c", "cat in.npz | wc -c"]),
        Contender("seqtool check", [*SEQTOOL, "check", "in.npz"]),
        Contender("seqtool info", [*SEQTOOL, "info", "in.npz"]),
        Contender("seqtool info --full", [*SEQTOOL, "info", "in.npz", "--full"]),
        Contender(
            "seqtool plot",
            [*SEQTOOL, "plot", "in.npz", "-q", "-o", "in.html"],
            "in.html",
            needs=("matplotlib",),
        ),
    ]
