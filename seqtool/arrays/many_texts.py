"""Distinct texts that are too many for memory: only a digest of each is kept there, the texts are in a spool."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence

import numpy as np

from seqtool.arrays.dtypes import Array
from seqtool.arrays.spool import GrowingArray, Spool
from seqtool.arrays.text import Text, stretches
from seqtool.system.memory import Memory


class ManyTexts(Mapping[str, int]):
    """A mapping of distinct texts to their numbers, 0, 1, 2 and so on; about 30 bytes of memory each.

    >>> texts = ManyTexts(Spool())
    >>> texts.add(["b", "a"])
    >>> texts.find(["a", "c"]).tolist(), list(texts)
    ([1, -1], ['b', 'a'])
    """

    def __init__(self, spool: Spool) -> None:
        self.spool = spool
        self._data = GrowingArray(spool, np.dtype(np.uint8))
        self._offsets = GrowingArray(spool, np.dtype(np.int64))
        self._offsets.add(np.zeros(1, np.int64))
        self._end = self._widest = 0
        self._digests = np.empty(0, f"S{_DIGEST}")  # ascending; `_numbers` belongs to them
        self._numbers = np.empty(0, np.int64)
        self._recent: dict[bytes, int] = {}  # the numbers of digests that are not merged into them yet

    def __len__(self) -> int:
        return len(self._offsets) - 1

    def __iter__(self) -> Iterator[str]:
        for _, part in self.pieces():
            yield from part

    def __getitem__(self, text: str) -> int:
        number = int(self.find([text])[0])
        if number < 0:
            raise KeyError(text)
        return number

    def find(self, texts: Sequence[str]) -> Array:
        """The numbers of some texts, (n,) int64; -1 for those that are unknown."""
        digests = _digests(text.encode() for text in texts)
        numbers = np.array([self._recent.get(digest, -1) for digest in digests], np.int64)
        unknown = np.flatnonzero(numbers < 0)
        if len(unknown) and len(self._digests):
            wanted = np.array([digests[i] for i in unknown.tolist()], self._digests.dtype)
            places = np.minimum(np.searchsorted(self._digests, wanted), len(self._digests) - 1)
            same = self._digests[places] == wanted
            numbers[unknown[same]] = self._numbers[places[same]]
        return numbers

    def add(self, texts: Sequence[str]) -> None:
        """Add distinct texts that are not known yet."""
        encoded, first = [text.encode() for text in texts], len(self)
        self._recent |= {digest: number for number, digest in enumerate(_digests(encoded), first)}
        self._data.add(np.frombuffer(b"".join(encoded), np.uint8))
        ends = np.cumsum([len(text) for text in encoded], dtype=np.int64) + self._end
        self._offsets.add(ends)
        self._end = int(ends[-1]) if len(ends) else self._end
        self._widest = max(self._widest, *map(len, texts), 0)
        if len(self._recent) > max(_RECENT, len(self) // 16):
            self._merge_recent()

    def check_memory(self, memory: Memory, what: str, share: float = 1.0) -> None:
        """Raise DataError where even the digests take too much memory.

        `what` names the column for the message, and `share` is the fraction of its cells read so far: the rest is
        assumed to hold new texts at the same rate. That is right for labels, for a column of millions of classes is
        rather a key.
        """
        known = len(self)
        if 2 * _EACH * known > memory.limit:
            needed = max(_EACH * known, int(_EACH * known / max(share, 0.01)))
            memory.check_whole(
                f"{what}, which has {known:,} distinct labels and more", needed, "leave it out"
            )

    def _merge_recent(self) -> None:
        """Merge the recent digests into the sorted ones; done rarely, for all of them are copied."""
        recent = np.array([*self._recent], self._digests.dtype)
        numbers = np.array([*self._recent.values()], self._numbers.dtype)
        self._recent = {}
        order = np.argsort(recent)
        places = np.searchsorted(self._digests, recent[order])
        self._digests = np.insert(self._digests, places, recent[order])
        self._numbers = np.insert(self._numbers, places, numbers[order])

    def text(self) -> Text:
        """All texts so far, in the order of their numbers."""
        return Text(self._data.done(), self._offsets.done(), (len(self),), widest=self._widest)

    def pieces(self) -> Iterator[tuple[int, list[str]]]:
        """Runs of texts in the order of their numbers, each with the number of its first."""
        text = self.text()
        for begin, end in stretches(text.offsets):
            yield begin, text.cells(begin, end)

    def between(self, begin: int, end: int) -> list[str]:
        """The texts with the numbers from `begin` to before `end`."""
        return self.text().cells(begin, min(end, len(self)))


def _digests(texts: Iterable[bytes]) -> list[bytes]:
    from hashlib import blake2b  # loads a library of its own, which few calls need

    return [blake2b(text, digest_size=_DIGEST).digest() for text in texts]


_DIGEST = 16  # bytes: two texts do not collide by chance
_RECENT = 1 << 15
_EACH = 100  # bytes of memory for each text while digests are merged: measured
