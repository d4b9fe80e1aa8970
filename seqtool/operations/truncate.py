"""`truncate`: cut sequences that are too long, or a stretch out of each; nothing is padded."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, Any, Literal

from seqtool.advice import Advice
from seqtool.errors import UsageError
from seqtool.operations.operation import Argument, Operation, Outcome, as_function
from seqtool.words import count

if TYPE_CHECKING:
    from seqtool.arrays.dtypes import Array
    from seqtool.arrays.spool import Spool
    from seqtool.sequences.ragged import Ragged

_BEYOND = 1 << 60  # more steps than there are: sums of such numbers are still within int64


@dataclass(frozen=True)
class Truncate(Operation):
    """Cut sequences to a number of steps, and pad nothing.

    Shorter ones stay as they are. Ragged sequences stay ragged; a padded block comes out cut. The lengths before the
    cut are kept in original_lengths. A stretch of each begins with step K of --from K, counted from 0, or from the
    end where K is negative, and has N steps at most with --maxlen N. A sequence without a step there is left empty,
    which is counted.

    Example: seqtool truncate train.npz --maxlen 100 -o cut.npz

    >>> import seqtool as st
    >>> cut = st.truncate([[1, 2, 3], [4]], maxlen=2)
    >>> cut.values.tolist(), cut.lengths.tolist(), cut.per_sequence["original_lengths"].tolist()
    ([2, 3, 4], [2, 1], [3, 1])
    >>> st.truncate([[1, 2, 3, 4], [5, 6]], start=-3, maxlen=2).values.tolist()
    [2, 3, 5]
    """

    maxlen: Annotated[int | None, Argument("Steps of a sequence at most.", metavar="N", least=1)] = None
    truncating: Annotated[Literal["pre", "post"], Argument("The side that loses steps.")] = "pre"
    start: Annotated[
        int | None,
        Argument(
            "The first step to take, counted from 0; -K: K steps before the end.",
            metavar="K",
            option="--from",
        ),
    ] = None

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.maxlen is None and self.start is None:
            raise UsageError(
                "it is not said which steps to take; name the most: ",
                Advice("--maxlen", "N"),
                ", or the first of a stretch: ",
                Advice("--from", "K"),
            )
        if self.start is not None and self.truncating != "pre":
            raise UsageError(
                "--truncating and --from both say which steps are taken: ",
                Advice(without=["--truncating"]),
            )

    def apply(self, ragged: Ragged, state: Any, *, spool: Spool) -> Outcome:
        """The sequences with these steps alone; all others are counted as cut."""
        import numpy as np

        from seqtool.arrays.lazy import lazy_map, span
        from seqtool.sequences.take import take

        before = ragged.lengths
        lengths_before = span(before)
        if self.start is None and lengths_before.largest <= (self.maxlen or 0):
            return Outcome(ragged, maxlen=self.maxlen)
        starts = lazy_map(lambda part: self._bounds(part)[0], before, dtype=np.int64)
        lengths = lazy_map(lambda part: np.subtract(*self._bounds(part)[::-1]), before, dtype=np.int64)
        cut = take(ragged, starts=starts, lengths=lengths, spool=spool)
        steps = lengths_before.total - len(cut.values)
        maxlen = self.maxlen or max(1, span(lengths).largest)
        if not steps:
            return Outcome(ragged, maxlen=maxlen)
        per_sequence = dict(ragged.per_sequence)
        per_sequence.setdefault("original_lengths", before)  # an earlier cut has set them already
        return Outcome(
            cut.replace(per_sequence=per_sequence),
            cut=steps,
            maxlen=maxlen,
            lines=[self._line(before, steps)],
            warnings=self._warnings(before),
        )

    def _bounds(self, lengths: Array) -> tuple[Array, Array]:
        """The first step that is taken of sequences of these lengths, and the end, (n,) each."""
        import numpy as np

        maxlen = min(self.maxlen or _BEYOND, _BEYOND)
        if self.start is None and self.truncating == "post":
            return np.zeros_like(lengths), np.minimum(lengths, maxlen)
        if self.start is None:
            return np.maximum(lengths - maxlen, 0), lengths
        start = max(-_BEYOND, min(self.start, _BEYOND))
        first = lengths + start if start < 0 else np.full_like(lengths, start)
        return np.clip(first, 0, lengths), np.clip(first + maxlen, 0, lengths)

    def _line(self, before: Any, steps: int) -> tuple[str, str]:
        """The line of the summary: how many steps were cut, of how many sequences, and where."""
        from seqtool.arrays.lazy import chunks

        sequences = 0
        for _, part in chunks(before):
            first, end = self._bounds(part)
            sequences += int((end - first < part).sum())
        where = "at the start" if self.truncating == "pre" else "at the end"
        if self.start is not None:
            where = f"before step {self.start}" if self.start >= 0 else f"before the last {-self.start}"
            where = "before and after the stretch" if self.maxlen else where
        return "cut", f"{count(steps, 'step')} {where} of {count(sequences, 'sequence')}"

    def _warnings(self, before: Any) -> list[str]:
        """A warning where sequences lost all of their steps."""
        from seqtool.arrays.lazy import chunks

        emptied = 0
        for _, part in chunks(before):
            first, end = self._bounds(part)
            emptied += int(((end == first) & (part > 0)).sum())
        return (
            [f"{count(emptied, 'sequence')} without a step there: nothing of them is left"] if emptied else []
        )


truncate = as_function(Truncate)
