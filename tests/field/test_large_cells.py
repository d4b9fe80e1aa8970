"""Single things that are large: cells, lines, headers, text arrays, dictionaries, labels and columns.

Each is refused in good time, with its size, its place and the memory that allows it, or just works.
"""

from __future__ import annotations

import gzip
import io
import json
import re
import zipfile
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
from pyarrow import ipc, parquet

import seqtool
from seqtool.system.memory import LEAST, Memory
from tests import low_memory
from tests.command import Place, succeeded

LIMIT = ("--max-memory", "256M")
LONG = 4_500_000  # letters, more than a cell may have in so little memory
MILLION = 10**6


@pytest.fixture
def place(tmp_path: Path) -> Place:
    return Place(tmp_path)


def refused(place: Place, *call: str, message: str) -> str:
    """What a call says that fails, leaves nothing behind, and names the memory that would do."""
    before = place.files()
    done = place.run(*call, *LIMIT)
    assert done.code == 1, done.err
    assert re.search(message, done.err), done.err
    assert done.err.count("\n") == 1
    assert len(done.err) < 400
    assert place.files() == before
    assert place.left_behind() == []
    return done.err


def allowed_by(message: str) -> str:
    """The memory that a message names."""
    found = re.findall(r"--max-memory (\d+M)", message)
    assert found, message
    return str(found[-1])


# Rows of text


