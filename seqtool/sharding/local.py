"""The engine of one machine: all shards are sorted and written in this process."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from itertools import chain

from seqtool.sharding.engine import EncodeFunction, WriteFunction


class Local:
    """Runs each task in this process, one after another."""

    here = True

    def each(self, task: Callable[[int], bytes], count: int) -> Iterator[bytes]:
        """The result of a task for each number below `count`, as it is asked for."""
        return map(task, range(count))

    def shuffle(self, encode: EncodeFunction, count: int, write: WriteFunction, shards: int) -> list[bytes]:
        """Write all shards together: one sort puts the rows of each in one place."""
        return [write(chain.from_iterable(map(encode, range(count))))]
