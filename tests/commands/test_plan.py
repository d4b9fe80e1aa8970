"""`seqtool plan`: on sequences and on raw tables, and that the call it advises does what was planned."""

from __future__ import annotations

import json
import shlex
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
from pyarrow import parquet

from tests.command import SAMPLES, Place, succeeded
from tests.cutting import small_blocks

VOWELS = [
    *(str(SAMPLES / "japanese_vowels.csv"), "--key", "utterance", "--order-by", "frame"),
    *("--label", "speaker", "--drop", "split"),
]


@pytest.fixture
def place(tmp_path: Path) -> Place:
    place = Place(tmp_path)
    place.write("visits.csv", "user,score,age,plan\nb,0.5,30,pro\na,1.5,41,free\nb,2.5,30,pro\nb,9,30,pro\n")
    place.write("a.txt", "1 2 3\n4\n\n5 6\n")
    return place


def plan(place: Place, *arguments: str, stdin: Any = None) -> dict[str, Any]:
    done = succeeded(place.run("plan", *arguments, "--json", stdin=stdin))
    assert done.err == ""
    return dict(json.loads(done.out))


def test_a_raw_table_is_counted_by_its_key(place: Place) -> None:
    facts = plan(place, "visits.csv", "--key", "user")
    assert (facts["sequences"], facts["steps"], facts["features"], facts["dtype"]) == (2, 4, 2, "float32")
    assert facts["lengths"] == {"min": 1, "median": 2, "max": 3}
    assert [found["maxlen"] for found in facts["candidates"]] == [1, 3]
    assert facts["candidates"][1] == {
        "maxlen": 3,
        "origin": "longest",
        "cut": 0,
        "lost": 0,
        "slots": 6,
        "padding": 2,
        "nbytes": 2 * 3 * 2 * 4,
    }
    assert facts["command"] == "seqtool group visits.csv --key user --drop plan --maxlen 3"
    assert "not used as features: plan (not numeric)" in facts["notes"]
    succeeded(place.shell(facts["command"]))
    assert place.left_behind() == []


def test_the_options_of_a_table_decide_what_a_feature_is(place: Place) -> None:
    for options, features in (
        (["--drop", "plan"], 2),
        (["--drop", "plan,age"], 1),
        (["--columns", "age"], 1),
        (["--label", "plan", "--static", "age"], 1),
        (["--order-by", "score"], 1),
        (["--step-label", "plan", "--keep-key"], 2),
    ):
        facts = plan(place, "visits.csv", "--key", "user", *options, "--dtype", "float64")
        assert (facts["features"], facts["dtype"], facts["sequences"]) == (features, "float64", 2), options
        succeeded(place.shell(facts["command"]))


@pytest.mark.parametrize("part", ["label", "step-label"])
@pytest.mark.parametrize("empty", ["drop", "keep"])
def test_sequences_without_a_label_are_counted_as_group_takes_them(
    part: str, empty: str, place: Place
) -> None:
    place.write("t.csv", "id,y,v\n1,5,1\n2,NA,1\n2,NA,4\n3,7,1\n3,7,2\n")
    options = ["t.csv", "--key", "id", f"--{part}", "y", "--empty-label"]
    facts = plan(place, *options, empty)
    assert facts["sequences"] == (2 if empty == "drop" else 3)
    succeeded(place.shell(f"{facts['command']} -o o.npz"))
    assert len(place.arrays("o.npz")["keys"]) == facts["sequences"]


def test_where_no_feature_is_left_no_call_is_advised(place: Place) -> None:
    place.write("words.csv", "k,v\n2,x\n1,y\n2,z\n")
    facts = plan(place, "words.csv", "--key", "k")
    assert (facts["sequences"], facts["features"], facts["command"]) == (2, 0, None)


