"""Arrays of which only windows stand in memory, against plain NumPy."""

import os
from collections.abc import Callable
from pathlib import Path
from typing import Any
from unittest.mock import patch

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as npst

from seqtool.arrays import file_array
from seqtool.arrays import gather as gather_module
from seqtool.arrays.file_array import FileArray
from seqtool.arrays.gather import gather, lazy_gather, ranges
from seqtool.arrays.lazy import (
    Lazy,
    Span,
    chunks,
    concatenated,
    lazy_map,
    reshaped,
    rows_per_chunk,
    slots,
    span,
)
from seqtool.arrays.spool import GrowingArray, Spool, at_hand, running_sums, spooled
from seqtool.errors import DataError
from seqtool.files.npy import cellwise, open_npy
from tests.cutting import small_windows

arrays = npst.arrays(
    st.sampled_from([np.dtype(kind) for kind in ("int8", "int64", "float32", "bool")]),
    npst.array_shapes(min_dims=1, max_dims=3, min_side=0, max_side=7),
    elements={"allow_nan": False},
)


def lazy(array: Any) -> Lazy:
    """The same array as one whose windows are made when they are asked for."""
    return Lazy(array.shape, array.dtype, lambda begin, end: array[begin:end].copy())


def same(found: Any, expected: Any) -> bool:
    found, expected = np.asarray(found), np.asarray(expected)
    return bool(found.dtype == expected.dtype and found.shape == expected.shape and (found == expected).all())


# One array


@given(arrays, st.data(), st.integers(1, 40))
def test_a_lazy_is_the_array_that_it_stands_for(array: Any, data: st.DataObject, size: int) -> None:
    for found in (lazy(array), lazy_map(lambda part: part, lazy(array), dtype=array.dtype)):
        assert (found.shape, found.ndim, found.dtype) == (array.shape, array.ndim, array.dtype)
        assert (len(found), found.size, found.nbytes) == (len(array), array.size, array.nbytes)
        assert same(found, array)
        assert same(np.asarray(found, dtype=np.float64), array.astype(np.float64))
        begin, end = (data.draw(st.integers(-len(array) - 2, len(array) + 2)) for _ in range(2))
        assert same(found[begin:end], array[begin:end])
        assert same(found[begin:], array[begin:])
    parts = list(chunks(lazy(array), size))
    assert [begin for begin, _ in parts] == list(range(0, len(array), rows_per_chunk(array, size)))
    assert same(np.concatenate([array[:0], *(part for _, part in parts)]), array)


def test_a_window_has_step_one() -> None:
    with pytest.raises(ValueError, match="step 1, not 2"):
        lazy(np.arange(4))[::2]


def test_an_array_of_no_dimensions_is_read() -> None:
    one = Lazy((), np.dtype(np.int64), lambda begin, end: np.array([7])[begin:end])
    assert same(one, np.array(7))


def test_an_array_that_is_made_keeps_its_shape() -> None:
    with pytest.raises(TypeError, match=r"keeps its shape \(4,\)"):
        reshaped(lazy(np.arange(4)), 2, 2)


@pytest.mark.parametrize(
    ("shape", "size", "rows"), [((9,), 64, 8), ((9, 2), 64, 4), ((9, 50), 64, 1), ((9, 0), 64, 64)]
)
def test_windows_hold_whole_rows(shape: tuple[int, ...], size: int, rows: int) -> None:
    assert rows_per_chunk(np.zeros(shape), size) == rows


# Arrays that follow from others


@given(st.lists(st.integers(-9, 9), max_size=9), st.booleans(), st.booleans())
def test_mapped_is_the_function_of_all(numbers: list[int], first: bool, second: bool) -> None:
    a, b = np.array(numbers, np.int64), np.arange(len(numbers))
    found = lazy_map(np.minimum, lazy(a) if first else a, lazy(b) if second else b, dtype=np.float32)
    assert isinstance(found, Lazy) == (first or second)
    assert same(found, np.minimum(a, b).astype(np.float32))


@given(st.lists(arrays.filter(lambda array: array.ndim == 1), min_size=1, max_size=4), st.data())
def test_joined_is_concatenate(parts: list[Any], data: st.DataObject) -> None:
    expected = np.concatenate(parts)
    mixed = [lazy(part) if data.draw(st.booleans()) else part for part in parts]
    found = concatenated(mixed, expected.shape, expected.dtype)
    assert same(found, expected)
    begin, end = (data.draw(st.integers(0, len(expected))) for _ in range(2))
    assert same(found[begin:end], expected[begin:end])


