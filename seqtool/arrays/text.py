"""Text of variable width, which is read in chunks: UTF-8 bytes end to end, and offsets."""

from __future__ import annotations

import codecs
from collections.abc import Iterator, Sequence
from itertools import pairwise
from math import prod
from typing import Any

import numpy as np

from seqtool.arrays.dtypes import Array
from seqtool.arrays.gather import gather
from seqtool.arrays.lazy import CHUNK, AnyArray, chunks, concatenated
from seqtool.arrays.spool import GrowingArray, Spool, running_sums
from seqtool.errors import DataError


class Text:
    """An array of text of `shape`, cells in C order: `data` (B,) uint8 and `offsets` (cells + 1,) int64.

    `widest` is the number of characters of the longest cell, None if they were not counted. Chunks along the
    first axis are NumPy arrays.

    >>> text = Text(np.frombuffer(b"abc", np.uint8), np.array([0, 1, 3]), (2,), widest=2)
    >>> text[1:2]
    array(['bc'], dtype='<U2')
    """

    dtype: np.dtype[Any] = np.dtypes.StringDType()  # chunks may be of fixed width instead

    def __init__(
        self, data: AnyArray, offsets: AnyArray, shape: tuple[int, ...], *, widest: int | None
    ) -> None:
        self.data = data
        self.offsets = offsets
        self.shape = shape
        self.widest = widest

    def __len__(self) -> int:
        return self.shape[0]

    @property
    def ndim(self) -> int:
        """The number of dimensions."""
        return len(self.shape)

    def __getitem__(self, window: slice) -> Array:
        begin, end, _ = window.indices(len(self))
        cells = text_array(self.cells(begin, end))
        return cells.reshape(-1, *self.shape[1:])

    def __array__(self, dtype: Any = None, copy: bool | None = None) -> Array:
        return self[:] if dtype is None else self[:].astype(dtype)

    def pieces(self, size: int) -> Iterator[tuple[int, Array]]:
        """Chunks of about `size` bytes, as `seqtool.arrays.lazy.chunks` gives them."""
        for begin, end in stretches(self.offsets, prod(self.shape[1:]), size):
            yield begin, self[begin:end]

    def cells(self, begin: int, end: int) -> list[str]:
        """The cells of the rows from `begin` to `end`, in C order."""
        width = prod(self.shape[1:])
        offsets = self.offsets[begin * width : max(begin, end) * width + 1]
        data = self.data[int(offsets[0]) : int(offsets[-1])].tobytes()
        edges = (offsets - offsets[0]).tolist()
        if len(data) and data.isascii():  # the usual case; one call decodes all cells
            whole = data.decode("ascii")
            return [whole[a:b] for a, b in pairwise(edges)]
        return [data[a:b].decode() for a, b in pairwise(edges)]


def stretches(offsets: AnyArray, width: int = 1, size: int = CHUNK) -> Iterator[tuple[int, int]]:
    """Begin and end of pieces of about `size` bytes, in rows of `width` cells; `offsets` are those of the cells.

    A piece has at least one row.

    >>> list(stretches(np.array([0, 3, 5, 9, 9]), size=5))
    [(0, 2), (2, 4)]
    """
    rows = (len(offsets) - 1) // width if width else 0
    for first in range(0, rows, _ROWS):
        edges = offsets[first * width : min(first + _ROWS, rows) * width + 1][::width]
        begin = 0
        while begin < len(edges) - 1:
            end = max(begin + 1, int(np.searchsorted(edges, edges[begin] + size, side="right")) - 1)
            yield first + begin, first + end
            begin = end


_ROWS = 1 << 15  # whose offsets are read together


