"""From cells to numbers, keys, order and labels, batch by batch."""

import datetime
import pickle
import re
from itertools import pairwise
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from seqtool.errors import DataError
from seqtool.tables.cells import (
    BadCellError,
    Keys,
    Labels,
    LabelState,
    Numbers,
    Order,
    UnseenError,
    encode_labels,
    is_numeric,
    missing_words,
    plain,
)
from seqtool.tables.cells.spelling import plain_integers, text_bytes, text_offsets
from seqtool.tables.roles import OrderAs
from tests.oracles import text_of

WORDS = missing_words()
NAN = float("nan")
FLOAT32 = np.dtype(np.float32)


def numbers_of(*batches: list[str], words: Any = WORDS, target: Any = FLOAT32) -> tuple[Numbers, list[Any]]:
    """The encoder after these batches of text, and what it gave for each cell."""
    numbers = Numbers(np.dtype(target), words, text=True)
    cells, row = [], 0
    for batch in batches:
        cells += numbers.encode(pa.array(batch, pa.string()), row).tolist()
        row += len(batch)
    return numbers, cells


def typed(array: Any, target: Any = FLOAT32) -> Any:
    return Numbers(np.dtype(target), WORDS, text=False).encode(array, 0)


# Numbers.


def test_whole_numbers_are_int64_until_a_fraction_comes() -> None:
    numbers = Numbers(FLOAT32, WORDS, text=True)
    assert numbers.encode(pa.array(["1", "-2"]), 0).dtype == np.int64
    assert numbers.whole
    assert numbers.encode(pa.array(["1.5", "2"]), 2).dtype == np.float64
    assert not numbers.whole
    numbers.encode(pa.array(["3"]), 4)
    assert not numbers.whole


def test_minus_zero_is_zero_wherever_the_first_fraction_stands() -> None:
    cells = ["-0", " -00 ", "-0.0", "-0e3", "2.5"]
    expected = "[0.0, 0.0, 0.0, 0.0, 2.5]"
    for order in (cells, [*reversed(cells)]):
        for batches in ([order], [[cell] for cell in order], [order[:2], order[2:]]):
            found = np.array(numbers_of(*batches)[1], float)
            assert text_of(found if order is cells else found[::-1]) == expected


@pytest.mark.parametrize("cell", ["0x1F", "0X1f", "-0x1", "1_000", "1e", "abc", "1,5", "--1", "0b1", "1 2"])
def test_a_cell_that_is_no_number_is_reported_with_its_row(cell: str) -> None:
    for before in ([], ["1"], ["1", "2.5", ""]):
        with pytest.raises(BadCellError) as bad:
            numbers_of([*before, cell, "1"])
        assert (bad.value.row, bad.value.cell) == (len(before), cell)


def test_the_first_of_several_bad_cells_is_reported() -> None:
    for cells in (["1", "x", "1e400", "y"], ["1", "x", "9007199254740993", "y"], ["1.5", "0x1F", "x"]):
        with pytest.raises(BadCellError) as bad:
            numbers_of(cells)
        assert (bad.value.row, bad.value.cell) == (1, cells[1])


@pytest.mark.parametrize("cell", ["1", "-1.5", "1e5", " 5 ", "+5", "inf", "-inf", "true", "FALSE", "007"])
def test_spellings_of_numbers_are_numbers(cell: str) -> None:
    assert Numbers.is_number(cell)
    numbers_of([cell])


@pytest.mark.parametrize("cell", ["0x1F", "1_000", "abc", "yes", "", "1e", "12/31/2023"])
def test_other_spellings_are_none(cell: str) -> None:
    assert not Numbers.is_number(cell)


def test_missing_words_in_any_case_and_between_blanks() -> None:
    cells = [
        "",
        "NA",
        "na",
        "nA",
        "n/a",
        "N/A",
        "NULL",
        "nuLL",
        "None",
        "NONE",
        "nan",
        "NaN",
        " NA ",
        "\tnull",
    ]
    numbers, found = numbers_of(["1", *cells])
    assert text_of(found) == text_of([1.0, *[NAN] * len(cells)])
    assert numbers.missing == len(cells)
    assert all(numbers.is_missing(cell) for cell in cells)
    assert not numbers.is_missing("nil")


