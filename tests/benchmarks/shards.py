"""`group` into a folder of shards on each engine, beside one process, and beside what Spark does by itself."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from pathlib import Path

from tests.benchmarks.measuring import SEQTOOL, Case, Contender, script
from tests.benchmarks.rows import ROWS_A_KEY

_MILLIONS = (1, 10, 60)
_FILES = 16
_ROUNDS = {1: 3, 10: 3, 60: 1}


def cases(scale: float) -> Iterator[Case]:
    """A case of each size; the largest takes many minutes, and several gigabytes of disk."""
    for million in _MILLIONS:
        rows = max(round(million * 1_000_000 * scale), _FILES)
        yield Case(
            f"shards-{million}m",
            f"{rows:,} rows of 5 columns of Parquet in {_FILES} files, shuffled, to 16 shards",
            make=partial(make, rows=rows),
            contenders=contenders,
            base="one file",
            rounds=_ROUNDS[million],
            only_if_named=True,
        )


def make(folder: Path, rows: int) -> int:
    """The files; how many bytes the features of all steps take."""
    import numpy as np
    import pyarrow as pa
    from pyarrow import parquet

    (folder / "rows").mkdir()
    random = np.random.default_rng(0)
    for file in range(_FILES):
        count = rows // _FILES
        columns = {"key": random.integers(0, max(rows // ROWS_A_KEY, 1), count)}
        columns["t"] = random.integers(0, 10**9, count)
        columns |= {f"v{i}": random.normal(size=count).astype(np.float32) for i in range(3)}
        parquet.write_table(pa.table(columns), folder / "rows" / f"part-{file:02}.parquet")
    return rows // _FILES * _FILES * 3 * 4


def contenders(_: int) -> list[Contender]:
    """Ours on each engine, all processes of each counted together, and Spark's own lists."""
    call = ["group", "rows/*.parquet", "--key", "key", "--order-by", "t", "-q"]
    shards = [*SEQTOOL, *call, "--shards", "16", "-o", "shards.files/"]
    spark = [*shards, "--engine", "spark"]
    return [
        Contender(
            "one file", [*SEQTOOL, *call, "--ragged", "-o", "one.files.npz"], "one.files.npz", whole=True
        ),
        _ours("--engine local", shards, "numpy"),
        _ours("--engine spark, local[2]", [*spark, "--master", "local[2]"], "pyspark", "py4j"),
        _ours("--engine dask", [*shards, "--engine", "dask"], "distributed"),
        _ours("--engine spark, Sail", script("with_sail", *spark), "pysail"),
        Contender(
            "collect_list of Spark",
            script("group_spark", "rows", "spark.files"),
            "spark.files",
            needs=("pyspark", "py4j"),
            whole=True,
        ),
    ]


def _ours(name: str, command: list[str], *needs: str) -> Contender:
    return Contender(name, command, "shards.files", needs=needs, whole=True)
