import io
import struct
import zipfile
from collections.abc import Iterable
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as npst

from seqtool import zipped
from seqtool.errors import DataError
from seqtool.zipped import Member, ZipReader, ZipWriter, npy_header, open_npy, write_array
from tests import oracles

BOTH_ROADS = pytest.mark.parametrize("seekable", [True, False], ids=["seekable", "pipe"])
NAMES = ["x", "lengths", "values", "offsets", "keys", "features", "y", "file", "meta"]


class Pipe(io.RawIOBase):
    """Takes bytes and nothing else, as a pipe does."""

    def __init__(self) -> None:
        self.taken = bytearray()

    def writable(self) -> bool:
        return True

    def write(self, data: Any) -> int:
        self.taken += bytes(data)
        return len(data)


def packed(arrays: dict[str, Any], *, seekable: bool = True) -> bytes:
    file: Any = io.BytesIO() if seekable else Pipe()
    with ZipWriter(file, seekable=seekable) as archive:
        for name, array in arrays.items():
            archive.add(Member.of(name, array))
    return bytes(file.getvalue() if seekable else file.taken)


def unpacked(path: Path, data: bytes) -> dict[str, Any]:
    path.write_bytes(data)
    with ZipReader(path, path.name) as archive:
        return {name: archive.read(name) for name in archive.names}


def spelled(arrays: Any) -> dict[str, Any]:
    return {name: (arrays[name].dtype, arrays[name].shape, oracles.told(arrays[name])) for name in arrays}


shapes = npst.array_shapes(min_dims=0, max_dims=3, min_side=0, max_side=4)
some_arrays = st.dictionaries(
    st.sampled_from(NAMES),
    st.sampled_from(oracles.NUMBERS).flatmap(lambda dtype: npst.arrays(dtype, shapes))
    | shapes.flatmap(oracles.texts),
    min_size=1,
    max_size=4,
)


@BOTH_ROADS
@given(arrays=some_arrays)
def test_arrays_come_back_as_they_went(seekable: bool, scratch: Path, arrays: dict[str, Any]) -> None:
    path = scratch / "arrays.npz"
    data = packed(arrays, seekable=seekable)
    assert data == packed(arrays, seekable=seekable)
    assert spelled(unpacked(path, data)) == spelled(arrays)
    with np.load(path) as loaded:
        assert spelled(loaded) == spelled(arrays)
    with zipfile.ZipFile(path) as archive:
        assert archive.testzip() is None
        assert archive.namelist() == [f"{name}.npy" for name in arrays]


@BOTH_ROADS
@given(arrays=some_arrays, at=st.sampled_from([0, 1, 150, 250, 700]))
def test_large_files_use_zip64(seekable: bool, scratch: Path, arrays: dict[str, Any], at: int) -> None:
    path = scratch / "zip64.npz"
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(zipped, "_ZIP64_AT", at)
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
    monkeypatch.setattr(zipped, "_ZIP64_AT", 1000)
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
@given(arrays=some_arrays, at=st.sampled_from([zipped._ZIP64_AT, 0]))
def test_data_starts_at_a_multiple_of_64(seekable: bool, arrays: dict[str, Any], at: int) -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(zipped, "_ZIP64_AT", at)
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


def test_nothing_at_all_is_a_whole_file(tmp_path: Path) -> None:
    assert unpacked(tmp_path / "none.npz", packed({})) == {}


@given(st.sampled_from(oracles.NUMBERS).flatmap(lambda dtype: npst.arrays(dtype, shapes)))
def test_an_npy_is_what_numpy_writes_and_opens(scratch: Path, array: Any) -> None:
    ours, numpys = io.BytesIO(), io.BytesIO()
    write_array(ours, Member.of("x", array))
    np.save(numpys, array)
    assert ours.getvalue() == numpys.getvalue()
    path = scratch / "x.npy"
    path.write_bytes(ours.getvalue())
    assert spelled({"x": open_npy(path, "x.npy")}) == spelled({"x": array})


@pytest.mark.parametrize(
    "change", [np.asfortranarray, np.transpose, lambda x: x[::-1, ::2], lambda x: x.astype(">i4")]
)
def test_order_strides_and_byte_order_do_not_matter(change: Any, tmp_path: Path) -> None:
    array = change(np.arange(12, dtype=np.int32).reshape(3, 4))
    native = array.astype(np.int32)
    read = unpacked(tmp_path / "x.npz", packed({"x": array}))["x"]
    assert spelled({"x": read}) == spelled({"x": native})
    np.savez(tmp_path / "numpy.npz", x=array)
    assert spelled(unpacked(tmp_path / "n.npz", (tmp_path / "numpy.npz").read_bytes())) == spelled(
        {"x": native}
    )
    np.save(tmp_path / "x.npy", array)
    assert spelled({"x": open_npy(tmp_path / "x.npy", "x.npy")}) == spelled({"x": native})


