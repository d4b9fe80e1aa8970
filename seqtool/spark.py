"""Sequences of a Spark DataFrame that a job already has, in a folder of shards as `group --shards` writes it."""

from __future__ import annotations

import os
import warnings
from collections.abc import Iterable, Iterator, Sequence
from typing import TYPE_CHECKING, Any

from seqtool.api import call_of_group, warn_of
from seqtool.errors import SeqtoolError, UsageError, names_arguments
from seqtool.files.deflate import Compress
from seqtool.files.stores import store_at
from seqtool.grouping.encoder_plan import EncoderPlan
from seqtool.option_names import as_arguments
from seqtool.sequences.ragged import Ragged
from seqtool.sharding import group
from seqtool.sharding.encoding import rows_of
from seqtool.sharding.job import Job, packed, plain, unpacked
from seqtool.sharding.observing import FileFacts, facts_of
from seqtool.sharding.spark import arrow_schema, moved, results
from seqtool.sharding.target import OutputFolder
from seqtool.sources.pad import ColumnName
from seqtool.system import memory
from seqtool.tables.named_columns import columns_named
from seqtool.tables.table import Expected, Table, typed_table

if TYPE_CHECKING:
    from pyspark.sql import DataFrame


@names_arguments
def write_sequences(
    frame: DataFrame,
    path: str | os.PathLike[str],
    *,
    key: ColumnName | Sequence[ColumnName],
    order_by: ColumnName | Sequence[ColumnName],
    shards: int = 64,
    max_memory: str = "1G",
    compress: Compress | None = None,
    force: bool = False,
    **options: Any,
) -> Ragged:
    """Group the rows of a Spark DataFrame into sequences, and write them to a folder of shards that all workers reach.

    The result reads the folder lazily, as `seqtool.load(path)` does. Each task takes about `max_memory`. With `force`
    a data set at `path` is replaced once the new one is whole. All other arguments are those of `seqtool.group` that
    say nothing of padding or of other tables. Rows of a frame have no numbers, so `order_by` must put the rows of each
    key in one order, or attempts at a task could differ.

    Raises UsageError for arguments that contradict each other, and DataError for rows of one key that tie in
    `order_by`, and as `seqtool.group` does; then nothing is written.

        from seqtool.spark import write_sequences
        write_sequences(events, "/data/sequences", key="user", order_by="time", label="churned")
    """
    if not columns_named(order_by):
        raise UsageError("order_by names no column: the rows of a frame have no order of their own")
    spec = call_of_group(key=key, order_by=order_by, ragged=True, **options)
    if spec.keep_row_index:
        raise UsageError("keep_row_index numbers the rows of files; a frame has no such numbers")
    target = OutputFolder(store_at(os.fspath(path).rstrip("/")), force=force)
    schema = arrow_schema(frame)
    table = _table(schema, ())
    job = Job(
        (),
        spec.text,
        EncoderPlan.of(table, spec.roles(table), spec),
        (),
        {},
        shards,
        memory.allowed(max_memory),
    )

    def observed(batches: Iterator[Any]) -> Iterator[bytes]:
        try:
            facts = facts_of(_table(schema, batches), job)
        except SeqtoolError as error:
            facts = FileFacts(error=plain(error))
        yield packed(facts)

    files = [facts for facts in unpacked(results(frame, observed)) if facts.rows or facts.error]
    whole = group.judged(
        job, table, spec, files, lambda row: f"a row of the frame (row {row[1]} of its partition)"
    )

    if whole.caution is not None:
        warnings.warn(as_arguments(whole.caution), stacklevel=3)

    def encoded(batches: Iterator[Any]) -> Iterator[Any]:
        return rows_of(_table(schema, batches), job, whole.state, 0)

    written = group.fill(
        whole, target, lambda task: moved(frame, encoded, task, shards), compress=compress, ties="refused"
    )
    warn_of(written.result, [], level=3)
    return written.data


def _table(schema: Any, batches: Iterable[Any]) -> Table:
    """The rows of a frame in record batches, which are read once."""

    def read(columns: Sequence[int], expected: Expected) -> Iterator[Any]:
        for batch in batches:
            yield batch.select([*columns])

    return typed_table(schema, read, "the frame", None)
