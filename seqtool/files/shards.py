"""A folder of shards as the arrays of one file: those of all shards, end to end, in the order of the manifest.

What the arrays are is known from the manifest; a shard is opened when rows of it are asked for, and few stay open.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Collection, Mapping, Sequence
from functools import lru_cache
from itertools import accumulate
from pathlib import Path
from typing import Any

import numpy as np

from seqtool.advice import Advice
from seqtool.arrays.dtypes import Array
from seqtool.arrays.file_array import FileArray, FilesArray
from seqtool.arrays.lazy import AnyArray, Lazy, concatenated, lazy_map, stretch
from seqtool.arrays.text import Text, check_text
from seqtool.errors import DataError
from seqtool.files.manifest import Manifest, Shard, read_manifest, shard_of
from seqtool.files.packing import READ_AT_ONCE
from seqtool.files.schema import NAMES
from seqtool.files.stored import StoredArrays
from seqtool.files.stores import Store
from seqtool.files.traces import MANIFEST
from seqtool.files.zip_reader import ZipReader
from seqtool.sequences.keys import HashedKeys
from seqtool.sequences.labels import name_tables
from seqtool.system.memory import Memory

_OPEN = 64  # shards; systems allow a process a few hundred open files
_WINDOWS = 512  # arrays of open shards


def open_shards(store: Store, name: str, *, memory: Memory | None = None) -> ShardedArrays:
    """The arrays of a folder of shards; raises DataError where it is damaged or incomplete."""
    return ShardedArrays(store, name, read_manifest(store.fetch(MANIFEST), name), memory)


class ShardedArrays(StoredArrays):
    """The arrays of all shards, end to end; see `seqtool.files.stored.StoredArrays`."""

    verified = "sizes and the SHA-256 of each shard"

    def __init__(self, store: Store, name: str, manifest: Manifest, memory: Memory | None = None) -> None:
        self.manifest = manifest
        self._store = store
        names = store.names()
        present = {*names}
        missing = next((shard.name for shard in manifest.files if shard.name not in present), None)
        if missing is not None:
            raise DataError(f"{name}/{missing}: no such file; the manifest names it")
        self._reader = lru_cache(_OPEN)(self._open)
        self._window = lru_cache(_WINDOWS)(lambda place, name: self._reader(place).window(name))
        first = manifest.files[0].arrays if manifest.files else {}
        super().__init__(
            name,
            json.dumps(manifest.meta),
            self._joined,
            memory=memory,
            strangers=self._strangers(names),
            order=[*first],
            mapped=False,
        )

    def _strangers(self, names: Sequence[str]) -> list[str]:
        """Files in the folder that are no shards; those of an older data set, or of one in the making, are no part."""
        return [name for name in names if name != MANIFEST and not is_part(name)]

    def _file(self, shard: Shard) -> Path:
        """The file of a shard; raises DataError where it has another size than the manifest says."""
        path = self._store.fetch(shard.name)
        if path.stat().st_size != shard.size:
            raise DataError(
                f"{self.name}/{shard.name}: has {path.stat().st_size:,} bytes; the manifest says {shard.size:,}: "
                "damaged, or replaced"
            )
        return path

    def _open(self, place: int) -> ZipReader:
        shard = self.manifest.files[place]
        return ZipReader(self._file(shard), f"{self.name}/{shard.name}", memory=self.memory)

    def _joined(self) -> Mapping[str, AnyArray]:
        files = self.manifest.files
        if not files:
            return {}
        tables = {*NAMES, *name_tables(files[0].arrays), "features"}
        tables |= {f"{table}_{suffix}" for table in tables for suffix in ("offsets", "shape")}
        found: dict[str, AnyArray] = {}
        for name in files[0].arrays:
            if name in tables:
                found[name] = self._member(0, name)
            elif name == "offsets":
                found[name] = self._offsets()
            elif name == "keys":
                found[name] = self._keys()
            elif name not in ("meta", "keys_offsets", "keys_shape"):
                found[name] = self._end_to_end([self._member(place, name) for place in range(len(files))])
        return found

    def _member(self, place: int, name: str) -> AnyArray:
        """An array of one shard, which is opened when rows are asked for."""
        shard = self.manifest.files[place]
        if name not in shard.arrays:
            raise DataError(f"{self.name}/{shard.name}: has no {name}, which other shards have")
        dtype, shape = shard.arrays[name]

        def read(begin: int, end: int) -> Array:
            window = self._window(place, name)
            if window.shape != shape or window.dtype != np.dtype(dtype):
                raise DataError(f"{self.name}/{shard.name}[{name}]: is not what the manifest says")
            return window[begin:end] if shape else np.asarray(window).reshape(1)

        return Lazy(shape, np.dtype(dtype), read)

    def _end_to_end(self, parts: list[AnyArray]) -> AnyArray:
        if len({part.dtype for part in parts}) == 1 and isinstance(self._window(0, "lengths"), FileArray):
            return FilesArray(parts)  # not compressed
        dtype = max((part.dtype for part in parts), key=lambda kind: kind.itemsize)  # text differs in width
        return concatenated(parts, (sum(map(len, parts)), *parts[0].shape[1:]), dtype)

    def _offsets(self) -> AnyArray:
        """Where the sequences of all shards begin: the offsets of each, raised by the steps before it."""
        parts = [self._member(0, "offsets")]
        before = self.manifest.files[0].steps
        for place, shard in enumerate(self.manifest.files[1:], start=1):
            offsets = self._member(place, "offsets")
            parts.append(_raised(stretch(offsets, 1, len(offsets)), before))
            before += shard.steps
        return self._end_to_end(parts)

    def _keys(self) -> AnyArray:
        """The keys of all shards; text has one width, in whatever form a shard holds it."""
        files = self.manifest.files
        parts = [self._keys_of(place) for place in range(len(files))]
        keys = self._end_to_end(parts)
        ends = [0, *accumulate(map(len, parts))]

        def stretch_of(key: Sequence[Any]) -> tuple[int, int]:
            # All rows are one sequence, of key 0, where no key was named.
            hashed = key[: self.manifest.hashed] or [0]
            shard = shard_of(hashed, self.manifest.count)
            place = next((i for i, file in enumerate(files) if file.shard == shard), None)
            return (0, 0) if place is None else (ends[place], ends[place + 1])

        def read(begin: int, end: int) -> Array:
            part = keys[begin:end]
            if part.dtype.kind == "U":
                check_text("keys", part)  # here, for the keys of all shards may never be read
            return part

        return HashedKeys(keys.shape, keys.dtype, read, stretch_of)

    def _keys_of(self, place: int) -> AnyArray:
        cells, shard = self._member(place, "keys"), self.manifest.files[place]
        if "keys_offsets" not in shard.arrays:
            return cells
        offsets, (dimensions,) = self._member(place, "keys_offsets"), shard.arrays["keys_shape"][1]
        # (N,), or (N, K) of N times K cells, which are known without the shard.
        shape = (shard.sequences, (len(offsets) - 1) // max(1, shard.sequences))[:dimensions]
        text = Text(cells, offsets, shape, widest=shard.widest)
        dtype = np.dtype(f"U{max(1, shard.widest)}")
        return Lazy(text.shape, dtype, lambda begin, end: text[begin:end].astype(dtype))

    def map(self, member: str) -> Array:
        """Raise DataError, for the arrays of all shards stand in no one place."""
        if member == "meta":
            return super().map(member)
        raise DataError(
            f"{self.name}: holds shards, which cannot be mapped together; make one file of them: ",
            Advice("seqtool", "convert", self.name),
        )

    @property
    def largest(self) -> list[str]:
        """None: what the manifest says of a shard is about all its arrays."""
        return []

    def verify(self, *, but: Collection[str] = (), only: Collection[str] | None = None) -> None:
        """Read every shard once and compare it with the manifest, unless some arrays are not to be read."""
        if but or (only is not None and not only):
            return
        for shard in self.manifest.files:
            digest = hashlib.sha256()
            with self._file(shard).open("rb") as file:
                while piece := file.read(READ_AT_ONCE):
                    digest.update(piece)
            if digest.hexdigest() != shard.sha256:
                raise DataError(f"{self.name}/{shard.name}: damaged: its SHA-256 is not that of the manifest")


def _raised(offsets: AnyArray, by: int) -> AnyArray:
    return lazy_map(lambda part: part + by, offsets, dtype=np.int64)


def is_part(name: str) -> bool:
    """Whether a file of this name is a shard, or one in the making.

    >>> is_part("shard-00000-of-00002-0123456789ab.npz"), is_part("notes.txt")
    (True, False)
    """
    return (name.startswith("shard-") and name.endswith(".npz")) or name.startswith(".seqtool-")
