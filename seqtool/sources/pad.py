"""`pad` for Python: of sequences in any form, and of tables with a sequence in each row."""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from dataclasses import replace
from typing import Any, Literal, SupportsIndex

import numpy as np

from seqtool.advice import Advice
from seqtool.arrays.spool import Spool
from seqtool.errors import UsageError, check_choice, names_arguments, refuse_without_subject
from seqtool.operations.pad import padded
from seqtool.option_names import as_arguments, option_of
from seqtool.sequences.conversion import Converted, converted, sequences_first
from seqtool.sequences.padding_values import UNLABELLED, Side, Value
from seqtool.sequences.ragged import Padded
from seqtool.sources.options import ForeignSpec, RowSpec, SourceOptions
from seqtool.words import expanded, join_names

ColumnName = str | SupportsIndex


@names_arguments
def pad(
    sequences: Any,
    *,
    steps: ColumnName | Sequence[ColumnName] | None = None,
    trailing_missing: Literal["drop", "keep"] = "drop",
    array: ColumnName | Sequence[ColumnName] | None = None,
    label: ColumnName | Sequence[ColumnName] | None = None,
    step_label: ColumnName | None = None,
    label_value: float = UNLABELLED,
    key: ColumnName | None = None,
    static: ColumnName | Sequence[ColumnName] = (),
    category: ColumnName | Sequence[ColumnName] = (),
    missing: str | Sequence[str] = (),
    maxlen: int | None = None,
    padding: Side | None = None,
    truncating: Side = "pre",
    value: Value | Literal["auto"] | None = None,
    dtype: str | np.dtype[Any] | None = None,
    multiple_of: int = 1,
    time_major: bool = False,
) -> Padded:
    """Give every sequence the same number of steps T, as Keras `pad_sequences` does.

    `sequences` is a list of lists (numbers, or steps of F numbers), a dense array (N, T) or (N, T, F), a Ragged
    or Padded of ours, or what another library holds: a list column (pyarrow, polars, DuckDB), a Series of
    lists, a tensor, a list of series, data frames or tensors, of which only the cells count, or a dict of any of
    these by their keys. A step may have more dimensions, such as the frames of videos: a list of arrays (L, H, W, C),
    or one array (N, T, H, W, C). A `time_major` array is (T, N), (T, N, F) or (T, N, H, W, C).
    Of a table (a DataFrame, Arrow data, a 2-D array) each row may hold one: `steps` are the columns of the steps of one
    feature, in order, names or positions, of which "t{0..99}" stands for a hundred; empty cells at the end of a row are
    no steps, unless `trailing_missing` is "keep". `array` names columns of lists, or of text such as "[5, 6, 7]",
    several of which stand side by side as features. Then `label` (or several), `key` and `static` name columns of the
    same row, `step_label` one of lists with a label for each step, whose padding holds `label_value`. `category` names
    columns of a name per row, or of lists of names; of sequences that are lists of text it says what these are called.
    Names become ids (0 padding, 1 missing, 2 unknown, 3 + i the name `vocabulary_0[i]`), for an Embedding.
    T is `maxlen`, by default the longest, rounded up to `multiple_of`.
    `padding` says which side is filled (by default pre; a Padded keeps its own, and so does what `unpad` made
    of it), `truncating` which side loses steps where there are more than T, `value` what fills: a number (by
    default 0, or that of the Padded), a tuple of F numbers (of frames of C, one for each channel), or "auto" for
    one that no real step holds in all features, so that a mask by value skips padding alone. The result's `x` is
    (N, T), (N, T, F) or (N, T, H, W, C) of the input's dtype, unless `dtype` names another; `lengths` counts the
    real steps; `original_lengths` joins `per_sequence` when steps were cut.

    Raises UsageError for arguments out of range, and DataError for sequences that do not fit together, a
    value that the dtype cannot hold, or a cast that would lose more than the rounding of a fraction. Warns of
    missing values (None, null, NA, masked), which become NaN.

    >>> pad([[1], [2, 3], [4, 5, 6]]).x
    array([[0, 0, 1],
           [0, 2, 3],
           [4, 5, 6]])
    >>> pad({"u1": [1], "u2": [2, 3]}).keys
    array(['u1', 'u2'], dtype='<U2')
    >>> words = pad([["the", "cat"], ["the"]], category="word", padding="post")
    >>> words.x.tolist(), words.names["vocabulary_0"].tolist()
    ([[4, 3], [4, 0]], ['cat', 'the'])
    >>> pad(np.ones((1920, 45, 20)), maxlen=100, padding="post").x.shape
    (1920, 100, 20)
    >>> pad([np.ones((2, 8, 8, 3)), np.ones((5, 8, 8, 3))]).x.shape
    (2, 5, 8, 8, 3)
    >>> import pandas as pd
    >>> frame = pd.DataFrame({"id": ["a", "b"], "t0": [1, 4], "t1": [2, None]})
    >>> wide = pad(frame, steps="t{0..1}", key="id", padding="post")
    >>> wide.x.tolist(), wide.lengths.tolist(), wide.keys.tolist()
    ([[1.0, 2.0], [4.0, 0.0]], [2, 1], ['a', 'b'])
    """
    check_choice("trailing_missing", trailing_missing, ("drop", "keep"))
    described: dict[str, Any] = {"time_major": bool(time_major)}
    with Spool() as spool:
        if steps is None and array is None:
            named = _named(category)
            of_names = {} if named else {"missing": missing}
            _refuse_columns(label=label, step_label=step_label, key=key, static=static, **of_names)
            RowSpec(keep_trailing=trailing_missing == "keep").check_trailing()
            if label_value != UNLABELLED:
                refuse_without_subject("--label-value", "labels of steps")
            if named:
                described["category"] = named
                found = _names_in(sequences, named, missing, spool)
            else:
                found = converted(sequences_first(sequences) if time_major else sequences)
        else:
            spec = _spec(steps, array, label, step_label, key, static)
            replace(spec, time_major=bool(time_major)).refuse_of_blocks("a table holds none")
            rows = RowSpec(
                steps=spec.rows.steps,
                static=spec.rows.static,
                category=tuple(one for name in _named(category) for one in expanded(name)),
                keep_trailing=trailing_missing == "keep",
                label_value=label_value,
                missing=(missing,) if isinstance(missing, str) else tuple(missing),
            )
            rows.check_trailing()
            described |= {name[2:].replace("-", "_"): value for name, value in spec.options.items()}
            described |= {"category": _named(category)} if _named(category) else {}
            found = _from_table(sequences, replace(spec, rows=rows), dtype, spool)
        return padded(
            found,
            described,
            lambda text: warnings.warn(text, stacklevel=5),
            maxlen=maxlen,
            padding=padding,
            truncating=truncating,
            value=value,
            dtype=dtype,
            multiple_of=multiple_of,
        )


