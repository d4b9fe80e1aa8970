"""What `check` says of the means that were filled in, and of the order of encoded names."""

from __future__ import annotations

import json
from typing import Any

import numpy as np
import pandas as pd
import pytest

import seqtool as sq
from seqtool.sequences.ragged import Ragged
from tests.command import Place

SPLIT = np.array(["train", "test", "train", "val"] * 10)


def found(place: Place, data: Any, name: str) -> dict[str, Any]:
    sq.save(place.folder / "a.npz", data)
    findings = json.loads(place.run("check", "a.npz", "--json").out)["findings"]
    return next((one for one in findings if one["name"] == name), {})


def table(dtype: str = "float32") -> Ragged:
    random = np.random.default_rng(5)
    rows = pd.DataFrame({"k": np.repeat(np.arange(40), 5), "city": random.choice(list("aabbbccd"), 200)})
    for name, scale in {"x": 1.0, "y": 1e4}.items():
        rows[name] = random.normal(size=200) * scale + 10 * scale
        rows.loc[random.random(200) < 0.2, name] = np.nan
    with pytest.warns(UserWarning, match="missing"):
        data = sq.group(rows, key="k", category="city", ragged=True, dtype=dtype)
    assert isinstance(data, Ragged)
    return data.replace(per_sequence={"split": SPLIT})


def with_split(data: Ragged, split: Any) -> Ragged:
    return data.replace(per_sequence={**data.per_sequence, "split": split})


FILLS: list[dict[str, Any]] = [
    {"method": "mean"},
    {"method": "median"},
    {"method": ["forward", "mean"], "indicator": True},
    {"method": ["forward", "median"], "indicator": True, "features": ["y"]},
]


@pytest.mark.thinned
@pytest.mark.parametrize("call", FILLS)
@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("scale", [False, True])
def test_means_are_computed_again(place: Place, call: dict[str, Any], dtype: str, scale: bool) -> None:
    filled = sq.fill(table(dtype), **call)
    done = sq.scale(filled) if scale else filled
    finding = found(place, sq.pad(done, padding="post"), "fill")
    assert finding["verdict"] == "ok", finding
    assert "computed again from the steps of train" in finding["message"]
    if not scale:  # else the scaling would be of others as well
        assert found(place, with_split(done, SPLIT[::-1]), "fill")["verdict"] == "fails"
    entry = dict(filled.receipt[-1])
    numbers = [n * 1.01 if isinstance(n, float) else n for n in entry["state"]["numbers"]]
    changed = {**entry, "state": {**entry["state"], "numbers": numbers}}
    receipt = [changed if one.get("command") == "fill" else one for one in done.receipt]
    finding = found(place, done.replace(receipt=tuple(receipt)), "fill")
    assert finding["verdict"] == "fails"
    assert "are not those of" in finding["message"]


def test_what_cannot_be_computed_again_is_not(place: Place) -> None:
    data = table()
    assert found(place, sq.fill(data, method=["forward", "mean"]), "fill") == {}
    assert found(place, sq.fill(data, method="zero"), "fill") == {}
    assert found(place, sq.truncate(sq.fill(data, method="mean"), maxlen=2), "fill") == {}
    with pytest.warns(UserWarning, match="still missing"):
        forward = sq.fill(data, method="forward", indicator=True)
    twice = sq.fill(forward, method="mean", indicator=True)  # observed tells nothing of what the mean is of
    assert found(place, twice, "fill")["verdict"] == "ok"
    assert found(place, sq.truncate(sq.encode(data), maxlen=2), "encode") == {}
    assert found(place, sq.encode(sq.encode(data), decode=True), "encode") == {}
    only = with_split(sq.encode(data), np.array(["test"] * 40))
    assert "no training sequences here" in found(place, only, "encode")["message"]


@pytest.mark.parametrize(
    "call", [{}, {"min_count": 20}, {"max_tokens": 5}, {"oov_buckets": 2, "min_count": 20}], ids=str
)
def test_the_order_of_names_is_computed_again(place: Place, call: dict[str, Any]) -> None:
    done = sq.encode(table(), **call)
    finding = found(place, sq.pad(sq.fill(done, method="mean")), "encode")
    assert finding["verdict"] == "ok", finding
    assert finding["message"] == "by count, computed again from the names of train: city"
    names = np.asarray(done.names["vocabulary_0"]).copy()
    names[[0, 1]] = names[[1, 0]]
    ids = done.per_step["c"].data.copy()
    swapped = np.where(ids == 3, 4, np.where(ids == 4, 3, ids))
    per_step = {"c": type(done.per_step["c"])(swapped, 0)}
    finding = found(
        place, done.replace(names={**done.names, "vocabulary_0": names}, per_step=per_step), "encode"
    )
    assert finding["verdict"] == "fails"
    assert "stands before" in finding["message"]


def test_rare_names_and_splits_behind_are_told(place: Place) -> None:
    done = sq.encode(table(), min_count=2)
    none = with_split(done, np.array(["train"] + ["test"] * 39))
    assert found(place, none, "encode")["verdict"] == "fails"
    with pytest.warns(UserWarning, match="split first, then fit"):
        behind = sq.split(sq.encode(table().replace(per_sequence={})), test=0.2)
    finding = found(place, behind, "encode")
    assert finding["verdict"] == "warning"
    assert "split first, then encode" in finding["message"]


def test_more_names_than_were_asked_for_are_told(place: Place) -> None:
    done = sq.encode(table(), max_tokens=5)
    entry = dict(done.receipt[-1])
    fewer = {**entry, "arguments": {**entry["arguments"], "max_tokens": 4}}
    finding = found(place, done.replace(receipt=(*done.receipt[:-1], fewer)), "encode")
    assert finding["verdict"] == "fails"
    assert finding["message"] == "city: an Embedding of 5 rows, and 4 at most were asked for"
