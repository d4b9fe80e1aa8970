"""`recipe` for Python: an object with `fit` and `transform`, as scikit-learn has them."""

from __future__ import annotations

import os
import warnings
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Self

import numpy as np

from seqtool.arrays.spool import Spool
from seqtool.errors import DataError, UsageError, at, names_arguments
from seqtool.files import inputs
from seqtool.grouping.elsewhere import parted
from seqtool.grouping.group import GroupResult
from seqtool.grouping.spec import GroupSpec
from seqtool.grouping.workspace import Workspace
from seqtool.operations.pad import carry_out
from seqtool.option_names import as_arguments
from seqtool.recipes import repeat
from seqtool.recipes.columns import for_table, spec_of
from seqtool.recipes.others import opened_others, with_others
from seqtool.recipes.reading import read_recipe
from seqtool.recipes.recipe import Recipe
from seqtool.recipes.small import SmallGroup
from seqtool.sequences.conversion import as_ragged
from seqtool.sequences.ragged import Padded, Ragged
from seqtool.sources.options import Sequences
from seqtool.system import memory
from seqtool.tables.in_memory import table_of
from seqtool.tables.named_columns import columns_named, labels_named


@names_arguments
def recipe(path: str | os.PathLike[str]) -> Transformer:
    """What was done to the sequences of a file that seqtool wrote, to be done to new data; JSON of a recipe too.

    Raises DataError for a file without a receipt, UsageError for what cannot be repeated.

    >>> import tempfile, pandas as pd, seqtool as st
    >>> frame = pd.DataFrame({"user": ["a", "a", "b"], "x": [1.0, 2.0, 6.0]})
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     st.save(f"{folder}/train.npz", st.scale(st.group(frame, key="user"), method="standard"))
    ...     known = st.recipe(f"{folder}/train.npz")
    >>> known.transform(pd.DataFrame({"user": ["c"], "x": [3.0]})).x.tolist()
    [[[0.0], [0.0]]]
    """
    allowed = memory.allowed(None)
    with Spool() as spool, inputs.opened([os.fspath(path)], memory=allowed) as (source,):
        return Transformer(read_recipe(source, spool, allowed))


class Transformer:
    """Does to data what was done to that of a file; nothing is fitted anew.

    `transform` gives a Padded (N, T, F) or a Ragged, whatever the file was, and `fit` changes nothing.
    """

    def __init__(self, recipe: Recipe) -> None:
        self.recipe = recipe
        self._steps = repeat.prepared(recipe)
        self._small = SmallGroup.of(recipe) if recipe.first.get("command") == "group" else None
        self._memory = memory.allowed(None)
        self._spec: GroupSpec | None = spec_of(recipe) if recipe.first.get("command") == "group" else None

    def __repr__(self) -> str:
        """The commands in their order."""
        return f"Transformer({' > '.join(str(step.get('command')) for step in self.recipe.steps)})"

    def fit(self, X: Any = None, y: Any = None) -> Self:  # noqa: N803 - the names that scikit-learn has
        """Return self: what was learned stands in the file."""
        return self

    @names_arguments
    def transform(self, X: Any, *, label: Any = None, static: Any = None) -> Padded | Ragged:  # noqa: N803
        """New rows, as `group` takes them (a DataFrame, Arrow data, a 2-D array, a list of dicts), as sequences.

        Where the file was made of sequences and not of rows, they are what `pad` takes. Labels may be absent. `label`
        and `static` name columns that the file took from another table, as `group` takes them: `(frame, "age")`. Raises
        DataError for columns that are missing or hold something else, and for labels that were not seen. Warns of
        missing values, which become NaN. A few rows of plain numbers and names take one or two milliseconds.
        """
        others = parted(label, labels_named), parted(static, columns_named)
        with Spool() as spool:
            workspace = Workspace(spool, self._memory)
            rows = X if self._spec is None else _frame(X)
            few = None if any(others) else self._from_few(rows, workspace)
            missing: Mapping[str, int] = {}
            if few is not None:
                repeated, missing = few
            elif self._spec is None:
                if any(others):
                    raise UsageError(
                        f"label and static are of rows, and {self.recipe.name} was made of sequences"
                    )
                if isinstance(X, (str, Path)):
                    raise UsageError("X is a path; sequences were expected, as pad takes them")
                ragged = as_ragged(X)
                held = X.x.shape[1] if isinstance(X, Padded) else None
                found = Sequences(ragged, len(ragged.values), ragged.padding, ragged.value, held)
                repeated = repeat.from_sequences(self.recipe, found, self._steps, workspace, [])
            else:
                repeated, result = self._from_rows(
                    with_others(self._spec, self.recipe, *others), rows, workspace
                )
                missing = result.missing
            if missing:
                warnings.warn(f"missing values became NaN: {dict(missing)}", stacklevel=3)
            for text in repeated.warnings:
                warnings.warn(as_arguments(text), stacklevel=3)
            return (
                repeated.data.in_memory() if isinstance(repeated.data, Ragged) else carry_out(repeated.data)
            )

    def _from_few(self, rows: Any, workspace: Workspace) -> tuple[repeat.Repeated, Mapping[str, int]] | None:
        """Few plain rows, and the count of missing values by feature; None of others, and of what is an error."""
        small = None if self._small is None else self._small.grouped(rows)
        if small is None:
            return None
        try:
            return repeat.from_few(self.recipe, small.data, self._steps, workspace), small.missing
        except DataError:  # of which the other road tells more
            return None

    def _from_rows(
        self, spec: GroupSpec, rows: Any, workspace: Workspace
    ) -> tuple[repeat.Repeated, GroupResult]:
        table = table_of(rows)
        with at(table.name):
            spec, _ = for_table(spec, self.recipe, table)
        with opened_others(spec, table, folder=None, memory=self._memory) as (of_table, others, files):
            names = [item.base_name for item in files]
            with at(table.name):
                return repeat.from_table(
                    self.recipe, of_table, table, self._steps, workspace, names, others=others
                )


def _frame(rows: Any) -> Any:
    """Rows as a table: a list of dicts becomes one, anything else stays."""
    if isinstance(rows, list) and rows and all(isinstance(row, dict) for row in rows):
        import pyarrow as pa

        try:
            return pa.Table.from_pylist(rows)
        except (pa.ArrowException, TypeError, OverflowError) as error:
            raise DataError(f"the rows make no table: {' '.join(str(error).split())}") from None
    return np.asarray(rows) if isinstance(rows, list) else rows