def test_cells_that_would_stop_group_do_not_stop_the_count(place: Place) -> None:
    place.write("a.csv", "k,t,v\n2,late,x\n1,,y\n2,soon,z\n")
    facts = plan(place, "a.csv", "--key", "k", "--order-by", "t")
    assert (facts["sequences"], facts["steps"], facts["features"]) == (2, 3, 1)
    assert "x is taken to be float32" in facts["notes"]


ROWS = 300  # of ten bytes


@pytest.mark.thinned
@pytest.mark.parametrize(
    ("options", "last", "refused"),
    [
        ([], "1,2,red,3,5,5", None),  # a column that is text in its last row alone
        ([], "1,2,,oops,5,", "'oops'; a number was expected"),
        (["--order-by", "t"], "1,,,3,5,", "order column 't' is empty in 1 of 301 rows"),
        (["--label", "y"], "1,2,,3,,", "label column 'y' is empty in 1 of 301 rows"),
        (["--label", "y"], "1,2,,3,6,", "column 'y' changes from '5' to '6' within key 1"),
        (["--static", "y"], "1,2,,3,6,", "column 'y' changes from 5 to 6 within key 1"),
        (["--static", "y"], "1,2,,3,oops,", "'oops'; a number was expected"),
        (["--step-label", "y"], "1,2,,3,,", "label column 'y' is empty in 1 of 301 rows"),
        ([], "1,2,,9223372036854775807,0.5,", "which float32 cannot hold exactly"),
        (["--dtype", "int8", "--columns", "v"], "1,2,,300,5,", "300, which int8 cannot hold"),
    ],
)
def test_the_last_row_is_judged_as_the_first(
    place: Place, monkeypatch: pytest.MonkeyPatch, options: list[str], last: str, refused: str | None
) -> None:
    small_blocks(monkeypatch, 500)  # so the last row stands in a later batch
    rows = "".join(f"{i % 7},{i % 5},,{i % 3},5,\n" for i in range(ROWS))
    place.write("a.csv", f"k,t,c,v,y,d\n{rows}{last}\n")
    call = ["a.csv", "--key", "k", *options]
    if "--label" in options or "--static" in options or "--step-label" in options:
        call += ["--columns", "v"]
    facts = plan(place, *call)
    assert (facts["sequences"], facts["steps"]) == (7, ROWS + 1)
    if refused is None:
        assert facts["warnings"] == []
        [output] = place.outputs("group", shlex.split(facts["command"])[2:])
        assert output["x"].dtype == facts["dtype"]
        return
    assert facts["command"] is None
    [text] = facts["warnings"]
    assert refused in text
    assert text == "group would refuse this table: " + place.run("group", *call).err.strip().removeprefix(
        "seqtool: error: "
    )


def test_typed_tables_are_judged_to_their_last_row_too(place: Place) -> None:
    whole = pa.table({"k": [1, 1, 2], "v": [1, 2, 2**60 + 1], "w": [0.5, 1.5, 2.5]})
    parquet.write_table(whole, place.folder / "a.parquet", row_group_size=1)
    facts = plan(place, "a.parquet", "--key", "k")
    assert facts["command"] is None
    assert "no type holds 'v' beside the other numbers" in facts["warnings"][0]
    facts = plan(place, "a.parquet", "--key", "k", "--drop", "v")
    succeeded(place.shell(facts["command"]))


def test_an_empty_key_is_as_in_group(place: Place) -> None:
    place.write("a.csv", "k,v\n2,1\n,2\n2,3\n")
    done = place.run("plan", "a.csv", "--key", "k")
    assert (done.code, done.out) == (1, b"")
    assert "'k' is empty in 1 of 3 rows" in done.err
    assert place.run("group", "a.csv", "--key", "k").err == done.err
    assert plan(place, "a.csv", "--key", "k", "--empty-key", "keep")["sequences"] == 2
    facts = plan(place, "a.csv", "--key", "k", "--empty-key", "drop")
    assert (facts["sequences"], facts["steps"]) == (1, 2)
    assert "1 row dropped: empty key" in facts["notes"]


