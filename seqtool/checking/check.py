"""`check`: the invariants of a file, what the network that reads it needs, and what it shares with another file."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import replace

from seqtool.advice import Advice, Message
from seqtool.arrays.spool import Spool
from seqtool.checking import contracts
from seqtool.checking.against import compared
from seqtool.checking.findings import Finding, Reader, Subject
from seqtool.checking.fitted import fitted_numbers
from seqtool.checking.ids import category_ids
from seqtool.checking.invariants import invariants, lengths
from seqtool.checking.layouts import check_arrays, check_meta
from seqtool.checking.packed import packed
from seqtool.checking.scan import scanned
from seqtool.dataclass import dataclass
from seqtool.errors import DataError, at
from seqtool.files import npz
from seqtool.files.archives import archive_of
from seqtool.files.inputs import Input
from seqtool.files.npy import open_npy
from seqtool.files.shards import ShardedArrays
from seqtool.files.stored import Archive
from seqtool.files.zip_reader import ZipReader
from seqtool.sequences.conversion import with_lengths_at_hand
from seqtool.sequences.padding_values import check_value
from seqtool.sequences.ragged import Padded, Ragged
from seqtool.sources.chosen_arrays import choose, lengths_file, refuse_names, refuse_options
from seqtool.sources.companions import NEVER_LOST
from seqtool.sources.foreign import dense, take
from seqtool.sources.masks import lengths_and_side, with_side
from seqtool.sources.options import ForeignSpec
from seqtool.system.memory import Memory, allowed
from seqtool.words import count


def check(
    source: Input,
    *,
    reader: Reader | None = None,
    against: Input | None = None,
    shared_keys: bool = False,
    foreign: ForeignSpec | None = None,
    spool: Spool,
    memory: Memory | None = None,
) -> list[Finding]:
    """Check an `.npz` or `.npy`: each finding says what was checked, and whether it holds.

    `reader` is the network that will read it. `against` is another file of the same features and classes, with
    which it should share no sequences and, unless `shared_keys`, no keys. `foreign` describes files that seqtool
    did not write; `memory` limits what sequences take that are stored in one array each. Where a file cannot be
    opened, or its lengths are wrong, that is the last finding.

    Raises UsageError for `foreign` on a file of ours, and DataError where `against` is not sound.
    """
    opening = _Opening(foreign or ForeignSpec(), memory or allowed(None), spool)
    with ExitStack() as stack:
        findings, subject = _opened(source, opening, stack)
        if subject is None:
            return findings
        subject = replace(subject, reader=reader)
        judged = subject.without_hidden(spool)
        findings += invariants(subject, judged, spool)
        if findings[-1].name == "lengths" and findings[-1].verdict == "fails":
            return subject.cured(findings)
        if subject.ours:
            findings += [*category_ids(subject), *fitted_numbers(subject, spool)]
        if reader is not None:
            findings += contracts.judge(subject, judged, reader)
        findings = subject.cured(findings)
        if against is not None:
            other = _opened_soundly(against, opening, stack)
            names = source.name, against.name
            findings += compared(subject, other, names, spool, shared_keys=shared_keys)
        return findings


@dataclass(frozen=True)
class _Opening:
    """How files are opened: the description of external ones, the memory they may take, and the spool for the rest."""

    foreign: ForeignSpec
    memory: Memory
    spool: Spool


def _opened_soundly(source: Input, opening: _Opening, stack: ExitStack) -> Subject:
    """The file to compare with; raises DataError for one that cannot be opened, or whose lengths are wrong."""
    findings, subject = _opened(source, opening, stack)
    if subject is not None:
        findings.append(lengths(subject))
    if findings[-1].verdict == "fails" or subject is None:
        raise DataError(
            f"{source.name}: {findings[-1].message}; see ", Advice("seqtool", "check", source.name)
        )
    return subject


# Opening a file


class _Broken(Exception):  # noqa: N818 - never leaves this module
    """Why a file cannot be opened, and the name of the check that found it."""

    def __init__(self, check_name: str, message: str) -> None:
        super().__init__(message)
        self.check_name = check_name


@contextmanager
def _checking(check_name: str, source: Input) -> Iterator[None]:
    """Turn a DataError of the block into a `_Broken` of this check, without the name of the file in front."""
    try:
        yield
    except DataError as error:
        message = str(error).removeprefix(source.name)
        raise _Broken(check_name, re.sub(r"^\[(.*?)\]|^: |^/", r"\1", message)) from None


def _opened(source: Input, opening: _Opening, stack: ExitStack) -> tuple[list[Finding], Subject | None]:
    """Findings on the file as such, and its sequences; None where it is broken, as the last finding says."""
    findings: list[Finding] = []
    open_it = _npy if source.kind == "npy" else _npz
    try:
        subject = open_it(source, opening, findings, stack)
    except _Broken as broken:
        message = f"{broken}; remaining checks skipped"
        return [*findings, Finding(broken.check_name, "fails", message, 1)], None
    return findings, replace(subject, data=with_lengths_at_hand(subject.data, opening.spool))


def _npz(source: Input, opening: _Opening, findings: list[Finding], stack: ExitStack) -> Subject:
    with _checking("file", source):
        archive = stack.enter_context(archive_of(source))
        later = archive.largest  # whose checksum is compared while its cells are looked at
        archive.verify(but=later)
    found = list[Finding]()
    try:
        subject = _of_archive(source, archive, opening, found)
        subject = replace(subject, data=with_lengths_at_hand(subject.data, opening.spool))
    except Exception:
        with _checking("file", source):  # whatever else is wrong, damage comes first
            archive.verify(only=later)
        findings += [_sound(archive), *found]
        raise
    with _checking("file", source):
        if [subject.block] == later:
            subject = replace(subject, scan=scanned(archive.proving(later[0]), subject.data))
        else:
            archive.verify(only=later)
    findings += [_sound(archive), *found]
    if isinstance(archive, ShardedArrays):
        from seqtool.checking.shards import shards

        findings.append(shards(archive, subject.data))
    return subject


def _sound(archive: Archive) -> Finding:
    return Finding("file", "ok", f"{count(len(archive.names), 'array')}, {archive.verified} are correct")


def _of_archive(source: Input, archive: Archive, opening: _Opening, findings: list[Finding]) -> Subject:
    """The sequences of an archive whose arrays are whole, but for those that are looked at later."""
    with _checking("arrays", source):
        ours = npz.is_ours(archive)
        kind = check_arrays(archive) if ours else ""
    if not ours and isinstance(archive, ZipReader):
        return _foreign(source, archive, opening, findings)
    refuse_options(source.name, opening.foreign)
    findings.append(Finding("arrays", "ok", _shapes(archive, archive.names)))
    with _checking("meta", source):
        meta = check_meta(archive, kind)
    with _checking("arrays", source):
        data = npz.read(archive, check=False)
    with _checking("meta", source):
        _check_values(data)
    findings.append(Finding("meta", "ok", f"format version {meta['version']}, {kind}"))
    mask = archive.window("mask") if "mask" in archive.names else None
    block = "x" if isinstance(data, Padded) else "values"
    return Subject(source.name, data, ours=True, lengths=archive.window("lengths"), mask=mask, block=block)


def _check_values(data: Ragged | Padded) -> None:
    for array in data.per_step.values():
        check_value(array.value, (), array.data.dtype)
    if isinstance(data, Padded):
        check_value(data.value, data.x.shape[2:], data.x.dtype)


def _shapes(archive: Archive, names: Sequence[str]) -> str:
    """Some arrays, each with its shape."""
    return ", ".join(f"{name} {archive.header(name)[0]}" for name in names if name != "meta")


# External files, as `seqtool pad` takes them


def _npy(source: Input, opening: _Opening, findings: list[Finding], _: ExitStack) -> Subject:
    foreign = opening.foreign
    refuse_names(foreign)
    with _checking("file", source):
        x = open_npy(source.path, source.name, time_major=foreign.time_major, temporary=source.temporary)
    findings.append(Finding("file", "ok", "size matches its header"))
    lengths = None if foreign.lengths is None else lengths_file(foreign.lengths, x.shape, foreign)
    with _checking("arrays", source):
        lengths, side = lengths_and_side(lengths, f"--lengths {foreign.lengths}", x.shape)
        foreign = with_side(foreign, side)
        block = dense(x, lengths, foreign)
    findings.append(Finding("arrays", "ok", f"x {x.shape} {x.dtype}"))
    return Subject(source.name, block, ours=False, options=foreign.options, lengths=lengths)


def _foreign(source: Input, archive: ZipReader, opening: _Opening, findings: list[Finding]) -> Subject:
    foreign = opening.foreign
    with at(source.name):
        chosen = choose(archive, foreign)
    with _checking("arrays", source):
        taken = take(archive, chosen, foreign, opening.memory, opening.spool, strict=False)
    others = [name for name in taken.others if name != "meta"]
    unread = [f"not checked: {', '.join(others)}"] if others else []
    message = "; ".join([_shapes(archive, taken.used), *taken.notes, *unread])
    findings.append(Finding("arrays", "ok", message))
    if "meta" in taken.others:
        message = "no seqtool metadata; treated as external; if seqtool wrote this file, it is damaged"
        findings.append(Finding("meta", "warning", message))
    if isinstance(taken.data, Padded):
        several = packed(archive, others, taken.data.x.shape)
        findings += [several] if several else []
    lost = [name for name in taken.misfits if name in NEVER_LOST and foreign.array is None]
    for name, why in taken.misfits.items():
        findings.append(
            Finding(name, "fails" if name in lost else "warning", Message(why, "; not checked"), 1)
        )
    findings += [Finding("labels", "warning", doubt) for doubt in taken.warnings]
    return Subject(
        source.name,
        taken.data,
        ours=False,
        options=taken.spec.options,
        lengths=taken.lengths,
        curable=not lost,
        block=taken.used[0] if chosen.form in ("block", "ragged") else None,
    )
