"""The engine Apache Spark, and whatever speaks its protocol: rows move as blocks of bytes through one shuffle.

Spark's own readers are not used, for they are not exact; nor is any order of its rows relied on.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Iterator, Mapping
from typing import TYPE_CHECKING, Any

import pyarrow as pa

from seqtool.errors import UsageError
from seqtool.sharding.blocks import batches, blocks
from seqtool.sharding.engine import Encode, Write

if TYPE_CHECKING:
    from pyspark.sql import SparkSession


class Spark:
    """Runs tasks by the session that it is given."""

    here = False

    def __init__(self, session: SparkSession) -> None:
        self._session = session

    def each(self, task: Callable[[int], bytes], count: int) -> list[bytes]:
        """The result of a task for each number below `count`, in order."""

        def run(numbers: Iterator[Any]) -> Iterator[Any]:
            for batch in numbers:
                for number in batch.column(0).to_pylist():
                    yield _record(number=number, result=task(number))

        found = self._numbers(count).mapInArrow(run, "number long, result binary").collect()
        return [bytes(row["result"]) for row in sorted(found, key=lambda row: int(row["number"]))]

    def shuffle(self, encode: Encode, count: int, write: Write, shards: int) -> list[bytes]:
        """Encode each number below `count`, bring the blocks of each shard together, and write them."""

        def encoded(numbers: Iterator[Any]) -> Iterator[Any]:
            for batch in numbers:
                for number in batch.column(0).to_pylist():
                    for shard, block in blocks(encode(number)):
                        yield _record(shard=shard, block=block)

        def written(rows: Iterator[Any]) -> Iterator[Any]:
            yield _record(
                result=write(batches(block.as_buffer() for batch in rows for block in batch.column(1)))
            )

        moved = (
            self._numbers(count).mapInArrow(encoded, "shard long, block binary").repartition(shards, "shard")
        )
        return [bytes(row["result"]) for row in moved.mapInArrow(written, "result binary").collect()]

    def _numbers(self, count: int) -> Any:
        """The numbers below `count`, each in a partition of its own."""
        return self._session.range(0, count, 1, count)


def _record(**cells: Any) -> Any:
    types = {int: pa.int64(), bytes: pa.binary()}
    arrays = [pa.array([cell], types[type(cell)]) for cell in cells.values()]
    return pa.RecordBatch.from_arrays(arrays, [*cells])


def session(
    *, master: str | None = None, remote: str | None = None, conf: Mapping[str, str] | None = None
) -> SparkSession:
    """A session of Spark: on this machine, at a master, or by Spark Connect.

    Raises UsageError where pyspark or Java is missing.
    """
    try:
        from pyspark.sql import SparkSession
    except ImportError:
        raise UsageError("--engine spark needs pyspark: pip install 'seqtool[spark]'") from None
    # Workers on this machine run the Python, and so the seqtool, of this process.
    os.environ.setdefault("PYSPARK_PYTHON", sys.executable)
    builder: Any = SparkSession.builder.appName("seqtool group")
    for name, value in (conf or {}).items():
        builder = builder.config(name, value)
    if remote is not None:
        return builder.remote(remote).getOrCreate()
    return builder.master(master or "local[*]").config("spark.ui.showConsoleProgress", "false").getOrCreate()
