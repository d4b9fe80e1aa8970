"""Arrays that are not what they say, or are cut while they are read: invented NaNs, zeros, keys that are no text."""

from __future__ import annotations

import io
import os
import struct
import zipfile
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

import seqtool as st
from seqtool.arrays.lazy import chunks
from seqtool.errors import DataError
from seqtool.files import strided
from seqtool.files.npy import open_npy
from tests.command import Place, succeeded


@pytest.fixture
def place(tmp_path: Path) -> Place:
    return Place(tmp_path)


def npz(**arrays: Any) -> bytes:
    """An archive with right checksums, whatever its arrays hold."""
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as archive:
        for name, array in arrays.items():
            data = io.BytesIO()
            np.save(data, array)
            archive.writestr(f"{name}.npy", data.getvalue())
    return file.getvalue()


@pytest.mark.parametrize("stream", [False, True], ids=["file", "stream"])
def test_a_bitmap_of_no_bytes_is_no_missing_value(stream: bool, place: Place) -> None:
    """Rows without a bit of validity read whatever else is in memory: they became NaN."""
    table = pa.table({"id": [1, 1, 2, 2], "v": [1.5, None, 2.5, 3.5]})
    sink = pa.BufferOutputStream()
    with (pa.ipc.new_stream if stream else pa.ipc.new_file)(sink, table.schema) as writer:
        writer.write_table(table)
    data = sink.getvalue().to_pybytes()
    one_byte, none = (struct.pack("<qq", 32, size) for size in (1, 0))
    assert data.count(one_byte) == 1
    place.write("t.arrow", data)
    succeeded(place.run("group", "t.arrow", "--key", "id"))
    place.write("t.arrow", data.replace(one_byte, none))
    done = place.run("group", "t.arrow", "--key", "id", "-o", "out.npz")
    assert (done.code, (place.folder / "out.npz").exists()) == (1, False)
    assert "column 'v'" in done.err


def test_arrow_data_in_memory_is_validated_too() -> None:
    offsets, text = pa.py_buffer(np.array([0, 1 << 20, 4], np.int32)), pa.py_buffer(b"abcd")
    keys = pa.StringArray.from_buffers(2, offsets, text)
    with pytest.raises(DataError, match=r"^the pyarrow\.Table: cannot be read"):
        st.group(pa.Table.from_arrays([keys, pa.array([1, 2])], ["key", "v"]), key="key")
    lists = pa.ListArray.from_arrays(pa.array([0, 100, 2], pa.int32()), pa.array([1, 2]))
    with pytest.raises(DataError, match="cannot be read"):
        st.pad(lists)


def test_parquet_keys_that_are_not_utf8(place: Place) -> None:
    keys = pa.array([b"k\xe9", b"b"]).view(pa.string())
    pq.write_table(pa.table({"key": keys, "v": [1, 2]}), place.folder / "t.parquet")
    done = place.run("group", "t.parquet", "--key", "key")
    assert (done.code, "UTF8" in done.err, "column 'key'" in done.err) == (1, True, True)


# Arrays in Fortran order, whose file is cut meanwhile


