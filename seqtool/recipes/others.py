"""Tables beside the new one: labels and static numbers that a recipe took from another table, joined again."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

from seqtool.advice import Advice
from seqtool.errors import UsageError
from seqtool.files.inputs import Input
from seqtool.grouping.elsewhere import Companion, Elsewhere, Part, companions
from seqtool.grouping.spec import GroupSpec
from seqtool.recipes.recipe import Recipe
from seqtool.system.memory import Memory
from seqtool.tables.table import Table
from seqtool.words import join_names, listed


def with_others(spec: GroupSpec, recipe: Recipe, label: Sequence[Any], static: Sequence[Any]) -> GroupSpec:
    """The call of a recipe, of which other tables have labels or static numbers, as `elsewhere.parted` gives them.

    Raises UsageError for columns that the recipe does not have, and for an order that is not that of the recipe.
    """
    labels: Any = spec.label
    return replace(
        spec,
        label=_placed("label", labels, label, recipe) if label else labels,
        static=_placed("static", spec.static, static, recipe) if static else spec.static,
    )


def _placed(part: Part, known: Sequence[Any], columns_of_call: Sequence[Any], recipe: Recipe) -> list[Any]:
    """The columns of one part: those of the new table by their names, and behind them those of other tables."""
    names = [*map(str, known)]
    plain = [one for one in columns_of_call if not isinstance(one, Elsewhere)]
    if plain:
        raise UsageError(
            f"--{part} names {plain[0]!r} of no table; FILE:COLUMN was expected: columns of the new rows are found "
            "by their names"
        )
    asked = [str(column) for other in columns_of_call for column in other.columns]
    unknown = [name for name in asked if name not in names]
    if unknown:
        has = listed([*map(repr, names)]) or "none"
        raise UsageError(f"--{part} names {listed([*map(repr, unknown)])}; {recipe.name} has {has}")
    own = [name for name in names if name not in asked]
    others = sorted(
        map(_sorted_by(names), columns_of_call), key=lambda other: names.index(str(other.columns[0]))
    )
    if [*own, *(str(column) for other in others for column in other.columns)] != names:
        raise UsageError(
            f"--{part}: {recipe.name} has {listed([*map(repr, names)])}, in this order, and columns of other tables "
            "stand behind those of the rows, each once"
        )
    return [*own, *others]


def _sorted_by(names: list[str]) -> Any:
    """Columns of another table in the order of the recipe."""

    def ordered(other: Elsewhere) -> Elsewhere:
        return replace(other, columns=tuple(sorted(other.columns, key=lambda name: names.index(str(name)))))

    return ordered


@contextmanager
def opened_others(
    spec: GroupSpec, table: Table, *, folder: Path | None, memory: Memory
) -> Iterator[tuple[GroupSpec, list[Companion], list[Input]]]:
    """As `companions`; the delimiter and header that a receipt holds are those of the first table alone."""
    lines = replace(spec.text.lines, delimiter=None)
    theirs = replace(spec.text, delimiter=None, header=None, lines=lines)
    with companions(replace(spec, text=theirs), table, folder=folder, memory=memory) as (
        of_table,
        others,
        files,
    ):
        yield replace(of_table, text=spec.text), others, files


def took_elsewhere(recipe: Recipe, part: Part, names: Sequence[str]) -> Advice | None:
    """The advice to join those of some columns that the recipe took from the file of another table; None of none."""
    held = recipe.first.get("arguments", {}).get(part) or []
    found: dict[str, list[str]] = {}
    for other in map(Elsewhere.in_text, [held] if isinstance(held, str) else held):
        if other is not None and str(other.columns[0]) in names:
            found.setdefault(str(other.source), []).append(str(other.columns[0]))
    words = [
        word for file, columns in found.items() for word in (f"--{part}", f"{file}:{join_names(columns)}")
    ]
    return Advice(*words) if words else None
