"""`seqtool info`: what it tells about a file, as tables and as data."""

from __future__ import annotations

import json
import os
import pty
from pathlib import Path

import numpy as np
import pytest

import seqtool
from seqtool.inspecting import describe
from tests.command import SAMPLES, Place, succeeded


@pytest.fixture
def place(tmp_path: Path) -> Place:
    place = Place(tmp_path)
    place.write("visits.csv", "user,score,age,plan\nb,0.5,30,pro\na,1.5,41,free\nb,2.5,30,pro\nb,9,30,pro\n")
    return place


def info(place: Place, *arguments: str) -> dict:
    done = succeeded(place.run("info", *arguments, "--json"))
    assert done.err == ""
    return json.loads(done.out)


def test_a_padded_file_of_ours(place: Place) -> None:
    succeeded(
        place.run("group", "visits.csv", "--key", "user", "--label", "plan", "--maxlen", "4", "-o", "a.npz")
    )
    facts = info(place, "a.npz")
    assert facts["file"] == "a.npz"
    arrays = {array["name"]: array for array in facts["arrays"]}
    assert [*arrays] == [*place.arrays("a.npz")]
    assert arrays["x"] == {"name": "x", "shape": [2, 4, 2], "dtype": "float32", "bytes": 64}
    sequences = facts["sequences"]
    assert (sequences["kind"], sequences["count"], sequences["steps"]) == ("padded", 2, 4)
    assert sequences["lengths"] == {"min": 1, "median": 2.0, "max": 3}
    assert (sequences["padding"], sequences["value"], sequences["padding_share"]) == ("post", 0, 0.5)
    assert sequences["features"] == ["score", "age"]
    assert sequences["classes"] == ["free", "pro"]
    assert sequences["receipt"][0]["command"] == "group"
    assert [preview["key"] for preview in sequences["preview"]] == ["a", "b"]
    assert [preview["length"] for preview in sequences["preview"]] == [1, 3]
    assert [preview["y"] for preview in sequences["preview"]] == [0, 1]
    assert [[float(n) for n in step] for step in sequences["preview"][1]["steps"]] == [
        [0.5, 30],
        [2.5, 30],
        [9, 30],
    ]


def test_the_tables_tell_the_same(place: Place) -> None:
    succeeded(
        place.run("group", "visits.csv", "--key", "user", "--label", "plan", "--maxlen", "4", "-o", "a.npz")
    )
    done = succeeded(place.run("info", "a.npz"))
    assert done.err == ""
    message = " ".join(done.out.decode().split())
    for words in (
        "x 2 x 4 x 2 float32 64 B",
        "lengths 2 int64",
        "2 sequences, 4 steps",
        "min 1, median 2, max 3",
        "post, with 0, 50.0% of all steps",
        "score, age",
        "free, pro",
        "4 steps in = 4 kept + 0 cut + 0 dropped",
        "key b",
    ):
        assert words in message


def test_a_ragged_file_of_ours(place: Place) -> None:
    succeeded(place.run("group", "visits.csv", "--key", "user", "--drop", "plan", "--ragged", "-o", "a.npz"))
    sequences = info(place, "a.npz")["sequences"]
    assert (sequences["kind"], sequences["count"], sequences["steps"]) == ("ragged", 2, 4)
    assert "padding" not in sequences
    assert b"ragged" in succeeded(place.run("info", "a.npz")).out


def test_sequences_without_steps_keys_or_features(place: Place) -> None:
    place.write("a.txt", "1 2\n\n3\n")
    succeeded(place.run("pad", "a.txt"))
    sequences = info(place, "a.pad.npz")["sequences"]
    assert sequences["empty"] == 1
    assert sequences["preview"][1] == {"sequence": 1, "length": 0, "steps": []}
    text = succeeded(place.run("info", "a.pad.npz")).out.decode()
    assert "1 of them empty" in text
    place.write("none.npy", np.empty((0, 3, 2)))
    succeeded(place.run("pad", "none.npy"))
    assert info(place, "none.pad.npz")["sequences"]["count"] == 0
    succeeded(place.run("info", "none.pad.npz"))


def test_foreign_files(place: Place) -> None:
    np.savez(place.folder / "a.npz", one=np.zeros((2, 3), np.int16), two=np.array("text"))
    facts = info(place, "a.npz")
    assert facts["arrays"][0] == {"name": "one", "shape": [2, 3], "dtype": "int16", "bytes": 12}
    assert "sequences" not in facts
    place.write("a.npy", np.zeros((2, 3, 4)))
    [array] = info(place, "a.npy")["arrays"]
    assert (array["shape"], array["dtype"], array["bytes"]) == ([2, 3, 4], "float64", 192)
    assert "2 x 3 x 4" in succeeded(place.run("info", "a.npy")).out.decode()


