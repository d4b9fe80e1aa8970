"""The formats that sequences are written in: one table, from the suffix of an output to what writes it.

A new format is a class with the members of `Contents` and a line in `WRITERS`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import BinaryIO, Protocol

from seqtool.advice import Advice
from seqtool.arrays.array_likes import kind_of
from seqtool.dataclass import dataclass
from seqtool.errors import UsageError
from seqtool.files.contents import members, x_alone
from seqtool.files.deflate import Compress
from seqtool.files.zip_writer import Member, ZipWriter, write_array
from seqtool.sequences.ragged import Padded, Ragged
from seqtool.sequences.stream import PaddedStream
from seqtool.words import listed

AnySequences = Ragged | Padded | PaddedStream
FOLDER = "/"  # the suffix of an output that is a folder


class Contents(Protocol):
    """What one file will hold, listed and encoded once: it knows its size, and writes itself, once."""

    sized: bool
    """Whether a file takes as many bytes as its arrays; one that is packed, or text, does not."""

    @property
    def largest_row(self) -> int:
        """The bytes of memory that writing its largest row takes; 0 where arrays are written in pieces of any size."""

    @property
    def names(self) -> tuple[str, ...]:
        """The names of the arrays."""

    @property
    def nbytes(self) -> int:
        """The bytes of all arrays, without headers and before compression."""

    def write(
        self,
        file: BinaryIO,
        *,
        seekable: bool,
        compress: Compress | None = None,
        on_written: Callable[[int], None] | None = None,
        threads: int | None = None,
    ) -> None:
        """Write all of it, block by block; `on_written` is called with the bytes of each.

        `threads` compress at once, by default one a core.
        """


class _Arrays:
    """Arrays to be written one after another."""

    sized = True
    largest_row = 0

    def __init__(self, arrays: Iterable[Member]) -> None:
        self._arrays = tuple(arrays)
        self.names = tuple(member.name for member in self._arrays)
        self.nbytes = sum(member.nbytes for member in self._arrays)


class _Npz(_Arrays):
    """All that belongs to the sequences, as `seqtool.files.npz` specifies it."""

    def __init__(self, data: AnySequences, mask: bool) -> None:
        super().__init__(members(data, mask=mask))

    def write(
        self,
        file: BinaryIO,
        *,
        seekable: bool,
        compress: Compress | None = None,
        on_written: Callable[[int], None] | None = None,
        threads: int | None = None,
    ) -> None:
        """Write a zip of all arrays."""
        with ZipWriter(file, seekable=seekable, compress=compress, threads=threads) as archive:
            for member in self._arrays:
                archive.add(member, on_written)


class _Npy(_Arrays):
    """The padded block alone."""

    def __init__(self, data: AnySequences, _mask: bool) -> None:
        assert not isinstance(data, Ragged)
        super().__init__([x_alone(data)])

    def write(
        self,
        file: BinaryIO,
        *,
        seekable: bool,
        compress: Compress | None = None,
        on_written: Callable[[int], None] | None = None,
        threads: int | None = None,
    ) -> None:
        """Write the one array."""
        assert compress is None
        write_array(file, self._arrays[0], on_written, seekable=seekable)


# What needs a library, or is rarely asked for, is loaded then.


def _parquet(data: AnySequences, mask: bool) -> Contents:
    from seqtool.files.row_files import ParquetContents

    return ParquetContents(data, mask)


def _arrow(data: AnySequences, mask: bool) -> Contents:
    from seqtool.files.row_files import ArrowContents

    return ArrowContents(data, mask)


def _json(data: AnySequences, mask: bool) -> Contents:
    from seqtool.files.json_rows import JsonContents

    return JsonContents(data, mask)


def _safetensors(data: AnySequences, mask: bool) -> Contents:
    from seqtool.files.safetensors import SafetensorsContents

    return SafetensorsContents(members(data, mask=mask))


def _folder(data: AnySequences, mask: bool) -> Contents:
    from seqtool.files.folder import FolderContents

    return FolderContents(members(data, mask=mask))


@dataclass(frozen=True)
class Writer:
    """A format that sequences are written in: what it can hold, and what writes it.

    `holds` is what errors and summaries say of it, as in ".npy holds x alone". `contents` lists what a file
    will hold of some sequences, with the mask or without; it is asked only for what `check` lets through.
    """

    suffix: str
    contents: Callable[[AnySequences, bool], Contents]
    holds: str = "everything"
    ragged: bool = True
    mask: bool = True
    compress: bool = True
    index: bool = True

    def check(
        self,
        name: str,
        *,
        ragged: bool = False,
        mask: bool = False,
        compress: bool = False,
        index: bool = False,
    ) -> None:
        """Raise UsageError where the format cannot hold what is asked for; `name` is the output's."""
        here = f"{name}: {self.suffix} holds {self.holds}"
        for what, argument, asked in (
            ("a mask", "mask", mask),
            ("compression", "compress", compress),
            ("an index", "index", index),
        ):
            if asked and not getattr(self, argument):
                other = _first(argument)
                raise UsageError(f"{here}; use {other} for {what}, or ", Advice(without=[f"--{argument}"]))
        if ragged and not self.ragged:
            raise UsageError(f"{here}, and ragged sequences have none; use {_first('ragged')}")

    def left_out(self, names: Iterable[str], contents: Contents) -> str | None:
        """What to report of those of some arrays that a file does not hold, None where it holds them all."""
        left = [name for name in names if name not in contents.names]
        if not left:
            return None
        return f"{listed(left)}: {self.suffix} holds {self.holds}, {SUFFIXES[0]} everything"


