"""Several labels a sequence: survival data (time, event), tasks of numbers and of classes."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as parquet
import pytest

import seqtool
from seqtool.arrays.spool import Spool
from seqtool.errors import DataError, UsageError
from seqtool.grouping.group import group_table
from seqtool.grouping.spec import GroupSpec
from seqtool.grouping.workspace import Workspace
from seqtool.plotting.portrait import portrait
from seqtool.plotting.sampling import ValueCounts
from seqtool.sequences.labels import several_labels
from seqtool.system.memory import Memory
from seqtool.tables.in_memory import table_of
from seqtool.training.sequence_file import SequenceFile
from tests.command import Place, succeeded
from tests.cutting import MEMORIES

ROWS = """id,v,time,event,kind
3,4,4.5,0,b
1,1,12,1,b
1,2,12,1,b
2,3,30,0,a
"""
NUMBERS = [[12.0, 1.0], [30.0, 0.0], [4.5, 0.0]]
MIXED = [[12.0, 1.0, 1.0], [30.0, 0.0, 0.0], [4.5, 0.0, 1.0]]


def classes_of(data: Any) -> dict[str, list[str] | None]:
    return {
        name: None if known is None else known[:].tolist() for name, known in several_labels(data).items()
    }


def meta_of(arrays: dict[str, np.ndarray]) -> dict[str, Any]:
    return json.loads(str(arrays["meta"]))


@pytest.mark.parametrize("call", [["--label", "time,event"], ["--label=time", "--label=event"]])
def test_labels_that_are_numbers_stand_side_by_side(call: list[str], place: Place) -> None:
    place.write("t.csv", ROWS)
    output = place.outputs("group", ["t.csv", "--key=id", "--columns=v", *call])[0]
    assert (output["y"].tolist(), output["y"].dtype) == (NUMBERS, np.float32)
    assert output["label_names"].tolist() == ["time", "event"]
    assert not {name for name in output if name.startswith("classes")}
    assert meta_of(output)["receipt"][0]["arguments"]["label"] == ["time", "event"]


def test_whole_numbers_alone_stay_whole_and_stay_numbers(place: Place) -> None:
    place.write("t.csv", "id,a,b,v\n1,5,-7,1\n2,9007199254740993,1,1\n")
    output = place.outputs("group", ["t.csv", "--key=id", "--label=b,a"])[0]
    assert (output["y"].tolist(), output["y"].dtype) == ([[-7, 5], [1, 9007199254740993]], np.int64)


def test_text_among_them_has_its_classes_under_a_safe_name(place: Place) -> None:
    place.write("t.csv", ROWS)
    output = place.outputs("group", ["t.csv", "--key=id", "--label=time,event,kind"])[0]
    assert output["y"].tolist() == MIXED
    assert output["classes_2"].tolist() == ["a", "b"]
    assert meta_of(output)["tables"] == {"classes_2": "kind"}
    assert [name for name in output if name.startswith("classes")] == ["classes_2"]


def test_asked_for_classes_all_are(place: Place) -> None:
    place.write("t.csv", ROWS)
    output = place.outputs("group", ["t.csv", "--key=id", "--label=time,kind", "--label-as=class"])[0]
    assert output["y"].tolist() == [[0, 1], [1, 0], [2, 1]]
    assert (output["classes_0"].tolist(), output["classes_1"].tolist()) == (["12", "30", "4.5"], ["a", "b"])


def test_whatever_the_reader_it_is_the_same(place: Place) -> None:
    place.write("t.csv", ROWS)
    frame = pd.read_csv(place.folder / "t.csv")
    parquet.write_table(pa.Table.from_pandas(frame), place.folder / "t.parquet")
    place.write("t.jsonl", frame.to_json(orient="records", lines=True))
    for name in ("t.csv", "t.parquet", "t.jsonl"):
        output = place.outputs("group", [name, "--key=id", "--label=time,event,kind"])[0]
        assert (output["y"].tolist(), output["classes_2"].tolist()) == (MIXED, ["a", "b"])
    for labels in (["time", "event", "kind"], pd.Index(["time", "event", "kind"]), ("time", 3, "kind")):
        grouped = seqtool.group(frame, key="id", label=labels)
        assert np.asarray(grouped.per_sequence["y"]).tolist() == MIXED
        assert classes_of(grouped) == {"time": None, "event": None, "kind": ["a", "b"]}


def test_a_label_for_each_step_stands_beside_them(place: Place) -> None:
    place.write("t.csv", "id,v,a,b,s\n1,1,5,6,up\n1,2,5,6,down\n")
    output = place.outputs("group", ["t.csv", "--key=id", "--label=a,b", "--step-label=s"])[0]
    assert (output["y"].tolist(), output["step_y"].tolist()) == ([[5, 6]], [[1, 0]])
    assert output["step_classes"].tolist() == ["down", "up"]
    succeeded(place.run("check", "made0.npz"))


@MEMORIES
def test_they_follow_their_sequences(memory: Memory) -> None:
    keys = np.arange(600) * 7 % 300
    frame = pd.DataFrame({"id": keys, "v": 1, "a": -keys, "b": [chr(97 + key % 7) for key in keys]})
    table, spec = table_of(frame), GroupSpec(key=["id"], columns=["v"], label=["a", "b"])
    with Spool() as spool:
        ragged = group_table(table, spec.roles(table), spec, Workspace(spool, memory)).ragged
        found, each = np.asarray(ragged.per_sequence["y"]), np.arange(300)
    assert (found == np.stack([-each, each % 7], axis=1)).all()


@pytest.mark.parametrize("option", ["drop", "keep"])
def test_a_sequence_without_one_of_them(option: str, place: Place) -> None:
    place.write("t.csv", "id,v,a,b\n1,1,5,x\n2,2,NA,y\n3,3,7,\n")
    call = ["group", "t.csv", "--key=id", "--label=a,b"]
    refused = place.run(*call)
    assert (refused.code, "label column 'a' is empty in 1 of 3 rows" in refused.err) == (1, True)
    output = place.outputs("group", [*call[1:], f"--empty-label={option}"])[0]
    if option == "drop":
        assert (output["keys"].tolist(), output["y"].tolist()) == ([1], [[5, 0]])
    else:
        np.testing.assert_array_equal(output["y"], [[5, 0], [np.nan, 1], [7, -100]])


@pytest.mark.parametrize(
    ("labels", "message"),
    [
        (["a", "a"], "--label names column 'a' twice"),
        (
            ["a", "b"],
            "column 'b' changes from 'x' to 'z' within key 1; for one label per step, use --step-label b",
        ),
        (["a", "c"], "label column 'a' holds 16777217, which float32 cannot hold"),
        (["a", "nope"], "no column 'nope'"),
    ],
)
def test_what_cannot_be_is_refused(labels: list[str], message: str, place: Place) -> None:
    place.write("t.csv", "id,v,a,b,c\n1,1,16777217,x,0.5\n1,2,16777217,z,0.5\n")
    done = place.run("group", "t.csv", "--key=id", "--columns=v", "--label", ",".join(labels))
    assert (done.code, message in done.err) == (2 if "twice" in message else 1, True), done.err


def test_a_name_that_holds_a_comma_stands_in_quotes() -> None:
    frame = pd.DataFrame({"id": [1], "v": [2], "a,b": [3], "c": [4]})
    assert seqtool.group(frame, key="id", label=["a,b", "c"]).names["label_names"].tolist() == ["a,b", "c"]


def test_and_so_it_does_on_the_command_line(place: Place) -> None:
    place.write("t.csv", 'id,v,"a,b",c\n1,2,3,4\n')
    output = place.outputs("group", ["t.csv", "--key=id", "--label", '"a,b",c'])[0]
    assert output["label_names"].tolist() == ["a,b", "c"]


# pad, truncate, and what others wrote


def grouped_file(place: Place) -> None:
    place.write("t.csv", ROWS)
    succeeded(place.run("group", "t.csv", "--key=id", "--label=time,event,kind", "-o", "t.npz"))


@pytest.mark.parametrize("call", [["pad", "--maxlen=1"], ["pad", "--ragged"], ["truncate", "--maxlen=1"]])
def test_other_commands_keep_them(call: list[str], place: Place) -> None:
    grouped_file(place)
    output = place.outputs(call[0], ["t.npz", *call[1:]])[0]
    assert (output["y"].tolist(), output["classes_2"].tolist()) == (MIXED, ["a", "b"])
    assert meta_of(output)["tables"] == {"classes_2": "kind"}
    succeeded(place.run("check", "made0.npz"))


def test_a_file_that_lost_its_meta_keeps_them(place: Place) -> None:
    grouped_file(place)
    np.savez(place.folder / "u.npz", **{k: v for k, v in place.arrays("t.npz").items() if k != "meta"})
    output = place.outputs("pad", ["u.npz", "--post"])[0]
    assert (output["y"].tolist(), output["classes_2"].tolist()) == (MIXED, ["a", "b"])


RECORDS = [{"x": [1, 2], "t": 3, "k": "b"}, {"x": [1], "t": 3.5, "k": "a"}]


@pytest.mark.parametrize("form", ["jsonl", "parquet", "npz"])
def test_pad_takes_several_labels_of_other_sources(form: str, place: Place) -> None:
    if form == "jsonl":
        place.write("r.jsonl", "".join(f"{json.dumps(record)}\n" for record in RECORDS))
    elif form == "parquet":
        parquet.write_table(pa.Table.from_pylist(RECORDS), place.folder / "r.parquet")
    else:
        labels = {"t": np.array([3, 3.5]), "k": np.array(["b", "a"])}
        np.savez(place.folder / "r.npz", x=np.array([[1, 2], [1, 0]]), lengths=[2, 1], **labels)
    output = place.outputs("pad", [f"r.{form}", "--label=t,k", "--post"])[0]
    assert output["x"].tolist() == [[1, 2], [1, 0]]
    assert output["y"].tolist() == [[3, 1], [3.5, 0]]
    assert (output["label_names"].tolist(), output["classes_1"].tolist()) == (["t", "k"], ["a", "b"])
    if form == "npz":
        succeeded(place.run("check", "r.npz", "--label=t,k"))


@pytest.mark.parametrize("labels", ["t,x", "t,t", "t,nope", "t,two"])
def test_arrays_that_are_no_labels_are_refused(labels: str, place: Place) -> None:
    arrays = {"x": np.ones((2, 3)), "t": np.arange(2), "two": np.ones((2, 2))}
    np.savez(place.folder / "r.npz", **arrays)
    done = place.run("pad", "r.npz", "--array=x", "--label", labels)
    assert (done.code in (1, 2), labels.rpartition(",")[2] in done.err) == (True, True), done.err


# What is made of them


def test_they_are_read_back_and_shown(place: Place) -> None:
    grouped_file(place)
    loaded = seqtool.load(place.folder / "t.npz")
    assert classes_of(loaded) == {"time": None, "event": None, "kind": ["a", "b"]}
    again = place.folder / "again.npz"
    seqtool.save(again, loaded)
    assert classes_of(seqtool.unpad(seqtool.load(again))) == classes_of(loaded)
    shown = json.loads(place.run("info", "t.npz", "--json").out)
    assert shown["sequences"]["labels"] == {"time": None, "event": None, "kind": ["a", "b"]}
    shown = place.run("info", "t.npz").out.decode()
    assert {"label time numbers", "label kind a, b"} <= {
        " ".join(line.split()) for line in shown.splitlines()
    }


DAMAGE = {
    "a class too many": ("y", np.array([[1, 1, 2], [1, 1, 0], [1, 1, 0]]), "y[0, 2]"),
    "a class and a half": ("y", np.array([[1, 1, 1], [1, 1, 0.5], [1, 1, 0]]), "y[1, 2]"),
    "a name too few": ("label_names", np.array(["a", "b"]), "label_names has shape (2,)"),
    "a table of no label": ("classes_3", np.array(["a"]), "classes_3"),
    "one class twice": ("classes_2", np.array(["a", "a"]), "classes"),
    "a table of two dimensions": ("classes_2", np.array([["a", "b"]]), "classes_2 has shape (1, 2)"),
    "numbers for names": ("label_names", np.arange(3), "label_names is int64"),
    "no table": ("classes_2", None, "tables"),
}


@pytest.mark.thinned
@pytest.mark.parametrize("damage", DAMAGE)
def test_check_tells_of_labels_that_are_damaged(damage: str, place: Place) -> None:
    grouped_file(place)
    name, array, message = DAMAGE[damage]
    arrays = place.arrays("t.npz") | ({} if array is None else {name: array})
    np.savez(place.folder / "t.npz", **{n: a for n, a in arrays.items() if array is not None or n != name})
    done = place.run("check", "t.npz")
    assert (done.code, message in " ".join(done.out.decode().split())) == (1, True), done.out.decode()


def test_batches_of_them_are_rows(place: Place) -> None:
    grouped_file(place)
    file = SequenceFile(place.folder / "t.npz")
    assert file.batch([2, 0]).y.tolist() == [MIXED[2], MIXED[0]]  # type: ignore[union-attr]
    assert file.labels == {"time": None, "event": None, "kind": ["a", "b"]}


def test_python_refuses_names_that_do_not_fit() -> None:
    names = {"label_names": np.array(["a", "b"])}
    with pytest.raises(DataError, match=r"label_names has shape \(2,\), but there is no y"):
        seqtool.Ragged(np.arange(3), np.array([0, 3]), names=names)
    with pytest.raises(UsageError, match="'classes_x' is not a name of the file format"):
        seqtool.save(
            Path("x.npz"),
            seqtool.Ragged(np.arange(3), np.array([0, 3]), names={"classes_x": names["label_names"]}),
        )


# Programs


@pytest.mark.parametrize("code", ["torch", "keras", "tf", "jax"])
def test_a_program_learns_each_label_by_its_own_loss(code: str, place: Place) -> None:
    grouped_file(place)
    text = succeeded(place.run("info", "t.npz", "--code", code)).out.decode()
    compile(text, code, "exec")
    assert "to learn time, event, kind (2 classes)" in text.splitlines()[1]
    assert [part in text for part in ("outputs[:, 0]", "outputs[:, 1]", "outputs[:, 2:4]")] == [True] * 3


def test_labels_that_are_all_numbers_are_learnt_as_a_row(place: Place) -> None:
    place.write("t.csv", ROWS)
    succeeded(place.run("group", "t.csv", "--key=id", "--columns=v", "--label=time,event", "-o", "t.npz"))
    assert "to learn 2 numbers" in place.run("info", "t.npz", "--code", "torch").out.decode()


def test_a_program_refuses_a_class_that_is_missing(place: Place) -> None:
    place.write("t.csv", "id,v,a,b\n1,1,5,x\n3,3,7,\n")
    call = ["--key=id", "--label=a,b", "--empty-label=keep", "-o", "t.npz"]
    succeeded(place.run("group", "t.csv", *call))
    done = place.run("info", "t.npz", "--code", "torch")
    assert (done.code, "y of 'b' holds -100" in done.err) == (1, True), done.err


# Pictures


def test_each_of_a_few_labels_is_drawn(place: Place) -> None:
    grouped_file(place)
    succeeded(place.run("pad", "t.npz", "--ragged", "-o", "r.npz"))
    ragged = seqtool.load(place.folder / "r.npz")
    assert isinstance(ragged, seqtool.Ragged)
    found = portrait(ragged)
    assert found.labels is not None
    assert (found.label_name, [name for name, _ in found.more_labels]) == ("time", ["event", "kind"])
    assert found.omitted == ()
    alone = ragged.replace(
        per_sequence={"y": np.asarray(ragged.per_sequence["y"])[:, 2:]},
        names={"label_names": np.array(["kind"]), "classes_0": ragged.names["classes_2"]},
    )
    bars = portrait(alone).labels
    assert isinstance(bars, ValueCounts)
    assert dict(zip(bars.names, bars.counts, strict=True)) == {"a": 1, "b": 2}


def test_labels_of_unusual_names_in_every_command(tmp_path: Path) -> None:
    place = Place(tmp_path)
    head = 'id,"a,b",classes_0,../x,v\n'
    for name, first, second in (("a", 0, "y"), ("b", 9, "y"), ("c", 9, "z")):
        rows = (
            f"{i + first},{'x' + second if i % 2 else 'x'},{'pqr'[i % 3]},{i / 2},{i * i + first / 2}\n"
            for i in range(6)
        )
        place.write(f"{name}.csv", head + "".join(rows))
        for labels in ('"a,b",classes_0,../x', 'classes_0,"a,b",../x'):
            output = f"{name}{labels[0] == 'c':d}.npz"
            call = ("group", f"{name}.csv", "--key", "id", "--label", labels, "--columns", "v", "-o", output)
            assert place.run(*call).code == 0
    made = place.arrays("a0.npz")
    assert made["label_names"].tolist() == ["a,b", "classes_0", "../x"]
    assert {name for name in made if name.startswith("classes")} == {"classes_0", "classes_1"}
    for other, fails in (("b0", None), ("c0", "same a,b"), ("b1", "same y")):
        done = place.run("check", "a0.npz", "--against", f"{other}.npz", "--json")
        found = [one["name"] for one in json.loads(done.out)["findings"] if one["verdict"] == "fails"]
        assert (done.code, found) == ((1, [fails]) if fails else (0, []))
    for command in (("pad", "--maxlen", "3"), ("truncate", "--maxlen", "1")):
        assert place.run(command[0], "a0.npz", *command[1:], "-o", "again.npz").code == 0
        again = place.arrays("again.npz")
        for name in ("y", "label_names", "classes_0", "classes_1"):
            assert again[name].tolist() == made[name].tolist()
    assert "label a,b" in " ".join(place.run("info", "a0.npz").out.decode().split())
