"""What a command reports when it is done: a summary and warnings on standard error, or data as JSON."""

from __future__ import annotations

import contextlib
import json
import os
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import typer

from seqtool.advice import advice_in
from seqtool.errors import DataError
from seqtool.system.platform import peak_memory
from seqtool.words import human, printable

SCHEMA = 1  # of all JSON that is written; it grows when a key goes, or comes to mean something else


@dataclass
class Summary:
    """What a command reports when it is done: short lines under a word each, and the same as data.

    `facts` is what `--json` shows. `warnings` are shown unless `--quiet`; they end up in the facts too, and so does the
    advice in them.
    """

    command: str
    lines: list[tuple[str, str]] = field(default_factory=list)
    details: list[tuple[str, str]] = field(default_factory=list)
    warnings: list[str] = field(default_factory=list)
    facts: dict[str, Any] = field(default_factory=dict)
    seconds: dict[str, float] = field(default_factory=dict)

    @contextmanager
    def stage(self, name: str) -> Iterator[None]:
        """Take the time of the block, which is a part of the work; `--json` and `--verbose` show it."""
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
        most = peak_memory()
        if as_json:
            facts = {"schema": SCHEMA, "command": self.command, **self.facts, "warnings": self.warnings}
            if advice := advice_in(*self.warnings):
                facts["advice"] = [*map(str, advice)]
            facts |= {"seconds": took, "peak_memory": most}
            with contextlib.suppress(OSError):  # the output stands, whether this can be written or not
                print(json.dumps(facts), file=sys.stderr, flush=True)
            return
        if quiet:
            return
        lines = [*self.lines, *(self.details if verbose else [])]
        if verbose and took:
            lines.append(("took", ", ".join(f"{name} {seconds:.1f} s" for name, seconds in took.items())))
            if most is not None:
                lines.append(("memory", f"peak {human(most)}"))
        width = max((len(word) for word, _ in lines), default=0)
        # None: colours on a terminal alone.
        color = False if os.environ.get("NO_COLOR") or os.environ.get("TERM") == "dumb" else None
        for word, text in lines:
            typer.echo(
                f"{typer.style(word.ljust(width), dim=True)}  {printable(text)}", err=True, color=color
            )
        for warning in self.warnings:
            typer.echo(f"{typer.style('warning:', fg='yellow')} {printable(warning)}", err=True, color=color)


def print_json(data: Mapping[str, Any]) -> None:
    """Write data to standard output as one JSON object, the version of its schema first."""
    print_text(json.dumps({"schema": SCHEMA, **data}, indent=2))


def print_text(text: str) -> None:
    """Write text to standard output; raises DataError when it is closed."""
    if sys.stdout is None:
        raise DataError("standard output is closed")
    print(text)
