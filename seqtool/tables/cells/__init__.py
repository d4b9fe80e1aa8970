"""From the cells of a column to numbers and keys, batch by batch, the same however the batches were cut.

Each column starts with the narrowest type that its cells allow and widens when a later batch needs it:
integers to floats, integer keys to text. Widening never loses what was written, so the first odd value may
stand anywhere.
"""

from seqtool.tables.cells.cells import BadCellError, is_text, missing_words, plain, row_of
from seqtool.tables.cells.keys import Keys
from seqtool.tables.cells.labels import Labels
from seqtool.tables.cells.numbers import Loss, Numbers, is_numeric
from seqtool.tables.cells.order import Order

__all__ = [
    "BadCellError",
    "Keys",
    "Labels",
    "Loss",
    "Numbers",
    "Order",
    "is_numeric",
    "is_text",
    "missing_words",
    "plain",
    "row_of",
]
