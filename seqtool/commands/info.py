"""`seqtool info`: what is in a file."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from seqtool.advice import Advice
from seqtool.commands._options import JsonReport, MemoryOptions, Traceback, choice
from seqtool.commands._source import only, only_arrays
from seqtool.errors import UsageError, at, check_choice

if TYPE_CHECKING:
    from pathlib import Path

    from seqtool.files.inputs import Input
    from seqtool.sequences.ragged import Padded, Ragged
    from seqtool.system.memory import Memory


def info(
    *,
    source: Annotated[
        str | None,
        typer.Argument(
            metavar="FILE",
            help="A file of arrays or of sequences, or - for standard input.",
            show_default=False,
        ),
    ] = None,
    sequence: Annotated[
        str | None,
        typer.Option(
            "--sequence",
            metavar="KEY[,PART]",
            help="Show the sequence with this key (a,b if it has two columns) and, where keys have parts, this part; "
            "without keys, its number from 0.",
        ),
    ] = None,
    code: Annotated[
        str | None,
        choice(
            "--code",
            ("torch", "keras", "tf", "jax", "numpy"),
            help="Print a program that loads FILE and trains a fitting LSTM for one step (numpy: that loads it).",
        ),
    ] = None,
    recipe: Annotated[
        bool,
        typer.Option(
            "--recipe",
            help="Show what was done: steps, arguments, what was learned. With --json apply takes it.",
        ),
    ] = False,
    full: Annotated[
        bool,
        typer.Option(
            "--full", help="Read the steps of a large file too: checksums, padding, NaN and infinities."
        ),
    ] = False,
    limits: MemoryOptions,
    as_json: JsonReport = False,
    traceback: Traceback = False,
) -> None:
    """Show what is in a file: arrays, lengths, first sequences.

    Padding, keys, features and classes too. The whole file is read and checked: checksums, sizes and, in a file of
    ours, every invariant; but where its arrays take more than 64 MB, steps are read only with --full. A sequence is
    drawn in colours where the terminal has them, in shades elsewhere; --json gives its steps as numbers.

    Example: seqtool info train.npz --sequence 7
    """
    from seqtool import codegen
    from seqtool.files import inputs
    from seqtool.files.temporary import temporary_folder
    from seqtool.inspecting import show_file
    from seqtool.inspecting.describe import described, slots_of
    from seqtool.system import memory
    from seqtool.terminal import report

    check_choice("--code", code, codegen.CODES)
    if code is not None and (as_json or sequence is not None):
        both = {"--json": as_json, "--sequence": sequence is not None}
        raise UsageError(
            "--code prints a program and nothing else; ",
            Advice(without=[option for option, is_named in both.items() if is_named]),
        )
    others = {"--code": code is not None, "--sequence": sequence is not None}
    if recipe and any(others.values()):
        raise UsageError(
            "--recipe shows what was done and nothing else; ",
            Advice(without=[option for option, is_named in others.items() if is_named]),
        )
    limit, folder = memory.allowed(limits.max_memory), temporary_folder(limits.temp_dir)
    with inputs.opened([source] if source else [], temp_dir=folder, memory=limit) as found:
        if recipe:
            _show_recipe(only(found, source, "info"), limit, folder, as_json=as_json)
            return
        only_arrays(found, source, "info")
        if code is not None and found[0].path != found[0].named_path:
            raise UsageError(
                f"--code prints a program that loads FILE, and {found[0].name} cannot be loaded again; name a file"
            )
        with described(found[0], full=full) as (facts, data):
            if code is not None:
                _show_program(found[0], data, code)
            elif sequence is not None:
                _show_sequence(found[0], data, sequence, as_json=as_json)
            elif as_json:
                report.print_json(facts)
            else:
                show_file.show_file(facts, slots_of(data, 0) if data else None)


def _show_recipe(file: Input, limit: Memory, folder: Path | None, *, as_json: bool) -> None:
    """Show the steps that made a file, as a table or as JSON that `apply` takes."""
    from seqtool.arrays.spool import Spool
    from seqtool.recipes.reading import read_recipe
    from seqtool.recipes.show import steps_shown
    from seqtool.terminal import report
    from seqtool.terminal.tables import console, show_table

    with Spool(folder) as spool:
        found = read_recipe(file, spool, limit)
    if as_json:
        report.print_json(found.facts())
    else:
        show_table(console(), file.name, ["step", "arguments, and what was learned"], steps_shown(found))


def _show_program(file: Input, data: Ragged | Padded | None, code: str) -> None:
    """Print a program that loads the file, and warn of what is odd about its data."""
    from seqtool import codegen
    from seqtool.inspecting.describe import known_sequences
    from seqtool.terminal import report

    with at(file.name):
        program = codegen.program_for(known_sequences(data, file.name), path=str(file.named_path), code=code)
    report.print_text(program.text)
    report.Summary("info", warnings=[*program.warnings]).show(quiet=False, verbose=False, as_json=False)


def _show_sequence(file: Input, data: Ragged | Padded | None, sequence: str, *, as_json: bool) -> None:
    """Show one sequence, which is named by its key or its number, as a picture or as numbers."""
    from seqtool.inspecting import show_file
    from seqtool.inspecting.describe import find_sequence, known_sequences, sequence_facts, slots_of

    whole = known_sequences(data, file.name)
    i = find_sequence(whole, sequence, name=file.name)
    window, known = slots_of(whole, i), {"file": file.name, **sequence_facts(whole, i)}
    if as_json:
        show_file.print_sequence(known, window.steps)
    else:
        show_file.show_sequence(known, window)
