"""The two types of sequences: `Ragged` (sequences end to end) and `Padded` (one block).

N sequences, T slots each (the padded length), F features a step, S steps in all. A step may have several
dimensions, as the frames (H, W, C) of a video do. Wherever an array may be larger than memory, it may be a
`seqtool.arrays.lazy.Lazy`, which is read in chunks.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator, Mapping
from dataclasses import field
from typing import Any, Self, SupportsIndex

import numpy as np

from seqtool.arrays.array_likes import as_array, kind_of
from seqtool.arrays.dtypes import Array
from seqtool.arrays.lazy import AnyArray, Lazy
from seqtool.arrays.text import Text
from seqtool.dataclass import dataclass
from seqtool.errors import DataError, names_fields
from seqtool.sequences.items import (
    padded_item,
    padded_items,
    padded_line,
    place_of_key,
    ragged_item,
    ragged_items,
    ragged_line,
)
from seqtool.sequences.once import is_once, underlying
from seqtool.sequences.padding_values import Side, Value, as_value
from seqtool.sequences.validation import (
    check_aligned,
    check_count,
    check_numeric,
    check_offsets,
    check_padding_cells,
    check_parts,
    step_mask,
)

Receipt = tuple[Mapping[str, Any], ...]
"""What was done so far, an entry for each command; see `seqtool.sequences.receipts`."""


@dataclass(frozen=True, eq=False)
class StepArray:
    """A further array with a row for each step (labels, row numbers), and the value that pads it."""

    data: AnyArray
    value: float

    def __post_init__(self) -> None:
        object.__setattr__(self, "data", as_array("a per-step array", self.data))
        check_numeric("a per-step array", self.data)


@dataclass(frozen=True, eq=False, repr=False)
class Ragged:
    """Sequences end to end, as Arrow lays out a list column.

    `values` is (S, F); (S,) where a step is a single number such as a token id; (S, H, W, C) or the like where a step
    is an array. Sequence i is `values[offsets[i]:offsets[i + 1]]`. `per_step` arrays are (S, ...) and are cut and
    padded with the values; `per_sequence` arrays are (N, ...) and stay with their sequences; `names` are small tables
    for all sequences (`classes`, `static_features`; with several labels `label_names`, and `classes_i` for label i).
    `data[i]` and iteration give the steps of sequences. `padding` and `value` are those of the block that `unpad` took
    the sequences from: `pad` uses them by default, and files do not store them.

    Raises DataError when the parts do not fit together.

    >>> import numpy as np
    >>> ragged = Ragged(np.array([[1, 2], [3, 4], [5, 6]]), np.array([0, 1, 3]))
    >>> len(ragged), ragged.lengths.tolist()
    (2, [1, 2])
    >>> ragged, ragged[-1].tolist()
    (Ragged(2 sequences, 3 steps, 2 features int64), [[3, 4], [5, 6]])
    """

    values: AnyArray
    offsets: AnyArray
    keys: AnyArray | Text | None = None
    features: tuple[str, ...] | None = None
    per_step: Mapping[str, StepArray] = field(default_factory=dict)
    per_sequence: Mapping[str, AnyArray] = field(default_factory=dict)
    names: Mapping[str, AnyArray | Text] = field(default_factory=dict)
    receipt: Receipt = ()
    padding: Side | None = None
    value: Value | None = None

    @names_fields
    def __post_init__(self) -> None:
        _take_arrays(self, "values", "offsets")
        check_numeric("values", self.values)
        if not self.values.ndim:
            raise DataError(
                f"values has shape {self.values.shape}; (S, F), (S,) or (S, H, W, C) was expected"
            )
        check_offsets(self.offsets, len(self.values))
        for name, array in self.per_step.items():
            check_count(name, array.data, len(self.values), "steps")
        check_aligned(self, len(self), self.values.shape[1:])

    def __len__(self) -> int:
        return len(self.offsets) - 1

    def __getitem__(self, index: SupportsIndex) -> Array:
        return ragged_item(self.values, self.offsets, index)

    def __iter__(self) -> Iterator[Array]:
        return ragged_items(self.values, self.offsets)

    def __repr__(self) -> str:
        return ragged_line(self)

    def key(self, key: Any, part: int | None = None) -> Array:
        """The steps of the sequence with a key, a tuple for one of several columns; of shards no other is read.

        Raises KeyError where no sequence has it, or several have, of which `part` chooses one.
        """
        return self[place_of_key(self, key, part)]

    @property
    def lengths(self) -> AnyArray:
        """The number of steps of each sequence, (N,) int64."""
        offsets = self.offsets
        if isinstance(offsets, np.ndarray):
            return offsets[1:] - offsets[:-1]
        return Lazy((len(self),), np.dtype(np.int64), lambda begin, end: np.diff(offsets[begin : end + 1]))

    def replace(self, **changes: Any) -> Self:
        """A copy with some fields replaced, which is checked as a new one is."""
        return dataclasses.replace(self, **changes)

    def in_memory(self) -> Self:
        """A copy with every array in memory, where steps that a file should hold once stand once, too."""
        offsets = np.asarray(self.offsets)
        if not is_once(self):
            return self.replace(values=np.asarray(self.values), offsets=offsets, **_loaded(self))
        whole = underlying(self)
        assert whole is not None
        gathered = whole.in_memory().gathered(offsets)
        per_step = {name: StepArray(gathered[name], array.value) for name, array in self.per_step.items()}
        others = {**_loaded(exchanged(self, per_step={})), "per_step": per_step}
        return self.replace(values=gathered["values"], offsets=offsets, **others)


@dataclass(frozen=True, eq=False, repr=False)
class Padded:
    """Sequences in one block of T slots each, with their true lengths.

    `x` is (N, T, F), (N, T) where a step is a single number, or (N, T, H, W, C) and the like. `lengths` is (N,)
    int64. Real steps come first with `padding="post"`, last with `"pre"`; every other cell equals `value`.
    `per_step` arrays are (N, T, ...), padded with their own value; `per_sequence`, `names` and `receipt` are as in
    `Ragged`. `data[i]` and iteration give the real steps of sequences.

    Raises DataError when the parts do not fit together, or a cell outside a sequence is not `value`.

    >>> import numpy as np
    >>> Padded(np.array([[1, 0], [2, 3]]), np.array([1, 2]), padding="post").mask
    array([[ True, False],
           [ True,  True]])
    >>> padded = Padded(np.array([[1, 0], [2, 3]]), np.array([1, 2]), padding="post")
    >>> padded, padded[0]
    (Padded(x (2, 2) int64, lengths 1 to 2, post, value 0), array([1]))
    """

    x: AnyArray
    lengths: AnyArray
    padding: Side = "pre"
    value: Value = 0
    keys: AnyArray | Text | None = None
    features: tuple[str, ...] | None = None
    per_step: Mapping[str, StepArray] = field(default_factory=dict)
    per_sequence: Mapping[str, AnyArray] = field(default_factory=dict)
    names: Mapping[str, AnyArray | Text] = field(default_factory=dict)
    receipt: Receipt = ()

    @names_fields
    def __post_init__(self) -> None:
        _take_arrays(self, "x", "lengths")
        object.__setattr__(self, "value", as_value(self.value))
        check_parts(self)
        check_padding_cells("x", self.x, self)
        for name, array in self.per_step.items():
            check_padding_cells(name, array.data, self, array.value)

    def __len__(self) -> int:
        return len(self.x)

    def __getitem__(self, index: SupportsIndex) -> Array:
        return padded_item(self, index)

    def __iter__(self) -> Iterator[Array]:
        return padded_items(self)

    def __repr__(self) -> str:
        return padded_line(self)

    def key(self, key: Any, part: int | None = None) -> Array:
        """The steps of the sequence with a key, a tuple for one of several columns; of shards no other is read.

        Raises KeyError where no sequence has it, or several have, of which `part` chooses one.
        """
        return self[place_of_key(self, key, part)]

    @property
    def mask(self) -> Array:
        """True where a step is real, (N, T) bool."""
        return step_mask(np.asarray(self.lengths), maxlen=self.x.shape[1], padding=self.padding)

    def replace(self, **changes: Any) -> Self:
        """A copy with some fields replaced, which is checked as a new one is."""
        return dataclasses.replace(self, **changes)

    def in_memory(self) -> Self:
        """A copy with every array in memory."""
        return self.replace(x=np.asarray(self.x), lengths=np.asarray(self.lengths), **_loaded(self))


def _take_arrays(data: Ragged | Padded, *names: str) -> None:
    """Replace the arrays that a caller passed by NumPy arrays: lists, series and tensors give their cells."""
    for name in names:
        object.__setattr__(data, name, as_array(name, getattr(data, name)))
    if data.keys is not None:
        object.__setattr__(data, "keys", as_array("keys", data.keys))
    if data.features is not None:
        object.__setattr__(data, "features", tuple(map(str, data.features)))
    for name, array in data.per_step.items():
        if not isinstance(array, StepArray):
            raise DataError(
                f"per_step[{name!r}] is a {kind_of(array)}; a StepArray of seqtool.sequences.ragged was expected, "
                "which holds the array and the value that pads it"
            )
    for mapping in ("per_sequence", "names"):
        arrays = getattr(data, mapping)
        if not all(type(array) is np.ndarray for array in arrays.values()):
            object.__setattr__(data, mapping, {name: as_array(name, array) for name, array in arrays.items()})


def _loaded(data: Ragged | Padded) -> dict[str, Any]:
    return {
        "keys": None if data.keys is None else np.asarray(data.keys),
        "per_step": {
            name: StepArray(np.asarray(array.data), array.value) for name, array in data.per_step.items()
        },
        "per_sequence": {name: np.asarray(array) for name, array in data.per_sequence.items()},
        "names": {name: np.asarray(names) for name, names in data.names.items()},
    }


def unchecked(kind: type[Any], **fields: Any) -> Any:
    """A Ragged or Padded whose parts are not checked: they were before, or are to be checked later.

    Fields that are left out have their defaults.
    """
    unvalidated = object.__new__(kind)
    for known in dataclasses.fields(kind):
        if known.name in fields:
            content = fields[known.name]
        elif known.default_factory is dataclasses.MISSING:
            content = known.default
        else:
            content = known.default_factory()
        object.__setattr__(unvalidated, known.name, content)
    return unvalidated


def exchanged(data: Any, **changes: Any) -> Any:
    """A copy of a Ragged or Padded with some fields replaced, and nothing checked; `replace` checks everything."""
    return unchecked(type(data), **{**vars(data), **changes})
