"""What people hand to the functions from Python, an Index, `np.arange`, `pd.NA`: it works, or is refused in words."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

import seqtool as st
from seqtool import DataError, SeqtoolError, UsageError
from tests.holders import Tensor

FRAME = pd.DataFrame({"id": [1, 1, 2], "t": [2, 1, 3], "a": [1, 2, 3], "b": [4, 5, 6]})
ROWS = np.arange(12).reshape(4, 3)


@pytest.mark.parametrize(
    "arguments",
    [
        {"key": FRAME.columns[:1], "columns": FRAME.columns[1:]},
        {"key": np.str_("id"), "drop": FRAME.columns[:0]},
        {"key": pd.Series(["id"]), "columns": np.array(["t", "a", "b"])},
        {"key": np.int64(0), "columns": np.arange(1, 4)},
        {"key": np.array(0), "columns": range(1, 4)},
        {"key": 0, "columns": (name for name in ["t", "a", "b"])},
        {"key": ["id"], "columns": {"t", "a", "b"}},
        {"key": Tensor([0]), "columns": pd.Series(["t", "a", "b"])},
    ],
)
def test_columns_in_every_form(arguments: dict[str, Any]) -> None:
    grouped = st.group(FRAME, **arguments)
    order = sorted(grouped.features or ())
    assert order == ["a", "b", "t"]
    assert grouped.x[0, :, list(grouped.features or ()).index("t")].tolist() == [2, 1]


def test_the_other_arguments_of_columns_take_them_too() -> None:
    by_time = st.group(FRAME, key="id", order_by=FRAME.columns[[1]], drop=FRAME.columns[[3]])
    assert by_time.x[0].tolist() == [[2], [1]]
    static = st.group(FRAME.assign(b=[4, 4, 6]), key="id", static=FRAME.columns[3:])
    assert static.per_sequence["static"].tolist() == [[4], [6]]
    labelled = st.group(FRAME.assign(b=[4, 4, 6]), key="id", label=FRAME.columns[3])
    assert labelled.names["classes"].tolist() == [4, 6]
    assert st.group(
        ROWS, key=np.int32(0), columns=np.arange(1, 3), maxlen=np.int64(1), min_len=np.uint8(1)
    ).x.shape == (4, 1, 2)


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: st.group(ROWS, key=0, columns=slice(1, 3)), r"not a slice\(1, 3, None\): range\(1, 3\)"),
        (
            lambda: st.group(FRAME, key=FRAME.columns == "id"),
            r"not an array of booleans: frame.columns\[mask\]",
        ),
        (
            lambda: st.group(FRAME, key=FRAME["id"]),
            "an array of values for the rows must be a column of data first",
        ),
        (
            lambda: st.group(ROWS, key=np.array([0, 0, 1, 1])),
            "an array of values for the rows must be a column",
        ),
        (
            lambda: st.group(FRAME, key="id", label=FRAME["a"]),
            r"a name or a position, not a pandas\.Series; an array",
        ),
        (lambda: st.pad([[1]], maxlen=3.0), r"^maxlen is 3\.0; a whole number was expected, such as 3$"),
        (lambda: st.pad([[1]], maxlen=2.5), r"^maxlen is 2\.5; a whole number was expected$"),
        (lambda: st.truncate([[1]], maxlen=np.float64(3)), r"a whole number was expected, such as 3$"),
        (
            lambda: st.group(ROWS, key=0, maxlen=3.0),
            r"^maxlen is 3\.0; a whole number was expected, such as 3$",
        ),
        (lambda: st.step_mask([1], maxlen=3.0), "such as 3"),  # type: ignore[arg-type]
        (lambda: st.save("x.npz", [[1], [2]]), "data is a list; sequences were expected, such as pad makes"),  # type: ignore[arg-type]
    ],
)
def test_what_is_refused_says_what_to_give(call: Callable[[], object], message: str) -> None:
    with pytest.raises(UsageError, match=message):
        call()


@pytest.mark.parametrize(
    ("given", "message"),
    [
        (
            [np.zeros((2, 4, 4, 3)), np.zeros((2, 4, 5, 3))],
            r"sequences\[1\]\[0\] has an array of 4 x 5 x 3, but the steps before it an array of 4 x 4 x 3",
        ),
        ([[[1, 2], None]], r"sequences\[0\]\[1\] is None; a list of 2 numbers was expected"),
        ([[2**64 - 1], [-1]], "no common type holds exactly; convert them to floats first"),
        (
            "x.npy",
            r"^'x\.npy' is not a list of sequences; .*; a file is read by load, numpy\.load, or seqtool pad$",
        ),
        ([[1], [[2]]], r"sequences\[1\]\[0\] has 1 feature, but the steps before it a number"),
    ],
)
def test_sequences_that_are_none(given: Any, message: str) -> None:
    with pytest.raises(DataError, match=message):
        st.pad(given)


def test_gaps_and_large_numbers() -> None:
    with pytest.warns(UserWarning, match="missing values became NaN: 2"):
        padded = st.pad([[1, pd.NA], [None]], padding="post")
    assert np.array_equal(padded.x, [[1, np.nan], [np.nan, 0]], equal_nan=True)
    large = st.pad([[18446744073709551615], [1]])
    assert (large.x.dtype, large.x.tolist()) == (np.uint64, [[18446744073709551615], [1]])
    with pytest.raises(DataError, match="no common type holds exactly"):
        st.pad([[18446744073709551615], [1.5]])


@pytest.mark.parametrize("value", [7, np.int8(7), np.array(7), 7.0])
def test_one_padding_value_in_every_form(value: Any) -> None:
    assert st.pad([[1]], maxlen=2, value=value).x.tolist() == [[7, 1]]


@pytest.mark.parametrize(("padding", "value"), [("post", 0), ("pre", -1), ("post", (7, 8))])
def test_what_was_unpadded_is_padded_as_it_was(padding: Any, value: Any) -> None:
    steps = [[[1, 2]], [[3, 4], [5, 6]]]
    before = st.pad(steps, padding=padding, value=value)
    for between in (st.unpad(before), st.truncate(st.unpad(before), maxlen=9)):
        after = st.pad(between)
        assert (after.x.tolist(), after.padding, after.value) == (before.x.tolist(), padding, value)
    assert st.pad(st.unpad(before), padding="pre", value=9).x.tolist() == st.pad(steps, value=9).x.tolist()


OPTION = re.compile(r"(?<![\w-])--?[a-z]")
WRONG: dict[str, Callable[[Path], object]] = {
    "a cast that loses": lambda _: st.pad([[0.5]], dtype="int8"),
    "a cast of ragged": lambda _: st.pad([[300]], dtype="int8"),
    "a value that does not fit": lambda _: st.pad([[1]], maxlen=3, value=0.5),
    "a value of a block that does not fit": lambda _: st.Padded(
        np.ones((1, 2), np.int8), np.array([2]), value=0.5
    ),
    "too many values": lambda _: st.pad([[[1, 2]]], value=(1, 2, 3)),
    "a dtype": lambda _: st.pad([[1]], dtype="text"),
    "a side": lambda _: st.pad([[1]], padding="right"),  # type: ignore[arg-type]
    "a side to cut": lambda _: st.truncate([[1]], maxlen=1, truncating="left"),
    "no steps": lambda _: st.truncate([[1]], maxlen=0),
    "an empty key": lambda _: st.group(pd.DataFrame({"k": [1, None], "v": [1, 2]}), key="k"),
    "text": lambda _: st.group(FRAME.assign(a="x"), key="id"),
    "nothing left": lambda _: st.group(FRAME[["id"]], key="id"),
    "a missing column": lambda _: st.group(FRAME, key="ID"),
    "columns and drop": lambda _: st.group(FRAME, key="id", columns="a", drop="b"),
    "no key": lambda _: st.group(FRAME, key=[]),
    "a label that changes": lambda _: st.group(FRAME, key="id", label="a"),
    "a static number that changes": lambda _: st.group(FRAME, key="id", static="a"),
    "a label without a value": lambda _: st.group(FRAME.assign(a=[1, None, 2]), key="id", step_label="a"),
    "a label that is no number": lambda _: st.group(
        FRAME.assign(a="x"), key="id", step_label="a", label_as="number"
    ),
    "a padding of labels": lambda _: st.group(FRAME, key="id", step_label="a", label_value=0.5),
    "order by text": lambda _: st.group(FRAME.assign(t=list("abc")), key="id", order_by="t"),
    "ragged and maxlen": lambda _: st.group(FRAME, key="id", ragged=True, maxlen=3),
    "missing words": lambda _: st.group(FRAME, key="id", missing="x"),
    "no file": lambda folder: st.group(folder / "none.csv", key=0),
    "a header": lambda folder: st.group(written(folder, "a,1\n2,3\n"), key=0),
    "a cell": lambda folder: st.group(written(folder, "a,b\n2,3\n4,x\n"), key=0),
    "no suffix": lambda folder: st.save(folder / "x", st.pad([[1]])),
    "no room for a mask": lambda folder: st.save(folder / "x.npy", st.pad([[1]]), mask=True),
    "no lengths": lambda folder: st.save(folder / "x.npy", st.Ragged([1], [0, 1])),
    "a file of others": lambda folder: st.load(saved(folder)),
}


def written(folder: Path, text: str) -> Path:
    (folder / "t.csv").write_text(text)
    return folder / "t.csv"


def saved(folder: Path) -> Path:
    np.savez(folder / "x.npz", x=np.ones(3))
    return folder / "x.npz"


@pytest.mark.parametrize("wrong", WRONG)
def test_messages_name_arguments_and_no_options(wrong: str, tmp_path: Path) -> None:
    with pytest.raises(SeqtoolError) as error:
        WRONG[wrong](tmp_path)
    text = re.sub(r"seqtool [a-z]+ [^;]*", "", str(error.value))  # a command has options
    assert not OPTION.search(text), text


@pytest.mark.parametrize(
    "call",
    [
        lambda big: st.pad([[1]], maxlen=big),
        lambda big: st.pad([[1]], value=-big),
        lambda big: st.pad([[1]], padding=big),
        lambda big: st.group(FRAME, key=big),
        lambda big: st.group(FRAME, key="id", columns=[0, big]),
        lambda big: st.group(FRAME, key="id", maxlen=big),
        lambda big: st.group(FRAME, key="id", min_len=big),
        lambda big: st.group(FRAME, key="id", step_label="a", label_value=big),
    ],
)
def test_a_whole_number_of_thousands_of_digits_is_refused(call: Callable[[int], Any]) -> None:
    """Python refuses to write it out, and advises Python."""
    with pytest.raises(UsageError, match="is a whole number of thousands of digits; one that int64 holds"):
        call(10**5000)


ENDLESS = 10**5000  # Python refuses to write it out


@pytest.mark.parametrize(
    "call",
    [
        lambda: st.pad(ENDLESS),
        lambda: st.pad({"a": ENDLESS}),
        lambda: st.pad({ENDLESS: [1]}),
        lambda: st.pad([ENDLESS]),
        lambda: st.pad([[1, "x", ENDLESS]]),
        lambda: st.unpad(ENDLESS),  # type: ignore[arg-type]
        lambda: st.Padded(np.ones((1, 1)), np.array([1]), value=ENDLESS),
        lambda: st.Padded(np.ones((1, 1)), np.array([1]), padding=ENDLESS),  # type: ignore[arg-type]
        lambda: st.pad([[1]])[ENDLESS],
        lambda: st.group(pd.DataFrame({"k": [1], "v": [2]}), key="k", gap="9" * 5000),
    ],
)
def test_a_number_without_end_is_refused_in_words(call: Callable[[], Any]) -> None:
    with pytest.raises((st.DataError, st.UsageError, IndexError)) as refused:
        call()
    assert "set_int_max_str_digits" not in str(refused.value)
    assert len(str(refused.value)) < 400


def test_a_key_that_nobody_names_and_a_pivot_that_is_none() -> None:
    with pytest.raises(UsageError, match="columns whose cells repeat are 'id'; such as key=\"id\""):
        st.group(FRAME)
    with pytest.raises(UsageError, match="columns whose cells repeat are 'id'; such as key=\"id\""):
        st.group(FRAME.set_index("id"))
    with pytest.raises(UsageError, match=r"pivot is .*; a dict was expected: the item and its value"):
        st.group(FRAME, key="id", order_by="t", pivot=("a", "b"))  # type: ignore[arg-type]
    with pytest.raises(UsageError, match=r"^pivot makes one step of the rows"):
        st.group(FRAME, key="id", pivot={"a": "b"})


DAYS = st.group(
    pd.DataFrame({"k": [1, 1, 1], "t": pd.date_range("2026-01-01", periods=3), "v": [1.0, 2, 4]}),
    key="k",
    order_by="t",
    keep_order=True,
    ragged=True,
)
NUMBERED = st.group(FRAME, key="id", order_by="t", columns=["a", "b"], keep_order=True, ragged=True)


@pytest.mark.parametrize(
    ("value", "as_written"),
    [
        (lambda at: st.truncate(NUMBERED, within=at), (0.5, "0.5")),
        (lambda at: st.truncate(DAYS, within=at), (pd.Timedelta("1D"), "1d")),
        (lambda at: st.truncate(DAYS, within=at), (np.timedelta64(1, "D"), "24h")),
        (lambda at: st.split(NUMBERED, at=at), (2, "2")),
        (lambda at: st.split(DAYS, at=at), (pd.Timestamp("2026-01-02"), "2026-01-02")),
        (lambda at: st.split(DAYS, at=at), (np.datetime64("2026-01-02"), "2026-01-02")),
        (lambda at: st.split(DAYS, at=at), (pd.Timestamp("2026-01-02").date(), "2026-01-02")),
        (
            lambda at: st.split(DAYS, at=at),
            (pd.date_range("2026-01-02", periods=2).tolist(), "2026-01-02,2026-01-03"),
        ),
        (lambda name: st.scale(NUMBERED, features=name), (1, "b")),
        (lambda name: st.scale(NUMBERED, log1p=name), (np.int64(0), "a")),
        (lambda name: st.window(DAYS, size=1, horizon=1, target=name), (np.array(0), "v")),
        (lambda number: st.fill([[1.0, np.nan]], method=number), (7.5, "7.5")),
    ],
)
def test_operations_take_numbers_moments_and_durations_as_text_has_them(
    value: Callable[[Any], Any], as_written: tuple[Any, str]
) -> None:
    given, text = as_written
    found, expected = value(given), value(text)
    assert found.values.tolist() == expected.values.tolist()
    assert {name: held.tolist() for name, held in found.per_sequence.items()} == {
        name: held.tolist() for name, held in expected.per_sequence.items()
    }


@pytest.mark.parametrize("operation", [st.scale, st.encode])
def test_what_is_fitted_is_taken_from_sequences_and_not_from_a_path(operation: Callable[..., Any]) -> None:
    with pytest.raises(
        UsageError, match=r"^using is 'train.npz'; sequences were expected: .* seqtool\.load$"
    ):
        operation([[1.0, 2.0]], using="train.npz")
