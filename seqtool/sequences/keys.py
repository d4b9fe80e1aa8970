"""Keys of sequences, as a person reads them."""

from __future__ import annotations

from seqtool.arrays.lazy import AnyArray
from seqtool.arrays.text import Text


def shown_key(keys: AnyArray | Text, i: int) -> str:
    """A key as a person reads it, its columns with blanks between them."""
    key = keys[i : i + 1].tolist()[0]
    return " ".join(map(str, key)) if isinstance(key, list) else str(key)
