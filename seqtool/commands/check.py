"""`seqtool check`: whether a file holds what it promises, and what the network that reads it needs."""

from __future__ import annotations

from contextlib import ExitStack
from typing import TYPE_CHECKING, Annotated

import typer

from seqtool.advice import Advice
from seqtool.commands._arrays import SequenceOptions
from seqtool.commands._options import JsonReport, MemoryOptions, Quiet, Traceback, choice
from seqtool.commands._source import only_arrays
from seqtool.commands._values import parse_value
from seqtool.errors import UsageError, check_choice

if TYPE_CHECKING:
    from seqtool.files.inputs import Input


def check(
    *,
    source: Annotated[
        str | None,
        typer.Argument(
            metavar="FILE",
            help="A file of arrays or of sequences, or - for standard input.",
            show_default=False,
        ),
    ] = None,
    reader: Annotated[
        str | None,
        choice(
            "--for", ("keras", "keras-cudnn", "torch", "dynamic-rnn"), help="The framework that will read it."
        ),
    ] = None,
    against: Annotated[
        str | None,
        typer.Option(
            "--against",
            metavar="OTHER",
            help="A file of the same features and classes that should share neither keys nor sequences with it.",
        ),
    ] = None,
    shared_keys: Annotated[
        bool, typer.Option("--shared-keys", help="Keys may be in OTHER too, but no sequences.")
    ] = False,
    foreign: SequenceOptions,
    value: Annotated[
        str | None,
        typer.Option("--value", metavar="V", help="What padding holds in an external array. [default: 0]"),
    ] = None,
    limits: MemoryOptions,
    quiet: Quiet = False,
    as_json: JsonReport = False,
    traceback: Traceback = False,
) -> None:
    """Check a file: what it promises, and what a network needs.

    Checksums and every invariant are checked, and with --against what leaks into another file. Each finding says how
    often, where first, and the command that fixes it. The exit code is 0 when all holds, 1 when something fails; a
    warning is no failure. FILE may be one that seqtool did not write.

    Example: seqtool check train.npz --for torch --against test.npz
    """
    from typing import get_args

    from seqtool import checking
    from seqtool.arrays.spool import Spool
    from seqtool.checking.show import show_findings
    from seqtool.files import inputs
    from seqtool.files.temporary import temporary_folder
    from seqtool.system import memory
    from seqtool.terminal import report

    if shared_keys and not against:
        raise UsageError("--shared-keys says what another file may share: add ", Advice("--against", "OTHER"))
    network = check_choice("--for", reader, get_args(checking.Reader))
    spec = foreign.spec(parse_value(value))
    limit = memory.allowed(limits.max_memory)
    folder = temporary_folder(limits.temp_dir)
    with ExitStack() as stack:

        def opened(*names: str) -> Input:
            found = stack.enter_context(inputs.opened(names, temp_dir=folder, memory=limit))
            return only_arrays(found, "".join(names), "check")

        file, other = opened(*([source] if source else [])), opened(against) if against else None
        spool = stack.enter_context(Spool(folder))
        found = checking.check(
            file,
            reader=network,
            against=other,
            shared_keys=shared_keys,
            foreign=spec,
            spool=spool,
            memory=limit,
        )
    holds = all(finding.verdict != "fails" for finding in found)
    facts = {"file": file.name, "for": reader, "against": against, "holds": holds}
    if quiet and holds:
        return
    if as_json:
        shown = [{name: part for name, part in vars(f).items() if name != "advice"} for f in found]
        report.print_json({**facts, "findings": shown})
    else:
        show_findings(facts, found)
    if not holds:
        raise typer.Exit(1)
