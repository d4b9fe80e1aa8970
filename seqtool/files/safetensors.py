"""Sequences in the format of safetensors, which every framework reads: the arrays of `seqtool.files.npz`, as tensors.

The description stands in the metadata of the header. Text is a tensor of code points, (..., width) int32, and the
metadata names the tensors that are text. The package of that name writes tensors that are in memory; here they are
written, and read, piece by piece. Layout: https://huggingface.co/docs/safetensors.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable
from math import prod
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np

from seqtool.arrays.dtypes import Array
from seqtool.arrays.file_array import FileArray
from seqtool.arrays.lazy import AnyArray, Lazy
from seqtool.errors import DataError, damaged
from seqtool.files.deflate import Compress
from seqtool.files.npy import OwnFile
from seqtool.files.stored import StoredArrays
from seqtool.files.traces import LONGEST_HEADER
from seqtool.files.zip_writer import Member, data_pieces, write_all
from seqtool.system.memory import Memory

_NAMES = {
    "bool": "BOOL",
    **{f"{sign}int{bits}": f"{sign.upper() or 'I'}{bits}" for sign in ("", "u") for bits in (8, 16, 32, 64)},
    **{f"float{bits}": f"F{bits}" for bits in (16, 32, 64)},
}
_DTYPES = {name: np.dtype(dtype).newbyteorder("<") for dtype, name in _NAMES.items()}
_META, _TEXT, _ORDER, _ALL = "seqtool", "seqtool_text", "seqtool_arrays", "__metadata__"
_ALIGN = 8


class SafetensorsContents:
    """The tensors of a file, to be written; see `seqtool.files.writers.Contents`."""

    sized = True
    largest_row = 0

    def __init__(self, arrays: Iterable[Member]) -> None:
        members = tuple(arrays)
        self.names = tuple(member.name for member in members)
        self.nbytes = sum(member.nbytes for member in members if member.name != "meta")
        (self._meta,) = (str(cell) for member in members if member.name == "meta" for cell in member.blocks)
        # Wide numbers stand first, so that each tensor begins at a multiple of its own size.
        tensors = [member for member in members if member.name != "meta"]
        self._tensors = sorted(tensors, key=lambda member: -member.dtype.alignment)

    def _header(self) -> bytes:
        text = [member.name for member in self._tensors if member.dtype.kind == "U"]
        about = {_META: self._meta, _TEXT: json.dumps(text), _ORDER: json.dumps(self.names)}
        header: dict[str, Any] = {_ALL: about}
        end = 0
        for member in self._tensors:
            begin, end = end, end + member.nbytes
            shape, dtype = [*member.shape], member.dtype.name
            if member.dtype.kind == "U":
                shape, dtype = [*shape, member.dtype.itemsize // 4], "int32"
            header[member.name] = {"dtype": _NAMES[dtype], "shape": shape, "data_offsets": [begin, end]}
        written = json.dumps(header, separators=(",", ":")).encode()
        return written + b" " * (-len(written) % _ALIGN)

    def write(
        self,
        file: BinaryIO,
        *,
        seekable: bool,
        compress: Compress | None = None,
        on_written: Callable[[int], None] | None = None,
        threads: int | None = None,
    ) -> None:
        """Write the header, and each tensor piece by piece."""
        assert compress is None
        header = self._header()
        write_all(file, len(header).to_bytes(8, "little") + header)
        for member in self._tensors:
            for piece in data_pieces(member, on_written):
                write_all(file, piece)


def open_safetensors(path: Path, name: str, *, memory: Memory | None = None) -> StoredArrays:
    """The arrays of a file of safetensors that seqtool wrote; raises DataError for others, and for a damaged one."""
    file = OwnFile(path)
    with damaged(f"{name}: damaged, or no file of safetensors"):
        length = int.from_bytes(file.read(8), "little")
        size = path.stat().st_size - 8 - length
        if length > LONGEST_HEADER or size < 0:
            raise ValueError(f"a header of {length:,} bytes")
        header = json.loads(file.read(length))
        described = header.pop(_ALL, {})
        text, order = (json.loads(described.get(key, "[]")) for key in (_TEXT, _ORDER))
        tensors = {
            tensor: _placed(file, f"{name}[{tensor}]", 8 + length, size, **entry)
            for tensor, entry in header.items()
        }
    if _META not in described:
        raise DataError(
            f"{name}: tensors that seqtool did not write; save them as .npz, such as with np.savez, and name "
            "the array of the sequences"
        )
    return StoredArrays(
        name,
        described[_META],
        lambda: {tensor: _text(array) if tensor in text else array for tensor, array in tensors.items()},
        memory=memory,
        order=order,
    )


def _placed(
    file: OwnFile, label: str, start: int, size: int, *, dtype: str, shape: list[int], data_offsets: list[int]
) -> FileArray:
    """A tensor at its place; raises ValueError where the header contradicts itself, or the file."""
    begin, end = data_offsets
    stored = _DTYPES[dtype]
    if not 0 <= begin <= end <= size or end - begin != prod(shape) * stored.itemsize or min([*shape, 0]) < 0:
        raise ValueError(f"{label} does not fit its header")
    return FileArray(file, label, start + begin, tuple(shape), stored)


def _text(points: FileArray) -> AnyArray:
    """Code points, (..., width) int32, as text of fixed width."""
    *shape, width = points.shape
    dtype = np.dtype(f"U{width}")

    def read(begin: int, end: int) -> Array:
        return np.ascontiguousarray(points[begin:end]).view(dtype)[..., 0]

    return Lazy(tuple(shape), dtype, read)
