"""`group --keep-order`: the values of the order columns are stored, exactly, with their unit."""

from __future__ import annotations

from datetime import date, time, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest

import seqtool as st
from seqtool.arrays.spool import Spool
from seqtool.errors import DataError, UsageError
from seqtool.grouping.gaps import Gap
from seqtool.grouping.group import group_table
from seqtool.grouping.spec import GroupSpec
from seqtool.grouping.workspace import Workspace
from seqtool.sequences.orders import order_columns
from seqtool.sequences.ragged import Padded, Ragged
from seqtool.system.memory import Memory
from seqtool.tables.in_memory import table_of
from tests.command import Place, succeeded
from tests.cutting import MEMORIES


def kept(data: Padded | Ragged) -> list[Any]:
    return np.asarray(data.per_step["order"].data).tolist()


def of_frame(times: Any, **options: Any) -> Ragged:
    frame = pd.DataFrame({"k": [2, 1, 1], "t": times, "a": [1.0, 2, 3]})
    found = st.group(frame, key="k", order_by="t", keep_order=True, ragged=True, **options)
    assert isinstance(found, Ragged)
    return found


@pytest.mark.parametrize(
    ("times", "unit", "expected"),
    [
        ([5, 7, 6], "", [6, 7, 5]),
        ([5, 1.5, 0.5], "", [0.5, 1.5, 5]),
        (
            ["2024-01-01", "1970-01-02", "1970-01-01T00:00:01"],
            "us since 1970-01-01",
            [10**6, 86400 * 10**6, 1704067200 * 10**6],
        ),
        (
            ["1970-01-01T00:00:00Z", "1970-01-01T02:00:00+01:00", "1970-01-01T00:00:01Z"],
            "us since 1970-01-01 UTC",
            [10**6, 3600 * 10**6, 0],
        ),
        (
            ["1970-01-01T00:00:00.000000007", "1970-01-01T00:00:01", "1970-01-01"],
            "ns since 1970-01-01",
            [0, 10**9, 7],
        ),
        ([date(1970, 1, 2), date(1970, 1, 4), date(1970, 1, 3)], "us since 1970-01-01", None),
        (
            [time(1), time(3), time(2, 0, 0, 5)],
            "us since midnight",
            [7200 * 10**6 + 5, 10800 * 10**6, 3600 * 10**6],
        ),
        (
            [timedelta(1), timedelta(-3), timedelta(-4)],
            "us",
            [-4 * 86400 * 10**6, -3 * 86400 * 10**6, 86400 * 10**6],
        ),
    ],
)
def test_values_of_each_kind(times: list[Any], unit: str, expected: list[Any] | None) -> None:
    found = of_frame(times)
    (column,) = order_columns(found, "--at")
    assert (column.name, column.unit) == ("t", unit)
    days = 86400 * 10**6
    assert kept(found) == ([2 * days, 3 * days, days] if expected is None else expected)
    assert column.values.dtype == (np.float64 if 0.5 in times else np.int64)
    assert found.receipt[-1]["arguments"]["keep_order"] is True


def test_steps_that_descend_keep_their_values() -> None:
    frame = pd.DataFrame({"k": [1, 1, 1], "t": [5, 7, 6], "a": [1, 2, 3]})
    assert kept(st.group(frame, key="k", order_by="t:desc", keep_order=True)) == [[7, 6, 5]]


def test_a_format_and_several_columns() -> None:
    frame = pd.DataFrame({"k": [1, 1], "d": ["02.01.1970", "01.01.1970"], "n": [4, 3], "a": [1, 2]})
    found = st.group(frame, key="k", order_by=["d:%d.%m.%Y", "n"], keep_order=True)
    assert kept(found) == [[[0, 3], [86400 * 10**6, 4]]]
    assert found.names["order_columns"].tolist() == ["d", "n"]
    assert found.names["order_units"].tolist() == ["us since 1970-01-01", ""]
    assert found.per_step["order"].data.dtype == np.int64


def test_fractions_make_all_columns_float64_where_it_holds_them() -> None:
    frame = pd.DataFrame({"k": [1, 1], "t": [2**53 + 1, 5], "x": [0.5, 1.5], "a": [1, 2]})
    with pytest.raises(DataError, match=r"order column 't': .*9007199254740993.*leave keep_order"):
        st.group(frame, key="k", order_by=["t", "x"], keep_order=True)
    assert kept(st.group(frame.assign(t=[7, 5]), key="k", order_by=["t", "x"], keep_order=True)) == [
        [[5, 1.5], [7, 0.5]]
    ]


