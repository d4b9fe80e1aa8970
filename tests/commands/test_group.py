"""`seqtool group`: every option, by what it does to the file that comes out."""

from __future__ import annotations

import csv
import gzip
import json
import re
from pathlib import Path

import numpy as np
import pytest

from tests.command import SAMPLES, Place, succeeded

VISITS = """user,time,page,score,plan,age
b,2,home,0.5,pro,30
a,9,cart,1.5,free,41
b,1,cart,2.5,pro,30
a,9,home,3.5,free,41
b,3,home,4.5,pro,30
"""


@pytest.fixture
def place(tmp_path: Path) -> Place:
    place = Place(tmp_path)
    place.write("visits.csv", VISITS)
    return place


def group(place: Place, *arguments: str | Path) -> dict[str, np.ndarray]:
    """The arrays that come of a call."""
    [arrays] = place.outputs("group", arguments)
    return arrays


def receipt(arrays: dict[str, np.ndarray]) -> dict:
    [entry] = json.loads(str(arrays["meta"]))["receipt"]
    rows = entry["rows"]
    assert rows["in"] == rows["kept"] + rows["cut"] + sum(rows["dropped"].values())
    steps = arrays["x"] if "x" in arrays else arrays["values"]
    assert rows["kept"] == (int(arrays["lengths"].sum()) if "x" in arrays else len(steps))
    return entry


def test_the_missions_call(place: Place) -> None:
    """`seqtool group data.csv --key 2`, on the six rows of the mission."""
    place.write("data.csv", (SAMPLES / "rows.csv").read_bytes())
    done = succeeded(place.run("group", "data.csv", "--key", "2"))
    arrays = place.arrays("data.group.npz")
    assert arrays["keys"].tolist() == [1, 2, 3, 4]
    assert arrays["keys"].dtype == np.int64
    assert arrays["lengths"].tolist() == [1, 2, 2, 1]
    assert arrays["x"].dtype == np.int64
    assert arrays["x"].tolist() == [
        [[0, 1, 1], [0, 0, 0]],
        [[3, 0, 2], [2, 1, 2]],
        [[1, 2, 3], [2, 0, 3]],
        [[1, 1, 4], [0, 0, 0]],
    ]
    assert "features" not in arrays
    assert receipt(arrays)["rows"] == {"in": 6, "kept": 6, "cut": 0, "dropped": {}}
    assert "no header" in done.err


def test_japanese_vowels(place: Place) -> None:
    """The call that the README shows, against Python's csv module."""
    source = SAMPLES / "japanese_vowels.csv"
    call = ["--key", "utterance", "--order-by", "frame", "--label", "speaker", "--drop", "split"]
    succeeded(place.run("group", source, *call, "-o", "vowels.npz"))
    arrays = place.arrays("vowels.npz")
    assert arrays["x"].shape == (640, 29, 12)
    assert arrays["x"].dtype == np.float32
    assert (arrays["lengths"].min(), arrays["lengths"].max()) == (7, 29)
    assert arrays["y"].dtype == np.int64
    assert np.unique(arrays["y"]).tolist() == [*range(9)]
    assert arrays["classes"].tolist() == [*range(1, 10)]
    assert arrays["features"].tolist() == [f"lpc{i}" for i in range(1, 13)]
    assert receipt(arrays)["rows"] == {"in": 9961, "kept": 9961, "cut": 0, "dropped": {}}
    assert np.load(place.folder / "vowels.npz")["x"].any()
    expected: dict[int, list[tuple[int, list[float], int]]] = {}
    with source.open(newline="") as file:
        for row in csv.DictReader(file):
            step = (int(row["frame"]), [float(row[f"lpc{i}"]) for i in range(1, 13)], int(row["speaker"]))
            expected.setdefault(int(row["utterance"]), []).append(step)
    assert arrays["keys"].tolist() == sorted(expected)
    for i, key in enumerate(sorted(expected)):
        steps = sorted(expected[key])
        n = arrays["lengths"][i]
        assert n == len(steps)
        assert (arrays["x"][i, :n] == np.array([step for _, step, _ in steps], np.float32)).all()
        assert not arrays["x"][i, n:].any()
        assert arrays["classes"][arrays["y"][i]] == steps[0][2]


