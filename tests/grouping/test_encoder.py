"""Pieces of a table, observed apart and merged in any order, say and give what the whole does, byte for byte."""

import io
import pickle
import re
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from itertools import accumulate, pairwise
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import currently_in_test_context, event, example, given, settings
from hypothesis import strategies as st

from seqtool.arrays.spool import Spool
from seqtool.errors import DataError, NotNumbersError
from seqtool.files.inputs import opened
from seqtool.grouping.assembling import assembled
from seqtool.grouping.encoder import Encoder, encode
from seqtool.grouping.encoder_plan import EncoderPlan
from seqtool.grouping.encoder_state import EncoderState, merge_all
from seqtool.grouping.group import group_table
from seqtool.grouping.kernel import ChangingError, Grouper
from seqtool.grouping.options import GroupOptions
from seqtool.grouping.reading import batches, check
from seqtool.grouping.row_columns import label_name
from seqtool.grouping.static_columns import changing
from seqtool.grouping.workspace import Workspace
from seqtool.operations.select import at_least
from seqtool.sequences.ragged import Ragged
from seqtool.tables.cells import UnseenError
from seqtool.tables.in_memory import from_array
from seqtool.tables.opening import open_tables
from seqtool.tables.roles import Roles, resolve
from seqtool.tables.table import Expected, Table, TextOptions
from tests.cutting import AMPLE, TIGHT
from tests.hunting import examples
from tests.written import rewrite, write

NAMES = ("k", "t", "a", "b", "s", "y", "z")
Columns = list[list[Any]]


# Tables, whole and in pieces


def table_of(pieces: Sequence[list[Any]], *, text: bool, named: bool = True, cut: int = 1000) -> Table:
    """A table of the rows of some pieces, each a list of Arrow arrays; batches hold at most `cut` rows."""

    def read(columns: Sequence[int], expected: Expected) -> Iterator[Any]:
        for arrays in pieces:
            batch = pa.RecordBatch.from_arrays([arrays[i] for i in columns], [str(i) for i in columns])
            for begin in range(0, len(batch), cut):
                yield batch.slice(begin, cut)

    width = len(pieces[0])
    return Table(
        "rows", NAMES[:width] if named else (None,) * width, named, read, lambda row: f"row {row}", text=text
    )


def observe(table: Table, roles: Roles, options: GroupOptions) -> EncoderState:
    """What is known of the columns of a table after reading its rows, as far as the first bad cell."""
    encoder = Encoder(EncoderPlan.of(table, roles, options))
    with ThreadPoolExecutor(2) as pool:
        for arrays, first_row in batches(table, encoder.plan):
            encoder.encode(arrays, first_row, pool)
            if encoder.faulty:
                break
    return encoder.state


def saved(ragged: Ragged) -> bytes:
    file = io.BytesIO()
    write(file, ragged, seekable=True)
    return file.getvalue()


def grouped_whole(table: Table, roles: Roles, options: GroupOptions) -> bytes | str:
    """The bytes of the file that grouping a table gives, or what it says instead."""
    with Spool() as spool:
        try:
            return saved(group_table(table, roles, options, Workspace(spool, AMPLE)).ragged)
        except NotNumbersError:
            return "not numbers"
        except DataError as error:
            return place_of(error)


def place_of(error: DataError) -> str:
    """The place that an error names, if it does, else all of it."""
    found = re.match(r".*?, column '[^']*'(?=:)", str(error))
    return found[0] if found else str(error)


