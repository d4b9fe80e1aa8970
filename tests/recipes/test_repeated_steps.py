"""Recipes of rows that are folded into steps, with several labels: the same table gives the same arrays again."""

from __future__ import annotations

import numpy as np
import pytest

import seqtool as sq
from seqtool.errors import DataError
from tests.command import Place, succeeded

OLD = """k,t,x,z,l,m,item
a,0,1,,u,7,p
a,0.5,2,4,u,7,q
a,2.5,,5,u,7,p
b,0,1,2,v,8,q
"""
NEW = "k,t,x,z,l,m,item\nc,0,,1,v,8,q\nc,3.5,2,,v,8,p\n"
STEPS = {
    "count": ("--every", "1", "--agg", "count"),
    "sum": ("--every", "1", "--agg", "sum"),
    "mean": ("--every", "1"),
    "last": ("--every", "1", "--agg", "last", "--category", "item"),
    "items": ("--pivot", "item=x", "--pivot-agg", "count"),
    "items in a grid": ("--pivot", "item=x", "--pivot-agg", "count", "--every", "2"),
}


@pytest.mark.thinned
@pytest.mark.parametrize("how", STEPS)
@pytest.mark.parametrize("labels", ["l,m", "l"])
def test_folded_steps_are_made_again(place: Place, how: str, labels: str) -> None:
    place.write("old.csv", OLD)
    place.write("new.csv", NEW)
    more = [] if "--pivot" in STEPS[how] else ["--columns", "x,z"]
    call = ("group", "old.csv", "--key", "k", "--order-by", "t", *STEPS[how], "--label", labels, *more)
    succeeded(place.run(*call, "-o", "old.npz"))
    succeeded(place.run("apply", "old.npz", "old.csv", "-o", "again.npz"))
    old, again = place.arrays("old.npz"), place.arrays("again.npz")
    for name in {*old} - {"meta"}:
        assert np.array_equal(old[name], again[name], equal_nan=old[name].dtype.kind == "f"), name
        assert old[name].dtype == again[name].dtype
    succeeded(place.run("apply", "old.npz", "new.csv", "-o", "new.npz"))
    new = place.arrays("new.npz")
    assert new["x"].dtype == old["x"].dtype
    assert new["y"].tolist() == ([[1, 8]] if labels == "l,m" else [1])
    if how == "count":  # of cells that are missing in rows, and none in steps
        assert new["x"].tolist() == [[[0, 0], [0, 0], [1, 0]]]


def test_whole_numbers_of_steps_may_be_asked_for_where_rows_lack_some(place: Place) -> None:
    place.write("old.csv", OLD)
    call = ("group", "old.csv", "--key", "k", "--order-by", "t", "--columns", "x,z", "--dtype", "int64")
    succeeded(place.run(*call, "--every", "10", "--agg", "sum", "-o", "s.npz"))
    assert np.asarray(sq.load(place.folder / "s.npz").x).tolist() == [[[3, 9]], [[1, 2]]]
    done = place.run(*call, "--every", "1", "-o", "t.npz")
    assert (done.code, "cells have no value, which is NaN, and int64 holds none" in done.err) == (1, True)
    frame = sq.to_frame(sq.load(place.folder / "s.npz"))
    with pytest.raises(DataError, match="whose fraction int64 would lose"):
        sq.group(
            frame.assign(x=[1.5, 2]),
            key="k",
            order_by="step",
            every=1,
            agg="sum",
            dtype="int64",
            columns=["x"],
        )