def test_more_words_count_as_they_are() -> None:
    words = missing_words(["?", "-1", "Gone"])
    for batches in (
        [["1", "?", "Gone", "-1"]],
        [["1"], ["-1"], ["?"], ["Gone"]],
        [["-1", "1"]],
        [["-1.0", "-1"]],
    ):
        expected = [float(cell) if cell in ("1", "-1.0") else NAN for batch in batches for cell in batch]
        numbers, found = numbers_of(*batches, words=words)
        assert text_of([float(cell) for cell in found]) == text_of(expected)
        assert numbers.missing == sum(number != number for number in expected)
    with pytest.raises(BadCellError):
        numbers_of(["1", "gone"], words=words)


def lost(numbers: Numbers, target: Any = FLOAT32) -> tuple[int, str] | None:
    """The row of the first number that `target` cannot hold, and the number as it is told."""
    loss = numbers.loss(np.dtype(target))
    return None if loss is None else (loss.row, loss.reason.split(",")[0].strip("'"))


def test_the_first_number_that_the_type_cannot_hold_is_remembered_with_its_row() -> None:
    numbers, _ = numbers_of(["1", "2"], ["3", "16777217"], ["16777219"])
    assert lost(numbers) == (3, "16777217")
    numbers, _ = numbers_of(["0.5", "16777216"])
    assert lost(numbers) is None


@pytest.mark.parametrize(
    "cell", ["9007199254740993", "-9007199254740993", "9223372036854775809", "99999999999999999999"]
)
@pytest.mark.parametrize("target", ["float32", "float64", "int64"])
def test_an_integer_that_float64_would_change_is_a_loss_next_to_a_fraction(cell: str, target: str) -> None:
    for batches in ([["0.5", cell]], [["0.5"], [cell]], [[cell, "0.5"]], [[cell], ["0.5"]]):
        row = [c for batch in batches for c in batch].index(cell)
        numbers, _ = numbers_of(*batches, target=target)
        first = (0, "0.5") if target == "int64" and row else (row, cell)
        assert lost(numbers, target) == first


@pytest.mark.parametrize("cell", ["1e400", "-1e400", "1e999"])
def test_a_number_past_float64_is_a_loss_and_no_infinity(cell: str) -> None:
    for batches in ([["1", cell]], [["1"], [cell]], [["1", "NA", cell]]):
        numbers, _ = numbers_of(*batches)
        assert lost(numbers) == (sum(map(len, batches)) - 1, cell)


def test_true_and_false_are_numbers_in_any_company_of_batches() -> None:
    assert numbers_of(["true", "False", "TRUE"])[1] == [1, 0, 1]
    assert text_of(numbers_of(["true", "NA", "false"])[1]) == text_of([1.0, NAN, 0.0])


def test_empty_batches_and_slices_of_arrays_are_read() -> None:
    array = pa.array(["zz", "0x1F", "5", "7", "abc"])
    assert Numbers(FLOAT32, WORDS, text=True).encode(array.slice(2, 2), 0).tolist() == [5, 7]


@given(
    st.lists(
        st.integers(-(2**63), 2**63 - 1).map(str)
        | st.floats(allow_nan=False).map(repr)
        | st.sampled_from(["", "NA", "n/a", " 7 ", "+3", "007", "-0"]),
        min_size=1,
        max_size=10,
    )
)
def test_cells_are_the_numbers_that_python_reads(cells: list[str]) -> None:
    plain_integers = all(re.fullmatch(r"\s*[+-]?\d+\s*", cell) for cell in cells)
    # An integer -0 is 0, so -0.0 is 0 beside it.
    expected = [NAN if cell in ("", "NA", "n/a") else float(cell) + 0.0 for cell in cells]
    changed = [c for c in cells if re.fullmatch(r"\s*[+-]?\d+\s*", c) and int(float(c)) != int(c)]
    numbers, found = numbers_of(cells, target="float64")
    if plain_integers:
        assert numbers.whole
        assert found == [int(cell) for cell in cells]
    elif changed:
        assert lost(numbers, "float64") == (cells.index(changed[0]), changed[0].strip())
    else:
        assert lost(numbers, "float64") is None
        assert text_of([float(number) for number in found]) == text_of(expected)
    assert numbers.missing == sum(number != number for number in expected)


