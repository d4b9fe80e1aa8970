import math
import struct
from fractions import Fraction
from functools import cache
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from seqtool.arrays import dtypes
from seqtool.arrays.dtypes import (
    DTYPES,
    Rounding,
    cast,
    check_cast,
    describe_loss,
    dtype_named,
    first_loss,
    rounding,
)
from seqtool.errors import DataError, UsageError
from tests import oracles

FLOATS = {"float16": (11, 15, "e"), "float32": (24, 127, "f"), "float64": (53, 1023, "d")}
"""Of each float: the bits of its precision, its largest exponent, its letter in `struct`."""
EDGES = [
    sign * (2**power + step)
    for power in (0, 7, 8, 11, 15, 16, 24, 31, 32, 53, 63, 64)
    for step in (-1, 0, 1)
    for sign in (1, -1)
]
ODD_FLOATS = [
    0.5,
    -0.0,
    0.1,
    300.0,
    1e39,
    -1e39,
    65519.5,
    65520.0,
    2048.5,
    2.0**53 + 2,
    1e308,
    math.nan,
    math.inf,
]
PAIRS = [(source, target) for source in DTYPES for target in DTYPES]


def limits(dtype: str) -> tuple[int, int]:
    bits = int(dtype.lstrip("uint"))
    return (0, 2**bits - 1) if dtype.startswith("u") else (-(2 ** (bits - 1)), 2 ** (bits - 1) - 1)


def survives(number: float, target: str) -> bool:
    """Whether a Python number may become a `target`: whole numbers exactly, fractions but for overflow."""
    if target == "bool":
        return number in (0, 1)
    if target not in FLOATS:
        low, high = limits(target)
        return math.isfinite(number) and number == int(number) and low <= number <= high
    if not math.isfinite(number):
        return True
    precision, exponent, _ = FLOATS[target]
    if isinstance(number, int) or (number == int(number) and abs(number) <= 2**53):
        return holds_exactly(abs(int(number)), precision, exponent)
    return abs(Fraction(number)) < 2 ** (exponent + 1) - 2 ** (exponent - precision)


def holds_exactly(number: int, precision: int, exponent: int) -> bool:
    while number and number % 2 == 0 and number.bit_length() > precision:
        number //= 2
        exponent -= 1
    return number.bit_length() <= min(precision, exponent + 1)


def converted(number: float, target: str) -> Any:
    """What a number that survives becomes."""
    if target in FLOATS:
        letter = FLOATS[target][2]
        return struct.unpack(letter, struct.pack(letter, number))[0]
    return bool(number) if target == "bool" else int(number)


@cache
def numbers_of(dtype: str) -> st.SearchStrategy[Any]:
    """Python numbers that `dtype` holds, edges among them."""
    if dtype == "bool":
        return st.booleans()
    if dtype in FLOATS:
        edges = [converted(n, dtype) for n in [*map(float, EDGES), *ODD_FLOATS] if survives(n + 0.0, dtype)]
        return st.sampled_from(edges) | st.floats(width=int(dtype[5:]))  # type: ignore[arg-type]
    low, high = limits(dtype)
    return st.sampled_from([n for n in EDGES if low <= n <= high]) | st.integers(low, high)


@given(st.sampled_from(PAIRS), st.data())
def test_what_survives_a_cast_is_what_the_oracle_says(pair: tuple[str, str], data: st.DataObject) -> None:
    source, target = pair
    numbers = data.draw(st.lists(numbers_of(source), max_size=5))
    values = np.array(numbers, dtype=source)
    lost = [i for i, number in enumerate(numbers) if source != target and not survives(number, target)]
    assert first_loss(values, np.dtype(target)) == (lost[0] if lost else None)
    if lost:
        with pytest.raises(DataError, match=rf"^values\[{lost[0]}\] is "):
            cast(values, np.dtype(target))
        return
    done = cast(values, np.dtype(target))
    assert done.dtype == target
    assert oracles.text_of(done) == oracles.text_of([converted(number, target) for number in numbers])


@pytest.mark.parametrize(("source", "target"), PAIRS)
def test_every_edge_of_every_pair_of_types(source: str, target: str) -> None:
    if source == "bool":
        numbers: list[Any] = [False, True]
    elif source in FLOATS:
        numbers = [
            converted(n, source) for n in [*map(float, EDGES), *ODD_FLOATS] if survives(n + 0.0, source)
        ]
    else:
        numbers = [n for n in EDGES if limits(source)[0] <= n <= limits(source)[1]]
    expected = [source == target or survives(number, target) for number in numbers]
    # Alone and in company: what one number does must not depend on its neighbours.
    alone = [first_loss(np.array([number], dtype=source), np.dtype(target)) is None for number in numbers]
    assert dict(zip(map(repr, numbers), alone, strict=True)) == dict(
        zip(map(repr, numbers), expected, strict=True)
    )
    together = first_loss(np.array(numbers, dtype=source), np.dtype(target))
    assert together == (expected.index(False) if False in expected else None)


