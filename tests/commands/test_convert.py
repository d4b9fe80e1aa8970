"""`seqtool convert`, and the formats as input and output of the other commands."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import seqtool as sq
from seqtool.training.sequence_file import SequenceFile
from tests.command import SAMPLES, Place, succeeded

FORMATS = ["out.parquet", "out.arrow", "out.jsonl", "out.safetensors", "out/"]
ROWS = "user,t,a,b,label,age\nx,1,1.5,2,u,3\nx,2,2.5,,u,3\ny,1,3.5,4,v,4\n"
GROUP = ["group", "in.csv", "--key", "user", "--order-by", "t", "--label", "label", "--static", "age"]


def grouped(place: Place, *more: str) -> bytes:
    """The file of three rows, and its bytes."""
    place.write("in.csv", ROWS)
    succeeded(place.run(*GROUP, *more, "-o", "in.npz"))
    return (place.folder / "in.npz").read_bytes()


@pytest.mark.thinned
@pytest.mark.parametrize("name", FORMATS)
@pytest.mark.parametrize(
    "more", [["--ragged"], ["--maxlen", "3", "--value", "nan", "--mask", "--keep-row-index"]]
)
def test_out_and_back_is_the_same_to_the_byte(place: Place, name: str, more: list[str]) -> None:
    before = grouped(place, *more)
    done = succeeded(place.run("convert", "in.npz", "-o", name))
    assert f"wrote    {name}, " in done.err
    succeeded(place.run("convert", name, "-o", "back.npz"))
    assert (place.folder / "back.npz").read_bytes() == before
    for checked in (name, "back.npz"):
        succeeded(place.run("check", checked))


@pytest.mark.parametrize("name", FORMATS)
def test_every_command_takes_and_writes_the_format(place: Place, name: str) -> None:
    grouped(place)
    succeeded(place.run("convert", "in.npz", "-o", name))
    for source, output in (("in.npz", "a.npz"), (name, "b.npz")):
        succeeded(place.run("pad", source, "--maxlen", "1", "-o", output))
    one, other = place.arrays("a.npz"), place.arrays("b.npz")
    assert [*one] == [*other]
    assert all(one[array].tobytes() == other[array].tobytes() for array in one if array != "meta")
    succeeded(place.run("truncate", name, "--maxlen", "1", "-o", f"cut-{name}"))
    assert sq.load(place.folder / f"cut-{name}").lengths.tolist() == [1, 1]
    found = json.loads(succeeded(place.run("info", f"cut-{name}", "--json")).out)
    assert [entry["command"] for entry in found["sequences"]["receipt"]] == ["group", "truncate"]
    assert found["sequences"]["features"] == ["a", "b"]
    facts = json.loads(succeeded(place.run("plan", name, "--json")).out)
    assert facts["command"] == f"seqtool pad {name} --maxlen 2"
    succeeded(place.run(*GROUP, "-o", f"direct-{name}"))
    assert sq.load(place.folder / f"direct-{name}").x.shape == (2, 2, 2)


@pytest.mark.parametrize("suffix", [".parquet", ".arrow", ".jsonl", ".safetensors"])
def test_a_format_comes_through_a_pipe(place: Place, suffix: str) -> None:
    before = grouped(place)
    succeeded(place.run("convert", "in.npz", "-o", f"out{suffix}"))
    done = succeeded(
        place.run("convert", "-", "-o", "back.npz", stdin=(place.folder / f"out{suffix}").read_bytes())
    )
    assert "from standard input" in done.err
    assert (place.folder / "back.npz").read_bytes() == before


def test_a_foreign_source_gets_a_receipt(place: Place) -> None:
    place.write("in.npy", np.arange(12.0).reshape(2, 3, 2))
    place.write("lines.txt", "1 2 3\n4\n")
    succeeded(place.run("convert", "in.npy", "-o", "out.parquet"))
    padded: Any = sq.load(place.folder / "out.parquet")
    assert padded.x.tolist() == np.arange(12.0).reshape(2, 3, 2).tolist()
    (entry,) = padded.receipt
    assert (entry["command"], entry["inputs"], entry["rows"]["kept"]) == ("convert", ["in.npy"], 6)
    done = succeeded(place.run("convert", "lines.txt", "-o", "out.jsonl", "--json"))
    summary = json.loads(done.err)
    assert summary["rows"] == {"in": 4, "kept": 4, "cut": 0, "dropped": {}}
    assert summary["compressed_bytes"] == (place.folder / "out.jsonl").stat().st_size
    assert [steps.tolist() for steps in sq.load(place.folder / "out.jsonl")] == [[1, 2, 3], [4]]


def test_one_sequence_of_each_file(place: Place) -> None:
    for name in ("a", "b"):
        place.write(f"{name}.npy", np.ones((2, 3)))
    done = place.run("convert", "a.npy", "b.npy", "-o", "out.parquet")
    assert "a pattern in quotes takes them all: " in done.err
    succeeded(place.run("convert", "*.npy", "--key-from", "{key}.npy", "-o", "out.parquet"))
    assert sq.load(place.folder / "out.parquet").keys.tolist() == ["a", "b"]  # type: ignore[union-attr]


def test_a_file_that_python_made_has_no_receipt_after_it_either(place: Place) -> None:
    sq.save(place.folder / "in.npz", sq.Ragged(np.arange(3), np.array([0, 1, 3])))
    succeeded(place.run("convert", "in.npz", "-o", "out/"))
    succeeded(place.run("convert", "out", "-o", "back.npz"))
    assert (place.folder / "back.npz").read_bytes() == (place.folder / "in.npz").read_bytes()


def test_an_empty_block_keeps_its_shape(place: Place) -> None:
    for data in (sq.pad([], maxlen=3), sq.pad([[], []])):
        sq.save(place.folder / "in.npz", data)
        for name in FORMATS:
            succeeded(place.run("convert", "in.npz", "-o", name, "-q"))
            succeeded(place.run("convert", name, "-o", "back.npz", "-q"))
            assert (place.folder / "back.npz").read_bytes() == (place.folder / "in.npz").read_bytes()


def test_splits_go_to_a_folder_each(place: Place) -> None:
    split = np.array(["train", "val", "train"])
    ragged = sq.Ragged(np.arange(4), np.array([0, 1, 3, 4]), per_sequence={"split": split})
    sq.save(place.folder / "in.npz", ragged)
    succeeded(place.run("convert", "in.npz", "-o", "{split}/"))
    assert sq.load(place.folder / "train").lengths.tolist() == [1, 1]
    assert sq.load(place.folder / "val").lengths.tolist() == [2]


def test_a_dry_run_writes_nothing(place: Place) -> None:
    grouped(place)
    before = sorted(path.name for path in place.folder.iterdir())
    done = succeeded(place.run("convert", "in.npz", "-o", "out.parquet", "--dry-run"))
    assert "would write  out.parquet, " in done.err
    assert " of arrays" in done.err
    succeeded(place.run("convert", "in.npz", "-o", "out/", "--dry-run"))
    assert sorted(path.name for path in place.folder.iterdir()) == before


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["-o", "out.txt"], ".npz, .npy, .parquet, .arrow, .jsonl, .safetensors or a folder/ was expected"),
        (["-o", "out.parquet", "--compress", "fast"], "use .npz for compression, or leave --compress out"),
        (["-o", "out.npy"], ".npy holds x alone, and ragged sequences have none; use .npz"),
        (["-o", "in.npz"], "in.npz: is both input and output"),
        (["-o", "./"], "./: a folder; the name of a file was expected"),
    ],
)
def test_what_the_call_shows_to_be_wrong(place: Place, arguments: list[str], message: str) -> None:
    grouped(place, "--ragged")
    done = place.run("convert", "in.npz", *arguments)
    assert message in done.err
    assert done.code == 2


def test_a_folder_is_never_the_output_of_what_is_read_from_it(place: Place) -> None:
    grouped(place)
    succeeded(place.run("convert", "in.npz", "-o", "out/"))
    for source in ("out", "out/", "out/x.npy"):
        done = place.run("convert", source, "-o", "out/")
        assert (done.code, "is both input and output" in done.err) == (2, True)
    Path(place.folder / "mine").mkdir()
    place.write("mine/notes.txt", "mine")
    done = place.run("convert", "in.npz", "-o", "mine/")
    assert done.code == 1
    assert "mine/: holds files that seqtool did not write; name a new folder" in done.err
    assert (place.folder / "mine" / "notes.txt").read_text() == "mine"


def test_what_trains_from_arrays_trains_from_rows(place: Place) -> None:
    vowels = str(SAMPLES / "japanese_vowels.csv")
    columns = ["--key", "utterance", "--order-by", "frame", "--label", "speaker", "--drop", "split"]
    succeeded(place.run("group", vowels, *columns, "-o", "v.npz"))
    expected = SequenceFile(place.folder / "v.npz").batch([5, 1, 600])
    for name in FORMATS:
        succeeded(place.run("convert", "v.npz", "-o", name))
        block = SequenceFile(place.folder / name).batch([5, 1, 600])
        assert block.x.tobytes() == expected.x.tobytes()
        assert np.array_equal(block.y, expected.y)


def test_a_sequence_is_a_row_which_memory_must_hold(place: Place) -> None:
    sq.save(place.folder / "in.npz", sq.Ragged(np.zeros(14_000_000, np.uint8), np.array([0, 14_000_000])))
    for name in ("out.parquet", "out.jsonl"):
        done = place.run("convert", "in.npz", "-o", name, "--max-memory", "256M")
        assert done.code == 1
        assert f"{name}: the longest sequence: can only be written whole and takes about " in done.err
        assert "write .npz, which takes it in pieces, or allow more: --max-memory " in done.err
    succeeded(place.run("convert", "in.npz", "-o", "out/", "--max-memory", "256M"))