def stretches_of(array: Any, data: st.DataObject) -> tuple[Any, Any, Any]:
    """Stretches of rows in any order, which may overlap and repeat: their starts and counts, and the rows in them.

    Some ascend without an overlap, and some but the outermost are of one size, each of which takes another road.
    """
    if data.draw(st.booleans()) and len(array):
        size = data.draw(st.integers(1, len(array)))
        starts = data.draw(st.lists(st.integers(0, len(array) - size), max_size=9))
        counts = [
            data.draw(st.integers(0, size)) if i in (0, len(starts) - 1) else size for i in range(len(starts))
        ]
        rows = [row for a, n in zip(starts, counts, strict=True) for row in range(a, a + n)]
        return tuple(np.array(numbers, np.int64) for numbers in (starts, counts, rows))
    edges = data.draw(st.lists(st.integers(0, len(array)), max_size=12).filter(lambda e: len(e) % 2 == 0))
    if data.draw(st.booleans()):
        edges.sort()
    pairs = [sorted(pair) for pair in zip(edges[0::2], edges[1::2], strict=True)]
    starts, ends = (np.array([pair[i] for pair in pairs], np.int64) for i in (0, 1))
    rows = np.array([row for a, b in pairs for row in range(a, b)], np.int64)
    return starts, ends - starts, rows


def test_overlapping_stretches_are_no_contiguous_block() -> None:
    found = gather(np.arange(9), np.array([0, 1, 4]), np.array([2, 2, 2]))
    assert found.tolist() == [0, 1, 1, 2, 4, 5]


def test_stretches_of_a_file_that_lie_far_apart_are_not_read_along(tmp_path: Path) -> None:
    array = np.arange(100_000)
    np.save(tmp_path / "a.npy", array)
    source = open_npy(tmp_path / "a.npy", "a.npy")
    starts = np.array([90_000, 10, 20, 50_000])
    with patch.object(file_array, "read_into", wraps=file_array.read_into) as read:
        assert gather(source, starts, np.full(4, 5)).tolist() == [x for s in starts for x in range(s, s + 5)]
    assert 0 < sum(len(call.args[1]) for call in read.call_args_list) < 100 * 8


WHERE = st.sampled_from(["in memory", "lazy", "in a file"])


def put(array: Any, where: str, spool: Spool) -> Any:
    """The same array, as one of the kinds that rows are gathered from."""
    return array if where == "in memory" else lazy(array) if where == "lazy" else spool.append(array)


@given(
    arrays,
    st.data(),
    WHERE,
    st.sampled_from([1, 16, 4 << 20]),
    st.sampled_from([1, 2, 1 << 16]),
    st.sampled_from([0, 8, 1 << 14]),
)
def test_stretches_are_the_rows_within_them(
    array: Any, data: st.DataObject, where: str, window: int, together: int, gap: int
) -> None:
    starts, counts, rows = stretches_of(array, data)
    offsets = np.concatenate([[0], np.cumsum(counts)]).astype(np.int64)
    with Spool() as spool, pytest.MonkeyPatch.context() as patching:
        source = put(array, where, spool)
        small_windows(patching, window)
        patching.setattr(gather_module, "_STRETCHES", together)
        patching.setattr(gather_module, "_GAP", gap)
        assert ranges(starts, counts).tolist() == rows.tolist()
        assert same(gather(source, starts, counts), array[rows])
        for a, b in ((starts, offsets), (lazy(starts), lazy(offsets))):
            found = lazy_gather(source, a, b, (len(rows), *array.shape[1:]))
            assert same(found, array[rows])
            begin, end = (data.draw(st.integers(0, len(rows))) for _ in range(2))
            assert same(found[begin:end], array[rows][begin:end])