def test_order_by_and_its_ties(place: Place) -> None:
    by = ["visits.csv", "--key", "user", "--columns", "score"]
    file, pages = place.outputs("group", by, [*by, "--order-by=page:text", "--order-by", "time"])
    assert file["x"][..., 0].tolist() == [[1.5, 3.5, 0], [0.5, 2.5, 4.5]]
    assert pages["x"][..., 0].tolist() == [[1.5, 3.5, 0], [2.5, 0.5, 4.5]]
    done = succeeded(place.run("group", *by, "--order-by=time", "-o", "time.npz"))
    assert place.arrays("time.npz")["x"][..., 0].tolist() == [[1.5, 3.5, 0], [2.5, 0.5, 4.5]]
    assert "1 row ties in --order-by; it keeps file order" in done.err
    assert re.search("not used +as features: ", done.err)


def test_order_by_dates(place: Place) -> None:
    place.write("a.csv", "k,when,a\n1,2024-03-01,3\n1,2023-12-31T23:59:59,1\n1,2024-01-01 00:00:00,2\n")
    assert group(place, "a.csv", "--key", "k", "--order-by", "when")["x"].tolist() == [[[1], [2], [3]]]


def test_what_is_a_feature(place: Place) -> None:
    numbers = ["visits.csv", "--key", "user", "--order-by", "time"]
    place.write("bare.csv", "7,1\n7,2\n")
    place.write("named.csv", "k,a\n7,1\n7,2\n")
    others, fewer, chosen, dropped, bare, kept = place.outputs(
        "group",
        [*numbers, "--drop", "page,plan"],
        [*numbers, "--drop", "page", "--drop", "plan,age"],
        [*numbers, "--columns", "age,time,score"],
        ["bare.csv", "--key", "0", "--drop-key"],
        ["bare.csv", "--key", "0"],
        ["named.csv", "--key", "k", "--keep-key"],
    )
    assert others["features"].tolist() == ["score", "age"]
    assert fewer["features"].tolist() == ["score"]
    assert chosen["features"].tolist() == ["age", "time", "score"]
    assert dropped["x"].tolist() == [[[1], [2]]]
    assert bare["x"].tolist() == kept["x"].tolist() == [[[7, 1], [7, 2]]]


def test_a_column_without_a_name_is_left_out(place: Place) -> None:
    """The index that pandas writes."""
    place.write("c.csv", ",k,a\n0,7,1\n1,7,2\n")
    done = succeeded(place.run("group", "c.csv", "--key", "k"))
    assert "has no name and is left out" in done.err
    assert place.arrays("c.group.npz")["features"].tolist() == ["a"]


def test_keys_are_compared_as_written(place: Place) -> None:
    place.write("text.csv", "k,a\n7,1\n007,2\n07,3\n7,4\nNA,5\nnan,6\nnull,7\n")
    place.write("large.csv", "k,a\n9007199254740993,1\n9007199254740992,2\n-3,3\n")
    text, large = place.outputs("group", ["text.csv", "--key", "k"], ["large.csv", "--key", "k"])
    assert text["keys"].tolist() == ["007", "07", "7", "NA", "nan", "null"]
    assert text["lengths"].tolist() == [1, 1, 2, 1, 1, 1]
    assert large["keys"].tolist() == [-3, 9007199254740992, 9007199254740993]
    assert large["keys"].dtype == np.int64


def test_a_key_by_name_by_position_and_of_several_columns(place: Place) -> None:
    """A name that matches wins over a position."""
    place.write("a.csv", "1,0,b\n5,7,1\n5,8,2\n6,7,3\n")
    by = [place.folder / "a.csv", "--header", "--columns", "b", "--key"]
    name, place_2, both = place.outputs("group", [*by, "0"], [*by, "2"], [*by, "1", "--key", "0"])
    assert name["keys"].tolist() == [7, 8]
    assert place_2["keys"].tolist() == [1, 2, 3]
    assert both["keys"].tolist() == [[5, 7], [5, 8], [6, 7]]
    assert both["keys"].dtype == np.int64


