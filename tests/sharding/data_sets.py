"""Tables that are grouped into shards, and what their shards must hold."""

from __future__ import annotations

import csv
import gzip
import io
import shutil
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
from hypothesis import strategies as st
from pyarrow import parquet

import seqtool
from tests.command import Done, Place, succeeded
from tests.oracles import by_key, shard_of

Row = dict[str, Any]
COLUMNS = ["k", "m", "t", "a", "b", "s", "lab", "c"]
TEXT_KEYS = [
    "7",
    "007",
    "07",
    "NA",
    "null",
    "é",
    "日本",
    'a "q"',
    "line\nbreak",
    "a,b",
    " x",
    "e\u0301",
    "A" * 60,
]
NUMBER_KEYS = ["7", "-7", "0", str(2**53), str(2**53 + 1), str(2**63 - 1), str(-(2**63))]


@st.composite
def tables(draw: st.DrawFn, keys: list[str]) -> list[Row]:
    """Rows whose times tie, and whose labels and static numbers belong to the key."""
    found = []
    for key in draw(st.lists(st.sampled_from(keys), min_size=1, max_size=25)):
        a = draw(st.sampled_from(["1", "-3", "0.5", "1e3", "", "16777216"]))
        found.append(
            {
                "k": key,
                "m": draw(st.sampled_from(["x", "007"])),
                "t": str(draw(st.integers(0, 8))),
                "a": a,
                "b": str(draw(st.integers(-5, 5))),
                "s": str(len(key) / 4),
                "lab": f"of {key[:2]}",
                "c": draw(st.sampled_from(["red", "a\nb", "blue", ""])),
            }
        )
    return found


def files_of(place: Place, rows: list[Row], *, files: int, suffix: str) -> list[str]:
    """The rows in so many files, as text, packed text, or Parquet."""
    size = -(-len(rows) // files)
    names = []
    for number, some in enumerate(rows[i : i + size] for i in range(0, len(rows), size)):
        name = f"in{number}{suffix}"
        names.append(name)
        if suffix == ".parquet":
            parquet.write_table(_typed(some), place.folder / name)
            continue
        out = io.StringIO()
        writer = csv.DictWriter(out, COLUMNS)
        writer.writeheader()
        writer.writerows(some)
        data = out.getvalue().encode()
        place.write(name, gzip.compress(data) if suffix.endswith(".gz") else data)
    return names


def _typed(rows: list[Row]) -> pa.Table:
    columns: dict[str, Any] = {name: [row[name] for row in rows] for name in COLUMNS}
    for name in ("a", "s"):
        columns[name] = pa.array([float(cell) if cell else None for cell in columns[name]], pa.float64())
    for name in ("t", "b"):
        columns[name] = [int(cell) for cell in columns[name]]
    return pa.table(columns)


def shards_are_those_of_one_file(
    place: Place, names: list[str], options: list[str], shards: int, hashed: int = 1
) -> Path | None:
    """The folder of shards of a call, which hold what the same call holds in one file; None where both refuse it."""
    one = place.run("group", *names, *options, "--ragged", "-o", "one.npz", "-q")
    folder = place.folder / "many"
    shutil.rmtree(folder, ignore_errors=True)
    many = into_shards(place, "many", names, options, shards)
    if one.code:
        assert (many.code, many.err) == (
            one.code,
            one.err.replace("file", "data set") if "written" in one.err else one.err,
        )
        assert not folder.exists()
        return None
    succeeded(many)
    whole, found = seqtool.load(f"{place.folder}/one.npz"), seqtool.load(str(folder))
    assert by_key(found) == by_key(whole)
    assert found.features == whole.features
    assert found.values.dtype == whole.values.dtype
    assert {name: np.asarray(table).tolist() for name, table in found.names.items()} == {
        name: np.asarray(table).tolist() for name, table in whole.names.items()
    }
    assert found.keys.dtype.kind == whole.keys.dtype.kind
    _each_key_is_in_its_shard(folder, shards, hashed)
    _receipts_agree(found.receipt, whole.receipt)
    return folder


def into_shards(
    place: Place, out: str, names: list[str], options: list[str], shards: int, *engine: str
) -> Done:
    """A call that writes shards, quietly."""
    return place.run("group", *names, *options, *engine, "--shards", str(shards), "-o", f"{out}/", "-f", "-q")


def _each_key_is_in_its_shard(folder: Path, shards: int, hashed: int) -> None:
    for path in folder.glob("shard-*.npz"):
        data = seqtool.load(str(path))
        number = int(path.name.split("-")[1])
        keys = [key if isinstance(key, list) else [key] for key in np.asarray(data.keys).tolist()]
        assert {shard_of(key[:hashed] or [0], shards) for key in keys} == {number}
        ranks = [tuple(key) for key in keys]
        assert all(one <= other for one, other in pairwise(ranks))


def _receipts_agree(found: Any, whole: Any) -> None:
    assert [step["rows"] for step in found] == [step["rows"] for step in whole]
    assert [step["arguments"] for step in found] == [step["arguments"] for step in whole]
