"""`scale`, `fill` and `encode`: what learns from the training steps."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from pathlib import Path

from tests.benchmarks.measuring import SEQTOOL, Case, Contender, floors, script


def cases(scale: float) -> Iterator[Case]:
    """Two ways of scaling, filling, and ids of categories; `scale` is of their full numbers."""
    count = max(round(100_000 * scale), 1)
    for method in ("standard", "robust"):
        yield Case(
            f"scale-{method}",
            f"{count:,} sequences of 1 to 85 steps of 5 float32",
            make=partial(make_padded, sequences=count),
            contenders=partial(scalers, method),
        )
    yield Case(
        "fill",
        f"{count:,} sequences of 1 to 85 steps of 5 float32, forward and mean, half of them missing",
        make=partial(make_gaps, sequences=count),
        contenders=fillers,
    )
    yield Case(
        "encode",
        f"{count:,} sequences of 1 to 85 ids of 50,000 names, by count",
        make=partial(make_names, sequences=count),
        contenders=encoders,
    )


def make_padded(folder: Path, sequences: int) -> int:
    """Padded sequences of steps of five features, as seqtool writes them; how many bytes x takes."""
    import numpy as np

    import seqtool

    random = np.random.default_rng(0)
    lengths = random.integers(1, 86, sequences)
    values = random.normal(size=(lengths.sum(), 5)).astype(np.float32) * 3 + 7
    ragged = seqtool.Ragged(values, np.concatenate(([0], np.cumsum(lengths))))
    seqtool.save(folder / "in.npz", seqtool.pad(ragged, padding="post"))
    return sequences * int(lengths.max()) * values[0].nbytes


def scalers(method: str, size: int) -> list[Contender]:
    """Ours, scikit-learn on masked steps, and the floor."""
    ours = [*SEQTOOL, "scale", "in.npz", "--method", method, "-q", "-o", "seqtool.npz"]
    theirs = script("scale_sklearn", "in.npz", "sklearn.npz", method)
    return [
        Contender("seqtool", ours, "seqtool.npz"),
        Contender("scikit-learn", theirs, "sklearn.npz", needs=("sklearn",)),
        *floors("-", size),
    ]


def make_gaps(folder: Path, sequences: int) -> int:
    """Ragged sequences with missing numbers; how many bytes the result takes."""
    import numpy as np

    random = np.random.default_rng(0)
    lengths = random.integers(1, 86, sequences)
    values = random.normal(size=(lengths.sum(), 5)).astype(np.float32)
    values[random.random(values.shape) < 0.5] = np.nan
    np.savez(folder / "in.npz", values=values, offsets=np.concatenate(([0], np.cumsum(lengths))))
    return values.nbytes


def fillers(size: int) -> list[Contender]:
    """Ours, pandas by groups, and the floor."""
    ours = [*SEQTOOL, "fill", "in.npz", "--method", "forward,mean", "-q", "-o", "seqtool.npz"]
    theirs = script("fill_pandas", "in.npz", "pandas.npz")
    return [
        Contender("seqtool", ours, "seqtool.npz"),
        Contender("pandas", theirs, "pandas.npz", needs=("pandas",)),
        *floors("-", size),
    ]


def make_names(folder: Path, sequences: int) -> int:
    """Ragged ids of one category, a tenth of them for testing; how many bytes the result takes."""
    import numpy as np

    import seqtool

    random = np.random.default_rng(0)
    lengths = random.integers(1, 86, sequences)
    names = np.array([f"item-{i:05d}" for i in range(50_000)])
    ids = 3 + random.zipf(1.3, lengths.sum()) % len(names)
    ragged = seqtool.Ragged(
        ids,
        np.concatenate(([0], np.cumsum(lengths))),
        per_sequence={"split": np.where(random.random(sequences) < 0.9, "train", "test")},
        names={"categories": np.array(["item"]), "vocabulary_0": names},
    )
    seqtool.save(folder / "in.npz", ragged)
    return ids.nbytes


def encoders(size: int) -> list[Contender]:
    """Ours, pandas, Keras, and the floor."""
    ours = [*SEQTOOL, "encode", "in.npz", "--min-count", "2", "-q", "-o", "seqtool.npz"]
    theirs = script("encode_pandas", "in.npz", "pandas.npz")
    keras = script("encode_keras", "in.npz", "keras.npz")
    return [
        Contender("seqtool", ours, "seqtool.npz"),
        Contender("pandas", theirs, "pandas.npz", needs=("pandas",)),
        Contender("Keras", keras, "keras.npz", needs=("keras", "tensorflow")),
        *floors("-", size),
    ]
