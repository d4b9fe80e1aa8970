"""Keys of sequences, as a person reads them."""

from __future__ import annotations

from seqtool.arrays.lazy import AnyArray
from seqtool.arrays.text import Text
from seqtool.words import shortened


def shown_key(keys: AnyArray | Text, i: int, *, part: AnyArray | None = None) -> str:
    """The key of sequence i as a person reads it, its columns with blanks between them, and its part if there is one.

    >>> import numpy as np
    >>> shown_key(np.array([["a", "x"], ["b", "y"]]), 1, part=np.array([0, 5]))
    'b y, part 5'
    """
    key = keys[i : i + 1].tolist()[0]
    text = shortened(" ".join(map(str, key)) if isinstance(key, list) else str(key))
    return text if part is None else f"{text}, part {int(part[i : i + 1][0])}"
