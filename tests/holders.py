"""Classes that offer their cells as the libraries of others do, for tests that must not need these."""

from typing import Any

import numpy as np


class Capsule:
    """Offers Arrow data by its stream alone, as a DuckDB relation or a polars frame does."""

    def __init__(self, held: Any) -> None:
        self._held = held

    def __arrow_c_stream__(self, requested_schema: Any = None) -> Any:
        return self._held.__arrow_c_stream__(requested_schema)


class CapsuleArray:
    """Offers one Arrow array, or record batch, alone."""

    def __init__(self, held: Any) -> None:
        self._held = held

    def __arrow_c_array__(self, requested_schema: Any = None) -> Any:
        return self._held.__arrow_c_array__(requested_schema)


class Tensor:
    """Offers `__array__` alone, and its items are tensors again, as those of PyTorch and TensorFlow are."""

    def __init__(self, cells: Any) -> None:
        self._cells = np.asarray(cells)
        self.dtype = "no dtype of NumPy's"

    def __array__(self, dtype: Any = None, copy: bool | None = None) -> Any:
        return self._cells if dtype is None else self._cells.astype(dtype)

    def __len__(self) -> int:
        return len(self._cells)

    def __getitem__(self, index: int) -> Any:
        return Tensor(self._cells[index])


class Holder:
    """Offers `to_numpy` alone."""

    def __init__(self, cells: Any) -> None:
        self._cells = np.asarray(cells)

    def to_numpy(self) -> Any:
        return self._cells
