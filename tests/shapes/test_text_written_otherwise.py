"""Text as other programs write it: decimal commas, thousands, comments, lines before the header, runs of blanks."""

from __future__ import annotations

import bz2
import json
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

import seqtool as st
from tests.command import Place, succeeded
from tests.cutting import small_blocks

NAN = float("nan")


@pytest.fixture
def place(tmp_path: Path) -> Place:
    return Place(tmp_path)


# What stands in the file, how it is read, and the features of its one sequence.
FORMS: dict[str, tuple[str, list[str], list[list[float]]]] = {
    "decimal commas": ("k;a\n1;0,5\n1;-7\n1;1,5e3\n1;NA\n", ["--decimal", ","], [[0.5], [-7], [1500], [NAN]]),
    "no header": ("1;0,5\n1;2\n", ["--decimal", ",", "--drop-key"], [[0.5], [2]]),
    "both marks": (
        "k;a\n1;2.334,01\n1;1.000.000\n1;12\n",
        ["--decimal", ",", "--thousands", "."],
        [[2334.01], [1e6], [12]],
    ),
    "thousands": ('k,a\n1,"1,000"\n1,"12,345.5"\n1,.5\n', ["--thousands", ","], [[1000], [12345.5], [0.5]]),
    "a blank of thousands": ("k,a\n1,1 000\n1,5\n", ["--thousands", " "], [[1000], [5]]),
    "lines before": ('made "by\nme\n\nk,a\n1,2\n1,3\n', ["--skip-rows", "2"], [[2], [3]]),
    "comments": ("# x,y,z\nk,a\n1,2\n  # 7\n1,3\n#\n", ["--comment", "#"], [[2], [3]]),
    "no comment in quotes": ('k,a,b\n1,2,"x\n#y"\n', ["--comment", "#", "--drop", "b"], [[2]]),
    "runs of blanks": (
        '  k   a\tb \n 1 2.5  "7"\n\n1\t3 -4\n',
        ["--delimiter", "whitespace"],
        [[2.5, 7], [3, -4]],
    ),
    "all of it": (
        "x\n  k  a\n% no\n1 2.000,5\n",
        [
            *("--delimiter", "whitespace", "--skip-rows", "1"),
            *("--comment", "%", "--decimal", ",", "--thousands", "."),
        ],
        [[2000.5]],
    ),
}


@pytest.mark.thinned
@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("packed", [False, True])
def test_rows_are_read_as_they_are_written(form: str, packed: bool, place: Place) -> None:
    text, options, expected = FORMS[form]
    place.write("t.csv", bz2.compress(text.encode()) if packed else text)
    succeeded(place.run("group", "t.csv", "--key", "0", *options, "-o", "o.npz", "--dtype", "float64"))
    np.testing.assert_array_equal(place.arrays("o.npz")["x"], [expected])


