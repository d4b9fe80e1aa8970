"""Columns of names in each step: ids for an Embedding, beside a vocabulary."""

from __future__ import annotations

import io
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
from seqtool.errors import DataError, UsageError
from seqtool.tables.cells import labels
from tests import oracles
from tests.command import Place, succeeded

CLICKS = """user,time,item,device,price
u2,1,a,web,1.5
u1,2,b,app,2
u1,1,a,,3
u1,3,007,web,4
u2,2,7,app,5
"""


def names_of(data: Any, i: int = 0) -> list[str]:
    return np.asarray(data.names[f"vocabulary_{i}"]).tolist()


cells = st.text(
    st.characters(codec="utf-8", exclude_characters="\0\r\n,\"' ", exclude_categories=["Cs", "Cc", "Zs"]),
    max_size=3,
)


@given(st.lists(st.tuples(st.sampled_from("xyz"), cells, cells), min_size=1, max_size=12), st.booleans())
def test_ids_are_those_of_plain_python(rows: list[tuple[str, str, str]], many: bool) -> None:
    table = pd.DataFrame(rows, columns=["key", "city", "device"])
    with pytest.MonkeyPatch.context() as patch:
        if many:  # names that are too many for memory
            patch.setattr(labels, "_SPOOLED", 1e12)
        found = sq.group(table, key="key", category=["city", "device"], ragged=True)
    for i, name in enumerate(("city", "device")):
        ids, vocabulary = oracles.category_ids(table[name].tolist())
        assert names_of(found, i) == vocabulary
        by_key = [
            code
            for key in sorted({*table["key"]})
            for code, of in zip(ids, table["key"], strict=True)
            if of == key
        ]
        assert found.per_step["c"].data[:, i].tolist() == by_key
    assert found.names["categories"].tolist() == ["city", "device"]


def test_categories_beside_features(place: Place) -> None:
    place.write("clicks.csv", CLICKS)
    done = succeeded(
        place.run(
            "group",
            "clicks.csv",
            "--key",
            "user",
            "--order-by",
            "time",
            "--category",
            "item,device",
            "-o",
            "c.npz",
        )
    )
    assert "features  1: price" in done.err
    assert "not used  as features: user, time\n" in done.err
    assert "missing   1 row without device: id 1" in done.err
    assert "category  item, c[..., 0]: 4 names, an Embedding of 7 rows" in done.err
    arrays = place.arrays("c.npz")
    assert arrays["vocabulary_0"].tolist() == ["007", "7", "a", "b"]
    assert arrays["c"].tolist() == [[[5, 1], [6, 3], [3, 4]], [[5, 4], [4, 3], [0, 0]]]
    assert arrays["x"][..., 0].tolist() == [[3, 2, 4], [1.5, 5, 0]]
    succeeded(place.run("check", "c.npz"))
    assert "7 rows" in succeeded(place.run("info", "c.npz")).out.decode()
    done = succeeded(place.run("unpad", "c.npz", "-o", "-"))
    assert done.out.decode().splitlines()[3].startswith("u1,4,007,web")
    (entry,) = sq.load(place.folder / "c.npz").receipt
    assert entry["arguments"]["category"] == ["item", "device"]


def test_one_category_alone_is_read_as_ids(place: Place) -> None:
    place.write("clicks.csv", CLICKS)
    call = [
        "group",
        "clicks.csv",
        "--key",
        "user",
        "--order-by",
        "time",
        "--category",
        "item",
        "--drop",
        "price,device",
    ]
    done = succeeded(place.run(*call, "-o", "x.npz"))
    assert "category  item, steps: 4 names, an Embedding of 7 rows" in done.err
    assert "features" not in done.err.replace("as features", "")
    arrays = place.arrays("x.npz")
    assert arrays["x"].tolist() == [[5, 6, 3], [5, 4, 0]]
    assert (arrays["x"].dtype, "c" in arrays) == (np.int64, False)
    succeeded(place.run("check", "x.npz", "--for", "torch"))
    program = succeeded(place.run("info", "x.npz", "--code", "torch")).out.decode()
    assert "Embedding(7, 32)" in program  # although no id here is that of padding plus seven
    done = place.run("pad", "x.npz", "--value", "-1", "-o", "p.npz")
    assert (done.code, "0 is padding: leave --value out" in done.err) == (1, True)
    done = place.run(*call, "--value", "9", "-o", "p.npz")
    assert (done.code, "0 is padding: leave --value out" in done.err) == (1, True)
    done = place.run("scale", "x.npz", "-o", "s.npz")
    assert (done.code, "ids of categories" in done.err) == (1, True)
    cut = succeeded(place.run("truncate", "x.npz", "--maxlen", "2", "-o", "cut.npz"))
    assert "an Embedding of 7 rows" in cut.err


