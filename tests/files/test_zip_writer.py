import errno
import io
import itertools
import os
import struct
import threading
import zipfile
import zlib
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from seqtool.arrays.lazy import Lazy
from seqtool.arrays.spool import Spool
from seqtool.files import zip_writer
from seqtool.files.deflate import PIECE, Compress, deflated
from seqtool.files.zip_reader import ZipReader
from seqtool.files.zip_writer import Member, ZipWriter, npy_header, write_array
from tests.files.test_zip_reader import BOTH_ROADS, Pipe, packed, some_arrays, spelled, unpacked

BOTH_WAYS = pytest.mark.parametrize("compress", ["fast", "small"])


@BOTH_ROADS
@given(arrays=some_arrays, at=st.sampled_from([0, 1, 150, 250, 700]))
def test_large_files_use_zip64(seekable: bool, scratch: Path, arrays: dict[str, Any], at: int) -> None:
    path = scratch / "zip64.npz"
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(zip_writer, "_ZIP64_AT", at)
        data = packed(arrays, seekable=seekable)
    assert spelled(unpacked(path, data)) == spelled(arrays)
    with np.load(path) as loaded:
        assert spelled(loaded) == spelled(arrays)
    with zipfile.ZipFile(path) as archive:
        assert archive.testzip() is None


