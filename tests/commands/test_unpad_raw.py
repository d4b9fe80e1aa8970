"""`seqtool unpad --raw`: what follows windows, or the last steps that were left out, on the rows that it is for."""

from __future__ import annotations

import csv
import io
import shlex
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

import seqtool as sq
from tests.command import Place, succeeded

ROWS = [(k, t, t + 100 * (k == "b")) for k in "ab" for t in range(8)]
Found = dict[tuple[str, int], tuple[float | None, ...]]


@pytest.fixture(scope="module")
def scaled(tmp_path_factory: pytest.TempPathFactory) -> Place:
    place = Place(tmp_path_factory.mktemp("scaled"))
    place.write("mini.csv", "k,t,v\n" + "".join(f"{k},{t},{v}\n" for k, t, v in ROWS))
    made(
        place,
        "group mini.csv --key k --order-by t --columns v --ragged --keep-row-index --dtype float64",
        "g",
    )
    made(place, "scale g.npz", "s")
    return place


@pytest.fixture
def place(scaled: Place, tmp_path: Path) -> Place:
    return scaled.copied(tmp_path)


def made(place: Place, call: str, name: str) -> str:
    """The error output of a call that writes NAME.npz."""
    return succeeded(place.run(*call.split(), "-o", f"{name}.npz")).err


def unpadded(place: Place, name: str, *more: str, columns: str = "v p") -> tuple[Found, str]:
    """Some columns of each row by key and step, with y as the prediction p, and the error output."""
    place.write("p.npy", place.arrays(f"{name}.npz")["y"])
    done = succeeded(place.run("unpad", f"{name}.npz", "--raw", "--add", "p=p.npy", *more, "-o", "-"))
    rows = [*csv.DictReader(io.StringIO(done.out.decode()))]
    found = {
        (row["k"], int(row["step"])): tuple(
            round(float(row[column]), 6) if row[column] else None for column in columns.split()
        )
        for row in rows
    }
    assert len(found) == len(rows)  # each row once
    return found, done.err


def value(key: str, step: int) -> float:
    return step + 100.0 * (key == "b")


def test_what_was_windowed_before_scale_is_not_unscaled(place: Place) -> None:
    made(place, "window g.npz --size 2 --horizon 1", "w")
    made(place, "scale w.npz", "x")
    found, told = unpadded(place, "x")
    assert "2 rows of steps behind the last windows, in no window" in told
    assert found == {
        (k, t): (value(k, t) if t < 7 else None, value(k, t) if t > 1 else None)
        for k in "ab"
        for t in range(8)
    }


@pytest.mark.thinned
@pytest.mark.parametrize(
    ("cut", "kept"),
    [
        ("truncate w.npz --maxlen 2 --truncating post", slice(0, 2)),
        ("truncate w.npz --maxlen 2", slice(2, 4)),
        ("truncate w.npz --from 1 --maxlen 2", slice(1, 3)),
        ("truncate w.npz --from -3", slice(1, 4)),
        ("pad w.npz --maxlen 2 --truncating post --post", slice(0, 2)),
        ("pad w.npz --maxlen 2 --pre", slice(2, 4)),
    ],
)
@pytest.mark.parametrize("rate", [2])
def test_windows_that_were_cut_keep_their_rows_and_what_follows_them(
    place: Place, cut: str, kept: slice, rate: int
) -> None:
    size = 4 if rate == 1 else 3
    made(place, f"window s.npz --size 4 --horizon 1 --rate {rate} --min-size {size}", "w")
    sizes, parts = place.arrays("w.npz")["offsets"], place.arrays("w.npz")["part"]
    made(place, cut, "c")
    found, _ = unpadded(place, "c")
    shown, follow = set(), set()
    for i, length in enumerate(np.diff(sizes).tolist()):
        key = place.arrays("w.npz")["keys"][i]
        steps = [int(parts[i]) + rate * step for step in range(length)]
        left = {2: steps[-2:], 1: steps[-3:] if "-3" in cut else steps[1:3], 0: steps[:2]}[kept.start]
        shown |= {(str(key), step) for step in left}
        follow.add((str(key), steps[-1] + 1))
    assert found == {
        row: (value(*row) if row in shown else None, value(*row) if row in follow else None)
        for row in shown | follow
    }


