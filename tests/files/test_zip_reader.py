import io
import struct
import subprocess
import sys
import zipfile
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as npst

from seqtool.arrays.spool import Spool
from seqtool.errors import DataError
from seqtool.files import inflate, stored, strided
from seqtool.files.deflate import Compress
from seqtool.files.inflate import Stream
from seqtool.files.npy import open_npy
from seqtool.files.zip_reader import ZipReader
from seqtool.files.zip_writer import Member, ZipWriter, write_array
from tests import oracles
from tests.hunting import some
from tests.written import rewrite

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


def packed(
    arrays: dict[str, Any],
    *,
    seekable: bool = True,
    compress: Compress | None = None,
    threads: int | None = None,
) -> bytes:
    file: Any = io.BytesIO() if seekable else Pipe()
    with ZipWriter(file, seekable=seekable, compress=compress, threads=threads) as archive:
        for name, array in arrays.items():
            archive.add(Member.of(name, array))
    return bytes(file.getvalue() if seekable else file.taken)


def unpacked(path: Path, data: bytes) -> dict[str, Any]:
    rewrite(path, data)
    with ZipReader(path, path.name) as archive:
        return {name: archive.read(name) for name in archive.names}


def spelled(arrays: Any) -> dict[str, Any]:
    return {name: (arrays[name].dtype, arrays[name].shape, oracles.text_of(arrays[name])) for name in arrays}


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


def test_nothing_at_all_is_a_whole_file(tmp_path: Path) -> None:
    assert unpacked(tmp_path / "none.npz", packed({})) == {}


@given(st.sampled_from(oracles.NUMBERS).flatmap(lambda dtype: npst.arrays(dtype, shapes)))
def test_an_npy_is_what_numpy_writes_and_opens(scratch: Path, array: Any) -> None:
    ours, numpys = io.BytesIO(), io.BytesIO()
    write_array(ours, Member.of("x", array))
    np.save(numpys, array)
    assert ours.getvalue() == numpys.getvalue()
    path = scratch / "x.npy"
    rewrite(path, ours.getvalue())
    assert spelled({"x": np.asarray(open_npy(path, "x.npy"))}) == spelled({"x": array})


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
    assert spelled({"x": np.asarray(open_npy(tmp_path / "x.npy", "x.npy"))}) == spelled({"x": native})


def test_numpys_compressed_files_are_read(tmp_path: Path) -> None:
    arrays = {"x": np.arange(100_000) % 7, "y": np.array(["a", "bc"])}
    np.savez_compressed(tmp_path / "c.npz", **arrays)
    assert spelled(unpacked(tmp_path / "d.npz", (tmp_path / "c.npz").read_bytes())) == spelled(arrays)


# Damage.


def small_file() -> tuple[bytes, dict[str, Any]]:
    arrays = {"x": np.array([[1, 2], [3, 4]], dtype=np.int8), "keys": np.array(["a", "bc"])}
    return packed(arrays), spelled(arrays)


def loaded_or_refused(path: Path, data: bytes) -> dict[str, Any] | None:
    try:
        return spelled(unpacked(path, data))
    except DataError:
        return None


@pytest.mark.hunt
@BOTH_ROADS
def test_every_flipped_bit_is_found_or_harmless(seekable: bool, tmp_path: Path) -> None:
    arrays = {"x": np.array([[1, 2], [3, 4]], dtype=np.int8), "keys": np.array(["a", "bc"])}
    data, expected, missed = packed(arrays, seekable=seekable), spelled(arrays), []
    for place in some(range(8 * len(data))):
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


@pytest.mark.hunt
def test_every_flipped_bit_in_the_header_of_an_npy_is_refused_or_read(tmp_path: Path) -> None:
    file = io.BytesIO()
    np.save(file, np.arange(3, dtype=np.int16))
    for place in some(range(8 * 128)):
        rewrite(tmp_path / "x.npy", flipped(file.getvalue(), place))
        try:
            array = open_npy(tmp_path / "x.npy", "x.npy")
        except DataError:
            continue
        assert array.nbytes == 6


