"""The options of sequences of which each stands in a row of a table, in a record, or under a name."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from seqtool.commands._options import choice, several_names
from seqtool.commands._table_options import TableOptions
from seqtool.commands._values import names_in
from seqtool.dataclass import dataclass

if TYPE_CHECKING:
    from seqtool.sources.options import ForeignSpec


@dataclass(frozen=True)
class RowOptions:
    """Where the steps of each sequence stand."""

    title = "Input"
    steps: Annotated[
        list[str] | None,
        several_names(
            "--steps",
            "A,B",
            help="Each row is a sequence: the columns of its steps in order, such as 't{0..99}'. Repeatable.",
        ),
    ] = None
    trailing_missing: Annotated[
        str,
        choice(
            "--trailing-missing",
            ("drop", "keep"),
            help="Whether cells of --steps that are empty up to the end of the row are steps.",
        ),
    ] = "drop"
    keys_from_names: Annotated[
        bool,
        typer.Option(
            "--keys-from-names",
            help="Each name in a JSON object, or of an array in an .npz, is the key of a sequence.",
        ),
    ] = False

    def joined(self, described: ForeignSpec, text: TableOptions, **others: Any) -> ForeignSpec:
        """What a person says of sequences, with all this, how text is read, and `others` of the fields of RowSpec."""
        from seqtool.sources.options import RowSpec
        from seqtool.words import expanded

        rows = RowSpec(
            steps=tuple(one for name in names_in(self.steps) for one in expanded(name)),
            keep_trailing=self.trailing_missing == "keep",
            keys_from_names=self.keys_from_names,
            text=text.reading if text.named else None,
            text_options=tuple(text.named),
            missing=tuple(text.missing or ()),
            **others,
        )
        return replace(described, rows=rows)

    @property
    def resolved(self) -> dict[str, Any]:
        """Those that were given, for a receipt."""
        options = {
            "steps": names_in(self.steps) or None,
            "trailing_missing": self.trailing_missing if self.steps else None,
            "keys_from_names": self.keys_from_names or None,
        }
        return {name: held for name, held in options.items() if held is not None}


@dataclass(frozen=True)
class SequenceRowOptions(RowOptions):
    """The same, and what belongs to the sequences there."""

    static: Annotated[
        list[str] | None,
        several_names(
            "--static",
            "A,B",
            help="The columns or fields with a number per sequence, or an .npy or .txt file. Repeatable.",
            section="Labels and keys",
        ),
    ] = None
    category: Annotated[
        list[str] | None,
        several_names(
            "--category",
            "A,B",
            help="Columns or fields with a name per sequence, or a list of names of its steps, text or whole numbers; "
            "for lines of words, what they are called. They become ids for an Embedding. Repeatable.",
            section="Labels and keys",
        ),
    ] = None
    label_value: Annotated[
        float,
        typer.Option(
            "--label-value",
            metavar="V",
            help="What padding holds in step_y.",
            rich_help_panel="Labels and keys",
        ),
    ] = -100

    @property
    def files(self) -> list[Path]:
        """The files of `--static`, where it names some."""
        from seqtool.sources.beside import files_beside

        return files_beside(names_in(self.static))

    def spec(self, described: ForeignSpec, text: TableOptions) -> ForeignSpec:
        """All of it, joined to what a person says of sequences otherwise."""
        from seqtool.words import expanded

        return self.joined(
            described,
            text,
            static=tuple(names_in(self.static)),
            category=tuple(one for name in names_in(self.category) for one in expanded(name)),
            label_value=self.label_value,
        )

    @property
    def resolved(self) -> dict[str, Any]:
        """Those that were given, for a receipt."""
        from seqtool.sources.beside import is_beside

        static = [Path(name).name if is_beside(name) else name for name in names_in(self.static)]
        named = {"static": static, "category": names_in(self.category)}
        found = {**super().resolved, **{name: held for name, held in named.items() if held}}
        return found if self.label_value == -100 else {**found, "label_value": self.label_value}
