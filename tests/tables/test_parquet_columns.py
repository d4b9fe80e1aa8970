"""Very many columns of Parquet, read a few at a time."""

from __future__ import annotations

from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pyarrow import parquet

from seqtool.tables import parquet_columns
from seqtool.tables.parquet_columns import batches_of, few_together, with_all_columns
from tests.command import Place, succeeded


def table(rows: int, seed: int = 0) -> Any:
    """Columns of all kinds: numbers with gaps, text, names that are stored once, times and lists."""
    random = np.random.default_rng(seed)
    numbers = random.integers(0, 9, rows)
    return pa.table(
        {
            "k": numbers,
            "a": pa.array(random.random(rows), mask=numbers == 3),
            "b.c": [f"{number}" * number for number in numbers.tolist()],
            "d": pa.array([f"name {number}" for number in numbers.tolist()]).dictionary_encode(),
            "t": pa.array(numbers, pa.timestamp("us")),
            "l": [[*range(number)] for number in numbers.tolist()],
        }
    )


@given(
    st.integers(0, 40),
    st.integers(1, 12),
    st.integers(1, 9),
    st.sets(st.sampled_from(["k", "a", "b.c", "d", "t", "l"]), min_size=1),
    st.integers(1, 3),
)
def test_the_rows_are_those_of_all_columns_at_once(
    scratch: Path, rows: int, row_group: int, count: int, names: set[str], at_a_time: int
) -> None:
    whole = table(rows)
    parquet.write_table(whole, scratch / "t.parquet", row_group_size=row_group, data_page_size=64)
    chosen = sorted(names)
    groups = [chosen[i : i + at_a_time] for i in range(0, len(chosen), at_a_time)]
    with parquet.ParquetFile(scratch / "t.parquet") as file:
        found = [*batches_of(file, groups, count, scratch)]
    assert all(0 < len(batch) <= count for batch in found)
    assert (
        pa.Table.from_batches(found, whole.select(chosen).schema).to_pylist()
        == whole.select(chosen).to_pylist()
    )
    assert [path.name for path in scratch.iterdir()] == ["t.parquet"]


@given(st.lists(st.lists(st.integers(1, 5), max_size=4), min_size=1, max_size=3))
def test_streams_may_be_cut_anywhere(cuts: list[list[int]]) -> None:
    rows = 12
    streams = []
    for i, sizes in enumerate(cuts):
        edges = [*np.minimum(np.cumsum([0, *sizes]), rows).tolist(), rows]
        batch = pa.record_batch({f"c{i}": np.arange(rows) + i})
        pieces = [batch.slice(low, high - low) for low, high in pairwise(edges) if high > low]
        streams.append(iter(pieces))
    found = pa.Table.from_batches(with_all_columns(streams))
    assert found.to_pydict() == {f"c{i}": [*range(i, rows + i)] for i in range(len(cuts))}


def test_pages_that_fit_together_are_read_together(tmp_path: Path) -> None:
    columns = {f"c{i}": np.arange(2_000) + i for i in range(20)}
    parquet.write_table(pa.table(columns), tmp_path / "t.parquet", use_dictionary=False, compression="none")
    metadata = parquet.read_metadata(tmp_path / "t.parquet")

    def groups(limit: int) -> list[int]:
        return [*map(len, few_together(tmp_path / "t.parquet", metadata, [*columns], limit))]

    assert groups(4 * 20 * 2 * 16_100) == [20]  # a page has 16,000 bytes and a few more, stored and unpacked
    assert groups(16 * 3 * 2 * 16_100) == [3] * 6 + [2]
    assert groups(1) == [1] * 20
    assert few_together(tmp_path / "t.parquet", metadata, [], 1) == [[]]


def one_by_one(monkeypatch: pytest.MonkeyPatch) -> None:
    """Read each column by itself, however small it is."""
    for share in ("_SHARE", "_AT_A_TIME"):
        monkeypatch.setattr(parquet_columns, share, 1 << 60)


def test_group_gives_the_same_bytes(place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    rows = 500
    columns = {f"f{i}": np.random.default_rng(i).random(rows) for i in range(20)}
    parquet.write_table(
        pa.table({"k": np.arange(rows) % 7, "t": np.arange(rows)[::-1], **columns}),
        place.folder / "t.parquet",
        row_group_size=200,
    )
    call = ["group", "t.parquet", "--key", "k", "--order-by", "t"]
    succeeded(place.run(*call, "-o", "a.npz"))
    one_by_one(monkeypatch)
    succeeded(place.run(*call, "-o", "b.npz"))
    assert (place.folder / "a.npz").read_bytes() == (place.folder / "b.npz").read_bytes()


def test_a_disk_without_room_names_the_ways_out(place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    parquet.write_table(pa.table({"k": [1, 2], "a": [1, 2]}), place.folder / "t.parquet")
    one_by_one(monkeypatch)

    def full(*_: Any) -> int:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("seqtool.arrays.spool.write_at", full)
    done = place.run("group", "t.parquet", "--key", "k", "-o", "o.npz")
    assert done.code == 1
    assert "cannot hold what does not fit into memory" in done.err
    assert "--temp-dir" in done.err
