"""Where sequences come from: each kind of input has its reader."""

from __future__ import annotations

from seqtool.errors import UsageError
from seqtool.inputs import Input
from seqtool.sequences import Sequences, SourceOptions


def read_sequences(source: Input, options: SourceOptions) -> Sequences:
    """Read one source; raises DataError for what holds no sequences, or not those that were named."""
    # Each reader is loaded when it is needed: arrays do without pyarrow.
    if source.kind in ("npy", "npz"):
        from seqtool.arrays import read_array

        return read_array(source, options)
    if options.lengths or options.input_padding:
        raise UsageError(f"--lengths and --input-padding describe padded arrays; {source.name} holds none")
    if source.kind == "text":
        from seqtool.textlines import read_lines

        if options.array or options.label or options.key:
            raise UsageError(
                "--array, --label and --key name fields or columns, which lines of numbers do not have"
            )
        return read_lines(source, options.dtype, options.spool)
    from seqtool.records import read_json, read_list_column

    return (read_json if source.kind == "json" else read_list_column)(source, options)
