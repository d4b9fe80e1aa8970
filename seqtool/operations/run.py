"""Running operations: as Python functions on sequences in memory, and several in a row; and their receipts."""

from __future__ import annotations

import warnings
from collections.abc import Iterable, Mapping
from typing import Any

from seqtool.arrays.lazy import span
from seqtool.arrays.spool import Spool
from seqtool.operations.operation import Operation, Outcome
from seqtool.operations.pad import Data, carry_out, pad_stream, with_receipt
from seqtool.sequences.conversion import converted
from seqtool.sequences.padding_values import Side, Value
from seqtool.sequences.ragged import Padded, Ragged
from seqtool.sequences.receipts import Entry, Rows
from seqtool.sequences.stream import PaddedStream


def run(operation: Operation, sequences: Any) -> Ragged | Padded:
    """The result of an operation on sequences in any form that `seqtool.pad` takes, in memory, with its receipt.

    A Padded gives a Padded of the same side and value, all else a Ragged.
    """
    ragged, missing = converted(sequences)
    if missing:
        warnings.warn(f"missing values became NaN: {missing:,}", stacklevel=4)
    with Spool() as spool:
        state = operation.fit(ragged)
        outcome = operation.apply(ragged, state, spool=spool)
        steps = span(ragged.lengths).total
        found = with_entry(outcome.ragged, operation, state, [], outcome, steps=steps)
        if not isinstance(sequences, Padded):
            return found.in_memory()
        slots, side = sequences.x.shape[1], sequences.padding
        return carry_out(padded_again(found, outcome, slots=slots, padding=side, value=sequences.value))


def padded_again(
    ragged: Ragged, outcome: Outcome, *, slots: int, padding: Side, value: Value
) -> PaddedStream:
    """The sequences that an operation made of a padded block, padded again: to `slots`, or fewer if it cut them."""
    slots = slots if outcome.maxlen is None else min(slots, outcome.maxlen)
    return pad_stream(ragged, maxlen=max(1, slots), padding=padding, value=value)


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
        )
    return whole


def with_entry(
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
    learned = {} if state is None else {"state": state.facts()}
    arguments = {**(described or {}), **operation.arguments(), **learned}
    return with_receipt(data, Entry(type(operation).__name__.lower(), inputs, arguments, rows))
