"""Features that `group` computes of steps: times between them, their numbers, times since features were seen."""

from __future__ import annotations

import json
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as some

import seqtool as st
from seqtool.arrays.spool import Spool
from seqtool.errors import DataError, UsageError
from seqtool.grouping import step_times
from seqtool.grouping.gaps import Gap
from seqtool.grouping.group import group_table
from seqtool.grouping.spec import GroupSpec
from seqtool.grouping.step_times import SinceObserved, StepTimes
from seqtool.grouping.workspace import Workspace
from seqtool.sequences.ragged import Padded, Ragged
from seqtool.system.memory import Memory
from seqtool.tables.in_memory import table_of
from tests import oracles
from tests.command import Place, succeeded
from tests.cutting import MEMORIES, small_windows

NAN = float("nan")


def test_since_observed_is_what_gru_d_reads() -> None:
    frame = pd.DataFrame({"k": 1, "t": [0, 1, 3, 7], "a": [1.0, NAN, NAN, 4.0], "b": [1.0, 2, NAN, NAN]})
    with pytest.warns(UserWarning, match="missing values became NaN"):
        found = st.group(frame, key="k", order_by="t", since_observed=True, ragged=True)
    assert found.features == ("a", "b", "a_since", "b_since")
    assert np.asarray(found.values)[:, 2:].tolist() == [[0, 0], [1, 1], [3, 2], [7, 6]]


def grouped(data: dict[str, Any], memory: Memory, **options: Any) -> tuple[Ragged, list[str]]:
    """A table through the kernel, in this memory; and the names of all features."""
    table, spec = table_of(pa.table(data)), GroupSpec(**options)
    with Spool() as spool:
        result = group_table(table, spec.roles(table), spec, Workspace(spool, memory))
        return result.ragged.in_memory(), [*result.features, *result.computed]


@pytest.mark.thinned
@MEMORIES
@pytest.mark.parametrize("gap", [None, 40])
@pytest.mark.parametrize("kind", ["integers", "decimals", "times"])
def test_against_plain_python(
    kind: str, gap: int | None, memory: Memory, monkeypatch: pytest.MonkeyPatch
) -> None:
    """However the rows are cut, wherever blocks begin, and whatever a sequence is."""
    small_windows(monkeypatch)
    rng = np.random.default_rng(7)
    rows = 150
    exact = rng.integers(0, 900, rows)
    keys, holes = rng.integers(0, 5, rows), rng.random(rows) < 0.6
    cells = [None if hole else float(value) for hole, value in zip(holes, exact, strict=True)]
    times = {"integers": exact, "decimals": exact / 4, "times": pa.array(exact * 1000, pa.timestamp("ms"))}
    columns = {"k": keys, "t": times[kind], "a": pa.array(cells, pa.float64()), "row": np.arange(rows)}
    size = None if gap is None else Gap.of(f"{gap}s" if kind == "times" else gap)
    options: dict[str, Any] = {"delta": "t", "position": True, "since_observed": True, "gap": size}
    found, names = grouped(columns, memory, key=["k"], order_by=["t"], columns=["a", "row"], **options)
    assert names == ["a", "row", "t_delta", "position", "a_since", "row_since"]
    each = Fraction(1, 4) if kind == "decimals" else Fraction(1)
    for steps in found:
        own = steps[:, 1].astype(int)
        seen = [not hole for hole in holes[own].tolist()]
        expected = oracles.step_features([each * int(exact[row]) for row in own], [seen, [True] * len(own)])
        np.testing.assert_array_equal(steps[:, 2:], np.array(expected, np.float64))


