"""`group` on ever more rows within one figure of memory: the time a row must not grow."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from pathlib import Path

from tests.benchmarks.measuring import SEQTOOL, Case, Contender
from tests.benchmarks.rows import make_codes, write_rows

_MILLIONS = (1, 10, 60)


def cases(scale: float) -> Iterator[Case]:
    """One case, which takes minutes and a few gigabytes of disk."""
    rows = [max(round(million * 1_000_000 * scale), 50) for million in _MILLIONS]
    yield Case(
        "growth",
        f"group under --max-memory 1G, up to {rows[-1]:,} rows of 6 columns of CSV, shuffled",
        make=partial(make, rows=rows),
        contenders=partial(contenders, rows),
        base="the first",
        rounds=3,
        only_if_named=True,
    )


def make(folder: Path, rows: list[int]) -> int:
    """A file of each size; the bytes of the last."""
    for number in rows:
        codes = make_codes(number, in_order=False)
        write_rows(folder / f"{number}.csv", codes, text=False, columns=5, digits=2)
    return (folder / f"{rows[-1]}.csv").stat().st_size


def contenders(rows: list[int], _: int) -> list[Contender]:
    """Ours alone."""
    options = ["--key", "key", "--max-memory", "1G", "-q", "-o", "seqtool.files.npz"]
    return [
        Contender(
            f"{number:,} rows",
            [*SEQTOOL, "group", f"{number}.csv", *options],
            "seqtool.files.npz",
            rows=number,
        )
        for number in rows
    ]