def _named(category: Any) -> list[str]:
    from seqtool.tables.named_columns import columns_named

    return [*map(str, columns_named(category))] if category != () else []


def _names_in(sequences: Any, category: list[str], missing: Any, spool: Spool) -> Converted:
    """Lists of names as ids, in memory."""
    from seqtool.sources.tokens import words_in

    words = (missing,) if isinstance(missing, str) else tuple(missing)
    spec = ForeignSpec(rows=RowSpec(category=tuple(category), missing=words))
    found = words_in(sequences, SourceOptions(foreign=spec, spool=spool))
    for text in found.warnings:
        warnings.warn(as_arguments(text), stacklevel=4)
    return Converted(found.ragged.in_memory())


def _refuse_columns(**columns: Any) -> None:
    """Raise UsageError for arguments that name columns, where there is no table."""
    wrong = [
        option_of(name)
        for name, value in columns.items()
        if not (value is None or (isinstance(value, tuple) and not value))
    ]
    if wrong:
        raise UsageError(
            f"{join_names(wrong)}: name the columns of steps, or of lists, of the table too; or ",
            Advice(without=wrong),
        )


def _spec(steps: Any, array: Any, label: Any, step_label: Any, key: Any, static: Any) -> ForeignSpec:
    """The columns that the arguments name."""
    from seqtool.tables.named_columns import column_named, columns_named, labels_named

    def texts(columns: Any) -> list[str]:
        return [*map(str, columns_named(columns))]

    of_steps = tuple(name for column in texts(steps) for name in expanded(column))
    of_key = column_named(key)
    of_steps_label = column_named(step_label)
    return ForeignSpec(
        array=join_names(texts(array)) or None,
        labels=tuple(map(str, labels_named(label))),
        key=None if of_key is None else str(of_key),
        step_label=None if of_steps_label is None else str(of_steps_label),
        rows=RowSpec(steps=of_steps, static=tuple(texts(static))),
    )


def _from_table(data: Any, spec: ForeignSpec, dtype: Any, spool: Spool) -> Converted:
    """The sequences in the rows of a table, in memory."""
    from seqtool.sources.read import read_table
    from seqtool.tables.in_memory import table_of

    asked = dtype if dtype is None or isinstance(dtype, str) else np.dtype(dtype).name
    found = read_table(table_of(data), SourceOptions(foreign=spec, dtype=asked, spool=spool))
    for text in found.warnings:
        warnings.warn(as_arguments(text), stacklevel=4)
    return Converted(found.ragged.in_memory())
