"""A folder of shards reads as one file would."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

import seqtool
from seqtool.errors import DataError
from seqtool.sequences.ragged import Ragged
from tests.command import Place, succeeded


@pytest.fixture(params=["numbers", "text", "long text", "packed"], scope="module")
def grouped(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Place:
    place = Place(tmp_path_factory.mktemp("grouped"))
    letters = {"text": "u", "long text": "\u00fc" * 9}.get(request.param, "")
    rows = "".join(f"{letters}{'x' * (i % 7 == 3)}{i % 23},{i},{i % 23 % 2}\n" for i in range(100))
    place.write("rows.csv", f"key,a,y\n{rows}")
    more = ["--compress", "fast"] if request.param == "packed" else []
    call = ("group", "rows.csv", "--key", "key", "--label", "y", "--columns", "a", *more)
    with pytest.MonkeyPatch.context() as monkeypatch:
        if request.param == "long text":
            monkeypatch.setattr("seqtool.files.contents._WIDEST_TEXT", 400)  # some shards hold keys as bytes
        succeeded(place.run(*call, "--shards", "4", "-o", "out/"))
        succeeded(place.run(*call, "--ragged", "-o", "one.npz"))
    return place


@pytest.fixture
def folder(grouped: Place, tmp_path: Path) -> Path:
    return grouped.copied(tmp_path).folder


def test_arrays_stand_end_to_end(folder: Path) -> None:
    whole, shards = seqtool.load(folder / "one.npz"), seqtool.load(folder / "out")
    assert isinstance(shards, Ragged)
    assert isinstance(whole, Ragged)
    assert (len(shards), shards.values.shape) == (len(whole), whole.values.shape)
    y = dict(zip(np.asarray(whole.keys).tolist(), np.asarray(whole.per_sequence["y"]), strict=True))
    keys = np.asarray(shards.keys).tolist()
    assert sorted(keys) == sorted(y)
    for i, key in enumerate(keys):
        assert shards[i].tolist() == whole.key(key).tolist() == shards.key(key).tolist()
        assert np.asarray(shards.per_sequence["y"])[i] == y[key]
    assert [steps.tolist() for steps in shards] == [shards[i].tolist() for i in range(len(shards))]
    assert np.asarray(shards.names["classes"]).tolist() == np.asarray(whole.names["classes"]).tolist()


def test_the_shard_of_a_key_alone_is_read(folder: Path) -> None:
    shards = seqtool.load(folder / "out")
    key = np.asarray(shards.keys).tolist()[0]
    manifest = json.loads((folder / "out/manifest.json").read_text())
    first, *others = (folder / "out" / file["name"] for file in manifest["files"])
    for path in others:
        path.write_bytes(bytes(path.stat().st_size))  # nobody looks at it
    assert first.exists()
    assert len(seqtool.load(folder / "out").key(key))


def test_a_key_that_no_shard_has(folder: Path) -> None:
    shards = seqtool.load(folder / "out")
    with pytest.raises(KeyError, match="no sequence has the key 'nobody'"):
        shards.key("nobody")


def test_a_shard_that_is_missing_or_cut_is_told(folder: Path) -> None:
    path = next((folder / "out").glob("shard-*"))
    data = path.read_bytes()
    path.write_bytes(data[:-1])
    with pytest.raises(DataError, match="the manifest says"):
        np.asarray(seqtool.load(folder / "out").values)
    path.unlink()
    with pytest.raises(DataError, match="no such file; the manifest names it"):
        seqtool.load(folder / "out")


def test_shards_are_not_mapped(folder: Path) -> None:
    with pytest.raises(DataError, match="seqtool convert out"):
        seqtool.load(folder / "out", mmap=True)


def test_other_files_in_the_folder_are_refused(folder: Path) -> None:
    (folder / "out/notes.txt").write_text("")
    with pytest.raises(DataError, match=r"notes\.txt"):
        seqtool.load(folder / "out")
