"""What is believed of a description."""

from __future__ import annotations

import json

import pytest

from seqtool.errors import DataError
from seqtool.files.meta import parse_meta

ROWS = {"in": 4, "kept": 3, "cut": 1, "dropped": {"empty key": 0}}


@pytest.mark.parametrize(
    "entry",
    [
        {},
        {"command": "group", "inputs": ["a.csv"], "arguments": {"value": ["nan", 0]}, "rows": ROWS},
        {"command": "window", "rows": {**ROWS, "added": {"windows": 2}}},
        {"rows": {"in": 3, "kept": 3, "cut": 0}},
    ],
)
def test_entries_as_versions_of_seqtool_write_them(entry: dict[str, object]) -> None:
    meta = {"format": "seqtool", "version": 1, "receipt": [entry]}
    assert parse_meta(json.dumps(meta), "t.npz") == meta


def test_a_newer_version_is_refused_by_that_reason() -> None:
    with pytest.raises(DataError, match=r"^t\.npz: format version 3, .* update seqtool$"):
        parse_meta('{"version": 3}', "t.npz")


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ('{"version": 1}', "the receipt is missing"),
        ('{"version": 1, "receipt": [{}, {"rows": {}}]}', r"receipt\[1\] is not an entry"),
        ('{"version": true, "receipt": []}', "not the JSON object"),
        ('{"version": 1, "receipt": [], "value": NaN}', "not the JSON object"),
        ('{"version": 1, "receipt": [], "value": 1e999}', "not the JSON object"),
        ('{"version": 1, "receipt": [], "value": ' + "[" * 33 + "]" * 33 + "}", "not the JSON object"),
    ],
)
def test_what_is_not_what_seqtool_writes(text: str, says: str) -> None:
    with pytest.raises(DataError, match=rf"^t\.npz\[meta\]: damaged: {says}"):
        parse_meta(text, "t.npz")
