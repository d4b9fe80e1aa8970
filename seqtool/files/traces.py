"""By what a file or a folder shows that seqtool wrote it: recognised by a few bytes, before any library is loaded."""

from __future__ import annotations

import os
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO

if TYPE_CHECKING:
    from seqtool.files.kinds import Kind

FOLDER_META = "meta.json"
MANIFEST = "manifest.json"
JSON_BEGIN = b'{"seqtool": '
ROW_META = b"seqtool"
LONGEST_HEADER = 100_000_000  # bytes of that of safetensors, as the package allows
_HEAD = 1 << 26  # bytes in which the schema of an Arrow file is looked for


def is_our_folder(path: Path) -> bool:
    """Whether a folder says that seqtool wrote it."""
    try:
        with (path / FOLDER_META).open("rb") as file:
            return b'"format": "seqtool"' in file.read(1 << 12)
    except OSError:
        return False


def is_our_shards(path: Path) -> bool:
    """Whether a folder is a data set of shards that seqtool wrote."""
    try:
        with (path / MANIFEST).open("rb") as file:
            return b'"format": "seqtool shards"' in file.read(1 << 12)
    except OSError:
        return False


def may_be_replaced(path: Path) -> bool:
    """Whether a folder holds nothing but what seqtool wrote, if anything."""
    names = [item.name for item in path.iterdir()]
    ours = all(name == FOLDER_META or name.endswith(".npy") for name in names)
    return not names or (ours and is_our_folder(path))


def looks_like_safetensors(head: bytes) -> bool:
    """Whether a file that begins so is one of safetensors: a length below 2**32, and an object."""
    return head[4:9] == b"\0\0\0\0{" and int.from_bytes(head[:8], "little") <= LONGEST_HEADER


def holds_our_rows(path: Path, kind: Kind, head: bytes) -> bool:
    """Whether the rows of a file, which begins with `head`, are sequences that seqtool wrote."""
    if kind == "json":
        return head.startswith(JSON_BEGIN)
    return kind in ("parquet", "arrow", "arrow-stream") and row_meta(path, kind) is not None


def row_meta(path: Path, kind: Kind) -> str | None:
    """The description in a Parquet or Arrow file, None where seqtool did not write it, or nobody can read it."""
    with suppress(OSError, ValueError), path.open("rb") as file:
        if not _mentions(file, kind):
            return None
    metadata: dict[bytes, bytes] = {}
    with suppress(Exception):  # its reader says what is wrong with a damaged file
        metadata = _schema(path, kind).metadata or {}
    described = metadata.get(ROW_META)
    return None if described is None else described.decode("utf-8", "replace")


def _mentions(file: BinaryIO, kind: Kind) -> bool:
    """Whether the name of the description stands where it has to: sought before a library is loaded for it."""
    if kind != "parquet":
        return ROW_META in file.read(_HEAD)
    file.seek(-8, os.SEEK_END)
    size = int.from_bytes(file.read(4), "little")
    file.seek(-8 - size, os.SEEK_END)
    return ROW_META in file.read(size)


def _schema(path: Path, kind: Kind) -> Any:
    import pyarrow as pa
    import pyarrow.parquet as pq

    if kind == "parquet":
        return pq.read_schema(path)
    with pa.OSFile(str(path)) as file:
        return (pa.ipc.open_stream if kind == "arrow-stream" else pa.ipc.open_file)(file).schema
