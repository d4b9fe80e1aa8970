"""Workbooks (.xlsx and their like): a sheet is a table, read as the same rows of a CSV are."""

from __future__ import annotations

import json
import sys
from datetime import date, datetime, time, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

import seqtool as st
from seqtool.errors import DataError, UsageError
from seqtool.files.workbooks import check_size, is_workbook
from seqtool.system.memory import Memory
from tests.command import Place, succeeded
from tests.workbooks import Failed, reader, workbook

HEADER = ["id", "when", "v", "ok", "note", "clock", "took"]
ROWS = [
    [1, datetime(2024, 1, 2, 3, 4, 5), 0.5, True, "x", time(10, 30), timedelta(hours=30)],
    [1, date(2024, 1, 3), 2, False, "y", None, None],
    [None],
    [2, None, Failed(), True, " z", "", None],
]
AS_CSV = (
    "id,when,v,ok,note,clock,took\n1,2024-01-02T03:04:05,0.5,true,x,10:30:00,30:00:00\n"
    "1,2024-01-03,2,false,y,,\n2,,,true, z,,\n"
)


@pytest.fixture
def place(tmp_path: Path) -> Place:
    reader()
    return Place(tmp_path)


def book(place: Place, name: str = "t.xlsx", rows: Any = (HEADER, *ROWS), **options: Any) -> str:
    return str(workbook(place.folder / name, {"Data": [*rows], "Empty": []}, **options))


@pytest.mark.parametrize(
    "options",
    [
        ["--columns", "v,ok"],
        ["--columns", "when,v", "--time-as", "days"],
        ["--columns", "v", "--step-label", "note"],
        ["--key", "note,ok", "--columns", "v"],
        ["--columns", "v", "--where", "v > 0 and ok == true"],
        ["--columns", "ok", "--where", "when > 2024-01-02", "--order-by", "when"],
    ],
)
def test_a_sheet_is_read_as_the_same_rows_of_csv(options: list[str], place: Place) -> None:
    book(place, corner=(2, 1))
    place.write("t.csv", AS_CSV)
    key = [] if "--key" in options else ["--key", "id"]
    found = [
        place.arrays(f"{kind}.npz")
        for kind in ("xlsx", "csv")
        if succeeded(place.run("group", f"t.{kind}", *key, *options, "-o", f"{kind}.npz"))
    ]
    for name in {*found[0], *found[1]} - {"meta"}:
        np.testing.assert_array_equal(found[0][name], found[1][name], err_msg=name)
        assert found[0][name].dtype == found[1][name].dtype, name
    arguments = json.loads(str(found[0]["meta"]))["receipt"][0]["arguments"]
    assert (arguments["sheet"], arguments["header"]) == ("Data", True)


def test_numbers_are_whole_where_they_were_typed_so(place: Place) -> None:
    path = book(place, rows=[[7, 1, 2.5], [7, 3, -4], [12, 5, 6]])
    by_position = st.group(path, key=0, columns=[1])
    assert (by_position.keys.tolist(), by_position.x.dtype) == ([7, 12], np.dtype(np.int64))
    assert st.group(path, key=0).x.dtype == np.float32
    assert st.group(path, key=2, drop=0).keys.tolist() == ["-4", "2.5", "6"]


def test_errors_name_sheet_row_and_column(place: Place) -> None:
    book(place, rows=[["k", "a"], [1, 2], [None, None], [1, 4], [2, "soon"], [2, 5]], corner=(3, 0))
    refused = place.run("group", "t.xlsx", "--key", "k")
    assert refused.code == 1
    assert "t.xlsx: sheet 'Data', row 8, column 'a': 'soon'; a number was expected" in refused.err