def test_empty_keys(place: Place) -> None:
    place.write("a.csv", "k,a\n1,1\n,2\n2,3\n,4\n")
    by = ["a.csv", "--key", "k", "--empty-key"]
    dropped, kept = place.outputs("group", [*by, "drop"], [*by, "keep"])
    assert dropped["keys"].tolist() == [1, 2]
    assert receipt(dropped)["rows"] == {"in": 4, "kept": 2, "cut": 0, "dropped": {"empty key": 2}}
    assert kept["keys"].tolist() == ["", "1", "2"]
    assert kept["lengths"].tolist() == [2, 1, 1]


def test_labels(place: Place) -> None:
    by = ["visits.csv", "--key", "user", "--columns", "score", "--label"]
    place.write("a.csv", "k,y,a\n1,0.5,1\n2,1,2\n")
    of_a = ["a.csv", "--key", "k", "--label", "y"]
    text, whole, number, fraction, asked = place.outputs(
        "group",
        [*by, "plan"],
        [*by, "age"],
        [*by, "age", "--label-as", "number"],
        of_a,
        [*of_a, "--label-as", "class"],
    )
    assert (text["y"].tolist(), text["classes"].tolist()) == ([0, 1], ["free", "pro"])
    assert (whole["y"].tolist(), whole["classes"].tolist()) == ([1, 0], [30, 41])
    assert number["y"].tolist() == [41, 30]
    assert "classes" not in number
    assert fraction["y"].tolist() == [0.5, 1]
    assert "classes" not in fraction
    assert asked["y"].tolist() == [0, 1]
    assert asked["features"].tolist() == ["a"]


def test_step_labels_ride_along(place: Place) -> None:
    by = ["visits.csv", "--key", "user", "--columns", "score", "--order-by", "time", "--step-label", "page"]
    plain, chosen, cut = place.outputs(
        "group", by, [*by, "--label-value", "-1"], [*by, "--maxlen", "2", "--pre", "--label", "plan"]
    )
    assert plain["step_y"].tolist() == [[0, 1, -100], [0, 1, 1]]
    assert plain["classes"].tolist() == ["cart", "home"]
    assert chosen["step_y"].tolist() == [[0, 1, -1], [0, 1, 1]]
    assert cut["step_y"].tolist() == [[0, 1], [1, 1]]
    assert cut["y"].tolist() == [0, 1]
    assert cut["classes"].tolist() == ["free", "pro"]
    assert cut["step_classes"].tolist() == ["cart", "home"]


def test_a_label_value_that_labels_cannot_hold_is_refused(place: Place) -> None:
    place.write("a.csv", "k,c,f,a\n1,x,0.5,1\n1,y,1.5,2\n2,x,2,3\n")
    by = ["a.csv", "--key", "k", "--columns", "a", "--label-value", "nan"]
    for options in ([], ["--ragged"]):
        done = place.run("group", *by, "--step-label", "c", *options)
        expected = (
            "--label-value: nan cannot be held in int64, the type of step_y; a whole number was expected"
        )
        assert (done.code, done.err) == (1, f"seqtool: error: {expected}\n")
    arrays = group(place, *by, "--step-label", "f")
    assert str(arrays["step_y"].tolist()) == "[[0.5, 1.5], [2.0, nan]]"


def test_static_numbers(place: Place) -> None:
    place.write("a.csv", "k,s,t,a\n2,0.5,1,1\n1,1.5,2,2\n2,0.5,1,3\n")
    arrays = group(place, "a.csv", "--key", "k", "--static", "t", "--static", "s")
    assert arrays["static"].tolist() == [[2, 1.5], [1, 0.5]]
    assert arrays["static_features"].tolist() == ["t", "s"]
    assert arrays["features"].tolist() == ["a"]


