"""The skeleton of operations, on one that learns: it takes the mean of all steps away."""

from __future__ import annotations

import inspect
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Annotated, Any, Literal

import numpy as np
import pytest
import typer

import seqtool as sq
from seqtool.arrays.lazy import chunks, lazy_map
from seqtool.arrays.spool import Spool
from seqtool.commands._groups import takes_groups
from seqtool.commands._transform import command_of
from seqtool.errors import UsageError
from seqtool.operations.operation import Argument, Operation, Outcome, as_function
from seqtool.operations.pad import unpad
from seqtool.operations.run import apply_all
from seqtool.operations.select import AtLeast
from seqtool.operations.truncate import Truncate
from seqtool.sequences.ragged import Ragged


@dataclass(frozen=True)
class Mean:
    """The sum of all numbers, and how many there are."""

    total: float
    count: int

    def merge(self, other: Mean) -> Mean:
        return Mean(self.total + other.total, self.count + other.count)

    def facts(self) -> dict[str, Any]:
        return {"mean": self.total / self.count}


@dataclass(frozen=True)
class Center(Operation):
    """Take the mean away.

    Example: seqtool center train.npz

    >>> 1 + 1
    2
    """

    times: Annotated[int, Argument("How often.", metavar="K", least=1)] = 1
    side: Annotated[Literal["pre", "post"], Argument("Unused.")] = "pre"
    quick: Annotated[bool, Argument("Unused too.")] = False

    def fit(self, ragged: Ragged) -> Mean:
        parts = [Mean(float(part.sum()), part.size) for _, part in chunks(ragged.values)]
        whole = Mean(0.0, 0)
        for part in parts:
            whole = whole.merge(part)
        return whole

    def apply(self, ragged: Ragged, state: Mean, *, spool: Any) -> Outcome:
        mean = self.times * state.facts()["mean"]
        values = lazy_map(lambda part: part - mean, ragged.values, dtype=np.float64)
        return Outcome(ragged.replace(values=values), lines=[("centered", f"by {mean}")])


center = as_function(Center)


def test_a_function_has_the_arguments_of_its_operation_and_learns() -> None:
    found = center([[1.0, 2.0], [6.0]])
    assert found.values.tolist() == [-2, -1, 3]
    (entry,) = found.receipt
    assert entry["command"] == "center"
    assert entry["arguments"] == {"times": 1, "side": "pre", "state": {"mean": 3.0}}
    assert list(inspect.signature(center).parameters) == ["sequences", "times", "side", "quick"]
    assert center.__doc__ == Center.__doc__
    padded = center(sq.pad([[1.0, 2.0], [6.0]], padding="post"), times=2)
    assert padded.x.tolist() == [[-5, -4], [0, 0]]


def test_arguments_that_cannot_be_are_refused_when_they_are_given() -> None:
    for wrong in ({"times": 0}, {"times": "many"}, {"times": None}, {"side": "left"}, {"side": None}):
        with pytest.raises(UsageError):
            Center(**wrong)
    assert replace(Center(), times=3).arguments() == {"times": 3, "side": "pre", "quick": False}


def test_several_operations_make_a_block_as_short_as_one_of_them_does() -> None:
    three = sq.pad([[1, 2, 3], [4]]), sq.pad([[4]])
    with Spool() as spool:
        found = [apply_all([Truncate(2), AtLeast(2)], unpad(data), spool=spool) for data in three]
    assert [(one.maxlen, one.cut, one.dropped) for one in found] == [
        (2, 1, {"sequence under 2 steps": 1}),
        (2, 0, {"sequence under 2 steps": 1}),
    ]


def test_a_command_has_the_options_of_its_operation(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    app = typer.Typer(rich_markup_mode=None)
    app.command("center")(takes_groups(command_of(Center)))
    sq.save(tmp_path / "a.npz", sq.pad([[1.0, 2.0], [6.0]]))
    app(["--help"], standalone_mode=False)
    text = capsys.readouterr().out
    assert "Take the mean away." in text
    assert ">>>" not in text
    assert "--times K" in text
    assert "--side pre|post" in text
    out = tmp_path / "b.npz"
    app([str(tmp_path / "a.npz"), "--times", "2", "-o", str(out)], standalone_mode=False)
    assert sq.load(out).x.tolist() == [[-5, -4], [0, 0]]
    assert sq.load(out).receipt[-1]["arguments"]["state"] == {"mean": 3.0}
    assert "centered" in capsys.readouterr().err