@pytest.mark.parametrize(
    ("number", "source", "target"),
    [
        (0.9, "float64", "int32"),
        (math.nan, "float64", "int32"),
        (math.inf, "float32", "int64"),
        (300, "int64", "int8"),
        (-1, "int8", "uint64"),
        (2**63, "uint64", "int64"),
        (2**24 + 1, "int32", "float32"),
        (2.0**24 + 1, "float64", "float32"),
        (2**53 + 1, "int64", "float64"),
        (2**64 - 1, "uint64", "float64"),
        (2**63 - 1, "int64", "float64"),
        (1e39, "float64", "float32"),
        (65520.0, "float32", "float16"),
        (2049, "int16", "float16"),
        (2, "int8", "bool"),
        (2.0**63, "float64", "int64"),
        (2.0**64, "float32", "uint64"),
    ],
)
def test_what_numpy_damages_silently_is_refused(number: float, source: str, target: str) -> None:
    with pytest.raises(DataError, match=target):
        check_cast(np.array([0, number, 1], dtype=source), np.dtype(target))


@given(st.sampled_from([pair for pair in PAIRS if pair[1] in FLOATS]), st.data())
def test_what_is_rounded_to_floats_is_counted_and_the_first_infinity_found(
    pair: tuple[str, str], data: st.DataObject
) -> None:
    source, target = pair
    numbers = data.draw(st.lists(numbers_of(source), max_size=5))
    changed = [i for i, number in enumerate(numbers) if source != target and not survives(number, target)]
    with np.errstate(all="ignore"):
        infinite = np.isinf(np.array(numbers, dtype=source).astype(target)).tolist()
    over = [i for i in changed if infinite[i]]
    assert rounding(np.array(numbers, dtype=source), np.dtype(target)) == Rounding(
        len(changed) - len(over), over[0] if over else None
    )


@pytest.mark.parametrize(
    ("number", "target", "message"),
    [
        (0.9, "int32", "0.9, whose fraction int32 would lose"),
        (math.nan, "int32", "a missing value, which int32 cannot hold"),
        (math.inf, "int32", "inf, which int32 cannot hold"),
        (300, "int8", "300, which int8 cannot hold"),
        (300.0, "int8", "300, which int8 cannot hold"),
        (2**24 + 1, "float32", "16777217, which float32 cannot hold exactly"),
        (2**53 + 1, "float64", "9007199254740993, which float64 cannot hold exactly"),
    ],
)
def test_the_error_says_what_stood_there(number: float, target: str, message: str) -> None:
    assert describe_loss(number, np.dtype(target)) == message


def test_the_place_has_every_dimension_and_the_name_that_was_given() -> None:
    values = np.array([[[1, 2], [3, 4]], [[5, 6], [7, 800]]])
    with pytest.raises(DataError, match=r"^step_y\[1, 1, 1\] is 800, which int8"):
        cast(values, np.dtype("int8"), name="step_y")
    with pytest.raises(DataError, match=r"^values\[1, 1, 1\] is 800, which int8"):
        cast(np.asfortranarray(values), np.dtype("int8"))


@pytest.mark.parametrize("chunk", [1, 2, 3, 100])
def test_the_place_does_not_depend_on_how_many_are_examined_at_once(
    chunk: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(dtypes, "_CHUNK", chunk)
    for place in range(7):
        values = np.zeros(7)
        values[place:] = 0.5
        assert first_loss(values, np.dtype("int8")) == place
    assert first_loss(np.zeros(7), np.dtype("int8")) is None


def test_a_cast_to_the_same_type_copies_nothing() -> None:
    values = np.array([1.5, math.nan])
    assert cast(values, values.dtype) is values


@pytest.mark.thinned
@pytest.mark.parametrize("source", DTYPES)
@pytest.mark.parametrize("target", DTYPES)
def test_no_numbers_lose_nothing(source: str, target: str) -> None:
    done = cast(np.empty((0, 3), dtype=source), np.dtype(target))
    assert done.shape == (0, 3)
    assert done.dtype == target


@pytest.mark.parametrize("name", DTYPES)
def test_a_dtype_goes_by_its_name(name: str) -> None:
    assert dtype_named(name).name == name


@pytest.mark.parametrize("name", ["", "float", "f4", "complex64", "object", "str", "Float32", "datetime64"])
def test_another_name_is_refused(name: str) -> None:
    with pytest.raises(UsageError, match=r"one of bool, .*float64 was expected"):
        dtype_named(name)
