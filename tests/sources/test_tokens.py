"""Words as steps: lines, records, list columns and lists in memory give the ids of plain Python."""

from __future__ import annotations

import json
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given
from hypothesis import strategies as st

import seqtool as sq
from seqtool.arrays.spool import Spool
from seqtool.errors import DataError, UsageError
from seqtool.files import inputs
from seqtool.sources import text_lines
from seqtool.sources.options import ForeignSpec, RowSpec, SourceOptions
from seqtool.sources.read import read_sequences
from tests import oracles
from tests.command import Place, succeeded

NOTES = [["the", "cat", "sat"], [], ["the", "dog"]]

words = st.text(st.characters(codec="ascii", categories=["L", "Nd"]), min_size=1, max_size=3)
sequences = st.lists(st.lists(words, max_size=4), min_size=1, max_size=6)


def ids_of(data: Any) -> list[list[int]]:
    """The real ids of each sequence, which stand first."""
    return [row[:length].tolist() for row, length in zip(data.x, data.lengths, strict=True)]


def vocabulary_of(data: Any) -> list[str]:
    return np.asarray(data.names["vocabulary_0"]).tolist()


def failed(place: Place, code: int, *call: str) -> str:
    done = place.run(*call)
    assert done.code == code, done.err
    return done.err


def expected(lists: list[list[Any]]) -> tuple[list[list[int]], list[str]]:
    flat, vocabulary = oracles.category_ids([cell or "" for cells in lists for cell in cells])
    ends = np.cumsum([len(cells) for cells in lists])
    return [part.tolist() for part in np.split(np.array(flat, int), ends[:-1])], vocabulary


@given(sequences)
def test_lists_in_memory_are_those_of_plain_python(lists: list[list[str]]) -> None:
    forms = [
        lists,
        pa.array(lists, pa.list_(pa.string())),
        pd.Series(lists, dtype=object),
        [*map(tuple, lists)],
    ]
    for form in forms:
        found = sq.pad(form, category="word", padding="post")
        assert (ids_of(found), vocabulary_of(found)) == expected(lists)
        assert found.names["categories"].tolist() == ["word"]


@given(sequences, st.integers(1, 5), st.sampled_from([1, 4, 100]))
def test_lines_are_those_of_plain_python_however_they_are_cut(
    tmp_path_factory: pytest.TempPathFactory, lists: list[list[str]], cells: int, letters: int
) -> None:
    path = tmp_path_factory.getbasetemp() / "notes.txt"
    path.write_text("".join(" ".join(line) + "\n" for line in lists))
    spec = ForeignSpec(rows=RowSpec(category=("word",)))
    with pytest.MonkeyPatch.context() as patch, Spool() as spool:
        patch.setattr(text_lines, "_CELLS", cells)
        patch.setattr(text_lines, "_PIECE", max(letters, 8))
        with inputs.opened([str(path)]) as [source]:
            found = read_sequences(source, SourceOptions(foreign=spec, spool=spool))
        padded = sq.pad(found.ragged.in_memory(), padding="post")
    assert (ids_of(padded), vocabulary_of(padded)) == expected(lists)


@pytest.mark.parametrize("form", ["lines", "json", "objects", "mapping", "parquet", "cells"])
def test_every_reader_gives_the_same(place: Place, form: str) -> None:
    more = ["--category", "word"]
    if form == "lines":
        name = "n.txt"
        place.write(name, "".join(" ".join(line) + "\n" for line in NOTES))
    elif form == "json":
        name = "n.json"
        place.write(name, json.dumps(NOTES))
    elif form == "objects":
        name = "n.jsonl"
        place.write(name, "".join(json.dumps({"word": line, "n": 1}) + "\n" for line in NOTES))
    elif form == "mapping":
        name, more = "n.json", [*more, "--keys-from-names"]
        place.write(name, json.dumps({str(i): line for i, line in enumerate(NOTES)}))
    elif form == "parquet":
        name = "n.parquet"
        pq.write_table(pa.table({"n": [1, 2, 3], "word": NOTES}), place.folder / name)
    else:
        name, more = "n.csv", [*more, "--array", "word"]
        place.write(name, "n,word\n" + "".join(f'{i},"{line}"\n' for i, line in enumerate(NOTES)))
    succeeded(place.run("pad", name, *more, "--post", "-o", "out.npz"))
    found = sq.load(place.folder / "out.npz")
    assert (ids_of(found), vocabulary_of(found)) == expected(NOTES)
    succeeded(place.run("check", "out.npz"))
    succeeded(place.run("encode", "out.npz", "-o", "encoded.npz"))
    assert vocabulary_of(sq.load(place.folder / "encoded.npz")) == ["the", "cat", "dog", "sat"]
    rows = succeeded(place.run("unpad", "encoded.npz", "-o", "-")).out.decode().splitlines()[1:]
    assert [row.split(",")[1] for row in rows] == [word for line in NOTES for word in line]
    succeeded(place.run("apply", "out.npz", name, "-o", "again.npz"))
    again = sq.load(place.folder / "again.npz")
    assert ids_of(again) == ids_of(found)


def test_new_words_are_unknown_to_a_recipe(place: Place) -> None:
    place.write("n.txt", "b,a\n")
    place.write("new.txt", "c,a\n")
    succeeded(place.run("pad", "n.txt", "--category", "word", "--delimiter", ",", "-o", "out.npz"))
    succeeded(place.run("apply", "out.npz", "new.txt", "-o", "new.npz"))
    assert sq.load(place.folder / "new.npz").x.tolist() == [[2, 3]]


