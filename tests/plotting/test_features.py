"""Which feature of sequences is drawn."""

from __future__ import annotations

import numpy as np
import pytest

from seqtool.errors import DataError
from seqtool.plotting.features import feature_names, find_feature
from seqtool.sequences.ragged import Ragged


def ragged(*step: int, features: tuple[str, ...] | None = None) -> Ragged:
    return Ragged(np.zeros((2, *step)), np.array([0, 2]), features=features)


@pytest.mark.parametrize(
    ("data", "names"),
    [
        (ragged(), ["value"]),
        (ragged(2), ["feature 0", "feature 1"]),
        (ragged(2, features=("a", "b")), ["a", "b"]),
        (ragged(4, 4, 3), []),
    ],
)
def test_names(data: Ragged, names: list[str]) -> None:
    assert [*feature_names(data)] == names


def test_a_feature_by_name_or_position() -> None:
    data = ragged(2, features=("1", "b"))
    assert [find_feature(data, name) for name in (None, "b", "1", "0")] == [0, 1, 0, 0]


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (ragged(), "a step is a single number here"),
        (ragged(2), "a position below 2"),
        (ragged(4, 4, 3), "an array of 4 x 4 x 3 here, which is not drawn"),
    ],
)
def test_a_feature_that_is_not_there(data: Ragged, message: str) -> None:
    with pytest.raises(DataError, match=message):
        find_feature(data, "2")
