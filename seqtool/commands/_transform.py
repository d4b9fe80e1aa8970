"""The subcommand of an operation: it reads a source, applies the operation, delivers and reports.

The options follow from the fields of the operation, the help from its docstring.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable
from dataclasses import MISSING, fields
from typing import TYPE_CHECKING, Annotated, Any

import typer

from seqtool.commands._arrays import SequenceOptions
from seqtool.commands._options import MemoryOptions, OutputOptions, choice
from seqtool.commands._rows import SequenceRowOptions
from seqtool.commands._table_options import TableOptions
from seqtool.operations.operation import Operation, annotated_fields, argument_of, choices
from seqtool.words import option_of

if TYPE_CHECKING:
    from seqtool.operations.operation import Outcome
    from seqtool.sequences.padding_values import Side
    from seqtool.sequences.ragged import Ragged
    from seqtool.sequences.stream import PaddedStream
    from seqtool.sources.options import Sequences
    from seqtool.terminal.report import Summary

SourceName = Annotated[
    str | None,
    typer.Argument(
        metavar="SOURCE", help="What pad takes: a file, or - for standard input.", show_default=False
    ),
]
_SHARED: dict[str, Any] = {
    "foreign": SequenceOptions,
    "rows": SequenceRowOptions,
    "text": TableOptions,
    "using": MemoryOptions,
    "to": OutputOptions,
}


def command_of(operation: type[Operation]) -> Callable[..., None]:
    """The function that typer makes a subcommand of."""
    options = {name: _option(name, hint) for name, hint in annotated_fields(operation).items()}
    defaults = {f.name: f.default for f in fields(operation)}  # type: ignore[arg-type]

    def command(
        *,
        source: str | None,
        foreign: SequenceOptions,
        rows: SequenceRowOptions,
        text: TableOptions,
        using: MemoryOptions,
        to: OutputOptions,
        **arguments: Any,
    ) -> None:
        _transform(operation(**arguments), source, foreign, rows, text, using, to)

    annotations = {"source": SourceName, **options, **_SHARED}
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
    kind, argument = argument_of(annotation)
    words, flag = choices(kind), option_of(name)
    if words:
        return Annotated[str, choice(flag, words, help=argument.help, section="Sequences")]
    least = argument.least if kind is int else None
    return Annotated[
        kind,
        typer.Option(
            flag, metavar=argument.metavar, min=least, help=argument.help, rich_help_panel="Sequences"
        ),
    ]


def _help(operation: type[Operation]) -> str:
    """The docstring without its doctests."""
    return inspect.cleandoc(operation.__doc__ or "").partition(">>>")[0].rstrip()


def _transform(
    operation: Operation,
    source: str | None,
    foreign: SequenceOptions,
    rows: SequenceRowOptions,
    text: TableOptions,
    using: MemoryOptions,
    to: OutputOptions,
) -> None:
    from seqtool import errors
    from seqtool.commands._deliver import check_output, deliver, destination_of
    from seqtool.commands._source import one_source, read
    from seqtool.files.inputs import folder_of
    from seqtool.operations.run import with_entry
    from seqtool.terminal.report import Summary

    name = type(operation).__name__.lower()
    check_output(to, sources=[source])
    summary = Summary(name)
    with one_source(source, name, using, several=foreign.pattern is not None) as opened:
        inputs = [opened.file.named_path, *foreign.files, *rows.files]
        destination = destination_of(
            to, command=name, inputs=inputs, folder=folder_of(opened.files, foreign.pattern)
        )
        with summary.stage("reading"):
            found = read(opened, rows.spec(foreign.spec(), text), summary)
        with errors.at(opened.name):
            state = operation.fit(found.ragged)
            outcome = operation.apply(found.ragged, state, spool=opened.spool)
            show_outcome(outcome, summary)
            data = _in_its_form(outcome, found, foreign.side)
        inputs_shown = opened.base_names
        described = {**foreign.resolved, **rows.resolved, **text.resolved}
        done = with_entry(
            data, operation, state, inputs_shown, outcome, steps=found.steps, described=described
        )
        deliver(done, destination, to, summary, threads=opened.memory.threads())


def _in_its_form(outcome: Outcome, found: Sequences, side: Side | None) -> PaddedStream | Ragged:
    """Ragged sequences as they are; those of a padded block padded as they were."""
    from seqtool.operations.run import padded_again

    if found.maxlen is None:
        return outcome.ragged
    return padded_again(
        outcome.ragged,
        outcome,
        slots=found.maxlen,
        padding=found.padding or side or "post",
        value=0 if found.value is None else found.value,
    )


def show_outcome(outcome: Outcome, summary: Summary) -> None:
    """Tell in the summary what an operation did."""
    for word, text in outcome.lines:
        summary.say(word, text)
    summary.warnings += outcome.warnings
