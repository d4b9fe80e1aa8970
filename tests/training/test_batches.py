"""Which sequences go into which batch."""

from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from seqtool.errors import UsageError
from seqtool.training.batches import check_options, epoch, length_batches

lengths_of_some = st.lists(st.integers(0, 30), max_size=60).map(lambda found: np.array(found, dtype=np.int64))


@given(lengths_of_some, st.integers(1, 9), st.integers(1, 4), st.integers(0, 5))
def test_every_sequence_comes_once_in_as_few_batches_as_there_can_be(
    lengths: np.ndarray, batch_size: int, pool: int, seed: int
) -> None:
    for drawn in (None, [seed]):
        batches = epoch(lengths, batch_size=batch_size, seed=drawn, pool=pool)
        assert sorted(i for batch in batches for i in batch.tolist()) == list(range(len(lengths)))
        assert len(batches) == -(-len(lengths) // batch_size)
        assert sum(len(batch) < batch_size for batch in batches) <= 1


edges = st.lists(st.integers(1, 25), min_size=1, max_size=3, unique=True).map(sorted)


@given(lengths_of_some, st.integers(1, 9), edges, st.sampled_from([None, [3]]))
def test_a_batch_holds_one_bucket_where_there_are_boundaries(
    lengths: np.ndarray, batch_size: int, boundaries: list[int], seed: list[int] | None
) -> None:
    batches = epoch(lengths, batch_size=batch_size, seed=seed, boundaries=boundaries)
    assert sorted(i for batch in batches for i in batch.tolist()) == list(range(len(lengths)))
    buckets = [{sum(length > edge for edge in boundaries) for length in lengths[batch]} for batch in batches]
    assert all(len(bucket) == 1 for bucket in buckets)
    of_all = [sum(length > edge for edge in boundaries) for length in lengths.tolist()]
    assert len(batches) == sum(-(-of_all.count(bucket) // batch_size) for bucket in set(of_all))


@pytest.mark.parametrize("wrong", [[], [0, 4], [5, 5], [6, 4], [1.5]])
def test_boundaries_ascend(wrong: list[int]) -> None:
    with pytest.raises(UsageError, match="boundaries is"):
        epoch(np.arange(3), batch_size=1, boundaries=wrong)


@given(st.data(), lengths_of_some.filter(len), st.integers(1, 5), st.integers(1, 3))
def test_within_a_pool_no_batch_reaches_into_the_lengths_of_another(
    data: st.DataObject, lengths: np.ndarray, batch_size: int, pool: int
) -> None:
    order = data.draw(st.permutations(range(len(lengths))))
    random = np.random.default_rng(0)
    batches = list(length_batches(order, lengths, batch_size=batch_size, random=random, pool=pool))
    for begin in range(0, len(batches), pool):
        together = batches[begin : begin + pool]
        drawn = order[begin * batch_size : (begin + pool) * batch_size]
        assert sorted(np.concatenate(together).tolist()) == sorted(drawn)
        ranges = sorted((lengths[batch].min(), lengths[batch].max()) for batch in together)
        assert all(before[1] <= after[0] for before, after in pairwise(ranges))


def test_a_seed_gives_one_order_and_another_seed_another() -> None:
    lengths = np.arange(100) % 7

    def drawn(*seed: int) -> list[list[int]]:
        return [batch.tolist() for batch in epoch(lengths, batch_size=8, seed=seed)]

    assert drawn(3, 0) == drawn(3, 0)
    assert len({str(drawn(*seed)) for seed in ((3, 0), (3, 1), (4, 0))}) == 3


def test_batches_of_one_length_do_not_come_by_length() -> None:
    lengths = np.repeat([1, 2, 3, 4], 50)
    firsts = [int(lengths[batch[0]]) for batch in epoch(lengths, batch_size=10, seed=[0])]
    assert sorted(firsts) == np.repeat([1, 2, 3, 4], 5).tolist() != firsts


def test_a_batch_holds_at_least_one_sequence() -> None:
    with pytest.raises(UsageError, match="batch_size is 0; it must be at least 1"):
        epoch(np.array([1]), batch_size=0)


def test_a_seed_is_no_negative_number() -> None:
    assert epoch(np.array([1]), batch_size=1, seed=[0, 0])[0].tolist() == [0]
    with pytest.raises(UsageError, match="seed is -1; it must be at least 0"):
        epoch(np.array([1]), batch_size=1, seed=[-1, 0])


def test_slots_are_a_multiple_of_at_least_one() -> None:
    check_options(batch_size=1, multiple_of=1)
    with pytest.raises(UsageError, match="multiple_of is 0; it must be at least 1"):
        check_options(batch_size=1, multiple_of=0)
