"""What every engine promises: order, stability, widening; and that all of them give the same."""

from typing import Any

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from seqtool.engines.duckdb import DuckDBEngine
from seqtool.engines.memory import MemoryEngine, stable_order

ENGINES = pytest.mark.parametrize("engine", [MemoryEngine, DuckDBEngine])


def sorted_by(engine: Any, batches: list[dict[str, Any]], *by: str) -> Any:
    """All that an engine gives back, as one table."""
    with engine() as running:
        for batch in batches:
            running.add(pa.record_batch(batch))
        return pa.Table.from_batches(list(running.sorted(by)))


@ENGINES
def test_rows_come_back_in_order_with_all_that_is_theirs(engine: Any) -> None:
    table = sorted_by(engine, [{"k": [3, 1, 2], "a": ["c", "a", "b"], "b": [0.3, 0.1, 0.2]}], "k")
    assert table.to_pydict() == {"k": [1, 2, 3], "a": ["a", "b", "c"], "b": [0.1, 0.2, 0.3]}


@ENGINES
def test_rows_that_are_equal_keep_the_order_in_which_they_came(engine: Any) -> None:
    count = 300_000  # more than one batch of the result, and more than one thread's part
    keys = np.arange(count) * 7919 % 5
    batches = [
        {"k": keys[i : i + 70_000], "row": np.arange(i, min(i + 70_000, count))}
        for i in range(0, count, 70_000)
    ]
    rows = np.asarray(sorted_by(engine, batches, "k")["row"])
    assert (rows == np.argsort(keys, kind="stable")).all()


@ENGINES
def test_stability_holds_where_a_column_widens_between_batches(engine: Any) -> None:
    batches = [{"k": [1, 1], "a": [1, 2]}, {"k": [1, 1], "a": [3.5, 4.0]}, {"k": [1, 1], "a": [5, 6]}]
    table = sorted_by(engine, batches, "k")
    assert table["a"].to_pylist() == [1, 2, 3.5, 4, 5, 6]
    assert table.schema.field("a").type == pa.float64()


@ENGINES
def test_later_columns_decide_between_equals(engine: Any) -> None:
    batch = {"k": ["b", "a", "b", "a"], "t": [2, 9, 1, 8], "row": [0, 1, 2, 3]}
    assert sorted_by(engine, [batch], "k", "t")["row"].to_pylist() == [3, 1, 2, 0]
    assert sorted_by(engine, [batch], "t", "k")["row"].to_pylist() == [2, 0, 3, 1]


@ENGINES
def test_integer_keys_widen_to_text(engine: Any) -> None:
    table = sorted_by(engine, [{"k": [10, 9, -1]}, {"k": ["x", "9", "09"]}], "k")
    assert table["k"].to_pylist() == ["-1", "09", "10", "9", "9", "x"]


@ENGINES
def test_integers_widen_to_floats(engine: Any) -> None:
    assert sorted_by(engine, [{"k": [2, 1]}, {"k": [1.5]}], "k")["k"].to_pylist() == [1.0, 1.5, 2.0]


@ENGINES
@pytest.mark.parametrize(
    ("narrow", "wide"),
    [
        (pa.array([1.5], pa.float32()), pa.array([2**24 + 1])),
        (pa.array([2**24 + 1]), pa.array([1.5], pa.float32())),
        (pa.array([200], pa.uint8()), pa.array([-1], pa.int8())),
        (pa.array([1], pa.int8()), pa.array([300])),
        (pa.array([2**32 - 1], pa.uint32()), pa.array([-1])),
    ],
)
def test_widening_changes_no_number(engine: Any, narrow: Any, wide: Any) -> None:
    table = sorted_by(engine, [{"k": [1], "a": narrow}, {"k": [2], "a": wide}], "k")
    assert table["a"].to_pylist() == [narrow[0].as_py(), wide[0].as_py()]


