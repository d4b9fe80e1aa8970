"""Text that is the same in all steps of a key: ids of a category of sequences, beside their vocabulary."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

import seqtool as sq
from seqtool.errors import DataError
from tests import oracles
from tests.command import Place, succeeded

VISITS = """user,t,x,age,city,item
b,1,3.5,40,Rome,p
a,1,1.5,30,Oslo,p
a,2,2.5,30,Oslo,q
c,1,0.5,50,,r
"""
CITY = ("--static", "age,city", "--category", "city,item")
GROUP = ("group", "v.csv", "--key", "user", "--order-by", "t")


def rows_of(place: Place, name: str) -> list[str]:
    return succeeded(place.run("unpad", name, "-o", "-")).out.decode().splitlines()


def statics(place: Place, name: str) -> list[list[int]]:
    found: list[list[int]] = np.asarray(sq.load(place.folder / name).per_sequence["static_c"]).tolist()
    return found


@pytest.fixture
def visits(place: Place) -> Place:
    place.write("v.csv", VISITS)
    succeeded(place.run(*GROUP, *CITY, "-o", "v.npz"))
    return place


@given(
    st.lists(st.tuples(st.sampled_from("xyz"), st.integers(0, 3)), min_size=1),
    st.sampled_from(["Oslo", "", "7"]),
)
def test_ids_are_those_of_plain_python(rows: list[tuple[str, int]], of_x: str) -> None:
    cities = {"x": of_x, "y": "Rome", "z": "Oslo"}
    table = pd.DataFrame(rows, columns=["key", "n"]).assign(city=lambda t: t["key"].map(cities))
    found = sq.group(table, key="key", static="city", category="city")
    keys = sorted({key for key, _ in rows})
    ids, vocabulary = oracles.category_ids([cities[key] for key in keys])
    assert found.per_sequence["static_c"].tolist() == [[one] for one in ids]
    assert np.asarray(found.names["static_vocabulary_0"]).tolist() == vocabulary


def test_rows_come_back_and_all_commands_read_them(visits: Place) -> None:
    assert statics(visits, "v.npz") == [[3], [4], [1]]
    expected = ["user,x,age,item,city,step", "a,1.5,30,p,Oslo,0", "a,2.5,30,q,Oslo,1"]
    expected += ["b,3.5,40,p,Rome,0", "c,0.5,50,r,,0"]
    assert rows_of(visits, "v.npz") == expected
    assert (
        "city, static_c[..., 0]: 2 names, an Embedding of 5 rows"
        in succeeded(visits.run(*GROUP, *CITY, "--dry-run")).err
    )
    assert "category city" in succeeded(visits.run("check", "v.npz")).out.decode()
    assert "category city" in succeeded(visits.run("info", "v.npz")).out.decode()
    for suffix in (".parquet", ".arrow", ".jsonl"):
        succeeded(visits.run("convert", "v.npz", "-o", f"v{suffix}"))
        succeeded(visits.run("convert", f"v{suffix}", "-o", "back.npz"))
        assert (visits.folder / "back.npz").read_bytes() == (visits.folder / "v.npz").read_bytes()
    succeeded(visits.run("filter", "v.npz", "--where", "city == Oslo", "-o", "oslo.npz"))
    assert rows_of(visits, "oslo.npz") == expected[:3]
    succeeded(visits.run("split", "v.npz", "--test", "0.5", "--by", "city", "-o", "split.npz"))
    assert statics(visits, "split.npz") == [[3], [4], [1]]


def test_encode_counts_sequences_of_train(visits: Place) -> None:
    rows = "".join(
        f"{key},1,1,1,{city},p\n" for key, city in zip("defg", ("Rome", "Rome", "Oslo", "Bonn"), strict=True)
    )
    visits.write("v.csv", VISITS + rows)
    succeeded(visits.run(*GROUP, *CITY, "-o", "more.npz"))
    succeeded(visits.run("encode", "more.npz", "--min-count", "2", "-o", "encoded.npz"))
    found = sq.load(visits.folder / "encoded.npz")
    assert found.names["static_vocabulary_0"].tolist() == ["Rome", "Oslo"]
    assert statics(visits, "encoded.npz") == [[4], [3], [1], [3], [3], [4], [2]]
    assert (
        "unknown categories became empty cells: item 2, city 1"
        in succeeded(visits.run("unpad", "encoded.npz", "-o", "-")).err
    )
    succeeded(visits.run("encode", "encoded.npz", "--decode", "-o", "decoded.npz"))
    assert statics(visits, "decoded.npz") == [[3], [4], [1], [4], [4], [3], [2]]
    succeeded(visits.run("apply", "encoded.npz", "v.csv", "-o", "applied.npz"))
    assert statics(visits, "applied.npz") == statics(visits, "encoded.npz")
    refused = visits.run(
        "encode", "v.npz", "--using", "encoded.npz", "--min-count", "2", "--unknown", "error"
    )
    assert refused.code == 2


def test_another_table_has_them(visits: Place) -> None:
    visits.write("p.csv", "user,age,city\na,30,Oslo\nb,40,Rome\n")
    visits.write("w.csv", "user,t,x\na,1,1.5\nb,1,2\nc,1,3\n")
    joined = ("--static", "p.csv:age,city")
    call = ("group", "w.csv", "--key", "user", "--order-by", "t", *joined, "--category", "city")
    succeeded(visits.run(*call, "-o", "j.npz"))
    assert statics(visits, "j.npz") == [[3], [4], [1]]
    succeeded(visits.run("apply", "j.npz", "w.csv", *joined, "-o", "again.npz"))
    assert statics(visits, "again.npz") == [[3], [4], [1]]
    frames = [pd.read_csv(visits.folder / name) for name in ("w.csv", "p.csv")]
    other = (frames[1], ["age", "city"])
    with pytest.warns(UserWarning, match="missing values became NaN"):
        found = sq.group(frames[0], key="user", order_by="t", static=other, category="city")
    assert found.per_sequence["static_c"].tolist() == [[3], [4], [1]]


def test_files_are_merged_and_compared_by_names(visits: Place) -> None:
    visits.write(
        "v.csv",
        VISITS.replace("Oslo", "Bonn").replace("\na", "\nd").replace("\nb", "\ne").replace("\nc", "\nf"),
    )
    succeeded(visits.run(*GROUP, *CITY, "-o", "w.npz"))
    succeeded(visits.run("concat", "v.npz", "w.npz", "-o", "all.npz"))
    assert statics(visits, "all.npz") == [[3], [4], [1], [5], [4], [1]]
    told = visits.run("check", "v.npz", "--against", "w.npz")
    assert told.code == 1
    assert "city = 3 means 'Oslo' here, 'Bonn' in" in " ".join(told.out.decode().split())
    assert "same item" in told.out.decode()


def test_names_that_change_are_refused(visits: Place) -> None:
    done = visits.run(*GROUP, "--static", "item", "--category", "item", "--columns", "x")
    assert done.code == 1
    assert "column 'item' changes from 'p' to 'q' within key a; as a category of each step" in done.err
    table: Any = pd.DataFrame({"k": [1], "x": [2], "city": ["Oslo"]})
    with pytest.raises(DataError, match='as ids of names: category="city"'):
        sq.group(table, key="k", static="city")
