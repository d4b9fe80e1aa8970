"""`plan_lengths`: what each padded length would cost, and which one to choose."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any, Literal

from seqtool.dataclass import dataclass
from seqtool.errors import UsageError
from seqtool.inspecting.buckets import batch_slots, best_buckets, bucket_slots
from seqtool.sequences.lengths import LengthCounts
from seqtool.words import percent

_PERCENTS = (50, 75, 90, 95, 99)  # of the sequences
_MOST = 10  # candidates
_ROUND_NUMBERS = sorted(  # powers of two among them, and three times these
    {n * 10**k for n in (1, 2, 3, 4, 5, 6, 8) for k in range(1, 12)}
    | {n * 10**k for n in (15, 25) for k in range(12)}
    | {n << k for n in (2, 3) for k in range(2, 40)}
)
_BUCKETS = (4, 8)
_BATCH = 32  # sequences


@dataclass(frozen=True)
class Candidate:
    """A maxlen, where it comes from, and what it costs.

    `cut` sequences lose `lost` steps; `slots` is N times maxlen, of which `padding` are no step; `nbytes` is x.
    """

    maxlen: int
    origin: str
    cut: int
    lost: int
    slots: int
    padding: int
    nbytes: int


@dataclass(frozen=True)
class Saving:
    """A way to pad less without a cut; `slots` are those of all sequences, of which `padding` are no step.

    "buckets" pad each sequence to the first of `maxlens` that holds it; "batches" are `batch_size` sequences of
    similar lengths, each batch padded to its own longest; "packed" sequences have no padding. What does not apply to a
    way is None.
    """

    way: Literal["buckets", "batches", "packed"]
    slots: int
    padding: int
    maxlens: tuple[int, ...] | None = None
    batch_size: int | None = None


@dataclass(frozen=True)
class Recommendation:
    """What to do: pad to `maxlen`, or, if `ragged`, pad each batch alone, and to `maxlen` only what must be one block.

    `maxlen` is None where there is nothing to pad.
    """

    maxlen: int | None
    ragged: bool
    reason: str


@dataclass(frozen=True, eq=False)
class LengthPlan:
    """What each candidate would cost, ascending, what other layouts would save, and a recommendation."""

    counts: LengthCounts
    candidates: tuple[Candidate, ...]
    savings: tuple[Saving, ...]
    advice: Recommendation

    def facts(self) -> dict[str, Any]:
        """The plan as plain data, as `--json` shows it."""
        counts = self.counts
        ends = {"min": int(counts.lengths[0]), "median": counts.median()} if counts.count else {}
        return {
            "sequences": counts.count,
            "steps": counts.steps,
            "empty": counts.empty,
            "lengths": {**ends, "max": counts.longest} if counts.count else None,
            "histogram": [
                dict(zip(("from", "to", "sequences"), bar, strict=True)) for bar in length_bars(counts)
            ],
            "candidates": [asdict(candidate) for candidate in self.candidates],
            "savings": [
                {**asdict(saving), "maxlens": None if saving.maxlens is None else list(saving.maxlens)}
                for saving in self.savings
            ],
            "advice": asdict(self.advice),
        }


def plan_lengths(counts: LengthCounts, *, features: int | None, itemsize: int) -> LengthPlan:
    """Compare padded lengths for sequences of these lengths, and recommend one.

    `features` is F, None where a step is a single number; `itemsize` is the bytes of one number. Candidates are the
    lengths that 50, 75, 90, 95 and 99 % of the sequences do not exceed, the longest, the least that keeps 99 % of the
    steps, and round numbers just above these.

    The rule: nothing is cut where padding to the longest makes at most a third of the slots padding. Otherwise
    take the smallest candidate that loses at most 1 % of the steps, if that saves a tenth of the slots, else the
    longest. If more than half of the slots are padding even then, keep the sequences ragged and pad each batch to
    its own longest; what must be one block takes that candidate all the same.

    Raises UsageError for an itemsize below 1, or a number of features below 0.

    >>> import numpy as np
    >>> plan = plan_lengths(LengthCounts.of(np.array([2, 3, 3, 4])), features=5, itemsize=4)
    >>> [(found.maxlen, found.cut, found.lost, found.padding) for found in plan.candidates]
    [(3, 1, 1, 1), (4, 0, 0, 4)]
    >>> plan.advice.maxlen, plan.savings[-1].slots
    (4, 12)
    """
    if itemsize < 1 or (features is not None and features < 0):
        raise UsageError(f"itemsize is {itemsize} and features {features}; at least 1 and 0 were expected")
    if not counts.steps:
        nothing = "no sequences" if not counts.count else "no steps: every sequence is empty"
        return LengthPlan(
            counts, (), (), Recommendation(None, False, f"There are {nothing}, so nothing to pad.")
        )
    step = itemsize * (1 if features is None else features)
    candidates = tuple(
        _candidate(counts, maxlen, origin, step) for maxlen, origin in sorted(_maxlens(counts).items())
    )
    return LengthPlan(counts, candidates, _savings(counts), _advice(counts, candidates))


def _maxlens(counts: LengthCounts) -> dict[int, str]:
    """The candidates, each with its origin; of several origins of one length the first."""
    longest, kept = counts.longest, _least_that_keeps(counts)
    quantiles = {share: max(1, counts.quantile(share / 100)) for share in _PERCENTS}
    found = {longest: "longest"}
    for share, length in reversed(quantiles.items()):
        found.setdefault(length, f"{share}% of sequences")
    found.setdefault(kept, "99% of steps")
    for length in (kept, *(quantiles[share] for share in (99, 95, 90, 75))):
        rounded = next((number for number in _ROUND_NUMBERS if number >= length), longest)
        if len(found) < _MOST and length >= _ROUND_NUMBERS[0] and rounded < longest:
            found.setdefault(rounded, "round")
    return found


def _least_that_keeps(counts: LengthCounts) -> int:
    """The least maxlen that loses at most 1 % of the steps."""
    low, high = 1, counts.longest
    while low < high:
        middle = (low + high) // 2
        if 100 * counts.beyond(middle)[1] <= counts.steps:
            high = middle
        else:
            low = middle + 1
    return low


def _candidate(counts: LengthCounts, maxlen: int, origin: str, step: int) -> Candidate:
    cut, lost = counts.beyond(maxlen)
    slots = counts.count * maxlen
    return Candidate(maxlen, origin, cut, lost, slots, slots - counts.steps + lost, slots * step)


def _savings(counts: LengthCounts) -> tuple[Saving, ...]:
    """Buckets and batches, where they take fewer slots than one block, and packing."""
    found = []
    for maxlens in dict.fromkeys(best_buckets(counts, most=most) for most in _BUCKETS):
        if len(maxlens) > 1:
            slots = bucket_slots(counts, maxlens)
            found.append(Saving("buckets", slots, slots - counts.steps, maxlens=maxlens))
    slots = batch_slots(counts, batch_size=_BATCH)
    if slots < counts.count * counts.longest:
        found.append(Saving("batches", slots, slots - counts.steps, batch_size=_BATCH))
    return (*found, Saving("packed", counts.steps, 0))


def _advice(counts: LengthCounts, candidates: tuple[Candidate, ...]) -> Recommendation:
    """The rule that `plan_lengths` states."""
    longest = candidates[-1]
    if not longest.padding:
        return Recommendation(
            longest.maxlen, False, "All sequences have this length: nothing is padded or cut."
        )
    if 3 * longest.padding <= longest.slots:
        reason = f"Nothing is cut, and only {_padding(longest)} of the slots are padding."
        return Recommendation(longest.maxlen, False, reason)
    least = next(found for found in candidates if 100 * found.lost <= counts.steps)
    if 10 * least.slots <= 9 * longest.slots:
        chosen, lost = least, percent(least.lost, counts.steps)
        reason = (
            f"The smallest maxlen that loses at most 1% of the steps makes {_padding(chosen)} of the slots padding, "
            f"against {_padding(longest)} with the longest"
        )
        cut = f"{chosen.cut:,} of the sequences ({percent(chosen.cut, counts.count)})"
        cost = f"cuts {cut} and loses {lost} of the steps"
    else:
        chosen = longest
        reason = (
            f"With the longest {_padding(chosen)} of the slots are padding, and a cut that loses at most 1% of the "
            "steps would save less than a tenth of the slots"
        )
        cost = "cuts nothing"
    if 2 * chosen.padding <= chosen.slots:
        return Recommendation(chosen.maxlen, False, f"{reason}.")
    reason += ": keep the sequences ragged, and pad each batch to its own longest."
    return Recommendation(
        chosen.maxlen, True, f"{reason} If it must be one block, maxlen {chosen.maxlen:,} {cost}."
    )


def _padding(candidate: Candidate) -> str:
    """The share of its slots that are padding."""
    return percent(candidate.padding, candidate.slots)


def length_bars(counts: LengthCounts, *, most: int = 16) -> list[tuple[int, int, int]]:
    """Bars of a histogram of lengths: the first and the last length of each, and its number of sequences.

    All are of one width, unless a few sequences are far longer than the others: the last bar holds all of these.

    >>> import numpy as np
    >>> length_bars(LengthCounts.of(np.array([1] * 300 + [2] * 300 + [1000])))
    [(1, 1, 300), (2, 2, 300), (3, 1000, 1)]
    """
    if not counts.count:
        return []
    usual = counts.quantile(0.99)
    if counts.longest <= 4 * max(usual, most):
        return counts.histogram(most)
    within = counts.lengths <= usual
    bins = LengthCounts(counts.lengths[within], counts.sequences[within]).histogram(most - 1)
    bins[-1] = (bins[-1][0], usual, bins[-1][2])
    return [*bins, (usual + 1, counts.longest, int(counts.sequences[~within].sum()))]
