"""How long the sequences of a source are, and what they would be made of; nothing is made of them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from seqtool.advice import Advice, Message
from seqtool.arrays.lazy import AnyArray
from seqtool.arrays.spool import Spool
from seqtool.errors import DataError, NotSequencesError, UsageError
from seqtool.files.inputs import Input
from seqtool.sequences.padding_values import Side
from seqtool.sources.options import SourceOptions
from seqtool.system.memory import Memory
from seqtool.words import count

if TYPE_CHECKING:
    from seqtool.grouping.encoder import GroupOptions
    from seqtool.grouping.group import Watch
    from seqtool.tables.roles import Roles
    from seqtool.tables.table import Table


@dataclass(frozen=True)
class Measured:
    """The lengths of the sequences, (N,), their features, None where a step is a number, and the type of x.

    `padding` is the side of a padded file of ours; `notes` and `warnings` are those of reading.
    """

    lengths: AnyArray
    features: int | None
    dtype: Any
    padding: Side | None
    notes: list[str]
    warnings: list[str]


def of_tables(
    table: Table,
    columns: Roles,
    options: GroupOptions,
    *,
    spool: Spool,
    memory: Memory,
    watch: Watch,
) -> Measured:
    """Measure the sequences that grouping would make of a table; the key alone is read.

    Raises what grouping raises for the columns and the key.
    """
    from seqtool.grouping.group import count_table

    counted = count_table(table, columns, options, spool=spool, memory=memory, watch=watch)
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
    return Measured(counted.lengths, len(counted.features), table.dtype or "float32", None, notes, warnings)


def of_sequences(found: Sequence[Input], options: SourceOptions) -> Measured:
    """Measure the sequences of the one source that there is to be.

    Raises UsageError for several, and what `seqtool.sources.read.read_sequences` raises.
    """
    from seqtool.operations.strip import hidden_padding
    from seqtool.sources.read import read_sequences

    if len(found) > 1:
        raise UsageError(
            f"{len(found)} files of sequences; plan takes one at a time; of tables, whose rows a column groups, "
            "several: ",
            Advice("--key", "COLUMN"),
        )
    try:
        result = read_sequences(found[0], options)
    except NotSequencesError as error:
        from seqtool.tables.candidates import key_advice

        hint, advice = key_advice(found)
        question = f"; if it is a table, name the column that identifies sequences; {hint}such as "
        raise DataError(error, question, advice) from None
    warnings, values = [*result.warnings], result.ragged.values
    hidden = hidden_padding(result.ragged) if result.dense else None
    if hidden:
        warnings.append(
            Message(
                f"{hidden.seen}; if that is leftover padding, drop it and plan what this writes: ",
                Advice("seqtool", "pad", "FILE", *hidden.options),
            )
        )
    features = None if values.ndim == 1 else values.shape[1]
    return Measured(result.ragged.lengths, features, values.dtype, result.padding, result.notes, warnings)