def test_every_shortened_npy_is_refused(tmp_path: Path) -> None:
    file = io.BytesIO()
    np.save(file, np.arange(3, dtype=np.int16))
    for size in range(len(file.getvalue())):
        rewrite(tmp_path / "x.npy", file.getvalue()[:size])
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
    "objects": (npy(np.array([1, "a", None], dtype=object)), "an object array, which is pickled"),
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
    assert np.asarray(open_npy(tmp_path / "x.npy", "x.npy")).tolist() == [0, 0, 0]


@pytest.mark.parametrize("shape", [(), (0,), (3, 0), (0, 3), (0, 0, 0)])
def test_an_npy_without_numbers_is_opened(shape: tuple[int, ...], tmp_path: Path) -> None:
    np.save(tmp_path / "x.npy", np.zeros(shape))
    array = open_npy(tmp_path / "x.npy", "x.npy")
    assert array.shape == np.asarray(array).shape == shape


@pytest.mark.parametrize(
    "data", [b"", b"PK", b"k,a,b\n1,2,3\n", npy(np.zeros(3)), b"PK\x05\x06" + b"\xff" * 18]
)
def test_what_is_no_zip_is_refused(data: bytes, tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"^z\.npz: not a complete \.npz file"):
        unpacked(tmp_path / "z.npz", data)


