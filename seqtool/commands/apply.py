"""`seqtool apply`: to new data what was done to the old."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Annotated

import typer

from seqtool.commands._options import MemoryOptions, OutputOptions
from seqtool.errors import DataError, NoInputError, UsageError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from seqtool.files.inputs import Input
    from seqtool.grouping.workspace import Workspace
    from seqtool.recipes.recipe import Recipe
    from seqtool.recipes.repeat import Repeated
    from seqtool.terminal.report import Summary


def apply(
    *,
    recipe: Annotated[
        str | None,
        typer.Argument(
            metavar="RECIPE",
            help="A file that seqtool wrote, or the JSON of info --recipe --json.",
            show_default=False,
        ),
    ] = None,
    sources: Annotated[
        list[str] | None,
        typer.Argument(
            metavar="NEW...",
            help="New files, as the old ones were, or - for standard input.",
            show_default=False,
        ),
    ] = None,
    last: Annotated[
        bool,
        typer.Option(
            "--last", help="Of windows the newest of each sequence alone.", rich_help_panel="Sequences"
        ),
    ] = False,
    where: Annotated[
        str | None,
        typer.Option(
            "--where",
            metavar="TEXT",
            help="Read only rows as TEXT says, as group does. [default: as it was for RECIPE]",
            rich_help_panel="Rows",
        ),
    ] = None,
    using: MemoryOptions,
    to: OutputOptions,
) -> None:
    """Do to new data what was done to the old, fitting nothing anew.

    Rows are grouped by the same columns, found by their names, in any order and among others; numbers of scale and the
    like, classes, vocabularies, maxlen, sides and dtype are those of RECIPE. Labels may be absent. A label that was not
    seen is an error, as is a column that is missing or holds something else; an unseen category is unknown. Commands
    that select sequences (split, filter, --min-len) are not repeated.

    Example: seqtool apply train.npz new.csv -o new.npz
    """
    from seqtool.arrays.spool import Spool
    from seqtool.commands._deliver import check_output, deliver, destination_of
    from seqtool.files import inputs
    from seqtool.grouping.workspace import Workspace
    from seqtool.recipes.reading import read_recipe
    from seqtool.system import memory
    from seqtool.terminal import progress
    from seqtool.terminal.report import Summary
    from seqtool.words import join_names

    if recipe is None:
        raise NoInputError("no recipe: name a file that seqtool wrote, and a new one")
    check_output(to, sources=[recipe, *(sources or [])])
    summary = Summary("apply")
    limit, folder = memory.allowed(using.max_memory), inputs.temporary_folder(using.temp_dir)
    with Spool(folder) as spool, inputs.opened([recipe], spool=folder, memory=limit) as (of_recipe,):
        with summary.stage("reading"):
            known = read_recipe(of_recipe, spool, limit)
        encoding = known.first.get("arguments", {}).get("encoding", "utf-8")
        with inputs.opened(sources or [], encoding=encoding, spool=folder, memory=limit) as found:
            paths = [*(item.named_path for item in found), of_recipe.named_path]
            destination = destination_of(to, command="apply", inputs=paths)
            workspace = Workspace(spool, limit, progress.watch(summary, quiet=to.quiet or to.as_json))
            repeated = _repeated(known, found, workspace, summary, last=last, where=where)
            for word, line in repeated.lines:
                summary.say(word, line)
            summary.warnings += repeated.warnings
            if known.skipped:
                summary.say("skipped", f"{join_names(known.skipped)}: what selects sequences is not repeated")
            summary.facts |= {"recipe": of_recipe.name, "skipped": known.skipped}
            deliver(repeated.data, destination, to, summary, memory=limit, spool=spool)


def _repeated(
    recipe: Recipe,
    found: Sequence[Input],
    workspace: Workspace,
    summary: Summary,
    *,
    last: bool,
    where: str | None,
) -> Repeated:
    """What the recipe makes of new files."""
    from seqtool.recipes import repeat
    from seqtool.recipes.columns import for_table, spec_of
    from seqtool.recipes.reading import open_new, read_new
    from seqtool.words import count, listed

    steps, names = repeat.prepared(recipe, last=last), [item.base_name for item in found]
    shown = listed([item.name for item in found], most=3)
    if recipe.first.get("command") != "group":
        if where is not None:
            raise UsageError(f"--where chooses rows, and {recipe.name} was made of sequences")
        if len(found) > 1:
            raise DataError(f"{shown}: {recipe.name} was made of one file of sequences; one was expected")
        sequences, labelled = read_new(found, recipe, workspace.spool, workspace.memory)
        summary.say(
            "read",
            f"{count(len(sequences.ragged), 'sequence')}, {count(sequences.steps, 'step')} from {shown}",
        )
        summary.facts |= {"inputs": [item.name for item in found], "unlabelled": not labelled}
        summary.warnings += sequences.warnings
        return repeat.from_sequences(recipe, sequences, steps, workspace, names)
    spec = spec_of(recipe, None if found[0].named_path is None else found[0].source)
    if where is not None:
        spec = replace(spec, where=where)
    table = open_new(found, spec)
    spec, absent = for_table(spec, recipe, table)
    repeated, result = repeat.from_table(recipe, spec, table, steps, workspace, names)
    summary.say("read", f"{count(result.rows.rows_in, 'row')} from {shown}")
    summary.facts |= {"inputs": [item.name for item in found], "absent": absent}
    if absent:
        summary.say("absent", f"{listed(absent)}: without labels")
    for reason, number in result.rows.dropped.items():
        if number:
            summary.say("dropped", f"{count(number, 'row')}: {reason}")
    if result.missing:
        counts = [f"{name} {number:,}" for name, number in result.missing.items()]
        summary.warnings.append(f"missing values became NaN: {', '.join(counts)}")
    if not len(repeated.data):
        summary.warnings.append("no sequence is left")
    return repeated
