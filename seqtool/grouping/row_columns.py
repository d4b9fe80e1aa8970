"""The names of the columns of encoded rows, which the encoder fills, and the kernel sorts, folds and groups by.

They tell the part that a column of the table plays, and which it is: a column may play several parts.
"""

from __future__ import annotations

STEP_LABEL = "step label"
ITEM = "item"  # of a long table: the code of the name of its feature
ROW = "row"  # the number of the row in the input
_KEY = "key "
SHARD = "shard"  # that the sequence of the row goes to


def key_name(number: int) -> str:
    """The name of a column of the key, counted from 0."""
    return f"{_KEY}{number}"


def is_key(name: str) -> bool:
    """Whether this is the name of a column of the key."""
    return name.startswith(_KEY)


def order_name(column: int, part: int) -> str:
    """The name of one of the parts of the values of an order column; some times have a second one, nanoseconds."""
    return f"order {column}.{part}"


def feature_name(column: int) -> str:
    """The name of a feature."""
    return f"feature {column}"


def static_name(column: int) -> str:
    """The name of a column of numbers that are constant within a sequence."""
    return f"static {column}"


def label_name(number: int) -> str:
    """The name of a label of sequences, counted from 0."""
    return f"label {number}"


def category_name(number: int) -> str:
    """The name of a category of steps, counted from 0."""
    return f"category {number}"


def static_category_name(number: int) -> str:
    """The name of a category of sequences, counted from 0."""
    return f"static category {number}"
