"""Running operations: as Python functions on sequences in memory, and several in a row; and their receipts."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Iterable, Mapping
from typing import Any

from seqtool.advice import Advice
from seqtool.arrays.lazy import AnyArray, Lazy, Watched, span
from seqtool.arrays.spool import Spool
from seqtool.errors import DataError, UsageError
from seqtool.operations.operation import Operation, Outcome
from seqtool.operations.pad import Data, carry_out, pad_stream, with_receipt
from seqtool.option_names import as_arguments, option_of
from seqtool.sequences.conversion import as_ragged, converted
from seqtool.sequences.once import is_once
from seqtool.sequences.padding_values import Side, Value
from seqtool.sequences.ragged import Padded, Ragged, StepArray, exchanged
from seqtool.sequences.receipts import Entry, Rows
from seqtool.sequences.splits import TRAIN, counts_of, places_of
from seqtool.sequences.stream import PaddedStream
from seqtool.sequences.take import take
from seqtool.system.memory import budget
from seqtool.words import count, human, join_names, listed


def run(operation: Operation, sequences: Any, *, using: Ragged | Padded | None = None) -> Ragged | Padded:
    """The result of an operation on sequences in any form that `seqtool.pad` takes, in memory, with its receipt.

    A Padded gives a Padded of the same side and value, unless sequences are to share its steps; all else a Ragged.
    What the operation learns comes from the training split of the sequences, or from the receipt of `using`.
    """
    ragged, missing = converted(sequences)
    if missing:
        warnings.warn(f"missing values became NaN: {missing:,}", stacklevel=4)
    with Spool() as spool:
        state, _ = fit_state(operation, ragged, spool=spool, using=using)
        outcome = operation.apply(ragged, state, spool=spool)
        for text in outcome.warnings:
            warnings.warn(as_arguments(text), stacklevel=4)
        steps = span(ragged.lengths).total
        described = None if using is None else {"using": True}
        found = with_operation_entry(
            outcome.ragged, operation, state, [], outcome, steps=steps, described=described
        )
        if sum(outcome.added.values()) and not is_once(found):
            _check_memory(found, operation)
        if not isinstance(sequences, Padded) or is_once(found):
            return found.in_memory()
        slots, side = sequences.x.shape[1], sequences.padding
        return carry_out(padded_again(found, outcome, slots=slots, padding=side, value=sequences.value))


def _check_memory(ragged: Ragged, operation: Operation) -> None:
    """Raise DataError where the steps of a result, some of them added, take more than memory has."""
    size = ragged.values.nbytes + sum(array.data.nbytes for array in ragged.per_step.values())
    if size > budget():
        raise DataError(
            f"the steps would take {human(size)}, but memory allows {human(budget())}; on the command line seqtool "
            f"{name_of(operation)} writes them piece by piece"
        )


def padded_again(
    ragged: Ragged, outcome: Outcome, *, slots: int, padding: Side, value: Value
) -> PaddedStream:
    """The sequences that an operation made of a block of `slots` slots, padded again, to as many as it says."""
    slots = outcome.slots or (slots if outcome.maxlen is None else min(slots, outcome.maxlen))
    return pad_stream(ragged, maxlen=max(1, slots), padding=padding, value=value)


def fit_state(
    operation: Operation,
    ragged: Ragged,
    *,
    spool: Spool,
    using: Ragged | Padded | None = None,
    using_name: str = "",
    on_progress: Callable[[int], None] | None = None,
) -> tuple[Any, list[tuple[str, str]]]:
    """What an operation learned, and the line of the summary that says from what; (None, []) where it learns nothing.

    It learns from the training split alone where there are splits, else from all sequences; with `using` it takes what
    was learned from others, which `using_name` names. `on_progress` is told how many bytes of the steps were read, in
    each pass over them anew. Raises UsageError for sequences of the other splits alone, and DataError where those of
    train have no step, and others have.
    """
    if operation.undoes is not None and getattr(operation, operation.undoes):
        entry = _undone(operation, ragged if using is None else using)
        state = operation.state_from(entry["state"], _ragged(ragged if using is None else using))
        return state.ordered_for(ragged), []
    if not operation.fits():
        if using is not None:
            raise UsageError(
                f"--using: {name_of(operation)} {shown_arguments(operation.arguments())} learns nothing"
            )
        return None, []
    if using is not None:
        entry = _learned(operation, using)
        state = operation.state_from(entry["state"], _ragged(using))
        return state.ordered_for(ragged), [("fitted", f"before: as in {using_name}")]
    fitted_on, line = _fitted_on(operation, ragged, spool)
    return operation.fit(_watched(fitted_on, on_progress), spool=spool), [("fitted", line)]


def _fitted_on(operation: Operation, ragged: Ragged, spool: Spool) -> tuple[Ragged, str]:
    """The sequences that an operation learns from, and what the summary calls them: train, or all without splits."""
    split = ragged.per_sequence.get("split")
    if not len(ragged):
        return ragged, "on nothing: there are no sequences"
    if split is None:
        if not len(ragged.values):
            return ragged, "on nothing: no sequence has a step"
        every = (
            f"all {len(ragged):,} sequences: they have" if len(ragged) > 1 else "the only sequence: it has"
        )
        return ragged, f"on {every} no array split"
    which = places_of(split, TRAIN, spool)
    if not len(which):
        raise UsageError(
            f"these sequences are of {listed([*counts_of(split)]) or 'no split'}: {name_of(operation)} is fitted on "
            "train alone; take what was fitted there: ",
            Advice("--using", "FILE"),
        )
    train = ragged if len(which) == len(ragged) else take(ragged, which, spool=spool)
    if len(ragged.values) and not len(train.values):
        raise DataError(f"no sequence of train has a step: {name_of(operation)} has nothing to be fitted on")
    return train, f"on train alone, {len(train):,} of {count(len(ragged), 'sequence')}"


def _watched(ragged: Ragged, on_progress: Callable[[int], None] | None) -> Ragged:
    """The same sequences; of steps that are not in memory it is told how far they were read."""
    if on_progress is None:
        return ragged
    total, tell = ragged.values.nbytes, on_progress

    def watched(array: AnyArray) -> AnyArray:
        return Watched(array, lambda share: tell(int(share * total))) if isinstance(array, Lazy) else array

    per_step = {name: StepArray(watched(one.data), one.value) for name, one in ragged.per_step.items()}
    changed: Ragged = exchanged(ragged, values=watched(ragged.values), per_step=per_step)
    return changed


def _ragged(sequences: Ragged | Padded) -> Ragged:
    return sequences if isinstance(sequences, Ragged) else as_ragged(sequences)


def _undone(operation: Operation, data: Ragged | Padded) -> Mapping[str, Any]:
    """The entry of the same operation that is to be taken back: the last one that was not, with what it learned."""
    name, done = name_of(operation), list[Mapping[str, Any]]()
    for entry in data.receipt:
        if entry.get("command") != name:
            continue
        if entry["arguments"].get(operation.undoes):
            done = done[:-1]
        else:
            done.append(entry)
    option = option_of(str(operation.undoes))
    if not done:
        raise UsageError(f"{option}: the receipt says of no {name}, so that there is nothing to take back")
    if "state" not in done[-1]:
        raise UsageError(
            f"{option}: {name} {shown_arguments(done[-1]['arguments'])} keeps nothing by which it is taken back"
        )
    return done[-1]


def shown_arguments(arguments: Mapping[str, Any]) -> str:
    """Arguments as options of the command line."""
    options = {
        option_of(name): value for name, value in arguments.items() if value not in (None, False, (), [])
    }
    return " ".join(
        word
        if value is True
        else f"{word} {join_names(value) if isinstance(value, (list, tuple)) else value}"
        for word, value in options.items()
    )


def learned_entries(name: str, using: Ragged | Padded) -> list[Mapping[str, Any]]:
    """The entries of an operation that learned something, in the receipt of `using`; UsageError without any."""
    applied = [entry for entry in using.receipt if entry.get("command") == name]
    if not applied:
        raise UsageError(f"--using: {name} was not applied to these sequences, so that nothing was fitted")
    entries = [entry for entry in applied if "state" in entry]
    if not entries:
        raise UsageError(f"--using: {name} was applied to these sequences, and learned nothing from them")
    return entries


def _learned(operation: Operation, using: Ragged | Padded) -> Mapping[str, Any]:
    """The last entry of the same operation, with the same arguments, in the receipt of `using`."""
    name = name_of(operation)
    entries = learned_entries(name, using)
    wanted = Entry(name, [], operation.arguments(), Rows(0, 0)).as_json()["arguments"]
    return next(entry for entry in reversed(entries) if _alike(entry["arguments"], wanted, operation))


def _alike(found: Mapping[str, Any], wanted: Mapping[str, Any], operation: Operation) -> bool:
    return all(found.get(name) == wanted.get(name) for name in operation.arguments())


def name_of(operation: Operation) -> str:
    """The name of the subcommand, of the Python function and of the entry in receipts."""
    return type(operation).__name__.lower()


def apply_all(operations: Iterable[Operation], ragged: Ragged, *, spool: Spool) -> Outcome:
    """The outcome of several operations without a state, one after another, as one."""
    whole = Outcome(ragged)
    for operation in operations:
        found = operation.apply(whole.ragged, None, spool=spool)
        whole = Outcome(
            found.ragged,
            cut=whole.cut + found.cut,
            dropped={**whole.dropped, **found.dropped},
            added={**whole.added, **found.added},
            maxlen=whole.maxlen if found.maxlen is None else found.maxlen,
            lines=[*whole.lines, *found.lines],
            warnings=[*whole.warnings, *found.warnings],
            facts={**whole.facts, **found.facts},
        )
    return whole


def with_operation_entry(
    data: Data,
    operation: Operation,
    state: Any,
    inputs: list[str],
    outcome: Outcome,
    *,
    steps: int,
    described: Mapping[str, Any] | None = None,
) -> Data:
    """The same sequences with an entry for an operation in their receipt: its arguments, its state, and all steps.

    `steps` steps were read; `described` are arguments about their source. Raises AssertionError unless every step is
    accounted for.
    """
    rows = Rows(steps, span(data.lengths).total, outcome.cut, outcome.dropped, outcome.added)
    arguments = {**(described or {}), **operation.arguments()}
    fit_state = None if state is None else state.facts()
    return with_receipt(data, Entry(name_of(operation), inputs, arguments, rows, fit_state))
