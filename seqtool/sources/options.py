"""The options of reading a source of sequences, and its result; `read` chooses the reader."""

from __future__ import annotations

from dataclasses import field
from typing import TYPE_CHECKING

from seqtool.advice import Advice
from seqtool.arrays.spool import Spool
from seqtool.dataclass import dataclass
from seqtool.errors import UsageError, refuse_without_subject
from seqtool.sequences.padding_values import UNLABELLED, Side, Value
from seqtool.sequences.ragged import Ragged
from seqtool.system.memory import Memory, allowed
from seqtool.words import join_names, listed, split_names

if TYPE_CHECKING:
    from seqtool.tables.table import TextOptions


@dataclass(frozen=True)
class RowSpec:
    """The options for sequences of which each stands in a row of a table, in a record, or under a name.

    `steps` are the columns of a wide table, in order; with `keep_trailing` its empty cells at the end of a row are
    steps too. `static` columns or fields hold a number per sequence, those of `category` a name, or lists of names of
    steps; where steps have no column or field, it names them. `label_value` pads labels of steps. With
    `keys_from_names` the names in a mapping are keys. `text` is how text files are read, None to find it out;
    `text_options` are the options of the call that say so. `missing` are further spellings of a missing value.
    """

    steps: tuple[str | int, ...] = ()
    static: tuple[str | int, ...] = ()
    category: tuple[str, ...] = ()
    keep_trailing: bool = False
    label_value: float = UNLABELLED
    keys_from_names: bool = False
    text: TextOptions | None = None
    text_options: tuple[str, ...] = ()
    missing: tuple[str, ...] = ()

    @property
    def options(self) -> dict[str, str]:
        """The options of `seqtool pad` that say the same, each with its argument, which is empty for a flag."""
        words = {
            "--steps": join_names([*map(str, self.steps)]) or None,
            "--static": join_names([*map(str, self.static)]) or None,
            "--category": join_names(self.category) or None,
            "--trailing-missing": "keep" if self.keep_trailing else None,
            "--keys-from-names": "" if self.keys_from_names else None,
            "--label-value": None if self.label_value == UNLABELLED else str(self.label_value),
        }
        return {option: content for option, content in words.items() if content is not None}

    def check_trailing(self) -> None:
        """Raise UsageError where empty cells at the end of rows are to be kept, and no columns of steps are named."""
        if self.keep_trailing and not self.steps:
            refuse_without_subject("--trailing-missing", "the columns of a wide table")


@dataclass(frozen=True)
class ForeignSpec:
    """The options of `seqtool pad` that describe sequences which seqtool did not write.

    `array`, `labels` (one per sequence, or several) and `key` name arrays of an `.npz`, fields of objects, or columns;
    `step_label` an array with a label per step; `lengths` an array, or an `.npy` file, of lengths or of a mask (N, T).
    `key_from` is a pattern of the paths of files with one sequence each, whose parts are key, label and static numbers.
    `input_padding` is the side at which an array is padded, `value` the padding value, which leftover padding is
    compared with. A `time_major` array is (T, N, ...). `rows` describes rows and records.
    """

    array: str | None = None
    lengths: str | None = None
    input_padding: Side | None = None
    value: Value | None = None
    labels: tuple[str, ...] = ()
    key: str | None = None
    step_label: str | None = None
    key_from: str | None = None
    time_major: bool = False
    rows: RowSpec = RowSpec()

    @property
    def arrays(self) -> list[str]:
        """The columns or fields whose lists stand side by side in the steps."""
        return [] if self.array is None else split_names(self.array)

    @property
    def named(self) -> list[tuple[str, str]]:
        """The options that name labels and keys, each with the name."""
        single = {"--step-label": self.step_label, "--key": self.key}
        named = [(option, name) for option, name in single.items() if name is not None]
        return [*(("--label", name) for name in self.labels), *named]

    @property
    def options(self) -> dict[str, str]:
        """The options of `seqtool pad` that say the same, each with its argument, which is empty for a flag."""
        numbers = self.value if isinstance(self.value, tuple) else (self.value,)
        value = None if self.value is None else ",".join(map(str, numbers))
        words = {
            "--array": self.array,
            "--lengths": self.lengths,
            "--input-padding": self.input_padding,
            "--value": value,
            "--label": join_names(self.labels) or None,
            "--step-label": self.step_label,
            "--key": self.key,
            "--key-from": self.key_from,
            "--time-major": "" if self.time_major else None,
        }
        used = {option: content for option, content in words.items() if content is not None}
        return {**used, **self.rows.options}

    @property
    def of_blocks(self) -> list[str]:
        """The options in use that describe padded arrays."""
        return [option for option in self.options if option in _OF_BLOCKS]

    def refuse_of_blocks(self, why: str, *more: object) -> None:
        """Raise UsageError where an option describes a padded array; `why` says that there is none."""
        if self.of_blocks:
            described = f"{listed(self.of_blocks)} describe{'s' * (len(self.of_blocks) == 1)} padded arrays"
            raise UsageError(f"{described}; {why}: ", *more, self.without(*_OF_BLOCKS))

    def without(self, *options: str) -> Advice:
        """The advice to leave out those of `options` that are in use."""
        return Advice(without=[option for option in self.options if option in options])


_OF_BLOCKS = ("--lengths", "--input-padding", "--time-major")


@dataclass(frozen=True)
class SourceOptions:
    """The options of reading a source.

    `foreign` describes sequences that seqtool did not write; `dtype` is the dtype of the result, which numbers in text
    must fit. `spool` takes what does not fit into `memory`.
    """

    foreign: ForeignSpec = field(default_factory=ForeignSpec)
    allow_pickle: bool = False
    dtype: str | None = None
    spool: Spool = field(default_factory=Spool)
    memory: Memory = field(default_factory=lambda: allowed(None))


@dataclass(frozen=True)
class Sequences:
    """The sequences of one source; `steps` is the number of steps that reading counted.

    `padding` and `value` are those of a padded file of ours; `padding` is also the side that a mask shows. `maxlen` is
    the number of slots of a padded array. `dense` says that no lengths were known, so that every sequence fills its row
    and may hold leftover padding; `ours` says that seqtool wrote the file, `mask` that it holds one. `notes` say how
    the source was understood, `warnings` what may be wrong.
    """

    ragged: Ragged
    steps: int
    padding: Side | None = None
    value: Value | None = None
    maxlen: int | None = None
    dense: bool = False
    ours: bool = False
    mask: bool = False
    notes: list[str] = field(default_factory=list)
    warnings: list[str] = field(default_factory=list)
