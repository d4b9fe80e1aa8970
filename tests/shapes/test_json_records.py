"""Rows as JSON: fields that come and go, and one array of objects in place of one object a line."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import seqtool as st
from tests.command import Place, succeeded

NAN = float("nan")
SPARSE = [{"k": 1, "a": 2.5}, {"a": 1, "k": 1, "b": 7}, {"k": 2}]


def written(place: Place, rows: list[dict[str, Any]], form: str) -> str:
    """The rows in a file, one a line or as an array that is laid out for people."""
    lines = "".join(json.dumps(row) + "\n" for row in rows)
    place.write(f"t.{form}", lines if form == "jsonl" else json.dumps(rows, indent=1))
    return f"t.{form}"


@pytest.mark.parametrize("form", ["jsonl", "json"])
def test_an_absent_field_is_missing_and_counted(tmp_path: Path, form: str) -> None:
    place = Place(tmp_path)
    done = succeeded(place.run("group", written(place, SPARSE, form), "--key", "k", "-o", "o.npz"))
    assert "missing values became NaN: a 1, b 2" in done.err
    expected = [[[2.5, NAN], [1, 7]], [[NAN, NAN], [0, 0]]]
    np.testing.assert_array_equal(place.arrays("o.npz")["x"], expected)


@pytest.mark.parametrize("form", ["jsonl", "json"])
def test_fields_that_play_no_part_may_come_late(tmp_path: Path, form: str) -> None:
    place = Place(tmp_path)
    file = written(place, [{"k": i % 3, "a": i} for i in range(2000)] + [{"k": 1, "a": 5, "note": "x"}], form)
    done = place.run("group", file, "--key", "k")
    line = 2001 if form == "jsonl" else 8002
    assert (done.code, f"t.{form}: line {line}: field 'note'" in done.err) == (1, True), done.err
    succeeded(place.run("group", file, "--key", "k", "--columns", "a", "-o", "o.npz"))
    assert place.arrays("o.npz")["lengths"].tolist() == [667, 668, 666]


def test_an_array_is_the_same_as_lines(tmp_path: Path) -> None:
    place = Place(tmp_path)
    rows = [{"k": f"é{i % 7}", "a": i / 3, "b": i if i % 5 else None} for i in range(3000)]
    lines, array = place.outputs(
        "group", *([written(place, rows, form), "--key", "k"] for form in ("jsonl", "json"))
    )
    assert {name: array[name].tobytes() for name in array if name != "meta"} == {
        name: lines[name].tobytes() for name in lines if name != "meta"
    }


@pytest.mark.parametrize(
    ("text", "fault"),
    [
        ('[{"k": 1},\n {"k": 2}', "line 2: not JSON (the array is never closed)"),
        ('[{"k": 1}\n {"k": 2}]', "line 2: not JSON (',' was expected, not '{')"),
        ('[{"k": 1},\n {"k" 2}]', "line 2: not JSON (Expecting ':' delimiter"),
        ('[{"k": 1},\n 5]', "line 2: one JSON object per line was expected, or an array of them"),
        ('[{"k": 1}]\n[', "line 2: not JSON (more follows the array)"),
        ("[\n]", "holds no rows"),
    ],
)
def test_what_is_no_array_of_objects_is_named_with_its_line(tmp_path: Path, text: str, fault: str) -> None:
    (tmp_path / "t.json").write_text(text)
    with pytest.raises(st.DataError) as error:
        st.group(tmp_path / "t.json", key="k", keep_key=True)
    assert fault in str(error.value)


def test_the_key_is_proposed_beside_fields_that_hold_several_values(place: Place) -> None:
    rows = [
        f'{{"user": "{user}", "tags": ["x"], "at": {{"lat": 1}}, "v": {i / 8}}}\n'
        for i, user in enumerate("aab")
    ]
    place.write("t.jsonl", "".join(rows))
    done = place.run("group", "t.jsonl")
    assert (done.code, "columns whose cells repeat are 'user'; such as --key user" in done.err) == (
        2,
        True,
    ), done.err
