"""Splits of whole sequences: drawn by a hash of their keys, in exact shares or by a threshold, or named by a column."""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction

import numpy as np

from seqtool.arrays.dtypes import Array
from seqtool.arrays.lazy import AnyArray, Lazy, chunks, decoded, lazy_map
from seqtool.arrays.spool import GrowingArray, Spool
from seqtool.dataclass import dataclass
from seqtool.errors import DataError
from seqtool.operations.operation import Outcome
from seqtool.operations.split_groups import dealt
from seqtool.sequences.columns import SequenceColumn, class_of, column_named
from seqtool.sequences.key_hash import key_hashes, sequence_hashes
from seqtool.sequences.labels import class_name
from seqtool.sequences.padding_values import UNLABELLED
from seqtool.sequences.ragged import Ragged
from seqtool.sequences.splits import SPLITS
from seqtool.words import count, in_short, listed

TRAIN, VAL, TEST = range(3)  # places in SPLITS, which stand for the names until an array is made of them


@dataclass(frozen=True)
class Shares:
    """How many of some sequences are for validation and test: as shares, or as one fold of several."""

    val: float
    test: float
    folds: int | None = None
    fold: int | None = None

    @property
    def wanted(self) -> list[int]:
        """The splits that must not be empty."""
        has_val = self.val > 0 or self.folds is not None
        return [TRAIN, *([VAL] if has_val else []), *([TEST] if self.test > 0 else [])]

    def of(self, number: int) -> Array:
        """The split of each of `number` sequences in the order of their hashes, (number,) uint8: test, val, train.

        >>> Shares(0.1, 0.1).of(10).tolist(), Shares(0, 0, folds=3, fold=1).of(5).tolist()
        ([2, 1, 0, 0, 0, 0, 0, 0, 0, 0], [0, 0, 1, 1, 0])
        """
        val, test = Fraction(str(self.val)), Fraction(str(self.test))
        _, of_val, of_test = largest_remainder([1 - val - test, val, test], number)
        splits = np.full(number, TRAIN, np.uint8)
        splits[:of_test] = TEST
        begin = of_test
        if self.folds is not None and self.fold is not None:
            sizes = largest_remainder([Fraction(1, self.folds)] * self.folds, number - of_test)
            begin, of_val = of_test + sum(sizes[: self.fold]), sizes[self.fold]
        splits[begin : begin + of_val] = VAL
        return splits

    def parts(self) -> tuple[list[int], list[Fraction]]:
        """The parts that sequences are dealt to: the split that each stands for, and its share.

        >>> Shares(0, 0.2, folds=2, fold=1).parts()
        ([2, 0, 1], [Fraction(1, 5), Fraction(2, 5), Fraction(2, 5)])
        """
        val, test = Fraction(str(self.val)), Fraction(str(self.test))
        if self.folds is None:
            return [TEST, VAL, TRAIN], [test, val, 1 - val - test]
        of_folds = [VAL if fold == self.fold else TRAIN for fold in range(self.folds)]
        return [TEST, *of_folds], [test, *[(1 - test) / self.folds] * self.folds]

    def by_threshold(self, hashes: Array) -> Array:
        """The split of each hash, (n,) uint64, by itself: shares hold on average, and a key never moves."""
        ends = [int(Fraction(str(share)) * 2**64) for share in (self.test, self.test + self.val)]
        splits = np.full(len(hashes), TRAIN, np.uint8)
        splits[hashes < np.uint64(ends[1])] = VAL
        splits[hashes < np.uint64(ends[0])] = TEST
        return splits


def largest_remainder(shares: Sequence[Fraction], number: int) -> list[int]:
    """Whole numbers in the proportions of `shares`, which sum up to `number`: the largest remainders are rounded up.

    >>> largest_remainder([Fraction(8, 10), Fraction(1, 10), Fraction(1, 10)], 15)
    [12, 2, 1]
    """
    exact = [share * number for share in shares]
    whole = [int(part) for part in exact]
    by_remainder = sorted(range(len(shares)), key=lambda i: (whole[i] - exact[i], i))
    for i in by_remainder[: number - sum(whole)]:
        whole[i] += 1
    return whole


def drawn(
    ragged: Ragged,
    shares: Shares,
    *,
    seed: int,
    by: str | None = None,
    stable: bool = False,
    stratify: bool = False,
    spool: Spool,
) -> Outcome:
    """Split by a hash of seed and key, or of the column `by`; sequences of the same key or cell stay together.

    With `stratify` each class has its share of each split; of what stays together and has several classes, as nearly as
    it can be dealt. Raises DataError for an empty split, and with `stratify` for one in which a class is missing.
    """
    hashes = _hashes(ragged, seed, by, spool)
    if stable:
        splits = lazy_map(shares.by_threshold, hashes, dtype=np.uint8)
    else:
        found, group = np.unique(np.asarray(hashes), return_inverse=True)
        classes = _classes(ragged) if stratify else None
        splits = _exact(shares, group, len(found), classes, by_sequences=by is not None)
        if classes is not None:
            _check_classes(ragged, classes, splits, shares)
    how = f"by {by or ('key' if ragged.keys is not None else 'place')}"
    are = "is" if len(ragged) == 1 else "are"
    why = f"{count(len(ragged), 'sequence')} {are} too few for these shares, or for what stays together"
    return with_splits(ragged, splits, how, shares.wanted, why=why)


