"""`seqtool.spark.write_sequences`: the sequences of a DataFrame are those that `seqtool.group` makes of its rows."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pytest

import seqtool
from seqtool.errors import DataError, UsageError

pytestmark = [pytest.mark.spark, pytest.mark.filterwarnings("ignore")]  # Spark's own are many


@pytest.fixture(scope="module")
def session() -> Iterator[Any]:
    from seqtool.sharding.spark_session import session

    with session(master="local[2]") as found:
        yield found


@pytest.fixture(scope="module")
def rows() -> Any:
    random, count = np.random.default_rng(0), 3000
    users = random.integers(0, 90, count)
    return pa.table(
        {
            "user": users,
            "time": random.permutation(count),
            "a": random.normal(size=count),
            "b": users % 4,
            "kind": [f"k{user % 3}" for user in users.tolist()],
        }
    ).to_pandas()


def test_the_sequences_are_those_of_the_rows(session: Any, rows: Any, tmp_path: Path) -> None:
    from seqtool.spark import write_sequences

    frame = session.createDataFrame(rows).repartition(5)
    found = write_sequences(
        frame,
        tmp_path / "out",
        key="user",
        order_by="time",
        label="kind",
        static="b",
        columns=["a"],
        shards=6,
    )
    expected = seqtool.group(
        rows, key="user", order_by="time", label="kind", static="b", columns=["a"], ragged=True
    )
    assert len(found) == len(expected)
    assert np.asarray(found.names["classes"]).tolist() == np.asarray(expected.names["classes"]).tolist()
    where = {key: i for i, key in enumerate(np.asarray(found.keys).tolist())}
    for i, key in enumerate(np.asarray(expected.keys).tolist()):
        assert found.key(key).tolist() == expected[i].tolist()
        for name, array in expected.per_sequence.items():
            assert np.asarray(found.per_sequence[name])[where[key]].tolist() == np.asarray(array)[i].tolist()
    assert seqtool.load(tmp_path / "out").key(7).tolist() == expected.key(7).tolist()


def test_rows_whose_order_is_not_known_are_refused(session: Any, rows: Any, tmp_path: Path) -> None:
    from seqtool.spark import write_sequences

    frame = session.createDataFrame(rows)
    with pytest.raises(UsageError, match="order_by names no column"):
        write_sequences(frame, tmp_path / "out", key="user", order_by=[])
    with pytest.raises(DataError, match="name more columns in order_by"):
        write_sequences(frame, tmp_path / "out", key="user", order_by="b", columns=["a"])
    with pytest.raises(DataError, match=r'within key .*step_label="user"'):
        write_sequences(frame, tmp_path / "out", key="b", order_by="time", label="user", columns=["a"])
    assert [*tmp_path.iterdir()] == []
