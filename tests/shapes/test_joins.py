"""Labels and static numbers that stand in another file, a row for each key."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import hypothesis.strategies as st
import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings

import seqtool
from seqtool.arrays.spool import Spool
from seqtool.errors import DataError, UsageError
from seqtool.grouping.elsewhere import companions
from seqtool.grouping.group import group
from seqtool.grouping.spec import GroupSpec
from seqtool.grouping.workspace import Workspace
from seqtool.system.memory import Memory
from seqtool.tables.in_memory import table_of
from tests.command import Place, succeeded
from tests.hunting import examples
from tests.oracles import looked_up

ROWS = "id,t,v\n1,0,5\n1,1,6\n007,0,2\n3,0,1\n"
LABELS = "id,died,age\n007,yes,40\n1,no,50\n9,yes,61\n3,yes,60.5\n"
CALL = ["rows.csv", "--key=id", "--order-by=t"]


@pytest.fixture
def place(tmp_path: Path) -> Place:
    place = Place(tmp_path)
    place.write("rows.csv", ROWS)
    place.write("labels.csv", LABELS)
    return place


def grouped(place: Place, *words: str) -> dict[str, Any]:
    return place.outputs("group", [*CALL, *words])[0]


def error(place: Place, *words: str, code: int = 1) -> str:
    done = place.run("group", *CALL, *words)
    assert done.code == code, done.err
    return done.err


def test_labels_and_statics_are_those_of_the_key_as_it_is_written(place: Place) -> None:
    out = grouped(place, "--label", "labels.csv:died", "--static", "labels.csv:age")
    assert out["keys"].tolist() == ["007", "1", "3"]
    assert (out["y"].tolist(), out["classes"].tolist()) == ([1, 0, 1], ["no", "yes"])
    assert (out["static"].tolist(), out["static_features"].tolist()) == ([[40], [50], [60.5]], ["age"])
    entry = json.loads(str(out["meta"]))["receipt"][0]
    assert entry["inputs"] == ["rows.csv", "labels.csv"]
    assert (entry["arguments"]["label"], entry["arguments"]["static"]) == (
        "labels.csv:died",
        ["labels.csv:age"],
    )


def test_rows_of_no_sequence_are_told(place: Place) -> None:
    done = succeeded(place.run("group", *CALL, "--label=labels.csv:died", "--dry-run"))
    assert "died from labels.csv; 1 of 4 rows there unused" in done.err
    done = succeeded(place.run("group", *CALL, "--label=labels.csv:died", "--json"))
    fact = json.loads(done.err)["joined"]
    assert fact == [
        {"name": "labels.csv", "columns": ["died"], "rows": 4, "unused": 1, "without": 0, "sequences": 3}
    ]


@pytest.mark.parametrize(
    ("words", "keys", "y"),
    [
        (["--empty-label=drop"], ["007", "1"], [1, 0]),
        (["--empty-label=keep"], ["007", "1", "3"], [1, 0, -100]),
    ],
)
def test_sequences_without_a_row(words: list[str], keys: list[str], y: list[int], place: Place) -> None:
    place.write("labels.csv", LABELS.replace("3,yes,60.5\n", ""))
    assert "labels.csv: has no row for 1 sequence of 3, the first of key '3'" in error(
        place, "--label=labels.csv:died"
    )
    out = grouped(place, "--label=labels.csv:died", *words)
    assert (out["keys"].tolist(), out["y"].tolist()) == (keys, y)


def test_a_sequence_without_a_row_has_no_static_numbers(place: Place) -> None:
    place.write("p.csv", "id,age,sex\n1,50,0\n007,16777217,1\n")
    done = succeeded(place.run("group", *CALL, "--static=p.csv:age,sex", "-o", "a.npz"))
    assert "missing values became NaN: age 1, sex 1" in done.err
    static = np.load(place.folder / "a.npz")["static"]
    assert static.dtype == np.float64  # float32 has no 16777217
    np.testing.assert_array_equal(static, [[16777217, 1], [50, 0], [np.nan, np.nan]])


def test_own_columns_and_those_of_another_table_stand_side_by_side(place: Place) -> None:
    place.write("rows.csv", "id,t,v,w,kind\n1,0,5,2,b\n1,1,6,2,b\n007,0,2,3,a\n3,0,1,4,a\n")
    out = grouped(place, "--static=w", "--static=labels.csv:age", "--label=kind", "--label=labels.csv:died")
    assert (out["static_features"].tolist(), out["static"].tolist()) == (
        ["w", "age"],
        [[3, 40], [2, 50], [4, 60.5]],
    )
    assert out["label_names"].tolist() == ["kind", "died"]
    assert out["y"].tolist() == [[0, 1], [1, 0], [0, 1]]
    assert out["features"].tolist() == ["v"]


@pytest.mark.parametrize("name", ["l.parquet", "l.jsonl", "l.csv"])
def test_any_kind_of_table(name: str, place: Place) -> None:
    frame = pd.DataFrame({"id": ["007", "1", "3"], "died": ["a", "b", "a"]})
    path = place.folder / name
    if name.endswith("parquet"):
        frame.to_parquet(path)
    elif name.endswith("jsonl"):
        frame.to_json(path, orient="records", lines=True)
    else:
        frame.to_csv(path, index=False)
    assert grouped(place, f"--label={name}:died")["y"].tolist() == [0, 1, 0]


def test_the_key_is_the_column_of_its_name_or_the_only_other_one(place: Place) -> None:
    place.write("l.csv", "patient,died\n007,1\n1,0\n3,1\n")
    assert grouped(place, "--label=l.csv:died")["y"].tolist() == [1, 0, 1]
    place.write("l.csv", "patient,died,x\n007,1,0\n1,0,0\n3,1,0\n")
    assert "l.csv: has no column 'id' to be joined by, and 'patient', 'x' besides" in error(
        place, "--label=l.csv:died"
    )


def test_a_key_of_several_columns_is_joined_by_all_of_them(place: Place) -> None:
    place.write("rows.csv", "a,b,v\n1,x,5\n1,y,6\n2,x,7\n")
    place.write("l.csv", "n,b,a\n3,y,1\n4,x,2\n5,x,1\n")
    out = place.outputs("group", ["rows.csv", "--key=a,b", "--label=l.csv:n"])[0]
    assert out["classes"][out["y"]].tolist() == [5, 3, 4]


def test_a_key_that_stands_twice_is_refused_with_both_lines(place: Place) -> None:
    place.write("labels.csv", "id,died\n007,1\n1,0\n3,1\n007,1\n")
    assert "labels.csv: line 2, and labels.csv: line 5: key '007' stands twice" in error(
        place, "--label=labels.csv:died"
    )


@pytest.mark.parametrize(
    ("content", "words", "told"),
    [
        (
            "id,age\n1,old\n007,2\n3,4\n",
            "--static=labels.csv:age",
            "labels.csv: line 2, column 'age': 'old'; a number was expected; as a missing value: --missing old; "
            "without this column: leave --static labels.csv:age out",
        ),
        ("id,died\n1,\n007,2\n3,4\n", "--label=labels.csv:died", "the first at labels.csv: line 2"),
        (
            "id,died\n1,1\n,2\n3,4\n",
            "--label=labels.csv:died",
            "labels.csv: key column 'id' is empty in 1 of 3 rows",
        ),
        (
            "id,died\n01,1\n02,2\n",
            "--label=labels.csv:died",
            "labels.csv: none of its keys is that of a sequence",
        ),
        ("id,died\n", "--label=labels.csv:died", "labels.csv: holds a header, but no rows"),
        ("id,died\n1,1\n", "--label=labels.csv:dead", "labels.csv: no column 'dead'"),
        ("id,died\n1,1\n", "--label=lables.csv:died", "lables.csv: no such file"),
    ],
)
def test_what_is_wrong_there_is_told_with_its_place(
    content: str, words: str, told: str, place: Place
) -> None:
    place.write("labels.csv", content)
    assert told in error(place, words)


def test_a_column_that_is_called_so_is_a_column(place: Place) -> None:
    place.write("rows.csv", "id,v,labels.csv:died\n1,5,0\n1,6,0\n007,2,1\n")
    out = place.outputs("group", ["rows.csv", "--key=id", "--label=labels.csv:died"])[0]
    assert (out["y"].tolist(), out["features"].tolist()) == ([1, 0], ["v"])


def test_the_plan_reads_the_other_table_too(place: Place) -> None:
    place.write("labels.csv", "id,died\n1,1\n")
    done = succeeded(place.run("plan", *CALL, "--label=labels.csv:died"))
    assert "group would refuse this table: labels.csv: has no row for 2 sequences of 3" in done.err
    done = succeeded(place.run("plan", *CALL, "--static=labels.csv:died", "--json"))
    assert "--static labels.csv:died" in json.loads(done.out)["command"]


def test_an_output_that_is_the_other_table_is_refused(place: Place) -> None:
    assert error(place, "--label=labels.csv:died", "-o", "labels.csv", code=2)
    assert (place.folder / "labels.csv").read_text() == LABELS


def test_frames_in_python(place: Place) -> None:
    rows = pd.DataFrame({"id": [2, 1, 2], "v": [1.5, 2.5, 3.5]})
    other = pd.DataFrame({"id": [1, 2], "died": ["no", "yes"], "age": [30, 40], "sex": [0, 1]})
    out = seqtool.group(rows, key="id", label=(other, "died"), static=(other, ["age", "sex"]))
    assert (out.per_sequence["y"].tolist(), out.per_sequence["static"].tolist()) == (
        [0, 1],
        [[30, 0], [40, 1]],
    )
    other.to_csv(place.folder / "o.csv", index=False)
    path = place.folder / "o.csv"
    for label in ((path, "died"), f"{path}:died", [(other, "died")]):
        assert seqtool.group(rows, key="id", label=label).per_sequence["y"].tolist() == [0, 1]
    mixed = seqtool.group(rows.assign(w=rows["id"]), key="id", static=["w", (other, "age")])
    assert mixed.per_sequence["static"].tolist() == [[1, 30], [2, 40]]
    with pytest.raises(DataError, match='empty_label="drop"'):
        seqtool.group(rows, key="id", label=(other[:1], "died"))
    with pytest.raises(UsageError, match="'age' of two tables"):
        seqtool.group(rows.assign(age=1), key="id", static=["age", (other, "age")])


def test_a_table_too_large_to_be_looked_up_is_refused_with_its_size(place: Place) -> None:
    rows, other = (
        pd.DataFrame({"k": [1], "v": [1]}),
        pd.DataFrame({"k": np.arange(1000), "y": np.arange(1000)}),
    )
    with pytest.raises(DataError, match="1,000 rows, which are looked up by their keys"):
        _joined(rows, other, Memory(300_000_000), each=10**6)


def _joined(rows: pd.DataFrame, other: pd.DataFrame, memory: Memory, each: int | None = None) -> Any:
    from seqtool.grouping import joining

    spec = GroupSpec(
        key=["k"],
        label=seqtool.grouping.elsewhere.parted((other, "y"), list),
        ragged=True,
        empty_label="keep",
    )
    with pytest.MonkeyPatch.context() as patch, Spool() as spool:
        patch.setattr(joining, "_KEYS", 3)
        if each is not None:
            patch.setattr(joining, "_EACH_ROW", each)
        table = table_of(rows)
        with companions(spec, table, folder=None, memory=memory) as (own, others, _):
            return group(table, own, Workspace(spool, memory), inputs=[], others=others).data.in_memory()


@settings(max_examples=examples(120), deadline=None)
@given(
    st.lists(st.sampled_from(["7", "07", "a", "1", "10", "é", "-0"]), min_size=1, max_size=12),
    st.dictionaries(st.sampled_from(["7", "07", "b", "1", "10", "é", "0"]), st.integers(0, 3), min_size=1),
)
def test_each_sequence_has_the_label_of_its_key(keys: list[str], labels: dict[str, int]) -> None:
    rows = pd.DataFrame({"k": keys, "v": range(len(keys))})
    other = pd.DataFrame({"k": [*labels], "y": [*labels.values()]})
    if not {*keys} & {*labels}:
        with pytest.raises(DataError, match="none of its keys"):
            _joined(rows, other, Memory(300_000_000))
        return
    out = _joined(rows, other, Memory(300_000_000))
    found = [None if y < 0 else int(out.names["classes"][y]) for y in out.per_sequence["y"]]
    assert found == looked_up([str(key) for key in out.keys], labels)


def test_parts_of_a_key_have_the_label_of_the_key(place: Place) -> None:
    place.write("rows.csv", "id,t,v\n1,0,5\n1,9,6\n007,0,2\n3,0,1\n")
    out = grouped(place, "--label", "labels.csv:died", "--gap=5")
    assert out["keys"].tolist() == [["007", "0"], ["1", "0"], ["1", "1"], ["3", "0"]]
    assert out["y"].tolist() == [1, 0, 0, 1]
    done = place.run("group", "rows.csv", "--no-key", "--label=labels.csv:died")
    assert (done.code, "--no-key: columns of another table are joined by the key" in done.err) == (2, True)


def test_the_key_may_be_a_part_of_paths(place: Place) -> None:
    for name in ("1", "007", "3"):
        place.write(f"{name}.csv", "v\n5\n6\n")
    place.write("l.csv", "key,died\n1,0\n3,1\n007,2\n")
    out = place.outputs("group", ["1.csv", "007.csv", "3.csv", "--key-from={key}.csv", "--label=l.csv:died"])[
        0
    ]
    assert out["y"].tolist() == [2, 0, 1]


def test_rows_of_the_first_table_alone_are_chosen(place: Place) -> None:
    out = grouped(place, "--label", "labels.csv:died", "--where=v > 1")
    assert (out["keys"].tolist(), out["y"].tolist()) == (["007", "1"], [1, 0])
