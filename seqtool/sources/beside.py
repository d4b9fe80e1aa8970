"""Labels and static numbers in a file beside the sequences: an array of N, or text with one a line."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from seqtool.advice import Advice
from seqtool.arrays.dtypes import Array, first_loss
from seqtool.arrays.lazy import AnyArray, Lazy, chunks
from seqtool.arrays.text import Text
from seqtool.errors import DataError, UsageError, at, why
from seqtool.files.npy import cellwise, checked_dtype, open_npy
from seqtool.sources.companions import as_int64
from seqtool.sources.labels import as_classes
from seqtool.sources.options import ForeignSpec, Sequences, SourceOptions
from seqtool.words import count

_SUFFIXES = (".npy", ".txt")
_INT64 = np.dtype(np.int64)


def is_beside(name: str | int) -> bool:
    """Whether a name of labels or static numbers is that of a file that exists, and not of a column."""
    return str(name).endswith(_SUFFIXES) and Path(str(name)).is_file()


def without_beside(spec: ForeignSpec) -> ForeignSpec:
    """The spec of a source without the names of files beside it.

    Raises UsageError where a file is named together with columns or another file, as labels or as static numbers.
    """
    labels = [name for name in spec.labels if not is_beside(name)]
    static = [name for name in spec.rows.static if not is_beside(name)]
    for option, names, left in (("--label", spec.labels, labels), ("--static", spec.rows.static, static)):
        if len(left) < len(names) != 1:
            first = next(str(name) for name in names if is_beside(name))
            raise UsageError(
                f"{option} takes one file, and nothing beside it: ", Advice(option, first, without=[option])
            )
    rows = replace(spec.rows, static=tuple(static))
    return replace(spec, labels=tuple(labels), rows=rows)


def with_beside(found: Sequences, name: str, options: SourceOptions) -> Sequences:
    """The sequences of the source `name` with the labels and static numbers in files beside it.

    Raises DataError for a file that does not hold one label, or static number, for each sequence.
    """
    spec, ragged, warnings = options.foreign, found.ragged, [*found.warnings]
    for part, files in (("y", spec.labels), ("static", spec.rows.static)):
        file = next((str(named) for named in files if is_beside(named)), None)
        if file is None:
            continue
        if part in ragged.per_sequence:
            raise DataError(f"{name}: holds {part} already; {file} cannot be {part} too")
        with at(file):
            if file.endswith(".npy"):
                cells = open_npy(Path(file), file)
                _check_count(cells.shape, name, len(ragged))
                if part == "y":
                    values, names = _label_array(file, cells, options, warnings)
                else:
                    values, names = _static_array(file, cells)
            else:
                lines = _lines(file, options)
                _check_count((sum(map(len, lines)),), name, len(ragged))
                read = _label_lines if part == "y" else _static_lines
                values, names = read(file, lines, options, warnings)
        ragged = ragged.replace(
            per_sequence={**ragged.per_sequence, part: values}, names={**ragged.names, **names}
        )
    return replace(found, ragged=ragged, warnings=warnings)


def _check_count(shape: tuple[int, ...], name: str, sequences: int) -> None:
    if shape[:1] != (sequences,) or len(shape) > 2:
        shown = count(shape[0], "row") if len(shape) == 1 else f"an array of {shape}"
        raise DataError(f"holds {shown}, but {name} {count(sequences, 'sequence')}; one each was expected")


def _lines(file: str, options: SourceOptions) -> list[Any]:
    """The lines of a text file, without the blanks around them, as pieces of Arrow text."""
    import pyarrow as pa

    lines, pieces, longest = list[str](), list[Any](), options.memory.single
    try:
        with Path(file).open(encoding="utf-8-sig") as text:
            while line := text.readline(longest + 1):
                options.memory.check_single(f"line {len(pieces) * _LINES + len(lines) + 1}", len(line))
                lines.append(line.strip())
                if len(lines) == _LINES:
                    pieces.append(pa.array(lines, pa.string()))
                    lines = []
    except UnicodeDecodeError:
        raise DataError("not UTF-8 text") from None
    except OSError as error:
        raise DataError(f"cannot be read ({why(error)})") from None
    return [*pieces, pa.array(lines, pa.string())]


_LINES = 1 << 15  # that are Python objects at once


def _label_lines(
    file: str, lines: list[Any], options: SourceOptions, warnings: list[str]
) -> tuple[AnyArray, dict[str, Array | Text]]:
    """Labels, read as those of a column are; it adds to `warnings`."""
    from seqtool.sources.aligned import LabelColumn, labels_of

    column = LabelColumn(file, "label", options, place=lambda line: f"line {line + 1}")
    for some in lines:
        column.add(some)
    return labels_of({"label": column}, warnings)


def _label_array(
    file: str, cells: AnyArray, options: SourceOptions, warnings: list[str]
) -> tuple[AnyArray, dict[str, Array | Text]]:
    """Labels, read as those of an `.npz` are: text becomes class ids, numbers stay."""
    checked_dtype(cells.dtype, "the array")
    if cells.dtype.kind == "U" and cells.ndim == 1:
        ids, classes = as_classes(cells, None, file, options.memory, options.spool, warnings)
        return ids, {"classes": classes}
    _check_numbers(cells, "text or numbers, (N,), or numbers, (N, L),")
    whole = cells.dtype.kind in "biu" and all(first_loss(part, _INT64) is None for _, part in chunks(cells))
    return cellwise(as_int64, cells, dtype=_INT64) if whole else cells, {}


def _static_lines(
    file: str, lines: list[Any], options: SourceOptions, warnings: list[str]
) -> tuple[AnyArray, dict[str, Array | Text]]:
    """A static number a line, (N, 1), named after the file; it adds to `warnings`."""
    import pyarrow as pa

    from seqtool.sources.aligned import static_of

    name, missing = Path(file).stem, options.foreign.rows.missing
    numbers = static_of(file, {name: pa.concat_arrays(lines)}, missing, warnings)
    return numbers, {"static_features": np.array([name])}


def _static_array(file: str, cells: AnyArray) -> tuple[AnyArray, dict[str, Array | Text]]:
    """Static numbers, (N, P), named after their file."""
    name = Path(file).stem
    _check_numbers(cells, "numbers, (N,) or (N, P),")
    if cells.ndim == 2:
        return cells, {"static_features": np.array([f"{name}_{i}" for i in range(cells.shape[1])], dtype=str)}

    def read(begin: int, end: int) -> Array:
        return np.asarray(cells[begin:end])[:, None]

    return Lazy((len(cells), 1), cells.dtype, read), {"static_features": np.array([name])}


def _check_numbers(cells: Any, expected: str) -> None:
    if cells.dtype.kind not in "biuf" or cells.dtype.itemsize > 8:
        raise DataError(f"an array of {cells.dtype} {cells.shape}; {expected} were expected")


def files_beside(names: Sequence[str | int]) -> list[Path]:
    """The files among names of labels and static numbers."""
    return [Path(str(name)) for name in names if is_beside(name)]
