"""The engine Apache Spark, and whatever speaks its protocol: rows move as blocks of bytes through one shuffle.

Spark's own readers are not used, for they are not exact; nor is any order of its rows relied on.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from itertools import chain
from typing import TYPE_CHECKING, Any

import pyarrow as pa

from seqtool.sharding.blocks import batches as rows_in
from seqtool.sharding.blocks import blocks
from seqtool.sharding.encoding import EncodedBatch
from seqtool.sharding.engine import EncodeFunction, WriteFunction
from seqtool.sharding.job import packed, unpacked
from seqtool.sharding.spark_session import plain_errors

if TYPE_CHECKING:
    from pyspark.sql import DataFrame, SparkSession


class Spark:
    """Runs tasks by the session that it is given."""

    here = False

    def __init__(self, session: SparkSession) -> None:
        self._session = session

    def each(self, task: Callable[[int], bytes], count: int) -> list[bytes]:
        """The result of a task for each number below `count`, in order."""

        def run(batches: Iterator[Any]) -> Iterator[bytes]:
            for number in _numbers_in(batches):
                yield packed((number, task(number)))

        return [result for _, result in sorted(unpacked(results(self._numbers(count), run)))]

    def shuffle(self, encode: EncodeFunction, count: int, write: WriteFunction, shards: int) -> list[bytes]:
        """Encode each number below `count`, bring the rows of each of the shards together, and write them."""

        def encoded(batches: Iterator[Any]) -> Iterator[EncodedBatch]:
            return chain.from_iterable(map(encode, _numbers_in(batches)))

        return moved(self._numbers(count), encoded, write, shards)

    def _numbers(self, count: int) -> Any:
        """The numbers below `count`, each in a partition of its own."""
        return self._session.range(0, count, 1, count)


def _numbers_in(batches: Iterator[Any]) -> Iterator[int]:
    for batch in batches:
        yield from batch.column(0).to_pylist()


def results(frame: DataFrame, task: Callable[[Iterator[Any]], Iterator[bytes]]) -> list[bytes]:
    """What a task gives for the partitions of a frame, whose record batches it gets; in any order."""

    def run(batches: Iterator[Any]) -> Iterator[Any]:
        for result in task(batches):
            yield _record(result=result)

    with plain_errors():
        return [bytes(row["result"]) for row in frame.mapInArrow(run, "result binary").collect()]


def moved(
    frame: DataFrame,
    encode: Callable[[Iterator[Any]], Iterator[EncodedBatch]],
    write: WriteFunction,
    shards: int,
) -> list[bytes]:
    """Encode the partitions of a frame, bring the rows of each of the shards together, and write them."""

    def encoded(batches: Iterator[Any]) -> Iterator[Any]:
        for shard, block in blocks(encode(batches)):
            yield _record(shard=shard, block=block)

    def written(rows: Iterator[Any]) -> Iterator[bytes]:
        yield write(rows_in(block.as_buffer() for batch in rows for block in batch.column(1)))

    with plain_errors():
        found = _each_apart(frame.mapInArrow(encoded, "shard int, block binary"), shards)
    return results(found, written)


def _each_apart(frame: DataFrame, shards: int) -> DataFrame:
    """The rows of each of the shards in a partition.

    A partition by hash holds several shards, and others none. Spark before 4.1 knows no other, nor does Sail, which
    only a frame of Spark Connect may be of.
    """
    if hasattr(frame, "repartitionById") and ".connect." not in type(frame).__module__:
        return frame.repartitionById(shards, "shard")
    return frame.repartition(shards, "shard")


def arrow_schema(frame: DataFrame) -> Any:
    """The columns of a frame as Arrow has them."""
    from pyspark.sql.pandas.types import to_arrow_schema

    return to_arrow_schema(frame.schema)


def _record(**cells: Any) -> Any:
    types = {int: pa.int32(), bytes: pa.binary()}
    arrays = [pa.array([cell], types[type(cell)]) for cell in cells.values()]
    return pa.RecordBatch.from_arrays(arrays, [*cells])
