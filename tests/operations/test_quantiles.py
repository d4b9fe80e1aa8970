from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from seqtool.arrays.spool import Spool
from seqtool.operations import quantiles as module
from seqtool.operations.quantiles import FeatureColumns, order_statistics, quantiles

numbers = st.floats(allow_nan=False, allow_infinity=False, width=32) | st.sampled_from(
    [0.0, -0.0, 1.0, 5e-324]
)


@given(
    st.lists(numbers, min_size=1, max_size=60),
    st.lists(st.floats(0, 1), min_size=1, max_size=4),
    st.integers(1, 9),
)
def test_quantiles_are_those_of_numpy_to_the_bit(
    cells: list[float], fractions: list[float], most: int
) -> None:
    array = np.array(cells)
    pieces = np.array_split(array, 3)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(module, "_SORTED", most)  # so that few numbers take the road of many
        found = quantiles(lambda: pieces, fractions)
        ranked = order_statistics(lambda: pieces, range(len(cells)))
    assert ranked == sorted(cells)
    assert found == [float(np.quantile(array, fraction)) for fraction in fractions]
    assert found == quantiles(lambda: [array], fractions)


def test_columns_that_stand_in_a_spool(monkeypatch: Any) -> None:
    monkeypatch.setattr(module, "_IN_MEMORY", 100)
    block = np.random.default_rng(1).normal(size=(3, 50))
    block[1, ::2] = np.nan
    with Spool() as spool:
        columns = FeatureColumns(np.array_split(block, 5, axis=1), spool)
        for feature in range(3):
            expected = np.nanquantile(block[feature], [0.25, 0.5]).tolist()
            assert columns.quantiles(feature, [0.25, 0.5]) == expected
    assert np.isnan(FeatureColumns([np.full((1, 2), np.nan)], Spool()).quantiles(0, [0.5])).all()
