"""What a command reports when it is done: a summary and warnings on standard error, or data as JSON."""

from __future__ import annotations

import contextlib
import json
import os
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import field
from typing import Any

import typer

from seqtool.advice import advice_in
from seqtool.dataclass import dataclass
from seqtool.errors import DataError
from seqtool.system.platform import peak_memory
from seqtool.words import human, printable

SCHEMA = 1  # version of all JSON that is written; it grows when a key is removed or changes its meaning


@dataclass
class Summary:
    """What a command reports when it is done: short lines, each with a word in front, and the same as data.

    `--json` shows `facts`, with the warnings and the advice in them. `--verbose` adds the `details`; `--quiet` shows
    nothing. `seconds` are those that each stage took; `shown` are the warnings that were shown before the end.
    """

    command: str
    lines: list[tuple[str, str]] = field(default_factory=list)
    details: list[tuple[str, str]] = field(default_factory=list)
    warnings: list[str] = field(default_factory=list)
    facts: dict[str, Any] = field(default_factory=dict)
    seconds: dict[str, float] = field(default_factory=dict)
    shown: list[str] = field(default_factory=list)

    @contextmanager
    def stage(self, name: str) -> Iterator[None]:
        """Time the block as a stage of the work; `--json` and `--verbose` show the seconds."""
        begin = time.perf_counter()
        try:
            yield
        finally:
            self.seconds[name] = self.seconds.get(name, 0.0) + time.perf_counter() - begin

    def say(self, word: str, text: str) -> None:
        """Add a line, `text` behind `word`."""
        self.lines.append((word, text))

    def detail(self, word: str, text: str) -> None:
        """Add a line that only `--verbose` shows."""
        self.details.append((word, text))

    def warn_now(self, text: str, *, shown: bool) -> None:
        """Add a warning, and show it at once, for what it says of the work that begins; `shown` as the rest will be."""
        self.warnings.append(text)
        if shown and sys.stderr is not None:
            self.shown.append(text)
            with contextlib.suppress(OSError):
                _print_warning(text)

    def show(self, *, quiet: bool, verbose: bool, as_json: bool) -> None:
        """Write it to standard error; where that is closed or full, it is lost, for the output is complete."""
        if sys.stderr is None:  # closed: print would fall back to standard output, where the data goes
            return
        with contextlib.suppress(OSError):
            if as_json:
                print(json.dumps(self._as_data()), file=sys.stderr, flush=True)
            elif not quiet:
                self._print_lines(verbose=verbose)

    def _as_data(self) -> dict[str, Any]:
        """The facts, with the warnings, the advice in them, the seconds of each stage and the peak of memory."""
        data = {"schema": SCHEMA, "command": self.command, **self.facts, "warnings": self.warnings}
        if advice := advice_in(*self.warnings):
            data["advice"] = [*map(str, advice)]
        seconds = {stage: round(seconds, 3) for stage, seconds in self.seconds.items()}
        return data | {"seconds": seconds, "peak_memory": peak_memory()}

    def _print_lines(self, *, verbose: bool) -> None:
        lines = [*self.lines, *(self.details if verbose else [])]
        if verbose and self.seconds:
            took = ", ".join(f"{stage} {seconds:.1f} s" for stage, seconds in self.seconds.items())
            lines.append(("took", took))
            peak = peak_memory()
            if peak is not None:
                lines.append(("memory", f"peak {human(peak)}"))
        width = max((len(word) for word, _ in lines), default=0)
        color = _color()
        for word, text in lines:
            typer.echo(
                f"{typer.style(word.ljust(width), dim=True)}  {printable(text)}", err=True, color=color
            )
        for warning in self.warnings:
            if warning not in self.shown:
                _print_warning(warning)


def _print_warning(text: str) -> None:
    typer.echo(f"{typer.style('warning:', fg='yellow')} {printable(text)}", err=True, color=_color())


def _color() -> bool | None:
    """None lets typer use colours on a terminal alone."""
    return False if os.environ.get("NO_COLOR") or os.environ.get("TERM") == "dumb" else None


def print_json(data: Mapping[str, Any]) -> None:
    """Write data to standard output as one JSON object, the version of its schema first."""
    print_text(json.dumps({"schema": SCHEMA, **data}, indent=2))


def print_text(text: str) -> None:
    """Write text to standard output; raises DataError when it is closed."""
    if sys.stdout is None:
        raise DataError("standard output is closed")
    print(text)
