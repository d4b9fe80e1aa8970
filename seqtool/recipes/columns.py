"""The call of `group` that a receipt remembers, for a new table: the same columns, by name."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import fields, replace
from typing import Any

from seqtool.errors import DataError, UsageError
from seqtool.grouping.elsewhere import Elsewhere
from seqtool.grouping.spec import GroupSpec
from seqtool.recipes.others import took_elsewhere
from seqtool.recipes.recipe import Recipe
from seqtool.sequences.padding_values import UNLABELLED, value_from_json
from seqtool.tables.named_columns import columns_named, is_column
from seqtool.tables.roles import order_named
from seqtool.tables.table import Table, TextOptions
from seqtool.words import join_names, listed

_TEXT = ("header", "encoding", "decimal", "thousands", "skip_rows", "comment", "key_blank_lines", "sheet")
_NOT_REPEATED = ("min_len", "key_from", "text", "columns", "drop", "keep_key", "gap")
_STORED = {field.name for field in fields(GroupSpec)} - {*_NOT_REPEATED}


def spec_of(recipe: Recipe, source: str | None = None) -> GroupSpec:
    """What `group` was asked for; `source` names the new files, in whose paths keys may stand.

    Raises UsageError for what cannot be asked again: keys in paths, where there are none.
    """
    arguments = recipe.first.get("arguments", {})
    pattern = arguments.get("key_from")
    if pattern is not None and source is None:
        raise UsageError(f"{recipe.name}: cannot be repeated: keys came from the paths of files ({pattern})")
    stored = {name: value for name, value in arguments.items() if name in _STORED}
    for part in ("static", "label", "step_label"):
        stored[part] = [own_name(name) for name in _listed(stored.get(part))]
    stored["step_label"] = next(iter(stored["step_label"]), None)
    stored["value"] = value_from_json(stored.get("value", 0))
    return GroupSpec.of(
        **stored,
        gap=arguments.get("gap"),
        columns=arguments.get("features", ()),  # no other columns, and none where categories were all
        key_from=None if pattern is None else _below(str(source), pattern),
        **_text_arguments(arguments),
    )


def _below(source: str, pattern: str) -> str:
    """A pattern without the folders that it wrote out, with those of new files.

    >>> _below("new/*/*.csv", "{label}/{key}.csv")
    'new/{label}/{key}.csv'
    """
    parts = source.split("/")
    return "/".join([*parts[: max(0, len(parts) - pattern.count("/") - 1)], pattern])


def _text_arguments(arguments: Mapping[str, Any]) -> dict[str, Any]:
    found = {name: arguments[name] for name in _TEXT if name in arguments}
    delimiter = "whitespace" if arguments.get("blanks") else arguments.get("delimiter")
    return {**found, "delimiter": delimiter}


def for_table(spec: GroupSpec, recipe: Recipe, table: Table) -> tuple[GroupSpec, list[str]]:
    """The same for a table: with the labels that it has, and how text is read only if it is text.

    Gives the labels that it lacks too; columns of other tables are taken as they are. Raises DataError for all columns
    that are missing.
    """
    asked = spec.label if isinstance(spec.label, (list, tuple)) else columns_named(spec.label)
    labels = [str(name) for name in asked if not isinstance(name, Elsewhere)]
    statics = [str(name) for name in spec.static if not isinstance(name, Elsewhere)]
    of_steps = [] if spec.step_label is None else [str(spec.step_label)]
    absent = [name for name in (*labels, *of_steps) if not is_column(table, name)]
    joined_names = {str(c) for other in spec.static if isinstance(other, Elsewhere) for c in other.columns}
    categories = [name for name in spec.category if str(name) not in joined_names]
    needed = [*spec.key, *statics, *categories, *([] if spec.pivot else spec.columns or ())]
    missing = [str(name) for name in needed if not is_column(table, str(name))]
    missing += [str(order) for order in spec.order_by if not _is_order(table, str(order))]
    if missing:
        have = [table.label(column) for column in range(len(table.columns)) if column not in table.hidden]
        joined = took_elsewhere(recipe, "static", [name for name in statics if name in missing])
        raise DataError(
            f"{table.name}: lacks {listed([*dict.fromkeys(map(repr, missing))])}, which {recipe.name} was made of; its "
            f"columns are {listed([join_names([name]) for name in have], most=20)}",
            *([] if joined is None else ["; what came from another table is joined by ", joined]),
        )
    kept = [*asked] if not {*labels} & {*absent} else []
    words = spec.missing if table.text or table.texts else ()
    text = spec.text if table.text else TextOptions()
    of_step = next((name for name in of_steps if name not in absent), None)
    if of_step is None:
        spec = replace(spec, label_value=UNLABELLED)
    if not kept and of_step is None:  # else they would stand in the receipt, and be about nothing
        spec = replace(spec, label_as=None, empty_label="error")
    return replace(spec, label=kept or None, step_label=of_step, missing=words, text=text), absent


def _is_order(table: Table, order: str) -> bool:
    try:
        order_named(table, order)
    except DataError:
        return False
    return True


def _listed(names: Any) -> list[str]:
    return [names] if isinstance(names, str) else list(names or ())


def own_name(name: str) -> str:
    """The column that a receipt names: one of another table by its own name there."""
    elsewhere = Elsewhere.in_text(name)
    return name if elsewhere is None else str(elsewhere.columns[0])
