"""`pad`: sequences to a padded block of the same dtype."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from pathlib import Path

from tests.benchmarks.measuring import SEQTOOL, Case, Contender, floors, script

_MAXLEN = 256


def cases(scale: float) -> Iterator[Case]:
    """Tokens, steps of several features, and a dense array; `scale` is of their full numbers."""
    tokens, steps, dense = (max(round(number * scale), 1) for number in (1_000_000, 100_000, 20_000))
    yield Case(
        "pad-tokens",
        f"{tokens:,} sequences of 1 to 100 int32",
        make=partial(make_tokens, sequences=tokens),
        contenders=partial(contenders, "in.npz", []),
    )
    yield Case(
        "pad-steps",
        f"{steps:,} sequences of 1 to 85 steps of 5 float64",
        make=partial(make_steps, sequences=steps),
        contenders=partial(contenders, "in.npz", [], items=True),
    )
    yield Case(
        "pad-dense",
        f"({dense}, 200, 20) float32 to maxlen {_MAXLEN}",
        make=partial(make_dense, sequences=dense),
        contenders=partial(contenders, "in.npy", [str(_MAXLEN)]),
    )


def make_tokens(folder: Path, sequences: int) -> int:
    """Sequences of token ids, end to end; how many bytes x takes."""
    import numpy as np

    random = np.random.default_rng(0)
    lengths = random.integers(1, 101, sequences)
    values = random.integers(1, 30_000, lengths.sum(), dtype=np.int32)
    np.savez(folder / "in.npz", values=values, offsets=np.concatenate(([0], np.cumsum(lengths))))
    return sequences * int(lengths.max()) * values.itemsize


def make_steps(folder: Path, sequences: int) -> int:
    """Sequences of steps of five features, end to end; how many bytes x takes."""
    import numpy as np

    random = np.random.default_rng(0)
    lengths = random.integers(1, 86, sequences)
    values = random.normal(size=(lengths.sum(), 5))
    np.savez(folder / "in.npz", values=values, offsets=np.concatenate(([0], np.cumsum(lengths))))
    return sequences * int(lengths.max()) * values[0].nbytes


def make_dense(folder: Path, sequences: int) -> int:
    """One array; how many bytes x takes."""
    import numpy as np

    x = np.random.default_rng(0).random((sequences, 200, 20), dtype=np.float32)
    np.save(folder / "in.npy", x)
    return sequences * _MAXLEN * x[0, 0].nbytes


def contenders(source: str, maxlen: list[str], size: int, *, items: bool = False) -> list[Contender]:
    """Ours, theirs and the floor; `items` where steps have several features, to be written as one item each."""
    option = ["--maxlen", *maxlen] if maxlen else []
    ours = [*SEQTOOL, "pad", source, *option, "--post", "-q", "-o", "seqtool.files.npz"]
    theirs = {
        "NumPy": ("pad_numpy", ()),
        "NumPy, steps as items": ("pad_numpy_items", ()),
        "Keras": ("pad_keras", ("keras", "torch")),
        "torch": ("pad_torch", ("torch",)),
        "awkward": ("pad_awkward", ("awkward",)),
    }
    if not items:
        del theirs["NumPy, steps as items"]
    found = [Contender("seqtool", ours, "seqtool.files.npz", verified=True)]
    for name, (file, needs) in theirs.items():
        output = f"{file}.npz"
        command = script(file, source, output, *maxlen)
        found.append(Contender(name, command, output, verified=True, needs=needs))
    return [*found, *floors("-", size)]
