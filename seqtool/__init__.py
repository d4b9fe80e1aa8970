"""Turn tables of variable-length sequences into tensors that any recurrent network can train on.

>>> import numpy as np, seqtool as st
>>> st.pad([[1], [2, 3], [4, 5, 6]], padding="post").x
array([[1, 0, 0],
       [2, 3, 0],
       [4, 5, 6]])
>>> st.group(np.array([[0, 5], [1, 6], [0, 7]]), key=0).lengths
array([2, 1])
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

from seqtool.operations import OPERATIONS

if TYPE_CHECKING:
    from seqtool.api import group
    from seqtool.errors import DataError, SeqtoolError, UsageError
    from seqtool.files.npz import load, save
    from seqtool.operations.concat import concat
    from seqtool.operations.pad import unpad
    from seqtool.recipes.transformer import recipe
    from seqtool.sequences.ragged import Padded, Ragged
    from seqtool.sequences.validation import step_mask
    from seqtool.sources.pad import pad
    from seqtool.unpadding.rows import to_frame

# Loaded when first used, so that `seqtool --help` does not wait for numpy.
_HOMES = {
    "DataError": "errors",
    "Padded": "sequences.ragged",
    "Ragged": "sequences.ragged",
    "SeqtoolError": "errors",
    "UsageError": "errors",
    "concat": "operations.concat",
    "group": "api",
    "load": "files.npz",
    "pad": "sources.pad",
    "recipe": "recipes.transformer",
    "save": "files.npz",
    "step_mask": "sequences.validation",
    "to_frame": "unpadding.rows",
    "unpad": "operations.pad",
}
_HOMES |= {name: f"operations.{name}" for name in OPERATIONS}
__all__ = [
    "DataError",
    "Padded",
    "Ragged",
    "SeqtoolError",
    "UsageError",
    "concat",
    "group",
    "load",
    "pad",
    "recipe",
    "save",
    "step_mask",
    "to_frame",
    "unpad",
]
__all__ += OPERATIONS


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module 'seqtool' has no attribute {name!r}")
    return getattr(importlib.import_module(f"seqtool.{_HOMES[name]}"), name)


def __dir__() -> list[str]:
    return __all__
