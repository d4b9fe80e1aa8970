"""One sequence a file: what parts of its path say is its key, its label and static numbers."""

from __future__ import annotations

import re
import resource
import shlex
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

import seqtool as st
from seqtool.errors import DataError, UsageError
from seqtool.files import inputs
from seqtool.files.path_parts import PathPattern
from seqtool.tables import opening
from tests.command import Done, Place, succeeded


@pytest.fixture
def place(tmp_path: Path) -> Place:
    return Place(tmp_path)


def put(place: Place, name: str, content: str | np.ndarray) -> None:
    (place.folder / name).parent.mkdir(parents=True, exist_ok=True)
    place.write(name, content)


RECORDINGS = {"walk/007": [[1, 2], [3, 4]], "run/7": [[5, 6]], "run/10": [[7, 8], [9, 10], [11, 12]]}
"""The rows of each file, by its label and key."""


@pytest.fixture
def recordings(place: Place) -> Place:
    for name, rows in RECORDINGS.items():
        put(place, f"rec/{name}.csv", "a,b\n" + "".join(f"{a},{b}\n" for a, b in rows))
    return place


def test_keys_and_labels_stand_in_paths(recordings: Place) -> None:
    place = recordings
    succeeded(place.run("group", "rec/*/*.csv", "--key-from", "rec/{label}/{key}.csv"))
    data = st.load(place.folder / "rec.group.npz")  # named after the folder
    by_key = {name.split("/")[1]: (name.split("/")[0], rows) for name, rows in RECORDINGS.items()}
    assert data.keys.tolist() == sorted(by_key)  # 007 and 7 are two keys, so all are text
    classes = data.names["classes"].tolist()
    for i, key in enumerate(sorted(by_key)):
        label, rows = by_key[key]
        assert classes[data.per_sequence["y"][i]] == label
        assert data.x[i, : data.lengths[i]].tolist() == rows
    assert data.features == ("a", "b")


def test_receipts_hold_no_folder(recordings: Place) -> None:
    folder = recordings.folder / "rec"
    recordings.run("group", f"{folder}/*/*.csv", "--key-from", f"{folder}/{{label}}/{{key}}.csv")
    meta = str(np.load(recordings.folder / "rec.group.npz")["meta"])
    assert '"key_from": "{label}/{key}.csv"' in meta
    assert str(folder) not in meta


def test_other_parts_are_static_numbers_where_they_are_numbers(place: Place) -> None:
    for name, rows in {"s1_d0.5": "1\n2\n", "s2_d2": "3\n"}.items():
        put(place, f"rec/{name}.csv", rows)
    call = ["group", "rec/*.csv", "--key-from"]
    succeeded(place.run(*call, "rec/s{key}_d{dose}.csv"))  # the rows have no header
    data = st.load(place.folder / "rec.group.npz")
    assert data.keys.tolist() == [1, 2]
    assert data.per_sequence["static"].tolist() == [[0.5], [2.0]]
    assert data.names["static_features"].tolist() == ["dose"]
    assert data.x[:, :, 0].tolist() == [[1, 2], [3, 0]]
    done = place.run(*call, "rec/{subject}_d{key}.csv")
    assert done.code == 1
    assert "'s1' is none; if it is not needed: --key-from 'rec/*_d{key}.csv'" in done.err


def test_parts_may_be_named_by_other_options(recordings: Place) -> None:
    succeeded(
        recordings.run("group", "rec/*/*.csv", "--key-from", "rec/{who}/{file}.csv", "--key", "who,file")
    )
    data = st.load(recordings.folder / "rec.group.npz")
    assert np.asarray(data.keys).tolist() == [["run", "10"], ["run", "7"], ["walk", "007"]]
    succeeded(
        recordings.run(
            "group",
            "rec/*/*.csv",
            "--key-from",
            "rec/*/{key}.csv",
            "--columns",
            "a,key",
            "-o",
            "f.npz",
            "--drop-key",
        )
    )
    assert st.load(recordings.folder / "f.npz").features == ("a",)


