"""Arrays of text whose cells are the names of steps: ids in their place, beside the vocabulary."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import seqtool as sq
from seqtool.errors import DataError
from tests import oracles
from tests.command import Place, succeeded

LINES = [["the", "cat"], [], ["a", "", "dog"], ["the"]]
IDS, WORDS = oracles.category_ids([word for line in LINES for word in line])
BLOCK = np.array([[*line, *[""] * (4 - len(line))] for line in LINES])
LENGTHS = np.array([len(line) for line in LINES])


def padded(place: Place, name: str, *more: str) -> dict[str, Any]:
    place.run("pad", name, "--category", "word", "--post", "-o", "out.npz", *more)
    arrays = place.arrays("out.npz")
    lengths = arrays["lengths"]
    assert arrays["vocabulary_0"].tolist() == WORDS
    assert arrays["categories"].tolist() == ["word"]
    assert [*arrays["x"][np.arange(arrays["x"].shape[1]) < lengths[:, None]]] == IDS
    assert lengths.tolist() == LENGTHS.tolist()
    return arrays


def test_empty_cells_at_the_end_are_padding(place: Place) -> None:
    place.write("words.npy", BLOCK)
    padded(place, "words.npy")
    told = succeeded(place.run("pad", "words.npy", "--category", "word", "--post", "-o", "out.npz")).err
    assert "10 empty cells at the end of rows are padding" in told
    assert "1 step without word: id 1" in told
    place.write("turned.npy", np.ascontiguousarray(BLOCK.T))
    padded(place, "turned.npy", "--time-major")


def test_lengths_masks_labels_and_keys_go_along(place: Place) -> None:
    place.write("words.npy", BLOCK)
    place.write("lengths.npy", LENGTHS)
    padded(place, "words.npy", "--lengths", "lengths.npy")
    beside = {"y": np.arange(4), "keys": np.array(["p", "q", "r", "s"])}
    mask = np.arange(4) < LENGTHS[:, None]
    for how in ({"lengths": LENGTHS}, {"mask": mask}, {}):
        np.savez(place.folder / "words.npz", x=BLOCK, **how, **beside)
        arrays = padded(place, "words.npz")
        assert (arrays["y"].tolist(), arrays["keys"].tolist()) == ([0, 1, 2, 3], ["p", "q", "r", "s"])
    np.savez_compressed(place.folder / "pre.npz", x=BLOCK[:, ::-1], mask=mask[:, ::-1])
    done = succeeded(place.run("pad", "pre.npz", "--category", "word", "-o", "out.npz", "--ragged"))
    assert "mask tells the lengths, padded pre" in done.err
    values = np.array([word for line in LINES for word in line])
    np.savez(place.folder / "ragged.npz", values=values, offsets=np.append(0, np.cumsum(LENGTHS)))
    padded(place, "ragged.npz")


def test_every_command_that_reads_sequences_takes_them(place: Place) -> None:
    place.write("words.npy", BLOCK)
    succeeded(place.run("encode", "words.npy", "--category", "word", "-o", "encoded.npz"))
    assert place.arrays("encoded.npz")["vocabulary_0"][0] == "the"
    succeeded(place.run("convert", "words.npy", "--category", "word", "-o", "words.parquet"))


def test_a_pickled_array_of_lists_that_is_trusted(place: Place) -> None:
    lists = np.empty(4, object)
    lists[:] = LINES
    np.save(place.folder / "objects.npy", lists, allow_pickle=True)
    padded(place, "objects.npy", "--allow-pickle")
    done = place.run("pad", "objects.npy", "--category", "word")
    assert (done.code, "--allow-pickle" in done.err) == (1, True)


@given(
    st.lists(st.lists(st.sampled_from(["", "a", "b", "NA"]), min_size=3, max_size=3), min_size=1, max_size=5)
)
@pytest.mark.filterwarnings("ignore")
def test_python_takes_them_too(rows: list[list[str]]) -> None:
    ends = [max((i + 1 for i, word in enumerate(row) if word), default=0) for row in rows]
    found = sq.pad(np.array(rows), category="word", padding="post", maxlen=3)
    cells = [row[:end] for row, end in zip(rows, ends, strict=True)]
    expected = sq.pad(cells, category="word", padding="post", maxlen=3)
    assert isinstance(found, sq.Padded)
    assert oracles.parts(found) == oracles.parts(expected)


def test_what_is_no_text_or_has_no_name_is_told(place: Place) -> None:
    place.write("words.npy", BLOCK)
    place.write("numbers.npy", np.ones((2, 2)))
    place.write("bytes.npy", BLOCK.astype("S"))
    np.savez(place.folder / "several.npz", *[np.array(line, str) for line in LINES])
    for call, code, message in (
        (
            "words.npy",
            1,
            "the array is <U3; integers, floats or booleans were expected; as ids of names: --category word",
        ),
        (
            "numbers.npy --category word",
            1,
            "text was expected, of which ids are made: leave --category out",
        ),
        ("bytes.npy --category word", 1, "save text as text: array.astype(str)"),
        ("several.npz --category word", 1, "each array is a sequence; one that holds the names"),
        ("words.npy --category word,tag", 2, "--category names word, tag"),
    ):
        done = place.run("pad", *call.split())
        assert (done.code, message in done.err) == (code, True), done.err
    with pytest.raises(DataError, match=r'of text pad\(\.\.\., category="word"\) makes ids'):
        sq.pad(BLOCK)


def test_a_block_larger_than_the_memory_is_refused(place: Place) -> None:
    place.write("long.npy", np.zeros((3, 40), "<U400000"))
    done = place.run("pad", "long.npy", "--category", "word", "--max-memory", "256M")
    assert (done.code, "can only be read whole" in done.err) == (1, True)
    Path(place.folder / "long.npy").unlink()