def in_order(text: Text, places: Array, spool: Spool) -> tuple[Array, Text]:
    """Sort distinct cells at some places by their code points: gives the places in order, (n,) int64, and the cells.

    UTF-8 bytes sort as code points do. It takes about 50 bytes of memory for each cell.

    >>> two = Text(np.frombuffer(b"bab", np.uint8), np.array([0, 1, 3]), (2,), widest=2)
    >>> order, cells = in_order(two, np.arange(2), Spool())
    >>> order.tolist(), cells[:].tolist()
    ([1, 0], ['ab', 'b'])
    """
    kind = np.int32 if len(text) < 1 << 31 else np.int64
    edges, compared = text.offsets[:], 0
    longest = int(np.diff(edges).max(initial=0))
    # `tied` are positions in `order` whose cells have the same bytes so far as another one; `group` says as which.
    order, tied, group = places.astype(kind), np.arange(len(places), dtype=kind), np.zeros(len(places), kind)
    while len(tied) and compared < longest:
        width = max(_BYTES, _COMPARED // len(tied))
        prefixes = _bytes_of(text.data, edges, order[tied], compared, width)
        by = np.argsort(prefixes, kind="stable").astype(kind)
        by = by[np.argsort(group[by], kind="stable")]
        order[tied], prefixes, group = order[tied][by], prefixes[by], group[by]
        differs = (prefixes[1:] != prefixes[:-1]) | (group[1:] != group[:-1])
        new = np.concatenate([[True], differs, [True]])
        alone = new[:-1] & new[1:]
        group, tied = np.cumsum(new[:-1], dtype=kind)[~alone], tied[~alone]
        compared += width
    return order.astype(np.int64), _moved(text, edges, order, spool)


_BYTES = 8  # of a cell that are compared at once, at least
_COMPARED = 4 << 20  # bytes of all cells that are compared at once
_CELLS = 1 << 16  # cells that are read together


def _bytes_of(data: AnyArray, edges: Array, places: Array, first: int, width: int) -> Array:
    """At most `width` bytes of some cells, from byte `first` on, as (n,) byte strings; zeros fill shorter ones."""
    found = np.zeros((len(places), width), np.uint8)
    together = min(_CELLS, max(1, CHUNK // width))
    for begin in range(0, len(places), together):
        cells = places[begin : begin + together]
        starts = np.minimum(edges[cells] + first, edges[cells + 1])  # of a cell that has ended, its end
        counts = np.minimum(edges[cells + 1] - starts, width)
        starts = np.where(counts, starts, 0)
        found[begin : begin + together][np.arange(width) < counts[:, None]] = gather(data, starts, counts)
    return found.view(f"S{width}").reshape(-1)


def _moved(text: Text, edges: Array, order: Array, spool: Spool) -> Text:
    """Cells of text in another order, copied end to end."""
    offsets = np.concatenate([[0], np.cumsum(np.diff(edges)[order])])
    data = GrowingArray(spool, np.dtype(np.uint8))
    for begin, end in stretches(offsets):
        places = order[begin:end]
        data.add(gather(text.data, edges[places], edges[places + 1] - edges[places]))
    return Text(data.done(), offsets, (len(order),), widest=text.widest)


def joined_text(parts: Sequence[AnyArray | Text], spool: Spool) -> AnyArray | Text:
    """Arrays of text end to end: of the largest width where each has one, else as bytes in memory or in the spool.

    >>> joined_text([np.array(["a"]), np.array(["bcd", "e"])], Spool())[:].tolist()
    ['a', 'bcd', 'e']
    """
    shape = (sum(map(len, parts)), *parts[0].shape[1:])
    fixed = [part for part in parts if not isinstance(part, Text) and part.dtype.kind == "U"]
    if len(fixed) == len(parts):
        widest = max((part.dtype for part in fixed), key=lambda dtype: dtype.itemsize)
        return concatenated([*fixed], shape, widest)
    data, sizes = GrowingArray(spool, np.dtype(np.uint8)), GrowingArray(spool, np.dtype(np.int64))
    for part in parts:
        for _, chunk in chunks(part):  # type: ignore[arg-type] # text is sliced like any array
            cells = [cell.encode() for cell in chunk.reshape(-1).tolist()]
            data.add(np.frombuffer(b"".join(cells), np.uint8))
            sizes.add(np.array([*map(len, cells)], np.int64))
    return Text(data.done(), running_sums(sizes.done(), spool), shape, widest=None)


def check_text(name: str, cells: AnyArray | Text) -> None:
    r"""Raise DataError for an array of text from a file that holds invalid text.

    Invalid are bytes that are not UTF-8, offsets within a character, numbers beyond the code points, and surrogates.

    >>> check_text("keys", Text(np.frombuffer(b"a\xff", np.uint8), np.array([0, 2]), (1,), widest=None))
    Traceback (most recent call last):
    seqtool.errors.DataError: keys holds bytes that are not UTF-8
    """
    if not isinstance(cells, Text):
        for begin, part in chunks(cells):
            points = np.ascontiguousarray(part).reshape(len(part), -1).view(np.uint32)
            wrong = ((points > _LAST_POINT) | (points >> 11 == _SURROGATES)).any(axis=1)
            if wrong.any():
                raise DataError(f"{name}[{begin + int(wrong.argmax())}] holds code points that are not text")
        return
    decoder = codecs.getincrementaldecoder("utf-8")()
    try:
        for _, part in chunks(cells.data):
            if not part.all():
                raise DataError(f"{name} holds a NUL, which NumPy strips")
            decoder.decode(part.tobytes())
        decoder.decode(b"", final=True)
    except UnicodeDecodeError:
        raise DataError(f"{name} holds bytes that are not UTF-8") from None
    for _, edges in chunks(cells.offsets):
        first_bytes = gather(cells.data, edges[edges < len(cells.data)])
        if ((first_bytes & 0xC0) == 0x80).any():
            raise DataError(f"{name}_offsets cuts a character of {name} in two")


_LAST_POINT = 0x10FFFF
_SURROGATES = 0xD800 >> 11


def text_array(cells: Sequence[str]) -> Array:
    """An array of fixed width, or of variable width where one long cell would make all others much wider."""
    widest = max(map(len, cells), default=1)
    if widest * len(cells) > 4 * sum(map(len, cells)) + (1 << 20):
        return np.array(cells, dtype=np.dtypes.StringDType())
    return np.array(cells, dtype=f"U{max(widest, 1)}")
