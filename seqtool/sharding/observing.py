"""The first pass: what is known of the columns of each file, so that all files are encoded alike."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import field, replace

import numpy as np

from seqtool.arrays.dtypes import Array
from seqtool.dataclass import dataclass
from seqtool.errors import DataError, SeqtoolError
from seqtool.grouping.encoder import Encoder
from seqtool.grouping.encoder_state import EncoderState
from seqtool.grouping.reading import batches
from seqtool.grouping.suspects import Suspects
from seqtool.sharding.hashing import key_columns, shards_of
from seqtool.sharding.job import Job, packed, plain
from seqtool.sharding.skew import Frequent
from seqtool.tables.table import Table


@dataclass(frozen=True)
class FileFacts:
    """What one file holds: the state of its columns, its `rows`, and those `left_out` of them by reason.

    `of_shards` (N,) are the rows that go to each shard, `frequent` the keys of most rows, `stamp` tells whether the
    file changes later, `error` is what kept it from being read.
    """

    state: EncoderState = field(default_factory=EncoderState)
    rows: int = 0
    left_out: Mapping[str, int] = field(default_factory=dict)
    of_shards: Array = field(default_factory=lambda: np.zeros(0, np.int64))
    frequent: Frequent = field(default_factory=Frequent)
    suspects: Suspects | None = None
    stamp: tuple[int, int] | None = None
    error: SeqtoolError | None = None


@dataclass(frozen=True)
class Observe:
    """The task of the first pass: the facts of the file with a number, packed."""

    job: Job

    def __call__(self, file: int) -> bytes:
        """The facts of a file; an error is among them, for an engine would try again, and lose its words."""
        try:
            stamp = self.job.stamp(file)
            facts = self._facts(file, stamp)
        except SeqtoolError as error:
            facts = FileFacts(error=plain(error))
        except OSError as error:
            name = self.job.sources[file].name
            facts = FileFacts(error=DataError(f"{name}: cannot be read by a worker ({error.strerror})"))
        return packed(facts)

    def _facts(self, file: int, stamp: tuple[int, int] | None) -> FileFacts:
        with self.job.opened(file) as table:
            return replace(facts_of(table, self.job), stamp=stamp)


def facts_of(table: Table, job: Job) -> FileFacts:
    """What a table holds, as far as its first bad cell."""
    encoder = Encoder(job.plan)
    suspects = Suspects(job.plan) if job.plan.roles.item is None else None
    of_shards, frequent = np.zeros(job.shards, np.int64), Frequent()
    with job.pool() as pool:
        for arrays, first_row in batches(table, job.plan, job.threads):
            columns = encoder.encode(arrays, first_row, pool)
            if encoder.faulty:
                break
            encoder.check_items(job.memory)
            if not columns:
                continue
            keys = key_columns(columns)
            if suspects is not None:
                suspects.look(columns, encoder.labels)
            of_shards += np.bincount(shards_of(keys, job.shards), minlength=job.shards)
            frequent = frequent.merge(Frequent.of(keys))
    return FileFacts(encoder.state, table.rows, dict(table.left_out), _narrow(of_shards), frequent, suspects)


def _narrow(counts: Array) -> Array:
    """The same in the type that they need: each file sends one for each shard to the driver."""
    return counts.astype(np.min_scalar_type(int(counts.max(initial=0))))
