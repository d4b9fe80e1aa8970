"""`unpad`: padded sequences back to a CSV of their rows, in the order of the file that they came from."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from pathlib import Path

from tests.benchmarks.measuring import SEQTOOL, Case, Contender, script


def cases(scale: float) -> Iterator[Case]:
    """Rows of a shuffled table; `scale` is of their full number."""
    rows = max(round(1_000_000 * scale), 1)
    yield Case(
        "unpad",
        f"{rows:,} steps of 4 float32, 40 a sequence, to CSV in the order of their rows",
        make=partial(make_sequences, rows=rows),
        contenders=contenders,
    )


def make_sequences(folder: Path, rows: int) -> int:
    """A padded file that knows the row of each step; how many bytes its steps take."""
    import numpy as np

    import seqtool as st

    random = np.random.default_rng(0)
    matrix = random.random((rows, 5), dtype=np.float32)
    matrix[:, 0] = random.integers(0, max(rows // 40, 1), rows)
    st.save(folder / "in.npz", st.group(matrix, key=0, keep_key=False, keep_row_index=True))
    return rows * 16


def contenders(size: int) -> list[Contender]:
    """Ours, and pandas as one writes it."""
    ours = [*SEQTOOL, "unpad", "in.npz", "-q", "-o", "seqtool.files.csv"]
    return [
        Contender("seqtool", ours, "seqtool.files.csv"),
        Contender(
            "pandas",
            script("unpad_pandas", "in.npz", "pandas.files.csv"),
            "pandas.files.csv",
            needs=("pandas",),
        ),
    ]
