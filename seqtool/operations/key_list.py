"""Keys that a file lists, one in each line: which sequences have one of them."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from seqtool.arrays.dtypes import Array
from seqtool.arrays.lazy import AnyArray
from seqtool.arrays.text import Text
from seqtool.errors import DataError, why
from seqtool.words import count, listed, shortened, split_names

_NAMED = 5  # keys without a sequence that are named


class KeyList:
    """The keys of a file, and those of sequences, (N,) or (N, K), which are looked for among them.

    They are compared as they are written: 007 is not 7. The keys of the file are held in memory.
    """

    def __init__(self, file: str, keys: AnyArray | Text, wanted: dict[tuple[str, ...], bool]) -> None:
        self._file, self._keys = file, keys
        self._found = wanted

    @classmethod
    def of(cls, file: str, keys: AnyArray | Text | None) -> KeyList:
        """Read a file; raises DataError for one that cannot be read, and a line that is no such key."""
        if keys is None:
            raise DataError("--keys names sequences by their keys, which these have not")
        width = 1 if keys.ndim == 1 else keys.shape[1]
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
        return cls(file, keys, wanted)

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
            f"{Path(self._file).name}: {count(len(absent), 'key')} of {len(self._found):,} in no sequence: "
            f"{listed(absent[:_NAMED])}{more}"
        ]


def _cells(line: str, width: int, place: str) -> tuple[str, ...]:
    """The columns of a key, which tabs part, or else commas; of a key of one column all that stands in the line."""
    if width == 1:
        return (line,)
    cells = line.split("\t") if "\t" in line else split_names(line)
    if len(cells) != width:
        raise DataError(
            f"{place}: {shortened(line)!r} is a key of {count(len(cells), 'column')}; {width} were expected, with tabs "
            "or commas between them"
        )
    return tuple(cells)
