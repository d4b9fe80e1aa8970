"""Groups of sequences that stay together, dealt to splits so that each class keeps its share in every one."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from fractions import Fraction

import numpy as np

from seqtool.arrays.dtypes import Array
from seqtool.operations.duplicates import mixed


def dealt(shares: Sequence[Fraction], group: Array, classes: Array) -> Array:
    """Which of the parts with these shares each group goes to, (G,) int64, where no group is cut.

    `group` (N,) tells the group of each sequence, from 0 on, and `classes` (N,) its class, from 0 on. Groups that have
    as many sequences of each class are of one kind. Those of each kind are dealt by their shares, and then what is left
    over, the largest first, goes where its classes, and sequences at all, are lacking most. Of one kind the first go
    to the first part.

    >>> halves = [Fraction(1, 2), Fraction(1, 2)]
    >>> dealt(halves, np.array([0, 0, 1, 1, 2, 3]), np.array([0, 1, 0, 1, 0, 1])).tolist()
    [0, 1, 0, 1]
    """
    totals = np.append(np.bincount(classes), len(classes))  # the last is of all sequences
    wanted = np.array([float(share) for share in shares])
    targets = wanted[:, None] * totals
    held, parts = np.zeros_like(targets), np.empty(int(group.max(initial=-1)) + 1, np.int64)
    kinds = [*_kinds(group, classes, totals)]
    of_kinds = [[int(share * len(members)) for share in shares] for members, _, _ in kinds]
    for (_, which, counts), sizes in zip(kinds, of_kinds, strict=True):
        held[:, which] += np.outer(sizes, counts)
    for (members, which, counts), sizes in zip(kinds, of_kinds, strict=True):
        for _ in range(len(members) - sum(sizes)):
            beyond = held[:, which] - targets[:, which]
            change = ((2 * beyond + counts) * (counts / totals[which] ** 2)).sum(axis=1)
            part = int(np.argmin(np.where(wanted > 0, change, np.inf)))
            sizes[part] += 1
            held[part, which] += counts
        parts[members] = np.repeat(np.arange(len(shares)), sizes)
    return parts


def _kinds(group: Array, classes: Array, totals: Array) -> Iterator[tuple[Array, Array, Array]]:
    """The groups of each kind, with their classes, to which the last of `totals` belongs, and the sequences of each.

    Those come first that have the largest shares of their classes; else kinds are in the order of their groups.
    """
    pairs, counts = np.unique(group.astype(np.int64) * len(totals) + classes, return_counts=True)
    of_group, of_class = np.divmod(pairs, len(totals))
    begins = np.flatnonzero(np.diff(of_group, prepend=-1))
    ends = np.append(begins[1:], len(pairs))
    if not len(pairs):
        return
    marks = np.add.reduceat(
        mixed(of_class.astype(np.uint64) + np.uint64(1)) * counts.astype(np.uint64), begins
    )
    sizes = np.add.reduceat(counts / totals[of_class], begins)
    _, first, kind = np.unique(marks, return_index=True, return_inverse=True)
    members = np.argsort(kind, kind="stable")
    edges = np.searchsorted(kind[members], np.arange(len(first) + 1))
    for i in np.lexsort((first, -sizes[first])).tolist():
        of = slice(int(begins[first[i]]), int(ends[first[i]]))
        which, number = np.append(of_class[of], len(totals) - 1), np.append(counts[of], counts[of].sum())
        yield members[edges[i] : edges[i + 1]], which, number