@pytest.mark.parametrize(
    ("first", "options", "told"),
    [
        (["k", 2021], [], "row 1: the first row mixes numbers ('2021') with other cells ('k')"),
        (["k", "k"], [], "the header names 'k' more than once"),
        ([2**53 + 2, 1], ["--key", "0"], "row 1, column '0': 9007199254740994; past 2^53"),
    ],
)
def test_headers_and_keys_are_judged_as_in_text(
    first: list[Any], options: list[str], told: str, place: Place
) -> None:
    book(place, rows=[first, [1, 2], [3, 4]])
    refused = place.run("group", "t.xlsx", *(options or ["--key", "k"]))
    assert refused.code == 1
    assert told in refused.err


def test_a_header_of_years_rows_to_skip_and_a_column_without_a_name(place: Place) -> None:
    path = book(place, rows=[["Report"], [None, "of 2024"], ["k", 2021, None], [1, 2, 9], [1, 3, 9]])
    found = st.group(path, key="k", skip_rows=2, header=True)
    assert found.features == ("2021",)
    assert found.x.tolist() == [[[2], [3]]]
    told = succeeded(place.run("group", "t.xlsx", "--key", "k", "--skip-rows", "2", "--header")).err
    assert "sheet 'Data'; the first row is a header; column 2 has no name and is left out" in told


def test_numbers_of_text_are_read_by_their_marks_beside_real_ones(place: Place) -> None:
    path = book(place, rows=[["k", "a"], [1, 0.5], [1, "2.334,01"], [1, "7"]])
    found = st.group(path, key="k", decimal=",", thousands=".", dtype="float64")
    assert found.x[0, :, 0].tolist() == [0.5, 2334.01, 7]


def test_one_sheet_of_several_is_named(place: Place) -> None:
    rows = {"a": [["k", "x"], [1, 2]], "b": [["k", "x"], [1, 3]], "c": [["z"], [9]]}
    path = str(workbook(place.folder / "t.xlsx", rows, hidden=["c"]))
    with pytest.raises(DataError, match="rows stand in sheets 'a', 'b'; name the one to read: sheet=\"a\""):
        st.group(path, key="k")
    assert st.group(path, key="k", sheet="b").x.item() == 3
    assert st.group(path, no_key=True, sheet="c").x.item() == 9  # hidden, and meant
    with pytest.raises(DataError, match=r"no sheet 'd'; .*the sheets are 'a', 'b', 'c'"):
        st.group(path, key="k", sheet="d")
    one_is_hidden = workbook(place.folder / "u.xlsx", rows, hidden=["b", "c"])
    assert st.group(str(one_is_hidden), key="k").x.item() == 2


def test_other_tables_and_several_workbooks(place: Place) -> None:
    book(place, "1.xlsx", rows=[["id", "a"], [1, 5], [2, 6]])
    book(place, "2.xlsx", rows=[["id", "a"], [2, 7]])
    book(place, "who.xlsx", rows=[["id", "died", "age"], [1, "no", 50], [2, "yes", 61]])
    call = ["group", "[12].xlsx", "--key", "id", "--label", "who.xlsx:died", "--static", "who.xlsx:age"]
    succeeded(place.run(*call, "--sheet", "Data", "-o", "o.npz"))
    found = place.arrays("o.npz")
    assert found["x"].tolist() == [[[5], [0]], [[6], [7]]]
    assert found["classes"][found["y"]].tolist() == ["no", "yes"]
    assert found["static"].tolist() == [[50], [61]]


def test_plan_pad_and_standard_input_take_it(place: Place) -> None:
    path = book(place, rows=[["id", "t0", "t1"], [1, 5, 6], [2, 7, None]])
    planned = succeeded(place.run("plan", "t.xlsx", "--key", "id", "--json")).out
    assert json.loads(planned)["command"].startswith("seqtool group t.xlsx --key id")
    succeeded(
        place.run("pad", "t.xlsx", "--steps", "t{0..1}", "--key", "id", "--sheet", "Data", "-o", "o.npz")
    )
    assert place.arrays("o.npz")["lengths"].tolist() == [2, 1]
    piped = place.run("group", "--key", "id", "-o", "p.npz", stdin=Path(path).read_bytes())
    assert succeeded(piped).code == 0
    assert "pad it" not in place.run("group", "t.xlsx").err  # a key is proposed, as of any table
    succeeded(place.run("group", "t.xlsx", "--key", "id", "--dry-run"))