@given(
    some.lists(
        some.lists(some.tuples(some.integers(-9, 9), some.booleans(), some.booleans()), min_size=1),
        min_size=1,
    ),
    some.integers(1, 5),
    some.data(),
)
def test_any_rows_are_read_alike(
    sequences: list[list[tuple[int, bool, bool]]], block: int, data: Any
) -> None:
    times = np.array([step[0] for steps in sequences for step in steps])
    values = np.array([[0.0 if seen else NAN for seen in step[1:]] for steps in sequences for step in steps])
    offsets = np.cumsum([0, *map(len, sequences)])
    with Spool() as spool:
        since = SinceObserved(values, offsets, StepTimes("t", times), spool)
        since._block = block
        whole = np.concatenate(list(since.first_pass()))
        begin = data.draw(some.integers(0, len(times)))
        end = data.draw(some.integers(begin, len(times)))
        np.testing.assert_array_equal(since.cells(begin, end), whole[begin:end])
    expected = [
        row[2:]
        for steps in sequences
        for row in oracles.step_features(
            [Fraction(step[0]) for step in steps], [[step[i] for step in steps] for i in (1, 2)]
        )
    ]
    assert whole.tolist() == expected


@pytest.mark.parametrize(
    ("unit", "expected", "dtype"),
    [
        (None, [0, 90, 0], "int64"),
        ("s", [0, 90, 0], "int64"),
        ("ms", [0, 90_000, 0], "int64"),
        ("ns", [0, 90 * 10**9, 0], "int64"),
        ("m", [0, 1.5, 0], "float32"),
        ("h", [0, 0.025, 0], "float32"),
        ("d", [0, 90 / 86400, 0], "float32"),
    ],
)
def test_units(unit: Any, expected: list[float], dtype: str) -> None:
    frame = pd.DataFrame(
        {"k": [1, 1, 2], "t": ["2024-01-01T00:01:30", "2024-01-01", "2024-01-02"], "a": [5, 6, 8]}
    )
    found = st.group(frame, key="k", order_by="t", delta="t", time_unit=unit, ragged=True)
    assert found.values.dtype == dtype
    np.testing.assert_allclose(np.asarray(found.values)[:, 1], expected, rtol=1e-6)
    assert found.receipt[-1]["arguments"]["time_unit"] == (unit or "s")
    assert found.receipt[-1]["arguments"]["features"] == ["a"]


def test_differences_of_numbers_have_no_unit() -> None:
    frame = pd.DataFrame({"k": [1, 1, 1], "t": [0.5, 2.0, 0.25], "a": [1, 2, 3]})
    found = st.group(frame, key="k", order_by="t", delta="t", position=True)
    assert np.asarray(found.x)[0].tolist() == [[3, 0, 0], [1, 0.25, 1], [2, 1.5, 2]]
    assert "time_unit" not in found.receipt[-1]["arguments"]


def test_descending_steps_have_times_below_0_and_no_warning() -> None:
    frame = pd.DataFrame({"k": [1, 1], "t": [3, 5], "a": [1, 2]})
    assert np.asarray(st.group(frame, key="k", order_by="t:desc", delta="t").x)[0].tolist() == [
        [2, 0],
        [1, -2],
    ]


def test_steps_back_in_time_are_counted() -> None:
    frame = pd.DataFrame({"k": 1, "day": [1, 1, 2, 2], "t": [8, 9, 7, 8], "a": [1, 2, 3, 4]})
    with pytest.warns(UserWarning, match="t goes back in 1 step, where t_delta is below 0"):
        found = st.group(frame, key="k", order_by=["day", "t"], delta="t")
    assert np.asarray(found.x)[0, :, 1].tolist() == [0, 1, -2, 1]


def test_the_number_of_a_step_alone_needs_no_order() -> None:
    rows = np.array([[1, 5], [2, 6], [1, 7]], np.int16)
    found = st.group(rows, key=0, columns=[1], position=True, ragged=True)
    assert (found.features, found.values.dtype) == (("1", "position"), np.int16)
    assert np.asarray(found.values).tolist() == [[5, 0], [7, 1], [6, 0]]


def test_narrow_whole_numbers_widen() -> None:
    rows = np.zeros((300, 2), np.uint8)
    rows[0, 1] = 1
    found = st.group(rows, key=0, columns=[1], position=True, ragged=True)
    assert (found.values.dtype, found.values[299].tolist()) == (np.int64, [0, 299])


