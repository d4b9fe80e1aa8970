"""Pipelines: what comes out of a pipe equals what comes out of files, array by array."""

from __future__ import annotations

import gzip
import json
import os
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import pytest

from tests.command import SAMPLES, Place, succeeded

EVENTS = "user,time,a,b\n" + "".join(
    f"{(i * 7919) % 13},{(i * 31) % 1009},{i % 10},{i / 4}\n" for i in range(500)
)


@pytest.fixture
def place(tmp_path: Path) -> Place:
    place = Place(tmp_path)
    (place.folder / "samples").symlink_to(SAMPLES)
    return place


def assert_same(place: Place, one: str, other: str, but: tuple[str, ...] = ("meta",)) -> None:
    """Two files hold the same arrays; in `meta`, which names the inputs, only these names may differ."""
    ours, theirs = place.arrays(one), place.arrays(other)
    assert [*ours] == [*theirs]
    for name in ours:
        if name not in but:
            assert ours[name].dtype == theirs[name].dtype, name
            assert ours[name].tolist() == theirs[name].tolist(), name
    receipts = [json.loads(str(arrays["meta"])) for arrays in (ours, theirs)]
    for entry in (entry for meta in receipts for entry in meta["receipt"]):
        del entry["inputs"]
    assert receipts[0] == receipts[1]


def test_the_missions_pipe(place: Place) -> None:
    succeeded(
        place.bash("cat samples/rows.csv | seqtool group --key 2 | seqtool pad --maxlen 4 --post > out.npz")
    )
    arrays = place.arrays("out.npz")
    assert arrays["keys"].tolist() == [1, 2, 3, 4]
    assert arrays["lengths"].tolist() == [1, 2, 2, 1]
    assert arrays["lengths"].dtype == np.int64
    zero = [0, 0, 0]
    assert arrays["x"].tolist() == [
        [[0, 1, 1], zero, zero, zero],
        [[3, 0, 2], [2, 1, 2], zero, zero],
        [[1, 2, 3], [2, 0, 3], zero, zero],
        [[1, 1, 4], zero, zero, zero],
    ]
    meta = json.loads(str(arrays["meta"]))
    assert meta["padding"] == "post"
    assert [entry["command"] for entry in meta["receipt"]] == ["group", "pad"]
    assert [entry["rows"]["in"] for entry in meta["receipt"]] == [6, 6]
    assert place.left_behind() == []


def test_compressed_rows_through_ragged_into_pad(place: Place) -> None:
    place.write("events.csv", EVENTS)
    place.write("events.csv.gz", gzip.compress(EVENTS.encode()))
    succeeded(
        place.shell(
            "zcat events.csv.gz | seqtool group --key user --order-by time --ragged "
            "| seqtool pad --maxlen 30 --post > train.npz"
        )
    )
    succeeded(place.shell("seqtool group events.csv --key user --order-by time --ragged -o ragged.npz"))
    succeeded(place.shell("seqtool pad ragged.npz --maxlen 30 --post -o files.npz"))
    assert_same(place, "train.npz", "files.npz")
    succeeded(place.shell("seqtool group events.csv.gz --key user --order-by time --maxlen 30 -o one.npz"))
    one, two = place.arrays("one.npz"), place.arrays("train.npz")
    assert {*one} == {*two}
    for name in {*one} - {"meta"}:
        assert one[name].tolist() == two[name].tolist(), name
    assert place.left_behind() == []


def through_a_pipe(place: Place, name: str, *call: str) -> None:
    """`cat NAME | seqtool CALL > pipe.npz`: both are pipes."""
    done = place.run(*call, stdin=(place.folder / name).read_bytes())
    succeeded(done)
    place.write("pipe.npz", done.out)


