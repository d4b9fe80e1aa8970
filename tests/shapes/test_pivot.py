"""Long tables: a row for each measurement, with its patient, time, item and value."""

from __future__ import annotations

import json
import warnings
from pathlib import Path
from typing import Any

import hypothesis.strategies as st
import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings

import seqtool
from seqtool.errors import DataError, UsageError
from seqtool.grouping import folding, gaps
from tests.command import Place, succeeded
from tests.hunting import examples
from tests.oracles import parts_at_gaps, pivoted

ROWS = """patient,time,item,value
b,2,pulse,60
a,1,pulse,70
a,1,temp,36.5
b,2,temp,37
a,0,temp,36
a,1,temp,38.5
"""
CALL = ["long.csv", "--key=patient", "--order-by=time", "--pivot=item=value"]
NAN = float("nan")


@pytest.fixture
def place(tmp_path: Path) -> Place:
    place = Place(tmp_path)
    place.write("long.csv", ROWS)
    return place


def grouped(place: Place, *words: str) -> dict[str, Any]:
    return place.outputs("group", [*CALL, *words])[0]


def test_items_are_features_and_rows_of_one_time_a_step(place: Place) -> None:
    done = succeeded(place.run("group", *CALL, "-o", "out.npz"))
    assert "6 rows of 2 items into 3 steps; 1 of 6 cells without a value (16.7%)" in done.err
    assert "1 row had key, order and item of another one: the last of each counts" in done.err
    out = np.load(place.folder / "out.npz")
    assert (out["features"].tolist(), out["lengths"].tolist()) == (["pulse", "temp"], [2, 1])
    np.testing.assert_array_equal(out["x"], [[[NAN, 36], [70, 38.5]], [[60, 37], [0, 0]]])
    entry = json.loads(str(out["meta"]))["receipt"][0]
    assert (entry["arguments"]["pivot"], entry["arguments"]["pivot_agg"]) == ("item=value", "last")
    assert entry["rows"] == {"in": 6, "kept": 3, "cut": 0, "dropped": {"combined into one step": 3}}


def test_the_items_that_are_named_are_the_features_in_this_order(place: Place) -> None:
    place.write("long.csv", ROWS + "a,5,note,fine\n,7,note,bad\nb,9,,1\n")  # which need not be read
    out = grouped(place, "--columns=temp,pulse")
    assert out["features"].tolist() == ["temp", "pulse"]
    np.testing.assert_array_equal(out["x"], [[[36, NAN], [38.5, 70]], [[37, 60], [0, 0]]])
    rows = json.loads(str(out["meta"]))["receipt"][0]["rows"]
    assert rows["dropped"] == {"item not in --columns": 3, "combined into one step": 3}


def test_whole_numbers_stay_whole_where_none_is_missing(place: Place) -> None:
    place.write("long.csv", "patient,time,item,value\na,1,10,5\na,1,9,9007199254740993\n")
    out = grouped(place)
    assert (out["x"].tolist(), out["x"].dtype, out["features"].tolist()) == (
        [[[9007199254740993, 5]]],
        np.int64,
        ["9", "10"],
    )
    place.write("long.csv", "patient,time,item,value\na,1,10,5\na,2,9,16777217\n")
    done = place.run("group", *CALL)
    assert (done.code, "item '9': 16777217, which float32 cannot hold exactly" in done.err) == (1, True)
    assert grouped(place, "--dtype=float64")["x"][0, 1, 0] == 16777217


def test_labels_statics_step_labels_and_rows_ride_along(place: Place) -> None:
    place.write(
        "long.csv",
        "patient,time,item,value,died,age,phase\nb,2,u,6,1,50,x\na,1,u,7,0,40,y\nb,2,v,8,1,50,z\n",
    )
    out = grouped(place, "--label=died", "--static=age", "--step-label=phase", "--keep-row-index", "--ragged")
    assert (out["y"].tolist(), out["static"].tolist()) == ([0, 1], [[40], [50]])
    assert (out["classes"].tolist(), out["step_classes"][out["step_y"]].tolist()) == ([0, 1], ["y", "z"])
    assert out["row_index"].tolist() == [1, 0]
    np.testing.assert_array_equal(out["values"], [[7, NAN], [6, 8]])


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (["--key=patient", "--pivot=item=value"], "name the column of times: --order-by COLUMN"),
        ([*CALL[1:], "--drop=item"], "--pivot does not go with --drop"),
        ([*CALL[1:], "--keep-key"], "--pivot does not go with --keep-key"),
        (["--key=patient", "--pivot-agg=mean"], "--pivot-agg is for --pivot, which this call does not name"),
        (["--key=patient", "--order-by=time", "--pivot=item"], "ITEM=VALUE was expected"),
        (["--key=patient", "--order-by=time:text", "--pivot=item=value"], "time:text sorts as text"),
    ],
)
def test_what_does_not_go_together_is_told(words: list[str], told: str, place: Place) -> None:
    done = place.run("group", "long.csv", *words)
    assert (done.code, told in done.err) == (2, True), done.err