def test_numbers_and_static_names_beside_words(place: Place) -> None:
    records = [
        {"id": 7, "x": [0.5, 2], "tag": ["B", None], "city": "Oslo"},
        {"id": 8, "x": [3], "tag": ["B"], "city": None},
    ]
    place.write("r.jsonl", "".join(json.dumps(record) + "\n" for record in records))
    pq.write_table(pa.Table.from_pylist(records), place.folder / "r.parquet")
    for name in ("r.jsonl", "r.parquet"):
        call = (
            "pad",
            name,
            "--array",
            "x",
            "--category",
            "tag,city",
            "--key",
            "id",
            "--post",
            "-o",
            "out.npz",
        )
        told = succeeded(place.run(*call)).err
        found = sq.load(place.folder / "out.npz")
        assert found.x.tolist() == [[0.5, 2], [3, 0]]
        assert np.asarray(found.per_step["c"].data)[..., 0].tolist() == [[3, 1], [3, 0]]
        assert np.asarray(found.per_sequence["static_c"]).tolist() == [[3], [1]]
        assert "1 step without tag: id 1" in told
        assert "1 sequence without city: id 1" in told
        rows = succeeded(place.run("unpad", "out.npz", "-o", "-")).out.decode().splitlines()
        assert rows == ["id,x,tag,city,step", "7,0.5,B,Oslo,0", "7,2,,Oslo,1", "8,3,B,,0"]


def test_a_column_of_a_frame_and_missing_words() -> None:
    frame = pd.DataFrame({"tags": [["a", "NA"], ["b"]], "city": ["x", "y"]})
    with pytest.warns(
        UserWarning, match="'NA' in 1 step, as a name like others; to read it as missing: missing=\"NA\""
    ):
        found = sq.pad(frame, array="tags", category=["tags", "city"], padding="post")
    assert vocabulary_of(found) == ["NA", "a", "b"]
    assert found.per_sequence["static_c"].tolist() == [[3], [4]]
    with pytest.warns(UserWarning, match="1 step without w: id 1"):
        assert sq.pad([["a", None]], category="w").x.tolist() == [[3, 1]]


def test_keys_and_parts_of_paths(place: Place) -> None:
    assert sq.pad({"u": ["a"], "v": ["b"]}, category="w").keys.tolist() == ["u", "v"]
    for name in ("Oslo/a.npy", "Rome/b.npy"):
        (place.folder / name).parent.mkdir()
        np.save(place.folder / name, np.ones((2, 1)))
    call = ("pad", "*/*.npy", "--key-from", "{city}/{key}.npy", "--category", "city", "-o", "out.npz")
    succeeded(place.run(*call))
    found = sq.load(place.folder / "out.npz")
    assert np.asarray(found.per_sequence["static_c"]).tolist() == [[3], [4]]
    assert found.names["static_vocabulary_0"].tolist() == ["Oslo", "Rome"]


def test_what_is_refused(place: Place) -> None:
    place.write("n.txt", "a b\n")
    assert "one word for each step" in failed(place, 2, "pad", "n.txt", "--category", "a,b")
    np.save(place.folder / "x.npy", np.ones((2, 3)))
    assert "text was expected, of which ids are made" in failed(place, 1, "pad", "x.npy", "--category", "a")
    pattern = ("--key-from", "{key}.npy", "--category", "city")
    assert "no part {city}" in failed(place, 2, "pad", "x.npy", *pattern)
    with pytest.raises(UsageError, match="names a, b"):
        sq.pad([["x"]], category=["a", "b"])
    with pytest.raises(DataError, match=r"sequences\[0\] is 'ab'"):
        sq.pad(["ab"], category="a")
    place.write("n.jsonl", '{"x": [1, 2], "w": ["a"]}\n')
    refused = failed(place, 1, "pad", "n.jsonl", "--array", "x", "--category", "w")
    assert "'x' holds 2 steps, but 'w' 1" in refused


def test_wide_tables_of_names(place: Place) -> None:
    place.write("w.csv", "id,w1,w2,w3\n1,the,,sat\n2,the,,\n3,,,\n")
    call = ("pad", "w.csv", "--steps", "w{1..3}", "--key", "id", "--post")
    assert "as ids of names: --category 'w{1..3}'" in failed(place, 1, *call)
    assert "all columns of steps are names, or none" in failed(place, 2, *call, "--category", "w1")
    told = succeeded(place.run(*call, "--category", "w{1..3}", "-o", "out.npz")).err
    assert "1 row without a step became a sequence without steps" in told
    found = sq.load(place.folder / "out.npz")
    assert (found.lengths.tolist(), found.names["categories"].tolist()) == ([3, 1, 0], ["w"])
    assert ids_of(found) == [[4, 1, 3], [4], []]
    succeeded(place.run("apply", "out.npz", "w.csv", "-o", "again.npz"))
    assert ids_of(sq.load(place.folder / "again.npz")) == ids_of(found)
    succeeded(place.run(*call, "--category", "w{1..3}", "--trailing-missing", "keep", "-o", "all.npz"))
    assert ids_of(sq.load(place.folder / "all.npz")) == [[4, 1, 3], [4, 1, 1], [1, 1, 1]]
    frame = pd.read_csv(place.folder / "w.csv").iloc[:2]
    with pytest.warns(UserWarning, match="1 step without w: id 1"):
        assert ids_of(sq.pad(frame, steps="w{1..3}", category="w{1..3}", padding="post")) == [[4, 1, 3], [4]]


def test_recipes_of_wide_tables_of_numbers_are_repeated(place: Place) -> None:
    place.write("w.csv", "id,t1,t2\n1,5,6\n2,7,\n")
    succeeded(place.run("pad", "w.csv", "--steps", "t{1..2}", "--key", "id", "-o", "out.npz"))
    succeeded(place.run("apply", "out.npz", "w.csv", "-o", "again.npz"))
    assert place.arrays("again.npz")["x"].tolist() == [[5, 6], [0, 7]]
