"""`seqtool unpad`: from sequences to files of rows, through the command line."""

from __future__ import annotations

import csv
import io
import json
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from pandas.testing import assert_frame_equal

import seqtool as sq
from tests.command import SAMPLES, Place, succeeded

ROWS = """user,time,a,b,age,mood,dead
u1,3,1,0.5,30,run,yes
"u,2",1,2,,40,walk,no
u1,1,3,1.5,30,walk,yes
u1,2,9007199254740993,2.5,30,walk,yes
"""
GROUP = ("--key", "user", "--order-by", "time", "--columns", "a", "--label", "dead", "--step-label", "mood")


@pytest.fixture(scope="module")
def grouped(tmp_path_factory: pytest.TempPathFactory) -> Place:
    place = Place(tmp_path_factory.mktemp("grouped"))
    place.write("a.csv", ROWS)
    succeeded(place.run("group", "a.csv", *GROUP, "--static", "age", "--keep-row-index", "-o", "a.npz"))
    return place


@pytest.fixture
def place(grouped: Place, tmp_path: Path) -> Place:
    return grouped.copied(tmp_path)


def table(data: bytes, separator: str = ",") -> list[dict[str, str]]:
    return [*csv.DictReader(io.StringIO(data.decode()), delimiter=separator)]


def test_rows_come_back_in_each_format(place: Place) -> None:
    done = succeeded(place.run("unpad", "a.npz"))
    expected = table(ROWS.encode())
    found = table((place.folder / "a.unpad.csv").read_bytes())
    for name in ("user", "a", "mood", "dead", "age"):
        assert [row[name] for row in found] == [row[name] for row in expected]
    assert [row["step"] for row in found] == ["2", "0", "0", "1"]
    assert "rows     4 rows, in the order of the table that was grouped" in done.err
    csv_bytes = succeeded(place.run("unpad", "a.npz", "-o", "-")).out
    assert csv_bytes == (place.folder / "a.unpad.csv").read_bytes()
    for name in ("b.tsv", "b.jsonl", "b.parquet"):
        succeeded(place.run("unpad", "a.npz", "-o", name))
    assert table((place.folder / "b.tsv").read_bytes(), "\t") == found
    lines = [json.loads(line) for line in (place.folder / "b.jsonl").read_text().splitlines()]
    assert lines[3]["a"] == 9007199254740993
    frame = pd.read_parquet(place.folder / "b.parquet")
    assert_frame_equal(frame, sq.to_frame(sq.load(place.folder / "a.npz")))
    assert frame.to_dict("records") == lines


def test_without_row_numbers_rows_come_sequence_by_sequence(place: Place) -> None:
    succeeded(place.run("group", "a.csv", *GROUP, "--ragged", "-o", "b.npz", "-q"))
    done = succeeded(place.run("unpad", stdin=(place.folder / "b.npz").read_bytes()))
    assert [(row["user"], row["a"]) for row in table(done.out)] == [
        *(("u,2", "2"), ("u1", "3"), ("u1", "9007199254740993"), ("u1", "1"))
    ]
    assert "in the order of the sequences" in done.err
    place.write("p.npy", np.array([1, 2]))
    done = place.run("unpad", "b.npz", "--add", "p=p.npy", "--rows", "a.csv", "-o", "-")
    assert (done.code, done.out) == (1, b"")
    assert "group again with --keep-row-index" in done.err


@pytest.mark.parametrize("side", ["--post", "--pre"])
def test_predictions_are_joined_to_sequences_slots_and_steps(place: Place, side: str) -> None:
    succeeded(place.run("pad", "a.npz", side, "--maxlen", "3", "-o", "p.npz"))
    lengths = np.array([1, 3])
    slots = np.full((2, 3, 2), -1.0)
    for i, length in enumerate(lengths):
        for step in range(length):
            slots[i, step + (3 - length if side == "--pre" else 0)] = [i, step]
    place.write("slots.npy", slots)
    place.write("flat.npy", slots[:, :, 0])
    place.write("one.npy", np.array(["small", "large"]))
    place.write("classes.npy", np.array([[0.25, 0.75], [0.5, 0.5]]))
    place.write("steps.npy", np.arange(4))
    files = ("one", "classes", "slots", "flat", "steps")
    added = [word for name in files for word in ("--add", f"{name}={name}.npy")]
    done = succeeded(place.run("unpad", "p.npz", *added, "-o", "-"))
    assert "added    one: of sequences, in each of their rows" in done.err
    assert "added    slots_run, slots_walk: of steps" in done.err
    found = table(done.out)
    assert [row["one"] for row in found] == ["large", "small", "large", "large"]
    assert [row["classes_yes"] for row in found] == ["0.5", "0.75", "0.5", "0.5"]
    assert [(row["slots_run"], row["slots_walk"]) for row in found] == [
        (row["flat"], row["step"]) for row in found
    ]
    assert [row["flat"] for row in found] == ["1", "0", "1", "1"]
    assert [row["steps"] for row in found] == ["3", "0", "1", "2"]


