"""`convert` and `concat`: sequences of a file in another format, and those of several files in one."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from pathlib import Path

from tests.benchmarks.measuring import SEQTOOL, Case, Contender, copy_of, floors, script


def cases(scale: float) -> Iterator[Case]:
    """To Parquet and back, and two files in one; `scale` is of their full numbers."""
    count = max(round(100_000 * scale), 20)
    about = f"{count:,} sequences of 1 to 85 steps of 5 float32"
    yield Case(
        "convert-parquet",
        f"{about}, to Parquet",
        make=partial(make_ragged, sequences=count),
        contenders=partial(contenders, ["convert", "in.npz"], "to_parquet_pyarrow", "in.npz", ".parquet"),
    )
    yield Case(
        "convert-back",
        f"{about}, from Parquet",
        make=partial(make_ragged, sequences=count, parquet=True),
        contenders=partial(
            contenders, ["convert", "in.parquet"], "from_parquet_pyarrow", "in.parquet", ".npz"
        ),
    )
    padded = max(round(150_000 * scale), 20)
    yield Case(
        "concat",
        f"twice {padded:,} sequences of 1 to 85 steps of 5 float32, padded",
        make=partial(make_two, sequences=padded),
        contenders=partial(
            contenders, ["concat", "in.npz", "other.npz"], "concat_numpy", "in.npz", ".npz", copy="both.npz"
        ),
        processor=True,
    )


def make_ragged(folder: Path, sequences: int, *, parquet: bool = False) -> int:
    """Ragged sequences with keys; how many bytes their steps take."""
    import numpy as np

    import seqtool

    random = np.random.default_rng(0)
    lengths = random.integers(1, 86, sequences)
    values = random.normal(size=(lengths.sum(), 5)).astype(np.float32)
    offsets = np.concatenate(([0], np.cumsum(lengths)))
    ragged = seqtool.Ragged(values, offsets, keys=np.arange(sequences), features=tuple("abcde"))
    seqtool.save(folder / "in.npz", ragged)
    if parquet:
        seqtool.save(folder / "in.parquet", ragged)
    return values.nbytes


def make_two(folder: Path, sequences: int) -> int:
    """Two files of padded sequences with other keys, and one of both; how many bytes x takes of both."""
    import numpy as np

    import seqtool

    random = np.random.default_rng(0)
    both = []
    for name, first in (("in.npz", 0), ("other.npz", sequences)):
        lengths = random.integers(1, 86, sequences)
        values = random.normal(size=(lengths.sum(), 5)).astype(np.float32)
        keys = np.arange(first, first + sequences)
        ragged = seqtool.Ragged(values, np.concatenate(([0], np.cumsum(lengths))), keys=keys)
        padded = seqtool.pad(ragged, padding="post")
        seqtool.save(folder / name, padded)
        both.append(padded)
    made = seqtool.concat(both)
    seqtool.save(folder / "both.npz", made)
    return int(made.x.nbytes)


def contenders(
    words: list[str], file: str, source: str, suffix: str, size: int, copy: str | None = None
) -> list[Contender]:
    """Ours, the same by hand, perhaps a copy of the result, and the floor."""
    ours = [*SEQTOOL, *words, "-q", "-o", f"seqtool{suffix}"]
    theirs = script(file, source, f"{file}{suffix}")
    return [
        Contender("seqtool", ours, f"seqtool{suffix}"),
        Contender("by hand", theirs, f"{file}{suffix}"),
        *([] if copy is None else [copy_of(copy)]),
        *floors("-", size),
    ]