@pytest.mark.parametrize(
    ("row", "words", "told"),
    [
        ("a,3,,5", [], "long.csv: line 8: item column 'item' is empty in 1 of 7 rows; name the items"),
        ("a,3,temp,high", [], "long.csv: line 8, column 'value': 'high'; a number was expected"),
        ("a,3,temp,5", ["--columns=x"], "none of 7 rows holds an item that --columns names"),
        (
            "a,3,pulse,5",
            ["--dtype=int64", "--columns=pulse,x"],
            "3 of 6 cells have no value, which is NaN, and int64",
        ),
    ],
)
def test_errors_name_the_place_and_the_way_out(row: str, words: list[str], told: str, place: Place) -> None:
    place.write("long.csv", f"{ROWS}{row}\n")
    done = place.run("group", *CALL, *words)
    assert (done.code, told in done.err) == (1, True), done.err


def test_an_array_of_positions(place: Place) -> None:
    place.write("long.npy", np.array([[1, 0, 10, 2], [1, 0, 9, 3], [2, 0, 10, 4]]))
    out = place.outputs("group", ["long.npy", "--key=0", "--order-by=1", "--pivot=2=3"])[0]
    assert (out["features"].tolist(), out["x"].dtype) == (["9", "10"], np.float32)
    np.testing.assert_array_equal(out["x"], [[[3, 2]], [[NAN, 4]]])


def test_many_items_without_values_are_told_in_short(place: Place) -> None:
    place.write("long.csv", "patient,time,item,value\n" + "".join(f"a,{i},{i},1\n" for i in range(20)))
    told = succeeded(place.run("group", *CALL)).err
    assert "missing values became NaN: 0 19, 1 19" in told
    assert ", ... 19 19" in told


def test_columns_that_are_not_there_are_told(place: Place) -> None:
    done = place.run("group", *CALL[:-1], "--pivot=itm=value")
    assert (done.code, "no column 'itm'" in done.err) == (1, True)


def test_names_may_hold_the_sign_between_them(place: Place) -> None:
    place.write("long.csv", ROWS.replace("item,value", "a=b,c=d"))
    out = place.outputs("group", [*CALL[:-1], "--pivot=a=b=c=d"])[0]
    assert out["features"].tolist() == ["pulse", "temp"]


def test_an_item_that_no_row_holds_is_a_feature_without_values(place: Place) -> None:
    done = succeeded(place.run("group", *CALL, "--columns=temp,lactate"))
    assert "--columns names 'lactate', which no row holds" in done.err


def test_gaps_part_the_steps_of_a_key(place: Place) -> None:
    place.write("long.csv", ROWS + "a,9,pulse,1\na,9,temp,2\n")
    call = [*CALL, "--columns=temp,pulse", "--gap=1"]
    out = grouped(place, "--columns=temp,pulse", "--gap=1")
    assert out["keys"].tolist() == [["a", "0"], ["a", "1"], ["b", "0"]]
    np.testing.assert_array_equal(out["x"], [[[36, NAN], [38.5, 70]], [[2, 1], [0, 0]], [[37, 60], [0, 0]]])
    facts = json.loads(succeeded(place.run("plan", *call, "--json")).out)
    assert (facts["sequences"], facts["steps"]) == (3, 4)
    arguments = json.loads(str(out["meta"]))["receipt"][0]["arguments"]
    assert (arguments["gap"], arguments["pivot"]) == ("1", "item=value")


