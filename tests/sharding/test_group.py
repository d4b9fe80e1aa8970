"""Shards hold what `group` without them holds, whatever the table, its files, and the engine."""

import errno
import os
from collections.abc import Callable, Iterator
from itertools import chain

import pytest
from hypothesis import given
from hypothesis import strategies as st

import seqtool
from seqtool.errors import DataError
from seqtool.sharding.engine import EncodeFunction, WriteFunction
from seqtool.sharding.local import Local
from tests.command import Place, succeeded
from tests.oracles import by_key
from tests.sharding.data_sets import (
    NUMBER_KEYS,
    TEXT_KEYS,
    Row,
    files_of,
    into_shards,
    shards_are_those_of_one_file,
    tables,
)
from tests.sharding.engines import content, grouped, same_through, scheduler

ORDERED = [
    ["--gap", "3"],
    ["--keep-order"],
    ["--delta", "t"],
    ["--every", "2", "--agg", "last"],
    ["--gap", "2", "--keep-row-index", "--min-len", "2"],
]
FREE = [
    ["--label", "lab"],
    ["--static", "s"],
    ["--label", "lab", "--static", "s"],
    ["--category", "c"],
    ["--step-label", "c"],
    ["--where", "a > 0"],
    ["--min-len", "2"],
    ["--keep-row-index"],
    ["--position"],
    ["--dtype", "float64"],
]


@st.composite
def calls(draw: st.DrawFn) -> tuple[list[Row], list[str], int, int]:
    """A table, options, shards, and how many columns of a key are hashed."""
    rows = draw(tables(draw(st.sampled_from([TEXT_KEYS, NUMBER_KEYS]))))
    empty = draw(st.sampled_from([None, "drop", "keep", "error"]))
    if empty is not None:
        rows[draw(st.integers(0, len(rows) - 1))] |= {"k": "", "s": "0", "lab": "of none"}
    options = draw(st.sampled_from([["--key", "k"], ["--key", "k"], ["--key", "k,m"], ["--no-key"]]))
    hashed = options[-1].count(",") + 1 if options[0] == "--key" else 0
    options = [*options, *(["--empty-key", empty] if empty and hashed else [])]
    ordered = draw(
        st.sampled_from([[], ["--order-by", "t"], *(["--order-by", "t", *one] for one in ORDERED)])
    )
    free = [one for one in FREE if not {*one} & {*ordered}]
    taken = draw(st.lists(st.sampled_from(free), max_size=2, unique_by=lambda one: one[0]))
    return (
        rows,
        [*options, *ordered, "--columns", "a,b", *chain.from_iterable(taken)],
        draw(st.integers(1, 6)),
        hashed,
    )


@pytest.fixture(scope="module")
def module_place(tmp_path_factory: pytest.TempPathFactory) -> Place:
    return Place(tmp_path_factory.mktemp("shards"))


@given(calls(), st.integers(1, 3), st.sampled_from([".csv", ".csv.gz", ".parquet"]))
def test_shards_hold_what_one_file_holds(
    module_place: Place, call: tuple[list[Row], list[str], int, int], files: int, suffix: str
) -> None:
    rows, options, shards, hashed = call
    names = files_of(module_place, rows, files=files, suffix=suffix)
    shards_are_those_of_one_file(module_place, names, options, shards, hashed)


def test_long_tables_and_several_options_at_once(place: Place) -> None:
    long = [f"{i % 5},{i % 7},{'ab'[i % 2]},{i}" for i in range(60)]
    for number in range(3):
        place.write(f"l{number}.csv", "k,t,item,v\n" + "\n".join(long[number * 20 :][:20]) + "\n")
    names = [f"l{number}.csv" for number in range(3)]
    for more in (["--min-len", "2"], ["--gap", "3", "--min-len", "2"], ["--columns", "b"]):
        options = ["--key", "k", "--order-by", "t", "--pivot", "item=v", *more]
        assert shards_are_those_of_one_file(place, names, options, 4)


