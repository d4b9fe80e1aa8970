"""Where recipes are read from: a file of sequences that seqtool wrote, or the JSON of `info --recipe --json`."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from seqtool.arrays.spool import Spool
from seqtool.errors import DataError, UsageError
from seqtool.files.inputs import Input
from seqtool.grouping.spec import GroupSpec
from seqtool.recipes.recipe import FORMAT, Recipe
from seqtool.sequences.padding_values import UNLABELLED
from seqtool.sources.options import ForeignSpec, RowSpec, Sequences, SourceOptions
from seqtool.sources.read import read_sequences
from seqtool.system.memory import Memory
from seqtool.tables import opening
from seqtool.tables.named_columns import is_column
from seqtool.tables.table import Table, TextOptions
from seqtool.words import expanded, split_names


def read_recipe(source: Input, spool: Spool, memory: Memory) -> Recipe:
    """The recipe in a file; raises DataError for a file that seqtool did not write."""
    if f'"{FORMAT}"'.encode() in source.head:
        with source.open() as file:
            return Recipe.of_json(file.read().decode(), source.base_name)
    if source.kind in ("text", "npy", "workbook", "ts"):
        raise DataError(
            f"{source.name}: no recipe; a file that seqtool wrote was expected, or the JSON of one"
        )
    found = read_sequences(source, SourceOptions(foreign=ForeignSpec(), spool=spool, memory=memory))
    if not found.ours:
        raise DataError(f"{source.name}: not written by seqtool, so that it holds no recipe")
    return Recipe.of(found.ragged, source.base_name)


def open_new(inputs: Sequence[Input], spec: GroupSpec) -> Table:
    """New rows as a table, read as those of the recipe were; by another delimiter if only that finds the key."""
    if inputs[0].kind == "npz":
        raise DataError(f"{inputs[0].name}: an .npz; rows were expected, which the recipe begins with")
    table = opening.open_tables(inputs, spec.text, spec.pattern)
    named = [str(name) for name in (*spec.key, *spec.category, *(spec.columns or ()))]
    if table.text and not any(is_column(table, name) for name in named):
        other = opening.open_tables(inputs, _by_its_own_delimiter(spec.text), spec.pattern)
        return other if any(is_column(other, name) for name in named) else table
    return table


def _by_its_own_delimiter(text: TextOptions) -> TextOptions:
    return replace(text, delimiter=None, lines=replace(text.lines, delimiter=None))


def read_new(inputs: Sequence[Input], recipe: Recipe, spool: Spool, memory: Memory) -> tuple[Sequences, bool]:
    """New sequences, read as those of the recipe were, and whether they have the labels that those had.

    Raises UsageError for what stood in other files, and what `seqtool.sources.read` raises.
    """
    spec = _foreign_spec(recipe)

    def read(spec: ForeignSpec) -> Sequences:
        return read_sequences(inputs[0], SourceOptions(foreign=spec, spool=spool, memory=memory))

    if not (spec.labels or spec.step_label):
        return read(spec), True
    try:
        return read(spec), True
    except DataError as error:
        try:
            return read(replace(spec, labels=(), step_label=None)), False
        except DataError:
            raise error from None


def _foreign_spec(recipe: Recipe) -> ForeignSpec:
    """How sequences that seqtool did not write were described; labels in files beside them are left out."""
    arguments = recipe.first.get("arguments", {})
    outside = {"key_from": "keys came from the paths of files"}
    outside |= {"lengths": "their true lengths stood in a file"} if _is_file(arguments.get("lengths")) else {}
    outside |= (
        {"static": "static numbers stood in a file"}
        if any(map(_is_file, _names(arguments, "static")))
        else {}
    )
    wrong = next((name for name in outside if name in arguments), None)
    if wrong is not None:
        held = arguments[wrong]
        raise UsageError(f"{recipe.name}: cannot be repeated: {outside[wrong]} ({held})")
    rows = RowSpec(
        steps=tuple(one for name in _names(arguments, "steps") for one in expanded(name)),
        static=tuple(_names(arguments, "static")),
        keep_trailing=arguments.get("trailing_missing") == "keep",
        label_value=arguments.get("label_value", UNLABELLED),
        keys_from_names=bool(arguments.get("keys_from_names")),
        missing=tuple(_names(arguments, "missing")),
        category=tuple(one for name in _names(arguments, "category") for one in expanded(name)),
        text=_text_of(arguments),
    )
    return ForeignSpec(
        array=arguments.get("array"),
        lengths=arguments.get("lengths"),
        input_padding=arguments.get("input_padding"),
        labels=tuple(name for name in _names(arguments, "label") if not _is_file(name)),
        key=arguments.get("key"),
        step_label=arguments.get("step_label"),
        time_major=bool(arguments.get("time_major")),
        rows=rows,
    )


def _text_of(arguments: Mapping[str, Any]) -> TextOptions | None:
    """How lines and cells of text were read, where the call said so."""
    held = {
        name: arguments[name]
        for name in ("delimiter", "encoding", "decimal", "thousands")
        if name in arguments
    }
    return TextOptions.of(**held) if held else None


def _is_file(name: Any) -> bool:
    return isinstance(name, str) and name.endswith((".npy", ".txt"))


def _names(arguments: Mapping[str, Any], name: str) -> list[str]:
    """The names that an argument holds, as one text or as a list."""
    held = arguments.get(name)
    return split_names(held) if isinstance(held, str) else list(held or ())