def by_value(ragged: Ragged, name: str, *, spool: Spool) -> Outcome:
    """Split as a column of text says; raises DataError for a cell that names no split."""
    cells = class_of(column_named(ragged, name, "--by-value"), ["train, val and test"])
    splits = GrowingArray(spool, np.dtype(np.uint8))
    for _, part in chunks(cells):
        names, place = np.unique(part.astype(str), return_inverse=True)
        known = [_MEANT.get(text.lower()) for text in names.tolist()]
        if None in known:
            unknown = names.tolist()[known.index(None)]
            raise DataError(
                f"--by-value {name}: {in_short(unknown)} is no split; train, val or test was expected"
            )
        splits.add(np.array(known, np.uint8)[place])
    return with_splits(ragged, splits.done(), f"by {name}", [])


# What data sets call them.
_MEANT = {
    **dict.fromkeys(("train", "training"), TRAIN),
    **dict.fromkeys(("val", "valid", "validation", "dev"), VAL),
    **dict.fromkeys(("test", "testing"), TEST),
}


def with_splits(
    ragged: Ragged, splits: AnyArray, how: str, wanted: Sequence[int] = (), *, why: str = ""
) -> Outcome:
    """The same sequences with the array `split`, from numbers (N,) uint8.

    Raises DataError where one of those that are `wanted` is empty; `why` is the reason.
    """
    counts = np.zeros(len(SPLITS), np.int64)
    for _, part in chunks(splits):
        counts += np.bincount(part, minlength=len(SPLITS))
    sizes = dict(zip(SPLITS, counts.tolist(), strict=True))
    empty = [SPLITS[split] for split in wanted if not sizes[SPLITS[split]]]
    if empty:
        raise DataError(f"{listed(empty)} would be empty: {why}")
    shown = ", ".join(f"{name} {size:,}" for name, size in sizes.items() if size)
    again = "; replaces an earlier split" if "split" in ragged.per_sequence else ""
    line = ("split", f"{shown or 'none'} of {count(len(ragged), 'sequence')} {how}{again}")
    array = {**ragged.per_sequence, "split": named(splits)}
    return Outcome(ragged.replace(per_sequence=array), lines=[line], facts={"splits": sizes})


def named(splits: AnyArray) -> Lazy:
    """Numbers of splits, (N,) uint8, as their names, (N,) text, made when they are read."""
    return decoded(splits, np.array(SPLITS))


def check_unsplit(ragged: Ragged) -> list[str]:
    """Warnings about what was fitted before; raises DataError where that was on the train of an earlier split."""
    fitted = [str(entry.get("command")) for entry in ragged.receipt if "state" in entry]
    if fitted and "split" in ragged.per_sequence:
        raise DataError(
            f"these sequences are split, and {listed(fitted)} was fitted on train: split what they were before that"
        )
    if not fitted:
        return []
    return [f"{listed(fitted)} was fitted on all sequences, those of val and test too: split first, then fit"]


def _hashes(ragged: Ragged, seed: int, by: str | None, spool: Spool) -> AnyArray:
    """A hash of what must stay together: keys, whose parts do, or the cells of a column."""
    if by is None:
        if ragged.keys is None:
            return sequence_hashes(ragged, seed, spool=spool)
        return key_hashes(ragged.keys, None, seed, spool=spool)
    return key_hashes(column_named(ragged, by, "--by").cells, None, seed, spool=spool)


def _exact(shares: Shares, group: Array, number: int, classes: Array | None, *, by_sequences: bool) -> Array:
    """The split of each sequence, of which `group` (N,) stay together, `number` groups in the order of their hashes.

    With `classes` (N,) it is that of each of them. Groups of several classes are dealt whole, so that each class has
    about its share of the sequences; so are others that differ in size, if `by_sequences` says so.
    """
    if classes is None:
        return shares.of(number)[group]
    strata = np.zeros(number, np.int64)
    strata[group] = classes
    if by_sequences or (strata[group] != classes).any():
        splits, parts = shares.parts()
        return np.array(splits, np.uint8)[dealt(parts, group, classes)][group]
    of_groups = np.empty(number, np.uint8)
    in_strata = np.argsort(strata, kind="stable")  # of one stratum, groups stay in the order of their hashes
    begin = 0
    for size in np.bincount(strata).tolist():
        of_groups[in_strata[begin : begin + size]] = shares.of(size)
        begin += size
    return of_groups[group]


def _label(ragged: Ragged) -> SequenceColumn:
    """The one label of sequences that is a class; raises DataError where there is none."""
    y = ragged.per_sequence.get("y")
    if y is None or y.ndim != 1 or y.dtype.kind not in "biuUT":
        found = "there is no y" if y is None else f"y is {y.dtype} {y.shape}"
        raise DataError(f"--stratify: a class of each sequence was expected, but {found}")
    return SequenceColumn("y", y, ragged.names.get("classes"))


def _classes(ragged: Ragged) -> Array:
    """The class of each sequence, (N,) int64, numbered from 0 on."""
    return np.unique(np.asarray(_label(ragged).cells), return_inverse=True)[1].astype(np.int64)


def _check_classes(ragged: Ragged, classes: Array, splits: Array, shares: Shares) -> None:
    """Raise DataError for a class that is missing in a split."""
    label = _label(ragged)
    cells = np.asarray(label.cells)
    _, first = np.unique(classes, return_index=True)
    width = len(SPLITS)
    inside = np.bincount(classes * width + splits, minlength=len(first) * width).reshape(-1, width)
    for place, counts in zip(first.tolist(), inside.tolist(), strict=True):
        missing = [SPLITS[split] for split in shares.wanted if not counts[split]]
        cell = cells[place].item()
        if not missing or (
            label.classes is not None and cell == UNLABELLED
        ):  # those without a label are no class
            continue
        name = cell if label.classes is None else class_name(label.classes, cell)
        raise DataError(
            f"--stratify: class {in_short(name)} has {count(sum(counts), 'sequence')}, too few for one in "
            f"{listed(missing)}, or for what stays together"
        )
