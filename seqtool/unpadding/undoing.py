"""Taking back what operations did to the numbers of steps, by their inverses: `unpad --raw`."""

from __future__ import annotations

import importlib
from collections.abc import Mapping, Sequence
from math import prod
from typing import Any

import numpy as np

from seqtool.arrays.dtypes import Array
from seqtool.arrays.lazy import span
from seqtool.arrays.spool import Spool
from seqtool.operations import OPERATIONS
from seqtool.operations.operation import Operation
from seqtool.operations.run import fit_state, with_operation_entry
from seqtool.sequences.ragged import Ragged, Receipt


def undone(ragged: Ragged, spool: Spool) -> tuple[Ragged, list[str]]:
    """The same sequences before scale, encode and the like, the last of them taken back first; and their names.

    What keeps nothing by which it could be taken back stays, such as scale --per-sequence.

    >>> import seqtool as st
    >>> found, names = undone(st.scale([[1.0, 2.0], [6.0]], method="minmax"), Spool())
    >>> np.asarray(found.values).tolist(), names
    ([1.0, 2.0, 6.0], ['scale'])
    """
    names = []
    for command in reversed(_to_undo(ragged.receipt)):
        operation = _inverse(command)
        state, _ = fit_state(operation, ragged, spool=spool)
        outcome = operation.apply(ragged, state, spool=spool)
        steps = span(ragged.lengths).total
        ragged = with_operation_entry(outcome.ragged, operation, state, [], outcome, steps=steps)
        names.append(command)
    return ragged, names


def _to_undo(receipt: Sequence[Mapping[str, Any]]) -> list[str]:
    """The commands that were done and not taken back, in their order, of those that can be."""
    found: list[str] = []
    for entry in receipt:
        command = str(entry.get("command"))
        flag = _class(command).undoes if command in OPERATIONS else None
        if flag is None:
            continue
        if entry.get("arguments", {}).get(flag):
            places = [i for i, name in enumerate(found) if name == command]
            del found[places[-1] : places[-1] + 1]
        elif "state" in entry:
            found.append(command)
    return found


def _class(command: str) -> type[Operation]:
    kind: type[Operation] = getattr(importlib.import_module(f"seqtool.operations.{command}"), command.title())
    return kind


def _inverse(command: str) -> Operation:
    kind = _class(command)
    return kind(**{str(kind.undoes): True})


def undone_features(cells: Array, places: Sequence[int], ragged: Ragged, receipt: Receipt) -> Array:
    """Numbers (n, K) of the features at some places of `ragged` before the scaling that a receipt tells of, (n, K)."""
    scales = tuple(entry for entry in receipt if entry.get("command") == "scale")
    if not _to_undo(scales):
        return cells
    width = () if ragged.values.ndim == 1 else ragged.values.shape[1:]
    steps = np.zeros((len(cells), *width), np.float64)
    whole = steps.reshape(len(cells), prod(width))
    whole[:, [*places]] = cells
    alone = Ragged(steps, np.array([0, len(cells)]), features=ragged.features, receipt=scales)
    with Spool() as spool:
        before, _ = undone(alone, spool)
        found: Array = np.asarray(before.values).reshape(len(cells), prod(width))[:, [*places]]
    return found.astype(cells.dtype, copy=False) if cells.dtype.kind == "f" else found


def kept_scales(receipt: Receipt) -> int:
    """How many times sequences were scaled each by its own numbers, which is not taken back."""
    scales = (entry for entry in receipt if entry.get("command") == "scale")
    return sum(bool(entry.get("arguments", {}).get("per_sequence")) for entry in scales)
