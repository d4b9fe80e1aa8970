"""How far the tests hunt for what is wrong: everywhere where SEQTOOL_THOROUGH is set, else less far.

.ci/run sets it for damage in files.

What is left out is more of the same: other examples of a property, other bits of a file.
"""

from __future__ import annotations

import os
from collections.abc import Iterable

THOROUGH = "SEQTOOL_THOROUGH" in os.environ


def examples(count: int) -> int:
    """How many of so many examples Hypothesis tries.

    >>> examples(100) in (12, 100)
    True
    """
    return count if THOROUGH else count // 8


def some(places: Iterable[int]) -> list[int]:
    """All of the places, or one in 13: of bits that follow one another, all eight of a byte have their turn.

    >>> len(some(range(26))) in (2, 26)
    True
    """
    return [*places][:: 1 if THOROUGH else 13]
