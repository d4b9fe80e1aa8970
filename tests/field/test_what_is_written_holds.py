"""Whatever `group`, `pad` and `truncate` write holds under `check`, and each of them reads it again."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pyarrow import feather

from seqtool.files import contents
from tests.command import Done, Place, succeeded
from tests.hunting import examples


@pytest.fixture
def place(tmp_path: Path) -> Place:
    return Place(tmp_path)


# What a label may be: of a sequence one for each key, of a step one for each row.
LABELS = {
    "text": ["walk", "run", "sit", "é"],
    "whole": ["3", "1", "7", "0"],
    "fractions": ["0.5", "1.5", "-2", "7.25"],
    "large": ["9007199254740993", "-1", "0", "2"],
    "mixed": ["1", "x", "2.5", "0"],
    "gaps": ["1", "", "NA", "2.5"],
    "words and gaps": ["a", "NA", "", "b"],
    "one": ["5", "5", "5", "5"],
}
KEYS = [["1", "2", "3", "10"], ["a", "b", "é", "longer than the others"], ["007", "7", "-0", "1.0"]]
CELLS = {
    "whole": ["1", "-2", "0", "127"],
    "fractions": ["0.1", "0.25", "-3", "1e3"],
    "gaps": ["1.5", "", "nan", "2"],
}


@st.composite
def tables(draw: st.DrawFn) -> str:
    """Rows of k (key), y (a label for each key), s (one for each row), g (a number for each key), a, b (features)."""
    rows = draw(st.lists(st.integers(0, 3), min_size=1, max_size=12))
    key = draw(st.sampled_from(KEYS))
    y, s = (LABELS[draw(st.sampled_from([*LABELS]))] for _ in range(2))
    a, b = (CELLS[draw(st.sampled_from([*CELLS]))] for _ in range(2))
    lines = ["k,y,s,g,a,b"]
    for i, which in enumerate(rows):
        lines.append(
            f"{key[which]},{y[which]},{s[(i * 7) % 4]},{which / 2},{a[i % 4]},{b[(i * 3 + which) % 4]}"
        )
    return "\n".join(lines) + "\n"


def options(**choices: list[str]) -> st.SearchStrategy[list[str]]:
    """Some options, each with one of its values; an empty value stands for a flag."""
    one = st.fixed_dictionaries(
        {}, optional={name: st.sampled_from(values) for name, values in choices.items()}
    )
    return one.map(lambda given: [word for option, value in given.items() for word in _words(option, value)])


def _words(option: str, value: str) -> list[str]:
    name = f"--{option.replace('_', '-')}"
    return [name] if not value else [f"{name}={value}"]


ALWAYS: dict[str, list[str]] = {
    "dtype": ["float32", "float64", "int64", "int8", "bool", "float16"],
    "min_len": ["2"],
    "compress": ["fast", "small"],
}
PADDING: dict[str, list[str]] = {
    "maxlen": ["1", "2", "5"],
    "post": [""],
    "truncating": ["pre", "post"],
    "value": ["-1", "0.5", "nan", "auto", "300", "1e300"],
    "mask": [""],
}
COLUMNS: dict[str, list[str]] = {
    "label": ["y", "y,g"],
    "step_label": ["s"],
    "label_as": ["class", "number"],
    "empty_label": ["drop", "keep"],
    "label_value": ["0.5", "0", "-1", "nan", "1e300"],
    "static": ["g"],
    "order_by": ["a", "s:text"],
    "keep_row_index": [""],
    "keep_key": [""],
}
STRIP: dict[str, list[str]] = {"strip": ["0", "nan"], "strip_side": ["pre", "post"]}
TIMES: dict[str, list[str]] = {
    "keep_order": [""],
    "delta": ["a"],
    "position": [""],
    "since_observed": [""],
    "every": ["1", "0.7"],
    "agg": ["mean", "last", "sum", "count"],
    "gap": ["2"],
}
OF_TIMES = options(**TIMES, **ALWAYS, **PADDING).map(lambda words: ["--order-by=a", *words])
GROUP = options(**COLUMNS, **ALWAYS, **PADDING) | options(ragged=[""], **COLUMNS, **ALWAYS) | OF_TIMES
PAD = options(multiple_of=["4"], **STRIP, **ALWAYS, **PADDING) | options(
    ragged=[""], maxlen=["2"], **STRIP, **ALWAYS
)
TRUNCATE = options(truncating=["pre", "post"])


@settings(max_examples=examples(24))
@given(table=tables(), grouping=GROUP, padding=PAD, cutting=TRUNCATE, wide=st.booleans())
def test_what_is_written_holds(
    table: str, grouping: list[str], padding: list[str], cutting: list[str], wide: bool, scratch: Path
) -> None:
    """`wide` stores all text as more than 64 MB would be."""
    place = _place(scratch)
    place.write("t.csv", table)
    with pytest.MonkeyPatch.context() as patch:
        if wide:
            patch.setattr(contents, "_WIDEST_TEXT", 0)
        chosen = "--columns=a,b" if "--keep-key" not in grouping else "--drop=y,s,g"
        if written(place.run("group", "t.csv", "--key", "k", chosen, *grouping, "-o", "group.npz")):
            holds(place, "group.npz")
            succeeded(place.run("pad", "group.npz", "-o", "pad.npz"))
            holds(place, "pad.npz")
            if written(place.run("pad", "group.npz", *padding, "-o", "other.npz")):
                holds(place, "other.npz")
            succeeded(place.run("truncate", "group.npz", "--maxlen", "1", *cutting, "-o", "cut.npz"))
            holds(place, "cut.npz")


@st.composite
def external(draw: st.DrawFn) -> dict[str, np.ndarray]:
    """Arrays that somebody else might have saved: a block, and what may belong to its sequences."""
    count, slots, features = (draw(st.integers(low, 4)) for low in (0, 1, 0))
    shape = (count, slots, features) if draw(st.booleans()) else (count, slots)

    def array(dtype: str, *size: int) -> np.ndarray:
        cells = (np.arange(np.prod(size, dtype=int)) * 7 % 5).reshape(size)
        return cells.astype(dtype) if dtype[0] != "U" else np.array([*"abcde"])[cells].astype(dtype)

    def of(*dtypes: str) -> str:
        return draw(st.sampled_from(dtypes))

    lengths = array(of("int64", "uint8", "float64"), count) % (slots + 1)
    anything = ("int8", "int64", "uint64", "float16", "float32", "float64", "bool", "U1", "U3")
    others = {
        "lengths": lengths,
        "mask": np.arange(slots) < lengths[:, None],
        "y": array(
            of(*anything), *draw(st.sampled_from([(count,), (count, 2), (count, slots), (count, 3, 2)]))
        ),
        "step_y": array(of(*anything), count, slots),
        "keys": np.arange(count).astype(of("int64", "uint64", "float64", "U5", "int16")),
        "classes": np.array([*of("abcde", "aabcd", "ab", "")], "U1"),
        "step_classes": np.array([*of("abcde", "aabcd", "ab")]),
        "part": array("int64", count),
        "split": array("U5", count),
        "static": array(of("float32", "int64", "float64"), count, 2),
        "features": np.array([*of("uvwx", "uuvw")])[:features],
        "row_index": array("int64", count, slots),
        "note": array("float64", 3),
    }
    chosen = draw(st.sets(st.sampled_from([*others])))
    return {
        "x": array(of(*anything[:-2]), *shape),
        **{name: others[name] for name in others if name in chosen},
    }


@settings(max_examples=examples(32))
@given(
    arrays=external(),
    saying=options(
        label=["y"],
        step_label=["step_y"],
        key=["keys"],
        input_padding=["pre", "post"],
        array=["x"],
        lengths=["lengths", "mask"],
    ),
    padding=PAD,
)
def test_what_comes_from_external_arrays_holds(
    arrays: dict[str, np.ndarray], saying: list[str], padding: list[str], scratch: Path
) -> None:
    place = _place(scratch)
    np.savez(place.folder / "x.npz", **arrays)
    text = [word for word in saying if word.startswith("--input-padding") or word.split("=")[1] in arrays]
    if written(place.run("pad", "x.npz", *text, *padding, "-o", "pad.npz")):
        holds(place, "pad.npz")
        succeeded(place.run("pad", "pad.npz", "-o", "again.npz"))
        holds(place, "again.npz")


@settings(max_examples=examples(24))
@given(
    lengths=st.lists(st.integers(0, 4), min_size=1, max_size=5),
    cells=st.sampled_from([[1, 2, 0], [0.5, 1.0, 2.0], [None, 1.5, 0.0], [[1, 2], [0, 0]]]),
    label=st.sampled_from([["a", "b"], [0.5, 1.5, -2], [3, 7], [True, False], [2**53 + 1, 2**40]]),
    key=st.sampled_from([list("abcde"), [3, 1, 2, 10, -1], ["007", "7", "é", "NA", "0"]]),
    kind=st.sampled_from(["jsonl", "json", "parquet", "arrow"]),
    padding=PAD,
)
def test_what_comes_from_records_holds(
    lengths: list[int],
    cells: list[Any],
    label: list[Any],
    key: list[Any],
    kind: str,
    padding: list[str],
    scratch: Path,
) -> None:
    place = _place(scratch)
    rows = [
        {"v": [cells[(i + t) % len(cells)] for t in range(size)], "y": label[i % len(label)], "k": key[i]}
        for i, size in enumerate(lengths)
    ]
    if kind.startswith("json"):
        text = "\n".join(map(json.dumps, rows)) if kind == "jsonl" else json.dumps(rows)
        place.write(f"t.{kind}", text)
    else:
        table = pa.Table.from_pylist(rows)
        (pq.write_table if kind == "parquet" else feather.write_feather)(table, place.folder / f"t.{kind}")
    if written(place.run("pad", f"t.{kind}", "--label", "y", "--key", "k", *padding, "-o", "pad.npz")):
        holds(place, "pad.npz")
        succeeded(place.run("pad", "pad.npz", "-o", "again.npz"))
        holds(place, "again.npz")


def _place(scratch: Path) -> Place:
    return Place(scratch) if not (scratch / "work").exists() else _again(scratch)


def _again(scratch: Path) -> Place:
    place = object.__new__(Place)
    place.folder, place.temporary = scratch / "work", scratch / "temporary"
    return place


def written(done: Done) -> bool:
    """Whether a call wrote its file; one that did not says why, in one line that is no bug."""
    assert done.code in (0, 1, 2), done.err
    assert "a bug in seqtool" not in done.err
    assert done.code == 0 or "seqtool: error: " in done.err
    return done.code == 0


def holds(place: Place, name: str) -> None:
    found: dict[str, Any] = json.loads(place.run("check", name, "--json").out)
    wrong = [one for one in found["findings"] if one["verdict"] == "fails"]
    assert found["holds"], wrong
    assert not wrong


# What the properties found, and what was known before


def test_classes_of_steps_beside_a_label_of_fractions(place: Place) -> None:
    """They stood in `classes`, where readers give them to `y`."""
    place.write("t.csv", "id,y,s,v\n1,0.5,walk,1\n1,0.5,run,2\n2,1.5,walk,3\n")
    done = succeeded(
        place.run("group", "t.csv", "--key", "id", "--label", "y", "--step-label", "s", "-o", "o.npz")
    )
    arrays = place.arrays("o.npz")
    assert (arrays["y"].tolist(), arrays["step_classes"].tolist()) == ([0.5, 1.5], ["run", "walk"])
    assert "classes" not in arrays
    assert "2: run, walk" in done.err
    assert "run, walk" in place.run("info", "o.npz").out.decode()
    holds(place, "o.npz")


@pytest.mark.parametrize("form", [[], ["--ragged"]])
@pytest.mark.parametrize("value", ["0.5", "1e300", "nan"])
def test_classes_of_steps_are_padded_with_whole_numbers(form: list[str], value: str, place: Place) -> None:
    place.write("t.csv", "id,s,v\n1,walk,1\n1,run,2\n2,walk,3\n")
    done = place.run(
        "group", "t.csv", "--key", "id", "--step-label", "s", "--label-value", value, *form, "-o", "o.npz"
    )
    assert done.code == 1
    assert "--label-value" in done.err
    assert "a whole number was expected" in done.err
    assert not (place.folder / "o.npz").exists()


def test_more_text_of_classes_than_fixed_width_takes(place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(contents, "_WIDEST_TEXT", 0)
    place.write("t.csv", "id,y,s,v\n1,b,walk,1\n1,b,run,2\n2,a,walk,3\n")
    succeeded(place.run("group", "t.csv", "--key", "id", "--label", "y", "--step-label", "s", "-o", "o.npz"))
    for command in ("pad", "truncate"):
        succeeded(place.run(command, "o.npz", "--maxlen", "1", "-o", f"{command}.npz"))
        holds(place, f"{command}.npz")
    holds(place, "o.npz")


@pytest.mark.parametrize(
    ("arrays", "message"),
    [
        ({"step_y": [[0, 2]], "classes": ["a", "b"]}, "step_y of real step 1 is 2, but there are 2 classes"),
        ({"step_y": [[0.5, 2]], "classes": ["a", "b"]}, "step_y is float64, but there are classes"),
        ({"step_y": [[0, 1]], "classes": ["a", "a"]}, "classes holds a name twice; it was not read"),
        ({"features": ["a", "a"]}, "features holds a name twice; it was not read"),
    ],
)
def test_what_does_not_fit_external_steps(arrays: dict[str, list[Any]], message: str, place: Place) -> None:
    x = np.ones((1, 2, 2))
    np.savez(place.folder / "x.npz", x=x, **{name: np.array(cells) for name, cells in arrays.items()})
    done = place.run("pad", "x.npz", "-o", "o.npz")
    assert message in done.err
    if done.code == 0:
        holds(place, "o.npz")


def test_labels_and_keys_of_uint64_are_int64(place: Place) -> None:
    np.savez(
        place.folder / "x.npz",
        x=np.ones((2, 2)),
        lengths=np.array([1, 2]),
        keys=np.array([5, 3], np.uint64),
        step_y=np.array([[1, 0], [2, 3]], np.uint64),
    )
    succeeded(place.run("pad", "x.npz", "--post", "-o", "o.npz"))
    arrays = place.arrays("o.npz")
    assert (arrays["keys"].dtype, arrays["keys"].tolist()) == (np.int64, [5, 3])
    assert arrays["step_y"].tolist() == [[1, -100], [2, 3]]
    holds(place, "o.npz")
