"""Writes sequences into an open file, as commands do."""

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
