"""Labels and static columns of other tables: how a call names them, and which columns are the key there."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, NamedTuple

from seqtool.advice import Advice
from seqtool.dataclass import dataclass
from seqtool.errors import DataError, UsageError, at
from seqtool.files import inputs
from seqtool.files.inputs import Input
from seqtool.system.memory import Memory
from seqtool.tables import opening
from seqtool.tables.in_memory import table_of
from seqtool.tables.named_columns import columns_named, is_column, position
from seqtool.tables.roles import Roles
from seqtool.tables.table import Table
from seqtool.words import join_names, listed, name_meant, split_names

if TYPE_CHECKING:
    from seqtool.grouping.spec import GroupSpec

Part = Literal["label", "static"]
_SUFFIXES = (
    *(".csv", ".tsv", ".txt", ".json", ".jsonl", ".ndjson", ".parquet", ".arrow", ".feather"),
    *(".xlsx", ".xlsm", ".xlsb", ".xls", ".ods"),
)
_PACKED = (".gz", ".zst", ".bz2", ".xz", ".zip")


@dataclass(frozen=True)
class Elsewhere:
    """Columns of another table: `source` is the name of a file, or a table in memory, such as a DataFrame.

    `written` are the names as they stand in the call, since a column of the first table may have such a name.
    """

    source: Any
    columns: tuple[str | int, ...]
    written: tuple[str, ...] = ()

    def __str__(self) -> str:
        return join_names(self.written)

    def with_static(self, columns: Sequence[str]) -> Advice:
        """The advice to keep only these of the static columns; without any, to leave the option out."""
        named = ["--static", f"{self.source}:{join_names(columns)}"] if columns else []
        return Advice(*named, without=["--static", str(self)])

    @classmethod
    def in_text(cls, text: str) -> Elsewhere | None:
        """The columns that `FILE:A,B` names; None where no file stands before a colon.

        >>> Elsewhere.in_text("labels.csv:died").columns, Elsewhere.in_text("died")
        (('died',), None)
        """
        names = split_names(text)
        first = names[0] if names else ""
        colons = [place for place, letter in enumerate(first) if letter == ":"]
        files = [place for place in colons if Path(first[:place]).is_file()]
        like = [place for place in colons if _looks_like_file(first[:place])]
        place = next(iter([*reversed(files), *like]), None)
        if place is None:
            return None
        return cls(first[:place], (first[place + 1 :], *names[1:]), tuple(names))

    @classmethod
    def in_argument(cls, argument: Any) -> Elsewhere | None:
        """The columns that `(table, columns)` or a text names; None for columns of the first table."""
        if isinstance(argument, str):
            return cls.in_text(argument)
        if not isinstance(argument, tuple) or len(argument) != 2 or _is_column(argument[0]):
            return None
        source = os.fspath(argument[0]) if isinstance(argument[0], os.PathLike) else argument[0]
        return cls(source, tuple(columns_named(argument[1])))


def _is_column(value: Any) -> bool:
    """Whether a value is the name or the position of a column, such as a NumPy number, and no table."""
    return isinstance(value, (str, bytes, int)) or (hasattr(value, "shape") and not getattr(value, "ndim", 2))


def _looks_like_file(text: str) -> bool:
    """Whether a text ends as the name of a table does, packed or not."""
    name = text.lower()
    for suffix in _PACKED:
        name = name.removesuffix(suffix)
    return name.endswith(_SUFFIXES)


def parted(argument: Any, named: Callable[[Any], Sequence[str | int]]) -> list[Any]:
    """The columns of an argument, those of other tables as `Elsewhere`; `named` makes a list of the others."""
    whole = Elsewhere.in_argument(argument)
    if whole is not None:
        return [whole]
    if not isinstance(argument, (list, tuple)):
        return [*named(argument)]
    items = [(item, Elsewhere.in_argument(item)) for item in argument]
    if not any(elsewhere for _, elsewhere in items):
        return [*named(argument)]
    return [part for item, elsewhere in items for part in ([elsewhere] if elsewhere else named(item))]


@dataclass(frozen=True)
class Companion:
    """Another table, open, with the roles of its columns; `base_name` is that of its file, None without one."""

    table: Table
    roles: Roles
    base_name: str | None
    named: Elsewhere

    @property
    def names(self) -> list[str]:
        """The columns that are joined."""
        return [self.table.label(column) for column in (*self.roles.labels, *self.roles.all_static)]

    def recorded(self, part: Part) -> list[str]:
        """The columns of one part as a receipt names them."""
        columns = self.roles.labels if part == "label" else self.roles.all_static
        before = "" if self.base_name is None else f"{self.base_name}:"
        return [before + self.table.label(column) for column in columns]


@contextmanager
def companions(
    spec: GroupSpec, table: Table, *, folder: Path | None, memory: Memory
) -> Iterator[tuple[GroupSpec, list[Companion], list[Input]]]:
    """The spec without columns of other tables, these tables, open, and their files.

    Raises DataError for a file that is missing or no table, and for columns that a table lacks.
    """
    with ExitStack() as stack:
        chosen: list[tuple[_Open, Elsewhere, Part]] = []
        opened: list[tuple[Any, _Open]] = []
        own: dict[str, list[Any]] = {"label": [], "static": []}
        for part in ("label", "static"):
            argument = getattr(spec, part)
            for named in argument if isinstance(argument, (list, tuple)) else columns_named(argument):
                if not isinstance(named, Elsewhere):
                    own[part].append(named)
                elif named.written and table.named and name_meant(named.written[0], table.columns):
                    own[part] += named.written
                else:
                    other = next((table for source, table in opened if _same(source, named.source)), None)
                    if other is None:
                        other = _opened(named.source, spec, stack, folder, memory)
                        opened.append((named.source, other))
                    chosen.append((other, named, part))
        theirs = _categories_there(spec.category, chosen)
        of_table = replace(
            spec,
            label=own["label"],
            static=own["static"],
            category=[name for name in spec.category if name not in theirs],
        )
        keys = [table.label(column) for column in of_table.roles(table).key] if chosen else []
        if chosen and not keys:
            raise UsageError(
                "--no-key: columns of another table are joined by the key: ",
                Advice("--key", "COLUMN", without=["--no-key"]),
            )
        others = [_companion(other, named, part, keys, theirs) for other, named, part in chosen]
        _refuse_twice(others, own["static"])
        files = [item for _, other in opened for item in other.files]
        yield of_table, others, files


class _Open(NamedTuple):
    """Another table, the name of its file and the files, if there are any."""

    table: Table
    base_name: str | None
    files: tuple[Input, ...]


def _opened(source: Any, spec: GroupSpec, stack: ExitStack, folder: Path | None, memory: Memory) -> _Open:
    if not isinstance(source, str):
        return _Open(table_of(source), None, ())
    opened = inputs.opened([source], encoding=spec.text.encoding, temp_dir=folder, memory=memory)
    files = stack.enter_context(opened)
    return _Open(opening.open_tables(files, spec.text.of_others), files[0].base_name, tuple(files))


def _same(source: Any, other: Any) -> bool:
    """Whether two sources are the same file or object; tables are not compared, which would compare their cells."""
    return source is other or (isinstance(source, str) and isinstance(other, str) and source == other)


def _categories_there(
    categories: Sequence[Any], chosen: Sequence[tuple[_Open, Elsewhere, Part]]
) -> list[Any]:
    """The categories of a call that are static columns of other tables."""
    named = {str(name) for _, elsewhere, part in chosen if part == "static" for name in elsewhere.columns}
    return [name for name in categories if str(name) in named]


def _companion(
    other: _Open, named: Elsewhere, part: Part, keys: Sequence[str], categories: Sequence[Any]
) -> Companion:
    """The roles of the columns of another table, of which one call names some as labels or static numbers."""
    table = other.table
    with at(table.name):
        asked = tuple(position(table, column) for column in named.columns)
        if len({*asked}) < len(asked):
            raise UsageError(f"--{part} names a column of {table.name} twice")
        key = _key(table, keys, asked)
        as_names = {position(table, name) for name in categories if is_column(table, str(name))}
    roles = Roles(
        key=key,
        order=(),
        order_as={},
        features=(),
        spare_features=frozenset(),
        labels=asked if part == "label" else (),
        step_label=None,
        static=tuple(column for column in asked if column not in as_names) if part == "static" else (),
        chosen=True,
        static_categories=tuple(c for c in asked if c in as_names) if part == "static" else (),
    )
    return Companion(table, roles, other.base_name, named)


def _key(other: Table, keys: Sequence[str], asked: Sequence[int]) -> tuple[int, ...]:
    """The columns of the key there: those of the same names, or the only one that is not asked for."""
    names = [name if other.named else None for name in other.columns]
    same_names = [name_meant(name, names) for name in keys]
    if None not in same_names:
        return tuple(map(names.index, same_names))
    left = [
        column
        for column in range(len(other.columns))
        if column not in asked and not (other.named and other.columns[column] is None)
    ]
    if len(keys) == 1 and len(left) == 1:
        return (left[0],)
    missing = [name for name, found in zip(keys, same_names, strict=True) if found is None]
    columns = listed([repr(other.label(column)) for column in left]) or "no other"
    raise DataError(
        f"has no column {listed([*map(repr, missing)])} to be joined by, and {columns} besides what is asked for; give "
        "its column of keys the name that the key has in the first table"
    )


def _refuse_twice(others: Sequence[Companion], own: Sequence[Any]) -> None:
    """Raise UsageError where static columns of two tables have the same name."""
    tables = [[*map(str, own)], *([other.table.label(c) for c in other.roles.all_static] for other in others)]
    names = [name for table in tables for name in {*table}]  # within one table its own check says so
    twice = next((name for name in names if names.count(name) > 1), None)
    if twice is not None:
        raise UsageError(f"--static names {twice!r} of two tables; rename one of them")
