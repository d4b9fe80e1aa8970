"""`group` for Python: the same as the command line's, on a DataFrame, an array or files."""

from __future__ import annotations

import inspect
import os
import warnings
from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from datetime import timedelta
from pathlib import Path
from typing import Any, Literal, overload

import numpy as np

from seqtool.advice import Advice
from seqtool.arrays.spool import Spool
from seqtool.errors import UsageError, names_arguments
from seqtool.files import inputs
from seqtool.files.temporary import temporary_folder
from seqtool.grouping import group as grouping
from seqtool.grouping.elsewhere import companions, parted
from seqtool.grouping.group import GroupResult
from seqtool.grouping.options import EmptyKey, EmptyLabel, GridAgg, PivotAgg, StepUnit
from seqtool.grouping.spec import GroupSpec
from seqtool.grouping.workspace import Workspace
from seqtool.operations.pad import carry_out, check_blow_up
from seqtool.option_names import as_arguments
from seqtool.sequences.labels import padded_class
from seqtool.sequences.padding_values import Side, Value
from seqtool.sequences.ragged import Padded, Ragged
from seqtool.sources.pad import ColumnName
from seqtool.system import memory
from seqtool.tables import opening
from seqtool.tables.candidates import key_candidates
from seqtool.tables.cells.instants import TimeUnit
from seqtool.tables.in_memory import table_of
from seqtool.tables.named_columns import column_named, columns_named, labels_named
from seqtool.tables.roles import LabelKind
from seqtool.tables.table import Table
from seqtool.words import in_short, join_names, listed


