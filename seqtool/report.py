"""All that a person sees: summaries and warnings on standard error, tables on standard output.

Rich is loaded only where it draws: in tables, and for a bar on a terminal.
"""

from __future__ import annotations

import contextlib
import json
import os
import sys
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import typer

from seqtool import memory
from seqtool.errors import DataError, printable

if TYPE_CHECKING:
    from rich.console import Console

_FEATURES_SHOWN = 8
_BAR_AFTER = 1.0  # seconds of work before a bar is worth a look


@dataclass
class Summary:
    """What a command tells when it is done: short lines under a word each, and the same as data.

    `facts` is what `--json` shows. `warnings` are shown unless `--quiet`; they end up in the facts too.
    """

    command: str
    lines: list[tuple[str, str]] = field(default_factory=list)
    details: list[tuple[str, str]] = field(default_factory=list)
    warnings: list[str] = field(default_factory=list)
    facts: dict[str, Any] = field(default_factory=dict)
    seconds: dict[str, float] = field(default_factory=dict)

    @contextmanager
    def stage(self, name: str) -> Iterator[None]:
        """Take the time of the block, which is a part of the work; `--json` and `--verbose` tell it."""
        begin = time.perf_counter()
        try:
            yield
        finally:
            self.seconds[name] = self.seconds.get(name, 0.0) + time.perf_counter() - begin

    def say(self, word: str, text: str) -> None:
        """Add a line."""
        self.lines.append((word, text))

    def detail(self, word: str, text: str) -> None:
        """Add a line that only `--verbose` shows."""
        self.details.append((word, text))

    def show(self, *, quiet: bool, verbose: bool, as_json: bool) -> None:
        """Write it to standard error."""
        if sys.stderr is None:  # closed: print would fall back to standard output, where the data goes
            return
        took = {name: round(seconds, 3) for name, seconds in self.seconds.items()}
        most = memory.peak()
        if as_json:
            facts = {"command": self.command, **self.facts, "warnings": self.warnings}
            facts |= {"seconds": took, "peak_memory": most}
            with contextlib.suppress(OSError):  # the output stands, whether it can be told or not
                print(json.dumps(facts), file=sys.stderr, flush=True)
            return
        if quiet:
            return
        lines = [*self.lines, *(self.details if verbose else [])]
        if verbose and took:
            lines.append(("took", ", ".join(f"{name} {seconds:.1f} s" for name, seconds in took.items())))
            if most is not None:
                lines.append(("memory", f"{memory.human(most)} at most"))
        width = max((len(word) for word, _ in lines), default=0)
        # None: colours on a terminal alone.
        color = False if os.environ.get("NO_COLOR") or os.environ.get("TERM") == "dumb" else None
        for word, text in lines:
            typer.echo(
                f"{typer.style(word.ljust(width), dim=True)}  {printable(text)}", err=True, color=color
            )
        for warning in self.warnings:
            typer.echo(f"{typer.style('warning:', fg='yellow')} {printable(warning)}", err=True, color=color)


def count(number: int, noun: str) -> str:
    """A number with its noun, thousands separated.

    >>> count(1, "row"), count(5000, "row")
    ('1 row', '5,000 rows')
    """
    return f"{number:,} {noun}{'' if number == 1 else 's'}"


def listed(names: Sequence[str], most: int = 8) -> str:
    """Names with commas; of many, the first and the last.

    >>> listed(list("abcdefghijk"), most=3)
    'a, b, ... k'
    """
    if len(names) <= most:
        return ", ".join(names)
    return f"{', '.join(names[: most - 1])}, ... {names[-1]}"


def console() -> Console:
    """Where tables go: standard output; raises DataError when it is closed."""
    from rich.console import Console

    if sys.stdout is None:
        raise DataError("standard output is closed")
    # A table in a pipe is as wide as it needs to be.
    return Console(width=None if sys.stdout.isatty() else 120, highlight=False)


def print_json(data: Mapping[str, Any]) -> None:
    """Write data to standard output as one JSON object."""
    if sys.stdout is None:
        raise DataError("standard output is closed")
    print(json.dumps(data, indent=2))


class Progress:
    """A bar on standard error that appears once work takes longer than a second.

    It tells rows where they are counted, bytes, the rate, and the time left where the end is known.
    """

    def __init__(self, title: str, total: int | None, *, shown: bool) -> None:
        self._title = title
        self._total = total
        self._shown = shown
        self._begin = time.monotonic()
        self._done = 0
        self._rows: int | None = None
        self._bar: Any = None
        self._task: Any = None

    def advance(self, amount: int) -> None:
        """So many more bytes are done."""
        self(self._done + amount)

    def __call__(self, done: int, rows: int | None = None) -> None:
        """So many bytes are done by now, and so many rows."""
        self._done, self._rows = done, rows
        if self._bar is not None:
            self._bar.update(self._task, completed=done, rows=self._words())
        elif self._shown and time.monotonic() - self._begin > _BAR_AFTER:
            self._start()

    def _words(self) -> str:
        return "" if self._rows is None else f"{self._rows:,} rows"

    def _start(self) -> None:
        from rich import progress
        from rich.console import Console

        self._bar = progress.Progress(
            progress.TextColumn("{task.description}"),
            progress.BarColumn(),
            progress.TextColumn("{task.fields[rows]}"),
            progress.DownloadColumn(),
            progress.TransferSpeedColumn(),
            progress.TimeRemainingColumn(compact=True),
            console=Console(stderr=True),
            transient=True,
        )
        self._task = self._bar.add_task(
            self._title, total=self._total, completed=self._done, rows=self._words()
        )
        self._bar.start()

    def stop(self) -> None:
        """Take the bar away."""
        if self._bar is not None:
            self._bar.stop()