def test_times_of_a_format_fold_into_steps(place: Place) -> None:
    days = ROWS.replace(",1,", ",02.01.2024,").replace(",0,", ",01.01.2024,").replace(",2,", ",01.02.2024,")
    place.write("days.csv", days)
    call = ["days.csv", CALL[1], "--order-by=time:%d.%m.%Y", CALL[3]]
    plain, dated = grouped(place), place.outputs("group", call)[0]
    np.testing.assert_array_equal(plain["x"], dated["x"])
    parts = place.outputs("group", [*call, "--gap=1h"])[0]
    assert parts["keys"].tolist() == [["a", "0"], ["a", "1"], ["b", "0"]]


def test_the_plan_counts_steps(place: Place) -> None:
    facts = json.loads(succeeded(place.run("plan", *CALL, "--json")).out)
    assert (facts["sequences"], facts["steps"], facts["features"]) == (2, 3, 2)
    assert "--pivot item=value" in facts["command"]


def test_too_many_items_are_refused(place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("seqtool.grouping.encoder._EACH_ITEM", 10**10)
    done = place.run("group", *CALL)
    assert (done.code, "holds 2 items and more" in done.err, "--columns A,B" in done.err) == (1, True, True)
    monkeypatch.undo()
    succeeded(place.run("group", *CALL, "--columns", "temp,pulse"))


def test_frames_in_python() -> None:
    frame = pd.DataFrame({"k": [1, 1, 1], "t": [0, 0, 1], "i": ["u", "v", "u"], "x": [1.0, 2.0, 3.0]})
    for pivot in ("i=x", {"i": "x"}):
        with pytest.warns(UserWarning, match="missing values became NaN"):
            out = seqtool.group(frame, key="k", order_by="t", pivot=pivot, pivot_agg="mean")
        np.testing.assert_array_equal(out.x, [[[1, 2], [3, NAN]]])
    with pytest.warns(UserWarning, match='choose, such as pivot_agg="mean"'):
        seqtool.group(frame.assign(t=0), key="k", order_by="t", pivot="i=x")
    with pytest.raises(UsageError, match="one was expected"):
        seqtool.group(frame, key="k", order_by="t", pivot={"i": "x", "t": "x"})
    with pytest.raises(DataError, match="no column 'y'"):
        seqtool.group(frame, key="k", order_by="t", pivot={"i": "y"})


rows = st.lists(
    st.tuples(
        st.sampled_from("ab"),
        st.integers(0, 3),
        st.sampled_from(["u", "v", "w"]),
        st.one_of(st.none(), st.integers(-5, 5)),
    ),
    min_size=1,
    max_size=25,
)


@settings(max_examples=examples(120), deadline=None)
@given(
    rows,
    st.sampled_from(["last", "first", "mean", "sum", "max", "min", "count"]),
    st.integers(1, 9),
    st.booleans(),
    st.sampled_from([None, 0, 1]),
)
def test_cells_are_those_of_plain_python(
    rows: list[Any], how: Any, together: int, spills: bool, gap: int | None
) -> None:
    table = pd.DataFrame(rows, columns=["k", "t", "i", "x"])
    table["x"] = table["x"].astype("Int64")
    items = sorted({row[2] for row in rows})
    with pytest.MonkeyPatch.context() as patch, warnings.catch_warnings():
        warnings.simplefilter("ignore")
        patch.setattr(folding, "_ROWS", together)
        patch.setattr(folding, "CHUNK", 8 * together)
        if spills:
            patch.setattr(
                "seqtool.grouping.runs.RowBuffer.room", property(lambda rows: max(0, together - rows.count))
            )
        patch.setattr(gaps, "_ROWS", together)
        out = seqtool.group(table, key="k", order_by="t", pivot="i=x", pivot_agg=how, ragged=True, gap=gap)
    if gap is not None:
        rows = [
            ((row[0], str(part)), *row[1:]) for row, part in zip(rows, parts_at_gaps(rows, gap), strict=True)
        ]
    wanted = pivoted(rows, items, how)
    assert out.keys.tolist() == [[*key] if gap is not None else key for key, _ in wanted]
    steps = [cells for _, steps in wanted for cells in steps]
    np.testing.assert_array_equal(
        out.values.astype(np.float32), np.array(steps, dtype=float).astype(np.float32)
    )
    assert np.diff(out.offsets).tolist() == [len(steps) for _, steps in wanted]
