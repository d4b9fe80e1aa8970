"""The promise of `--max-memory`: no input, and no shape of groups, takes more than that and 150 MB.

Peaks are what the system counts for the whole process, libraries and mapped pages included. Most calls have half the
memory that is otherwise the least, see `tests.low_memory`: then less data is too much to be held.
"""

from __future__ import annotations

import filecmp
import json
import re
import shlex
import shutil
import sys
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
from isal import igzip
from pyarrow import csv, parquet

import seqtool
from seqtool.grouping.runs import SORTING
from seqtool.sequences.ragged import StepArray
from seqtool.system.memory import parse_size
from tests.command import Done, Place, succeeded
from tests.low_memory import COMMAND, LIMIT

LEAST = "256M"
PYTHON = 150 * 10**6  # bytes that the interpreter and its libraries may take: the promise
STREAMED = (
    120 * 10**6
)  # bytes that calls may take which only pass their data on, Python and libraries included
MILLION = 10**6


@pytest.fixture(scope="module")
def large(tmp_path_factory: pytest.TempPathFactory) -> Place:
    """A place for files that are made once."""
    return Place(tmp_path_factory.mktemp("large"))


@pytest.fixture
def small(tmp_path: Path) -> Place:
    return Place(tmp_path)


@pytest.fixture
def place(large: Place) -> Iterator[Place]:
    """The same place, from which a test takes away all that it made."""
    before = {*large.folder.iterdir()}
    yield large
    for path in {*large.folder.iterdir()} - before:
        path.unlink()
    assert large.left_behind() == []


def allowed(limit: str) -> int:
    """The bytes that a process may take under this limit."""
    return parse_size(limit, "limit") + PYTHON


def within(place: Place, *arguments: str, limit: str = LIMIT, most: int | None = None) -> Done:
    """How a call ended under a limit, which must have kept its promise, or have taken `most` bytes."""
    program = ("seqtool",) if limit == LEAST else COMMAND
    done, peak = place.measured(*arguments, "--max-memory", limit, "--json", program=program)
    print(f"{' '.join(arguments)}: {peak / MILLION:.0f} MB")
    assert peak <= (most or allowed(limit)), f"{peak / MILLION:.0f} MB"
    return done


def bounded(
    place: Place, *arguments: str, of: int, limit: str = LIMIT, most: int | None = None
) -> dict[str, Any]:
    """The summary of a call that would take more than it may if it held all of its data: `of` bytes."""
    assert of > (most or allowed(limit)), f"{of / MILLION:.0f} MB are too few to show anything"
    done = succeeded(within(place, *arguments, limit=limit, most=most))
    summary: dict[str, Any] = json.loads(done.err)
    peak = place.peak("peak")
    assert 0.8 * peak < summary["peak_memory"] <= 1.01 * peak + MILLION
    return summary


def streamed(place: Place, *arguments: str, of: int) -> dict[str, Any]:
    """The same of a call that takes little whatever it may take: its data are on their way from file to file."""
    return bounded(place, *arguments, of=of, most=STREAMED)


def same_as_unbounded(place: Place, *arguments: str, limit: str = LIMIT) -> dict[str, Any]:
    """Run a call under a limit and again with the default, which must take more; compare every byte, keep `out.npz`."""
    done, peak = place.measured(*arguments, "-o", "free.npz", "-q")
    succeeded(done)
    print(f"{' '.join(arguments)}, by default: {peak / MILLION:.0f} MB")
    summary = bounded(place, *arguments, "-o", "out.npz", of=peak, limit=limit)
    assert filecmp.cmp(place.folder / "out.npz", place.folder / "free.npz", shallow=False)
    (place.folder / "free.npz").unlink()
    return summary


def mapped(place: Place, name: str = "out.npz") -> Any:
    return seqtool.load(place.folder / name, mmap=True)


def shuffled(count: int) -> np.ndarray:
    return np.random.default_rng(0).permutation(count)


def small_numbers(rows: int, seed: int = 1) -> np.ndarray:
    return np.random.default_rng(seed).integers(0, 100, rows)


def write_parquet(place: Place, name: str, *, row_group: int = MILLION, **columns: Any) -> int:
    """Rows in a file that is fast to write; the bytes that whatever held and sorted them would take."""
    table, path = pa.table(columns), place.folder / name
    plain = {"compression": "none", "use_dictionary": False, "write_statistics": False}
    parquet.write_table(table, path, row_group_size=row_group, **plain)
    return held(table)


def write_csv(place: Place, name: str, **columns: Any) -> None:
    csv.write_csv(pa.table(columns), place.folder / name, csv.WriteOptions(quoting_style="none"))


def held(table: Any) -> int:
    """The bytes that whatever held rows and sorted them would take."""
    return int(table.nbytes + SORTING * table.num_rows)


def further(rows: int, count: int, dtype: Any = np.float32) -> dict[str, np.ndarray]:
    """So many features more, for rows that take room: there need be fewer of them."""
    return dict.fromkeys((f"f{i}" for i in range(count)), np.arange(rows).astype(dtype))


def sums(codes: np.ndarray, values: np.ndarray, count: int) -> np.ndarray:
    return np.bincount(codes, weights=values, minlength=count)


def padded_sums(padded: Any, column: int) -> np.ndarray:
    return padded.x[:, :, column].sum(axis=1, dtype=np.float64)


# --- group ------------------------------------------------------------------------------------------------


@pytest.mark.slow
def test_many_tiny_groups(place: Place) -> None:
    rows, count = 900_000, 600_000
    keys = shuffled(rows) % count
    a, b = small_numbers(rows), small_numbers(rows, 2)
    columns = {"a": a.astype(np.int16), "b": b.astype(np.int16), **further(rows, 72)}
    of = write_parquet(place, "rows.parquet", key=keys, **columns)
    bounded(place, "group", "rows.parquet", "--key", "key", "-o", "out.npz", of=of)
    output = mapped(place)
    assert (output.keys == np.arange(count)).all()
    assert (output.lengths == np.bincount(keys)).all()
    assert (padded_sums(output, 0) == sums(keys, a, count)).all()
    assert (padded_sums(output, 1) == sums(keys, b, count)).all()


