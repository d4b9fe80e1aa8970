"""Tables that are in memory: what comes in through the Arrow PyCapsule interface."""

from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest

from seqtool.errors import DataError, UsageError
from seqtool.tables.in_memory import table_of
from tests.holders import Capsule, CapsuleArray, Tensor

TABLE = pa.table({"user": ["b", "a"], "n": [2**53 + 1, 2], "t": pa.array([1, None], pa.int32())})


@pytest.mark.parametrize(
    "data", [TABLE, TABLE.to_batches()[0], Capsule(TABLE), CapsuleArray(TABLE.to_batches()[0])]
)
def test_columns_come_in_with_their_names_and_types(data: Any) -> None:
    table = table_of(data)
    assert (table.columns, table.named, table.text, table.at_most) == (("user", "n", "t"), True, False, 2)
    for _ in range(2):  # it may be read again
        (batch,) = table.batches([1, 0, 2])
        assert batch.to_pydict() == {"n": [2**53 + 1, 2], "user": ["b", "a"], "t": [1, None]}
    assert table.rows == 2


def test_columns_are_not_copied() -> None:
    (batch,) = table_of(Capsule(TABLE)).batches([1])
    assert batch.column(0).buffers()[1].address == TABLE.column("n").chunk(0).buffers()[1].address


def test_a_stream_that_can_be_read_once_is_enough() -> None:
    table = table_of(pa.RecordBatchReader.from_batches(TABLE.schema, TABLE.to_batches(max_chunksize=1)))
    assert [sum(map(len, table.batches([0]))) for _ in range(2)] == [2, 2]


def test_a_column_name_twice_is_refused() -> None:
    with pytest.raises(DataError, match=r"the pyarrow\.Table: has columns 'a' more than once"):
        table_of(pa.table([[1], [2]], names=["a", "a"]))


def test_a_stream_that_breaks_is_one_error() -> None:
    class Broken:
        def __arrow_c_stream__(self, requested_schema: Any = None) -> Any:
            raise RuntimeError("the query failed")

    with pytest.raises(DataError, match=r"Broken: cannot be read as Arrow data \(the query failed\)"):
        table_of(Broken())


@pytest.mark.parametrize(
    ("data", "kind"),
    [
        ([[1, 2]], "list"),
        ({"k": [1]}, "dict"),
        (None, "NoneType"),
        (pd.Series([1]), "pandas.Series"),
        (pa.array([1]), "pyarrow.Int64Array"),
        (Tensor([1]), "tests.Tensor"),
    ],
)
def test_what_is_no_table_is_named_and_so_is_what_would_be(data: Any, kind: str) -> None:
    with pytest.raises(UsageError) as refused:
        table_of(data)
    assert str(refused.value).startswith(
        f"data is a {kind}; a DataFrame (pandas, polars), an Arrow table, a 2-D"
    )


def test_masked_cells_of_an_array_are_missing() -> None:
    array = np.ma.masked_array([[1, 2], [3, 4]], [[False, True], [False, False]])
    (batch,) = table_of(array).batches([0, 1])
    assert batch.to_pydict() == {"0": [1, 3], "1": [None, 4]}
    (batch,) = table_of(array).batches([1])
    assert batch.to_pydict() == {"1": [None, 4]}
