"""The last pass: the rows of some shards become sequences, and a file of each shard."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterable, Mapping
from dataclasses import replace
from typing import Any, Literal

import numpy as np

from seqtool.arrays.lazy import chunks, span
from seqtool.arrays.spool import Spool
from seqtool.dataclass import dataclass
from seqtool.errors import DataError, SeqtoolError
from seqtool.files.deflate import Compress
from seqtool.files.manifest import Shard
from seqtool.files.stores import store_at
from seqtool.files.writers import contents_of
from seqtool.files.zip_reader import ZipReader
from seqtool.grouping.encoder_plan import EncoderPlan
from seqtool.grouping.encoder_state import EncoderState
from seqtool.grouping.group import GroupResult, SortedRows, label_kind, sequences_of
from seqtool.grouping.kernel import ChangingError, Grouped, Grouper
from seqtool.grouping.row_columns import ROW, SHARD
from seqtool.grouping.runs import RowSchema
from seqtool.grouping.static_columns import changing
from seqtool.grouping.workspace import Workspace
from seqtool.operations.pad import with_receipt
from seqtool.sequences.ragged import Ragged
from seqtool.sequences.receipts import Entry
from seqtool.sharding.encoding import EncodedBatch
from seqtool.sharding.job import Job, packed, plain
from seqtool.words import count

_KEPT = 30 * 10**6  # bytes that allocators keep of what reading took, once in each pass
_LEAST = 2 * 10**6  # bytes that rows are sorted in, however many columns there are

Ties = Literal["as they arrive", "by number", "refused"]
"""What becomes of rows that are equal in key and order: an engine that moves rows lets them arrive in any order."""


@dataclass(frozen=True)
class ShardFacts:
    """What became of the rows of one shard; `file` is None where no sequence was left, and none was written.

    The sequences of `result` are left out of it.
    """

    shard: int
    rows: int
    file: Shard | None
    result: GroupResult


@dataclass(frozen=True)
class WriteShards:
    """The task of the last pass: all rows of some shards become a file each, in the folder at `address`.

    `arguments` and `inputs` are for the receipts; `run` is in the names of files that are being written. Rows that tie
    in the order keep that in which they arrive, are in that of their numbers, or are refused. The facts of the shards
    come packed, or an error, for an engine would try again, and lose its words.
    """

    job: Job
    state: EncoderState
    address: str
    run: str
    arguments: Mapping[str, Any]
    inputs: tuple[str, ...]
    compress: Compress | None = None
    ties: Ties = "by number"

    def __call__(self, batches: Iterable[EncodedBatch]) -> bytes:
        """The facts of the shards whose rows these are."""
        try:
            with Spool(self.job.temporary) as spool:
                return packed(self._written(batches, spool))
        except ChangingError as error:
            error.key = error.key[1:]  # without the shard, which stands before the columns of the key
            return packed(plain(changing(self._plan, error, self.state)))
        except SeqtoolError as error:
            return packed(plain(error))

    @property
    def _plan(self) -> EncoderPlan:
        return self.job.plan.settled(self.state)

    def _written(self, batches: Iterable[EncodedBatch], spool: Spool) -> list[ShardFacts]:
        job, state, plan = self.job, self.state, self._plan
        grouper: Grouper | None = None
        for batch in batches:
            if grouper is None:
                room = max(_LEAST, job.memory.for_rows(len(plan.roles.used)) - _KEPT)
                grouper = Grouper(self._layout(plan.layout(state)), spool, memory=room)
            grouper.add(batch)
        if grouper is None:
            return []
        each = grouper.finish_each(dtype=plan.dtype(state), cut=plan.cut(state))
        return [self._shard(shard, grouped, spool) for shard, grouped in each]

    def _layout(self, layout: RowSchema) -> RowSchema:
        """The same with the shard before the key, and the number of the row behind all that rows are sorted by."""
        layout = replace(layout, keys=[SHARD, *layout.keys])
        return replace(layout, order=[*layout.order, ROW], unique=1) if self.ties == "by number" else layout

    def _shard(self, shard: int, grouped: Grouped, spool: Spool) -> ShardFacts:
        job = self.job
        rows = len(grouped.values)
        if grouped.ties and self.ties == "refused":
            raise DataError(
                f"{count(grouped.ties, 'row')} of shard {shard} have the key and the order values of another row: "
                "without numbers of rows their order is not known; name more columns in order_by"
            )
        sorted_rows = SortedRows(grouped, self._plan, self.state, rows)
        result = sequences_of(sorted_rows, Workspace(spool, job.memory))
        ragged = result.ragged
        unit = {} if result.time_unit is None else {"time_unit": result.time_unit}
        arguments = {**self.arguments, **label_kind(ragged), **unit, "dtype": str(ragged.values.dtype)}
        data = with_receipt(ragged, Entry("group", [*self.inputs], arguments, result.rows))
        file = self._file(shard, data) if len(data) else None
        return ShardFacts(shard, rows, file, replace(result, ragged=_nothing(ragged)))

    def _file(self, shard: int, data: Ragged) -> Shard:
        """Write a shard; its name holds a hash of its content, so that attempts at it agree and replace nothing."""
        store = store_at(self.address)
        with store.writing(self.run) as path:
            with path.open("wb") as file:
                contents = contents_of(data, suffix=".npz", compress=self.compress)
                contents.write(file, seekable=True, compress=self.compress, threads=self.job.threads)
                file.flush()
                os.fsync(file.fileno())
            with path.open("rb") as written:
                digest = hashlib.file_digest(written, "sha256").hexdigest()
            size = path.stat().st_size
            name = f"shard-{shard:05d}-of-{self.job.shards:05d}-{digest[:12]}.npz"
            with ZipReader(path, name) as archive:
                arrays = {member: _header(archive.header(member)) for member in archive.names}
            store.keep(path, name)
        longest, widest = int(span(data.lengths).largest), _widest(data.keys)
        return Shard(shard, name, digest, size, len(data), len(data.values), longest, widest, arrays)


def _widest(keys: Any) -> int:
    """The letters of the longest cell of keys that are text, 0 of numbers."""
    if keys.dtype.kind in "iu":
        return 0
    return max(int(np.strings.str_len(part).max()) for _, part in chunks(keys))


def _header(header: tuple[tuple[int, ...], np.dtype[Any]]) -> tuple[str, tuple[int, ...]]:
    shape, dtype = header
    return dtype.str, shape


def _nothing(ragged: Ragged) -> Ragged:
    """No sequences, for a result that is sent elsewhere without its own."""
    empty = np.empty((0, *ragged.values.shape[1:]), ragged.values.dtype)
    return Ragged(empty, np.zeros(1, np.int64))
