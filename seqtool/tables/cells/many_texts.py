"""Distinct texts that are too many for memory: a digest of each stands there, the texts themselves in a spool."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from hashlib import blake2b

import numpy as np

from seqtool.arrays.dtypes import Array
from seqtool.arrays.spool import GrowingArray, Spool
from seqtool.arrays.text import Text, stretches
from seqtool.system.memory import Memory


class ManyTexts(Mapping[str, int]):
    """Distinct texts by their numbers, counted from 0, as a dict of them would be; about 30 bytes of each in memory.

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
        self._digests = np.empty(0, f"S{_DIGEST}")  # ascending, and the numbers that belong to them
        self._numbers = np.empty(0, np.int64)
        self._recent: dict[bytes, int] = {}  # those that do not stand there yet

    def __len__(self) -> int:
        return len(self._offsets) - 1

    def __iter__(self) -> Iterator[str]:
        for _, part in self.pieces():
            yield from part

    def __getitem__(self, text: str) -> int:
        found = int(self.find([text])[0])
        if found < 0:
            raise KeyError(text)
        return found

    def find(self, texts: Sequence[str]) -> Array:
        """The numbers of some texts, (n,) int64, -1 for those that are not known."""
        digests = [_digest(text.encode()) for text in texts]
        numbers = np.array([self._recent.get(digest, -1) for digest in digests], np.int64)
        left = np.flatnonzero(numbers < 0)
        if len(left) and len(self._digests):
            wanted = np.array([digests[place] for place in left.tolist()], self._digests.dtype)
            at = np.minimum(np.searchsorted(self._digests, wanted), len(self._digests) - 1)
            same = self._digests[at] == wanted
            numbers[left[same]] = self._numbers[at[same]]
        return numbers

    def add(self, texts: Sequence[str]) -> None:
        """Take distinct texts that are not known yet."""
        encoded, first = [text.encode() for text in texts], len(self)
        self._recent |= {_digest(text): number for number, text in enumerate(encoded, first)}
        self._data.add(np.frombuffer(b"".join(encoded), np.uint8))
        ends = np.cumsum([len(text) for text in encoded], dtype=np.int64) + self._end
        self._offsets.add(ends)
        self._end = int(ends[-1]) if len(ends) else self._end
        self._widest = max(self._widest, *map(len, texts), 0)
        if len(self._recent) > max(_RECENT, len(self) // 16):
            self._put_in_order()

    def check_memory(self, memory: Memory, what: str, share: float = 1.0) -> None:
        """Raise DataError where even their digests take too much memory.

        `what` holds them, and `share` of its cells were read; the others are taken to hold as many. That is right for
        labels, of which all these are: nobody trains on millions of classes, and such a column rather is a key.
        """
        known = len(self)
        if 2 * _EACH * known > memory.limit:
            needed = max(_EACH * known, int(_EACH * known / max(share, 0.01)))
            memory.check_whole(
                f"{what}, which has {known:,} distinct labels and more", needed, "leave it out"
            )

    def _put_in_order(self) -> None:
        """Put the recent ones among the others: not often, for all are copied."""
        fresh = np.array([*self._recent], self._digests.dtype)
        numbers = np.array([*self._recent.values()], self._numbers.dtype)
        self._recent = {}
        order = np.argsort(fresh)
        places = np.searchsorted(self._digests, fresh[order])
        self._digests = np.insert(self._digests, places, fresh[order])
        self._numbers = np.insert(self._numbers, places, numbers[order])

    def text(self) -> Text:
        """All texts by their numbers; what is added later is not among them."""
        return Text(self._data.done(), self._offsets.done(), (len(self),), widest=self._widest)

    def pieces(self) -> Iterator[tuple[int, list[str]]]:
        """The texts by their numbers, some at a time, with the number of the first."""
        text = self.text()
        for begin, end in stretches(text.offsets):
            yield begin, text.cells(begin, end)

    def between(self, begin: int, end: int) -> list[str]:
        """The texts of some numbers."""
        return self.text().cells(begin, min(end, len(self)))


def _digest(text: bytes) -> bytes:
    return blake2b(text, digest_size=_DIGEST).digest()


_DIGEST = 16  # bytes, which no two texts share by chance
_RECENT = 1 << 15
_EACH = 100  # bytes that each of them takes until all are in order: measured
