"""One sequence a file: an array (L, F), (L,) or (L, H, W, C) in each `.npy`, and what the paths say of them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from seqtool.advice import Advice
from seqtool.arrays.dtypes import Array
from seqtool.arrays.lazy import AnyArray, Lazy
from seqtool.errors import DataError, UsageError, at
from seqtool.files.inputs import Input
from seqtool.files.npy import open_npy, read_header
from seqtool.files.path_parts import PathPattern, parts_of
from seqtool.sequences.ragged import Ragged
from seqtool.sources.options import Sequences, SourceOptions

Header = tuple[tuple[int, ...], np.dtype[Any]]


def read_array_files(inputs: Sequence[Input], options: SourceOptions) -> Sequences:
    """The arrays of some files, one sequence each, in the order of the files; `foreign.key_from` names path parts.

    Headers are read at once, steps when they are asked for, from one open file at a time. Raises DataError for a file
    that holds no such array, and for parts that cannot be a label or static numbers.
    """
    spec = options.foreign
    assert spec.key_from is not None, "the caller knows that there is a pattern"
    pattern = PathPattern(spec.key_from)
    if spec.array or spec.named or spec.of_blocks:
        names = ("--array", "--label", "--step-label", "--key", *spec.of_blocks)
        raise UsageError("--key-from takes one sequence of each file, whole: ", spec.without(*names))
    parts = parts_of([item.name for item in inputs], pattern)
    headers = [_header(item, spec.key_from) for item in inputs]
    values = _values(inputs, headers)
    offsets = np.concatenate([[0], np.cumsum([shape[0] for shape, _ in headers], dtype=np.int64)])
    columns = {name: [one[name] for one in parts] for name in pattern.names}
    ragged = Ragged(values, offsets, **_described(columns, pattern))
    return Sequences(ragged, int(offsets[-1]), notes=["each file is one sequence"])


def _header(item: Input, pattern: str) -> Header:
    if item.kind != "npy":
        as_table = Advice("seqtool", "group", item.source, "--key-from", pattern)
        raise DataError(
            f"{item.name}: no .npy, of which --key-from takes one a file; rows of tables are grouped: ",
            as_table,
        )
    with at(item.name):
        with item.path.open("rb") as file:
            shape, _, dtype = read_header(file, item.size, "the array")
        if not shape or dtype.kind not in "biuf" or dtype.itemsize > 8:
            raise DataError(
                f"holds {dtype} {shape}; numbers of (L,), (L, F) or (L, H, W, C) were expected, one sequence a file"
            )
    return shape, dtype.newbyteorder("=")


def _values(inputs: Sequence[Input], headers: Sequence[Header]) -> AnyArray:
    """The steps of all files, end to end."""
    (first, _), dtype = headers[0], np.result_type(*(dtype for _, dtype in headers))
    for item, (shape, own) in zip(inputs, headers, strict=True):
        if shape[1:] != first[1:]:
            raise DataError(
                f"{item.name} has shape {shape}, but {inputs[0].name} {first}; the same features were expected of all"
            )
        if dtype.kind == "f" and own.kind in "iu" and own.itemsize == 8:
            raise DataError(
                f"{item.name} is {own}, and others hold floats; no type holds both to the last digit: save all in one "
                "type"
            )
    ends = np.cumsum([shape[0] for shape, _ in headers])
    held: list[Any] = [None, None]

    def opened(i: int) -> AnyArray:
        if held[0] != i:
            held[:] = [i, open_npy(inputs[i].path, inputs[i].name)]  # which closes the one before
            if (held[1].shape, held[1].dtype) != headers[i]:
                raise DataError(f"{inputs[i].name}: another array than before; it was changed meanwhile")
        array: AnyArray = held[1]
        return array

    def read(begin: int, end: int) -> Array:
        out = np.empty((end - begin, *first[1:]), dtype)
        i, done = int(np.searchsorted(ends, begin, side="right")), begin
        while done < end:
            start, stop = int(ends[i]) - headers[i][0][0], min(end, int(ends[i]))
            if stop > done:
                out[done - begin : stop - begin] = opened(i)[done - start : stop - start]
            i, done = i + 1, max(done, stop)
        return out

    return Lazy((int(ends[-1]), *first[1:]), dtype, read)


def _described(columns: dict[str, list[str]], pattern: PathPattern) -> dict[str, Any]:
    """Keys, labels and static numbers by what stands in the paths, as `group` reads them of a table."""
    import pyarrow as pa

    from seqtool.tables.cells import Keys, Labels

    per_sequence, names, keys = dict[str, Array](), dict[str, Any](), None
    if "key" in columns:
        found, _ = Keys().encode(pa.array(columns["key"], pa.string()))
        keys = found if isinstance(found, np.ndarray) else np.array(columns["key"], dtype=str)
    if "label" in columns:
        labels = Labels()
        codes = labels.encode(pa.array(columns["label"], pa.string()))
        meaning, classes = labels.finish(None)
        per_sequence["y"] = meaning[codes]
        names |= {} if classes is None else {"classes": classes}
    static = {name: cells for name, cells in columns.items() if name not in ("key", "label")}
    if static:
        per_sequence["static"] = _side_by_side(
            [_numbers(name, cells, pattern) for name, cells in static.items()]
        )
        names["static_features"] = np.array([*static], dtype=str)
    return {"keys": keys, "per_sequence": per_sequence, "names": names}


def _numbers(name: str, cells: Sequence[str], pattern: PathPattern) -> Array:
    import pyarrow as pa

    from seqtool.tables.cells import Numbers, missing_words
    from seqtool.tables.csv_dialect import is_number
    from seqtool.tables.file_columns import refuse_part

    wrong = next((cell for cell in cells if not is_number(cell)), None)
    if wrong is not None:
        raise refuse_part(name, wrong, pattern)
    return Numbers(np.dtype(np.float64), missing_words(), text=True).encode(pa.array(cells, pa.string()), 0)


def _side_by_side(columns: Sequence[Array]) -> Array:
    """Static numbers (N, P): whole ones as integers, others as float32 where that changes none of the whole ones."""
    together = np.stack(columns, axis=1)
    if together.dtype.kind in "iu":
        return together
    single = together.astype(np.float32)
    whole = together == np.trunc(together)
    return single if (single[whole] == together[whole]).all() else together
