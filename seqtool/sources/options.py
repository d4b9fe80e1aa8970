"""What reading a source of sequences takes and gives; the readers are `arrays`, `records` and `textlines`."""

from __future__ import annotations

from dataclasses import dataclass, field

from seqtool.arrays.spool import Spool
from seqtool.sequences.padding_values import Side, Value
from seqtool.sequences.ragged import Ragged
from seqtool.system.memory import Memory, allowed


@dataclass(frozen=True)
class SourceOptions:
    """What a person says about a source.

    `array`, `label` and `key` name a field of objects, a column, or (array) a member of an `.npz`; `lengths`
    names a member or an `.npy` file. `input_padding` is the side that a foreign padded array fills. `dtype`
    is the dtype to come, which text is checked against; `value` the padding value, which old padding is
    compared with. `spool` takes what does not fit into `memory`.
    """

    array: str | None = None
    label: str | None = None
    key: str | None = None
    lengths: str | None = None
    input_padding: Side | None = None
    allow_pickle: bool = False
    dtype: str | None = None
    value: Value | None = None
    spool: Spool = field(default_factory=Spool)
    memory: Memory = field(default_factory=lambda: allowed(None))


@dataclass(frozen=True)
class Sequences:
    """The sequences of one source; `steps` were counted as they were read.

    `padding` and `value` are those of a padded file of ours, `maxlen` the slots of a padded array; `dense`
    says that every sequence fills its array, so that old padding may hide in it; `ours` that seqtool wrote
    the file. `notes` tells what was taken for granted, `warnings` what may be wrong.
    """

    ragged: Ragged
    steps: int
    padding: Side | None = None
    value: Value | None = None
    maxlen: int | None = None
    dense: bool = False
    ours: bool = False
    notes: list[str] = field(default_factory=list)
    warnings: list[str] = field(default_factory=list)
