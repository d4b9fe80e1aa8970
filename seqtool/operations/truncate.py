"""`truncate`: cut sequences that are too long, or a stretch out of each; nothing is padded."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any, Literal

from seqtool.advice import Advice, Message
from seqtool.dataclass import dataclass
from seqtool.errors import UsageError
from seqtool.operations.operation import Argument, Operation, Outcome, as_function
from seqtool.words import count

if TYPE_CHECKING:
    from seqtool.arrays.dtypes import Array
    from seqtool.arrays.lazy import AnyArray
    from seqtool.arrays.spool import Spool
    from seqtool.sequences.ragged import Ragged

_BEYOND = 1 << 60  # more steps than there are: sums of such numbers are still within int64


@dataclass(frozen=True)
class Truncate(Operation):
    """Cut sequences to a number of steps, and pad nothing.

    Shorter ones stay as they are. Ragged sequences stay ragged; a padded block comes out cut. The lengths before the
    cut are kept in original_lengths. A stretch of each begins with step K of --from K, counted from 0, or from the
    end where K is negative, and has N steps at most with --maxlen N. A sequence without a step there is left empty,
    which is counted. --within 48h takes the steps that are no further from the first order value of their sequence, or
    from the last; group --keep-order keeps these values.

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

    within: Annotated[
        str | None,
        Argument("The steps so close to the first order value: a number, or of times 48h.", metavar="D"),
    ] = None
    of: Annotated[
        Literal["start", "end"] | None,
        Argument("With --within, whether it counts from the first step (start), or from the last."),
    ] = None

    def __post_init__(self) -> None:
        super().__post_init__()
        named = {"--maxlen": self.maxlen, "--from": self.start, "--within": self.within}
        if all(value is None for value in named.values()):
            raise UsageError(
                "it is not said which steps to take; name the most: ",
                Advice("--maxlen", "N"),
                ", or the first of a stretch: ",
                Advice("--from", "K"),
            )
        others = [option for option in ("--maxlen", "--from") if named[option] is not None]
        if self.within is not None and others:
            raise UsageError(
                f"--within and {others[0]} both say which steps are taken: ", Advice(without=[others[0]])
            )
        if self.truncating != "pre" and (self.start is not None or self.within is not None):
            other = "--from" if self.within is None else "--within"
            raise UsageError(
                f"--truncating and {other} both say which steps are taken: ",
                Advice(without=["--truncating"]),
            )
        if self.of is not None and self.within is None:
            raise UsageError("--of is about a time, and none is given: ", Advice(without=["--of"]))

    def apply(self, ragged: Ragged, state: Any, *, spool: Spool) -> Outcome:
        """The sequences with these steps alone; all others are counted as cut."""
        from seqtool.arrays.lazy import span
        from seqtool.sequences.take import take

        before = ragged.lengths
        lengths_before = span(before)
        alone = self.start is None and self.within is None
        if alone and lengths_before.largest <= (self.maxlen or 0):
            return Outcome(ragged, maxlen=self.maxlen)
        starts, lengths = self._stretches(ragged, spool)
        cut = take(ragged, starts=starts, lengths=lengths, spool=spool)
        steps = lengths_before.total - len(cut.values)
        maxlen = self.maxlen or max(1, span(lengths).largest)
        if not steps:
            return Outcome(ragged, maxlen=maxlen)
        per_sequence = dict(ragged.per_sequence)
        per_sequence.setdefault("original_lengths", before)  # an earlier cut has set them already
        shorter, emptied = _counted(before, lengths)
        left = Message(
            f"{count(emptied, 'sequence')} without a step there: nothing of them is left; to drop them: ",
            Advice("seqtool", "filter", "FILE", "--min-len", 1),
        )
        return Outcome(
            cut.replace(per_sequence=per_sequence),
            cut=steps,
            maxlen=maxlen,
            lines=[("cut", f"{count(steps, 'step')} {self._where()} of {count(shorter, 'sequence')}")],
            warnings=[left] if emptied else [],
        )

    def _stretches(self, ragged: Ragged, spool: Spool) -> tuple[AnyArray, AnyArray]:
        """The first step that is taken of each sequence, and how many are, (N,) each."""
        import numpy as np

        from seqtool.arrays.lazy import lazy_map

        if self.within is not None:
            from seqtool.operations.order_counts import bounds_within

            of_end = self.of == "end"
            first, end = bounds_within(ragged, self.within, of_end=of_end, option="--within", spool=spool)
            return first, lazy_map(np.subtract, end, first, dtype=np.int64)
        starts = lazy_map(lambda part: self._bounds(part)[0], ragged.lengths, dtype=np.int64)
        lengths = lazy_map(
            lambda part: np.subtract(*self._bounds(part)[::-1]), ragged.lengths, dtype=np.int64
        )
        return starts, lengths

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

    def _where(self) -> str:
        """Where steps were cut, for the summary."""
        if self.within is not None:
            return f"further than {self.within} from the {'last' if self.of == 'end' else 'first'}"
        if self.start is None:
            return "at the start" if self.truncating == "pre" else "at the end"
        if self.maxlen:
            return "before and after the stretch"
        return f"before step {self.start}" if self.start >= 0 else f"before the last {-self.start}"


def _counted(before: AnyArray, after: AnyArray) -> tuple[int, int]:
    """How many sequences became shorter, and how many of them lost all of their steps."""
    from seqtool.arrays.lazy import chunks

    shorter = emptied = 0
    for begin, part in chunks(before):
        left = after[begin : begin + len(part)]
        shorter += int((left < part).sum())
        emptied += int(((left == 0) & (part > 0)).sum())
    return shorter, emptied


truncate = as_function(Truncate)
