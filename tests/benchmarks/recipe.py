"""`st.recipe`: one sequence at a time, as a server transforms what comes in."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from pathlib import Path

from tests.benchmarks.measuring import Case, Contender, script


def cases(scale: float) -> Iterator[Case]:
    """Sequences of 20 rows; `scale` is of their full number."""
    count = max(round(2_000 * scale), 1)
    yield Case(
        "recipe",
        f"{count:,} DataFrames of 20 rows, grouped, scaled and padded one by one",
        make=partial(make_rows, sequences=count),
        contenders=contenders,
    )


def make_rows(folder: Path, sequences: int) -> int:
    """Rows, and a file that was grouped and scaled; how many bytes its steps take."""
    import numpy as np
    import pandas as pd

    import seqtool as st

    random = np.random.default_rng(0)
    frame = pd.DataFrame(random.random((sequences * 20, 4), np.float32), columns=[*"abcd"])
    frame.insert(0, "key", np.repeat(np.arange(sequences), 20))
    frame.insert(1, "time", random.permutation(len(frame)))
    frame.to_parquet(folder / "rows.parquet")
    st.save(folder / "train.npz", st.scale(st.group(frame, key="key", order_by="time"), method="standard"))
    return sequences * 20 * 16


def contenders(size: int) -> list[Contender]:
    """Ours, and pandas as one writes it with the numbers of the receipt."""
    found = []
    for name in ("seqtool", "pandas"):
        output = f"{name}.files.npy"
        command = script(f"recipe_{name}", "rows.parquet", "train.npz", output)
        found.append(Contender(name, command, output, needs=("pandas",)))
    return found