def grouped_in_pieces(
    tables: Sequence[Table], plan: EncoderPlan, state: EncoderState, firsts: Sequence[int], *, tight: bool
) -> bytes | str:
    """The same from pieces, each encoded by the merged state in a process of its own, as it were."""
    spooled = pickle.dumps((plan, state))
    kinds: dict[str, set[str]] = {}
    settled = plan.settled(state)
    with Spool() as spool:
        memory = (TIGHT if tight else AMPLE).for_rows(len(plan.roles.used))
        grouper = Grouper(settled.layout(state), spool, memory=memory)
        try:
            for table, first in zip(tables, firsts, strict=True):
                plan_here, state_here = pickle.loads(spooled)
                columns = settled.roles.used
                row = first
                for raw in table.batches(columns, settled.expected()):
                    arrays = dict(zip(columns, raw.columns, strict=True))
                    found = encode(arrays, plan_here, state_here, row)
                    row += len(raw)
                    for name, column in found.items():
                        numbers = isinstance(column, np.ndarray)
                        kinds.setdefault(name, set()).add(str(column.dtype if numbers else column.type))
                    if found:
                        grouper.add(found)
                assert state_here == state  # encoding has changed nothing
            grouped = grouper.finish(dtype=settled.dtype(state))
            ragged = at_least(assembled(settled, grouped, state), plan.options.min_len, spool=spool)
        except ChangingError as error:
            return place_of(changing(settled, error, state))
        except DataError as error:
            return place_of(error)
        assert all(len(found) == 1 for found in kinds.values()), kinds  # one type, whichever the piece
        return saved(ragged)


def meaning(plan: EncoderPlan, state: EncoderState) -> Any:
    """What a state says of the rows; of bad ones, where the first bad cell stands."""
    first_bad = plan.first_bad_cell(state)
    if first_bad:
        return first_bad.part, first_bad.column, first_bad.bad.row
    settled = plan.settled(state)
    dtypes = settled.dtype(state), settled.static_dtype(state)

    def numbers(found: Any, dtype: Any) -> Any:
        loss = found.loss(dtype)
        return found.whole, found.missing, found.seen, found.coarse, loss and loss.row

    return (
        (state.rows, state.dropped, dtypes, settled.roles, settled.layout(state)),
        {column: (keys.integer, keys.empty) for column, keys in state.keys.items()},
        {c: (order.kind, order.missing, order.loss and order.loss.row) for c, order in state.orders.items()},
        {column: numbers(state.features[column], dtypes[0]) for column in settled.features},
        {column: numbers(found, dtypes[1]) for column, found in state.statics.items()},
        state.labels,
    )


def check_pieces(
    whole: Table,
    tables: Sequence[Table],
    counts: Sequence[int],
    roles: Roles,
    options: GroupOptions,
    order: Sequence[int],
    *,
    tight: bool = False,
) -> None:
    """Observe each table apart, merge in `order`, encode by what was found, and compare with the whole."""
    plan = EncoderPlan.of(whole, roles, options)
    firsts = [0, *accumulate(counts)]
    states = [observe(table, roles, options) for table in tables]
    assert pickle.loads(pickle.dumps((plan, states))) == (plan, states)
    merged = merge_all(states[i].in_file(i) for i in order)
    backwards = [states[i].in_file(i) for i in reversed(order)]
    while len(backwards) > 1:  # and not from the left
        backwards = [*backwards[:-2], backwards[-2].merge(backwards[-1])]
    assert meaning(plan, backwards[0]) == meaning(plan, merged)

    def place(row: tuple[int, int]) -> str:
        return whole.place(firsts[row[0]] + row[1])

    of_all = observe(whole, roles, options)
    assert in_one_file(meaning(plan, merged), firsts) == in_one_file(meaning(plan, of_all), firsts)
    expected = grouped_whole(whole, roles, options)
    if currently_in_test_context():
        event("sequences" if isinstance(expected, bytes) else "an error")
    refused: DataError | None = None
    try:
        check(plan, merged, name=whole.name, place=place)
    except DataError as error:
        refused = error
    if refused is None:
        assert grouped_in_pieces(tables, plan, merged, firsts[:-1], tight=tight) == expected
    elif isinstance(refused, NotNumbersError) or expected == "not numbers":
        assert isinstance(expected, str)  # whether a column is one of text is judged by all that was read
    else:
        assert place_of(refused) == expected


