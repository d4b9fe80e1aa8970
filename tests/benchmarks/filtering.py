"""`filter`: some of many padded sequences, by length and key."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial

from tests.benchmarks.measuring import SEQTOOL, Case, Contender, floors, script
from tests.benchmarks.splitting import make_keyed


def cases(scale: float) -> Iterator[Case]:
    """One case; `scale` is of its full numbers."""
    count = max(round(100_000 * scale), 20)
    yield Case(
        "filter",
        f"{count:,} sequences of 1 to 85 steps of 5 float32, about half of them kept",
        make=partial(make_keyed, sequences=count),
        contenders=filters,
    )


def filters(size: int) -> list[Contender]:
    """Ours, a mask of NumPy, and the floor."""
    ours = [*SEQTOOL, "filter", "in.npz", "--where", "length > 42 and key != 7", "-q", "-o", "seqtool.npz"]
    return [
        Contender("seqtool", ours, "seqtool.npz"),
        Contender("NumPy", script("filter_numpy", "in.npz", "numpy.npz"), "numpy.npz"),
        *floors("-", size // 2),
    ]
