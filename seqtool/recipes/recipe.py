"""`Recipe`: the entries of a receipt, and the tables of names and the dtypes that they need to be repeated."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import field
from functools import cached_property
from typing import Any

import numpy as np

from seqtool.arrays.dtypes import Array, dtype_named
from seqtool.dataclass import dataclass
from seqtool.errors import DataError
from seqtool.files.meta import parse_receipt
from seqtool.sequences.ragged import Padded, Ragged, Receipt
from seqtool.sequences.receipts import SAME, SELECTIONS

FORMAT, VERSION = "seqtool recipe", 1


@dataclass(frozen=True)
class Recipe:
    """What was done to sequences, `steps`, each an entry of a receipt; `name` is that of its file, for messages.

    `tables` hold the names of classes, categories and the like, `features` those of the features; `dtypes` are those of
    labels and static numbers.
    """

    name: str
    steps: tuple[Mapping[str, Any], ...]
    features: tuple[str, ...] | None = None
    tables: Mapping[str, list[Any]] = field(default_factory=dict)
    dtypes: Mapping[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        if not self.steps:
            raise DataError(f"{self.name}: holds no receipt, so that nothing can be repeated")

    @classmethod
    def of(cls, data: Ragged | Padded, name: str) -> Recipe:
        """The recipe of sequences that seqtool made; raises DataError where they have no receipt."""
        return cls(
            name,
            _with_room(data.receipt),
            data.features,
            {table: np.asarray(names).tolist() for table, names in data.names.items()},
            {array: str(data.per_sequence[array].dtype) for array in _TYPED if array in data.per_sequence},
        )

    @classmethod
    def of_json(cls, text: str, name: str) -> Recipe:
        """The recipe of JSON that `as_json` wrote; raises DataError for any other text.

        >>> recipe = Recipe("a", ({"command": "group", "arguments": {"key": ["user"]}},))
        >>> Recipe.of_json(recipe.as_json(), "a") == recipe
        True
        """
        try:
            held = json.loads(text)
        except (ValueError, RecursionError):
            held = None
        if not isinstance(held, dict) or held.get("format") != FORMAT:
            raise DataError(f"{name}: no recipe: a file of sequences was expected, or the JSON of info")
        if not isinstance(held.get("version"), int) or held["version"] > VERSION:
            raise DataError(f"{name}: a recipe of a newer seqtool; update seqtool")
        features, tables, dtypes = held.get("features"), held.get("tables", {}), held.get("dtypes", {})
        steps = parse_receipt(held.get("steps"), name)
        if not (_are_texts(features) and _are_lists(tables) and isinstance(dtypes, dict)):
            raise DataError(f"{name}: damaged: features, tables or dtypes are not what seqtool writes")
        for dtype in dtypes.values():
            dtype_named(str(dtype))
        return cls(name, tuple(steps), None if features is None else tuple(features), tables, dtypes)

    def as_json(self) -> str:
        """The recipe as JSON, which `of_json` reads."""
        return json.dumps(self.facts(), indent=2)

    def facts(self) -> dict[str, Any]:
        """The same as data."""
        kept = ("command", "arguments", "state")
        return {
            "format": FORMAT,
            "version": VERSION,
            "steps": [{name: step[name] for name in kept if name in step} for step in self.steps],
            "features": None if self.features is None else list(self.features),
            "tables": dict(self.tables),
            "dtypes": dict(self.dtypes),
        }

    @cached_property
    def places(self) -> Mapping[str, Mapping[str, int]]:
        """The place of each name in its table, by the name of the table; looked up for each sequence that is new."""
        return {table: {str(name): i for i, name in enumerate(names)} for table, names in self.tables.items()}

    @cached_property
    def arrays(self) -> Mapping[str, Array]:
        """The tables as arrays."""
        return {table: np.array(names, dtype=None if names else str) for table, names in self.tables.items()}

    @property
    def first(self) -> Mapping[str, Any]:
        """The step that reads the source."""
        return self.steps[0]

    @property
    def later(self) -> list[Mapping[str, Any]]:
        """The steps behind it that are repeated."""
        left = SELECTIONS | SAME
        return [step for step in self.steps[1:] if step.get("command") not in left]

    @property
    def skipped(self) -> list[str]:
        """What is not repeated: the commands that select sequences, and the option that does."""
        commands = [step["command"] for step in self.steps if step.get("command") in SELECTIONS]
        short = any("min_len" in step.get("arguments", {}) for step in self.steps)
        return [*dict.fromkeys(commands), *(["--min-len"] if short else [])]

    def sequences(self) -> Ragged:
        """No sequences, but with all names: what states are read beside."""
        width = () if self.features is None else (len(self.features),)
        kept = {
            name: table
            for name, table in self.arrays.items()
            if not name.startswith(("classes", "label_names"))
        }
        return Ragged(np.empty((0, *width)), np.zeros(1, np.int64), features=self.features, names=kept)


_TYPED = ("y", "static")


def _with_room(receipt: Receipt) -> tuple[Mapping[str, Any], ...]:
    """The entries of a receipt, of which those before `concat` pad to the length that the joined block has.

    >>> [step["arguments"] for step in _with_room([{"command": "pad", "arguments": {"maxlen": 2}},
    ...     {"command": "concat", "arguments": {"maxlen": 5}}])]
    [{'maxlen': 5}, {'maxlen': 5}]
    """
    steps, maxlen = list[Mapping[str, Any]](), None
    for step in reversed(receipt):
        arguments = step.get("arguments", {})
        if step.get("command") == "concat":
            maxlen = arguments.get("maxlen", maxlen)
        elif maxlen is not None and step.get("command") in ("group", "pad") and "maxlen" in arguments:
            step, maxlen = {**step, "arguments": {**arguments, "maxlen": maxlen}}, None
        steps.append(step)
    return tuple(reversed(steps))


def _are_texts(names: Any) -> bool:
    return names is None or (isinstance(names, list) and all(isinstance(name, str) for name in names))


def _are_lists(tables: Any) -> bool:
    return isinstance(tables, dict) and all(
        isinstance(names, list) and all(isinstance(name, (str, int, float)) for name in names)
        for names in tables.values()
    )