@pytest.mark.parametrize("shape", [(6000, 50), (40, 3000, 3), (7, 90_000)])
@pytest.mark.parametrize("to", [0.0, 0.5, 0.999_999])
def test_a_fortran_array_that_is_cut_while_it_is_read(
    shape: tuple[int, ...], to: float, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Mapped, the rest of its last page was zeros, and what lay behind it ended the process."""
    monkeypatch.setattr(strided, "_CACHE_BYTES", 1 << 10)
    path = tmp_path / "f.npy"
    np.save(path, np.asfortranarray(np.arange(np.prod(shape), dtype=float).reshape(shape)))
    parts = chunks(open_npy(path, "f.npy"), 1 << 14)
    next(parts)
    os.truncate(path, int(path.stat().st_size * to))
    with pytest.raises(DataError, match=r"^f\.npy: ends early; it was cut short while it was being read"):
        list(parts)


@pytest.mark.parametrize("span", [1 << 21, 100])
@pytest.mark.parametrize("gap", [1 << 14, 0])
@pytest.mark.parametrize("ahead", [1 << 24, 64, 0])
def test_fortran_arrays_read_in_any_pieces(
    span: int, gap: int, ahead: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, size in {"_SPAN": span, "_GAP": gap, "_CACHE_BYTES": ahead}.items():
        monkeypatch.setattr(strided, name, size)
    array = np.arange(9 * 5 * 4 * 2).reshape(9, 5, 4, 2)
    np.save(tmp_path / "f.npy", np.asfortranarray(array))
    lazy = open_npy(tmp_path / "f.npy", "f.npy")
    for begin, end in [(0, 1), (1, 4), (4, 9), (0, 9), (3, 5), (2, 2), (8, 9)]:
        part = lazy[begin:end]
        assert (part == array[begin:end]).all()
        part[:] = -1  # it is the caller's own
    flat = lazy.reshaped(array.size)
    for begin, end in [(0, 7), (7, 100), (101, 103), (0, 360)]:
        assert (flat[begin:end] == array.reshape(-1)[begin:end]).all()


# Keys that are no text


def grouped(place: Place, **changed: Any) -> None:
    """A file of ours with text keys as bytes and offsets, some arrays of which are others."""
    st.save(place.folder / "good.npz", st.Ragged(np.arange(3), np.array([0, 1, 3])))
    arrays = {
        **place.arrays("good.npz"),
        "keys": np.frombuffer(b"ab\xc3\xa9", np.uint8),
        "keys_offsets": np.array([0, 2, 4]),
        "keys_shape": np.array([2]),
    }
    place.write("t.npz", npz(**(arrays | changed)))


CHANGED: dict[str, dict[str, Any]] = {
    "keys holds bytes that are not UTF-8": {"keys": np.frombuffer(b"ab\xe9\xe9", np.uint8)},
    "keys_offsets cuts a character of keys in two": {"keys_offsets": np.array([0, 3, 4])},
}


@pytest.mark.parametrize("message", CHANGED)
def test_key_bytes_that_are_no_text_are_refused(message: str, place: Place) -> None:
    """`pad` copied them, and the file that it wrote could not be read."""
    grouped(place)
    succeeded(place.run("pad", "t.npz"))
    assert place.arrays("t.pad.npz")["keys"].tobytes() == b"ab\xc3\xa9"
    grouped(place, **CHANGED[message])
    for command in (["pad"], ["pad", "--ragged"], ["truncate", "--maxlen", "1"]):
        done = place.run(*command, "t.npz", "-o", "out.npz")
        assert (done.code, message in done.err) == (1, True), done.err
    assert not (place.folder / "out.npz").exists()
    assert message in place.run("check", "t.npz").out.decode()


@pytest.mark.parametrize("point", [0xD800, 0x110000])
@pytest.mark.parametrize("name", ["keys", "split", "y"])
def test_fixed_width_text_that_is_no_text_is_refused(point: int, name: str, place: Place) -> None:
    cells = np.array([[97, 0], [97, point]], np.uint32).view("U2").reshape(2)
    place.write("t.npz", npz(x=np.ones((2, 3)), **{name: cells}))
    done = place.run("pad", "t.npz", "-o", "out.npz")
    message = f"{name}[1] holds code points that are not text"
    assert (done.code, message in done.err) == (1 if name != "split" else 0, True), done.err
    st.save(place.folder / "good.npz", st.Ragged(np.arange(3), np.array([0, 1, 3])))
    place.write("t.npz", npz(**place.arrays("good.npz"), **{name: cells}))
    done = place.run("pad", "t.npz", "-o", "ours.npz")
    assert (done.code, message in done.err) == (1, True), done.err
