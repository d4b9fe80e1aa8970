"""`group`: rows with a key to padded float32."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from itertools import product
from pathlib import Path

from tests.benchmarks.measuring import SEQTOOL, Case, Contender, floors, script
from tests.benchmarks.rows import make_codes, write_rows

_WIDTHS = {"slim": 2, "narrow": 4, "wide": 49}  # columns beside the key
_ROUNDS = {"slim": 5, "narrow": 5, "wide": 3}


def cases(rows: int, slow: bool) -> Iterator[Case]:
    """Every kind of file, key, order and width; `slow` runs the loop in all of them and in all rounds."""
    most = product(("csv", "parquet"), ("int", "text"), ("shuffled", "sorted"), ("narrow", "wide"))
    slim = [("csv", key, "shuffled", "slim") for key in ("int", "text")]
    for kind, key, order, width in [*slim, *most]:
        keys = "integer" if key == "int" else "text"
        yield Case(
            f"group-{kind}-{key}-{order}-{width}",
            f"{rows:,} rows of {_WIDTHS[width] + 1} columns, {keys} keys, {order}",
            make=partial(
                make, source=f"rows.{kind}", rows=rows, key=key, order=order, columns=_WIDTHS[width]
            ),
            contenders=partial(contenders, f"rows.{kind}", loop=slow or width == "narrow", slow=slow),
            rounds=_ROUNDS[width],
        )


def of_names(rows: int) -> Iterator[Case]:
    """A category of 50,000 names as ids, from both kinds of file."""
    for kind in ("csv", "parquet"):
        yield Case(
            f"categories-{kind}",
            f"{rows:,} rows of a key and a name of 50,000, as ids beside their names",
            make=partial(make_names, source=f"rows.{kind}", rows=rows),
            contenders=partial(name_contenders, f"rows.{kind}"),
        )


def make_names(folder: Path, source: str, rows: int) -> int:
    """Write the file; how many bytes x takes."""
    import numpy as np
    import pyarrow as pa
    import pyarrow.csv
    import pyarrow.parquet

    codes = make_codes(rows, in_order=False)
    names = np.array([f"item-{i:05d}" for i in range(50_000)])
    items = names[np.random.default_rng(1).integers(0, len(names), rows)]
    table = pa.table({"key": codes, "item": pa.array(items)})
    if source.endswith(".csv"):
        pyarrow.csv.write_csv(table, folder / source)
    else:
        pyarrow.parquet.write_table(table, folder / source, use_dictionary=False)
    lengths = np.bincount(codes)
    return int(np.count_nonzero(lengths)) * int(lengths.max()) * 8


def name_contenders(source: str, size: int) -> list[Contender]:
    """Ours, pandas and the floor."""
    ours = [*SEQTOOL, "group", source, "--key", "key", "--category", "item", "--columns", "item"]
    return [
        Contender("seqtool", [*ours, "-q", "-o", "seqtool.files.npz"], "seqtool.files.npz", verified=True),
        _theirs("pandas", "categories_pandas", source, "pandas", "pyarrow"),
        *floors(source, size),
    ]


def make(folder: Path, source: str, rows: int, key: str, order: str, columns: int) -> int:
    """Write the file; how many bytes x takes."""
    import numpy as np

    codes = make_codes(rows, in_order=order == "sorted")
    write_rows(folder / source, codes, text=key == "text", columns=columns)
    lengths = np.bincount(codes)
    return int(np.count_nonzero(lengths)) * int(lengths.max()) * columns * 4


def contenders(source: str, size: int, *, loop: bool, slow: bool) -> list[Contender]:
    """Ours, theirs and the floor; the loop, which takes long, in one round only."""
    ours = [*SEQTOOL, "group", source, "--key", "key", "-q", "-o", "seqtool.files.npz"]
    needs_of_pandas = ("pandas", "pyarrow") if source.endswith(".parquet") else ("pandas",)
    found = [
        Contender("seqtool", ours, "seqtool.files.npz", verified=True),
        _theirs("pandas", "group_pandas", source, *needs_of_pandas),
        _theirs("polars", "group_polars", source, "polars"),
        _theirs("duckdb and NumPy", "group_duckdb", source, "duckdb"),
    ]
    if source.endswith(".csv"):
        found.append(
            Contender("open_csv, which only reads", script("read_open_csv", source), needs=("pyarrow",))
        )
    if loop:
        rounds = None if slow else 1
        found.append(_theirs("pandas, a loop", "group_pandas_loop", source, *needs_of_pandas, rounds=rounds))
    return [*found, *floors(source, size)]


def _theirs(name: str, file: str, source: str, *needs: str, rounds: int | None = None) -> Contender:
    output = f"{file}.npz"
    return Contender(name, script(file, source, output), output, verified=True, needs=needs, rounds=rounds)
