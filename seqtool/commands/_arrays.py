"""The options that describe sequences which seqtool did not write: of several commands, declared once."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from seqtool.commands._options import SIDES, KeyFrom, choice, one_name, several_names
from seqtool.commands._values import names_in, one_or_all
from seqtool.dataclass import dataclass

if TYPE_CHECKING:
    from seqtool.files.path_parts import PathPattern
    from seqtool.sequences.padding_values import Side, Value
    from seqtool.sources.options import ForeignSpec


@dataclass(frozen=True)
class ArrayOptions:
    """What a person says of sequences that seqtool did not write."""

    title = "Input"
    array: Annotated[
        str | None,
        several_names(
            "--array",
            "NAME",
            help="The array, column or field with the sequences; lists of several, A,B, become features.",
        ),
    ] = None
    lengths: Annotated[
        str | None,
        one_name(
            "--lengths",
            "NAME|FILE",
            help="True lengths, or a mask (N, T): an array of the .npz, or an .npy file.",
        ),
    ] = None
    input_padding: Annotated[
        str | None,
        choice("--input-padding", SIDES, help="The side where an external array is padded. [default: post]"),
    ] = None
    time_major: Annotated[
        bool,
        typer.Option("--time-major", help="The array is (T, N), (T, N, F) or (T, N, H, W, C): steps first."),
    ] = False

    @property
    def side(self) -> Side | None:
        """The side that `--input-padding` names; raises UsageError for what is none."""
        from seqtool.sequences.padding_values import check_side

        return None if self.input_padding is None else check_side("--input-padding", self.input_padding)

    def described(
        self,
        label: list[str] | None = None,
        key: str | None = None,
        step_label: str | None = None,
        value: Value | None = None,
        key_from: str | None = None,
    ) -> ForeignSpec:
        """All that a person says of a file that seqtool did not write."""
        from seqtool.sources.options import ForeignSpec

        return ForeignSpec(
            array=self.array,
            lengths=self.lengths,
            input_padding=self.side,
            value=value,
            labels=tuple(names_in(label)),
            key=key,
            step_label=step_label,
            key_from=key_from,
            time_major=self.time_major,
        )

    @property
    def resolved(self) -> dict[str, Any]:
        """The same for a receipt, which holds base names alone."""
        lengths = None if self.lengths is None else Path(self.lengths).name
        return {
            "array": self.array,
            "lengths": lengths,
            "input_padding": self.input_padding,
            "time_major": self.time_major,
        }

    @property
    def files(self) -> list[Path]:
        """The file of `--lengths`, where it names one."""
        return [Path(self.lengths)] if self.lengths and Path(self.lengths).is_file() else []


@dataclass(frozen=True)
class SequenceOptions(ArrayOptions):
    """The same, and what belongs to the sequences."""

    label: Annotated[
        list[str] | None,
        several_names(
            "--label",
            "A,B",
            help="The field, column or array with a label per sequence; several become the columns of y. Repeatable. "
            "Or an .npy or .txt file (a label a line).",
            section="Labels and keys",
        ),
    ] = None
    step_label: Annotated[
        str | None,
        one_name(
            "--step-label",
            "NAME",
            help="The array, column or field with a label per step.",
            section="Labels and keys",
        ),
    ] = None
    key: Annotated[
        str | None,
        one_name(
            "--key",
            "NAME",
            help="The field, column or array with a key per sequence.",
            section="Labels and keys",
        ),
    ] = None
    key_from: KeyFrom = None

    @property
    def files(self) -> list[Path]:
        """The files of `--lengths` and `--label`, where they name some."""
        from seqtool.sources.beside import files_beside

        return [*super().files, *files_beside(names_in(self.label))]

    def spec(self, value: Value | None = None) -> ForeignSpec:
        """All of it, and the value that padding is said to hold."""
        return self.described(self.label, self.key, self.step_label, value=value, key_from=self.key_from)

    @property
    def resolved(self) -> dict[str, Any]:
        """All of it for a receipt."""
        from seqtool.sources.beside import is_beside

        names = [Path(name).name if is_beside(name) else name for name in names_in(self.label)]
        label = one_or_all(names)
        found = {**super().resolved, "label": label, "key": self.key, "step_label": self.step_label}
        return found if self.pattern is None else {**found, "key_from": self.pattern.base}

    @property
    def pattern(self) -> PathPattern | None:
        """The pattern of `--key-from`; raises UsageError for a malformed one."""
        from seqtool.files.path_parts import PathPattern

        return None if self.key_from is None else PathPattern(self.key_from)
