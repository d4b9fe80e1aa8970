"""The second pass: the rows of a file as numbers, each with the shard that it goes to and its number in the input."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np

from seqtool.dataclass import dataclass
from seqtool.errors import DataError
from seqtool.grouping.encoder import Encoder
from seqtool.grouping.encoder_state import EncoderState
from seqtool.grouping.reading import batches
from seqtool.grouping.row_columns import ROW, SHARD
from seqtool.sharding.hashing import key_columns, shards_of
from seqtool.sharding.job import Job
from seqtool.tables.table import Table

EncodedBatch = dict[str, Any]
"""Rows as the kernel takes them, with `shard`, and `row`, the number of each in the whole input."""


@dataclass(frozen=True)
class EncodeTask:
    """The task of the second pass: the rows of the file with a number, batch by batch.

    `state` is what all files together were found to hold; `begins` are the rows before each file, `stamps` what tells
    whether a file has changed since.
    """

    job: Job
    state: EncoderState
    begins: tuple[int, ...]
    stamps: tuple[tuple[int, int] | None, ...]

    def __call__(self, file: int) -> Iterator[EncodedBatch]:
        """The encoded rows of a file; raises DataError where it has changed since the first pass."""
        self._check_unchanged(file)
        with self.job.opened(file) as table:
            yield from rows_of(table, self.job, self.state, self.begins[file])
        self._check_unchanged(file)

    def _check_unchanged(self, file: int) -> None:
        if self.job.stamp(file) != self.stamps[file]:
            name = self.job.sources[file].name
            raise DataError(f"{name}: changed while it was read; run the call again when nobody writes to it")


def rows_of(table: Table, job: Job, state: EncoderState, before: int) -> Iterator[EncodedBatch]:
    """The encoded rows of a table, before which so many rows stand in the whole input."""
    encoder = Encoder(job.plan, state, final=True)
    with job.pool() as pool:
        for arrays, first_row in batches(table, encoder.plan, job.threads):
            columns = encoder.encode(arrays, first_row + before, pool)
            if columns:
                columns[SHARD] = shards_of(key_columns(columns), job.shards)
                columns[ROW] = np.asarray(columns[ROW], np.int64)
                yield columns
