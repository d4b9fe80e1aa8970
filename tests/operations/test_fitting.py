"""What operations tell while they learn."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from seqtool.arrays.lazy import Lazy
from seqtool.arrays.spool import Spool
from seqtool.operations import OPERATIONS
from seqtool.operations.run import fit_state
from seqtool.recipes.repeat import operation_of
from seqtool.sequences.ragged import Ragged, StepArray
from seqtool.terminal import progress as progress_module
from tests.command import Place, succeeded

LEARNING: list[tuple[str, dict[str, Any]]] = [
    ("scale", {"method": "standard"}),
    ("scale", {"method": "robust"}),
    ("fill", {"method": ("median",)}),
    ("encode", {"min_count": 1, "oov_buckets": 0, "unknown": "oov"}),
]


def lazily(array: np.ndarray[Any, Any]) -> Lazy:
    return Lazy(array.shape, array.dtype, lambda begin, end: array[begin:end].copy())


@pytest.mark.parametrize(("name", "arguments"), LEARNING, ids=str)
@pytest.mark.parametrize("split", [False, True])
def test_whatever_fits_tells_how_far_it_is(name: str, arguments: dict[str, Any], split: bool) -> None:
    random = np.random.default_rng(0)
    steps, ids = random.normal(size=(100, 2)), random.integers(3, 6, (100, 1))
    data = Ragged(
        lazily(steps),
        np.arange(0, 101, 5),
        per_step={"c": StepArray(lazily(ids), 0)},
        per_sequence={"split": np.array(["train", "test"] * 10)} if split else {},
        names={"categories": np.array(["city"]), "vocabulary_0": np.array(["a", "b", "c"])},
    )
    told: list[int] = []
    operation = operation_of(name, arguments)
    with Spool() as spool:
        state, _ = fit_state(operation, data, spool=spool, on_progress=told.append)
        plain, _ = fit_state(operation, data.in_memory(), spool=spool)
    assert max(told) == steps.nbytes // (2 if split else 1)
    assert state.facts() == plain.facts()


def test_all_that_learn_are_here() -> None:
    from importlib import import_module

    from seqtool.operations.operation import learns

    kinds = [getattr(import_module(f"seqtool.operations.{name}"), name.title()) for name in OPERATIONS]
    learning = {kind.__name__.lower() for kind in kinds if learns(kind)}
    assert learning == {name for name, _ in LEARNING}


def test_a_bar_appears_while_a_command_fits(place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    np.save(place.folder / "x.npy", np.random.default_rng(0).normal(size=(50, 4, 2)))
    titles = dict[str, int]()

    def started(bar: progress_module.Progress) -> None:
        titles[bar._title] = bar._done

    terminal = SimpleNamespace(stderr=SimpleNamespace(isatty=lambda: True))
    monkeypatch.setattr(progress_module, "sys", terminal)
    monkeypatch.setattr(progress_module.Progress, "_start", started)
    monkeypatch.setattr(progress_module, "_BAR_AFTER", -1.0)
    succeeded(place.run("scale", "x.npy", "-o", "y.npz"))
    assert titles["fitting"] == 50 * 4 * 2 * 8
    assert [*titles] == ["fitting", "writing"]
    titles.clear()
    succeeded(place.run("scale", "x.npy", "--using", "y.npz", "-o", "z.npz"))
    assert "fitting" not in titles


def test_nothing_to_learn_from_is_told(place: Place) -> None:
    np.savez(place.folder / "x.npz", x=np.zeros((0, 3, 2)), lengths=np.zeros(0, np.int64))
    told = succeeded(place.run("scale", "x.npz", "-o", "y.npz")).err
    assert "on nothing: there are no sequences" in told
    assert "no array split" not in told
