"""Categories of rows that are folded into steps, of long tables and of regular grids: the last name counts."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

import seqtool as sq
from seqtool.grouping import folded_names, folding
from tests import oracles
from tests.command import Place, succeeded

WARDS = """user,t,ward,item,value
a,0,W1,hr,70
a,0.4,W2,bp,5
a,2.1,,hr,71
a,3.2,W2,hr,72
b,1,W3,bp,9
b,1,,hr,8
"""


def names_of(found: Any) -> list[str]:
    vocabulary = ["", "", "", *np.asarray(found.names["vocabulary_0"]).tolist()]
    ids = found.values if found.values.ndim == 1 else found.per_step["c"].data[:, 0]
    return [vocabulary[one] for one in np.asarray(ids)]


rows = st.lists(st.tuples(st.integers(0, 6), st.sampled_from(["", "a", "b", "c"])), min_size=1, max_size=20)


@given(rows, st.integers(1, 4))
@pytest.mark.filterwarnings("ignore")
def test_steps_have_the_last_name_of_plain_python(cells: list[tuple[int, str]], together: int) -> None:
    table = pd.DataFrame({"t": [t for t, _ in cells], "name": [n for _, n in cells], "item": "i", "x": 1.0})
    in_order = sorted(cells, key=lambda cell: cell[0])
    last = oracles.last_names(in_order)
    first, end = in_order[0][0], in_order[-1][0]
    with pytest.MonkeyPatch.context() as patch:
        for module in (folded_names, folding):
            patch.setattr(module, "_ROWS", together)
        call: Any = {"no_key": True, "order_by": "t", "category": "name", "ragged": True}
        grid = sq.group(table, every=1, columns="x", **call)
        assert names_of(grid) == [last.get(t, "") for t in range(first, end + 1)]
        alone = sq.group(table, every=1, columns="name", **call)
        assert names_of(alone) == names_of(grid)
        long = sq.group(table, pivot={"item": "x"}, **call)
        assert names_of(long) == [last[t] for t in sorted(last)]
        both = sq.group(table, pivot={"item": "x"}, every=2, **call)
    by_two = oracles.last_names([(t // 2, name) for t, name in in_order])
    assert names_of(both) == [by_two.get(t, "") for t in range(first // 2, end // 2 + 1)]


def test_what_is_told_and_repeated(place: Place) -> None:
    place.write("w.csv", WARDS)
    call = (
        "group",
        "w.csv",
        "--key",
        "user",
        "--order-by",
        "t",
        "--pivot",
        "item=value",
        "--category",
        "ward",
    )
    told = succeeded(place.run(*call, "--every", "1", "-o", "w.npz")).err
    assert "1 step holds several names of 'ward': the last of each counts" in told
    assert "2 steps without ward: id 1" in told
    rows = succeeded(place.run("unpad", "w.npz", "-o", "-")).out.decode().splitlines()
    assert [row.split(",")[3] for row in rows] == ["ward", "W2", "", "", "W2", "W3"]
    succeeded(place.run("check", "w.npz"))
    place.write("new.csv", "user,t,ward,item,value\nc,0,W3,hr,1\nc,1,W9,bp,2\n")
    succeeded(place.run("apply", "w.npz", "new.csv", "-o", "n.npz"))
    assert place.arrays("n.npz")["c"][0, :2, 0].tolist() == [5, 2]
