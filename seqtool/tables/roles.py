"""The roles of the columns of a table: key, order, feature, label, static number."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence, Set
from dataclasses import replace
from typing import Literal

from seqtool.advice import Advice, Message
from seqtool.dataclass import dataclass
from seqtool.errors import DataError, UsageError
from seqtool.tables.named_columns import columns_named, is_column, position
from seqtool.tables.table import Table
from seqtool.words import join_names

LabelKind = Literal["class", "number"]


@dataclass(frozen=True)
class OrderAs:
    """How an order column is read: as `text`, or as times of a strptime format; `descending`: the highest first."""

    text: bool = False
    time_format: str | None = None
    descending: bool = False

    def __str__(self) -> str:
        reading = "text" if self.text else self.time_format
        return "".join(f":{part}" for part in (reading, "desc" if self.descending else None) if part)


PLAIN_ORDER = OrderAs()


@dataclass(frozen=True)
class Roles:
    """The columns of a table by their roles, each as a position.

    `spare_features` are key columns of a table without names: they are features if they hold numbers. In a long table
    `item` is the column of the names of features, and `items` are those to be kept. `order_as` holds how order columns
    are read, where the call says so; `chosen`: the call names the features. `time` tells the time between steps;
    `categories` hold names of steps, `static_categories` of sequences.
    """

    key: tuple[int, ...]
    order: tuple[int, ...]
    order_as: Mapping[int, OrderAs]
    features: tuple[int, ...]
    spare_features: frozenset[int]
    labels: tuple[int, ...]
    step_label: int | None
    static: tuple[int, ...]
    chosen: bool = False
    item: int | None = None
    items: tuple[str, ...] | None = None
    time: int | None = None
    categories: tuple[int, ...] = ()
    static_categories: tuple[int, ...] = ()

    @property
    def as_written(self) -> frozenset[int]:
        """The columns whose cells are compared as written: keys, labels, categories, and names of features."""
        single = [column for column in (self.step_label, self.item) if column is not None]
        return frozenset({*self.key, *self.labels, *self.categories, *self.static_categories, *single})

    @property
    def all_static(self) -> tuple[int, ...]:
        """The columns that are constant within a sequence: static numbers, then static categories."""
        return (*self.static, *self.static_categories)

    @property
    def used(self) -> tuple[int, ...]:
        """Every column that must be read, in file order."""
        return tuple(sorted({*self.as_written, *self.order, *self.features, *self.static}))

    def without_feature(self, column: int) -> Roles:
        """The same roles, but this column is no feature."""
        return replace(
            self,
            features=tuple(other for other in self.features if other != column),
            spare_features=self.spare_features - {column},
        )

    def without_features(self, names: Sequence[str], table: Table) -> Roles:
        """The same roles, but the columns with these names are no features."""
        return replace(self, features=tuple(c for c in self.features if table.label(c) not in names))

    def key_alone(self) -> Roles:
        """The roles of the key columns alone."""
        return Roles(self.key, (), {}, (), frozenset(), (), None, ())


def resolve(
    table: Table,
    *,
    key: Sequence[str | int],
    order_by: Sequence[str | int] = (),
    columns: Sequence[str | int] | None = None,
    drop: Sequence[str | int] = (),
    keep_key: bool | None = None,
    label: str | int | Sequence[str | int] | None = None,
    step_label: str | int | None = None,
    static: Sequence[str | int] = (),
    category: Sequence[str | int] = (),
) -> Roles:
    """Find the columns that a call names, and decide which of the others are features.

    In a table without names every column is a feature, the key included. In one with names the key, order, label and
    static columns are not, unless `columns` names them; `keep_key` decides for the key. Names (`category`) never are.

    Of the parts of a pattern of paths, {key} is the key and {label} the label, unless others are named; each other part
    is static, unless it has another role. Columns that come from paths are features only if `columns` names them. Where
    blank lines end sequences, their counter is a part of the key.

    Raises UsageError for columns that are named twice, and DataError for an unknown column.
    """
    named = _named_columns(
        table,
        key=key,
        order_by=order_by,
        columns=columns,
        drop=drop,
        label=columns_named(label),
        step_label=step_label,
        static=static,
        category=category,
    )
    features = _features(table, named, keep_key)
    if not features and {*named.categories} <= {*named.static}:
        numbers = [column for column, read_as in named.order if read_as == PLAIN_ORDER and columns is None]
        orders = [table.label(column) for column in numbers]
        raise DataError(*_nothing_left(orders, drop=bool(drop), drop_key=keep_key is False))
    assumed = not table.named and columns is None and keep_key is None
    return Roles(
        key=named.key,
        order=tuple(column for column, _ in named.order),
        order_as={column: read_as for column, read_as in named.order if read_as != PLAIN_ORDER},
        features=tuple(features),
        spare_features=frozenset(named.key) - {*table.of_files} - table.hidden if assumed else frozenset(),
        labels=named.labels,
        step_label=named.step_label,
        static=tuple(column for column in named.static if column not in named.categories),
        chosen=columns is not None,
        categories=tuple(column for column in named.categories if column not in named.static),
        static_categories=tuple(column for column in named.static if column in named.categories),
    )


@dataclass(frozen=True)
class _NamedColumns:
    """The columns that a call names, as positions, by what it names them for; `features` is None where it names none.

    A column may have several roles: a category that is static too holds names of sequences.
    """

    key: tuple[int, ...]
    order: tuple[tuple[int, OrderAs], ...]
    labels: tuple[int, ...]
    step_label: int | None
    static: tuple[int, ...]
    categories: tuple[int, ...]
    dropped: tuple[int, ...]
    features: tuple[int, ...] | None


def _named_columns(
    table: Table,
    *,
    key: Sequence[str | int],
    order_by: Sequence[str | int],
    columns: Sequence[str | int] | None,
    drop: Sequence[str | int],
    label: Sequence[str | int],
    step_label: str | int | None,
    static: Sequence[str | int],
    category: Sequence[str | int],
) -> _NamedColumns:
    """Find the columns of each role, those that come from paths and from blank lines among them."""

    def found(option: str, names: Sequence[str | int]) -> tuple[int, ...]:
        return tuple(position(table, name, option, names) for name in names)

    keys = found("--key", key) or _part(table, "key")
    keys += () if table.counter is None else (table.counter,)
    order = tuple(order_named(table, name) for name in order_by)
    labels = found("--label", label) or _part(table, "label")
    step = None if step_label is None else position(table, step_label, "--step-label")
    statics, categories = found("--static", static), found("--category", category)
    dropped = _in_cells(table, found("--drop", drop))
    ordering = tuple(column for column, _ in order)
    once = {
        "--key": keys,
        "--static": statics,
        "--label": labels,
        "--category": categories,
        "--order-by": ordering,
    }
    for option, places in once.items():
        _refuse_twice(table, option, places)
    features = _in_cells(table, found("--columns", columns or ()))
    _refuse_twice(table, "--columns", features)
    taken = {*keys, *ordering, *labels, *statics, *categories, *dropped, *features, step}
    statics += tuple(
        place for place, column in table.of_files.items() if column.part is not None and place not in taken
    )
    chosen = None if columns is None else features
    return _NamedColumns(keys, order, labels, step, statics, categories, dropped, chosen)


def _features(table: Table, named: _NamedColumns, keep_key: bool | None) -> list[int]:
    """The features: those that the call names, or else all columns without another role; the key as `keep_key` says."""
    if named.features is not None:
        features = [column for column in named.features if column not in named.categories]
    else:
        others = {*named.dropped, *named.static, *named.labels, *named.categories}
        others |= set() if named.step_label is None else {named.step_label}
        if table.named:
            others |= {*named.key, *(column for column, _ in named.order)}
        features = _default_features(table, others)
    if keep_key is False:
        return [column for column in features if column not in named.key]
    if keep_key is True:
        features += [column for column in named.key if column not in features]
        return sorted(features) if named.features is None else features
    return features


def _default_features(table: Table, excluded: Set[int]) -> list[int]:
    """The features of a call that names none: all columns with names but those `excluded`, lists by their cells."""
    if table.named:
        excluded = excluded | {i for i, name in enumerate(table.columns) if name is None} | table.index
    never = excluded | {*table.of_files} | table.hidden
    columns = [column for column in range(len(table.columns)) if column not in never]
    return [column for column in _in_cells(table, columns) if column not in excluded]


def _part(table: Table, name: str) -> tuple[int, ...]:
    """The column for the part of this name in a pattern of paths, if there is one."""
    place = table.part(name)
    return () if place is None else (place,)


def _in_cells(table: Table, columns: Sequence[int]) -> tuple[int, ...]:
    """Columns, in which a list column is replaced by the columns of its single cells."""
    return tuple(cell for column in columns for cell in table.elements.get(column, (column,)))


def _nothing_left(orders: Sequence[str], *, drop: bool, drop_key: bool) -> Iterator[object]:
    """The parts of the error that no column is left to be a feature, with the advice which one may be a feature too."""
    yield "no column is left to be a feature; "
    if orders:
        columns = Advice("--columns", join_names(orders), without=["--drop"] if drop else [])
        yield Message("if what tells the order is numbers, it may be one too: ", columns, "; ")
    yield Message(
        "if the key is a number, it may be one too: ",
        Advice("--keep-key", without=["--drop-key"] if drop_key else []),
    )


def _refuse_twice(table: Table, option: str, columns: Sequence[int]) -> None:
    twice = next((column for column, times in Counter(columns).items() if times > 1), None)
    if twice is not None:
        raise UsageError(f"{option} names column {table.label(twice)!r} twice")


def order_named(table: Table, wanted: str | int) -> tuple[int, OrderAs]:
    """The column of `--order-by C`, and how to read it by a suffix :text, :desc or :FORMAT, unless C is a column."""
    name, read_as = (text := str(wanted)), PLAIN_ORDER
    if not is_column(table, name) and name.endswith(":desc"):
        name, read_as = name.removesuffix(":desc"), OrderAs(descending=True)
    if not is_column(table, name) and name.endswith(":text"):
        column = position(table, name.removesuffix(":text"), "--order-by", whole=text)
        return column, replace(read_as, text=True)
    if not is_column(table, name) and "%" in name and ":" in name:
        return _time_order(table, name, read_as)
    return position(table, name, "--order-by", whole=text), read_as


def _time_order(table: Table, text: str, read_as: OrderAs) -> tuple[int, OrderAs]:
    """The column and the format of `C:FORMAT`, split at the last colon that follows the name of a column."""
    from seqtool.tables.cells.times import check_time_format

    colons = [place for place, letter in enumerate(text) if letter == ":" and "%" in text[place:]]
    colon = max((place for place in colons if is_column(table, text[:place])), default=colons[0])
    column, time_format = position(table, text[:colon], "--order-by", whole=text), text[colon + 1 :]
    check_time_format(time_format)
    return column, replace(read_as, time_format=time_format)
