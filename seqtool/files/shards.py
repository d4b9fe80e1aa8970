"""A folder of shards as the arrays of one file: those of all shards, end to end, in the order of the manifest.

What the arrays are is known from the manifest; a shard is opened when rows of it are asked for, and few stay open.
"""

from __future__ import annotations

import hashlib
import json
import weakref
from collections.abc import Callable, Mapping
from functools import lru_cache
from pathlib import Path

import numpy as np

from seqtool.advice import Advice
from seqtool.arrays.dtypes import Array
from seqtool.arrays.lazy import AnyArray, Lazy, concatenated, lazy_map
from seqtool.arrays.spool import Spool
from seqtool.arrays.text import Text, joined_text
from seqtool.errors import DataError
from seqtool.files.manifest import Manifest, Shard, read_manifest
from seqtool.files.schema import NAMES
from seqtool.files.stored import StoredArrays
from seqtool.files.traces import MANIFEST
from seqtool.files.zip_reader import ZipReader
from seqtool.sequences.labels import name_tables
from seqtool.system.memory import Memory

_OPEN = 64  # shards; systems allow a process a few hundred open files


def open_shards(path: Path, name: str, *, memory: Memory | None = None) -> ShardedArrays:
    """The arrays of a folder of shards; raises DataError where it is damaged or incomplete."""
    return ShardedArrays(path, name, read_manifest(path, name), memory)


