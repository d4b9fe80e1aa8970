from __future__ import annotations

import zlib

import numpy as np
import pyarrow as pa
from hypothesis import given
from hypothesis import strategies as st

from seqtool.files.manifest import shard_of
from seqtool.sharding.hashing import crc32, crc32_of_integers, shards_of
from tests.oracles import shard_of as expected

INTEGERS = st.integers(-(2**63), 2**63 - 1)
TEXTS = st.text(st.characters(exclude_characters="\0", exclude_categories=["Cs"]), max_size=70)


@given(st.lists(TEXTS), st.integers(0, 3))
def test_the_hash_of_text_is_that_of_zlib(texts: list[str], left: int) -> None:
    cells = pa.array(texts, pa.string())[left:]
    assert crc32(cells).tolist() == [zlib.crc32(text.encode()) for text in texts[left:]]


@given(st.lists(INTEGERS))
def test_the_hash_of_integers_is_that_of_their_text(numbers: list[int]) -> None:
    found = crc32_of_integers(np.array(numbers, np.int64))
    assert found.tolist() == [zlib.crc32(str(number).encode()) for number in numbers]


@given(st.lists(st.tuples(TEXTS, INTEGERS), min_size=1), st.integers(1, 1000))
def test_the_shard_is_that_by_which_a_key_is_found(keys: list[tuple[str, int]], count: int) -> None:
    texts, numbers = zip(*keys, strict=True)
    columns = [pa.array(texts, pa.string()), np.array(numbers, np.int64)]
    assert shards_of(columns, count).tolist() == [shard_of(key, count) for key in keys]
    assert shards_of(columns[:1], count).tolist() == [shard_of([text], count) for text in texts]
    assert shards_of(columns[1:], count).tolist() == [shard_of([number], count) for number in numbers]


cells = st.text(st.characters(exclude_categories=["Cs"]), max_size=70)


@given(
    st.lists(st.tuples(st.integers(-(2**63), 2**63 - 1), cells), min_size=1, max_size=8), st.integers(1, 99)
)
def test_keys_of_any_cells(keys: list[tuple[int, str]], shards: int) -> None:
    numbers, texts = zip(*keys, strict=True)
    found = shards_of([np.array(numbers, np.int64), pa.array(texts, pa.string())], shards)
    assert found.tolist() == [expected([*key], shards) for key in keys]
    assert shards_of([pa.array(texts, pa.string())], shards).tolist() == [
        expected([t], shards) for t in texts
    ]