def test_cuts_that_hide_what_is_left_are_refused(place: Place) -> None:
    made(place, "truncate s.npz --maxlen 6", "t")
    made(place, "split t.npz --last 1", "l")
    made(place, "truncate l.npz --maxlen 2", "c")
    place.write("p.npy", place.arrays("c.npz")["y"])
    done = place.run("unpad", "c.npz", "--raw", "--add", "p=p.npy", "-o", "-")
    assert (done.code, done.out) == (1, b"")
    assert "c.npz: steps were cut before split and after it" in done.err
    assert "cut before split" in done.err


@pytest.mark.parametrize("last", [1, 2])
@pytest.mark.parametrize(
    "pad", ["", "pad l.npz", "pad l.npz --maxlen 3", "truncate l.npz --maxlen 3 --truncating post"]
)
def test_the_step_after_x_stands_in_its_row(place: Place, last: int, pad: str) -> None:
    made(place, f"split s.npz --last {last}", "l")
    name = "l" if not pad else "c"
    if pad:
        made(place, pad, "c")
    found, err = unpadded(place, name, columns="v p y")
    assert "taken back  scale,split" in err
    assert "p: of the step after x, in the rows that they are for" in err
    ends = range(8 - last - 1, 8)
    for (key, step), (v, p, y) in found.items():
        assert v in (None, value(key, step))
        assert p == y == (value(key, step) if step in ends else None)
    assert {step for _, step in found} >= {*ends}
    if "maxlen" not in pad:
        assert {row for row, (v, _, _) in found.items() if v is not None} == {
            (k, t) for k in "ab" for t in range(7)
        }


def test_the_step_after_x_of_sequences_without_keys_stands_in_its_row_once(place: Place) -> None:
    place.write("x.npy", np.array([[1.0, 2, 3, 4], [5, 6, 7, 8]]))
    made(place, "split x.npy --last 1", "l")
    done = succeeded(place.run("unpad", "l.npz", "--raw", "-o", "-", "-q"))
    rows = [*csv.DictReader(io.StringIO(done.out.decode()))]
    assert [(row["step"], row["x"], row["split"], row["y"]) for row in rows] == [
        *(("0", "1", "train", ""), ("1", "2", "train", ""), ("2", "3", "train", "3"), ("3", "", "test", "4")),
        *(("0", "5", "train", ""), ("1", "6", "train", ""), ("2", "7", "train", "7"), ("3", "", "test", "8")),
    ]


def beside_the_table(place: Place, name: str) -> tuple[list[float], str]:
    """What was predicted beside each row of the table, -1 where nothing was, and the error output."""
    call = ("unpad", f"{name}.npz", "--raw", "--add", "p=p.npy", "--rows", "mini.csv", "-o", "-")
    done = succeeded(place.run(*call))
    rows = [*csv.DictReader(io.StringIO(done.out.decode()))]
    assert [(row["k"], row["v"]) for row in rows] == [(k, str(v)) for k, _, v in ROWS]
    return [round(float(row["p"] or -1), 6) for row in rows], done.err


def test_beside_the_table_steps_after_x_stand_in_their_rows(place: Place) -> None:
    made(place, "split s.npz --last 1", "l")
    place.write("p.npy", place.arrays("l.npz")["y"])
    found, told = beside_the_table(place, "l")
    assert found == [v if t in (6, 7) else -1 for _, t, v in ROWS]
    assert "nobody knows" not in told


