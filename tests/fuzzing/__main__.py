"""`python -m tests.fuzzing --seed 1 --count 10000`: that many cases, or one of them alone."""

from __future__ import annotations

import argparse
import multiprocessing
import sys
import time

from tests.fuzzing.cases import Case, Failure
from tests.fuzzing.running import MODES, run, run_all


def main() -> int:
    """Run what the command line asks for; 1 if a case has failed."""
    parser = argparse.ArgumentParser(prog="python -m tests.fuzzing", description=__doc__)
    parser.add_argument("--mode", choices=MODES, help="one mode alone; all of them by default")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--count", type=int, default=500, help="how many cases, over all modes")
    parser.add_argument("--case", type=int, help="this case of a mode alone; its files are kept")
    arguments = parser.parse_args()
    if arguments.case is not None:
        if arguments.mode is None:
            parser.error("--case needs --mode")
        return _one(Case(arguments.mode, arguments.seed, arguments.case))
    modes = [arguments.mode] if arguments.mode else [*MODES]
    cases = [Case(modes[i % len(modes)], arguments.seed, i // len(modes)) for i in range(arguments.count)]
    begin, failed, done = time.monotonic(), 0, 0
    while done < len(cases):
        failures, count = _in_a_process(cases[done:])
        failed, done = failed + failures, done + count
        if sys.stderr.isatty():
            print(f"\r{done:,} of {len(cases):,}", end="", file=sys.stderr)
    print(f"{done:,} cases, {failed:,} failed, {time.monotonic() - begin:.0f} s")
    return int(failed > 0)


def _one(case: Case) -> int:
    try:
        run(case, keep=True)
    except Failure as failure:
        print(failure)
        return 1
    print(f"{case}: nothing failed")
    return 0


_TOGETHER = 1000  # cases of one process


def _in_a_process(cases: list[Case]) -> tuple[int, int]:
    """How many of the next cases failed, and how many were run: a process that dies has failed in its last one."""
    ours, theirs = multiprocessing.Pipe(duplex=False)
    process = multiprocessing.get_context("spawn").Process(target=run_all, args=(cases[:_TOGETHER], theirs))
    process.start()
    theirs.close()
    failed = done = 0
    try:
        while True:
            failure = ours.recv()
            done += 1
            if failure is not None:
                failed += 1
                print(failure, flush=True)
    except EOFError:
        process.join()
    if process.exitcode:
        print(f"{cases[done]}\n  ended the process: {process.exitcode}", flush=True)
        failed, done = failed + 1, done + 1
    return failed, done


if __name__ == "__main__":
    sys.exit(main())
