"""The driver: what `group` does, with tasks that an engine runs, and a file for each shard.

A first pass finds what the columns of all files hold, and refuses what is wrong before any row moves; then rows are
encoded, brought together by shard, and written. The manifest comes last: without it there is no data set.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from functools import reduce
from itertools import accumulate
from pathlib import Path
from typing import Any
from uuid import uuid4

import numpy as np

from seqtool.advice import Message
from seqtool.dataclass import dataclass
from seqtool.errors import DataError, SeqtoolError
from seqtool.files import npz
from seqtool.files.deflate import Compress
from seqtool.files.inputs import Input
from seqtool.files.manifest import Manifest
from seqtool.files.shards import open_shards
from seqtool.files.stores import Store
from seqtool.files.zip_reader import ZipReader
from seqtool.grouping.cautions import cautions, of_steps
from seqtool.grouping.encoder_plan import EncoderPlan
from seqtool.grouping.encoder_state import EncoderState, merge_all
from seqtool.grouping.group import GroupResult, check_missing_words
from seqtool.grouping.options import COMBINED, UNNAMED
from seqtool.grouping.pivoting import Pivot
from seqtool.grouping.reading import check
from seqtool.grouping.runs import SORTING
from seqtool.grouping.spec import GroupSpec
from seqtool.grouping.workspace import OnProgress
from seqtool.sequences.ragged import Ragged
from seqtool.sequences.receipts import Entry, Rows
from seqtool.sharding.encoding import EncodeTask
from seqtool.sharding.engine import Engine
from seqtool.sharding.following import OnRows, counting, following
from seqtool.sharding.job import Job, TaskInput, unpacked
from seqtool.sharding.observing import FileFacts, Observe
from seqtool.sharding.results import merged
from seqtool.sharding.skew import Frequent, caution
from seqtool.sharding.target import OutputFolder
from seqtool.sharding.writing import ShardFacts, Ties, WriteShards
from seqtool.system.memory import Memory
from seqtool.tables.table import Table


@dataclass(frozen=True)
class Observed:
    """What the first pass found: the job, the state of all files together, and the facts of each."""

    job: Job
    state: EncoderState
    files: Sequence[FileFacts]
    arguments: Mapping[str, Any]
    warnings: Sequence[str]

    @property
    def rows(self) -> int:
        """The rows of all files."""
        return sum(file.rows for file in self.files)

    @property
    def of_shards(self) -> Any:
        """The rows that go to each shard, (N,)."""
        found = np.zeros(self.job.shards, np.int64)
        for file in self.files:  # one at a time, for there may be many of both
            found += file.of_shards
        return found

    @property
    def caution(self) -> Message | None:
        """What a shard that is much larger than the others costs; None where there is none."""
        plan = self.plan
        if not plan.roles.key:
            return None
        frequent = reduce(Frequent.merge, (file.frequent for file in self.files), Frequent())
        layout = plan.layout(self.state)
        stored = self.dtype.itemsize * len(layout.features) + 8 * len(layout.singles)
        fits = self.job.memory.for_rows(len(plan.roles.used)) // (stored + SORTING)
        return caution(self.of_shards, frequent, fits=fits, row_bytes=stored)

    @property
    def plan(self) -> EncoderPlan:
        """What is done with each column, now that all are known."""
        return self.job.plan.settled(self.state)

    @property
    def features(self) -> list[str]:
        """The names of the features."""
        return [*self.arguments["features"]]

    @property
    def dtype(self) -> np.dtype[Any]:
        """The type of the features, before any is computed."""
        return self.plan.dtype(self.state)

    @property
    def row_bytes(self) -> int:
        """About the bytes of a step in a file."""
        singles = len(self.plan.layout(self.state).per_step)
        return self.dtype.itemsize * len(self.features) + 8 * singles

    @property
    def left_out(self) -> dict[str, int]:
        """The rows that go to no shard, by reason."""
        found: dict[str, int] = {}
        for file in self.files:
            for reason, count in file.left_out.items():
                found[reason] = found.get(reason, 0) + count
        return {**found, "empty key": self.state.dropped}


def observe(
    table: Table,
    inputs: Sequence[Input],
    spec: GroupSpec,
    engine: Engine,
    *,
    shards: int,
    memory: Memory,
    threads: int = 1,
    temporary: Path | None = None,
    on_progress: OnProgress = lambda _bytes, _rows: None,
) -> Observed:
    """The first pass over all files: what their columns hold; nothing is written.

    `table` is that of all inputs; `on_progress` is called with the bytes and the rows that were read. Raises the errors
    of `seqtool.grouping.group.group_table`, the first in the order of the files.
    """
    roles = spec.roles(table)
    check_missing_words(table, roles, spec)
    job = Job(
        tuple(TaskInput.of(item, here=engine.here) for item in inputs),
        spec.text,
        EncoderPlan.of(table, roles, spec),
        tuple(table.of_files.values()),
        dict(table.list_sizes),
        shards,
        memory,
        threads,
        temporary,
    )
    files: list[FileFacts] = []
    read = rows = 0
    for item, result in zip(inputs, engine.each(Observe(job), len(inputs)), strict=True):
        files += unpacked([result])
        read, rows = read + item.size, rows + files[-1].rows
        on_progress(read, rows)
    return judged(job, table, spec, files, _Places(job))


def judged(
    job: Job, table: Table, spec: GroupSpec, files: Sequence[FileFacts], place: Callable[[Any], str]
) -> Observed:
    """What the facts of all files say together; raises the first error among them, and what only all rows show.

    `place` says where the row (file, row) stands.
    """
    state = merge_all(facts.state.in_file(file) for file, facts in enumerate(files))
    _raise_first(job.plan, state, files)
    check(job.plan, state, name=table.name, place=place, read=sum(facts.rows for facts in files))
    plan = job.plan.settled(state)
    labels = [plan.label(column) for column in plan.features]
    features = labels if plan.roles.item is None else Pivot(plan, state).features
    arguments = dict(spec.resolved(table, plan.roles, features))
    notes = [*cautions(plan, state, place), *_suspicions(files, state)]
    return Observed(job, state, files, arguments, notes)


@dataclass(frozen=True)
class ShardedGrouping:
    """The sequences of a data set that was written, and the result of grouping."""

    data: Ragged
    result: GroupResult
    manifest: Manifest


def write(
    observed: Observed,
    engine: Engine,
    target: OutputFolder,
    *,
    inputs: Sequence[str],
    compress: Compress | None = None,
    on_rows: OnRows = lambda _rows: None,
) -> ShardedGrouping:
    """Encode and write what was observed of files: a file for each shard, then the manifest; errors as in `fill`.

    `on_rows` is called with the rows that are encoded, if that is done here, or else written.
    """
    job = observed.job
    begins = tuple(accumulate((facts.rows for facts in observed.files[:-1]), initial=0))
    encode = EncodeTask(job, observed.state, begins, tuple(facts.stamp for facts in observed.files))

    def shuffle(task: WriteShards) -> list[bytes]:
        if engine.here:
            return engine.shuffle(counting(encode, on_rows), len(job.sources), task, job.shards)
        with following(target.store, observed.of_shards, on_rows):
            return engine.shuffle(encode, len(job.sources), task, job.shards)

    ties: Ties = "as they arrive" if engine.here else "by number"
    return fill(observed, target, shuffle, inputs=inputs, compress=compress, ties=ties)


def fill(
    observed: Observed,
    target: OutputFolder,
    shuffle: Callable[[WriteShards], list[bytes]],
    *,
    inputs: Sequence[str] = (),
    compress: Compress | None = None,
    ties: Ties = "by number",
) -> ShardedGrouping:
    """Fill a folder with a data set; `shuffle` brings the rows of each shard to the task that writes it.

    Raises DataError for a label that changes within a key, a file that has changed since, and a full disk; then the
    folder is left as it was.
    """
    job, run = observed.job, uuid4().hex[:12]
    store = target.store
    with target.filled():
        task = WriteShards(
            job,
            observed.state,
            store.full_address,
            run,
            observed.arguments,
            tuple(inputs),
            compress,
            ties,
        )
        found = unpacked(shuffle(task))
        shards = _each_once(found)
        result = _result(observed, shards)
        manifest = _manifest(observed, shards, result, store, inputs)
        target.finish(manifest)
    data = npz.read(open_shards(store, store.address))
    assert isinstance(data, Ragged)
    options = job.plan.options
    single = of_steps([*map(job.plan.label, job.plan.roles.key)], data, options.gap)
    whole = replace(result, ragged=data, warnings=[*result.warnings, *single])
    return ShardedGrouping(data, whole, manifest)


def _each_once(found: list[Any]) -> list[ShardFacts]:
    """The facts of all shards, in order; raises the error of the first shard that has one."""
    errors = [one for one in found if isinstance(one, SeqtoolError)]
    if errors:
        raise min(errors, key=str)
    shards = sorted((facts for one in found for facts in one), key=lambda facts: facts.shard)
    numbers = [facts.shard for facts in shards]
    if len({*numbers}) < len(numbers):
        raise AssertionError("a shard was written twice: the engine moved its rows to two tasks")
    return shards


def _result(observed: Observed, shards: Sequence[ShardFacts]) -> GroupResult:
    """The result of all shards; raises AssertionError unless all rows arrived, DataError where no sequence is left."""
    arrived = np.zeros(observed.job.shards, np.int64)
    for facts in shards:
        arrived[facts.shard] = facts.rows
    if (arrived != observed.of_shards).any():
        wrong = int(np.flatnonzero(arrived != observed.of_shards)[0])
        raise AssertionError(
            f"{observed.of_shards[wrong]:,} rows go to shard {wrong}, but {arrived[wrong]:,} arrived there"
        )
    result = merged([facts.result for facts in shards], observed.job.plan.options)
    left_out, plan = observed.left_out, observed.job.plan
    folded = {UNNAMED: observed.state.unnamed} if plan.roles.item is not None else {}
    rows = result.rows
    dropped = {**left_out, **{why: n for why, n in rows.dropped.items() if why != COMBINED}, **folded}
    dropped |= {COMBINED: rows.dropped[COMBINED]} if COMBINED in rows.dropped else {}
    counted = Rows(observed.rows, rows.kept, rows.cut, dropped, rows.added)
    counted.check()
    return replace(result, rows=counted, warnings=[*observed.warnings, *result.warnings])


def _manifest(
    observed: Observed, shards: Sequence[ShardFacts], result: GroupResult, store: Store, inputs: Sequence[str]
) -> Manifest:
    """What all shards hold together; raises DataError where no sequence is left."""
    files = tuple(facts.file for facts in shards if facts.file is not None)
    if not files:
        raise DataError("no sequence is left; no data set was written")
    with ZipReader(store.fetch(files[0].name), files[0].name) as archive:
        meta = npz.read_meta(archive)
        first = npz.read(archive)
    (entry,) = meta["receipt"]
    whole = Entry("group", [*inputs], entry["arguments"], result.rows)
    tables = {name: np.asarray(table).tolist() for name, table in first.names.items()}
    if first.features is not None:
        tables["features"] = [*first.features]
    hashed = len(observed.job.plan.roles.key)
    return Manifest(observed.job.shards, files, {**meta, "receipt": [whole.as_json()]}, hashed, tables)


def _suspicions(files: Sequence[FileFacts], state: EncoderState) -> Iterator[str]:
    """The cautions about columns that a network should not read."""
    found = [facts.suspects for facts in files if facts.suspects is not None]
    if found:
        whole = found[0]
        for suspects in found[1:]:
            whole = whole.merge(suspects)
        yield from whole.cautions(state.labels)


def _raise_first(plan: EncoderPlan, state: EncoderState, files: Sequence[FileFacts]) -> None:
    """Raise the error of the first file that could not be read, unless a bad cell stands in one before it."""
    failed = next((number for number, facts in enumerate(files) if facts.error is not None), None)
    if failed is None:
        return
    # Nothing may be known of the columns before the first file.
    bad = plan.first_bad_cell(state) if failed else None
    if bad is None or bad.bad.row[0] >= failed:
        error = files[failed].error
        assert error is not None
        raise error


class _Places:
    """Says in words where a row stands: the row of a file, which is opened again for it."""

    def __init__(self, job: Job) -> None:
        self._job = job

    def __call__(self, row: tuple[int, int]) -> str:
        with self._job.opened(row[0]) as table:
            return table.place(row[1])
