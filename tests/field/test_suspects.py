"""Columns that leak the label, count rows or never change: warned of, each with the option that leaves it out."""

import json
import re
import shlex
import warnings
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as parquet
import pytest

import seqtool as st
from tests.command import Place, succeeded

ROWS = pd.DataFrame(
    {
        "rownames": range(1, 25),
        "id": np.repeat([2, 1, 3, 4], 6),
        "y": np.repeat([0, 1, 0, 2], 6),
        "target": np.repeat([0, 1, 0, 2], 6),
        "site, no": [7] * 24,
        "v": np.arange(24) ** 2 % 17,
    }
)
COUNTS = "column 'rownames' counts rows, from 1 to 24"
LEAKS = "column 'target' leaks the label: it equals 'y' in all 24 rows"
SAME = "column 'site, no' is the same in all 24 rows"


def warned(frame: Any, **options: Any) -> list[str]:
    """What a call in Python warns of."""
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        st.group(frame, key="id", **options)
    return [str(warning.message) for warning in caught]


def command_warned(place: Place, *call: str) -> list[str]:
    """What the command warns of."""
    done = succeeded(place.run("group", *call, "--json"))
    return json.loads(done.err)["warnings"]


@pytest.fixture
def place(tmp_path: Path) -> Place:
    place = Place(tmp_path)
    ROWS.to_csv(place.folder / "rows.csv", index=False)
    ROWS.to_json(place.folder / "rows.jsonl", orient="records", lines=True)
    parquet.write_table(pa.Table.from_pandas(ROWS), place.folder / "rows.parquet")
    return place


@pytest.mark.parametrize("file", ["rows.csv", "rows.jsonl", "rows.parquet"])
@pytest.mark.parametrize("option", ["--label", "--step-label"])
def test_what_is_advised_leaves_each_out(place: Place, file: str, option: str) -> None:
    call = [file, "--key", "id", option, "y"]
    shown = command_warned(place, *call)
    assert shown == [
        f"{LEAKS}; --drop target leaves it out",
        f"{COUNTS}; --drop rownames leaves it out",
        f"""{SAME}; --drop '"site, no"' leaves it out""",
    ]
    advised = [shlex.split(re.search(r"--drop .* leaves", text)[0])[:2] for text in shown]  # type: ignore[index]
    assert command_warned(place, *call, *(word for words in advised for word in words)) == []


def test_python_names_its_arguments() -> None:
    assert warned(ROWS, label="y") == [
        f'{LEAKS}; drop="target" leaves it out',
        f'{COUNTS}; drop="rownames" leaves it out',
        f"""{SAME}; drop="site, no" leaves it out""",
    ]
    assert warned(ROWS, label="y", drop=["target", "rownames", "site, no"]) == []


def test_several_constant_columns_are_one_warning(place: Place) -> None:
    ROWS.assign(b=0.5).to_csv(place.folder / "two.csv", index=False)
    [text] = command_warned(place, "two.csv", "--key", "id", "--drop", "rownames,target,y")
    assert (
        text
        == """columns 'site, no', 'b' are the same in all 24 rows; --drop '"site, no",b' leaves them out"""
    )
    [text] = warned(ROWS.assign(b=0.5), drop=["rownames", "target", "y"])
    assert text.endswith('; drop=["site, no", "b"] leaves them out')


def test_named_features_are_left_out_where_they_were_named(place: Place) -> None:
    call = (
        "rows.csv",
        "--key",
        "id",
        "--label",
        "y",
        "--columns",
        "rownames,target,v,y",
        "--static",
        "target",
    )
    assert command_warned(place, *call) == [
        "label 'y' is a feature too, which leaks the label; --columns rownames,target,v leaves it out",
        f"{LEAKS}; --columns rownames,v,y leaves it out",
        f"{LEAKS}; leave --static target out",
        f"{COUNTS}; --columns target,v,y leaves it out",
    ]
    assert command_warned(
        place, "rows.csv", "--key", "id", "--label", "y", "--static", "y", "--columns", "v"
    ) == ["label 'y' is static too, which leaks the label; leave --static y out"]


