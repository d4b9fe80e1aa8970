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
from seqtool.errors import DataError, UsageError
from seqtool.operations.operation import Argument, Operation, Outcome, as_function
from seqtool.operations.pad import unpad
from seqtool.operations.parts import parts_of
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

    def ordered_for(self, ragged: Ragged) -> Mean:
        return self


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

    of: Annotated[tuple[str, ...], Argument("Features.", metavar="A,B")] = ()
    most: Annotated[float | None, Argument("At most so much.", metavar="X", least=0)] = None

    def state_from(self, facts: Any, ragged: Ragged) -> Mean:
        return Mean(facts["mean"], 1)

    def fit(self, ragged: Ragged, *, spool: Spool) -> Mean:
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
    assert entry["arguments"] == {"times": 1, "side": "pre"}
    assert entry["state"] == {"mean": 3.0}
    assert list(inspect.signature(center).parameters) == [
        *("sequences", "times", "side", "quick", "of", "most", "using")
    ]
    assert center.__doc__ == Center.__doc__
    padded = center(sq.pad([[1.0, 2.0], [6.0]], padding="post"), times=2)
    assert padded.x.tolist() == [[-5, -4], [0, 0]]


def test_arguments_that_cannot_be_are_refused_when_they_are_given() -> None:
    for wrong in (
        *({"times": 0}, {"times": "many"}, {"times": None}, {"side": "left"}, {"side": None}),
        *({"quick": "yes"}, {"quick": None}, {"most": "many"}, {"most": -0.5}, {"of": None}),
    ):
        with pytest.raises(UsageError, match=next(iter(wrong))):
            Center(**wrong)
    assert replace(Center(), times=3, of="a", most=2).arguments() == {
        "times": 3,
        "side": "pre",
        "quick": False,
        "of": ("a",),
        "most": 2.0,
    }


SPLIT = Ragged(
    np.array([1.0, 2, 6, 9]),
    np.array([0, 2, 3, 4]),
    keys=np.array(["a", "b", "c"]),
    per_sequence={"split": np.array(["train", "test", "train"])},
)


def test_an_operation_learns_from_the_training_split_alone() -> None:
    assert center(SPLIT).values.tolist() == [-3, -2, 2, 5]  # the mean of 1, 2 and 9
    parts = parts_of(center(SPLIT), Spool())
    assert {name: part.keys.tolist() for name, part in parts.items()} == {"train": ["a", "c"], "test": ["b"]}
    rows = [part.receipt[-1]["rows"] for part in parts.values()]
    assert [(entry["kept"], entry["dropped"]) for entry in rows] == [
        (3, {"in the file of another split": 1}),
        (1, {"in the file of another split": 3}),
    ]
    with pytest.raises(UsageError, match=r"of test: center is fitted on train alone.* using"):
        center(parts["test"])


def test_an_operation_takes_what_it_learned_before() -> None:
    before = center(SPLIT)
    assert center([[4.0]], using=before).values.tolist() == [0]
    assert center([[4.0]], using=sq.pad(before)).receipt[-1]["state"] == {"mean": 4.0}
    with pytest.raises(
        UsageError, match=r"using: center was applied there with times 1, and this call says times 2"
    ):
        center([[4.0]], times=2, using=before)
    with pytest.raises(UsageError, match="center was not applied"):
        center([[4.0]], using=sq.pad([[1]]))


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
    assert sq.load(out).receipt[-1]["state"] == {"mean": 3.0}
    err = capsys.readouterr().err
    assert "centered" in err
    assert "fitted    on all 2 sequences: they have no array split" in err


def test_a_command_learns_from_train_and_writes_a_file_for_each_split(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    app = typer.Typer(rich_markup_mode=None)
    app.command("center")(takes_groups(command_of(Center)))
    sq.save("a.npz", SPLIT)
    app(["a.npz", "-o", "{split}.npz", "--of", "a,b", "--of", "c"], standalone_mode=False)
    assert "fitted    on train alone, 2 of 3 sequences" in capsys.readouterr().err
    train, test = sq.load("train.npz"), sq.load("test.npz")
    assert (train.values.tolist(), test.values.tolist()) == ([-3, -2, 5], [2])
    assert test.receipt[-1]["arguments"]["of"] == ["a", "b", "c"]
    with pytest.raises(UsageError, match="--using FILE"):
        app(["test.npz", "-o", "again.npz"], standalone_mode=False)
    using = ["--using", "train.npz", "--of", "a,b,c"]
    app(["test.npz", "-o", "again.npz", *using], standalone_mode=False)
    assert sq.load("again.npz").values.tolist() == [-2]
    Path("again.npz").rename("test.npz")
    with pytest.raises(UsageError, match="is both input and output"):
        app(["test.npz", "-o", "{split}.npz", *using], standalone_mode=False)
    sq.save("b.npz", sq.pad([[1.0], [2.0, 6.0]]))
    with pytest.raises(DataError, match="have no array split"):
        app(["b.npz", "-o", "{split}.npz"], standalone_mode=False)
    assert sorted(path.name for path in tmp_path.iterdir()) == [*("a.npz", "b.npz", "test.npz", "train.npz")]