@pytest.mark.thinned
@pytest.mark.parametrize("kind", ["a.npy", "a.npz", "ours.npz", "a.jsonl", "a.txt", "a.parquet", "a.arrow"])
def test_pad_tells_the_kinds_apart_on_standard_input(kind: str, place: Place) -> None:
    """By content, for there is no name: through a pipe, and from a redirected file."""
    import pyarrow as pa
    import pyarrow.parquet as parquet

    rows = [[5, 1], [3], [7, 8, 9]]
    dense = np.array([[5, 1, 0], [3, 0, 0], [7, 8, 9]])
    table = pa.table({"ids": rows})
    if kind == "a.npy":
        place.write(kind, dense)
    elif kind == "a.npz":
        np.savez(place.folder / kind, x=dense, lengths=[2, 1, 3])
    elif kind == "ours.npz":
        np.savez(place.folder / "a.npz", x=dense, lengths=[2, 1, 3])
        succeeded(place.run("pad", "a.npz", "--post", "-o", kind))
    elif kind == "a.jsonl":
        place.write(kind, "".join(f"{row}\n" for row in rows))
    elif kind == "a.txt":
        place.write(kind, "".join(f"{' '.join(map(str, row))}\n" for row in rows))
    elif kind == "a.parquet":
        parquet.write_table(table, place.folder / kind)
    else:
        with pa.OSFile(str(place.folder / kind), "wb") as file, pa.ipc.new_file(file, table.schema) as writer:
            writer.write_table(table)
    succeeded(place.run("pad", kind, "--maxlen", "4", "--pre", "-o", "file.npz"))
    through_a_pipe(place, kind, "pad", "--maxlen", "4", "--pre")
    assert_same(place, "pipe.npz", "file.npz")
    expected = [[0, 5, 1, 0], [0, 3, 0, 0], [0, 7, 8, 9]]
    if kind != "a.npy":
        expected = [[0, 0, 5, 1], [0, 0, 0, 3], [0, 7, 8, 9]]
    assert place.arrays("pipe.npz")["x"].tolist() == expected
    assert place.left_behind() == []


@pytest.mark.parametrize("kind", ["a.csv", "a.tsv", "a.csv.gz", "a.npy", "a.npz", "a.jsonl", "a.parquet"])
def test_group_tells_the_kinds_apart_on_standard_input(kind: str, place: Place) -> None:
    import pyarrow as pa
    import pyarrow.parquet as parquet

    rows = np.array([[2, 5, 6], [1, 7, 8], [2, 9, 10]])
    text = "".join(f"{','.join(map(str, row))}\n" for row in rows.tolist())
    if kind.endswith((".npy", ".npz")):
        (np.save if kind.endswith("y") else np.savez)(place.folder / kind, rows)
    elif kind == "a.jsonl":
        lines = [json.dumps(dict(zip("kab", row, strict=True))) for row in rows.tolist()]
        place.write(kind, "\n".join(lines))
    elif kind == "a.parquet":
        parquet.write_table(pa.table(dict(zip("kab", rows.T, strict=True))), place.folder / kind)
    else:
        data = text.replace(",", "\t" if kind == "a.tsv" else ",").encode()
        place.write(kind, gzip.compress(data) if kind.endswith(".gz") else data)
    succeeded(place.run("group", kind, "--key", "0", "--drop-key", "-o", "file.npz"))
    through_a_pipe(place, kind, "group", "--key", "0", "--drop-key")
    assert_same(place, "pipe.npz", "file.npz")
    assert place.arrays("pipe.npz")["x"].tolist() == [[[7, 8], [0, 0]], [[5, 6], [9, 10]]]


def test_a_file_that_is_larger_than_a_pipe(place: Place) -> None:
    """A pipe holds 64 kB: these commands work on more, at the same time."""
    x = np.random.default_rng(1).random((300, 200, 5)).astype(np.float32)
    place.write("a.npy", x)
    line = "seqtool pad a.npy -o - | seqtool pad --maxlen 250 | seqtool pad --maxlen 200 --post > b.npz"
    succeeded(place.bash(line))
    arrays = place.arrays("b.npz")
    assert arrays["x"].dtype == np.float32
    assert (arrays["x"] == x).all()
    receipt = json.loads(str(arrays["meta"]))["receipt"]
    assert [entry["rows"] for entry in receipt] == [
        {"in": 60_000, "kept": 60_000, "cut": 0, "dropped": {}}
    ] * 3


def test_process_substitution(place: Place) -> None:
    place.write("a.csv.gz", gzip.compress(EVENTS.encode()))
    place.write("a.csv", EVENTS)
    succeeded(place.shell("seqtool group <(zcat a.csv.gz) --key user -o one.npz"))
    succeeded(place.shell("seqtool group a.csv --key user -o two.npz"))
    assert_same(place, "one.npz", "two.npz")
    with handed_over(succeeded(place.shell("seqtool group a.csv --key user -o -")).out) as name:
        succeeded(place.run("pad", name, "--maxlen", "9", "-o", "three.npz"))
    succeeded(place.shell("seqtool pad two.npz --maxlen 9 -o four.npz"))
    assert_same(place, "three.npz", "four.npz")
    succeeded(place.shell("seqtool pad two.npz --maxlen 9 -o >(cat > written.npz); wait $!"))
    succeeded(place.shell("seqtool pad --maxlen 5 < written.npz > five.npz"))
    assert place.arrays("five.npz")["x"].shape == (13, 5, 3)
    assert place.left_behind() == []


