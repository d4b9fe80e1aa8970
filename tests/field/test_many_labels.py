"""Labels that are too many, or too long, for memory: what is made of them is what would be made in memory."""

from __future__ import annotations

from pathlib import Path
from random import Random

import numpy as np
import pytest

from seqtool.arrays import many_texts
from seqtool.arrays.many_texts import ManyTexts
from seqtool.arrays.spool import Spool
from seqtool.tables.cells import labels
from tests.command import Place, succeeded
from tests.low_memory import COMMAND, LEAST, LIMIT

LABELS = {
    "text": ["b", "a", "é", "", "ab", "a" * 3000, "a" * 2999 + "b", "𝄞", "Z", "10", "NA"],
    "whole numbers": ["10", "9", "-1", "010", "9.0", "NA", "", "7"],
    "numbers past 2^53": ["9007199254740993", "9007199254740992", "5"],
    "fractions": ["0.5", "2", "-1e3", "NA", "nan", "7"],
    "fractions and a word": ["0.5", "2", "1O.5", "3"],
    "digits as text": ["007", "7", "x"],
}
CALLS = [
    (),
    ("--empty-label", "keep"),
    ("--empty-label", "drop"),
    ("--label-as", "class"),
    ("--step-label", "z"),
]


@pytest.fixture
def place(tmp_path: Path) -> Place:
    return Place(tmp_path)


@pytest.mark.thinned
@pytest.mark.parametrize("call", CALLS, ids=str)
@pytest.mark.parametrize("kind", LABELS)
def test_the_same_comes_out_of_a_spool(
    kind: str, call: tuple[str, ...], place: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    rng = Random(7)
    cells = [rng.choice(LABELS[kind]) for _ in range(60)]
    rows = "".join(f"k{i},{cell},{cell},{i}\n" for i, cell in enumerate(cells))
    place.write("a.csv", f"id,y,z,v\n{rows}")
    asked = ["group", "a.csv", "--key", "id", "--columns", "v", "--label", "y", *call, "--json", "-o"]
    usual = place.run(*asked, "usual.npz")
    monkeypatch.setattr(labels, "_SPOOLED", 10**9)
    monkeypatch.setattr(many_texts, "_RECENT", 2)
    for size in ("_FIRST", "_BLOCK"):
        monkeypatch.setattr(f"seqtool.tables.csv_blocks.{size}", 64)
    spooled = place.run(*asked, "spooled.npz")
    assert (spooled.code, spooled.err.count("warning")) == (usual.code, usual.err.count("warning"))
    if usual.code:
        assert spooled.err == usual.err
    else:
        made, again = (place.folder / f"{name}.npz" for name in ("usual", "spooled"))
        assert made.read_bytes() == again.read_bytes()


def test_texts_in_a_spool_are_found_by_their_numbers(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(many_texts, "_RECENT", 3)
    words = [f"word {i}" for i in range(500)]
    with Spool() as spool:
        texts = ManyTexts(spool)
        for begin in range(0, 500, 7):
            texts.add(words[begin : begin + 7])
            assert texts.find(words[: begin + 7]).tolist() == [*range(min(begin + 7, 500))]
        assert [*texts] == words
        assert texts.between(3, 5) == words[3:5]
        assert "word 500" not in texts
        assert texts["word 499"] == 499


def test_labels_whose_digests_are_too_many(place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(labels, "_SPOOLED", 10**9)
    monkeypatch.setattr(many_texts, "_EACH", 50 * 10**6)
    place.write("a.csv", "id,y,v\n" + "".join(f"{i},c{i},{i}\n" for i in range(8)))
    done = place.run("group", "a.csv", "--key", "id", "--label", "y", "-o", "out.npz", "--max-memory", "256M")
    assert done.code == 1
    assert (
        "column 'y', which has 8 distinct labels and more: can only be read whole and takes about" in done.err
    )


@pytest.mark.parametrize("kind", ["text", "whole numbers"])
def test_the_same_comes_out_of_a_spool_in_pad(
    kind: str, place: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    rng = Random(3)
    cells = [rng.choice([cell for cell in LABELS[kind] if cell]) for _ in range(60)]
    steps = [";".join(rng.choices(cells, k=2)) for _ in cells]
    place.write("a.csv", "y,z,a,b\n" + "".join(f"{cells[i]},{steps[i]},{i},2\n" for i in range(60)))
    place.write("l.txt", "\n".join(cells) + "\n")
    block = {"x": np.ones((60, 2, 1)), "lengths": np.array([1, 2] * 30)}
    np.savez(place.folder / "a.npz", **block, y=cells, t=np.array([step.split(";") for step in steps]))
    np.save(place.folder / "l.npy", cells)
    np.save(place.folder / "x.npy", block["x"])
    calls = [
        "pad a.csv --steps a,b --label y",
        "pad a.csv --steps a,b --label y,z",
        "pad a.npz --label y --step-label t",
        "pad x.npy --label l.npy",
        "pad x.npy --label l.txt",
    ]
    usual = [place.run(*call.split(), "-o", f"{i}.npz") for i, call in enumerate(calls)]
    monkeypatch.setattr(labels, "_SPOOLED", 10**9)
    monkeypatch.setattr("seqtool.sources.labels._COPIES", 10**9)
    monkeypatch.setattr(many_texts, "_RECENT", 2)
    for i, call in enumerate(calls):
        spooled = place.run(*call.split(), "-o", f"{i}s.npz")
        assert (spooled.code, spooled.err.replace("s.npz", ".npz")) == (usual[i].code, usual[i].err)
        if not spooled.code:
            made, again = (place.folder / f"{i}{name}.npz" for name in ("", "s"))
            assert made.read_bytes() == again.read_bytes()


@pytest.mark.slow
def test_long_labels_are_bounded(place: Place) -> None:
    count, letters = 40, 1_900_000
    with (place.folder / "a.csv").open("w") as file:
        file.write("id,y,v\n")
        for i in range(count):
            file.write(f"{i},{'a' * letters}{count - i:03},{i}\n")
    call = ("group", "a.csv", "--key", "id", "--label", "y", "-o", "out.npz", "--max-memory", LIMIT)
    done, peak = place.measured(*call, program=COMMAND)
    succeeded(done)
    assert peak <= LEAST + 150 * 10**6, f"{peak / 10**6:.0f} MB"
    assert place.arrays("out.npz")["y"].tolist() == [*range(count)][::-1]


@pytest.mark.slow
def test_many_labels_are_bounded(place: Place) -> None:
    count = 300_000
    order = np.random.default_rng(3).permutation(count)
    with (place.folder / "a.csv").open("w") as file:
        file.write("id,y,v\n")
        file.writelines(f"{i},w{label},1\n" for i, label in enumerate(order.tolist()))
    call = ("group", "a.csv", "--key", "id", "--label", "y", "-o", "out.npz", "--max-memory", LIMIT)
    done, peak = place.measured(*call, program=COMMAND)
    succeeded(done)
    assert peak <= LEAST + 150 * 10**6, f"{peak / 10**6:.0f} MB"
    made = place.arrays("out.npz")
    assert made["classes"][made["y"][:1000]].tolist() == [f"w{label}" for label in order[:1000]]