@pytest.mark.parametrize(
    "batches", [[["0.5", "9007199254740993"]], [["0.5"], ["9007199254740993"]], [["9007199254740993"], [""]]]
)
def test_a_loss_on_the_way_to_floats_is_reported_alike_from_all_cuts_and_advises_no_integers(
    batches: Any,
) -> None:
    loss = numbers_of(*batches, target="float64")[0].loss(np.dtype("float64"))
    assert loss is not None
    assert loss.reason == "9007199254740993, which float64 cannot hold exactly"


def test_a_loss_of_whole_numbers_says_what_float64_cannot_hold() -> None:
    loss = numbers_of(["9007199254740993"], target="float64")[0].loss(np.dtype("float64"))
    assert loss is not None
    assert loss.reason.endswith("9007199254740993, which float64 cannot hold exactly")


# Numbers from typed columns.


@pytest.mark.parametrize(
    ("array", "expected"),
    [
        (pa.array([1, 2], pa.int8()), [1, 2]),
        (pa.array([1, 2], pa.uint64()), [1, 2]),
        (pa.array([0.5, 2], pa.float32()), [0.5, 2.0]),
        (pa.array(np.array([0.5, 2], np.float16)), [0.5, 2.0]),
        (pa.array([True, False]), [1, 0]),
        (pa.array([True, None]), [1.0, NAN]),
        (pa.array([1, None]), [1.0, NAN]),
        (pa.array([0.5, None]), [0.5, NAN]),
        (pa.array([0.5, None], pa.float32()), [0.5, NAN]),
        (pa.array(np.array([0.5, 1], np.float16), mask=np.array([False, True])), [0.5, NAN]),
        (pa.array([None, None]), [NAN, NAN]),
        (pa.array(["1.5", "2"]).cast(pa.decimal128(5, 2)), [1.5, 2.0]),
        (pa.array([1, 2, 1]).dictionary_encode(), [1, 2, 1]),
    ],
)
def test_typed_numbers_of_every_kind(array: Any, expected: list[Any]) -> None:
    assert text_of(typed(array)) == text_of(expected)


@pytest.mark.parametrize(
    "array",
    [
        pa.array(["1", "2"]),
        pa.array(["1", "2"], pa.large_string()),
        pa.array(["1", "2"], pa.string_view()),
        pa.array(["1", "2"]).dictionary_encode(),
        pa.array([datetime.date(2024, 1, 1)]),
        pa.array([datetime.datetime(2024, 1, 1)]),
        pa.array([[1, 2]]),
        pa.array([{"a": 1}]),
        pa.array([b"1"]),
    ],
)
def test_typed_columns_of_other_kinds_are_no_numbers(array: Any) -> None:
    with pytest.raises(BadCellError, match="a column of "):
        typed(array)
    assert not is_numeric(plain(array).type)


@pytest.mark.parametrize("integer", [2**53 + 1, -(2**53) - 1, 2**63 - 1])
def test_a_typed_integer_that_float64_would_change_is_a_loss_next_to_a_null(integer: int) -> None:
    for target in ("float32", "float64"):
        numbers = Numbers(np.dtype(target), WORDS, text=False)
        numbers.encode(pa.array([None, 1, integer]), 5)
        assert lost(numbers, target) == (7, str(integer))


def test_a_decimal_is_never_rounded_to_another_integer() -> None:
    array = pa.array([2**53 + 1]).cast(pa.decimal128(20, 0))
    for target in ("float32", "float64"):
        numbers = Numbers(np.dtype(target), WORDS, text=False)
        numbers.encode(array, 0)
        assert lost(numbers, target) == (0, str(2**53 + 1))


# Plain integers.

SPELLINGS = [
    "7",
    "-7",
    "0",
    "10",
    "-10",
    "99",
    "100",
    "007",
    "+7",
    "-0",
    "0x7",
    "1_0",
    " 7",
    "7 ",
    "7.0",
    "1e3",
    "",
    "-",
]
SPELLINGS += [
    "0xDEADBEEF",
    "0xFFFFFFFFFFFF",
    "0XFF",
    "9223372036854775807",
    "-9223372036854775808",
    "9223372036854775808",
    "00",
    "--7",
    "٧",
    "x",
]


def is_plain(cell: str) -> bool:
    """Whether writing the integer gives back the cell."""
    try:
        return str(int(cell)) == cell and -(2**63) <= int(cell) < 2**63
    except ValueError:
        return False


