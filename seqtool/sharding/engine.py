"""What runs the tasks of a job: one process, Spark, or Dask. An engine only moves rows; it adds no rule of its own."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from typing import Protocol

from seqtool.sharding.encoding import EncodedBatch

EncodeFunction = Callable[[int], Iterator[EncodedBatch]]
WriteFunction = Callable[[Iterable[EncodedBatch]], bytes]


class Engine(Protocol):
    """Where tasks run; tasks pickle, may be tried again, and give the same bytes each time."""

    here: bool
    """Whether tasks run in this process: its temporary files are there for them, and rows stay in their order."""

    def each(self, task: Callable[[int], bytes], count: int) -> Iterable[bytes]:
        """The result of a task for each number below `count`, in order."""

    def shuffle(self, encode: EncodeFunction, count: int, write: WriteFunction, shards: int) -> list[bytes]:
        """Encode each number below `count`, bring the rows of each of the shards together, and write them."""