def test_a_part_may_have_the_name_of_a_column(place: Place) -> None:
    put(place, "rec/walk/1.csv", "a,label\n1,up\n2,down\n")
    put(place, "rec/run/2.csv", "a,label\n3,up\n")
    call = ["group", "rec/*/*.csv", "--key-from", "rec/{label}/{key}.csv", "--step-label", "label"]
    succeeded(place.run(*call))
    data = st.load(place.folder / "rec.group.npz")
    assert data.names["classes"].tolist() == ["run", "walk"]
    assert data.names["step_classes"].tolist() == ["down", "up"]


def test_typed_files_say_the_same(place: Place) -> None:
    for name, rows in {"walk/1_0.5": [1.0, 2.0], "run/10_2": [3.0]}.items():
        put(place, f"rec/{name}.csv", "a\n" + "".join(f"{row}\n" for row in rows))
        pq.write_table(pa.table({"a": pa.array(rows, pa.float32())}), place.folder / f"rec/{name}.parquet")
        np.save(place.folder / f"rec/{name}.npy", np.array(rows, np.float32)[:, None])
    found = {}
    for kind in ("csv", "parquet", "npy"):
        pattern = f"rec/{{label}}/{{key}}_{{dose}}.{kind}"
        succeeded(place.run("group", f"rec/*/*.{kind}", "--key-from", pattern, "-o", f"{kind}.npz"))
        arrays = np.load(place.folder / f"{kind}.npz")
        found[kind] = {name: arrays[name].tolist() for name in arrays if name not in ("meta", "features")}
    assert found["csv"] == found["parquet"] == found["npy"]
    assert found["csv"]["keys"] == [1, 10]


def test_files_that_do_not_match_are_named_and_counted(recordings: Place) -> None:
    done = recordings.run("group", "rec/*/*.csv", "--key-from", "rec/walk/{key}.csv")
    assert done.code == 1
    assert (
        "rec/run/10.csv and 1 more: do not match --key-from 'rec/walk/{key}.csv' (2 of 3 files)" in done.err
    )


@pytest.mark.parametrize(
    "pattern", ["rec/x.csv", "rec/{key", "rec/{}.csv", "{key}/{key}.csv", "{label}{key}.csv", "key}"]
)
def test_malformed_patterns_are_wrong_calls(recordings: Place, pattern: str) -> None:
    done = recordings.run("group", "rec/*/*.csv", "--key-from", pattern)
    assert done.code == 2
    assert "--key-from" in done.err


@pytest.mark.parametrize(
    ("options", "advice"),
    [
        ("--key-from rec/{label}/{key}.csv --key a", "--key key,a"),
        ("--key-from rec/{label}/{key}.csv --label b", "--label label,b"),
        ("--key-from rec/{label}/{key}.csv --no-key", "leave --no-key out"),
        ("--key-from rec/{label}/*.csv", "has no part {key}"),
    ],
)
def test_two_that_name_the_same_say_so(recordings: Place, options: str, advice: str) -> None:
    done = recordings.run("group", "rec/*/*.csv", *options.split())
    assert done.code == 2
    assert advice in done.err


def test_a_path_that_reads_in_two_ways_is_refused() -> None:
    with pytest.raises(DataError, match="in two ways"):
        PathPattern("{site}_{key}.csv").parts("a_b_c.csv")
    assert PathPattern("{site}_{key}_*.csv").names == ("site", "key")
    assert PathPattern("**/{key}.csv").parts("a/b/c.csv") == {"key": "c"}
    assert PathPattern("rec/{key}.csv").parts("./rec/a.b.csv") == {"key": "a.b"}
    assert PathPattern("rec/{key}.csv").parts("rec/a/b.csv") is None
    with pytest.raises(UsageError, match="touch"):
        PathPattern("{site}*{key}.csv")


def test_rows_of_one_key_may_stand_in_several_files(place: Place) -> None:
    for name, rows in {"1/a": "2\n", "1/b": "1\n", "2/a": "5\n"}.items():
        put(place, f"rec/{name}.csv", rows)
    succeeded(place.run("group", "rec/*/*.csv", "--key-from", "rec/{key}/*.csv"))
    data = st.load(place.folder / "rec.group.npz")
    assert data.x[:, :, 0].tolist() == [[2, 1], [5, 0]]  # in the order of the files


