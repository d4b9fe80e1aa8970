"""`seqtool plot`: pictures of files, through the command line."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tests.command import SAMPLES, Done, Place, succeeded

drawn = pytest.mark.matplotlib
PNG = b"\x89PNG\r\n\x1a\n"


@pytest.fixture(scope="module")
def grouped(tmp_path_factory: pytest.TempPathFactory) -> Place:
    place = Place(tmp_path_factory.mktemp("grouped"))
    place.write("visits.csv", "user,score,age,plan\nb,0.5,30,pro\na,1.5,41,free\nb,2.5,30,pro\nb,9,30,pro\n")
    succeeded(
        place.run("group", "visits.csv", "--key", "user", "--label", "plan", "--maxlen", "2", "-o", "a.npz")
    )
    return place


@pytest.fixture
def place(grouped: Place, tmp_path: Path) -> Place:
    return grouped.copied(tmp_path)


def without_matplotlib(place: Place) -> dict[str, str]:
    """An environment in which matplotlib is not installed."""
    hidden = place.temporary.with_name("hidden")
    hidden.mkdir()
    (hidden / "matplotlib.py").write_text("raise ModuleNotFoundError(__name__)\n")
    return {"PYTHONPATH": str(hidden)}


def facts_of(done: Done) -> dict[str, Any]:
    facts: dict[str, Any] = json.loads(succeeded(done).err)
    return facts


def test_without_matplotlib_it_says_what_to_install(place: Place) -> None:
    before = place.files()
    done = place.process("plot", "a.npz", environment=without_matplotlib(place))
    assert done.code == 2
    assert done.err == ("seqtool: error: matplotlib is missing; plot needs it: pip install 'seqtool[plot]'\n")
    assert place.files() == before


@drawn
def test_a_file_gives_a_picture_in_the_current_folder(place: Place) -> None:
    done = succeeded(place.run("plot", "a.npz"))
    picture = (place.folder / "a.plot.png").read_bytes()
    assert picture.startswith(PNG)
    assert int.from_bytes(picture[16:20]) == 1200
    assert done.out == b""
    words = [line.split()[0] for line in done.err.splitlines()]
    assert words == ["read", "drew", "wrote"]
    assert "2 sequences, 3 steps from a.npz" in done.err
    assert "a heat map of score, the balance of labels, histograms of 2 features" in done.err
    assert "a.plot.png, " in done.err
    succeeded(place.run("plot", "a.npz", "-q"))  # over its own
    assert (place.folder / "a.plot.png").read_bytes() == picture
    assert place.left_behind() == []


@drawn
def test_another_picture_is_not_replaced_by_chance(place: Place) -> None:
    place.write("a.plot.png", PNG + b"of another")
    done = place.run("plot", "a.npz")
    assert done.code == 1
    assert "a.plot.png: exists and was not written by seqtool; add --force" in done.err
    succeeded(place.run("plot", "a.npz", "--force"))
    place.write("b.png", b"of another")
    succeeded(place.run("plot", "a.npz", "-o", "b.png"))
    assert (place.folder / "b.png").read_bytes() == (place.folder / "a.plot.png").read_bytes()


@drawn
def test_the_suffix_chooses_the_format(place: Place) -> None:
    for name, begin in [("a.svg", b"<?xml"), ("a.html", b"<!DOCTYPE html>"), ("a.png", PNG)]:
        succeeded(place.run("plot", "a.npz", "-o", name, "-q"))
        assert (place.folder / name).read_bytes().startswith(begin)
    done = place.run("plot", "a.npz", "-o", "a.pdf")
    assert done.code == 2
    assert done.err == (
        "seqtool: error: a.pdf: the suffix of the output chooses its format; .png, .svg or .html was expected\n"
    )
    assert place.run("plot", "missing.npz", "-o", "a.pdf") == done  # before any input is looked at


@drawn
def test_pipes(place: Place) -> None:
    succeeded(place.run("plot", "a.npz", "-o", "a.png", "-q"))
    data = (place.folder / "a.npz").read_bytes()
    done = succeeded(place.run("plot", "-q", stdin=data))
    assert (done.out[:8], done.err) == (PNG, "")
    assert succeeded(place.run("plot", "a.npz", "-o", "-", "-q")).out == (place.folder / "a.png").read_bytes()
    done = succeeded(place.run("plot", "a.npz"))
    assert "-o - sends the data to standard output" in done.err


@drawn
def test_the_summary_as_json(place: Place) -> None:
    facts = facts_of(place.run("plot", "a.npz", "--feature", "age", "-o", "a.html", "--json"))
    assert (facts["command"], facts["inputs"], facts["output"]) == ("plot", ["a.npz"], "a.html")
    assert facts["bytes"] == (place.folder / "a.html").stat().st_size
    assert (facts["sequences"], facts["steps"], facts["maxlen"], facts["padding"]) == (2, 3, 2, "post")
    assert facts["cut"] == {"sequences": 1, "steps": 1}
    assert facts["drawn"] == {"sequences": 2, "feature": "age", "steps": 3}
    assert facts["warnings"] == []
    assert {"reading", "drawing"} <= {*facts["seconds"]}


@drawn
def test_a_sample_is_called_one(place: Place) -> None:
    x, lengths = np.zeros((700, 300)), np.full(700, 300)
    np.savez(place.folder / "many.npz", x=x, lengths=lengths)
    told = "drawn from a sample: heat maps from 600 of 700 sequences, values from 99,900 of 210,000 steps"
    assert told in " ".join(succeeded(place.run("plot", "many.npz")).err.split())
    facts = facts_of(place.run("plot", "many.npz", "--json"))
    assert facts["drawn"] == {"sequences": 600, "feature": "value", "steps": 99_900}
    assert told in facts["notes"]
    assert "sample" not in succeeded(place.run("plot", "a.npz")).err


@drawn
def test_labels_of_steps_and_labels_that_cannot_be_drawn(place: Place) -> None:
    call = "group visits.csv --key user --columns score --step-label plan -o s.npz"
    succeeded(place.run(*call.split()))
    done = succeeded(place.run("plot", "s.npz", "-o", "s.html"))
    assert "the balance of step labels, step labels over time, a histogram of 1 feature\n" in done.err
    page = (place.folder / "s.html").read_text(encoding="utf-8")
    for words in ("Step labels", "2 classes, 4 steps"):
        assert words in page
    x = np.arange(1.0, 25).reshape(4, 3, 2)
    np.savez(place.folder / "wide.npz", x=x, lengths=np.full(4, 3), y=np.zeros((4, 5)))
    done = succeeded(place.run("plot", "wide.npz"))
    assert "; not drawn: y of shape (4, 5): only one label per sequence can be drawn\n" in done.err


@drawn
def test_ragged_and_pre_padded_files(place: Place) -> None:
    succeeded(place.run("group", "visits.csv", "--key", "user", "--drop", "plan", "--ragged", "-o", "r.npz"))
    succeeded(place.run("pad", "r.npz", "--maxlen", "7", "--pre", "-o", "p.npz"))
    facts = facts_of(place.run("plot", "r.npz", "--feature", "1", "--json"))
    assert (facts["maxlen"], facts["padding"], facts["drawn"]["feature"]) == (None, None, "age")
    facts = facts_of(place.run("plot", "p.npz", "--json"))
    assert (facts["maxlen"], facts["padding"], facts["steps"]) == (7, "pre", 4)


@drawn
def test_foreign_arrays(place: Place) -> None:
    x = np.arange(40.0).reshape(4, 5, 2) + 1
    lengths = np.array([1, 2, 3, 4])
    x[np.arange(5) < 5 - lengths[:, None]] = 0
    place.write("x.npy", x)
    place.write("n.npy", lengths)
    np.savez(place.folder / "x.npz", data=x, n=lengths, other=np.zeros(3))
    np.savez(place.folder / "e.npz", values=x[0], offsets=np.array([0, 2, 5]))
    np.savez(place.folder / "s.npz", x[0], x[1][:2])
    pre = ["--input-padding", "pre", "--json"]
    for call in (["x.npy", "--lengths", "n.npy", *pre], ["x.npz", "--array", "data", "--lengths", "n", *pre]):
        facts = facts_of(place.run("plot", *call))
        assert (facts["sequences"], facts["steps"], facts["maxlen"], facts["padding"]) == (4, 10, 5, "pre")
    assert facts["notes"] == ["arrays not read: other"]
    assert facts_of(place.run("plot", "x.npy", "--json"))["maxlen"] == 5
    for name in ("e.npz", "s.npz"):
        facts = facts_of(place.run("plot", name, "--json"))
        assert (facts["sequences"], facts["maxlen"]) == (2, None)


@drawn
@pytest.mark.parametrize(
    ("call", "code", "error"),
    [
        (
            ["a.npz", "--feature", "z"],
            1,
            "a.npz: --feature z: no such feature; a name, or a position below 2,",
        ),
        (["a.npz", "--array", "x"], 2, "leave --array"),
        (["a.npz", "--input-padding", "left"], 2, "--input-padding is 'left'; pre or post was expected"),
        (["none.npz"], 1, "none.npz: no such file"),
        (["a.npz", "-o", "a.npz"], 2, "a.npz: is both input and output"),
        (["a.npz", "-o", "b.npz"], 2, "b.npz: the suffix of the output chooses its format"),
        (["a.npz", "-o", "nowhere/a.png"], 1, "the folder nowhere does not exist"),
        (["visits.csv"], 1, "visits.csv: not a file of arrays; .npz or .npy was expected; make one: "),
        (["flat.npy"], 1, "flat.npy: the array has shape (3,)"),
    ],
)
def test_wrong_calls(place: Place, call: list[str], code: int, error: str) -> None:
    place.write("flat.npy", np.zeros(3))
    before = place.files()
    done = place.run("plot", *call)
    assert done.code == code
    assert done.err.startswith("seqtool: error: ")
    assert error in done.err
    assert done.err.count("\n") == 1
    assert place.files() == before


@drawn
def test_a_homeless_person_with_odd_settings_sees_the_same(place: Place) -> None:
    succeeded(place.run("plot", "a.npz", "-o", "a.png", "-q"))
    place.write("matplotlibrc", "backend: nonsense\ntext.usetex: True\nfigure.dpi: 30\nwhat is this\n")
    odd = {"MPLBACKEND": "module://nothing", "HOME": "/nowhere"}
    done = succeeded(place.process("plot", "a.npz", "-o", "b.png", "-q", environment=odd))
    assert done.err == ""
    assert (place.folder / "a.png").read_bytes() == (place.folder / "b.png").read_bytes()
    assert place.left_behind() == []


@drawn
@pytest.mark.slow
def test_memory_is_bounded(place: Place) -> None:
    """An array of 600 MB, which is read in windows; matplotlib alone takes most of what is allowed."""
    lengths = np.full(100_000, 50)
    x = np.lib.format.open_memmap(place.folder / "x.npy", "w+", np.float32, (100_000, 50, 30))
    x[::1000] = 1
    x.flush()
    del x
    place.write("n.npy", lengths)
    done, peak = place.measured("plot", "x.npy", "--lengths", "n.npy", "--max-memory", "256M", "-o", "x.png")
    succeeded(done)
    assert peak < 256_000_000


@drawn
def test_the_vowels(place: Place) -> None:
    words = "--key utterance --order-by frame --label speaker --drop split --maxlen 15 -q -o vowels.npz"
    succeeded(place.run("group", SAMPLES / "japanese_vowels.csv", *words.split()))
    facts = facts_of(place.run("plot", "vowels.npz", "-o", "vowels.html", "--json"))
    assert (facts["sequences"], facts["features"], facts["maxlen"]) == (640, 12, 15)
    assert facts["cut"] == {"sequences": 296, "steps": 1092}
    page = (place.folder / "vowels.html").read_text(encoding="utf-8")
    for words in ("lpc12", "296 sequences lost 1,092 steps", "9 classes, 640 sequences"):
        assert words in page
