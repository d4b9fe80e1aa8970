"""Engines put rows in order. That is their only job: the kernel in `seqtool.grouping` does the rest."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager
from typing import Any, Protocol, Self

import numpy as np


class Engine(AbstractContextManager["Engine"], Protocol):
    """Takes rows, batch by batch, and gives them back sorted; a context that lets go of them at its end."""

    def __enter__(self) -> Self:
        """The engine itself."""

    def add(self, batch: Any) -> None:
        """Take a record batch of numbers (no halves, which DuckDB does not know) and text.

        A column may widen from one batch to the next: int64 to float64 or to text.
        """

    def sorted(self, by: Sequence[str]) -> Iterator[Any]:
        """All rows in ascending order of the columns `by`, as record batches of the widest types.

        Rows that are equal in `by` keep the order in which they came. Text compares by code point. The
        columns in `by` hold neither nulls nor NaN.
        """


def widest(kinds: Sequence[Any]) -> Any:
    """The Arrow type that holds the cells of all these types: text, or as NumPy joins numbers."""
    import pyarrow as pa

    if len(set(kinds)) == 1:
        return kinds[0]
    if pa.string() in kinds:
        return pa.string()
    return pa.from_numpy_dtype(np.result_type(*(kind.to_pandas_dtype() for kind in set(kinds))))
