"""Six lines that load a file with NumPy alone; the first one is a comment with the command that wrote them."""

from __future__ import annotations

from seqtool.codegen.filling import filled
from seqtool.sequences.once import is_once
from seqtool.sequences.ragged import Padded, Ragged

_RAGGED = """
import numpy as np
with np.load($path) as file:
    values, offsets$names = file["values"], file["offsets"]$loaded
sequences = np.split(values, offsets[1:-1])
print(f"{len(sequences):,} sequences, the first {sequences[0].shape} {values.dtype}")
"""

_ONCE = """
import numpy as np
with np.load($path) as file:
    values, starts, lengths$names = file["values"], file["starts"], file["lengths"]$loaded
sequences = [values[start : start + length] for start, length in zip(starts, lengths)]
print(f"{len(sequences):,} sequences, the first {sequences[0].shape} {values.dtype}")
"""

_PADDED = """
import numpy as np
with np.load($path) as file:
    x, lengths$names = file["x"], file["lengths"]$loaded
mask = $mask
print(f"{len(x):,} sequences, {mask.sum():,} real steps, x {x.shape} {x.dtype}")
"""


def program_text(data: Ragged | Padded, *, path: str) -> str:
    """The lines after the first; `path` is a literal."""
    arrays = {**data.per_sequence, **data.per_step, **data.names}
    labels = [name for name in ("y", "step_y", "classes", "step_classes") if name in arrays]
    ragged = _ONCE if isinstance(data, Ragged) and is_once(data) else _RAGGED
    return filled(
        ragged if isinstance(data, Ragged) else _PADDED,
        path=path,
        names="".join(f", {name}" for name in labels),
        loaded="".join(f', file["{name}"]' for name in labels),
        mask=mask_of(data) if isinstance(data, Padded) else "",
    )


def mask_of(data: Padded) -> str:
    """An expression for the mask, true where a step of x is real."""
    slots = "np.arange(x.shape[1])"
    return (
        f"{slots} < lengths[:, None]"
        if data.padding == "post"
        else f"{slots} >= x.shape[1] - lengths[:, None]"
    )
