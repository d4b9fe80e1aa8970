"""`seqtool check`: what it tells, as a table and as data, its exit code, and that all that seqtool writes holds."""

from __future__ import annotations

import json
import shlex
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import seqtool
from seqtool import checking
from seqtool.arrays.spool import Spool
from seqtool.files.inputs import opened
from tests.command import SAMPLES, Done, Place, succeeded

EVENTS = """user,site,time,speed,height,kind,state,age
b,1,2,2.5,3,car,up,30
a,1,1,1.5,1,foot,down,41
b,1,1,4.5,5,car,down,30
c,2,1,,7,foot,up,52
b,1,3,8.5,9,car,up,30
"""


@pytest.fixture
def place(tmp_path: Path) -> Place:
    place = Place(tmp_path)
    place.write("events.csv", EVENTS)
    return place


def check(place: Place, *arguments: str | Path, code: int, stdin: Any = None) -> dict[str, Any]:
    done = place.run("check", *arguments, "--json", stdin=stdin)
    assert (done.code, done.err) == (code, "")
    facts: dict[str, Any] = json.loads(done.out)
    assert facts["holds"] == (code == 0)
    return facts


def failing(facts: dict[str, Any]) -> list[str]:
    return [finding["name"] for finding in facts["findings"] if finding["verdict"] == "fails"]


# All that seqtool writes holds

GROUP = ["group", "events.csv", "--key", "user", "--order-by", "time", "--drop", "site,kind,state"]
WRITTEN: dict[str, list[str]] = {
    "padded": GROUP,
    "ragged": [*GROUP, "--ragged"],
    "cut, with a mask": [*GROUP, "--maxlen", "2", "--mask"],
    "labels": [*GROUP[:-1], "site,state", "--label", "kind"],
    "labels as numbers": [*GROUP[:-1], "kind,state", "--label", "site", "--label-as", "number"],
    "labels of steps": [*GROUP[:-1], "site,kind", "--step-label", "state"],
    "labels of both": [*GROUP[:-1], "site", "--label", "kind", "--step-label", "state", "--maxlen", "2"],
    "labels of steps, ragged": [*GROUP[:-1], "site,kind", "--step-label", "state", "--ragged"],
    "static": [*GROUP, "--static", "age"],
    "row numbers": [*GROUP, "--keep-row-index", "--maxlen", "2"],
    "row numbers, ragged": [*GROUP, "--keep-row-index", "--ragged"],
    "a key of two columns": [*GROUP[:3], "site", *GROUP[2:-1], "kind,state"],
    "integer keys": ["group", "events.csv", "--key", "site", "--columns", "height"],
    "short sequences dropped": [*GROUP, "--min-len", "2"],
    "all sequences dropped": [*GROUP, "--min-len", "9"],
    "an empty key kept": ["group", "gap.csv", "--key", "k", "--empty-key", "keep"],
    "an empty key dropped": ["group", "gap.csv", "--key", "k", "--empty-key", "drop"],
    "float64": [*GROUP, "--dtype", "float64"],
    "compressed": [*GROUP, "--compress", "fast", "--mask"],
    "compressed, ragged": [*GROUP, "--compress", "small", "--ragged"],
    "rows without names": ["group", str(SAMPLES / "rows.csv"), "--key", "2"],
    "vowels": [
        *["group", str(SAMPLES / "japanese_vowels.csv"), "--key", "utterance", "--order-by", "frame"],
        *["--label", "speaker", "--drop", "split", "--value", "nan"],
    ],
    "tokens": ["pad", "tokens.txt", "--maxlen", "3"],
    "tokens of two lengths": [
        "pad",
        "tokens.txt",
        "--post",
        "--maxlen",
        "3",
        "--truncating",
        "post",
        "--mask",
    ],
    "value nan": ["pad", "dense.npy", "--maxlen", "5", "--value", "nan"],
    "value for each feature": ["pad", "dense.npy", "--maxlen", "5", "--value", "0,-1", "--post"],
    "value chosen": ["pad", "dense.npy", "--maxlen", "5", "--value", "auto"],
    "stripped": ["pad", "dense.npy", "--strip", "0", "--min-len", "1"],
    "cast": ["pad", "dense.npy", "--dtype", "int8", "--multiple-of", "8"],
    "no sequences": ["pad", "none.npy", "--maxlen", "3"],
    "keys and labels of objects": [
        *["pad", "objects.jsonl", "--array", "ids", "--key", "id", "--label", "label"],
    ],
    "padded by hand": ["pad", str(SAMPLES / "padded.npz"), "--post"],
    "an array alone": ["pad", "dense.npy", "-o", "out.npy"],
}