def test_standard_input(place: Place) -> None:
    path = place.write("a.npy", np.zeros((2, 3)))
    for stdin in (path, path.read_bytes()):
        done = succeeded(place.run("info", "--json", stdin=stdin))
        assert json.loads(done.out)["arrays"][0]["shape"] == [2, 3]


def test_names_and_keys_are_data(place: Place) -> None:
    """What looks like markup of the library that draws, or like control characters, is shown as it is."""
    place.write("a.csv", "k,[red]a[/red],[/b]\n[bold]x,1,2\n\x1b[31mred,3,4\n")
    succeeded(place.run("group", "a.csv", "--key", "k"))
    text = succeeded(place.run("info", "a.group.npz")).out.decode()
    assert "[red]a[/red]" in text
    assert "[bold]x" in text
    assert "\x1b" not in text


def test_a_table_is_no_array(place: Place) -> None:
    done = place.run("info", "visits.csv")
    assert done.code == 1
    assert done.err.startswith("seqtool: error: visits.csv: ")
    assert "group" in done.err


def test_the_vowels(place: Place) -> None:
    source = SAMPLES / "japanese_vowels.csv"
    call = [
        "--key",
        "utterance",
        "--order-by",
        "frame",
        "--label",
        "speaker",
        "--drop",
        "split",
        "-q",
        "-o",
        "vowels.npz",
    ]
    succeeded(place.run("group", source, *call))
    text = succeeded(place.run("info", "vowels.npz")).out.decode()
    for words in ("640 x 29 x 12", "min 7, median 15, max 29", "9,961 steps", "890.9 kB"):
        assert words in text


# One sequence, and pictures


@pytest.fixture
def grouped(place: Place) -> Place:
    succeeded(place.run("group", "visits.csv", "--key", "user", "--drop", "plan", "-o", "a.npz"))
    return place


def test_the_histogram_and_the_first_sequence_are_drawn_without_escape_codes(grouped: Place) -> None:
    for environment in ({}, {"NO_COLOR": "1"}, {"TERM": "dumb"}):
        text = succeeded(grouped.run("info", "a.npz", environment=environment)).out.decode()
        assert " 1  1  █████" in text
        assert " score ▒▒▒▒········ 1.5" in text
        assert "· padding" in text
        assert "\x1b" not in text


def test_a_sequence_is_found_by_its_key(grouped: Place) -> None:
    text = succeeded(grouped.run("info", "a.npz", "--sequence", "b")).out.decode()
    assert text.startswith("sequence 1: key b, 3 steps\n")
    assert " score     ░░░░████ 0.5 to 9" in text
    facts = info(grouped, "a.npz", "--sequence", "b")
    assert facts == {
        "schema": 1,
        "file": "a.npz",
        "sequence": 1,
        "length": 3,
        "key": "b",
        "features": ["score", "age"],
        "steps": [[0.5, 30], [2.5, 30], [9, 30]],
    }


def test_a_key_of_several_columns_stands_with_commas(place: Place) -> None:
    succeeded(
        place.run("group", "visits.csv", "--key", "user", "--key", "plan", "--columns", "age", "-o", "a.npz")
    )
    assert info(place, "a.npz", "--sequence", "b,pro")["steps"] == [[30], [30], [30]]
    done = place.run("info", "a.npz", "--sequence", "b,pr")
    assert (done.code, done.err) == (
        1,
        "seqtool: error: a.npz: no sequence has the key 'b,pr'; similar keys are b,pro\n",
    )


def test_without_keys_a_sequence_is_found_by_its_number(place: Place) -> None:
    place.write("a.txt", "1 2\n\nnan 3\n")
    succeeded(place.run("pad", "a.txt", "--maxlen", "3"))
    assert info(place, "a.pad.npz", "--sequence", "2") == {
        "schema": 1,
        "file": "a.pad.npz",
        "sequence": 2,
        "length": 2,
        "steps": ["nan", 3],
    }
    assert info(place, "a.pad.npz", "--sequence", "1")["steps"] == []
    succeeded(place.run("info", "a.pad.npz", "--sequence", "1"))
    done = place.run("info", "a.pad.npz", "--sequence", "3")
    assert done.code == 1
    assert (
        done.err
        == "seqtool: error: a.pad.npz: no sequence 3; sequences without keys are numbered from 0 to 2\n"
    )


