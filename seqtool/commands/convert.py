"""`seqtool convert`: the same sequences in another format."""

from __future__ import annotations

from typing import TYPE_CHECKING

from seqtool.commands._arrays import SequenceOptions
from seqtool.commands._options import MemoryOptions, OutputOptions
from seqtool.commands._rows import SequenceRowOptions
from seqtool.commands._table_options import TableOptions
from seqtool.commands._transform import SourceName

if TYPE_CHECKING:
    from seqtool.sequences.padding_values import Side
    from seqtool.sequences.ragged import Ragged
    from seqtool.sequences.stream import PaddedStream
    from seqtool.sources.options import Sequences


def convert(
    *,
    source: SourceName = None,
    foreign: SequenceOptions,
    rows: SequenceRowOptions,
    text: TableOptions,
    limits: MemoryOptions,
    to: OutputOptions,
) -> None:
    """Write the same sequences in another format.

    The suffix of -o chooses it. Nothing is changed: ragged sequences stay ragged, padded ones padded, and converted
    back the file is the same to the last byte. .parquet, .arrow and .jsonl hold a sequence in each row, a column of
    lists for each feature; .safetensors and a folder (-o NAME/) the arrays of an .npz. Every command reads and writes
    all of them.

    Example: seqtool convert train.npz -o train.parquet
    """
    from seqtool import errors
    from seqtool.commands._deliver import deliver
    from seqtool.commands._destination import check_output, destination_of
    from seqtool.commands._source import one_source, read
    from seqtool.files.inputs import folder_of
    from seqtool.files.writers import writer_of
    from seqtool.operations.pad import with_receipt
    from seqtool.sequences.receipts import Entry, Rows
    from seqtool.terminal.report import Summary

    check_output(to, sources=[source])
    summary = Summary("convert")
    with one_source(source, "convert", limits, several=foreign.pattern is not None) as opened:
        inputs = [opened.file.named_path, *foreign.files, *rows.files]
        folder = folder_of(opened.files, foreign.pattern)
        destination = destination_of(to, command="convert", inputs=inputs, folder=folder)
        with summary.stage("reading"):
            found = read(opened, rows.spec(foreign.spec(), text), summary)
        data, counts = _in_its_form(found, foreign.side), Rows(found.steps, found.steps)
        if not found.ours:  # its receipt begins here; that of a file of ours stays as it is
            described = {**foreign.resolved, **rows.resolved, **text.resolved}
            with errors.at(opened.name):
                data = with_receipt(data, Entry("convert", opened.base_names, described, counts))
        mask = found.mask and writer_of(destination.suffix, destination.name).mask
        deliver(
            data,
            destination,
            to,
            summary,
            mask=mask,
            memory=opened.memory,
            spool=opened.spool,
            rows=counts.as_json(),
        )


def _in_its_form(found: Sequences, side: Side | None) -> PaddedStream | Ragged:
    """Ragged sequences as they are, those of a padded block in the slots that they had."""
    from seqtool.sequences.stream import PaddedStream

    if found.maxlen is None:
        return found.ragged
    return PaddedStream(
        found.ragged,
        found.maxlen,
        found.padding or side or "post",
        0 if found.value is None else found.value,
        found.ragged.values.dtype,
    )
