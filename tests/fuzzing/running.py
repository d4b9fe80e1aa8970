"""Runs a case of any mode."""

from __future__ import annotations

from multiprocessing.connection import Connection

from tests.fuzzing import arrays, mutations, operations, tables
from tests.fuzzing.cases import Case, Failure, Mode, scratch

MODES: dict[str, Mode] = {
    "tables": tables.run,
    "arrays": arrays.run,
    "mutations": mutations.run,
    "operations": operations.run,
}


def run(case: Case, *, keep: bool = False) -> None:
    """Run a case; raises Failure, which tells how to repeat it."""
    with scratch(case, keep=keep) as done:
        MODES[case.mode](case.rng(), done)


def run_all(cases: list[Case], results: Connection) -> None:
    """Run some cases, and send what each has found, or None."""
    for case in cases:
        found = None
        try:
            run(case)
        except Failure as failure:
            found = str(failure)
        results.send(found)
    results.close()