def test_completion_offers_columns_and_sheets(place: Place) -> None:
    from types import SimpleNamespace

    from seqtool.commands import _completion

    path = book(place)
    assert _completion.names_in(Path(path)) == HEADER
    typed: Any = SimpleNamespace(args=[], params={"sources": [path]})
    assert _completion.sheets(typed, "D") == ["Data"]


@pytest.mark.parametrize("option", ["--delimiter ;", "--comment #", "--key-blank-lines"])
def test_what_is_of_text_alone_is_refused(option: str, place: Place) -> None:
    book(place)
    key = [] if "key" in option else ["--key", "id"]
    refused = place.run("group", "t.xlsx", *key, *option.split())
    assert refused.code == 2
    assert f"{option.split()[0]}: of text files, and t.xlsx is a workbook" in refused.err


def test_a_sheet_of_what_is_no_workbook_is_refused(place: Place) -> None:
    place.write("t.csv", "k,a\n1,2\n")
    refused = place.run("group", "t.csv", "--key", "k", "--sheet", "a")
    assert refused.code == 2
    assert "--sheet names a sheet of a workbook, and t.csv is none" in refused.err


def test_damaged_workbooks_and_those_without_rows_are_told(place: Place) -> None:
    content = Path(book(place)).read_bytes()
    for name, data, told in (
        ("cut.xlsx", content[:900], "damaged, or no workbook"),
        ("old.xls", b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(2000), "damaged, protected by a password"),
        ("text.xlsx", b"a,b\n1,2\n", "named .xlsx, but it holds text; name it by what it is, such as .csv"),
    ):
        place.write(name, data)
        refused = place.run("group", name, "--key", "a")
        assert (refused.code, told in refused.err) == (1, True), refused.err
    workbook(place.folder / "none.xlsx", {"a": [], "b": []})
    assert "a workbook without rows" in place.run("group", "none.xlsx", "--key", "a").err
    skipped = place.run("group", "t.xlsx", "--key", "id", "--skip-rows", "99")
    assert "sheet 'Data' holds no rows" in skipped.err


def test_what_does_not_fit_into_memory_is_refused_before_it_is_read(place: Place) -> None:
    path = workbook(place.folder / "far.xlsx", {"a": [["k", "x"], [1, 2]]}, corner=(1_048_570, 16_000))
    refused = place.run("group", "far.xlsx", "--key", "k", "--max-memory", "256M")
    assert refused.code == 1
    assert "whose last cells stand in row 1,048,572 and column 16,002: can only be read whole" in refused.err
    with pytest.raises(DataError, match="can only be read whole and takes about"):
        check_size("far.xlsx", path, Memory(100))


def test_without_the_package_the_extra_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = workbook(tmp_path / "t.xlsx", {"a": [["k", "x"], [1, 2]]})
    monkeypatch.setitem(sys.modules, "python_calamine", None)
    with pytest.raises(
        UsageError, match=r"python-calamine is missing; .*t\.xlsx .*pip install 'seqtool\[excel\]'"
    ):
        st.group(str(path), key="k")


def test_a_workbook_is_recognised_by_what_it_holds(tmp_path: Path) -> None:
    path = workbook(tmp_path / "t", {"a": [[1]]})
    assert is_workbook(path, path.read_bytes()[:4096])
    pd.DataFrame({"a": [1]}).to_csv(
        tmp_path / "t.zip", compression={"method": "zip", "archive_name": "t.csv"}
    )
    assert not is_workbook(tmp_path / "t.zip", (tmp_path / "t.zip").read_bytes()[:4096])