def in_one_file(found: Any, firsts: Sequence[int]) -> str:
    """What was found, each row (file, row) counted in the whole; rows of the whole stand for themselves."""
    pattern = r"(?<=[\[ ])\((\d+), (\d+)\)(?=[],)])"
    return re.sub(pattern, lambda match: str(firsts[int(match[1])] + int(match[2])), repr(found))


# Text


def cells(*pools: list[str]) -> st.SearchStrategy[list[str]]:
    """A pool that the cells of a column are drawn from: clean ones often, so that most tables can be grouped."""
    return st.sampled_from([*pools[:2] * len(pools), *pools])


KEYS = cells(
    ["1", "2", "10"], ["1", "007", "x"], ["a", "", "b"], ["0xDEADBEEF", "3735928559", "-1"], ["1", "", "2"]
)
ORDERS = cells(
    ["1", "2", "10"],
    ["1", "2.5", "-3"],
    ["2026-01-31", "2026-01-31T12:00:00.000000001", "9999-12-31"],
    ["2026-01-31T00:00:00Z", "2026-01-31T00:00:00+01:00"],
    ["1", "2", "NA"],
    ["2026-01-31", "", "5"],
    ["1", "9007199254740993", "2.5"],
    ["7", "31/12/2026", "-nan"],
)
NUMBERS = cells(
    ["1", "2", "-3"],
    ["1", "0.5", "", "NA"],
    ["1", "2", "16777217"],
    ["1", "+5", "true", " 7 "],
    ["1", "0.5", "16777216"],
    ["1", "2", "9007199254740993", "0.5"],
    ["1", "2", "x"],
    ["1", "-0", "1e400"],
)
LABELS = cells(
    ["u", "v", "w"], ["1", "2", "10"], ["1", "1.0", "01"], ["0.5", "2"], ["1", "x", "2"], ["u", ""]
)


@st.composite
def text_columns(draw: st.DrawFn) -> Columns:
    """The cells of a table by column: the label and the static number depend on the key."""
    pools = [draw(pool) for pool in (KEYS, ORDERS, NUMBERS, NUMBERS, NUMBERS, LABELS, LABELS)]
    rows = draw(st.integers(1, 12))
    k, t, a, b, _, _, z = ([draw(st.sampled_from(pool)) for _ in range(rows)] for pool in pools)
    fixed = {key: i for i, key in enumerate(pools[0])}
    s, y = ([pool[fixed[key] % len(pool)] for key in k] for pool in pools[4:6])
    return [k, t, a, b, s, y, z]


def some_cuts(rows: int) -> st.SearchStrategy[list[int]]:
    """Where a table is cut into pieces, some of which may be empty."""
    return st.lists(st.integers(0, rows), max_size=3).map(sorted)


def pieces_of(columns: Columns, cuts: Sequence[int]) -> list[Columns]:
    borders = [0, *cuts, len(columns[0])]
    return [[cells[begin:end] for cells in columns] for begin, end in pairwise(borders)]


def some_options(draw: Any) -> tuple[dict[str, Any], GroupOptions]:
    parts: dict[str, Any] = {"key": ["k"], "drop": ["t", "s", "y", "z"]}
    for name, role in (("t", "order_by"), ("s", "static"), ("y", "label"), ("z", "step_label")):
        if draw(st.booleans()):
            parts["drop"].remove(name)
            parts[role] = name if role.endswith("label") else [name]
    if "order_by" in parts and draw(st.integers(0, 3)) == 0:
        parts["order_by"] = ["t:text"]
    options = GroupOptions(
        dtype=draw(st.sampled_from([None, None, None, "float64", "int64", "int8"])),
        label_as=draw(st.sampled_from([None, None, "class", "number"])),
        keep_row_index=draw(st.booleans()),
        min_len=draw(st.sampled_from([0, 2])),
        empty_key=draw(st.sampled_from(["error", "drop", "keep"])),
        missing=draw(st.sampled_from([(), (), ("-3",), ("x",)])),
    )
    return parts, options


