"""Words for missing values among number labels are missing labels, in every kind of table and for every choice."""

import json
import math
import re
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as parquet
import pytest

import seqtool as st
from tests.command import Place

NAN = float("nan")
FRACTIONS, CLASSES = ["12.5", "nan", "14"], ["0", "NA", "1"]


def frame(labels: list[Any]) -> pd.DataFrame:
    """Two sequences of two steps for each label but the last, which has one of three steps."""
    ids = [i for i in range(len(labels)) for _ in range(2)] + [len(labels) - 1]
    return pd.DataFrame(
        {"id": ids, "y": [labels[i] for i in ids], "v": [0.5 * (i * i % 7) for i in range(len(ids))]}
    )


def of_csv(labels: list[str], folder: Path) -> Any:
    frame(labels).to_csv(folder / "rows.csv", index=False)
    return folder / "rows.csv"


def of_json(labels: list[str], folder: Path) -> Any:
    (folder / "rows.jsonl").write_text(
        "".join(json.dumps(row) + "\n" for row in frame(labels).to_dict("records"))
    )
    return folder / "rows.jsonl"


def of_parquet(labels: list[str], folder: Path) -> Any:
    parquet.write_table(pa.Table.from_pandas(frame(labels)), folder / "rows.parquet")
    return folder / "rows.parquet"


def of_frame(labels: list[str], folder: Path) -> Any:
    return frame(labels)


def of_categories(labels: list[str], folder: Path) -> Any:
    return frame(labels).astype({"y": "category"})


EVERYWHERE = pytest.mark.parametrize("source", [of_csv, of_json, of_parquet, of_frame, of_categories])
PARTS = pytest.mark.parametrize("part", ["label", "step_label"])
Source = Callable[[list[str], Path], Any]


def y_of(grouped: Any) -> Any:
    return grouped.per_sequence["y"]


def step_y_of(grouped: Any) -> Any:
    return grouped.per_step["step_y"].data


def labels_of(grouped: Any, part: str) -> list[float]:
    """The label of each sequence, or that of its first step."""
    return [*map(float, y_of(grouped) if part == "label" else step_y_of(grouped)[:, 0])]


@pytest.mark.thinned
@EVERYWHERE
@PARTS
@pytest.mark.parametrize(
    ("labels", "word"), [(FRACTIONS, "nan"), (CLASSES, "NA"), (["7", " Null ", "7"], " Null ")]
)
def test_a_word_among_numbers_is_an_error_with_its_place(
    source: Source, part: str, labels: list[str], word: str, tmp_path: Path
) -> None:
    place = "line 4" if source is of_csv else "line 3" if source is of_json else "row 2"
    with pytest.raises(st.DataError) as error:
        st.group(source(labels, tmp_path), key="id", **{part: "y"})  # type: ignore[call-overload]
    text = str(error.value)
    assert "label column 'y' is empty in 2 of 7 rows, the first at " in text
    assert f'{place} ({word!r}); say what to do with these sequences: empty_label="drop"' in text


@pytest.mark.thinned
@EVERYWHERE
@PARTS
@pytest.mark.parametrize(
    ("labels", "kept", "dropped"),
    [
        (FRACTIONS, [12.5, NAN, 14], [12.5, 14]),
        (CLASSES, [0, -100, 1], [0, 1]),
        (["5", "9", "none"], [0, 1, -100], [0, 1]),
    ],
)
def test_sequences_without_a_label_are_dropped_or_kept(
    source: Source, part: str, labels: list[str], kept: list[float], dropped: list[float], tmp_path: Path
) -> None:
    options: dict[str, Any] = {"key": "id", part: "y"}
    with_all = st.group(source(labels, tmp_path), empty_label="keep", **options)
    np.testing.assert_array_equal(labels_of(with_all, part), kept)
    without = st.group(source(labels, tmp_path), empty_label="drop", **options)
    np.testing.assert_array_equal(labels_of(without, part), dropped)
    gone = next(i for i, label in enumerate(labels) if not label.strip()[0].isdigit())
    assert without.keys.tolist() == [i for i in range(3) if i != gone]  # type: ignore[union-attr]
    lost = int(with_all.lengths[gone])
    [entry] = without.receipt
    assert entry["rows"] == {
        "in": 7,
        "kept": 7 - lost,
        "cut": 0,
        "dropped": {"sequence without label": lost},
    }
    assert entry["arguments"]["empty_label"] == "drop"


