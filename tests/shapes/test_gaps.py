"""Long recordings: all rows as one sequence, and another one where the order column jumps."""

from __future__ import annotations

import random
from datetime import datetime, timedelta
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest

import seqtool as st
from seqtool.arrays.spool import Spool
from seqtool.errors import DataError, UsageError
from seqtool.grouping import gaps
from seqtool.grouping.gaps import Gap
from seqtool.grouping.group import group_table
from seqtool.grouping.spec import GroupSpec
from seqtool.grouping.workspace import Workspace
from seqtool.sequences.ragged import Ragged
from seqtool.system.memory import Memory
from seqtool.tables.in_memory import table_of
from tests import oracles
from tests.command import Place, succeeded
from tests.cutting import MEMORIES, small_windows


@pytest.fixture
def place(tmp_path: Path) -> Place:
    return Place(tmp_path)


def grouped(columns: dict[str, Any], memory: Memory, **options: Any) -> Ragged:
    """A table through the kernel, in this memory."""
    table, spec = table_of(pa.table(columns)), GroupSpec(**{**options, "gap": Gap.of(options["gap"])})
    with Spool() as spool:
        return group_table(table, spec.roles(table), spec, Workspace(spool, memory)).ragged.in_memory()


def expected(columns: dict[str, list[Any]], exact: list[Any], gap: Any, *, falls: bool, text: bool) -> Any:
    """Keys with their numbers, and the values of each sequence, by the plain-Python twin."""
    groups: dict[Any, list[int]] = {}
    for row, key in enumerate(columns["k"]):
        groups.setdefault(key, []).append(row)
    in_order = {
        key: sorted(groups[key], key=lambda row: -exact[row] if falls else exact[row])
        for key in sorted(groups)
    }
    found = oracles.cut_at_gaps(in_order, exact, gap=gap)
    keys = [[str(part) if text else part for part in key] for key, _ in found]
    return keys, [[columns["a"][row] for row in rows] for _, rows in found]


@pytest.mark.thinned
@MEMORIES
@pytest.mark.parametrize("falls", [False, True])
@pytest.mark.parametrize("kind", ["integers", "decimals", "text keys"])
def test_a_key_is_cut_where_its_order_jumps(
    kind: str, falls: bool, memory: Memory, monkeypatch: pytest.MonkeyPatch
) -> None:
    small_windows(monkeypatch)
    monkeypatch.setattr(gaps, "_ROWS", 7)
    draw = random.Random(kind)
    keys: list[Any] = [draw.choice([1, 2, 30]) for _ in range(120)]
    keys = [f"k{key}" for key in keys] if kind == "text keys" else keys
    ticks = [draw.randrange(60) for _ in keys]  # with ties, and jumps of just the gap
    written = [f"{tick / 10}" if kind == "decimals" else str(tick) for tick in ticks]
    exact, gap = [Fraction(text) for text in written], "0.1" if kind == "decimals" else 1
    columns = {"k": keys, "t": [float(text) if kind == "decimals" else int(text) for text in written]}
    columns["a"] = [*range(120)]

    order = "t:desc" if falls else "t"
    ragged = grouped(columns, memory, key=["k"], order_by=[order], gap=gap)

    wanted = expected(columns, exact, Fraction(gap), falls=falls, text=kind == "text keys")
    assert np.asarray(ragged.keys).tolist() == wanted[0]
    assert [steps[:, 0].tolist() for steps in ragged] == wanted[1]


@MEMORIES
def test_times_are_cut_by_durations_to_the_nanosecond(memory: Memory) -> None:
    base = np.datetime64("2024-01-01T00:00:00.000000999", "ns")
    # 1 us apart, 1 us and 1 ns, the same, 1 us less 1 ns across a microsecond.
    steps = np.cumsum([0, 1000, 1001, 0, 999])
    columns = {"t": base + steps.astype("timedelta64[ns]"), "a": [*range(5)]}
    ragged = grouped(columns, memory, no_key=True, order_by=["t"], gap="1us")
    assert [rows[:, 0].tolist() for rows in ragged] == [[0, 1], [2, 3, 4]]
    falling = grouped(columns, memory, no_key=True, order_by=["t:desc"], gap="1us")
    assert [rows[:, 0].tolist() for rows in falling] == [[4, 2, 3], [1, 0]]  # ties keep file order


