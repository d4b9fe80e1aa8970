from __future__ import annotations

import json
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

import seqtool as sq
from seqtool.arrays.lazy import Lazy
from seqtool.arrays.spool import Spool
from seqtool.errors import DataError, UsageError
from seqtool.operations import run, vocabularies
from seqtool.operations.encode import Encode
from seqtool.sequences.ragged import Ragged, StepArray
from seqtool.sequences.validation import offsets_of
from tests import oracles
from tests.command import Place, succeeded

ALPHABET = ["", "a", "b", "ab", "é", "7", "007", "z"]
columns: Any = st.lists(st.lists(st.sampled_from(ALPHABET), max_size=5), max_size=6)


def of_names(*parts: list[list[str]], split: list[str] | None = None) -> Ragged:
    """Sequences of categories, whose ids are as `group` makes them."""
    ids, names = [], {"categories": np.array([f"c{i}" for i in range(len(parts))])}
    for i, part in enumerate(parts):
        found, vocabulary = oracles.category_ids([cell for sequence in part for cell in sequence])
        names[f"vocabulary_{i}"] = np.array(vocabulary, dtype=str)
        ids.append(found)
    offsets = offsets_of(np.array([*map(len, parts[0])], dtype=np.int64))
    per_sequence = {} if split is None else {"split": np.array(split, dtype=str)}
    if len(parts) == 1:
        return Ragged(np.array(ids[0], np.int64), offsets, names=names, per_sequence=per_sequence)
    c = np.array(ids, np.int64).T.reshape(-1, len(parts))
    per_step = {"c": StepArray(c, 0)}
    return Ragged(np.ones((len(c), 1)), offsets, per_step=per_step, names=names, per_sequence=per_sequence)


def names_of(data: Any, i: int = 0) -> list[str]:
    return np.asarray(data.names[f"vocabulary_{i}"]).tolist()


@given(columns, st.integers(1, 3), st.none() | st.integers(4, 6), st.integers(0, 4), st.data())
@pytest.mark.filterwarnings("ignore:category")
def test_ids_are_those_of_plain_python(column: Any, least: int, most: Any, few: int, data: Any) -> None:
    parts = st.lists(st.sampled_from(["train", "test"]), min_size=len(column), max_size=len(column))
    split = ["train", *data.draw(parts)[1:]] if column else []
    flat = [cell for sequence in column for cell in sequence]
    train = [c for sequence, part in zip(column, split, strict=True) for c in sequence if part == "train"]
    if flat and not train:
        with pytest.raises(DataError, match="no sequence of train has a step"):
            sq.encode(of_names(column, split=split))
        return
    expected = oracles.encoded(flat, train, least=least, most=most)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(vocabularies, "_IN_FIXED_WIDTH", few)  # more names are text of variable width
        found = sq.encode(of_names(column, split=split), min_count=least, max_tokens=most)
        back = sq.encode(found, decode=True)
    assert found.values.tolist() == expected
    assert found.receipt[-1]["rows"]["kept"] == len(flat)
    assert names_of(back) == sorted(names_of(found))
    spelled = [names_of(back)[code - 3] if code > 2 else code for code in back.values.tolist()]
    assert spelled == [cell if code > 2 else code for cell, code in zip(flat, expected, strict=True)]


@given(columns, st.integers(16, 64))
@pytest.mark.filterwarnings("ignore:category")
def test_the_same_however_steps_are_stored(column: Any, chunk: int) -> None:
    source = of_names(column, column)
    whole = sq.encode(source)
    padded = sq.unpad(sq.encode(sq.pad(source, padding="post")))
    with pytest.MonkeyPatch.context() as patch, Spool() as spool:
        patch.setattr("seqtool.arrays.lazy.CHUNK", chunk)
        c = source.per_step["c"].data
        lazy = Lazy(c.shape, c.dtype, lambda begin, end: np.asarray(c[begin:end]).copy())
        source = source.replace(per_step={"c": StepArray(lazy, 0)})
        state, _ = run.fit_state(Encode(), source, spool=spool)
        read = Encode().apply(source, state, spool=spool).ragged.in_memory()
    ids = np.asarray(whole.per_step["c"].data)
    assert np.asarray(read.per_step["c"].data).tobytes() == ids.tobytes()
    assert np.asarray(padded.per_step["c"].data).tobytes() == ids.tobytes()
    assert (ids[:, 0] == ids[:, 1]).all()


