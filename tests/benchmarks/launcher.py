"""Starts the processes that are measured: `python -IS launcher.py`, one call a line, its figures a line.

The peak memory of a process counts what it held before it became the program that it runs: the memory of whoever
started it. So this script, which is smaller than anything that is measured, starts them all.
"""

import json
import os
import sys
import time


def run(command: list[str], errors: str) -> dict[str, float]:
    """Seconds, seconds of processors, bytes of memory at most, and exit code (a signal's is negative)."""
    streams = [
        (os.POSIX_SPAWN_OPEN, 0, os.devnull, os.O_RDONLY, 0),
        (os.POSIX_SPAWN_OPEN, 1, os.devnull, os.O_WRONLY, 0),
        (os.POSIX_SPAWN_OPEN, 2, errors, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600),
    ]
    begin = time.perf_counter()
    process = os.posix_spawn(command[0], command, os.environ, file_actions=streams)
    _, status, used = os.wait4(process, 0)
    seconds = time.perf_counter() - begin
    unit = 1 if sys.platform == "darwin" else 1024
    return {
        "seconds": seconds,
        "processors": used.ru_utime + used.ru_stime,
        "peak": used.ru_maxrss * unit,
        "code": os.waitstatus_to_exitcode(status),
    }


def main() -> None:
    """Run what standard input asks for, until it ends."""
    for line in sys.stdin:
        print(json.dumps(run(**json.loads(line))), flush=True)


if __name__ == "__main__":
    main()
