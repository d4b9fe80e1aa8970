"""The subcommand of an operation: it reads a source, applies the operation, delivers and reports.

The options follow from the fields of the operation, the help from its docstring.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Sequence
from contextlib import nullcontext
from dataclasses import MISSING, fields
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from seqtool.commands._arrays import SequenceOptions
from seqtool.commands._options import MemoryOptions, OutputOptions, choice, several_names
from seqtool.commands._rows import SequenceRowOptions
from seqtool.commands._table_options import TableOptions
from seqtool.dataclass import dataclass
from seqtool.errors import UsageError
from seqtool.operations.operation import (
    Operation,
    annotated_fields,
    argument_of,
    choices,
    holds_names,
    learns,
    without_none,
)
from seqtool.option_names import option_of
from seqtool.words import split_names

if TYPE_CHECKING:
    from seqtool.arrays.spool import Spool
    from seqtool.operations.operation import Outcome
    from seqtool.sequences.padding_values import Side
    from seqtool.sequences.ragged import Padded, Ragged
    from seqtool.sequences.stream import PaddedStream
    from seqtool.sources.options import Sequences
    from seqtool.terminal.report import Summary

SourceName = Annotated[
    str | None,
    typer.Argument(
        metavar="SOURCE", help="What pad takes: a file, or - for standard input.", show_default=False
    ),
]
FittedFile = Annotated[
    str | None,
    typer.Option(
        "--using",
        metavar="FILE",
        help="Take what was fitted, and the options that are not given, from a file that the same operation made. "
        "[default: fit on the split train, or on all sequences where there are no splits]",
        rich_help_panel="Sequences",
    ),
]
_SHARED: dict[str, Any] = {
    "foreign": SequenceOptions,
    "rows": SequenceRowOptions,
    "text": TableOptions,
    "limits": MemoryOptions,
    "to": OutputOptions,
}


def command_of(operation: type[Operation]) -> Callable[..., None]:
    """The function that typer makes a subcommand of."""
    options = {name: _option(name, hint) for name, hint in annotated_fields(operation).items()}
    defaults = {f.name: f.default for f in fields(operation)}  # type: ignore[arg-type]
    names = [name for name, hint in annotated_fields(operation).items() if holds_names(argument_of(hint)[0])]
    if learns(operation):
        options["fitted_file"], defaults["fitted_file"] = FittedFile, None

    needed = [f.name for f in fields(operation) if f.default is MISSING]  # type: ignore[arg-type]
    if learns(operation):
        for name in needed:  # which a file of --using may have
            defaults[name] = None

    def command(
        *,
        call: typer.Context,
        source: str | None,
        foreign: SequenceOptions,
        rows: SequenceRowOptions,
        text: TableOptions,
        limits: MemoryOptions,
        to: OutputOptions,
        fitted_file: str | None = None,
        **arguments: Any,
    ) -> None:
        for name in names:
            arguments[name] = [part for word in arguments[name] or () for part in split_names(word)]
        explicit = {name: value for name, value in arguments.items() if _is_explicit(call, name)}
        if fitted_file is not None:
            wanted: Operation | _Fitted = _Fitted(operation, explicit)
        elif missing := [name for name in needed if name not in explicit]:
            raise UsageError(f"Missing option '{option_of(missing[0])}'.")
        else:
            wanted = operation(**arguments)
        _transform(wanted, source, fitted_file, foreign, rows, text, limits, to)

    annotations = {"call": typer.Context, "source": SourceName, **options, **_SHARED}
    defaults["source"] = None
    command.__signature__ = inspect.Signature(  # type: ignore[attr-defined]
        [
            inspect.Parameter(
                name,
                inspect.Parameter.KEYWORD_ONLY,
                annotation=annotation,
                default=inspect.Parameter.empty if defaults.get(name, MISSING) is MISSING else defaults[name],
            )
            for name, annotation in annotations.items()
        ]
    )
    command.__annotations__ = annotations
    command.__name__, command.__doc__ = operation.__name__.lower(), _help(operation)
    return command


def _option(name: str, annotation: Any) -> Any:
    """A field as an option of a command."""
    declared, argument = argument_of(annotation)
    kind, optional = without_none(declared)
    words, flag = choices(kind), argument.option or option_of(name)
    if words:
        shown = choice(flag, words, help=argument.help, section="Sequences")
        return Annotated[str | None if optional else str, shown]
    if holds_names(kind):
        shown = several_names(flag, argument.metavar or "A,B", help=argument.help, section="Sequences")
        return Annotated[list[str], shown]
    return Annotated[
        declared,
        typer.Option(
            flag,
            metavar=argument.metavar,
            min=argument.least if kind in (int, float) else None,
            help=argument.help,
            rich_help_panel="Sequences",
        ),
    ]


@dataclass(frozen=True)
class _Fitted:
    """An operation as a file of --using has it, with some `arguments` of the call, which must not differ from those."""

    kind: type[Operation]
    arguments: dict[str, Any]

    def operation(self, before: Ragged | Padded | None) -> Operation:
        """With the arguments that it had there; errors as in `as_fitted`."""
        from seqtool.operations.using import as_fitted

        assert before is not None, "the call names a file, which is open"
        return as_fitted(self.kind, self.arguments, before)


def _is_explicit(call: typer.Context, name: str) -> bool:
    """Whether the call itself holds an option."""
    source = call.get_parameter_source(name)
    return source is not None and source.name == "COMMANDLINE"


def _help(operation: type[Operation]) -> str:
    """The docstring without its doctests."""
    return inspect.cleandoc(operation.__doc__ or "").partition(">>>")[0].rstrip()


def _transform(
    wanted: Operation | _Fitted,
    source: str | None,
    fitted_file: str | None,
    foreign: SequenceOptions,
    rows: SequenceRowOptions,
    text: TableOptions,
    limits: MemoryOptions,
    to: OutputOptions,
) -> None:
    from seqtool import errors
    from seqtool.commands._deliver import deliver_all, outputs_of
    from seqtool.commands._destination import check_output, destination_of
    from seqtool.commands._source import one_source, opened_ours, read
    from seqtool.files.inputs import folder_of
    from seqtool.operations.run import name_of, with_operation_entry
    from seqtool.terminal.report import Summary

    name = wanted.kind.__name__.lower() if isinstance(wanted, _Fitted) else name_of(wanted)
    check_output(
        to,
        sources=[source, fitted_file],
        index=isinstance(wanted, Operation) and wanted.shares_steps,
        folds=len(wanted.of_folds()) if isinstance(wanted, Operation) else 0,
    )
    summary = Summary(name)
    with one_source(source, name, limits, several=foreign.pattern is not None) as opened:
        inputs = [opened.file.named_path, *foreign.files, *rows.files]
        destination = destination_of(
            to, command=name, inputs=inputs, folder=folder_of(opened.files, foreign.pattern)
        )
        with summary.stage("reading"):
            found = read(opened, rows.spec(foreign.spec(), text), summary)
        with errors.at(opened.name), opened_ours(fitted_file, limits) as before:
            operation = wanted.operation(before) if isinstance(wanted, _Fitted) else wanted
            state = _fit(operation, found.ragged, before, fitted_file or "", opened.spool, to, summary)
            parts = operation.of_folds() or [operation]
            outcomes = [part.apply(found.ragged, state, spool=opened.spool) for part in parts]
            _show_outcomes(outcomes, summary)
            forms = [_in_its_form(outcome, found, foreign.side) for outcome in outcomes]
        taken = {} if fitted_file is None else {"using": Path(fitted_file).name}
        described = {**foreign.resolved, **rows.resolved, **text.resolved, **taken}
        outputs = []
        for place, (part, outcome, data) in enumerate(zip(parts, outcomes, forms, strict=True)):
            done = with_operation_entry(
                data, part, state, opened.base_names, outcome, steps=found.steps, described=described
            )
            of_part = destination.of_fold(place) if operation.of_folds() else destination
            outputs += outputs_of(done, of_part, opened.spool)
        deliver_all(outputs, to, summary, memory=opened.memory)


def _fit(
    operation: Operation,
    ragged: Ragged,
    before: Ragged | Padded | None,
    name: str,
    spool: Spool,
    to: OutputOptions,
    summary: Summary,
) -> Any:
    """What the operation learns, under a bar, or learned in the sequences `before` of the file `name`."""
    from seqtool.operations.run import fit_state
    from seqtool.terminal.progress import watch

    shown = watch(summary, quiet=to.quiet or to.as_json)("fitting", ragged.values.nbytes)
    with shown if operation.fits() else nullcontext() as bar:
        state, lines = fit_state(
            operation, ragged, spool=spool, using=before, using_name=name, on_progress=bar
        )
    for word, line in lines:
        summary.say(word, line)
    return state


def _in_its_form(outcome: Outcome, found: Sequences, side: Side | None) -> PaddedStream | Ragged:
    """Ragged sequences, and those that share steps, as they are; others of a padded block padded as they were."""
    from seqtool.operations.run import padded_again
    from seqtool.sequences.once import is_once

    if found.maxlen is None or is_once(outcome.ragged):
        return outcome.ragged
    return padded_again(
        outcome.ragged,
        outcome,
        slots=found.maxlen,
        padding=found.padding or side or "post",
        value=0 if found.value is None else found.value,
    )


def _show_outcomes(outcomes: Sequence[Outcome], summary: Summary) -> None:
    """Tell what an operation did, or what it did in each of several folds; a warning about all of them once."""
    if len(outcomes) == 1:
        return show_outcome(outcomes[0], summary)
    for place, outcome in enumerate(outcomes):
        for word, text in outcome.lines:
            summary.say(word, f"fold {place}: {text}")
        summary.warnings += [text for text in outcome.warnings if text not in summary.warnings]
    summary.facts["folds"] = [dict(outcome.facts) for outcome in outcomes]
    return None


def show_outcome(outcome: Outcome, summary: Summary) -> None:
    """Tell in the summary what an operation did."""
    for word, text in outcome.lines:
        summary.say(word, text)
    summary.warnings += outcome.warnings
    summary.facts |= outcome.facts
