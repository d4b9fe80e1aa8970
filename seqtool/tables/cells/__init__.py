"""From the cells of a column to numbers and keys, batch by batch, the same however the batches were cut.

Each column starts with the narrowest type that its cells allow and widens when a later batch needs it:
integers to floats, integer keys to text. Widening never loses what was written, so the first odd value may
stand anywhere.

For each kind of column there is a state, plain values that pickle and `merge` in any order; a function
`read_...` from a batch to its arrays and what it adds to the state; and a class that puts both together: its state
grows while batches are encoded, or is final, and then every batch comes out as the same type.
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
from seqtool.tables.cells.number_state import Loss, NumberState
from seqtool.tables.cells.numbers import Numbers, bad_number, is_numeric
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
