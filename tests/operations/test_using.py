"""`--using`: arguments that are not given are those of the file, and given ones must be the same."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import seqtool as sq
from seqtool.errors import DataError, UsageError
from seqtool.sequences.ragged import StepArray
from tests.command import Place, succeeded

NAN = np.nan
ROWS = [[[1.0, 5.0], [2.0, NAN]], [[NAN, 7.0]]]


def names(cells: list[str]) -> Any:
    return sq.pad([cells], category="city")


CALLS: list[tuple[str, Any, dict[str, Any], dict[str, Any]]] = [
    ("scale", ROWS, {"method": "robust", "features": ["1"]}, {"method": "minmax"}),
    ("scale", ROWS, {}, {"method": "minmax"}),
    ("fill", ROWS, {"method": ["forward", "mean"], "limit": 2, "indicator": True}, {"limit": 3}),
    ("encode", names(["a", "b", "a"]), {"min_count": 2, "max_tokens": 9}, {"min_count": 1}),
]


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize(
    ("name", "data", "given", "other"), CALLS, ids=[f"{call[0]}{len(call[2])}" for call in CALLS]
)
def test_arguments_are_those_of_before(
    name: str, data: Any, given: dict[str, Any], other: dict[str, Any]
) -> None:
    call = getattr(sq, name)
    before = call(data, **given)
    again = call(data, using=before)
    assert dict(again.receipt[-1]["arguments"], using=None) == dict(
        before.receipt[-1]["arguments"], using=None
    )
    assert again.receipt[-1]["state"] == before.receipt[-1]["state"]
    values = [np.asarray(one.x if hasattr(one, "x") else one.values) for one in (before, again)]
    assert np.array_equal(*values, equal_nan=name != "encode")
    for argument, value in given.items():
        call(data, using=before, **{argument: value})
    with pytest.raises(
        UsageError, match=f"{name} was applied there with .*, and this call says {next(iter(other))}"
    ):
        call(data, using=before, **other)


def test_an_argument_that_the_file_has_not_is_another() -> None:
    before = sq.fill(ROWS, method="mean")
    with pytest.raises(
        UsageError, match="fill was applied there without indicator, and this call says indicator"
    ):
        sq.fill(ROWS, using=before, indicator=True)
    with pytest.raises(UsageError, match="learns nothing"):
        sq.fill(ROWS, using=before, method="forward")
    with pytest.raises(TypeError, match="method"):
        sq.fill(ROWS)


def test_the_last_that_agrees_is_taken(place: Place) -> None:
    np.save(place.folder / "x.npy", np.arange(12.0).reshape(2, 3, 2))
    succeeded(place.run("scale", "x.npy", "--method", "minmax", "-o", "a.npz"))
    succeeded(place.run("scale", "a.npz", "--method", "robust", "-o", "b.npz"))
    succeeded(place.run("scale", "x.npy", "--using", "b.npz", "-o", "robust.npz"))
    assert sq.load(place.folder / "robust.npz").receipt[-1]["arguments"]["method"] == "robust"
    succeeded(place.run("scale", "x.npy", "--using", "b.npz", "--method", "minmax", "-o", "minmax.npz"))
    assert place.arrays("minmax.npz")["x"].tolist() == place.arrays("a.npz")["x"].tolist()
    done = place.run("scale", "x.npy", "--using", "b.npz", "--method", "standard", "-o", "c.npz")
    assert done.code == 2
    assert "scale was applied there with --method robust, and this call says --method standard" in done.err
    assert not (place.folder / "c.npz").exists()
    done = place.run("fill", "x.npy")
    assert (done.code, "Missing option '--method'" in done.err) == (2, True)


ORDERS: list[tuple[str, dict[str, Any]]] = [
    ("scale", {"log1p": ["b"]}),
    ("fill", {"method": "mean"}),
    ("fill", {"method": "median", "features": ["c"]}),
]


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize(("name", "given"), ORDERS)
def test_features_may_stand_in_another_order(name: str, given: dict[str, Any]) -> None:
    cells, order = np.array([[1.0, 7, 4], [3, 2, NAN], [8, 1, 6]]), [2, 0, 1]
    data = sq.Ragged(cells, np.array([0, 3]), features=("a", "b", "c"))
    moved = data.replace(values=cells[:, order], features=("c", "a", "b"), keys=None)
    before = getattr(sq, name)(data, **given)
    after = getattr(sq, name)(moved, using=before)
    np.testing.assert_array_equal(after.values, before.values[:, order])
    assert after.receipt[-1]["state"]["features"] == ["c", "a", "b"]
    again = sq.concat([before, after])  # by the same numbers, whatever their order
    np.testing.assert_array_equal(again.values, np.concatenate([before.values] * 2))
    if name == "scale":
        np.testing.assert_allclose(sq.scale(after, inverse=True).values, moved.values)
        np.testing.assert_allclose(sq.scale(again, inverse=True).values, np.concatenate([cells] * 2))


def test_categories_may_stand_in_another_order() -> None:
    def of(order: list[str]) -> Any:
        columns = {"city": [3, 4, 4], "device": [3, 3, 1]}
        names = {"city": ["b", "a"], "device": ["x"]}
        tables = {f"vocabulary_{i}": np.array(names[name]) for i, name in enumerate(order)}
        c = np.stack([np.array(columns[name]) for name in order], axis=1)
        return sq.Ragged(
            np.zeros((3, 0)),
            np.array([0, 3]),
            per_step={"c": StepArray(c, 0)},
            names={"categories": np.array(order), **tables},
        )

    before = sq.encode(of(["city", "device"]))
    after = sq.encode(of(["device", "city"]), using=before)
    assert after.per_step["c"].data[:, ::-1].tolist() == before.per_step["c"].data.tolist()
    assert after.names["vocabulary_1"].tolist() == ["a", "b"]
    both = sq.concat([before, after])
    assert both.per_step["c"].data.tolist() == before.per_step["c"].data.tolist() * 2


def test_other_features_are_refused() -> None:
    before = sq.scale(sq.Ragged(np.ones((2, 2)) * [[1], [2]], np.array([0, 2]), features=("a", "b")))
    other = sq.Ragged(np.ones((1, 2)), np.array([0, 1]), features=("a", "d"))
    with pytest.raises(
        DataError, match="the features are a, d, but scale was fitted on a, b; the same were expected"
    ):
        sq.scale(other, using=before)
