"""Repeating a recipe: the same operations with the same arguments and states, on new rows or sequences."""

from __future__ import annotations

import importlib
from collections.abc import Mapping, Sequence
from dataclasses import field, replace
from typing import Any

from seqtool.arrays.dtypes import dtype_named
from seqtool.arrays.lazy import span
from seqtool.dataclass import dataclass
from seqtool.errors import DataError, UsageError
from seqtool.grouping import group as grouping
from seqtool.grouping.elsewhere import Companion
from seqtool.grouping.spec import GroupSpec
from seqtool.grouping.workspace import Workspace
from seqtool.operations import OPERATIONS
from seqtool.operations.cast import check_cast, rounded, rounding_warnings
from seqtool.operations.operation import Operation
from seqtool.operations.pad import pad_stream, with_pad_entry
from seqtool.operations.run import apply_all, padded_again, with_operation_entry
from seqtool.operations.strip import Strip
from seqtool.operations.truncate import Truncate
from seqtool.operations.using import of_receipt
from seqtool.operations.window import Window
from seqtool.recipes.names import as_in_recipe, with_vocabularies
from seqtool.recipes.recipe import Recipe
from seqtool.sequences.padding_values import value_from_json
from seqtool.sequences.ragged import Ragged
from seqtool.sequences.stream import PaddedStream
from seqtool.sources.options import Sequences
from seqtool.tables.table import Table
from seqtool.words import listed

StepResult = PaddedStream | Ragged


@dataclass(frozen=True)
class Fitted:
    """An operation of a recipe with the state that it had."""

    operation: Operation
    state: Any


Step = Fitted | Mapping[str, Any]
"""An operation, or the arguments of `pad`."""


@dataclass(frozen=True)
class Repeated:
    """What a recipe makes of new data; `lines` and `warnings` are for the summary."""

    data: StepResult
    lines: list[tuple[str, str]] = field(default_factory=list)
    warnings: list[str] = field(default_factory=list)


def prepared(recipe: Recipe, *, last: bool = False) -> list[Step]:
    """The steps behind the first one, ready to be repeated; with `last` windows are the newest of each sequence.

    Raises UsageError for a step that cannot be repeated, and where there are no windows for `last`.
    """
    sequences = recipe.sequences()
    steps = [_step(recipe, entry, sequences) for entry in recipe.later]
    if last:
        if not any(isinstance(step, Fitted) and isinstance(step.operation, Window) for step in steps):
            raise UsageError(f"--last is the newest window of each sequence, and {recipe.name} cuts none")
        return [_newest(step) for step in steps]
    return steps


def _step(recipe: Recipe, entry: Mapping[str, Any], sequences: Ragged) -> Step:
    command, arguments = entry.get("command"), entry.get("arguments", {})
    if command == "pad":
        return dict(arguments)
    if command not in OPERATIONS:
        raise UsageError(f"{recipe.name}: cannot be repeated: this seqtool knows no operation {command!r}")
    return fitted_operation(str(command), entry, sequences)


def operation_of(command: str, arguments: Mapping[str, Any]) -> Operation:
    """The operation of an entry with its arguments, of which a receipt leaves out those that are None, False or empty.

    >>> operation_of("truncate", {"maxlen": 3, "truncating": "post"})
    Truncate(maxlen=3, truncating='post', start=None, within=None, of=None)
    """
    kind = getattr(importlib.import_module(f"seqtool.operations.{command}"), command.title())
    return of_receipt(kind, arguments)


def fitted_operation(command: str, entry: Mapping[str, Any], sequences: Ragged) -> Fitted:
    """An operation with the state that its entry holds; larger tables of it stand in the names of `sequences`."""
    operation = operation_of(command, entry.get("arguments", {}))
    state = operation.state_from(entry["state"], sequences) if "state" in entry else None
    if state is None and operation.fits():
        raise UsageError(f"the receipt does not hold what {command} learned, so that it cannot be repeated")
    return Fitted(operation, state)


def _newest(step: Step) -> Step:
    """Windows with nothing behind them, of each sequence the last; any other step as it is."""
    if not (isinstance(step, Fitted) and isinstance(step.operation, Window)):
        return step
    alone: dict[str, Any] = {
        "stride": 1,
        "horizon": None,
        "lead": 0,
        "target": (),
        "from_end": False,
        "next": False,
    }
    return replace(step, operation=replace(step.operation, last=True, **alone))


def from_table(
    recipe: Recipe,
    spec: GroupSpec,
    table: Table,
    steps: list[Step],
    workspace: Workspace,
    inputs: list[str],
    others: Sequence[Companion] = (),
) -> tuple[Repeated, grouping.GroupResult]:
    """Group a table as the recipe says, with what `others` have of it, and repeat the steps behind that."""
    try:
        grouped = grouping.group(table, spec, workspace, inputs=inputs, others=others)
    except DataError as error:
        raise DataError(_without_advice(error, recipe)) from None
    data = _with_names(grouped.data, recipe, steps)
    warnings = _without_values(grouped.result)
    return repeated(Repeated(data, warnings=warnings), steps, inputs, workspace), grouped.result


def from_few(recipe: Recipe, data: StepResult, steps: list[Step], workspace: Workspace) -> Repeated:
    """Repeat the steps behind the first one on few rows, which were grouped at once."""
    return repeated(Repeated(_with_names(data, recipe, steps)), steps, [], workspace)


