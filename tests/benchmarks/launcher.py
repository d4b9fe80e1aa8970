"""Starts the processes that are measured: `python -IS launcher.py`, one call a line, its figures a line.

The peak memory of a process counts what it held before it became the program that it runs: the memory of whoever
started it. So this script, which is smaller than anything that is measured, starts them all.
"""

import json
import os
import sys
import time

_EVERY = 0.3  # seconds between two looks at the memory of all processes


def run(command: list[str], errors: str, whole: bool = False) -> dict[str, float]:
    """Seconds, seconds of processors, bytes of memory at most, and exit code (a signal's is negative).

    `whole` counts the processes that the command starts, also those that outlive it, which need Linux: their seconds
    of processors in all, and the most memory that they have together, each shared page counted once.
    """
    streams = [
        (os.POSIX_SPAWN_OPEN, 0, os.devnull, os.O_RDONLY, 0),
        (os.POSIX_SPAWN_OPEN, 1, os.devnull, os.O_WRONLY, 0),
        (os.POSIX_SPAWN_OPEN, 2, errors, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600),
    ]
    if whole:
        _adopt()
    begin = time.perf_counter()
    process = os.posix_spawn(command[0], command, os.environ, file_actions=streams)
    together = 0
    while whole and os.waitid(os.P_PID, process, os.WEXITED | os.WNOHANG | os.WNOWAIT) is None:
        together = max(together, _memory())
        time.sleep(_EVERY)
    _, status, used = os.wait4(process, 0)
    seconds = time.perf_counter() - begin
    unit = 1 if sys.platform == "darwin" else 1024
    return {
        "seconds": seconds,
        "processors": used.ru_utime + used.ru_stime + (_of_orphans() if whole else 0),
        "peak": together or used.ru_maxrss * unit,
        "code": os.waitstatus_to_exitcode(status),
    }


def _adopt() -> None:
    """Become the parent of processes whose own has ended."""
    import ctypes

    set_child_subreaper = 36
    ctypes.CDLL(None).prctl(set_child_subreaper, 1, 0, 0, 0)


def _of_orphans() -> float:
    """The seconds of processors of all processes that outlived the command, when they have ended."""
    seconds = 0.0
    while True:
        try:
            _, _, used = os.wait4(-1, 0)
        except ChildProcessError:
            return seconds
        seconds += used.ru_utime + used.ru_stime


def _memory() -> int:
    """The bytes of all processes below this one."""
    children: dict[int, list[int]] = {}
    for name in os.listdir("/proc"):  # noqa: PTH208 - pathlib takes memory
        if name.isdigit():
            try:
                with open(f"/proc/{name}/stat") as file:  # noqa: PTH123 - pathlib takes memory
                    parent = int(file.read().rpartition(")")[2].split()[1])
            except OSError:  # it has ended
                continue
            children.setdefault(parent, []).append(int(name))
    total, left = 0, children.get(os.getpid(), [])
    while left:
        process = left.pop()
        left += children.get(process, [])
        try:
            with open(f"/proc/{process}/smaps_rollup") as file:  # noqa: PTH123 - pathlib takes memory
                total += next(1024 * int(line.split()[1]) for line in file if line.startswith("Pss:"))
        except (OSError, StopIteration):
            continue
    return total


def main() -> None:
    """Run what standard input asks for, until it ends."""
    for line in sys.stdin:
        print(json.dumps(run(**json.loads(line))), flush=True)


if __name__ == "__main__":
    main()
