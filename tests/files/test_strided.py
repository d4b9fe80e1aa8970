"""Arrays whose cells stand in a file in another order than that of C."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from seqtool.arrays.lazy import slots
from seqtool.files import strided
from seqtool.files.npy import FlatArray, open_npy
from seqtool.files.strided import CellOrder, are_far_apart
from tests.hunting import examples


@settings(
    deadline=None, max_examples=examples(120), suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(
    shape=st.lists(st.integers(0, 6), min_size=2, max_size=4),
    fortran=st.booleans(),
    time_major=st.booleans(),
    sizes=st.tuples(*[st.sampled_from(s) for s in ([1 << 24, 64, 8], [1 << 21, 64], [1 << 14, 0])]),
    data=st.data(),
)
def test_chunks_are_those_of_the_array_in_whatever_order(
    tmp_path: Path,
    shape: list[int],
    fortran: bool,
    time_major: bool,
    sizes: tuple[int, int, int],
    data: st.DataObject,
) -> None:
    array = np.arange(np.prod(shape), dtype=np.float64).reshape(shape)
    np.save(tmp_path / "x.npy", np.asfortranarray(array) if fortran else array)
    expected = array.swapaxes(0, 1) if time_major else array
    with pytest.MonkeyPatch.context() as patch:
        for name, size in zip(("_CACHE_BYTES", "_SPAN", "_GAP"), sizes, strict=True):
            patch.setattr(strided, name, size)
        lazy = open_npy(tmp_path / "x.npy", "x.npy", time_major=time_major)
        assert lazy.shape == expected.shape
        for _ in range(3):
            begin = data.draw(st.integers(0, len(expected)))
            end = data.draw(st.integers(begin, len(expected)))
            assert np.array_equal(lazy[begin:end], expected[begin:end])
        assert np.array_equal(
            np.asarray(slots(lazy)), expected.reshape(np.prod(expected.shape[:2]), *expected.shape[2:])
        )


def test_long_sequences_are_turned_on_the_disk_and_short_ones_looked_up() -> None:
    assert not are_far_apart((100_000, 1_000, 4), 4)  # runs of 16 kB
    assert are_far_apart((100, 1_000_000, 4), 4)  # runs of 16 bytes
    assert not are_far_apart((100, 1_000, 4), 4)  # all at once
    assert not are_far_apart((1_000_000, 50_000, 1), 4)  # turned, runs would be shorter still


def test_a_long_time_major_array_is_read_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Each sequence by itself, the whole file would be read for it."""
    monkeypatch.setattr(strided, "_CACHE_BYTES", 1 << 12)
    array = np.arange(20 * 3000.0).reshape(3000, 20)
    np.save(tmp_path / "x.npy", array)
    read: list[int] = []
    from seqtool.arrays import file_array

    read_at = file_array.read_at
    monkeypatch.setattr(
        file_array, "read_at", lambda file, out, at: read.append(len(out)) or read_at(file, out, at)
    )
    lazy = open_npy(tmp_path / "x.npy", "x.npy", time_major=True)
    assert isinstance(lazy, FlatArray)
    assert all(np.array_equal(lazy[i : i + 1][0], array[:, i]) for i in range(20))
    assert sum(read) == 2 * array.nbytes  # the file, and what was turned


@pytest.mark.parametrize(
    ("order", "stored", "shape", "strides", "is_c"),
    [
        (CellOrder(), (2, 3, 4), (2, 3, 4), (12, 4, 1), True),
        (CellOrder(fortran=True), (2, 3, 4), (2, 3, 4), (1, 2, 6), False),
        (CellOrder(time_major=True), (2, 3, 4), (3, 2, 4), (4, 12, 1), False),
        (CellOrder(True, True), (2, 3), (3, 2), (2, 1), True),
        (CellOrder(time_major=True), (1, 3, 4), (3, 1, 4), (4, 12, 1), True),
        (CellOrder(time_major=True), (5,), (5,), (1,), True),
    ],
)
def test_shape_and_strides(
    order: CellOrder, stored: tuple[int, ...], shape: tuple[int, ...], strides: tuple[int, ...], is_c: bool
) -> None:
    assert (order.shape_of(stored), order.strides_of(stored, 1), order.is_c(stored)) == (shape, strides, is_c)
