"""Arrays of NumPy as tensors, and the types that both have."""

from __future__ import annotations

from typing import Any

import numpy as np
import torch

from seqtool.errors import UsageError


def as_tensor(array: Any) -> Any:
    """A tensor of an array of numbers; text becomes a list, for there is no tensor of it, and all else stays."""
    if not isinstance(array, np.ndarray):
        return array
    return array.tolist() if array.dtype.kind in "UT" else torch.from_numpy(array)


def in_numpy(dtype: torch.dtype) -> np.dtype[Any]:
    """The same type in NumPy; raises UsageError for one that NumPy lacks."""
    try:
        found: np.dtype[Any] = torch.empty(0, dtype=dtype).numpy().dtype
        return found
    except (TypeError, RuntimeError):
        raise UsageError(
            f"dtype is {dtype}; a dtype that NumPy also has was expected, such as torch.float32; a batch is cast with "
            "batch.x.to(dtype)"
        ) from None
