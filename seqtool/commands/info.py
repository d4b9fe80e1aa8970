"""`seqtool info`: what is in a file."""

from __future__ import annotations

from typing import Annotated

import typer

from seqtool.options import MemoryOptions


def info(
    *,
    source: Annotated[
        str | None,
        typer.Argument(metavar="FILE", help="An .npz or .npy, or - for standard input.", show_default=False),
    ] = None,
    sequence: Annotated[
        str | None,
        typer.Option(
            "--sequence",
            metavar="KEY",
            help="Show the sequence with this key (a,b if it has two columns); without keys, its number from 0.",
        ),
    ] = None,
    using: MemoryOptions,
    as_json: Annotated[bool, typer.Option("--json", help="As one JSON object.")] = False,
    traceback: Annotated[
        bool, typer.Option("--traceback", help="Show where in seqtool an error arose.")
    ] = False,
) -> None:
    """Show what is in a file: arrays, lengths, padding, keys, features, and the first sequences.

    Reads the whole file and checks it: checksums, sizes and, in a file of ours, every invariant. A sequence is
    drawn in colours where the terminal has them, in shades elsewhere; --json gives its steps as numbers.

    Example: seqtool info train.npz --sequence 7
    """
    from seqtool import drawing, inputs, memory, report
    from seqtool.describing import described, find_sequence, of_ours, sequence_facts, window_of
    from seqtool.errors import DataError, UsageError

    memory.allowed(using.max_memory)  # files are read in windows that any figure allows
    with inputs.opened([source] if source else [], spool=inputs.temporary_folder(using.temp_dir)) as found:
        if len(found) > 1:
            raise UsageError(f"{source} matches {len(found)} files; info takes one at a time")
        if found[0].kind not in ("npy", "npz"):
            raise DataError(
                f"{found[0].name}: not a file of arrays; .npz or .npy was expected (group takes tables)"
            )
        with described(found[0]) as (facts, data):
            if sequence is not None:
                data = of_ours(data, found[0].name)
                i = find_sequence(data, sequence, name=found[0].name)
                window, known = window_of(data, i), {"file": found[0].name, **sequence_facts(data, i)}
                if as_json:
                    drawing.print_sequence(known, window.steps)
                else:
                    drawing.show_sequence(known, window)
            elif as_json:
                report.print_json(facts)
            else:
                drawing.show_file(facts, window_of(data, 0) if data else None)
