"""Order columns as files hold them: dates of any spelling, ordered categoricals, text; ascending or descending."""

from __future__ import annotations

import re
import shlex
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as parquet
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import seqtool
from seqtool.arrays.spool import Spool
from seqtool.errors import DataError, UsageError
from seqtool.grouping.group import group_table
from seqtool.grouping.spec import GroupSpec
from seqtool.grouping.workspace import Workspace
from seqtool.system.memory import Memory
from seqtool.tables.cells.order import read_order
from seqtool.tables.cells.order_state import OrderState
from seqtool.tables.cells.text_order import disorder, sample_of
from seqtool.tables.in_memory import table_of
from tests.command import Place, succeeded
from tests.cutting import AMPLE

MONTHS = ["Jan", "Feb", "Mar", "Apr"]


def order_of(cells: Sequence[Any], by: str = "t", **options: Any) -> list[int]:
    """The rows of one sequence, in the order of their cells."""
    frame = pd.DataFrame({"k": 1, "t": cells, "row": range(len(cells))})
    return seqtool.group(frame, key="k", order_by=by, columns="row", **options).x[0, :, 0].tolist()


DATES = [
    (["Apr 1 2000", "Jan 1 2000", "Feb 29 2000"], "%b %d %Y", [1, 2, 0]),
    (["Jan 2, 2001", "Dec 31, 2000"], "%b %d, %Y", [1, 0]),
    (["01.02.2020", "31.01.2020", "01.01.2021"], "%d.%m.%Y", [1, 0, 2]),
    (["12/31/1999 11:59 PM", "1/1/2000 12:00 AM", "12/31/1999 1:00 AM"], "%m/%d/%Y %I:%M %p", [2, 0, 1]),
    (["10:00", "9:59"], "%H:%M", [1, 0]),
    (["05/Mar/2013:12:00:00 +0200", "05/Mar/2013:10:30:00 +0000"], "%d/%b/%Y:%H:%M:%S %z", [0, 1]),
    (["3 Jan 9000", "2 Jan 0900"], "%d %b %Y", [1, 0]),
]


@pytest.mark.parametrize(("cells", "time_format", "rows"), DATES)
def test_dates_sort_by_the_format_that_is_given(cells: list[str], time_format: str, rows: list[int]) -> None:
    assert order_of(cells, f"t:{time_format}") == rows
    assert order_of(cells, f"t:{time_format}:desc") == rows[::-1]


@pytest.mark.thinned
@pytest.mark.parametrize(("cells", "time_format", "rows"), DATES)
def test_the_format_that_an_error_proposes_sorts_the_column(
    cells: list[str], time_format: str, rows: list[int], place: Place
) -> None:
    lines = [f'1,"{cell}",{row}\n' for row, cell in enumerate(cells)]
    place.write("t.csv", "".join(["k,t t,row\n", *lines]))
    refused = place.run("group", "t.csv", "--key", "k", "--order-by", "t t")
    assert (refused.code, f"line 2, column 't t': {cells[0]!r}" in refused.err) == (1, True)
    advised = shlex.split(re.search(r"--order-by .* reads it", refused.err)[0])[:2]  # type: ignore[index]
    assert advised[1] == f"t t:{time_format}"
    succeeded(place.run("group", "t.csv", "--key", "k", *advised, "-o", "t.npz"))
    assert place.arrays("t.npz")["x"][0, :, 0].tolist() == rows


def test_two_readings_of_dates_are_both_named() -> None:
    with pytest.raises(DataError, match=r'order_by="t:%m/%d/%Y" or order_by="t:%d/%m/%Y" reads it$'):
        order_of(["01/02/2000", "03/04/2000"])


@pytest.mark.parametrize("cell", ["Feb 30 2000", "1 Jan 2000", "", " Jan 1 2000"])
def test_a_cell_that_is_not_of_the_format_is_named_with_its_place(cell: str, place: Place) -> None:
    place.write("t.csv", f"k,v,t\n1,1,Jan 1 2000\n1,2,{cell}\n")
    done = place.run("group", "t.csv", "--key", "k", "--order-by", "t:%b %d %Y")
    place_named = f"t.csv: line 3, column 't': {cell!r}; text written as '%b %d %Y' was expected"
    assert (done.code, (place_named if cell else "is empty in 1 of 2 rows") in done.err) == (1, True)
    assert [*place.files()] == ["t.csv"]


