"""The language of `--where`: what is written, against a plain reading of it, and errors that show the place."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

import seqtool as st
from seqtool.errors import UsageError
from seqtool.where import Combination, Comparison, Not, Operand, parse
from tests.command import Place, succeeded

ROWS = [
    {"id": 1, "v": "1.5", "s": "a", "odd name": "x"},
    {"id": 1, "v": "", "s": "b c", "odd name": "y"},
    {"id": 2, "v": "-2", "s": "", "odd name": "x"},
    {"id": 2, "v": "NA", "s": "a", "odd name": "x"},
    {"id": 3, "v": "7", "s": "é", "odd name": "y"},
]
ONE, TWO = (
    Comparison("a", "==", (Operand("1", 1),)),
    Comparison("b", "in", (Operand("x", bare=True), Operand("y z"))),
)


def number(row: dict[str, Any]) -> float:
    return float("nan") if row["v"] in ("", "NA") else float(row["v"])


# Each with a plain Python reading; None where a missing cell decides.
CONDITIONS: dict[str, Any] = {
    "v > 0": lambda r: number(r) > 0,
    "v >= -2 and v < 7": lambda r: -2 <= number(r) < 7,
    "not v > 0": lambda r: number(r) <= 0,
    "v != 7": lambda r: r["v"] in ("1.5", "-2"),
    "v in (7, -2.0)": lambda r: number(r) in (7, -2),
    "v not in (7)": lambda r: r["v"] in ("1.5", "-2"),
    "s == a": lambda r: r["s"] == "a",
    "s != 'a'": lambda r: r["s"] not in ("a", ""),
    "s == 'b c' or `odd name` == x": lambda r: r["s"] == "b c" or r["odd name"] == "x",
    "\"odd name\" == 'x' AND (s == a OR v < 0)": lambda r: (
        r["odd name"] == "x" and (r["s"] == "a" or number(r) < 0)
    ),
    "not (s == a or id == 3)": lambda r: r["s"] == "b c",
    "v == '1.5'": lambda r: r["v"] == "1.5",
    "s > b": lambda r: r["s"] > "b",
    "id==1": lambda r: r["id"] == 1,
}


def kept_rows(source: Any, where: str) -> list[int]:
    made = st.group(source, key="id", columns=["id"], where=where, keep_row_index=True, ragged=True)
    assert sum(made.receipt[0]["rows"]["dropped"].values()) == len(ROWS) - len(made.values)
    assert made.receipt[0]["arguments"]["where"] == where
    return sorted(made.per_step["row_index"].data[:].tolist())


@pytest.mark.thinned
@pytest.mark.parametrize("where", CONDITIONS)
def test_rows_are_those_that_plain_python_finds(where: str, tmp_path: Path) -> None:
    expected = [i for i, row in enumerate(ROWS) if CONDITIONS[where](row)]
    table = pd.DataFrame(ROWS)
    table.to_csv(tmp_path / "t.csv", index=False)
    assert kept_rows(tmp_path / "t.csv", where) == expected
    assert kept_rows(table, where) == expected
    if "'1.5'" not in where:
        typed = table.assign(
            v=[number(row) for row in ROWS], s=table["s"].replace({"": None}).astype("category")
        )
        typed.to_parquet(tmp_path / "t.parquet")
        assert kept_rows(tmp_path / "t.parquet", where) == expected


@pytest.mark.parametrize(
    ("where", "days"),
    [("t >= '2024-01-02'", [2, 3]), ("t == '2024-01-02 00:00:00'", [2]), ("t < 2024-01-02", [1])],
)
@pytest.mark.parametrize("kind", [pa.date32(), pa.timestamp("us"), pa.timestamp("ns", "Europe/Paris")])
def test_times_are_compared_with_iso_text(where: str, days: list[int], kind: Any, tmp_path: Path) -> None:
    if " 00" in where and kind == pa.date32():
        pytest.skip("a date has no time of day")
    times = pa.array(np.array(["2024-01-01", "2024-01-02", "2024-01-03"], "datetime64[us]")).cast(kind)
    pq.write_table(pa.table({"id": [1, 2, 3], "v": [3, 1, 2], "t": times}), tmp_path / "t.parquet")
    assert st.group(tmp_path / "t.parquet", key="id", columns="v", where=where).keys.tolist() == days


@pytest.mark.parametrize(
    ("text", "expression"),
    [
        ("a == 1 and b in (x, 'y z')", Combination((ONE, TWO), any_of=False)),
        ('not a == 1 or b in (x, "y z")', Combination((Not(ONE), TWO), any_of=True)),
        (
            "a==1 or a==1 and b in (x,'y z')",
            Combination((ONE, Combination((ONE, TWO), any_of=False)), any_of=True),
        ),
        ("`a` = = 1", None),
    ],
)
def test_and_binds_before_or_and_not_before_both(text: str, expression: Any) -> None:
    if expression is None:
        with pytest.raises(UsageError, match="has '=' at letter 5 after '`a`'; == was expected"):
            parse(text)
    else:
        assert parse(text) == expression


@pytest.mark.parametrize(
    ("where", "fault"),
    [
        ("", "is empty; the name of a column was expected"),
        ("v >", "ends after 'v >'; a number or text was expected"),
        ("v", "ends after 'v'; ==, !=, <, <=, >, >= or in was expected"),
        ("v > 0 s == a", "has 's' at letter 7 after 'v > 0'; and, or, or the end was expected"),
        ("(v > 0", "ends after '(v > 0'; ) was expected"),
        ("s in (a b)", "has 'b' at letter 9 after 's in (a'; a comma or ) was expected"),
        ("s in a", "has 'a' at letter 6 after 's in'; ( was expected"),
        ("'s' == a", "has \"'s'\" at letter 1; the name of a column was expected"),
        ("s == 'a", "has \"'\" at letter 6 after 's =='; a number or text was expected"),
        (
            "__import__('os')",
            "has '(' at letter 11 after '__import__'; ==, !=, <, <=, >, >= or in was expected",
        ),
        ("s == id", "id is a column too"),
        ("(" * 60, "more than 50 parentheses"),
    ],
)
def test_what_is_not_understood_is_shown_with_its_place(where: str, fault: str, tmp_path: Path) -> None:
    place = Place(tmp_path)
    place.write("t.csv", "id,v,s\n1,2,a\n")
    done = place.run("group", "t.csv", "--key", "id", "--where", where)
    assert (done.code, fault in done.err) == (2, True), done.err


def test_cells_that_are_no_numbers_are_named_with_their_line(tmp_path: Path) -> None:
    place = Place(tmp_path)
    place.write("t.csv", "id,v\n1,2\n1,x\n")
    done = place.run("group", "t.csv", "--key", "id", "--where", "v > 1")
    assert (
        done.code,
        "t.csv: line 3, column 'v': 'x'; compared with the number 1" in done.err,
    ) == (1, True)
    done = place.run("group", "t.csv", "--key", "id", "--where", "w > 1")
    assert (done.code, "no column 'w'; the columns are id, v" in done.err) == (1, True)
    done = place.run("group", "t.csv", "--key", "id", "--where", "v == '9'")
    assert (done.code, "true of none of the 2 rows of t.csv" in done.err) == (1, True)


def test_lines_and_counts_are_those_of_the_file(tmp_path: Path) -> None:
    place = Place(tmp_path)
    place.write("t.csv", "id,v,s\n1,2,a\n1,x,b\n2,,a\n2,z,a\n")
    call = ("t.csv", "--key", "id", "--drop", "s", "--where")
    assert "line 5, column 'v': 'z'" in place.run("group", *call, "s == a").err
    done = succeeded(place.run("group", *call, "s == a and not id == 2"))
    assert "dropped 3 rows: left out by where" in " ".join(done.err.split())
    assert "plan" not in succeeded(place.run("plan", *call, "s == b or id == 1", "--json")).err


@pytest.mark.parametrize("sign", ["==", "!=", "<", ">=", "in"])
def test_integers_that_share_one_float_are_told_apart(sign: str, tmp_path: Path) -> None:
    # Ids of 16, 19 and 20 digits; the missing ones make a float64 of the column.
    for low in (2**53, 2**60, 2**63):
        ids = [low, low + 1, 7]
        value = f"({low + 1})" if sign == "in" else low + 1
        expected = [
            i
            for i, one in enumerate(ids)
            if {"<": one < low + 1, ">=": one > low, "!=": one != low + 1}.get(sign, one == low + 1)
        ]
        column = pa.array(ids, pa.uint64())
        for name, cells in (("all", column), ("gaps", pa.concat_arrays([column, pa.nulls(1, pa.uint64())]))):
            table = pa.table({"id": [1] * len(cells), "big": cells})
            texts = ["" if cell is None else str(cell) for cell in cells.to_pylist()]
            (tmp_path / "t.csv").write_text("id,big\n" + "".join(f"1,{text}\n" for text in texts))
            for source in (table, tmp_path / "t.csv"):
                made = st.group(
                    source,
                    key="id",
                    columns=["id"],
                    where=f"big {sign} {value}",
                    keep_row_index=True,
                    ragged=True,
                )
                assert made.per_step["row_index"].data[:].tolist() == expected, (low, name)
