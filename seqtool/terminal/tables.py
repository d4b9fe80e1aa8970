"""Tables and pictures on standard output, drawn with rich."""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence
from typing import TYPE_CHECKING

from seqtool.errors import DataError
from seqtool.words import printable

if TYPE_CHECKING:
    from rich.console import Console


def console() -> Console:
    """The console of standard output, for tables; raises DataError when it is closed."""
    from rich.console import Console

    if sys.stdout is None:
        raise DataError("standard output is closed")
    plain = os.environ.get("NO_COLOR") or os.environ.get("TERM") == "dumb"  # not even bold
    # A table in a pipe is as wide as it needs to be.
    return Console(
        width=None if sys.stdout.isatty() else 120, highlight=False, color_system=None if plain else "auto"
    )


def show_table(
    out: Console,
    title: str,
    columns: Sequence[str],
    rows: Sequence[tuple[str, ...]],
    *,
    right: Sequence[str] = (),
    header: bool = True,
) -> None:
    """Print a table without lines between cells, under a bold title; names and cells are data, never markup."""
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