def test_several_keys_files_and_a_pipe(place: Place) -> None:
    place.write("more.csv", "user,score,age,plan\nb,1,2,pro\n")
    facts = plan(place, "visits.csv", "more.csv", "--key", "user", "--key", "plan")
    assert (facts["sequences"], facts["steps"], facts["features"]) == (2, 5, 2)
    facts = plan(place, "--key", "user", stdin=(place.folder / "visits.csv").read_bytes())
    assert facts["command"] == "seqtool group --key user --drop plan --maxlen 3"


def test_a_table_without_names_whose_key_may_be_a_feature(place: Place) -> None:
    place.write("numbers.csv", "1,2\n1,3\n2,4\n")
    place.write("words.csv", "x,2\nx,3\ny,4\n")
    place.write("rows.npy", np.array([[1, 2], [1, 3], [2, 4]], np.int16))
    assert plan(place, "numbers.csv", "--key", "0")["features"] == 2
    assert plan(place, "numbers.csv", "--key", "0", "--drop-key")["features"] == 1
    assert plan(place, "words.csv", "--key", "0", "--no-header")["features"] == 1
    facts = plan(place, "rows.npy", "--key", "0")
    assert (facts["features"], facts["dtype"]) == (2, "int16")
    done = place.run("plan", "words.csv", "--key", "0", "--no-header", "--columns", "0", "--drop-key")
    assert done.code == 1


@pytest.mark.parametrize("options", [["--post"], ["--pre", "--maxlen", "9"]])
def test_files_of_ours_padded_and_ragged(place: Place, options: list[str]) -> None:
    succeeded(place.run("pad", "a.txt", *options))
    facts = plan(place, "a.pad.npz")
    assert (facts["sequences"], facts["steps"], facts["features"]) == (4, 6, None)
    assert (facts["dtype"], facts["empty"], facts["lengths"]["max"]) == ("int64", 1, 3)
    succeeded(place.run("group", "visits.csv", "--key", "user", "--drop", "plan", "--ragged", "-o", "r.npz"))
    facts = plan(place, "r.npz")
    assert (facts["sequences"], facts["steps"], facts["features"]) == (2, 4, 2)


def test_whatever_pad_takes(place: Place) -> None:
    place.write("a.json", "[[[1,2],[3,4]],[[5,6]]]")
    place.write("b.jsonl", '{"id":"x","v":[1,2,3]}\n{"id":"y","v":[1]}\n')
    x = np.zeros((3, 5, 2))
    x[:, 0] = 1
    np.savez(place.folder / "f.npz", data=x, n=np.array([1, 0, 1]))
    np.save(place.folder / "n.npy", np.array([1, 0, 1]))
    place.write("f.npy", x)
    for call, lengths, features in (
        (["a.txt"], {"min": 0, "median": 1.5, "max": 3}, None),
        (["a.json"], {"min": 1, "median": 1.5, "max": 2}, 2),
        (["b.jsonl", "--array", "v"], {"min": 1, "median": 2, "max": 3}, None),
        (["b.jsonl", "--array", "v", "--key", "id"], {"min": 1, "median": 2, "max": 3}, None),
        (["f.npz", "--array", "data", "--lengths", "n"], {"min": 0, "median": 1, "max": 1}, 2),
        (["f.npy", "--lengths", "n.npy"], {"min": 0, "median": 1, "max": 1}, 2),
    ):
        facts = plan(place, *call)
        assert (facts["lengths"], facts["features"]) == (lengths, features), call


@pytest.mark.parametrize(
    ("real", "words"),
    [
        (
            slice(None, 3),
            "4 of 4 sequences end in steps of 0 alone; if that is leftover padding, drop it and plan what this writes: "
            "seqtool pad FILE --strip 0",
        ),
        (
            slice(6, None),
            "sequences begin in steps of 0 alone; if that is leftover padding, drop it and plan what this writes: "
            "seqtool pad FILE --strip 0 --strip-",
        ),
    ],
)
def test_old_padding_in_a_foreign_array_is_mentioned(place: Place, real: slice, words: str) -> None:
    x = np.zeros((4, 9, 2))
    x[:, real] = np.arange(1, 4)[:, None]
    place.write("f.npy", x)
    done = succeeded(place.run("plan", "f.npy"))
    assert words in done.err
    assert b"longest 9" in done.out


