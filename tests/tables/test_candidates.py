"""Which columns may be the key, as the advice to a call without one names them."""

from typing import Any

import pyarrow as pa
import pytest

from seqtool.tables.candidates import key_candidates
from seqtool.tables.in_memory import table_of

INFINITE, MISSING = float("inf"), None


@pytest.mark.parametrize(
    ("cells", "likely"),
    [
        ([1.0, 1.0, 2.0], True),
        ([1.5, 1.5, 2.0], False),
        ([1.0, 1.0, INFINITE], False),
        ([1.0, 1.0, MISSING], False),
        (["a", "a", "b"], True),
        ([[1], [1], [2]], False),
    ],
)
def test_columns_whose_cells_repeat_are_candidates(cells: list[Any], likely: bool) -> None:
    assert key_candidates(table_of(pa.table({"c": cells}))) == ["c"] * likely
