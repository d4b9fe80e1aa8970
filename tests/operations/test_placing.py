from itertools import chain, pairwise
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from seqtool.arrays.lazy import Lazy
from seqtool.arrays.spool import Spool
from seqtool.operations.placing import Placing, place_windows
from tests import oracles
from tests.cutting import small_windows

placings = st.builds(
    lambda size, least, **others: Placing(size, least=None if least is None else min(size, least), **others),
    st.integers(1, 6),
    st.none() | st.integers(1, 6),
    stride=st.integers(1, 7),
    rate=st.integers(1, 5),
    after=st.integers(0, 4),
    from_end=st.booleans(),
    newest=st.booleans(),
)


def expected(placing: Placing, length: int) -> list[list[int]]:
    return oracles.windows(
        length,
        size=placing.size,
        stride=placing.stride,
        rate=placing.rate,
        min_size=placing.least,
        after=placing.after,
        from_end=placing.from_end,
        last=placing.newest,
    )


@given(st.lists(st.integers(0, 25), max_size=6), placings, st.booleans())
def test_windows_are_those_that_a_loop_finds(lengths: list[int], placing: Placing, is_lazy: bool) -> None:
    array: Any = np.array(lengths, np.int64)
    numbers = Lazy(array.shape, array.dtype, lambda begin, end: array[begin:end]) if is_lazy else array
    with pytest.MonkeyPatch.context() as patch, Spool() as spool:
        if is_lazy:
            small_windows(patch, 16)
        found = place_windows(placing, numbers, spool)
        arrays = [np.asarray(array).tolist() for array in (found.which, found.starts, found.sizes)]
        some = [found.starts[begin : begin + 2].tolist() for begin in range(0, len(found), 2)]
    wanted = [(i, window) for i, length in enumerate(lengths) for window in expected(placing, length)]
    steps = [(i, list(range(a, a + n * placing.rate, placing.rate))) for i, a, n in zip(*arrays, strict=True)]
    assert steps == wanted
    assert [*chain(*some)] == arrays[1]
    with_one = {i for i, _ in wanted}
    without = [i for i in range(len(lengths)) if i not in with_one]
    taken = len({(i, step) for i, window in wanted for step in window})
    assert (found.sequences, found.taken) == (len(with_one), taken)
    assert found.left == sum(lengths[i] for i in with_one) - taken
    assert (found.without, found.named) == (len(without), tuple(without[:10]))
    assert found.without_steps == sum(lengths[i] for i in without)
    assert found.longest == max((lengths[i] for i in without), default=0)


@given(placings, st.integers(0, 25))
def test_the_largest_size_is_the_largest_that_has_a_window(placing: Placing, length: int) -> None:
    def has_one(size: int) -> bool:
        return bool(oracles.windows(length, size=size, rate=placing.rate, after=placing.after))

    largest = placing.largest(length)
    assert [has_one(size) for size in range(1, 30)] == [size <= largest for size in range(1, 30)]
    assert has_one(placing.size) == (length >= placing.needed)


def test_windows_cover_a_sequence_in_the_ways_that_their_names_say() -> None:
    assert [w[0] for w in expected(Placing(3, stride=2), 8)] == [0, 2, 4]
    assert [w[0] for w in expected(Placing(3, stride=2, from_end=True), 8)] == [1, 3, 5]
    assert expected(Placing(3, stride=3, least=1), 5) == [[0, 1, 2], [3, 4]]
    assert expected(Placing(3, stride=3, least=1, from_end=True), 5) == [[0, 1], [2, 3, 4]]
    assert expected(Placing(3, newest=True), 8) == [[5, 6, 7]]
    assert all(b[0] - a[0] == 1 for a, b in pairwise(expected(Placing(4), 9)))


@pytest.mark.parametrize("number", [10**30, 2**63, 2**61])
def test_numbers_beyond_all_sequences_are_no_overflow(number: int) -> None:
    lengths = np.array([3, 0, 4])
    for placing in (Placing(number), Placing(1, after=number), Placing(2, rate=number)):
        assert place_windows(placing, lengths, Spool()).without == 3
    for from_end in (False, True):
        whole = Placing(number, stride=number, rate=1, least=1, from_end=from_end)
        found = place_windows(whole, lengths, Spool())
        assert (found.starts[:].tolist(), found.sizes[:].tolist()) == ([0, 0], [3, 4])
        found = place_windows(Placing(1, stride=number, from_end=from_end), lengths, Spool())
        assert found.starts[:].tolist() == ([2, 3] if from_end else [0, 0])