def test_row_index_leads_back_to_the_rows(place: Place) -> None:
    rows = [(i * 7919 % 13, i * 31 % 101, i) for i in range(300)]
    place.write("a.csv", "k,t,a\n" + "".join(f"{k},{t},{a}\n" for k, t, a in rows))
    by = ["a.csv", "--key", "k", "--order-by", "t", "--keep-row-index", "--mask"]
    cut = [*by, "--maxlen", "9"]
    for arrays in place.outputs("group", by, cut, [*cut, "--pre", "--truncating", "post"]):
        index, real = arrays["row_index"], arrays["mask"]
        assert index.dtype == np.int64
        assert (index[~real] == -1).all()
        assert [rows[i][2] for i in index[real]] == arrays["x"][real][:, 0].tolist()
        keys = np.repeat(arrays["keys"], arrays["lengths"])
        assert [rows[i][0] for i in index[real]] == keys.tolist()
        assert len({*index[real].tolist()}) == real.sum()
        assert receipt(arrays)["rows"]["in"] == 300


def test_maxlen_sides_value_and_mask(place: Place) -> None:
    by = ["visits.csv", "--key", "user", "--columns"]
    latest, earliest, pre, values = place.outputs(
        "group",
        [*by, "score", "--maxlen", "2"],
        [*by, "score", "--maxlen", "2", "--truncating", "post"],
        [*by, "score", "--maxlen", "4", "--pre", "--value", "-1", "--mask"],
        [*by, "score,age", "--post", "--value", "0.5,-1"],
    )
    assert latest["x"][..., 0].tolist() == [[1.5, 3.5], [2.5, 4.5]]
    assert latest["original_lengths"].tolist() == [2, 3]
    assert receipt(latest)["rows"] == {"in": 5, "kept": 4, "cut": 1, "dropped": {}}
    assert earliest["x"][..., 0].tolist() == [[1.5, 3.5], [0.5, 2.5]]
    assert pre["x"][..., 0].tolist() == [[-1, -1, 1.5, 3.5], [-1, 0.5, 2.5, 4.5]]
    assert pre["mask"].tolist() == [[False, False, True, True], [False, True, True, True]]
    assert values["x"][0, 2].tolist() == [0.5, -1]


def test_dtypes(place: Place) -> None:
    by = ["visits.csv", "--key", "user", "--columns"]
    place.write("a.csv", "k,a,b\n1,true,9007199254740993\n1,False,2\n")
    whole, mixed, wide, narrow, large = place.outputs(
        "group",
        [*by, "age"],
        [*by, "score,age"],
        [*by, "score", "--dtype", "float64"],
        [*by, "age", "--dtype", "int8"],
        ["a.csv", "--key", "k"],
    )
    found = [arrays["x"].dtype for arrays in (whole, mixed, wide, narrow, large)]
    assert found == [np.int64, np.float32, np.float64, np.int8, np.int64]
    assert large["x"].tolist() == [[[1, 9007199254740993], [0, 2]]]


def test_ragged(place: Place) -> None:
    arrays = group(place, "visits.csv", "--key", "user", "--columns", "score,age", "--ragged")
    assert arrays["values"].tolist() == [[1.5, 41], [3.5, 41], [0.5, 30], [2.5, 30], [4.5, 30]]
    assert arrays["offsets"].tolist() == [0, 2, 5]
    assert arrays["offsets"].dtype == np.int64
    assert arrays["lengths"].tolist() == [2, 3]
    assert arrays["keys"].tolist() == ["a", "b"]
    assert "x" not in arrays
    assert receipt(arrays)["rows"] == {"in": 5, "kept": 5, "cut": 0, "dropped": {}}


def test_min_len_drops_and_counts(place: Place) -> None:
    arguments = ["visits.csv", "--key", "user", "--columns", "score", "--min-len", "3", "--label", "plan"]
    done = succeeded(place.run("group", *arguments, "-o", "out.npz"))
    arrays = place.arrays("out.npz")
    assert arrays["keys"].tolist() == ["b"]
    assert arrays["y"].shape == (1,)
    assert receipt(arrays)["rows"] == {
        "in": 5,
        "kept": 3,
        "cut": 0,
        "dropped": {"sequence under 3 steps": 2},
    }
    assert "2 rows" in done.err


def test_missing_values_become_nan_and_are_counted(place: Place) -> None:
    place.write("a.csv", "k,a,b\n1,1,?\n1,,2\n1,n/a,3\n1,NULL,-\n")
    call = ["group", "a.csv", "--key", "k", "--missing", "?", "--missing", "-", "-o", "out.npz"]
    done = succeeded(place.run(*call))
    x = place.arrays("out.npz")["x"]
    assert np.isnan(x[0]).tolist() == [[False, True], [True, False], [True, False], [True, True]]
    assert x.dtype == np.float32
    assert "a 3, b 2" in done.err


