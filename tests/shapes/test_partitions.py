"""Hive-partitioned folders: the partitions of a file are columns of its rows."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.dataset as ds
import pytest

import seqtool as st
from tests.command import Place, succeeded

ROWS = {"user": ["b", "a", "b", "a"], "year": [2024, 2023, 2023, 2024], "v": [1.0, 2.0, 3.0, 4.0]}


@pytest.fixture
def place(tmp_path: Path) -> Place:
    """A folder of Parquet as pyarrow writes it."""
    place = Place(tmp_path)
    hive = ds.partitioning(pa.schema([("year", pa.int64()), ("user", pa.string())]), flavor="hive")
    ds.write_dataset(pa.table(ROWS), place.folder / "data", format="parquet", partitioning=hive)
    (place.folder / "data" / "_SUCCESS.csv").touch()
    return place


@pytest.mark.parametrize("source", ["data", "data/*/*/*.parquet", "data/**/*.parquet"])
def test_partitions_are_columns(place: Place, source: str) -> None:
    succeeded(place.run("group", source, "--key", "user", "--order-by", "year", "-o", "o.npz"))
    data = st.load(place.folder / "o.npz")
    assert data.keys.tolist() == ["a", "b"]
    assert data.features == ("v",)  # partitions are features only where somebody names them
    assert data.x[:, :, 0].tolist() == [[2, 4], [3, 1]]


def test_they_may_be_labels_static_numbers_and_features(place: Place) -> None:
    call = [
        "group",
        "data",
        "--key",
        "user,year",
        "--label",
        "user",
        "--static",
        "year",
        "--columns",
        "v,year",
    ]
    succeeded(place.run(*call))
    data = st.load(place.folder / "data.group.npz")
    assert data.per_sequence["static"].tolist() == [[2023], [2024], [2023], [2024]]
    assert data.names["classes"].tolist() == ["a", "b"]
    assert data.x[:, 0].tolist() == [[2, 2023], [4, 2024], [3, 2023], [1, 2024]]


def test_partitions_are_compared_as_written(place: Place) -> None:
    for part in ("site=007", "site=7", "site=a%20b"):
        (place.folder / "csv" / part).mkdir(parents=True)
        place.write(f"csv/{part}/part.csv", "v\n1\n")
    succeeded(place.run("group", "csv", "--key", "site"))
    assert st.load(place.folder / "csv.group.npz").keys.tolist() == ["007", "7", "a b"]


def test_missing_partitions_are_empty_keys(place: Place) -> None:
    for part in ("site=1", "site=__HIVE_DEFAULT_PARTITION__"):
        (place.folder / "csv" / part).mkdir(parents=True)
        place.write(f"csv/{part}/part.csv", "v\n1\n")
    done = place.run("group", "csv", "--key", "site")
    assert done.code == 1
    assert "'site' is empty in 1 of 2 rows" in done.err


def test_a_column_of_the_file_goes_before_its_partition(place: Place) -> None:
    (place.folder / "csv" / "k=1").mkdir(parents=True)
    place.write("csv/k=1/part.csv", "k,v\n5,1\n")
    done = succeeded(place.run("group", "csv", "--key", "k"))
    assert "partition 'k' is a column of the file too" in done.err
    assert st.load(place.folder / "csv.group.npz").keys.tolist() == [5]


def test_python_reads_a_folder(place: Place) -> None:
    assert np.asarray(st.group(place.folder / "data", key=["year", "user"]).keys).tolist()[0] == ["2023", "a"]
