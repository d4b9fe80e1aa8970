"""What `check` says of ids of categories."""

from __future__ import annotations

import json
from typing import Any

import numpy as np
import pytest

import seqtool as sq
from seqtool.sequences.ragged import Ragged, StepArray
from tests.command import Place

NAMES = {
    "categories": np.array(["city", "kind"]),
    "vocabulary_0": np.array(["Oslo", "Rome"]),
    "vocabulary_1": np.array(["a"]),
}


def finding(place: Place, data: Any, name: str) -> tuple[str, int, str | None]:
    sq.save(place.folder / "a.npz", data)
    found = json.loads(place.run("check", "a.npz", "--json").out)["findings"]
    (one,) = [finding for finding in found if finding["name"] == name]
    return one["verdict"], one["count"], one["place"]


@pytest.mark.parametrize("padded", [False, True])
def test_ids_beside_features(place: Place, padded: bool) -> None:
    def made(*rows: tuple[int, int]) -> Any:
        c = {"c": StepArray(np.array(rows), 0)}
        data = Ragged(np.ones((3, 1)), np.array([0, 1, 3]), per_step=c, names=NAMES)
        return sq.pad(data, padding="post") if padded else data

    def at(row: int, i: int, t: int, column: int) -> str:
        return f"c[{i}, {t}, {column}]" if padded else f"c[{row}, {column}] (sequence {i}, step {t})"

    assert finding(place, made((4, 3), (1, 2), (3, 3)), "category city") == ("ok", 0, None)
    assert finding(place, made((4, 3), (1, 2), (5, 3)), "category city") == ("fails", 1, at(2, 1, 1, 0))
    assert finding(place, made((4, 3), (1, 4), (5, 4)), "category kind") == ("fails", 2, at(1, 1, 0, 1))
    assert finding(place, made((4, 0), (1, 2), (3, 3)), "category kind") == ("warning", 1, at(0, 0, 0, 1))


def test_ids_that_are_steps(place: Place) -> None:
    names = {"categories": NAMES["categories"][:1], "vocabulary_0": NAMES["vocabulary_0"]}
    data = Ragged(np.array([3, 4, -1]), np.array([0, 1, 3]), names=names)
    verdict, count, where = finding(place, data, "category city")
    assert (verdict, count, where) == ("fails", 1, "values[2] (sequence 1, step 1)")
