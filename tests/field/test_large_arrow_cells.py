"""One list or one text of a Parquet or Arrow file that is too large for memory."""

from __future__ import annotations

from pathlib import Path

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


@pytest.mark.parametrize("name", KINDS)
@pytest.mark.parametrize("call", ["pad {} --array x", "group {} --key k"])
def test_a_list(call: str, name: str, place: Place) -> None:
    lists = pa.ListArray.from_arrays([0, 3, 7_000_003], np.zeros(7_000_003))
    write(place.folder / name, pa.table({"k": [1, 2], "x": lists}))
    done = place.run(*call.format(name).split(), "--max-memory", "256M", "-o", "o.npz")
    assert done.code == 1
    assert (
        f"{name}: row 2, column 'x': a list of 56.0 MB: can only be read whole and takes about 280.0 MB"
        in done.err
    )
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