def test_savings_as_data(place: Place) -> None:
    place.write("b.txt", "1\n" * 40 + "1 2 3\n" * 20 + "1 2 3 4 5\n")
    shared = {"maxlens": None, "batch_size": None}
    assert plan(place, "b.txt")["savings"] == [
        {**shared, "way": "buckets", "slots": 105, "padding": 0, "maxlens": [1, 3, 5]},
        {**shared, "way": "batches", "slots": 32 * 1 + 29 * 5, "padding": 72, "batch_size": 32},
        {**shared, "way": "packed", "slots": 105, "padding": 0},
    ]


@pytest.mark.parametrize(
    "call",
    [VOWELS, ["visits.csv", "--key", "user", "--drop", "plan"], ["a.txt"], ["a.txt", "--dtype", "float32"]],
)
def test_the_call_that_is_advised_makes_what_was_planned(place: Place, call: list[str]) -> None:
    facts = plan(place, *call)
    advised = next(f for f in facts["candidates"] if f["maxlen"] == facts["advice"]["maxlen"])
    command, *arguments = shlex.split(facts["command"])[1:]
    [arrays] = place.outputs(command, arguments)
    assert arrays["x"].shape[:2] == (facts["sequences"], advised["maxlen"])
    assert arrays["x"].shape[2:] == (() if facts["features"] is None else (facts["features"],))
    assert arrays["x"].nbytes == advised["nbytes"]
    assert arrays["x"].dtype == facts["dtype"]
    assert int(arrays["lengths"].sum()) == facts["steps"] - advised["lost"]
    original = arrays.get("original_lengths", arrays["lengths"])
    assert int((original > advised["maxlen"]).sum()) == advised["cut"]


def test_a_heavy_tail_is_better_kept_ragged(place: Place) -> None:
    rows = [f"{key},1" for key in range(200) for _ in range(2)] + ["long,1"] * 5000
    place.write("a.csv", "k,v\n" + "\n".join(rows) + "\n")
    facts = plan(place, "a.csv", "--key", "k")
    assert facts["advice"]["ragged"]
    assert facts["command"] == "seqtool group a.csv --key k --ragged"
    text = succeeded(place.run("plan", "a.csv", "--key", "k")).out.decode()
    assert "keep the sequences ragged" in " ".join(text.split())
    succeeded(place.run("group", "a.csv", "--key", "k", "--ragged", "-o", "r.npz"))


def test_a_heavy_tail_in_a_file_of_sequences_is_better_kept_ragged_too(place: Place) -> None:
    place.write("tail.txt", "1 2\n" * 200 + "1 " * 5000 + "\n")
    facts = plan(place, "tail.txt", "--dtype", "float32")
    assert facts["command"] == "seqtool pad tail.txt --dtype float32 --ragged"
    [arrays] = place.outputs("pad", shlex.split(facts["command"])[2:])
    assert arrays["values"].shape == (5400,)
    assert np.diff(arrays["offsets"]).tolist() == [2] * 200 + [5000]


@pytest.mark.parametrize("side", ["--post", "--pre"])
def test_a_padded_file_of_ours_keeps_its_side(place: Place, side: str) -> None:
    place.write("b.txt", "1 2\n3 4 5\n")
    succeeded(place.run("pad", "b.txt", side, "--maxlen", "5"))
    facts = plan(place, "b.pad.npz")
    assert facts["command"] == "seqtool pad b.pad.npz --maxlen 3"
    [arrays] = place.outputs("pad", shlex.split(facts["command"])[2:])
    assert arrays["x"].tolist() == [[1, 2, 0] if side == "--post" else [0, 1, 2], [3, 4, 5]]


