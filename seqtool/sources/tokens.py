"""Steps that are names, such as the words of texts: ids beside their vocabulary, for an Embedding."""

from __future__ import annotations

from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from seqtool.advice import Advice, Message
from seqtool.arrays.array_likes import is_array_like, plain
from seqtool.arrays.exact import is_gap
from seqtool.arrays.list_columns import is_list
from seqtool.arrays.spool import GrowingArray, running_sums
from seqtool.errors import DataError, UsageError
from seqtool.files.inputs import Input
from seqtool.sequences.keys import mapping_keys
from seqtool.sequences.ragged import Ragged
from seqtool.sequences.validation import offsets_of
from seqtool.sources.aligned import Aligned, CategoryColumn, with_aligned
from seqtool.sources.options import RowSpec, Sequences, SourceOptions
from seqtool.sources.text_lines import batches
from seqtool.tables.cells.cells import is_text
from seqtool.words import count, in_short, listed


def only_name(spec: RowSpec, where: str) -> str:
    """What the steps are called that have no column or field; raises UsageError for several names."""
    if len(spec.category) > 1:
        raise UsageError(
            f"--category names {listed([*spec.category])}, and {where} holds one word for each step: ",
            Advice("--category", spec.category[0], without=["--category"]),
        )
    return spec.category[0]


def read_words(source: Input, options: SourceOptions) -> Sequences:
    """Read a sequence of words from each line, parted by blanks, or by the delimiter of the call."""
    spec = options.foreign.rows
    title, text = only_name(spec, source.name), spec.text
    delimiter = None if text is None or text.lines.blanks else text.delimiter
    words = CategoryColumn(source.name, title, options, holder="step")
    growing = GrowingArray(options.spool, np.dtype(np.int64))
    empty = begun = commas = 0  # `begun` words so far of a line that goes on
    for batch in batches(source, delimiter, always=delimiter is not None):
        cells = pa.array(batch.cells, pa.string())
        words.add(cells)
        commas += 0 if delimiter else _with_commas(cells)
        counts = np.array(batch.counts, dtype=np.int64)
        counts[0] += begun
        begun = int(counts[-1]) if batch.goes_on else 0
        ended = counts[:-1] if batch.goes_on else counts
        growing.add(ended)
        empty += int((ended == 0).sum())
    warnings = list[str]()
    if empty:
        became = "a sequence" if empty == 1 else "sequences"
        warnings.append(f"{count(empty, 'empty line')} became {became} without steps")
    if commas:
        problem = f"{count(commas, 'word')} hold{'s' * (commas == 1)} a comma between letters, and blanks part words; "
        warnings.append(Message(problem, "if commas do: ", Advice("--delimiter", ",")))
    found = Aligned(categories={title: words})
    return with_aligned(
        source.name,
        without_features(running_sums(growing.done(), options.spool)),
        found,
        spec,
        len(words),
        warnings,
    )


def _with_commas(cells: Any) -> int:
    suspects = cells.filter(pc.match_substring(cells, ","))
    return pc.sum(pc.match_substring_regex(suspects, r"\w,\w")).as_py() or 0 if len(suspects) else 0


def without_features(offsets: Any) -> Ragged:
    """Sequences of steps without a number: what categories are beside."""
    steps = int(offsets[len(offsets) - 1 : len(offsets)][0])
    return Ragged(np.empty((steps, 0), np.int64), offsets)


def words_in(sequences: Any, options: SourceOptions) -> Sequences:
    """Sequences of names in memory: lists of text, a list column of any library, or a dict of these by their keys.

    >>> from seqtool.sources.options import ForeignSpec
    >>> found = words_in([["b", "a"], [], ["b", None]], SourceOptions(ForeignSpec(rows=RowSpec(category=("tag",)))))
    >>> found.ragged.values.tolist(), found.ragged.names["vocabulary_0"].tolist()
    ([4, 3, 4, 1], ['a', 'b'])
    """
    spec = options.foreign.rows
    title, keys = only_name(spec, "each sequence"), None
    if isinstance(sequences, dict):
        keys = mapping_keys(sequences)
        sequences = [*sequences.values()]
    cells, lengths = _flat(sequences)
    words = CategoryColumn("sequences", title, options, holder="step")
    words.add([None if is_gap(cell) else cell for cell in cells] if isinstance(cells, list) else cells)
    warnings = list[str]()
    ragged = without_features(offsets_of(lengths)).replace(keys=keys)
    return with_aligned("sequences", ragged, Aligned(categories={title: words}), spec, len(cells), warnings)


def _flat(sequences: Any) -> tuple[Any, Any]:
    """The cells of lists end to end, and the length of each; empty ones that end a row of an array are no steps."""
    column = plain(sequences) if is_array_like(sequences) else sequences
    if isinstance(column, np.ndarray) and column.dtype.kind == "U" and column.ndim == 2:
        column = [row[: int(np.flatnonzero(row != "").max(initial=-1)) + 1].tolist() for row in column]
    if hasattr(column, "type") and is_list(column.type):
        lengths = np.asarray(pc.fill_null(pc.list_value_length(column), 0)).astype(np.int64)
        return column.flatten(), lengths
    if isinstance(column, (str, bytes)) or not hasattr(column, "__len__"):
        raise DataError(
            f"{in_short(column)} is not a list of sequences; a list of lists of text was expected"
        )
    rows = [plain(row).tolist() if is_array_like(row) else row for row in column]
    for i, row in enumerate(rows):
        if isinstance(row, (str, bytes)) or not hasattr(row, "__len__"):
            raise DataError(f"sequences[{i}] is {in_short(row)}; a list of text was expected")
    flat = [cell for row in rows for cell in row]
    return flat, np.fromiter(map(len, rows), dtype=np.int64, count=len(rows))


def are_names(kind: Any) -> bool:
    """Whether the cells of an Arrow type are lists of text."""
    return bool(is_list(kind) and is_text(pa.array([], kind.value_type)))