def test_a_sequence_of_a_foreign_file_is_not_known(place: Place) -> None:
    np.savez(place.folder / "a.npz", x=np.zeros((2, 3)))
    place.write("a.npy", np.zeros((2, 3)))
    for name in ("a.npz", "a.npy"):
        done = place.run("info", name, "--sequence", "0")
        assert done.code == 1
        assert done.err.startswith(f"seqtool: error: {name}: not written by seqtool")


def test_a_terminal_gets_colours(grouped: Place) -> None:
    text = on_a_terminal(grouped, "info a.npz --sequence b", {"TERM": "xterm-256color"})
    assert "\x1b[38;5;" in text
    plain = on_a_terminal(grouped, "info a.npz --sequence b", {"TERM": "xterm-256color", "NO_COLOR": "1"})
    assert "\x1b" not in plain
    assert "░" in plain


def on_a_terminal(place: Place, call: str, environment: dict[str, str]) -> str:
    """What a call writes to a terminal that is its standard output.

    In a process of its own: rich keeps the codes of a style as the first terminal of a process needed them.
    """
    ours, theirs = pty.openpty()
    try:
        cleared = {"COLORTERM": "", "NO_COLOR": "", "COLUMNS": "90"}
        done = place.process(*call.split(), stdout=theirs, environment={**cleared, **environment})
        assert done.code == 0, done.err
        return os.read(ours, 1 << 16).decode()
    finally:
        os.close(ours)
        os.close(theirs)


# Programs


def test_a_program_for_the_file_is_all_that_is_printed(grouped: Place) -> None:
    done = succeeded(grouped.run("info", "a.npz", "--code", "numpy"))
    assert done.err == ""
    assert done.out.decode().splitlines() == [
        "# seqtool info a.npz --code numpy",
        "import numpy as np",
        "with np.load('a.npz') as file:",
        '    x, lengths = file["x"], file["lengths"]',
        "mask = np.arange(x.shape[1]) < lengths[:, None]",
        'print(f"{len(x):,} sequences, {mask.sum():,} real steps, x {x.shape} {x.dtype}")',
    ]
    text = succeeded(grouped.run("info", "a.npz", "--code", "torch")).out.decode()
    assert "# 2 sequences of 1 to 3 steps of 2 features, to learn the next step\n" in text
    assert "torch.nn.LSTM(2, 64, batch_first=True)\n" in text


@pytest.mark.parametrize(
    ("call", "message"),
    [
        ("a.npz --code pytorch", "--code is 'pytorch'; torch, keras, tf, jax or numpy was expected"),
        (
            "a.npz --code torch --json",
            "--code prints a program and nothing else; leave --json out",
        ),
        ("a.npz --code torch --sequence b", "--code prints a program and nothing else"),
    ],
)
def test_a_program_is_asked_for_alone_by_a_known_name(grouped: Place, call: str, message: str) -> None:
    done = grouped.run("info", *call.split())
    assert (done.code, done.out) == (2, b"")
    text = json.loads(done.err)["error"] if "--json" in call else done.err.removeprefix("seqtool: error: ")
    assert text.startswith(message)
    assert done.err.count("\n") == 1


def test_a_program_needs_a_file_that_it_can_load_again(grouped: Place) -> None:
    path = grouped.folder / "a.npz"
    for done in (
        grouped.run("info", "--code", "torch", stdin=path),
        grouped.run("info", "-", "--code", "torch", stdin=path.read_bytes()),
        grouped.shell("seqtool info <(cat a.npz) --code torch"),
    ):
        assert (done.code, done.out) == (2, b"")
        assert "cannot be loaded again; name a file" in done.err


def test_there_is_no_program_where_nothing_is_known_or_to_be_learnt(place: Place) -> None:
    place.write("foreign.npy", np.zeros((2, 3)))
    place.write("ids.json", "[[-1, 2], [3]]")
    place.write("short.json", "[[[1.5]], [[2.5]]]")
    for name in ("ids", "short"):
        succeeded(place.run("pad", f"{name}.json", "-o", f"{name}.npz"))
    for name, message in (
        (
            "foreign.npy",
            "foreign.npy: not written by seqtool, so its sequences are unknown; convert it: seqtool pad",
        ),
        ("ids.npz", "ids.npz: steps are whole numbers down to -1"),
        ("short.npz", "short.npz: there are no labels, and no sequence has a second step to predict"),
    ):
        done = place.run("info", name, "--code", "keras")
        assert (done.code, done.out) == (1, b"")
        assert done.err.startswith(f"seqtool: error: {message}")
        assert done.err.count("\n") == 1