def test_many_lines_are_the_same_as_plain_ones(place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    small_blocks(monkeypatch, 1 << 15)
    rows = [(i % 50, i / 8, f"t{i % 500},{i}"[:9]) for i in range(8000)]
    place.write("plain.csv", "k,a,s\n" + "".join(f'{k},{a},"{s}"\n' for k, a, s in rows))
    other = "".join(f'{k};{f"{a:,.3f}".translate(str.maketrans(",.", ".,"))};"{s}"\n#\n' for k, a, s in rows)
    place.write("other.csv", "top\nk;a;s\n" + other)
    more = ("--decimal", ",", "--thousands", ".", "--comment", "#", "--skip-rows", "1")
    call = ("--key", "k", "--label", "s", "--where", "a >= 20", "--columns", "a", "--step-label", "s")
    call = (*call[:2], *call[4:])
    plain, read = place.outputs("group", ["plain.csv", *call], ["other.csv", *call, *more])
    assert {name: plain[name].tobytes() for name in plain if name != "meta"} == {
        name: read[name].tobytes() for name in read if name != "meta"
    }


@pytest.mark.parametrize(
    ("text", "options", "fault"),
    [
        ("# c\nk,a\n#\n1,x\n1,2\n1,3\n", ["--comment", "#"], "t.csv: line 4, column 'a': 'x'"),
        (
            "top\nk,a\n\n1,2,3\n",
            ["--skip-rows", "1"],
            "t.csv: line 4: the first row has 2 cells, but this one 3",
        ),
        ("k a\n\n1  x\n1 2\n1 3\n", ["--delimiter", "whitespace"], "t.csv: line 3, column 'a': 'x'"),
        (
            "k;a\n1;0,5\n1;2.5\n",
            ["--decimal", ","],
            "line 3, column 'a': '2.5'; a fraction begins with ',' and not",
        ),
        (
            "k;a\n1;0,5\n1;2.5\n",
            ["--decimal", ",", "--thousands", "."],
            "'2.5'; a fraction begins with ','",
        ),
        ('k,a\n1,"1,00"\n1,2\n1,3\n', ["--thousands", ","], "'1,00'"),
    ],
)
def test_errors_name_the_lines_of_the_file(text: str, options: list[str], fault: str, place: Place) -> None:
    place.write("t.csv", text)
    done = place.run("group", "t.csv", "--key", "k", *options)
    assert (done.code, fault in done.err) == (1, True), done.err


@pytest.mark.parametrize(
    "options",
    [
        ["--decimal", "1"],
        ["--thousands", ",,"],
        ["--decimal", ",", "--thousands", ","],
        ["--comment", " "],
        ["--comment", "#", "--encoding", "utf-16"],
    ],
)
def test_what_cannot_be_is_told_by_the_call(options: list[str], place: Place) -> None:
    place.write("t.csv", "k,a\n1,2\n")
    assert place.run("group", "t.csv", "--key", "k", *options).code == 2


@pytest.mark.parametrize(
    "argument", [{"decimal": ","}, {"thousands": ","}, {"skip_rows": 1}, {"comment": "#"}]
)
def test_python_has_arguments_of_the_same_names(argument: dict[str, Any], tmp_path: Path) -> None:
    (tmp_path / "t.csv").write_text(
        "#\nk;a\n1;2\n" if {*argument} & {"skip_rows", "comment"} else "k;a\n1;2\n"
    )
    assert st.group(tmp_path / "t.csv", key="k", **argument).x.tolist() == [[[2]]]
    with pytest.raises(st.UsageError, match="has types of its own"):
        st.group(pd.DataFrame({"k": [1], "a": [2]}), key="k", **argument)


# Lines and lists of numbers by their marks, and the sequences in them.
LISTS = [
    ("0,5 -7 1,5e3\n2", ["--decimal", ","], [[0.5, -7, 1500], [2]]),
    ("0,5;-7 ; 1,5e3\n2", ["--decimal", ","], [[0.5, -7, 1500], [2]]),
    ("2.334,01\t1.000\n12", ["--decimal", ",", "--thousands", "."], [[2334.01, 1000], [12]]),
    ("1 000, 2\n3", ["--thousands", " "], [[1000, 2], [3]]),
    ("1,000 12,345.5\n.5", ["--thousands", ","], [[1000, 12345.5], [0.5]]),
]


@pytest.mark.parametrize(("text", "options", "expected"), LISTS)
def test_lists_of_numbers_are_read_as_they_are_written(
    text: str, options: list[str], expected: list[list[float]], place: Place
) -> None:
    place.write("t.txt", text + "\n")
    place.write("t.csv", "|k\n".join(["a", *(f"[{line}]" for line in text.split("\n"))]) + "|k\n")
    for call in (["t.txt"], ["t.csv", "--array", "a", "--delimiter", "|"]):
        found = place.outputs("pad", [*call, *options, "--ragged", "--dtype", "float64"])[0]
        assert [part.tolist() for part in np.split(found["values"], found["offsets"][1:-1])] == expected
        arguments = json.loads(str(found["meta"]))["receipt"][0]["arguments"]
        assert arguments.get("decimal", ".") == (options[1] if options[0] == "--decimal" else ".")


def test_a_point_among_decimal_commas_is_told(place: Place) -> None:
    place.write("t.txt", "1,5 2\n1,5 2.5\n")
    place.write("t.csv", "a|k\n1,5 2|k\n1,5 2.5|k\n")
    for call, where in ((["t.txt"], "t.txt: line 2: "), (["t.csv", "--array", "a"], "line 3, column 'a': ")):
        done = place.run("pad", *call, "--decimal", ",")
        assert (done.code, f"{where}'2.5'; a fraction begins with ','" in done.err) == (1, True), done.err


def test_other_options_of_tables_stay_refused_for_lines(place: Place) -> None:
    place.write("t.txt", "1,5 2\n")
    done = place.run("pad", "t.txt", "--decimal", ",", "--comment", "#")
    assert (done.code, "leave --comment out" in done.err, "--decimal" in done.err) == (2, True, False), (
        done.err
    )


@pytest.mark.thinned
@pytest.mark.parametrize(
    ("call", "part", "held"),
    [
        ("group t.csv --key id --columns v --label y", "y", [0.5, 0.25, 1000]),
        ("group t.csv --key id --columns v --step-label y", "step_y", [[0.5], [0.25], [1000]]),
        ("group t.csv --key id --columns v --label t.csv:y", "y", [0.5, 0.25, 1000]),
        ("pad t.csv --steps v --label y", "y", [0.5, 0.25, 1000]),
        ("pad t.csv --steps v --static y", "static", [[0.5], [0.25], [1000]]),
        ("pad t.csv --array v --label y", "y", [0.5, 0.25, 1000]),
        ("group t.csv --key y --columns v", "keys", ["0,25", "0,5", "1.000"]),
        ("pad t.csv --steps v --key y", "keys", ["0,5", "0,25", "1.000"]),
    ],
)
def test_labels_and_static_numbers_are_read_by_the_same_marks(
    call: str, part: str, held: list[Any], tmp_path: Path
) -> None:
    place = Place(tmp_path)
    place.write("t.csv", "id;v;y\n1;1,5;0,5\n2;2;0,25\n3;3,25;1.000\n")
    done = place.run(*call.split(), "--decimal", ",", "--thousands", ".", "-o", "o.npz")
    assert done.code == 0, done.err
    assert place.arrays("o.npz")[part].tolist() == held