CITIES = of_names([["a", "a", "b", ""], ["c", "a"]], split=["train", "test"])


def test_the_example_of_the_docs() -> None:
    found = sq.encode(CITIES)
    assert [steps.tolist() for steps in found] == [[3, 3, 4, 1], [2, 3]]
    assert names_of(found) == ["a", "b"]  # so that an Embedding needs 5 rows
    assert found.receipt[-1]["state"] == {"categories": ["c0"], "names": [2]}
    assert sq.encode(CITIES, min_count=2).values.tolist() == [3, 3, 2, 1, 2, 3]
    assert sq.encode(CITIES, max_tokens=4).values.tolist() == [3, 3, 2, 1, 2, 3]
    with pytest.raises(DataError, match="'c0' holds 'c' in 1 step, which is not among the names"):
        sq.encode(CITIES, unknown="error")
    padded = sq.encode(sq.pad(CITIES, padding="post"))
    assert (padded.x.tolist(), padded.value) == ([[3, 3, 4, 1], [2, 3, 0, 0]], 0)


def test_pandas_counts_the_same() -> None:
    random = np.random.default_rng(5)
    cells = pd.Series(random.zipf(1.4, 4000) % 300).astype(str)
    train = random.random(400) < 0.7
    source = of_names(
        [*cells.to_numpy().reshape(400, 10).tolist()], split=np.where(train, "train", "test").tolist()
    )
    counts = cells[np.repeat(train, 10)].value_counts()
    counts = counts[counts >= 3].rename_axis("name").reset_index(name="count")
    names = counts.sort_values(["count", "name"], ascending=[False, True])["name"].tolist()
    places = {name: i + 3 for i, name in enumerate(names)}
    assert sq.encode(source, min_count=3).values.tolist() == cells.map(places).fillna(2).astype(int).tolist()


def test_categories_that_share_a_vocabulary() -> None:
    source = of_names([["a", "b"], ["b", "c"]], [["c", "c"], ["c", "d"]])
    found = sq.encode(source, share=["c0", "c1"])
    assert names_of(found) == names_of(found, 1) == ["c", "b", "a", "d"]
    assert found.per_step["c"].data.tolist() == [[5, 3], [4, 3], [4, 3], [3, 6]]
    apart = sq.encode(source)
    assert (names_of(apart), names_of(apart, 1)) == (["b", "a", "c"], ["c", "d"])
    assert sq.encode(apart, decode=True).per_step["c"].data.tolist() == source.per_step["c"].data.tolist()


def test_ids_of_another_file() -> None:
    before = sq.encode(CITIES)
    other = of_names([["b", "x", "", "a"]])
    assert sq.encode(other, using=before).values.tolist() == [4, 2, 1, 3]
    assert names_of(sq.encode(other, using=before)) == ["a", "b"]
    with pytest.raises(DataError, match="the categories are c0, c1, but encode was fitted on c0"):
        sq.encode(of_names([["a"]], [["a"]]), using=before)
    with pytest.raises(DataError, match="no longer those that were encoded"):
        sq.encode(other, using=before.replace(names={**before.names, "vocabulary_0": np.array(["a"])}))


def test_what_cannot_be_encoded() -> None:
    with pytest.raises(DataError, match="have no categories; group and pad make them"):
        sq.encode([[1, 2]])
    with pytest.raises(DataError, match="category 'c0' has id 9; 0 to 5 were expected"):
        sq.encode(CITIES.replace(values=np.where(CITIES.values == 5, 9, CITIES.values)))
    with pytest.raises(UsageError, match="share: no category 'town'; there are c0"):
        sq.encode(CITIES, share=["c0", "town"])
    with pytest.raises(UsageError, match="decode: the receipt says of no encode"):
        sq.encode(CITIES, decode=True)
    with pytest.warns(UserWarning, match="category c0: no name has an id of its own"):
        sq.encode(CITIES, min_count=9)
    split = {"split": np.array(["train", "test"])}
    with pytest.raises(
        DataError, match="no sequence of train has a step: encode has nothing to be fitted on"
    ):
        sq.encode(CITIES.replace(offsets=np.array([0, 0, len(CITIES.values)]), keys=None, per_sequence=split))
    empty = of_names([[], []], [[], []])
    assert len(sq.encode(empty)) == 2
    assert len(sq.encode(of_names([]))) == 0


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ("--max-tokens 3", "3"),
        ("--min-count 0", "0"),
        ("--share a", "--share names one category, a; two or more were expected"),
        ("--unknown drop", "oov or error"),
        ("--decode --min-count 2", "--decode and --min-count do not go together"),
    ],
)
def test_what_the_call_alone_shows(place: Place, options: str, words: str) -> None:
    done = place.run("encode", "nowhere.npz", *options.split())
    assert (done.code, words in done.err, done.err.count("\n")) == (2, True, 1), done.err