# Parts of a key


def test_a_key_in_several_parts_is_shown_by_its_part(place: Place) -> None:
    windows = seqtool.pad([[1, 2], [2, 3], [7]], padding="post").replace(
        keys=np.array(["a", "a", "b"]),
        per_sequence={"part": np.array([0, 1000, 0]), "y": np.array([4, 5, 6])},
    )
    seqtool.save(place.folder / "a.npz", windows)
    text = succeeded(place.run("info", "a.npz", "--sequence", "a,1000")).out.decode()
    assert text.startswith("sequence 1: key a, part 1000, y 5, 2 steps\n")
    facts = info(place, "a.npz", "--sequence", "a,1000")
    assert facts == {
        "schema": 1,
        "file": "a.npz",
        "sequence": 1,
        "length": 2,
        "key": "a",
        "part": 1000,
        "y": 5,
        "steps": [2, 3],
    }
    assert info(place, "a.npz", "--sequence", "b")["sequence"] == 2
    text = " ".join(succeeded(place.run("info", "a.npz")).out.decode().split())
    assert "part from 0 to 1,000" in text
    assert "sequence 0: key a, part 0, y 4, 2 steps" in text
    assert info(place, "a.npz")["sequences"]["part"] == {"min": 0, "max": 1000}
    done = place.run("info", "a.npz", "--sequence", "a")
    assert (done.code, done.out) == (1, b"")
    text = "the key 'a' has several parts: 0, 1000; choose one of them: --sequence a,0"
    assert done.err == f"seqtool: error: a.npz: {text}\n"
    assert info(place, *done.err.rpartition("of them: ")[2].split(), "a.npz")["sequence"] == 0


def test_a_part_without_keys_is_shown_with_its_sequence(place: Place) -> None:
    parts = seqtool.pad([[1], [2]]).replace(per_sequence={"part": np.array([3, 3])})
    seqtool.save(place.folder / "a.npz", parts)
    assert info(place, "a.npz", "--sequence", "1")["part"] == 3


@pytest.mark.parametrize("kind", ["padded", "ragged", "external"])
def test_the_steps_of_a_large_file_are_read_only_when_asked_for(
    kind: str, place: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    ragged = seqtool.Ragged(np.arange(1.0, 2001), np.array([0, 50, 2000]), keys=np.array(["a", "b"]))
    data = seqtool.pad(ragged, padding="post") if kind == "padded" else ragged
    if kind == "external":
        np.savez(place.folder / "in.npz", x=np.arange(4000.0).reshape(2, 2000), lengths=[50, 2000])
    else:
        seqtool.save(place.folder / "in.npz", data)
    whole = info(place, "in.npz")
    assert whole["not_read"] == []
    assert b"not read" not in succeeded(place.run("info", "in.npz")).out
    monkeypatch.setattr(describe, "_SMALL", 1000)
    unread = {"padded": ["x"], "ragged": ["values"], "external": ["x", "lengths"]}[kind]
    found = info(place, "in.npz")
    assert found == {**whole, "not_read": unread}
    assert info(place, "in.npz", "--full") == whole
    shown = " ".join(succeeded(place.run("info", "in.npz")).out.decode().split())
    assert "--full reads them" in shown
    bytes_of = bytearray((place.folder / "in.npz").read_bytes())
    bytes_of[12_000] ^= 1
    (place.folder / "in.npz").write_bytes(bytes_of)
    assert info(place, "in.npz")["not_read"] == unread
    damaged = place.run("info", "in.npz", "--full")
    assert (damaged.code, "damaged" in damaged.err) == (1, True)
    kept = place.run("info", "in.npz", "--sequence", "b", "--json")
    assert kept.code == (1 if kind == "external" else 0)


def test_lengths_of_a_large_file_are_checked(place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(describe, "_SMALL", 1000)
    block = seqtool.pad([list(range(1, 200)), [1]], padding="post")
    seqtool.save(place.folder / "in.npz", block)
    arrays = {**place.arrays("in.npz"), "lengths": np.array([400, 1])}
    np.savez(place.folder / "in.npz", **arrays)
    done = place.run("info", "in.npz")
    assert (done.code, "lengths[0] is 400, but x holds 199 steps" in done.err) == (1, True)