@contextmanager
def progress(title: str, total: int | None, *, quiet: bool) -> Iterator[Progress]:
    """A bar for the work of the block; none with `quiet`, and none where standard error is no terminal.

    `total` is in bytes, None where nobody knows.
    """
    shown = not quiet and sys.stderr is not None and sys.stderr.isatty()
    bar = Progress(title, total, shown=shown)
    try:
        yield bar
    finally:
        bar.stop()


def watch(summary: Summary, *, quiet: bool) -> Callable[[str, int | None], AbstractContextManager[Progress]]:
    """What shows a bar for each stage of the work and takes its time: called with its name and its bytes."""

    @contextmanager
    def watched(stage: str, total: int | None) -> Iterator[Progress]:
        with summary.stage(stage), progress(stage, total, quiet=quiet) as bar:
            yield bar

    return watched


def show_file(facts: Mapping[str, Any]) -> None:
    """Draw what `seqtool.describing.describe` found."""
    out = console()
    rows = [
        (
            array["name"],
            " x ".join(f"{size:,}" for size in array["shape"]) or "one",
            array["dtype"],
            memory.human(array["bytes"]),
        )
        for array in facts["arrays"]
    ]
    _table(out, str(facts["file"]), ["array", "shape", "dtype", "size"], rows, right=["size"])
    sequences = facts.get("sequences")
    if sequences is None:
        return
    _table(out, "sequences", ["", ""], list(_sequence_facts(sequences)), header=False)
    for i, preview in enumerate(sequences["preview"]):
        _show_preview(out, i, preview, sequences.get("features"))


def _show_preview(out: Console, i: int, preview: Mapping[str, Any], features: Sequence[str] | None) -> None:
    """The first steps of one sequence, with its first features."""
    parts = [f"{name} {preview[name]}" for name in ("key", "y") if name in preview]
    title = ", ".join([*parts, count(preview["length"], "step")])
    width = len(preview["steps"][0]) if preview["steps"] else 0
    names = list(features or map(str, range(width)))[:_FEATURES_SHOWN]
    rows = [(str(t), *step[: len(names)]) for t, step in enumerate(preview["steps"])]
    if preview["length"] > len(rows):
        rows.append(("...", *[""] * len(names)))
    _table(out, f"sequence {i}: {title}", ["step", *names], rows, right=["step", *names])


def _table(
    out: Console,
    title: str,
    columns: Sequence[str],
    rows: Sequence[tuple[str, ...]],
    *,
    right: Sequence[str] = (),
    header: bool = True,
) -> None:
    """A calm table under a bold title; names and cells are data, never markup."""
    from rich import box
    from rich.table import Table
    from rich.text import Text

    table = Table(box=box.SIMPLE_HEAD if header else None, show_header=header, padding=(0, 2, 0, 1))
    for name in columns:
        table.add_column(
            Text(printable(name)), justify="right" if name in right else "left", no_wrap=name in right
        )
    for row in rows:
        table.add_row(*(Text(printable(cell)) for cell in row))
    out.print(Text(printable(title), style="bold"))
    out.print(table)
    if not header:
        out.print()


def _sequence_facts(sequences: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    empty = f", {sequences['empty']:,} of them empty" if sequences["empty"] else ""
    yield "kind", str(sequences["kind"])
    yield "count", f"{count(sequences['count'], 'sequence')}, {count(sequences['steps'], 'step')}{empty}"
    lengths = sequences["lengths"]
    if lengths:
        yield "lengths", f"min {lengths['min']:,}, median {lengths['median']:,g}, max {lengths['max']:,}"
    if "padding" in sequences:
        yield (
            "padding",
            f"{sequences['padding']}, with {sequences['value']}, {sequences['padding_share']:.1%} of all steps",
        )
    if "keys" in sequences:
        yield "keys", f"{sequences['keys']['count']:,}, {sequences['keys']['kind']}"
    if "features" in sequences:
        yield "features", listed(sequences["features"])
    if "classes" in sequences:
        yield "classes", listed([str(name) for name in sequences["classes"]])
    for entry in sequences["receipt"]:
        rows = entry["rows"]
        dropped = sum(rows["dropped"].values())
        yield (
            f"by {entry['command']}",
            f"{rows['in']:,} steps in = {rows['kept']:,} kept + {rows['cut']:,} cut + {dropped:,} dropped",
        )
