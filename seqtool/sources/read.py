"""Where sequences come from: each kind of input has its reader."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from seqtool.advice import Advice, Message
from seqtool.errors import DataError, UsageError
from seqtool.files.inputs import Input
from seqtool.files.path_parts import PathPattern
from seqtool.sources.options import Sequences, SourceOptions


def read_sequences(source: Input, options: SourceOptions) -> Sequences:
    """Read one source; raises DataError for what holds no sequences, or not those that were named, or a key twice."""
    return _with_keys_once(_read(source, options), source.name, options)


def read_files(inputs: Sequence[Input], options: SourceOptions) -> Sequences:
    """Read the files of a call: one, or where a pattern of paths is given, as many as there are, one sequence each.

    Raises DataError as `read_sequences` does.
    """
    if options.foreign.key_from is None:
        return read_sequences(inputs[0], options)
    from seqtool.sources.array_files import read_array_files

    return _with_keys_once(read_array_files(inputs, options), inputs[0].source, options)


def _read(source: Input, options: SourceOptions) -> Sequences:
    if options.foreign.step_label and source.kind != "npz":
        raise UsageError(f"--step-label names an array of an .npz; {source.name} holds none")
    # Each reader is loaded when it is needed: arrays do without pyarrow.
    if source.kind in ("npy", "npz"):
        from seqtool.sources.numpy_files import read_array

        return read_array(source, options)
    options.foreign.refuse_of_blocks(f"{source.name} holds none")
    if source.kind == "text":
        from seqtool.sources.text_lines import read_lines

        if options.foreign.array or options.foreign.labels or options.foreign.key:
            raise UsageError(
                "--array, --label and --key name fields or columns, which lines of numbers do not have: ",
                options.foreign.without("--array", "--label", "--key"),
            )
        return read_lines(source, options.dtype, options.spool)
    from seqtool.sources.records import read_json, read_list_column

    return (read_json if source.kind == "json" else read_list_column)(source, options)


def _with_keys_once(found: Sequences, name: str, options: SourceOptions) -> Sequences:
    """The same, whose keys are unique; those of a file of ours do already.

    Keys that nobody asked for are left out where a person names the array of sequences alone.
    """
    keys, part = found.ragged.keys, found.ragged.per_sequence.get("part")
    if keys is None or found.ours:
        return found
    from seqtool.operations.duplicates import key_cells, repeated
    from seqtool.sequences.keys import shown_key

    twice = repeated(key_cells(keys, options.spool, part=part), options.spool)
    if twice is None:
        return found
    first, again = twice.first
    duplicate = f"duplicate key {shown_key(keys, again, part=part)}: sequences {first} and {again}"
    pattern = options.foreign.key_from
    if pattern is not None:
        without = Advice("--key-from", PathPattern(pattern).without("key"))
        raise DataError(f"{name}: {duplicate}; keys must be unique; to do without: ", without)
    if options.foreign.key is not None or options.foreign.array is None:
        way_out = (
            Advice(without=["--key"])
            if options.foreign.key is not None
            else Message("name the array of sequences, which leaves keys out: ", Advice("--array", "NAME"))
        )
        raise DataError(f"{name}: {duplicate}; keys must be unique: ", way_out)
    return replace(
        found,
        ragged=found.ragged.replace(keys=None),
        warnings=[*found.warnings, f"{duplicate}; keys were left out"],
    )
