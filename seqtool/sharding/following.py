"""How far a job is: the rows that were encoded in this process, and the shards that appear in the folder."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from threading import Event, Thread

from seqtool.arrays.dtypes import Array
from seqtool.errors import SeqtoolError
from seqtool.files.stores import Store
from seqtool.grouping.row_columns import SHARD
from seqtool.sharding.encoding import EncodedBatch
from seqtool.sharding.engine import EncodeFunction

OnRows = Callable[[int], None]
"""Called with the rows that are done."""
_EVERY = 0.5  # seconds
_SHARD = re.compile(r"shard-(\d+)-of-")


def counting(encode: EncodeFunction, on_rows: OnRows) -> EncodeFunction:
    """The same task, which tells the rows that it has encoded in all calls."""
    done = 0

    def encoded(number: int) -> Iterator[EncodedBatch]:
        nonlocal done
        for batch in encode(number):
            yield batch
            done += len(batch[SHARD])
            on_rows(done)

    return encoded


@contextmanager
def following(store: Store, of_shards: Array, on_rows: OnRows) -> Iterator[None]:
    """Tell meanwhile the rows of the shards that stand in a folder; `of_shards` (N,) are those of each."""
    before = _shards_in(store)
    ended = Event()

    def look() -> None:
        while not ended.wait(_EVERY):
            with suppress(SeqtoolError, OSError):  # a look that fails is no failure of the job
                on_rows(sum(int(of_shards[shard]) for shard in _shards_in(store) - before))

    thread = Thread(target=look, daemon=True)
    thread.start()
    try:
        yield
    finally:
        ended.set()
        thread.join()


def _shards_in(store: Store) -> set[int]:
    return {int(found[1]) for name in store.names() if (found := _SHARD.match(name))}