@pytest.mark.parametrize(
    ("text", "nanoseconds"),
    [
        ("30m", 1800 * 10**9),
        ("1.5h", 5400 * 10**9),
        ("2d", 172800 * 10**9),
        ("7ms", 7 * 10**6),
        ("3us", 3000),
    ],
)
def test_durations(text: str, nanoseconds: int) -> None:
    assert Gap.of(text) == Gap(text, Fraction(nanoseconds), True)
    assert (
        Gap.of(pd.Timedelta(nanoseconds)).size
        == Gap.of(np.timedelta64(nanoseconds, "ns")).size
        == nanoseconds
    )
    assert Gap.of(timedelta(microseconds=nanoseconds // 1000)).size == nanoseconds


@pytest.mark.parametrize("gap", ["-1", "nan", "inf", "30 parsecs", "", "m", timedelta(days=-1)])
def test_what_is_no_gap_is_refused(gap: Any) -> None:
    with pytest.raises(UsageError, match="30m"):
        Gap.of(gap)


def test_labels_and_static_numbers_may_change_where_a_key_is_cut(place: Place) -> None:
    rows = "t,v,act,dose\n1,5,walk,1\n2,6,walk,1\n9,7,run,2\n"
    place.write("t.csv", rows)
    succeeded(
        place.run(
            "group",
            "t.csv",
            "--no-key",
            "--order-by",
            "t",
            "--gap",
            "3",
            "--label",
            "act",
            "--static",
            "dose",
        )
    )
    data = st.load(place.folder / "t.group.npz")
    assert data.keys.tolist() == [0, 1]
    assert data.per_sequence["y"].tolist() == [1, 0]
    assert data.per_sequence["static"].tolist() == [[1], [2]]
    done = place.run("group", "t.csv", "--no-key", "--order-by", "t", "--gap", "8", "--label", "act")
    assert done.code == 1
    assert "'act' changes from 'walk' to 'run'" in done.err
    assert "--step-label act" in done.err


def test_no_key_makes_one_sequence_of_all_rows(place: Place) -> None:
    place.write("t.csv", "t,v\n2,5\n1,6\n3,7\n")
    succeeded(place.run("group", "t.csv", "--no-key", "--order-by", "t"))
    data = st.load(place.folder / "t.group.npz")
    assert (data.keys.tolist(), data.x.tolist()) == ([0], [[[6], [5], [7]]])
    assert '"no_key": true' in str(np.load(place.folder / "t.group.npz")["meta"])


def test_plan_counts_what_group_makes(place: Place) -> None:
    place.write("t.csv", "k,t,v\n1,1,5\n1,2,6\n1,9,7\n2,1,1\n")
    planned = succeeded(place.run("plan", "t.csv", "--key", "k", "--order-by", "t", "--gap", "2", "--json"))
    assert '"sequences": 3' in planned.out.decode()
    assert "--gap 2" in planned.out.decode()


def test_python_takes_frames_and_timedeltas() -> None:
    start = datetime(2024, 1, 1)
    frame = pd.DataFrame({"t": [start, start + timedelta(hours=2)], "v": [1.5, 2.5]})
    assert st.group(frame, no_key=True, order_by="t", gap=timedelta(hours=1)).keys.tolist() == [0, 1]
    assert st.group(frame, no_key=True, order_by="t", gap="2h").keys.tolist() == [0]


@pytest.mark.parametrize(
    ("call", "code", "words"),
    [
        ("--key k --gap 3", 2, ["--order-by COLUMN"]),
        ("--key k --no-key", 2, ["--no-key", "--key"]),
        ("--key k --order-by t:text --gap 3", 2, ["--gap", "C:text"]),
        ("--key k --order-by t --columns v --gap 30m", 1, ["--gap 1800"]),
        ("--key k --order-by d --columns v --gap 30", 1, ["--gap 30s"]),
    ],
)
def test_what_does_not_go_together_says_so(place: Place, call: str, code: int, words: list[str]) -> None:
    place.write("t.csv", "k,t,d,v\n1,1,2024-01-01,5\n1,2,2024-01-02,6\n")
    done = place.run("group", "t.csv", *call.split())
    assert done.code == code
    for word in words:
        assert word in done.err


def test_ordered_categories_have_no_gaps() -> None:
    frame = pd.DataFrame({"k": [1, 1], "t": pd.Categorical(["a", "b"], ordered=True), "v": [1, 2]})
    with pytest.raises(DataError, match="measured in numbers or times"):
        st.group(frame, key="k", order_by="t", gap=1)
