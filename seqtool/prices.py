"""The tables of a plan on standard output: what each padded length costs, and what to do."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from seqtool import memory
from seqtool.drawing import console, show_table
from seqtool.errors import printable
from seqtool.pictures import show_histogram
from seqtool.planning import percent
from seqtool.report import count, listed

if TYPE_CHECKING:
    from rich.console import Console


def show_plan(facts: Mapping[str, Any]) -> None:
    """Draw the facts of a `seqtool.planning.LengthPlan` and what `seqtool plan` adds to them."""
    from rich.text import Text

    out = console()
    advice = facts["advice"]
    out.print(Text(printable(_read(facts))), soft_wrap=True)
    out.print()
    show_histogram(out, [tuple(bar.values()) for bar in facts["histogram"]], marked=advice["maxlen"])
    if facts["candidates"]:
        _show_candidates(out, facts)
        _show_savings(out, facts)
    what = (
        ""
        if advice["maxlen"] is None
        else "ragged: "
        if advice["ragged"]
        else f"maxlen {advice['maxlen']:,}: "
    )
    out.print(Text.assemble((what, "bold"), advice["reason"]))
    if facts["command"]:
        out.print(Text(f"\n  {printable(facts['command'])}", style="bold"), soft_wrap=True)


def _read(facts: Mapping[str, Any]) -> str:
    """One line: what was read."""
    parts = [count(facts["sequences"], "sequence"), count(facts["steps"], "step")]
    parts += [] if facts["features"] is None else [count(facts["features"], "feature")]
    lengths = facts["lengths"]
    if lengths:
        parts.append(
            f"shortest {lengths['min']:,}, median {lengths['median']:,g}, longest {lengths['max']:,}"
        )
    notes = [f"{facts['empty']:,} empty"] if facts["empty"] else []
    return "; ".join([f"{listed(facts['inputs'], most=3)}: {', '.join(parts)}", *notes, *facts["notes"]])


def _show_candidates(out: Console, facts: Mapping[str, Any]) -> None:
    chosen = facts["advice"]["maxlen"]
    rows = [
        (
            f"{found['maxlen']:,}",
            found["origin"].removesuffix(" of sequences") + (" ◂" if found["maxlen"] == chosen else ""),
            _part(found["cut"], facts["sequences"]),
            _part(found["lost"], facts["steps"]),
            percent(found["padding"], found["slots"]),
            memory.human(found["nbytes"]),
        )
        for found in facts["candidates"]
    ]
    right = ["maxlen", "sequences cut", "steps lost", "padding", "x"]
    title = f"one block: what each maxlen costs, x as {facts['dtype']}"
    show_table(out, title, ["maxlen", "from", *right[1:]], rows, right=right)


def _part(some: int, whole: int) -> str:
    return f"{some:,} ({percent(some, whole)})" if some else "0"


def _show_savings(out: Console, facts: Mapping[str, Any]) -> None:
    """What one block, buckets and packing take of slots, beside padding to the longest."""
    blocks = {found["maxlen"]: found for found in facts["candidates"]}
    longest = facts["candidates"][-1]
    ways = [(f"one block, longest: {longest['maxlen']:,}", longest)]
    if facts["advice"]["maxlen"] != longest["maxlen"]:
        one = blocks[facts["advice"]["maxlen"]]
        ways.append((f"one block, maxlen {one['maxlen']:,}", one))
    for saving in facts["savings"]:
        edges = saving["maxlens"]
        name = (
            f"{len(edges)} buckets, to {listed([f'{n:,}' for n in edges])}" if edges else "packed: no padding"
        )
        ways.append((name, saving))
    rows = [
        (
            name,
            f"{way['slots']:,}",
            percent(way["padding"], way["slots"]),
            f"{longest['slots'] / way['slots']:,.1f} x",
        )
        for name, way in ways
    ]
    right = ["slots", "padding", "times fewer"]
    show_table(out, "slots in all, one block or batches by length", ["", *right], rows, right=right)