@pytest.mark.parametrize("cell", SPELLINGS)
def test_an_integer_is_plain_if_it_is_written_so_again(cell: str) -> None:
    for cells in ([cell], ["1", cell], [cell, "1"], ["1"] * 40 + [cell], ["1" * 18, cell, "-5"]):
        found = plain_integers(pa.array(cells, pa.string()))
        assert (None if found is None else found.to_pylist()) == (
            [*map(int, cells)] if is_plain(cell) else None
        )


@given(
    st.lists(st.sampled_from(SPELLINGS) | st.integers(-(2**63), 2**63 - 1).map(str), max_size=6), st.data()
)
def test_plain_integers_are_those_of_int(cells: list[str], data: st.DataObject) -> None:
    begin, end = sorted(data.draw(st.integers(0, len(cells))) for _ in range(2))
    found = plain_integers(pa.array(cells, pa.string()).slice(begin, end - begin))
    expected = [*map(int, cells[begin:end])] if all(map(is_plain, cells[begin:end])) else None
    assert (None if found is None else found.to_pylist()) == expected


@pytest.mark.parametrize(
    "cells", [["0xDEADBEEF", "3735928559"], ["0xFFFFFFFFFFFF", "07"], ["1"] * 20 + ["0xFFFFFFFFFFFF", "007"]]
)
def test_a_short_spelling_makes_up_for_no_long_one(cells: list[str]) -> None:
    assert plain_integers(pa.array(cells)) is None
    assert keys_of(cells)[1] == cells


@given(st.lists(st.text(max_size=3), max_size=5), st.data())
def test_the_bytes_behind_text_are_those_of_its_cells(cells: list[str], data: st.DataObject) -> None:
    begin, end = sorted(data.draw(st.integers(0, len(cells))) for _ in range(2))
    array = pa.array(cells, pa.string()).slice(begin, end - begin)
    assert text_bytes(array).tobytes() == "".join(cells[begin:end]).encode()
    assert np.diff(text_offsets(array)).tolist() == [len(cell.encode()) for cell in cells[begin:end]]


# Keys.


def listed(column: Any) -> list[Any]:
    """A column of NumPy numbers, or of Arrow text, as Python has it."""
    return column.tolist() if isinstance(column, np.ndarray) else column.to_pylist()


def keys_of(*batches: Any, keep_empty: bool = False) -> tuple[Keys, list[Any], list[bool]]:
    """The encoder after these batches, each cell's key as text, and which have none."""
    keys, cells, gone = Keys(keep_empty=keep_empty), [], []
    for batch in batches:
        array, empty = keys.encode(
            batch if isinstance(batch, (pa.Array, pa.DictionaryArray)) else pa.array(batch)
        )
        cells += map(str, listed(array))
        gone += [False] * len(array) if empty is None else empty.tolist()
    return keys, cells, gone


plain_or_not = st.sampled_from(
    ["0", "-0", "7", "07", "-7", "+7", "7.0", " 7", "0x7", "9223372036854775807"]
) | (
    st.sampled_from(["9223372036854775808", "-9223372036854775808", "NA", "x", "-", "1_0"])
    | st.integers().map(str)
)


@given(st.lists(st.lists(plain_or_not, min_size=1, max_size=4), min_size=1, max_size=4))
def test_keys_are_integers_only_if_all_are_plain_and_never_lose_their_spelling(
    batches: list[list[str]],
) -> None:
    keys, cells, _ = keys_of(*batches)
    flat = [cell for batch in batches for cell in batch]
    assert cells == flat
    assert keys.integer == all(
        re.fullmatch(r"0|-?[1-9][0-9]*", cell) is not None and -(2**63) <= int(cell) < 2**63 for cell in flat
    )


def test_empty_keys_are_marked_and_do_not_turn_integers_into_text() -> None:
    keys, cells, gone = keys_of(["1", "", "2"], ["", "3"])
    assert keys.integer
    assert keys.empty == 2
    assert gone == [False, True, False, True, False]
    assert [cell for cell, empty in zip(cells, gone, strict=True) if not empty] == ["1", "2", "3"]


def test_empty_keys_may_be_kept_as_text() -> None:
    keys, cells, gone = keys_of(["1", ""], keep_empty=True)
    assert not keys.integer
    assert (cells, gone) == (["1", ""], [False, False])


