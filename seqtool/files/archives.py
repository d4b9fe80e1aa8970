"""Files of arrays by name, opened whatever holds them: a zip, a folder, safetensors, or rows that seqtool wrote."""

from __future__ import annotations

from contextlib import suppress
from functools import partial
from pathlib import Path
from zipfile import is_zipfile

from seqtool.advice import Advice
from seqtool.errors import DataError
from seqtool.files import inputs
from seqtool.files.inputs import Input
from seqtool.files.remote import is_remote
from seqtool.files.stored import Archive
from seqtool.files.traces import FOLDER_META, MANIFEST, row_meta
from seqtool.files.zip_reader import ZipReader
from seqtool.system.memory import Memory


def archive_of(source: Input) -> Archive:
    """The arrays of an input of the kind npz, in the memory that it may take."""
    if source.stored_as == "zip":
        return ZipReader.of(source)
    return _opened(source, source.memory)


def archive_at(path: Path, name: str) -> Archive:
    """The arrays of a file of ours, or of an `.npz`; raises DataError for what is neither."""
    if path.suffix != ".npz" and (path.is_file() or path.is_dir()):
        source = inputs.recognised(path)
        if source.kind == "npz" and source.stored_as != "zip":
            return _opened(source, None)
        if source.kind in ("parquet", "arrow", "json"):
            raise DataError(f"{name}: not written by seqtool; convert it: ", Advice("seqtool", "pad", name))
    return ZipReader(path, name)


def holds_arrays(path: Path) -> bool:
    """Whether a file is an `.npz`, by its name or its content, or another one of arrays that seqtool wrote."""
    if path.suffix == ".npz" or is_zipfile(path):
        return True
    with suppress(DataError):
        return inputs.recognised(path).kind == "npz"
    return False


def size_of(path: Path) -> int:
    """The bytes of a file of arrays, by which a change is noticed; of a folder those of what describes it."""
    described = next((path / name for name in (MANIFEST, FOLDER_META) if (path / name).is_file()), path)
    return described.stat().st_size


def _opened(source: Input, memory: Memory | None) -> Archive:
    if source.stored_as == "folder":
        from seqtool.files.folder import open_folder

        return open_folder(source.path, source.name, memory=memory, temporary=source.temporary)
    if source.stored_as == "shards":
        from seqtool.files.shards import open_shards
        from seqtool.files.stores import RemoteStore, store_at

        here = str(source.path)
        store = RemoteStore(source.name, source.path) if is_remote(source.name) else store_at(here)
        return open_shards(store, source.name, memory=memory)
    if source.stored_as == "safetensors":
        from seqtool.files.safetensors import open_safetensors

        return open_safetensors(source.path, source.name, memory=memory)
    from seqtool.files.stored_rows import StoredRows

    if source.held == "json":
        from seqtool.files.json_rows import json_meta, read_lines

        meta: str | None = json_meta(source)
        batches = partial(read_lines, source)
    else:
        from seqtool.files.row_files import read_batches

        assert source.held is not None
        meta = row_meta(source.path, source.held)
        batches = partial(read_batches, source.path, source.held, source.name)
    return StoredRows(source.name, meta or "", batches, memory=memory, temporary=source.temporary)
