"""Splits within sequences: their last steps are left out, or what comes after a time."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from seqtool.arrays.dtypes import Array
from seqtool.arrays.gather import gather, sequence_of
from seqtool.arrays.lazy import AnyArray, Lazy, chunks, lazy_map, span
from seqtool.arrays.spool import GrowingArray, Spool
from seqtool.errors import DataError, UsageError
from seqtool.operations.following import rows_of_targets
from seqtool.operations.operation import Outcome
from seqtool.operations.order_counts import steps_before
from seqtool.operations.split_whole import TEST, TRAIN, VAL, with_splits
from seqtool.sequences.features import steps_of_features
from seqtool.sequences.orders import first_order
from seqtool.sequences.ragged import Ragged, StepArray
from seqtool.sequences.take import take
from seqtool.words import count, in_short

_INT64 = np.dtype(np.int64)


def leave_last(ragged: Ragged, steps: int, target: Sequence[str], *, spool: Spool) -> Outcome:
    """Leave the last step out for the test, and the one before for validation where `steps` is 2.

    Each sequence of n steps gives one of each split: x are its first steps, y is the step after them, (M, F), of the
    features `target` alone where they are named; (M,) of token ids and of a single feature. Where row numbers and order
    values were kept, those of y are `y_row_index` and `y_order`, (M, 1). One too short for all splits gives train
    alone, one of a single step or none is dropped.
    """
    check_parts_free(ragged, "--last")
    if "y" in ragged.per_sequence:
        raise DataError(
            "the sequences have a label y, in whose place the step after x would stand: leave the label out"
        )
    targets = steps_of_features(ragged, target, "--target")
    split_of = np.array([TRAIN, TEST] if steps == 1 else [TRAIN, VAL, TEST], np.uint8)
    which, lengths, splits = (GrowingArray(spool, np.dtype(d)) for d in (np.int64, np.int64, np.uint8))
    y, behind = GrowingArray(spool, targets.dtype, targets.shape[1:]), GrowingArray(spool, _INT64)
    alone = dropped = dropped_steps = 0
    for begin, part in chunks(ragged.lengths, _TOGETHER):
        whole, short = part >= steps + 2, (part >= 2) & (part < steps + 2)
        times = np.where(whole, steps + 1, short.astype(np.int64))
        row = np.repeat(np.arange(len(part)), times)
        turn = np.arange(len(row)) - np.repeat(np.cumsum(times) - times, times)
        left = np.where(whole[row], part[row] - 1 - steps + turn, part[row] - 1)
        which.add(row + begin)
        lengths.add(left)
        splits.add(split_of[turn])
        following = ragged.offsets[begin : begin + len(part)][row] + left
        y.add(gather(targets, following))
        behind.add(following)
        alone += int(short.sum())
        dropped += int((part < 2).sum())
        dropped_steps += int(part[part < 2].sum())
    taken = take(ragged, which.done(), lengths=lengths.done(), spool=spool)
    own = {"y": y.done(), **rows_of_targets(ragged, behind.done(), 1)}
    taken = taken.replace(per_sequence={**taken.per_sequence, **own})
    return _outcome(ragged, taken, splits.done(), (alone, dropped, dropped_steps), steps)


def at_time(ragged: Ragged, at: str, *, context: bool, spool: Spool) -> Outcome:
    """Split each sequence at a moment, or at two: steps before are train, those after test, with val in between.

    `part` is the first step of each part in its sequence. With `context` val and test begin with all steps before
    theirs, whose `weight` is 0; that of all others is 1.
    Raises UsageError for what is no moment, and DataError where order values were not kept.
    """
    check_parts_free(ragged, "--at")
    column = first_order(ragged, "--at")
    moments = [column.moment("--at", text) for text in at.split(",")]
    if len(moments) > 2 or moments != sorted(moments):
        raise UsageError(f"--at is {in_short(at)}; one moment, or two in their order, were expected")
    ends = [steps_before(ragged, column, moment, spool=spool) for moment in moments]
    names = [TRAIN, TEST] if len(ends) == 1 else [TRAIN, VAL, TEST]
    which, begins, lengths, histories, own = (GrowingArray(spool, _INT64) for _ in range(5))
    splits = GrowingArray(spool, np.dtype(np.uint8))
    for begin, whole in chunks(ragged.lengths, _TOGETHER):
        rows = slice(begin, begin + len(whole))
        edges = np.stack([np.zeros_like(whole), *(end[rows] for end in ends), whole], axis=1)
        row, turn = np.nonzero(np.diff(edges, axis=1))
        low, high = edges[row, turn], edges[row, turn + 1]
        history = low if context else np.zeros_like(low)
        which.add(row + begin)
        begins.add(low - history)
        lengths.add(high - low + history)
        histories.add(history)
        own.add(low)
        splits.add(np.array(names, np.uint8)[turn])
    taken = take(ragged, which.done(), starts=begins.done(), lengths=lengths.done(), spool=spool)
    if context:
        taken = _weighted(taken, histories.done())
    how, why = f"of steps before and after {at}", f"{column.name!r} has no value there"
    parts = taken.replace(per_sequence={**taken.per_sequence, "part": own.done()})
    found = with_splits(parts, splits.done(), how, names, why=why)
    empty = sum(int((part == 0).sum()) for _, part in chunks(ragged.lengths))
    lines = [*found.lines, *([("dropped", f"{count(empty, 'sequence')} without steps")] if empty else [])]
    added = {"history of val and test": span(taken.lengths).total - span(ragged.lengths).total}
    return replace(found, added=added, maxlen=max(1, span(taken.lengths).largest), lines=lines)


def _weighted(taken: Ragged, histories: AnyArray) -> Ragged:
    """The same sequences with the array `weight` (S,) float32: 0 for the first `histories[i]` steps of sequence i."""
    offsets = taken.offsets

    def read(begin: int, end: int) -> Array:
        if begin == end:
            return np.empty(0, np.float32)
        first, last = sequence_of(offsets, begin), sequence_of(offsets, end - 1) + 1
        edges, step = offsets[first : last + 1], np.arange(begin, end)
        of = np.searchsorted(edges, step, side="right") - 1
        return (step - edges[of] >= histories[first:last][of]).astype(np.float32)

    weight = Lazy((len(taken.values),), np.dtype(np.float32), read)
    return taken.replace(per_step={**taken.per_step, "weight": StepArray(weight, 0)})


_TOO_SHORT = "no sequence has two steps, one for x and one for y"
_TOGETHER = 1 << 18  # bytes of lengths that are computed together


def check_parts_free(ragged: Ragged, option: str) -> None:
    """Raise DataError for sequences that are parts of others already, which cannot be parted again."""
    if "part" in ragged.per_sequence:
        raise DataError(
            f"{option} parts sequences, and these are parts already (windows or the like): split first"
        )


def _outcome(
    ragged: Ragged, taken: Ragged, splits: AnyArray, left: tuple[int, int, int], steps: int
) -> Outcome:
    """What `leave_last` gives: the steps that only y holds are dropped, those in several splits added."""
    alone, dropped, dropped_steps = left
    sequences = len(ragged) - dropped
    total, kept = span(ragged.lengths).total, span(taken.lengths).total
    part = lazy_map(lambda numbers: numbers.astype(np.int64), splits, dtype=np.int64)
    data = taken.replace(per_sequence={**taken.per_sequence, "part": part})
    wanted = [TRAIN, TEST] if steps == 1 else [TRAIN, VAL, TEST]
    why = f"no sequence has {steps + 2} steps, as all of these splits need" if sequences else _TOO_SHORT
    how = f"from {count(sequences, 'sequence')}: y is the step after x"
    found = with_splits(data, splits, how, wanted, why=why)
    lines = [*found.lines]
    if alone:
        lines.append(("alone", f"{count(alone, 'sequence')} under {steps + 2} steps gave train alone"))
    if dropped:
        lines.append(("dropped", f"{count(dropped, 'sequence')} without a step for both x and y"))
    reasons = {"sequence of a single step": dropped_steps, "last step, which only y holds": sequences}
    return replace(
        found,
        dropped=reasons,
        added={"steps in several splits": kept - (total - dropped_steps - sequences)},
        maxlen=max(1, span(taken.lengths).largest),
        lines=lines,
    )