@pytest.mark.parametrize("cell", ["\0", "a\0", "\0a", "a\0b"])
def test_a_nul_is_refused_with_its_row(cell: str) -> None:
    with pytest.raises(BadCellError) as bad:
        keys_of(["x", "y", cell])
    assert (bad.value.row, bad.value.cell) == (2, cell)


@pytest.mark.parametrize(
    ("array", "expected"),
    [
        (pa.array([3, 1], pa.uint8()), ["3", "1"]),
        (pa.array([2**64 - 1, 1], pa.uint64()), ["18446744073709551615", "1"]),
        (pa.array([1.0, -0.0, 2.0**52]), ["1", "0", "4503599627370496"]),
        (pa.array([1.5, 2.0]), ["1.5", "2"]),
        (pa.array([float("inf"), 1e300]), ["inf", "1e+300"]),
        (pa.array([True, False]), ["true", "false"]),
        (pa.array(["b", "a", "b"]).dictionary_encode(), ["b", "a", "b"]),
        (pa.array(["b", "é"], pa.large_string()), ["b", "é"]),
        (pa.array(["b", "é"], pa.string_view()), ["b", "é"]),
        (pa.array([datetime.date(2024, 1, 31)]), ["2024-01-31"]),
        (pa.array([7, 8]).dictionary_encode(), ["7", "8"]),
    ],
)
def test_typed_keys_are_spelled_as_a_person_would(array: Any, expected: list[str]) -> None:
    keys, cells, _ = keys_of(array)
    assert cells == expected
    assert keys.integer == all(re.fullmatch(r"0|-?[1-9][0-9]{0,17}", cell) for cell in expected)


@pytest.mark.parametrize(
    "array", [pa.array([1, None]), pa.array(["1", None]), pa.array([1.0, NAN]), pa.array([1.0, None])]
)
def test_nulls_and_nan_are_empty_keys(array: Any) -> None:
    keys, _, gone = keys_of(array)
    assert keys.empty == 1
    assert gone == [False, True]
    assert keys.integer


@pytest.mark.parametrize(
    "array",
    [
        pa.array([[1]]),
        pa.array([{"a": 1}]),
        pa.array([b"a"]),
        pa.array([b"\xff"], pa.large_binary()),
        pa.array([b"\xff\xfe"], pa.binary(2)),
    ],
)
def test_columns_that_cannot_be_keys_are_refused(array: Any) -> None:
    with pytest.raises(BadCellError):
        keys_of(array)


# Order.


def order_of(*batches: Any, as_text: bool = False, text: bool = True) -> tuple[Order, list[Any]]:
    """The encoder after these batches, and for each cell what the engine sorts by."""
    order, cells, row = Order(WORDS, read_as=OrderAs(text=as_text)), [], 0
    for batch in batches:
        array = batch if isinstance(batch, (pa.Array, pa.DictionaryArray)) else pa.array(batch)
        parts = order.encode(array, row)
        cells += zip(*map(listed, parts), strict=True)
        row += len(array)
    return order, cells


def test_order_columns_of_numbers() -> None:
    order, cells = order_of(["10", "9"], ["-1.5"])
    assert cells == [(10,), (9,), (-1.5,)]
    assert (order.kind, order.missing, order.loss) == ("numbers", 0, None)


def test_order_columns_of_times_sort_to_the_nanosecond() -> None:
    cells = ["0001-01-01", "1969-12-31T23:59:59.999999999", "1970-01-01", "1970-01-01T00:00:00.000000001"]
    cells += ["1970-01-01 00:00:00.5", "2262-04-12", "9999-12-31T23:59:59"]
    _, found = order_of(cells)
    assert found == sorted(found)
    assert len(set(found)) == len(found)


def test_times_are_the_same_however_the_batches_are_cut() -> None:
    cells = ["1970-01-01", "9999-12-31", "1970-01-01T00:00:00.123456789", "", "1600-01-01"]
    order, found = order_of(cells)
    pieces, one_by_one = order_of(*([cell] for cell in cells))
    assert one_by_one == found
    assert order.missing == pieces.missing == 1


def test_order_columns_of_times_with_zones_are_moments() -> None:
    _, cells = order_of(["1970-01-01T01:00:00+01:00", "1970-01-01T00:00:00Z"], ["1970-01-01T00:00:00+00:30"])
    assert cells[0] == cells[1]
    assert cells[2] < cells[0]


