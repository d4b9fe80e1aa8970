"""The end of every command that makes sequences: check the size, write, say what was done."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Mapping, Sequence
from typing import Any, BinaryIO, cast

from seqtool.advice import Advice
from seqtool.arrays.spool import Spool
from seqtool.commands._described import describe
from seqtool.commands._destination import compression, may_replace
from seqtool.commands._options import OutputOptions
from seqtool.dataclass import dataclass
from seqtool.errors import DataError
from seqtool.files.atomic import is_special, naming
from seqtool.files.deflate import Compress
from seqtool.files.outputs import (
    Counted,
    Destination,
    open_all,
    paths_of,
    stdout_is_elsewhere,
)
from seqtool.files.writers import Contents, writer_of
from seqtool.operations.pad import check_blow_up
from seqtool.operations.parts import parts_of
from seqtool.sequences.ragged import Ragged
from seqtool.sequences.receipts import Rows
from seqtool.sequences.stream import PaddedStream
from seqtool.system.memory import Memory
from seqtool.terminal.progress import watch
from seqtool.terminal.report import Summary
from seqtool.words import human, listed


@dataclass(frozen=True, eq=False)
class Output:
    """What goes to one destination: sequences, whose receipt names this command already.

    A command that changes nothing has no entry there, and counts its `rows` itself.
    """

    data: PaddedStream | Ragged
    destination: Destination
    rows: Mapping[str, Any] | None = None


def deliver(
    data: PaddedStream | Ragged,
    destination: Destination,
    to: OutputOptions,
    summary: Summary,
    *,
    mask: bool = False,
    memory: Memory | None = None,
    spool: Spool | None = None,
    rows: Mapping[str, Any] | None = None,
) -> None:
    """Write `data` to `destination`, unless it is a dry run, with its receipt, and show the summary.

    A destination named '{split}.npz' or the like is a file for each split, as in `outputs_of`. `memory` is what writing
    may take, by default any. `rows` are what a command that has no entry in the receipt counted.
    Raises DataError when the output would be out of all proportion, or larger than the disk has room for;
    UsageError for a suffix that is no format, or a format that cannot hold the data.
    """
    outputs = outputs_of(data, destination, spool or Spool(), rows)
    deliver_all(outputs, to, summary, mask=mask, memory=memory)


def outputs_of(
    data: PaddedStream | Ragged,
    destination: Destination,
    spool: Spool,
    rows: Mapping[str, Any] | None = None,
) -> list[Output]:
    """The one output of data, or one for each split where the destination is named '{split}.npz' or the like.

    The places of the splits in the data go to `spool` where they are many.
    """
    if not destination.is_of_splits:
        return [Output(data, destination, rows)]
    parts = parts_of(data, spool)
    return [Output(part, destination.of_split(name)) for name, part in parts.items()]


def deliver_all(
    outputs: Sequence[Output],
    to: OutputOptions,
    summary: Summary,
    *,
    mask: bool = False,
    memory: Memory | None = None,
) -> None:
    """Write one output or several, which appear together or not at all, and show one summary of them.

    The facts of several stand in a list, `outputs`. Errors as in `deliver`; UsageError too for several of
    which one is no file.
    """
    if len(outputs) > 1:
        paths_of([output.destination for output in outputs])
    compress = compression(to)
    drafts = [_draft(output, mask=mask, compress=compress, summary=summary) for output in outputs]
    size = sum(draft.contents.nbytes for draft in drafts)
    if not to.dry_run:
        for draft in drafts:
            if memory is not None:
                _check_row(draft, memory)
        _check_room(drafts, compress)
        with watch(summary, quiet=to.quiet or to.as_json)("writing", size) as bar:
            _write(drafts, compress, bar.advance, None if memory is None else memory.threads())
    for draft in drafts:
        draft.describe(summary, alone=len(drafts) == 1)
    for draft in drafts:
        draft.describe_end(to, compress, summary)
    if len(drafts) > 1:
        facts = [draft.report.facts for draft in drafts]
        summary.facts |= {"outputs": facts, "bytes": size, "dry_run": to.dry_run}
    else:
        summary.facts |= drafts[0].report.facts
    summary.show(quiet=to.quiet and not to.dry_run, verbose=to.verbose, as_json=to.as_json)


@dataclass
class _Draft:
    """An output before it is written, and then: its contents, and its part of the summary."""

    destination: Destination
    contents: Contents
    report: Summary
    written: int | None = None

    def describe(self, summary: Summary, *, alone: bool) -> None:
        """Say what it holds; each line names the file, unless it is the only one."""
        for word, text in self.report.lines:
            summary.say(word, text if alone else f"{self.destination.name}: {text}")
        for text in self.report.warnings:
            summary.warnings.append(text if alone else f"{self.destination.name}: {text}")

    def describe_end(self, to: OutputOptions, compress: Compress | None, summary: Summary) -> None:
        """Say what was written, or in a dry run what would be."""
        name, size = self.destination.name, self.contents.nbytes
        self.report.facts |= {
            "output": None if self.written is None else str(self.destination.path or "-"),
            "bytes": size,
            "dry_run": self.written is None,
        }
        if self.written is None:
            packed = " before compression" if compress else "" if self.contents.sized else " of arrays"
            path = self.destination.path
            taken = to.output is None and path is not None and path.exists() and not may_replace(to, path)
            aside = f"; it exists, and only {Advice('--force')} replaces it" if taken else ""
            summary.say("would write", f"{name}, {human(size)}{packed}{aside}")
            return
        exact = self.contents.sized and not compress
        aside = f", {size / max(1, self.written):.1f} times smaller than its arrays" if compress else ""
        if to.output is None and self.destination.path is not None and stdout_is_elsewhere():
            aside += f"; {Advice('-o', '-')} sends the data to standard output"
        summary.say("wrote", f"{name}, {human(size if exact else self.written)}{aside}")
        if not exact:
            self.report.facts["compressed_bytes"] = self.written


def _draft(output: Output, *, mask: bool, compress: Compress | None, summary: Summary) -> _Draft:
    """List what an output will hold, and describe it."""
    data, destination = output.data, output.destination
    writer = writer_of(destination.suffix, destination.name)
    writer.check(destination.name, ragged=isinstance(data, Ragged), mask=mask, compress=bool(compress))
    if isinstance(data, PaddedStream):
        check_blow_up(data)
        summary.warnings += [text for text in data.warnings if text not in summary.warnings]
    whole = data.ragged if isinstance(data, PaddedStream) else data
    contents = writer.contents(data, mask)
    report = Summary(summary.command, facts={"rows": output.rows or _account(whole)})
    describe(data, report)
    names = ["lengths", *whole.per_step, *data.per_sequence, *(["keys"] if whole.keys is not None else [])]
    left = writer.left_out(names, contents)
    if left:
        report.say("left out", left)
    return _Draft(destination, contents, report)


def _write(
    drafts: Sequence[_Draft],
    compress: Compress | None,
    on_written: Callable[[int], None],
    threads: int | None,
) -> None:
    """Write all outputs, each behind the other; their names appear at the end."""
    with open_all([draft.destination for draft in drafts]) as files:
        for draft, (file, seekable) in zip(drafts, files, strict=True):
            counted = Counted(file)
            with naming(draft.destination.name):
                draft.contents.write(
                    cast(BinaryIO, counted),
                    seekable=seekable,
                    compress=compress,
                    on_written=on_written,
                    threads=threads,
                )
            draft.written = counted.end


def _account(whole: Ragged) -> dict[str, Any]:
    """What the receipt of sequences says of their rows; raises AssertionError if it counts other steps."""
    steps = len(whole.values)
    if (
        not whole.receipt or "rows" not in whole.receipt[-1]
    ):  # of a file that Python wrote, and nothing changed
        return Rows(steps, steps).as_json()
    rows: dict[str, Any] = whole.receipt[-1]["rows"]
    if rows["kept"] != steps:
        counted = f"{rows['kept']:,}: this is a bug in seqtool, and no output was written"
        raise AssertionError(f"{steps:,} steps are to be written, but the receipt counts {counted}")
    return rows


def _check_row(draft: _Draft, memory: Memory) -> None:
    """Raise DataError where the longest sequence is one row of a file, and takes more memory than is allowed."""
    memory.check_whole(
        f"{draft.destination.name}: the longest sequence",
        draft.contents.largest_row,
        "write .npz, which takes it in pieces",
        how="written",
    )


def _check_room(drafts: Sequence[_Draft], compress: Compress | None) -> None:
    """Raise DataError unless each disk has room for all outputs that go there; compressed, nobody knows."""
    disks: dict[int, list[_Draft]] = {}
    for draft in drafts:
        path = draft.destination.path
        if not compress and path is not None and not is_special(path) and path.parent.is_dir():
            disks.setdefault(path.parent.stat().st_dev, []).append(draft)
    for together in disks.values():
        paths = [draft.destination.path for draft in together if draft.destination.path is not None]
        size, free = sum(draft.contents.nbytes for draft in together), shutil.disk_usage(paths[0].parent).free
        if size > free:
            takes = "takes" if len(paths) == 1 else "together take"
            raise DataError(
                f"{listed([*map(str, paths)], paths=True)}: {takes} {human(size)}, but the disk has "
                f"{human(free)} left; see ",
                Advice("--dry-run"),
            )
