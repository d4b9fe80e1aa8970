"""One list or one text of a Parquet or Arrow file that is too large for memory."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Literal

import numpy as np
import pyarrow as pa
import pyarrow.parquet as parquet
import pytest

from tests.command import Place, succeeded

KINDS = ["t.parquet", "t.arrow", "t.arrows"]


def write(path: Path, table: pa.Table) -> None:
    """A table whose text stands in no dictionary."""
    if path.suffix == ".parquet":
        parquet.write_table(table, path, use_dictionary=False, compression="snappy")
        return
    opener = pa.ipc.new_stream if path.suffix == ".arrows" else pa.ipc.new_file
    with opener(path, table.schema) as writer:
        writer.write_table(table)


@pytest.mark.thinned
@pytest.mark.parametrize("name", KINDS)
@pytest.mark.parametrize("call", ["pad {} --array x", "group {} --key k"])
def test_a_list(call: str, name: str, place: Place) -> None:
    lists = pa.ListArray.from_arrays([0, 3, 7_000_003], np.zeros(7_000_003))
    write(place.folder / name, pa.table({"k": [1, 2], "x": lists}))
    done = place.run(*call.format(name).split(), "--max-memory", "256M", "-o", "o.npz")
    assert done.code == 1
    where = "column 'x': a page" if name == "t.parquet" else "row 2, column 'x': a list"
    assert f"{name}: {where} of 56.0 MB: can only be read whole and takes about 280.0 MB" in done.err
    assert done.err.endswith("allow more: --max-memory 280M\n") or "281M" in done.err
    assert [*place.files()] == [name]


@pytest.mark.parametrize("name", KINDS)
def test_a_text(name: str, place: Place) -> None:
    table = pa.table({"k": [1, 2, 3], "v": [1.5, 2, 3], "y": ["a", "b" * 20_000_000, "c"]})
    write(place.folder / name, table)
    call = ["group", name, "--key", "k", "--max-memory", "256M", "-o", "o.npz"]
    done = place.run(*call, "--label", "y")
    where = "column 'y'" if name == "t.parquet" else "row 2, column 'y'"
    assert done.code == 1
    assert f"{name}: {where}: a cell of text has 20.0 MB, but 4.0 MB is the most" in done.err
    assert [*place.files()] == [name]
    succeeded(place.run(*call, "--drop", "y"))


@pytest.mark.parametrize("version", ["1.0", "2.0"])
def test_one_enormous_text_among_many_small_ones(
    version: Literal["1.0", "2.0"], place: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    """On average these are small, but the page of the one must be read whole."""
    monkeypatch.setattr("seqtool.tables.parquet_files.COPIES", 100)
    texts = [f"text {i}" for i in range(50_000)]
    texts[30_000] = "b" * 3_000_000
    table = pa.table({"k": np.arange(50_000) % 9, "v": np.ones(50_000), "y": texts})
    path = place.folder / "t.parquet"
    parquet.write_table(table, path, use_dictionary=False, compression="zstd", data_page_version=version)
    call = ["group", path.name, "--key", "k", "--max-memory", "256M", "-o", "o.npz"]
    done = place.run(*call, "--step-label", "y")
    assert done.code == 1
    assert re.search(
        r"t\.parquet: column 'y': a page of 3\.\d MB: can only be read whole and takes", done.err
    )
    assert [*place.files()] == ["t.parquet"]
    succeeded(place.run(*call, "--drop", "y"))
