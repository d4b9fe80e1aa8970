"""`group --every`: the rows of each stretch of order values become one step of a regular grid."""

from __future__ import annotations

import json
from datetime import timedelta
from fractions import Fraction
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
from seqtool.grouping.options import GridAgg
from seqtool.grouping.spec import GroupSpec
from seqtool.grouping.workspace import Workspace
from seqtool.sequences.orders import first_order
from seqtool.sequences.ragged import Ragged
from seqtool.system.memory import Memory
from seqtool.tables.in_memory import table_of
from tests import oracles
from tests.command import Place, succeeded
from tests.cutting import MEMORIES, small_windows

NAN = float("nan")


def grouped(data: dict[str, Any], memory: Memory, **options: Any) -> Ragged:
    """A table through the kernel, in this memory."""
    table, spec = table_of(pa.table(data)), GroupSpec(**options)
    with Spool() as spool:
        result = group_table(table, spec.roles(table), spec, Workspace(spool, memory))
        result.rows.check()
        return result.ragged.in_memory()


@pytest.mark.thinned
@MEMORIES
@pytest.mark.parametrize("how", ["mean", "last", "sum", "count"])
@pytest.mark.parametrize("kind", ["integers", "decimals", "times"])
def test_against_plain_python(
    kind: str, how: GridAgg, memory: Memory, monkeypatch: pytest.MonkeyPatch
) -> None:
    small_windows(monkeypatch)
    rng = np.random.default_rng(11)
    rows = 120
    exact = rng.integers(-300, 300, rows)
    keys, holes = rng.integers(0, 4, rows), rng.random(rows) < 0.4
    times = {"integers": exact, "decimals": exact / 10, "times": pa.array(exact, pa.timestamp("s"))}
    numbers = rng.integers(0, 50, rows)
    cells = [None if hole else float(n) for hole, n in zip(holes, numbers, strict=True)]
    data = {"k": keys, "t": times[kind], "a": pa.array(cells, pa.float64()), "b": numbers}
    every = {"integers": 7, "decimals": "0.7", "times": "7s"}[kind]
    options = {"key": ["k"], "order_by": ["t"], "every": Gap.of(every), "agg": how, "keep_order": True}
    found = grouped(data, memory, **options)
    size, ticks = Fraction(7), {"integers": 7.0, "decimals": 0.7, "times": 7e6}[kind]
    order = np.asarray(first_order(found, "--at").values)
    for i, key in enumerate(np.asarray(found.keys).tolist()):
        at = np.flatnonzero(keys == key)
        at = at[np.argsort(exact[at], kind="stable")]
        begin, end = found.offsets[i : i + 2]
        for column, values in enumerate(([cells[row] for row in at], [float(n) for n in numbers[at]])):
            steps = [(Fraction(int(exact[row])), value) for row, value in zip(at, values, strict=True)]
            expected = oracles.on_grid(steps, size, how)
            want = np.array([NAN if value is None else value for _, value in expected], np.float32)
            np.testing.assert_array_equal(np.asarray(found.values[begin:end, column], np.float32), want)
            np.testing.assert_allclose(order[begin:end], [stretch * ticks for stretch, _ in expected])


def test_as_pandas_resamples() -> None:
    rng = np.random.default_rng(2)
    times = pd.to_datetime("2024-01-01") + pd.to_timedelta(rng.integers(0, 10**6, 400), "s")
    frame = pd.DataFrame({"k": rng.integers(0, 3, 400), "t": times, "a": rng.random(400)})
    with pytest.warns(UserWarning, match="missing values became NaN"):
        found = st.group(frame, key="k", order_by="t", every="6h", dtype="float64", ragged=True)
    for key, steps in zip(np.asarray(found.keys).tolist(), found, strict=True):
        expected = frame[frame.k == key].set_index("t")["a"].resample("6h").mean()
        np.testing.assert_allclose(steps[:, 0], expected.to_numpy())


def test_types_and_fractions() -> None:
    frame = pd.DataFrame({"k": 1, "t": [0, 1, 2, 3], "a": [1, 3, 5, 8]})
    options: dict[str, Any] = {"key": "k", "order_by": "t", "ragged": True}
    for how, dtype, values in (
        ("mean", "float32", [2, 6.5]),
        ("sum", "int64", [4, 13]),
        ("last", "int64", [3, 8]),
        ("count", "int64", [2, 2]),
    ):
        found = st.group(frame, every=2, agg=how, **options)  # type: ignore[arg-type]
        assert (found.values.dtype, np.asarray(found.values)[:, 0].tolist()) == (dtype, values)
    small = np.array([[0, 0, 5], [0, 1, 6], [0, 2, 7]], np.int16)
    kept = st.group(small, key=0, order_by=1, columns=[2], every=2, agg="last", ragged=True)
    assert (kept.values.dtype, np.asarray(kept.values).tolist()) == (np.int16, [[6], [7]])
    halves = st.group(frame, every=0.5, agg="count", keep_order=True, **options)
    assert np.asarray(halves.values)[:, 0].tolist() == [1, 0, 1, 0, 1, 0, 1]
    assert np.asarray(halves.per_step["order"].data).tolist() == [0, 0.5, 1, 1.5, 2, 2.5, 3]


