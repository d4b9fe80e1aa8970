from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from seqtool.errors import DataError, UsageError
from seqtool.system import memory, platform
from seqtool.system.memory import LEAST, Memory, allowed, budget, parse_size
from seqtool.system.platform import peak_memory as peak
from seqtool.words import human

UNITS = {"B": 1, "kB": 10**3, "MB": 10**6, "GB": 10**9, "TB": 10**12, "PB": 10**15}


@pytest.fixture
def limits(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> tuple[Path, Path]:
    """The two files in which a container may say how much memory it has."""
    files = tmp_path / "memory.max", tmp_path / "limit_in_bytes"
    monkeypatch.setattr(platform, "_CGROUP_MEMORY", tuple(map(str, files)))
    return files


def test_the_budget_without_a_container_is_a_share_of_the_machine(limits: tuple[Path, Path]) -> None:
    whole = budget()
    assert whole > 0
    limits[0].write_text("max\n")
    assert budget() == whole


@pytest.mark.parametrize("which", [0, 1])
def test_a_container_sets_the_budget(limits: tuple[Path, Path], which: int) -> None:
    limits[which].write_text("1000000\n")
    assert budget() == 750_000


def test_the_smaller_limit_counts(limits: tuple[Path, Path]) -> None:
    limits[0].write_text("2000000")
    limits[1].write_text("1000000")
    assert budget() == 750_000


def test_a_limit_beyond_the_machine_is_none(limits: tuple[Path, Path]) -> None:
    whole = budget()
    limits[1].write_text("9223372036854771712\n")
    assert budget() == whole


@given(st.integers(0, 10**18))
def test_sizes_are_written_with_at_most_three_digits_before_the_point(size: int) -> None:
    number, unit = human(size).split()
    amount = float(number.replace(",", ""))
    assert amount < 1000 or unit == "PB"
    assert amount >= 1 or size == 0
    assert abs(amount * UNITS[unit] - size) <= 0.0501 * UNITS[unit]


@pytest.mark.parametrize(
    ("size", "written"),
    [
        (0, "0 B"),
        (999, "999 B"),
        (1000, "1.0 kB"),
        (999_949, "999.9 kB"),
        (999_950, "1.0 MB"),
        (1_000_000, "1.0 MB"),
        (153_600_000, "153.6 MB"),
        (7 * 10**12, "7.0 TB"),
        (5 * 10**18, "5,000.0 PB"),
    ],
)
def test_sizes_at_the_borders_of_units(size: int, written: str) -> None:
    assert human(size) == written


# What a call allows


@pytest.mark.parametrize(
    ("text", "size"),
    [
        ("500M", 500_000_000),
        ("2G", 2 * 10**9),
        ("2 GB", 2 * 10**9),
        ("2gib", 2 * 10**9),
        ("1.5g", 1_500_000_000),
        ("256000000", 256_000_000),
        ("300000K", 300_000_000),
        (" 1T ", 10**12),
        ("0", 0),
    ],
)
def test_sizes_are_read(text: str, size: int) -> None:
    assert parse_size(text, "--max-memory") == size


@pytest.mark.parametrize(
    "text", ["", "M", "half", "-1G", "1e9", "1,5G", "5 X", "1G1", "nan", "1..5G", "0x10"]
)
def test_what_is_no_size_is_refused_with_an_example(text: str) -> None:
    with pytest.raises(UsageError, match=r"^--max-memory is '.*'; a size such as 500M or 2G was expected$"):
        parse_size(text, "--max-memory")


@pytest.mark.parametrize("text", ["256M", "1G", "256000000"])
def test_what_is_allowed_is_the_limit(text: str) -> None:
    assert allowed(text) == Memory(parse_size(text, "--max-memory"))


@pytest.mark.parametrize("text", ["0", "100", "255M", "255999999"])
def test_less_than_the_least_is_refused_with_the_least(text: str) -> None:
    with pytest.raises(
        UsageError, match=rf"^--max-memory is {text}; .*256\.0 MB is needed: --max-memory 256M$"
    ):
        allowed(text)


def test_by_default_half_of_what_there_is_is_allowed(limits: tuple[Path, Path]) -> None:
    limits[0].write_text("1000000000\n")
    assert allowed(None).limit == 500_000_000
    limits[0].write_text("1000000\n")  # too little for anything: then it is tried all the same
    assert allowed(None).limit == LEAST


def test_columns_take_their_part_and_too_many_are_refused_with_what_they_need() -> None:
    few, many = Memory(LEAST).for_rows(1), Memory(LEAST).for_rows(200)
    assert 0 < many < few < LEAST
    with pytest.raises(
        UsageError, match=r"^--max-memory 256\.0 MB is too little for 5,000 columns; the least is"
    ) as found:
        Memory(LEAST).for_rows(5000)
    needed = str(found.value).split("--max-memory ")[-1]
    assert Memory(parse_size(needed, "--max-memory")).for_rows(5000) > 0


@pytest.mark.parametrize("columns", [1000, 2041, 5000, 5400, 9999, 20_000])
def test_the_memory_that_is_said_to_be_needed_is_enough_and_hardly_more(columns: int) -> None:
    with pytest.raises(UsageError, match="too little") as found:
        Memory(LEAST).for_rows(columns)
    needed = parse_size(str(found.value).split("--max-memory ")[-1], "--max-memory")
    assert Memory(needed).for_rows(columns) > 0
    with pytest.raises(UsageError, match="too little"):
        Memory(needed - 10**6).for_rows(columns)


@pytest.mark.parametrize(
    ("cores", "limit", "threads"),
    [
        (1, LEAST, 1),
        (2, LEAST, 2),
        (8, LEAST, 8),
        (128, LEAST, 8),
        (128, 10**9, 31),
        (128, 64 * 10**9, 128),
        (128, 10**6, 2),  # Python callers may allow less than the command line does
    ],
)
def test_threads_are_as_many_as_cores_but_fit_into_a_quarter(
    cores: int, limit: int, threads: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(memory, "cpu_count", lambda: cores)
    assert Memory(limit).threads() == threads


@pytest.mark.parametrize("columns", [1, 200, 480, 1000, 20_000])
def test_more_threads_leave_less_for_rows_and_always_some(
    columns: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    for limit in (LEAST, 10**9, 16 * 10**9):
        left = []
        for cores in (1, 2, 4, 8, 64, 1024):
            monkeypatch.setattr(memory, "cpu_count", lambda cores=cores: cores)
            try:
                left.append(Memory(limit).for_rows(columns))
            except UsageError:
                left.append(None)  # too little, however many cores there are
        if None in left:
            assert {*left} == {None}
            continue
        assert left == sorted(left, reverse=True)
        assert left[0] == left[1]  # two cores are what the figures were measured on
        assert left[-1] > 20_000_000


@pytest.fixture
def variable(monkeypatch: pytest.MonkeyPatch) -> Callable[[str], None]:
    """Sets SEQTOOL_MAX_MEMORY."""
    return lambda text: monkeypatch.setenv("SEQTOOL_MAX_MEMORY", text)


def test_the_environment_is_asked_where_the_option_is_not_given(variable: Callable[[str], None]) -> None:
    variable("1G")
    assert allowed(None) == Memory(10**9, "SEQTOOL_MAX_MEMORY")
    assert allowed("2G") == Memory(2 * 10**9)
    variable("")
    assert allowed(None).named_by == "--max-memory"


def test_errors_name_the_variable_that_is_wrong(variable: Callable[[str], None]) -> None:
    variable("much")
    with pytest.raises(UsageError, match=r"^SEQTOOL_MAX_MEMORY is 'much'; a size such as"):
        allowed(None)
    variable("1M")
    with pytest.raises(UsageError, match=r"^SEQTOOL_MAX_MEMORY is 1M; .* needed: SEQTOOL_MAX_MEMORY=256M$"):
        allowed(None)
    variable("256M")
    with pytest.raises(UsageError, match=r"^SEQTOOL_MAX_MEMORY 256\.0 MB is too little for 5,000 columns"):
        allowed(None).for_rows(5000)
    with pytest.raises(DataError, match=r"are allowed \(SEQTOOL_MAX_MEMORY\)"):
        allowed(None).check_whole("a.json", 10**9, "split it")


def test_what_can_only_be_read_whole_must_fit() -> None:
    Memory(1000).check_whole("a.json", 1000, "split it")
    with pytest.raises(
        DataError,
        match=r"^a\.json: .* about 1\.0 kB, but 1\.0 kB .*--max-memory.*: split it, or allow more: --max-memory 1M$",
    ):
        Memory(1000).check_whole("a.json", 1001, "split it")


@pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="the peak of a process is in /proc")
def test_the_peak_does_not_fall() -> None:
    before = peak()
    assert before is not None
    held = bytearray(300_000_000)
    held[::4096] = bytes(len(held[::4096]))
    after = peak()
    del held
    later = peak()
    assert after is not None
    assert later is not None
    close = 10_000_000  # the system counts in steps
    assert later > after - close
    assert after > before - close > 1_000_000
    assert after >= 300_000_000