def test_nan_of_typed_columns_is_the_same() -> None:
    data = frame([12.5, NAN, 14])
    with pytest.raises(st.DataError, match=r"empty in 2 of 7 rows, the first at the DataFrame: row 2; say"):
        st.group(data, key="id", label="y")
    assert math.isnan(y_of(st.group(data, key="id", label="y", empty_label="keep"))[1])
    array = data.to_numpy()
    assert y_of(st.group(array, key=0, label=1, columns=[2], empty_label="drop")).tolist() == [12.5, 14]


@EVERYWHERE
def test_a_word_among_text_is_a_class_and_is_warned_of(source: Source, tmp_path: Path) -> None:
    data = source(["cat", "NA", "dog"], tmp_path)
    with pytest.warns(
        UserWarning,
        match=r"'y' holds 'NA' in 2 rows, .*; to read it as no label: missing=\"NA\"",
    ):
        grouped = st.group(data, key="id", label="y")
    assert grouped.names["classes"].tolist() == ["NA", "cat", "dog"]
    kept = st.group(data, key="id", label="y", missing="NA", empty_label="keep")
    assert (y_of(kept).tolist(), kept.names["classes"].tolist()) == ([0, -100, 1], ["cat", "dog"])


def test_a_stray_text_among_fractions_is_warned_of() -> None:
    with pytest.warns(
        UserWarning, match=r"'1O.5' in 2 rows, the first at the DataFrame: row 2, among numbers"
    ):
        assert len(st.group(frame(["0.5", "1O.5", "2.5"]), key="id", label="y").names["classes"]) == 3


@pytest.mark.parametrize("word", ["-", "?", "unknown"])
def test_a_lone_word_among_whole_numbers_is_warned_of(word: str) -> None:
    stands = re.escape(f"'{word}' in 2 rows, the first at the DataFrame: row 2, among numbers")
    match = stands + f'.*missing="{re.escape(word)}"'
    with pytest.warns(UserWarning, match=match):
        st.group(frame(["0", word, "2"]), key="id", label="y")
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        st.group(frame(["0", word, "b"]), key="id", label="y")  # two words are the names of classes
        st.group(frame(["0", word, "2"]), key="id", label="y", missing=word, empty_label="keep")


def test_whole_numbers_as_numbers_make_room_for_nan() -> None:
    data = frame(["3", "NA", "1"])
    kept = st.group(data, key="id", label="y", label_as="number", empty_label="keep")
    np.testing.assert_array_equal(y_of(kept), np.array([3, NAN, 1], np.float32))
    dropped = st.group(data, key="id", label="y", label_as="number", empty_label="drop")
    assert (y_of(dropped).tolist(), y_of(dropped).dtype) == ([3, 1], np.int64)
    with pytest.raises(st.DataError, match="float32 cannot hold"):
        st.group(frame(["16777217", "NA"]), key="id", label="y", label_as="number", empty_label="keep")


@pytest.mark.parametrize("choice", ["drop", "keep"])
def test_nothing_but_missing_labels_is_an_error(choice: Any) -> None:
    with pytest.raises(st.DataError, match="'y' is empty in all 5 rows"):
        st.group(frame(["NA", ""]), key="id", label="y", empty_label=choice, missing="NA")


def test_a_sequence_with_one_unlabelled_step_goes_as_a_whole() -> None:
    data = pd.DataFrame({"id": [1, 1, 2, 2, 3], "y": ["0", "NA", "1", "0", "1"], "v": [1, 5, 3, 4, 4]})
    dropped = st.group(data, key="id", step_label="y", empty_label="drop")
    assert step_y_of(dropped).tolist() == [[1, 0], [1, -100]]
    kept = st.group(data, key="id", step_label="y", empty_label="keep")
    assert step_y_of(kept).tolist() == [[0, -100], [1, 0], [1, -100]]


