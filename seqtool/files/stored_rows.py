"""Files of ours that hold rows, opened: their arrays, as an `.npz` holds them, are gathered in a spool once."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping
from functools import cached_property
from math import prod
from pathlib import Path
from typing import Any

import numpy as np

from seqtool.arrays.dtypes import Array
from seqtool.arrays.lazy import AnyArray
from seqtool.arrays.spool import Spool, running_sums
from seqtool.arrays.text import Text
from seqtool.errors import DataError, UsageError
from seqtool.files.contents import encoded
from seqtool.files.npy import FlatArray
from seqtool.files.row_layout import Layout, parse_layout
from seqtool.files.stored import StoredArrays
from seqtool.sequences.padding_values import Side, Value, check_side, number_from_json, value_from_json
from seqtool.sequences.stream import fill
from seqtool.system.memory import Memory

_COPIES, _EACH = 3, 24  # of a sequence in memory, and the bytes that each of its cells takes: measured


class StoredRows(StoredArrays):
    """The arrays of a file of rows that seqtool wrote; `batches(layout)` reads its rows, as batches of Arrow.

    Rows hold no padding: the arrays of a padded file are padded when they are read, and `unpadded` does without.
    """

    def __init__(
        self,
        name: str,
        meta: str,
        batches: Callable[[Layout], Iterator[Any]],
        *,
        memory: Memory | None = None,
        temporary: Path | None = None,
    ) -> None:
        self.description, self.layout = parse_layout(meta, name)
        self._padding, self._values = _padding_of(self.description, self.layout, name)
        load = self._ragged if self.layout.maxlen is None else self._padded
        super().__init__(name, meta, load, memory=memory, mapped=False)
        self._batches, self._spool = batches, Spool(temporary)
        longest = self.layout.longest_takes(_COPIES, _EACH)
        self.memory.check_whole(f"{name}: its longest sequence", longest)

    def unpadded(self) -> StoredArrays:
        """The same arrays as a file of ragged sequences holds them."""
        meta = json.dumps({**self.description, "kind": "ragged"})
        return StoredArrays(self.name, meta, self._ragged, memory=self.memory, mapped=False)

    @cached_property
    def _rows(self) -> Mapping[str, AnyArray | Text]:
        """All arrays by name; raises DataError where they are not those of the description."""
        from seqtool.files.row_batches import arrays_of

        found = arrays_of(self._batches(self.layout), self.layout, self.name, self._spool)
        try:
            tables = self.layout.named_tables()
        except (KeyError, ValueError, TypeError, OverflowError) as error:
            raise DataError(f"{self.name}[meta]: damaged: a table of names: {error}") from None
        return {**found, **tables}

    @cached_property
    def _offsets(self) -> AnyArray:
        lengths = self._rows["lengths"]
        assert not isinstance(lengths, Text)
        return running_sums(lengths, self._spool)

    def _ragged(self) -> dict[str, AnyArray]:
        return _stored({**self._rows, "offsets": self._offsets})

    def _padded(self) -> dict[str, AnyArray]:
        blocks = {name: self._block(self._rows[name], value) for name, value in self._values.items()}
        rows = {
            "x" if name == "values" else name: blocks.get(name, rows) for name, rows in self._rows.items()
        }
        return _stored(rows)

    def _block(self, steps: Any, value: Value) -> AnyArray:
        """Steps (S, ...) as a block (N, T, ...) that is padded when it is read."""
        slots, tail, offsets = self.layout.maxlen or 0, steps.shape[1:], self._offsets
        width = slots * prod(tail)

        def cells(begin: int, end: int) -> Array:
            first, last = begin // width, -(-end // width)
            block = np.empty((last - first, slots, *tail), steps.dtype)
            fill(block, steps, value, offsets[first : last + 1], self._padding)
            return block.reshape(-1)[begin - first * width : end - first * width]

        return FlatArray((self.layout.sequences, slots, *tail), steps.dtype, cells)


def _padding_of(meta: Mapping[str, Any], layout: Layout, name: str) -> tuple[Side, dict[str, Value]]:
    """The side that is padded, and what padding holds in each array of steps; raises DataError where it is damaged."""
    if layout.maxlen is None:
        return "post", {}
    try:
        if layout.maxlen < layout.longest:
            raise ValueError(f"{layout.maxlen} slots, and a sequence of {layout.longest}")
        values = {"values": value_from_json(meta["value"])}
        steps = [stored.name for stored in layout.arrays if stored.per_step and stored.name != "values"]
        values |= {step: number_from_json(meta["step_values"][step]) for step in steps}
        return check_side("padding", meta["padding"]), values
    except (KeyError, TypeError, ValueError, UsageError) as error:
        raise DataError(f"{name}[meta]: damaged: the padding: {error}") from None


def _stored(rows: Mapping[str, AnyArray | Text]) -> dict[str, AnyArray]:
    """Arrays as a file of arrays holds them: of text without a width, the bytes, the offsets and the shape."""
    found: dict[str, AnyArray] = {}
    for name, array in rows.items():
        if not isinstance(array, Text) and array.dtype.kind != "T":
            found[name] = array
            continue
        text = array if isinstance(array, Text) else encoded(name, np.asarray(array))
        found |= {name: text.data, f"{name}_offsets": text.offsets, f"{name}_shape": np.array(text.shape)}
    return found
