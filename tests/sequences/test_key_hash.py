from hashlib import blake2b
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from seqtool.arrays.lazy import Lazy
from seqtool.arrays.text import Text
from seqtool.sequences.key_hash import key_hashes, sequence_hashes
from seqtool.sequences.ragged import Ragged
from tests import oracles

text_keys = st.lists(
    st.text(st.characters(exclude_characters="\0", exclude_categories=["Cs"]), min_size=1), max_size=9
)


@given(text_keys, st.integers(0, 2**63))
def test_a_hash_is_that_of_seed_and_written_key(keys: list[str], seed: int) -> None:
    digests = [blake2b(f"{seed}\0{key}".encode(), digest_size=8).digest() for key in keys]
    expected = [int.from_bytes(digest, "little") for digest in digests]
    fixed = np.array(keys, dtype=f"U{max(map(len, keys), default=1)}")
    assert np.asarray(key_hashes(fixed, None, seed)).tolist() == expected
    assert np.asarray(key_hashes(_as_text(keys), None, seed)).tolist() == expected


def _as_text(keys: list[str]) -> Text:
    cells = [key.encode() for key in keys]
    offsets = np.cumsum([0, *map(len, cells)])
    return Text(np.frombuffer(b"".join(cells), np.uint8), offsets, (len(keys),), widest=None)


@pytest.mark.parametrize("numbers", [[0, 7, -7, 2**63 - 1, -(2**63)], []])
def test_a_number_hashes_as_it_is_written(numbers: list[int]) -> None:
    written = np.array([str(number) for number in numbers], dtype="U20")
    found = key_hashes(np.array(numbers, np.int64), None, 1)
    assert np.asarray(found).tolist() == np.asarray(key_hashes(written, None, 1)).tolist()
    assert len(set(np.asarray(found).tolist())) == len(numbers)


def test_columns_parts_and_seeds_tell_keys_apart() -> None:
    def found(keys: Any, part: Any = None, seed: int = 0) -> Any:
        return np.asarray(key_hashes(np.array(keys), None if part is None else np.array(part), seed)).tolist()

    pairs = found([["a", "bc"], ["ab", "c"], ["a", "bc"]])
    assert pairs[0] == pairs[2] != pairs[1]
    assert len({*found([7, 7, 7], [0, 5, 10]), *found([7])}) == 4
    assert found([7], seed=1) != found([7], seed=2)
    assert found([7], seed=0) == [12970476836895256707]  # the same on every machine, and in later versions


def test_hashes_of_many_keys_come_in_chunks() -> None:
    keys, part = np.arange(100_000), np.arange(100_000) % 3
    lazy = Lazy(keys.shape, keys.dtype, lambda begin, end: keys[begin:end])
    whole = key_hashes(lazy, part, 3)
    backwards = key_hashes(keys[::-1].astype(str), part[::-1], 3)
    assert (np.asarray(whole) == np.asarray(backwards)[::-1]).all()


@given(oracles.raggeds(riders=True))
def test_sequences_without_keys_hash_by_their_place(ragged: Ragged) -> None:
    found = np.asarray(sequence_hashes(ragged, 5))
    keys = np.arange(len(ragged)) if ragged.keys is None else ragged.keys
    assert found.tolist() == np.asarray(key_hashes(keys, ragged.per_sequence.get("part"), 5)).tolist()
    assert (found.shape, found.dtype) == ((len(ragged),), np.uint64)