def test_errors_name_the_file_and_its_line(recordings: Place) -> None:
    put(recordings, "rec/walk/8.csv", "a,b\n1,2\n1,x\n")
    done = recordings.run("group", "rec/*/*.csv", "--key-from", "rec/{label}/{key}.csv")
    assert done.code == 1
    assert "rec/walk/8.csv: line 3, column 'b': 'x'" in done.err


def test_arrays_of_one_sequence_each_are_padded(place: Place) -> None:
    arrays = {"walk/3": np.ones((2, 2), np.float32), "run/20": np.zeros((0, 2), np.float32)}
    arrays["run/100"] = np.asfortranarray(np.arange(6, dtype=np.float64).reshape(3, 2))
    for name, array in arrays.items():
        put(place, f"npy/{name}.npy", array)
    succeeded(place.run("pad", "npy/*/*.npy", "--key-from", "npy/{label}/{key}.npy", "--post"))
    data = st.load(place.folder / "npy.pad.npz")
    assert data.keys.tolist() == [100, 20, 3]  # files in sorted order
    assert data.x.dtype == np.float64
    assert [data.names["classes"][y] for y in data.per_sequence["y"]] == ["run", "run", "walk"]
    for i, name in enumerate(["run/100", "run/20", "walk/3"]):
        assert data.x[i, : data.lengths[i]].tolist() == arrays[name].tolist()
    succeeded(place.run("truncate", "npy/*/*.npy", "--key-from", "npy/*/{key}.npy", "--maxlen", "1"))
    assert st.load(place.folder / "npy.truncate.npz").lengths.tolist() == [1, 0, 1]
    planned = succeeded(place.run("plan", "npy/*/*.npy", "--key-from", "npy/*/{key}.npy", "--json"))
    assert "seqtool pad 'npy/*/*.npy' --key-from 'npy/*/{key}.npy'" in planned.out.decode()


@pytest.mark.parametrize(
    ("arrays", "words"),
    [
        ([np.ones((2, 2)), np.ones((2, 3))], "the same features"),
        ([np.array(2.0)], "(L,), (L, F) or (L, H, W, C)"),
        ([np.array(["a"])], "numbers of (L,), (L, F)"),
        ([np.array([0.5]), np.array([2**60])], "save all in one type"),
    ],
)
def test_arrays_that_are_no_sequences_are_named(place: Place, arrays: list[np.ndarray], words: str) -> None:
    for i, array in enumerate(arrays):
        put(place, f"npy/{i}.npy", array)
    done = place.run("pad", "npy/*.npy", "--key-from", "npy/{key}.npy")
    assert done.code == 1
    assert words in done.err
    assert f"npy/{len(arrays) - 1}.npy" in done.err


def test_keys_that_stand_twice_are_refused(place: Place) -> None:
    for name in ("a/1", "b/1"):
        put(place, f"npy/{name}.npy", np.ones(2))
    done = place.run("pad", "npy/*/*.npy", "--key-from", "npy/*/{key}.npy")
    assert done.code == 1
    assert "--key-from 'npy/*/*.npy'" in done.err or "--key-from" in done.err


def test_python_takes_a_glob(recordings: Place) -> None:
    folder = recordings.folder / "rec"
    data = st.group(str(folder / "*/*.csv"), key_from=f"{folder}/{{label}}/{{key}}.csv")
    assert data.keys.tolist() == ["007", "10", "7"]
    with pytest.raises(UsageError, match="key_from"):
        st.group(np.ones((2, 2)), key_from="{key}.csv")


def test_a_folder_says_what_stands_in_it(recordings: Place) -> None:
    done = recordings.run("group", "rec", "--key", "a")
    assert done.code == 1
    assert "a folder of 3 .csv files in 2 folders below it" in done.err
    assert "'rec/*/*.csv' --key-from 'rec/*/{key}.csv'" in done.err


