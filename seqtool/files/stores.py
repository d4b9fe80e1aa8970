"""Folders of finished files, here or elsewhere as fsspec has them: what a data set of shards is written to."""

from __future__ import annotations

import os
import shutil
import tempfile
import weakref
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Protocol

from seqtool.errors import DataError, why
from seqtool.files.atomic import mode_of_new, naming, replacing
from seqtool.files.remote import file_system, is_remote, reaching


class Store(Protocol):
    """A folder, called `address` in messages; workers reach it at `full_address`. Its files are whole."""

    address: str
    full_address: str

    def make(self) -> bool:
        """Make the folder, and say whether it was not there; raises DataError where it cannot be."""

    def unmake(self) -> None:
        """Remove the folder, if it is empty."""

    def names(self) -> list[str]:
        """The names of the files in it, sorted; none where it is not there."""

    def fetch(self, name: str) -> Path:
        """A file of it as one on this machine; raises DataError where there is none."""

    @contextmanager
    def writing(self, mark: str) -> Iterator[Path]:
        """A new file to be written, for `keep`; `mark` is in its name. It is removed at the end of the block."""

    def keep(self, written: Path, name: str) -> None:
        """Give a file that was written its name."""

    def write(self, name: str, text: str) -> None:
        """Write a small file, which replaces another of the name at once."""

    def remove(self, name: str) -> None:
        """Remove a file; one that is not there, or cannot be removed, is left."""


def store_at(address: str, cache: Path | None = None) -> Store:
    """The folder at a path or an address; of one elsewhere, files that are read are copied to the folder `cache`.

    Without `cache` that is a temporary one, which is removed with the result.
    """
    return RemoteStore(address, cache) if is_remote(address) else LocalStore(Path(address))


class LocalStore:
    """A folder on this machine, or one that this machine mounts."""

    def __init__(self, path: Path) -> None:
        self.address, self.full_address = str(path), str(path.absolute())
        self._path = path.absolute()

    def make(self) -> bool:
        """Make the folder, and say whether it was not there."""
        if self._path.exists() and not self._path.is_dir():
            raise DataError(f"{self.address}/: there is a file of this name; name another folder")
        if not self._path.parent.is_dir():
            raise DataError(
                f"{self.address}/: the folder {Path(self.address).parent} does not exist; create it first"
            )
        is_new = not self._path.is_dir()
        with naming(f"{self.address}/"):
            self._path.mkdir(exist_ok=True)
        return is_new

    def unmake(self) -> None:
        """Remove the folder, if it is empty."""
        with suppress(OSError):
            self._path.rmdir()

    def names(self) -> list[str]:
        """The names of the files in it, sorted."""
        return sorted(item.name for item in self._path.iterdir()) if self._path.is_dir() else []

    def fetch(self, name: str) -> Path:
        """A file of it."""
        return self._path / name

    @contextmanager
    def writing(self, mark: str) -> Iterator[Path]:
        """A new file in the folder."""
        with naming(f"{self.address}/"):
            handle, name = tempfile.mkstemp(dir=self._path, prefix=f".seqtool-{mark}-", suffix=".tmp")
            os.close(handle)
        try:
            with naming(f"{self.address}/"):
                yield Path(name)
        finally:
            Path(name).unlink(missing_ok=True)

    def keep(self, written: Path, name: str) -> None:
        """Rename a file."""
        written.chmod(mode_of_new())
        written.replace(self._path / name)

    def write(self, name: str, text: str) -> None:
        """Write a small file, which replaces another of the name at once."""
        with replacing(self._path / name) as file:
            file.write(text.encode())

    def remove(self, name: str) -> None:
        """Remove a file."""
        with suppress(OSError):
            (self._path / name).unlink()


class RemoteStore:
    """A folder elsewhere: files are written here, and copied to their names there, where a write is not undone."""

    def __init__(self, address: str, cache: Path | None = None) -> None:
        self.address = self.full_address = address.rstrip("/")
        self._system, self._root = file_system(self.address)
        if cache is None:
            cache = Path(tempfile.mkdtemp(prefix="seqtool-"))
            weakref.finalize(self, shutil.rmtree, cache, ignore_errors=True)
        self._cache = cache

    def make(self) -> bool:
        """Make the folder, where the system has such a thing."""
        with reaching(self.address):
            is_new = not self._system.exists(self._root)
            self._system.makedirs(self._root, exist_ok=True)
        return is_new

    def unmake(self) -> None:
        """Remove the folder, if it is empty."""
        with suppress(Exception):
            self._system.rmdir(self._root)

    def names(self) -> list[str]:
        """The names of the files in it, sorted."""
        with reaching(self.address):
            self._system.invalidate_cache()
            if not self._system.isdir(self._root):
                return []
            found = self._system.ls(self._root, detail=False)
        return sorted(str(path).rstrip("/").rpartition("/")[2] for path in found)

    def fetch(self, name: str) -> Path:
        """A copy of a file, which is made when it is first asked for."""
        copy = self._cache / name
        if not copy.exists():
            with reaching(f"{self.address}/{name}"):
                self._system.get_file(f"{self._root}/{name}", f"{copy}.part")
            Path(f"{copy}.part").replace(copy)
        return copy

    @contextmanager
    def writing(self, mark: str) -> Iterator[Path]:
        """A new file in the system's folder for temporary files."""
        handle, name = tempfile.mkstemp(prefix=f"seqtool-{mark}-", suffix=".tmp")
        os.close(handle)
        try:
            yield Path(name)
        except OSError as error:
            raise DataError(
                f"{tempfile.gettempdir()}: a shard of {self.address} cannot be written here first ({why(error)})"
            ) from None
        finally:
            Path(name).unlink(missing_ok=True)

    def keep(self, written: Path, name: str) -> None:
        """Copy a file."""
        with reaching(f"{self.address}/{name}"):
            self._system.put_file(str(written), f"{self._root}/{name}")

    def write(self, name: str, text: str) -> None:
        """Write a small file."""
        with reaching(f"{self.address}/{name}"):
            self._system.pipe_file(f"{self._root}/{name}", text.encode())
        (self._cache / name).unlink(missing_ok=True)

    def remove(self, name: str) -> None:
        """Remove a file."""
        with suppress(Exception):
            self._system.rm_file(f"{self._root}/{name}")