@pytest.mark.parametrize("by", ["t:%q", "t:100%"])
def test_what_is_no_format_is_an_error_of_the_call(by: str, place: Place) -> None:
    place.write("t.csv", "k,v,t\n1,1,Jan 1 2000\n")
    done = place.run("group", "t.csv", "--key", "k", "--order-by", by)
    assert (done.code, "--order-by: " in done.err, by[2:] in done.err) == (2, True, True)


def test_numbers_that_spell_dates_are_read_by_a_format_too(place: Place) -> None:
    place.write("t.csv", "k,t,v\n1,31122000,0\n1,01022001,1\n")
    output = place.outputs("group", ["t.csv", "--key", "k", "--order-by", "t:%d%m%Y"])[0]
    assert output["x"][0, :, 0].tolist() == [0, 1]
    assert order_of([31122000, 11022000], "t:%d%m%Y") == [1, 0]
    with pytest.raises(DataError, match=r"a column of double; text was expected"):
        order_of([0.5, 1.5], "t:%d%m%Y")


def test_names_of_columns_come_before_what_may_follow_them() -> None:
    frame = pd.DataFrame({"k": [1, 1], "a:%H": [2, 1], "a": ["10", "9"], "b:desc": [2, 1]})
    for by, first in {"a:%H": 1, "a:%H:desc": 2, "b:desc": 1, "b:desc:desc": 2}.items():
        assert seqtool.group(frame, key="k", order_by=by, columns="b:desc").x[0, 0, 0] == first
    with pytest.raises(DataError, match="no column 'c'"):
        seqtool.group(frame, key="k", order_by="c:%H:%M")


# Text


def test_text_is_proposed_where_it_sorts_as_it_reads() -> None:
    with pytest.raises(DataError, match=r'order_by="t:text" sorts the column as text'):
        order_of(["b", "a"])
    with pytest.raises(DataError, match=r'order_by="t:text" sorts'):
        order_of(["frame02", "frame10"])
    assert order_of(["frame10", "frame02"], "t:text") == [1, 0]


@pytest.mark.parametrize(
    "cells", [["frame10", "frame2"], ["Apr 1 2000", "Jan 1 2000"], ["Jan 1 2000", "1 Jan 2001"]]
)
def test_and_nowhere_else(cells: list[str]) -> None:
    with pytest.raises(DataError, match="a number, or an ISO date") as refused:
        order_of(cells)
    assert ":text" not in str(refused.value)


@pytest.mark.parametrize("cells", [["Mon", "Fri"], ["Monday", "Friday"]])
def test_days_of_the_week_have_an_order_of_their_own(cells: list[str]) -> None:
    with pytest.raises(DataError, match="days of the week do not sort as text: sort by numbers"):
        order_of(cells)
    with pytest.warns(UserWarning, match="holds days of the week"):
        assert order_of(cells, "t:text") == [1, 0]
    assert order_of(categorical(cells, cells)) == [0, 1]


@pytest.mark.thinned
@pytest.mark.parametrize(("cells", "time_format"), [(cells, time_format) for cells, time_format, _ in DATES])
def test_dates_that_are_sorted_as_text_are_warned_of(
    cells: list[str], time_format: str, place: Place
) -> None:
    place.write("t.csv", "".join(["k,t,v\n", *(f'1,"{cell}",1\n' for cell in cells)]))
    call = ["group", "t.csv", "--key", "k", "--order-by", "t:text", "-o", "t.npz"]
    sure = time_format == "%H:%M" and cells[0][0] != "9"  # judged by its first cell
    warned = "is sorted as text, but looks like dates" in succeeded(place.run(*call)).err
    assert warned is not sure
    if warned:
        with pytest.warns(UserWarning, match=re.escape(f'order_by="t:{time_format}" sorts by time')):
            order_of(cells, "t:text")


MEANT = [
    *(["2000-01-01", "1999-12-31"], ["b", "a"], ["10:00", "09:59"], ["frame 2100", "frame 1999"]),
    *(["v10 b", "v1 a"], ["1a23", "12a3"], ["1.5", "1.25"], ["09:15:01.5", "09:15:01.25"]),
]


@pytest.mark.parametrize("cells", MEANT)
def test_text_that_is_meant_as_text_is_not(cells: list[str], recwarn: pytest.WarningsRecorder) -> None:
    assert order_of(cells, "t:text") == [1, 0]
    assert not recwarn.list