@given(st.data(), text_columns())
@settings(max_examples=examples(150), deadline=None)
def test_pieces_of_text_say_and_give_what_the_whole_does(data: st.DataObject, columns: Columns) -> None:
    parts, options = some_options(data.draw)
    pieces = pieces_of(columns, data.draw(some_cuts(len(columns[0]))))
    arrays = [[pa.array(cells, pa.string()) for cells in piece] for piece in pieces]
    cut = data.draw(st.sampled_from([1, 2, 5, 1000]))
    tables = [table_of([piece], text=True, cut=data.draw(st.sampled_from([1, 3, 1000]))) for piece in arrays]
    whole = table_of([[pa.array(cells, pa.string()) for cells in columns]], text=True, cut=cut)
    order = data.draw(st.permutations(range(len(pieces))))
    counts = [len(piece[0]) for piece in pieces]
    tight = data.draw(st.booleans())
    check_pieces(whole, tables, counts, resolve(whole, **parts), options, order, tight=tight)


@given(st.data(), text_columns())
@settings(max_examples=examples(50), deadline=None)
def test_pieces_without_names_find_which_keys_are_features(data: st.DataObject, columns: Columns) -> None:
    columns = [columns[0], columns[2], columns[3]]
    pieces = pieces_of(columns, data.draw(some_cuts(len(columns[0]))))
    arrays = [[pa.array(cells, pa.string()) for cells in piece] for piece in pieces]
    tables = [table_of([piece], text=True, named=False, cut=3) for piece in arrays]
    whole = table_of([[pa.array(cells, pa.string()) for cells in columns]], text=True, named=False, cut=2)
    roles = resolve(whole, key=data.draw(st.sampled_from([[0], [0, 1]])))
    counts = [len(piece[0]) for piece in pieces]
    order = data.draw(st.permutations(range(len(pieces))))
    options = GroupOptions(empty_key=data.draw(st.sampled_from(["error", "drop", "keep"])))
    check_pieces(whole, tables, counts, roles, options, order)


MIXED = ["1", "2.5", "2026-01-31", "2026-01-31T00:00:00Z", "NA", "x"]


@given(st.data(), st.lists(st.sampled_from(MIXED[:3]) | st.sampled_from(MIXED), min_size=1, max_size=5))
@example(None, ["1", "2026-01-31", "x"])  # the second piece is of dates until its bad cell
@settings(max_examples=examples(100), deadline=None)
def test_order_cells_of_several_kinds_are_refused_where_the_whole_refuses_them(
    data: st.DataObject | None, cells: list[str]
) -> None:
    cuts = data.draw(some_cuts(len(cells))) if data else [1]
    columns = [["1"] * len(cells), cells, ["1"] * len(cells)]
    pieces = pieces_of(columns, cuts)
    arrays = [[pa.array(cells, pa.string()) for cells in piece] for piece in pieces]
    whole = table_of(arrays, text=True)
    order = data.draw(st.permutations(range(len(pieces)))) if data else range(len(pieces))
    counts = [len(piece[0]) for piece in pieces]
    tables = [table_of([piece], text=True) for piece in arrays]
    check_pieces(whole, tables, counts, resolve(whole, key=["k"], order_by=["t"]), GroupOptions(), order)


# Types


def typed(draw: Any, kinds: Sequence[Any], values: list[Any]) -> Any:
    kind = draw(st.sampled_from(kinds))
    if pa.types.is_floating(kind):
        return pa.array([None if value is None else float(value) for value in values], kind)
    if pa.types.is_string(kind):
        return pa.array([None if value is None else str(value) for value in values], kind)
    return pa.array(values, pa.int64()).cast(kind)


INTEGERS = [pa.int8(), pa.int64(), pa.uint16()]
FLOATS = [pa.float32(), pa.float64(), pa.decimal128(24, 3)]
TIMES = [pa.timestamp("s"), pa.timestamp("ms"), pa.timestamp("us"), pa.timestamp("ns")]
DURATIONS = [pa.duration("s"), pa.duration("ms"), pa.duration("ns")]