@pytest.mark.parametrize(
    ("name", "text", "line"),
    [
        ("cell.csv", f"k,v\n1,2\n1,{'5' * LONG}\n", 3),
        ("header.csv", f"k,{'v' * LONG}\n1,2\n", 1),
        ("cells.csv", "1," * (LONG // 2) + "1\n", 1),
        ("lines.jsonl", '{"k": 1, "v": 2}\n{"k": 1, "v": "' + "5" * LONG + '"}\n', 2),
        ("first.jsonl", '{"k": 1, "v": "' + "5" * LONG + '"}\n', 1),
    ],
)
def test_a_long_row_of_text(place: Place, name: str, text: str, line: int) -> None:
    place.write(name, text)
    key = "0" if line == 1 and name.endswith("csv") else "k"
    for call in (("group", name, "--key", key, "-o", "out.npz"), ("plan", name, "--key", key)):
        message = refused(
            place, *call, message=rf"{name}: line {line} has \d\.\d MB, but 4\.0 MB is the most"
        )
    if name == "cell.csv":
        call = ("group", name, "--key", "v", "--columns", "k", "-o", "out.npz")
        succeeded(place.run(*call, "--max-memory", allowed_by(message)))


def test_a_quote_that_is_never_closed_before_a_large_rest(place: Place) -> None:
    place.write("q.csv", 'k,v\n1,2\n1,"' + "5\n" * LONG + "2,3\n")
    refused(
        place,
        "group",
        "q.csv",
        "--key",
        "k",
        "-o",
        "o.npz",
        message="line 3: opens a quote that is not closed",
    )


def test_the_python_interface_names_the_variable(place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    path = place.write("a.csv", f"k,v\n1,{'5' * LONG}\n")
    monkeypatch.setenv("SEQTOOL_MAX_MEMORY", "256M")
    with pytest.raises(seqtool.DataError, match="SEQTOOL_MAX_MEMORY"):
        seqtool.group(path, key="k")


# Lines of numbers


def test_a_long_line_of_numbers_is_one_sequence(place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("seqtool.sources.text_lines._PIECE", 40)
    monkeypatch.setattr("seqtool.sources.text_lines._CELLS", 7)
    rows = [[*range(count)] for count in (0, 3, 100, 1, 0, 41)]
    for mark in (" ", "\t", ",", " , "):
        place.write("a.txt", "\n".join(mark.join(map(str, row)) for row in rows) + "\n")
        (output,) = place.outputs("pad", ("a.txt", "--ragged"))
        assert output["lengths"].tolist() == [len(row) for row in rows]
        assert output["values"].tolist() == [number for row in rows for number in row]


def test_what_is_no_number_in_a_long_line_has_its_line(place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("seqtool.sources.text_lines._PIECE", 40)
    monkeypatch.setattr("seqtool.sources.text_lines._CELLS", 7)
    place.write("a.txt", "1 2\n" + "3 " * 100 + "x " + "4 " * 100 + "\n5\n")
    refused(place, "pad", "a.txt", "-o", "out.npz", message=r"a\.txt: line 2: 'x' is not a number")
    place.write("b.txt", "1 2\n3 " + "4" * 1000 + "\n")
    refused(place, "pad", "b.txt", "-o", "out.npz", message=r"b\.txt: line 2: a cell of more than")


# JSON that can only be read whole


@pytest.mark.parametrize("packed", [False, True])
def test_json_of_many_short_lists(place: Place, packed: bool) -> None:
    data = b"[" + b"[]," * MILLION + b"[]]"
    name = "a.json.gz" if packed else "a.json"
    place.write(name, gzip.compress(data) if packed else data)
    message = rf"{name}: can only be read whole and takes about 2\d\d\.\d MB"
    text = refused(place, "pad", name, "-o", "out.npz", message=message)
    assert allowed_by(text).startswith("2")


def test_json_of_numbers_takes_little_more_than_its_text(place: Place) -> None:
    place.write("a.json", json.dumps([[1.25] * 1000] * 1000))
    (output,) = place.outputs("pad", ("a.json", *LIMIT))
    assert output["x"].shape == (1000, 1000)


# Members of an archive


def archive(path: Path, **arrays: Any) -> None:
    """An .npz of arrays, or of (dtype, shape) with that many bytes of the letter a."""
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED, compresslevel=1) as file:
        for name, held in arrays.items():
            with file.open(f"{name}.npy", "w") as member:
                if isinstance(held, np.ndarray):
                    np.lib.format.write_array(member, held)
                    continue
                header = {"descr": held[0], "fortran_order": False, "shape": held[1]}
                np.lib.format.write_array_header_1_0(member, header)
                cell = "a".encode("utf-32-le") * (np.dtype(held[0]).itemsize // 4)
                for _ in range(int(np.prod(held[1]))):
                    member.write(cell)


BLOCK = {"x": np.array([[1.0, 2.0], [3.0, 0.0]]), "lengths": np.array([2, 1])}
META = np.array(
    json.dumps(
        {
            "format": "seqtool",
            "version": 1,
            "kind": "padded",
            "padding": "post",
            "value": 0,
            "step_values": {},
            "receipt": [],
        }
    )
)
TEXTS: dict[str, dict[str, Any]] = {
    "y": {"y": (f"<U{LONG}", (2,))},
    "keys": {"keys": (f"<U{LONG}", (2,))},
    "classes": {"classes": (f"<U{LONG}", (1,)), "y": np.array([0, 0])},
    "meta": {"meta": (f"<U{LONG}", ())},
    "features": {"x": np.ones((2, 2, 1)), "features": (f"<U{LONG}", (1,))},
    "split": {"split": (f"<U{LONG}", (2,))},
}


@pytest.mark.slow
@pytest.mark.parametrize("name", TEXTS)
def test_a_long_cell_of_text_in_an_archive(place: Place, name: str) -> None:
    message = rf"{name}\]: a cell of text has 4\.5 MB, but 4\.0 MB is the most .* --max-memory 288M allows it"
    archive(place.folder / "ours.npz", **{**BLOCK, "meta": META, **TEXTS[name]})
    for call in (("pad", "ours.npz", "-o", "out.npz"), ("plan", "ours.npz"), ("info", "ours.npz")):
        refused(place, *call, message=message)
    done = place.run("check", "ours.npz", *LIMIT)
    assert done.code == 1
    assert "a cell of text has 4.5 MB" in (done.out.decode() + done.err).replace("\n", " ")
    if name in ("y", "keys"):
        archive(place.folder / "theirs.npz", **BLOCK, **TEXTS[name])
        refused(
            place,
            "pad",
            "theirs.npz",
            "-o",
            "out.npz",
            message="a cell of text has 4.5 MB.*to leave it out.*--array x",
        )
        succeeded(place.run("pad", "theirs.npz", "--array", "x", "-o", "out.npz", *LIMIT))


def test_a_header_of_blanks(place: Place) -> None:
    text = b"{'descr': '<f8', 'fortran_order': False, 'shape': (2, 2)}" + b" " * MILLION + b"\n"
    data = b"\x93NUMPY\x02\x00" + len(text).to_bytes(4, "little") + text + BLOCK["x"].tobytes()
    place.write("a.npy", data)
    with zipfile.ZipFile(place.folder / "a.npz", "w") as file:
        file.writestr("x.npy", data)
    for name in ("a.npy", "a.npz"):
        for call in (
            ("pad", name, "-o", "out.npz"),
            ("info", name),
            ("group", name, "--key", "0", "-o", "o.npz"),
        ):
            refused(place, *call, message=r"the header of the array is damaged \(1,000,058 bytes")


@pytest.mark.parametrize("shape", [(10**18, 0, 3), (10**18, 0)])
def test_an_array_of_nothing_without_end(place: Place, shape: tuple[int, ...]) -> None:
    """Nothing in the file bears so many sequences out; going through them would take for ever."""
    header = io.BytesIO()
    np.lib.format.write_array_header_1_0(header, {"descr": "<f8", "fortran_order": False, "shape": shape})
    place.write("a.npy", header.getvalue())
    for call in (("pad", "a.npy", "-o", "out.npz"), ("plan", "a.npy"), ("info", "a.npy")):
        refused(place, *call, message="an array without cells; at most 100,000,000")
    place.write("few.npy", np.zeros((5, 0, 3)))
    (output,) = place.outputs("pad", ("few.npy",))
    assert output["x"].shape == (5, 0, 3)


def test_a_compressed_array_in_another_order(place: Place) -> None:
    x = np.arange(24.0).reshape(2, 3, 4).transpose(2, 1, 0)
    np.savez_compressed(place.folder / "t.npz", x=x)
    (output,) = place.outputs("pad", ("t.npz", *LIMIT))
    assert (output["x"] == x).all()
    for command in ("plan", "check", "info"):
        succeeded(place.run(command, "t.npz", *LIMIT))


# Dictionaries, labels, columns


def test_a_dictionary_that_can_only_be_read_whole(place: Place) -> None:
    keys = pa.array([chr(97 + i) * 3_000_000 for i in range(20)]).dictionary_encode()
    table = pa.table({"id": keys, "v": np.arange(20.0)})
    parquet.write_table(table, place.folder / "a.parquet")
    with ipc.new_file(place.folder / "a.arrow", table.schema) as file:
        file.write_table(table)
    for name in ("a.parquet", "a.arrow"):
        message = rf"{name}: the dictionary of column 'id': can only be read whole and takes about 300\.\d MB"
        text = refused(place, "group", name, "--key", "id", "-o", "out.npz", message=message)
        assert allowed_by(text) == "301M"


def test_long_labels_go_to_the_disk(place: Place) -> None:
    rows = "".join(f"{i},{chr(97 + i) * 2_000_000},{i}\n" for i in range(8))
    place.write("a.csv", f"id,y,v\n{rows}")
    (output,) = place.outputs("group", ("a.csv", "--key", "id", "--label", "y", *LIMIT))
    assert len(output["y"]) == 8


@pytest.mark.slow
@pytest.mark.parametrize("name", ["y", "static"])
def test_a_row_that_is_too_long(place: Place, name: str) -> None:
    """Nine million numbers of a sequence; `--array` leaves out what a file of others holds of them."""
    beside = {**BLOCK, name: np.zeros((2, 9 * MILLION))}
    archive(place.folder / "theirs.npz", **beside)
    archive(place.folder / "ours.npz", **beside, meta=META)
    message = rf"{name}\]: a row: can only be read whole and takes about 288\.0 MB"
    for call in (("pad", "ours.npz", "-o", "out.npz"), ("plan", "ours.npz"), ("info", "ours.npz")):
        refused(place, *call, message=message)
    if name == "y":  # which is not lost in silence
        refused(place, "pad", "theirs.npz", "-o", "out.npz", message=message)
    succeeded(place.run("pad", "theirs.npz", "--array", "x", "-o", "out.npz", *LIMIT))


@pytest.mark.slow
def test_labels_of_a_foreign_file_that_are_too_many(place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("seqtool.sources.labels._COPIES", 10**9)
    monkeypatch.setattr("seqtool.arrays.many_texts._EACH", 10**9)
    np.savez(place.folder / "a.npz", x=np.ones((2, 1)), y=np.array(["b", "a"]))
    refuse = "y, which has 2 distinct labels and more: can only be read whole and takes about 2.0 GB"
    refused(place, "pad", "a.npz", "-o", "out.npz", message=refuse)


@pytest.mark.parametrize("count", [2, pytest.param(1500, marks=pytest.mark.slow)])
def test_missing_values_in_a_wide_table(place: Place, count: int) -> None:
    """Of a wide table not every spelling is looked up while it is parsed."""
    names = ",".join(f"c{i}" for i in range(count))
    rows = [["1"] * count, ["NA", *["2.5"] * (count - 1)], ["", *["3"] * (count - 1)]]
    place.write("a.csv", "\n".join([f"k,{names}", *(f"0,{','.join(row)}" for row in rows)]) + "\n")
    (output,) = place.outputs("group", ("a.csv", "--key", "k"))
    assert np.isnan(output["x"][0, :, 0]).tolist() == [False, True, True]
    assert output["x"][0, :, 1].tolist() == [1, 2.5, 3]


def test_the_least_memory_for_many_columns() -> None:
    assert Memory(LEAST).for_rows(300) > 100 * MILLION
    assert Memory(3 * 10**9).for_rows(100_000) > 500 * MILLION


# The promise itself


@pytest.fixture(scope="module")
def large(tmp_path_factory: pytest.TempPathFactory) -> Place:
    return Place(tmp_path_factory.mktemp("large"))


ALLOWED = low_memory.LEAST + 150 * 10**6  # bytes


def bounded(place: Place, *call: str) -> None:
    limit = ("--max-memory", low_memory.LIMIT)
    done, peak = place.measured(*call, *limit, program=low_memory.COMMAND)
    print(f"{' '.join(call)}: {peak / MILLION:.0f} MB")
    assert done.code in (0, 1), done.err
    assert peak <= ALLOWED, f"{peak / MILLION:.0f} MB"


@pytest.mark.slow
def test_a_line_of_millions_of_numbers_is_bounded(large: Place) -> None:
    large.write("a.txt", "1 " * (12 * MILLION) + "\n")
    bounded(large, "pad", "a.txt", "--ragged", "-o", "out.npz")


@pytest.mark.slow
def test_a_cell_of_150_mb_is_bounded(large: Place) -> None:
    large.write("a.csv", "k,v\n1,2\n1," + "5" * (150 * MILLION) + "\n")
    bounded(large, "group", "a.csv", "--key", "k", "-o", "out.npz")


@pytest.mark.slow
def test_a_deflated_array_in_fortran_order_is_bounded(large: Place) -> None:
    with (
        zipfile.ZipFile(large.folder / "f.npz", "w", zipfile.ZIP_DEFLATED, compresslevel=1) as file,
        file.open("x.npy", "w") as x,
    ):
        header = {"descr": "<f8", "fortran_order": True, "shape": (290_000, 125)}
        np.lib.format.write_array_header_1_0(x, header)
        for _ in range(290):
            x.write(bytes(MILLION))
    bounded(large, "check", "f.npz")
    bounded(large, "pad", "f.npz", "-o", "out.npz")


@pytest.mark.slow
def test_text_that_inflates_is_bounded(large: Place) -> None:
    letters = 40 * MILLION
    archive(large.folder / "y.npz", **BLOCK, y=(f"<U{letters}", (2,)))
    for command in ("check", "plan", "info"):
        bounded(large, command, "y.npz")


# What a person sees of long texts


def test_long_keys_classes_and_names_are_shortened(place: Place) -> None:
    long = "n" * 5000
    place.write("a.csv", f"k,y,{long}\nk{long},c{long},1\nb,d{long},2\n")
    done = succeeded(place.run("group", "a.csv", "--key", "k", "--label", "y", "-o", "a.npz"))
    assert max(map(len, done.err.splitlines())) < 400
    for call in (("info", "a.npz"), ("check", "a.npz"), ("check", "a.npz", "--against", "a.npz")):
        assert max(map(len, place.run(*call).out.decode().splitlines())) < 400
    assert place.arrays("a.npz")["classes"].tolist() == [f"c{long}", f"d{long}"]
    place.write("b.csv", f"k,y,v\nk{long},c{long},1\nk{long},d{long},2\n")
    done = place.run("group", "b.csv", "--key", "k", "--label", "y", "-o", "b.npz")
    assert (done.code, len(done.err) < 400) == (1, True)
    assert "within key knnn" in done.err
