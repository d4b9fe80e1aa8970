from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from seqtool import memory
from seqtool.memory import budget, human

UNITS = {"B": 1, "kB": 10**3, "MB": 10**6, "GB": 10**9, "TB": 10**12, "PB": 10**15}


@pytest.fixture
def limits(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> tuple[Path, Path]:
    """The two files in which a container may say how much memory it has."""
    files = tmp_path / "memory.max", tmp_path / "limit_in_bytes"
    monkeypatch.setattr(memory, "_CGROUP_LIMITS", tuple(map(str, files)))
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