def test_predictions_stand_beside_the_rows_of_the_table(place: Place) -> None:
    succeeded(place.run("group", "a.csv", *GROUP, "--keep-row-index", "--maxlen", "2", "-o", "c.npz", "-q"))
    place.write("p.npy", np.array([7, 8]))
    done = succeeded(place.run("unpad", "c.npz", "--add", "p=p.npy", "--rows", "a.csv", "-o", "-"))
    lines, original = done.out.decode().splitlines(), ROWS.splitlines()
    assert lines == [f"{row},{more}" for row, more in zip(original, ["p", "8", "7", "", "8"], strict=True)]
    assert "4 rows of a.csv, 1 of them without a step" in done.err
    place.write("short.csv", "".join(f"{line}\n" for line in original[:3]))
    done = place.run("unpad", "c.npz", "--add", "p=p.npy", "--rows", "short.csv", "-o", "-")
    assert (done.code, done.out) == (1, b"")  # no part of what turns out to be wrong
    assert "short.csv has 2 rows, but there are steps of row 3" in done.err
    place.write(
        "typed.jsonl", '{"k": 1, "s": "x"}\n{"k": null, "s": ""}\n{"k": 3, "s": null}\n{"k": 4, "s": "q"}\n'
    )
    done = succeeded(
        place.run("unpad", "c.npz", "--add", "p=p.npy", "--rows", "typed.jsonl", "-o", "t.parquet")
    )
    assert pd.read_parquet(place.folder / "t.parquet")["p"].fillna(-1).tolist() == [8, 7, -1, 8]


def test_a_row_in_several_windows_shows_the_last(place: Place) -> None:
    sq.save(
        place.folder / "w.npz",
        sq.Ragged(
            np.array([1, 2, 2, 3]),
            np.array([0, 2, 4]),
            per_step={"row_index": sq.sequences.ragged.StepArray(np.array([0, 1, 1, 2]), -1)},  # type: ignore[attr-defined]
        ),
    )
    place.write("x.csv", "x\n1\n2\n3\n")
    place.write("p.npy", np.array([7, 8]))
    done = succeeded(place.run("unpad", "w.npz", "--add", "p=p.npy", "--rows", "x.csv", "-o", "-"))
    assert done.out == b"x,p\n1,7\n2,8\n3,8\n"
    assert "warning: 1 step stand for rows that later steps stand for too; the last one counts" in done.err


@pytest.mark.thinned
@pytest.mark.parametrize(
    ("arguments", "code", "words"),
    [
        (["--add", "pred"], 2, "--add pred: NAME=FILE was expected, such as pred=pred.npy"),
        (["--add", "p=a.csv"], 2, "--add a.csv: an .npy file was expected"),
        (["--add", "p=none.npy"], 1, "none.npy: no such file"),
        (["--add", "step=two.npy"], 2, "--add step: there is a column of this name already"),
        (["--add", "p=five.npy"], 1, "--add p: has shape (5,); (2,) or (2, C) for the sequences, (2, 3) or"),
        (["--add", "p=even.npy"], 1, "of T = 3 steps, or one for each of 3 classes"),
        (["--rows", "a.csv"], 2, "--rows puts predictions beside"),
        (["--add", "dead=two.npy", "--rows", "a.csv"], 2, "--add dead: there is a column of this name"),
        (["--delimiter", ";"], 2, "--delimiter: tells how another table is read"),
        (
            ["-o", "x.npz"],
            2,
            "x.npz: the suffix of the output chooses its format; .csv, .tsv, .jsonl or .parquet",
        ),
        (["-o", "x.jsonl", "--escape-formulas"], 2, "--escape-formulas is for spreadsheets"),
        (["-o", "a.npz"], 2, "a.npz: is both input and output"),
    ],
)
def test_what_cannot_be_is_said(place: Place, arguments: list[str], code: int, words: str) -> None:
    place.write("two.npy", np.array([1, 2]))
    place.write("five.npy", np.zeros(5))
    place.write("even.npy", np.zeros((2, 3)))
    if "p=even.npy" in arguments:  # three classes, three slots, labels of steps too
        classes = ROWS.replace(
            "u1,2,9007199254740993,2.5,30,walk,yes", "u3,2,1,2.5,30,walk,maybe\nu1,9,1,1,30,run,yes"
        )
        place.write("a.csv", classes)
        place.write("even.npy", np.zeros((3, 3)))
        succeeded(place.run("group", "a.csv", *GROUP, "--maxlen", "3", "-o", "a.npz", "-q"))
    done = place.run("unpad", "a.npz", *arguments)
    assert (done.code, done.out) == (code, b"")
    assert words in done.err
    assert not (place.folder / "a.unpad.csv").exists()


def test_order_values_come_back_under_their_names(place: Place) -> None:
    rows = "k,t,n,x\na,2024-05-01T10:00:00.5,2,1\nb,2024-05-01,3,2\na,2024-04-30T23:59:59,1.5,3\n"
    place.write("t.csv", rows)
    group = ("group", "t.csv", "--key", "k", "--columns", "x", "--keep-order", "--keep-row-index")
    succeeded(place.run(*group, "--order-by", "t,n", "-o", "t.npz"))
    found = table(succeeded(place.run("unpad", "t.npz", "-o", "-")).out)
    assert [(row["k"], row["t"], row["n"], row["x"]) for row in found] == [
        *(("a", "2024-05-01T10:00:00.500000", "2", "1"), ("b", "2024-05-01T00:00:00", "3", "2")),
        ("a", "2024-04-30T23:59:59", "1.5", "3"),
    ]


