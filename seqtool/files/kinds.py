"""What an input holds: recognised by its first bytes, and the suffix of its name."""

from __future__ import annotations

from pathlib import Path
from typing import Literal

from seqtool.errors import DataError

Kind = Literal["npy", "npz", "parquet", "arrow", "arrow-stream", "json", "text"]
Packing = Literal["gzip", "zstd"]

_MAGIC: tuple[tuple[bytes, Kind], ...] = (
    (b"\x93NUMPY", "npy"),
    (b"PK\x03\x04", "npz"),
    (b"PK\x05\x06", "npz"),
    (b"PAR1", "parquet"),
    (b"ARROW1", "arrow"),
    (b"\xff\xff\xff\xff", "arrow-stream"),
)
PACKED: tuple[tuple[bytes, Packing], ...] = ((b"\x1f\x8b", "gzip"), (b"\x28\xb5\x2f\xfd", "zstd"))
BINARY_SUFFIXES: dict[str, tuple[Kind, ...]] = {
    ".npy": ("npy",),
    ".npz": ("npz",),
    ".parquet": ("parquet",),
    ".arrow": ("arrow", "arrow-stream"),
    ".feather": ("arrow",),
}
TEXT_SUFFIXES: dict[str, Kind] = {
    ".csv": "text",
    ".tsv": "text",
    ".txt": "text",
    ".json": "json",
    ".jsonl": "json",
    ".ndjson": "json",
}
SUFFIXES = (*BINARY_SUFFIXES, *TEXT_SUFFIXES, ".gz", ".zst")


def recognise(name: str, packing: Packing | None, head: bytes) -> Kind:
    """What an input of this name holds, by its first bytes, unpacked.

    Raises DataError where the name says something else.
    """
    bare = Path(name.removesuffix(".gz").removesuffix(".zst")) if packing else Path(name)
    kind = next((kind for magic, kind in _MAGIC if head.startswith(magic)), None)
    expected = BINARY_SUFFIXES.get(bare.suffix.lower())
    if expected and kind not in expected:
        what = f"a {kind} file" if kind else "text" if _looks_like_text(head) else "something else"
        raise DataError(f"{name}: named {bare.suffix}, but it holds {what}")
    if kind and packing:
        raise DataError(f"{name}: a compressed {kind} file; decompress it first")
    if kind is None:
        started = head.removeprefix(b"\xef\xbb\xbf").lstrip()[:1]
        kind = TEXT_SUFFIXES.get(bare.suffix.lower()) or ("json" if started in (b"[", b"{") else "text")
    return kind


def _looks_like_text(head: bytes) -> bool:
    return b"\x00" not in head
