"""Blocks of rows: each holds rows of one shard, all rows come back, in their order within a shard."""

from collections.abc import Iterator
from typing import Any

import numpy as np
import pyarrow as pa
import pytest

from seqtool.errors import DataError
from seqtool.sharding import blocks
from seqtool.sharding.blocks import batches


def given(count: int, shards: int) -> Iterator[dict[str, Any]]:
    random = np.random.default_rng(0)
    for first in range(0, count, 100):
        yield {
            "k0": pa.array([f"key {i}" for i in range(first, first + 100)]),
            "f1": random.normal(size=100).astype(np.float32),
            "shard": random.integers(0, shards, 100),
            "row": np.arange(first, first + 100),
        }


@pytest.mark.thinned
@pytest.mark.parametrize("shards", [1, 3, 70_000])
@pytest.mark.parametrize("waiting", [1, 5_000, 1 << 20])
def test_rows_come_back_in_their_order(shards: int, waiting: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(blocks, "_WAITING", waiting)
    monkeypatch.setattr(blocks, "_BLOCK", 2_000)
    found: dict[int, list[int]] = {}
    for shard, block in blocks.blocks(given(1000, shards)):
        (batch,) = batches([block])
        assert {*batch["shard"].tolist()} == {shard}
        assert batch["k0"].to_pylist() == [f"key {row}" for row in batch["row"].tolist()]
        assert batch["f1"].dtype == np.float32
        found.setdefault(shard, []).extend(batch["row"].tolist())
    expected: dict[int, list[int]] = {}
    for batch in given(1000, shards):
        for row, shard in zip(batch["row"].tolist(), batch["shard"].tolist(), strict=True):
            expected.setdefault(shard, []).append(row)
    assert found == expected


def test_a_block_has_a_most_size(monkeypatch: pytest.MonkeyPatch) -> None:
    """All rows of one key may be in one shard, and an engine holds a block whole."""
    monkeypatch.setattr(blocks, "_BLOCK", 10_000)
    sizes = [len(block) for _, block in blocks.blocks(given(10_000, 1))]
    assert len(sizes) > 10
    assert max(sizes) < 20_000


def test_an_error_goes_with_the_rows() -> None:
    def failing() -> Iterator[dict[str, Any]]:
        yield from given(100, 2)
        raise DataError("a.csv: changed")

    *_, last = blocks.blocks(failing())
    assert last[0] == 0
    with pytest.raises(DataError, match="changed"):
        [*batches([last[1]])]
