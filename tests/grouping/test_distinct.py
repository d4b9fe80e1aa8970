"""The distinct texts of a column are those that Arrow finds, also where they become numbers first."""

from itertools import pairwise
from typing import Any

import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from seqtool.grouping import distinct as module
from seqtool.grouping.distinct import distinct
from tests.hunting import examples

endings = st.text(st.sampled_from("07ab\0é"), max_size=10) | st.text(st.sampled_from("07"), max_size=3)


def as_arrow_does(cells: Any) -> tuple[list[int], list[str]]:
    encoded = cells.dictionary_encode()
    return encoded.indices.to_pylist(), encoded.dictionary.to_pylist()


def found(cells: Any, *cuts: int) -> tuple[list[int], list[str]]:
    """The same by `distinct`, for cells that come in several arrays."""
    borders = [0, *sorted(cuts), len(cells)]
    numbers, texts = distinct([cells[begin:end] for begin, end in pairwise(borders)])
    assert texts.type == cells.type
    return numbers.tolist(), texts.to_pylist()


@given(
    start=st.text(max_size=12),
    cells=st.lists(endings, max_size=30),
    odd=st.lists(st.text(max_size=20), max_size=1),
    tile=st.sampled_from([1, 3, 1 << 15]),
    skipped=st.integers(0, 2),
    cuts=st.lists(st.integers(0, 9), max_size=2),
    kind=st.sampled_from([pa.string(), pa.large_string()]),
)
@settings(max_examples=examples(200))
def test_they_are_those_of_arrow(
    start: str, cells: list[str], odd: list[str], tile: int, skipped: int, cuts: list[int], kind: Any
) -> None:
    array = pa.array([*odd, *(start + cell for cell in cells)], kind)[skipped:]
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(module, "_TILE", tile)
        assert found(array, *(min(cut, len(array)) for cut in cuts)) == as_arrow_does(array)


@pytest.mark.parametrize(
    "cells",
    [
        ["user7", "user12", "user7", "user"],
        ["7", "07", "007", ""],
        ["a", "a" * 8, ""],
        ["a long beginning, of 25 bytes" + end for end in ("1", "2345678", "1", "")],
        ["é1", "é", "é1"],
        ["few, but long " * 9 + end for end in ("1", "2", "1")],
    ],
)
def test_texts_that_differ_in_eight_bytes_at_their_ends_become_numbers(cells: list[str]) -> None:
    assert module._as_words([pa.array(cells)]) is not None
    assert found(pa.array(cells)) == as_arrow_does(pa.array(cells))


@pytest.mark.parametrize(
    "cells",
    [
        ["a", "a\0"],  # filled up with bytes 0 they would be one
        ["123456789", "x"],
        ["abcdefgh-1234567", "abcdefgx-1234567"],
        ["0" * 9 + "12345678", "0" * 8 + "112345678"],
        [start + " and long " * 9 + "1" for start in ("few", "Few", "few")],
    ],
)
def test_other_texts_do_not(cells: list[str]) -> None:
    assert module._as_words([pa.array(cells)]) is None
    assert found(pa.array(cells)) == as_arrow_does(pa.array(cells))