def test_whatever_seqtool_writes_holds(place: Place) -> None:
    place.write("gap.csv", "k,v\na,1\n,2\nb,3\n")
    place.write("tokens.txt", "5 1\n\n3\n7 8 9 10\n")
    place.write("dense.npy", np.arange(12.0).reshape(3, 2, 2))
    place.write("none.npy", np.empty((0, 3, 2)))
    place.write(
        "objects.jsonl",
        '{"id": "b", "ids": [5, 6], "label": "x"}\n{"id": "é", "ids": [], "label": "y"}\n',
    )

    paths = []
    for number, call in enumerate(WRITTEN.values()):
        out = call[-1] if "-o" in call else f"out{number}.npz"
        succeeded(place.run(*call, *([] if "-o" in call else ["-o", out])))
        paths.append(place.folder / out)
    for name, path in zip(WRITTEN, paths, strict=True):
        with Spool() as spool, opened([str(path)]) as [source]:
            found = checking.check(source, spool=spool)
        assert [finding for finding in found if finding.verdict == "fails"] == [], name


def test_a_file_of_ours_through_a_second_command(place: Place) -> None:
    line = (
        "seqtool group events.csv --key user --drop site,kind,state --ragged -o - -q"
        " | seqtool pad --maxlen 2 --min-len 1 -q | seqtool check --for torch --json"
    )
    done = place.shell(line)
    facts = json.loads(done.out)
    assert facts["file"] == "standard input"
    assert failing(facts) == ["values", "side"]
    [receipt] = [finding for finding in facts["findings"] if finding["name"] == "receipt"]
    assert receipt["verdict"] == "ok"
    [side] = [finding for finding in facts["findings"] if finding["name"] == "side"]
    assert side["cure"] == "seqtool pad - --post"


def test_the_samples_hold(place: Place) -> None:
    for path in sorted(SAMPLES.glob("*.np[yz]")):
        check(place, path, code=0)


# What is told


def test_what_fails_with_its_count_place_and_cure(place: Place) -> None:
    seqtool.save(place.folder / "a.npz", seqtool.pad([[[0.0, 0]], [[1, 2], [3, 4]], []], padding="pre"))
    facts = check(place, "a.npz", "--for", "keras-cudnn", code=1)
    assert (facts["file"], facts["for"], facts["against"]) == ("a.npz", "keras-cudnn", None)
    assert failing(facts) == ["mask value", "side", "empty"]
    found = {finding["name"]: finding for finding in facts["findings"]}
    cure = "seqtool pad a.npz --value -1 --post --min-len 1"
    assert found["mask value"] == {
        "name": "mask value",
        "verdict": "fails",
        "message": "real steps hold 0 in every feature: Masking(0) would skip them",
        "count": 1,
        "place": "x[0, 1]",
        "cure": cure,
    }
    done = place.run("check", "a.npz", "--for", "keras-cudnn")
    assert (done.code, done.err) == (1, "")
    words = " ".join(done.out.decode().split())
    for part in (
        "a.npz, for keras-cudnn",
        "file ok 3 arrays",
        "mask value fails 1 real steps hold 0",
        "first at x[0, 1]",
        f"to fix mask value, side, empty: {cure}",
        "3 of 11 checks fail",
    ):
        assert part in words
    succeeded(place.run(*shlex.split(cure)[1:], "-o", "b.npz", "-q"))
    assert "all checks pass" in succeeded(place.run("check", "b.npz", "--for", "keras-cudnn")).out.decode()


def test_warnings_do_not_fail(place: Place) -> None:
    succeeded(place.run(*GROUP, "-o", "a.npz"))
    facts = check(place, "a.npz", code=0)
    warned = {finding["name"]: finding for finding in facts["findings"] if finding["verdict"] == "warning"}
    assert [*warned] == ["values"]
    assert warned["values"]["place"] == "x[2, 0, 0]"
    assert b"all checks pass, with 1 warning" in succeeded(place.run("check", "a.npz")).out


def test_a_damaged_file_is_reported_and_no_traceback(place: Place) -> None:
    succeeded(place.run(*GROUP, "-o", "a.npz"))
    data = (place.folder / "a.npz").read_bytes()
    place.write("a.npz", data[:-100])
    facts = check(place, "a.npz", code=1)
    assert failing(facts) == ["file"]
    assert len(facts["findings"]) == 1
    assert b"not a complete .npz file" in place.run("check", "a.npz").out


def test_standard_input(place: Place) -> None:
    path = place.folder / "a.npz"
    seqtool.save(path, seqtool.pad([[1.0]]))
    for stdin in (path, path.read_bytes()):
        assert check(place, stdin=stdin, code=0)["file"] == "standard input"
        assert failing(check(place, "-", "--against", "a.npz", stdin=stdin, code=1)) == ["shared sequences"]


