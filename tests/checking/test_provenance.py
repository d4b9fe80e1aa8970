"""Row numbers and order values of the steps that y holds; those of steps are among the tests of `check`."""

import numpy as np
import pyarrow as pa
import pytest

import seqtool as sq
from tests.command import Place, succeeded


@pytest.mark.parametrize(
    ("name", "wrong", "says"), [("y_row_index", -1, "negative"), ("y_order", np.nan, "NaN")]
)
def test_check_finds_a_row_that_is_none(place: Place, name: str, wrong: float, says: str) -> None:
    table = pa.table({"k": ["a"] * 4, "t": [1, 2, 3, 4], "v": [3.0, 90, 1, 80]})
    kept = sq.group(
        table, key="k", order_by="t", columns=["v"], ragged=True, keep_row_index=True, keep_order=True
    )
    made = sq.window(kept, size=1, horizon=2)
    sq.save(place.folder / "w.npz", made)
    assert f"{name}" in succeeded(place.run("check", "w.npz")).out.decode()
    array = made.per_sequence[name].astype(np.float64 if np.isnan(wrong) else np.int64)
    array[1, 0] = wrong
    sq.save(place.folder / "w.npz", made.replace(per_sequence={**made.per_sequence, name: array}))
    done = place.run("check", "w.npz")
    assert done.code == 1
    assert f"{name}[1, 0]" in done.out.decode()
    assert says in done.out.decode()
