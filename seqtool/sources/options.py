"""What reading a source of sequences takes and gives; the readers are those that `read` chooses from."""

from __future__ import annotations

from dataclasses import dataclass, field

from seqtool.advice import Advice
from seqtool.arrays.spool import Spool
from seqtool.errors import UsageError
from seqtool.sequences.padding_values import Side, Value
from seqtool.sequences.ragged import Ragged
from seqtool.system.memory import Memory, allowed
from seqtool.words import join_names, listed


@dataclass(frozen=True)
class ForeignSpec:
    """What a person says of sequences that seqtool did not write: as `seqtool pad` takes it.

    `array`, `labels` (one per sequence, or several) and `key` name arrays of an `.npz`, fields of objects, or columns;
    `step_label` an array with a label per step; `lengths` an array, or an `.npy` file, of lengths or of a mask (N, T).
    `key_from` is a pattern of the paths of files with one sequence each, whose parts are key, label and static numbers.
    `input_padding` is the side that a padded array fills, `value` the padding value, which leftover
    padding is compared with. A `time_major` array is (T, N, ...).
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

    @property
    def named(self) -> list[tuple[str, str]]:
        """What belongs to sequences: the option that names it, and the name."""
        others = {"--step-label": self.step_label, "--key": self.key}
        found = [(option, name) for option, name in others.items() if name is not None]
        return [*(("--label", name) for name in self.labels), *found]

    @property
    def options(self) -> dict[str, str]:
        """The same as options of `seqtool pad`, each with what it says; of a flag that is nothing."""
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
        return {option: content for option, content in words.items() if content is not None}

    @property
    def of_blocks(self) -> list[str]:
        """Those of the options that describe padded arrays."""
        return [option for option in self.options if option in _OF_BLOCKS]

    def refuse_of_blocks(self, why: str, *more: object) -> None:
        """Raise UsageError, with why, where an option describes a padded array and there is none."""
        if self.of_blocks:
            described = f"{listed(self.of_blocks)} describe{'s' * (len(self.of_blocks) == 1)} padded arrays"
            raise UsageError(f"{described}; {why}: ", *more, self.without(*_OF_BLOCKS))

    def without(self, *options: str) -> Advice:
        """The advice to leave out those of some options that were given."""
        return Advice(without=[option for option in self.options if option in options])


_OF_BLOCKS = ("--lengths", "--input-padding", "--time-major")


@dataclass(frozen=True)
class SourceOptions:
    """What reading a source takes.

    `foreign` is what a person says of sequences that seqtool did not write; `dtype` is the dtype to come, which
    text is checked against. `spool` takes what does not fit into `memory`.
    """

    foreign: ForeignSpec = field(default_factory=ForeignSpec)
    allow_pickle: bool = False
    dtype: str | None = None
    spool: Spool = field(default_factory=Spool)
    memory: Memory = field(default_factory=lambda: allowed(None))


@dataclass(frozen=True)
class Sequences:
    """The sequences of one source; `steps` were counted as they were read.

    `padding` and `value` are those of a padded file of ours, `padding` also the side that a mask tells; `maxlen` the
    slots of a padded array; `dense` says that every sequence fills its array, so that leftover padding may hide in
    it; `ours` that seqtool wrote the file. `notes` says what was taken for granted, `warnings` what may be wrong.
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
