"""`seqtool plot`: a picture of what is in a file."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from seqtool.advice import Advice
from seqtool.commands._arrays import ArrayOptions
from seqtool.commands._options import Force, JsonSummary, MemoryOptions, Quiet, Traceback, Verbose
from seqtool.commands._source import only_arrays
from seqtool.words import count, human

if TYPE_CHECKING:
    from seqtool.plotting.portrait import Portrait
    from seqtool.sources.options import Sequences
    from seqtool.terminal.report import Summary


def plot(
    *,
    source: Annotated[
        str | None,
        typer.Argument(
            metavar="FILE",
            help="A file of arrays or of sequences, or - for standard input.",
            show_default=False,
        ),
    ] = None,
    feature: Annotated[
        str | None,
        typer.Option(
            "--feature", metavar="NAME|POSITION", help="The feature of the heat map. [default: the first]"
        ),
    ] = None,
    foreign: ArrayOptions,
    output: Annotated[
        str | None,
        typer.Option(
            "--output",
            "-o",
            metavar="FILE",
            help="Write FILE: .png, .svg or .html; - is standard output, as .png. "
            "[default: <stem>.plot.png here; standard output for standard input]",
        ),
    ] = None,
    force: Force = False,
    quiet: Quiet = False,
    verbose: Verbose = False,
    as_json: JsonSummary = False,
    traceback: Traceback = False,
    limits: MemoryOptions,
) -> None:
    """Draw what is in a file: lengths, padding, features, labels.

    The picture is 1200 pixels wide; .html is a page with the picture and its numbers. Needs matplotlib:
    pip install 'seqtool[plot]'.

    Example: seqtool plot train.npz -o train.html
    """
    from seqtool import errors
    from seqtool.arrays.spool import Spool
    from seqtool.files import inputs, outputs
    from seqtool.files.temporary import temporary_folder
    from seqtool.plotting import check_matplotlib, picture
    from seqtool.plotting.marks import SUFFIXES, drawn_by_seqtool
    from seqtool.plotting.portrait import portrait
    from seqtool.sources.options import SourceOptions
    from seqtool.sources.read import read_sequences
    from seqtool.system import memory
    from seqtool.terminal import report

    if output is not None:
        outputs.check_not_an_input(Path(output), [Path(source or "-")])
        outputs.named_by(output, suffixes=SUFFIXES)
    check_matplotlib()
    limit, folder = memory.allowed(limits.max_memory), temporary_folder(limits.temp_dir)
    summary = report.Summary("plot")
    names = [source] if source else []
    with Spool(folder) as spool, inputs.opened(names, temp_dir=folder, memory=limit) as found:
        only_arrays(found, source, "plot")
        destination = outputs.choose(
            output,
            command="plot",
            inputs=[found[0].named_path, *foreign.files],
            may_replace=lambda path: force or drawn_by_seqtool(path),
            suffixes=SUFFIXES,
        )
        options = SourceOptions(foreign=foreign.described(), spool=spool, memory=limit)
        with summary.stage("reading"), errors.at(found[0].name):
            loaded = read_sequences(found[0], options)
            seen = portrait(
                loaded.ragged,
                maxlen=loaded.maxlen,
                padding=loaded.padding or foreign.side or "post",
                feature=feature,
            )
        with summary.stage("drawing"):
            drawn = picture(seen, title=found[0].name, suffix=destination.suffix)
        with destination.open() as (file, _):
            file.write(drawn)
    _describe(loaded, seen, found[0].name, summary)
    aside = ""
    if output is None and destination.path is not None and outputs.stdout_is_elsewhere():
        aside = f"; {Advice('-o', '-')} sends the data to standard output"
    summary.say("wrote", f"{destination.name}, {human(len(drawn))}{aside}")
    summary.facts |= {"output": str(destination.path or "-"), "bytes": len(drawn)}
    summary.show(quiet=quiet, verbose=verbose, as_json=as_json)


def _describe(loaded: Sequences, seen: Portrait, name: str, summary: Summary) -> None:
    """Say what was read and drawn, and what was not."""
    from seqtool.plotting.webpages import panels_in_words, sampled_in_words

    read = f"{count(len(loaded.ragged), 'sequence')}, {count(loaded.steps, 'step')} from {name}"
    summary.say("read", "; ".join([read, *loaded.notes]))
    summary.warnings += loaded.warnings
    sampled = sampled_in_words(seen)
    omitted = [*([sampled] if sampled else []), *(f"not drawn: {what}" for what in seen.omitted)]
    summary.say("drew", "; ".join([panels_in_words(seen), *omitted]))
    summary.facts |= {"inputs": [name], "notes": [*loaded.notes, *omitted], **seen.facts()}
