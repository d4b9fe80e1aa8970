"""`check` of a folder of shards: each key stands where it is looked for."""

from __future__ import annotations

import json

import pytest

from seqtool.arrays.spool import Spool
from seqtool.checking.check import check
from seqtool.files import inputs
from tests.command import Place, succeeded


@pytest.fixture(params=["7", "u7"])
def shards(place: Place, request: pytest.FixtureRequest) -> Place:
    letter = request.param[:-1]
    rows = "".join(f"{letter}{i % 30},{i}\n" for i in range(90))
    place.write("rows.csv", f"key,a\n{rows}")
    succeeded(place.run("group", "rows.csv", "--key", "key", "--shards", "3", "-o", "out/"))
    return place


def verdicts(place: Place) -> dict[str, str]:
    with inputs.opened([str(place.folder / "out")]) as (source,), Spool() as spool:
        return {finding.name: finding.verdict for finding in check(source, spool=spool)}


def test_keys_stand_in_the_shard_of_their_hash(shards: Place) -> None:
    assert verdicts(shards)["shards"] == "ok"
    assert {*verdicts(shards).values()} == {"ok"}


def test_a_key_in_another_shard_fails(shards: Place) -> None:
    path = shards.folder / "out/manifest.json"
    manifest = json.loads(path.read_text())
    first, second = manifest["files"][:2]
    first["shard"], second["shard"] = second["shard"], first["shard"]
    path.write_text(json.dumps(manifest))
    assert verdicts(shards)["shards"] == "fails"


def test_a_damaged_shard_fails(shards: Place) -> None:
    (path, *_) = sorted((shards.folder / "out").glob("shard-*"))
    data = bytearray(path.read_bytes())
    data[200] ^= 1
    path.write_bytes(data)
    assert verdicts(shards) == {"file": "fails"}