def test_header_and_no_header(place: Place) -> None:
    place.write("years.csv", "1,2023,2024\n1,5,6\n")
    place.write("words.csv", "x,1.5\ny,2.5\n")
    data, also_data, header, words = place.outputs(
        "group",
        ["years.csv", "--key", "0"],
        ["years.csv", "--key", "0", "--no-header"],
        ["years.csv", "--key", "1", "--header"],
        ["words.csv", "--key", "0", "--no-header"],
    )
    assert data["x"].shape == also_data["x"].shape == (1, 2, 3)
    assert header["features"].tolist() == ["2023", "2024"]
    assert header["x"].tolist() == [[[5, 6]]]
    assert words["keys"].tolist() == ["x", "y"]
    assert words["x"].tolist() == [[[1.5]], [[2.5]]]


def test_delimiters(place: Place) -> None:
    for name, mark in (("a.tsv", "\t"), ("a.csv", ";"), ("a.txt", "|"), ("b.csv", ":")):
        place.write(name, "k,a,b\n1,2,3\n1,4,5\n".replace(",", mark))
    place.write("tab.csv", "k\ta,b\n1\t2\n")
    *same, tab = place.outputs(
        "group",
        ["a.tsv", "--key", "k"],
        ["a.csv", "--key", "k"],
        ["a.txt", "--key", "k"],
        ["b.csv", "--key", "k", "--delimiter", ":"],
        ["tab.csv", "--key", "k", "--delimiter", "\\t"],
    )
    assert [arrays["x"].tolist() for arrays in same] == [[[[2, 3], [4, 5]]]] * 4
    assert tab["features"].tolist() == ["a,b"]


def test_quotes_and_line_endings(place: Place) -> None:
    place.write("a.csv", b'\xef\xbb\xbf"the, key",a\r\n"x\ny",1\r\n"say ""hi""",2\r\n"x\ny",3')
    arrays = group(place, "a.csv", "--key", '"the, key"')
    assert arrays["keys"].tolist() == ['say "hi"', "x\ny"]
    assert arrays["x"].tolist() == [[[2], [0]], [[1], [3]]]


def test_encodings(place: Place) -> None:
    encodings = ("latin-1", "cp1252", "utf-16")
    for encoding in encodings:
        place.write(f"{encoding}.csv", "stadt,größe\nKöln,1\nÅbo,2\n".encode(encoding))
    calls = [[f"{name}.csv", "--key", "stadt", "--encoding", name] for name in encodings]
    for arrays in place.outputs("group", *calls):
        assert arrays["keys"].tolist() == ["Köln", "Åbo"]
        assert arrays["features"].tolist() == ["größe"]


def test_several_files_globs_and_compression(place: Place) -> None:
    import pyarrow as pa

    head, *rows = VISITS.splitlines(keepends=True)
    by = ["--key", "user", "--order-by", "time", "--columns", "score,age", "--keep-row-index"]
    place.write("part1.csv", head + "".join(rows[:2]))
    place.write("part2.csv.gz", gzip.compress((head + rows[2]).encode()))
    place.write("part3.csv.zst", pa.compress((head + "".join(rows[3:])).encode(), "zstd", asbytes=True))
    whole, *parts = place.outputs(
        "group",
        ["visits.csv", *by],
        ["part1.csv", "part2.csv.gz", "part3.csv.zst", *by],
        ["part*", *by],
        ["part1*", "part[23]*", *by],
    )
    for split in parts:
        for name in {*whole} - {"meta"}:
            assert split[name].tolist() == whole[name].tolist(), name
        assert receipt(split)["inputs"] == ["part1.csv", "part2.csv.gz", "part3.csv.zst"]
        assert receipt(split)["rows"]["in"] == 5


def test_a_file_whose_name_is_a_pattern(place: Place) -> None:
    place.write("part1.csv", VISITS)
    place.write("part[1].csv", "user,score\nz,9\n")
    assert group(place, "part[1].csv", "--key", "user")["keys"].tolist() == ["z"]


