"""`st.recipe`: one sequence at a time, as a server transforms what comes in."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from pathlib import Path

from tests.benchmarks.measuring import Case, Contender, script


def cases(scale: float) -> Iterator[Case]:
    """Sequences of 20 rows, of numbers, and of names too; `scale` is of their full number.

    The time is that of the transformations alone, without start-up and loading.
    """
    count = max(round(2_000 * scale), 10)
    for name, what in (("numbers", "4 numbers"), ("names", "4 numbers, a category and a label")):
        yield Case(
            f"recipe-{name}",
            f"{count:,} DataFrames of 20 rows of {what}, grouped, scaled and padded one by one",
            make=partial(make_rows, sequences=count, names=name == "names"),
            contenders=partial(contenders, count),
            rate="sequences",
        )


def make_rows(folder: Path, sequences: int, *, names: bool) -> int:
    """Rows, and a file that was grouped and scaled; how many bytes its steps take."""
    import numpy as np
    import pandas as pd

    import seqtool as st

    random = np.random.default_rng(0)
    frame = pd.DataFrame(random.random((sequences * 20, 4), np.float32), columns=[*"abcd"])
    frame.insert(0, "key", np.repeat(np.arange(sequences), 20))
    frame.insert(1, "time", random.permutation(len(frame)))
    if names:
        frame["city"] = random.choice(["Oslo", "Rome", "Bern"], len(frame))
        frame["kind"] = np.where(frame["key"] % 3 == 0, "walk", "run")
    frame.to_parquet(folder / "rows.parquet")
    more = {"category": "city", "label": "kind"} if names else {}
    st.save(
        folder / "train.npz", st.scale(st.group(frame, key="key", order_by="time", **more), method="standard")
    )
    return sequences * 20 * 16


def contenders(sequences: int, size: int) -> list[Contender]:
    """Ours, and pandas as one writes it with the numbers and names of the file."""
    found = []
    for name in ("seqtool", "pandas"):
        output, clock = f"{name}.files.npy", f"{name}.seconds"
        command = script(f"recipe_{name}", "rows.parquet", "train.npz", output, clock)
        found.append(Contender(name, command, output, needs=("pandas",), rows=sequences, clock=clock))
    return found