def test_a_long_table_has_them_for_its_items() -> None:
    frame = pd.DataFrame({"k": 1, "t": [0, 1, 1, 5], "i": ["hr", "bp", "hr", "bp"], "v": [60.0, 80, 61, 82]})
    options: dict[str, Any] = {"pivot": {"i": "v"}, "delta": "t", "since_observed": True, "keep_order": True}
    with pytest.warns(UserWarning, match="missing values became NaN"):
        found = st.group(frame, key="k", order_by="t", ragged=True, **options)
    assert found.features == ("bp", "hr", "t_delta", "bp_since", "hr_since")
    expected = [[NAN, 60, 0, 0, 0], [80, 61, 1, 1, 1], [82, NAN, 4, 4, 4]]
    np.testing.assert_array_equal(np.asarray(found.values), expected)
    assert np.asarray(found.per_step["order"].data).tolist() == [0, 1, 5]


def test_what_the_type_cannot_hold_is_refused() -> None:
    frame = pd.DataFrame({"k": [1, 1], "t": [0, 2**24 + 1], "a": [0.5, 1]})
    with pytest.raises(DataError, match=r"feature 't_delta' would hold 16777217, .*dtype=\"float64\""):
        st.group(frame, key="k", order_by="t", delta="t")
    assert st.group(frame, key="k", order_by="t", delta="t", dtype="float64").x[0, 1, 1] == 2**24 + 1
    whole = pd.DataFrame({"k": [1, 1], "t": [0, 0.5], "a": [2**24 + 1, 1]})
    with pytest.raises(DataError, match=r"feature 'a': .* and beside fractions of 't_delta' x is float32"):
        st.group(whole, key="k", order_by="t", delta="t")
    with pytest.raises(DataError, match=r"feature 't_delta' would hold 0.5, .*leave dtype out"):
        st.group(whole, key="k", order_by="t", delta="t", dtype="int64")
    far = pd.DataFrame({"k": [1, 1], "t": [-(2**63), 2**63 - 1], "a": [1, 2]})
    with pytest.raises(DataError, match="further apart than int64 holds"):
        st.group(far, key="k", order_by="t", delta="t")


def test_calls_that_cannot_be() -> None:
    frame = pd.DataFrame({"k": [1, 1], "t": [0, 1], "u": ["b", "a"], "position": [1, 2]})
    with pytest.raises(UsageError, match=r"delta is for order columns.*order_by=\"t\""):
        st.group(frame, key="k", columns="t", delta="t")
    with pytest.raises(UsageError, match=r"since_observed=True is for order columns"):
        st.group(frame, key="k", columns="t", since_observed=True)
    with pytest.raises(UsageError, match=r"time_unit is for times between steps"):
        st.group(frame, key="k", order_by="t", drop="u", time_unit="s")
    with pytest.raises(UsageError, match=r"delta=\"position\" is no order column: order_by=\"position\""):
        st.group(frame, key="k", order_by="t", drop="u", delta="position")
    with pytest.raises(DataError, match=r"holds numbers, and time_unit is of times"):
        st.group(frame, key="k", order_by="t", drop="u", delta="t", time_unit="h")
    with pytest.raises(DataError, match=r"column 'position' is a feature, .* drop=\"position\""):
        st.group(frame, key="k", order_by="t", drop="u", position=True)
    with pytest.raises(
        UsageError, match="since_observed=True is for features, which this call does not name"
    ):
        st.group(frame, key="k", order_by="t", category="u", drop="position", since_observed=True)
    with pytest.raises(UsageError, match="time_unit is 'weeks'"):
        st.group(frame, key="k", order_by="t", drop="u", delta="t", time_unit="weeks")  # type: ignore[arg-type]
    with pytest.raises(UsageError, match=r"delta takes numbers and times, and .* sorts as text"):
        st.group(frame, key="k", order_by="u:text", drop="t", delta="u")


@pytest.fixture
def place(tmp_path: Path) -> Place:
    return Place(tmp_path)


ROWS = "id,t,a\n1,2024-01-01T00:00:02.5,2\n1,2024-01-01,3\n2,2024-01-02,4\n"


