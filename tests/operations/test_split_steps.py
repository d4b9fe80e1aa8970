import numpy as np
import pytest

from seqtool.arrays.lazy import Lazy
from seqtool.arrays.spool import Spool
from seqtool.operations import split_steps
from seqtool.sequences.ragged import Ragged


def lengths_of(count: int) -> Ragged:
    lengths = np.arange(count) % 7
    return Ragged(np.arange(lengths.sum()) * 3, np.concatenate([[0], np.cumsum(lengths)]))


@pytest.mark.parametrize("steps", [1, 2])
def test_it_makes_no_difference_how_lengths_are_cut_into_chunks(
    steps: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    data = lengths_of(100)
    lazy = data.replace(values=Lazy(data.values.shape, data.values.dtype, lambda b, e: data.values[b:e]))
    with Spool() as spool:
        whole = split_steps.leave_last(data, steps, (), spool=spool)
        monkeypatch.setattr(split_steps, "_TOGETHER", 64)
        parts = split_steps.leave_last(lazy, steps, (), spool=spool)
        for one, other in zip(
            (whole.ragged.values, *whole.ragged.per_sequence.values()),
            (parts.ragged.values, *parts.ragged.per_sequence.values()),
            strict=True,
        ):
            assert np.array_equal(np.asarray(one), np.asarray(other))
        assert (whole.dropped, whole.added) == (parts.dropped, parts.added)
