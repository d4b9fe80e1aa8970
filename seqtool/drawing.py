"""Tables and pictures on standard output, drawn with rich."""

from __future__ import annotations

import sys
from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from seqtool import memory
from seqtool.errors import DataError, printable
from seqtool.report import count, listed

if TYPE_CHECKING:
    from rich.console import Console

_FEATURES_SHOWN = 8


def console() -> Console:
    """Where tables go: standard output; raises DataError when it is closed."""
    from rich.console import Console

    if sys.stdout is None:
        raise DataError("standard output is closed")
    # A table in a pipe is as wide as it needs to be.
    return Console(width=None if sys.stdout.isatty() else 120, highlight=False)


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
