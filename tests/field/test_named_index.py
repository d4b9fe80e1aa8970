"""The named index of a frame is the same to the frame and to the files that pandas writes: there, but no feature."""

import uuid
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pandas as pd
import pyarrow as pa
import pytest

import seqtool as st
from tests.command import Place, succeeded

PLAIN = pd.DataFrame({"id": [1, 1, 2, 1], "t": [4, 9, 6, 5], "a": [0.5, 2, 1, 4], "b": [3, 1, 4, 1]})
Source = Callable[[pd.DataFrame, Path], Any]


def of_frame(frame: pd.DataFrame, folder: Path) -> Any:
    return frame


def of_parquet(frame: pd.DataFrame, folder: Path) -> Any:
    frame.to_parquet(folder / "rows.parquet")
    return folder / "rows.parquet"


def of_arrow(frame: pd.DataFrame, folder: Path) -> Any:
    table = pa.Table.from_pandas(frame)
    with pa.ipc.new_file(folder / "rows.arrow", table.schema) as file:
        file.write_table(table)
    return folder / "rows.arrow"


def of_table(frame: pd.DataFrame, folder: Path) -> Any:
    return pa.Table.from_pandas(frame)


EVERYWHERE = pytest.mark.parametrize("source", [of_frame, of_parquet, of_arrow, of_table])


@pytest.mark.thinned
@EVERYWHERE
@pytest.mark.parametrize("levels", [["t"], ["t", "b"], ["t", "id"], ["id"]])
def test_an_index_is_no_feature_and_plays_any_part_by_its_name(
    source: Source, levels: list[str], tmp_path: Path
) -> None:
    data = source(PLAIN.set_index(levels), tmp_path)
    grouped = st.group(data, key="id", order_by="t")
    expected = st.group(PLAIN, key="id", order_by="t", drop=[name for name in levels if name == "b"])
    assert grouped.features == expected.features
    assert grouped.x.tolist() == expected.x.tolist()
    assert grouped.keys.tolist() == [1, 2]  # type: ignore[union-attr]
    by_name = st.group(data, key="id", columns=["t", "a"])
    assert by_name.x.tolist() == st.group(PLAIN, key="id", columns=["t", "a"]).x.tolist()
    assert st.group(data, key="id", static="id", columns="a").per_sequence["static"].tolist() == [[1], [2]]


@EVERYWHERE
def test_times_in_the_index_do_no_harm(source: Source, tmp_path: Path) -> None:
    frame = PLAIN.assign(t=pd.to_datetime(PLAIN["t"], unit="D")).set_index("t")
    assert st.group(source(frame, tmp_path), key="id").features == ("a", "b")
    assert st.group(source(frame, tmp_path), key="id", order_by="t").x[0, :, 0].tolist() == [0.5, 4, 2]


@EVERYWHERE
def test_an_index_without_a_name_is_left_out(source: Source, tmp_path: Path) -> None:
    frame = PLAIN.set_index(pd.Index([7, 8, 9, 3]))
    assert st.group(source(frame, tmp_path), key="id").features == ("t", "a", "b")


def test_positions_count_the_columns_first() -> None:
    frame = PLAIN.set_index("t")
    assert st.group(frame, key=0, columns=[1]).features == ("a",)
    assert st.group(frame, key=0, columns=[3]).features == ("t",)


def test_a_column_of_the_same_name_comes_before_the_index() -> None:
    frame = PLAIN.set_index(pd.Index([7, 8, 9, 3], name="a"))
    assert st.group(frame, key="id").x[1].tolist()[0] == [6, 1, 4]


def test_the_frame_is_left_as_it_was() -> None:
    frame = PLAIN.set_index(pd.Index([uuid.UUID(int=i) for i in (1, 1, 2, 1)], name="who"))
    before = frame.copy()
    grouped = st.group(frame, key="who")
    assert grouped.keys.tolist() == [str(uuid.UUID(int=1)), str(uuid.UUID(int=2))]  # type: ignore[union-attr]
    pd.testing.assert_frame_equal(frame, before)


def test_the_command_says_what_it_leaves_out(tmp_path: Path) -> None:
    place = Place(tmp_path)
    of_parquet(PLAIN.set_index("t"), place.folder)
    done = succeeded(place.run("group", "rows.parquet", "--key", "id"))
    assert "the index 't' is no feature unless --columns names it" in done.err
    assert "features  2: a, b" in done.err


@pytest.mark.parametrize(
    "described", [b"5", b"[1]", b"not json", b'{"index_columns": 5}', b'{"index_columns": [7]}']
)
def test_metadata_that_describe_no_index_do_no_harm(described: bytes) -> None:
    table = pa.Table.from_pandas(PLAIN).replace_schema_metadata({b"pandas": described})
    assert st.group(table, key="id", order_by="t").features == ("a", "b")
