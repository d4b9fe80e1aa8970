"""Keys that read as missing: warned of, and left out where a call says that they are missing."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as parquet
import pytest

import seqtool as st
from tests.command import Place

TAILS = ["N1", "NA", "N2", "NA", "N1", " null ", "Nantes"]
FLIGHTS = pd.DataFrame({"tail": TAILS, "delay": [3, 1, 4, 1, 5, 9, 2]})


def of_csv(flights: pd.DataFrame, folder: Path) -> Any:
    flights.to_csv(folder / "rows.csv", index=False)
    return folder / "rows.csv"


def of_json(flights: pd.DataFrame, folder: Path) -> Any:
    rows = (json.dumps(row) + "\n" for row in flights.to_dict("records"))
    (folder / "rows.jsonl").write_text("".join(rows))
    return folder / "rows.jsonl"


def of_parquet(flights: pd.DataFrame, folder: Path) -> Any:
    parquet.write_table(pa.Table.from_pandas(flights), folder / "rows.parquet")
    return folder / "rows.parquet"


def of_frame(flights: pd.DataFrame, folder: Path) -> Any:
    return flights


EVERYWHERE = pytest.mark.parametrize("source", [of_csv, of_json, of_parquet, of_frame])
Source = Callable[[pd.DataFrame, Path], Any]


@EVERYWHERE
def test_keys_that_read_as_missing_are_kept_and_warned_of(source: Source, tmp_path: Path) -> None:
    with pytest.warns(UserWarning, match="key column 'tail'") as caught:
        grouped = st.group(source(FLIGHTS, tmp_path), key="tail")
    assert grouped.keys.tolist() == sorted({*TAILS})  # type: ignore[union-attr]
    assert [str(warning.message) for warning in caught] == [
        "key column 'tail' holds 'NA' in 2 rows, as a key like others; "
        'to leave them out: missing="NA" empty_key="drop"',
        "key column 'tail' holds ' null ' in 1 row, as a key like others; "
        'to leave it out: missing=" null " empty_key="drop"',
    ]


@EVERYWHERE
def test_what_is_named_as_missing_is_no_key(source: Source, tmp_path: Path) -> None:
    data = source(FLIGHTS, tmp_path)
    missing = ["NA", " null "]
    with pytest.raises(st.DataError, match=r"'tail' is empty in 3 of 7 rows; .*empty_key=\"drop\""):
        st.group(data, key="tail", missing=missing)
    grouped = st.group(data, key="tail", missing=missing, empty_key="drop")
    assert grouped.keys.tolist() == ["N1", "N2", "Nantes"]  # type: ignore[union-attr]
    assert grouped.receipt[0]["rows"] == {"in": 7, "kept": 4, "cut": 0, "dropped": {"empty key": 3}}
    kept = st.group(data, key="tail", missing=missing, empty_key="keep")
    assert kept.keys.tolist() == sorted({*TAILS})  # type: ignore[union-attr]


@EVERYWHERE
def test_keys_beside_missing_ones_are_integers_still(source: Source, tmp_path: Path) -> None:
    flights = FLIGHTS.assign(tail=["12", "NA", "7", "NA", "12", "-1", "7"])
    grouped = st.group(source(flights, tmp_path), key="tail", missing="NA", empty_key="drop")
    assert grouped.keys.tolist() == [-1, 7, 12]  # type: ignore[union-attr]
    again = st.group(source(flights, tmp_path), key="tail", missing=["NA", "-1"], empty_key="drop")
    assert again.keys.tolist() == [7, 12]  # type: ignore[union-attr]


def test_words_do_nothing_in_silence_where_there_is_no_text() -> None:
    with pytest.warns(UserWarning, match=r'missing="-999" stands in no key, label or category'):
        st.group(FLIGHTS[:1], key="tail", missing="-999")
    numbers = FLIGHTS.assign(tail=range(7))
    with pytest.raises(st.UsageError, match="neither key"):
        st.group(numbers, key="tail", missing="-999")


@pytest.mark.parametrize("command", ["group", "plan"])
def test_the_command_that_is_advised_leaves_them_out(command: str, tmp_path: Path) -> None:
    place = Place(tmp_path)
    of_csv(FLIGHTS[:5], place.folder)
    done = place.run(command, "rows.csv", "--key", "tail", "--json")
    message = "holds 'NA' in 2 rows, as a key like others; to leave them out: --missing NA --empty-key drop"
    assert message in " ".join(json.loads(done.out or done.err)["warnings"])
    done = place.run(command, "rows.csv", "--key", "tail", "--missing", "NA", "--empty-key", "drop", "--json")
    assert done.code == 0
    text = json.loads(done.out or done.err)
    assert "NA" not in json.dumps(text["warnings"])
