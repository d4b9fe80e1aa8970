"""What `check` says of the numbers that sequences were scaled by."""

from __future__ import annotations

import json
from typing import Any

import numpy as np
import pytest

import seqtool as sq
from seqtool.sequences.ragged import Ragged
from seqtool.sequences.validation import offsets_of
from tests.command import Place

LENGTHS = np.random.default_rng(0).integers(0, 9, 60)


def table(dtype: str = "float32") -> Ragged:
    random = np.random.default_rng(1)
    values = random.normal(size=(int(LENGTHS.sum()), 4)) * [1, 1e4, 1e-3, 0] + [0, 1e5, 1, 4]
    values[random.random(values.shape) < 0.05] = np.nan
    return Ragged(
        values.astype(dtype),
        offsets_of(LENGTHS),
        features=("a", "b", "c", "same"),
        per_sequence={"split": np.array(["train", "test", "train"] * 20)},
    )


def finding(place: Place, data: Any) -> dict[str, Any] | None:
    sq.save(place.folder / "a.npz", data)
    found = json.loads(place.run("check", "a.npz", "--json").out)["findings"]
    return next((one for one in found if one["name"] == "scale"), None)


@pytest.mark.thinned
@pytest.mark.parametrize("method", ["standard", "minmax", "robust", "maxabs"])
@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_numbers_of_train_are_computed_again(place: Place, method: Any, dtype: str) -> None:
    done = sq.scale(table(dtype), method=method)
    for data in (done, sq.pad(done, padding="post")):
        found = finding(place, data)
        assert found is not None
        assert found["verdict"] == "ok"
        assert found["message"].startswith(
            f"by {method}, computed again from the steps of train: a, b, c, same"
        )
    polluted = done.replace(per_sequence={"split": np.array(["test", "train", "train"] * 20)})
    found = finding(place, polluted)
    assert found is not None
    assert (found["verdict"], found["count"] >= 2) == ("fails", True)
    assert "the numbers of train are not those of" in found["message"]


def test_what_cannot_be_computed_again_is_not(place: Place) -> None:
    done = sq.scale(table())
    assert finding(place, table()) is None
    assert finding(place, sq.scale(table(), per_sequence=True)) is None
    assert finding(place, sq.truncate(done, maxlen=2)) is None
    assert finding(place, sq.scale(done, inverse=True)) is None
    assert finding(place, sq.scale(table(), using=done)) is None
    test = finding(place, done.replace(per_sequence={"split": np.array(["test"] * 60)}))
    assert test is not None
    assert "no training sequences here" in test["message"]


def test_a_split_behind_scaling_is_a_leak(place: Place) -> None:
    whole = table().replace(per_sequence={})
    done = sq.scale(whole)
    found = finding(place, done)
    assert found is not None
    assert "from the steps of all sequences" in found["message"]
    rows = {"in": len(done.values), "kept": len(done.values), "cut": 0, "dropped": {}}
    entry = {"command": "split", "inputs": [], "arguments": {}, "rows": rows}
    found = finding(place, done.replace(receipt=(*done.receipt, entry)))
    assert found is not None
    assert found["verdict"] == "warning"
    assert "split first" in found["message"]
