"""`window`: windows of ragged sequences, each with the steps that follow it."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from pathlib import Path

from tests.benchmarks.measuring import SEQTOOL, Case, Contender, copy_of, floors, script

_SIZE, _HORIZON = 24, 2


def cases(scale: float) -> Iterator[Case]:
    """Few long sequences, and many short ones; `scale` is of their full numbers."""
    steps = max(round(1_000_000 * scale), 10_000)
    for name, length in (("long", 10_000), ("short", 100)):
        yield Case(
            f"window-{name}",
            f"{steps // length:,} sequences of {length:,} steps of 5 float32, {_SIZE} a window, {_HORIZON} behind it",
            make=partial(make_ragged, sequences=steps // length, length=length),
            contenders=contenders,
            processor=True,
        )
    # As many bytes are written as by the others.
    sequences = 5 * steps // 10_000
    yield Case(
        "window-index",
        f"{sequences:,} sequences of 10,000 steps of 5 float32, {_SIZE} a window, each step written once",
        make=partial(make_ragged, sequences=sequences, length=10_000, index=True),
        contenders=indexers,
        processor=True,
    )


def make_ragged(folder: Path, sequences: int, length: int, *, index: bool = False) -> int:
    """Sequences end to end, and windows of them; how many bytes the steps of these take.

    With `index` each step counts once, and each window four numbers.
    """
    import numpy as np

    import seqtool

    values = np.random.default_rng(0).random((sequences * length, 5), dtype=np.float32)
    offsets = np.arange(sequences + 1) * length
    ragged = seqtool.Ragged(values, offsets, keys=np.arange(sequences))
    seqtool.save(folder / "in.npz", ragged)
    seqtool.save(folder / "made.npz", seqtool.window(ragged, size=_SIZE, horizon=_HORIZON, index=index))
    if index:
        return values.nbytes + 4 * 8 * sequences * (length - _SIZE - _HORIZON + 1)
    return sequences * (length - _SIZE - _HORIZON + 1) * _SIZE * values[0].nbytes


def contenders(size: int) -> list[Contender]:
    """Ours, views of NumPy, a loop over windows, a copy, and the floor."""
    sizes = [str(_SIZE), str(_HORIZON)]
    options = ["--size", sizes[0], "--horizon", sizes[1], "-q", "-o", "seqtool.npz"]
    views = script("window_numpy", "in.npz", "numpy.npz", *sizes)
    loop = script("window_loop", "in.npz", "loop.npz", *sizes)
    return [
        Contender("seqtool", [*SEQTOOL, "window", "in.npz", *options], "seqtool.npz"),
        Contender("NumPy, sliding_window_view", views, "numpy.npz"),
        Contender("Python loop", loop, "loop.npz", rounds=1),
        copy_of("made.npz"),
        *floors("-", size),
    ]


def indexers(size: int) -> list[Contender]:
    """Ours with the starts of windows alone, ours and NumPy with copies, a copy of the first, and the floor."""
    options = ["window", "in.npz", "--size", str(_SIZE), "--horizon", str(_HORIZON), "-q"]
    views = script("window_numpy", "in.npz", "numpy.npz", str(_SIZE), str(_HORIZON))
    return [
        Contender("seqtool --index", [*SEQTOOL, *options, "--index", "-o", "index.npz"], "index.npz"),
        Contender("seqtool, copies", [*SEQTOOL, *options, "-o", "seqtool.npz"], "seqtool.npz"),
        Contender("NumPy, sliding_window_view", views, "numpy.npz"),
        copy_of("made.npz"),
        *floors("-", size),
    ]
