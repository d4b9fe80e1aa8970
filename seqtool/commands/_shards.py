"""`seqtool group` into many files: the options that ask for shards, and the end of such a call."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, cast, get_args

import typer

from seqtool.advice import Advice
from seqtool.commands._options import MemoryOptions, OutputOptions, PaddingOptions, choice
from seqtool.dataclass import dataclass
from seqtool.errors import UsageError, check_choice, refuse_without_subject
from seqtool.system import memory
from seqtool.words import count, human

if TYPE_CHECKING:
    from seqtool.files.inputs import Input
    from seqtool.grouping.elsewhere import Companion
    from seqtool.grouping.group import GroupResult
    from seqtool.grouping.spec import GroupSpec
    from seqtool.sharding.engine import Engine
    from seqtool.sharding.group import Observed, ShardedGrouping
    from seqtool.tables.table import Table
    from seqtool.terminal.report import Summary

ENGINES = ("local", "spark", "dask")
_SHARD = 256 << 20  # bytes of input that make a shard where the call does not say how many there are
_UNPACKED = 4  # times the bytes of compressed input
_TASK = "1G"  # of memory, which a task on a cluster may take where the call does not say


@dataclass(frozen=True)
class ShardOptions:
    """Whether sequences go to many files, and what does the work."""

    title = "Shards"
    shards: Annotated[
        int | None,
        typer.Option(
            "--shards",
            metavar="N",
            min=1,
            help="Write N ragged files, each sequence in one by the hash of its key, to the folder -o NAME/. "
            "[default with --engine: one for 256 MB of input]",
        ),
    ] = None
    engine: Annotated[
        str | None,
        choice("--engine", ENGINES, help="What does the work; the files are the same. [default: local]"),
    ] = None
    master: Annotated[
        str | None, typer.Option("--master", metavar="URL", help="Spark: its master. [default: local[*]]")
    ] = None
    remote: Annotated[
        str | None,
        typer.Option("--remote", metavar="URL", help="Spark Connect, or Sail: its server, sc://HOST:PORT."),
    ] = None
    conf: Annotated[
        list[str] | None,
        typer.Option("--conf", metavar="KEY=VALUE", help="Spark: a setting of the session. Repeatable."),
    ] = None
    scheduler: Annotated[
        str | None,
        typer.Option(
            "--scheduler", metavar="URL", help="Dask: its scheduler. [default: workers on this machine]"
        ),
    ] = None

    @property
    def asked(self) -> bool:
        """Whether the call asks for shards."""
        return self.shards is not None or self.engine is not None

    def check(self, to: OutputOptions, padding: PaddingOptions, sources: Sequence[str]) -> None:
        """Raise UsageError for options that do not go with shards, or with the engine, before any work."""
        if self.master is not None and self.remote is not None:
            raise UsageError(
                "--master and --remote both say where Spark is: ",
                Advice(without=["--master"]),
                ", or ",
                Advice(without=["--remote"]),
            )
        named = {"--master": self.master, "--remote": self.remote, "--conf": self.conf}
        for option, value in named.items():
            if value and self.engine != "spark":
                refuse_without_subject(option, "Spark", Advice("--engine", "spark"))
        if self.scheduler is not None and self.engine != "dask":
            refuse_without_subject("--scheduler", "Dask", Advice("--engine", "dask"))
        if not self.asked:
            return
        for setting in self.conf or ():
            if not setting.partition("=")[1]:
                raise UsageError(f"--conf is {setting!r}; KEY=VALUE was expected")
        self._check_output(to, padding)
        if self.engine not in (None, "local") and (not sources or "-" in sources):
            raise UsageError(
                f"--engine {self.engine} reads files, and standard input is none: name files, or do without: ",
                Advice(without=["--engine"]),
            )

    def _check_output(self, to: OutputOptions, padding: PaddingOptions) -> None:
        option = "--engine" if self.shards is None else "--shards"
        if to.output is None or not to.output.endswith("/") or not Path(to.output).name:
            raise UsageError(f"{option} writes a folder of files; name it: ", Advice("-o", "NAME/"))
        if padding.named:
            raise UsageError(
                f"{option} writes sequences without padding, which loaders and seqtool pad add: ",
                Advice(without=padding.named),
            )

    def refuse_other_tables(self, others: Sequence[Companion]) -> None:
        """Raise UsageError for labels and static numbers of other tables, which are not sent to tasks."""
        if others:
            raise UsageError(
                "shards take labels and static columns from the table itself: join the other table first, or: ",
                Advice(without=["--shards", "--engine"]),
            )

    def refuse_counted_keys(self, table: Table) -> None:
        """Raise UsageError for several files whose sequences are counted at blank lines, and have no other key."""
        if table.counter is not None and table.part("key") is None:
            raise UsageError(
                "--key-blank-lines counts sequences from file to file, which shards do not: group one file, or: ",
                Advice(without=["--shards", "--engine"]),
            )

    def number(self, inputs: Sequence[Input]) -> int:
        """How many shards there are to be."""
        if self.shards is not None:
            return self.shards
        sizes = (item.size * (_UNPACKED if item.packing else 1) for item in inputs)
        return max(1, -(-sum(sizes) // _SHARD))

    @contextmanager
    def opened(self) -> Iterator[Engine]:
        """The engine, whose session ends with the block; raises UsageError for what is not installed."""
        if self.engine == "spark":
            from seqtool.sharding.spark_session import session

            settings = dict(setting.split("=", 1) for setting in self.conf or ())
            with session(master=self.master, remote=self.remote, conf=settings) as found:
                from seqtool.sharding.spark import Spark

                yield Spark(found)
        elif self.engine == "dask":
            from seqtool.sharding import dask

            with dask.client(self.scheduler) as client:
                yield dask.Dask(client)
        else:
            from seqtool.sharding.local import Local

            yield Local()


def group_into_shards(
    table: Table,
    found: Sequence[Input],
    spec: GroupSpec,
    *,
    shards: ShardOptions,
    to: OutputOptions,
    limits: MemoryOptions,
    summary: Summary,
    describe: Callable[[GroupResult], None],
) -> None:
    """Group a table into shards, and show the summary; `describe` adds what became of the rows."""
    from seqtool.files.deflate import Compress
    from seqtool.files.stores import store_at
    from seqtool.files.temporary import temporary_folder
    from seqtool.sharding import group
    from seqtool.sharding.target import OutputFolder
    from seqtool.terminal.progress import watch

    compress = check_choice("--compress", to.compress, get_args(Compress))
    assert to.output is not None
    if len(found) > 1:
        shards.refuse_counted_keys(table)
    target = OutputFolder(store_at(to.output.rstrip("/")), force=to.force or to.dry_run)
    with shards.opened() as engine:
        allowed = memory.allowed(limits.max_memory if engine.here or limits.max_memory else _TASK)
        watched = watch(summary, quiet=to.quiet or to.as_json)
        with watched("reading", table.size) as on_progress:
            observed = group.observe(
                table,
                found,
                replace(spec, ragged=True),
                engine,
                shards=shards.number(found),
                memory=allowed,
                threads=allowed.threads() if engine.here else 1,
                temporary=temporary_folder(limits.temp_dir),
                on_progress=on_progress,
            )
        # In this process all shards are sorted together, and a large one is no burden.
        if observed.caution is not None and (to.dry_run or not engine.here):
            summary.warn_now(observed.caution, shown=not (to.quiet or to.as_json or to.dry_run))
        if to.dry_run:
            _describe_plan(observed, target.store.address, summary)
        else:
            row_bytes = (table.size or 0) / max(1, observed.rows)
            with watched("writing", table.size) as on_progress:
                written = group.write(
                    observed,
                    engine,
                    target,
                    inputs=[item.base_name for item in found],
                    compress=cast(Any, compress),
                    on_rows=lambda rows: on_progress(int(rows * row_bytes), rows),
                )
            describe(written.result)
            _describe(written, target.store.address, summary)
    summary.show(quiet=to.quiet and not to.dry_run, verbose=to.verbose, as_json=to.as_json)


def _describe(written: ShardedGrouping, name: str, summary: Summary) -> None:
    """Say what the shards hold."""
    from seqtool.commands._described import describe

    describe(written.data, summary)
    files = written.manifest.files
    size, largest = sum(file.size for file in files), max(file.size for file in files)
    summary.say(
        "wrote", f"{name}/, {count(len(files), 'file')}, {human(size)}; the largest has {human(largest)}"
    )
    summary.facts |= {
        "rows": written.result.rows.as_json(),
        "output": f"{name}/",
        "shards": written.manifest.count,
        "files": len(files),
        "bytes": size,
        "largest": largest,
        "dry_run": False,
    }


def _describe_plan(observed: Observed, name: str, summary: Summary) -> None:
    """Say what would be written, as far as the first pass tells."""
    of_shards = observed.of_shards
    rows, largest = int(of_shards.sum()), int(of_shards.argmax())
    size = rows * observed.row_bytes
    summary.say("read", f"{count(observed.rows, 'row')} from {count(len(observed.files), 'file')}")
    summary.say("features", f"{len(observed.features)}, {observed.dtype}")
    summary.say(
        "largest",
        f"shard {largest}: {count(int(of_shards[largest]), 'row')}, {of_shards[largest] / max(1, rows):.1%} of all",
    )
    summary.say("would write", f"{name}/, {count(observed.job.shards, 'shard')}, about {human(size)}")
    summary.warnings += observed.warnings
    summary.facts |= {
        "rows": {"in": observed.rows, "kept": rows},
        "output": None,
        "shards": observed.job.shards,
        "of_shards": of_shards.tolist(),
        "bytes": size,
        "dtype": str(observed.dtype),
        "dry_run": True,
    }
