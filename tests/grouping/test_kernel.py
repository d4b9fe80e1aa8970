"""The kernel: rows in any order, in any memory, become one sequence for each key."""

import tracemalloc
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from itertools import accumulate, groupby
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from seqtool.arrays.spool import Spool
from seqtool.grouping.kernel import ChangingError, Grouped, Grouper, RowSchema, key_array
from tests import oracles
from tests.cutting import small_windows
from tests.hunting import examples

INT64, FLOAT32, FLOAT64 = np.dtype(np.int64), np.dtype(np.float32), np.dtype(np.float64)
NAN = float("nan")
AMPLE, TIGHT = 1 << 22, 2000  # bytes


@pytest.fixture(params=[(AMPLE, False), (TIGHT, False), (300, True)], ids=["in memory", "spilled", "windows"])
def memory(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> int:
    """Memory for all rows, or for few of them; and then with windows and pieces of a few rows."""
    size, small = request.param
    if small:
        small_windows(monkeypatch)
    return int(size)


def column(cells: Any) -> Any:
    """Cells as the kernel takes them: numbers as NumPy's, text as Arrow's."""
    if isinstance(cells, (np.ndarray, pa.Array)):
        return cells
    if any(isinstance(cell, str) for cell in cells):
        return pa.array([str(cell) for cell in cells], pa.string())
    return np.array(cells)


def batch_of(**columns: Any) -> dict[str, Any]:
    return {name: column(cells) for name, cells in columns.items()}


def cut(columns: Mapping[str, Any], sizes: Sequence[int]) -> Iterator[dict[str, Any]]:
    """Rows in batches of these sizes, again and again; each batch has the types that its own cells need."""
    count, begin, turn = len(next(iter(columns.values()))), 0, 0
    while begin < count:
        end = begin + sizes[turn % len(sizes)]
        yield batch_of(**{name: cells[begin:end] for name, cells in columns.items()})
        begin, turn = end, turn + 1


def group(batches: Any, layout: RowSchema, memory: int, **options: Any) -> Grouped:
    """What the kernel makes of some batches, all of it in memory."""
    with Spool() as spool:
        grouper = Grouper(layout, spool, memory=memory)
        for batch in batches:
            grouper.add(batch)
        found = grouper.finish(**options)
        return replace(
            found,
            values=np.asarray(found.values),
            offsets=np.asarray(found.offsets),
            keys=np.asarray(found.keys),
            static={name: np.asarray(array) for name, array in found.static.items()},
            per_step={name: np.asarray(array) for name, array in found.per_step.items()},
        )


def contents(grouped: Grouped) -> Any:
    """All that a Grouped holds, as plain Python."""
    arrays = (*grouped.static.items(), *grouped.per_step.items())
    return (
        grouped.values.tolist(),
        grouped.values.dtype,
        grouped.offsets.tolist(),
        grouped.keys.tolist(),
        {name: oracles.text_of(array) for name, array in arrays},
        grouped.ties,
    )


# Groups


def test_equal_keys_become_one_group(memory: int) -> None:
    batch = batch_of(k=[3, 1, 2, 3, 1], a=[8, 5, 7, 9, 6])
    grouped = group([batch], RowSchema(["k"], [], ["a"], INT64), memory)
    assert grouped.values.tolist() == [[5], [6], [7], [8], [9]]
    assert grouped.offsets.tolist() == [0, 2, 3, 5]
    assert grouped.offsets.dtype == np.int64
    assert grouped.keys.tolist() == [1, 2, 3]
    assert grouped.keys.dtype == np.int64


@pytest.mark.thinned
@pytest.mark.parametrize("size", [1, 2, 3, 7, 100])
def test_groups_run_on_over_the_borders_of_batches(size: int, memory: int) -> None:
    columns = {
        "k": [1] * 4 + [2] * 7 + [3],
        "j": ["a"] * 6 + ["b"] * 6,
        "t": [0, 0, 1, 1, 0, 1, 1, 2, 2, 2, 5, 5],
        "a": [i / 2 for i in range(12)],
        "y": [7] * 4 + [8] * 7 + [9],
        "row": list(range(12)),
    }
    layout = RowSchema(["k", "j"], ["t"], ["a", "t"], FLOAT32, ["y"], ["row"])
    expected = contents(group([batch_of(**columns)], layout, AMPLE))
    assert contents(group(cut(columns, [size]), layout, memory)) == expected
    assert expected[2] == [0, 4, 6, 11, 12]
    assert expected[3] == [["1", "a"], ["2", "a"], ["2", "b"], ["3", "b"]]
    assert expected[4] == {"y": "[7, 8, 8, 9]", "row": repr(list(range(12)))}
    assert expected[5] == 4  # of 0 0, 1 1, 2 2 2 within their groups


def test_rows_come_back_in_order_with_all_that_is_theirs(memory: int) -> None:
    batch = batch_of(k=[3, 1, 2], j=["c", "a", "b"], b=[0.3, 0.1, 0.2], y=[30, 10, 20], row=[0, 1, 2])
    grouped = group([batch], RowSchema(["k", "j"], [], ["b"], FLOAT64, ["y"], ["row"]), memory)
    assert grouped.keys.tolist() == [["1", "a"], ["2", "b"], ["3", "c"]]
    assert grouped.values.tolist() == [[0.1], [0.2], [0.3]]
    assert grouped.static["y"].tolist() == [10, 20, 30]
    assert grouped.per_step["row"].tolist() == [1, 2, 0]


@pytest.mark.parametrize("memory", [1 << 26, 1 << 20])
def test_rows_that_are_equal_keep_the_order_in_which_they_came(memory: int) -> None:
    count = 300_000
    keys = np.arange(count) * 7919 % 5
    columns = {"k": keys, "a": np.zeros(count), "row": np.arange(count)}
    grouped = group(cut(columns, [70_000]), RowSchema(["k"], [], ["a"], per_step=["row"]), memory)
    assert (grouped.per_step["row"] == np.argsort(keys, kind="stable")).all()


def test_order_columns_decide_one_after_the_other(memory: int) -> None:
    columns = {"k": [0] * 4, "s": ["b", "a", "b", "a"], "t": [2, 9, 1, 8], "a": [0] * 4, "row": range(4)}
    batch = batch_of(**{name: list(cells) for name, cells in columns.items()})
    for order, rows in ((["s", "t"], [3, 1, 2, 0]), (["t", "s"], [2, 0, 3, 1])):
        grouped = group([batch], RowSchema(["k"], order, ["a"], per_step=["row"]), memory)
        assert grouped.per_step["row"].tolist() == rows


def test_ties_are_counted_only_where_there_is_an_order(memory: int) -> None:
    batches = [batch_of(k=[1], t=[0])] * 3
    assert group(batches, RowSchema(["k"], [], ["t"], INT64), memory).ties == 0
    assert group(batches, RowSchema(["k"], ["t"], ["t"], INT64), memory).ties == 2


def test_an_empty_batch_adds_nothing(memory: int) -> None:
    empty = {"k": np.empty(0, np.int64), "a": np.empty(0)}
    grouped = group([empty, batch_of(k=[2, 1], a=[0.5, 0.25]), empty], RowSchema(["k"], [], ["a"]), memory)
    assert (grouped.keys.tolist(), grouped.values.tolist()) == ([1, 2], [[0.25], [0.5]])


def test_an_empty_batch_of_text_leaves_integer_keys_equal_in_number(memory: int) -> None:
    empty = {"k": pa.array([], pa.string()), "a": np.empty(0)}
    grouped = group([batch_of(k=[2, 1, 2], a=[1, 2, 3]), empty], RowSchema(["k"], [], ["a"]), memory)
    assert grouped.offsets.tolist() == [0, 1, 3]


# Types


def test_the_order_holds_where_a_feature_widens_between_batches(memory: int) -> None:
    batches = [
        batch_of(k=[1, 1], a=cells, row=[2 * i, 2 * i + 1])
        for i, cells in enumerate(([1, 2], [3.5, 4.0], [5, 6]))
    ]
    grouped = group(batches, RowSchema(["k"], [], ["a"], per_step=["row"]), memory)
    assert grouped.values[:, 0].tolist() == [1, 2, 3.5, 4, 5, 6]
    assert grouped.values.dtype == np.float32
    assert grouped.per_step["row"].tolist() == [*range(6)]


def test_features_stay_int64_without_a_fraction(memory: int) -> None:
    batches = [batch_of(k=[1], a=[2**53 + 1]), batch_of(k=[1], a=[-(2**63)])]
    grouped = group(batches, RowSchema(["k"], [], ["a"]), memory)
    assert grouped.values.dtype == np.int64
    assert grouped.values.tolist() == [[2**53 + 1], [-(2**63)]]


def test_integer_keys_widen_to_text(memory: int) -> None:
    batches = [batch_of(k=[10, 9, -1], row=[0, 1, 2]), batch_of(k=["x", "9", "09"], row=[3, 4, 5])]
    grouped = group(batches, RowSchema(["k"], [], ["row"], per_step=["row"]), memory)
    assert grouped.keys.tolist() == ["-1", "09", "10", "9", "x"]
    assert grouped.offsets.tolist() == [0, 1, 2, 3, 5, 6]
    assert grouped.per_step["row"].tolist() == [2, 5, 0, 1, 4, 3]


@pytest.mark.parametrize("back", [False, True])
def test_integers_after_text_are_text(back: bool, memory: int) -> None:
    """Whichever came first, and however many times it changes."""
    batches = [batch_of(k=[i] if i % 2 == back else [str(i)], a=[i]) for i in (*range(12), *range(12))]
    grouped = group(batches, RowSchema(["k"], [], ["a"]), memory)
    assert grouped.keys.tolist() == sorted(map(str, range(12)))
    assert grouped.values[:, 0].tolist() == [i for i in sorted(range(12), key=str) for _ in range(2)]


def test_an_order_of_integers_widens_to_floats(memory: int) -> None:
    batches = [batch_of(k=[0, 0], t=[2, 1], row=[0, 1]), batch_of(k=[0], t=[1.5], row=[2])]
    grouped = group(batches, RowSchema(["k"], ["t"], ["t"], per_step=["row"]), memory)
    assert grouped.per_step["row"].tolist() == [1, 2, 0]
    assert grouped.values[:, 0].tolist() == [1.0, 1.5, 2.0]


@pytest.mark.parametrize(
    ("narrow", "wide"),
    [
        (np.array([1.5], np.float32), np.array([2**24 + 1])),
        (np.array([2**24 + 1]), np.array([1.5], np.float32)),
        (np.array([200], np.uint8), np.array([-1], np.int8)),
        (np.array([1], np.int8), np.array([300])),
        (np.array([2**32 - 1], np.uint32), np.array([-1])),
    ],
)
def test_widening_changes_no_number(narrow: Any, wide: Any, memory: int) -> None:
    batches = [batch_of(k=[1], a=[0], y=narrow, row=narrow), batch_of(k=[2], a=[0], y=wide, row=wide)]
    grouped = group(batches, RowSchema(["k"], [], ["a"], static=["y"], per_step=["row"]), memory)
    for array in (grouped.static["y"], grouped.per_step["row"]):
        assert array.tolist() == [narrow[0].item(), wide[0].item()]


@pytest.mark.parametrize("kind", ["int8", "int16", "int32", "int64", "uint8", "uint32", "uint64"])
def test_integers_of_every_type_sort_over_their_whole_range(kind: str, memory: int) -> None:
    limits = np.iinfo(kind)
    low, high = limits.min, limits.max
    numbers = [high, low, high - 1, low + 1, high // 2, 0, 1, low // 2 + 1]
    batch = batch_of(k=[0] * 8, t=np.array(numbers, kind), a=[0] * 8)
    grouped = group(cut(batch, [3]), RowSchema(["k"], ["t"], ["a"], per_step=["t"]), memory)
    assert grouped.per_step["t"].tolist() == sorted(numbers)


def test_integer_keys_sort_over_their_whole_range(memory: int) -> None:
    keys = [2**63 - 1, -(2**63), 2**31, 2**31 - 1, -(2**31), -(2**31) - 1, 0, -1, 1]
    grouped = group(cut({"k": keys, "a": keys}, [2]), RowSchema(["k"], [], ["a"]), memory)
    assert grouped.keys.tolist() == sorted(keys)
    assert grouped.values[:, 0].tolist() == sorted(keys)


def test_floats_sort_by_number_and_the_two_zeros_are_equal(memory: int) -> None:
    inf = float("inf")
    order = [0.0, -0.0, 0.0, inf, -1.5, -inf, 5e-324]
    columns = {"k": [0] * 7, "t": order, "a": [0] * 7, "row": [*range(7)]}
    grouped = group(cut(columns, [2]), RowSchema(["k"], ["t"], ["a"], per_step=["row"]), memory)
    assert grouped.per_step["row"].tolist() == [5, 4, 0, 1, 2, 6, 3]
    assert grouped.ties == 2


CELLS = [
    "é",
    "e\u0301",
    "z",
    "Z",
    "",
    "\U0001f600",
    "\uffee",
    "a b",
    "a",
    "10",
    "9",
    "ß",
    "中",
    "-1",
    "é" * 50,
]


@pytest.mark.thinned
@pytest.mark.parametrize("size", [1, 4, 100])
def test_text_compares_by_code_point(size: int, memory: int) -> None:
    rows = [*range(len(CELLS))]
    expected = sorted(rows, key=CELLS.__getitem__)
    as_key = group(cut({"k": CELLS, "row": rows}, [size]), RowSchema(["k"], [], ["row"]), memory)
    assert as_key.keys.tolist() == sorted(CELLS)
    assert as_key.values[:, 0].tolist() == expected
    columns = {"k": [0] * len(CELLS), "t": CELLS, "row": rows}
    as_order = group(cut(columns, [size]), RowSchema(["k"], ["t"], ["row"]), memory)
    assert as_order.values[:, 0].tolist() == expected


@pytest.mark.parametrize("kind", ["float32", "float64", "int8", "uint64", "bool"])
def test_every_kind_of_number_passes_through(kind: str, memory: int) -> None:
    cells = np.array([0, 1], kind)
    batch = batch_of(k=[2, 1], a=[0, 0], y=cells, row=cells)
    grouped = group([batch], RowSchema(["k"], [], ["a"], static=["y"], per_step=["row"]), memory)
    for array in (grouped.static["y"], grouped.per_step["row"]):
        assert array.dtype == np.dtype(kind)
        assert array.tolist() == [1, 0]


def test_types_may_alternate_from_batch_to_batch(memory: int) -> None:
    batches = [batch_of(k=[0], a=[i] if i % 2 else [i + 0.5]) for i in range(100)]
    grouped = group(batches, RowSchema(["k"], [], ["a"]), memory)
    assert grouped.values[:, 0].tolist() == [float(i) if i % 2 else i + 0.5 for i in range(100)]


@pytest.mark.parametrize("dtype", ["float16", "float32", "float64"])
def test_the_values_have_the_dtype_of_the_layout(dtype: str, memory: int) -> None:
    batch = batch_of(k=[1], a=np.array([1], np.int8), b=[0.5])
    grouped = group([batch], RowSchema(["k"], [], ["a", "b"], np.dtype(dtype)), memory)
    assert grouped.values.dtype == np.dtype(dtype)
    assert grouped.values.tolist() == [[1, 0.5]]


# What must not change within a key


@pytest.mark.parametrize("size", [1, 2, 3, 100])
def test_a_constant_that_changes_names_column_key_and_both_values(size: int, memory: int) -> None:
    columns = {"k": ["u", "u", "v", "v"], "j": [1, 1, 2, 2], "a": [0] * 4, "y": [1, 1, 5, 6]}
    layout = RowSchema(["k", "j"], [], ["a"], INT64, ["y"])
    with pytest.raises(ChangingError, match="y changes from 5 to 6 within key v, 2") as raised:
        group(cut(columns, [size]), layout, memory)
    found = raised.value
    assert (found.column, found.key, found.before, found.after) == ("y", ("v", "2"), 5, 6)


def test_a_constant_that_changes_far_away_is_found(memory: int) -> None:
    columns = {"k": [i % 3 for i in range(90)], "a": [0] * 90, "y": [i % 3 for i in range(90)]}
    columns["y"][88] = 7
    with pytest.raises(ChangingError, match="y changes from 1 to 7 within key 1"):
        group(cut(columns, [10]), RowSchema(["k"], [], ["a"], INT64, ["y"]), memory)


def test_a_constant_that_is_missing_throughout_does_not_change(memory: int) -> None:
    layout = RowSchema(["k"], [], ["s"], FLOAT32, ["s"])
    for size in (1, 3):
        whole = group(cut({"k": [1, 1, 2], "s": [NAN, NAN, 3.0]}, [size]), layout, memory)
        assert oracles.text_of(whole.static["s"]) == "[nan, 3.0]"
        with pytest.raises(ChangingError):
            group(cut({"k": [1, 1, 2], "s": [NAN, 1.0, 3.0]}, [size]), layout, memory)


# Against plain Python


@given(
    st.lists(st.tuples(st.integers(0, 3), st.sampled_from("ab"), st.integers(0, 9)), min_size=1, max_size=25),
    st.integers(1, 7),
    st.sampled_from([AMPLE, TIGHT, 300]),
)
@settings(max_examples=examples(80))
def test_groups_are_those_of_itertools(rows: list[tuple[int, str, int]], size: int, memory: int) -> None:
    k, j, a = (list(cells) for cells in zip(*rows, strict=True))
    grouped = group(cut({"k": k, "j": j, "a": a}, [size]), RowSchema(["k", "j"], [], ["a"], INT64), memory)
    rows = sorted(rows, key=lambda row: row[:2])
    expected = [([str(key[0]), key[1]], len(list(part))) for key, part in groupby(rows, lambda row: row[:2])]
    assert list(zip(grouped.keys.tolist(), np.diff(grouped.offsets).tolist(), strict=True)) == expected
    assert grouped.values[:, 0].tolist() == [row[2] for row in rows]


few = st.integers(-3, 12)
extreme = st.sampled_from([-(2**63), 2**63 - 1, 2**31, -(2**31) - 1, 10**18, -(10**18)])


@st.composite
def some_rows(draw: st.DrawFn) -> tuple[dict[str, list[Any]], RowSchema]:
    """Columns of cells, and what they are: keys of integers, text, or text from some row on."""
    count = draw(st.integers(1, 40))

    def cells(elements: st.SearchStrategy[Any]) -> list[Any]:
        return draw(st.lists(elements, min_size=count, max_size=count))

    columns: dict[str, list[Any]] = {}
    keys = [f"k{i}" for i in range(draw(st.integers(1, 2)))]
    order = [f"o{i}" for i in range(draw(st.integers(0, 2)))]
    features = [f"f{i}" for i in range(draw(st.integers(1, 3)))]
    for name in keys:
        numbers = cells(draw(st.sampled_from([st.integers(0, 1), few, few | extreme])))
        text_from = draw(st.sampled_from([count, 0, count * 2 // 3]))
        prefix = draw(st.sampled_from(["", "é", "0"]))
        columns[name] = [c if row < text_from else f"{prefix}{c}" for row, c in enumerate(numbers)]
    for name in order:
        numbers = cells(st.integers(0, 4))
        floats_from = draw(st.sampled_from([count, 0, count // 2]))
        as_text = draw(st.booleans())
        columns[name] = [
            f"o{c}" if as_text else c + 0.5 if row >= floats_from else c for row, c in enumerate(numbers)
        ]
    for name in features:
        columns[name] = cells(
            draw(st.sampled_from([st.integers(0, 40), st.integers(0, 80).map(lambda n: n / 2)]))
        )
    columns["row"] = list(range(count))
    return columns, RowSchema(keys, order, features, None, ["y"], ["row"])


@given(
    drawn=some_rows(),
    sizes=st.lists(st.integers(1, 20), min_size=1, max_size=4),
    memory=st.sampled_from([300, 600, 1500, TIGHT, AMPLE]),
    small=st.booleans(),
)
@settings(max_examples=examples(300), deadline=None)
def test_rows_are_grouped_as_plain_python_does(
    drawn: tuple[dict[str, list[Any]], RowSchema], sizes: list[int], memory: int, small: bool
) -> None:
    columns, layout = drawn
    every_key, every_row, _ = oracles.group_rows(columns, [*layout.keys], [*layout.order])
    labels = {row: number % 7 if number % 5 else NAN for number, rows in enumerate(every_row) for row in rows}
    columns = {**columns, "y": [labels[row] for row in columns["row"]]}
    with pytest.MonkeyPatch.context() as patch:
        if small:
            small_windows(patch)
        grouped = group(cut(columns, sizes), layout, memory)
    keys, rows, ties = oracles.group_rows(columns, [*layout.keys], [*layout.order])
    flat = [row for group in rows for row in group]
    assert grouped.per_step["row"].tolist() == flat
    assert grouped.values.tolist() == [[columns[name][row] for name in layout.features] for row in flat]
    assert grouped.offsets.tolist() == [0, *accumulate(map(len, rows))]
    assert grouped.keys.tolist() == keys
    assert oracles.text_of(grouped.static["y"]) == repr([float(labels[group[0]]) for group in rows])
    assert grouped.ties == ties
    assert len(keys) <= len(every_key)


# Keys as arrays


def test_one_column_of_keys_is_flat_and_several_stand_side_by_side() -> None:
    numbers, text = np.array([1, 22]), pa.array(["a", "é"])
    assert np.asarray(key_array([numbers])).tolist() == [1, 22]
    assert key_array([numbers]).dtype == np.int64
    assert np.asarray(key_array([text])).dtype == np.dtype("U1")
    assert np.asarray(key_array([numbers, numbers])).tolist() == [[1, 1], [22, 22]]
    both = np.asarray(key_array([text, numbers]))
    assert both.dtype == np.dtype("U2")
    assert both.tolist() == [["a", "1"], ["é", "22"]]


def test_one_long_key_does_not_make_all_keys_wide() -> None:
    cells = ["x" * 10_000, *("y" for _ in range(10_000))]
    found = np.asarray(key_array([pa.array(cells), np.arange(len(cells))]))
    assert found.dtype.kind == "T"
    assert found.tolist() == [[cell, str(i)] for i, cell in enumerate(cells)]


def test_of_many_runs_nothing_but_their_places_stays_in_memory() -> None:
    rows, size = 8_000, 800
    names = pa.array([f"name {i:05}" for i in range(size)])
    with Spool() as spool:
        grouper = Grouper(
            RowSchema(["k"], ["t"], ["a"], static=["s"], per_step=["p", "q"]), spool, memory=1 << 16
        )
        tracemalloc.start()
        try:
            for begin in range(0, rows, size):
                numbers = np.arange(begin, begin + size)
                columns = {"k": numbers // 2, "s": numbers // 2, "a": numbers, "q": -numbers}
                grouper.add({**columns, "t": names, "p": numbers.astype(np.int32)})
            held, _ = tracemalloc.get_traced_memory()
        finally:
            tracemalloc.stop()
        grouped = grouper.finish()
        assert held < 300_000  # the rows are of 450 kB, and those that wait to be sorted of 64 kB
        assert (np.asarray(grouped.per_step["q"]) == -np.arange(rows)).all()
