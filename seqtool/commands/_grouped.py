"""What became of the rows of a table, in the summary of `group` and `apply`."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict

from seqtool.advice import Advice, Message
from seqtool.grouping.group import GroupResult
from seqtool.grouping.options import COMBINED
from seqtool.sequences.categories import MISSING, categories_of
from seqtool.sequences.orders import order_titles
from seqtool.tables.table import Table
from seqtool.terminal.report import Summary
from seqtool.words import count, listed


def describe_grouped(result: GroupResult, table: Table, names: list[str], summary: Summary) -> None:
    """Say which columns of a table were read, what became of its rows, and what to look at; `names` are its files."""
    read = f"{count(result.rows.rows_in, 'row')} from {listed(names, most=3)}"
    summary.say("read", "; ".join([read, *table.notes]))
    summary.facts |= {"inputs": names, "notes": table.notes}
    _say_columns(result, table, summary)
    say_computed(result, summary)
    say_dropped(result, summary)
    _say_incomplete(result, summary)
    _warn_of_numbers(result, summary)
    summary.warnings += result.warnings
    if not len(result.ragged):
        summary.warnings.append("no sequence is left")


def _say_columns(result: GroupResult, table: Table, summary: Summary) -> None:
    features = [*result.features, *result.computed]
    if features:
        summary.say("features", f"{len(features)}: {listed(features)}")
    summary.detail("features", ", ".join(features))
    categories = [one.name for one in categories_of(result.ragged)]
    others = _not_used(table, [*result.features, *categories])
    if others:
        summary.say("not used", f"as features: {listed(others)}")
    if "order" in result.ragged.per_step:
        summary.say("order", listed(order_titles(result.ragged)))
    if result.times:
        summary.say("times", "; ".join(f"{name}: {what}" for name, what in result.times.items()))
        summary.facts["times"] = dict(result.times)
    summary.facts |= {"features": features, "no_features": others}


def say_computed(result: GroupResult, summary: Summary) -> None:
    """Say how steps were computed from rows, and what other tables gave."""
    if result.grid is not None:
        summary.say("grid", result.grid)
        summary.facts["grid"] = result.grid
    if result.pivoted is not None:
        summary.say("pivoted", result.pivoted.line())
        summary.facts["pivoted"] = asdict(result.pivoted)
    for file in result.joined:
        summary.say("joined", file.line())
    if result.joined:
        summary.facts["joined"] = [asdict(file) for file in result.joined]


def say_dropped(result: GroupResult, summary: Summary, reasons: Mapping[str, str] | None = None) -> None:
    """Say how many rows were dropped and why; `reasons` are other words for some of the reasons."""
    for reason, number in result.rows.dropped.items():
        if number and reason != COMBINED:
            summary.say("dropped", f"{count(number, 'row')}: {(reasons or {}).get(reason, reason)}")


def _say_incomplete(result: GroupResult, summary: Summary) -> None:
    """Say how many rows, or steps of several rows, have no label, no name of a category, or no order of their own."""
    for name, number in result.unlabelled.items():
        summary.say("kept", f"{count(number, 'row')} without {name}")
    for what, names in (("row", result.missing_categories), ("step", result.unnamed)):
        for name, number in names.items():
            summary.say("missing", f"{count(number, what)} without {name}: id {MISSING}")
    if result.ties:
        tie, keep = ("ties", "it keeps") if result.ties == 1 else ("tie", "they keep")
        summary.say("ties", f"{count(result.ties, 'row')} {tie} in --order-by; {keep} file order")
    summary.facts["ties"] = result.ties


def _warn_of_numbers(result: GroupResult, summary: Summary) -> None:
    warn_of_missing(result, summary)
    summary.facts["missing"] = result.missing
    if result.coarse:
        summary.warnings.append(
            Message(
                f"{listed(result.coarse)}: float32 loses fractional precision past 16,777,216; keep it with ",
                Advice("--dtype", "float64"),
            )
        )


def warn_of_missing(result: GroupResult, summary: Summary) -> None:
    """Warn of missing values, which are NaN in the sequences; of the many columns of a pivot the first are named."""
    if result.missing:
        counts = [f"{name} {number:,}" for name, number in result.missing.items()]
        shown = ", ".join(counts) if result.pivoted is None else listed(counts)
        summary.warnings.append(f"missing values became NaN: {shown}")


def _not_used(table: Table, features: list[str]) -> list[str]:
    """The columns that are no features; of a column of lists itself, or its elements where none of them is one."""
    names = set(features)
    used = {column for column in range(len(table.columns)) if table.label(column) in names}
    hidden = used if table.counter is None else {*used, table.counter}
    for column, elements in table.elements.items():
        hidden |= {column} if used.intersection(elements) else {*elements}
    return [table.label(column) for column in range(len(table.columns)) if column not in hidden]