@given(st.data())
@settings(max_examples=examples(120), deadline=None)
def test_pieces_of_several_types_say_and_give_what_the_whole_does(data: st.DataObject) -> None:
    draw = data.draw
    orders = draw(st.sampled_from([INTEGERS, [*INTEGERS, *FLOATS], TIMES, DURATIONS, [*TIMES, pa.int64()]]))
    keys = draw(st.sampled_from([INTEGERS, [*INTEGERS, pa.float64()], [pa.int64(), pa.string()]]))
    numbers = draw(
        st.sampled_from([INTEGERS, [*INTEGERS, *FLOATS], [pa.int64(), pa.float64(), pa.timestamp("s")]])
    )
    some = st.integers(0, 5) if draw(st.booleans()) else st.none() | st.integers(0, 5)
    pieces, counts = [], []
    for _ in range(draw(st.integers(1, 3))):
        rows = draw(st.integers(1, 4))
        key, order, feature, other = (
            draw(st.lists(values, min_size=rows, max_size=rows))
            for values in (st.integers(0, 2), some, some, st.integers(0, 5))
        )
        columns = [typed(draw, keys, key), typed(draw, orders, order)]
        columns += [typed(draw, numbers, feature), typed(draw, INTEGERS, other)]
        columns += [typed(draw, FLOATS, key), typed(draw, keys, key), typed(draw, INTEGERS, other)]
        pieces.append(columns)
        counts.append(rows)
    parts, options = some_options(draw)
    whole = table_of(pieces, text=False, cut=draw(st.sampled_from([1, 2, 1000])))
    tables = [table_of([piece], text=False, cut=2) for piece in pieces]
    order = draw(st.permutations(range(len(pieces))))
    check_pieces(
        whole,
        tables,
        counts,
        resolve(whole, **parts),
        replace(options, missing=()),
        order,
        tight=draw(st.booleans()),
    )


@pytest.mark.parametrize("dtype", ["float32", "int16", "uint8", "float64", "bool"])
def test_pieces_of_an_array_keep_its_type(dtype: str) -> None:
    array = np.array([[1, 0], [0, 1], [1, 1], [0, 0]], dtype)
    whole, tables = from_array(array), [from_array(array[:1]), from_array(array[1:])]
    check_pieces(whole, tables, [1, 3], resolve(whole, key=[0]), GroupOptions(keep_row_index=True), [1, 0])


# Files


@given(st.data(), text_columns())
@settings(max_examples=examples(30), deadline=None)
def test_csv_files_observed_apart_give_what_one_call_does(
    tmp_path_factory: pytest.TempPathFactory, data: st.DataObject, columns: Columns
) -> None:
    folder = tmp_path_factory.mktemp("files")
    parts, options = some_options(data.draw)
    pieces = pieces_of(columns, data.draw(some_cuts(len(columns[0]))))
    paths = [folder / f"{i}.csv" for i in range(len(pieces))]
    for path, piece in zip(paths, pieces, strict=True):
        lines = [",".join(row) for row in zip(*piece, strict=True)]
        rewrite(path, "\n".join([",".join(NAMES), *lines, ""]).encode())
    with opened([str(path) for path in paths]) as found:
        text = TextOptions(header=True)
        whole = open_tables(found, text)
        tables = [open_tables([source], text) for source in found]
        counts = [len(piece[0]) for piece in pieces]
        order = data.draw(st.permutations(range(len(pieces))))
        check_pieces(whole, tables, counts, resolve(whole, **parts), options, order)


# What is not as the state says


STATE_OF = {"k": ["1", "2"], "t": ["1", "2"], "a": ["1", "2"], "s": ["1", "1"], "y": ["u", "v"]}


