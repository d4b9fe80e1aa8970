"""Windows of sequences that were split at a moment: each belongs to one split, though it may look back."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

import seqtool as sq
from seqtool.arrays.spool import Spool
from seqtool.errors import DataError
from seqtool.operations.histories import parted_at_moment, without_far_history
from seqtool.sequences.orders import OrderColumn, stored


def timed(lengths: list[int], seed: int = 0) -> sq.Ragged:
    """Sequences whose steps hold their own number, at ascending times."""
    random = np.random.default_rng(seed)
    times = [np.sort(random.integers(0, 20, length)) for length in lengths]
    order, names = stored([OrderColumn("t", "", np.concatenate([*times, np.empty(0, np.int64)]))])
    values = np.concatenate([*map(np.arange, lengths), np.empty(0, np.int64)]).astype(float)[:, None]
    keys = np.arange(len(lengths))
    offsets = np.cumsum([0, *lengths])
    return sq.Ragged(values, offsets, keys=keys, per_step={"order": order}, names=names)


@pytest.mark.filterwarnings("ignore:too short for a window")
@given(
    st.lists(st.integers(0, 9), min_size=1, max_size=4),
    st.integers(0, 9),
    st.integers(1, 3),
    st.integers(0, 2),
    st.integers(0, 1),
    st.integers(1, 2),
)
def test_a_window_belongs_to_the_split_of_what_follows_it(
    lengths: list[int], seed: int, size: int, horizon: int, lead: int, stride: int
) -> None:
    data, moment = timed(lengths, seed), 10
    times = np.asarray(data.per_step["order"].data)
    ahead = {"horizon": horizon, "lead": lead} if horizon else {}
    expected = []
    for key, (begin, end) in enumerate(zip(data.offsets[:-1], data.offsets[1:], strict=True)):
        is_test = times[begin:end] >= moment
        before = int((~is_test).sum())
        earliest = max(0, before - size - lead if horizon else before - size + 1)
        for split, low, high in (("train", 0, before), ("test", earliest, end - begin)):
            if split == "test" and before == end - begin:
                continue
            for at in range(low, high - size - (lead + horizon if horizon else 0) + 1, stride):
                y = [float(step) for step in range(at + size + lead, at + size + lead + horizon)]
                expected.append((key, at, split, [float(step) for step in range(at, at + size)], y))
    try:
        split = sq.split(data, at=str(moment), context=True)
        found = sq.window(split, size=size, stride=stride, **ahead)
    except DataError as error:
        assert "would be empty" in str(error) or "no window is left" in str(error)  # noqa: PT017
        assume(False)
    arrays = {name: np.asarray(array).tolist() for name, array in found.per_sequence.items()}
    y = arrays.get("y", [[]] * len(found))
    keys = np.asarray(found.keys).tolist()
    steps = [item[:, 0].tolist() for item in found]
    assert [*zip(keys, arrays["part"], arrays["split"], steps, y, strict=True)] == expected
    assert len({*zip(keys, arrays["part"], strict=True)}) == len(found)


def test_windows_of_parts_without_history_count_from_the_whole_sequence() -> None:
    data = timed([8], seed=3)
    moment = str(np.asarray(data.per_step["order"].data)[4])
    split = sq.split(data, at=moment)
    windows = sq.window(split, size=2, stride=2)
    assert windows.per_sequence["split"].tolist().count("test") == 2
    assert windows.per_sequence["part"].tolist() == windows.values[windows.offsets[:-1], 0].tolist()
    assert parted_at_moment(split)
    assert not parted_at_moment(windows)


def test_other_parts_are_not_cut_into_windows() -> None:
    left_out = sq.split(timed([5, 6]), last=1)
    some: Any = left_out.replace(per_sequence={"part": left_out.per_sequence["part"]})
    with pytest.raises(DataError, match="are parts of others already"):
        sq.window(some, size=2)
    with Spool() as spool:
        assert without_far_history(some, 1, spool=spool).ragged is some