@overload
def group(
    data: Any, *, key: ColumnName | Sequence[ColumnName] = ..., ragged: Literal[False] = ..., **options: Any
) -> Padded: ...
@overload
def group(
    data: Any, *, key: ColumnName | Sequence[ColumnName] = ..., ragged: Literal[True], **options: Any
) -> Ragged: ...
@names_arguments  # type: ignore[misc] # the overloads only tell the result's type; **options is what stands here
def group(
    data: Any,
    *,
    key: ColumnName | Sequence[ColumnName] = (),
    key_from: str | None = None,
    no_key: bool = False,
    key_blank_lines: bool = False,
    order_by: ColumnName | Sequence[ColumnName] = (),
    gap: float | str | timedelta | np.timedelta64 | None = None,
    columns: ColumnName | Sequence[ColumnName] | None = None,
    pivot: str | Mapping[ColumnName, ColumnName] | None = None,
    pivot_agg: PivotAgg | None = None,
    time_as: TimeUnit | None = None,
    drop: ColumnName | Sequence[ColumnName] = (),
    where: str | None = None,
    keep_key: bool | None = None,
    label: Any = None,
    label_as: LabelKind | None = None,
    step_label: ColumnName | None = None,
    label_value: float = -100,
    static: Any = (),
    category: ColumnName | Sequence[ColumnName] = (),
    keep_row_index: bool = False,
    keep_order: bool = False,
    delta: ColumnName | None = None,
    time_unit: StepUnit | None = None,
    position: bool = False,
    every: float | str | timedelta | np.timedelta64 | None = None,
    agg: GridAgg | None = None,
    since_observed: bool = False,
    min_len: int = 0,
    empty_key: EmptyKey = "error",
    empty_label: EmptyLabel = "error",
    missing: str | Sequence[str] = (),
    maxlen: int | None = None,
    padding: Side = "post",
    truncating: Side = "pre",
    value: Value = 0,
    dtype: str | np.dtype[Any] | None = None,
    ragged: bool = False,
    delimiter: str | None = None,
    header: bool | None = None,
    encoding: str = "utf-8",
    decimal: str = ".",
    thousands: str | None = None,
    skip_rows: int = 0,
    comment: str | None = None,
    sheet: str | None = None,
) -> Padded | Ragged:
    """Gather flat rows into one sequence for each key: padded, or as they are with `ragged=True`.

    `data` is a DataFrame (pandas, polars), an Arrow table or whatever else has the Arrow PyCapsule interface, a
    2-D array or tensor, or the path of a file (CSV, Parquet, Arrow, JSON lines, `.npy`, `.xlsx`).
    `key`, and every other column, is a name or a position counted from 0; several keys make one of their
    combination. `key_from` is a pattern of the paths of files, one sequence each, `no_key` makes one sequence of all
    rows, `key_blank_lines` ends one at each blank line of a text file, and `gap` parts sequences where the first
    column of `order_by` jumps by more: a number, or of times text such as 30m or a timedelta. N keys in sorted
    order give `x` (N, T, F) and `lengths` (N,) int64; rows keep their order within a key unless `order_by` says
    otherwise. `label` and `static` may be columns of another table, which has a row for each key: `(frame,
    "died")`, `(frame, ["age", "sex"])`, `"labels.csv:died"`. `category` names columns of text that become ids beside
    their vocabulary: `c` (N, T, C), or `static_c` (N, D) where `static` names them too.
    `pivot={"item": "value"}` makes a step of the rows of one key and one order value, and a feature of each item.
    `keep_order=True` stores the values of `order_by` as `per_step["order"]` (S,) or (S, K): int64, times in
    microseconds (`names["order_units"]`), or float64. `delta="time"`, `since_observed=True` and `position=True` add
    features that are computed of the sorted steps; `every="1h"` makes a step of the rows of each hour, by `agg`.
    `time_as="seconds"` (or "days") makes numbers since 1970 of times, int64 if all are whole, else float64. All
    other arguments are as in `seqtool group --help`.

    Raises UsageError for arguments that contradict each other, and DataError for columns that are not there,
    cells that are not what their column needs, and numbers that the dtype cannot hold. Warns of missing
    values, which become NaN.

    >>> rows = np.array([[1, 2, 3], [3, 0, 2], [1, 1, 4], [2, 1, 2], [0, 1, 1], [2, 0, 3]])
    >>> grouped = group(rows, key=2)
    >>> grouped.x.shape, grouped.keys.tolist(), grouped.lengths.tolist()
    ((4, 2, 3), [1, 2, 3, 4], [1, 2, 2, 1])
    """
    if not (columns_named(key) or key_from or no_key or key_blank_lines):
        _refuse_no_key(data)
    spec = _spec(
        key=key,
        key_from=key_from,
        no_key=no_key,
        key_blank_lines=key_blank_lines,
        order_by=order_by,
        gap=gap,
        columns=columns,
        pivot=pivot,
        pivot_agg=pivot_agg,
        time_as=time_as,
        drop=drop,
        where=where,
        keep_key=keep_key,
        label=label,
        label_as=label_as,
        step_label=step_label,
        label_value=label_value,
        static=static,
        category=category,
        keep_row_index=keep_row_index,
        keep_order=keep_order,
        delta=delta,
        time_unit=time_unit,
        position=position,
        every=every,
        agg=agg,
        since_observed=since_observed,
        min_len=min_len,
        empty_key=empty_key,
        empty_label=empty_label,
        missing=missing,
        maxlen=maxlen,
        padding=padding,
        truncating=truncating,
        value=value,
        dtype=dtype,
        ragged=ragged,
        delimiter=delimiter,
        header=header,
        encoding=encoding,
        decimal=decimal,
        thousands=thousands,
        skip_rows=skip_rows,
        comment=comment,
        sheet=sheet,
    )
    with ExitStack() as stack:
        folder = temporary_folder(None)
        spool = stack.enter_context(Spool(folder))
        table, names = _opened(data, spec, stack, folder)
        allowed = memory.allowed(None)
        spec, others, files = stack.enter_context(companions(spec, table, folder=folder, memory=allowed))
        names += [item.base_name for item in files]
        grouped = grouping.group(table, spec, Workspace(spool, allowed), inputs=names, others=others)
        if isinstance(grouped.data, Ragged):
            in_memory: Padded | Ragged = grouped.data.in_memory()
        else:
            check_blow_up(grouped.data)
            in_memory = carry_out(grouped.data)
    learnt = padded_class(in_memory)
    warn_of(grouped.result, [learnt] if learnt else [], level=4)
    return in_memory


