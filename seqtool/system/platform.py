"""What only some systems have, each behind a function that works without it: here alone Linux and others differ.

What a system has is asked at each call, by name: Linux has all of it, macOS and Windows lack some.
"""

from __future__ import annotations

import errno
import mmap
import os
import signal
import sys
import threading
from contextlib import suppress
from typing import IO, TYPE_CHECKING, Any

if TYPE_CHECKING:
    from pathlib import Path  # `signals` is loaded before all else, and quickly

# Files of a container's limits, of version 2 of cgroups and of version 1.
_CGROUP_MEMORY = ("/sys/fs/cgroup/memory.max", "/sys/fs/cgroup/memory/memory.limit_in_bytes")
_CGROUP_CPU = (
    ("/sys/fs/cgroup/cpu.max",),
    ("/sys/fs/cgroup/cpu/cpu.cfs_quota_us", "/sys/fs/cgroup/cpu/cpu.cfs_period_us"),
)
_ASSUMED_MEMORY = 4 * 10**9  # bytes, where the system does not tell; --max-memory names another figure
_NO_ROOM = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)
_SIGPIPE = 13  # its number wherever it exists; Windows has none
_STATUS = "/proc/self/status"
_COPIED = 1 << 20  # bytes that are read at once where they must be copied
_moving = threading.Lock()  # held while a file is read or written by way of its one position


def cpu_count() -> int:
    """The cores that this process may use: of the machine, of its affinity, and of its container's share of time.

    >>> cpu_count() >= 1
    True
    """
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    share = _cgroup_share()
    return cores if share is None else max(1, min(cores, share))


def _cgroup_share() -> int | None:
    """The cores whose whole time a container may take, rounded up; None where it may take all."""
    for names in _CGROUP_CPU:
        try:
            quota, period = map(int, " ".join(_text(name) for name in names).split())
        except (OSError, ValueError):  # no such controller, or no limit: "max"
            continue
        if quota > 0 and period > 0:
            return -(-quota // period)
    return None


def _text(path: str) -> str:
    from pathlib import Path

    # The name of the process is among what Linux tells of it, in any encoding.
    return Path(path).read_text(encoding="ascii", errors="replace")


def physical_memory() -> int:
    """The bytes of memory of the machine, or of its container's limit; an assumed 4 GB where nobody tells.

    >>> physical_memory() > 0
    True
    """
    try:
        total = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    except (AttributeError, ValueError, OSError):
        total = _ASSUMED_MEMORY
    for name in _CGROUP_MEMORY:
        with suppress(OSError, ValueError):  # no such controller, or no limit: "max"
            total = min(total, int(_text(name)))
    return total


def address_space() -> int | None:
    """The bytes of address space that this process may have (ulimit -v); None where nobody limits them."""
    try:
        import resource
    except ImportError:  # Windows
        return None
    if not hasattr(resource, "RLIMIT_AS"):
        return None
    limit, _ = resource.getrlimit(resource.RLIMIT_AS)
    return None if limit == resource.RLIM_INFINITY else limit


def peak_memory() -> int | None:
    """The most bytes of memory that the process has had resident so far, where the system tells."""
    with suppress(OSError):
        _, found, rest = _text(_STATUS).partition("VmHWM:")
        return int(rest.split()[0]) * 1024 if found else None
    try:
        import resource
    except ImportError:
        return None
    most = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return most if sys.platform == "darwin" else most * 1024


def reads_in_place() -> bool:
    """Whether `read_at` leaves the position of a file alone, so that others may read by way of it meanwhile."""
    return hasattr(os, "preadv") and hasattr(os, "pread")


def read_at(file: IO[bytes], buffer: Any, offset: int) -> int:
    """Read into a buffer of bytes from `offset` on; the count of bytes, perhaps fewer than asked for, 0 at the end.

    Many threads may read one file at once; its own position does not change.
    """
    if hasattr(os, "preadv"):
        return os.preadv(file.fileno(), [buffer], offset)
    data = bytes_at(file, min(len(buffer), _COPIED), offset)
    buffer[: len(data)] = data
    return len(data)


def bytes_at(file: IO[bytes], size: int, offset: int) -> bytes:
    """The bytes from `offset` on, read as `read_at` reads them."""
    if hasattr(os, "pread"):
        return os.pread(file.fileno(), size, offset)
    with _moving, _At(file.fileno(), offset):
        return os.read(file.fileno(), size)


def write_at(file: IO[bytes], data: Any, offset: int) -> int:
    """Write bytes from `offset` on; how many were written, fewer than given perhaps.

    Many threads may use one file at once; its own position does not change.
    """
    if hasattr(os, "pwrite"):
        return os.pwrite(file.fileno(), data, offset)
    with _moving, _At(file.fileno(), offset):
        return os.write(file.fileno(), data)


class _At:
    """The position of a file, moved for a while."""

    def __init__(self, handle: int, offset: int) -> None:
        self._handle = handle
        self._offset = offset
        self._before = 0

    def __enter__(self) -> None:
        self._before = os.lseek(self._handle, 0, os.SEEK_CUR)
        os.lseek(self._handle, self._offset, os.SEEK_SET)

    def __exit__(self, *_: object) -> None:
        os.lseek(self._handle, self._before, os.SEEK_SET)


def reserve(file: IO[bytes], size: int) -> None:
    """Ask for room for so many bytes from a file's position on, where the system and its disk can do that.

    Writing takes half the time then. Raises OSError where the disk has no room.
    """
    if not hasattr(os, "posix_fallocate"):
        return
    try:
        os.posix_fallocate(file.fileno(), file.tell(), size)
    except OSError as error:
        if error.errno in _NO_ROOM:
            raise  # any other says that this is no file, or that its file system cannot do it


def give_back(pages: mmap.mmap, begin: int = 0, size: int | None = None) -> None:
    """Let go of the pages of a mapped file, from a page's begin on: what was looked at counts as ours until then.

    Where the system has no such call, it takes them itself when memory runs short.
    """
    if hasattr(mmap, "MADV_DONTNEED"):
        pages.madvise(mmap.MADV_DONTNEED, begin, len(pages) - begin if size is None else size)


def sync_folder(folder: Path) -> None:
    """Write to the disk which names a folder has, where a folder can be opened."""
    try:
        handle = os.open(folder, os.O_RDONLY)
    except OSError:  # Windows; or a folder that may be written but not read: a rename stands all the same
        return
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def ending_signals() -> dict[int, str]:
    """The signals that ask a process to end, each with the word for what happened.

    >>> ending_signals()[signal.SIGINT]
    'interrupted'
    """
    words = {"SIGINT": "interrupted", "SIGTERM": "terminated", "SIGHUP": "hung up"}
    return {getattr(signal, name): word for name, word in words.items() if hasattr(signal, name)}


def broken_pipe_code() -> int:
    """The exit code of a process whose reader has gone.

    >>> broken_pipe_code()
    141
    """
    return 128 + getattr(signal, "SIGPIPE", _SIGPIPE)
