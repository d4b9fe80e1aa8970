"""Where sequences come from: each kind of input has its reader."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Literal

from seqtool.advice import Advice, Message
from seqtool.errors import DataError, UsageError, refuse_without_subject
from seqtool.files.inputs import Input
from seqtool.files.path_parts import PathPattern
from seqtool.sources.options import ForeignSpec, Sequences, SourceOptions
from seqtool.words import join_names

if TYPE_CHECKING:
    from seqtool.tables.table import Table


def read_sequences(source: Input, options: SourceOptions) -> Sequences:
    """Read one source, with the labels and static numbers in files beside it.

    Raises DataError for a source that holds no sequences, or not those that were named, and for a key that is there
    twice; UsageError for options that do not go with the source.
    """
    from seqtool.sources.beside import with_beside, without_beside

    spec = without_beside(options.foreign)
    sequences = _checked(_read(source, replace(options, foreign=spec)), source.name, options)
    return sequences if spec == options.foreign else with_beside(sequences, source.name, options)


def read_table(table: Table, options: SourceOptions) -> Sequences:
    """Read a table in which each row holds a sequence; raises DataError as `read_rows` does, and for duplicate keys."""
    from seqtool.sources.rows import read_rows

    return _checked(read_rows(table, options), table.name, options)


def read_files(inputs: Sequence[Input], options: SourceOptions) -> Sequences:
    """Read the files of a call: the only one or, with a pattern of paths, all of them, one sequence each.

    Raises the errors of `read_sequences`.
    """
    if options.foreign.key_from is None:
        return read_sequences(inputs[0], options)
    from seqtool.sources.array_files import read_array_files

    return _checked(read_array_files(inputs, options), inputs[0].source, options)


Form = Literal["arrays", "ts", "lines", "records", "rows"]


def _form_of(source: Input, spec: ForeignSpec) -> Form:
    """The form of the sequences: NumPy arrays, a `.ts` file, lines of numbers, JSON records, or rows of a table."""
    if source.kind in ("npy", "npz"):
        return "arrays"
    if source.kind == "ts":
        return "ts"
    if source.kind == "text" and not spec.rows.steps and spec.array is None:
        return "lines"
    return "records" if source.kind == "json" and not spec.rows.steps else "rows"


def _read(source: Input, options: SourceOptions) -> Sequences:
    """The sequences of a source, by its reader; raises UsageError for options that the reader has no use for."""
    spec, form = options.foreign, _form_of(source, options.foreign)
    _refuse_text_options(source, form, spec)
    if form != "arrays":
        spec.refuse_of_blocks(f"{source.name} holds none")
    return _READERS[form](source, options)


def _refuse_text_options(source: Input, form: Form, spec: ForeignSpec) -> None:
    """Raise UsageError for options of text tables where the source is none; lines of numbers take two of them."""
    if form == "rows" and source.kind in ("text", "json", "workbook") and (spec.rows.steps or spec.array):
        return
    allowed: tuple[str, ...] = _OF_NUMBERS if form == "lines" else ()
    if spec.rows.category and form in ("lines", "records"):
        allowed = ("--missing", *(["--delimiter"] if form == "lines" else []))
    wrong = [option for option in spec.rows.text_options if option not in allowed]
    if wrong:
        raise UsageError(
            f"{join_names(wrong)} tells how tables of text are read, and there is none: ",
            Advice(without=wrong),
        )


_OF_NUMBERS = ("--decimal", "--thousands")


# Each reader is loaded when it is needed: arrays do without pyarrow.


def _read_arrays(source: Input, options: SourceOptions) -> Sequences:
    from seqtool.sources.numpy_files import read_array

    wrong = [option for option in options.foreign.rows.options if option not in _OF_NAMED_ARRAYS]
    if wrong:
        raise UsageError(
            f"{join_names(wrong)} {'is' if len(wrong) == 1 else 'are'} for rows, and {source.name} holds arrays: ",
            options.foreign.without(*wrong),
        )
    return read_array(source, options)


_OF_NAMED_ARRAYS = ("--keys-from-names", "--label-value", "--category")


def _read_ts(source: Input, options: SourceOptions) -> Sequences:
    from seqtool.sources.ts_files import read_ts

    spec = options.foreign
    named = [option for option in spec.options if option != "--value"]
    if named:
        raise UsageError(f"{source.name} tells what it holds itself: ", spec.without(*named))
    return read_ts(source, options)


def _read_lines(source: Input, options: SourceOptions) -> Sequences:
    from seqtool.sources.text_lines import read_lines

    spec = options.foreign
    others = {*spec.rows.options} - {"--category"}
    if spec.labels or spec.key or spec.step_label or others:
        words = ("--label", "--key", "--step-label", *others)
        raise UsageError(
            "--label and --key name columns, which lines of numbers do not have: ", spec.without(*words)
        )
    text = spec.rows.text
    if spec.rows.category:
        from seqtool.sources.tokens import read_words

        return read_words(source, options)
    return read_lines(source, options.dtype, options.spool, *([] if text is None else [text.marks]))


def _read_records(source: Input, options: SourceOptions) -> Sequences:
    from seqtool.sources.records import read_json

    options.foreign.rows.check_trailing()
    return read_json(source, options)


def _read_rows(source: Input, options: SourceOptions) -> Sequences:
    from seqtool.sources.rows import read_rows
    from seqtool.tables.opening import open_tables

    rows = options.foreign.rows
    rows.check_trailing()
    if rows.keys_from_names:
        raise UsageError(
            f"--keys-from-names reads mappings of names to sequences; {source.name} is a table: ",
            Advice(without=["--keys-from-names"]),
        )
    return read_rows(open_tables([source], rows.text, list_cells=bool(rows.steps)), options)


_READERS: dict[Form, Callable[[Input, SourceOptions], Sequences]] = {
    "arrays": _read_arrays,
    "ts": _read_ts,
    "lines": _read_lines,
    "records": _read_records,
    "rows": _read_rows,
}


def _checked(found: Sequences, name: str, options: SourceOptions) -> Sequences:
    """What was read, if its keys are unique, and if there are labels of steps where their padding is named."""
    if "--label-value" in options.foreign.rows.options and "step_y" not in found.ragged.per_step:
        refuse_without_subject("--label-value", "labels of steps", Advice("--step-label", "NAME"))
    return _with_keys_once(found, name, options)


def _with_keys_once(found: Sequences, name: str, options: SourceOptions) -> Sequences:
    """The same sequences if their keys are unique; raises DataError for a duplicate.

    Where a call names the array of sequences but no key, duplicate keys are left out with a warning. A file of ours
    was checked when it was read.
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
