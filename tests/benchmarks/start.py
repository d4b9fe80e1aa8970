"""The time to start, beside that of importing what other tools are made of."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path

from tests.benchmarks.measuring import SEQTOOL, Case, Contender

_LIBRARIES = (
    "numpy",
    "typer",
    "pyarrow",
    "duckdb",
    "polars",
    "pandas",
)  # the first is what others compare with


def cases() -> Iterator[Case]:
    """One case."""
    yield Case(
        "start",
        "help, tiny files, and imports alone",
        make=make,
        contenders=contenders,
        base="import numpy",
        rounds=11,
    )


def make(folder: Path) -> int:
    """A tiny array and a tiny table."""
    import numpy as np

    x = np.zeros((4, 3, 2))
    np.save(folder / "tiny.npy", x)
    (folder / "tiny.csv").write_text("key,value\n2,0.5\n1,1.5\n2,2.5\n")
    return x.nbytes


def contenders(_: int) -> list[Contender]:
    """Imports, and our commands."""
    pad = [*SEQTOOL, "pad", "tiny.npy", "--maxlen", "5", "--post", "-q", "-o", "tiny.npz"]
    group = [*SEQTOOL, "group", "tiny.csv", "--key", "key", "-q", "-o", "tiny.npz"]
    numpy, *imports = (
        Contender(f"import {name}", [sys.executable, "-c", f"import {name}"], needs=(name,))
        for name in _LIBRARIES
    )
    return [
        numpy,
        Contender("python -c pass", [sys.executable, "-c", "pass"]),
        Contender("seqtool --help", [*SEQTOOL, "--help"]),
        Contender("seqtool pad, a tiny array", pad, "tiny.npz"),
        Contender("seqtool group, a tiny table", group, "tiny.npz"),
        *imports,
    ]
