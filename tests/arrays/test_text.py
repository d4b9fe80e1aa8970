"""Text of variable width: what comes back is what was put in, window by window."""

from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from seqtool.arrays.lazy import Lazy
from seqtool.arrays.text import Text, text_array

cells_of_text = st.lists(st.text(max_size=4) | st.sampled_from(["é", "", "\U0001f600"]), max_size=12)


def text_of(cells: list[str], shape: tuple[int, ...], *, lazy: bool) -> Text:
    encoded = [cell.encode() for cell in cells]
    data = np.frombuffer(b"".join(encoded), np.uint8)
    offsets = np.cumsum([0, *map(len, encoded)])

    def windowed(array: Any) -> Any:
        return Lazy(array.shape, array.dtype, lambda begin, end: array[begin:end].copy()) if lazy else array

    widest = max(map(len, cells), default=0)
    return Text(windowed(data), windowed(offsets), shape, widest=widest)


@given(
    st.lists(
        st.text(st.characters(exclude_characters="\0", exclude_categories=["Cs"]), max_size=4), max_size=12
    ),
    st.booleans(),
    st.data(),
)
def test_windows_are_the_cells_that_were_put_in(cells: list[str], lazy: bool, data: st.DataObject) -> None:
    text = text_of(cells, (len(cells),), lazy=lazy)
    begin, end = (data.draw(st.integers(-len(cells) - 1, len(cells) + 1)) for _ in range(2))
    assert text[begin:end].tolist() == cells[begin:end]
    assert np.asarray(text).tolist() == cells
    assert len(text) == len(cells)
    assert text.ndim == 1


@given(
    st.lists(st.lists(st.sampled_from(["a", "é", "", "long one"]), min_size=2, max_size=2), max_size=6),
    st.booleans(),
)
def test_several_columns_stand_row_by_row(rows: list[list[str]], lazy: bool) -> None:
    text = text_of([cell for row in rows for cell in row], (len(rows), 2), lazy=lazy)
    assert np.asarray(text).shape == (len(rows), 2)
    assert np.asarray(text).tolist() == rows
    for begin in range(len(rows)):
        assert text[begin : begin + 1].tolist() == rows[begin : begin + 1]
        assert text.cells(begin, begin + 1) == rows[begin]
    assert text.ndim == 2


def test_a_dtype_may_be_asked_for() -> None:
    text = text_of(["a", "bcd"], (2,), lazy=False)
    assert np.asarray(text, dtype="U1").tolist() == ["a", "b"]


def test_bytes_that_are_not_text_are_an_error() -> None:
    text = Text(np.frombuffer(b"a\xff", np.uint8), np.array([0, 1, 2]), (2,), widest=None)
    with pytest.raises(UnicodeDecodeError):
        text[:]


def test_one_long_cell_does_not_make_all_others_wide() -> None:
    cells = ["x" * 10_000, *("y" for _ in range(10_000))]
    array = text_array(cells)
    assert array.dtype.kind == "T"
    assert array.tolist() == cells
    assert text_array(["ab", "c"]).dtype == np.dtype("U2")


def test_empty_text_has_a_width() -> None:
    assert text_array([""]).tolist() == [""]
    assert text_array([""]).dtype == np.dtype("U1")
    assert text_array([]).shape == (0,)
