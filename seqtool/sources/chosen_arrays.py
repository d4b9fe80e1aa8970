"""Which arrays of a file that seqtool did not write hold its sequences, and their lengths."""

from __future__ import annotations

from collections.abc import Sequence
from difflib import get_close_matches
from pathlib import Path
from typing import Literal

from seqtool.advice import Advice
from seqtool.arrays.lazy import AnyArray
from seqtool.dataclass import dataclass
from seqtool.errors import DataError, UsageError
from seqtool.files.npy import open_npy
from seqtool.files.zip_reader import ZipReader
from seqtool.sequences.labels import class_tables
from seqtool.sources.companions import PARTS
from seqtool.sources.masks import MASK, check_mask_order
from seqtool.sources.options import ForeignSpec


def refuse_options(name: str, spec: ForeignSpec) -> None:
    """Raise UsageError for options that describe arrays: a file of ours describes its own."""
    if spec.options:
        raise UsageError(
            f"{name} was written by seqtool and describes its own arrays, lengths and padding: ",
            Advice(without=[*spec.options]),
        )


def refuse_names(spec: ForeignSpec) -> None:
    """Raise UsageError for names of arrays: an `.npy` holds a single one without a name."""
    if spec.array or spec.named:
        raise UsageError(
            "--array, --label and --key name arrays of an .npz; an .npy holds only one: ",
            spec.without("--array", "--label", "--step-label", "--key"),
        )


@dataclass(frozen=True)
class Chosen:
    """The arrays of a file that hold sequences, and their form.

    A `block` is padded, and its lengths may follow its name; `ragged` are values and offsets; of `numbered` and
    `named` arrays each is a sequence.
    """

    names: Sequence[str]
    form: Literal["block", "ragged", "numbered", "named"] = "block"


def choose(archive: ZipReader, foreign: ForeignSpec) -> Chosen:
    """The arrays that hold sequences: those that `foreign` names, else `x`, `values` and `offsets`, or the only ones.

    Raises DataError where it is not clear which; UsageError for options that do not fit them.
    """
    names = archive.names
    if not names:
        raise DataError("holds no array")
    for option, name in foreign.named:
        if name not in names:
            raise DataError(f"holds no array {name!r} for {option}; the arrays are {', '.join(names)}")
    chosen = _chosen(names, foreign)
    for i, (option, name) in enumerate(foreign.named):
        if name in chosen.names or name in [other for _, other in foreign.named[:i]]:
            raise UsageError(
                f"{option} {name}: that array is already used for something else; ", Advice(without=[option])
            )
    return chosen


def _chosen(names: Sequence[str], foreign: ForeignSpec) -> Chosen:
    if foreign.rows.keys_from_names:
        others = [option for option in foreign.options if option not in ("--keys-from-names", "--value")]
        if others:
            raise UsageError("--keys-from-names takes each array as one sequence: ", foreign.without(*others))
        return Chosen(names, "named")
    special = [name for name in (*(name for _, name in foreign.named), foreign.lengths) if name in names]
    numbered = foreign.array is None and not special and _are_numbered(names)
    if numbered or (foreign.array in (None, "values") and _are_ragged(names)):
        foreign.refuse_of_blocks("these are not padded")
        return Chosen(names, "numbered") if numbered else Chosen(["values", "offsets"], "ragged")
    if foreign.lengths is not None and foreign.lengths not in names:
        _check_lengths_file(foreign.lengths)
    lengths = foreign.lengths or "lengths"
    others = [name for name in names if name != lengths and name not in special]
    if len(others) > 1:
        others = [name for name in others if name not in (*PARTS, *class_tables(names), MASK)]
    array = foreign.array or ("x" if "x" in names else others[0] if len(others) == 1 else None)
    if array is None or array not in names:
        what = f"no array {array!r}" if array else "several arrays"
        near = (get_close_matches(array, names, 1) if array else []) or names
        raise DataError(
            f"holds {what}; choose one of {', '.join(names)}, such as ", Advice("--array", near[0])
        )
    return Chosen([array, lengths] if lengths in names else [array])


def _are_numbered(names: Sequence[str]) -> bool:
    """Whether these are the names that `np.savez(file, *sequences)` gives to several arrays."""
    return len(names) > 1 and sorted(names) == sorted(f"arr_{i}" for i in range(len(names)))


def _are_ragged(names: Sequence[str]) -> bool:
    return {"values", "offsets"} <= set(names) and "x" not in names


def lengths_file(name: str, block: tuple[int, ...], foreign: ForeignSpec) -> AnyArray:
    """The lengths, or the mask, of a block, which stand in an `.npy` file of their own."""
    _check_lengths_file(name)
    known = open_npy(Path(name), name)
    if not foreign.time_major or known.ndim < 2:
        return known
    check_mask_order(block)
    return known if known.shape == block[:2] else open_npy(Path(name), name, time_major=True)


def _check_lengths_file(name: str) -> None:
    if not Path(name).is_file():
        raise DataError(f"--lengths {name}: neither an array of the input nor a file")
    if Path(name).suffix != ".npy":
        raise UsageError(f"--lengths {name}: an .npy file, or the name of an array, was expected")