def test_leaks_into_another_file(place: Place) -> None:
    place.write("train.csv", "k,v\na,1\na,2\nb,3\n")
    place.write("test.csv", "k,v\nc,1\nc,2\nb,4\n")
    for name in ("train", "test"):
        succeeded(place.run("group", f"{name}.csv", "--key", "k", "-o", f"{name}.npz"))
    facts = check(place, "train.npz", "--against", "test.npz", code=1)
    assert facts["against"] == "test.npz"
    found = {f["name"]: (f["count"], f["place"]) for f in facts["findings"] if f["verdict"] == "fails"}
    assert found == {
        "shared keys": (1, "keys[1] and test.npz: keys[0]"),
        "shared sequences": (1, "sequence 0 (key a) and test.npz: sequence 1 (key c)"),
    }


def test_a_foreign_file_with_its_arrays_named(place: Place) -> None:
    x = np.array([[7, 5, 1], [7, 7, 3]], np.float32)
    np.savez(place.folder / "a.npz", data=x, n=[2, 1], other=x)
    named = ["a.npz", "--array", "data", "--lengths", "n", "--value", "7"]
    assert failing(check(place, *named, code=1)) == ["lengths"]
    assert failing(check(place, *named, "--input-padding", "pre", code=0)) == []


def test_left_padding_that_nobody_named_fails_for_torch(place: Place) -> None:
    place.write("a.npy", np.array([[[0, 0], [0, 0], [5, 1]], [[0, 0], [3, 4], [2, 2]]], np.float32))
    facts = check(place, "a.npy", "--for", "torch", code=1)
    assert failing(facts) == ["hidden padding"]
    assert "side" not in {finding["name"] for finding in facts["findings"]}
    assert "first" not in json.dumps(facts["findings"])
    [cure] = {finding["cure"] for finding in facts["findings"] if finding["cure"]}
    assert cure == "seqtool pad a.npy --post --strip 0 --strip-side pre"
    succeeded(place.run(*shlex.split(cure)[1:], "-o", "b.npz", "-q"))
    check(place, "b.npz", "--for", "torch", code=0)
    check(place, "a.npy", code=0)  # a warning, where nobody reads it


def test_keys_and_names_are_data(place: Place) -> None:
    place.write("a.csv", "[red]k,[/b]\n[bold]x,1\n[bold]x,3\n\x1b[31mred,3\n")
    succeeded(place.run("group", "a.csv", "--key", "0", "-o", "[bold].npz"))
    done = succeeded(place.run("check", "[bold].npz"))
    assert b"[/b]" in done.out
    assert b"[bold].npz" in done.out
    assert b"\x1b" not in done.out
    assert failing(check(place, "[bold].npz", "--against", "[bold].npz", code=1)) == [
        "shared keys",
        "shared sequences",
    ]


# Wrong calls


def refused(done: Done, code: int, *words: str) -> None:
    assert (done.code, done.out) == (code, b"")
    assert len(done.err.splitlines()) == 1
    assert done.err.startswith("seqtool: error: ")
    for word in words:
        assert word in done.err


def test_wrong_calls(place: Place) -> None:
    seqtool.save(place.folder / "a.npz", seqtool.pad([[1.0]]))
    place.write("b.npz", (place.folder / "a.npz").read_bytes())
    refused(place.run("check", "a.npz", "--for", "jax"), 2, "keras-cudnn", "dynamic-rnn")
    refused(place.run("check", "a.npz", "--value", "x"), 2, "--value")
    refused(place.run("check", "a.npz", "--input-padding", "left"), 2, "pre or post")
    refused(place.run("check", "a.npz", "--array", "x"), 2, "written by seqtool", "--array")
    refused(place.run("check", "?.npz"), 2, "takes one at a time, such as a.npz")
    refused(place.run("check", "a.npz", "--against", "?.npz"), 2, "takes one at a time, such as a.npz")
    refused(place.run("check", "a.npz", "--max-memory", "1M"), 2, "--max-memory")
    refused(place.run("check", "nope.npz"), 1, "nope.npz: no such file")
    refused(place.run("check", "a.npz", "--against", "nope.npz"), 1, "nope.npz: no such file")
    refused(place.run("check", "events.csv"), 1, "events.csv: not a file of arrays")
    refused(place.run("check", "a.npz", "--against", "events.csv"), 1, "events.csv: not a file of arrays")
    refused(place.run("check", stdin=b""), 1, "standard input: empty")
    assert place.run("check").code == 2


@pytest.mark.parametrize("form", [[], ["--json"]])
def test_quiet_says_nothing_unless_it_fails(place: Place, form: list[str]) -> None:
    succeeded(place.run("group", "events.csv", "--key", "user", "--columns", "time", "-o", "good.npz"))
    done = place.run("check", "good.npz", "-q", *form)
    assert (done.code, done.out, done.err) == (0, b"", "")
    arrays = place.arrays("good.npz")
    arrays["lengths"][0] = 99
    np.savez(place.folder / "bad.npz", **arrays)
    quiet, told = (place.run("check", "bad.npz", *more, *form) for more in (["--quiet"], []))
    assert (quiet.code, quiet.out) == (1, told.out)
