"""Keys of sequences: made from names, and as text for a message."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from math import prod
from typing import Any
from uuid import UUID

import numpy as np

from seqtool.arrays.dtypes import Array
from seqtool.arrays.lazy import AnyArray, Lazy, chunks, stretch
from seqtool.arrays.text import Text
from seqtool.errors import MOST_BITS, DataError
from seqtool.words import in_short, shortened

_PLAIN_INTEGER = re.compile(r"0|-?[1-9][0-9]{0,18}")


class HashedKeys(Lazy):
    """Keys of sequences that stand in shards by the hash of their key.

    `stretch_of` tells by the cells of a key between which sequences it stands, if anywhere.
    """

    def __init__(
        self,
        shape: tuple[int, ...],
        dtype: np.dtype[Any],
        read: Callable[[int, int], Array],
        stretch_of: Callable[[Sequence[Any]], tuple[int, int]],
    ) -> None:
        super().__init__(shape, dtype, read)
        self.stretch_of = stretch_of


def places_of(keys: AnyArray | Text, key: Sequence[Any]) -> Iterator[Array]:
    """The positions of the sequences with a key, by its cells: (n,) of each chunk of the keys that has any.

    >>> [places.tolist() for places in places_of(np.array([7, 8, 7]), ["7"])]
    [[0, 2]]
    """
    whole = keys.dtype.kind in "iu"
    if len(key) != prod(keys.shape[1:]) or (whole and not all(is_whole(str(cell)) for cell in key)):
        return
    sought = np.array([int(cell) for cell in key] if whole else [*map(str, key)])
    first, last = keys.stretch_of(key) if isinstance(keys, HashedKeys) else (0, len(keys))
    among: Any = keys if (first, last) == (0, len(keys)) else stretch(keys, first, last)  # type: ignore[arg-type]
    for begin, chunk in chunks(among):
        matches = np.flatnonzero((chunk.reshape(len(chunk), len(key)) == sought).all(axis=1))
        if len(matches):
            yield matches + first + begin


def is_whole(text: str) -> bool:
    """Whether text is a whole number that int64 holds, as keys of whole numbers do.

    >>> is_whole("-7"), is_whole("7.0")
    (True, False)
    """
    return text.removeprefix("-").isdecimal() and len(text) < 30 and -(1 << 63) <= int(text) < 1 << 63


def name_keys(names: Sequence[Any]) -> Array:
    """Names as keys, (N,): int64 where each is written as a plain integer within int64, else text.

    A UUID is written as its text. Raises DataError for a name that is neither text nor a whole number, or that an
    array of text cannot hold.

    >>> name_keys(["7", "10"]), name_keys(["7", "007"])
    (array([ 7, 10]), array(['7', '007'], dtype='<U3'))
    """
    names = [str(name) if isinstance(name, UUID) else name for name in names]
    for name in names:
        if not isinstance(name, (str, int, np.integer)) or isinstance(name, bool):
            raise DataError(f"{in_short(name)} is no key; text or a whole number was expected")
        if isinstance(name, int) and name.bit_length() > MOST_BITS:
            raise DataError(f"{in_short(name)} is no key; write such a number as text")
    texts = [str(name) for name in names]
    if all(map(_PLAIN_INTEGER.fullmatch, texts)):
        numbers = [int(text) for text in texts]
        if all(-(2**63) <= number < 2**63 for number in numbers):
            return np.array(numbers, dtype=np.int64)
    for text in texts:
        if "\0" in text or not text or any("\ud800" <= char <= "\udfff" for char in text):
            raise DataError(
                f"{in_short(text)} is no key: it is empty, or holds what no array of text can hold"
            )
    return np.array(texts, dtype=str)


def mapping_keys(mapping: Mapping[Any, Any]) -> Array | None:
    """The keys of a mapping of keys to sequences, (N,); None where a value is not a sequence.

    Raises DataError as `name_keys` does, and for two keys that are written alike.

    >>> mapping_keys({"a": [1, 2], "b": []}), mapping_keys({"a": 1})
    (array(['a', 'b'], dtype='<U1'), None)
    """
    if not all(
        hasattr(value, "__len__") and not isinstance(value, (str, bytes, dict)) for value in mapping.values()
    ):
        return None
    keys = name_keys([*mapping])
    if len(np.unique(keys)) < len(keys):
        raise DataError("two keys are written the same, such as 1 and '1'; each key names one sequence")
    return keys


def numbers_as_keys(count: int) -> Lazy:
    """Keys for sequences that have none: their number in the file, from 0 on, (N,) int64.

    >>> numbers_as_keys(3)[:]
    array([0, 1, 2])
    """
    return Lazy((count,), np.dtype(np.int64), lambda begin, end: np.arange(begin, end))


def shown_key(keys: AnyArray | Text, i: int, *, part: AnyArray | None = None) -> str:
    """The key of sequence i as text: its columns with blanks between them, and its part if there is one.

    >>> import numpy as np
    >>> shown_key(np.array([["a", "x"], ["b", "y"]]), 1, part=np.array([0, 5]))
    'b y, part 5'
    """
    key = keys[i : i + 1].tolist()[0]
    text = shortened(" ".join(map(str, key)) if isinstance(key, list) else str(key))
    return text if part is None else f"{text}, part {int(part[i : i + 1][0])}"
