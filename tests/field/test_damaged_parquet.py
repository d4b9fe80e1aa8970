"""Parquet files whose footer is damaged where Arrow would end the process, or too large to be read."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest
from pyarrow import parquet

from seqtool.system.memory import LEAST
from seqtool.tables import parquet_files
from tests.command import Place, succeeded

# Of a column that may be null, in the compact form of Thrift: a histogram of repetition levels without entries, and
# the beginning of one of definition levels, which has two.
HISTOGRAMS = b"\x3c\x29\x06\x19\x26"


@pytest.fixture
def place(tmp_path: Path) -> Place:
    return Place(tmp_path)


def test_a_histogram_of_another_size_is_an_error(place: Place) -> None:
    table = pa.table({"k": ["a", "b", None], "v": [1.0, 2.0, 3.0]})
    parquet.write_table(table, place.folder / "good.parquet", compression="none")
    succeeded(place.run("group", "good.parquet", "--key", "k", "--empty-key", "drop"))
    data = (place.folder / "good.parquet").read_bytes()
    assert HISTOGRAMS in data
    place.write("bad.parquet", data.replace(HISTOGRAMS, HISTOGRAMS.replace(b"\x06", b"\x46"), 1))
    done = place.process("group", "bad.parquet", "--key", "k", "-o", "out.npz")  # which Arrow ended
    assert done.code == 1
    assert "bad.parquet: damaged, or not a complete parquet file (Repetition level histogram" in done.err
    assert done.err.count("\n") == 1


def test_a_footer_that_takes_more_than_memory_allows(monkeypatch: pytest.MonkeyPatch, place: Place) -> None:
    parquet.write_table(
        pa.table({f"c{i}": [0, 1] for i in range(50)}), place.folder / "a.parquet", compression="none"
    )
    monkeypatch.setattr(parquet_files, "_DESCRIBED", 40_000)
    done = place.run("group", "a.parquet", "--key", "c0", "-o", "out.npz", "--max-memory", "256M")
    assert done.code == 1
    assert "a.parquet: the description of its columns: can only be read whole and takes about" in done.err
    assert done.err.count("\n") == 1


@pytest.mark.slow
def test_a_wide_file_takes_no_more_than_it_says(place: Place) -> None:
    """What a footer takes was measured; that of 20,000 columns has 4 MB."""
    columns = {f"c{i}": np.array([0, 1, 0]) for i in range(20_000)}
    parquet.write_table(pa.table(columns), place.folder / "wide.parquet")
    done, peak = place.measured(
        "group", "wide.parquet", "--key", "c0", "--columns", "c1", "-o", "out.npz", "--max-memory", "256M"
    )
    succeeded(done)
    assert peak <= LEAST + 150 * 10**6, f"{peak / 10**6:.0f} MB"