WRITERS = {
    writer.suffix: writer
    for writer in (
        Writer(".npz", _Npz),
        Writer(".npy", _Npy, "x alone", ragged=False, mask=False, compress=False, index=False),
        Writer(".parquet", _parquet, "rows that are compressed as they are", compress=False, index=False),
        Writer(".arrow", _arrow, "rows as they are", compress=False, index=False),
        Writer(".jsonl", _json, "lines as they are", compress=False, index=False),
        Writer(".safetensors", _safetensors, "arrays as they are", compress=False),
        Writer(FOLDER, _folder, "arrays as they are", compress=False),
    )
}
"""The formats by their suffix, / for a folder; the first is what standard output and an output without a name get."""

SUFFIXES = tuple(WRITERS)


def check_suffix(suffix: str, name: str, suffixes: tuple[str, ...] = SUFFIXES) -> None:
    """Raise UsageError for a name whose suffix is no format that is written."""
    if suffix not in suffixes:
        shown = [
            *(known for known in suffixes if known != FOLDER),
            *(["a folder/"] if FOLDER in suffixes else []),
        ]
        known = f"{', '.join(shown[:-1])} or {shown[-1]}"
        raise UsageError(f"{name}: the suffix of the output chooses its format; {known} was expected")


def writer_of(suffix: str, name: str) -> Writer:
    """The format of the suffix of an output; raises UsageError with the name of the output where it is none."""
    check_suffix(suffix, name, tuple(WRITERS))
    return WRITERS[suffix]


def contents_of(
    data: AnySequences,
    *,
    suffix: str,
    name: str = "the output",
    mask: bool = False,
    compress: Compress | None = None,
) -> Contents:
    """What a file of the format of a suffix will hold of some sequences.

    Raises UsageError where the format cannot hold it; `name` is the output's in the message.

    >>> import numpy as np
    >>> contents = contents_of(Ragged(np.arange(3), np.array([0, 1, 3])), suffix=".npz")
    >>> contents.names
    ('values', 'offsets', 'lengths', 'meta')
    """
    if not isinstance(data, (Ragged, Padded, PaddedStream)):
        raise UsageError(f"data is a {kind_of(data)}; sequences were expected, such as pad makes")
    writer = writer_of(suffix, name)
    writer.check(name, ragged=isinstance(data, Ragged), mask=mask, compress=compress is not None)
    return writer.contents(data, mask)


def _first(argument: str) -> str:
    """The first format that can hold what an argument asks for."""
    return next(suffix for suffix, writer in WRITERS.items() if getattr(writer, argument))