@pytest.mark.parametrize(
    ("cells", "told"),
    [
        (
            ["10:30", "9:15"],
            "'10:30' for less than '9:15', and so for 1 of 2 distinct cells that were looked",
        ),
        (["10:30", "9:15"], 'order_by="t:%H:%M" sorts by time'),
        (["v1.9", "v1.10", "v1.9"], "'v1.10' for less than 'v1.9'"),
        (["frame10", "frame2"], "with as many digits each, such as 09 beside 10"),
        (["9", "10"], 'order_by="t" sorts by number'),
        (["Q4 2019", "Q1 2020"], "'Q1 2020' for less than 'Q4 2019'"),
    ],
)
def test_text_that_sorts_otherwise_than_it_reads_is_told(cells: list[str], told: str) -> None:
    with pytest.warns(UserWarning, match="is sorted as text") as warned:
        order_of(cells, "t:text")
    assert told in str(warned[0].message)


def test_and_where_one_cell_of_many_is_shorter() -> None:
    found = disorder(sample_of(pa.array([*(f"1{i:03}" for i in range(999)), "999"])))
    assert found is not None
    assert (found.pair, found.count, found.looked_at) == (("1000", "999"), 201, 202)


def test_and_however_its_rows_were_cut() -> None:
    cells = pa.array([f"v{i % 7}.{i}" for i in range(700)])
    whole = sample_of(cells)
    for size in (1, 160, 699):
        parts = [sample_of(cells.slice(begin, size)) for begin in range(0, 700, size)][
            :: -1 if size > 1 else 1
        ]
        joined = parts[0]
        for part in parts[1:]:
            joined = joined.merge(part)
        assert joined == whole


# Ordered categoricals


def categorical(
    cells: Sequence[str | None], categories: Sequence[str] = MONTHS, *, ordered: bool = True
) -> Any:
    return pd.Categorical(cells, categories=categories, ordered=ordered)


CELLS = ["Apr", "Jan", "Mar", "Feb", "Jan"]
IN_ORDER = [1, 4, 3, 2, 0]


def test_an_ordered_categorical_orders_by_its_categories() -> None:
    assert order_of(categorical(CELLS)) == IN_ORDER
    assert order_of(categorical(CELLS), "t:desc") == [0, 2, 3, 1, 4]
    with pytest.warns(UserWarning, match="looks like dates"):
        assert order_of(categorical(CELLS), "t:text") == [0, 3, 1, 4, 2]
    numbers = pd.Categorical([1, 3, 2], categories=[3, 1, 2], ordered=True)
    assert order_of(numbers) == [1, 0, 2]


@pytest.mark.parametrize("suffix", ["parquet", "arrow", "arrows"])
def test_and_so_it_does_in_files(suffix: str, place: Place) -> None:
    frame = pd.DataFrame({"k": 1, "t": categorical(CELLS), "row": range(5)})
    table = pa.Table.from_pandas(frame)
    path = place.folder / f"t.{suffix}"
    if suffix == "parquet":
        parquet.write_table(table, path, row_group_size=2)
    else:
        with (pa.ipc.new_stream if suffix == "arrows" else pa.ipc.new_file)(path, table.schema) as writer:
            writer.write_table(table, max_chunksize=2)
    output = place.outputs("group", [path.name, "--key=k", "--order-by=t", "--columns=row"])[0]
    assert output["x"][0, :, 0].tolist() == IN_ORDER


def test_an_unordered_categorical_is_text() -> None:
    with pytest.raises(DataError, match="'Apr'"):
        order_of(categorical(CELLS, ordered=False))
    assert order_of(categorical(["10", "9"], ["9", "10"], ordered=False)) == [1, 0]


def test_a_missing_category_is_a_missing_order_value() -> None:
    with pytest.raises(DataError, match="order column 't' is empty in 1 of 2 rows"):
        order_of(categorical(["Jan", None]))


def batches_of(*dictionaries: tuple[list[str], list[int]]) -> pa.Table:
    """A column of which each chunk has a dictionary of its own."""
    kind = pa.dictionary(pa.int8(), pa.string(), ordered=True)
    chunks = [
        pa.DictionaryArray.from_arrays(pa.array(codes, pa.int8()), texts, ordered=True).cast(kind)
        for texts, codes in dictionaries
    ]
    column = pa.chunked_array(chunks, kind)
    return pa.table({"k": [1] * len(column), "t": column, "row": range(len(column))})


def test_categories_may_grow_at_the_end_and_be_left_out() -> None:
    table = batches_of((["a", "b"], [1, 0]), (["a", "b", "c"], [2, 0]), (["b", "c"], [0]))
    grouped = seqtool.group(table, key="k", order_by="t", columns="row")
    assert grouped.x[0, :, 0].tolist() == [1, 3, 0, 4, 2]


