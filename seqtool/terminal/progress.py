"""Progress bars on standard error for long work, and the seconds that each stage of it takes.

Rich is imported only when a bar appears.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from typing import Any

from seqtool.terminal.report import Summary

_BAR_AFTER = 1.0  # seconds of work until a bar appears


class Progress:
    """A bar on standard error that appears once work takes longer than a second.

    It shows the rows where they are counted, the bytes, the rate, and the time left where the total is known.
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
        """Add so many bytes to those that are done."""
        self(self._done + amount)

    def __call__(self, done: int, rows: int | None = None) -> None:
        """Show that so many bytes, and rows, are done in all."""
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
        """Remove the bar."""
        if self._bar is not None:
            self._bar.stop()


@contextmanager
def progress(title: str, total: int | None, *, quiet: bool) -> Iterator[Progress]:
    """A bar for the work of the block; with `quiet`, or where standard error is no terminal, it never appears.

    `total` is in bytes, None where it is unknown.
    """
    shown = not quiet and sys.stderr is not None and sys.stderr.isatty()
    bar = Progress(title, total, shown=shown)
    try:
        yield bar
    finally:
        bar.stop()


def watch(summary: Summary, *, quiet: bool) -> Callable[[str, int | None], AbstractContextManager[Progress]]:
    """A function that shows a bar for a stage of the work and times it: called with its name and its bytes."""

    @contextmanager
    def watched(stage: str, total: int | None) -> Iterator[Progress]:
        with summary.stage(stage), progress(stage, total, quiet=quiet) as bar:
            yield bar

    return watched
