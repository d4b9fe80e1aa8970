"""Calls that name columns where they do not belong, or no key: refused with what the table itself says."""

from __future__ import annotations

import glob
import os
from collections.abc import Sequence
from typing import TYPE_CHECKING

from seqtool.advice import Advice
from seqtool.commands._source import each_file
from seqtool.errors import DataError, UsageError
from seqtool.words import join_names, listed

if TYPE_CHECKING:
    from seqtool.commands._table_options import ColumnOptions, TableOptions
    from seqtool.files.inputs import Input


def refuse_columns_as_sources(sources: Sequence[str], by: ColumnOptions, text: TableOptions) -> None:
    """Raise UsageError where sources that do not exist are columns of the others, as in `--columns a b`."""
    strange = [
        name for name in sources if name != "-" and not os.path.lexists(name) and not glob.has_magic(name)
    ]
    others = [name for name in sources if name not in strange]
    if not strange or not others or "-" in others:
        return
    lists = {
        "--columns": by.columns,
        "--drop": by.drop,
        "--static": by.static,
        "--order-by": by.order_by,
        "--key": by.key,
    }
    option = next((name for name, named in lists.items() if named), None)
    if option is None or not {*strange} <= {*_columns(others, text)}:
        return
    joined = ",".join([*(lists[option] or ()), join_names(strange)])
    raise UsageError(
        f"{listed(strange)}: no such file, but a column; several stand in one list: ",
        Advice(option, joined, without=[*strange, option]),
    )


def require_key(sources: Sequence[str], by: ColumnOptions, text: TableOptions) -> None:
    """Raise UsageError where no key is named; it names the columns of the table that may be one."""
    if by.key or by.no_key or by.key_blank_lines or by.key_from or not sources or "-" in sources:
        return
    from seqtool.files import inputs
    from seqtool.tables.candidates import key_advice, steps_advice

    with inputs.opened(sources, encoding=text.encoding) as found:
        hint, advice = key_advice(found, text.reading)
        each = ["; or if each file is a sequence: ", each_file(found)] if len(found) > 1 else []
        blank = _blank_lines(found[0])
        wide = steps_advice(found[0], text.reading) if len(found) == 1 and not hint and not blank else None
    alone = [] if each else ["; or if all rows are one sequence: ", Advice("--no-key")]
    if wide is not None:
        alone += ["; or if each row is one, its steps in columns: ", wide]
    raise UsageError(
        f"no key: name the column that tells sequences apart; {hint}such as ", advice, *each, *blank, *alone
    )


def _blank_lines(source: Input) -> list[object]:
    """What to say of text in the first rows of which blank lines stand, as between the sequences of tagging files."""
    lines = b"\n".join(map(bytes.strip, source.head.splitlines())).strip()
    if source.kind != "text" or b"\n\n" not in lines:
        return []
    return ["; or if a blank line ends each sequence: ", Advice("--key-blank-lines")]


def _columns(sources: Sequence[str], text: TableOptions) -> Sequence[str | None]:
    from seqtool.files import inputs
    from seqtool.tables import opening

    try:
        with inputs.opened(sources, encoding=text.encoding) as found:
            return opening.open_tables(found, text.reading).columns
    except DataError:
        return ()