def test_what_cannot_be_stored_is_refused() -> None:
    frame = pd.DataFrame({"k": [1, 1], "t": ["b", "a"], "a": [1, 2]})
    with pytest.raises(UsageError, match=r"keep_order=True takes numbers and times, and .*sorts as text"):
        st.group(frame, key="k", order_by="t:text", keep_order=True)
    with pytest.raises(UsageError, match=r'keep_order=True is for order columns.*: order_by="COLUMN"'):
        st.group(frame.drop(columns="t"), key="k", keep_order=True)
    frame["t"] = pd.Categorical(frame["t"], ["b", "a"], ordered=True)
    with pytest.raises(DataError, match="order column 't' holds categories, and keep_order=True takes"):
        st.group(frame, key="k", order_by="t", keep_order=True)
    frame["t"] = ["1970-01-01T00:00:00.000000001", "3000-01-01"]
    with pytest.raises(DataError, match="holds nanoseconds, and times so far from 1970"):
        st.group(frame, key="k", order_by="t", keep_order=True)


@pytest.mark.thinned
@MEMORIES
@pytest.mark.parametrize("gap", [None, 50])
@pytest.mark.parametrize("kind", ["integers", "times", "decimals"])
def test_however_much_memory_there_is(kind: str, gap: int | None, memory: Memory) -> None:
    rng = np.random.default_rng(5)
    rows = 250
    numbers = rng.integers(0, 10**6, rows)
    ticks = pa.array(numbers, pa.timestamp("ns"))
    cells = {"integers": numbers, "times": ticks, "decimals": numbers / 8}[kind]
    table = table_of(pa.table({"k": rng.integers(0, 9, rows), "t": cells, "a": numbers}))
    size = None if gap is None else Gap.of(f"{gap}us" if kind == "times" else gap)
    spec = GroupSpec(key=["k"], order_by=["t"], keep_order=True, gap=size)
    with Spool() as spool:
        found = group_table(table, spec.roles(table), spec, Workspace(spool, memory)).ragged.in_memory()
    order, values = found.per_step["order"].data, found.values[:, 0]
    assert order.dtype == (np.float64 if kind == "decimals" else np.int64)
    np.testing.assert_array_equal(order, values / 8 if kind == "decimals" else values)
    assert (gap is None) == (found.keys.ndim == 1)


def test_a_long_table_has_the_order_of_its_steps() -> None:
    frame = pd.DataFrame({"k": [1, 1, 1], "t": [9, 8, 9], "i": ["a", "a", "b"], "v": [1, 2, 3]})
    with pytest.warns(UserWarning, match="missing values became NaN"):
        found = st.group(frame, key="k", order_by="t", pivot={"i": "v"}, keep_order=True)
    assert kept(found) == [[8, 9]]


@pytest.fixture
def place(tmp_path: Path) -> Place:
    return Place(tmp_path)


def test_the_command(place: Place) -> None:
    place.write("t.csv", "id,t,a\n1,2024-01-01T00:00:02,2\n1,2024-01-01,3\n2,2024-01-02,4\n")
    call = ("group", "t.csv", "--key", "id", "--order-by", "t", "--keep-order")
    done = succeeded(place.run(*call, "-o", "o.npz"))
    assert "order     t in us since 1970-01-01" in done.err
    out = place.arrays("o.npz")
    first = 1704067200 * 10**6
    assert out["order"].tolist() == [[first, first + 2 * 10**6], [first + 86400 * 10**6, 0]]
    assert out["order"].astype("datetime64[us]")[0, 0] == np.datetime64("2024-01-01")
    assert "t in us since 1970-01-01" in succeeded(place.run("info", "o.npz")).out.decode()
    succeeded(place.run("check", "o.npz"))
    succeeded(place.run("pad", "o.npz", "--maxlen", "1", "-o", "p.npz"))
    assert place.arrays("p.npz")["order"].tolist() == [[first + 2 * 10**6], [first + 86400 * 10**6]]
    succeeded(place.run(*call, "--ragged", "-o", "r.npz"))
    succeeded(place.run("check", "r.npz"))
    assert place.arrays("r.npz")["order"].shape == (3,)
    assert "--keep-order" in succeeded(place.run("plan", *call[1:])).out.decode()


def test_keys_and_orders_may_have_other_numbers_of_columns(place: Place) -> None:
    place.write("t.csv", "p,q,t,u,v,a\n1,1,1,2,3,4\n1,1,2,2,3,5\n")
    call = ("group", "t.csv", "--key", "p,q", "--order-by", "t,u,v", "--keep-order", "-o", "o.npz")
    succeeded(place.run(*call))
    assert place.arrays("o.npz")["order"].shape == (1, 2, 3)
    succeeded(place.run("check", "o.npz"))