def test_features_of_time_are_those_of_the_grid() -> None:
    frame = pd.DataFrame({"k": 1, "t": ["2024-01-01", "2024-01-01T03:30:00"], "a": [1.5, 2.5]})
    options: dict[str, Any] = {"delta": "t", "time_unit": "h", "since_observed": True, "position": True}
    with pytest.warns(UserWarning, match="missing values became NaN"):
        found = st.group(frame, key="k", order_by="t", every=timedelta(hours=1), **options)
    expected = [[1.5, 0, 0, 0], [NAN, 1, 1, 1], [NAN, 1, 2, 2], [2.5, 1, 3, 3]]
    np.testing.assert_array_equal(np.asarray(found.x)[0], expected)
    rows = found.receipt[-1]["rows"]
    assert (rows["in"], rows["kept"], rows["added"]) == (2, 4, {"steps without rows": 2})
    arguments = found.receipt[-1]["arguments"]
    assert (arguments["every"], arguments["agg"]) == ("3600000000000ns", "mean")


def test_nanoseconds() -> None:
    times = ["2024-01-01T00:00:00.000000001", "2024-01-01T00:00:00.000000005"]
    frame = pd.DataFrame({"k": 1, "t": times, "a": [1, 2]})
    found = st.group(frame, key="k", order_by="t", every="2ns", agg="count", keep_order=True)
    assert np.asarray(found.x)[0, :, 0].tolist() == [1, 0, 1]
    assert (np.diff(np.asarray(found.per_step["order"].data)[0]) == 2).all()


def test_a_long_table_on_a_grid() -> None:
    frame = pd.DataFrame({"k": 1, "t": [0, 1, 25], "i": ["hr", "hr", "bp"], "v": [60, 62, 80]})
    with pytest.warns(UserWarning, match="missing values became NaN"):
        found = st.group(
            frame, key="k", order_by="t", pivot={"i": "v"}, pivot_agg="mean", every=10, ragged=True
        )
    assert found.features == ("bp", "hr")
    np.testing.assert_array_equal(np.asarray(found.values), [[NAN, 61], [NAN, NAN], [80, NAN]])
    assert found.receipt[-1]["rows"]["dropped"] == {"combined into one step": 1}
    counted = st.group(
        frame, key="k", order_by="t", pivot={"i": "v"}, pivot_agg="count", every=10, ragged=True
    )
    assert np.asarray(counted.values).tolist() == [[0, 2], [0, 0], [1, 0]]


def test_pauses_cut_the_grid() -> None:
    frame = pd.DataFrame({"k": 1, "t": [0, 3, 100, 101], "a": [1.0, 2, 3, 5]})
    with pytest.warns(UserWarning, match="missing values became NaN"):
        found = st.group(frame, key="k", order_by="t", every=1, gap=10, label=None, ragged=True)
    assert [len(steps) for steps in found] == [4, 2]


def test_labels_and_statics_stay_with_their_sequences() -> None:
    frame = pd.DataFrame(
        {"k": [1, 1, 2], "t": [0, 2, 5], "a": [1.0, 2, 3], "y": ["u", "u", "v"], "s": [4, 4, 5]}
    )
    with pytest.warns(UserWarning, match="missing values became NaN"):
        found = st.group(frame, key="k", order_by="t", label="y", static="s", every=1, min_len=2)
    assert (found.per_sequence["y"].tolist(), found.per_sequence["static"].tolist()) == ([0], [[4]])
    assert found.receipt[-1]["rows"]["dropped"] == {"sequence under 2 steps": 1}