def test_a_file_that_exists_is_replaced_only_if_it_is_named_or_forced(place: Place) -> None:
    place.write("a.unpad.csv", "mine")
    done = place.run("unpad", "a.npz")
    assert (done.code, (place.folder / "a.unpad.csv").read_text()) == (1, "mine")
    succeeded(place.run("unpad", "a.npz", "--force"))
    assert (place.folder / "a.unpad.csv").read_text() != "mine"


def test_a_dry_run_and_a_summary_as_json(place: Place) -> None:
    done = succeeded(place.run("unpad", "a.npz", "--dry-run", "-o", "x.csv"))
    assert "would write  x.csv" in done.err
    assert not (place.folder / "x.csv").exists()
    facts: dict[str, Any] = json.loads(succeeded(place.run("unpad", "a.npz", "-o", "x.csv", "--json")).err)
    assert facts["rows"] == 4
    assert facts["columns"] == ["user", "a", "mood", "dead", "age", "step", "row_index"]
    assert facts["bytes"] == (place.folder / "x.csv").stat().st_size


def test_a_foreign_array_and_frames_of_videos(place: Place) -> None:
    place.write("x.npy", np.arange(8).reshape(2, 2, 2))
    done = succeeded(place.run("unpad", "x.npy", "-o", "-", "-q"))
    assert done.out == b"sequence,x_0,x_1,step\n0,0,1,0\n0,2,3,1\n1,4,5,0\n1,6,7,1\n"
    place.write("v.npy", np.zeros((2, 2, 4, 4, 3)))
    done = place.run("unpad", "v.npy", "-o", "-")
    assert (done.code, done.out) == (1, b"")
    assert "v.npy: a step is an array of 4 x 4 x 3, which is no row of a table" in done.err


def test_a_sample_comes_back_as_pandas_reads_it(place: Place) -> None:
    sample = SAMPLES / "japanese_vowels.csv"
    succeeded(
        place.run(
            *("group", sample, "--key", "utterance", "--order-by", "frame", "--label", "speaker"),
            *("--drop", "split", "--keep-row-index", "--dtype", "float64", "-o", "v.npz", "-q"),
        )
    )
    succeeded(place.run("unpad", "v.npz", "-o", "rows.csv"))
    names = ["utterance", "speaker", *(f"lpc{i}" for i in range(1, 13))]
    back, original = pd.read_csv(place.folder / "rows.csv"), pd.read_csv(sample)
    assert_frame_equal(back[names], original[names], check_exact=True)


def test_forecasts_come_back_to_the_rows_they_are_for(place: Place) -> None:
    rows = [(k, t, t + 10 * (k == "b"), t % 3) for t in range(6) for k in "ab"]
    lines = [f"{k},{t},{load},{temp}" for k, t, load, temp in rows]
    place.write("load.csv", "\n".join(["k,t,load,temp", *lines, ""]))
    kept = ("--keep-row-index", "--keep-order", "--ragged", "--dtype", "float64")
    succeeded(place.run("group", "load.csv", "--key", "k", "--order-by", "t", *kept, "-o", "g.npz", "-q"))
    succeeded(place.run("scale", "g.npz", "--method", "standard", "-o", "s.npz", "-q"))
    succeeded(
        place.run("window", "s.npz", "--size", "3", "--horizon", "1", "--target", "load", "-o", "w.npz", "-q")
    )
    place.write("pred.npy", place.arrays("w.npz")["y"])
    done = succeeded(place.run("unpad", "w.npz", "--raw", "--add", "pred=pred.npy", "-o", "raw.csv"))
    assert "taken back  scale,window" in done.err
    found = table((place.folder / "raw.csv").read_bytes())
    assert [(row["k"], row["t"], row["step"]) for row in found if row["load"]] == [
        (k, str(t), str(t)) for k in "ab" for t in range(5)
    ]
    for row in found:
        load = int(row["step"]) + 10 * (row["k"] == "b")
        assert float(row["load"] or load) == pytest.approx(load, abs=1e-9)
        assert float(row["pred"] or load) == pytest.approx(load, abs=1e-9)
        assert bool(row["pred"]) == (int(row["step"]) > 2)
    done = succeeded(
        place.run("unpad", "w.npz", "--raw", "--add", "pred=pred.npy", "--rows", "load.csv", "-o", "-")
    )
    beside = table(done.out)
    assert [row["load"] for row in beside] == [str(load) for _, _, load, _ in rows]
    assert [bool(row["pred"]) for row in beside] == [t > 2 for _, t, _, _ in rows]
    assert "nobody knows" not in done.err
    done = succeeded(place.run("unpad", "g.npz", "--raw", "-o", "-"))
    assert "taken back  nothing" in done.err