@pytest.mark.parametrize("later", [["b", "a"], ["b", "c"], ["c", "a", "b"]])
def test_categories_in_another_order_are_refused(later: list[str]) -> None:
    with pytest.raises(DataError, match=f"a column of categories {', '.join(later)}; .* a, b, were expected"):
        seqtool.group(batches_of((["a", "b"], [1, 0]), (later, [0])), key="k", order_by="t")


def test_categories_in_another_order_are_found_where_pieces_are_merged() -> None:
    one, other = (
        read_order(batches_of((texts, [0]))["t"].chunk(0), row, (), known=OrderState())[1]
        for row, texts in ((0, ["a", "b"]), (7, ["b", "a"]))
    )
    for merged in (one.merge(other), other.merge(one)):
        assert (merged.bad.row, merged.bad.cell) == (7, "a column of categories b, a")  # type: ignore[union-attr]


# Descending

CELLS_OF = {
    "integers": st.integers(-(2**63), 2**63 - 1) | st.integers(-2, 2),
    "mixed": st.integers(-2, 2).map(float) | st.floats(-2, 2),
    "text": st.text("ab10", min_size=1, max_size=3),
    "times": st.datetimes().map(lambda time: time.isoformat()),
}


class Rows(Memory):
    """Memory for about five rows, so that a key takes several runs."""

    def for_rows(self, columns: int) -> int:
        return 300


@pytest.mark.parametrize("kind", CELLS_OF)
@given(data=st.data())
@settings(max_examples=10)
def test_descending_is_sorting_from_the_highest_whatever_the_memory(kind: str, data: st.DataObject) -> None:
    """Ties keep file order, as Python's own sort has it with `reverse`."""
    cells = data.draw(st.lists(CELLS_OF[kind], min_size=1, max_size=30))
    frame = pd.DataFrame({"k": 1, "t": cells, "row": range(len(cells))})
    expected = sorted(range(len(cells)), key=cells.__getitem__, reverse=True)
    by = "t:text:desc" if kind == "text" else "t:desc"
    table = table_of(frame)
    spec = GroupSpec(key=["k"], order_by=[by], columns=["row"])
    for memory in (AMPLE, Rows(1 << 30)):
        with Spool() as spool:
            done = group_table(table, spec.roles(table), spec, Workspace(spool, memory))
            assert np.asarray(done.ragged.values)[:, 0].tolist() == expected


def test_a_receipt_tells_how_steps_were_sorted(place: Place) -> None:
    place.write("t.csv", "k,v,d,t\n1,1,1.2.2000,3\n")
    succeeded(
        place.run(
            "group", "t.csv", "--key=k", "--order-by=d:%d.%m.%Y:desc", "--order-by=t:desc", "-o", "t.npz"
        )
    )
    assert '"order_by": ["d:%d.%m.%Y:desc", "t:desc"]' in str(place.arrays("t.npz")["meta"])


@pytest.mark.parametrize("part", ["key", "order_by", "static"])
def test_a_column_is_named_once(part: str) -> None:
    frame = pd.DataFrame({"k": [1], "t": [1], "v": [2]})
    with pytest.raises(UsageError, match=f"{part} names column 't' twice"):
        seqtool.group(frame, **{"key": "k", part: ["t", "t"]})


def test_a_process_of_its_own_reads_dates_too(place: Place) -> None:
    """The command hides pandas, which reads them, from libraries that would load it for nothing."""
    place.write("d.csv", "id,d,v\n1,Mar 1 2000,1\n1,Apr 3 1999,2\n")
    done = place.process("group", "d.csv", "--key", "id", "--order-by", "d:%b %d %Y", "-o", "d.npz")
    succeeded(done)
    assert place.arrays("d.npz")["x"].tolist() == [[[2], [1]]]


@pytest.mark.parametrize(
    ("cells", "told"),
    [
        (["1,5", "10,7", "9,2"], "as numbers that are written so: --decimal ,"),
        (["3", "1,5"], "as numbers that are written so: --decimal ,"),
        (["Q1 2020", "Q4 2019"], "sorted as text, 'Q1 2020' would stand before 'Q4 2019'"),
        (["week 2020-05", "week 2020-10"], "--order-by t:text"),
    ],
)
def test_how_text_can_be_sorted(cells: list[str], told: str, tmp_path: Path) -> None:
    place = Place(tmp_path)
    place.write("a.csv", "id;t;v\n" + "".join(f"1;{cell};{i}\n" for i, cell in enumerate(cells)))
    done = place.run("group", "a.csv", "--key", "id", "--order-by", "t", "-o", "o.npz")
    assert (done.code, told in done.err, ":text" in done.err) == (1, True, ":text" in told), done.err