def test_memory_threads_and_cuts_of_files_change_no_byte(place: Place) -> None:
    rows = [f"u{i * 7 % 100},{i % 11},{i}.5" for i in range(15_000)]
    place.write("a.csv", "k,t,x\n" + "\n".join(rows) + "\n")
    for number in range(3):
        place.write(f"p{number}.csv", "k,t,x\n" + "\n".join(rows[number * 5_000 :][:5_000]) + "\n")
    options = ["--key", "k", "--order-by", "t"]
    for out, names, more in (
        ("whole", ["a.csv"], []),
        ("little", ["a.csv"], ["--max-memory", "256M"]),
        ("cut", ["p0.csv", "p1.csv", "p2.csv"], []),
    ):
        succeeded(into_shards(place, out, names, [*options, *more], 5))
    whole, little, cut = (content(place.folder / out) for out in ("whole", "little", "cut"))
    assert little == whole
    assert [seqtool.load(str(place.folder / out)).values.shape for out in ("whole", "cut")] == [
        (15_000, 1)
    ] * 2
    # The inputs are named in the receipt, which is all that may differ.
    for name in {*cut} - {"manifest.json"}:
        number = name.split("-")[1]
        other = next(one for one in whole if one.split("-")[1:2] == [number])
        one, two = (seqtool.load(str(place.folder / out / n)) for out, n in (("cut", name), ("whole", other)))
        assert by_key(one) == by_key(two)


BAD = {
    "a bad cell": ("7,x\n", ["--key", "k"]),
    "a bad order": ("7,1\n", ["--key", "k", "--order-by", "t"]),
    "a short row": ("7\n", ["--key", "k"]),
    "an empty key": (",1\n", ["--key", "k"]),
    "a label that changes": ("7,2\n", ["--key", "k", "--label", "x"]),
}


@pytest.mark.thinned
@pytest.mark.parametrize("engine", ["local", "dask"])
@pytest.mark.parametrize("bad", BAD)
def test_an_error_in_file_7_of_9_is_that_of_one_file(bad: str, engine: str, place: Place) -> None:
    row, options = BAD[bad]
    ordered = "--order-by" in options
    header, good = ("k,x,t\n", "7,1,5\n8,1,6\n") if ordered else ("k,x,z\n", "7,1,5\n8,1,6\n")
    row = (
        row.replace("\n", ",never\n")
        if ordered
        else row.replace("\n", ",5\n")
        if bad != "a short row"
        else row
    )
    names = [f"f{number}.csv" for number in range(1, 10)]
    for number, name in enumerate(names, 1):
        place.write(name, header + good + (row if number == 7 else ""))
    more = [] if engine == "local" else ["--engine", "dask", "--scheduler", scheduler()]
    one = place.run("group", *names, *options, "--ragged", "-o", "one.npz")
    many = place.run("group", *names, *options, *more, "--shards", "4", "-o", "out/")
    assert one.code == 1
    assert "f7.csv" in one.err or bad in ("an empty key", "a label that changes")
    assert (many.code, many.err) == (one.code, one.err)
    assert not (place.folder / "out").exists()
    assert place.left_behind() == []


@pytest.mark.thinned
@pytest.mark.parametrize(
    "options",
    [["--key", "k,m", "--order-by", "t", "--label", "lab", "--category", "c", "--static", "s"], ["--no-key"]],
)
@pytest.mark.parametrize("suffix", [".csv.gz", ".parquet"])
def test_dask_writes_the_same_bytes(options: list[str], suffix: str, place: Place) -> None:
    rows = [
        {"k": TEXT_KEYS[i % 9], "m": "xy"[i % 2], "t": str(i * 7 % 5), "a": f"{i}.5", "b": str(-i)}
        | {"s": str(i % 9), "lab": f"l{i % 9 % 4}", "c": "a\nb" if i % 3 else ""}
        for i in range(80)
    ]
    names = files_of(place, rows, files=3, suffix=suffix)
    options = [*options, "--columns", "a,b"]
    local = shards_are_those_of_one_file(
        place, names, options, 5, options[1].count(",") + 1 if "--key" in options else 0
    )
    assert local is not None
    same_through(place, names, options, 5, local, "--engine", "dask", "--scheduler", scheduler())


class Meddling(Local):
    """One process, in which something happens between the passes."""

    def __init__(self, happen: Callable[[], object]) -> None:
        self._happen = happen

    def shuffle(self, encode: EncodeFunction, count: int, write: WriteFunction, shards: int) -> list[bytes]:
        self._happen()
        return super().shuffle(encode, count, write, shards)


def test_an_input_that_changes_between_the_passes_is_an_error(two_files: Place) -> None:
    engine = Meddling(lambda: two_files.write("b.csv", "k,x\n1,1\n"))
    with pytest.raises(DataError, match=r"b\.csv: changed while it was read"):
        grouped(two_files, engine)
    assert not (two_files.folder / "out").exists()


