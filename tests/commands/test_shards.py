"""`group --shards` and `--engine`: what the command line refuses, and what it says."""

from __future__ import annotations

import json

import pytest

from tests.command import Place, succeeded

ROWS = "user,time,a\n" + "".join(f"u{i % 7},{i},{i}.5\n" for i in range(50))
CALL = ("group", "rows.csv", "--key", "user", "--order-by", "time")


@pytest.fixture
def rows(place: Place) -> Place:
    place.write("rows.csv", ROWS)
    return place


@pytest.mark.parametrize(
    ("more", "message"),
    [
        (["--shards", "3"], "--shards writes a folder of files; name it: -o NAME/"),
        (["--shards", "3", "-o", "x.npz"], "--shards writes a folder"),
        (["--engine", "dask"], "--engine writes a folder"),
        (["--shards", "3", "-o", "x/", "--maxlen", "4"], "leave --maxlen out"),
        (["--shards", "3", "-o", "x/", "--pre", "--mask"], "leave --pre and --mask out"),
        (["--engine", "none", "-o", "x/"], "--engine is 'none'; local, spark or dask was expected"),
        (["--master", "local", "-o", "x/"], "--master is for Spark, which this call does not name"),
        (["--conf", "a=1", "--engine", "dask", "-o", "x/"], "--conf is for Spark"),
        (["--conf", "a", "--engine", "spark", "-o", "x/"], "--conf is 'a'; KEY=VALUE was expected"),
        (["--scheduler", "tcp://h:1", "--shards", "2", "-o", "x/"], "--scheduler is for Dask"),
        (["--engine", "spark", "--master", "a", "--remote", "b", "-o", "x/"], "leave --master out, or leave"),
        (["--shards", "0", "-o", "x/"], "--shards"),
    ],
)
def test_what_the_call_shows_is_refused(rows: Place, more: list[str], message: str) -> None:
    done = rows.run(*CALL, *more)
    assert done.code == 2
    assert message in done.err
    assert not (rows.folder / "x").exists()


def test_engines_read_files(rows: Place) -> None:
    done = rows.run("group", "--key", "user", "--engine", "dask", "-o", "x/", stdin=ROWS.encode())
    assert done.code == 2
    assert "--engine dask reads files, and standard input is none" in done.err


def test_standard_input_goes_to_shards_here(rows: Place) -> None:
    succeeded(rows.run("group", "--key", "user", "--shards", "3", "-o", "x/", stdin=ROWS.encode()))
    succeeded(rows.run("check", "x"))


def test_labels_of_other_tables_are_refused(rows: Place) -> None:
    rows.write("labels.csv", "user,died\n" + "".join(f"u{i},no\n" for i in range(7)))
    done = rows.run(*CALL, "--label", "labels.csv:died", "--shards", "3", "-o", "x/")
    assert done.code == 2
    assert "join the other table first" in done.err


def test_a_dry_run_tells_the_rows_of_each_shard_and_writes_nothing(rows: Place) -> None:
    done = succeeded(rows.run(*CALL, "--shards", "3", "-o", "x/", "--dry-run", "--json"))
    facts = json.loads(done.err)
    assert sum(facts["of_shards"]) == facts["rows"]["kept"] == 50
    assert (facts["shards"], facts["dtype"], facts["dry_run"]) == (3, "float32", True)
    assert not (rows.folder / "x").exists()


def test_the_summary_counts_files_and_bytes(rows: Place) -> None:
    done = succeeded(rows.run(*CALL, "--shards", "3", "-o", "x/", "--json"))
    facts = json.loads(done.err)
    sizes = [path.stat().st_size for path in (rows.folder / "x").glob("shard-*")]
    assert (facts["files"], facts["bytes"], facts["largest"]) == (len(sizes), sum(sizes), max(sizes))
    assert facts["rows"]["in"] == 50
    text = succeeded(rows.run(*CALL, "--shards", "3", "-o", "x/", "-f")).err
    assert f"x/, {len(sizes)} files" in text


def test_what_is_there_is_not_replaced_unless_asked(rows: Place) -> None:
    succeeded(rows.run(*CALL, "--shards", "3", "-o", "x/"))
    before = sorted(path.name for path in (rows.folder / "x").iterdir())
    done = rows.run(*CALL, "--shards", "2", "-o", "x/")
    assert (done.code, "--force" in done.err) == (1, True)
    assert sorted(path.name for path in (rows.folder / "x").iterdir()) == before
    succeeded(rows.run(*CALL, "--shards", "2", "-o", "x/", "--force"))
    (rows.folder / "y").mkdir()
    rows.write("y/notes.txt", "")
    done = rows.run(*CALL, "--shards", "2", "-o", "y/")
    assert "holds files that seqtool did not write" in done.err


def test_every_command_reads_shards(rows: Place) -> None:
    succeeded(rows.run(*CALL, "--shards", "3", "-o", "x/"))
    succeeded(rows.run(*CALL, "--ragged", "-o", "one.npz"))
    for call in (
        "pad x --post -o p.npz",
        "truncate x --maxlen 3 -o t.npz",
        "split x --test 0.2 -o s.npz",
        "unpad x -o u.csv",
        "convert x -o c.parquet",
        "apply x rows.csv -o a.npz",
        "plan x",
        "info x --sequence u3",
        "check x",
    ):
        succeeded(rows.run(*call.split()))
    done = rows.run("check", "x", "--against", "one.npz")
    assert b"7 " in done.out  # all sequences are in both