@pytest.mark.parametrize("names", [["rownames"], ["site, no"], ["target"]])
def test_the_only_feature_has_no_way_out(names: list[str]) -> None:
    [found] = [text for text in warned(ROWS, label="y", columns=names) if "leaks" in text or "rows" in text]
    assert "drop" not in found


@pytest.mark.parametrize(
    "changes",
    [
        {"target": ROWS.y.where(ROWS.index < 23, 5)},  # one other in the last row
        {"site, no": ROWS["site, no"].where(ROWS.index < 23)},  # a gap says something
    ],
)
def test_one_row_against_it_ends_a_suspicion(changes: dict[str, Any]) -> None:
    [name] = changes
    assert not [
        text for text in warned(ROWS.assign(**changes), label="y") if text.startswith(f"column '{name}'")
    ]


@pytest.mark.parametrize(
    ("labels", "copy"),
    [
        ([0.5, 1.5, 2.5], [0.5, 1.5, 2.5]),
        (["1", "2.0", "7"], [1, 2, 7]),
        ([True, False, True], [1, 0, 1]),
        (["0", "NA", "1"], [0, np.nan, 1]),
    ],
)
def test_labels_are_compared_as_numbers(labels: list[Any], copy: list[Any]) -> None:
    frame = pd.DataFrame(
        {"id": [1, 2, 3, 3], "y": [*labels, labels[2]], "c": [*copy, copy[2]], "v": [1, 2, 4, 3]}
    )
    shown = warned(frame, label="y", empty_label="keep")
    assert [text for text in shown if "leaks" in text] == [
        "column 'c' leaks the label: it equals 'y' in all 4 rows; drop=\"c\" leaves it out"
    ]


@pytest.mark.parametrize("counts", [ROWS.rownames.where(ROWS.index < 23, 99), ROWS.rownames[::-1].to_numpy()])
def test_names_of_rows_are_known_by_their_name_and_counters_by_what_they_hold(counts: Any) -> None:
    assert warned(ROWS.assign(rownames=counts), columns=["rownames", "v"]) == [
        "column 'rownames' holds the names of rows, as it is called; columns=\"v\" leaves it out"
    ]
    assert warned(ROWS.assign(other=counts), columns=["other", "v"]) == []
    assert warned(ROWS.assign(other=range(24)), columns=["other", "v"]) == [
        "column 'other' counts rows, from 0 to 23; columns=\"v\" leaves it out"
    ]
    assert warned(ROWS.assign(other=range(24))[:9], columns=["other", "v"]) == []  # a few may be measurements


@pytest.mark.parametrize("dtype", [np.int8, np.uint8, np.uint64, np.float32, bool])
def test_columns_of_any_type_are_watched(dtype: Any) -> None:
    array = np.arange(900).reshape(300, 3).astype(dtype)
    array[:, 1] = np.arange(300) % 2
    array[:, 2] = 1
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        st.group(array, key=0)
    assert "column '2' is the same in all 300 rows" in str(caught[0].message)


def test_batches_are_watched_one_after_another(place: Place) -> None:
    rows = 300_000  # of several batches
    big = pa.table(
        {
            "rownames": np.arange(rows),
            "id": np.arange(rows) // 100,
            "y": np.arange(rows) // 100,
            "copy": np.arange(rows) // 100,
            "late": np.where(np.arange(rows) == rows - 1, 1, 0),
        }
    )
    parquet.write_table(big, place.folder / "big.parquet")
    shown = command_warned(place, "big.parquet", "--key", "id", "--label", "y", "--label-as", "number")
    assert [text.split(";")[0] for text in shown] == [
        "column 'copy' leaks the label: it equals 'y' in all 300,000 rows",
        "column 'rownames' counts rows, from 0 to 299,999",
    ]


