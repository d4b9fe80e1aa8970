"""The engine Dask: a task encodes a file, and another writes a shard from what all files hold of it."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from seqtool.errors import UsageError
from seqtool.sharding.blocks import batches, blocks
from seqtool.sharding.engine import Encode, Write

if TYPE_CHECKING:
    from distributed import Client


class Dask:
    """Runs tasks by the client that it is given."""

    here = False

    def __init__(self, client: Client) -> None:
        self._client = client

    def each(self, task: Callable[[int], bytes], count: int) -> list[bytes]:
        """The result of a task for each number below `count`, in order."""
        return self._client.gather(self._client.map(task, range(count), pure=False))  # type: ignore[no-any-return]

    def shuffle(self, encode: Encode, count: int, write: Write, shards: int) -> list[bytes]:
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
        return self._client.gather(self._client.compute(tasks))  # type: ignore[no-any-return]


def client(scheduler: str | None) -> Client:
    """A client of the scheduler at an address, or of workers on this machine; raises UsageError without Dask."""
    try:
        from distributed import Client
    except ImportError:
        raise UsageError("--engine dask needs dask: pip install 'seqtool[dask]'") from None
    return Client(scheduler) if scheduler else Client(threads_per_worker=1)
