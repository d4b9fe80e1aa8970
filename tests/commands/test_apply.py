"""`seqtool apply`: the same again, to the bit, on the same rows and on others."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from tests.command import SAMPLES, Place, succeeded

COLUMNS = ["user", "time", "a", "b", "age", "mood", "dead"]
GROUP = (
    *("--key", "user", "--order-by", "time", "--columns", "a,b", "--label", "dead"),
    *("--step-label", "mood", "--static", "age", "--keep-row-index"),
)


def _own(step: dict[str, Any]) -> dict[str, Any]:
    """The arguments of a step, but for the mark of what was not learned here."""
    return {name: value for name, value in step["arguments"].items() if name != "using"}


def rows(users: str = "uvw", seed: int = 0) -> pd.DataFrame:
    random = np.random.default_rng(seed)
    found = [
        (user, time, random.integers(9), round(random.random(), 3), 30 + i, "rw"[time % 2], "ny"[i % 2])
        for i, user in enumerate(users)
        for time in range(3 + i)
    ]
    return pd.DataFrame(found, columns=COLUMNS)


@pytest.fixture(scope="module")
def table(tmp_path_factory: pytest.TempPathFactory) -> Place:
    place = Place(tmp_path_factory.mktemp("table"))
    rows().to_csv(place.folder / "a.csv", index=False)
    return place


@pytest.fixture
def place(table: Place, tmp_path: Path) -> Place:
    return table.copied(tmp_path)


def made(place: Place, *commands: str) -> str:
    """The file that commands make one after another."""
    source = "a.csv"
    for i, command in enumerate(commands):
        succeeded(place.run(*command.split()[:1], source, *command.split()[1:], "-o", f"m{i}.npz", "-q"))
        source = f"m{i}.npz"
    return source


def same(place: Place, one: str, other: str, *, but: set[str] = frozenset()) -> None:  # type: ignore[assignment]
    first, second = place.arrays(one), place.arrays(other)
    assert [name for name in first if name not in but] == [*second]
    for name in {*second} - {"meta"}:
        assert first[name].dtype == second[name].dtype
        assert first[name].tobytes() == second[name].tobytes(), name
    before, after = (json.loads(str(arrays["meta"])) for arrays in (first, second))
    selected = ("split", "filter")
    assert [
        (step["command"], _own(step), step.get("state"))
        for step in before["receipt"]
        if step["command"] not in selected
    ] == [(step["command"], _own(step), step.get("state")) for step in after["receipt"]]


GROUPED = " ".join(["group", *GROUP])
UNLABELLED = "group --key user --order-by time --columns a,b --static age --ragged"


@pytest.mark.thinned
@pytest.mark.parametrize(
    "commands",
    [
        (GROUPED,),
        (f"{GROUPED} --ragged --dtype float64",),
        (f"{GROUPED} --maxlen 4 --pre --truncating post --value -1",),
        (GROUPED, "scale --method standard", "pad --maxlen 4 --post --dtype float16"),
        (
            f"{GROUPED} --ragged",
            "scale --method minmax --features a",
            "truncate --maxlen 3 --truncating post",
        ),
        (UNLABELLED, "split --val 0.4", "scale --method robust", "window --size 2 --stride 2 --horizon 1"),
        (GROUPED, "scale --method standard --per-sequence", "pad --ragged --maxlen 2"),
        (f"{GROUPED} --keep-order --delta time --position", "window --size 2", "scale --method maxabs"),
        (GROUPED.replace("--label dead", "--label dead,age"),),
        ("group --key user,dead --columns a --order-by time:desc --gap 1.5",),
        (
            UNLABELLED,
            "fill --method forward,mean --indicator",
            "filter --max-len 99",
            "scale --method standard",
        ),
        ("group --key user --category mood --columns a --static age", "encode --min-count 7", "pad --pre"),
        ("group --key user --order-by time --columns a,b --every 2 --agg mean --keep-order",),
        ("group --key user --columns a --step-label mood --empty-label keep --where a>2",),
    ],
)
def test_the_same_rows_give_the_same_arrays(place: Place, commands: tuple[str, ...]) -> None:
    name = made(place, *commands)
    succeeded(place.run("apply", name, "a.csv", "-o", "again.npz"))
    same(place, name, "again.npz", but={"split"})
    json_recipe = succeeded(place.run("info", name, "--recipe", "--json")).out
    place.write("recipe.json", json_recipe)
    succeeded(place.run("apply", "recipe.json", "a.csv", "-o", "by_json.npz"))
    assert (place.folder / "by_json.npz").read_bytes() == (place.folder / "again.npz").read_bytes()
    succeeded(place.run("convert", name, "-o", "recipe.jsonl", "-q"))
    succeeded(place.run("apply", "recipe.jsonl", "a.csv", "-o", "by_lines.npz"))
    assert (place.folder / "by_lines.npz").read_bytes() == (place.folder / "again.npz").read_bytes()


def test_held_back_rows_get_the_numbers_and_classes_of_the_old(place: Place) -> None:
    name = made(place, GROUPED, "scale --method standard")
    new = rows("xy", seed=1).assign(more="?", dead="y")
    new = new[["more", *COLUMNS[::-1]]]
    new.to_parquet(place.folder / "new.parquet")
    succeeded(place.run("apply", name, "new.parquet", "-o", "new.npz"))
    old, found = place.arrays(name), place.arrays("new.npz")
    state = json.loads(str(old["meta"]))["receipt"][1]["state"]
    assert json.loads(str(found["meta"]))["receipt"][1]["state"] == state
    values = rows("xy", seed=1)[["a", "b"]].to_numpy(np.float32)
    expected = ((values - np.array(state["center"])) / np.array(state["scale"])).astype(np.float32)
    assert np.allclose(found["x"][0, :3], expected[:3], rtol=1e-6, atol=1e-6)
    assert found["x"].shape == (2, old["x"].shape[1], 2)
    assert found["y"].tolist() == [1, 1]
    assert found["classes"].tolist() == ["n", "y"]


def test_labels_may_be_absent_and_the_file_another_kind(place: Place) -> None:
    name = made(place, GROUPED, "scale --method standard")
    kept = [column for column in COLUMNS if column not in ("dead", "mood")]
    rows()[kept].to_csv(place.folder / "b.tsv", index=False, sep="\t")
    done = succeeded(place.run("apply", name, "b.tsv", "-o", "b.npz"))
    assert "absent  dead, mood: without labels" in done.err
    same_x, found = place.arrays(name)["x"], place.arrays("b.npz")
    assert same_x.tobytes() == found["x"].tobytes()
    assert not {"y", "step_y", "classes", "step_classes"} & {*found}
    succeeded(place.run("apply", "b.npz", "b.tsv", "-o", "c.npz", "-q"))
    same(place, "b.npz", "c.npz")
    succeeded(place.run("check", "b.npz"))


def test_the_newest_window_of_each_sequence(place: Place) -> None:
    name = made(place, UNLABELLED, "window --size 2 --horizon 1 --target b")
    succeeded(place.run("apply", name, "a.csv", "--last", "-o", "last.npz"))
    found = place.arrays("last.npz")
    assert (found["keys"].tolist(), found["part"].tolist()) == (["u", "v", "w"], [1, 2, 3])
    assert (
        found["values"].tolist() == rows().groupby("user").tail(2)[["a", "b"]].to_numpy(np.float32).tolist()
    )
    assert "y" not in found
    done = place.run("apply", made(place, GROUPED), "a.csv", "--last", "-o", "x.npz")
    assert (done.code, "--last is the newest window of each sequence" in done.err) == (2, True)


def test_categories_that_were_not_seen_are_unknown(place: Place) -> None:
    name = made(place, "group --key user --category mood --columns a")
    encoded = made(place, "group --key user --category mood --columns a", "encode")
    rows().assign(mood=[*"rwqr"] * 3).to_csv(place.folder / "new.csv", index=False)
    for recipe in (name, encoded):
        succeeded(place.run("apply", recipe, "new.csv", "-o", "new.npz"))
        found = place.arrays("new.npz")
        assert found["vocabulary_0"].tolist() == place.arrays(recipe)["vocabulary_0"].tolist()
        ids = {name: 3 + i for i, name in enumerate(found["vocabulary_0"].tolist())}
        assert found["c"][0, :3, 0].tolist() == [ids["r"], ids["w"], 2]
    done = succeeded(place.run("unpad", "new.npz", "-o", "-"))
    assert "warning: unknown categories became empty cells: mood 3" in done.err


def test_selections_are_skipped_and_named(place: Place) -> None:
    name = made(place, f"{GROUPED} --min-len 4", "split --val 0.5")
    done = succeeded(place.run("apply", name, "a.csv", "-o", "x.npz"))
    assert place.arrays("x.npz")["keys"].tolist() == ["u", "v", "w"]
    assert "split,--min-len: what selects sequences is not repeated" in done.err


def test_a_file_of_several_pads_to_the_length_of_all(place: Place) -> None:
    rows("pqrs", seed=3).to_csv(place.folder / "b.csv", index=False)
    for name in "ab":
        succeeded(place.run("group", f"{name}.csv", *GROUP, "-o", f"{name}.npz", "-q"))
    succeeded(place.run("concat", "a.npz", "b.npz", "-o", "c.npz", "-q"))
    done = succeeded(place.run("apply", "c.npz", "b.csv", "-o", "again.npz"))
    assert "concat: what selects sequences is not repeated" in done.err
    assert place.arrays("again.npz")["x"].tobytes() == place.arrays("b.npz")["x"].tobytes()


@pytest.mark.thinned
@pytest.mark.parametrize(
    ("change", "words"),
    [
        (
            {"drop": ["a", "time"]},
            "new.csv: lacks 'a', 'time', which m1.npz was made of; its columns are user, b",
        ),
        (
            {"a": "x"},
            "column 'a' (such as 'x') cannot be a feature: not numeric; correct it in the new data",
        ),
        (
            {"a": ["x", *"2" * 11]},
            "new.csv: line 2, column 'a': 'x'; a number was expected; correct it",
        ),
        ({"dead": "maybe"}, "label 'maybe' is none of the classes of m1.npz: n, y"),
        ({"mood": "z"}, "label 'z' is none of the classes of m1.npz: r, w"),
        ({"age": 30.5}, "static of sequence 0 is 30.5, and m1.npz has int64 there: the column is another"),
        ({"user": ""}, "; correct it in the new data, which is read as that of m1.npz was"),
    ],
)
def test_what_differs_is_said(place: Place, change: dict[str, object], words: str) -> None:
    name = made(place, GROUPED, "scale --method standard")
    new = rows().drop(columns=change["drop"]) if "drop" in change else rows().assign(**change)  # type: ignore[arg-type]
    new.to_csv(place.folder / "new.csv", index=False)
    done = place.run("apply", name, "new.csv")
    assert (done.code, done.out) == (1, b"")
    assert words in done.err
    assert "--" not in done.err.partition("seqtool: error: ")[2]
    assert not (place.folder / "new.apply.npz").exists()


def test_whole_numbers_that_became_fractions_are_another_column(place: Place) -> None:
    name = made(place, "group --key user --columns a")
    rows().assign(a=0.5).to_csv(place.folder / "new.csv", index=False)
    done = place.run("apply", name, "new.csv")
    assert (done.code, "column 'a'" in done.err) == (1, True)


def test_what_cannot_be_repeated_says_why(place: Place) -> None:
    name = made(place, GROUPED)
    (place.folder / "rec").mkdir()
    rows("u").to_csv(place.folder / "rec" / "u.csv", index=False)
    succeeded(
        place.run("group", "rec/*.csv", "--key-from", "rec/{key}.csv", "--columns", "a", "-o", "k.npz", "-q")
    )
    place.write("x.npy", np.ones((2, 3)))
    place.write("lengths.npy", np.array([1, 2]))
    succeeded(place.run("pad", "x.npy", "--lengths", "lengths.npy", "-o", "l.npz", "-q"))
    for recipe, new, code, words in (
        ("k.npz", "-", 2, "k.npz: cannot be repeated: keys came from the paths of files ({key}.csv)"),
        ("l.npz", "x.npy", 2, "l.npz: cannot be repeated: their true lengths stood in a file (lengths.npy)"),
        ("a.csv", "a.csv", 1, "a.csv: no recipe"),
        ("x.npy", "a.csv", 1, "x.npy: no recipe"),
        (name, name, 1, "m0.npz: an .npz; rows were expected"),
    ):
        done = place.run("apply", recipe, new, "-o", "new.npz", stdin=b"a\n1\n" if new == "-" else None)
        assert (done.code, words in done.err) == (code, True), done.err


def test_a_call_without_a_recipe_shows_its_usage(place: Place) -> None:
    done = place.run("apply")
    assert (done.code, "seqtool apply --help" in done.err) == (2, True)


def test_files_of_one_sequence_each(place: Place) -> None:
    for folder in ("old/walk", "old/run", "new/run"):
        (place.folder / folder).mkdir(parents=True)
    for name in ("old/walk/1.csv", "old/run/2.csv", "new/run/3.csv"):
        rows("u").to_csv(place.folder / name, index=False)
    pattern = ("--key-from", "old/{label}/{key}.csv", "--columns", "a", "--maxlen", "5")
    succeeded(place.run("group", "old/*/*.csv", *pattern, "-o", "old.npz", "-q"))
    succeeded(place.run("apply", "old.npz", "old/*/*.csv", "-o", "again.npz", "-q"))
    assert (place.folder / "again.npz").read_bytes() == (place.folder / "old.npz").read_bytes()
    succeeded(place.run("apply", "old.npz", "new/*/*.csv", "-o", "new.npz", "-q"))
    found = place.arrays("new.npz")
    assert (found["keys"].tolist(), found["y"].tolist(), found["classes"].tolist()) == (
        [3],
        [0],
        ["run", "walk"],
    )


def test_other_rows_of_the_same_file(place: Place) -> None:
    name = made(place, "group --key user --columns a --where dead=='n'", "scale --method standard")
    succeeded(place.run("apply", name, "a.csv", "--where", "dead == 'y'", "-o", "y.npz"))
    assert place.arrays("y.npz")["keys"].tolist() == ["v"]
    assert place.arrays(name)["keys"].tolist() == ["u", "w"]
    done = place.run("apply", name, "a.csv", "--where", "a > 99", "-o", "y.npz")
    assert (done.code, "--where 'a > 99': true of none of the 12 rows of a.csv" in done.err) == (1, True)
    place.write("x.json", "[[1, 2]]")
    succeeded(place.run("pad", "x.json", "-o", "x.npz", "-q"))
    done = place.run("apply", "x.npz", "x.json", "--where", "a > 1", "-o", "y.npz")
    assert (done.code, "--where is of rows, and x.npz was made of sequences" in done.err) == (2, True)


def test_sequences_that_were_padded(place: Place) -> None:
    place.write("old.json", '{"x": [1, 2, 3], "y": "a"}\n{"x": [4], "y": "b"}\n')
    succeeded(
        place.run("pad", "old.json", "--array", "x", "--label", "y", "--post", "--maxlen", "2", "-o", "p.npz")
    )
    succeeded(place.run("scale", "p.npz", "--method", "minmax", "-o", "s.npz", "-q"))
    succeeded(place.run("apply", "s.npz", "old.json", "-o", "again.npz"))
    same(place, "s.npz", "again.npz")
    place.write("new.json", '{"x": [7, 1]}\n')
    succeeded(place.run("apply", "s.npz", "new.json", "-o", "new.npz"))
    assert place.arrays("new.npz")["x"].tolist() == [[2.5, -0.5]]
    assert "y" not in place.arrays("new.npz")


def test_rows_from_a_pipe_and_a_recipe_that_is_read(place: Place) -> None:
    name = made(place, GROUPED)
    done = succeeded(place.run("apply", name, stdin=(place.folder / "a.csv").read_bytes()))
    place.write("piped.npz", done.out)
    same(place, name, "piped.npz")
    shown = succeeded(place.run("info", name, "--recipe")).out.decode()
    assert "--key user --order-by time --columns a,b" in " ".join(shown.split())
    for option in (("--code", "numpy"), ("--sequence", "u")):
        done = place.run("info", name, "--recipe", *option)
        assert (done.code, "--recipe shows what was done and nothing else" in done.err) == (2, True)


def test_a_sample_is_repeated_on_held_back_rows_to_the_bit(place: Place) -> None:
    frame = pd.read_csv(SAMPLES / "japanese_vowels.csv")
    for part in ("train", "test"):
        frame[frame["split"] == part].to_csv(place.folder / f"{part}.csv", index=False)
    group = ("--key", "utterance", "--order-by", "frame", "--label", "speaker", "--drop", "split")
    succeeded(place.run("group", "train.csv", *group, "-o", "g.npz", "-q"))
    succeeded(place.run("scale", "g.npz", "--method", "standard", "-o", "train.npz", "-q"))
    succeeded(place.run("apply", "train.npz", "test.csv", "-o", "test.npz", "-q"))
    maxlen = place.arrays("g.npz")["x"].shape[1]
    succeeded(place.run("group", "test.csv", *group, "--maxlen", str(maxlen), "-o", "t.npz", "-q"))
    succeeded(
        place.run("scale", "t.npz", "--method", "standard", "--using", "train.npz", "-o", "u.npz", "-q")
    )
    expected, found = place.arrays("u.npz"), place.arrays("test.npz")
    for name in ("x", "lengths", "keys", "y", "classes"):
        assert expected[name].tobytes() == found[name].tobytes(), name


def test_check_knows_that_what_is_applied_was_learned_elsewhere(place: Place) -> None:
    place.write("old.csv", "k,a\n1,1\n1,2\n2,5\n")
    place.write("new.csv", "k,a\n7,30\n7,40\n")
    done = place.shell("seqtool group old.csv --key k -o g.npz && seqtool scale g.npz -o train.npz")
    assert done.code == 0, done.err
    succeeded(place.run("apply", "train.npz", "new.csv", "-o", "new.npz"))
    succeeded(place.run("check", "new.npz"))


@pytest.mark.parametrize("chosen", ["", "--columns item", "--drop device"])
def test_a_recipe_of_categories_alone_takes_no_features(place: Place, chosen: str) -> None:
    place.write("old.csv", "user,time,item,device\nu,1,a,web\nu,2,b,\nv,1,a,app\n")
    if not chosen:
        place.write("old.csv", "user,time,item\nu,1,a\nu,2,b\nv,1,a\n")
    group = f"seqtool group old.csv --key user --order-by time --category item {chosen} -o g.npz"
    assert place.shell(f"{group} && seqtool encode g.npz -o train.npz").code == 0
    place.write("new.csv", "price,user,time,item,device\n2.5,w,2,b,web\n,w,1,a,\n")
    done = succeeded(place.run("apply", "train.npz", "new.csv", "-o", "new.npz"))
    assert "warning" not in done.err
    found = place.arrays("new.npz")
    assert (found["x"].tolist(), found["x"].dtype.kind, "features" in found) == ([[3, 4]], "i", False)
    shown = succeeded(place.run("info", "train.npz", "--recipe")).out.decode()
    assert "--columns item" in " ".join(shown.split())


def test_what_was_left_out_at_the_end_is_there_again(place: Place) -> None:
    """`split --last` selects steps: new rows are whole sequences, without what was to be predicted."""
    place.write("clicks.csv", "user,time,item\nu,1,a\nu,2,b\nu,3,a\nv,1,a\nv,2,a\n")
    clicks = (
        "seqtool group clicks.csv --key user --order-by time --category item --columns item --ragged -o -"
    )
    done = place.shell(
        f"{clicks} | seqtool split --last 1 | seqtool encode | seqtool pad --maxlen 2 -o '{{split}}.npz'"
    )
    assert done.code == 0, done.err
    done = succeeded(place.run("apply", "train.npz", "clicks.csv", "-o", "new.npz"))
    assert "split: what selects sequences is not repeated" in done.err
    found = place.arrays("new.npz")
    assert (found["x"].tolist(), "y" in found) == ([[2, 3], [3, 3]], False)


PATIENTS = "id;age;weight;outcome\na;30;70.5;x\nb;40;80;y\n"
JOINED = "--label pat.csv:outcome --static pat.csv:age,weight"


@pytest.fixture(scope="module")
def joined(tmp_path_factory: pytest.TempPathFactory) -> Place:
    place = Place(tmp_path_factory.mktemp("joined"))
    place.write("old.csv", "id,v\na,3\na,4\nb,5\n")
    place.write("pat.csv", PATIENTS)
    succeeded(
        place.run("group", "old.csv", "--key", "id", "--columns", "v", *JOINED.split(), "-o", "rec.npz")
    )
    return place


@pytest.fixture
def patients(joined: Place, tmp_path: Path) -> Place:
    return joined.copied(tmp_path)


def test_labels_and_static_numbers_of_another_table(patients: Place) -> None:
    patients.write("new.csv", "v,id\n5,b\n7,c\n")
    patients.write("new_pat.csv", "weight,age,outcome,id\n80,40,y,b\n60,50,y,c\n,1,x,d\n")
    given = ("--static", "new_pat.csv:weight,age", "--label", "new_pat.csv:outcome")
    done = succeeded(patients.run("apply", "rec.npz", "new.csv", *given, "-o", "new.npz"))
    assert "joined   age, weight from new_pat.csv" in done.err
    dry = json.loads(
        succeeded(patients.run("apply", "rec.npz", "new.csv", *given, "--dry-run", "--json")).err
    )
    assert [one["name"] for one in dry["joined"]] == ["new_pat.csv", "new_pat.csv"]
    found = patients.arrays("new.npz")
    assert found["static"].tolist() == [[40, 80], [50, 60]]
    assert found["static_features"].tolist() == ["age", "weight"]
    assert (found["y"].tolist(), found["classes"].tolist()) == ([1, 1], ["x", "y"])
    succeeded(patients.run("apply", "rec.npz", "old.csv", *JOINED.split(), "-o", "again.npz"))
    same(patients, "rec.npz", "again.npz")
    patients.write("whole.csv", "v,id,age,weight\n5,b,40,80\n")
    done = succeeded(patients.run("apply", "rec.npz", "whole.csv", "-o", "new.npz"))
    assert (
        "absent  outcome: without labels; what came from another table is joined by --label pat.csv"
        in done.err
    )


@pytest.mark.parametrize(
    ("options", "code", "words"),
    [
        (
            "",
            1,
            "old.csv: lacks 'age', 'weight', which rec.npz was made of; its columns are id, v; what came from ",
        ),
        ("--static pat.csv:foo", 2, "--static names 'foo'; rec.npz has 'age', 'weight'"),
        ("--static age", 2, "--static names 'age' of no table; FILE:COLUMN was expected"),
        ("--static pat.csv:age,age --static pat.csv:weight", 2, "each once"),
        (
            "--static pat.csv:age",
            2,
            "rec.npz has 'age', 'weight', in this order, and columns of other tables",
        ),
        ("--static none.csv:age,weight", 1, "none.csv: no such file"),
    ],
)
def test_what_another_table_cannot_give(patients: Place, options: str, code: int, words: str) -> None:
    done = patients.run("apply", "rec.npz", "old.csv", *options.split(), "-o", "new.npz")
    assert (done.code, words in done.err) == (code, True), done.err
    assert not (patients.folder / "new.npz").exists()


def test_other_tables_are_of_rows(place: Place) -> None:
    place.write("x.json", "[[1, 2]]")
    succeeded(place.run("pad", "x.json", "-o", "x.npz", "-q"))
    done = place.run("apply", "x.npz", "x.json", "--static", "pat.csv:age", "-o", "y.npz")
    assert (done.code, "--static is of rows, and x.npz was made of sequences" in done.err) == (2, True)


LONG = "id,t,item,value\na,1,hr,3\na,1,sbp,4\na,2,hr,7\nb,1,hr,5\n"


@pytest.mark.parametrize("grid", ["", "--every 1", "--pivot-agg count"])
def test_items_without_any_value_are_named(place: Place, grid: str) -> None:
    place.write("old.csv", LONG)
    place.write("new.csv", LONG.replace("sbp", "other"))
    pivot = f"--key id --order-by t --pivot item=value {grid}".split()
    succeeded(place.run("group", "old.csv", *pivot, "-o", "rec.npz"))
    done = succeeded(place.run("apply", "rec.npz", "new.csv", "-o", "new.npz"))
    assert "warning: no value at all: sbp; 1 of 2 features and static numbers" in done.err
    assert "dropped  1 row: item not in rec.npz" in done.err
    assert "combined" not in done.err
    assert "3 rows of 2 items into 3 steps" in done.err
    assert "no value" not in succeeded(place.run("apply", "rec.npz", "old.csv", "-o", "a.npz")).err


@pytest.mark.parametrize("grid", ["", "--every 1 --agg sum"])
def test_columns_without_any_value_are_named(place: Place, grid: str) -> None:
    place.write("old.csv", "id,t,v,w,age\na,1,3,2,7.5\na,2,4,,7.5\nb,1,5,1,8\n")
    place.write("new.csv", "id,t,v,w,age\na,1,3,,\na,2,4,,\nb,1,5,,\n")
    options = f"--key id --order-by t --static age {grid}".split()
    succeeded(place.run("group", "old.csv", *options, "-o", "rec.npz"))
    done = succeeded(place.run("apply", "rec.npz", "new.csv", "-o", "new.npz"))
    assert "warning: no value at all: w, age; 2 of 3 features and static numbers" in done.err
