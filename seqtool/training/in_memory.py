"""Whether the steps of a file are read into memory for training."""

from __future__ import annotations

import os
from typing import Literal

from seqtool.errors import DataError, UsageError
from seqtool.system.memory import allowed, budget
from seqtool.words import human, in_short

InMemory = bool | Literal["auto"]
_SHARE = 4  # a file may take this part of the memory that is allowed: networks and batches need some, too
_PROCESSES = (
    "LOCAL_WORLD_SIZE"  # of one training on this machine, as torchrun tells them; each opens the file
)


def check_in_memory(in_memory: InMemory) -> None:
    """Raise UsageError unless it is True, False or "auto"."""
    if not isinstance(in_memory, bool) and in_memory != "auto":
        raise UsageError(f'in_memory is {in_short(in_memory)}; True, False or "auto" was expected')


def goes_into_memory(in_memory: InMemory, needed: int, name: str) -> bool:
    """Whether `needed` bytes of a file are read into memory; raises DataError for more than the machine has.

    "auto" takes what fits into a quarter of what `seqtool` may use, shared by the processes of one training.
    """
    if in_memory == "auto":
        processes = os.environ.get(_PROCESSES, "1")
        return needed <= allowed(None).limit // _SHARE // max(
            1, int(processes) if processes.isdecimal() else 1
        )
    if in_memory and needed > budget():
        raise DataError(
            f"{name}: its steps take {human(needed)}, and {human(budget())} of memory can be used; "
            "leave out in_memory=True, and they are read from the file"
        )
    return in_memory