def test_a_job_that_fails_leaves_the_data_set_before_it_whole(two_files: Place) -> None:
    grouped(two_files, Local())
    before = content(two_files.folder / "out")
    two_files.write("b.csv", "k,x\n3,4\n")

    class Failing(Local):
        def shuffle(
            self, encode: EncodeFunction, count: int, write: WriteFunction, shards: int
        ) -> list[bytes]:
            super().shuffle(encode, count, write, shards)  # all shards stand there when it fails
            raise DataError("the cluster is gone")

    with pytest.raises(DataError, match="the cluster is gone"):
        grouped(two_files, Failing(), force=True)
    assert content(two_files.folder / "out") == before
    with pytest.raises(DataError, match="holds a data set; to replace it: --force"):
        grouped(two_files, Local())
    assert len(grouped(two_files, Local(), force=True).values) == 41


def test_a_reader_sees_the_data_set_before_until_the_new_one_is_whole(two_files: Place) -> None:
    grouped(two_files, Local())
    seen: list[int] = []

    class Watched(Local):
        def shuffle(
            self, encode: EncodeFunction, count: int, write: WriteFunction, shards: int
        ) -> list[bytes]:
            results = super().shuffle(encode, count, write, shards)
            seen.append(int(seqtool.load(str(two_files.folder / "out")).values[:].sum()))
            return results

    two_files.write("b.csv", "k,x\n3,4\n")
    grouped(two_files, Watched(), force=True)
    assert seen == [2 * sum(range(40))]
    assert seqtool.load(str(two_files.folder / "out")).values[:].sum() == sum(range(40)) + 4


def test_a_second_attempt_at_shards_leaves_the_same_files_and_nothing_else(two_files: Place) -> None:
    class Twice(Local):
        def shuffle(
            self, encode: EncodeFunction, count: int, write: WriteFunction, shards: int
        ) -> list[bytes]:
            first = super().shuffle(encode, count, write, shards)
            files = content(two_files.folder / "out")
            (two_files.folder / "out" / ".seqtool-of-a-lost-attempt.tmp").write_bytes(b"half")
            assert super().shuffle(encode, count, write, shards) == first
            found = content(two_files.folder / "out")
            del found[".seqtool-of-a-lost-attempt.tmp"]
            assert found == files
            return first

    grouped(two_files, Twice())
    grouped(two_files, Local(), "once")
    assert content(two_files.folder / "out") == content(two_files.folder / "once")


def test_a_shard_that_came_twice_or_without_some_rows_is_no_data_set(two_files: Place) -> None:
    class Doubled(Local):
        def shuffle(
            self, encode: EncodeFunction, count: int, write: WriteFunction, shards: int
        ) -> list[bytes]:
            return super().shuffle(encode, count, write, shards) * 2

    class Losing(Local):
        def shuffle(
            self, encode: EncodeFunction, count: int, write: WriteFunction, shards: int
        ) -> list[bytes]:
            return super().shuffle(encode, count - 1, write, shards)

    for engine in (Doubled(), Losing()):
        with pytest.raises(AssertionError, match=r"written twice|arrived there"):
            grouped(two_files, engine)
        assert not (two_files.folder / "out").exists()


def test_a_worker_with_another_version_is_told(two_files: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    class Other(Local):
        def each(self, task: Callable[[int], bytes], count: int) -> Iterator[bytes]:
            monkeypatch.setattr("seqtool.sharding.job._version", lambda: "9.9")
            return super().each(task, count)

    with pytest.raises(
        DataError, match=r"a worker has seqtool 9\.9, and this is .*: install the same on both"
    ):
        grouped(two_files, Other())


def test_a_full_disk_of_a_worker_is_told(two_files: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_: object) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr("os.fsync", full)
    with pytest.raises(DataError, match=r"out/: .*no room|out/: .*space|out/: .*full"):
        grouped(two_files, Local())
    assert not (two_files.folder / "out").exists()


def test_of_many_columns_few_rows_are_sorted_together(place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    """What many columns and threads take leaves hardly any memory for rows."""
    monkeypatch.setattr("seqtool.system.memory.cpu_count", lambda: 8)
    names = ",".join(f"c{i}" for i in range(800))
    rows = "".join(f"{i % 3}{f',{i}' * 800}\n" for i in range(20))
    place.write("a.csv", f"k,{names}\n{rows}")
    call = ["group", "a.csv", "--key", "k", "--max-memory", "256M", "--shards", "1", "-o", "o/"]
    succeeded(place.run(*call))
    found = seqtool.load(place.folder / "o").values[:]
    assert (found == found[:, :1]).all()
    assert found[:, 0].tolist() == [*range(0, 20, 3), *range(1, 20, 3), *range(2, 20, 3)]
