"""Options of a source by their names, wherever they belong."""

from __future__ import annotations

from dataclasses import fields
from typing import Any

from seqtool.sources.options import ForeignSpec, SourceOptions

_FOREIGN = {field.name for field in fields(ForeignSpec)}


def source_options(**options: Any) -> SourceOptions:
    """The options of a source; those that describe foreign sequences are given by their own names too."""
    if "label" in options:
        options["labels"] = (options.pop("label"),)
    foreign = {name: options.pop(name) for name in _FOREIGN & options.keys()}
    return SourceOptions(foreign=ForeignSpec(**foreign), **options)
