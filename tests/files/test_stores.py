"""Folders of finished files, here and elsewhere, behave alike."""

from __future__ import annotations

from pathlib import Path

import pytest

from seqtool.errors import DataError
from seqtool.files.stores import Store, store_at


@pytest.fixture(params=["here", "elsewhere"])
def store(request: pytest.FixtureRequest, tmp_path: Path) -> Store:
    path = tmp_path / "out"
    return store_at(str(path) if request.param == "here" else f"file://{path}")


def test_a_file_has_its_name_when_it_is_whole(store: Store) -> None:
    assert store.names() == []
    assert store.make()
    assert not store.make()
    with store.writing("run") as path:
        path.write_bytes(b"whole")
        assert "a.npz" not in store.names()
        store.keep(path, "a.npz")
    assert store.names() == ["a.npz"]
    assert store.fetch("a.npz").read_bytes() == b"whole"


def test_what_is_not_kept_is_removed(store: Store) -> None:
    store.make()
    with store.writing("run") as path:
        path.write_bytes(b"half")
    assert not path.exists()
    assert store.names() == []


def test_a_small_file_is_replaced_and_read_anew(store: Store) -> None:
    store.make()
    for text in ("one", "two"):
        store.write("manifest.json", text)
        assert store.fetch("manifest.json").read_text() == text
    store.remove("manifest.json")
    store.remove("manifest.json")  # a second time nothing is there
    assert store.names() == []
    store.unmake()
    assert store.make()


def test_a_file_that_is_not_there(store: Store) -> None:
    store.make()
    with pytest.raises((DataError, FileNotFoundError)):
        store.fetch("nothing").read_bytes()


def test_a_folder_that_cannot_be_made(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(DataError, match="there is a file of this name"):
        store_at(str(tmp_path / "file")).make()
    with pytest.raises(DataError, match="does not exist; create it first"):
        store_at(str(tmp_path / "no/folder")).make()
