"""Rows as blocks of bytes, each for one shard."""

from collections.abc import Iterator

import numpy as np
import pyarrow as pa
import pytest

from seqtool.advice import Advice
from seqtool.errors import DataError, UsageError
from seqtool.sharding.blocks import batches, blocks
from seqtool.sharding.encoding import Batch


def test_rows_go_to_their_shards_in_order_and_come_back_as_they_were() -> None:
    shards = np.array([2, 0, 2, 2, 0])
    one = {"k0": pa.array(["a", "b", "c", "", "é"]), "f1": np.array([1.5, np.nan, 3, 4, 5], np.float32)}
    found = [
        *blocks(
            [{**one, "shard": shards, "row": np.arange(5)}, {**one, "shard": shards + 1, "row": np.arange(5)}]
        )
    ]
    assert [shard for shard, _ in found] == [0, 1, 2, 3]
    (first,) = batches([found[0][1]])
    assert (first["k0"].to_pylist(), first["row"].tolist()) == (["b", "é"], [1, 4])
    assert repr(first["f1"].tolist()) == "[nan, 5.0]"
    assert first["f1"].dtype == np.float32


def test_an_error_goes_with_the_rows_and_is_raised_where_they_are_read() -> None:
    def failing() -> Iterator[Batch]:
        yield {"shard": np.array([1]), "row": np.array([0])}
        raise DataError("a.csv: ", Advice("--missing", "x"))

    (shard, block) = [*blocks(failing())][-1]
    assert shard == 0
    with pytest.raises(DataError, match=r"a\.csv") as raised:
        [*batches([block])]
    assert raised.value.advice
    assert not isinstance(raised.value, UsageError)
