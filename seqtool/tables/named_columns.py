"""The columns that a call names, by name or by position: the names in an argument, and where each stands in a table."""

from __future__ import annotations

import operator
from collections.abc import Iterable, Iterator, Sequence
from difflib import get_close_matches
from typing import Any

from seqtool.advice import Advice, Message
from seqtool.arrays.array_likes import is_array_like, is_pandas_frame, kind_of, plain
from seqtool.errors import DataError, UsageError
from seqtool.tables.table import Table
from seqtool.words import join_names, name_meant, place_in


def columns_named(columns: Any) -> list[str | int]:
    """The columns that an argument names, as a list; the argument is one name or position, or a collection of them.

    >>> import numpy as np
    >>> columns_named("user"), columns_named(np.int64(0)), columns_named(range(2)), columns_named(("a", "b"))
    (['user'], [0], [0, 1], ['a', 'b'])
    """
    if columns is None:
        return []
    if isinstance(columns, slice):
        raise UsageError(
            f"columns are names or positions, not a {columns}: range({columns.start or 0}, {columns.stop})"
        )
    if hasattr(columns, "dtype") and columns.dtype == bool:
        raise UsageError(
            "columns are names or positions, not an array of booleans: frame.columns[mask] has the names"
        )
    if is_array_like(columns) and not is_pandas_frame(columns):
        columns = plain(columns)
    if hasattr(columns, "tolist"):  # NumPy's numbers and arrays, an Index, a Series
        columns = columns.tolist()
        if isinstance(columns, list) and len({*map(str, columns)}) < len(columns):
            raise UsageError(
                "columns are named once each; an array of values for the rows must be a column of data first"
            )
    if isinstance(columns, (str, bytes)) or not isinstance(columns, Iterable):
        return [column_named(columns)]
    if isinstance(columns, (set, frozenset)):  # whose order differs from run to run
        columns = sorted(columns, key=str)
    return [column_named(name) for name in columns]


def labels_named(columns: Any) -> list[str | int]:
    """As `columns_named`, for labels: an array of numbers more likely holds the labels themselves, one for each row.

    Raises UsageError for such an array, unless it is an index of columns.
    """
    if (
        getattr(columns, "ndim", 0)
        and getattr(columns.dtype, "kind", "O") in "biuf"
        and not hasattr(columns, "get_loc")
    ):
        column_named(columns)
    return columns_named(columns)


def column_named(column: Any) -> Any:
    """The name or position of one column as text or a Python integer; None stays None."""
    if column is None or isinstance(column, str):
        return column if column is None else str(column)
    if getattr(column, "ndim", 0):
        raise UsageError(
            f"a column is a name or a position, not a {kind_of(column)}; an array of values for the rows must be a "
            "column of data first"
        )
    try:
        return str(column) if isinstance(column, bool) else operator.index(column)
    except TypeError:
        return str(column)  # a label of a DataFrame's column that is no text, such as a date


def is_column(table: Table, text: str) -> bool:
    """Whether a text names a column, or is its position."""
    return place_in(text, len(table.columns)) is not None or name_meant(text, table.columns) is not None


def position(
    table: Table, wanted: str | int, option: str = "", others: Sequence[str | int] = (), *, whole: str = ""
) -> int:
    """The position of the column that a call names: by its name, or else by its position, counted from 0.

    Blanks around a name in the header are ignored if that is unambiguous. Raises DataError that lists the columns. Its
    advice to use a similar name needs the `option` of the call, and the list of names (`others`) or the text (`whole`)
    that the wrong name is a part of.
    """
    text = str(wanted)
    if text in table.columns:  # columns without a name are None here
        return table.columns.index(text)
    count = min(table.hidden, default=len(table.columns))
    place = place_in(text, count)
    if place is not None:
        return place
    meant = name_meant(text, table.columns)
    if meant is not None:
        return table.columns.index(meant)
    if text.isdecimal():
        raise DataError(
            f"column {text} is out of range: there are {count} columns, counted from 0 to {count - 1}"
        )
    if not table.named:
        raise DataError(
            f"no column {text!r}: the columns have no names; use a position from 0 to {count - 1}"
        )
    there = [
        join_names([name]) if name else "(no name)"
        for column, name in enumerate(table.columns)
        if column not in table.hidden
    ]
    raise DataError(
        f"no column {text!r}; ",
        *_meant(table, text, option, others, whole),
        f"the columns are {', '.join(there)}",
    )


def _meant(table: Table, text: str, option: str, others: Sequence[str | int], whole: str) -> Iterator[object]:
    """The advice to use the column with the most similar name, if there is one."""
    names = {name.lower(): name for name in table.columns if name}
    near = get_close_matches(text.lower(), names, 1)
    if near and option:
        similar = names[near[0]]
        columns = [str(other) for other in others] or [text]
        corrected = join_names([similar if name == text else name for name in columns])
        without = [option] if others else [option, text]
        if whole:
            corrected, without = f"{similar}{whole.removeprefix(text)}", [option, whole]
        yield Message("perhaps ", Advice(option, corrected, without=without), "; ")


def pivot_columns(table: Table, text: str) -> tuple[int, int]:
    """The columns of `ITEM=VALUE`, split at an = with a column on both sides, for names may contain = too."""
    places = [place for place, letter in enumerate(text) if letter == "="]
    halves = {place: (text[:place], text[place + 1 :]) for place in places}
    good = [place for place, names in halves.items() if all(is_column(table, name) for name in names)]
    place = (good or places)[0]
    item, value = (position(table, name) for name in halves[place])
    if item == value:
        raise UsageError(f"--pivot names column {table.label(item)!r} twice")
    return item, value
