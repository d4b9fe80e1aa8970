"""How much memory there is to use, what it is used for, and how sizes are written."""

from __future__ import annotations

import os
import re

from seqtool.advice import Advice
from seqtool.dataclass import dataclass
from seqtool.errors import DataError, UsageError
from seqtool.system.platform import address_space, cpu_count, physical_memory
from seqtool.words import human

_UNITS = {"": 1, "K": 10**3, "M": 10**6, "G": 10**9, "T": 10**12}
LEAST = 256 * 10**6  # bytes that `--max-memory` may name
_LEAST_IN_FLIGHT = 80 * 10**6  # bytes: blocks of text and batches being read, windows being written
_IN_FLIGHT = 110 * 10**6  # the same with what allocators keep for a while, which differs from run to run
_PER_COLUMN = 100_000  # bytes that each column adds to that
_PER_FURTHER = 20_000  # bytes that each column after the first thousand adds
_MANY = 1000  # columns
_PER_THREAD = 8 * 10**6  # bytes that a thread adds: blocks, what is parsed of them, what its allocator keeps
_SINGLE = (
    64  # one cell, row or line may take this part of the memory: several are held at once, in several forms
)
_LONGEST = 1 << 29  # bytes of one cell, whatever memory there is: Arrow counts those of a column in 31 bits
_LIBRARIES = 400 * 10**6  # bytes of address space, most of which is never used
_LEAST_SPACE = 300 * 10**6  # bytes of address space
_LEAST_SPACE_WITH_ARROW = 1000 * 10**6
_MOST = 2**62  # bytes
_FEWEST = 2  # threads, for which the figures above were measured
_VARIABLE = "SEQTOOL_MAX_MEMORY"


def budget() -> int:
    """The bytes that arrays may take: three quarters of the memory of the machine, or of its container's cgroup.

    >>> budget() > 0
    True
    """
    space = address_space()
    total = physical_memory() if space is None else min(physical_memory(), max(0, space - _LIBRARIES))
    return total * 3 // 4


def check_address_space(*, arrow: bool) -> None:
    """Raise DataError where the address space is too small to work in, with Arrow or with NumPy alone.

    Libraries abort the process when an allocation fails, which no handler can catch.
    """
    space, needed = address_space(), _LEAST_SPACE_WITH_ARROW if arrow else _LEAST_SPACE
    if space is not None and space < needed:
        raise DataError(
            f"the address space of this process is limited to {human(space)} (ulimit -v), but at least "
            f"{human(needed)} are needed; raise the limit: ulimit -v {needed // 1024 + 1}"
        )


@dataclass(frozen=True)
class Memory:
    """The bytes that the process may take beside the interpreter and its libraries.

    >>> Memory(1_000_000_000).for_rows(columns=10) > 800_000_000
    True
    """

    limit: int
    named_by: str = "--max-memory"

    def for_rows(self, columns: int) -> int:
        """The bytes left for sorting rows of so many columns; raises UsageError if they are too few."""
        taken = min(columns, _MANY) * _PER_COLUMN + max(0, columns - _MANY) * _PER_FURTHER
        needed = max(LEAST, 2 * _LEAST_IN_FLIGHT + taken)
        if self.limit < needed:
            raise UsageError(
                f"{self.named_by} {human(self.limit)} is too little for {columns:,} columns; the least is ",
                _named(self.named_by, _in_millions(needed)),
            )
        more_threads = max(0, self.threads() - _FEWEST)
        return self.limit - _IN_FLIGHT - taken - more_threads * _PER_THREAD

    def threads(self) -> int:
        """How many threads may work at once: one a core, but in all at most a quarter of the memory.

        >>> Memory(256_000_000).threads() <= 8
        True
        """
        return min(cpu_count(), max(_FEWEST, self.limit // 4 // _PER_THREAD))

    @property
    def single(self) -> int:
        """The most bytes of one cell, row or line, which can only be read whole.

        >>> Memory(256_000_000).single
        4000000
        """
        return min(self.limit // _SINGLE, _LONGEST)

    def check_single(self, what: str, size: int, instead: str = "shorten it") -> None:
        """Raise DataError for a cell, row or line of more bytes than `single`; `what` names it and its place."""
        if size <= self.single:
            return
        way_out: list[object] = []
        if size <= _LONGEST:
            way_out = [_named(self.named_by, _in_millions(_SINGLE * size)), " allows it; or "]
        raise DataError(
            f"{what} has {human(size)}, but {human(self.single)} is the most with {human(self.limit)} of memory "
            f"({self.named_by}): ",
            *way_out,
            instead,
        )

    def check_whole(self, name: str, needed: int, instead: str | None = None, *, how: str = "read") -> None:
        """Raise DataError where what can only be read whole needs more than the limit; `instead` is a way out."""
        if needed > self.limit:
            raise DataError(
                f"{name}: can only be {how} whole and takes about {human(needed)}, but {human(self.limit)} of memory "
                f"are allowed ({self.named_by}): {instead + ', or ' if instead else ''}allow more: ",
                _named(self.named_by, _in_millions(needed)),
            )


def allowed(text: str | None) -> Memory:
    """The memory that `--max-memory` names, else SEQTOOL_MAX_MEMORY, else half of what the machine has.

    Raises UsageError for what is not a size, and for a size that is too small.

    >>> allowed("1.5G").limit
    1500000000
    """
    name = "--max-memory"
    if text is None and os.environ.get(_VARIABLE):
        text, name = os.environ[_VARIABLE], _VARIABLE
    if text is None:
        return Memory(max(LEAST, budget() * 2 // 3))
    limit = parse_size(text, name)
    if limit < LEAST:
        raise UsageError(f"{name} is {text}; at least {human(LEAST)} is needed: ", _named(name, "256M"))
    return Memory(limit, name)


def _named(name: str, size: str) -> Advice:
    """The advice to give another size in the way that this one was given: by the option, or in the environment."""
    return Advice(name, size) if name.startswith("--") else Advice(f"{name}={size}")


def _in_millions(size: int) -> str:
    return f"{-(-size // 10**6)}M"


def parse_size(text: str, option: str) -> int:
    """The bytes that a size such as 500M or 2G names; raises UsageError for anything else.

    >>> parse_size("500M", "--max-memory"), parse_size("2 GB", "--max-memory")
    (500000000, 2000000000)
    """
    found = re.fullmatch(r"\s*(\d+(?:\.\d+)?)\s*([KMGT]?)(?:i?B)?\s*", text, re.IGNORECASE)
    if not found:
        raise UsageError(f"{option} is {text!r}; a size such as 500M or 2G was expected")
    # More than any machine has is as good as any other size, and a float may be infinite.
    return int(min(float(found[1]) * _UNITS[found[2].upper()], _MOST))
