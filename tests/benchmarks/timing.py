"""`group --delta --since-observed --position`: the features that tell of time, to padded float32."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from pathlib import Path

from tests.benchmarks.measuring import SEQTOOL, Case, Contender, script


def cases(scale: float) -> Iterator[Case]:
    """Rows of a shuffled table; `scale` is of their full number."""
    rows = max(round(2_000_000 * scale), 1)
    yield Case(
        "times-between-steps",
        f"{rows:,} rows of 4 float32 with holes, shuffled: times between steps, and since each was seen",
        make=partial(make_rows, rows=rows),
        contenders=contenders,
    )


def make_rows(folder: Path, rows: int) -> int:
    """A Parquet file; how many bytes the features of its steps take."""
    import numpy as np
    import pyarrow as pa
    from pyarrow import parquet

    random = np.random.default_rng(0)
    columns = {"key": random.integers(0, max(rows // 40, 1), rows), "t": random.integers(0, 10**6, rows)}
    for i in range(4):
        values, holes = random.random(rows, dtype=np.float32), random.random(rows) < 0.5
        columns[f"v{i}"] = pa.array(values, mask=holes)
    parquet.write_table(pa.table(columns), folder / "in.parquet")
    return rows * 10 * 4


def contenders(size: int) -> list[Contender]:
    """Ours, and pandas by groups, without a loop."""
    options = ["--key", "key", "--order-by", "t", "--delta", "t", "--since-observed", "--position"]
    ours = [*SEQTOOL, "group", "in.parquet", *options, "-q", "-o", "seqtool.files.npz"]
    theirs = script("times_pandas", "in.parquet", "pandas.files.npz")
    return [
        Contender("seqtool", ours, "seqtool.files.npz", verified=True),
        Contender("pandas", theirs, "pandas.files.npz", verified=True, needs=("pandas", "pyarrow")),
    ]