def _without_values(result: grouping.GroupResult) -> list[str]:
    """A warning of features and static numbers that have no value in the new data."""
    names = result.valueless
    if not names:
        return []
    known = len(result.features) + len(result.ragged.names.get("static_features", ()))
    return [f"no value at all: {listed(names)}; {len(names):,} of {known:,} features and static numbers"]


def _without_advice(error: DataError, recipe: Recipe) -> str:
    """What an error says; in the place of options that it proposes, those of another command, what is left to do.

    >>> from seqtool.advice import Advice
    >>> error = DataError("'x'; a number was expected; as missing: ", Advice("--missing", "x"))
    >>> _without_advice(error, Recipe("a.npz", ({"command": "group"},)))
    "'x'; a number was expected; correct it in the new data, which is read as that of a.npz was"
    """
    text = str(error)
    places = [place for advice in error.advice if (place := text.find(str(advice))) >= 0]
    if not places:
        return text
    problem = text[: min(places)].rpartition(";")[0]
    return f"{problem}; correct it in the new data, which is read as that of {recipe.name} was"


def from_sequences(
    recipe: Recipe, found: Sequences, steps: list[Step], workspace: Workspace, inputs: list[str]
) -> Repeated:
    """Repeat all steps on sequences that seqtool did not write, the first one included."""
    ragged = _with_names(found.ragged, recipe, steps)
    assert isinstance(ragged, Ragged)
    first = recipe.first.get("command")
    own = [] if first == "convert" else [_step(recipe, recipe.first, recipe.sequences())]
    data: StepResult = ragged
    if found.maxlen is not None and first != "pad":
        padding = found.padding or recipe.first["arguments"].get("input_padding", "post")
        value = 0 if found.value is None else found.value
        data = pad_stream(ragged, maxlen=max(1, found.maxlen), padding=padding, value=value)
    return repeated(Repeated(data), [*own, *steps], inputs, workspace)


def _with_names(data: StepResult, recipe: Recipe, steps: list[Step]) -> StepResult:
    """The same with labels and categories as they are in the recipe, unless they are encoded by names later."""
    ragged = as_in_recipe(data if isinstance(data, Ragged) else data.ragged, recipe)
    if not any(isinstance(step, Fitted) and type(step.operation).__name__ == "Encode" for step in steps):
        ragged = with_vocabularies(ragged, recipe)
    return ragged if isinstance(data, Ragged) else replace(data, ragged=ragged)


def repeated(so_far: Repeated, steps: list[Step], inputs: list[str], workspace: Workspace) -> Repeated:
    """The outcome of further steps."""
    for step in steps:
        so_far = (
            _operated(so_far, step, inputs, workspace)
            if isinstance(step, Fitted)
            else _padded(so_far, step, inputs, workspace)
        )
    return so_far


def _real(data: StepResult) -> Ragged:
    """The sequences of a block as they are read from a file: in its dtype."""
    if isinstance(data, Ragged):
        return data
    return data.ragged if data.ragged.values.dtype == data.dtype else rounded(data.ragged, data.dtype)


def _operated(so_far: Repeated, step: Fitted, inputs: list[str], workspace: Workspace) -> Repeated:
    ragged = _real(so_far.data)
    steps = span(ragged.lengths).total
    outcome = step.operation.apply(ragged, step.state, spool=workspace.spool)
    data: StepResult = outcome.ragged
    if isinstance(so_far.data, PaddedStream):
        block = so_far.data
        data = padded_again(
            outcome.ragged, outcome, slots=block.maxlen, padding=block.padding, value=block.value
        )
    described = None if step.state is None else {"using": True}  # what was learned elsewhere
    data = with_operation_entry(
        data, step.operation, step.state, inputs, outcome, steps=steps, described=described
    )
    return Repeated(data, [*so_far.lines, *outcome.lines], [*so_far.warnings, *outcome.warnings])


def _padded(
    so_far: Repeated, arguments: Mapping[str, Any], inputs: list[str], workspace: Workspace
) -> Repeated:
    """Sequences padded as they were, or of one dtype where they stayed ragged."""
    ragged = _real(so_far.data)
    steps = span(ragged.lengths).total
    outcome = apply_all(_before_padding(arguments), ragged, spool=workspace.spool)
    target = dtype_named(arguments.get("dtype", ragged.values.dtype))
    warnings = [*so_far.warnings, *outcome.warnings]
    data: StepResult
    if arguments.get("ragged"):
        warnings += rounding_warnings(check_cast(outcome.ragged, target), target)
        data = rounded(outcome.ragged, target)
    else:
        data = pad_stream(
            outcome.ragged,
            maxlen=arguments["maxlen"],
            padding=arguments["padding"],
            truncating=arguments.get("truncating", "pre"),
            value=value_from_json(arguments["value"]),
            dtype=target,
            spool=workspace.spool,
        )
    repeated_arguments = {
        name: value for name, value in arguments.items() if name not in ("min_len", "maxlen")
    }
    repeated_arguments |= {} if "maxlen" not in arguments else {"maxlen": arguments["maxlen"]}
    data = with_pad_entry(data, inputs, repeated_arguments, steps=steps, outcome=outcome)
    return Repeated(data, [*so_far.lines, *outcome.lines], warnings)


def _before_padding(arguments: Mapping[str, Any]) -> list[Operation]:
    """What `pad` does first; short sequences are kept."""
    found: list[Operation] = []
    if "strip" in arguments:
        found.append(Strip(float(arguments["strip"]), arguments.get("strip_side", "post")))
    if arguments.get("ragged") and "maxlen" in arguments:
        found.append(Truncate(arguments["maxlen"], arguments.get("truncating", "pre")))
    return found
