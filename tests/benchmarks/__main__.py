"""`python -m tests.benchmarks [CASE ...]`: one table a case, of medians, peak memory and ratios.

Every contender is a whole process, from start to exit, and the contenders of a case take turns, so that a noisy
machine is noisy for all of them. seqtool flushes its output to the disk (fsync), and so does the second floor; the
others do not. Data goes to the folder for temporary files (TMPDIR), and is removed after its case. What
contenders need beyond seqtool is in the extra `bench`; those that are not installed are left out, and that is said.
"""

from __future__ import annotations

import argparse
import importlib.metadata
import json
import os
import platform
import sys
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from tests.benchmarks import (
    compress,
    external,
    filtering,
    formats,
    group,
    growth,
    loading,
    padding,
    recipe,
    scaling,
    shards,
    splitting,
    start,
    timing,
    unpad,
    windows,
)
from tests.benchmarks.measuring import SEQTOOL, Case, Contender, Measured, measure, scratch
from tests.benchmarks.table import WIDTH, draw

ROWS = 5_000_000
QUICK_ROWS, QUICK_ROUNDS = 50_000, 2
LIBRARIES = (
    "numpy",
    "pyarrow",
    "pandas",
    "polars",
    "duckdb",
    "keras",
    "torch",
    "tensorflow",
    "datasets",
    "awkward",
)


def all_cases(rows: int, slow: bool) -> list[Case]:
    """Every case, for so many rows of `group`, to which the numbers of the others are in proportion."""
    scale = rows / ROWS
    return [
        *group.cases(rows, slow),
        *group.of_names(rows),
        *filtering.cases(scale),
        *padding.cases(scale),
        *scaling.cases(scale),
        *splitting.cases(scale),
        *timing.cases(scale),
        *recipe.cases(scale),
        *unpad.cases(scale),
        *windows.cases(scale),
        *formats.cases(scale),
        *compress.cases(scale),
        *external.cases(scale),
        *start.cases(),
        *loading.cases(scale),
        *growth.cases(scale),
        *shards.cases(scale),
    ]


def chosen(cases: Sequence[Case], words: Sequence[str]) -> list[Case]:
    """The cases whose names contain one of the words; without words, all but those that have to be named."""
    if not words:
        return [case for case in cases if not case.only_if_named]
    for word in words:
        if not any(word in case.name for case in cases):
            raise LookupError(f"no case is named {word}; --list shows them")
    return [case for case in cases if any(word in case.name for word in words)]


def beside(case: Case, checkout: Path) -> Case:
    """The same case, in which seqtool as another checkout has it takes turns with ours: before and after a change."""

    def contenders(size: int) -> list[Contender]:
        found: list[Contender] = []
        for contender in case.contenders(size):
            found.append(contender)
            if contender.command[: len(SEQTOOL)] == SEQTOOL:
                command = ["/usr/bin/env", f"PYTHONPATH={checkout}", *contender.command]
                name = f"{contender.name} of {checkout.name}"
                found.append(replace(contender, name=name, command=command))
        return found

    return replace(case, contenders=contenders)


def record(case: Case, all_measured: list[Measured], rounds: int) -> dict[str, Any]:
    """The figures of a case, for JSON."""
    contenders = [measured.record() for measured in all_measured]
    return {"name": case.name, "about": case.about, "rounds": rounds, "contenders": contenders}


def machine() -> dict[str, Any]:
    """What figures depend on: cores, memory, versions."""
    versions = {}
    for name in ("seqtool", *LIBRARIES):
        try:
            versions[name] = importlib.metadata.version(name)
        except importlib.metadata.PackageNotFoundError:
            versions[name] = None
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    return {
        "cores": os.cpu_count(),
        "memory": memory,
        "python": platform.python_version(),
        "versions": versions,
    }


def arguments() -> argparse.Namespace:
    """The call; `--quick` fills in what was not said."""

    def positive(text: str) -> int:
        number = int(text)
        if number < 1:
            raise ValueError(text)
        return number

    parser = argparse.ArgumentParser(
        prog="python -m tests.benchmarks", description=(__doc__ or "").split("\n")[0]
    )
    parser.add_argument(
        "cases", nargs="*", metavar="CASE", help="part of the name of a case; all if left out"
    )
    parser.add_argument("--rounds", type=positive, help="after one to warm up; each case has a default")
    parser.add_argument("--rows", type=positive, help=f"of group, {ROWS:,}; other cases in proportion")
    parser.add_argument("--quick", action="store_true", help=f"{QUICK_ROWS:,} rows, {QUICK_ROUNDS} rounds")
    parser.add_argument("--slow", action="store_true", help="the loop of pandas in all cases and all rounds")
    parser.add_argument(
        "--beside", type=Path, metavar="FOLDER", help="a checkout of seqtool that takes turns with this one"
    )
    parser.add_argument("--json", type=Path, metavar="FILE", help="write all figures to a file")
    parser.add_argument("--list", action="store_true", help="show the cases, and end")
    options = parser.parse_args()
    options.rows = options.rows or (QUICK_ROWS if options.quick else ROWS)
    options.rounds = options.rounds or (QUICK_ROUNDS if options.quick else None)
    try:
        options.cases = chosen(all_cases(options.rows, options.slow), options.cases)
    except LookupError as error:
        parser.error(str(error.args[0]))
    return options


def main() -> None:
    """Measure the cases that were chosen, one after another."""
    options = arguments()
    if options.list:
        for case in all_cases(options.rows, options.slow):
            print(f"{case.name:36} {case.about}{' (only if named)' if case.only_if_named else ''}")
        return
    from rich.console import Console

    console = Console(width=WIDTH, highlight=False)
    records = []
    for case in options.cases:
        rounds = options.rounds or case.rounds
        if options.beside:
            case = beside(case, options.beside.resolve())
        with Console(stderr=True).status(case.name) as status, scratch() as folder:
            all_measured = measure(
                case, folder, rounds, lambda what, case=case: status.update(f"{case.name}: {what}")
            )
        draw(case, all_measured, rounds, console)
        records.append(record(case, all_measured, rounds))
        if options.json:
            options.json.write_text(json.dumps({"machine": machine(), "cases": records}, indent=1) + "\n")


if __name__ == "__main__":
    try:
        main()
    except KeyboardInterrupt:
        sys.exit(130)
