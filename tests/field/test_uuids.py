"""UUIDs are the text with hyphens that a person writes, however a table holds their 16 bytes."""

from collections.abc import Callable
from pathlib import Path
from typing import Any
from uuid import UUID

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as parquet
import pytest

import seqtool as st
from tests.command import Place

ONE, TWO = UUID(int=5), UUID(bytes=b"abcdefghijklmnop")  # the bytes of the second are text by chance
IDS = [TWO, ONE, TWO, ONE, TWO]
SORTED = [str(ONE), str(TWO)]


def as_bytes() -> Any:
    return pa.array([one.bytes for one in IDS], pa.binary(16))


def as_sliced() -> Any:
    return pa.array([bytes(16), *(one.bytes for one in IDS), None], pa.binary(16))[1:-1]


def as_extension() -> Any:
    return pa.ExtensionArray.from_storage(pa.uuid(), as_bytes())


def as_dictionary() -> Any:
    return as_bytes().dictionary_encode()


HELD = pytest.mark.parametrize("held", [as_bytes, as_sliced, as_extension, as_dictionary])


def table(ids: Any) -> pa.Table:
    return pa.table({"id": ids, "key": [2, 1, 2, 1, 2], "v": [0.5, 1.5, 4.5, 2.5, 0.0]})


def of_parquet(rows: pa.Table, folder: Path) -> Any:
    parquet.write_table(rows, folder / "rows.parquet")
    return folder / "rows.parquet"


def of_arrow(rows: pa.Table, folder: Path) -> Any:
    with pa.ipc.new_file(folder / "rows.arrow", rows.schema) as file:
        file.write_table(rows)
    return folder / "rows.arrow"


@pytest.mark.thinned
@HELD
@pytest.mark.parametrize("source", [of_parquet, of_arrow, lambda rows, _: rows])
def test_uuids_are_keys_and_labels_and_orders_by_their_text(
    held: Callable[[], Any], source: Callable[[pa.Table, Path], Any], tmp_path: Path
) -> None:
    data = source(table(held()), tmp_path)
    by_id = st.group(data, key="id", columns="v")
    assert by_id.keys.tolist() == SORTED  # type: ignore[union-attr]
    assert by_id.x[..., 0].tolist() == [[1.5, 2.5, 0], [0.5, 4.5, 0]]
    labelled = st.group(data, key="key", label="id")
    assert labelled.names["classes"].tolist() == SORTED
    assert labelled.per_sequence["y"].tolist() == [0, 1]
    assert st.group(data, key="key", step_label="id").names["classes"].tolist() == SORTED
    ordered = st.group(pa.table({**_columns(table(held())), "key": [1] * 5}), key="key", order_by="id:text")
    assert ordered.x[0, :, 0].tolist() == [1.5, 2.5, 0.5, 4.5, 0]


def _columns(rows: pa.Table) -> dict[str, Any]:
    return dict(zip(rows.schema.names, rows.columns, strict=True))


@pytest.mark.parametrize("ids", [IDS, pd.Categorical(IDS), pd.Series(IDS, dtype=object)])
def test_objects_in_a_frame_are_their_text(ids: Any) -> None:
    frame = pd.DataFrame({"id": ids, "v": [0.5, 1.5, 4.5, 2.5, 0.0]})
    assert st.group(frame, key="id").keys.tolist() == SORTED  # type: ignore[union-attr]


def test_missing_ids_are_empty_keys() -> None:
    frame = pd.DataFrame({"id": [None, ONE, float("nan")], "v": [1, 2, 4]})
    assert st.group(frame, key="id", empty_key="drop").keys.tolist() == [str(ONE)]  # type: ignore[union-attr]
    rows = pa.table({"id": pa.array([None, ONE.bytes, None], pa.binary(16)), "v": [1, 2, 4]})
    assert st.group(rows, key="id", empty_key="drop").keys.tolist() == [str(ONE)]  # type: ignore[union-attr]


def test_other_bytes_are_refused() -> None:
    for ids in (pa.array([b"abcd"] * 5, pa.binary(4)), pa.array([one.bytes for one in IDS])):
        with pytest.raises(st.DataError, match=r"a column of .*binary"):
            st.group(table(ids), key="id", columns="v")


@HELD
def test_records_of_pad_have_them_too(held: Callable[[], Any], tmp_path: Path) -> None:
    place = Place(tmp_path)
    parquet.write_table(pa.table({"v": [[1], [2]], "id": held()[:2]}), place.folder / "rows.parquet")
    by_key, by_label = place.outputs(
        "pad", ["rows.parquet", "--key", "id"], ["rows.parquet", "--label", "id"]
    )
    assert by_key["keys"].tolist() == [str(TWO), str(ONE)]
    assert by_label["classes"].tolist() == SORTED
    np.testing.assert_array_equal(by_label["y"], [1, 0])


def test_keys_of_a_mapping() -> None:
    one, two = UUID(int=5), UUID(int=7)
    assert st.pad({two: [1], one: [2, 3]}).keys.tolist() == [str(two), str(one)]  # type: ignore[union-attr]
