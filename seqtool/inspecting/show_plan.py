"""The tables of a plan on standard output: what each padded length costs, and what to do."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from seqtool.terminal.pictures import show_histogram
from seqtool.terminal.tables import console, show_table
from seqtool.words import by_size, count, human, listed, percent, printable

if TYPE_CHECKING:
    from rich.console import Console


_WIDEST = 80  # columns of running text, however wide the terminal is


def show_plan(facts: Mapping[str, Any]) -> None:
    """Print the facts of a `seqtool.inspecting.planning.LengthPlan`, with those that `seqtool plan` adds to them."""
    from rich.text import Text

    out = console()
    advice = facts["advice"]
    out.print(Text(printable(listed(facts["inputs"], most=3)), style="bold"), soft_wrap=True)
    for line in _about_input(facts):
        _print_wrapped(out, line)
    out.print()
    show_histogram(out, [tuple(bar.values()) for bar in facts["histogram"]], marked=advice["maxlen"])
    if facts["candidates"]:
        _show_candidates(out, facts)
        _show_savings(out, facts)
    if advice["maxlen"] is not None:
        out.print(Text("ragged" if advice["ragged"] else f"maxlen {advice['maxlen']:,}", style="bold"))
    _print_wrapped(out, advice["reason"])
    if facts["command"]:
        out.print(Text(f"\n  {printable(facts['command'])}", style="bold"), soft_wrap=True)


def _print_wrapped(out: Console, text: str) -> None:
    """Print running text, indented and wrapped between words."""
    from rich.text import Text

    for line in Text(printable(text)).wrap(out, min(out.width, _WIDEST) - 2):
        line.rstrip()
        out.print(Text.assemble("  ", line))


def _about_input(facts: Mapping[str, Any]) -> list[str]:
    """Lines about the sequences that were measured, and the notes of reading them."""
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
            _count_and_share(found["cut"], facts["sequences"]),
            percent(found["lost"], facts["steps"]),  # how many is in the JSON: the table fits 80 columns
            percent(found["padding"], found["slots"]),
            human(found["nbytes"]),
        )
        for found in facts["candidates"]
    ]
    right = ["maxlen", "sequences cut", "steps lost", "padding", "x"]
    title = f"one block: what each maxlen costs, x as {facts['dtype']}"
    show_table(out, title, ["maxlen", "from", *right[1:]], rows, right=right)


def _count_and_share(part: int, whole: int) -> str:
    return f"{part:,} ({percent(part, whole)})" if part else "0"


def _show_savings(out: Console, facts: Mapping[str, Any]) -> None:
    """A table of the slots that one block, buckets, batches and packing take."""
    blocks = {found["maxlen"]: found for found in facts["candidates"]}
    longest = facts["candidates"][-1]
    layouts = [(f"one block, longest: {longest['maxlen']:,}", longest)]
    if facts["advice"]["maxlen"] != longest["maxlen"]:
        advised = blocks[facts["advice"]["maxlen"]]
        layouts.append((f"one block, maxlen {advised['maxlen']:,}", advised))
    layouts += [(_saving_in_words(saving), saving) for saving in facts["savings"]]
    rows = [
        (
            name,
            f"{layout['slots']:,}",
            percent(layout["padding"], layout["slots"]),
            f"{longest['slots'] / layout['slots']:,.1f} x",
        )
        for name, layout in layouts
    ]
    right = ["slots", "padding", "times fewer"]
    show_table(out, "slots in all, one block or batches by length", ["", *right], rows, right=right)


def _saving_in_words(saving: Mapping[str, Any]) -> str:
    maxlens = saving["maxlens"]
    if maxlens:
        return f"{len(maxlens)} buckets, to {listed([f'{maxlen:,}' for maxlen in maxlens], most=4)}"
    if saving["batch_size"]:
        return f"batches of {saving['batch_size']} by length"
    return "packed: no padding"