def test_of_a_file_that_does_not_know_the_rows_of_y_they_are_counted(place: Place) -> None:
    made(place, "split s.npz --last 1", "l")
    place.write("p.npy", place.arrays("l.npz")["y"])
    left: Any = sq.load(place.folder / "l.npz")
    own = {name: array for name, array in left.per_sequence.items() if name != "y_row_index"}
    sq.save(place.folder / "l.npz", left.replace(per_sequence=own))
    found, told = beside_the_table(place, "l")
    assert found == [v if t == 6 else -1 for _, t, v in ROWS]
    assert "2 rows that follow x are in no x of this file" in told
    assert "to have them by key and step: leave --rows out" in told


ROADS = (
    "filter w.npz --where 'k != c'",
    "pad w.npz --post",
    "truncate w.npz --maxlen 2",
    "scale w.npz",
    "window s.npz --size 3 --horizon 2 --stride 2 --index",
    *(f"convert w.npz -o w{suffix}" for suffix in (".parquet", ".arrow", ".jsonl", ".safetensors", "/")),
)


@pytest.mark.thinned
@pytest.mark.parametrize("road", ROADS)
def test_rows_of_what_follows_go_every_road(place: Place, road: str) -> None:
    made(place, "window s.npz --size 3 --horizon 2 --stride 2", "w")
    arrays = place.arrays("w.npz")
    if "-o" in road:
        name = road.split()[-1]
        succeeded(place.run(*shlex.split(road)))
        made(place, f"convert {name}", "back")
    else:
        succeeded(place.run(*shlex.split(road), "-o", "back.npz"))
    assert place.arrays("back.npz")["y_row_index"].tolist() == arrays["y_row_index"].tolist()
    place.write("p.npy", arrays["y"])
    done = succeeded(
        place.run("unpad", "back.npz", "--raw", "--add", "p=p.npy", "--rows", "mini.csv", "-o", "-")
    )
    rows = [*csv.DictReader(io.StringIO(done.out.decode()))]
    ahead = [[t in range(3 + i, 8 - (1 - i), 2) for t in range(8)] for i in range(2)]
    for i, wanted in enumerate(ahead):
        expected = [v if wanted[t] else None for _, t, v in ROWS]
        assert [round(float(row[f"p_{i}"]), 6) if row[f"p_{i}"] else None for row in rows] == expected


def test_forecasts_land_where_plain_pandas_puts_them(place: Place) -> None:
    rng = np.random.default_rng(5)
    frame = pd.DataFrame(
        {"k": rng.choice(["u", "v", "w"], 60), "t": rng.permutation(60), "v": rng.random(60)}
    )
    frame.to_csv(place.folder / "mixed.csv", index=False)
    keep = "--key k --order-by t --columns v --ragged --dtype float64 --keep-row-index --keep-order"
    made(place, f"group mixed.csv {keep}", "g")
    made(place, "window g.npz --size 4 --rate 2 --lead 1 --horizon 3 --stride 5", "w")
    arrays = place.arrays("w.npz")
    predicted = np.arange(arrays["y"].size, dtype=np.float64).reshape(arrays["y"].shape)
    place.write("p.npy", predicted)
    succeeded(
        place.run("unpad", "w.npz", "--raw", "--add", "p=p.npy", "--rows", "mixed.csv", "-o", "out.csv")
    )
    found = pd.read_csv(place.folder / "out.csv")
    expected = frame.assign(p_0=np.nan, p_1=np.nan, p_2=np.nan)
    window = 0
    for _, rows in frame.sort_values("t").groupby("k"):
        for first in range(0, len(rows) - 7 - 1 - 3 + 1, 5):
            for ahead in range(3):
                row = rows.index[first + 7 + 1 + ahead]
                expected.loc[row, f"p_{ahead}"] = predicted[window, ahead]
                assert (arrays["y_row_index"][window, ahead], arrays["y_order"][window, ahead]) == (
                    row,
                    frame.loc[row, "t"],
                )
                assert arrays["y"][window, ahead] == frame.loc[row, "v"]
            window += 1
    assert window == len(predicted)
    pd.testing.assert_frame_equal(found, expected)