def test_an_npy_is_mapped_and_not_writable(tmp_path: Path) -> None:
    np.save(tmp_path / "x.npy", np.arange(5))
    array = open_npy(tmp_path / "x.npy", "x.npy")
    assert type(array) is np.ndarray
    assert not array.flags.writeable


def test_numpys_compressed_files_are_read(tmp_path: Path) -> None:
    arrays = {"x": np.arange(100_000) % 7, "y": np.array(["a", "bc"])}
    np.savez_compressed(tmp_path / "c.npz", **arrays)
    assert spelled(unpacked(tmp_path / "d.npz", (tmp_path / "c.npz").read_bytes())) == spelled(arrays)


def test_pieces_of_a_member_may_have_any_size() -> None:
    whole = np.arange(12.0).reshape(6, 2)
    cut = Member("x", whole.dtype, whole.shape, [whole[:1], whole[1:1], whole[1:6]])
    assert written([cut]) == packed({"x": whole})


@pytest.mark.parametrize("blocks", [[], [np.zeros(1)], [np.zeros(3)], [np.zeros(2, dtype=np.float32)]])
def test_a_member_that_does_not_come_as_announced_is_a_bug_that_shows(blocks: list[Any]) -> None:
    with pytest.raises(AssertionError, match=r"x: .* bytes came, 16 were announced"):
        written([Member("x", np.dtype("float64"), (2,), blocks)])


def written(members: Iterable[Member]) -> bytes:
    file = io.BytesIO()
    with ZipWriter(file, seekable=True) as archive:
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


# Damage.


def small_file() -> tuple[bytes, dict[str, Any]]:
    arrays = {"x": np.array([[1, 2], [3, 4]], dtype=np.int8), "keys": np.array(["a", "bc"])}
    return packed(arrays), spelled(arrays)


def loaded_or_refused(path: Path, data: bytes) -> dict[str, Any] | None:
    try:
        return spelled(unpacked(path, data))
    except DataError:
        return None


@BOTH_ROADS
def test_every_flipped_bit_is_found_or_harmless(seekable: bool, tmp_path: Path) -> None:
    arrays = {"x": np.array([[1, 2], [3, 4]], dtype=np.int8), "keys": np.array(["a", "bc"])}
    data, expected, missed = packed(arrays, seekable=seekable), spelled(arrays), []
    for place in range(8 * len(data)):
        found = loaded_or_refused(tmp_path / "flipped.npz", flipped(data, place))
        # What the container cannot know is which names there should be: `npz.load` does.
        if found is not None and any(found[name] != expected.get(name, found[name]) for name in found):
            missed.append(place)
    assert missed == []


def test_every_shortened_file_is_refused(tmp_path: Path) -> None:
    data, _ = small_file()
    assert [
        n for n in range(len(data)) if loaded_or_refused(tmp_path / "short.npz", data[:n]) is not None
    ] == []


