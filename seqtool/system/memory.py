"""How much memory there is to use, what it is used for, and how sizes are written."""

from __future__ import annotations

import os
import re
from dataclasses import dataclass
from pathlib import Path

from seqtool.errors import DataError, UsageError
from seqtool.words import human

_CGROUP_LIMITS = ("/sys/fs/cgroup/memory.max", "/sys/fs/cgroup/memory/memory.limit_in_bytes")
_UNITS = {"": 1, "K": 10**3, "M": 10**6, "G": 10**9, "T": 10**12}
LEAST = 256 * 10**6
_LEAST_IN_FLIGHT = 80 * 10**6  # blocks of text and batches on their way, windows on their way out
_IN_FLIGHT = 110 * 10**6  # the same with what allocators keep for a while, which differs from run to run
_PER_COLUMN = 100_000  # and what each column adds to that


def budget() -> int:
    """The bytes that arrays may take: what the machine, or its container's cgroup, has in all, less a quarter.

    >>> budget() > 0
    True
    """
    total = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    for name in _CGROUP_LIMITS:
        try:
            total = min(total, int(Path(name).read_text(encoding="ascii")))
        except (OSError, ValueError):  # no such controller, or no limit: "max"
            continue
    return total * 3 // 4


@dataclass(frozen=True)
class Memory:
    """The bytes that the process may take beside the interpreter and its libraries.

    >>> Memory(1_000_000_000).for_rows(columns=10) > 800_000_000
    True
    """

    limit: int

    def for_rows(self, columns: int) -> int:
        """What is left for rows on their way into order; raises UsageError if that is too little."""
        needed = max(LEAST, 2 * (_LEAST_IN_FLIGHT + columns * _PER_COLUMN))
        if self.limit < needed:
            raise UsageError(
                f"--max-memory {human(self.limit)} is too little for {columns:,} columns; "
                f"{-(-needed // 10**6)}M is the least"
            )
        return self.limit - _IN_FLIGHT - columns * _PER_COLUMN

    def check_whole(self, name: str, needed: int, instead: str) -> None:
        """Raise DataError where what can only be read whole takes more; `instead` tells the way out."""
        if needed > self.limit:
            raise DataError(
                f"{name}: can only be read whole and takes about {human(needed)}, but {human(self.limit)} of memory "
                f"are allowed (--max-memory); {instead}"
            )


def allowed(text: str | None) -> Memory:
    """The memory that `--max-memory` names, by default two thirds of `budget`: half of what there is.

    >>> allowed("1.5G").limit
    1500000000
    """
    if text is None:
        return Memory(max(LEAST, budget() * 2 // 3))
    limit = parse_size(text, "--max-memory")
    if limit < LEAST:
        raise UsageError(f"--max-memory is {text}; at least {human(LEAST)} is needed: --max-memory 256M")
    return Memory(limit)


def parse_size(text: str, option: str) -> int:
    """The bytes that a size such as 500M or 2G names.

    >>> parse_size("500M", "--max-memory"), parse_size("2 GB", "--max-memory")
    (500000000, 2000000000)
    """
    found = re.fullmatch(r"\s*(\d+(?:\.\d+)?)\s*([KMGT]?)(?:i?B)?\s*", text, re.IGNORECASE)
    if not found:
        raise UsageError(f"{option} is {text!r}; a size such as 500M or 2G was expected")
    return int(float(found[1]) * _UNITS[found[2].upper()])


def peak() -> int | None:
    """The most bytes of memory that the process has had resident so far, where the system tells."""
    try:
        status = Path("/proc/self/status").read_text(encoding="ascii")
    except OSError:
        return None
    found = re.search(r"VmHWM:\s*(\d+) kB", status)
    return int(found[1]) * 1024 if found else None
