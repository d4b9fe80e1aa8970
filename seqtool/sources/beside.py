"""Labels and static numbers that stand in a file beside the sequences: an array of N, or text with one a line."""

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
    """Whether a name of labels or static numbers is that of a file, and not of a column."""
    return str(name).endswith(_SUFFIXES) and Path(str(name)).is_file()


def without_beside(spec: ForeignSpec) -> ForeignSpec:
    """What is said of a source, without the names of files beside it.

    Raises UsageError where files and columns are to be labels, or static numbers, together.
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
    """The sequences of a source of this name with the labels and static numbers in files beside it.

    Raises DataError for a file that does not hold one of them for each sequence.
    """
    spec, ragged, warnings = options.foreign, found.ragged, [*found.warnings]
    for part, files in (("y", spec.labels), ("static", spec.rows.static)):
        file = next((str(one) for one in files if is_beside(one)), None)
        if file is None:
            continue
        if part in ragged.per_sequence:
            raise DataError(f"{name}: holds {part} already; {file} cannot be {part} too")
        with at(file):
            cells = _cells(file)
            if cells.shape[:1] != (len(ragged),) or cells.ndim > 2:
                raise DataError(
                    f"holds {_shown(cells)}, but {name} {count(len(ragged), 'sequence')}; one each was expected"
                )
            if part == "y":
                held, names = _labels(file, cells, options, warnings)
            else:
                held, names = _static(file, cells, warnings)
        ragged = ragged.replace(
            per_sequence={**ragged.per_sequence, part: held}, names={**ragged.names, **names}
        )
    return replace(found, ragged=ragged, warnings=warnings)


def _shown(cells: AnyArray) -> str:
    return count(len(cells), "row") if cells.ndim == 1 else f"an array of {cells.shape}"


def _cells(file: str) -> AnyArray:
    """The array in a file, or its lines."""
    if file.endswith(".npy"):
        return open_npy(Path(file), file)
    try:
        lines = Path(file).read_text(encoding="utf-8-sig").splitlines()
    except UnicodeDecodeError:
        raise DataError("not UTF-8 text") from None
    except OSError as error:
        raise DataError(f"cannot be read ({why(error)})") from None
    return np.array([line.strip() for line in lines], dtype=str)


def _labels(
    file: str, cells: AnyArray, options: SourceOptions, warnings: list[str]
) -> tuple[AnyArray, dict[str, Array | Text]]:
    """Labels as those of an `.npz` are: text becomes class ids, numbers stay. Lines are what a column would be."""
    if not file.endswith(".npy"):
        from seqtool.sources.aligned import LabelColumn, labels_of

        column = LabelColumn(file, "label", options, place=lambda line: f"line {line + 1}")
        column.add(np.asarray(cells).tolist())
        return labels_of({"label": column}, warnings)
    checked_dtype(cells.dtype, "the array")
    if cells.dtype.kind == "U" and cells.ndim == 1:
        ids, classes = as_classes(cells, None, file, options.memory, options.spool)
        return ids, {"classes": classes}
    _check_numbers(cells, "text or numbers, (N,), or numbers, (N, L),")
    whole = cells.dtype.kind in "biu" and all(first_loss(part, _INT64) is None for _, part in chunks(cells))
    return cellwise(as_int64, cells, dtype=_INT64) if whole else cells, {}


def _static(file: str, cells: AnyArray, warnings: list[str]) -> tuple[AnyArray, dict[str, Array | Text]]:
    """Static numbers, (N, P), which are named after their file."""
    name = Path(file).stem
    if not file.endswith(".npy"):
        from seqtool.sources.aligned import static_of

        numbers: AnyArray = static_of(file, {name: np.asarray(cells).tolist()}, (), warnings)
        return numbers, {"static_features": np.array([name])}
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