@pytest.mark.parametrize(
    ("column", "cell"),
    [("k", "x"), ("t", "2.5"), ("t", "2026-01-31"), ("a", "0.5"), ("a", "x"), ("s", "0.5"), ("y", "w")],
)
def test_a_final_state_refuses_what_it_has_not_seen(column: str, cell: str) -> None:
    names = list(STATE_OF)
    whole = Table("rows", tuple(names), True, lambda _c, _e: iter([]), str, text=True)
    roles = resolve(whole, key=["k"], order_by=["t"], static=["s"], label="y")
    plan = EncoderPlan.of(whole, roles, GroupOptions())
    arrays = {i: pa.array(STATE_OF[name]) for i, name in enumerate(names)}
    encoder = Encoder(plan)
    assert encoder.encode(arrays, 0)
    state = encoder.state
    assert list(encode(arrays, plan, state, 0)) == [
        "key 0",
        "order 1.0",
        "feature 2",
        "static 3",
        "label 0",
        "row",
    ]
    changed = {**arrays, names.index(column): pa.array([STATE_OF[column][0], cell])}
    with pytest.raises(UnseenError):
        encode(changed, plan, state, 0)
    assert encoder.state == state


def test_a_state_grows_apart_from_the_one_it_began_with() -> None:
    whole = table_of([[pa.array(["1"])] * 6], text=True)
    plan = EncoderPlan.of(whole, resolve(whole, key=["k"], label="y"), GroupOptions())
    first = Encoder(plan)
    first.encode({i: pa.array(["1"]) for i in range(6)}, 0)
    state = first.state
    before = pickle.dumps(state)
    more = Encoder(plan, state)
    more.encode({i: pa.array(["2"]) for i in range(6)}, 1)
    assert pickle.dumps(state) == before
    assert more.state.labels[label_name(0)].codes == {"1": 0, "2": 1}
    assert (more.state.rows, state.rows) == (2, 1)


def test_the_first_bad_cell_is_that_of_the_lowest_row_in_any_column() -> None:
    columns = [["1", "1", "1\0"], ["1", "x", "2"], ["1", "2", "y"], ["z", "0.5", "2"]]
    for bad, message in (
        (columns, "row 1, column 't'"),
        ([columns[0], ["1", "2", "3"], *columns[2:]], "row 0, column 's'"),
    ):
        arrays = [pa.array(cells, pa.string()) for cells in bad]
        whole = table_of([arrays], text=True)
        whole = replace(whole, columns=("k", "t", "a", "s"))
        roles = resolve(
            whole,
            key=["k"],
            order_by=["t"],
            static=["s"] if bad is not columns else [],
            drop=["s"] if bad is columns else [],
        )
        assert grouped_whole(whole, roles, GroupOptions()) == message


def test_durations_of_two_units_sort_as_durations() -> None:
    pieces = [
        [pa.array([1, 1]), pa.array([10, 1], pa.duration("s")), pa.array([10_000, 1_000])],
        [pa.array([1]), pa.array([5_000], pa.duration("ms")), pa.array([5_000])],
    ]
    whole = table_of(pieces, text=False)
    with Spool() as spool:
        roles = resolve(whole, key=["k"], order_by=["t"])
        found = group_table(whole, roles, GroupOptions(), Workspace(spool, AMPLE))
        assert np.asarray(found.ragged.values).ravel().tolist() == [1_000, 5_000, 10_000]


def test_pieces_without_rows_know_nothing(tmp_path: Path) -> None:
    (tmp_path / "none.csv").write_text("k,a\n", encoding="ascii")
    with opened([str(tmp_path / "none.csv")]) as found:
        table = open_tables(found, TextOptions(header=True))
        roles = resolve(table, key=["k"])
        state = observe(table, roles, GroupOptions())
        assert state.rows == 0
        for nothing in (state, merge_all([])):
            with pytest.raises(DataError, match="holds a header, but no rows"):
                check(EncoderPlan.of(table, roles, GroupOptions()), nothing, name="none", place=str)