@given(arrays, st.data(), WHERE, st.integers(1, 4))
def test_of_a_stretch_every_so_many_rows_can_be_taken(
    array: Any, data: st.DataObject, where: str, every: int
) -> None:
    starts, spans, _ = stretches_of(array, data)
    counts = -(-spans // every)
    rows = [a + every * j for a, n in zip(starts.tolist(), counts.tolist(), strict=True) for j in range(n)]
    offsets = np.concatenate([[0], np.cumsum(counts)]).astype(np.int64)
    assert ranges(starts, counts, every).tolist() == rows
    with Spool() as spool:
        source = put(array, where, spool)
        found = lazy_gather(source, starts, offsets, (len(rows), *array.shape[1:]), every=every)
        assert same(found, array[np.array(rows, np.int64)])
        begin, end = (data.draw(st.integers(0, len(rows))) for _ in range(2))
        assert same(found[begin:end], array[np.array(rows, np.int64)][begin:end])


def test_stretches_beyond_four_billion_rows_are_wide() -> None:
    assert ranges(np.array([1 << 33]), np.array([2])).tolist() == [1 << 33, (1 << 33) + 1]
    assert ranges(np.array([(1 << 32) - 2]), np.array([2])).tolist() == [(1 << 32) - 2, (1 << 32) - 1]


@given(st.lists(st.integers(-(2**40), 2**40), max_size=9))
def test_a_span_is_least_largest_and_sum(numbers: list[int]) -> None:
    expected = Span(min(numbers, default=0), max(numbers, default=0), sum(numbers))
    with pytest.MonkeyPatch.context() as patch:
        small_windows(patch, 16)
        assert span(np.array(numbers, np.int64)) == span(lazy(np.array(numbers, np.int64))) == expected


def test_slots_stand_end_to_end(tmp_path: Path) -> None:
    x = np.arange(24).reshape(2, 3, 4)
    with Spool(tmp_path) as spool:
        for block in (x, x[..., 0], np.empty((0, 3, 4)), np.empty((2, 0))):
            expected = block.reshape(block.shape[0] * block.shape[1], *block.shape[2:])
            assert same(slots(block), expected)
            assert same(slots(spool.append(block)), expected)


# The spool


@given(st.lists(arrays, min_size=1, max_size=5), st.data())
def test_a_spool_gives_back_what_was_put_in(parts: list[Any], data: st.DataObject) -> None:
    with Spool() as spool:
        found = [spool.append(part) for part in parts]
        for array, part in zip(found, parts, strict=True):
            assert same(array, part)
            begin, end = sorted(data.draw(st.integers(0, len(part))) for _ in range(2))
            assert same(array[begin:end], part[begin:end])
            assert same(reshaped(array, array.size), part.reshape(-1))


def test_a_window_is_the_callers_own() -> None:
    with Spool() as spool:
        array = spool.append(np.arange(3))
        array[:][0] = 9
        assert array[:].tolist() == [0, 1, 2]


def test_other_byte_orders_are_read_in_that_of_the_machine() -> None:
    with Spool() as spool:
        found = spool.append(np.arange(3, dtype=">i4"))
        assert found.dtype == np.dtype("int32")
        assert same(found, np.arange(3, dtype=np.int32))


def test_a_spool_has_no_name_and_leaves_nothing(tmp_path: Path) -> None:
    with Spool(tmp_path) as spool:
        spool.append(np.arange(1000))
        assert [*tmp_path.iterdir()] == []
    assert [*tmp_path.iterdir()] == []


def test_a_spool_without_rows_needs_no_folder(tmp_path: Path) -> None:
    with Spool(tmp_path / "nowhere"):
        pass


def test_a_folder_that_cannot_hold_the_spool_is_reported(tmp_path: Path) -> None:
    with Spool(tmp_path / "nowhere") as spool, pytest.raises(DataError, match="--temp-dir DIR") as refused:
        spool.append(np.arange(3))
    assert str(refused.value).startswith(str(tmp_path / "nowhere"))


def test_too_little_room_is_reported_before_the_work(tmp_path: Path) -> None:
    with Spool(tmp_path) as spool:
        spool.check_room(1)
        with pytest.raises(DataError, match=r"needs about 1,000\.0 PB there, but .* are free; .*--temp-dir"):
            spool.check_room(10**18)


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="a full disk is simulated by /dev/full")
def test_a_full_disk_is_reported(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with Spool(tmp_path) as spool, Path("/dev/full").open("r+b", buffering=0) as full:
        monkeypatch.setattr(spool, "_file", full)
        with pytest.raises(DataError, match=r"no space is left on the disk.*--temp-dir"):
            spool.append(np.arange(3))


def test_a_file_that_was_cut_short_is_reported(tmp_path: Path) -> None:
    path = tmp_path / "a.bin"
    path.write_bytes(bytes(16))
    with path.open("rb") as file:
        array = FileArray(file, "a.bin", 0, (4,), np.dtype(np.int64))
        assert array[:2].tolist() == [0, 0]
        with pytest.raises(DataError, match=r"^a\.bin: ends early"):
            array[:]


def test_windows_may_be_read_from_several_places_at_once() -> None:
    with Spool() as spool:
        a, b = spool.append(np.arange(5)), spool.append(np.arange(5, 10))
        found = [
            (x.tolist(), y.tolist()) for (_, x), (_, y) in zip(chunks(a, 16), chunks(b, 16), strict=True)
        ]
    assert found == [([0, 1], [5, 6]), ([2, 3], [7, 8]), ([4], [9])]


# Arrays that grow


@given(st.lists(st.integers(0, 9), max_size=8), st.sampled_from([1, 16, 64, 4 << 20]), st.booleans())
def test_what_grows_is_all_that_was_added(counts: list[int], window: int, wide: bool) -> None:
    tail = (2,) if wide else ()
    parts = [np.full((count, *tail), i, np.int16) for i, count in enumerate(counts)]
    with pytest.MonkeyPatch.context() as patch, Spool() as spool:
        small_windows(patch, window)
        growing = GrowingArray(spool, np.dtype(np.int32), tail)
        seen = []
        for i, part in enumerate(parts):
            growing.add(part)
            seen.append((growing.done(), i + 1))
        for found, until in [*seen, (growing.done(), len(parts))]:
            assert same(
                found, np.concatenate([np.empty((0, *tail), np.int32), *parts[:until]]).astype(np.int32)
            )


@pytest.mark.parametrize("make", [lazy, np.asarray])
def test_a_copy_in_a_spool_is_the_same(make: Callable[[Any], Any], monkeypatch: pytest.MonkeyPatch) -> None:
    small_windows(monkeypatch)
    array = np.arange(60).reshape(20, 3)
    with Spool() as spool:
        assert same(spooled(spool, make(array)), array)


class Counted(Lazy):
    """An array that is made when asked for, and counts how often that is, and how many rows it makes."""

    def __init__(self, array: Any) -> None:
        super().__init__(array.shape, array.dtype, self._make)
        self._array, self.reads, self.rows = array, 0, 0

    def _make(self, begin: int, end: int) -> Any:
        self.reads += 1
        self.rows += end - begin
        return self._array[begin:end].copy()


@pytest.mark.parametrize("window", [64, 4 << 20])
def test_an_array_at_hand_is_made_once(window: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    small_windows(monkeypatch, window)
    numbers = np.arange(100)
    made = Counted(numbers)
    with Spool(tmp_path) as spool:
        found = at_hand(made, spool)
        for i in range(100):
            assert found[i : i + 3].tolist() == numbers[i : i + 3].tolist()
        assert at_hand(numbers, spool) is numbers
        assert isinstance(at_hand(spool.append(numbers), spool), Lazy if window == 64 else np.ndarray)
    assert made.rows == 100


@given(st.lists(st.integers(0, 9), max_size=20), st.sampled_from([8, 64, 4 << 20]))
def test_running_sums_are_offsets(sizes: list[int], window: int) -> None:
    with pytest.MonkeyPatch.context() as patch, Spool() as spool:
        small_windows(patch, window)
        found = running_sums(lazy(np.array(sizes, np.int8)), spool)
        assert same(found, np.concatenate([[0], np.cumsum(sizes, dtype=np.int64)]))


def test_stretches_that_follow_one_another_are_found_with_few_reads() -> None:
    offsets = Counted(np.arange(0, 4001, 4))
    rows = lazy_gather(np.arange(4000), np.arange(0, 4000, 4), offsets, (4000,))
    assert same(np.concatenate([rows[begin : begin + 40] for begin in range(0, 4000, 40)]), np.arange(4000))
    assert (offsets.reads, offsets.rows // 100) <= (200, 150)


def test_what_is_large_goes_to_the_disk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    small_windows(monkeypatch)
    with Spool(tmp_path) as spool:
        growing = GrowingArray(spool, np.dtype(np.int64))
        growing.add(np.arange(4))
        assert isinstance(growing.done(), np.ndarray)
        growing.add(np.arange(100))
        assert isinstance(growing.done(), Lazy)
        assert spool._file is not None
        assert os.fstat(spool._file.fileno()).st_size == 104 * 8


def test_what_is_made_of_cells_takes_any_shape_that_they_can_take(tmp_path: Path) -> None:
    x = np.arange(12, dtype=np.int16).reshape(3, 4)
    np.save(tmp_path / "x.npy", x)
    output = cellwise(np.negative, open_npy(tmp_path / "x.npy", "x"), dtype=np.int64)
    assert isinstance(output, Lazy)
    assert (output.shape, output.dtype) == ((3, 4), np.int64)
    assert (np.asarray(output) == -x).all()
    flat = slots(output)
    assert flat[5:7].tolist() == [-5, -6]
    assert (cellwise(np.negative, x, dtype=np.int64) == -x).all()