def test_rows_that_no_window_holds_have_their_number_and_time(place: Place) -> None:
    place.write("t.csv", "k,t,v\n" + "".join(f"a,2024-01-0{i + 1},{i}\n" for i in range(5)))
    keep = "--key k --order-by t --columns v --ragged --keep-row-index --keep-order"
    made(place, f"group t.csv {keep}", "g")
    made(place, "window g.npz --size 2 --horizon 2", "w")
    done = succeeded(place.run("unpad", "w.npz", "--raw", "-o", "-"))
    rows = [*csv.DictReader(io.StringIO(done.out.decode()))]
    expected = [(f"2024-01-0{i + 1}", str(i), str(i) if i < 3 else "") for i in range(5)]
    assert [(row["t"], row["row_index"], row["v"]) for row in rows] == expected
    assert "the key, the step, row_index, order and what was predicted are known" in done.err


def test_predictions_of_what_follows_name_raw_where_they_stand_in_each_row(place: Place) -> None:
    made(place, "split s.npz --last 1", "l")
    made(place, "window s.npz --size 2 --horizon 1", "w")
    made(place, "window s.npz --size 2", "n")
    for name, warns in (("l", True), ("w", True), ("n", False)):
        place.write("p.npy", np.zeros(len(place.arrays(f"{name}.npz")["part"])))
        done = succeeded(place.run("unpad", f"{name}.npz", "--add", "p=p.npy", "-o", "-"))
        assert ("for the rows that follow: --raw" in done.err) == warns


