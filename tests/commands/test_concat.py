"""`seqtool concat`: several files as one."""

from __future__ import annotations

import json
from typing import Any

import pytest

import seqtool as sq
from tests.command import Place, succeeded

DAYS = {
    "mon.csv": "user,t,a,b,label\nx,1,1,2,run\nx,2,3,4,run\ny,1,5,6,walk\n",
    "tue.csv": "user,t,b,a,label\nz,1,8,7,jump\ny,1,6,5,walk\ny,2,6,5,walk\ny,3,6,5,walk\n",
}
GROUP = ["--key", "user", "--order-by", "t", "--label", "label"]


def days(place: Place, *more: str, suffix: str = ".npz") -> list[str]:
    for name, rows in DAYS.items():
        place.write(name, rows)
        succeeded(place.run("group", name, *GROUP, *more, "-o", name.replace(".csv", suffix)))
    return [name.replace(".csv", suffix) for name in DAYS]


@pytest.mark.parametrize("suffix", [".npz", ".parquet", "/"])
def test_two_files_become_one(place: Place, suffix: str) -> None:
    files = days(place, suffix=suffix)
    done = place.run("concat", *files, "-o", "week.npz")
    assert (done.code, f"key y is in {files[0].rstrip('/')}" in done.err) == (1, True)
    assert "keep one of them: --on-clash first, or --on-clash last; or both" in done.err
    done = succeeded(place.run("concat", *files, "-o", "week.npz", "--on-clash", "last"))
    assert "dropped  1 sequence whose key is in a later file, 1 step in all" in done.err
    week: Any = sq.load(place.folder / "week.npz")
    assert week.keys.tolist() == ["x", "y", "z"]
    assert week.x.tolist()[0] == [[1, 2], [3, 4], [0, 0]]
    assert week.x.tolist()[2] == [[7, 8], [0, 0], [0, 0]]
    assert week.names["classes"].tolist() == ["run", "walk", "jump"]
    assert week.per_sequence["y"].tolist() == [0, 1, 2]
    last = week.receipt[-1]
    assert last["inputs"] == [file.rstrip("/") for file in files]
    assert last["rows"] == {"in": 7, "kept": 6, "cut": 0, "dropped": {"key in a later file": 1}}
    succeeded(place.run("check", "week.npz"))


def test_standard_input_may_be_one_of_the_files(place: Place) -> None:
    files = days(place)
    succeeded(place.run("concat", *files, "--on-clash", "last", "-o", "week.npz"))
    expected = place.arrays("week.npz")
    for i, sources in enumerate((["-", files[1]], [files[0], "-"])):
        sent = (place.folder / files[i]).read_bytes()
        done = succeeded(place.run("concat", *sources, "--on-clash", "last", stdin=sent))
        place.write("got.npz", done.out)
        found = place.arrays("got.npz")
        assert {name: array.tolist() for name, array in found.items() if name != "meta"} == {
            name: array.tolist() for name, array in expected.items() if name != "meta"
        }
        receipt = json.loads(str(found["meta"]))["receipt"]
        assert receipt[-1]["inputs"] == ["-" if source == "-" else source for source in sources]
    assert not (place.folder / "mon.concat.npz").exists()
    done = place.run("concat", "-", "-", stdin=b"")
    assert (done.code, "- (standard input) can be read once; name it once" in done.err) == (2, True)
    done = place.run("concat", "mon.npz", "-", stdin=b"")
    assert (done.code, "nothing" in done.err or "empty" in done.err) == (1, True)


def test_tables_are_joined_with_standard_input_too(place: Place) -> None:
    place.write("a.csv", "k,x\na,1\n")
    done = succeeded(place.run("group", "a.csv", "-", "--key", "k", stdin=b"k,x\nb,2\na,3\n"))
    place.write("got.npz", done.out)
    found = place.arrays("got.npz")
    assert (found["keys"].tolist(), found["x"][..., 0].tolist()) == (["a", "b"], [[1, 3], [2, 0]])
    done = succeeded(place.run("plan", "-", "a.csv", "--key", "k", stdin=b"k,x\nb,2\na,3\n"))
    assert "3" in done.out.decode()


