"""The arrays of a file of ours by their names, however it holds them: what `npz.read` reads from."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from functools import cached_property
from math import prod
from types import TracebackType
from typing import Any, Protocol, Self

import numpy as np

from seqtool.advice import Advice
from seqtool.arrays.dtypes import Array
from seqtool.arrays.file_array import FileArray
from seqtool.arrays.lazy import AnyArray
from seqtool.errors import DataError
from seqtool.files.npy import memory_map
from seqtool.system.memory import Memory, budget
from seqtool.words import human

ROW_COPIES = 4  # of a row that stand in memory at once
TEXT_CELL = 100  # bytes that a cell of text takes beside its letters, as an object of Python's


class Archive(Protocol):
    """Arrays by name, the description `meta` among them; `strangers` are what else the file holds."""

    name: str
    memory: Memory
    strangers: list[str]
    verified: str
    """What `verify` compares, in words."""

    @property
    def names(self) -> list[str]:
        """The arrays in the file, in order."""

    @property
    def largest(self) -> list[str]:
        """The array that takes most of the file; none where there is no array."""

    def header(self, member: str) -> tuple[tuple[int, ...], np.dtype[Any]]:
        """Shape and dtype of an array."""

    def read(self, member: str, *, expands: int = 1) -> Array:
        """The whole array; raises DataError if memory cannot take `expands` times its bytes."""

    def window(self, member: str) -> AnyArray:
        """The array, to be read in chunks."""

    def map(self, member: str) -> Array:
        """The array, mapped; raises DataError where it cannot be."""

    def check_row(self, member: str) -> None:
        """Raise DataError for an array of which a row takes more memory than is allowed."""

    def check_memory(self) -> None:
        """Raise DataError if memory cannot take all arrays at once."""

    def proving(self, member: str) -> AnyArray:
        """The array, to be read in chunks from its front to its end once; raises DataError there if it is damaged."""

    def verify(self, *, but: Collection[str] = (), only: Collection[str] | None = None) -> None:
        """Read every array once, but some, or only some; raises DataError for the first that is damaged."""

    def __enter__(self) -> Self: ...

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None: ...


class StoredArrays:
    """Arrays that can each be read in any order: `load` gives them by name when the first is asked for.

    `memory` is what reading may take, by default what arrays may take in all; `meta` is the JSON that describes them.
    `order` is the order of the names where `load` has another. `mapped` says that arrays stand in a file as they are.

    >>> arrays = StoredArrays("two", "{}", lambda: {"lengths": np.array([1, 2])})
    >>> arrays.names, arrays.header("lengths")[0]
    (['lengths', 'meta'], (2,))
    """

    verified = "sizes"

    def __init__(
        self,
        name: str,
        meta: str,
        load: Callable[[], Mapping[str, AnyArray]],
        *,
        memory: Memory | None = None,
        strangers: list[str] | None = None,
        order: Sequence[str] = (),
        mapped: bool = True,
    ) -> None:
        self.name = name
        self.memory = memory or Memory(budget())
        self.strangers = strangers or []
        self._meta = np.array(meta)
        self._mapped = mapped
        self._load = load
        self._order = order

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        pass  # arrays are read when the block has ended, and close their files themselves

    @cached_property
    def _arrays(self) -> Mapping[str, AnyArray]:
        arrays = {**self._load(), "meta": self._meta}
        return {name: arrays[name] for name in dict.fromkeys([*self._order, *arrays]) if name in arrays}

    @property
    def names(self) -> list[str]:
        """The arrays in the file, in order."""
        return list(self._arrays)

    @property
    def largest(self) -> list[str]:
        """The array that takes most of the file."""
        return [max(self._arrays, key=lambda name: self._arrays[name].nbytes)]

    def header(self, member: str) -> tuple[tuple[int, ...], np.dtype[Any]]:
        """Shape and dtype of an array."""
        array = self.window(member)
        return array.shape, array.dtype

    def read(self, member: str, *, expands: int = 1) -> Array:
        """The whole array; raises DataError if memory cannot take it."""
        array = self.window(member)
        each = TEXT_CELL * array.size if array.dtype.kind == "U" else 0
        self.memory.check_whole(self._label(member), expands * (array.nbytes + each))
        return np.asarray(array)

    def window(self, member: str) -> AnyArray:
        """The array, to be read in chunks; raises DataError for text with too long a cell."""
        array = self._meta if member == "meta" else self._arrays[member]
        if array.dtype.kind == "U" and member != "meta":
            row = prod(array.shape[1:]) * array.dtype.itemsize // 4
            self.memory.check_single(f"{self._label(member)}: a cell of text", row, "shorten the text")
        return array

    def map(self, member: str) -> Array:
        """The array, mapped and not to be written to; small text is read.

        Raises DataError for an array that does not stand in the file as it is.
        """
        array = self.window(member)
        if isinstance(array, FileArray) and self._mapped:
            return memory_map(array.file, array.offset, array.shape, array.stored, fortran=False)
        if self._mapped:  # text, as it stands in no file
            return np.asarray(array)
        raise DataError(
            f"{self.name}: holds rows, which cannot be mapped; make arrays of them: ",
            Advice("seqtool", "convert", self.name),
        )

    def check_row(self, member: str) -> None:
        """Raise DataError for an array of which a row, all that belongs to a sequence, takes more than is allowed."""
        shape, dtype = self.header(member)
        row = ROW_COPIES * prod(shape[1:]) * dtype.itemsize
        self.memory.check_whole(f"{self._label(member)}: a row", row, "save it with shorter rows")

    def check_memory(self) -> None:
        """Raise DataError if memory cannot take all arrays at once."""
        check_memory(f"{self.name}: its arrays take", sum(array.nbytes for array in self._arrays.values()))

    def proving(self, member: str) -> AnyArray:
        """The array: there are no checksums."""
        return self.window(member)

    def verify(self, *, but: Collection[str] = (), only: Collection[str] | None = None) -> None:
        """Open every array, which checks its size; there are no checksums."""
        _ = self._arrays

    def _label(self, member: str) -> str:
        return f"{self.name}[{member}]"


def check_memory(what: str, size: int) -> None:
    """Raise DataError if memory cannot take arrays of `size` bytes; `what` is how the message begins."""
    if size > budget():
        raise DataError(
            f"{what} {human(size)}, but memory allows {human(budget())}; "
            "use a machine with more memory, or split the file"
        )
