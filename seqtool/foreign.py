"""Arrays that seqtool did not write, as `seqtool pad` takes them, and not yet checked."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import cast

import numpy as np

from seqtool.casting import Array, first_loss
from seqtool.errors import DataError, UsageError
from seqtool.npy import open_npy
from seqtool.ragged import Padded, Ragged, Side, Value, check_value_shape, unchecked
from seqtool.windows import AnyArray, Lazy, mapped, windows
from seqtool.zipped import ZipReader


@dataclass(frozen=True)
class Foreign:
    """What a person says of a file that seqtool did not write: as `seqtool pad` takes it."""

    array: str | None = None
    lengths: str | None = None
    input_padding: Side | None = None
    value: Value | None = None

    @property
    def options(self) -> tuple[str, ...]:
        """The same as words of a call of `seqtool pad`."""
        numbers = self.value if isinstance(self.value, tuple) else (self.value,)
        value = None if self.value is None else ",".join(map(str, numbers))
        said = {
            "array": self.array,
            "lengths": self.lengths,
            "input-padding": self.input_padding,
            "value": value,
        }
        return tuple(word for name, told in said.items() if told is not None for word in (f"--{name}", told))


def offset_values(archive: ZipReader) -> Ragged:
    """The values and offsets of a foreign file."""
    values, offsets = archive.window("values"), archive.window("offsets")
    if not _is_numeric(values) or values.ndim not in (1, 2):
        raise DataError(f"values is {values.dtype} {values.shape}; numbers of (S, F) or (S,) were expected")
    if offsets.dtype.kind not in "iu" or offsets.ndim != 1 or not len(offsets):
        raise DataError(
            f"offsets is {offsets.dtype} {offsets.shape}; whole numbers of (N + 1,) were expected"
        )
    whole = mapped(_whole, offsets, dtype=np.int64)
    return cast(Ragged, unchecked(Ragged, values=values, offsets=whole))


def dense(x: AnyArray, known: AnyArray | None, foreign: Foreign) -> Padded:
    """A block (N, T) or (N, T, F) with its lengths; where none are known, each row is T steps long."""
    if not _is_numeric(x) or x.ndim not in (2, 3):
        raise DataError(f"the array is {x.dtype} {x.shape}; numbers of (N, T) or (N, T, F) were expected")
    check_value_shape(foreign.value or 0, x.shape[2:])
    if known is None:
        if foreign.input_padding:
            raise UsageError("--input-padding needs to know where padding is: add --lengths")
        slots = x.shape[1]
        lengths: AnyArray = Lazy(x.shape[:1], np.dtype(np.int64), lambda a, b: np.full(b - a, slots))
    elif known.shape != x.shape[:1] or not _are_whole(known):
        raise DataError(f"lengths is {known.dtype} {known.shape}; whole numbers of ({len(x)},) were expected")
    else:
        lengths = mapped(_whole, known, dtype=np.int64)
    side, value = foreign.input_padding or "post", foreign.value or 0
    return cast(Padded, unchecked(Padded, x=x, lengths=lengths, padding=side, value=value))


def _is_numeric(array: AnyArray) -> bool:
    return array.dtype.kind in "biuf" and array.dtype.itemsize <= 8


def _are_whole(lengths: AnyArray) -> bool:
    if lengths.dtype.kind == "f":
        return all(first_loss(part, np.dtype(np.int64)) is None for _, part in windows(lengths))
    return lengths.dtype.kind in "iu"


def _whole(numbers: Array) -> Array:
    return numbers.astype(np.int64)


def used_names(names: Sequence[str], array: str | None, lengths: str | None) -> list[str]:
    """The array with the sequences, and that with their lengths if there is one, as `seqtool pad` finds them."""
    lengths = lengths or "lengths"
    others = [name for name in names if name != lengths]
    name = array or ("x" if "x" in names else others[0] if len(others) == 1 else None)
    if name is None or name not in names:
        what = f"no array {name!r}" if name else "several arrays"
        raise DataError(f"holds {what}; say which with --array: {', '.join(names) or '(none)'}")
    return [name, lengths] if lengths in names else [name]


def lengths_file(name: str) -> AnyArray:
    """The lengths in an `.npy` file of their own."""
    if not Path(name).is_file():
        raise DataError(f"--lengths {name}: neither an array of the input nor a file")
    if Path(name).suffix != ".npy":
        raise UsageError(f"--lengths {name}: an .npy file, or the name of an array, was expected")
    return open_npy(Path(name), name)
