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
    using: MemoryOptions,
    as_json: Annotated[bool, typer.Option("--json", help="As one JSON object.")] = False,
    traceback: Annotated[
        bool, typer.Option("--traceback", help="Show where in seqtool an error arose.")
    ] = False,
) -> None:
    """Show what is in a file: arrays, lengths, padding, keys, features, and the first sequences.

    Reads the whole file and checks it: checksums, sizes and, in a file of ours, every invariant.

    Example: seqtool info train.npz
    """
    from seqtool import drawing, inputs, memory, report
    from seqtool.describing import describe
    from seqtool.errors import DataError, UsageError

    memory.allowed(using.max_memory)  # files are read in windows that any figure allows
    with inputs.opened([source] if source else [], spool=inputs.temporary_folder(using.temp_dir)) as found:
        if len(found) > 1:
            raise UsageError(f"{source} matches {len(found)} files; info takes one at a time")
        if found[0].kind not in ("npy", "npz"):
            raise DataError(
                f"{found[0].name}: not a file of arrays; .npz or .npy was expected (group takes tables)"
            )
        facts = describe(found[0])
    if as_json:
        report.print_json(facts)
    else:
        drawing.show_file(facts)