def test_ids_of_predicted_tokens_become_names(place: Place) -> None:
    place.write("i.csv", "u,t,item\n" + "".join(f"u{i % 2},{i},{'cab'[i % 3]}\n" for i in range(10)))
    made(place, "group i.csv --key u --order-by t --category item --ragged", "i")
    made(place, "encode i.npz", "e")
    made(place, "split e.npz --last 1", "l")
    y = place.arrays("l.npz")["y"]
    place.write("p.npy", np.where(np.arange(4) == 3, 2, y))
    done = succeeded(place.run("unpad", "l.npz", "--raw", "--add", "p=p.npy", "-o", "-"))
    rows = [*csv.DictReader(io.StringIO(done.out.decode()))]
    items = {(f"u{i % 2}", str(i // 2)): "cab"[i % 3] for i in range(10)}
    for row in rows:
        following = items[row["u"], row["step"]] if row["step"] in "34" else ""
        assert row["y"] == following
        assert row["p"] == ("" if (row["u"], row["step"]) == ("u1", "4") else following)
    assert "unknown categories became empty cells: p 1" in done.err
    done = succeeded(place.run("unpad", "l.npz", "--add", "p=p.npy", "-o", "-"))
    assert {row["p"] for row in csv.DictReader(io.StringIO(done.out.decode()))} <= {"a", "b", "c", ""}
    place.write("p.npy", np.array([6, 3, 3, 3]))
    for raw in ([], ["--raw"]):
        done = place.run("unpad", "l.npz", *raw, "--add", "p=p.npy", "-o", "-")
        assert done.code == 1
        assert "--add p: holds 6, which is no id; ids of the vocabulary are from 0 to 5" in done.err
    place.write("p.npy", np.zeros((4, 6)))
    succeeded(place.run("unpad", "l.npz", "--raw", "--add", "p=p.npy", "-o", "-"))


def test_a_category_beside_features_that_was_the_target_is_named(place: Place) -> None:
    place.write("i.csv", "u,t,item,n\n" + "".join(f"u{i % 2},{i},{'cab'[i % 3]},{i}\n" for i in range(10)))
    made(place, "group i.csv --key u --order-by t --columns n --category item --ragged", "i")
    made(place, "scale i.npz", "s")
    for call in ("split s.npz --last 1 --target item", "window s.npz --size 3 --horizon 1 --target item"):
        made(place, call, "l")
        place.write("p.npy", place.arrays("l.npz")["y"])
        done = succeeded(place.run("unpad", "l.npz", "--raw", "--add", "p=p.npy", "-o", "-"))
        for row in csv.DictReader(io.StringIO(done.out.decode())):
            i = 2 * int(row["step"]) + int(row["u"][1])
            assert row["p"] == ("cab"[i % 3] if int(row["step"]) > 2 else "")


def test_numbers_of_each_sequence_alone_are_said_to_stay(place: Place) -> None:
    made(place, "scale g.npz --per-sequence", "e")
    done = succeeded(place.run("unpad", "e.npz", "--raw", "-o", "-"))
    assert (
        "1 call of scale took each sequence by its own numbers, which are not kept: these features stay scaled"
        in done.err
    )


@pytest.mark.parametrize("suffix", ["csv", "parquet", "jsonl"])
def test_rows_of_another_table_are_refused(place: Place, suffix: str) -> None:
    import pandas as pd

    place.write("p.npy", np.array([7, 8]))
    frame = pd.DataFrame(ROWS, columns=["k", "t", "v"])
    for kind, table in (("same", frame), ("other", frame.iloc[::-1]), ("less", frame.drop(columns="k"))):
        path = place.folder / f"{kind}.{suffix}"
        if suffix == "csv":
            table.to_csv(path, index=False)
        elif suffix == "jsonl":
            table.to_json(path, orient="records", lines=True)
        else:
            table.to_parquet(path, index=False)
        done = place.run(
            "unpad", "g.npz", "--add", "p=p.npy", "--rows", path.name, "-o", "out.csv", "--force"
        )
        if kind == "other":
            assert done.code == 1
            assert f"other.{suffix}: {'row 0' if suffix == 'parquet' else 'line'}" in done.err
            assert "the key is 'b', but 'a' was expected" in done.err
            assert not (place.folder / "out.csv").exists()
            continue
        succeeded(done)
        assert ("none of 16 was compared" in done.err) == (kind == "less")
        (place.folder / "out.csv").unlink()


def test_keys_are_compared_as_group_reads_them(place: Place) -> None:
    import pandas as pd

    frame = pd.DataFrame({"id": [7.0, 7.0, 1e3], "site": ["x", "y", "x"], "v": [1, 2, 3]})
    frame.to_parquet(place.folder / "f.parquet")
    made(place, "group f.parquet --key id,site --keep-row-index --ragged", "f")
    place.write("p.npy", np.array([1, 2, 3]))
    for name in ("f.parquet", "f.csv"):
        frame.astype({"id": int}).to_csv(place.folder / "f.csv", index=False)
        done = succeeded(place.run("unpad", "f.npz", "--add", "p=p.npy", "--rows", name, "-o", "-"))
        assert "compared" not in done.err


def test_parts_that_got_other_numbers_are_not_taken_back(place: Place) -> None:
    for name, side in (("a", "post"), ("b", "pre")):
        made(place, f"truncate g.npz --maxlen 5 --truncating {side}", name)
        made(place, f"window {name}.npz --size 3", f"w{name}")
    made(place, "concat wa.npz wb.npz --on-clash both", "both")
    done = place.run("unpad", "both.npz", "--raw", "-o", "rows.csv")
    assert (done.code, "nobody knows where these stood" in done.err) == (1, True)
    made(place, "concat wa.npz wb.npz --on-clash first", "first")
    succeeded(place.run("unpad", "first.npz", "--raw", "-o", "-"))
    made(place, "concat a.npz b.npz --on-clash both", "rows")
    rows = succeeded(place.run("unpad", "rows.npz", "--raw", "-o", "-")).out.decode().splitlines()
    assert len(rows) == 1 + 2 * 2 * 5  # two sequences of each key, which part tells apart
