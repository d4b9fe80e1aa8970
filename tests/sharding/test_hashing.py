"""The shard of a row by its key."""

from zlib import crc32 as of_zlib

import numpy as np
import pyarrow as pa
from hypothesis import given
from hypothesis import strategies as st

from seqtool.sharding.hashing import crc32, shards_of
from tests.oracles import shard_of

cells = st.text(st.characters(exclude_categories=["Cs"]), max_size=70)


@given(st.lists(cells, max_size=8))
def test_the_remainders_are_those_of_zlib(texts: list[str]) -> None:
    assert crc32(pa.array(texts, pa.string())).tolist() == [of_zlib(text.encode()) for text in texts]


@given(
    st.lists(st.tuples(st.integers(-(2**63), 2**63 - 1), cells), min_size=1, max_size=8), st.integers(1, 99)
)
def test_columns_of_a_key_are_joined_as_text(keys: list[tuple[int, str]], shards: int) -> None:
    numbers, texts = zip(*keys, strict=True)
    found = shards_of([np.array(numbers, np.int64), pa.array(texts, pa.string())], shards)
    assert found.tolist() == [shard_of([*key], shards) for key in keys]
    assert shards_of([np.array(numbers, np.int64)], shards).tolist() == [
        shard_of([n], shards) for n in numbers
    ]
