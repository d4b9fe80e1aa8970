"""What `info` says of NaN and infinities."""

from __future__ import annotations

import numpy as np
import pytest

import seqtool
from seqtool.arrays.lazy import Lazy
from seqtool.inspecting.not_finite import not_finite
from seqtool.sequences.ragged import Ragged, StepArray

NAN, INF = float("nan"), float("inf")


@pytest.mark.parametrize("padding", [None, "pre", "post"])
def test_real_cells_are_counted_and_padding_is_not(padding: str | None) -> None:
    ragged = Ragged(
        np.array([[1, 2], [3, 4], [NAN, INF], [5, -INF]]),
        np.array([0, 2, 2, 3, 4]),
        per_sequence={"y": np.array([0, NAN, 1, NAN]), "part": np.arange(4)},
        per_step={"step_y": StepArray(np.array([0, 0, 0, NAN]), NAN)},
    )
    data = ragged if padding is None else seqtool.pad(ragged, padding=padding, value=NAN)
    assert list(not_finite(data)) == [
        {
            "array": "x" if padding else "values",
            "nan": 1,
            "infinite": 2,
            "looked": 4,
            "rows": 4,
            "sequence": 2,
        },
        {"array": "step_y", "nan": 1, "infinite": 0, "looked": 4, "rows": 4, "sequence": 3},
        {"array": "y", "nan": 2, "infinite": 0, "looked": 4, "rows": 4, "sequence": 1},
    ]
    assert list(not_finite(seqtool.pad([[1.5], [2, 3]], value=NAN))) == []


def test_of_a_large_file_the_beginning_is_read() -> None:
    read = 0

    def rows(begin: int, end: int) -> np.ndarray:
        nonlocal read
        read = max(read, end)
        return np.where(np.arange(begin, end) == 7, NAN, 1.0)

    count = 1 << 40
    data = Ragged(Lazy((count,), np.dtype(float), rows), np.array([0, 5, count]))
    (found,) = not_finite(data, looked=1 << 24)
    assert found == {
        "array": "values",
        "nan": 1,
        "infinite": 0,
        "looked": 1 << 21,
        "rows": count,
        "sequence": 1,
    }
    assert read <= 1 << 22
