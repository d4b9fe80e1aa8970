"""One calm table a case."""

from __future__ import annotations

import statistics
from collections.abc import Callable
from typing import TYPE_CHECKING

from tests.benchmarks.measuring import Case, Measured

if TYPE_CHECKING:
    from rich.console import Console

WIDTH = 110
Cell = Callable[[Measured], str]


def draw(case: Case, all_measured: list[Measured], rounds: int, console: Console) -> None:
    """Print what was measured: a row a contender; below it, what is to be said about some."""
    from rich.box import SIMPLE_HEAD
    from rich.table import Table
    from rich.text import Text

    console.print(Text(f"{case.name}: {case.about}; medians of {rounds}", style="bold"))
    table = Table(box=SIMPLE_HEAD, pad_edge=False, show_edge=False)
    columns = {
        heading: cell
        for heading, cell in _columns(case, all_measured).items()
        if any(map(cell, all_measured))
    }
    table.add_column("", no_wrap=True)
    for heading in columns:
        table.add_column(heading, justify="right")
    for measured in all_measured:
        cells = ["-" if measured.failure else cell(measured) for cell in columns.values()]
        style = "dim" if measured.failure or measured.contender.name.startswith("floor") else ""
        table.add_row(_name(measured, rounds), *cells, style=style)
    console.print(table)
    for measured in all_measured:
        note = measured.failure or measured.difference
        if note:
            console.print(Text(f"{measured.contender.name}: {note}", style="dim"))
    console.print()


def _name(measured: Measured, rounds: int) -> str:
    enough = measured.contender.rounds
    fewer = enough is not None and enough < rounds and not measured.failure
    return f"{measured.contender.name} ({enough} of {rounds} rounds)" if fewer else measured.contender.name


def _columns(case: Case, all_measured: list[Measured]) -> dict[str, Cell]:
    """The headings and what stands below them."""
    first = all_measured[0]
    floor = next((each for each in all_measured if each.contender.name == "floor"), None)
    copy = next((each for each in all_measured if each.contender.name == "copy"), None)
    return {
        f"{case.rate}\na second": lambda each: _number(_rate(each), 0) if case.rate else "",
        "seconds": lambda each: _number(each.median, 2),
        "fastest": lambda each: "" if case.processor else _number(min(each.seconds, default=None), 2),
        f"time of\n{case.base}'s": lambda each: _ratio(each.median, first.median),
        "time of\nfloor's": lambda each: (
            _ratio(each.median, floor.median) if floor and not case.processor else ""
        ),
        "CPU\nseconds": lambda each: _number(_processor(each), 2) if case.processor else "",
        f"CPU of\n{case.base}'s": lambda each: (
            _ratio(_processor(each), _processor(first)) if case.processor else ""
        ),
        "CPU of\ncopy's": lambda each: _ratio(_processor(each), _processor(copy)) if copy else "",
        "time a row,\nof the first": lambda each: _ratio(_a_row(each), _a_row(first)),
        "seconds of\nall cores": lambda each: (
            _number(statistics.median(each.processors), 1) if each.contender.whole and each.processors else ""
        ),
        "memory\nMB": lambda each: _number(each.peak, 0, 1e6),
        f"memory of\n{case.base}'s": lambda each: _ratio(each.peak, first.peak),
        "file\nMB": lambda each: _number(each.size, 1, 1e6) if case.sizes else "",
        f"file of\n{case.base}'s": lambda each: _ratio(each.size, first.size) if case.sizes else "",
        "same\narrays": lambda each: {None: "", True: "no", False: "yes"}[_differs(each)],
    }


def _processor(measured: Measured) -> float | None:
    return statistics.median(measured.processors) if measured.processors and not measured.failure else None


def _a_row(measured: Measured) -> float | None:
    rows = measured.contender.rows
    return measured.median / rows if rows and measured.median is not None else None


def _rate(measured: Measured) -> float | None:
    rows = measured.contender.rows
    return rows / measured.median if rows and measured.median else None


def _differs(measured: Measured) -> bool | None:
    return None if measured.difference is None else bool(measured.difference)


def _number(value: float | None, digits: int, unit: float = 1) -> str:
    return "" if value is None else f"{value / unit:,.{digits}f}"


def _ratio(value: float | None, of: float | None) -> str:
    return "" if value is None or not of else f"{value / of:.2f}"
