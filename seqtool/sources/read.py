"""Where sequences come from: each kind of input has its reader."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from seqtool.advice import Advice, Message
from seqtool.errors import DataError, UsageError
from seqtool.files.inputs import Input
from seqtool.files.path_parts import PathPattern
from seqtool.sources.options import Sequences, SourceOptions
from seqtool.tables.table import Table
from seqtool.words import join_names


def read_sequences(source: Input, options: SourceOptions) -> Sequences:
    """Read one source; raises DataError for what holds no sequences, or not those that were named, or a key twice."""
    from seqtool.sources.beside import with_beside, without_beside

    spec = without_beside(options.foreign)
    if spec == options.foreign:
        return _with_keys_once(_read(source, options), source.name, options)
    found = _with_keys_once(_read(source, replace(options, foreign=spec)), source.name, options)
    return with_beside(found, source.name, options)


def read_table(table: Table, options: SourceOptions) -> Sequences:
    """Read a table in which each row holds a sequence; raises DataError as `read_rows` does, and for a key twice."""
    from seqtool.sources.rows import read_rows

    return _with_keys_once(read_rows(table, options), table.name, options)


def read_files(inputs: Sequence[Input], options: SourceOptions) -> Sequences:
    """Read the files of a call: one, or where a pattern of paths is given, as many as there are, one sequence each.

    Raises DataError as `read_sequences` does.
    """
    if options.foreign.key_from is None:
        return read_sequences(inputs[0], options)
    from seqtool.sources.array_files import read_array_files

    return _with_keys_once(read_array_files(inputs, options), inputs[0].source, options)


def _read(source: Input, options: SourceOptions) -> Sequences:
    spec = options.foreign
    as_table = source.kind not in ("npy", "npz") and bool(
        spec.rows.steps or (spec.array and source.kind in ("text", "workbook"))
    )
    of_lines = source.kind == "text" and not as_table
    wrong = [option for option in spec.rows.text_options if not (of_lines and option in _OF_NUMBERS)]
    if wrong and not (as_table and source.kind in ("text", "json", "workbook")):
        raise UsageError(
            f"{join_names(wrong)} tells how tables of text are read, and there is none: ",
            Advice(without=wrong),
        )
    # Each reader is loaded when it is needed: arrays do without pyarrow.
    if source.kind in ("npy", "npz"):
        from seqtool.sources.numpy_files import read_array

        _refuse_of_rows(source, options)
        return read_array(source, options)
    spec.refuse_of_blocks(f"{source.name} holds none")
    if source.kind == "ts":
        from seqtool.sources.ts_files import read_ts

        named = [option for option in spec.options if option != "--value"]
        if named:
            raise UsageError(f"{source.name} tells what it holds itself: ", spec.without(*named))
        return read_ts(source, options)
    if source.kind == "text" and not spec.rows.steps and spec.array is None:
        from seqtool.sources.text_lines import read_lines

        if spec.labels or spec.key or spec.step_label or spec.rows.options:
            words = ("--label", "--key", "--step-label", *spec.rows.options)
            raise UsageError(
                "--label and --key name columns, which lines of numbers do not have: ", spec.without(*words)
            )
        text = spec.rows.text
        return read_lines(source, options.dtype, options.spool, *([] if text is None else [text.marks]))
    if spec.rows.keep_trailing and not spec.rows.steps:
        raise UsageError(
            "--trailing-missing is for the columns of a wide table: ",
            Advice(without=["--trailing-missing"]),
        )
    if source.kind == "json" and not spec.rows.steps:
        from seqtool.sources.records import read_json

        return read_json(source, options)
    if spec.rows.keys_from_names:
        raise UsageError(
            f"--keys-from-names reads mappings of names to sequences; {source.name} is a table: ",
            Advice(without=["--keys-from-names"]),
        )
    from seqtool.sources.rows import read_rows
    from seqtool.tables.opening import open_tables

    return read_rows(open_tables([source], spec.rows.text, list_cells=bool(spec.rows.steps)), options)


_OF_NUMBERS = ("--decimal", "--thousands")


def _refuse_of_rows(source: Input, options: SourceOptions) -> None:
    """Raise UsageError for options of rows and records, where there are arrays."""
    wrong = [option for option in options.foreign.rows.options if option != "--keys-from-names"]
    if wrong:
        raise UsageError(
            f"{join_names(wrong)} tell of rows; {source.name} holds arrays: ", options.foreign.without(*wrong)
        )


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
    if options.foreign.rows.keys_from_names:
        raise DataError(f"{name}: {duplicate}; each name is the key of one sequence")
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