@pytest.mark.parametrize("zone", [" UTC", "UTC", " GMT", "Z", "+00", " +00", "+00:00", " +0000", "-00:00"])
def test_order_columns_of_times_with_zones_however_they_are_written(zone: str) -> None:
    _, cells = order_of(
        [f"1970-01-01 00:00:01{zone}", "1970-01-01T00:00:00Z"], [f"1970-01-01T00:00:02{zone}"]
    )
    assert cells[1] < cells[0] < cells[2]


@pytest.mark.parametrize("other", ["5", "2.5", "1970-01-01", "1970-01-01T00:00:00Z"])
def test_missing_order_values_are_counted_in_any_batch(other: str) -> None:
    for batches in (
        [["", other, "NA"]],
        [[""], [other], ["NA"]],
        [[other], ["", "NA"]],
        [["", "NA"], [other]],
    ):
        assert order_of(*batches)[0].missing == 2


def test_an_order_column_as_text_keeps_its_text() -> None:
    order, cells = order_of(["10", "frame2", ""], as_text=True)
    assert cells == [("10",), ("frame2",), ("",)]
    assert order.missing == 1


@pytest.mark.parametrize(
    ("array", "in_order"),
    [
        (pa.array([datetime.date(2024, 1, 2), datetime.date(1969, 1, 1)]), [1, 0]),
        (pa.array([5, -1, 3], pa.timestamp("us")), [1, 2, 0]),
        (pa.array([5, -1, 3], pa.timestamp("ns", "UTC")), [1, 2, 0]),
        (pa.array([5, 1], pa.time32("s")), [1, 0]),
        (pa.array([5, -1], pa.duration("ms")), [1, 0]),
        (pa.array([True, False]), [1, 0]),
        (pa.array([2.5, -1]), [1, 0]),
        (pa.array([2**53 + 1, 2**53]), [1, 0]),
        (pa.array(["2024-01-02", "2024-01-01"]), [1, 0]),
        (pa.array(["2024-01-02", "2024-01-01"], pa.large_string()), [1, 0]),
        (pa.array(["2024-01-02", "2024-01-01"]).dictionary_encode(), [1, 0]),
    ],
)
def test_typed_order_columns(array: Any, in_order: list[int]) -> None:
    order, cells = order_of(array, text=False)
    assert sorted(range(len(cells)), key=cells.__getitem__) == in_order
    assert order.missing == 0


@pytest.mark.parametrize(
    "array",
    [
        pa.array([1, None]),
        pa.array([1.0, NAN]),
        pa.array([1, None], pa.timestamp("s")),
        pa.array([None, None]),
    ],
)
def test_missing_typed_order_values_are_counted(array: Any) -> None:
    assert order_of(array, text=False)[0].missing == array.null_count or 1


def test_typed_times_of_two_units_are_compared_as_times() -> None:
    _, cells = order_of(pa.array([10], pa.timestamp("s")), pa.array([5000], pa.timestamp("ms")), text=False)
    assert cells[1] < cells[0]  # second 5 before second 10


@pytest.mark.parametrize("cells", [["-nan"], ["1", "-nan", "2"], ["1", "+nan"]])
def test_what_is_spelled_as_a_number_but_is_none_is_refused_with_its_row(cells: list[str]) -> None:
    with pytest.raises(BadCellError) as bad:
        order_of(cells)
    assert "nan" in bad.value.cell
    assert bad.value.cell == cells[bad.value.row]


def test_typed_numbers_and_times_do_not_mix() -> None:
    with pytest.raises(BadCellError):
        order_of(pa.array([10], pa.timestamp("s")), pa.array([5]), text=False)
    with pytest.raises(BadCellError):
        order_of(pa.array([5]), pa.array([10], pa.timestamp("s")), text=False)


# Labels.


def labels_of(*batches: Any) -> tuple[Labels, list[int]]:
    labels, codes = Labels(WORDS), []
    for batch in batches:
        codes += labels.encode(
            batch if isinstance(batch, (pa.Array, pa.DictionaryArray)) else pa.array(batch)
        ).tolist()
    return labels, codes


def test_codes_do_not_depend_on_batches() -> None:
    cells = ["b", "a", "b", "c", "a"]
    expected = labels_of(cells)[1]
    assert labels_of(*[[cell] for cell in cells])[1] == expected
    assert labels_of(cells[:2], cells[2:])[1] == expected


