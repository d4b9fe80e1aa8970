"""Files elsewhere, as fsspec reads them: `s3://`, `gs://`, `hf://`, `https://`, `memory://` and others.

They are copied to the folder for temporary files and read there, for what reads tables goes over them more than once.
"""

from __future__ import annotations

import glob
import re
from collections.abc import Iterator
from contextlib import contextmanager
from typing import IO, Any, cast

from seqtool.dataclass import dataclass
from seqtool.errors import DataError, UsageError
from seqtool.files.path_parts import partitions

_REMOTE = re.compile(r"([A-Za-z][A-Za-z0-9+.-]*)://")


@dataclass(frozen=True)
class RemoteFile:
    """A file of a file system that fsspec knows; `name` is its address."""

    name: str
    system: Any
    path: str

    @contextmanager
    def open(self) -> Iterator[IO[bytes]]:
        """Its bytes, from front to back; raises DataError where they cannot be read."""
        with reaching(self.name):
            stream = self.system.open(self.path, "rb")
        with stream:
            yield cast(IO[bytes], _Stream(self.name, stream))


class _Stream:
    """The bytes of a file elsewhere, whose errors name it."""

    def __init__(self, name: str, stream: Any) -> None:
        self._name, self._stream = name, stream

    def read(self, size: int = -1) -> bytes:
        """The next bytes."""
        with reaching(self._name):
            return bytes(self._stream.read(size))


def is_remote(source: str) -> bool:
    """Whether a source is the address of a file elsewhere.

    >>> is_remote("s3://bucket/a.csv"), is_remote("rec/a.csv"), is_remote("C:/a.csv")
    (True, False, False)
    """
    return _REMOTE.match(source) is not None


def is_remote_folder_with(source: str, name: str) -> bool:
    """Whether an address is that of a folder that has a file of this name."""
    system, path = file_system(source)
    with reaching(source):
        return bool(system.exists(f"{path.rstrip('/')}/{name}"))


def remote_files(source: str, suffixes: tuple[str, ...]) -> list[RemoteFile]:
    """The file at an address, those that match a pattern, or those of a partitioned folder, in sorted order.

    Raises UsageError where fsspec, or what it needs, is not installed, and DataError for what is not there.
    """
    system, path = file_system(source)
    with reaching(source):
        if glob.has_magic(source) and not system.exists(path):
            found = sorted(name for name in system.glob(path) if not system.isdir(name))
            if not found:
                raise DataError(f"{source}: no file matches this pattern")
        elif system.isdir(path):
            known = [name for name in sorted(system.find(path)) if _is_likely(name, suffixes)]
            found = [name for name in known if partitions(name)]
            if not found:
                more = f", such as {_address(source, known[0])}" if known else ""
                raise DataError(f"{source}: a folder; the name of a file, or a pattern, was expected{more}")
        else:
            found = [path]
    return [RemoteFile(_address(source, name), system, name) for name in found]


def _is_likely(path: str, suffixes: tuple[str, ...]) -> bool:
    """Whether the name of a file is that of an input; those that begin with . or _ are for other programs."""
    return path.lower().endswith(suffixes) and path.rpartition("/")[2][:1] not in ("", ".", "_")


def _address(source: str, path: str) -> str:
    """The address of a path, written as that of the source that it was found by."""
    protocol = source.partition("://")[0]
    if "://" in path:
        return path
    return f"{protocol}://{path if source.startswith(f'{protocol}:///') else path.lstrip('/')}"


def file_system(source: str) -> tuple[Any, str]:
    """The file system of an address, and the path there; raises UsageError where fsspec does not know it."""
    try:
        from fsspec.core import url_to_fs
    except ImportError:
        raise UsageError(f"fsspec is missing; {source} needs it: pip install 'seqtool[remote]'") from None
    try:
        system, path = url_to_fs(source)
    except ImportError as error:  # such as: Install s3fs to access S3
        reason = " ".join(str(error).split())
        raise UsageError(f"{source}: fsspec needs another package for this address ({reason})") from None
    except ValueError as error:
        raise UsageError(f"{source}: no address that fsspec knows ({' '.join(str(error).split())})") from None
    return system, str(path)


@contextmanager
def reaching(name: str) -> Iterator[None]:
    """Errors of file systems, which may be of any kind, as DataError."""
    try:
        yield
    except DataError:
        raise
    except FileNotFoundError:
        raise DataError(f"{name}: no such file") from None
    except Exception as error:  # noqa: BLE001 - each file system has errors of its own
        reason = " ".join(str(error).split()) or type(error).__name__
        raise DataError(f"{name}: cannot be read ({reason})") from None
