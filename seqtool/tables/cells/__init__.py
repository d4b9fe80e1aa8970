"""Turns the cells of a column into numbers, keys, labels or order values, batch by batch.

Each column starts with the narrowest type and widens when a later batch needs it: integers to floats, integer keys to
text. Widening never loses what was written, so the result does not depend on how the batches were cut.

Every kind of column has a state, plain values that pickle and `merge` in any order; a function `read_...` from a batch
to arrays and the state of that batch; and a class that holds the state of the column while batches are encoded. Begin
with `column` and `number_state`.
"""

from seqtool.tables.cells.cells import (
    BadCell,
    BadCellError,
    Row,
    UnseenError,
    earliest,
    is_text,
    missing_words,
    plain,
    reads_as_missing,
    row_of,
)
from seqtool.tables.cells.keys import Keys, KeyState
from seqtool.tables.cells.label_meaning import are_numbers, label_number
from seqtool.tables.cells.labels import Labels, LabelState, encode_labels, read_labels, several_meanings
from seqtool.tables.cells.number_reading import is_numeric
from seqtool.tables.cells.number_state import Loss, NumberState
from seqtool.tables.cells.numbers import Numbers, bad_number
from seqtool.tables.cells.order import Order
from seqtool.tables.cells.order_state import OrderState

__all__ = [
    "BadCell",
    "BadCellError",
    "KeyState",
    "Keys",
    "LabelState",
    "Labels",
    "Loss",
    "NumberState",
    "Numbers",
    "Order",
    "OrderState",
    "Row",
    "UnseenError",
    "are_numbers",
    "bad_number",
    "earliest",
    "encode_labels",
    "is_numeric",
    "is_text",
    "label_number",
    "missing_words",
    "plain",
    "read_labels",
    "reads_as_missing",
    "row_of",
    "several_meanings",
]
