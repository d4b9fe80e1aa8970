"""Selecting sequences: those with enough steps, with their keys and all other arrays."""

from __future__ import annotations

from typing import Annotated, Any

import numpy as np

from seqtool.arrays.lazy import chunks, span
from seqtool.arrays.spool import GrowingArray, Spool
from seqtool.dataclass import dataclass
from seqtool.operations.operation import Argument, Operation, Outcome
from seqtool.sequences.ragged import Ragged
from seqtool.sequences.take import in_memory_like, take
from seqtool.words import count


@dataclass(frozen=True)
class AtLeast(Operation):
    """Keep the sequences of at least so many steps, in their order."""

    min_len: Annotated[int, Argument("Drop sequences of fewer steps.", metavar="N", least=0)]

    def apply(self, ragged: Ragged, state: Any, *, spool: Spool) -> Outcome:
        """The sequences that are long enough; the steps of all others are counted as dropped."""
        kept = at_least(ragged, self.min_len, spool=spool)
        reason = f"sequence under {self.min_len} steps"
        if len(kept) == len(ragged):
            return Outcome(kept, dropped={reason: 0})
        short = span(ragged.lengths).total - span(kept.lengths).total
        sequences = count(len(ragged) - len(kept), "sequence")
        line = ("dropped", f"{sequences} under {count(self.min_len, 'step')}, {count(short, 'step')} in all")
        warnings = [] if len(kept) else ["no sequence is left"]
        return Outcome(kept, dropped={reason: short}, lines=[line], warnings=warnings)


def at_least(ragged: Ragged, least: int, *, spool: Spool | None = None) -> Ragged:
    """The sequences of at least `least` steps, in their order, with their keys and all other arrays.

    Arrays of one row for each sequence go to `spool` where they are large. Raises UsageError for a negative number.

    >>> at_least(Ragged(np.array([5, 1, 3]), np.array([0, 2, 2, 3])), 1).lengths
    array([2, 1])
    """
    AtLeast(least)  # checks the number
    spool = spool or Spool()
    kept = GrowingArray(spool, np.dtype(np.int64))
    for begin, part in chunks(ragged.lengths):
        kept.add(np.flatnonzero(part >= least) + begin)
    which = kept.done()
    if len(which) == len(ragged):
        return ragged
    return in_memory_like(take(ragged, which, spool=spool), ragged)