def test_other_sources_give_the_same(place: Place) -> None:
    import pyarrow as pa
    import pyarrow.feather as feather
    import pyarrow.parquet as parquet

    kinds = {"time": int, "score": float, "age": int}
    rows = [
        {name: kinds.get(name, str)(cell) for name, cell in row.items()}
        for row in csv.DictReader(VISITS.splitlines())
    ]
    table = pa.Table.from_pylist(rows)
    parquet.write_table(table, place.folder / "a.parquet", row_group_size=2)
    feather.write_feather(table, str(place.folder / "a.feather"))
    place.write("a.jsonl", "".join(json.dumps(row) + "\n" for row in rows))
    by = ["--key", "user", "--order-by", "time", "--columns", "score,age", "--label", "plan"]
    sources = ("visits.csv", "a.parquet", "a.feather", "a.jsonl")
    expected, *others = place.outputs("group", *([source, *by] for source in sources))
    for source, found in zip(sources[1:], others, strict=True):
        for name in {*expected} - {"meta"}:
            assert found[name].tolist() == expected[name].tolist(), (source, name)
            assert found[name].dtype == expected[name].dtype, (source, name)


def test_arrays_are_bare_tables(place: Place) -> None:
    place.write("a.npy", np.array([[2, 5], [1, 6], [2, 7]], np.float32))
    arrays = group(place, "a.npy", "--key", "0")
    assert arrays["x"].tolist() == [[[1, 6], [0, 0]], [[2, 5], [2, 7]]]
    assert arrays["x"].dtype == np.float32
    assert arrays["keys"].dtype == np.int64
    np.savez(place.folder / "a.npz", x=np.array([[2, 5], [1, 6]], np.int16), other=np.zeros(3))
    arrays = group(place, "a.npz", "--key", "0", "--drop-key")
    assert arrays["x"].tolist() == [[[6]], [[5]]]
    assert arrays["x"].dtype == np.int16


def test_npy_output_holds_x_alone(place: Place) -> None:
    succeeded(place.run("group", SAMPLES / "rows.csv", "--key", "2", "--maxlen", "1", "-o", "out.npy"))
    assert np.load(place.folder / "out.npy").tolist() == [[[0, 1, 1]], [[2, 1, 2]], [[2, 0, 3]], [[1, 1, 4]]]


def test_the_receipt_holds_what_was_asked_for(place: Place) -> None:
    arrays = group(
        place, "visits.csv", "--key", "user", "--order-by", "time", "--drop", "page,plan", "--maxlen", "2"
    )
    entry = receipt(arrays)
    assert (entry["command"], entry["inputs"]) == ("group", ["visits.csv"])
    arguments = entry["arguments"]
    assert arguments["key"] == ["user"]
    assert arguments["order_by"] == ["time"]
    assert arguments["features"] == ["score", "age"]
    assert arguments["maxlen"] == 2
    assert (arguments["padding"], arguments["truncating"]) == ("post", "pre")


def test_what_a_person_should_know_is_reported(place: Place) -> None:
    place.write("t.csv", "u,t,s\na,1704067201.123,1\nb,2.5,\n")
    text = succeeded(place.run("group", "t.csv", "--key", "u", "--static", "s", "-o", "t.npy")).err
    assert "t: float32 loses fractional precision past 16,777,216; keep it with --dtype float64" in text
    assert "missing values became NaN: s 1" in text
    assert "left out" in text
    assert "static" in text
    text = succeeded(place.run("group", "t.csv", "--key", "u", "--columns", "t", "--min-len", "9")).err
    assert "no sequence is left" in text


def test_value_auto_takes_one_that_no_real_step_holds(place: Place) -> None:
    place.write("zeros.csv", "k,a,b\n1,0,0\n1,2,3\n2,-1,-1\n")
    done = succeeded(place.run("group", "zeros.csv", "--key", "k", "--value", "auto", "-o", "a.npz"))
    assert "padding with -2" in done.err
    assert place.arrays("a.npz")["x"].tolist() == [[[0, 0], [2, 3]], [[-1, -1], [-2, -2]]]