def test_the_command_behind_group_and_split(place: Place) -> None:
    rows = [("u", 1, "a"), ("u", 2, "a"), ("u", 3, "b"), ("v", 1, "c"), ("v", 2, "a"), ("w", 1, "c")]
    place.write("clicks.csv", "user,time,item\n" + "".join(f"{u},{t},{i}\n" for u, t, i in rows))
    call = ["group", "clicks.csv", "--key", "user", "--order-by", "time", "--category", "item"]
    succeeded(place.run(*call, "-o", "x.npz"))
    parts = {"u": "train", "v": "test", "w": "test"}
    whole = sq.load(place.folder / "x.npz")
    split = np.array([parts[key] for key in whole.keys.tolist()])
    sq.save(place.folder / "all.npz", whole.replace(per_sequence={"split": split}))
    done = succeeded(place.run("encode", "all.npz", "-o", "e.npz"))
    assert "fitted    on train alone, 1 of 3 sequences" in done.err
    assert "encoded   item: 2 names by count; 2 steps of 1 other name: id 2" in done.err
    assert "category  item, steps: 2 names, an Embedding of 5 rows" in done.err
    assert place.arrays("e.npz")["x"].tolist() == [[3, 3, 4], [2, 3, 0], [2, 0, 0]]
    succeeded(place.run("check", "e.npz"))
    assert "an embedding of 5 rows" in succeeded(place.run("info", "e.npz")).out.decode()
    succeeded(place.run("encode", "all.npz", "-o", "{split}.npz"))
    assert place.arrays("test.npz")["vocabulary_0"].tolist() == ["a", "b"]
    done = place.run("encode", "test.npz", "-o", "t.npz")
    assert (done.code, "--using FILE" in done.err) == (2, True)
    succeeded(place.run("encode", "e.npz", "--decode", "-o", "back.npz"))
    assert place.arrays("back.npz")["x"].tolist() == [[3, 3, 4], [2, 3, 0], [2, 0, 0]]
    facts = json.loads(succeeded(place.run("encode", "all.npz", "--json", "--dry-run")).err)
    assert facts["categories"] == {"item": 2}
    done = place.run("encode", "all.npz", "--unknown", "error", "-o", "t.npz")
    assert (done.code, "'item' holds 'c' in 2 steps" in done.err) == (1, True)
    place.write("new.csv", "user,time,item\nz,1,b\nz,2,q\n")
    succeeded(place.run("apply", "train.npz", "new.csv", "-o", "new.npz"))
    assert place.arrays("new.npz")["x"].tolist() == [[4, 2, 0]]


def test_names_without_an_id_share_some_by_their_hash() -> None:
    sequences = [["a", "a", "b"], [f"new {i}" for i in range(40)]]
    encoded = sq.encode(of_names(sequences, split=["train", "test"]), oov_buckets=3)
    assert np.asarray(encoded.names["vocabulary_0"]).tolist() == [
        "a",
        "b",
        "[other 0]",
        "[other 1]",
        "[other 2]",
    ]
    assert encoded[0].tolist() == [3, 3, 4]
    assert {*encoded[1].tolist()} == {5, 6, 7}
    # The same name has the same id in every file.
    again = sq.encode(of_names([["new 7", "a", "new 3"]]), oov_buckets=3, using=encoded)
    assert again[0].tolist() == [encoded[1][7], 3, encoded[1][3]]
    few = sq.encode(of_names(sequences, split=["train", "test"]), oov_buckets=1, max_tokens=5)
    assert np.asarray(few.names["vocabulary_0"]).tolist() == ["a", "[other 0]"]
    assert few[0].tolist() == [3, 3, 4]
    with pytest.raises(UsageError, match="max_tokens is 5; with 2 buckets it must be at least 6"):
        sq.encode(of_names(sequences), oov_buckets=2, max_tokens=5)
    with pytest.raises(UsageError, match="oov_buckets and unknown"):
        sq.encode(of_names(sequences), oov_buckets=2, unknown="error")
