"""The manifest of a folder of shards: which files belong to it, and what they hold together.

It is written last, so that a folder without one is no data set; readers go by it alone. The shard of a sequence is the
CRC-32 of its key as text, modulo the number of shards; the columns of a key are joined by NUL.
"""

from __future__ import annotations

import json
import zlib
from collections.abc import Iterable, Mapping
from dataclasses import asdict, field
from pathlib import Path
from typing import Any

from seqtool.dataclass import dataclass
from seqtool.errors import DataError, damaged
from seqtool.files.traces import MANIFEST

_FORMAT = "seqtool shards"
_VERSION = 1


@dataclass(frozen=True)
class Shard:
    """One file of a data set, `name`, and what it holds; `arrays` are the dtype and the shape of each array.

    `size` is in bytes, `longest` the steps of its longest sequence, `widest` the letters of its longest cell of a key
    that is text.
    """

    shard: int
    name: str
    sha256: str
    size: int
    sequences: int
    steps: int
    longest: int
    widest: int
    arrays: Mapping[str, tuple[str, tuple[int, ...]]]


@dataclass(frozen=True)
class Manifest:
    """What a folder of shards holds: its files in the order of their shards, of which there are `count`.

    `hashed` is how many columns of a key, from the first on, say which shard it is in: none where all rows are one key.
    `meta` is the description of all sequences together, as a single file would have it, and `tables` are the names of
    classes, features and so on.
    """

    count: int
    files: tuple[Shard, ...]
    meta: Mapping[str, Any]
    hashed: int
    tables: Mapping[str, list[Any]] = field(default_factory=dict)

    @property
    def sequences(self) -> int:
        """The sequences in all shards."""
        return sum(shard.sequences for shard in self.files)

    @property
    def steps(self) -> int:
        """The steps in all shards."""
        return sum(shard.steps for shard in self.files)

    def as_json(self) -> str:
        """The text of the file."""
        whole = {
            "format": _FORMAT,
            "version": _VERSION,
            "shards": self.count,
            "hashed": self.hashed,
            "sequences": self.sequences,
            "steps": self.steps,
            "longest": max((shard.longest for shard in self.files), default=0),
            "tables": dict(self.tables),
            "files": [asdict(shard) for shard in self.files],
            "meta": dict(self.meta),
        }
        return json.dumps(whole, indent=1, ensure_ascii=False) + "\n"


def shard_of(key: Iterable[Any], count: int) -> int:
    """The shard, of `count`, in which the sequence of a key stands, by the cells of the key.

    >>> shard_of(["7"], 16) == shard_of([7], 16)
    True
    """
    return zlib.crc32("\0".join(map(str, key)).encode()) % count


def read_manifest(path: Path, name: str) -> Manifest:
    """The manifest in a file of the folder `name`; raises DataError for one that is damaged, or newer than this."""
    with damaged(f"{name}/{MANIFEST}: cannot be read"):
        whole = json.loads(path.read_text(encoding="utf-8"))
    if not isinstance(whole, dict) or whole.get("format") != _FORMAT:
        raise DataError(f"{name}/{MANIFEST}: not written by seqtool")
    if whole.get("version") != _VERSION:
        raise DataError(
            f"{name}/{MANIFEST}: version {whole.get('version')} of the format; this seqtool reads {_VERSION}"
        )
    with damaged(f"{name}/{MANIFEST}: damaged"):
        files = tuple(_shard(entry) for entry in whole["files"])
        return Manifest(
            int(whole["shards"]), files, dict(whole["meta"]), int(whole["hashed"]), dict(whole["tables"])
        )


def _shard(entry: dict[str, Any]) -> Shard:
    arrays = {name: (str(dtype), tuple(map(int, shape))) for name, (dtype, shape) in entry["arrays"].items()}
    name = str(entry["name"])
    if Path(name).name != name:
        raise ValueError(f"{name!r} is no file of the folder")
    return Shard(**{**entry, "arrays": arrays})