@pytest.mark.slow
def test_few_huge_groups_in_one_row_group(place: Place) -> None:
    rows = 1_200_000
    keys, a = small_numbers(rows) % 3, np.arange(rows)
    columns = {"a": a, "b": a / 2, **further(rows, 26, np.int64)}
    of = write_parquet(place, "rows.parquet", row_group=rows, key=keys, **columns)
    call = ["rows.parquet", "--key", "key", "--ragged", "--dtype", "float64"]
    bounded(place, "group", *call, "-o", "out.npz", of=of)
    output = mapped(place)
    assert (output.lengths == np.bincount(keys)).all()
    order = np.argsort(keys, kind="stable")
    assert (output.values[:, 0] == a[order]).all()
    assert (output.values[:, 1] == a[order] / 2).all()


@pytest.mark.parametrize(
    ("order", "limit"), [((), LIMIT), (("--order-by", "time"), LEAST)], ids=["as they come", "in order"]
)
@pytest.mark.slow
def test_one_group_holds_half_of_all_rows(place: Place, order: tuple[str, ...], limit: str) -> None:
    """Once with as little memory as the command itself accepts."""
    rows, count = 1_900_000 if limit == LIMIT else 2_500_000, 200_000
    keys = np.where(small_numbers(rows) < 50, 7, np.random.default_rng(2).integers(0, count, rows))
    a, time = np.arange(rows, dtype=np.int32), shuffled(rows)
    columns = {"a": a, "b": small_numbers(rows), "time": time, **further(rows, 24)}
    write_parquet(place, "rows.parquet", key=keys, **columns)
    call = ["rows.parquet", "--key", "key", "--ragged", "--drop", "time", *order]
    same_as_unbounded(place, "group", *call, limit=limit)
    output = mapped(place)
    assert (output.lengths == np.bincount(keys, minlength=count)[output.keys]).all()
    expected = np.lexsort((time, keys)) if order else np.argsort(keys, kind="stable")
    assert (output.values[:, 0] == a[expected]).all()


@pytest.mark.slow
def test_a_huge_group_of_few_times(place: Place) -> None:
    """All rows of a group may be equal in their order column: then they keep the order of the file."""
    rows = 1_200_000
    time = small_numbers(rows) // 40
    columns = {"time": time, "a": np.arange(rows), **further(rows, 24, np.int64)}
    of = write_parquet(place, "rows.parquet", key=np.zeros(rows, np.int64), **columns)
    call = ["rows.parquet", "--key", "key", "--ragged", "--drop", "time", "--order-by", "time"]
    summary = bounded(place, "group", *call, "-o", "out.npz", of=of)
    assert summary["ties"] == rows - 3
    assert (mapped(place).values[:, 0] == np.argsort(time, kind="stable")).all()


@pytest.mark.slow
def test_features_of_time_in_huge_groups(place: Place) -> None:
    """Of each feature the time since it was observed is known wherever a window begins."""
    rows = 3_300_000
    keys, times, holes = small_numbers(rows) % 3, shuffled(rows), small_numbers(rows, 2) < 60
    a = pa.array(small_numbers(rows, 3).astype(np.float32), mask=holes)
    columns = {"t": pa.array(times, pa.timestamp("s")), **dict.fromkeys("abcdef", a)}
    write_parquet(place, "rows.parquet", key=keys, **columns)
    options = ["--delta", "t", "--since-observed", "--position", "--keep-order", "--ragged"]
    same_as_unbounded(place, "group", "rows.parquet", "--key", "key", "--order-by", "t", *options)
    output = mapped(place)
    order = np.lexsort([times, keys])
    starts = np.repeat(output.offsets[:-1], output.lengths)
    at, sorted_times = np.arange(rows), times[order]
    assert (output.per_step["order"].data == sorted_times * MILLION).all()
    assert (output.values[:, 6] == sorted_times - sorted_times[np.maximum(at - 1, starts)]).all()
    assert (output.values[:, 7] == at - starts).all()
    seen = np.maximum.accumulate(np.where(holes[order], -1, at))
    last = np.maximum(np.concatenate([[0], seen[:-1]]), starts)
    assert (output.values[:, 8] == sorted_times - sorted_times[last]).all()


@pytest.mark.slow
def test_a_grid_of_many_rows(place: Place) -> None:
    rows = 1_600_000
    keys, times, a = small_numbers(rows), shuffled(rows), small_numbers(rows, 3)
    columns = {"t": pa.array(times, pa.timestamp("s")), "a": a, "b": a / 2, **further(rows, 4, np.float64)}
    same = dict.fromkeys((f"s{i}" for i in range(12)), keys)
    of = write_parquet(place, "rows.parquet", key=keys, **columns, **same)
    options = ["--order-by", "t", "--every", "7m", "--agg", "sum", "--ragged", "--dtype", "float64"]
    call = ["rows.parquet", "--key", "key", *options, "--keep-order", "--static", ",".join(same)]
    bounded(place, "group", *call, "-o", "out.npz", of=of)
    output = mapped(place)
    stretch = times // 420
    places, lows = np.arange(100), np.array([stretch[keys == key].min() for key in range(100)])
    at = output.offsets[:-1][keys] + stretch - lows[keys]
    expected = np.bincount(at, weights=a, minlength=len(output.values))
    assert (np.nan_to_num(output.values[:, 0]) == expected).all()
    assert (output.per_step["order"].data[output.offsets[:-1][places]] == lows * 420 * MILLION).all()


