"""Dates and times as features and static numbers: seconds or days since 1970, by `--time-as` alone."""

from __future__ import annotations

import json
import warnings
from contextlib import nullcontext
from datetime import UTC, date, datetime, time, timedelta, timezone
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

import seqtool as st
from seqtool.arrays.spool import Spool
from seqtool.errors import DataError, NotNumbersError, UsageError
from seqtool.grouping.encoder import Encoder
from seqtool.grouping.encoder_plan import EncoderPlan
from seqtool.grouping.group import group_table
from seqtool.grouping.spec import GroupSpec
from seqtool.grouping.workspace import Workspace
from seqtool.system.memory import Memory
from seqtool.tables.in_memory import table_of
from tests import oracles
from tests.command import Place, succeeded
from tests.cutting import MEMORIES

NAN = float("nan")
CET = timezone(timedelta(hours=1))
WHOLE = [datetime(1969, 12, 31, 23, 59, 59), datetime(2024, 2, 29), datetime(1, 1, 1), datetime(9999, 12, 31)]
FINE = [
    datetime(1969, 7, 20, 20, 17, 40, 1),
    datetime(2024, 1, 2, 3, 4, 5, 678901),
    datetime(2300, 1, 1, 0, 0, 0, 7),
]
ZONED = [datetime(2024, 1, 1, 12, tzinfo=CET), datetime(2024, 1, 1, 11, tzinfo=UTC)]
COLUMNS: dict[str, tuple[str, list[Any]]] = {
    "whole": ("seconds", WHOLE),
    "parts": ("days", [*FINE, *WHOLE]),
    "missing": ("seconds", [*FINE, None]),
    "zoned": ("seconds", ZONED),
}


@pytest.fixture
def place(tmp_path: Path) -> Place:
    return Place(tmp_path)


@pytest.mark.thinned
@pytest.mark.parametrize("column", COLUMNS)
@pytest.mark.parametrize("kind", ["csv", "jsonl", "parquet", "arrow", "frame"])
def test_times_become_numbers(kind: str, column: str, place: Place) -> None:
    unit, times = COLUMNS[column]
    expected = [oracles.since_1970(one, unit) for one in times]
    as_text = ["" if one is None else one.isoformat() for one in times]
    path = place.folder / f"t.{kind}"
    table = pa.table({"k": [1] * len(times), "t": times})
    if kind == "csv":
        path.write_text("k,t\n" + "".join(f"1,{cell}\n" for cell in as_text))
    elif kind == "jsonl":
        path.write_text("".join(json.dumps({"k": 1, "t": cell}) + "\n" for cell in as_text))
    elif kind == "parquet":
        pq.write_table(table, path)
    elif kind == "arrow":
        with pa.ipc.new_file(path, table.schema) as file:
            file.write_table(table, max_chunksize=1)
    data = table.to_pandas() if kind == "frame" else str(path)
    missing = pytest.warns(UserWarning, match="missing values") if None in times else nullcontext()
    with missing:
        found = st.group(data, key="k", time_as=unit)
    whole = all(one is not None and one.denominator == 1 for one in expected)
    assert found.x.dtype == (np.int64 if whole else np.float64)
    nearest = [NAN if one is None else float(one) for one in expected]
    np.testing.assert_allclose(found.x[0, :, 0], nearest, rtol=2**-51, atol=0)


def test_dates_durations_nanoseconds_and_times_of_day_have_a_unit_too() -> None:
    columns = {
        "date": [date(2024, 1, 2)],
        "took": pa.array([timedelta(hours=36)]),
        "clock": [time(6, 30)],
        "nano": pa.array([1_704_067_200_123_456_789], pa.timestamp("ns")),
    }
    rows = pa.table({"k": [1], **columns})
    assert st.group(rows, key="k", columns=["date", "took", "clock"], time_as="days").x[0, 0].tolist() == [
        19724,
        1.5,
        6.5 / 24,
    ]
    nano = float(Fraction(1_704_067_200_123_456_789, 10**9))
    found = st.group(rows, key="k", columns="nano", time_as="seconds")
    np.testing.assert_allclose(found.x.item(), nano, rtol=2**-52)


def test_static_numbers_may_be_times(place: Place) -> None:
    place.write("t.csv", "k,a,born\n1,5,1970-01-03T12:00\n2,6,1970-01-02\n")
    place.write("s.csv", "k,seen\n1,1970-01-02\n2,\n")
    call = ["group", "t.csv", "--key", "k", "--static", "born", "--static", "s.csv:seen", "--time-as", "days"]
    done = succeeded(place.run(*call, "-o", "o.npz"))
    found = place.arrays("o.npz")
    np.testing.assert_array_equal(found["static"], [[2.5, 1], [1, NAN]])
    assert found["static"].dtype == np.float64
    assert "times     born: days since 1970-01-01 UTC" in done.err
    assert json.loads(str(found["meta"]))["receipt"][0]["arguments"]["time_as"] == "days"


def test_times_are_no_features_unless_somebody_says_so(place: Place) -> None:
    place.write("t.csv", "k,t,a,note\n1,2024-01-01,5,x\n")
    refused = place.run("group", "t.csv", "--key", "k")
    assert refused.code == 1
    assert (
        "times as seconds since 1970: --time-as seconds --drop note; without them: --drop t,note"
        in refused.err
    )
    with pytest.raises(NotNumbersError, match='time_as="seconds"'):
        st.group(pd.DataFrame({"k": [1], "t": pd.to_datetime(["2024-01-01"])}), key="k")