def test_names_are_compared_as_written_in_every_kind_of_table(place: Place) -> None:
    frame = pd.DataFrame(
        {"key": [1, 1, 2, 2], "n": pd.array([10, 9, None, 10], "Int64"), "x": [1.0, 2, 3, 4]}
    )
    found = sq.group(frame, key="key", category="n")
    assert names_of(found) == ["10", "9"]
    assert found.per_step["c"].data[:, :, 0].tolist() == [[3, 4], [1, 3]]
    pq.write_table(pa.Table.from_pandas(frame), place.folder / "a.parquet")
    succeeded(place.run("group", "a.parquet", "--key", "key", "--category", "n", "-o", "a.npz"))
    assert place.arrays("a.npz")["c"].tolist() == found.per_step["c"].data.tolist()
    lines = [{"key": 1, "n": "07", "x": 1}, {"key": 1, "n": "7", "x": 2}, {"key": 2, "x": 3}]
    place.write("a.jsonl", "\n".join(map(json.dumps, lines)))
    succeeded(place.run("group", "a.jsonl", "--key", "key", "--category", "n", "-o", "j.npz"))
    assert place.arrays("j.npz")["vocabulary_0"].tolist() == ["07", "7"]
    assert place.arrays("j.npz")["c"][:, 0, 0].tolist() == [3, 1]
    kinds = pd.DataFrame({"key": [1, 1], "kind": pd.Categorical(["b", "a"])})
    assert sq.group(kinds, key="key", category="kind").x.tolist() == [[4, 3]]


def test_words_for_a_missing_value_are_doubted() -> None:
    frame = pd.DataFrame({"key": [1, 1, 2], "country": ["NA", "de", "NA"]})
    with pytest.warns(
        UserWarning, match="'country' holds 'NA' in 2 rows, as a name like others.* missing=\"NA\""
    ):
        assert sq.group(frame, key="key", category="country").x.tolist() == [[3, 4], [3, 0]]
    assert sq.group(frame, key="key", category="country", missing="NA").x.tolist() == [[1, 3], [1, 0]]
    numbers = frame.assign(country=["NA", "49", "33"])
    assert sq.group(numbers, key="key", category="country").x.tolist() == [[1, 4], [3, 0]]


def test_several_categories_without_a_feature() -> None:
    frame = pd.read_csv(io.StringIO(CLICKS), dtype=str)[["user", "item", "device"]].fillna("")
    found = sq.group(frame, key="user", category=["item", "device"])
    assert found.x.shape == (2, 3, 0)
    assert found.per_step["c"].data.shape == (2, 3, 2)


def test_categories_go_with_gaps_and_other_tables() -> None:
    frame = pd.DataFrame(
        {"key": [1, 1, 1, 2], "time": [0, 1, 9, 0], "item": list("abca"), "v": [1.0, 2, 3, 4]}
    )
    other = pd.DataFrame({"key": [1, 2], "age": [30, 40]})
    found = sq.group(
        frame, key="key", order_by="time", gap=5, category="item", static=(other, "age"), ragged=True
    )
    assert found.per_step["c"].data[:, 0].tolist() == [3, 4, 5, 3]
    assert found.offsets.tolist() == [0, 2, 3, 4]


def test_categories_that_cannot_be() -> None:
    frame = pd.read_csv(io.StringIO(CLICKS))
    with pytest.raises(DataError, match="no column 'town'"):
        sq.group(frame, key="user", category="town")
    with pytest.raises(UsageError, match="category names column 'item' twice"):
        sq.group(frame, key="user", category=["item", "item"])


def test_new_rows_have_the_ids_of_the_old_ones(place: Place) -> None:
    place.write("clicks.csv", CLICKS)
    call = ["group", "clicks.csv", "--key", "user", "--order-by", "time", "--category", "item"]
    place.write("new.csv", "user,time,item\nu3,1,b\nu3,2,zzz\nu3,3,\nu3,4,a\n")
    succeeded(place.run(*call, "--drop", "price,device", "-o", "x.npz"))
    succeeded(place.run("apply", "x.npz", "new.csv", "-o", "n.npz"))
    assert place.arrays("n.npz")["x"].tolist() == [[2, 1, 5]]  # the last steps, as many as the old file has
    assert place.arrays("n.npz")["vocabulary_0"].tolist() == ["007", "7", "a", "b"]


def test_a_category_that_is_a_column_too_is_no_number(place: Place) -> None:
    place.write("t.csv", "u,item,n\n1,a,5\n1,b,6\n2,a,7\n")
    succeeded(
        place.run("group", "t.csv", "--key", "u", "--category", "item", "--columns", "item", "-o", "a.npz")
    )
    arrays = place.arrays("a.npz")
    assert (arrays["x"].tolist(), "c" in arrays) == ([[3, 4], [3, 0]], False)
    options = ["--category", "item", "--columns", "n,item", "-o", "b.npz"]
    succeeded(place.run("group", "t.csv", "--key", "u", *options))
    assert place.arrays("b.npz")["features"].tolist() == ["n"]