class ShardedArrays(StoredArrays):
    """The arrays of all shards, end to end; see `seqtool.files.stored.StoredArrays`."""

    def __init__(self, path: Path, name: str, manifest: Manifest, memory: Memory | None = None) -> None:
        self.manifest = manifest
        self._path = path
        self._spool = Spool()
        weakref.finalize(self, self._spool.close)
        self._reader = lru_cache(_OPEN)(self._open)
        first = manifest.files[0].arrays if manifest.files else {}
        super().__init__(
            name,
            json.dumps(manifest.meta),
            self._joined,
            memory=memory,
            strangers=self._strangers(),
            order=[*first],
            mapped=False,
        )
        for shard in manifest.files:
            self._check_size(shard)

    def _strangers(self) -> list[str]:
        """Files in the folder that are no shards; those of an older data set, or of one in the making, are no part."""
        names = sorted(item.name for item in self._path.iterdir())
        return [name for name in names if name != MANIFEST and not is_part(name)]

    def _check_size(self, shard: Shard) -> None:
        try:
            size = (self._path / shard.name).stat().st_size
        except FileNotFoundError:
            raise DataError(f"{self.name}/{shard.name}: no such file; the manifest names it") from None
        if size != shard.size:
            raise DataError(
                f"{self.name}/{shard.name}: has {size:,} bytes; the manifest says {shard.size:,}: damaged, or "
                "replaced"
            )

    def _open(self, place: int) -> ZipReader:
        shard = self.manifest.files[place]
        return ZipReader(self._path / shard.name, f"{self.name}/{shard.name}", memory=self.memory)

    def _joined(self) -> Mapping[str, AnyArray]:
        files = self.manifest.files
        if not files:
            return {}
        tables = {*NAMES, *name_tables(files[0].arrays), "features"}
        tables |= {f"{table}_{suffix}" for table in tables for suffix in ("offsets", "shape")}
        names = {name for shard in files for name in shard.arrays} - {"meta"}
        found: dict[str, AnyArray] = {}
        for name in [name for name in [*files[0].arrays, *sorted(names)] if name in names]:
            if name in found:
                continue
            if name in tables:
                found[name] = self._member(0, name)
            elif name == "offsets":
                found[name] = self._offsets(name, [shard.steps for shard in files])
            elif f"{name}_offsets" in names:
                found |= self._text(name)
            elif not name.endswith(("_offsets", "_shape")):
                found[name] = self._end_to_end([self._member(i, name) for i in range(len(files))])
        return found

    def _member(self, place: int, name: str) -> AnyArray:
        """An array of one shard, which is opened when rows are asked for."""
        shard = self.manifest.files[place]
        if name not in shard.arrays:
            raise DataError(f"{self.name}/{shard.name}: has no {name}, which other shards have")
        dtype, shape = shard.arrays[name]

        def read(begin: int, end: int) -> Array:
            window = self._reader(place).window(name)
            if window.shape != shape or window.dtype != np.dtype(dtype):
                raise DataError(f"{self.name}/{shard.name}[{name}]: is not what the manifest says")
            return window[begin:end] if shape else np.asarray(window).reshape(1)

        return Lazy(shape, np.dtype(dtype), read)

    def _end_to_end(self, parts: list[AnyArray]) -> AnyArray:
        dtype = max((part.dtype for part in parts), key=lambda kind: kind.itemsize)  # text differs in width
        return concatenated(parts, (sum(map(len, parts)), *parts[0].shape[1:]), dtype)

    def _offsets(self, name: str, ends: list[int]) -> AnyArray:
        """Offsets of all shards, each raised by what stands before it."""
        before, parts = 0, list[AnyArray]()
        for place, end in enumerate(ends):
            offsets = self._member(place, name)
            parts.append(_raised(offsets, before, first=0 if place == 0 else 1))
            before += end
        return self._end_to_end(parts)

    def _text(self, name: str) -> Mapping[str, AnyArray]:
        """Text as bytes, for some shards hold it so; where others hold it at fixed width, it is all copied."""
        files = self.manifest.files
        if all(f"{name}_offsets" in shard.arrays for shard in files):
            ends = [shard.arrays[name][1][0] for shard in files]
            shapes = [np.asarray(self._member(i, f"{name}_shape")) for i in range(len(files))]
            shape = np.array([sum(int(one[0]) for one in shapes), *shapes[0][1:]], np.int64)
            data = self._end_to_end([self._member(i, name) for i in range(len(files))])
            return {
                name: data,
                f"{name}_offsets": self._offsets(f"{name}_offsets", ends),
                f"{name}_shape": shape,
            }
        text = joined_text([self._text_of(i, name) for i in range(len(files))], self._spool)
        assert isinstance(text, Text)
        shape = np.array(text.shape, np.int64)
        return {name: text.data, f"{name}_offsets": text.offsets, f"{name}_shape": shape}

    def _text_of(self, place: int, name: str) -> AnyArray | Text:
        cells = self._member(place, name)
        if f"{name}_offsets" not in self.manifest.files[place].arrays:
            return cells
        offsets, shape = self._member(place, f"{name}_offsets"), self._member(place, f"{name}_shape")
        return Text(cells, offsets, tuple(np.asarray(shape).tolist()), widest=None)

    def map(self, member: str) -> Array:
        """Raise DataError, for the arrays of all shards stand in no one place."""
        if member == "meta":
            return super().map(member)
        raise DataError(
            f"{self.name}: holds shards, which cannot be mapped together; make one file of them: ",
            Advice("seqtool", "convert", self.name),
        )

    def verify(self, read: Callable[[int], None] | None = None) -> None:
        """Read every shard once and compare it with the manifest; `read` is called with the bytes of each piece."""
        for shard in self.manifest.files:
            digest = hashlib.sha256()
            with (self._path / shard.name).open("rb") as file:
                while piece := file.read(_PIECE):
                    digest.update(piece)
                    if read is not None:
                        read(len(piece))
            if digest.hexdigest() != shard.sha256:
                raise DataError(f"{self.name}/{shard.name}: damaged: its SHA-256 is not that of the manifest")


_PIECE = 1 << 20  # bytes


def _raised(offsets: AnyArray, by: int, *, first: int) -> AnyArray:
    """Offsets from the one at `first` on, raised; the last of one shard is the first of the next."""
    tail = Lazy(
        (len(offsets) - first,), np.dtype(np.int64), lambda begin, end: offsets[begin + first : end + first]
    )
    return lazy_map(lambda part: part + by, tail, dtype=np.int64)


def is_part(name: str) -> bool:
    """Whether a file of this name is a shard, or one in the making.

    >>> is_part("shard-00000-of-00002-0123456789ab.npz"), is_part("notes.txt")
    (True, False)
    """
    return (name.startswith("shard-") and name.endswith(".npz")) or name.startswith(".seqtool-")
