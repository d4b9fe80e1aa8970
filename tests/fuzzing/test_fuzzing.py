"""300 cases of the fuzzer, and whether it finds what is wrong."""

from __future__ import annotations

import pytest

from tests.fuzzing import arrays, operations, sound_files, tables
from tests.fuzzing.cases import Case, Failure
from tests.fuzzing.running import MODES, run

CASES = 300
_BY_DEFAULT = 25
_TOGETHER = 25  # in one test, so that cores share them


@pytest.mark.parametrize(
    "first",
    [
        pytest.param(first, marks=[pytest.mark.slow] if first >= _BY_DEFAULT else [])
        for first in range(0, CASES, _TOGETHER)
    ],
)
def test_no_case_fails(first: int) -> None:
    modes = [*MODES]
    for i in range(first, first + _TOGETHER):
        run(Case(modes[i % len(modes)], 1, i // len(modes)))


def test_cases_are_those_of_their_seed_and_number() -> None:
    drawn = [Case("tables", seed, number).rng().random() for seed, number in [(1, 2), (1, 2), (2, 1), (1, 3)]]
    assert drawn[0] == drawn[1]
    assert len({*drawn}) == 3


@pytest.mark.parametrize(
    ("mode", "module", "name"),
    [
        ("tables", tables, "pad_sequences"),
        ("arrays", arrays, "pad_sequences"),
        ("mutations", sound_files, "sorted_steps"),
        ("operations", operations, "windows"),
    ],
)
def test_what_differs_from_its_oracle_fails_with_the_way_to_repeat_it(
    mode: str, module: object, name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    right = getattr(module, name)
    monkeypatch.setattr(module, name, lambda *args, **options: right(*args, **options)[1:])
    with pytest.raises(
        Failure, match=rf"^python -m tests\.fuzzing --mode {mode} --seed 1 --case \d+\n  seqtool "
    ):
        _run_many(mode)


@pytest.mark.parametrize("number", [268, 1442])
def test_what_once_failed(number: int) -> None:
    run(Case("mutations", 906, number))


def _run_many(mode: str) -> None:
    for number in range(50):
        run(Case(mode, 1, number))
