"""Where a table is grouped: the memory allowed, the spool for what does not fit there, and who follows the progress."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext

from seqtool.arrays.spool import Spool
from seqtool.dataclass import dataclass
from seqtool.system.memory import Memory

OnProgress = Callable[[int, int], None]
"""Called with the bytes and the rows that are done."""
Watch = Callable[[str, int | None], AbstractContextManager[OnProgress]]
"""Called when a stage of the work begins, with its total of bytes, where that is known."""


def unwatched(_stage: str, _total: int | None) -> AbstractContextManager[OnProgress]:
    """A stage whose progress nobody follows."""
    return nullcontext(lambda _bytes, _rows: None)


@dataclass(frozen=True)
class Workspace:
    """What grouping works with; `watch` is called for each stage of the work.

    What does not fit into `memory` goes to `spool`, which must stay open as long as the sequences are used.
    """

    spool: Spool
    memory: Memory
    watch: Watch = unwatched
