from fractions import Fraction

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from seqtool.arrays.spool import Spool
from seqtool.operations.split_whole import Shares, drawn, largest_remainder
from seqtool.sequences.ragged import Ragged


@given(st.lists(st.integers(1, 20), min_size=1, max_size=5), st.integers(0, 200))
def test_largest_remainders_sum_up_and_are_off_by_less_than_one(weights: list[int], number: int) -> None:
    shares = [Fraction(weight, sum(weights)) for weight in weights]
    counts = largest_remainder(shares, number)
    assert sum(counts) == number
    assert all(abs(count - share * number) < 1 for count, share in zip(counts, shares, strict=True))


def test_decimal_shares_are_exact() -> None:
    assert Shares(0.1, 0.2).of(10).tolist() == [2, 2, 1, 0, 0, 0, 0, 0, 0, 0]
    assert np.bincount(Shares(0.7, 0.1).of(1000)).tolist() == [200, 700, 100]


def test_the_threshold_of_a_hash_is_its_share() -> None:
    hashes = np.arange(128, dtype=np.uint64) << np.uint64(57)
    splits = Shares(0.25, 0.5).by_threshold(hashes)
    assert np.bincount(splits, minlength=3).tolist() == [32, 32, 64]
    assert splits[0] == 2


def test_the_column_of_households_may_be_larger_than_memory() -> None:
    keys = np.array([["h", str(i)] for i in range(50)])
    data = Ragged(np.arange(50), np.arange(51), keys=keys)
    with Spool() as spool:
        outcome = drawn(data, Shares(0, 0.5), seed=0, spool=spool)
        assert outcome.facts == {"splits": {"train": 25, "val": 0, "test": 25}}
        assert outcome.ragged.per_sequence["split"][:3].dtype.kind == "U"
