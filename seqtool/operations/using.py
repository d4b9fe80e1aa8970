"""`--using`: an operation with the arguments that it had where other sequences were fitted."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import MISSING, fields
from typing import Any

from seqtool.advice import Advice
from seqtool.errors import UsageError
from seqtool.operations.operation import (
    Operation,
    annotated_fields,
    argument_of,
    checked_argument,
    holds_names,
    without_none,
)
from seqtool.operations.run import learned_entries, shown_arguments
from seqtool.option_names import option_of
from seqtool.sequences.padding_values import number_from_json
from seqtool.sequences.ragged import Padded, Ragged
from seqtool.sequences.receipts import Entry, Rows
from seqtool.words import in_short


def of_receipt(kind: type[Operation], arguments: Mapping[str, Any]) -> Operation:
    """The operation with the arguments of a receipt, which leaves out those that are None, False or empty."""
    found = {}
    for name, annotation in annotated_fields(kind).items():
        declared, optional = without_none(argument_of(annotation)[0])
        if name in arguments:
            held = arguments[name]
            found[name] = number_from_json(held) if declared is float else held
        elif optional or declared is bool or holds_names(declared):
            found[name] = None if optional else False if declared is bool else ()
    return kind(**found)


def as_fitted(kind: type[Operation], arguments: Mapping[str, Any], using: Ragged | Padded) -> Operation:
    """The operation with the arguments that it had in the receipt of `using`.

    Raises UsageError for one of the `arguments` that is another, naming both, and where nothing was fitted there.
    """
    if not isinstance(using, (Ragged, Padded)):
        raise UsageError(
            f"using is {in_short(using)}; sequences were expected: a file is read by seqtool.load"
        )
    if kind.undoes is not None and arguments.get(kind.undoes):
        return kind(**arguments)
    needed = {f.name for f in fields(kind) if f.default is MISSING}  # type: ignore[arg-type]
    command = kind.__name__.lower()
    if needed <= {*arguments} and not (own := kind(**arguments)).fits():
        raise UsageError(f"--using: {command} {shown_arguments(own.arguments())} learns nothing")
    entries, wanted = learned_entries(command, using), _as_json(kind, arguments)
    for entry in reversed(entries):
        if not _differing(entry["arguments"], wanted):
            return of_receipt(kind, entry["arguments"])
    found = entries[-1]["arguments"]
    wrong = _differing(found, wanted)
    theirs = shown_arguments({name: found.get(name) for name in wrong})
    there = f"with {theirs}" if theirs else f"without {' '.join(map(option_of, wrong))}"
    ours = shown_arguments({argument: wanted[argument] for argument in wrong})
    raise UsageError(
        f"--using: {command} was applied there {there}, and this call says {ours or 'otherwise'}: ",
        Advice(without=[option_of(argument) for argument in wrong]),
    )


def _as_json(kind: type[Operation], arguments: Mapping[str, Any]) -> dict[str, Any]:
    """Arguments as a receipt has them; those that are None, False or empty are None."""
    hints = annotated_fields(kind)
    checked = {name: checked_argument(name, value, hints[name]) for name, value in arguments.items()}
    held = Entry("", [], checked, Rows(0, 0)).as_json()["arguments"]
    return {name: held.get(name) for name in arguments}


def _differing(found: Mapping[str, Any], wanted: Mapping[str, Any]) -> list[str]:
    """The arguments that an entry has otherwise; None asks for nothing."""
    return [name for name, value in wanted.items() if value is not None and found.get(name) != value]