@contextmanager
def handed_over(data: bytes) -> Iterator[str]:
    """The name that a shell puts in place of <(...), of a pipe that these bytes come through."""
    reading, writing = os.pipe()
    with ThreadPoolExecutor(1) as pool, os.fdopen(writing, "wb") as file, os.fdopen(reading, "rb"):
        pool.submit(lambda: (file.write(data), file.close()))
        yield f"/dev/fd/{reading}"


def test_several_process_substitutions_are_one_table(place: Place) -> None:
    head, *rows = EVENTS.splitlines(keepends=True)
    place.write("a.csv", EVENTS)
    first, second = ((head + "".join(some)).encode() for some in (rows[:200], rows[200:]))
    with handed_over(first) as one, handed_over(second) as two:
        succeeded(place.run("group", one, two, "--key", "user", "-o", "one.npz"))
    succeeded(place.shell("seqtool group a.csv --key user -o two.npz"))
    assert_same(place, "one.npz", "two.npz")


def test_standard_input_by_its_path(place: Place) -> None:
    rows = (SAMPLES / "rows.csv").read_bytes()
    succeeded(place.run("group", "/dev/stdin", "--key", "2", "-o", "one.npz", stdin=rows))
    succeeded(place.shell("seqtool group --key 2 -o two.npz < samples/rows.csv"))
    assert_same(place, "one.npz", "two.npz")


def test_the_output_of_group_on_standard_output_is_that_of_the_file(place: Place) -> None:
    succeeded(place.shell("seqtool group samples/rows.csv --key 2 -o - > one.npz"))
    succeeded(place.shell("seqtool group samples/rows.csv --key 2 -o two.npz"))
    assert_same(place, "one.npz", "two.npz", but=())
    succeeded(place.shell("seqtool group samples/rows.csv --key 2 -o - | cat > three.npz"))
    assert place.files()["three.npz"] == place.files()["one.npz"]


def test_everything_rides_through_a_pipe(place: Place) -> None:
    """Labels, static numbers, row numbers, keys of two columns: what group made arrives behind pad."""
    place.write(
        "a.csv",
        "u,d,t,y,s,z,a\nm,1,2,cat,0.5,on,1.5\nm,1,1,cat,0.5,off,2.5\nn,2,1,dog,0.25,on,3.5\nm,3,9,dog,1,on,4.5\n",
    )
    options = "--key u --key d --order-by t --label y --static s --step-label z --keep-row-index"
    succeeded(place.shell(f"seqtool group a.csv {options} --ragged -o - | seqtool pad --post > pipe.npz"))
    succeeded(place.shell(f"seqtool group a.csv {options} -o file.npz"))
    pipe, file = place.arrays("pipe.npz"), place.arrays("file.npz")
    assert {*pipe} == {*file}
    for name in {*pipe} - {"meta"}:
        assert pipe[name].tolist() == file[name].tolist(), name
    assert pipe["keys"].tolist() == [["m", "1"], ["m", "3"], ["n", "2"]]
    assert pipe["y"].tolist() == [0, 1, 1]
    assert pipe["static"].tolist() == [[0.5], [1.0], [0.25]]
    assert pipe["row_index"].tolist() == [[1, 0], [3, -1], [2, -1]]
    assert pipe["step_y"].tolist() == [[0, 1], [1, -100], [1, -100]]


def test_info_at_the_end_of_a_pipe(place: Place) -> None:
    text = succeeded(place.shell("cat samples/rows.csv | seqtool group --key 2 | seqtool info --json")).out
    facts = json.loads(text)
    assert facts["sequences"]["count"] == 4
    assert {"name": "x", "shape": [4, 2, 3], "dtype": "int64", "bytes": 192} in facts["arrays"]


def test_a_command_that_wrote_a_file_instead(place: Place) -> None:
    """The pipe stays empty, and the second command says what to add to the first."""
    piped = succeeded(place.shell("seqtool group samples/rows.csv --key 2 -q")).out
    done = place.run("pad", "--maxlen", "4", stdin=piped)
    assert (piped, done.code, done.out) == (b"", 1, b"")
    assert done.err.startswith("seqtool: error: standard input: empty")
    assert "-o -" in done.err


def test_a_pipeline_fails_where_its_first_command_does(place: Place) -> None:
    place.write("bad.csv", "k,a\n1,2\n1,x\n1,3\n")
    done = place.shell("seqtool group --key k < bad.csv | seqtool pad -o out.npz")
    assert done.code == 1
    assert "line 3" in done.err
    assert "out.npz" not in place.files()
    assert place.left_behind() == []
