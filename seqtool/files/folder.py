"""Sequences in a folder: an `.npy` for each array, which `np.load(..., mmap_mode="r")` maps, and `meta.json`.

The arrays and the description are those of `seqtool.files.npz`.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

from seqtool.errors import DataError, damaged
from seqtool.files.deflate import Compress
from seqtool.files.meta import parse_meta
from seqtool.files.npy import open_npy
from seqtool.files.stored import StoredArrays
from seqtool.files.traces import FOLDER_META
from seqtool.files.zip_writer import Member, write_all, write_array
from seqtool.system.memory import Memory

_ORDER = "arrays"  # which an .npz has without saying it
_LONGEST_META = 1 << 28  # bytes of a description


class FolderContents:
    """The arrays of a folder, to be written; see `seqtool.files.writers.Contents`."""

    sized = True
    largest_row = 0

    def __init__(self, arrays: Iterable[Member]) -> None:
        self._arrays = tuple(arrays)
        self.names = tuple(member.name for member in self._arrays)
        self.nbytes = sum(member.nbytes for member in self._arrays if member.name != "meta")

    def write(
        self,
        file: Any,
        *,
        seekable: bool,
        compress: Compress | None = None,
        on_written: Callable[[int], None] | None = None,
        threads: int | None = None,
    ) -> None:
        """Write each array into a file of its own; `file` is a `seqtool.files.atomic.NewFolder`."""
        assert compress is None
        for member in self._arrays:
            if member.name == "meta":
                (text,) = member.blocks
                meta = {**json.loads(str(text)), _ORDER: self.names}
                with file.open(FOLDER_META) as described:
                    write_all(described, f"{json.dumps(meta)}\n".encode())
            else:
                with file.open(f"{member.name}.npy") as array:
                    write_array(array, member, on_written, seekable=True)


def open_folder(
    path: Path, name: str, *, memory: Memory | None = None, temporary: Path | None = None
) -> StoredArrays:
    """The arrays of a folder that seqtool wrote; raises DataError where one is damaged.

    What has to be turned on the disk goes to the folder `temporary`.
    """
    meta = path / FOLDER_META
    if meta.stat().st_size > _LONGEST_META:
        raise DataError(f"{name}/{FOLDER_META}: is no description that seqtool wrote")
    with damaged(f"{name}/{FOLDER_META}: cannot be read"):
        text = meta.read_text(encoding="utf-8").removesuffix("\n")
    order = parse_meta(text, name).get(_ORDER, [])
    names = sorted(item.name for item in path.iterdir() if not item.name.startswith("."))
    arrays = [item.removesuffix(".npy") for item in names if item.endswith(".npy")]
    return StoredArrays(
        name,
        text,
        lambda: {
            array: open_npy(path / f"{array}.npy", f"{name}[{array}]", temporary=temporary)
            for array in arrays
        },
        memory=memory,
        strangers=[item for item in names if item != FOLDER_META and not item.endswith(".npy")],
        order=[*map(str, order)] if isinstance(order, list) else [],
    )
