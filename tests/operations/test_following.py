"""Which rows of the source y holds: `y_row_index` and `y_order` of `window` and of `split --last`."""

from typing import Any

import numpy as np
import pyarrow as pa
import pytest

import seqtool as sq
from seqtool.errors import DataError
from seqtool.files.schema import LAYOUTS, check_layout

pytestmark = pytest.mark.filterwarnings("ignore:too short for a window")

TABLE = {"k": ["a", "b", "a", "b", "a", "a"], "t": [3, 9, 1, 8, 2, 4], "v": [3.0, 90, 1, 80, 2, 4]}


def grouped(**more: Any) -> Any:
    kept = {"keep_row_index": True, "keep_order": True, **more}
    return sq.group(pa.table(TABLE), key="k", order_by="t", columns=["v"], ragged=True, **kept)


def test_windows_know_the_rows_of_what_follows_them() -> None:
    made = sq.window(grouped(), size=1, horizon=2)
    assert made.per_sequence["y"].tolist() == [[2, 3], [3, 4]]
    assert made.per_sequence["y_row_index"].tolist() == [[4, 0], [0, 5]]
    assert made.per_sequence["y_order"].tolist() == [[2, 3], [3, 4]]


def test_so_do_the_parts_of_leave_last_out() -> None:
    made = sq.split(grouped(), last=1)
    assert made.per_sequence["y"].tolist() == [3, 4, 90]
    assert made.per_sequence["y_row_index"].tolist() == [[0], [5], [1]]
    assert made.per_sequence["y_order"].tolist() == [[3], [4], [9]]


def test_so_do_windows_of_which_each_step_has_the_next_one() -> None:
    made = sq.window(grouped(), size=2, next=True, stride=2)
    assert made.per_step["step_y"].data.tolist() == [2, 3]
    assert made.per_sequence["y_row_index"].tolist() == [[0]]
    assert made.per_sequence["y_order"].tolist() == [[3]]


def test_of_several_order_columns_y_has_the_values_of_each() -> None:
    table = pa.table({**TABLE, "u": [0, 1, 2, 3, 4, 5]})
    made = sq.group(
        table, key="k", order_by=["t", "u"], columns=["v"], ragged=True, keep_row_index=False, keep_order=True
    )
    found = sq.window(made, size=3, horizon=1).per_sequence
    assert (found["y_order"].tolist(), "y_row_index" in found) == ([[[4, 5]]], False)


def test_what_has_no_row_numbers_gets_none() -> None:
    for made in (sq.window([[1, 2, 3]], size=1, horizon=1), sq.split([[1, 2, 3]], last=1)):
        assert not {"y_row_index", "y_order"}.intersection(made.per_sequence)
    assert "y_row_index" not in sq.window(grouped(), size=1).per_sequence


def test_joined_files_number_on_as_their_tables_would() -> None:
    made = sq.window(grouped(), size=3, horizon=1)
    both = sq.concat([made, made], on_clash="both")
    assert both.per_sequence["y_row_index"].tolist() == [[5], [11]]
    assert both.per_step["row_index"].data.tolist() == [2, 4, 0, 8, 10, 6]


def test_a_row_for_each_sequence_alone_is_no_layout_of_it() -> None:
    with pytest.raises(DataError, match="y_row_index has shape"):
        check_layout("y_row_index", (4,), np.dtype(np.int64), LAYOUTS["ragged"]["y_row_index"], {"N": 4})
