"""`truncate`: cut sequences that are too long; nothing is padded."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, Any, Literal

from seqtool.operations.operation import Argument, Operation, Outcome, as_function
from seqtool.words import count

if TYPE_CHECKING:
    from seqtool.arrays.spool import Spool
    from seqtool.sequences.ragged import Ragged


@dataclass(frozen=True)
class Truncate(Operation):
    """Cut sequences to a number of steps, and pad nothing.

    Shorter ones stay as they are. Ragged sequences stay ragged; a padded block comes out cut. The lengths before the
    cut are kept in original_lengths.

    Example: seqtool truncate train.npz --maxlen 100 -o cut.npz

    >>> import seqtool as st
    >>> cut = st.truncate([[1, 2, 3], [4]], maxlen=2)
    >>> cut.values.tolist(), cut.lengths.tolist(), cut.per_sequence["original_lengths"].tolist()
    ([2, 3, 4], [2, 1], [3, 1])
    """

    maxlen: Annotated[int, Argument("Steps of a sequence at most.", metavar="N", least=1)]
    truncating: Annotated[Literal["pre", "post"], Argument("The side that loses steps.")] = "pre"

    def apply(self, ragged: Ragged, state: Any, *, spool: Spool) -> Outcome:
        """The sequences with at most `maxlen` steps each; all others are counted as cut."""
        import numpy as np

        from seqtool.arrays.lazy import chunks, lazy_map, span
        from seqtool.sequences.take import take

        before, maxlen = ragged.lengths, self.maxlen
        lengths_before = span(before)
        if lengths_before.largest <= maxlen:
            return Outcome(ragged, maxlen=maxlen)
        lengths = lazy_map(lambda part: np.minimum(part, maxlen), before, dtype=np.int64)
        starts = lazy_map(lambda part: np.maximum(part - maxlen, 0), before, dtype=np.int64)
        cut = take(ragged, starts=starts if self.truncating == "pre" else None, lengths=lengths, spool=spool)
        per_sequence = dict(ragged.per_sequence)
        per_sequence.setdefault("original_lengths", before)  # an earlier cut has set them already
        steps = lengths_before.total - len(cut.values)
        longer = sum(int((part > maxlen).sum()) for _, part in chunks(before))
        side = "start" if self.truncating == "pre" else "end"
        line = ("cut", f"{count(steps, 'step')} at the {side} of {count(longer, 'sequence')}")
        return Outcome(cut.replace(per_sequence=per_sequence), cut=steps, maxlen=maxlen, lines=[line])


truncate = as_function(Truncate)
