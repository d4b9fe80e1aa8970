"""What an input holds: recognised by its first bytes, and the suffix of its name."""

from __future__ import annotations

from pathlib import Path
from typing import Literal

from seqtool.errors import DataError
from seqtool.files.traces import looks_like_safetensors

Kind = Literal[
    "npy", "npz", "parquet", "arrow", "arrow-stream", "safetensors", "json", "text", "ts", "workbook"
]
Packing = Literal["gzip", "zstd", "bzip2", "xz", "zip"]

_MAGIC: tuple[tuple[bytes, Kind], ...] = (
    (b"\x93NUMPY", "npy"),
    (b"PK\x03\x04", "npz"),
    (b"PK\x05\x06", "npz"),
    (b"PAR1", "parquet"),
    (b"ARROW1", "arrow"),
    (b"\xff\xff\xff\xff", "arrow-stream"),
)
PACKED: tuple[tuple[bytes, Packing], ...] = (
    (b"\x1f\x8b", "gzip"),
    (b"\x28\xb5\x2f\xfd", "zstd"),
    (b"BZh", "bzip2"),
    (b"\xfd7zXZ\x00", "xz"),
)
PACKED_SUFFIXES = (".gz", ".zst", ".bz2", ".xz", ".zip")
BINARY_SUFFIXES: dict[str, tuple[Kind, ...]] = {
    ".npy": ("npy",),
    ".npz": ("npz",),
    ".parquet": ("parquet",),
    ".arrow": ("arrow", "arrow-stream"),
    ".feather": ("arrow",),
    ".safetensors": ("safetensors",),
    **dict.fromkeys((".xlsx", ".xlsm", ".xlsb", ".xls", ".ods"), ("workbook",)),
}
TEXT_SUFFIXES: dict[str, Kind] = {
    ".csv": "text",
    ".tsv": "text",
    ".txt": "text",
    ".json": "json",
    ".jsonl": "json",
    ".ndjson": "json",
}
SUFFIXES = (*BINARY_SUFFIXES, *TEXT_SUFFIXES, *PACKED_SUFFIXES)


def bare_name(name: str) -> str:
    """The name of a file without the suffix of what it is packed by.

    >>> bare_name("rows.tsv.gz"), bare_name("rows.csv")
    ('rows.tsv', 'rows.csv')
    """
    return next((name.removesuffix(end) for end in PACKED_SUFFIXES if name.endswith(end)), name)


def recognise(name: str, packing: Packing | None, head: bytes, *, workbook: bool = False) -> Kind:
    """What an input of this name holds, by its first bytes, unpacked; that it is a `workbook` they do not tell.

    Raises DataError where the name says something else.
    """
    bare = Path(bare_name(name)) if packing else Path(name)
    kind = next((kind for magic, kind in _MAGIC if head.startswith(magic)), None)
    kind = "safetensors" if kind is None and looks_like_safetensors(head) else kind
    kind = "workbook" if workbook else kind
    expected = BINARY_SUFFIXES.get(bare.suffix.lower())
    if expected and packing and kind is not None:
        raise DataError(f"{name}: a compressed {expected[0]} file; decompress it first")
    if expected == ("workbook",) and kind == "npz":
        raise DataError(f"{name}: damaged, or no workbook")
    if expected and kind not in expected:
        likely = ".json" if _starts_as_json(head) else ".csv"
        text = (
            f"text; name it by what it is, such as {likely}" if _looks_like_text(head) else "something else"
        )
        what = f"a {kind} file" if kind else text
        raise DataError(f"{name}: named {bare.suffix}, but it holds {what}")
    if kind and packing:
        raise DataError(f"{name}: a compressed {kind} file; decompress it first")
    if kind is None and bare.suffix.lower() == ".ts" and head.lstrip()[:1] in (b"@", b"#"):
        return "ts"
    if kind is None:
        kind = TEXT_SUFFIXES.get(bare.suffix.lower()) or ("json" if _starts_as_json(head) else "text")
    return kind


def _starts_as_json(head: bytes) -> bool:
    return head.removeprefix(b"\xef\xbb\xbf").lstrip()[:1] in (b"[", b"{")


def _looks_like_text(head: bytes) -> bool:
    return b"\x00" not in head
