from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from seqtool.errors import DataError
from seqtool.files.manifest import Manifest, Shard, read_manifest

SHARD = Shard(1, "shard-00001-of-00002-ab.npz", "ab", 9, 3, 7, 4, 2, {"values": ("<f4", (7, 1))})
WHOLE = Manifest(2, (SHARD,), {"kind": "ragged"}, 1, {"classes": ["a", "\u00e9"]})


def test_what_is_written_is_read(tmp_path: Path) -> None:
    path = tmp_path / "manifest.json"
    path.write_text(WHOLE.as_json(), encoding="utf-8")
    assert read_manifest(path, "out") == WHOLE
    assert json.loads(path.read_text(encoding="utf-8"))["longest"] == 4


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"format": "other"}, "not written by seqtool"),
        ({"version": 2}, "version 2 of the format; this seqtool reads 1"),
        ({"files": [{"name": "x"}]}, "damaged"),
        ({"files": [{**SHARD.__dict__, "name": "../x.npz"}]}, "no file of the folder"),
        ({"hashed": None}, "damaged"),
    ],
)
def test_a_manifest_that_is_none_is_refused(tmp_path: Path, change: dict[str, Any], message: str) -> None:
    path = tmp_path / "manifest.json"
    path.write_text(json.dumps(json.loads(WHOLE.as_json()) | change), encoding="utf-8")
    with pytest.raises(DataError, match=message):
        read_manifest(path, "out")


@pytest.mark.parametrize("text", ["", "[]", "{", "\udcff"])
def test_a_damaged_manifest_is_refused(tmp_path: Path, text: str) -> None:
    path = tmp_path / "manifest.json"
    path.write_bytes(text.encode("utf-8", "surrogateescape"))
    with pytest.raises(DataError, match=r"out/manifest\.json"):
        read_manifest(path, "out")