def test_keys_are_never_suspected() -> None:
    array = np.column_stack([np.arange(12), np.zeros(12), np.arange(12) ** 2 % 5])
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        st.group(array, key=1)
    assert [str(warning.message) for warning in caught] == [
        "column '0' counts rows, from 0 to 11; drop=\"0\" leaves it out"
    ]


@pytest.mark.parametrize(
    ("ones", "longer", "warns"), [(10, 1, True), (9, 1, False), (5, 0, True), (4, 0, False)]
)
def test_sequences_of_one_step_are_warned_of(ones: int, longer: int, warns: bool) -> None:
    ids = [*range(ones), *[ones + i for i in range(longer) for _ in range(4)]]
    shown = warned(pd.DataFrame({"id": ids, "v": np.arange(len(ids)) ** 2 % 7}))
    expected = f"{ones} of {ones + longer} sequences have one step: the key 'id' tells steps apart"
    assert [text.startswith(expected) for text in shown] == [True] * warns


@pytest.mark.parametrize(
    ("other", "leaks"), [("id,y\n1,5\n2,7\n3,NA\n", True), ("id,y\n1,5\n2,8\n3,NA\n", False)]
)
def test_a_column_that_equals_a_label_of_another_table(other: str, leaks: bool, tmp_path: Path) -> None:
    place = Place(tmp_path)
    place.write("t.csv", "id,a,b\n2,4,7\n1,1,5\n1,2,5\n3,3,\n")
    place.write("y.csv", other)
    call = ["group", "t.csv", "--key", "id", "--label", "y.csv:y", "--empty-label", "keep", "-o", "o.npz"]
    done = place.run(*call)
    told = "column 'b' leaks the label: it equals 'y' in all 4 rows; --drop b leaves it out"
    assert (done.code, told in done.err) == (0, leaks), done.err
    assert "leaks" not in place.run(*call, "--drop", "b").err


@pytest.mark.parametrize("call", ["--steps a,y", "--steps a,b --static y", "--steps a --static z,b"])
def test_a_label_that_is_a_step_or_static_too(call: str, tmp_path: Path) -> None:
    place = Place(tmp_path)
    place.write("w.csv", "y,a,b,z\n2,1,2,0\n4,3,4,1\n")
    done = place.run("pad", "w.csv", *call.split(), "--label", "y", "-o", "o.npz")
    assert (done.code, "which leaks the label" in done.err) == (0, True), done.err
    assert (
        "leaks"
        not in place.run("pad", "w.csv", "--steps", "a,b", "--static", "z", "--label", "y", "-o", "o.npz").err
    )


def test_infinite_numbers_neither_count_rows_nor_equal_a_label_of_text() -> None:
    rows = pd.DataFrame({"id": [1, 1, 2, 2], "y": list("aabb"), "rownames": [np.inf] * 4, "v": [1, 4, 9, 2]})
    assert warned(rows, label="y")[0].startswith("column 'rownames' holds the names of rows")
    for size in (4, 1):
        pieces = (pa.RecordBatch.from_pandas(rows[i : i + size]) for i in range(0, 4, size))
        batches = pa.RecordBatchReader.from_batches(pa.RecordBatch.from_pandas(rows[:0]).schema, pieces)
        assert not [text for text in warned(batches, label="y") if "leaks" in text or "counts" in text]


def test_constant_columns_of_several_files_are_named_in_their_order(place: Place) -> None:
    names = [f"c{i}" for i in range(12)]
    for file in ("a.csv", "b.csv"):
        place.write(
            file, "\n".join([",".join(["id", "v", *names]), *(f"{i},{i * i}{',7' * 12}" for i in range(5))])
        )
    done = place.run(
        "group",
        "a.csv",
        "b.csv",
        "--key",
        "id",
        "--shards",
        "1",
        "-o",
        "out/",
        "--columns",
        f"v,{','.join(names)}",
    )
    columns = ", ".join(map(repr, names[:7]))
    assert f"columns {columns}, ... 'c11' are the same in all 10 rows" in succeeded(done).err
