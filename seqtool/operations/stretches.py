"""Sequences of two files that overlap: windows of one recording, or sequences cut out of others, with equal steps.

Each sequence is looked up by the fingerprint of a few of its first steps; where it is found, all steps are compared.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from seqtool.arrays.dtypes import Array
from seqtool.arrays.gather import gather, offsets_together, ranges
from seqtool.arrays.spool import Spool
from seqtool.dataclass import dataclass
from seqtool.operations.duplicates import (
    Twice,
    alike_types,
    mixed,
    same_stretches,
    step_marks,
    steps_together,
)
from seqtool.operations.step_sums import BASE, Sums, pieces
from seqtool.sequences.ragged import Ragged

_LEAST = 3  # steps of the shortest overlap
_TOGETHER = 1 << 16  # steps or pairs that are processed together
_KNOWN = 1 << 20  # sequences that are looked up together
_PER_STEP = 1  # comparisons for each step, beyond which the ends of sequences are looked up first


def summed(one: Ragged, other: Ragged, spool: Spool) -> tuple[Sums, Sums]:
    """Both, with the sums that `overlapping` and `shared` look sequences up by."""
    one, other = alike_types(one, other)
    return Sums.of(one, spool), Sums.of(other, spool)


def overlapping(one: Sums, other: Sums, *, least: int | None = None) -> Twice | None:
    """The sequences of `other` that overlap with a sequence of `one`: one of both begins within the other.

    From there both have equal steps until one of them ends. The overlap is at least half of the sequence that begins
    within the other, has at least `least` steps, and not all of them equal; by default `least` is what hardly occurs
    by chance. Equal whole sequences do not count. Steps must have the same number of features. `first` is (place in
    one, place in other). Where no sequence of `other` begins within one of `one`, those of `one` that begin within
    one of `other` are counted instead.

    >>> one, other = (Ragged(np.array(v), np.array([0, len(v)])) for v in ([1, 2, 3, 4, 5], [3, 4, 5, 6]))
    >>> overlapping(*summed(one, other, Spool()))
    Twice(count=1, first=(0, 0))
    """
    found = _begin_within(one, other, least)
    if found is None:
        found = _begin_within(other, one, least)
        return found and Twice(found.count, found.first[::-1])
    return found


def _begin_within(within: Sums, looked_for: Sums, least: int | None) -> Twice | None:
    """The sequences of `looked_for` that begin within one of `within`; `first` is (place in within, the other)."""
    least = _beyond_chance(within, len(looked_for.data)) if least is None else least
    count, first = 0, (0, 0)
    for size, which in _by_size(looked_for, least):
        for places, found in _overlaps(within, looked_for, which, size, least):
            if not len(found):
                continue
            earliest = int(found.argmin())
            if not count or int(found[earliest]) < first[1]:
                first = int(places[earliest]), int(found[earliest])
            count += len(found)
    return Twice(count, first) if count else None


def _beyond_chance(within: Sums, count: int) -> int:
    """The number of steps in a row that `count` sequences hardly share with a file by chance.

    It is twice the estimate by the distinct steps at the beginning of the file: few distinct ones, such as of ids and
    rounded readings, are equal in many places.
    """
    values = within.data.values
    parts = pieces(0, min(len(values), _TOGETHER), steps_together(values))
    marks = [step_marks(values[at:to]) for at, to in parts]
    distinct = len(np.unique(np.concatenate(marks))) if marks else 1
    pairs = np.log2(max(1, len(within.data.values))) + np.log2(max(1, count))
    return max(_LEAST, int(np.ceil(2 * pairs / np.log2(max(2, distinct)))))


def _growing(begin: int, end: int) -> Iterator[tuple[int, int]]:
    """Begin and end of pieces that grow: sequences that occur often are found in the first, and then left out."""
    at, count = begin, _TOGETHER >> 6
    while at < end:
        to = min(at + max(count, 1), end)
        yield at, to
        at, count = to, min(2 * count, _TOGETHER)


def _by_size(sums: Sums, least: int) -> Iterator[tuple[int, Array]]:
    """Sizes of the windows by which sequences are looked up, powers of two, each with the places of its sequences."""
    for first in range(0, len(sums.data), _KNOWN):
        changes = sums.changes[first : first + _KNOWN]
        lengths = np.diff(sums.data.offsets[first : first + _KNOWN + 1])
        changing = (changes[:, 0] > 0) & (lengths >= least)
        # The steps from the one before the first change to the last change tell sequences apart.
        span = np.where(changing, changes[:, 1] - changes[:, 0] + 2, 2)
        sizes = 1 << np.maximum(1, np.log2(span).astype(np.int64) - 1)
        for size in np.unique(sizes[changing]).tolist():
            yield size, np.flatnonzero(changing & (sizes == size)) + first


@dataclass(frozen=True, eq=False)
class _Wanted:
    """Sequences that are looked up by a window of one size, in classes, so that few are compared at each place.

    The sequences of a class have the same fingerprint of the window (`prints`), the same number of steps before it
    (`leads`), and the same length (`lengths`). Class i has the members `edges[i]` to `edges[i + 1]`. Of each member,
    `places` is its place in its file, `begins` its first step, and `left` whether it is still to be found.
    """

    sums: Sums
    places: Array
    begins: Array
    left: Array
    edges: Array
    prints: Array
    leads: Array
    lengths: Array
    whole: Array  # keys of whole sequences, ascending
    members: Array  # the member that each of these keys belongs to

    @classmethod
    def of(cls, sums: Sums, places: Array, size: int) -> _Wanted:
        """The sequences at some places of a file."""
        begins = gather(sums.data.offsets, places)
        lengths = gather(sums.data.offsets, places + 1) - begins
        leads = gather(sums.changes, places)[:, 0] - 1
        prints = sums.fingerprints(begins + leads, size)
        order = np.lexsort((lengths, leads, prints))
        places, begins, prints, leads, lengths = (
            part[order] for part in (places, begins, prints, leads, lengths)
        )
        firsts = np.flatnonzero(_changes(prints, leads, lengths))
        edges = np.append(firsts, len(order))
        classes = np.repeat(np.arange(len(firsts)), np.diff(edges))
        whole = _keys(classes, lengths, sums.fingerprints(begins, lengths))
        by_key = np.argsort(whole, kind="stable")
        left = np.ones(len(order), bool)
        prints, leads, lengths = prints[firsts], leads[firsts], lengths[firsts]
        return cls(sums, places, begins, left, edges, prints, leads, lengths, whole[by_key], by_key)

    @property
    def open_classes(self) -> Array:
        """The classes with members that are left, ascending by their prints."""
        return np.flatnonzero(np.logical_or.reduceat(self.left, self.edges[:-1]))

    def matching(self, classes: Array, counts: Array, prints: Array) -> tuple[Array, Array]:
        """The members that are left and begin with one of some stretches: (number of the stretch, member).

        A stretch has a class, `counts` steps and a fingerprint, (n,) each. Of equal stretches one is taken.
        """
        keys, firsts = np.unique(_keys(classes, counts, prints), return_index=True)
        low, high = (np.searchsorted(self.whole, keys, side=side) for side in ("left", "right"))
        found = [(np.repeat(firsts, high - low), self.members[ranges(low, high - low)])]
        short = firsts[counts[firsts] < self.lengths[classes[firsts]]]
        cuts = short[_firsts(classes[short], counts[short])]
        begins, ends = self.edges[classes[cuts]], self.edges[classes[cuts] + 1]
        for which, members in _pairs(cuts, begins, ends - begins, np.arange(len(self.left))):
            which, members = which[self.left[members]], members[self.left[members]]
            parts = self.sums.fingerprints(self.begins[members], counts[which])
            wanted = _keys(classes[which], counts[which], parts)
            at = np.minimum(np.searchsorted(keys, wanted), len(keys) - 1)
            same = keys[at] == wanted
            found.append((firsts[at[same]], members[same]))
        rows, which = (np.concatenate(part) for part in zip(*found, strict=True))
        return rows[self.left[which]], which[self.left[which]]


def _changes(*columns: Array) -> Array:
    """Which rows of some columns differ from the row before, (n,) bool; the first row counts as different."""
    return np.append(True, np.any([column[1:] != column[:-1] for column in columns], axis=0))


def _firsts(*columns: Array) -> Array:
    """The numbers of the distinct rows of some columns, one of each."""
    order = np.lexsort(columns)
    return np.asarray(order[_changes(*(column[order] for column in columns))[: len(order)]])


def _keys(classes: Array, counts: Array, prints: Array) -> Array:
    """A hash for each stretch, of its class, its number of steps and its fingerprint."""
    return mixed(prints + mixed(classes.astype(np.uint64) * BASE + counts.astype(np.uint64)))


def _overlaps(
    within: Sums, looked_for: Sums, which: Array, size: int, least: int
) -> Iterator[tuple[Array, Array]]:
    """The sequences at the places `which` that begin within one of `within`: the places of both, each found once."""
    wanted = _Wanted.of(looked_for, which, size)
    table = np.zeros(1 << 22, bool)  # rules out most windows by the first bits of their fingerprints
    table[wanted.prints >> np.uint64(42)] = True
    open_classes = wanted.open_classes
    prints = wanted.prints[open_classes]
    ends: _Ends | None = None
    pairs = 0
    for first, offsets in offsets_together(within.data.offsets):
        for at, to in _growing(int(offsets[0]), int(offsets[-1]) - size + 1):
            windows = within.windows(at, to, size)
            likely = np.flatnonzero(table.take((windows >> np.uint64(42)).view(np.int64)))
            low, high = _alike(prints, windows[likely])
            likely, low, high = (part[high > low] for part in (likely, low, high))
            if not len(likely):
                continue
            classes, new = open_classes, False
            if ends is None:
                members = np.append(0, np.cumsum(np.diff(wanted.edges)[classes]))
                pairs += int((members[high] - members[low]).sum())
                if pairs > _PER_STEP * len(within.data.values):  # so many begin alike that it pays
                    ends = _Ends.of(within, wanted, size)
            if ends is not None:
                sequences = np.searchsorted(offsets, likely + at, side="right") - 1 + first
                classes, low, high = ends.narrowed(wanted, classes, windows[likely], sequences)
            for steps, of_steps in _pairs(likely + at, low, high - low, classes):
                sequence, members = _confirmed(within, offsets, steps, wanted, of_steps, size, least)
                wanted.left[members] = False
                new |= len(members) > 0
                yield sequence + first, wanted.places[members]
            if new:
                open_classes = wanted.open_classes
                prints = wanted.prints[open_classes]


def _confirmed(
    within: Sums, offsets: Array, steps: Array, wanted: _Wanted, classes: Array, size: int, least: int
) -> tuple[Array, Array]:
    """The pairs of a window at a step of `within` and a class that are overlaps: (sequence, member), each once.

    Sequences are counted from the first of `offsets`, in which the steps lie.
    """
    sequence = np.searchsorted(offsets, steps, side="right") - 1
    starts, stop, lengths = steps - wanted.leads[classes], offsets[sequence + 1], wanted.lengths[classes]
    counts = np.minimum(lengths, stop - starts)
    whole = (counts == lengths) & (stop - offsets[sequence] == lengths)
    inside = (starts >= offsets[sequence]) & (steps + size <= stop)
    fits = np.flatnonzero(inside & (counts >= np.maximum(least, -(-lengths // 2))) & ~whole)
    if not len(fits):
        return fits, fits
    starts, counts = starts[fits], counts[fits]
    stretches, members = wanted.matching(classes[fits], counts, within.fingerprints(starts, counts))
    order = np.lexsort((stretches, members))  # of several stretches the first
    members, firsts = np.unique(members[order], return_index=True)
    stretches = stretches[order][firsts]
    values, begins = wanted.sums.data.values, wanted.begins[members]
    same = same_stretches(within.data.values, starts[stretches], values, begins, counts[stretches])
    return sequence[fits][stretches[same]], members[same]


def _alike(known: Array, prints: Array) -> tuple[Array, Array]:
    """Begin and end of the range of equal fingerprints among the known ones, ascending, for each of some prints."""
    low, high = (np.searchsorted(known, prints, side=side) for side in ("left", "right"))
    return low, high


@dataclass(frozen=True)
class _Ends:
    """Which sequences may overlap by their last steps, which rules out most of those that begin alike.

    A sequence that lies within another one has the window up to its last change there: `inside`, of members. One
    that continues beyond the end of another one contains the last steps of that: `beyond`, of sequences in the file.
    """

    inside: Array
    beyond: Array

    @classmethod
    def of(cls, within: Sums, wanted: _Wanted, size: int) -> _Ends:
        """Read all windows of both files once."""
        sums, offsets = wanted.sums, within.data.offsets
        lasts = gather(sums.changes, wanted.places)[:, 1] + 1
        inside = within.holds(sums.fingerprints(wanted.begins + lasts - size, size), size)
        beyond = np.zeros(len(within.data), bool)
        for first in range(0, len(beyond), _KNOWN):
            edges = offsets[first : first + _KNOWN + 1]
            long = np.flatnonzero(np.diff(edges) >= size)
            prints = within.fingerprints(edges[long + 1] - size, size)
            beyond[first + long] = sums.holds(prints, size)
        return cls(inside, beyond)

    def narrowed(
        self, wanted: _Wanted, classes: Array, prints: Array, sequences: Array
    ) -> tuple[Array, Array, Array]:
        """Classes, and the range of those among them that may overlap at each of some windows: begin and end.

        Of each window `prints` is the fingerprint, and `sequences` the sequence in the file.
        """
        members = np.logical_or.reduceat(wanted.left & self.inside, wanted.edges[:-1])
        contained = classes[members[classes]]
        beyond = self.beyond[sequences]
        all_low, all_high = _alike(wanted.prints[classes], prints)
        low, high = (bound + len(classes) for bound in _alike(wanted.prints[contained], prints))
        low, high = np.where(beyond, all_low, low), np.where(beyond, all_high, high)
        return np.concatenate([classes, contained]), low, high


def _pairs(places: Array, low: Array, counts: Array, order: Array) -> Iterator[tuple[Array, Array]]:
    """Each place with the `counts` entries of `order` from `low` on, as pairs, in pieces."""
    before = np.concatenate([[0], np.cumsum(counts)])
    at = 0
    while at < len(places):
        to = max(at + 1, int(np.searchsorted(before, before[at] + _TOGETHER, side="right")) - 1)
        yield np.repeat(places[at:to], counts[at:to]), order[ranges(low[at:to], counts[at:to])]
        at = to
