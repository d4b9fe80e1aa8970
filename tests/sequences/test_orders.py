"""Order values as other operations read them: what calls name, in their unit, and what is printed of them."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from fractions import Fraction
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as some

from seqtool.errors import DataError, UsageError
from seqtool.sequences.orders import OrderColumn, first_order, order_columns, size_in, stored
from seqtool.sequences.ragged import Ragged

NONE = np.empty(0, np.int64)
TIMES = OrderColumn("t", "us since 1970-01-01", NONE)
FINE = OrderColumn("t", "ns since 1970-01-01 UTC", NONE)
CLOCK = OrderColumn("t", "us since midnight", NONE)
SPANS = OrderColumn("t", "us", NONE)
NUMBERS = OrderColumn("t", "", NONE)


@given(some.datetimes(min_value=datetime(1, 1, 1), max_value=datetime(9999, 12, 31)))
def test_a_moment_is_what_python_reads(moment: datetime) -> None:
    expected = (moment - datetime(1970, 1, 1)) // timedelta(microseconds=1)
    assert TIMES.moment("--at", moment.isoformat()) == expected
    aware = moment.replace(tzinfo=UTC)
    assert TIMES.moment("--at", aware.isoformat()) == TIMES.moment("--at", aware.isoformat(" ")) == expected
    written = TIMES.texts(np.array([expected]))[0]
    assert datetime.fromisoformat(written) == moment


@pytest.mark.parametrize(
    ("column", "text", "expected"),
    [
        (TIMES, "1970-01-02", 86_400_000_000),
        (TIMES, "1970", 0),
        (TIMES, "1970-01-01T01:00+01:00", 0),
        (TIMES, "1970-01-01 00:00:00 UTC", 0),
        (TIMES, "1969-12-31T23:59:59.5Z", -500_000),
        (TIMES, "1970-01-01T00:00:00.0000001", 1),  # the first that is not before it
        (FINE, "1970-01-01T00:00:00.000000001", 1),
        (CLOCK, "00:00:01", 1_000_000),
        (SPANS, "2s", 2_000_000),
        (NUMBERS, "7", 7),
        (NUMBERS, "-0.5", -0.5),
    ],
)
def test_moments_in_the_unit_of_the_column(column: OrderColumn, text: str, expected: float) -> None:
    assert column.moment("--at", text) == expected


@pytest.mark.parametrize(
    ("column", "text", "told"),
    [
        (
            TIMES,
            "yesterday",
            "--at is 'yesterday'; order column 't' holds times: one such as 2026-01-31T12:00",
        ),
        (TIMES, "2024-13-01", "holds times"),
        (TIMES, "NaT", "holds times"),
        (TIMES, "5h", "holds times"),
        (CLOCK, "2024-01-01", "one such as 12:30 was expected"),
        (SPANS, "12:30", "one such as 30m was expected"),
        (NUMBERS, "2024-01-01", "--at is '2024-01-01'; a number was expected"),
        (NUMBERS, "nan", "a number was expected"),
    ],
)
def test_what_is_no_moment_is_refused(column: OrderColumn, text: str, told: str) -> None:
    with pytest.raises(UsageError, match=told):
        column.moment("--at", text)


def test_distances() -> None:
    assert TIMES.distance("--within", "48h") == 48 * 3600 * 10**6
    assert FINE.distance("--within", timedelta(microseconds=1)) == 1000
    assert TIMES.distance("--within", "100ns") == Fraction(1, 10)
    assert NUMBERS.distance("--within", 0.1) == Fraction(1, 10)
    with pytest.raises(
        UsageError, match="--within is 5; order column 't' holds times: a duration such as 48h"
    ):
        TIMES.distance("--within", 5)
    with pytest.raises(UsageError, match="--within is '5h'; order column 't' holds numbers: a number was"):
        NUMBERS.distance("--within", "5h")
    assert size_in("-1") is None


@pytest.mark.parametrize(
    ("column", "values", "texts"),
    [
        (NUMBERS, np.array([1, -2]), ["1", "-2"]),
        (NUMBERS, np.array([0.1, 2.0]), ["0.1", "2.0"]),
        (TIMES, np.array([0, -1]), ["1970-01-01T00:00:00", "1969-12-31T23:59:59.999999"]),
        (FINE, np.array([1]), ["1970-01-01T00:00:00.000000001Z"]),
        (CLOCK, np.array([1_500_000]), ["00:00:01.500000"]),
        (SPANS, np.array([-1_500_000, 0]), ["-1.500000", "0"]),
    ],
)
def test_values_are_printed_as_a_table_has_them(column: OrderColumn, values: Any, texts: list[str]) -> None:
    assert column.texts(values) == texts


def ragged(columns: list[OrderColumn]) -> Ragged:
    order, names = stored(columns)
    return Ragged(np.ones((2, 1)), np.array([0, 2]), per_step={"order": order}, names=names)


def test_what_is_stored_is_read_again() -> None:
    one = [OrderColumn("t", "us", np.array([5, 6]))]
    assert first_order(ragged(one), "--at").values[:].tolist() == [5, 6]
    both = [*one, OrderColumn("x", "", np.array([0.5, 1.5]))]
    found = order_columns(ragged(both), "--at")
    assert [(column.name, column.unit, column.values[:].tolist()) for column in found] == [
        ("t", "us", [5, 6]),
        ("x", "", [0.5, 1.5]),
    ]
    assert ragged(both).per_step["order"].data.dtype == np.float64


def test_without_order_values_the_way_out_is_told() -> None:
    plain = Ragged(np.ones((2, 1)), np.array([0, 2]))
    with pytest.raises(
        DataError, match="--at reads order values, and none are stored; group again with --keep-order"
    ):
        first_order(plain, "--at")