def test_what_a_person_sees(place: Place) -> None:
    done = succeeded(place.run("plan", *VOWELS))
    assert done.err == ""
    text = done.out.decode()
    assert "\x1b" not in text
    assert text.splitlines()[:5] == [
        VOWELS[0],
        "  640 sequences, 9,961 steps, 12 features",
        "  shortest 7, median 15, longest 29",
        "  the first row is a header",
        "",
    ]
    words = " ".join(text.split())
    for part in (
        "◂ maxlen 22",
        "▸ 22 95% 32 (5.0%) 0.6% 29.7% 675.8 kB",
        "29 longest 0 0% 46.3% 890.9 kB",
        "packed: no padding 9,961 0% 1.9 x",
        "maxlen 22 The smallest maxlen that loses at most 1% of the steps makes 29.7% of",
        "--order-by frame --drop split --label speaker --maxlen 22",
    ):
        assert part in words


def test_no_sequences_and_empty_ones(place: Place) -> None:
    place.write("none.npy", np.empty((0, 3, 2)))
    place.write("empty.txt", "\n\n")
    for name, words in (("none.npy", "no sequences"), ("empty.txt", "every sequence is empty")):
        facts = plan(place, name) if name == "none.npy" else None
        assert facts is None or (facts["command"], facts["candidates"]) == (None, [])
        assert words in succeeded(place.run("plan", name)).out.decode()


def test_one_sequence(place: Place) -> None:
    place.write("a.txt", "1 2 3 4 5\n")
    facts = plan(place, "a.txt")
    assert facts["advice"]["maxlen"] == 5
    packed = {"way": "packed", "slots": 5, "padding": 0, "maxlens": None, "batch_size": None}
    assert facts["savings"] == [packed]


def test_names_are_data(place: Place) -> None:
    place.write("[red]\x1b[31m.csv", "[b]k[/b],v\n1,2\n1,3\n")
    text = succeeded(place.run("plan", "[red]\x1b[31m.csv", "--key", "[b]k[/b]")).out.decode()
    assert "\x1b" not in text
    assert text.startswith("[red]\\x1b[31m.csv\n  1 sequence")
    assert "'[b]k[/b]'" in text


@pytest.mark.parametrize(
    ("call", "code", "words"),
    [
        (["visits.csv"], 1, "name the column that identifies sequences; "),
        (["visits.csv", "--order-by", "age"], 2, "--order-by is for tables"),
        (["a.txt", "--empty-key", "drop"], 2, "--empty-key is for tables"),
        (["a.txt", "--no-header"], 2, "--header is for tables"),
        (["visits.csv", "--key", "user", "--lengths", "n"], 2, "--key groups the rows of tables"),
        (["visits.csv", "--key", "user", "--empty-key", "no"], 2, "--empty-key is 'no'"),
        (["visits.csv", "--key", "user", "--dtype", "text"], 2, "dtype is 'text'"),
        (["visits.csv", "--key", "nope"], 1, "no column 'nope'"),
        (["visits.csv", "--key", "user", "--max-memory", "1M"], 2, "--max-memory"),
        (["a.txt", "visits.csv"], 2, "plan takes one at a time"),
        (["missing.csv", "--key", "user"], 1, "no such file"),
        (["nothing.csv", "--key", "user"], 1, "empty"),
        ([], 2, "no input"),
    ],
)
def test_wrong_calls(place: Place, call: list[str], code: int, words: str) -> None:
    place.write("nothing.csv", "")
    done = place.run("plan", *call)
    assert (done.code, done.out) == (code, b"")
    assert done.err.startswith("seqtool: error: ")
    assert words in done.err
    assert "Traceback" not in done.err


def test_list_columns_counted_as_rows_are_mentioned(place: Place) -> None:
    place.write("b.jsonl", '{"id":"x","v":[1,2,3]}\n{"id":"y","v":[1]}\n')
    done = succeeded(place.run("plan", "b.jsonl", "--key", "id"))
    assert "name it: --array NAME" in done.err
