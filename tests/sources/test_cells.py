"""Lists in cells of text."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from seqtool.sources.cells import cells_in_brackets, split_cells


@given(st.lists(st.lists(st.integers() | st.floats(allow_nan=False, allow_infinity=False)), min_size=1))
def test_what_json_and_python_write_is_read(rows: list[list[float]]) -> None:
    for write in (json.dumps, repr, lambda row: repr(tuple(row)), lambda row: " ".join(map(repr, row))):
        cells, lengths = split_cells(map(write, rows))
        assert [float(cell) for cell in cells] == [float(number) for row in rows for number in row]
        assert lengths.tolist() == [*map(len, rows)]


@pytest.mark.parametrize("words", [["B", "I"], ["it's"], ["a b", "c"], []])
def test_words_in_quotes_are_the_words(words: list[str]) -> None:
    assert cells_in_brackets(repr(words)) == words
    assert cells_in_brackets(json.dumps(words)) == words