def call_of_group(**arguments: Any) -> GroupSpec:
    """What arguments of `group` ask for; those that are left out have their defaults. Raises TypeError for others."""
    parameters = inspect.signature(group).parameters
    unknown = [name for name in arguments if name not in parameters or name == "data"]
    if unknown:
        raise TypeError(f"group has no argument {unknown[0]!r}")
    defaults = {name: one.default for name, one in parameters.items() if name != "data"}
    return _spec(**{**defaults, **arguments})


def _spec(
    *,
    key: Any,
    order_by: Any,
    columns: Any,
    drop: Any,
    label: Any,
    step_label: Any,
    static: Any,
    category: Any,
    pivot: Any,
    keep_key: Any,
    missing: Any,
    dtype: Any,
    delta: Any,
    **others: Any,
) -> GroupSpec:
    """What the arguments of `group` ask for; those that Python writes in other ways than the command line are here."""
    return GroupSpec.of(
        key=columns_named(key),
        order_by=columns_named(order_by),
        columns=None if columns is None else columns_named(columns),
        drop=columns_named(drop),
        label=parted(label, labels_named),
        step_label=column_named(step_label),
        static=parted(static, columns_named),
        category=columns_named(category),
        pivot=pivot if pivot is None or isinstance(pivot, str) else _pivot_named(pivot),
        keep_key=None if keep_key is None else bool(keep_key),
        missing=[str(word) for word in columns_named(missing)],
        dtype=dtype if dtype is None or isinstance(dtype, str) else np.dtype(dtype).name,
        delta=column_named(delta),
        **others,
    )


def _pivot_named(pivot: Mapping[Any, Any]) -> str:
    """The pivot `{item: value}` of a Python call as the command line has it, `item=value`."""
    if not isinstance(pivot, Mapping):
        raise UsageError(f"pivot is {in_short(pivot)}; a dict was expected: the item and its value")
    pairs = [(column_named(item), column_named(value)) for item, value in pivot.items()]
    if len(pairs) != 1:
        raise UsageError(
            f"pivot holds {len(pairs)} pairs of columns; one was expected: the item and its value"
        )
    return f"{pairs[0][0]}={pairs[0][1]}"


def _refuse_no_key(data: Any) -> None:
    """Raise UsageError that names the columns of a table in memory that may be the key."""
    if isinstance(data, (str, os.PathLike)):
        return
    names = key_candidates(table_of(data))
    if names:
        raise UsageError(
            "no key: name the column that tells sequences apart; columns whose cells repeat are "
            f"{listed([*map(repr, names)])}; such as ",
            Advice("--key", join_names(names[:1])),
        )


def _opened(data: Any, spec: GroupSpec, stack: ExitStack, folder: Path | None) -> tuple[Table, list[str]]:
    """The table that data is, or that is in the files of a path, and the names of these."""
    if isinstance(data, (str, os.PathLike)):
        encoding = spec.text.encoding
        found = stack.enter_context(inputs.opened([os.fspath(data)], encoding=encoding, temp_dir=folder))
        return opening.open_tables(found, spec.text, spec.pattern), [item.base_name for item in found]
    if spec.key_from is not None:
        raise UsageError("key_from is of the paths of files; data is none: leave key_from out")
    return table_of(data), []


def warn_of(result: GroupResult, more: list[str], *, level: int) -> None:
    """Warn the caller, at a level of the stack, of what the summary of the command warns of."""
    if result.coarse:
        warnings.warn(
            f"float32 has no room for the fractions of {result.coarse}: dtype='float64' has", stacklevel=level
        )
    for text in [*result.warnings, *more]:
        warnings.warn(as_arguments(text), stacklevel=level)
    if result.missing:
        warnings.warn(f"missing values became NaN: {result.missing}", stacklevel=level)
