"""The lengths of the sequences of a source, and the type of x, measured without building any array."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from seqtool.advice import Advice, Message
from seqtool.arrays.lazy import AnyArray
from seqtool.dataclass import dataclass
from seqtool.errors import DataError, NotSequencesError, UsageError
from seqtool.files.inputs import Input
from seqtool.sequences.padding_values import Side
from seqtool.sources.options import SourceOptions
from seqtool.words import count, listed

if TYPE_CHECKING:
    from seqtool.grouping.elsewhere import Companion
    from seqtool.grouping.options import GroupOptions
    from seqtool.grouping.workspace import Workspace
    from seqtool.tables.roles import Roles
    from seqtool.tables.table import Table


@dataclass(frozen=True)
class Measured:
    """The lengths of the sequences, (N,), the shape of a step, () for a single number, and the dtype of x.

    `padding` is the side of a padded file of ours; `notes` and `warnings` are those of reading. `left_out` are the
    columns of a table that cannot be features, None where `group` would refuse the table even without them.
    """

    lengths: AnyArray
    step: tuple[int, ...]
    dtype: Any
    padding: Side | None
    notes: list[str]
    warnings: list[str]
    left_out: Sequence[str] | None = ()


def of_tables(
    table: Table,
    columns: Roles,
    options: GroupOptions,
    workspace: Workspace,
    others: Sequence[Companion] = (),
) -> Measured:
    """Measure the sequences that `group` would build from a table without the columns that cannot be features.

    Raises what `group` raises for the columns and the key.
    """
    import numpy as np

    from seqtool.grouping.counting import count_table
    from seqtool.grouping.encoder_plan import EncoderPlan

    counted = count_table(table, columns, options, workspace, others)
    notes, warnings = [*table.notes], [*counted.warnings]
    for reason, rows in counted.rows.dropped.items():
        if rows:
            notes.append(f"{count(rows, 'row')} dropped: {reason}")
    if counted.rows.kept == len(counted.lengths) > 1:
        warnings.append(
            Message(
                "every key has one row; if a list column holds the steps, name it: ",
                Advice("--array", "NAME"),
            )
        )
    if counted.texts:
        notes.append(f"not used as features: {listed(counted.texts)} (not numeric)")
    dtype = counted.dtype
    if dtype is None:
        dtype = EncoderPlan.of(table, columns, options).asked_dtype or np.dtype(np.float32)
        notes.append(f"x is taken to be {dtype}")
    if counted.refused is not None:
        warnings.append(Message("group would refuse this table: ", counted.refused))
    left_out = None if counted.refused or not counted.features else counted.texts
    return Measured(counted.lengths, (len(counted.features),), dtype, None, notes, warnings, left_out)


def of_sequences(found: Sequence[Input], options: SourceOptions) -> Measured:
    """Measure the sequences of one source, or of several files that `--key-from` joins.

    Raises UsageError for other sets of files, and what `seqtool.sources.read.read_sequences` raises.
    """
    from seqtool.operations.strip import hidden_padding
    from seqtool.sources.read import read_files

    if len(found) > 1 and options.foreign.key_from is None:
        raise UsageError(
            f"{len(found)} files of sequences; plan takes one at a time; of tables, whose rows a column groups, "
            "several: ",
            Advice("--key", "COLUMN"),
        )
    try:
        result = read_files(found, options)
    except NotSequencesError as error:
        from seqtool.tables.candidates import key_advice, steps_advice

        hint, advice = key_advice(found)
        question = f"; if it is a table, name the column that identifies sequences; {hint}such as "
        wide = steps_advice(found[0]) if len(found) == 1 else None
        one_a_row = [] if wide is None else ["; or if each row is a sequence: ", wide]
        raise DataError(error, question, advice, *one_a_row) from None
    warnings, values = [*result.warnings], result.ragged.values
    hidden = hidden_padding(result.ragged) if result.dense else None
    if hidden:
        warnings.append(
            Message(
                f"{hidden.seen}; if that is leftover padding, drop it and plan what this writes: ",
                Advice("seqtool", "pad", "FILE", *hidden.options),
            )
        )
    step = values.shape[1:]
    return Measured(result.ragged.lengths, step, values.dtype, result.padding, result.notes, warnings)
