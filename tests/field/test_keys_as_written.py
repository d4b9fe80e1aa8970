"""Keys that are written differently stay apart, each judged by itself, whatever the file they come from."""

import json
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

WRITTEN = [
    ["0xDEADBEEF", "0xdeadbeef", "3735928559", "0xCAFEBABE"],
    ["0xFFFFFFFFFFFF", "007"],
    ["007", "07", "7"],
    ["7", "+7", "-0", "0"],
    ["-7", "-07", "1e3", "1000", "7.0"],
    ["1"] * 20 + ["0xFF", "0255", "255"],
    ["18446744073709551615", "1"],
]


def of_frame(cells: list[str], folder: Path) -> Any:
    return pd.DataFrame({"id": cells, "a": range(len(cells)), "b": [0.5] * len(cells)})


def of_csv(cells: list[str], folder: Path) -> Any:
    path = folder / "rows.csv"
    path.write_text("id,a\n" + "".join(f"{cell},{i % 3}.5\n" for i, cell in enumerate(cells)))
    return path


def of_json(cells: list[str], folder: Path) -> Any:
    path = folder / "rows.jsonl"
    path.write_text("".join(json.dumps({"id": cell, "a": i % 3}) + "\n" for i, cell in enumerate(cells)))
    return path


def of_parquet(cells: list[str], folder: Path) -> Any:
    path = folder / "rows.parquet"
    parquet.write_table(pa.table({"id": cells, "a": [i % 3 for i in range(len(cells))]}), path)
    return path


def of_dictionary(cells: list[str], folder: Path) -> Any:
    return pa.table({"id": pa.array(cells).dictionary_encode(), "a": [i % 3 for i in range(len(cells))]})


EVERYWHERE = pytest.mark.parametrize("source", [of_csv, of_json, of_parquet, of_frame, of_dictionary])
Source = Callable[[list[str], Path], Any]


@pytest.mark.thinned
@EVERYWHERE
@pytest.mark.parametrize("cells", WRITTEN)
@pytest.mark.filterwarnings(
    "ignore:.*:UserWarning"
)  # of columns that say nothing, which is not the matter here
def test_keys_stay_apart_as_they_are_written(source: Source, cells: list[str], tmp_path: Path) -> None:
    grouped = st.group(source(cells, tmp_path), key="id")
    assert grouped.keys.tolist() == sorted(set(cells))  # type: ignore[union-attr]
    assert grouped.lengths.tolist() == [cells.count(key) for key in sorted(set(cells))]


@EVERYWHERE
@pytest.mark.filterwarnings("ignore:.*:UserWarning")
def test_plain_integers_are_integers(source: Source, tmp_path: Path) -> None:
    cells = ["10", "9", "-1", "0", "9"]
    keys = st.group(source(cells, tmp_path), key="id").keys
    assert keys.tolist() == [-1, 0, 9, 10]  # type: ignore[union-attr]
    assert keys.dtype == np.int64  # type: ignore[union-attr]


@EVERYWHERE
@pytest.mark.filterwarnings("ignore:.*:UserWarning")
def test_labels_in_hexadecimal_are_text(source: Source, tmp_path: Path) -> None:
    cells = ["0xFF", "255", "0xff"]
    grouped = st.group(source(cells, tmp_path), key="a", label="id", keep_key=True)
    assert grouped.names["classes"].tolist() == ["0xFF", "0xff", "255"]


@EVERYWHERE
def test_an_order_column_in_hexadecimal_is_refused(source: Source, tmp_path: Path) -> None:
    with pytest.raises(st.DataError, match="0xFF"):
        st.group(source(["255", "0xFF", "1"], tmp_path), key="a", order_by="id", keep_key=True)


@pytest.mark.parametrize(
    ("labels", "pair"),
    [
        (["10", "7", "010"], "'10' (the DataFrame: row 0) and '010' (the DataFrame: row 2)"),
        (["+5", "05", "1"], "'+5' (the DataFrame: row 0) and '05' (the DataFrame: row 1)"),
        (["-0", "1", "0"], "'-0' (the DataFrame: row 0) and '0' (the DataFrame: row 2)"),
        (["01", "02", "10"], None),
        (["10", "010", "x"], None),  # text, which is compared as written
        (["10", "010", "0.5"], None),  # numbers
        (["10", "10.0", "1"], None),  # as floats are written
    ],
)
def test_labels_that_become_one_class_are_reported(labels: list[str], pair: str | None) -> None:
    frame = pd.DataFrame({"id": [1, 2, 3], "y": labels, "v": [1, 4, 2]})
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        st.group(frame, key="id", label="y")
        st.group(frame, key="id", label="y", label_as="number" if pair else None)
    text = [f"label column 'y' holds {pair}, which are one number, and one class"] if pair else []
    assert [str(warning.message) for warning in caught if "one number" in str(warning.message)] == text


@pytest.mark.parametrize(
    ("rows", "call", "where", "part", "held"),
    [
        (["007,1,0", "7,2,0"], "--key a --columns b", "a <= 7", "keys", ["007", "7"]),
        (
            ["01,1,0", "1,1,2"],
            "--key b --columns c --step-label a --label-as class",
            "a < 5",
            None,
            "one class",
        ),
        (["01,1,3", "1,1,4"], "--key b --order-by b --pivot a=c", "a < 5", "features", ["01", "1"]),
        (
            ["'1,5',1,0", "'1.5',2,0"],
            "--key a --columns b",
            "a < 7",
            None,
            "'1.5'; compared with the number 7",
        ),
        (["'1.000,5',1,0", "1000,2,0"], "--key a --columns b", "a > 1000", "keys", ["1.000,5"]),
    ],
)
def test_what_a_cell_is_compared_with_does_not_change_it(
    rows: list[str], call: str, where: str, part: str | None, held: Any, tmp_path: Path
) -> None:
    place = Place(tmp_path)
    place.write("t.csv", "\n".join(["a,b,c", *rows]).replace("'", '"') + "\n")
    marks = ["--decimal", ",", "--thousands", "."] if "'" in rows[0] else []
    done = place.run("group", "t.csv", *call.split(), *marks, "--where", where, "-o", "o.npz")
    if part is None:
        assert held in done.err
    else:
        assert done.code == 0, done.err
        assert place.arrays("o.npz")[part].tolist() == held
