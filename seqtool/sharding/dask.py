"""The engine Dask: a task encodes a file, and another writes a shard from what all files hold of it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from seqtool.errors import DataError, UsageError
from seqtool.sharding.blocks import batches, blocks
from seqtool.sharding.engine import EncodeFunction, WriteFunction
from seqtool.words import shortened

if TYPE_CHECKING:
    from distributed import Client


_WAIT = 10  # seconds for a scheduler to answer


class Dask:
    """Runs tasks by the client that it is given."""

    here = False

    def __init__(self, client: Client) -> None:
        self._client = client

    def each(self, task: Callable[[int], bytes], count: int) -> list[bytes]:
        """The result of a task for each number below `count`, in order."""
        return self._results(self._client.map(task, range(count), pure=False))

    def shuffle(self, encode: EncodeFunction, count: int, write: WriteFunction, shards: int) -> list[bytes]:
        """Encode each number below `count`, bring the blocks of each shard together, and write them."""
        from dask import delayed

        def encoded(number: int) -> list[list[bytes]]:
            of_shards: list[list[bytes]] = [[] for _ in range(shards)]
            for shard, block in blocks(encode(number)):
                of_shards[shard].append(block)
            return of_shards

        def written(*of_files: list[bytes]) -> bytes:
            return write(batches(block for of_file in of_files for block in of_file))

        files = [delayed(encoded, nout=shards)(number) for number in range(count)]
        tasks = [delayed(written)(*(of_shards[shard] for of_shards in files)) for shard in range(shards)]
        return self._results(self._client.compute(tasks))

    def _results(self, futures: Any) -> list[bytes]:
        with _plain_errors():
            results: list[bytes] = self._client.gather(futures)
        return results


@contextmanager
def client(scheduler: str | None) -> Iterator[Client]:
    """A client of the scheduler at an address, or of workers on this machine, until the block ends.

    Raises UsageError without Dask, and where no scheduler answers.
    """
    try:
        from distributed import Client
    except ImportError:
        raise UsageError("--engine dask needs dask: pip install 'seqtool[dask]'") from None
    try:
        # Any free port for the dashboard: another job of this machine may have its own.
        found = (
            Client(scheduler, timeout=_WAIT)
            if scheduler
            else Client(threads_per_worker=1, dashboard_address=":0")
        )
    except RuntimeError as error:
        raise DataError(f"Dask: its workers do not start: {shortened(str(error), 200)}") from error
    except (OSError, ValueError) as error:  # ValueError: no address of any kind that Dask knows
        raise UsageError(
            f"--scheduler {scheduler}: no scheduler of Dask answers there ({shortened(str(error), 200)}); start it "
            "first, name another, or leave the option out for workers on this machine"
        ) from None
    with found:
        yield found


@contextmanager
def _plain_errors() -> Iterator[None]:
    """Workers that end, again and again, are told of in one line; such as those that take too much memory."""
    from distributed import KilledWorker
    from distributed.client import FutureCancelledError

    try:
        yield
    except KilledWorker as error:
        raise DataError(
            f"Dask: {error.allowed_failures + 1} workers ended at the same task; its memory may be too small for "
            "--max-memory, which each task takes"
        ) from error
    except FutureCancelledError as error:
        raise DataError(f"Dask: the job was cancelled: {shortened(str(error), 200)}") from error