def test_a_float_type_that_is_asked_for_rounds_and_counts(place: Place) -> None:
    place.write("t.csv", "k,t\n1,2024-01-01T00:00:01\n1,2024-01-01T12:34:56\n1,2024-01-02T12:00\n")
    call = ["group", "t.csv", "--key", "k", "--time-as"]
    asked = ["-o", "o.npz", "--dtype", "float32"]
    assert "t: 3 times were rounded to float32" in succeeded(place.run(*call, "seconds", *asked)).err
    assert "t: 2 times were rounded to float32" in succeeded(place.run(*call, "days", *asked)).err
    refused = place.run(*call, "days", "--dtype", "int64")
    assert refused.code == 1
    assert "column 't'" in refused.err


@pytest.mark.parametrize(
    ("cells", "line", "told"),
    [
        (["2024-01-01", "soon"], 3, "'soon'; the cells before it are times"),
        (["2024-01-01", "5"], 3, "'5'; the cells before it are times"),
        (["2024-01-01", "2024-01-01T00:00+01:00"], 3, "+01:00'; the cells before it are times, and"),
        (["2024-01-01T00:00Z", "NA", "2024-01-01"], 4, "the cells before it are times with a zone"),
        (["5", "2024-01-01"], 3, "'2024-01-01'; a number was expected"),
    ],
)
def test_a_column_is_of_one_kind(cells: list[str], line: int, told: str, place: Place) -> None:
    place.write("t.csv", "k,t,a\n" + "".join(f"1,{cell},1\n" for cell in cells))
    refused = place.run("group", "t.csv", "--key", "k", "--time-as", "seconds")
    assert refused.code == 1
    assert f"t.csv: line {line}, column 't'" in refused.err
    assert told in refused.err


def test_states_of_pieces_merge_as_if_the_table_were_read_whole() -> None:
    rows = pa.table({"k": [1, 1], "t": [None, "1970-01-02"]})
    spec = GroupSpec(key=["k"], time_as="seconds")
    plan = EncoderPlan.of(table_of(rows), spec.roles(table_of(rows)), spec)

    def state(cells: Any, row: int) -> Any:
        encoder = Encoder(plan)
        encoder.encode({0: pa.array([1]), 1: pa.array(cells)}, row)
        return encoder.state

    times, numbers, nothing = state(["1970-01-02"], 4), state([7], 9), state([None], 2)
    merged = numbers.merge(times).features[1]
    assert (merged.kind, merged.bad.row, merged.bad.cell) == ("times", 9, "7")
    assert nothing.merge(times).features[1].bad is None
    assert nothing.merge(times).features[1].kind == "times"


def test_static_times_of_another_table_alone_are_times(place: Place) -> None:
    place.write("t.csv", "k,a\n1,5\n")
    other = pd.DataFrame({"k": [1], "born": pd.to_datetime(["1970-01-03"])})
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        found = st.group(str(place.folder / "t.csv"), key="k", static=(other, "born"), time_as="days")
    assert found.per_sequence["static"].tolist() == [[2]]


@MEMORIES
def test_rows_that_go_to_the_disk_keep_their_fractions(memory: Memory) -> None:
    times = [datetime(2024, 1, 1) + timedelta(hours=i) for i in range(300)]
    times[200:] = [one + timedelta(microseconds=250_000) for one in times[200:]]
    rows = pa.table({"k": [i % 7 for i in range(300)], "t": times, "v": [i / 2 for i in range(300)]})
    table, spec = table_of(rows), GroupSpec(key=["k"], time_as="seconds")
    with Spool() as spool:
        found = group_table(table, spec.roles(table), spec, Workspace(spool, memory)).ragged.in_memory()
    expected = [
        [float(oracles.since_1970(times[i], "seconds") or 0), i / 2]
        for k in range(7)
        for i in range(k, 300, 7)
    ]
    assert found.values.dtype == np.float64
    assert found.values.tolist() == expected


def test_a_unit_of_no_times_is_told(place: Place) -> None:
    place.write("t.csv", "k,t,a\n1,2024-01-01,5\n")
    told = succeeded(place.run("group", "t.csv", "--key", "k", "--order-by", "t", "--time-as", "days")).err
    assert "--time-as days: no feature or static column holds times" in told
    with_it = ["--columns", "t,a", "--time-as", "days", "-o", "o.npz"]
    succeeded(place.run("group", "t.csv", "--key", "k", "--order-by", "t", *with_it))
    assert place.arrays("o.npz")["x"].tolist() == [[[19723, 5]]]
    planned = json.loads(
        succeeded(place.run("plan", "t.csv", "--key", "k", "--time-as", "days", "--json")).out
    )
    assert planned["dtype"] == "int64"
    assert "--time-as days" in planned["command"]


def test_times_of_day_are_parted_at_gaps() -> None:
    clocks = [time(6, 0), time(6, 20), time(7, 0)]
    rows = pa.table({"t": clocks, "a": [1, 2, 3]})
    assert st.group(rows, no_key=True, order_by="t", gap="30m").lengths.tolist() == [2, 1]


def test_units_are_two() -> None:
    with pytest.raises(UsageError, match="time_as"):
        st.group(pd.DataFrame({"k": [1]}), key="k", time_as="hours")  # type: ignore[arg-type]
    with pytest.raises(DataError):
        st.group(pd.DataFrame({"k": [1], "t": ["x"]}), key="k", time_as="days")