@pytest.mark.slow
def test_text_keys(place: Place) -> None:
    rows, count = 2_200_000, 1_460_000
    codes = shuffled(rows) % count
    names = np.char.add("visitor-", np.arange(count, dtype=np.int32).astype("U7"))
    a = small_numbers(rows)
    write_parquet(place, "rows.parquet", key=pa.array(names).take(pa.array(codes)), a=a, b=a / 2)
    same_as_unbounded(place, "group", "rows.parquet", "--key", "key")
    output = mapped(place)
    order = np.argsort(names)
    assert (output.lengths == np.bincount(codes)[order]).all()
    assert (padded_sums(output, 0) == sums(codes, a, count)[order]).all()
    for i in (0, 1, count // 2, count - 1):
        assert output.keys[i : i + 1][0] == names[order[i]]


@pytest.mark.slow
def test_two_hundred_features_of_csv_in_order(place: Place) -> None:
    rows, count, width = 150_000, 2_000, 200
    keys, time = np.random.default_rng(1).integers(0, count, rows), shuffled(rows)
    digits = np.random.default_rng(2).integers(0, 10, (rows, width), dtype=np.uint8)
    write_digits(place.folder / "rows.csv", keys, time, digits)
    call = ["rows.csv", "--key", "key", "--order-by", "time", "--ragged"]
    same_as_unbounded(place, "group", *call, limit="160M")  # so many columns need more than the others
    output = mapped(place)
    order = np.lexsort((time, keys))
    assert output.values.shape == (rows, width)
    for begin in range(0, rows, 50_000):
        assert (output.values[begin : begin + 50_000] == digits[order[begin : begin + 50_000]]).all()


def write_digits(path: Path, keys: np.ndarray, time: np.ndarray, digits: np.ndarray) -> None:
    """CSV of numbers of one digit, made by NumPy: the fastest that there is."""
    rows, width = digits.shape
    with path.open("wb") as file:
        file.write(",".join(["key", "time", *(f"f{i}" for i in range(width))]).encode() + b"\n")
        line = np.full((rows, 2 * width), ord(","), np.uint8)
        line[:, ::2] = digits + ord("0")
        line[:, -1] = ord("\n")
        front = [np.char.add(numbers.astype("S8"), b",") for numbers in (keys, time)]
        cells = [*(part.tolist() for part in front), line.view(f"S{2 * width}")[:, 0].tolist()]
        for begin in range(0, rows, 100_000):
            parts = (column[begin : begin + 100_000] for column in cells)
            file.write(b"".join(map(b"".join, zip(*parts, strict=True))))


@pytest.mark.slow
def test_integer_keys_whose_last_rows_are_text(place: Place) -> None:
    rows, count = 2_800_000, 1_120_000
    keys, a = shuffled(rows) % count, small_numbers(rows)
    write_csv(place, "rows.csv", key=keys, a=a, b=np.arange(rows))
    with (place.folder / "rows.csv").open("a") as file:
        file.write("07,1,2\nx,3,4\n")
    same_as_unbounded(place, "group", "rows.csv", "--key", "key")
    output = mapped(place)
    names = np.array([*np.arange(count).astype("U7"), "07", "x"])
    order = np.argsort(names)
    assert (output.lengths == np.append(np.bincount(keys), [1, 1])[order]).all()
    assert (padded_sums(output, 0) == np.append(sums(keys, a, count), [1, 3])[order]).all()
    for i in (0, 1, 2, count // 3, count, count + 1):
        assert output.keys[i : i + 1][0] == names[order[i]]


@pytest.mark.slow
def test_arrow_of_one_batch(place: Place) -> None:
    rows, count = MILLION, 50_000
    keys, a = shuffled(rows) % count, np.arange(rows)
    columns = {"a": a, "b": a / 2, "c": a / 4, "d": a / 8, **further(rows, 28, np.int64)}
    batch = pa.record_batch({"key": keys, **columns})
    with pa.OSFile(str(place.folder / "rows.arrow"), "wb") as file, pa.ipc.new_file(file, batch.schema) as w:
        w.write_batch(batch)
    call = ["rows.arrow", "--key", "key", "--ragged", "--dtype", "float64"]
    bounded(place, "group", *call, "-o", "out.npz", of=held(batch))
    output = mapped(place)
    assert (output.lengths == rows // count).all()
    assert (output.values[:, 3] == np.argsort(keys, kind="stable") / 8).all()


@pytest.mark.slow
def test_gzip_csv_with_everything_that_rides_along(place: Place) -> None:
    rows, count = 3_800_000, 190_000
    keys = shuffled(rows) % count
    columns = {
        "key": keys,
        "a": small_numbers(rows),
        "y": keys % 3,
        "s": keys % 5,
        "z": small_numbers(rows) % 4,
        "f": keys % 7,
        "g": keys % 9,
    }
    write_csv(place, "rows.csv", **columns)
    with (
        (place.folder / "rows.csv").open("rb") as file,
        igzip.open(place.folder / "rows.csv.gz", "wb", 1) as z,
    ):
        shutil.copyfileobj(file, z, 1 << 20)
    more = (
        "--label",
        "y",
        "--static",
        "s",
        "--step-label",
        "z",
        "--keep-row-index",
        "--min-len",
        "20",
        "--dtype",
        "float64",
    )
    same_as_unbounded(place, "group", "rows.csv.gz", "--key", "key", *more)
    output = mapped(place)
    order = np.argsort(keys, kind="stable").reshape(count, -1)
    assert (output.per_step["row_index"].data == order).all()
    assert (output.per_step["step_y"].data == columns["z"][order]).all()
    assert (output.x[:, :, 0] == columns["a"][order]).all()
    assert (output.per_sequence["y"] == np.arange(count) % 3).all()
    assert (output.per_sequence["static"][:, 0] == np.arange(count) % 5).all()


@pytest.mark.slow
def test_group_into_pad_through_a_pipe(place: Place) -> None:
    rows, count, width = 1_200_000, 60_000, 30
    keys, a = shuffled(rows) % count, np.arange(rows)
    columns = {"a": a, "b": small_numbers(rows), **further(rows, width - 2, np.int64)}
    write_parquet(place, "rows.parquet", key=keys, **columns)
    assert rows * width * 8 > allowed(LIMIT)
    group = f"group rows.parquet --key key --ragged -o - --max-memory {LIMIT}"
    pad = f"pad --maxlen 15 --post -o piped.npz --max-memory {LIMIT}"
    seqtool = shlex.join(COMMAND)
    piped = f"{place.launcher('one')} {seqtool} {group} | {place.launcher('two')} {seqtool} {pad}"
    succeeded(place.shell(piped))
    peaks = [place.peak(name) for name in ("one", "two")]
    print("pipe:", [peak / MILLION for peak in peaks])
    assert max(peaks) <= allowed(LIMIT)
    output = mapped(place, "piped.npz")
    order = np.argsort(keys, kind="stable").reshape(count, 20)
    assert (output.x[:, :, 0] == order[:, 5:]).all()
    assert (output.per_sequence["original_lengths"] == 20).all()


# --- pad and info -----------------------------------------------------------------------------------------

DENSE = (125, 1000, 125)  # of float64: 125 MB


@pytest.fixture(scope="module")
def dense(large: Place) -> np.ndarray:
    """A file of 125 MB that takes little room on the disk: few of its cells were ever written."""
    return write_sparse(large.folder / "dense.npy", DENSE, stride=10)


def write_sparse(path: Path, shape: tuple[int, ...], *, stride: int) -> np.ndarray:
    """A file of zeros, but for the last step but one of every so many sequences."""
    array = np.lib.format.open_memmap(path, "w+", np.float64, shape)
    array[::stride, -2] = 1 + np.arange(0, len(array), stride)[:, None]
    array.flush()
    del array
    return np.load(path, mmap_mode="r")


@pytest.mark.slow
def test_pad_of_a_dense_file(place: Place, dense: np.ndarray) -> None:
    streamed(place, "pad", "dense.npy", "--maxlen", "1001", "--post", "-o", "out.npz", of=dense.nbytes)
    output = mapped(place)
    assert output.x.shape == (DENSE[0], 1001, 125)
    assert (output.x[:, 998] == dense[:, 998]).all()
    assert (output.x[::7, :1000] == dense[::7]).all()
    assert not output.x[:, 1000].any()


@pytest.mark.parametrize("how", ["fast", "small"])
@pytest.mark.slow
def test_pad_of_a_dense_file_compressed(place: Place, dense: np.ndarray, how: str) -> None:
    """And of its result, deflated, again."""
    call = ["pad", "dense.npy", "--maxlen", "990", "--compress", how]
    streamed(place, *call, "-o", "packed.npz", of=dense.nbytes)
    streamed(place, "pad", "packed.npz", "--maxlen", "100", "-o", "out.npz", of=dense.nbytes * 99 // 100)
    assert (mapped(place).x[:, 98] == dense[:, 998]).all()
    assert (mapped(place).per_sequence["original_lengths"] == 1000).all()


@pytest.mark.slow
def test_pad_with_strip(place: Place, dense: np.ndarray) -> None:
    call = ["pad", "dense.npy", "--strip", "0", "--maxlen", "50"]
    streamed(place, *call, "-o", "out.npz", of=dense.nbytes)
    output = mapped(place)
    assert (output.lengths == np.where(np.arange(DENSE[0]) % 10 == 0, 50, 0)).all()
    assert (output.x[:, -1] == dense[:, 998]).all()


@pytest.mark.slow
def test_pad_of_sequences_along_the_first_axis_in_fortran_order(place: Place) -> None:
    count, path = 16_000, place.folder / "f.npy"
    array = np.lib.format.open_memmap(path, "w+", np.float64, (count, 50, 20), fortran_order=True)
    array[:, 49, 19] = np.arange(count)
    array.flush()
    streamed(place, "pad", "f.npy", "--maxlen", "10", "-o", "out.npz", of=array.nbytes)
    assert (mapped(place).x[:, 9, 19] == np.arange(count)).all()


@pytest.mark.slow
@pytest.mark.parametrize("shape", [(160_000, 100, 2), (250, 32_000, 4)], ids=["turned", "looked up"])
def test_pad_of_a_time_major_array(place: Place, shape: tuple[int, int, int]) -> None:
    """Few long sequences are turned on the disk; of many short ones some are read at a time."""
    slots, count, _ = shape
    array = np.lib.format.open_memmap(place.folder / "t.npy", "w+", np.float32, shape)
    array[-3:, :, 1] = np.arange(count)
    array.flush()
    call = ["pad", "t.npy", "--time-major", "--maxlen", "10", "--temp-dir", "."]
    streamed(place, *call, "-o", "out.npz", of=array.nbytes)
    assert (mapped(place).x[:, 7:, 1] == np.arange(count)[:, None]).all()
    assert (mapped(place).per_sequence["original_lengths"] == slots).all()


@pytest.mark.slow
def test_pad_and_check_of_frames(place: Place) -> None:
    """Clips of 40 frames of 64 x 64 x 3, all of them different, and one of 2500."""
    steps = np.full(70, 40)
    steps[7] = 2500
    values = np.lib.format.open_memmap(place.folder / "v.npy", "w+", np.uint8, (steps.sum(), 64, 64, 3))
    values[:, 5, 6, 1], values[:, 5, 6, 2] = np.divmod(np.arange(len(values)), 251)
    seqtool.save(place.folder / "r.npz", seqtool.Ragged(values, np.concatenate([[0], np.cumsum(steps)])))
    call = ["pad", "r.npz", "--maxlen", "150", "--post", "--value", "1,2,3"]
    streamed(place, *call, "-o", "out.npz", of=150 * len(steps) * 64 * 64 * 3)
    padded = mapped(place)
    assert (padded.x[8, 40:] == [1, 2, 3]).all()
    assert (padded.x[0, :40, 5, 6, 2] == np.arange(40)).all()
    done = within(place, "check", "out.npz", "--against", "r.npz", most=STREAMED)
    failing = {f["name"]: f["count"] for f in json.loads(done.out)["findings"] if f["verdict"] == "fails"}
    assert failing["shared sequences"] == 69  # all but the one that was cut


@pytest.mark.slow
def test_pad_and_info_of_a_file_of_ours(place: Place) -> None:
    """Ragged, one sequence of which holds half of all steps: stored and deflated; then padded."""
    steps, count = 8 * MILLION, 40
    lengths = np.full(count, steps // 2 // (count - 1))
    lengths[5] = steps - lengths.sum() + lengths[5]
    values = np.repeat(np.arange(steps // 1000, dtype=np.float64), 1000).reshape(-1, 1) + np.zeros(2)
    ragged = seqtool.Ragged(values, np.concatenate([[0], np.cumsum(lengths)]), keys=np.arange(count) * 3)
    seqtool.save(place.folder / "stored.npz", ragged)
    seqtool.save(place.folder / "deflated.npz", ragged, compress="fast")
    last = ragged.offsets[1:] - 1
    call, slots = ("pad", "--maxlen", "300000", "--post", "--truncating", "pre"), 300_000
    streamed(place, *call, "stored.npz", "-o", "out.npz", of=values.nbytes)
    (place.folder / "out.npz").rename(place.folder / "padded.npz")
    output = mapped(place, "padded.npz")
    assert (output.lengths == np.minimum(lengths, slots)).all()
    assert (output.x[np.arange(count), output.lengths - 1] == values[last]).all()
    streamed(place, *call, "deflated.npz", "-o", "out.npz", of=values.nbytes)
    again = mapped(place)
    assert (again.x == output.x).all()
    call = ("pad", "padded.npz", "--pre", "--maxlen", "150000")
    streamed(place, *call, "-o", "out.npz", of=count * slots * 16)
    assert (mapped(place).x[:, -1] == values[last]).all()
    for name in ("stored.npz", "deflated.npz", "padded.npz"):
        done = succeeded(within(place, "info", name, most=STREAMED))
        assert json.loads(done.out)["sequences"]["count"] == count


@pytest.mark.slow
def test_one_padded_sequence_with_half_of_all_steps(place: Place) -> None:
    count, slots, most = 12, 660_000, 300_000
    x = np.zeros((count, slots, 2))
    lengths = np.full(count, slots // (count - 1))
    lengths[3] = slots
    for i, length in enumerate(lengths):
        x[i, :length] = i + 1
    np.savez(place.folder / "foreign.npz", x=x, lengths=lengths)
    streamed(place, "pad", "foreign.npz", "--pre", "--maxlen", str(most), "-o", "out.npz", of=x.nbytes)
    output = mapped(place)
    kept = np.minimum(lengths, most)
    assert (output.lengths == kept).all()
    assert (output.x[:, -1] == x[:, 0]).all()
    assert (output.x.sum(axis=(1, 2)) == kept * 2 * np.arange(1, count + 1)).all()


@pytest.mark.slow
def test_looking_at_files_of_ours_and_foreign_ones(place: Place) -> None:
    """98,000 keys, labels and sequences in three files, one of them compressed: all of each is looked at."""
    count, slots = 98_000, 40
    rng = np.random.default_rng(3)
    lengths = rng.integers(1, slots + 1, count)
    x = rng.integers(1, 1000, (count, slots, 4), dtype=np.int16).astype(np.float64)
    x[np.arange(slots) >= lengths[:, None]] = 0
    names = np.array([f"key {i:07}" for i in range(count)])
    arrays = {"x": x, "lengths": lengths, "keys": names, "y": rng.integers(0, 5, count)}
    np.savez(place.folder / "foreign.npz", **arrays)
    assert x.nbytes > STREAMED
    del x, arrays
    succeeded(place.process("pad", "foreign.npz", "--post", "--min-len", "3", "-o", "ours.npz", "-q"))
    succeeded(place.process("pad", "ours.npz", "--ragged", "--compress", "fast", "-o", "ragged.npz", "-q"))
    kept = int((lengths >= 3).sum())
    for call, failing in (
        (("check", "foreign.npz", "--for", "torch"), {}),
        (("check", "ours.npz", "--for", "keras-cudnn"), {}),
        (("check", "ragged.npz", "--for", "torch"), {}),
        (("check", "ours.npz", "--against", "foreign.npz"), {"shared keys": kept, "shared sequences": kept}),
        (("plan", "ours.npz"), None),
    ):
        facts = json.loads(within(place, *call, most=STREAMED).out)
        if failing is not None:
            found = {f["name"]: f["count"] for f in facts["findings"] if f["verdict"] == "fails"}
            assert found == failing


@pytest.mark.slow
def test_unpad_in_the_order_of_the_rows(place: Place) -> None:
    rows, width = 450_000, 80  # 290 MB
    values = np.random.default_rng(0).integers(0, 99, (rows, width)).astype(np.float64)
    offsets = np.arange(0, rows + 1, 100)
    order = shuffled(rows)
    index = {"row_index": StepArray(order, -1)}
    seqtool.save(place.folder / "in.npz", seqtool.Ragged(values, offsets, per_step=index))
    bounded(place, "unpad", "in.npz", "-o", "rows.parquet", of=values.nbytes)
    found = parquet.ParquetFile(place.folder / "rows.parquet")
    assert found.metadata.num_rows == rows
    step = np.argsort(order)
    begin = 0
    for batch in found.iter_batches(columns=["sequence", "x_7", "row_index"]):
        part = step[begin : begin + len(batch)]
        assert (np.asarray(batch["row_index"]) == np.arange(begin, begin + len(batch))).all()
        assert (np.asarray(batch["x_7"]) == values[part, 7]).all()
        assert (np.asarray(batch["sequence"]) == part // 100).all()
        begin += len(batch)


# --- filter -----------------------------------------------------------------------------------------------


@pytest.mark.slow
def test_filter_of_many_sequences(place: Place) -> None:
    """A quarter of 540,000, by their keys and by chance."""
    count, sample = 540_000, 135_000
    x = np.arange(count * 60, dtype=np.float32)
    seqtool.save(
        place.folder / "in.npz",
        seqtool.Ragged(x, np.arange(count + 1) * 60, keys=np.char.add("k", np.arange(count).astype("U7"))),
    )
    call = ["filter", "in.npz", "--where", "key < k5", "--sample", str(sample)]
    streamed(place, *call, "-o", "out.npz", of=x.nbytes)
    keys = mapped(place).keys[:]
    assert len(keys) == sample
    assert (keys < "k5").all()


# --- windows ----------------------------------------------------------------------------------------------


@pytest.mark.slow
def test_windows_of_many_sequences(place: Place) -> None:
    """An output of 130 MB, of which each window has a key, a part and labels of its own."""
    count, length = 53_000, 100
    values = np.lib.format.open_memmap(place.folder / "in.npy", "w+", np.float32, (count, length))
    values[:] = np.arange(count)[:, None] % 1000 + np.arange(length) / 128
    call = ["--size", "12", "--stride", "4", "--horizon", "1", "--next", "--rate", "2"]
    succeeded(within(place, "window", "in.npy", *call, "-o", "out.npz", most=STREAMED))
    assert (place.folder / "out.npz").stat().st_size > STREAMED
    output = mapped(place)
    windows = (length - 23 - 1) // 4 + 1
    assert output.x.shape == (count * windows, 12)
    assert (output.keys == np.repeat(np.arange(count), windows)).all()
    assert (output.per_sequence["part"] == np.tile(np.arange(windows) * 4, count)).all()
    assert (output.per_sequence["y"][:, 0] - output.x[:, 11] == 1 / 128).all()


@pytest.mark.slow
def test_apply_to_many_rows(place: Place) -> None:
    rows, count, width = 1_200_000, 100_000, 52
    keys = shuffled(rows) % count
    columns = {**further(rows, width), "f3": small_numbers(rows).astype(np.float32)}
    of = write_parquet(place, "rows.parquet", key=keys, **columns)
    write_parquet(place, "few.parquet", key=keys[:1000], **{name: f[:1000] for name, f in columns.items()})
    succeeded(place.run("group", "few.parquet", "--key", "key", "--maxlen", "12", "-o", "few.npz", "-q"))
    succeeded(place.run("scale", "few.npz", "--method", "standard", "-o", "train.npz", "-q"))
    bounded(place, "apply", "train.npz", "rows.parquet", "-o", "out.npz", of=of)
    output = mapped(place)
    assert output.x.shape == (count, 12, width)
    state = output.receipt[1]["state"]
    order = np.argsort(keys, kind="stable")
    scaled = (columns["f3"][order].astype(np.float64) - state["center"][3]) / state["scale"][3]
    assert np.allclose(output.x[:, :, 3].reshape(-1), scaled, rtol=1e-6, atol=1e-6)


# --- refusals ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize("command", ["group", "pad", "info"])
def test_too_little_memory(small: Place, command: str) -> None:
    small.write("a.csv", "k,a\n1,2\n")
    small.write("a.npy", np.ones((2, 3)))
    source = ("a.csv", "--key", "k") if command == "group" else ("a.npy",)
    before = small.files()
    for size in ("100M", "255.9M", "0", "1"):
        done = small.run(command, *source, "--max-memory", size)
        assert done.code == 2
        assert done.err.startswith("seqtool: error: --max-memory")
        assert "--max-memory 256M" in done.err
        assert done.err.count("\n") == 1
    assert small.files() == before


@pytest.mark.parametrize("size", ["", "M", "-1G", "1X", "1e9", "one", "1 0 0M", "nan", "infG"])
def test_sizes_that_are_none(small: Place, size: str) -> None:
    small.write("a.npy", np.ones((2, 3)))
    done = small.run("pad", "a.npy", "--max-memory", size)
    assert done.code == 2
    assert f"--max-memory is {size!r}; a size such as 500M or 2G was expected" in done.err


@pytest.mark.parametrize("size", ["256M", "256000000", "0.3g", "1 GiB", "2tb"])
def test_sizes_that_are_some(small: Place, size: str) -> None:
    small.write("a.npy", np.ones((2, 3)))
    succeeded(small.run("pad", "a.npy", "--max-memory", size, "-o", "out.npz"))


@pytest.mark.slow
def test_too_little_memory_for_so_many_columns(small: Place) -> None:
    """The error says how much is needed, and that is enough."""
    names = ",".join(f"c{i}" for i in range(8_000))
    small.write("a.csv", f"{names}\n" + ",".join(["1"] * 8_000) + "\n")
    done = small.run("group", "a.csv", "--key", "c0", "--max-memory", "256M", "-o", "out.npz")
    assert done.code == 2
    assert "too little for 8,000 columns" in done.err
    needed = done.err.split("--max-memory ")[-1].strip()
    assert not (small.folder / "out.npz").exists()
    succeeded(small.run("group", "a.csv", "--key", "c0", "--max-memory", needed, "-o", "out.npz"))


@pytest.mark.parametrize("command", ["group", "pad", "info"])
def test_a_temporary_folder_that_is_none(small: Place, command: str) -> None:
    small.write("a.csv", "k,a\n1,2\n")
    small.write("a.npy", np.ones((2, 3)))
    source = ("a.csv", "--key", "k") if command == "group" else ("a.npy",)
    for name in ("missing", "a.csv"):
        done = small.run(command, *source, "--temp-dir", name)
        assert done.code in (1, 2)
        assert f"--temp-dir {name}: no such folder" in done.err
    assert {*small.files()} == {"a.csv", "a.npy"}


def test_the_environment_names_memory_and_folder_where_the_options_do_not(small: Place) -> None:
    small.write("a.csv", "k,a\n1,2\n")
    call = ["group", "a.csv", "--key", "k", "-o", "out.npz"]
    for message in ("5M", "much"):
        done = small.run(*call, environment={"SEQTOOL_MAX_MEMORY": message})
        assert done.code == 2
        assert re.search(rf"SEQTOOL_MAX_MEMORY is '?{message}'?; ", done.err)
        succeeded(small.run(*call, "--max-memory", "256M", environment={"SEQTOOL_MAX_MEMORY": message}))
    done = small.run(*call, environment={"SEQTOOL_TEMP_DIR": "missing"})
    assert done.code == 1
    assert "SEQTOOL_TEMP_DIR=missing: no such folder" in done.err
    succeeded(small.run(*call, "--temp-dir", ".", environment={"SEQTOOL_TEMP_DIR": "missing"}))
    succeeded(small.run(*call, environment={"SEQTOOL_MAX_MEMORY": "", "SEQTOOL_TEMP_DIR": ""}))
    succeeded(small.run(*call, environment={"SEQTOOL_MAX_MEMORY": "300M", "SEQTOOL_TEMP_DIR": "."}))
    assert {*small.files()} == {"a.csv", "out.npz"}


# --- shards -----------------------------------------------------------------------------------------------


@pytest.mark.slow
def test_shards_of_many_rows_half_of_which_have_one_key(place: Place) -> None:
    rows, random = 1_850_000, np.random.default_rng(6)
    keys = random.integers(0, rows // 50, rows)
    keys[random.random(rows) < 0.5] = 7
    columns = {"v": random.normal(size=rows).astype(np.float32), **further(rows, 32)}
    of = write_parquet(place, "rows.parquet", key=keys, t=random.integers(0, 10**9, rows), **columns)
    call = ["group", "rows.parquet", "--key", "key", "--order-by", "t", "--shards", "16"]
    try:
        bounded(place, *call, "-o", "least/", of=of, limit="160M")
        succeeded(place.process(*call, "-o", "free/", "-q"))
        names = sorted(path.name for path in (place.folder / "least").iterdir())
        assert len(names) == 17
        same, different, failed = filecmp.cmpfiles(
            place.folder / "least", place.folder / "free", names, shallow=False
        )
        assert (sorted(same), different, failed) == (names, [], [])
    finally:
        for name in ("least", "free"):
            shutil.rmtree(place.folder / name, ignore_errors=True)


# --- many cores -------------------------------------------------------------------------------------------

MANY = """
import os
os.sched_getaffinity = lambda _: set(range(128))
os.cpu_count = lambda: 128
from seqtool.__main__ import main
main()
"""


@pytest.mark.slow
def test_three_hundred_columns_of_large_pages(place: Place) -> None:
    """Each column that is read has a page of a megabyte in memory, as it is stored and unpacked."""
    rows, width = 170_000, 300
    keys = small_numbers(rows)
    columns = {f"f{i}": np.arange(rows) / (i + 2) for i in range(width)}
    table = pa.table({"key": keys, **columns})
    # As it is by default, packed and with dictionaries: the pages of all columns together take a gigabyte.
    parquet.write_table(table, place.folder / "rows.parquet", row_group_size=rows)
    call = ["rows.parquet", "--key", "key", "--ragged", "--dtype", "float32"]
    bounded(place, "group", *call, "-o", "out.npz", of=held(table), limit=LEAST)
    output = mapped(place)
    order = np.argsort(keys, kind="stable")
    for i in (0, 17, width - 1):
        assert (output.values[:, i] == columns[f"f{i}"][order].astype(np.float32)).all()


@pytest.mark.slow
def test_a_wide_table_on_128_cores(place: Place) -> None:
    """Rows are read, and deflated, by no more threads than there is memory for."""
    rows, columns = 40_000, 300
    digits = np.random.default_rng(0).integers(0, 10, (rows, columns), dtype=np.uint8)
    write_digits(place.folder / "wide.csv", shuffled(rows) % 5000, np.arange(rows), digits)
    place.write("many.py", MANY)
    grouped = ["group", "wide.csv", "--key", "key", "--order-by", "time"]
    for call in (grouped, ["pad", "many-group.npz", "--compress", "fast"]):
        more = ["--max-memory", LEAST, "-q"]
        many = shlex.join([sys.executable, "many.py", *call, *more, "-o", f"many-{call[0]}.npz"])
        succeeded(place.shell(f"{place.launcher('many')} {many}"))
        print(f"{call[0]}: {place.peak('many') / MILLION:.0f} MB")
        assert place.peak("many") <= allowed(LEAST)
        succeeded(place.run(*call, *more, "-o", "few.npz"))
        assert filecmp.cmp(place.folder / f"many-{call[0]}.npz", place.folder / "few.npz", shallow=False)


# --- large files ------------------------------------------------------------------------------------------


@pytest.mark.slow
def test_an_output_of_more_than_4_gb(place: Place) -> None:
    """Its members stand behind 4 GB, or are larger: NumPy and zipfile open it all the same."""
    x = np.arange(2 * 3 * 4, dtype=np.float64).reshape(2, 3, 4)
    place.write("a.npy", x)
    maxlen = 68 * MILLION
    size = 2 * maxlen * 4 * 8
    assert size > 4.3e9
    if shutil.disk_usage(place.folder).free < size + 2 * 10**9:
        pytest.skip("the disk has no room for a file of 4.3 GB")
    streamed(place, "pad", "a.npy", "--maxlen", str(maxlen), "--post", "--mask", "-o", "out.npz", of=size)
    path = place.folder / "out.npz"
    assert path.stat().st_size > size
    with np.load(path) as archive:
        assert {*archive} == {"x", "mask", "lengths", "meta"}
        assert archive["lengths"].tolist() == [3, 3]
        assert json.loads(str(archive["meta"]))["padding"] == "post"
    output = mapped(place)
    assert output.x.shape == (2, maxlen, 4)
    assert (output.x[:, :3] == x).all()
    assert not output.x[:, [3, maxlen // 2, maxlen - 1]].any()
    with zipfile.ZipFile(path) as archive, archive.open("x.npy") as member:
        assert np.lib.format.read_magic(member) == (1, 0)
        assert np.lib.format.read_array_header_1_0(member) == ((2, maxlen, 4), False, np.dtype("float64"))
        assert (np.frombuffer(member.read(3 * 4 * 8)).reshape(3, 4) == x[0]).all()
        assert archive.getinfo("x.npy").file_size == size + 128
        assert archive.getinfo("mask.npy").header_offset > 1 << 32


# --- operations -------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def steps(large: Place) -> np.ndarray:
    """Five features of 128 MB, in sequences one of which is longer than memory holds, and their values."""
    random, count, long = np.random.default_rng(3), 3_200_000, 2_700_000
    values = random.normal(size=(count, 5))
    values[random.integers(0, count, count // 10)] = np.nan
    offsets = np.array([0, 10, long, *range(long + 50, count + 1, 50)])
    np.savez(large.folder / "steps.npz", values=values, offsets=offsets)
    return values


@pytest.mark.slow
def test_scaling_of_long_sequences(place: Place, steps: np.ndarray) -> None:
    streamed(place, "scale", "steps.npz", "--method", "robust", "-o", "out.npz", of=steps.nbytes)
    streamed(place, "scale", "steps.npz", "--method", "standard", "-o", "out.npz", of=steps.nbytes)
    column = steps[:, 2]
    expected = (column - np.nanmean(column)) / np.nanstd(column)
    np.testing.assert_allclose(mapped(place).values[:, 2], expected, rtol=1e-5, atol=1e-5)


@pytest.mark.slow
def test_filling_of_long_sequences(place: Place, steps: np.ndarray) -> None:
    call = ["fill", "steps.npz", "--method", "forward,median", "--indicator"]
    streamed(place, *call, "-o", "out.npz", of=steps.nbytes)
    output = mapped(place)
    assert not np.isnan(output.values).any()
    seen = ~np.isnan(steps[:, 0])
    assert (output.values[seen] == steps[seen]).all()
    assert (output.per_step["observed"].data[:, 0] == seen).all()
    call = ["fill", "steps.npz", "--method", "linear,zero"]
    streamed(place, *call, "-o", "out.npz", of=steps.nbytes)


@pytest.mark.slow
def test_splits_of_many_sequences_and_of_their_times(place: Place) -> None:
    """130 MB of steps in 51,000 sequences, each of 20 times."""
    count, length = 51_000, 20
    random, total = np.random.default_rng(4), count * length
    ragged = seqtool.Ragged(
        random.normal(size=(total, 16)),
        np.arange(0, total + 1, length),
        keys=np.arange(count),
        per_step={"order": StepArray(np.tile(np.arange(length), count), 0)},
        names={"order_columns": np.array(["t"]), "order_units": np.array([""])},
    )
    seqtool.save(place.folder / "timed.npz", ragged)

    def call(*arguments: str) -> None:
        streamed(place, *arguments, of=ragged.values.nbytes)

    call("split", "timed.npz", "--val", "0.1", "--test", "0.2", "-o", "out.npz")
    names = np.asarray(mapped(place).per_sequence["split"])
    assert [(names == name).sum() / count for name in ("train", "val", "test")] == [0.7, 0.1, 0.2]
    call("split", "timed.npz", "--test", "0.5", "-o", "part-{split}.npz")
    assert len(mapped(place, "part-test.npz")) == count / 2
    call("split", "timed.npz", "--at", "15", "--context", "-o", "out.npz")
    assert (np.asarray(mapped(place).lengths).reshape(count, 2) == [15, 20]).all()
    last = ["split", "timed.npz", "--last", "2", "--target", "0"]
    succeeded(within(place, *last, "-o", "out.npz", most=PYTHON))
    call("truncate", "timed.npz", "--within", "7", "--of", "end", "-o", "out.npz")
    assert (np.asarray(mapped(place).lengths) == 8).all()


def users(count: int) -> seqtool.Ragged:
    """So many sequences of 50 steps of 16 features on average, with labels of them and of their steps."""
    rng = np.random.default_rng(0)
    lengths = rng.integers(20, 80, count)
    steps = int(lengths.sum())
    return seqtool.Ragged(
        rng.integers(0, 1000, (steps, 16)).astype(np.float64),
        np.concatenate([[0], np.cumsum(lengths)]),
        keys=np.array([f"user {i}" for i in range(count)]),
        features=tuple(f"f{i}" for i in range(16)),
        per_sequence={"y": rng.integers(0, 5, count)},
        per_step={"step_y": StepArray(rng.integers(0, 9, steps), -100)},
    )


@pytest.mark.slow
def test_formats_out_and_back(place: Place) -> None:
    """Of numbers as text there are fewer: in Python each takes 32 bytes."""
    count = 20_000
    many, fewer, few = users(46_000), users(count), users(11_500)
    for name, ragged in (("many", many), ("fewer", fewer), ("few", few)):
        seqtool.save(place.folder / f"{name}.npz", ragged)
    for name, source, call, of in (
        ("rows.parquet", "many.npz", bounded, many.values.nbytes),
        ("rows.arrow", "many.npz", bounded, many.values.nbytes),
        ("rows.jsonl", "few.npz", bounded, 32 * few.values.size),
        ("rows.safetensors", "fewer.npz", streamed, fewer.values.nbytes),
        ("rows/", "fewer.npz", streamed, fewer.values.nbytes),
    ):
        call(place, "convert", source, "-o", name, of=of)
        call(place, "convert", name, "-o", "out.npz", of=of)
        assert filecmp.cmp(place.folder / source, place.folder / "out.npz", shallow=False)
    shutil.rmtree(place.folder / "rows")
    other = fewer.replace(keys=np.array([f"other {i}" for i in range(count)]))
    seqtool.save(place.folder / "other.npz", other)
    files = ["fewer.npz", "other.npz", "rows.parquet", "--on-clash", "first"]
    bounded(place, "concat", *files, "-o", "out.npz", of=2 * fewer.values.nbytes + many.values.nbytes)
    output = mapped(place)
    assert output.keys[count : count + 1][0] == "other 0"
    expected = [fewer.lengths, fewer.lengths, many.lengths[count:]]
    assert (output.lengths == np.concatenate(expected)).all()


@pytest.mark.slow
def test_categories_of_many_names(place: Place) -> None:
    rows, count = 1_350_000, 675_000
    codes = np.random.default_rng(5).integers(0, count, rows)
    names = pa.array([f"item-{code:07d}" for code in range(count)]).take(pa.array(codes))
    write_parquet(place, "rows.parquet", key=small_numbers(rows), item=names, time=np.arange(rows))
    call = ["rows.parquet", "--key", "key", "--order-by", "time", "--category", "item", "--ragged"]
    same_as_unbounded(place, "group", *call)
    (place.folder / "out.npz").rename(place.folder / "ids.npz")
    order = np.argsort(small_numbers(rows), kind="stable")
    seen = np.unique(codes)
    assert (mapped(place, "ids.npz").values == np.searchsorted(seen, codes[order]) + 3).all()
    succeeded(within(place, "encode", "ids.npz", "--min-count", "3", "-o", "out.npz"))
    counts = np.bincount(codes, minlength=count)
    by_count = np.argsort(-counts, kind="stable")[: int((counts >= 3).sum())]
    expected = np.full(count, 2)
    expected[by_count] = np.arange(3, 3 + len(by_count))
    assert (mapped(place).values == expected[codes[order]]).all()


@pytest.mark.slow
def test_texts_of_many_words(place: Place) -> None:
    rows, count = 1_800_000, 900_000
    codes = np.random.default_rng(6).integers(0, count, rows)
    words = np.array([f"word-{code:07d}" for code in range(count)])
    with (place.folder / "notes.txt").open("w") as file:
        for line in np.split(codes, 18_000):
            file.write(" ".join(words[line].tolist()) + "\n")
    same_as_unbounded(place, "pad", "notes.txt", "--category", "word", "--ragged")
    output, seen = mapped(place), np.unique(codes)
    assert (output.values == np.searchsorted(seen, codes) + 3).all()
    assert (output.lengths == 100).all()