@BOTH_ROADS
def test_zip64_records_stand_where_a_32_bit_field_would_not_do(
    seekable: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    arrays = {"x": np.zeros(1), "y": np.zeros(1000), "keys": np.zeros(1)}
    small = packed(arrays, seekable=seekable)
    assert b"PK\x06\x06" not in small
    monkeypatch.setattr(zip_writer, "_ZIP64_AT", 1000)
    large = packed(arrays, seekable=seekable)
    assert large.count(b"PK\x06\x06") == large.count(b"PK\x06\x07") == 1
    # y alone is large: its sizes are in a zip64 field in front of the data and in the directory.
    field = struct.pack("<HHQQ", 1, 16, 8128, 8128)
    assert large.count(field) == 2
    # Of keys only the place is: its last entry of the directory, 32 bits of ones and the place in 64.
    place = large.index(b"keys.npy") - 30
    entry = large.rindex(b"PK\x01\x02")
    assert large[entry + 42 :][:20] == b"\xff" * 4 + b"keys.npy" + struct.pack("<HH", 1, 8) + struct.pack(
        "<L", place
    )


@BOTH_ROADS
@given(arrays=some_arrays, at=st.sampled_from([zip_writer._ZIP64_AT, 0]))
def test_data_starts_at_a_multiple_of_64(seekable: bool, arrays: dict[str, Any], at: int) -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(zip_writer, "_ZIP64_AT", at)
        data = packed(arrays, seekable=seekable)
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        for info in archive.infolist():
            assert info.compress_type == zipfile.ZIP_STORED
            assert info.date_time == (1980, 1, 1, 0, 0, 0)
            name, extra = struct.unpack_from("<2H", data, info.header_offset + 26)
            begin = info.header_offset + 30 + name + extra
            header = npy_header(Member.of("any", arrays[info.filename.removesuffix(".npy")]))
            assert data[begin : begin + len(header)] == header
            assert begin % 64 == 0
            assert len(header) % 64 == 0


def test_pieces_of_a_member_may_have_any_size() -> None:
    whole = np.arange(12.0).reshape(6, 2)
    cut = Member("x", whole.dtype, whole.shape, [whole[:1], whole[1:1], whole[1:6]])
    assert written([cut]) == packed({"x": whole})


@pytest.mark.parametrize("blocks", [[], [np.zeros(1)], [np.zeros(3)], [np.zeros(2, dtype=np.float32)]])
def test_a_member_that_does_not_come_as_announced_is_a_bug_that_shows(blocks: list[Any]) -> None:
    with pytest.raises(AssertionError, match=r"x: .* bytes were written, 16 were expected"):
        written([Member("x", np.dtype("float64"), (2,), blocks)])


def written(members: Iterable[Member], compress: Compress | None = None) -> bytes:
    file = io.BytesIO()
    with ZipWriter(file, seekable=True, compress=compress) as archive:
        for member in members:
            archive.add(member)
    return file.getvalue()


def test_an_error_inside_leaves_no_directory() -> None:
    file = io.BytesIO()
    with pytest.raises(AssertionError), ZipWriter(file, seekable=True) as archive:
        archive.add(Member("x", np.dtype("int8"), (2,), [np.zeros(1, dtype=np.int8)]))
    assert not zipfile.is_zipfile(io.BytesIO(file.getvalue()))


def test_a_write_that_fails_is_not_passed_over() -> None:
    with Path("/dev/full").open("wb", buffering=0) as full, pytest.raises(OSError, match="No space left"):
        ZipWriter(full, seekable=False).add(Member.of("x", np.zeros(1000)))


def test_a_file_object_is_all_that_the_writer_needs(tmp_path: Path) -> None:
    file: BinaryIO
    with (tmp_path / "x.npz").open("wb") as file, ZipWriter(file, seekable=True) as archive:
        archive.add(Member.of("x", np.arange(3)))
    with np.load(tmp_path / "x.npz") as loaded:
        assert loaded["x"].tolist() == [0, 1, 2]


def test_a_file_without_a_buffer_may_take_less_than_it_is_given() -> None:
    class Slow(io.BytesIO):
        def write(self, data: Any) -> int:
            return super().write(bytes(data[:7]))

    file = Slow()
    with ZipWriter(file, seekable=True) as archive:
        archive.add(Member.of("x", np.arange(100)))
    assert file.getvalue() == packed({"x": np.arange(100)})


# Arrays that are not in memory.


@given(
    array=some_arrays.map(lambda arrays: next(iter(arrays.values()))),
    compress=st.sampled_from([None, "fast"]),
)
def test_a_lazy_array_is_written_as_if_it_were_in_memory(array: Any, compress: Compress | None) -> None:
    lazy = Lazy(array.shape, array.dtype, lambda begin, end: np.atleast_1d(array)[begin:end].copy())
    assert packed({"x": lazy}, compress=compress) == packed({"x": array}, compress=compress)


def test_a_large_lazy_array_comes_in_windows() -> None:
    array = np.arange(3_000_000).reshape(-1, 3)
    with Spool() as spool:
        assert packed({"x": spool.append(array)}) == packed({"x": array})


def large(blocks: Iterable[Any]) -> Member:
    return Member("x", np.dtype("int8"), (zip_writer._LARGE,), blocks)


@pytest.mark.parametrize("compress", [None, "fast"])
def test_large_members_are_reported_as_they_are_written(compress: Compress | None, tmp_path: Path) -> None:
    found: list[int] = []
    with (
        (tmp_path / "x.npz").open("wb") as file,
        ZipWriter(file, seekable=True, compress=compress) as archive,
    ):
        archive.add(large(np.full(zip_writer._LARGE // 4, i, np.int8) for i in range(4)), found.append)
    assert sum(found) == zip_writer._LARGE
    assert len(found) > 4
    with np.load(tmp_path / "x.npz") as loaded:
        assert np.array_equal(loaded["x"], np.repeat(np.arange(4, dtype=np.int8), zip_writer._LARGE // 4))


@pytest.mark.parametrize("error", [OSError, KeyboardInterrupt])
@pytest.mark.parametrize("compress", [None, "fast", "small"])
def test_an_error_of_the_blocks_leaves_no_thread(
    compress: Compress | None, error: type[BaseException]
) -> None:
    def broken() -> Iterator[Any]:
        yield np.zeros(zip_writer._LARGE // 2, np.int8)
        raise error("here")

    before = threading.active_count()
    with (
        pytest.raises(error, match="here"),
        ZipWriter(io.BytesIO(), seekable=True, compress=compress) as archive,
    ):
        archive.add(large(broken()))
    assert threading.active_count() == before


@pytest.mark.parametrize("error", [OSError, KeyboardInterrupt])
@pytest.mark.parametrize("compress", [None, "fast", "small"])
def test_an_error_of_the_file_leaves_no_thread(compress: Compress | None, error: type[BaseException]) -> None:
    class Full(Pipe):
        def write(self, data: Any) -> int:
            if len(self.taken) > 1000:
                raise error("full")
            return super().write(data)

    def endless() -> Iterator[Any]:
        rng = np.random.default_rng(0)
        while True:
            yield rng.integers(0, 100, PIECE, dtype=np.int8)

    before = threading.active_count()
    file: Any = Full()
    with pytest.raises(error, match="full"), ZipWriter(file, seekable=False, compress=compress) as archive:
        archive.add(large(endless()))
    assert threading.active_count() == before


def test_few_blocks_are_made_before_they_are_deflated() -> None:
    output = []

    def counted() -> Iterator[memoryview]:
        for i in range(100):
            output.append(i)
            yield memoryview(bytes(PIECE))

    chunks = deflated(counted(), "fast", threads=2)
    next(chunks)
    chunks.close()
    assert len(output) < 8


@pytest.mark.parametrize("number", ["ENOSPC", "EDQUOT", "EFBIG"])
def test_a_disk_without_room_shows_before_the_work(
    number: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    def refuse(*_: int) -> None:
        raise OSError(getattr(errno, number), "no room")

    monkeypatch.setattr(os, "posix_fallocate", refuse)
    blocks = iter([np.zeros(zip_writer._LARGE, np.int8)])
    with (tmp_path / "x.npz").open("wb") as file, pytest.raises(OSError, match="no room"):
        ZipWriter(file, seekable=True).add(large(blocks))
    assert len(list(blocks)) == 1


def test_a_file_system_that_cannot_set_room_aside_is_written_without(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    def refuse(*_: int) -> None:
        raise OSError(95, "not supported")

    monkeypatch.setattr(os, "posix_fallocate", refuse)
    with (tmp_path / "x.npy").open("wb") as file:
        write_array(file, large([np.ones(zip_writer._LARGE, np.int8)]), seekable=True)
    monkeypatch.delattr(os, "posix_fallocate")
    with (tmp_path / "y.npy").open("wb") as file:
        write_array(file, large([np.ones(zip_writer._LARGE, np.int8)]), seekable=True)
    assert (tmp_path / "x.npy").read_bytes() == (tmp_path / "y.npy").read_bytes()
    assert np.load(tmp_path / "x.npy").all()


# Deflated.


def steps(size: int) -> Any:
    """Numbers that can be made smaller, but not to nothing."""
    return np.random.default_rng(0).integers(0, 50, size).astype(np.float64)


@BOTH_ROADS
@BOTH_WAYS
@given(arrays=some_arrays, at=st.sampled_from([zip_writer._ZIP64_AT, 0, 150]))
def test_deflated_arrays_come_back(
    compress: Compress, seekable: bool, scratch: Path, arrays: dict[str, Any], at: int
) -> None:
    path = scratch / "deflated.npz"
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(zip_writer, "_ZIP64_AT", at)
        data = packed(arrays, seekable=seekable, compress=compress)
    assert spelled(unpacked(path, data)) == spelled(arrays)
    with np.load(path) as loaded:
        assert spelled(loaded) == spelled(arrays)
    with zipfile.ZipFile(path) as archive:
        assert archive.testzip() is None
        assert {info.compress_type for info in archive.infolist()} == {zipfile.ZIP_DEFLATED}
    with ZipReader(path, "deflated.npz") as reader:
        reader.verify()


@pytest.mark.thinned
@BOTH_ROADS
@BOTH_WAYS
@pytest.mark.parametrize("size", [PIECE // 8 - 16, PIECE // 8 - 15, 5 * PIECE // 8 + 1])
def test_deflated_arrays_of_many_chunks_come_back(
    compress: Compress, seekable: bool, size: int, tmp_path: Path
) -> None:
    data = packed({"x": steps(size)}, seekable=seekable, compress=compress)
    assert len(data) < 8 * size / 4
    assert np.array_equal(unpacked(tmp_path / "x.npz", data)["x"], steps(size))
    with np.load(tmp_path / "x.npz") as loaded:
        assert np.array_equal(loaded["x"], steps(size))
    with zipfile.ZipFile(tmp_path / "x.npz") as archive:
        assert archive.testzip() is None


@BOTH_WAYS
def test_the_bytes_do_not_depend_on_threads(compress: Compress) -> None:
    array = steps(5 * PIECE // 8 + 1)
    assert len({packed({"x": array}, compress=compress, threads=n) for n in (1, 2, 3)}) == 1


WHOLE = steps(3 * PIECE // 8 + 5)
IN_ONE = packed({"x": WHOLE}, compress="fast")


@given(st.lists(st.integers(0, len(WHOLE)) | st.sampled_from([PIECE // 8 - 16, PIECE // 4]), max_size=9))
def test_the_bytes_do_not_depend_on_how_the_data_came(cuts: list[int]) -> None:
    places = [0, *sorted(cuts), len(WHOLE)]
    blocks = [WHOLE[begin:end] for begin, end in itertools.pairwise(places)]
    assert written([Member("x", WHOLE.dtype, WHOLE.shape, iter(blocks))], compress="fast") == IN_ONE


def test_small_is_as_small_as_numpy_makes_it() -> None:
    x = np.zeros((800, 85, 5))
    x[:, :40] = np.random.default_rng(0).normal(size=(800, 40, 5)).round(2)
    numpys = io.BytesIO()
    np.savez_compressed(numpys, x=x)
    small, fast = (len(packed({"x": x}, compress=how)) for how in ("small", "fast"))
    assert small < len(numpys.getvalue()) * 1.005
    assert small < fast < len(numpys.getvalue()) * 1.3


def test_random_bytes_grow_by_less_than_is_allowed_for() -> None:
    array = np.frombuffer(np.random.default_rng(0).bytes(3 * PIECE), np.uint8)
    for compress in ("fast", "small"):
        assert len(packed({"x": array}, compress=compress)) < 3 * PIECE * (1 + 1 / 256)


@BOTH_ROADS
def test_deflated_members_near_4_gb_have_wide_fields(seekable: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(zip_writer, "_ZIP64_AT", 8128 + 20)  # y is below it, but might grow beyond it
    data = packed({"y": np.zeros(1000)}, seekable=seekable, compress="fast")
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        small = archive.infolist()[0].compress_size
    wide = struct.pack("<HHQQ", 1, 16, 8128, small)
    assert data.count(wide) == (2 if seekable else 1)  # in front of it only where one can go back
    assert (b"PK\x07\x08" in data) == (not seekable)
    if not seekable:
        crc = zlib.crc32(npy_header(Member.of("y", np.zeros(1000))) + bytes(8000))
        assert struct.pack("<4sLQQ", b"PK\x07\x08", crc, small, 8128) in data
