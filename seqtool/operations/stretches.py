"""Sequences of two files that overlap: windows of one recording, or one cut out of another, whose steps are the same.

Each sequence is looked for by the fingerprint of a few of its first steps; what has the same one is compared number by
number.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from seqtool.arrays.dtypes import Array
from seqtool.arrays.gather import gather, ranges
from seqtool.arrays.spool import Spool
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

_LEAST = 3  # steps that must be the same
_TOGETHER = 1 << 16  # sequences, steps or pairs that are looked at together
_KNOWN = 1 << 20  # sequences that are looked for at once
_PER_STEP = 1  # comparisons of sequences for each step, from which on their ends are looked at


def overlapping(one: Ragged, other: Ragged, spool: Spool, *, least: int | None = None) -> Twice | None:
    """The sequences of `other` that overlap with one of `one`: which begin within it, or it within them.

    One goes on as the other does until the first of both ends. At least half of the sequence that begins within
    the other, and `least` steps, must be there, and not all the same; by default as many as do not occur by chance.
    Whole sequences that are equal do not count. Steps must have the same number of features. `first` is (place in one,
    place in other); where only those of `one` begin within others, `count` is theirs.

    >>> one, other = (Ragged(np.array(v), np.array([0, len(v)])) for v in ([1, 2, 3, 4, 5], [3, 4, 5, 6]))
    >>> overlapping(one, other, Spool())
    Twice(count=1, first=(0, 0))
    """
    one, other = alike_types(one, other)
    sums = Sums.of(one, spool), Sums.of(other, spool)
    found = _begin_within(*sums, least)
    if found is None:
        found = _begin_within(*sums[::-1], least)
        return found and Twice(found.count, found.first[::-1])
    return found


def _begin_within(within: Sums, looked_for: Sums, least: int | None) -> Twice | None:
    least = _beyond_chance(within, len(looked_for.data)) if least is None else least
    count, first = 0, (0, 0)
    for size, which in _by_size(looked_for, least):
        for places, found in _found(within, looked_for, which, size, least):
            earliest = int(found.argmin()) if len(found) else 0
            if len(found) and (not count or int(found[earliest]) < first[1]):
                first = int(places[earliest]), int(found[earliest])
            count += len(found)
    return Twice(count, first) if count else None


def _beyond_chance(within: Sums, count: int) -> int:
    """The steps that so many sequences hardly share by chance with those of a file: twice what its first steps tell.

    Steps of few different numbers, such as ids and rounded readings, are the same in many places.
    """
    values = within.data.values
    parts = pieces(0, min(len(values), _TOGETHER), steps_together(values))
    marks = [step_marks(values[at:to]) for at, to in parts]
    distinct = len(np.unique(np.concatenate(marks))) if marks else 1
    pairs = np.log2(max(1, len(within.data.values))) + np.log2(max(1, count))
    return max(_LEAST, int(np.ceil(2 * pairs / np.log2(max(2, distinct)))))


def _growing(begin: int, end: int) -> Iterator[tuple[int, int]]:
    """Pieces of which the first are short: what repeats is mostly found in these, and looked for no more."""
    at, count = begin, _TOGETHER >> 6
    while at < end:
        to = min(at + max(count, 1), end)
        yield at, to
        at, count = to, min(2 * count, _TOGETHER)


def _by_size(sums: Sums, least: int) -> Iterator[tuple[int, Array]]:
    """The steps by which sequences are looked for, a power of two, and places of such sequences, ascending."""
    for first in range(0, len(sums.data), _KNOWN):
        changes = sums.changes[first : first + _KNOWN]
        lengths = np.diff(sums.data.offsets[first : first + _KNOWN + 1])
        changing = (changes[:, 0] > 0) & (lengths >= least)
        # From the step before the first change on to the last change, all counts.
        span = np.where(changing, changes[:, 1] - changes[:, 0] + 2, 2)
        sizes = 1 << np.maximum(1, np.log2(span).astype(np.int64) - 1)
        for size in np.unique(sizes[changing]).tolist():
            yield size, np.flatnonzero(changing & (sizes == size)) + first


@dataclass(frozen=True, eq=False)
class _Wanted:
    """Sequences that are looked for by as many steps, in classes, so that no place is compared with all of them.

    Sequences of one class are found in the same places, as far as those steps tell: these are the same (`prints`), they
    begin at the same step (`leads`), and the sequences are as long (`lengths`). Its members are those from its place in
    `edges` to the next. Of each member `places` is where it stands in its file; `left` are those not found yet.
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
    members: Array  # that they belong to

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
        """The classes of which members are left, ascending by their prints."""
        return np.flatnonzero(np.logical_or.reduceat(self.left, self.edges[:-1]))

    def matching(self, classes: Array, counts: Array, prints: Array) -> tuple[Array, Array]:
        """The members whose first steps are the same as some others, once for each: (place among these, member).

        Of stretches of `counts` steps, each perhaps of a member of a class, `prints` are the fingerprints.
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
    """Which rows of some columns differ from the row before them, (n,) bool; the first does."""
    return np.append(True, np.any([column[1:] != column[:-1] for column in columns], axis=0))


def _firsts(*columns: Array) -> Array:
    """One row of each kind that there is, where n rows have several columns."""
    order = np.lexsort(columns)
    return np.asarray(order[_changes(*(column[order] for column in columns))[: len(order)]])


def _keys(classes: Array, counts: Array, prints: Array) -> Array:
    """A number for each stretch of a class, which tells apart what differs in any of the three."""
    return mixed(prints + mixed(classes.astype(np.uint64) * BASE + counts.astype(np.uint64)))


def _found(
    within: Sums, looked_for: Sums, which: Array, size: int, least: int
) -> Iterator[tuple[Array, Array]]:
    """Of some sequences those that overlap with one in `within`: the places of both, once each."""
    wanted = _Wanted.of(looked_for, which, size)
    table = np.zeros(1 << 20, bool)  # sorts out most windows at once
    table[wanted.prints >> np.uint64(44)] = True
    ends: _Ends | None = None
    pairs = 0
    for first in range(0, len(within.data), _TOGETHER):
        offsets = within.data.offsets[first : first + _TOGETHER + 1]
        for at, to in _growing(int(offsets[0]), int(offsets[-1]) - size + 1):
            windows = within.windows(at, to, size)
            likely = np.flatnonzero(table[windows >> np.uint64(44)])
            if not len(likely):
                continue
            classes = wanted.open_classes
            low, high = _alike(wanted.prints[classes], windows[likely])
            if ends is None:
                members = np.append(0, np.cumsum(np.diff(wanted.edges)[classes]))
                pairs += int((members[high] - members[low]).sum())
                if pairs > _PER_STEP * len(within.data.values):  # many begin alike, so that it is worth it
                    ends = _Ends.of(within, wanted, size)
            if ends is not None:
                sequences = np.searchsorted(offsets, likely + at, side="right") - 1 + first
                classes, low, high = ends.narrowed(wanted, classes, windows[likely], sequences)
            for places, some in _pairs(likely + at, low, high - low, classes):
                sequence = np.searchsorted(offsets, places, side="right") - 1
                starts, stop, lengths = (
                    places - wanted.leads[some],
                    offsets[sequence + 1],
                    wanted.lengths[some],
                )
                counts = np.minimum(lengths, stop - starts)
                whole = (counts == lengths) & (stop - offsets[sequence] == lengths)
                inside = (starts >= offsets[sequence]) & (places + size <= stop)
                fits = np.flatnonzero(inside & (counts >= np.maximum(least, -(-lengths // 2))) & ~whole)
                if not len(fits):
                    continue
                starts, counts = starts[fits], counts[fits]
                rows, found = wanted.matching(some[fits], counts, within.fingerprints(starts, counts))
                order = np.lexsort((rows, found))  # of several places the first
                once, at_first = np.unique(found[order], return_index=True)
                rows = rows[order][at_first]
                values, begins = looked_for.data.values, wanted.begins[once]
                holds = same_stretches(within.data.values, starts[rows], values, begins, counts[rows])
                wanted.left[once[holds]] = False
                yield sequence[fits][rows[holds]] + first, wanted.places[once[holds]]


def _alike(known: Array, prints: Array) -> tuple[Array, Array]:
    """Where each of some prints stands among those that are known, ascending: from and to."""
    low, high = (np.searchsorted(known, prints, side=side) for side in ("left", "right"))
    return low, high


@dataclass(frozen=True)
class _Ends:
    """Which sequences may overlap by their last steps; of those that begin alike and differ late most do not.

    What lies wholly within another sequence has its last change there, with the steps before it (`inside`, of members).
    What goes on beyond the end of another one has the last steps of that (`beyond`, of the sequences in the file).
    """

    inside: Array
    beyond: Array

    @classmethod
    def of(cls, within: Sums, wanted: _Wanted, size: int) -> _Ends:
        """What all windows of both files tell, each of which is looked at once."""
        sums, offsets = wanted.sums, within.data.offsets
        lasts = gather(sums.changes, wanted.places)[:, 1] + 1
        inside = within.holds(sums.fingerprints(wanted.begins + lasts - size, size), size)
        beyond = np.zeros(len(within.data), bool)
        for first in range(0, len(beyond), _KNOWN):
            some = offsets[first : first + _KNOWN + 1]
            long = np.flatnonzero(np.diff(some) >= size)
            prints = within.fingerprints(some[long + 1] - size, size)
            beyond[first + long] = sums.holds(prints, size)
        return cls(inside, beyond)

    def narrowed(
        self, wanted: _Wanted, classes: Array, prints: Array, sequences: Array
    ) -> tuple[Array, Array, Array]:
        """The open classes, and where those that may overlap at some places stand among these: from and to.

        At each place, in a sequence, stands a window of this print.
        """
        members = np.logical_or.reduceat(wanted.left & self.inside, wanted.edges[:-1])
        wholly = classes[members[classes]]
        beyond = self.beyond[sequences]
        all_of, some_of = _alike(wanted.prints[classes], prints), _alike(wanted.prints[wholly], prints)
        low, high = (
            np.where(beyond, one, other + len(classes)) for one, other in zip(all_of, some_of, strict=True)
        )
        return np.concatenate([classes, wholly]), low, high


def _pairs(places: Array, low: Array, counts: Array, order: Array) -> Iterator[tuple[Array, Array]]:
    """Each place with all that it may be, in pieces."""
    before = np.concatenate([[0], np.cumsum(counts)])
    at = 0
    while at < len(places):
        to = max(at + 1, int(np.searchsorted(before, before[at] + _TOGETHER, side="right")) - 1)
        some = counts[at:to]
        yield np.repeat(places[at:to], some), order[ranges(low[at:to], some)]
        at = to