def test_a_pattern_a_dry_run_and_json(place: Place) -> None:
    days(place, "--ragged")
    done = succeeded(place.run("concat", "*.npz", "--on-clash", "both", "--json", "--dry-run"))
    assert json.loads(done.err)["inputs"] == ["mon.npz", "tue.npz"]
    assert not (place.folder / "mon.concat.npz").exists()
    succeeded(place.run("concat", "*.npz", "--on-clash", "both"))
    week: Any = sq.load(place.folder / "mon.concat.npz")
    assert week.keys.tolist() == ["x", "y", "y", "z"]
    assert week.per_sequence["part"].tolist() == [0, 0, 1, 0]
    succeeded(place.run("check", "mon.concat.npz"))


def test_the_command_and_python_agree(place: Place) -> None:
    files = days(place)
    succeeded(place.run("concat", *files, "-o", "one.npz", "--on-clash", "first"))
    other = sq.concat([sq.load(place.folder / file) for file in files], on_clash="first")
    sq.save(place.folder / "other.npz", other)
    one, two = place.arrays("one.npz"), place.arrays("other.npz")
    assert [*one] == [*two]
    assert all(one[name].tobytes() == two[name].tobytes() for name in one if name != "meta")


def test_the_way_out_of_other_padding_is_a_call(place: Place) -> None:
    place.write("a.json", "[[1.5, 2], [3]]")
    place.write("b.json", "[[4, 5]]")
    succeeded(place.run("pad", "a.json", "--post", "--value", "nan", "-o", "a.npz"))
    succeeded(place.run("pad", "b.json", "-o", "b.npz"))
    done = place.run("concat", "a.npz", "b.npz", "-o", "c.npz")
    assert done.code == 2
    alike = "pad b.npz --post --value nan --dtype float32"
    assert f"a.npz is padded at the end, b.npz at the start; make it alike: seqtool {alike}\n" in done.err
    succeeded(place.run(*alike.split(), "-o", "c.npz"))
    succeeded(place.run("concat", "a.npz", "c.npz", "-o", "d.npz"))
    assert sq.load(place.folder / "d.npz").lengths.tolist() == [2, 1, 2]


def test_numbers_of_rows_go_on_as_if_the_tables_were_one(place: Place) -> None:
    """`unpad` gives back the rows of both tables, in their order."""
    files = days(place, "--keep-row-index")
    succeeded(place.run("concat", *files, "--on-clash", "both", "-o", "week.npz"))
    succeeded(place.run("unpad", "week.npz", "-o", "rows.csv"))
    rows = [line.split(",") for line in (place.folder / "rows.csv").read_text().splitlines()]
    number, user = rows[0].index("row_index"), rows[0].index("user")
    assert [(row[user], int(row[number])) for row in rows[1:]] == [*zip("xxyzyyy", range(7), strict=True)]


def test_more_files_than_may_be_open_are_refused(place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    days(place)
    monkeypatch.setattr("seqtool.system.platform.allow_open_files", lambda _: 50)
    done = place.run("concat", "mon.npz", "tue.npz", "-o", "week.npz")
    assert done.code == 1
    assert "2 files, and the system lets a process have 50 open; concat some of them at a time" in done.err


def test_wrong_calls(place: Place) -> None:
    days(place)
    assert "on-clash" in place.run("concat", "mon.npz", "--on-clash", "none").err
    done = place.run("concat", "mon.npz", "tue.npz", "-o", "tue.npz")
    assert (done.code, "is both input and output" in done.err) == (2, True)
    done = place.run("concat", "mon.npz", "mon.npz")
    assert (done.code, "are the same file" in done.err) == (2, True)
