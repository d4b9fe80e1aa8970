"""System calls that only some systems have, each behind a function that works without them too.

Whether a system has a call is asked each time, by its name: Linux has all of them, macOS and Windows lack some. No
other module asks which system it runs on.
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
    from collections.abc import Callable
    from pathlib import Path  # not at run time: `signals` is loaded before all else, and has to be quick

# Files of a container's limits, of version 2 of cgroups and of version 1.
_CGROUP_MEMORY = ("/sys/fs/cgroup/memory.max", "/sys/fs/cgroup/memory/memory.limit_in_bytes")
_CGROUP_CPU = (
    ("/sys/fs/cgroup/cpu.max",),
    ("/sys/fs/cgroup/cpu/cpu.cfs_quota_us", "/sys/fs/cgroup/cpu/cpu.cfs_period_us"),
)
_ASSUMED_MEMORY = 4 * 10**9  # bytes, where the system does not tell; --max-memory overrides it
_NO_ROOM = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)
_SIGPIPE = 13  # its number wherever it exists; Windows has none
_STATUS = "/proc/self/status"
_STATUS_SIZE = 1 << 16  # bytes, more than it has
_COPIED = 1 << 20  # bytes read at once where they are copied into the buffer
_moving = threading.Lock()  # held while the position of a file is moved to read or write elsewhere


def cpu_count() -> int:
    """The cores that this process may use: by its affinity, and by the share of time of its container.

    >>> cpu_count() >= 1
    True
    """
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    share = _cgroup_share()
    return cores if share is None else max(1, min(cores, share))


def _cgroup_share() -> int | None:
    """The number of cores whose time a container may use, rounded up; None without a limit."""
    for names in _CGROUP_CPU:
        try:
            quota, period = map(int, " ".join(_text(name) for name in names).split())
        except (OSError, ValueError):  # no such controller, or no limit: "max"
            continue
        if quota > 0 and period > 0:
            return -(-quota // period)
    return None


def _text(path: str) -> str:
    # Such a file gives all it has at once. A short call asks for a dozen of them: a file object takes thrice as long.
    handle = os.open(path, os.O_RDONLY)
    try:
        text = os.read(handle, _STATUS_SIZE)
    finally:
        os.close(handle)
    return text.decode(
        "ascii", "replace"
    )  # the status of a process holds its name, which may be in any encoding


def physical_memory() -> int:
    """The bytes of memory of the machine, or of its container's limit; 4 GB where the system does not tell.

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
    """The bytes of address space that this process may have (ulimit -v); None without a limit."""
    try:
        import resource
    except ImportError:  # Windows
        return None
    if not hasattr(resource, "RLIMIT_AS"):
        return None
    limit, _ = resource.getrlimit(resource.RLIMIT_AS)
    return None if limit == resource.RLIM_INFINITY else limit


def allow_open_files(count: int) -> int | None:
    """Let this process have so many files open at once, as far as the system lets it; how many it may have then.

    None where the system does not tell.
    """
    try:
        import resource
    except ImportError:  # Windows
        return None
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if soft == resource.RLIM_INFINITY or soft >= count:
        return None
    wanted = count if hard == resource.RLIM_INFINITY else min(count, hard)
    with suppress(OSError, ValueError):  # macOS allows fewer than it says
        resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))
    return int(resource.getrlimit(resource.RLIMIT_NOFILE)[0])


def memory_file() -> IO[bytes]:
    """A new file without a name, in memory where the system has such, else among the temporary ones."""
    import tempfile

    if hasattr(os, "memfd_create"):
        with suppress(OSError):  # some containers forbid it
            return os.fdopen(os.memfd_create("seqtool"), "w+b", buffering=0)
    return tempfile.TemporaryFile(buffering=0, prefix="seqtool-")


def opened_for_spawned(file: IO[bytes]) -> Callable[[], IO[bytes]] | None:
    """What opens the same file in the process that is being spawned; None if there is none, or if it cannot be done."""
    from multiprocessing import context, reduction

    if context.get_spawning_popen() is None or not hasattr(reduction, "DupFd"):  # Windows
        return None
    return _Opened(reduction.DupFd(file.fileno()))


class _Opened:
    """Opens a file by the descriptor that a spawned process was given."""

    def __init__(self, handle: Any) -> None:
        self._handle = handle

    def __call__(self) -> IO[bytes]:
        return os.fdopen(self._handle.detach(), "r+b", buffering=0)


def peak_memory() -> int | None:
    """The most bytes that were resident at once since the process began; None where the system does not tell."""
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
    """Whether `read_at` never moves the position of a file, so that other code may use it at the same time."""
    return hasattr(os, "preadv") and hasattr(os, "pread")


def read_at(file: IO[bytes], buffer: Any, offset: int) -> int:
    """Read into a buffer from `offset` on; returns the count of bytes, which may be fewer, and 0 at the end.

    Many threads may read one file at once; afterwards its position is as it was.
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
    """Write bytes from `offset` on; returns how many were written, which may be fewer.

    Many threads may use one file at once; afterwards its position is as it was.
    """
    if hasattr(os, "pwrite"):
        return os.pwrite(file.fileno(), data, offset)
    with _moving, _At(file.fileno(), offset):
        return os.write(file.fileno(), data)


class _At:
    """The position of a file, moved to an offset for the time of a block."""

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
    """Allocate `size` bytes from a file's position on, where the system and the file system can do that.

    It halves the time of writing. Raises OSError where the disk has no room.
    """
    if not hasattr(os, "posix_fallocate"):
        return
    try:
        os.posix_fallocate(file.fileno(), file.tell(), size)
    except OSError as error:
        if error.errno in _NO_ROOM:
            raise  # any other error means that this is no regular file, or that its file system cannot do it


def give_back(pages: mmap.mmap, begin: int = 0, size: int | None = None) -> None:
    """Release the pages of a mapped file, from a page boundary on: until then they count as resident memory.

    A system without such a call takes them back itself when memory runs short.
    """
    if hasattr(mmap, "MADV_DONTNEED"):
        pages.madvise(mmap.MADV_DONTNEED, begin, len(pages) - begin if size is None else size)


def sync_folder(folder: Path) -> None:
    """Flush the entries of a folder to the disk, where a folder can be opened."""
    try:
        handle = os.open(folder, os.O_RDONLY)
    except (
        OSError
    ):  # on Windows, and for a folder that may be written but not read; a rename holds all the same
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
    """The exit code of a process whose output lost its reader.

    >>> broken_pipe_code()
    141
    """
    return 128 + getattr(signal, "SIGPIPE", _SIGPIPE)
