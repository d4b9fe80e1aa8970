"""`seqtool apply`: to new data what was done to the old."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, NamedTuple

import typer

from seqtool.advice import Message
from seqtool.commands._options import MemoryOptions, OutputOptions, several_names
from seqtool.commands._values import names_in
from seqtool.errors import DataError, NoInputError, UsageError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from seqtool.files.inputs import Input
    from seqtool.grouping.group import GroupResult
    from seqtool.grouping.workspace import Workspace
    from seqtool.recipes.recipe import Recipe
    from seqtool.recipes.repeat import Repeated, Step
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
    label: Annotated[
        list[str] | None,
        several_names(
            "--label",
            "FILE:A,B",
            help="Labels that RECIPE took from another table, of the new keys, as in group. Repeatable.",
            elsewhere=True,
            section="Columns",
        ),
    ] = None,
    static: Annotated[
        list[str] | None,
        several_names(
            "--static", "FILE:A,B", help="The same for static numbers.", elsewhere=True, section="Columns"
        ),
    ] = None,
    limits: MemoryOptions,
    to: OutputOptions,
) -> None:
    """Do to new data what was done to the old, fitting nothing anew.

    Rows are grouped by the same columns, found by their names, in any order and among others; numbers of scale and the
    like, classes, vocabularies, maxlen, sides and dtype are those of RECIPE. Labels may be absent. A label that was not
    seen is an error, as is a column that is missing or holds something else; an unseen category is unknown. Commands
    that select sequences or steps (split, filter, --min-len) are not repeated.

    Example: seqtool apply train.npz new.csv -o new.npz
    """
    from seqtool.arrays.spool import Spool
    from seqtool.commands._deliver import deliver
    from seqtool.commands._destination import check_output, destination_of
    from seqtool.files import inputs
    from seqtool.files.temporary import temporary_folder
    from seqtool.grouping.elsewhere import Elsewhere, parted
    from seqtool.grouping.workspace import Workspace
    from seqtool.recipes.reading import read_recipe
    from seqtool.system import memory
    from seqtool.terminal import progress
    from seqtool.terminal.report import Summary
    from seqtool.words import join_names

    if recipe is None:
        raise NoInputError("no recipe: name a file that seqtool wrote, and a new one")
    check_output(to, sources=[recipe, *(sources or [])])
    others = _Others(parted(label or [], names_in), parted(static or [], names_in))
    summary = Summary("apply")
    limit, folder = memory.allowed(limits.max_memory), temporary_folder(limits.temp_dir)
    with Spool(folder) as spool, inputs.opened([recipe], temp_dir=folder, memory=limit) as (of_recipe,):
        with summary.stage("reading"):
            known = read_recipe(of_recipe, spool, limit)
        encoding = known.first.get("arguments", {}).get("encoding", "utf-8")
        with inputs.opened(sources or [], encoding=encoding, temp_dir=folder, memory=limit) as found:
            beside = [
                Path(one.source) for one in (*others.label, *others.static) if isinstance(one, Elsewhere)
            ]
            paths = [*(item.named_path for item in found), of_recipe.named_path, *beside]
            destination = destination_of(to, command="apply", inputs=paths)
            workspace = Workspace(spool, limit, progress.watch(summary, quiet=to.quiet or to.as_json))
            repeated = _repeated(
                known, found, workspace, summary, others, folder=folder, last=last, where=where
            )
            for word, line in repeated.lines:
                summary.say(word, line)
            summary.warnings += repeated.warnings
            if known.skipped:
                summary.say("skipped", f"{join_names(known.skipped)}: what selects sequences is not repeated")
            summary.facts |= {"recipe": of_recipe.name, "skipped": known.skipped}
            deliver(repeated.data, destination, to, summary, memory=limit, spool=spool)


class _Others(NamedTuple):
    """Columns of other tables, as `parted` gives them."""

    label: list[Any]
    static: list[Any]


def _repeated(
    recipe: Recipe,
    found: Sequence[Input],
    workspace: Workspace,
    summary: Summary,
    beside: _Others,
    *,
    folder: Path | None,
    last: bool,
    where: str | None,
) -> Repeated:
    """What the recipe makes of new files."""
    from seqtool.recipes import repeat
    from seqtool.recipes.columns import for_table, spec_of
    from seqtool.recipes.others import opened_others, with_others
    from seqtool.recipes.reading import open_new
    from seqtool.words import count, listed

    steps, names = repeat.prepared(recipe, last=last), [item.base_name for item in found]
    if recipe.first.get("command") != "group":
        for option, value in (("--where", where), ("--label", beside.label), ("--static", beside.static)):
            if value:
                raise UsageError(f"{option} is of rows, and {recipe.name} was made of sequences")
        return _of_sequences(recipe, found, workspace, summary, steps)
    spec = spec_of(recipe, None if found[0].named_path is None else found[0].source)
    if where is not None:
        spec = replace(spec, where=where)
    spec = with_others(spec, recipe, *beside)
    table = open_new(found, spec)
    spec, absent = for_table(spec, recipe, table)
    with opened_others(spec, table, folder=folder, memory=workspace.memory) as (of_table, others, files):
        names += [item.base_name for item in files]
        repeated, result = repeat.from_table(recipe, of_table, table, steps, workspace, names, others=others)
    shown = listed([item.name for item in found], most=3)
    summary.say("read", f"{count(result.rows.rows_in, 'row')} from {shown}")
    summary.facts |= {"inputs": [item.name for item in found], "absent": absent}
    _describe(result, recipe, absent, summary)
    if not len(repeated.data):
        summary.warnings.append("no sequence is left")
    return repeated


def _of_sequences(
    recipe: Recipe, found: Sequence[Input], workspace: Workspace, summary: Summary, steps: list[Step]
) -> Repeated:
    from seqtool.recipes import repeat
    from seqtool.recipes.reading import read_new
    from seqtool.words import count, listed

    shown = listed([item.name for item in found], most=3)
    if len(found) > 1:
        raise DataError(f"{shown}: {recipe.name} was made of one file of sequences; one was expected")
    sequences, labelled = read_new(found, recipe, workspace.spool, workspace.memory)
    summary.say(
        "read", f"{count(len(sequences.ragged), 'sequence')}, {count(sequences.steps, 'step')} from {shown}"
    )
    summary.facts |= {"inputs": [item.name for item in found], "unlabelled": not labelled}
    summary.warnings += sequences.warnings
    return repeat.from_sequences(recipe, sequences, steps, workspace, [item.base_name for item in found])


def _describe(result: GroupResult, recipe: Recipe, absent: list[str], summary: Summary) -> None:
    """Say what became of the rows, in the words of `group`."""
    from seqtool.commands._grouped import say_computed, say_dropped, warn_of_missing
    from seqtool.grouping.options import UNNAMED
    from seqtool.recipes.others import took_elsewhere
    from seqtool.words import listed

    if absent:
        joined = took_elsewhere(recipe, "label", absent)
        how = "" if joined is None else Message("; what came from another table is joined by ", joined)
        summary.say("absent", Message(f"{listed(absent)}: without labels", how))
    say_computed(result, summary)
    say_dropped(result, summary, {UNNAMED: f"item not in {recipe.name}"})
    warn_of_missing(result, summary)
