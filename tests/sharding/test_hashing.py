"""The shard of each row of a batch is that of `shard_of`, which readers go by."""

import zlib

import numpy as np
import pyarrow as pa
import pytest

from seqtool.files.manifest import shard_of
from seqtool.sharding.hashing import crc32, crc32_of_integers, shards_of

EDGES = [
    0,
    -(2**63),
    2**63 - 1,
    *(sign * 10**k + more for k in range(19) for sign in (1, -1) for more in (-1, 0, 1)),
]


@pytest.mark.parametrize(
    "numbers", [np.array(EDGES), np.array([0, 2**64 - 1, 10**19], np.uint64), np.array([-7], np.int8)]
)
def test_integers_hash_as_their_text(numbers: np.ndarray) -> None:
    assert crc32_of_integers(numbers).tolist() == [
        zlib.crc32(str(number).encode()) for number in numbers.tolist()
    ]


def test_text_of_any_length_hashes_as_its_bytes() -> None:
    texts = ["", "a", "é" * 9, "x" * 48, "y" * 49, "z" * 1000]
    assert crc32(pa.array(texts)).tolist() == [zlib.crc32(text.encode()) for text in texts]
    assert crc32(pa.array(texts).slice(2, 3)).tolist() == [zlib.crc32(text.encode()) for text in texts[2:5]]


def test_no_rows_have_no_shards() -> None:
    assert shards_of([np.empty(0, np.int64)], 5).tolist() == []
    assert shards_of([pa.array([], pa.string())], 5).tolist() == []


def test_keys_of_several_columns() -> None:
    numbers, texts = [1, -20, 300], ["a", "", "b c"]
    found = shards_of([np.array(numbers), pa.array(texts)], 7).tolist()
    assert found == [shard_of(key, 7) for key in zip(numbers, texts, strict=True)]