def test_the_command(place: Place) -> None:
    place.write("t.csv", ROWS)
    call = ("--key", "id", "--order-by", "t", "--delta", "t", "--position", "--since-observed")
    done = succeeded(place.run("group", "t.csv", *call, "--json", "-o", "o.npz"))
    facts = json.loads(done.err)
    assert facts["features"] == ["a", "t_delta", "position", "a_since"]
    assert facts["times"] == {
        "t_delta": "s since the step before",
        "*_since": "s since the feature was last observed",
        "x": "float32, as t_delta holds fractions",
    }
    out = place.arrays("o.npz")
    assert out["x"].tolist() == [[[3, 0, 0, 0], [2, 2.5, 1, 2.5]], [[4, 0, 0, 0], [0, 0, 0, 0]]]
    succeeded(place.run("check", "o.npz"))
    python = st.group(
        place.folder / "t.csv", key="id", order_by="t", delta="t", position=True, since_observed=True
    )
    st.save(place.folder / "p.npz", python)
    assert (place.folder / "p.npz").read_bytes() == (place.folder / "o.npz").read_bytes()
    planned = json.loads(succeeded(place.run("plan", "t.csv", *call, "--json")).out)
    assert (planned["features"], planned["dtype"]) == (4, "float32")
    proposed = planned["command"].split()[1:]
    assert "x (2, 2, 4) float32" in succeeded(place.run(*proposed, "--dry-run")).err


@pytest.mark.thinned
@pytest.mark.parametrize(
    "options", [["--delta", "t"], ["--since-observed"], ["--delta", "t", "--time-unit", "h"]]
)
@pytest.mark.parametrize("more", [[], ["--pivot", "id=a"], ["--gap", "1h"]])
def test_a_plan_has_the_type_of_the_call(options: list[str], more: list[str], place: Place) -> None:
    place.write("t.csv", ROWS.replace(".5", ""))
    call = ("t.csv", "--key", "id", "--order-by", "t", *options, *more)
    planned = json.loads(succeeded(place.run("plan", *call, "--json")).out)
    succeeded(place.run("group", *call, "-o", "o.npz"))
    x = place.arrays("o.npz")["x"]
    if "--pivot" not in more:  # whose items may all have a value in each step
        assert planned["dtype"] == x.dtype
    assert planned["features"] == x.shape[2]


def test_of_sequences_they_are_refused(place: Place) -> None:
    place.write("t.npy", np.ones((2, 3, 2)))
    done = place.run("plan", "t.npy", "--position")
    assert (done.code, "--position is for tables" in done.err) == (2, True)


def test_blocks_are_small_where_steps_are_wide() -> None:
    times = StepTimes("t", np.arange(40))
    wide = SinceObserved(np.ones((40, 5000)), np.array([0, 40]), times, Spool())
    assert wide._block * 5000 * 64 <= 2 * step_times.CHUNK


def test_padded_and_ragged_hold_the_same() -> None:
    frame = pd.DataFrame({"k": [1, 1, 2], "t": [0, 4, 1], "a": [1, 2, 3]})
    options: dict[str, Any] = {"key": "k", "order_by": "t", "delta": "t", "position": True}
    padded, ragged = st.group(frame, **options), st.group(frame, ragged=True, **options)
    assert isinstance(padded, Padded)
    assert isinstance(ragged, Ragged)
    for one, other in zip(padded, ragged, strict=True):
        np.testing.assert_array_equal(one, other)


@pytest.mark.parametrize(
    "options",
    [
        ["--keep-order", "--delta", "t", "--since-observed", "--position"],
        ["--delta", "t", "--time-unit", "h", "--every", "1h", "--agg", "last"],
        ["--gap", "1h", "--every", "30m"],
    ],
)
def test_a_recipe_repeats_them(options: list[str], place: Place) -> None:
    place.write("t.csv", ROWS)
    succeeded(place.run("group", "t.csv", "--key", "id", "--order-by", "t", *options, "-o", "o.npz"))
    succeeded(place.run("apply", "o.npz", "t.csv", "-o", "again.npz"))
    assert (place.folder / "again.npz").read_bytes() == (place.folder / "o.npz").read_bytes()
