"""A recipe as a person reads it: each step, its arguments and what it learned."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from seqtool.operations import OPERATIONS
from seqtool.option_names import option_of
from seqtool.recipes.recipe import Recipe
from seqtool.words import join_names, shortened

_LONGEST = 60  # characters of one argument, or of the numbers of a feature


def steps_shown(recipe: Recipe) -> list[tuple[str, str]]:
    """A row for each step: its command, and its arguments as options; what it learned stands in rows of their own.

    >>> steps_shown(Recipe("a", ({"command": "group", "arguments": {"key": ["user"], "ragged": True}},)))
    [('group', '--key user --ragged')]
    """
    rows = []
    for step in recipe.steps:
        command = str(step.get("command"))
        rows.append((command, _options(command, step.get("arguments", {}))))
        learned = step.get("state", {})
        rows += [
            ("", f"{name}: {_shown(held)}") for name, held in learned.items() if held not in (None, [], {})
        ]
    rows += [("", f"{name}: {_shown(names)}") for name, names in recipe.tables.items()]
    return rows


def _options(command: str, arguments: Mapping[str, Any]) -> str:
    """Arguments as options of the command line; the features of a table are what `--columns` names."""
    words = []
    for name, held in arguments.items():
        of_columns = name == "features" and command not in OPERATIONS
        option = "--columns" if of_columns else option_of(name)
        words.append(option if held is True else f"{option} {_argument(held)}")
    if (
        "category" in arguments and "features" not in arguments
    ):  # else other columns of new rows would be features
        words.append(f"--columns {_argument(arguments['category'])}")
    return " ".join(words)


def _argument(held: Any) -> str:
    if isinstance(held, list) and all(isinstance(name, str) for name in held):
        return shortened(join_names(held), _LONGEST)
    return shortened(held if isinstance(held, str) else json.dumps(held), _LONGEST)


def _shown(held: Any) -> str:
    if isinstance(held, list) and all(isinstance(one, (str, int, float)) for one in held):
        return shortened(
            ", ".join(f"{one:g}" if isinstance(one, float) else str(one) for one in held), _LONGEST
        )
    return shortened(held if isinstance(held, str) else json.dumps(held), _LONGEST)
