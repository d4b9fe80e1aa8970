"""The options of sequences in rows."""

from __future__ import annotations

from seqtool.commands._rows import RowOptions, SequenceRowOptions
from seqtool.commands._table_options import TableOptions
from seqtool.sources.options import ForeignSpec


def test_ranges_in_braces_stand_for_their_columns() -> None:
    spec = RowOptions(steps=["a,t{8..10}", "x{01..02}"]).joined(ForeignSpec(), TableOptions())
    assert spec.rows.steps == ("a", "t8", "t9", "t10", "x01", "x02")


def test_a_receipt_holds_what_was_said() -> None:
    assert SequenceRowOptions().resolved == {}
    said = SequenceRowOptions(steps=["t{0..1}"], static=["age"], label_value=-1)
    assert said.resolved == {
        "steps": ["t{0..1}"],
        "trailing_missing": "drop",
        "static": ["age"],
        "label_value": -1,
    }


def test_only_options_that_were_given_tell_how_text_is_read() -> None:
    assert TableOptions().named == []
    assert TableOptions(delimiter=";", header=False).named == ["--delimiter", "--header"]
