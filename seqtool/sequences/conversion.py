"""Conversion to a `Ragged` of what is not read from a file: lists, arrays of any library, padded blocks."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from itertools import chain
from typing import Any, NamedTuple, cast

import numpy as np

from seqtool.arrays.array_likes import is_array_like, is_arrow, is_pandas_frame, kind_of, plain
from seqtool.arrays.dtypes import Array
from seqtool.arrays.exact import array_of, filled, filled_step, is_gap, joined, numbers_in
from seqtool.arrays.gather import lazy_gather
from seqtool.arrays.lazy import CHUNK, AnyArray, Lazy, chunks, slots
from seqtool.arrays.spool import Spool, at_hand, running_sums
from seqtool.errors import DataError, at
from seqtool.sequences.keys import mapping_keys
from seqtool.sequences.once import Once, is_once, underlying
from seqtool.sequences.padding_values import Side, check_side
from seqtool.sequences.ragged import Padded, Ragged, StepArray, exchanged
from seqtool.sequences.validation import check_lengths, offsets_of, step_mask
from seqtool.words import in_short, step_in_words


class Converted(NamedTuple):
    """Sequences, and how many of their numbers became NaN because they were missing: None, null, NA or masked."""

    ragged: Ragged
    missing: int = 0


def as_ragged(sequences: Any, spool: Spool | None = None) -> Ragged:
    """Sequences in any form as a Ragged: lists, arrays, frames, a mapping, a Padded; raises DataError for others.

    `spool` takes the offsets of more sequences than small memory holds, where these are padded in a file.

    >>> as_ragged([[1, 2], [], [3]]).offsets
    array([0, 2, 2, 3])
    """
    return converted(sequences, spool).ragged


def converted(sequences: Any, spool: Spool | None = None) -> Converted:
    """The same with the number of missing values."""
    if isinstance(sequences, Ragged):
        return Converted(sequences)
    if isinstance(sequences, Padded):
        return Converted(_from_padded(sequences, spool or Spool()))
    if isinstance(sequences, Lazy):
        return Converted(from_dense(sequences))
    if is_array_like(sequences):
        return _from_array_like(sequences)
    if hasattr(sequences, "get_group"):
        raise DataError(
            f"a {kind_of(sequences)} is not a list of sequences; pass its frames, "
            "[frame[columns] for _, frame in groups], or the whole table to group"
        )
    if isinstance(sequences, dict) and (keys := mapping_keys(sequences)) is not None:
        found = _from_list(list(sequences.values()))
        return Converted(found.ragged.replace(keys=keys), found.missing)
    if isinstance(sequences, (str, bytes, dict)) or not hasattr(sequences, "__len__"):
        way_out = "; a file is read by load, numpy.load, or seqtool pad" if isinstance(sequences, str) else ""
        raise DataError(
            f"{in_short(sequences)} is not a list of sequences; a list of lists or an array was expected{way_out}"
        )
    return _from_list(list(sequences))


def sequences_first(block: Any) -> Array:
    """A time-major block (T, N, ...) of any library as (N, T, ...), without a copy.

    Raises DataError for what is no array of at least two dimensions.

    >>> sequences_first(np.zeros((7, 2, 3))).shape
    (2, 7, 3)
    """
    cells = plain(block) if is_array_like(block) else None
    if not isinstance(cells, np.ndarray) or cells.ndim < 2:
        found = f"an array of shape {cells.shape}" if isinstance(cells, np.ndarray) else f"a {kind_of(block)}"
        raise DataError(
            f"time_major describes an array (T, N), (T, N, F) or of more dimensions; {found} was given"
        )
    return cells.swapaxes(0, 1)


def _from_array_like(sequences: Any) -> Converted:
    """The sequences of an array or a table of any library: the rows of a dense one, or its cells if these are lists."""
    try:
        cells = plain(sequences)
    except DataError:
        # An array of lists of several lengths cannot become a NumPy array, but each of its items can.
        if is_arrow(sequences) or is_pandas_frame(sequences) or not hasattr(sequences, "__len__"):
            raise
        return _from_list(list(sequences))
    if isinstance(cells, list):
        if len(cells) != 1 or not _holds_lists(cells[0]):
            with at(f"a {kind_of(sequences)}"):
                if any(map(_holds_lists, cells)):
                    raise DataError("has several columns, and lists in one of them; give that column alone")
                dense, missing = numbers_in(cells)
            return Converted(from_dense(dense), missing)
        cells = cells[0]
    if not isinstance(cells, np.ndarray):
        from seqtool.arrays.list_columns import lists_of, without_null_type

        lists = lists_of(without_null_type(cells))
        return Converted(Ragged(lists.values, offsets_of(lists.lengths)), lists.missing)
    if cells.dtype != object:
        dense, missing = filled(cells, "sequences")
        return Converted(from_dense(dense), missing)
    if cells.ndim != 1:
        raise DataError(f"an object array of shape {cells.shape}; one sequence each, (N,), was expected")
    return _from_list(list(cells))


def _holds_lists(column: Any) -> bool:
    """Whether the cells of a column of a table are lists."""
    if isinstance(column, np.ndarray):
        first = column[0] if column.dtype == object and len(column) else ""
        return hasattr(first, "__len__") and not isinstance(first, (str, bytes))
    from seqtool.arrays.list_columns import is_list

    return is_list(column.type)


def from_dense(x: AnyArray, lengths: AnyArray | None = None, *, padding: Side = "post") -> Ragged:
    """The sequences of a dense block (N, T), (N, T, F) or (N, T, H, W, C); without `lengths` every one is T long.

    With all lengths T the result is a view: nothing is copied. Raises DataError when the parts do not fit.

    >>> from_dense(np.zeros((3, 4, 2)), np.array([4, 0, 1])).values.shape
    (5, 2)
    """
    check_side("padding", padding)
    if lengths is None:
        if x.ndim < 2:
            raise DataError(f"x has shape {x.shape}; (N, T), (N, T, F) or (N, T, H, W, C) was expected")
        return Ragged(slots(x), _even_offsets(*x.shape[:2]))
    lengths = lengths if isinstance(lengths, Lazy) else np.asarray(lengths)
    check_lengths(lengths, x)
    offsets, real_steps = _taken_apart(x.shape[1], lengths, padding, Spool())
    return Ragged(real_steps(x), offsets)


def _taken_apart(
    width: int, lengths: AnyArray, padding: Side, spool: Spool
) -> tuple[AnyArray, Callable[[AnyArray], AnyArray]]:
    """The offsets of the sequences of a block (N, width, ...), and a function that gives an array's real steps.

    Where all slots are real, nothing is copied. `spool` takes offsets that are large.
    """
    if all(bool((part == width).all()) for _, part in chunks(lengths)):
        if isinstance(lengths, np.ndarray):
            return offsets_of(lengths), slots
        return _even_offsets(len(lengths), width), slots
    offsets = offsets_of(lengths) if isinstance(lengths, np.ndarray) else running_sums(lengths, spool)
    return offsets, lambda x: _real_steps(x, lengths, offsets, padding)


def _even_offsets(count: int, length: int) -> AnyArray:
    """The offsets of `count` sequences of one length; where there are many, they are computed on demand."""
    lazy = Lazy((count + 1,), np.dtype(np.int64), lambda begin, end: np.arange(begin, end) * length)
    return lazy if lazy.nbytes > CHUNK else np.asarray(lazy)


def with_lengths_at_hand(data: Ragged | Padded, spool: Spool) -> Ragged | Padded:
    """The same sequences, any of whose lengths or offsets can be read at any time for little; nothing is checked."""
    if isinstance(data, Padded):
        return cast(Padded, exchanged(data, lengths=at_hand(data.lengths, spool)))
    offsets, whole = at_hand(data.offsets, spool), underlying(data)
    if whole is None:
        return cast(Ragged, exchanged(data, offsets=offsets))
    gathered = Once(whole.arrays, at_hand(whole.starts, spool)).gathered(offsets, once=is_once(data))
    per_step = {name: StepArray(gathered[name], array.value) for name, array in data.per_step.items()}
    return cast(Ragged, exchanged(data, values=gathered["values"], offsets=offsets, per_step=per_step))


def _real_steps(x: AnyArray, lengths: AnyArray, offsets: AnyArray, padding: Side) -> AnyArray:
    """The real steps of a padded block, end to end; on demand where the block is lazy."""
    if isinstance(x, np.ndarray):
        return np.asarray(x[step_mask(np.asarray(lengths), maxlen=x.shape[1], padding=padding)])
    width = x.shape[1]

    def first_slots(begin: int, end: int) -> Array:
        first = np.arange(begin, end) * width
        return first if padding == "post" else first + width - lengths[begin:end]

    starts = Lazy(lengths.shape, np.dtype(np.int64), first_slots)
    total = int(offsets[len(lengths) : len(lengths) + 1][0])
    return lazy_gather(slots(x), starts, offsets, (total, *x.shape[2:]))


def _from_padded(padded: Padded, spool: Spool) -> Ragged:
    offsets, real_steps = _taken_apart(padded.x.shape[1], padded.lengths, padded.padding, spool)
    per_step = {
        name: StepArray(real_steps(array.data), array.value) for name, array in padded.per_step.items()
    }
    return Ragged(
        real_steps(padded.x),
        offsets,
        keys=padded.keys,
        features=padded.features,
        per_step=per_step,
        per_sequence=padded.per_sequence,
        names=padded.names,
        receipt=padded.receipt,
        padding=padded.padding,
        value=padded.value,
    )


class NoCommonTypeError(DataError):
    """Numbers that no dtype holds exactly: whole ones that are very large, or large ones beside fractions."""


class MisfitError(DataError):
    """A sequence that holds no steps like those of the others: its number, and the problem that follows its name."""

    def __init__(self, sequence: int, problem: str) -> None:
        super().__init__(f"sequences[{sequence}]{problem}")
        self.sequence = sequence
        self.problem = problem


def from_lists(sequences: Sequence[Any]) -> Ragged:
    """A list of sequences, each a list of numbers, a list of steps, or an array, series or data frame of either.

    All steps have the same shape, such as (H, W, C) for the frames of a video.

    Whole numbers give int64, or uint64 where int64 is too small, all others float64; None and NA are missing
    values. Raises DataError, which names the first sequence that does not fit.

    >>> from_lists([[[1, 2]], [[3, 4], [5, 6]]]).values.shape
    (3, 2)
    """
    return _from_list(sequences).ragged


def _from_list(sequences: Sequence[Any]) -> Converted:
    sequences, missing = _items(sequences)
    arrays = all(isinstance(sequence, np.ndarray) for sequence in sequences) and len(sequences) > 0
    lengths = np.fromiter(map(_length, sequences), dtype=np.int64, count=len(sequences))
    if (lengths < 0).any():
        i = int(np.argmax(lengths < 0))
        raise MisfitError(i, f" is {in_short(sequences[i])}; a list of numbers or of steps was expected")
    try:
        if arrays:
            values, gaps = joined([s for s in sequences if len(s)] or list(sequences[:1])), 0
        else:
            values, gaps = array_of(list(chain.from_iterable(sequences)))
    except (ValueError, TypeError, OverflowError):
        raise _misfit(sequences) from None
    if values.dtype.kind not in "biuf":
        raise _misfit(sequences)
    return Converted(Ragged(values, offsets_of(lengths)), missing + gaps)


_PLAIN = {list, tuple, np.ndarray}


def _items(sequences: Sequence[Any]) -> tuple[Sequence[Any], int]:
    """The same sequences, with those of other libraries as NumPy arrays, and how many values are missing."""
    kinds = {*map(type, sequences)}
    masked = _hold_steps_with_gaps(sequences)
    if kinds <= _PLAIN and not masked and not any(map(_holds_objects, sequences)):
        return sequences, 0
    items, missing = list(sequences), 0
    for i, item in enumerate(items):
        if masked and type(item) in (list, tuple):
            filled_steps = [filled_step(step, f"sequences[{i}][{t}]") for t, step in enumerate(item)]
            item = [step for step, _ in filled_steps]
            missing += sum(gaps for _, gaps in filled_steps)
        if type(item) not in _PLAIN and is_array_like(item):
            place = f"sequences[{i}]"
            with at(place):
                item = plain(item)
                if not _holds_objects(item):
                    item, gaps = numbers_in(item, place)
                    missing += gaps
        items[i] = item.tolist() if _holds_objects(item) else item
    return items, missing


def _hold_steps_with_gaps(sequences: Sequence[Any]) -> bool:
    """Whether steps in lists are arrays with missing cells, such as masked ones: NumPy loses these in joining."""
    lists = (s for s in sequences if type(s) in (list, tuple) and s and type(s[0]) not in (int, float))
    kinds = {*map(type, chain.from_iterable(lists))}
    # A single masked number is NaN to NumPy itself.
    return any(
        issubclass(kind, np.ma.MaskedArray) or hasattr(kind, "isna") or hasattr(kind, "null_count")
        for kind in kinds - {type(np.ma.masked)}
    )


def _holds_objects(sequence: Any) -> bool:
    return isinstance(sequence, np.ndarray) and sequence.dtype == object


def _length(sequence: Any) -> int:
    if isinstance(sequence, (str, bytes, dict)):
        return -1
    try:
        return len(sequence)
    except TypeError:
        return -1


def _misfit(sequences: Sequence[Any]) -> DataError:
    """The error for the first step that holds no numbers, or whose shape differs from that of the first step."""
    shape: tuple[int, ...] | None = None
    for i, sequence in enumerate(sequences):
        for t, step in enumerate(sequence):
            found = _numeric_shape(step)
            if found is None:
                return MisfitError(i, f"[{t}] is {in_short(step)}; a number, or a list of them, was expected")
            if is_gap(step) and shape:
                wanted = f"a list of {shape[0]} numbers" if len(shape) == 1 else f"an array of shape {shape}"
                return MisfitError(i, f"[{t}] is {in_short(step)}; {wanted} was expected, if need be of None")
            shape = found if shape is None else shape
            if found != shape:
                expected, got = (
                    step_in_words(step_shape) if step_shape else "a number" for step_shape in (shape, found)
                )
                return MisfitError(i, f"[{t}] has {got}, but the steps before it {expected}")
    return NoCommonTypeError(
        "the sequences hold whole numbers that no common type holds exactly; convert them to floats first"
    )


def _numeric_shape(step: Any) -> tuple[int, ...] | None:
    """The shape of a step, () for a missing one; None unless it holds numbers alone."""
    if is_gap(step):
        return ()
    try:
        array = np.asarray(step)
    except ValueError:
        return None
    numbers = array.dtype.kind in "biuf" or (
        array.dtype == object
        and all(isinstance(item, (int, float, np.number)) or is_gap(item) for item in array.reshape(-1))
    )
    return array.shape if numbers else None