def test_what_cannot_be_is_refused() -> None:
    frame = pd.DataFrame({"k": 1, "t": [0, 10**9], "u": [1, 2], "a": [2**24 + 1, 2]})
    call: dict[str, Any] = {"key": "k", "order_by": "t", "drop": "u"}
    for options, told in (
        ({"every": 0}, "every is 0; more than 0 was expected"),
        ({"every": "soon"}, "every is 'soon'; a number of 0 or more"),
        (
            {"every": 1, "keep_row_index": True},
            "every does not go with keep_row_index=True: no step is one row",
        ),
        ({"every": 1, "drop": (), "step_label": "u"}, "every does not go with step_label"),
        ({"agg": "sum"}, 'agg is for every, which this call does not name: every="SIZE"'),
        ({"every": 1, "agg": "median"}, "agg is 'median'; mean, last, sum or count was expected"),
        ({"every": 1, "order_by": ["t", "u"], "drop": ()}, "one order column"),
        ({"every": 1, "order_by": "t:desc"}, r"descends: leave every out"),
    ):
        with pytest.raises(UsageError, match=told):
            st.group(frame, **{**call, **options})
    with pytest.raises(DataError, match=r'holds numbers, and every="1h" is a duration'):
        st.group(frame, every="1h", **call)
    with pytest.raises(
        DataError, match=r"feature 'a': .* and beside cells without a value numbers are float32"
    ):
        st.group(frame, every=10**8, agg="sum", **call)
    with pytest.raises(DataError, match="cells have no value, which is NaN, and int64 holds none"):
        st.group(frame, every=10**8, agg="last", dtype="int64", **call)
    with pytest.raises(DataError, match=r'every="1e-7" makes .* steps, and more, of 2 rows'):
        st.group(frame, every="1e-7", **call)
    frame["t"] = ["2024-01-01", "2024-01-02"]
    with pytest.raises(DataError, match='every="100ns" is no whole number of us'):
        st.group(frame, every="100ns", **call)


@pytest.fixture
def place(tmp_path: Path) -> Place:
    return Place(tmp_path)


@pytest.mark.thinned
@pytest.mark.parametrize("agg", ["mean", "last", "sum", "count"])
@pytest.mark.parametrize(
    "more", ["", "--delta t --time-unit m", "--pivot i=a", "--gap 2h", "--since-observed"]
)
def test_a_plan_counts_the_steps_of_the_grid(agg: str, more: str, place: Place) -> None:
    place.write("t.csv", "id,t,i,a\n1,2024-01-01T00:10,x,1\n1,2024-01-01T03:00,y,2\n2,2024-01-01,x,3\n")
    drop = [] if "--pivot" in more else ["--drop", "i", "--agg", agg]
    call = ("t.csv", "--key", "id", "--order-by", "t", "--every", "1h", *drop, *more.split())
    planned = json.loads(succeeded(place.run("plan", *call, "--json")).out)
    done = succeeded(place.run("group", *call, "--json", "-o", "o.npz"))
    arrays = place.arrays("o.npz")
    x, lengths = arrays["x"], arrays["lengths"]
    assert (planned["features"], planned["steps"]) == (x.shape[2], lengths.sum())
    assert (planned["lengths"]["max"], planned["dtype"]) == (lengths.max(), x.dtype)
    assert "steps of 1h" in json.loads(done.err)["grid"]
    succeeded(place.run("check", "o.npz"))


def test_the_command_and_python_give_the_same_bytes(place: Place) -> None:
    place.write("t.csv", "id,t,a\n1,2024-01-01T00:10,1\n1,2024-01-01T03:00,2\n2,2024-01-01,3\n")
    call = ("group", "t.csv", "--key", "id", "--order-by", "t", "--every", "1h", "--agg", "last")
    done = succeeded(place.run(*call, "-o", "o.npz"))
    assert "grid      3 rows into 5 steps of 1h; no row in 2 of them" in done.err
    with pytest.warns(UserWarning, match="missing values became NaN"):
        st.save(
            place.folder / "p.npz",
            st.group(place.folder / "t.csv", key="id", order_by="t", every="1h", agg="last"),
        )
    assert (place.folder / "p.npz").read_bytes() == (place.folder / "o.npz").read_bytes()
    assert "x (2, 4, 1) float32" in succeeded(place.run(*call, "--dry-run")).err


def test_borders_of_decimal_stretches() -> None:
    """0.3 begins a stretch of 0.1, although the double of 0.3 / 0.1 is below 3."""
    times = [round(0.1 * i, 1) for i in range(200)]
    frame = pd.DataFrame({"k": 1, "t": times, "a": [i % 7 for i in range(200)]})
    found = st.group(frame, key="k", order_by="t", every="0.1", agg="last", ragged=True)
    assert np.asarray(found.values)[:, 0].tolist() == frame["a"].tolist()


def test_cells_without_a_value_are_those_of_the_whole_grid(place: Place) -> None:
    place.write("m.csv", "k,t,item,value\n1,2026-01-01T00:00,a,5\n1,2026-01-01T03:00,b,7\n")
    options = ["--pivot", "item=value", "--every", "1h", "-o", "m.npz"]
    done = succeeded(place.run("group", "m.csv", "--key", "k", "--order-by", "t", *options))
    assert "6 of 8 cells without a value (75.0%)" in " ".join(done.err.split())