@pytest.mark.parametrize("compression", [zipfile.ZIP_DEFLATED, zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA])
def test_damage_in_other_compressions_is_refused(compression: int, tmp_path: Path) -> None:
    arrays = {"x": np.arange(1000) ** 2 % 1001}
    data = zip_of({"x.npy": npy(arrays["x"])}, compression)
    found = [
        loaded_or_refused(tmp_path / "z.npz", flipped(data, place))
        for place in some(range(8 * data.index(b"x.npy"), 8 * data.index(b"PK\x01\x02"), 5))
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
    monkeypatch.setattr(stored, "budget", lambda: 8_000_127)
    with pytest.raises(DataError, match=r"^z\.npz\[x\]: takes 8\.0 MB, but memory allows 8\.0 MB"):
        unpacked(tmp_path / "z.npz", data)
    monkeypatch.setattr(stored, "budget", lambda: 8_000_128)
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


def test_a_crc_that_does_not_match_is_reported(tmp_path: Path) -> None:
    data = packed({"x": np.arange(100_000)})
    with pytest.raises(DataError, match=r"^z\.npz\[x\]: damaged \(Bad CRC-32"):
        unpacked(tmp_path / "z.npz", flipped(data, 8 * 500_000))


# Windows.

HOW: dict[str, Any] = {
    "stored": lambda array: zip_of({"x.npy": npy(array)}),
    "deflated": lambda array: zip_of({"x.npy": npy(array)}, zipfile.ZIP_DEFLATED),
    "bzip2": lambda array: zip_of({"x.npy": npy(array)}, zipfile.ZIP_BZIP2),
    "ours": lambda array: packed({"x": array}),
    "ours, fast": lambda array: packed({"x": array}, compress="fast"),
    "ours, to a pipe": lambda array: packed({"x": array}, seekable=False),
}
ORDERS: dict[str, Any] = {
    "C": np.ascontiguousarray,
    "Fortran": np.asfortranarray,
    "big-endian": lambda array: array.astype(array.dtype.newbyteorder(">")),
    "big-endian Fortran": lambda array: np.asfortranarray(array.astype(array.dtype.newbyteorder(">"))),
}
IN_EACH_ORDER = pytest.mark.parametrize("order", ORDERS)
some_windows = st.lists(st.tuples(st.integers(0, 60), st.integers(0, 60)), max_size=6)


@pytest.mark.thinned
@IN_EACH_ORDER
@pytest.mark.parametrize("how", [*HOW, "npy"])
@given(
    shape=st.sampled_from([(40,), (40, 3), (7, 5, 3), (1, 9, 2), (5, 1, 1), (3, 0), (0, 2), (2, 3, 2, 5)]),
    dtype=st.sampled_from(["float64", "int16", "bool", "U3"]),
    windows=some_windows,
    flat=st.booleans(),
    span=st.sampled_from([1 << 20, 64, 12]),
)
def test_windows_are_parts_of_what_numpy_loads(
    how: str,
    order: str,
    scratch: Path,
    shape: tuple[int, ...],
    dtype: str,
    windows: list[tuple[int, int]],
    flat: bool,
    span: int,
) -> None:
    array = ORDERS[order]((np.arange(np.prod(shape)) % 251).reshape(shape).astype(dtype))
    path = scratch / f"{how}.{order}.npz"
    rewrite(path, npy(array) if how == "npy" else HOW[how](array))
    expected = np.load(path) if how == "npy" else np.load(path)["x"]
    expected = expected.astype(expected.dtype.newbyteorder("="))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(strided, "_SPAN", span)
        patch.setattr(inflate, "_KEPT", span)
        lazy = open_npy(path, "x") if how == "npy" else window_of(path)
        assert (lazy.shape, lazy.dtype) == (expected.shape, expected.dtype)
        if flat:
            lazy, expected = lazy.reshaped(expected.size), expected.reshape(-1)
        for begin, end in windows:
            part = lazy[begin:end]
            assert spelled({"x": part}) == spelled({"x": expected[begin:end]})
            assert part.flags.writeable
            assert part.flags.c_contiguous
            part.fill(0)
        assert spelled({"x": np.asarray(lazy)}) == spelled({"x": expected})


def window_of(path: Path, member: str = "x") -> Any:
    with ZipReader(path, path.name) as archive:
        lazy = archive.window(member)
        if path.name.startswith("bzip2") or "Fortran" in path.name:
            np.asarray(lazy)  # what is read whole is read while the archive is open
        return lazy


@pytest.mark.parametrize("how", HOW)
def test_an_array_without_dimensions_has_one_cell(how: str, tmp_path: Path) -> None:
    (tmp_path / "x.npz").write_bytes(HOW[how](np.array("text")))
    with ZipReader(tmp_path / "x.npz", "x.npz") as archive:
        array = np.asarray(archive.window("x"))
        assert (array.shape, str(array)) == ((), "text")
        assert archive.window("x").reshaped(1)[:1].tolist() == ["text"]


@pytest.mark.parametrize("compress", [None, "fast"])
def test_windows_outlive_the_archive(compress: Compress | None, tmp_path: Path) -> None:
    (tmp_path / "x.npz").write_bytes(packed({"x": np.arange(9)}, compress=compress))
    lazy = window_of(tmp_path / "x.npz")
    assert lazy[3:5].tolist() == [3, 4]


def test_windows_far_apart_of_a_large_deflated_array(tmp_path: Path) -> None:
    array = np.arange(700_000, dtype=np.int32).reshape(-1, 7)
    (tmp_path / "x.npz").write_bytes(packed({"x": array}, compress="small"))
    lazy = window_of(tmp_path / "x.npz")
    for begin, end in [(0, 5), (50_000, 50_003), (50_003, 100_000), (1, 2), (99_999, 100_000), (0, 100_000)]:
        assert np.array_equal(lazy[begin:end], array[begin:end])


@pytest.mark.parametrize("room", [True, False])
def test_windows_that_overlap_or_follow_no_order_inflate_few_times(
    room: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(inflate, "_KEPT", 4000)
    monkeypatch.setattr(Spool, "has_room", lambda *_: room)
    begun = []
    monkeypatch.setattr(inflate.Inflated, "__init__", _noted(inflate.Inflated.__init__, begun))
    array = np.arange(10_000)
    (tmp_path / "x.npz").write_bytes(packed({"x": array}, compress="fast"))
    lazy = window_of(tmp_path / "x.npz")
    begun.clear()
    for begin in range(0, 9_900, 60):
        assert np.array_equal(lazy[begin : begin + 100], array[begin : begin + 100])
    assert len(begun) == 1
    for begin in range(9_900, 0, -100):
        assert np.array_equal(lazy[begin : begin + 100], array[begin : begin + 100])
    assert (len(begun) == 5) if room else (len(begun) > 90)


def _noted(function: Any, calls: list[Any]) -> Any:
    def noting(*arguments: Any) -> Any:
        calls.append(arguments)
        return function(*arguments)

    return noting


def test_what_is_read_whole_has_to_fit_into_memory(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "z.npz").write_bytes(zip_of({"x.npy": npy(np.zeros((1000, 1000)))}, zipfile.ZIP_DEFLATED))
    monkeypatch.setattr(stored, "budget", lambda: 8_000_000)
    with (
        ZipReader(tmp_path / "z.npz", "z.npz") as archive,
        pytest.raises(DataError, match=r"^z\.npz\[x\]: takes 8\.0 MB, but memory allows 8\.0 MB"),
    ):
        archive.read("x")


@pytest.mark.parametrize("method", [zipfile.ZIP_DEFLATED, zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA])
def test_a_compressed_array_is_read_when_its_archive_is_closed(tmp_path: Path, method: int) -> None:
    array = np.arange(24.0).reshape(2, 3, 4).transpose(2, 1, 0)
    arrays = {"f.npy": npy(np.asfortranarray(array)), "c.npy": npy(np.ascontiguousarray(array))}
    (tmp_path / "z.npz").write_bytes(zip_of(arrays, method))
    with ZipReader(tmp_path / "z.npz", "z.npz") as archive:
        windows = [archive.window(name) for name in ("f", "c")]
    for window in windows:
        assert (window[1:3] == array[1:3]).all()
        assert (window[:] == array).all()


def test_a_damaged_deflated_member_is_reported_each_time_and_from_the_front_again(tmp_path: Path) -> None:
    data = packed({"x": np.arange(300_000)}, compress="fast")
    (tmp_path / "z.npz").write_bytes(flipped(data, 8 * (len(data) - 300)))
    with ZipReader(tmp_path / "z.npz", "z.npz") as archive:
        lazy = archive.window("x")
        for _ in range(2):
            assert lazy[:3].tolist() == [0, 1, 2]
            with pytest.raises(DataError, match=r"^z\.npz\[x\]: damaged \("):
                lazy[1:]


@pytest.mark.parametrize("keep", [0.3, 0.9])
def test_a_file_that_is_cut_short_meanwhile_is_reported(keep: float, tmp_path: Path) -> None:
    for compress in (None, "small"):
        path = tmp_path / "z.npz"
        data = packed({"x": np.random.default_rng(0).normal(size=100_000)}, compress=compress)
        path.write_bytes(data)
        lazy = window_of(path)
        path.write_bytes(data[: int(len(data) * keep)])
        with pytest.raises(DataError, match=r"^z\.npz\[x\]: .*ends early"):
            np.asarray(lazy)


# Mapped.


@IN_EACH_ORDER
def test_a_stored_member_is_mapped(order: str, tmp_path: Path) -> None:
    arrays = {
        "x": np.arange(24.0).reshape(2, 3, 4),
        "y": np.arange(7, dtype=np.int16),
        "no": np.zeros((0, 3)),
    }
    np.savez(tmp_path / "x.npz", **{name: ORDERS[order](array) for name, array in arrays.items()})
    with ZipReader(tmp_path / "x.npz", "x.npz") as archive:
        mapped = {name: archive.map(name) for name in arrays}
    assert spelled(mapped) == spelled(arrays)


@BOTH_ROADS
def test_what_is_mapped_is_aligned_and_not_writable(seekable: bool, tmp_path: Path) -> None:
    arrays = {"y": np.arange(3, dtype=np.int8), "x": np.arange(5.0), "keys": np.array(["a", "bc"])}
    (tmp_path / "x.npz").write_bytes(packed(arrays, seekable=seekable))
    with ZipReader(tmp_path / "x.npz", "x.npz") as archive:
        for name, array in arrays.items():
            mapped = archive.map(name)
            assert type(mapped) is np.ndarray
            assert mapped.ctypes.data % 64 == 0
            assert mapped.flags.aligned
            assert not mapped.flags.writeable
            assert spelled({name: mapped}) == spelled({name: array})


@pytest.mark.parametrize("how", ["deflated", "bzip2", "ours, fast"])
def test_a_compressed_member_cannot_be_mapped(how: str, tmp_path: Path) -> None:
    (tmp_path / "z.npz").write_bytes(HOW[how](np.zeros(9)))
    with (
        ZipReader(tmp_path / "z.npz", "z.npz") as archive,
        pytest.raises(DataError, match=r"^z\.npz\[x\]: compressed, .* np\.load, .* without --compress"),
    ):
        archive.map("x")


# Verified.


def verified(path: Path, data: bytes) -> bool:
    rewrite(path, data)
    try:
        with ZipReader(path, path.name) as archive:
            archive.verify()
    except DataError:
        return False
    return True


@pytest.mark.parametrize("how", HOW)
def test_every_byte_is_verified_once(how: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    found, fill = list[int](), Stream.fill

    def counted(stream: Stream, piece: np.ndarray) -> None:
        found.append(len(piece))
        fill(stream, piece)

    monkeypatch.setattr(Stream, "fill", counted)
    array = np.arange(400_000)
    assert verified(tmp_path / "z.npz", HOW[how](array))
    assert sum(found) == 128 + array.nbytes
    assert len(found) > 3


@pytest.mark.hunt
@pytest.mark.parametrize("how", HOW)
def test_every_flipped_bit_of_the_data_is_found(how: str, tmp_path: Path) -> None:
    array = np.array([[1, 2], [3, 4]], dtype=np.int8)
    data = HOW[how](array)
    begin = 30 + sum(struct.unpack_from("<2H", data, 26))
    end = data.rindex(b"PK\x07\x08") if how == "ours, to a pipe" else data.index(b"PK\x01\x02")
    places = some(range(8 * begin, 8 * end))
    missed = [place for place in places if verified(tmp_path / "z.npz", flipped(data, place))]
    # A last deflate block pads its last byte, and what bzip2 leaves unsaid is not ours to find.
    for place in missed:
        assert how not in ("stored", "ours", "ours, to a pipe")
        assert spelled(unpacked(tmp_path / "z.npz", flipped(data, place))) == spelled({"x": array})
    assert len(missed) < len(places) / 10


@pytest.mark.parametrize("compress", [None, "fast", "small"])
def test_a_flipped_bit_in_the_middle_of_much_is_found(compress: Compress | None, tmp_path: Path) -> None:
    data = packed({"y": np.zeros(3), "x": np.random.default_rng(0).normal(size=400_000)}, compress=compress)
    for place in range(1000, len(data) - 1000, len(data) // 9):
        assert not verified(tmp_path / "z.npz", flipped(data, 8 * place + 3))


def test_strangers_are_verified_too(tmp_path: Path) -> None:
    data = zip_of({"x.npy": npy(np.zeros(1)), "note.txt": b"as it is"})
    assert verified(tmp_path / "z.npz", data)
    assert not verified(tmp_path / "z.npz", data.replace(b"as it is", b"as it ix"))


@pytest.mark.parametrize("compression", [zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED])
@pytest.mark.parametrize("change", [-1, 1])
def test_a_directory_that_lies_about_a_size_is_found(compression: int, change: int, tmp_path: Path) -> None:
    data = bytearray(zip_of({"x.npy": npy(np.arange(100))}, compression))
    entry = data.index(b"PK\x01\x02")
    struct.pack_into("<L", data, entry + 24, 928 + change)
    assert not verified(tmp_path / "z.npz", bytes(data))


# Memory.

WALK = """
import sys
from pathlib import Path
import numpy as np
from seqtool.arrays.lazy import chunks
from seqtool.files.npy import open_npy
from seqtool.files.zip_reader import ZipReader

def peak():
    return int(Path("/proc/self/status").read_text().split("VmHWM:")[1].split()[0]) / 1000

path = Path(sys.argv[1])
before, total = peak(), 0
if path.suffix == ".npy":
    for _, part in chunks(open_npy(path, "x.npy")):
        total += int(part.sum())
else:
    with ZipReader(path, "x.npz") as archive:
        archive.verify()
        for _, part in chunks(archive.window("x")):
            total += int(part.sum())
print(total, peak() - before)
"""


@pytest.mark.slow
@pytest.mark.parametrize("how", ["stored", "deflated", "Fortran", "npy", "Fortran npy", "wide Fortran npy"])
def test_few_windows_of_much_stand_in_memory(how: str, tmp_path: Path) -> None:
    shape = (80, 125_000) if "wide" in how else (100_000, 100)
    array: Any = np.ones(shape, order="F" if "Fortran" in how else "C")
    path = tmp_path / ("x.npy" if how.endswith("npy") else "x.npz")
    if how.endswith("npy"):
        np.save(path, array)
    elif how == "Fortran":
        np.savez(path, x=array)
    else:
        path.write_bytes(packed({"x": array}, compress="fast" if how == "deflated" else None))
    assert array.nbytes == 80_000_000
    del array
    found = subprocess.run(
        [sys.executable, "-c", WALK, str(path)], capture_output=True, text=True, check=True, timeout=120
    )
    total, grown = found.stdout.split()
    assert int(total) == 10_000_000
    assert float(grown) < 40
