"""Keys that a file lists, one in each line, or that a caller names: which sequences have one of them."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from seqtool.arrays.array_likes import is_array_like, plain
from seqtool.arrays.dtypes import Array
from seqtool.arrays.lazy import AnyArray
from seqtool.arrays.text import Text
from seqtool.dataclass import dataclass
from seqtool.errors import DataError, UsageError, why
from seqtool.sequences.keys import name_keys
from seqtool.words import count, in_short, listed, shortened, split_names

_NAMED = 5  # keys without a sequence that are named
_WRITTEN = 100  # keys that a receipt holds as they are; of more it holds how many there are, and their hash


@dataclass(frozen=True)
class GivenKeys:
    """Keys that a caller named: the columns of each, as they are written."""

    cells: tuple[tuple[str, ...], ...]

    @classmethod
    def of(cls, keys: Any) -> GivenKeys:
        """The keys in a list, set, array, series or frame; one of several columns is a tuple, or a row.

        Raises UsageError for what holds no keys, and DataError for one that is neither text nor a whole number.

        >>> GivenKeys.of([7, "a"]).cells, GivenKeys.of(np.array([["u", "v"]])).cells
        ((('7',), ('a',)), (('u', 'v'),))
        """
        if isinstance(keys, (bytes, dict)) or not (is_array_like(keys) or isinstance(keys, Iterable)):
            raise UsageError(f"keys is {in_short(keys)}; a file, or a list or array of keys, was expected")
        held = plain(keys) if is_array_like(keys) else keys
        if isinstance(held, list) and is_array_like(keys):  # the columns of a frame
            held = zip(*map(_plain_list, held), strict=True)
        rows = _plain_list(held)
        rows = sorted(rows, key=str) if isinstance(keys, (set, frozenset)) else rows
        return cls(
            tuple(tuple(map(_written, row if isinstance(row, (list, tuple)) else [row])) for row in rows)
        )

    def described(self) -> Any:
        """The keys as a receipt has them: a list, or of many the number of them and the SHA-256 of their JSON."""
        keys = [cells[0] if len(cells) == 1 else [*cells] for cells in self.cells]
        if len(keys) <= _WRITTEN:
            return keys
        return {"count": len(keys), "sha256": hashlib.sha256(json.dumps(keys).encode()).hexdigest()}


def _plain_list(cells: Any) -> list[Any]:
    """The cells of an array, or of anything that can be gone through, as Python has them."""
    for method in ("tolist", "to_pylist"):
        if hasattr(cells, method):
            found: list[Any] = getattr(cells, method)()
            return found
    return [*cells]


def _written(cell: Any) -> str:
    return str(name_keys([cell])[0])


class KeyList:
    """The keys of a file or of a caller, and those of sequences, (N,) or (N, K), which are looked for among them.

    They are compared as they are written: 007 is not 7. Those that are looked for are held in memory; `name` is what
    messages call them, and `reason` says of others why they are left out.
    """

    def __init__(
        self, name: str, reason: str, keys: AnyArray | Text, wanted: dict[tuple[str, ...], bool]
    ) -> None:
        self.reason = reason
        self._name, self._keys = name, keys
        self._found = wanted

    @classmethod
    def of(cls, source: str | GivenKeys, keys: AnyArray | Text | None) -> KeyList:
        """Read a file, or take keys themselves; raises DataError where it cannot be read, or for no such key."""
        if keys is None:
            raise DataError("--keys names sequences by their keys, which these have not")
        width = 1 if keys.ndim == 1 else keys.shape[1]
        if isinstance(source, GivenKeys):
            for i, cells in enumerate(source.cells):
                _check_width(cells, " ".join(cells), width, f"keys[{i}]", "as a tuple")
            return cls("keys", "key not among keys", keys, dict.fromkeys(source.cells, False))
        return cls(Path(source).name, "key not in the file of keys", keys, cls._lines(source, width))

    @staticmethod
    def _lines(file: str, width: int) -> dict[tuple[str, ...], bool]:
        try:
            text = Path(file).read_text(encoding="utf-8-sig")
        except OSError as error:
            raise DataError(f"{file}: {why(error)}") from None
        except UnicodeDecodeError:
            raise DataError(
                f"{file}: a key a line was expected, but it holds bytes that are not UTF-8"
            ) from None
        wanted = {}
        for number, line in enumerate(text.split("\n"), 1):
            line = line.removesuffix("\r")
            if line:
                wanted[_cells(line, width, f"{file}, line {number}")] = False
        return wanted

    def holds(self, begin: int, end: int) -> Array:
        """Whether the file has the keys of the sequences from `begin` to `end`, (n,) bool."""
        part = np.asarray(self._keys[begin:end])
        columns = part.reshape(len(part), -1).T
        written = zip(*(map(str, column.tolist()) for column in columns), strict=True)
        is_listed = np.zeros(len(part), bool)
        for i, key in enumerate(written):
            if key in self._found:
                self._found[key] = is_listed[i] = True
        return is_listed

    def warnings(self) -> list[str]:
        """A warning of keys in the file that no sequence has, once all were looked for."""
        absent = [" ".join(key) for key, is_found in self._found.items() if not is_found]
        if not absent:
            return []
        more = ", ..." if len(absent) > _NAMED else ""
        return [
            f"{self._name}: {count(len(absent), 'key')} of {len(self._found):,} in no sequence: "
            f"{listed(absent[:_NAMED])}{more}"
        ]


def _cells(line: str, width: int, place: str) -> tuple[str, ...]:
    """The columns of a key, which tabs part, or else commas; of a key of one column all that stands in the line."""
    if width == 1:
        return (line,)
    cells = line.split("\t") if "\t" in line else split_names(line)
    _check_width(cells, line, width, place, "with tabs or commas between them")
    return tuple(cells)


def _check_width(cells: Sequence[str], text: str, width: int, place: str, how: str) -> None:
    """Raise DataError for a key of other columns than those of sequences; `how` is how several are given."""
    if len(cells) != width:
        expected = f"{width} were expected, {how}" if width > 1 else "1 was expected"
        raise DataError(f"{place}: {shortened(text)!r} is a key of {count(len(cells), 'column')}; {expected}")