@pytest.mark.parametrize("how", [None, "class"])
def test_text_becomes_classes_in_code_point_order(how: str | None) -> None:
    labels, codes = labels_of(["b", "Z", "é", "b", "10"])
    ids, classes = labels.finish(how)
    assert classes is not None
    assert classes.tolist() == ["10", "Z", "b", "é"]
    assert [classes[ids[code]] for code in codes] == ["b", "Z", "é", "b", "10"]


def test_whole_numbers_become_classes_in_numeric_order_whatever_their_spelling() -> None:
    labels, codes = labels_of(["10", "9", "9.0", "-1", "010"])
    ids, classes = labels.finish(None)
    assert classes is not None
    assert classes.tolist() == [-1, 9, 10]
    assert [classes[ids[code]] for code in codes] == [10, 9, 9, -1, 10]


@pytest.mark.parametrize("how", [None, "number"])
def test_fractions_stay_numbers(how: str | None) -> None:
    labels, codes = labels_of(["0.5", "2", "-1e3"])
    numbers, classes = labels.finish(how)
    assert classes is None
    assert numbers.dtype == np.float32
    assert numbers[codes].tolist() == [0.5, 2, -1000]


@pytest.mark.parametrize("cell", ["1e400", "inf", "1_000", "0x1F", "nine"])
def test_what_is_no_number_is_a_class_of_text(cell: str) -> None:
    labels, _ = labels_of(["1", cell])
    assert (labels.finish(None)[1] == sorted(["1", cell])).all()  # type: ignore[union-attr]
    with pytest.raises(DataError, match=re.escape(repr(cell))):
        labels.finish("number")


def test_whole_numbers_past_2_to_the_53_stay_apart() -> None:
    big = ["9007199254740993", "9007199254740992"]
    ids, classes = labels_of(big)[0].finish(None)
    assert classes is not None
    assert (ids.tolist(), classes.tolist()) == ([1, 0], [int(big[1]), int(big[0])])
    assert labels_of(big)[0].finish("number")[0].tolist() == [int(cell) for cell in big]


@given(st.lists(st.sampled_from(["b", "a", "10", "9", "9.0", "z"]), min_size=1), st.data())
def test_labels_of_pieces_get_the_codes_and_classes_of_the_whole(
    cells: list[str], data: st.DataObject
) -> None:
    borders = [0, *sorted(data.draw(st.lists(st.integers(0, len(cells)), max_size=3))), len(cells)]
    pieces = []
    for begin, end in pairwise(borders):
        labels = Labels()
        labels.encode(pa.array(cells[begin:end], pa.string()), begin)
        pieces.append(labels.state)
    merged = LabelState()
    for piece in data.draw(st.permutations(pieces)):
        merged = merged.merge(piece)
    whole = Labels()
    codes = whole.encode(pa.array(cells), 0)
    assert pickle.loads(pickle.dumps(merged)) == whole.state
    assert list(merged.codes) == list(dict.fromkeys(cells))
    assert merged.rows == [cells.index(text) for text in merged.codes]
    ids, classes = whole.finish(None)
    assert classes is not None
    for begin, end in pairwise(borders):
        found = encode_labels(pa.array(cells[begin:end], pa.string()), merged)
        assert found.tolist() == ids[codes[begin:end]].tolist()


def test_a_label_that_no_piece_held_is_refused() -> None:
    state = labels_of(["a", "b"])[0].state
    with pytest.raises(UnseenError, match="'c'"):
        encode_labels(pa.array(["a", "c"]), state)
    assert list(state.codes) == ["a", "b"]


def test_missing_labels_are_counted() -> None:
    assert labels_of(["a", "", "NA", "null"])[0].missing == 3
    assert labels_of(pa.array([1.0, None, NAN]))[0].missing == 2


@pytest.mark.parametrize(
    ("array", "classes"),
    [
        (pa.array([3, 1]), [1, 3]),
        (pa.array([3.0, 1.0]), [1, 3]),
        (pa.array([True, False]), ["false", "true"]),
        (pa.array(["b", "a"]).dictionary_encode(), ["a", "b"]),
    ],
)
def test_typed_labels(array: Any, classes: list[Any]) -> None:
    found = labels_of(array)[0].finish(None)[1]
    assert found is not None
    assert found.tolist() == classes
