"""Keys that several inputs have: refused, or one sequence of each key kept, or all of them, told apart by `part`."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Literal

import numpy as np

from seqtool.advice import Advice
from seqtool.arrays.dtypes import Array
from seqtool.arrays.lazy import AnyArray, Lazy, span
from seqtool.arrays.spool import GrowingArray, Spool
from seqtool.dataclass import dataclass
from seqtool.errors import DataError
from seqtool.operations.duplicates import key_cells, repeats
from seqtool.operations.name_tables import Piece
from seqtool.sequences.keys import shown_key
from seqtool.sequences.ragged import Ragged
from seqtool.sequences.take import take
from seqtool.words import count

OnClash = Literal["error", "first", "last", "both"]


@dataclass(frozen=True, eq=False)
class _Clashes:
    """Sequences whose key an earlier one has: their places, ascending, and that of the first one with the key."""

    later: Array
    first: Array

    @classmethod
    def of(cls, ragged: Ragged, spool: Spool) -> _Clashes:
        """Those of some sequences; keys are compared with their part."""
        assert ragged.keys is not None
        found = [*repeats(key_cells(ragged.keys, spool, part=ragged.per_sequence.get("part")), spool)]
        later = np.concatenate([np.empty(0, np.int64), *(others for _, others in found)])
        first = np.concatenate([np.empty(0, np.int64), *(ones for ones, _ in found)])
        order = np.argsort(later, kind="stable")
        return cls(later[order], first[order])

    def but_the_last(self) -> Array:
        """The places of all sequences of these keys but the last of each, ascending."""
        places = np.concatenate([np.unique(self.first), self.later])
        keys = np.concatenate([np.unique(self.first), self.first])
        order = np.lexsort((places, keys))
        is_last = np.append(keys[order][1:] != keys[order][:-1], True)
        return np.sort(places[order][~is_last])

    def numbers(self) -> Array:
        """How many sequences of the same key stand before each of `later`, from 1 on."""
        order = np.argsort(self.first, kind="stable")
        firsts = self.first[order]
        begins = np.flatnonzero(np.append(True, firsts[1:] != firsts[:-1]))
        found = np.empty(len(firsts), np.int64)
        found[order] = np.arange(len(firsts)) - np.repeat(begins, np.diff(np.append(begins, len(firsts)))) + 1
        return found


def without_clashes(
    ragged: Ragged, pieces: Sequence[Piece], on_clash: OnClash, spool: Spool
) -> tuple[Ragged, dict[str, int], list[tuple[str, str]]]:
    """All sequences of some inputs with unique keys, the steps that were dropped by reason, and lines for the summary.

    Raises DataError for a key that is there twice where `on_clash` is "error".
    """
    if ragged.keys is None or not len(ragged):
        return ragged, {}, []
    clashes = _Clashes.of(ragged, spool)
    if not len(clashes.later):
        return ragged, {}, []
    if on_clash == "error":
        raise _duplicate(ragged, pieces, clashes)
    if on_clash == "both":
        line = f"{count(len(clashes.later), 'sequence')} whose key an earlier one has; part tells them apart"
        return _told_apart(ragged, clashes), {}, [("clashes", line)]
    left = clashes.later if on_clash == "first" else clashes.but_the_last()
    kept = take(ragged, _others(left, len(ragged), spool), spool=spool)
    steps = len(ragged.values) - len(kept.values)
    where = "an earlier file" if on_clash == "first" else "a later file"
    line = f"{count(len(left), 'sequence')} whose key is in {where}, {count(steps, 'step')} in all"
    return kept, {f"key in {where}": steps}, [("dropped", line)]


def _duplicate(ragged: Ragged, pieces: Sequence[Piece], clashes: _Clashes) -> DataError:
    """The error for the first key that is there twice."""
    assert ragged.keys is not None
    ends = np.cumsum([len(piece.ragged) for piece in pieces])
    places = int(clashes.first[0]), int(clashes.later[0])
    one, other = (pieces[int(np.searchsorted(ends, place, side="right"))].name for place in places)
    key = shown_key(ragged.keys, places[1], part=ragged.per_sequence.get("part"))
    more = f" ({count(len(clashes.later), 'such sequence')})" if len(clashes.later) > 1 else ""
    where = f"twice in {one}" if one == other else f"in {one} and in {other}"
    return DataError(
        f"key {key} is {where}{more}; keep one of them: ",
        Advice("--on-clash", "first"),
        ", or ",
        Advice("--on-clash", "last"),
        "; or both, with another part: ",
        Advice("--on-clash", "both"),
    )


def _others(left: Array, length: int, spool: Spool) -> AnyArray:
    """The places up to `length` that are not among `left`, which ascend."""
    kept = GrowingArray(spool, np.dtype(np.int64))
    for begin in range(0, length, _TOGETHER):
        places = np.arange(begin, min(begin + _TOGETHER, length))
        few = left[np.searchsorted(left, begin) : np.searchsorted(left, begin + _TOGETHER)]
        kept.add(np.delete(places, few - begin))
    return kept.done()


_TOGETHER = 1 << 18  # places that are looked at together


def _told_apart(ragged: Ragged, clashes: _Clashes) -> Ragged:
    """The same sequences, with a part of its own for each one whose key, and part, an earlier one has."""
    before: Any = ragged.per_sequence.get("part")
    if before is None:
        before = Lazy((len(ragged),), np.dtype(np.int64), lambda begin, end: np.zeros(end - begin, np.int64))
    known = span(before)
    step = known.largest - known.least + 1
    moved = clashes.numbers() * step

    def read(begin: int, end: int) -> Array:
        part = np.array(before[begin:end], np.int64)
        first, last = np.searchsorted(clashes.later, [begin, end])
        part[clashes.later[first:last] - begin] += moved[first:last]
        return part

    part = Lazy((len(ragged),), np.dtype(np.int64), read)
    return ragged.replace(per_sequence={**ragged.per_sequence, "part": part})
