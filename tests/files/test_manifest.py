"""The manifest of a folder of shards."""

import json
from pathlib import Path

import pytest

from seqtool.errors import DataError
from seqtool.files.manifest import Manifest, Shard, read_manifest, shard_of
from tests.oracles import shard_of as expected

SHARD = Shard(2, "shard-00002-of-00003-abc.npz", "abc", 10, 2, 5, 3, 4, {"values": ("<f4", (5, 2))})
MANIFEST = Manifest(3, (SHARD,), {"version": 1}, 1, {"classes": ["é", "b"]})


def test_it_is_read_as_it_was_written(tmp_path: Path) -> None:
    path = tmp_path / "manifest.json"
    path.write_text(MANIFEST.as_json(), encoding="utf-8")
    assert read_manifest(path, "out") == MANIFEST
    assert (MANIFEST.sequences, MANIFEST.steps) == (2, 5)


@pytest.mark.parametrize(
    ("change", "why"),
    [
        ({"format": "other"}, "not written by seqtool"),
        ({"version": 2}, "version 2 of the format; this seqtool reads 1"),
        ({"files": [{"name": "x"}]}, "damaged"),
        ({"files": 7}, "damaged"),
        ({"hashed": None}, "damaged"),
    ],
)
def test_one_that_is_damaged_or_newer_is_told(change: dict[str, object], why: str, tmp_path: Path) -> None:
    path = tmp_path / "manifest.json"
    path.write_text(json.dumps({**json.loads(MANIFEST.as_json()), **change}))
    with pytest.raises(DataError, match=f"out/manifest.json: {why}"):
        read_manifest(path, "out")


def test_a_shard_outside_the_folder_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "manifest.json"
    path.write_text(MANIFEST.as_json().replace("shard-00002", "../shard-00002"))
    with pytest.raises(DataError, match=r"out/manifest\.json: damaged"):
        read_manifest(path, "out")
    path.write_text("{")
    with pytest.raises(DataError, match=r"out/manifest\.json: cannot be read"):
        read_manifest(path, "out")


def test_the_shard_of_a_key() -> None:
    for key in ([7], ["é", 2**63 - 1], [""]):
        assert [shard_of(key, n) for n in (1, 7, 1000)] == [expected(key, n) for n in (1, 7, 1000)]