@ENGINES
@pytest.mark.parametrize("kind", ["int8", "int16", "int32", "int64", "uint8", "uint32", "uint64"])
def test_integers_of_every_type_sort_over_their_whole_range(engine: Any, kind: str) -> None:
    limits = np.iinfo(kind)
    low, high = limits.min, limits.max
    numbers = [high, low, high - 1, low + 1, high // 2, 0, 1, low // 2 + 1]
    table = sorted_by(engine, [{"k": pa.array(numbers, kind)}], "k")
    assert table["k"].to_pylist() == sorted(numbers)


@ENGINES
def test_floats_sort_by_number_and_the_two_zeros_are_equal(engine: Any) -> None:
    inf = float("inf")
    batch = {"k": [0.0, -0.0, 0.0, inf, -1.5, -inf, 5e-324], "row": [0, 1, 2, 3, 4, 5, 6]}
    assert sorted_by(engine, [batch], "k")["row"].to_pylist() == [5, 4, 0, 1, 2, 6, 3]


@ENGINES
def test_text_compares_by_code_point(engine: Any) -> None:
    cells = ["é", "e\u0301", "z", "Z", "", "\U0001f600", "\uffee", "a b", "a", "10", "9", "ß", "中", "A\0b"]
    assert sorted_by(engine, [{"k": cells}], "k")["k"].to_pylist() == sorted(cells)


@ENGINES
@pytest.mark.parametrize("kind", ["float", "double", "int8", "uint64", "bool"])
def test_every_kind_of_number_passes_through(engine: Any, kind: str) -> None:
    table = sorted_by(engine, [{"k": [2, 1], "a": pa.array(np.array([0, 1])).cast(kind)}], "k")
    assert [float(cell) for cell in table["a"].to_pylist()] == [1.0, 0.0]


@ENGINES
def test_an_engine_without_rows_gives_none(engine: Any) -> None:
    with engine() as running:
        assert sum(len(batch) for batch in running.sorted(["k"])) == 0


@ENGINES
def test_an_empty_batch_adds_nothing(engine: Any) -> None:
    empty: Any = {"k": pa.array([], pa.int64()), "a": pa.array([], pa.float64())}
    table = sorted_by(engine, [empty, {"k": [2, 1], "a": [0.5, 0.25]}, empty], "k")
    assert table.to_pydict() == {"k": [1, 2], "a": [0.25, 0.5]}


@ENGINES
def test_types_may_alternate_from_batch_to_batch(engine: Any) -> None:
    batches: list[dict[str, Any]] = [{"k": [0], "a": [i] if i % 2 else [i + 0.5]} for i in range(100)]
    table = sorted_by(engine, batches, "k")
    assert table["a"].to_pylist() == [float(i) if i % 2 else i + 0.5 for i in range(100)]


def test_duckdb_fetches_no_extension() -> None:
    with DuckDBEngine() as engine:
        rows = engine._database.execute(
            "SELECT name, value FROM duckdb_settings() WHERE name LIKE 'auto%known_extensions'"
        ).fetchall()
    assert sorted(rows) == [("autoinstall_known_extensions", "false"), ("autoload_known_extensions", "false")]


def test_an_interrupt_inside_a_query_of_duckdb_is_a_keyboard_interrupt(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    class Interrupted:
        def execute(self, statement: str) -> None:
            raise RuntimeError("Query interrupted")

        def register(self, name: str, batch: Any) -> None: ...

        def close(self) -> None: ...

    with DuckDBEngine() as engine:
        monkeypatch.setattr(engine, "_database", Interrupted())
        with pytest.raises(KeyboardInterrupt):
            engine.add(pa.record_batch({"k": [1]}))


@given(
    st.lists(
        st.lists(
            st.tuples(
                st.integers(-3, 3), st.sampled_from(["a", "b", "é", "B"]), st.integers(-(2**40), 2**40)
            ),
            min_size=1,
            max_size=8,
        ),
        min_size=1,
        max_size=5,
    )
)
@settings(max_examples=50)
def test_all_engines_sort_as_python_does(batches: list[list[tuple[int, str, int]]]) -> None:
    rows = [row for batch in batches for row in batch]
    numbered = sorted(range(len(rows)), key=lambda i: rows[i])
    columns: list[dict[str, Any]] = []
    done = 0
    for batch in batches:
        k, s, t = (list(column) for column in zip(*batch, strict=True))
        columns.append({"k": k, "s": s, "t": t, "row": list(range(done, done + len(batch)))})
        done += len(batch)
    for engine in (MemoryEngine, DuckDBEngine):
        assert sorted_by(engine, columns, "k", "s", "t")["row"].to_pylist() == numbered


@given(
    st.lists(
        st.lists(st.integers(-(2**63), 2**63 - 1) | st.integers(-5, 5), min_size=3, max_size=3), min_size=1
    )
)
@settings(max_examples=60)
def test_stable_order_is_that_of_sorted(rows: list[list[int]]) -> None:
    columns = [np.array(column, dtype=np.int64) for column in zip(*rows, strict=True)]
    assert stable_order(columns).tolist() == sorted(range(len(rows)), key=lambda i: rows[i])


@pytest.mark.parametrize("width", [1, (1 << 16) - 1, 1 << 16, (1 << 32) - 1, 1 << 32])
@pytest.mark.parametrize("low", [-(2**40), -1, 0])
def test_stable_order_holds_at_the_borders_of_its_digits(low: int, width: int) -> None:
    column = np.array([low + width, low, low + width - 1, low, low + width // 2, low + width])
    assert stable_order([column]).tolist() == sorted(range(6), key=lambda i: column[i])
