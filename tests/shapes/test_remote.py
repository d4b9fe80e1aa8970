"""Files elsewhere, by fsspec: its memory file system stands for s3://, gs://, hf:// and https://."""

from __future__ import annotations

import io
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

import seqtool as st
from tests.command import Place, succeeded


@pytest.fixture
def place(tmp_path: Path) -> Place:
    return Place(tmp_path)


@pytest.fixture
def memory() -> Iterator[Any]:
    fsspec = pytest.importorskip("fsspec")
    system = fsspec.filesystem("memory")
    yield system
    system.store.clear()
    system.pseudo_dirs[:] = [""]


def test_files_elsewhere_are_read(place: Place, memory: Any) -> None:
    memory.pipe("/rec/walk/1.csv", b"a\n1\n2\n")
    memory.pipe("/rec/run/2.csv", b"a\n3\n")
    succeeded(place.run("group", "memory://rec/walk/1.csv", "--no-key"))
    assert st.load(place.folder / "1.group.npz").x.tolist() == [[[1], [2]]]
    succeeded(place.run("group", "memory://rec/*/*.csv", "--key-from", "memory://rec/{label}/{key}.csv"))
    data = st.load(place.folder / "rec.group.npz")
    assert (data.keys.tolist(), data.per_sequence["y"].tolist()) == ([1, 2], [1, 0])
    assert [*place.temporary.iterdir()] == []  # the copies are gone


def test_partitioned_folders_and_arrays_elsewhere(place: Place, memory: Any) -> None:
    for year in (2023, 2024):
        file = io.BytesIO()
        pq.write_table(pa.table({"v": [float(year)]}), file)
        memory.pipe(f"/data/year={year}/part-0.parquet", file.getvalue())
        file = io.BytesIO()
        np.save(file, np.ones((year - 2022, 2)))
        memory.pipe(f"/npy/{year}.npy", file.getvalue())
    succeeded(place.run("group", "memory://data", "--key", "year"))
    assert st.load(place.folder / "data.group.npz").keys.tolist() == [2023, 2024]
    succeeded(place.run("pad", "memory://npy/*.npy", "--key-from", "memory://npy/{key}.npy"))
    assert st.load(place.folder / "npy.pad.npz").lengths.tolist() == [1, 2]


@pytest.mark.parametrize(
    ("source", "code", "words"),
    [
        ("memory://none.csv", 1, "no such file"),
        ("memory://*.csv", 1, "no file matches"),
        (
            "memory://folder",
            1,
            "a folder; the name of a file, or a pattern, was expected, such as memory://folder/a.csv",
        ),
        ("klingon://a.csv", 2, "no address that fsspec knows"),
    ],
)
def test_what_is_not_there_is_told(place: Place, memory: Any, source: str, code: int, words: str) -> None:
    memory.pipe("/folder/a.csv", b"a\n1\n")
    done = place.run("group", source, "--no-key")
    assert (done.code, words in done.err) == (code, True), done.err


def test_what_breaks_off_is_told(place: Place, memory: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    memory.pipe("/a.csv", b"a\n1\n")

    def broken(*_: object) -> bytes:
        raise ConnectionError("reset by peer")

    monkeypatch.setattr(type(memory.open("/a.csv", "rb")), "read", broken)
    done = place.run("group", "memory://a.csv", "--no-key")
    assert done.code == 1
    assert "memory://a.csv: cannot be read (reset by peer)" in done.err


def test_without_fsspec_its_extra_is_named(place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "fsspec", None)
    monkeypatch.setitem(sys.modules, "fsspec.core", None)
    done = place.run("group", "s3://bucket/a.csv", "--key", "id")
    assert done.code == 2
    assert done.err.count("\n") == 1
    assert "pip install 'seqtool[remote]'" in done.err
