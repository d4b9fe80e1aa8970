"""Writes sequences into an open file, as commands do, and bytes over those that a file holds."""

from pathlib import Path
from typing import BinaryIO

from seqtool.files.deflate import Compress
from seqtool.files.writers import contents_of
from seqtool.sequences.ragged import Padded, Ragged
from seqtool.sequences.stream import PaddedStream


def write(
    file: BinaryIO,
    data: Ragged | Padded | PaddedStream,
    *,
    suffix: str = ".npz",
    seekable: bool,
    mask: bool = False,
    compress: Compress | None = None,
) -> None:
    """The contents of a file of this suffix; errors as in `seqtool.save`."""
    contents = contents_of(data, suffix=suffix, mask=mask, compress=compress)
    contents.write(file, seekable=seekable, compress=compress)


def rewrite(path: Path, data: bytes) -> None:
    """A file of these bytes, which is not emptied first: for that some file systems wait until the disk has it."""
    with path.open("r+b" if path.exists() else "wb") as file:
        file.write(data)
        file.truncate()