@pytest.mark.thinned
@pytest.mark.parametrize("labels", [FRACTIONS, CLASSES, ["cat", "", "dog"]])
@pytest.mark.parametrize("option", ["--label", "--step-label"])
@pytest.mark.parametrize("choice", ["drop", "keep"])
@pytest.mark.parametrize("shape", [(), ("--ragged",)])
def test_what_is_written_holds_under_check_and_pad(
    labels: list[str], option: str, choice: str, shape: tuple[str, ...], tmp_path: Path
) -> None:
    place = Place(tmp_path)
    of_csv(labels, place.folder)
    call = ["rows.csv", "--key", "id", option, "y", "--empty-label", choice, *shape]
    text = place.run("group", *call, "--dry-run").err
    message = (
        "kept        2 rows without y" if choice == "keep" else "dropped      2 rows: sequence without label"
    )
    assert re.sub(" +", " ", message) in re.sub(" +", " ", text)
    [output] = place.outputs("group", call)
    name = "y" if option == "--label" else "step_y"
    for file, further in (
        ("made0.npz", ()),
        ("again.npz", ("pad", "made0.npz", "--maxlen", "2", "-o", "again.npz")),
    ):
        assert not further or place.run(*further).code == 0
        done = place.run("check", file, "--json")
        assert done.code == 0, done.out
        found = {finding["name"]: finding for finding in json.loads(done.out)["findings"]}
        assert found[name]["verdict"] == ("warning" if choice == "keep" else "ok")
    assert len(output["keys"]) == (3 if choice == "keep" else 2)


def test_records_with_missing_number_labels_are_refused_by_pad(tmp_path: Path) -> None:
    place = Place(tmp_path)
    place.write("rows.jsonl", '{"v": [1], "y": "0.5"}\n{"v": [2], "y": "nan"}\n')
    done = place.run("pad", "rows.jsonl", "--array", "v", "--label", "y")
    assert (done.code, "1 sequence has no label" in done.err) == (1, True), done.err


def test_words_among_text_are_reported_by_pad_too(tmp_path: Path) -> None:
    place = Place(tmp_path)
    place.write("rows.jsonl", '{"v": [1], "y": "cat", "k": "a"}\n{"v": [2], "y": "NA", "k": "null"}\n')
    done = place.run("pad", "rows.jsonl", "--array", "v", "--label", "y", "--key", "k", "--json")
    assert json.loads(done.err)["warnings"] == [
        "key 'null' of 1 sequence reads as a missing value; it was kept as it is written",
        "label 'y' holds 'NA' in 1 sequence, as a class of its own",
    ]


@pytest.mark.parametrize("labels", [["0.5", "nan", "2"], ["0", "1", ""]])
def test_words_among_numbers_of_an_archive_are_refused(labels: list[str], tmp_path: Path) -> None:
    place = Place(tmp_path)
    np.savez(place.folder / "a.npz", x=np.ones((3, 2, 1)), y=np.array(labels))
    done = place.run("pad", "a.npz")
    assert (done.code, "among numbers, all as text" in done.err) == (1, True), done.err
    np.savez(place.folder / "a.npz", x=np.ones((3, 2, 1)), y=np.array([0.5, NAN, 2]))  # what was advised
    assert place.run("pad", "a.npz").code == 0
    np.savez(place.folder / "a.npz", x=np.ones((3, 2, 1)), y=np.array(["cat", "NA", "dog"]))
    [output] = place.outputs("pad", ["a.npz"])
    assert output["classes"].tolist() == ["NA", "cat", "dog"]


@pytest.mark.parametrize(("choice", "y"), [("keep", [[1.5, 0], [NAN, 1], [3, -100]]), ("drop", [[1.5, 0]])])
def test_several_labels_keep_to_the_same_rules(choice: Any, y: list[list[float]]) -> None:
    data = pd.DataFrame({"id": [1, 2, 3], "t": ["1.5", "NA", "3"], "c": ["a", "b", None], "v": [1, 4, 2]})
    grouped = st.group(data, key="id", label=["t", "c"], empty_label=choice)
    np.testing.assert_array_equal(y_of(grouped), np.array(y))
    counted = pd.DataFrame({"id": [1, 2], "a": ["010", "10"], "b": ["1", "0"], "v": [1, 4]})
    assert y_of(st.group(counted, key="id", label=["a", "b"])).tolist() == [[10, 1], [10, 0]]


