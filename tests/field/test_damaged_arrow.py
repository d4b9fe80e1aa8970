"""Arrow files whose offsets or indices lie, or that another process cuts while they are read."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pytest

from seqtool.errors import DataError
from seqtool.files.inputs import opened
from seqtool.tables import arrow_files
from tests.command import Place, succeeded

KEYS = [f"k{i}" for i in range(7)]
LISTS = [[float(i)] * 3 for i in range(7)]


def arrow(columns: dict[str, Any], *, stream: bool = False) -> bytes:
    sink = pa.BufferOutputStream()
    table = pa.table(columns)
    with (pa.ipc.new_stream if stream else pa.ipc.new_file)(sink, table.schema) as writer:
        writer.write_table(table)
    return sink.getvalue().to_pybytes()


def changed(data: bytes, numbers: list[int], dtype: str, at: int, to: int) -> bytes:
    """The file with another number in the place of one of these, which stand in it one behind the other."""
    old, new = np.array(numbers, dtype), np.array(numbers, dtype)
    new[at] = to
    assert data.count(old.tobytes()) == 1
    return data.replace(old.tobytes(), new.tobytes())


OFFSETS = [0, 2, 4, 6, 8, 10, 12, 14]
INDICES = [0, 1, 2, 3, 4, 5, 6]
WRONG: dict[str, tuple[Any, list[int], str, int, int]] = {
    "an offset that falls": (pa.array(KEYS), OFFSETS, "<i4", 3, 1),
    "an offset below zero": (pa.array(KEYS), OFFSETS, "<i4", 3, -5),
    "an offset past the data": (pa.array(KEYS), OFFSETS, "<i4", 7, 1 << 30),
    "a large offset past the data": (pa.array(KEYS, pa.large_string()), OFFSETS, "<i8", 7, 1 << 40),
    "an index past the dictionary": (pa.array(KEYS).dictionary_encode(), INDICES, "<i4", 5, 1 << 30),
    "an offset within the dictionary": (pa.array(KEYS).dictionary_encode(), OFFSETS, "<i4", 7, 1 << 30),
}


@pytest.mark.thinned
@pytest.mark.parametrize("stream", [False, True], ids=["file", "stream"])
@pytest.mark.parametrize("wrong", WRONG)
def test_offsets_that_lie_are_an_error_that_names_the_column(wrong: str, stream: bool, place: Place) -> None:
    column, numbers, dtype, at, to = WRONG[wrong]
    data = arrow({"key": column, "v": np.arange(7.5, 14)}, stream=stream)
    place.write("good.arrow", data)
    succeeded(place.run("group", "good.arrow", "--key", "key"))
    place.write("t.arrow", changed(data, numbers, dtype, at, to))
    before = place.files()
    done = place.run("group", "t.arrow", "--key", "key", "-o", "out.npz")
    assert done.code == 1
    assert done.err.startswith("seqtool: error: t.arrow: damaged, or not a complete arrow")
    assert "dictionary" in wrong or "column 'key'" in done.err
    assert (place.files(), place.left_behind()) == (before, [])


@pytest.mark.parametrize("command", ["pad", "plan"])
def test_lists_whose_offsets_lie(command: str, place: Place) -> None:
    place.write("t.arrow", changed(arrow({"v": LISTS}), [0, 3, 6, 9, 12, 15, 18, 21], "<i4", 7, 1 << 30))
    done = place.run(command, "t.arrow")
    assert done.code == 1
    assert "column 'v'" in done.err


def test_text_that_is_not_utf8(place: Place) -> None:
    place.write("t.arrow", arrow({"key": KEYS, "v": np.arange(7)}).replace(b"k3k4", b"k3\xe94"))
    done = place.run("group", "t.arrow", "--key", "key")
    assert (done.code, "column 'key'" in done.err) == (1, True)


@pytest.mark.thinned
@pytest.mark.parametrize("columns", [[0], [1, 0], [0, 1, 2], []])
@pytest.mark.parametrize("stream", [False, True], ids=["file", "stream"])
@pytest.mark.parametrize("most", [0, 64, 1 << 25])
@pytest.mark.parametrize("with_dictionary", [False, True])
def test_batches_of_any_size_give_the_same(
    columns: list[int],
    stream: bool,
    most: int,
    with_dictionary: bool,
    place: Place,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """What is too large for memory comes by way of a copy."""
    monkeypatch.setattr(arrow_files, "_IN_MEMORY", most)
    keys = pa.array(KEYS)
    table = pa.table({"key": keys.dictionary_encode() if with_dictionary else keys, "v": LISTS, "t": KEYS})
    path = place.write("t.arrow", arrow({name: table[name] for name in table.schema.names}, stream=stream))
    with opened([str(path)], temp_dir=place.temporary) as [source]:
        got = [*arrow_files.record_batches(source).batches(columns)]
    assert sum(map(len, got)) == 7
    assert pa.Table.from_batches(got).equals(table.select(columns))


def cut(path: Path) -> None:
    os.truncate(path, path.stat().st_size // 2)


def overwritten(path: Path) -> None:
    path.write_bytes(b"")


@pytest.mark.parametrize("spoil", [cut, overwritten])
@pytest.mark.parametrize("most", [64, 1 << 25])
def test_a_file_that_is_cut_while_it_is_read(
    spoil: Callable[[Path], None], most: int, place: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What was read before stays as it was; what follows is an error. Mapped, it would end the process."""
    monkeypatch.setattr(arrow_files, "_IN_MEMORY", most)
    batches = [pa.record_batch({"v": np.arange(20_000) + i}) for i in range(8)]
    with (
        pa.OSFile(str(place.folder / "t.arrow"), "wb") as file,
        pa.ipc.new_file(file, batches[0].schema) as w,
    ):
        for batch in batches:
            w.write_batch(batch)
    with opened([str(place.folder / "t.arrow")], temp_dir=place.temporary) as [source]:
        reading = arrow_files.record_batches(source).batches([0])
        first = next(reading)
        spoil(place.folder / "t.arrow")
        assert first.equals(batches[0])
        with pytest.raises(DataError, match=r"^[^\n]*t\.arrow: "):
            list(reading)
    assert place.left_behind() == []