def flipped(data: bytes, place: int) -> bytes:
    changed = bytearray(data)
    changed[place // 8] ^= 1 << place % 8
    return bytes(changed)


def test_every_flipped_bit_in_the_header_of_an_npy_is_refused_or_read(tmp_path: Path) -> None:
    file = io.BytesIO()
    np.save(file, np.arange(3, dtype=np.int16))
    for place in range(8 * 128):
        (tmp_path / "x.npy").write_bytes(flipped(file.getvalue(), place))
        try:
            array = open_npy(tmp_path / "x.npy", "x.npy")
        except DataError:
            continue
        assert array.nbytes == 6


def test_every_shortened_npy_is_refused(tmp_path: Path) -> None:
    file = io.BytesIO()
    np.save(file, np.arange(3, dtype=np.int16))
    for size in range(len(file.getvalue())):
        (tmp_path / "x.npy").write_bytes(file.getvalue()[:size])
        with pytest.raises(DataError, match=r"^x\.npy: "):
            open_npy(tmp_path / "x.npy", "x.npy")


def test_bytes_after_an_npy_are_refused(tmp_path: Path) -> None:
    np.save(tmp_path / "x.npy", np.arange(3))
    with (tmp_path / "x.npy").open("ab") as file:
        file.write(b"\0")
    with pytest.raises(DataError, match="24 bytes, but 25 follow"):
        open_npy(tmp_path / "x.npy", "x.npy")


def test_bytes_after_an_array_in_a_zip_are_refused(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"^z\.npz\[x\]: .*24 bytes, but 25 follow"):
        unpacked(tmp_path / "z.npz", zip_of({"x.npy": npy(np.arange(3)) + b"\0"}))


def npy(array: Any) -> bytes:
    file = io.BytesIO()
    np.save(file, array, allow_pickle=True)
    return file.getvalue()


def npy_of(description: str, data: bytes = b"") -> bytes:
    """An `.npy` with a header of one's own making."""
    header = description.encode("latin1").ljust(117) + b"\n"
    return b"\x93NUMPY\x01\x00" + struct.pack("<H", len(header)) + header + data


def zip_of(members: dict[str, bytes], compression: int = zipfile.ZIP_STORED) -> bytes:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", compression) as archive:
        for name, data in members.items():
            archive.writestr(name, data)
    return file.getvalue()


STRUCTURED = np.zeros(2, dtype=[("time", "f8"), ("key", "i4")])
REFUSED = {
    "objects": (npy(np.array([1, "a", None], dtype=object)), "an object array, which only a pickle can hold"),
    "objects in a structure": (npy(np.zeros(2, dtype=[("a", "O")])), "object"),
    "a structure": (npy(STRUCTURED), "a structured array with fields time, key"),
    "complex numbers": (
        npy(np.zeros(2, dtype=complex)),
        "an array of complex128; integers, floats or booleans",
    ),
    "dates": (npy(np.zeros(2, dtype="M8[s]")), "an array of datetime64"),
    "bytes": (npy(np.array([b"a"])), "an array of"),
    "petabytes": (
        npy_of("{'descr': '<f8', 'fortran_order': False, 'shape': (1000000000000000,), }"),
        "8,000,000,000,000,000 bytes, but 0 follow",
    ),
    "more dimensions than numpy has": (
        npy_of(f"{{'descr': '|i1', 'fortran_order': False, 'shape': {(1,) * 65}, }}", b"\0"),
        "",
    ),
    "two negative dimensions": (
        npy_of("{'descr': '|i1', 'fortran_order': False, 'shape': (-2, -3), }", b"\0" * 6),
        "",
    ),
    "a dimension past 64 bits": (
        npy_of(f"{{'descr': '|i1', 'fortran_order': False, 'shape': ({2**70}, 0), }}"),
        "",
    ),
    "text of no width": (npy_of("{'descr': '<U0', 'fortran_order': False, 'shape': (3,), }"), ""),
    "a bracket that never closes": (
        npy_of("{'descr': '<f8', 'fortran_order': False, 'shape': (3,, }", b"\0" * 24),
        "",
    ),
    "a header that is no dict": (npy_of("[1, 2]"), "header of the array is damaged"),
    "a header without a shape": (
        npy_of("{'descr': '<f8', 'fortran_order': False}"),
        "header of the array is damaged",
    ),
    "a dtype that is none": (
        npy_of("{'descr': 'zzz', 'fortran_order': False, 'shape': (), }"),
        "header of the array",
    ),
    "a version that is none": (b"\x93NUMPY\x09\x00" + npy(np.zeros(1))[8:], ""),
    "no npy at all": (b"k,a,b\n1,2,3\n", "header of the array is damaged"),
    "nothing": (b"", "header of the array is damaged"),
}


@pytest.mark.parametrize("case", REFUSED)
def test_an_npy_of_the_wrong_kind_is_refused(case: str, tmp_path: Path) -> None:
    data, message = REFUSED[case]
    (tmp_path / "x.npy").write_bytes(data)
    with pytest.raises(DataError, match=rf"^x\.npy: .*{message}"):
        open_npy(tmp_path / "x.npy", "x.npy")


@pytest.mark.parametrize("case", REFUSED)
def test_an_array_of_the_wrong_kind_in_a_zip_is_refused(case: str, tmp_path: Path) -> None:
    data, message = REFUSED[case]
    with pytest.raises(DataError, match=rf"^z\.npz\[x\]: .*{message}"):
        unpacked(tmp_path / "z.npz", zip_of({"x.npy": data}))


def test_a_header_that_python_2_wrote_is_read_without_a_word(tmp_path: Path) -> None:
    (tmp_path / "x.npy").write_bytes(
        npy_of("{'descr': '<f8', 'fortran_order': False, 'shape': (3L,), }", b"\0" * 24)
    )
    assert open_npy(tmp_path / "x.npy", "x.npy").tolist() == [0, 0, 0]


@pytest.mark.parametrize("shape", [(), (0,), (3, 0), (0, 3), (0, 0, 0)])
def test_an_npy_without_numbers_is_opened(shape: tuple[int, ...], tmp_path: Path) -> None:
    np.save(tmp_path / "x.npy", np.zeros(shape))
    assert open_npy(tmp_path / "x.npy", "x.npy").shape == shape


@pytest.mark.parametrize(
    "data", [b"", b"PK", b"k,a,b\n1,2,3\n", npy(np.zeros(3)), b"PK\x05\x06" + b"\xff" * 18]
)
def test_what_is_no_zip_is_refused(data: bytes, tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"^z\.npz: not a whole \.npz file"):
        unpacked(tmp_path / "z.npz", data)


@pytest.mark.parametrize("compression", [zipfile.ZIP_DEFLATED, zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA])
def test_damage_in_other_compressions_is_refused(compression: int, tmp_path: Path) -> None:
    arrays = {"x": np.arange(1000) ** 2 % 1001}
    data = zip_of({"x.npy": npy(arrays["x"])}, compression)
    found = [
        loaded_or_refused(tmp_path / "z.npz", flipped(data, place))
        for place in range(8 * data.index(b"x.npy"), 8 * data.index(b"PK\x01\x02"), 19)
    ]
    assert found.count(None) > len(found) * 0.9
    assert all(arrays_found in (None, spelled(arrays)) for arrays_found in found)


def test_an_encrypted_member_is_refused(tmp_path: Path) -> None:
    data = bytearray(zip_of({"x.npy": npy(np.zeros(3))}))
    data[6] |= 1
    data[data.index(b"PK\x01\x02") + 8] |= 1
    with pytest.raises(DataError, match=r"z\.npz\[x\]: cannot be read"):
        unpacked(tmp_path / "z.npz", bytes(data))


# More than memory can take.


def test_a_zip_that_expands_beyond_memory_is_refused_before_reading(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    data = zip_of({"x.npy": npy(np.zeros(1_000_000))}, zipfile.ZIP_DEFLATED)
    assert len(data) < 50_000
    monkeypatch.setattr(zipped, "budget", lambda: 8_000_127)
    with pytest.raises(DataError, match=r"^z\.npz: its arrays take 8\.0 MB, but memory allows 8\.0 MB"):
        unpacked(tmp_path / "z.npz", data)
    monkeypatch.setattr(zipped, "budget", lambda: 8_000_128)
    assert unpacked(tmp_path / "z.npz", data)["x"].shape == (1_000_000,)


def test_a_zip_that_lies_about_its_size_reads_no_more_than_it_says(tmp_path: Path) -> None:
    data = bytearray(zip_of({"x.npy": npy(np.zeros(1_000_000))}, zipfile.ZIP_DEFLATED))
    entry = data.index(b"PK\x01\x02")
    struct.pack_into("<L", data, entry + 24, 1000)
    with pytest.raises(DataError, match=r"^z\.npz\[x\]: "):
        unpacked(tmp_path / "z.npz", bytes(data))


def test_the_header_of_a_member_is_read_without_its_data(tmp_path: Path) -> None:
    (tmp_path / "z.npz").write_bytes(packed({"x": np.zeros((3, 4), dtype=np.float32)}))
    with ZipReader(tmp_path / "z.npz", "z.npz") as archive:
        assert archive.names == ["x"]
        assert archive.header("x") == ((3, 4), np.dtype("float32"))


def test_a_crc_that_does_not_match_is_told(tmp_path: Path) -> None:
    data = packed({"x": np.arange(100_000)})
    with pytest.raises(DataError, match=r"^z\.npz\[x\]: damaged \(Bad CRC-32"):
        unpacked(tmp_path / "z.npz", flipped(data, 8 * 500_000))


def test_a_file_object_is_all_that_the_writer_needs(tmp_path: Path) -> None:
    file: BinaryIO
    with (tmp_path / "x.npz").open("wb") as file, ZipWriter(file, seekable=True) as archive:
        archive.add(Member.of("x", np.arange(3)))
    with np.load(tmp_path / "x.npz") as loaded:
        assert loaded["x"].tolist() == [0, 1, 2]
