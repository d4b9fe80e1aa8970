"""`filter` and `truncate`: some of many padded sequences, by length and key, or the last steps of each."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from pathlib import Path

from tests.benchmarks.measuring import SEQTOOL, Case, Contender, copy_of, floors, script
from tests.benchmarks.splitting import make_keyed

_WHERE = "length > 42 and key != 7"
_MAXLEN = 60


def cases(scale: float) -> Iterator[Case]:
    """One case each; `scale` is of their full numbers."""
    count = max(round(300_000 * scale), 20)
    about = f"{count:,} sequences of 1 to 85 steps of 5 float32"
    yield Case(
        "filter",
        f"{about}, about half of them kept",
        make=partial(make, sequences=count, command="filter"),
        contenders=partial(contenders, ["filter", "in.npz", "--where", _WHERE], ["filter_numpy"]),
        processor=True,
    )
    yield Case(
        "truncate",
        f"{about}, the last {_MAXLEN} of each",
        make=partial(make, sequences=count, command="truncate"),
        contenders=partial(
            contenders, ["truncate", "in.npz", "--maxlen", str(_MAXLEN)], ["truncate_numpy", str(_MAXLEN)]
        ),
        processor=True,
    )


def make(folder: Path, sequences: int, command: str) -> int:
    """Padded sequences with keys, and what a command makes of them, to be copied; how many bytes x takes of that."""
    import seqtool

    make_keyed(folder, sequences)
    whole = seqtool.load(folder / "in.npz")
    made = (
        seqtool.filter(whole, where=_WHERE)
        if command == "filter"
        else seqtool.truncate(whole, maxlen=_MAXLEN)
    )
    seqtool.save(folder / "made.npz", made)
    return int(made.x.nbytes)


def contenders(words: list[str], theirs: list[str], size: int) -> list[Contender]:
    """Ours, NumPy by hand, a copy of the result, and the floor."""
    name, *options = theirs
    return [
        Contender("seqtool", [*SEQTOOL, *words, "-q", "-o", "seqtool.npz"], "seqtool.npz"),
        Contender("NumPy", script(name, "in.npz", "numpy.npz", *options), "numpy.npz"),
        copy_of("made.npz"),
        *floors("-", size),
    ]
