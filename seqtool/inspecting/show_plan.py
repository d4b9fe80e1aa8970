"""The tables of a plan on standard output: what each padded length costs, and what to do."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from seqtool.terminal.pictures import show_histogram
from seqtool.terminal.tables import console, show_table
from seqtool.words import by_size, count, human, listed, percent, printable

if TYPE_CHECKING:
    from rich.console import Console


_TEXT = 80  # columns of running text at most, however wide the terminal is


def show_plan(facts: Mapping[str, Any]) -> None:
    """Draw the facts of a `seqtool.inspecting.planning.LengthPlan` and what `seqtool plan` adds to them."""
    from rich.text import Text

    out = console()
    advice = facts["advice"]
    out.print(Text(printable(listed(facts["inputs"], most=3)), style="bold"), soft_wrap=True)
    for line in _read(facts):
        _put(out, line)
    out.print()
    show_histogram(out, [tuple(bar.values()) for bar in facts["histogram"]], marked=advice["maxlen"])
    if facts["candidates"]:
        _show_candidates(out, facts)
        _show_savings(out, facts)
    if advice["maxlen"] is not None:
        out.print(Text("ragged" if advice["ragged"] else f"maxlen {advice['maxlen']:,}", style="bold"))
    _put(out, advice["reason"])
    if facts["command"]:
        out.print(Text(f"\n  {printable(facts['command'])}", style="bold"), soft_wrap=True)


def _put(out: Console, text: str) -> None:
    """Lines below a bold one, wrapped between words."""
    from rich.text import Text

    for line in Text(printable(text)).wrap(out, min(out.width, _TEXT) - 2):
        line.rstrip()
        out.print(Text.assemble("  ", line))


def _read(facts: Mapping[str, Any]) -> list[str]:
    """What was read, and what was taken for granted."""
    parts = [count(facts["sequences"], "sequence"), count(facts["steps"], "step")]
    parts += [] if facts["features"] is None else [count(facts["features"], "feature")]
    parts[-1] += f" of {by_size(facts['step_shape'])}" if "step_shape" in facts else ""
    lengths = facts["lengths"]
    if not lengths:
        return [", ".join(parts), *facts["notes"]]
    ends = [f"shortest {lengths['min']:,}", f"median {lengths['median']:,g}", f"longest {lengths['max']:,}"]
    empty = f"; {facts['empty']:,} without a step" if facts["empty"] else ""
    return [", ".join(parts), f"{', '.join(ends)}{empty}", *facts["notes"]]


def _show_candidates(out: Console, facts: Mapping[str, Any]) -> None:
    chosen = facts["advice"]["maxlen"]
    rows = [
        (
            f"{'▸ ' if found['maxlen'] == chosen else ''}{found['maxlen']:,}",
            found["origin"].removesuffix(" of sequences").replace(" of ", " "),
            _part(found["cut"], facts["sequences"]),
            percent(found["lost"], facts["steps"]),  # how many is in the JSON: the table fits 80 columns
            percent(found["padding"], found["slots"]),
            human(found["nbytes"]),
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
    ways += [(_way(saving), saving) for saving in facts["savings"]]
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


def _way(saving: Mapping[str, Any]) -> str:
    """A way to pad less, in words."""
    maxlens = saving["maxlens"]
    if maxlens:
        return f"{len(maxlens)} buckets, to {listed([f'{maxlen:,}' for maxlen in maxlens], most=4)}"
    if saving["batch_size"]:
        return f"batches of {saving['batch_size']} by length"
    return "packed: no padding"