DOUBTFUL = ["0", "1", "x"], ["010", "7", "10"], ["0.5", "3", "1O.5"], ["0", "", "1"]
TOLD = [
    "holds 'x' in 1 sequence, the first at {2}, among numbers, so each of these is a class of its own",
    "holds '010' ({0}) and '10' ({2}), which are one number, and one class",
    "holds '1O.5' in 1 sequence, the first at {2}, among numbers, so each of these is a class of its own",
    "1 sequence has no label 'y', the first at {1}; give each one",
]


@pytest.mark.parametrize(("cells", "told"), [*zip(DOUBTFUL, TOLD, strict=True)])
def test_doubtful_labels_are_told_of_with_their_place(cells: list[str], told: str, tmp_path: Path) -> None:
    place = Place(tmp_path)
    place.write("w.csv", "".join(f"{line}\n" for line in ["y,a,b", *(f"{cell},1,2" for cell in cells)]))
    place.write("r.jsonl", "".join(json.dumps({"v": [1, 2], "y": cell}) + "\n" for cell in cells))
    place.write("s.txt", "1 2\n" * 3)
    place.write("y.txt", "".join(f"{cell}\n" for cell in cells))
    place.write("s.ts", "@classLabel true\n@data\n" + "".join(f"1,2:{cell}\n" for cell in cells))
    calls = {
        "w.csv --steps a,b --label y": "w.csv: line {}",
        "r.jsonl --array v --label y": "line {}",
        "s.txt --label y.txt": "line {}",
        "s.ts": "line {}",
    }
    for i, (call, where) in enumerate(calls.items()):
        first = (2, 1, 1, 3)[i]
        places = [where.format(first + row) for row in range(3)]
        done = place.run("pad", *call.split(), "-o", f"{i}.npz")
        expected = told.format(*places)
        if i > 1:  # labels without a name
            expected = expected.replace(" 'y'", "" if i == 3 else " 'label'")
        assert (done.code, expected in done.err) == ("give" in told, True), done.err


LONE = "holds '?' in 2 labels, the first at label 1, among numbers, so each of these is a class of its own; if it is no"


@pytest.mark.thinned
@pytest.mark.parametrize(
    ("labels", "told"),
    [
        (["0", "?", "1", "?"], LONE),
        (["0.5", "b", "c", "2"], "holds 'b' (label 1) among numbers, so each of these is a class of its own"),
        (["cat", "NA", "dog", "NA"], "holds 'NA' in 2 labels, as a class of its own"),
        (["0.5", "1.5", "2", "2"], "holds numbers as text, such as '0.5', each of which is a class"),
        (["cat", "dog", "bird", "dog"], None),
        (["b7", "1", "c8", "2"], None),
        (["1", "2", "10", "2"], None),
    ],
)
def test_text_arrays_of_labels_are_doubted_as_columns_are(
    labels: list[str], told: str | None, tmp_path: Path
) -> None:
    place, x = Place(tmp_path), np.ones((4, 2, 1))
    np.savez(place.folder / "y.npz", x=x, y=np.array(labels))
    np.savez(place.folder / "two.npz", x=x, a=np.array(labels), b=np.arange(4))
    np.savez(place.folder / "steps.npz", values=np.ones((4, 1)), offsets=[0, 1, 4], step_y=np.array(labels))
    np.save(place.folder / "x.npy", x)
    np.save(place.folder / "y.npy", np.array(labels))
    for call in ("y.npz", "two.npz --label a --label b", "steps.npz", "x.npy --label y.npy"):
        err = " ".join(place.run("pad", *call.split(), "-o", "out.npz").err.split()).replace(
            "real step", "label"
        )
        assert ("warning: " in err, (told or "") in err) == (told is not None, True), err
    found = json.loads(place.run("check", "y.npz", "--json").out)
    assert any(one["name"] == "labels" for one in found["findings"]) == (told is not None)