def few_files() -> None:
    """Let a process open no more than a few dozen files."""
    resource.setrlimit(resource.RLIMIT_NOFILE, (48, 48))


@pytest.mark.slow
@pytest.mark.parametrize(("command", "kind"), [("group", "npy"), ("pad", "npy"), ("group", "parquet")])
def test_few_files_are_open_at_once(place: Place, command: str, kind: str) -> None:
    for i in range(70):
        name = f"rec/{i}.{kind}"
        put(place, name, "a\n1\n2\n")
        if kind == "npy":
            np.save(place.folder / name, np.ones((2, 1)))
        elif kind == "parquet":
            pq.write_table(pa.table({"a": [1, 2]}), place.folder / name)
    call = [command, f"rec/*.{kind}", "--key-from", f"rec/{{key}}.{kind}"]
    succeeded(place.process(*call, before=few_files))
    data = st.load(place.folder / f"rec.{command}.npz")
    assert sorted(data.keys.tolist()) == [*range(70)]


def test_the_first_bytes_of_many_files_are_not_kept(
    recordings: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    call = ["group", "rec/*/*.csv", "--key-from", "rec/{label}/{key}.csv", "-q"]
    succeeded(recordings.run(*call, "-o", "kept.npz"))
    monkeypatch.setattr(inputs, "_HEADS", 0)
    succeeded(recordings.run(*call, "-o", "left.npz"))
    files = [(recordings.folder / name).read_bytes() for name in ("kept.npz", "left.npz")]
    assert files[0] == files[1]


def test_how_small_files_are_joined_changes_nothing(place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    for i, rows in enumerate(["1,2\n", "0.5,7\n2,NA\n", "5,6\n", "3,x1\n"]):
        put(place, f"rec/{i}.csv", "a,b\n" + rows)
    call = ["group", "rec/*.csv", "--key-from", "rec/{key}.csv", "--missing", "x1", "-q"]
    found = []
    for few in (0, 2, 1000):
        monkeypatch.setattr(opening, "_SMALL", few)
        succeeded(place.run(*call, "-o", f"{few}.npz"))
        found.append((place.folder / f"{few}.npz").read_bytes())
    assert found[0] == found[1] == found[2]


def test_names_in_paths_are_completed(recordings: Place) -> None:
    words = ["seqtool", "group", "rec/*/*.csv", "--key-from", "rec/{label}/{key}.csv", "--drop", ""]
    environment = {"_SEQTOOL_COMPLETE": "complete_zsh", "_TYPER_COMPLETE_ARGS": shlex.join(words[:-1]) + " "}
    offered = recordings.run(environment=environment).out.decode()
    assert '"label"' in offered
    assert '"a"' in offered


@pytest.mark.parametrize("command", ["group", "pad"])
def test_parts_of_paths_that_read_as_missing(command: str, tmp_path: Path) -> None:
    place = Place(tmp_path)
    suffix = "csv" if command == "group" else "npy"
    names = ("0", "a"), ("1", "NA"), ("NA", "c")
    for label, key in names:
        for path in (f"numbers/{label}", f"texts/{label if label == 'NA' else 'p' + label}"):
            (place.folder / path).mkdir(parents=True)
            place.write(f"{path}/{key}.{suffix}", "v\n1\n2\n" if command == "group" else np.ones((2, 1)))

    def run(root: str) -> Done:
        pattern = f"{root}/{{label}}/{{key}}.{suffix}"
        return place.run(command, f"{root}/*/*.{suffix}", "--key-from", pattern, "-o", "o.npz")

    done = run("numbers")
    assert (done.code, f"NA/c.{suffix}" in done.err, "label" in done.err) == (1, True, True), done.err
    done = run("texts")
    assert done.code == 0, done.err
    assert "as a class of its own" in done.err
    assert re.search("key.* 'NA'", done.err)
    made = place.arrays("o.npz")
    assert made["classes"].tolist() == ["NA", "p0", "p1"]
    assert "NA" in made["keys"].tolist()
