from __future__ import annotations

from typing import Any

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from seqtool.errors import DataError
from seqtool.sharding import blocks as module
from seqtool.sharding.blocks import batches, blocks

ROWS = st.lists(
    st.tuples(st.integers(0, 3), st.text("ab\u00e9", max_size=3), st.floats(width=32, allow_nan=False))
)


def batch(rows: list[tuple[int, str, float]]) -> dict[str, Any]:
    shards, texts, numbers = zip(*rows, strict=True)
    return {
        "shard": np.array(shards, np.int64),
        "k0": pa.array(texts, pa.string()),
        "f1": np.array(numbers, np.float32),
    }


@pytest.mark.parametrize("most", [1, 64 << 20])
@given(st.lists(ROWS.filter(bool)))
def test_each_row_goes_to_its_shard_in_order(most: int, parts: list[list[tuple[int, str, float]]]) -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(module, "_WAITING", most)
        patch.setattr(module, "_BLOCK", most)
        found = [*blocks(map(batch, parts))]
    for shard in range(4):
        moved = [*batches(block for number, block in found if number == shard)]
        expected = [row for part in parts for row in part if row[0] == shard]
        assert [text for one in moved for text in one["k0"].to_pylist()] == [row[1] for row in expected]
        numbers = np.concatenate([one["f1"] for one in moved]) if moved else np.empty(0, np.float32)
        assert numbers.tolist() == np.array([row[2] for row in expected], np.float32).tolist()
        assert all((one["shard"] == shard).all() for one in moved)


def test_an_error_goes_with_the_rows() -> None:
    def failing() -> Any:
        yield batch([(2, "a", 1.0)])
        raise DataError("b.csv: changed while it was read")

    found = [block for _, block in blocks(failing())]
    with pytest.raises(DataError, match=r"b\.csv: changed"):
        list(batches(found))
