"""What the path of a file says of all that stands in it: the parts that a pattern names, and Hive's partitions.

`data/year=2024/part-0.parquet` lies in the partition 2024 of `year`, as Hive, Spark, DuckDB and pyarrow write it.
"""

from __future__ import annotations

import os
import re
from collections.abc import Sequence
from pathlib import Path
from urllib.parse import unquote

from seqtool.dataclass import dataclass
from seqtool.errors import DataError, UsageError
from seqtool.words import count

_EMPTY = "__HIVE_DEFAULT_PARTITION__"  # what Hive calls the partition of missing values
_PART_OF_PATTERN = re.compile(
    r"\{(?P<name>[^{}/*]+)\}|(?P<folders>\*\*/)|(?P<star>\*)|(?P<plain>[^{}*]+)|(?P<odd>.)"
)


@dataclass(frozen=True)
class PathPattern:
    """A pattern of paths, parts of which have names: `rec/{label}/{key}.csv`.

    A part and `*` stand for one letter or more within a folder or a file's name, `**/` for any folders.
    Raises UsageError for a pattern that is malformed.

    >>> PathPattern("rec/{label}/{key}.csv").parts("rec/walk/007.csv")
    {'label': 'walk', 'key': '007'}
    """

    text: str

    def __post_init__(self) -> None:
        twice = next((name for name in self.names if self.names.count(name) > 1), None)
        if twice is not None:
            raise UsageError(f"--key-from {self.text!r} names {{{twice}}} twice")
        if re.search(r"\}[{*]|\*\{", self.text):
            raise UsageError(
                f"--key-from {self.text!r}: two parts touch, so nobody can tell where one ends; put what stands "
                "between them there"
            )

    @property
    def names(self) -> tuple[str, ...]:
        """The names of its parts, from left to right."""
        found = [*_PART_OF_PATTERN.finditer(self.text)]
        if any(piece["odd"] for piece in found):
            raise UsageError(
                f"--key-from {self.text!r}: a part is a name within braces, such as 'rec/{{key}}.csv'"
            )
        return tuple(piece["name"] for piece in found if piece["name"])

    def without(self, name: str) -> str:
        """The pattern with * in the place of a part."""
        return self.text.replace(f"{{{name}}}", "*")

    def parts(self, path: str) -> dict[str, str] | None:
        """What stands in a path for each name; None where the path does not match.

        Raises DataError where it does so in two ways.
        """
        few, many = (re.compile(self._expression(more), re.DOTALL).fullmatch(_slashed(path)) for more in "? ")
        if few is None or many is None:
            return None
        found = [dict(zip(self.names, match.groups(), strict=True)) for match in (few, many)]
        if found[0] != found[1]:
            name = next(name for name in self.names if found[0][name] != found[1][name])
            raise DataError(
                f"{path}: matches --key-from {self.text!r} in two ways: {{{name}}} is {found[0][name]!r} or "
                f"{found[1][name]!r}; write more of the path out"
            )
        return found[0]

    def _expression(self, more: str) -> str:
        """It as a regular expression that takes as little, or as much, for each part as it can."""
        more = more.strip()
        groups = {
            "name": f"([^/]+{more})",
            "folders": f"(?:.*/){'??' if more else '?'}",
            "star": f"[^/]*{more}",
        }
        pieces = _PART_OF_PATTERN.finditer(_slashed(self.text))
        return "".join(groups.get(piece.lastgroup or "") or re.escape(piece[0]) for piece in pieces)

    @property
    def base(self) -> str:
        """The pattern without the folders that it writes out, for a receipt, which holds base names alone."""
        return self.text[len(_written_out(self.text)) :].removeprefix("/")


def _written_out(pattern: str) -> str:
    """The folders that a pattern, or a glob, begins with and writes out."""
    return re.split(r"[{*?[]", pattern)[0].rpartition("/")[0]


def folder_name(*patterns: str) -> str:
    """The name of the folder that the first of some patterns writes out; that of the current one where none does.

    >>> folder_name("{key}.csv", "my/rec/*.csv")
    'rec'
    """
    written = [_slashed(_written_out(_slashed(pattern))).rpartition("/")[2] for pattern in patterns]
    known = [name for name in written if name not in ("", ".", "..")]
    return known[0] if known else Path.cwd().name or "sequences"


def _slashed(path: str) -> str:
    return path.replace(os.sep, "/").removeprefix("./")


def parts_of(names: Sequence[str], pattern: PathPattern) -> list[dict[str, str]]:
    """The parts of each path; raises DataError that names the first of those that do not match, and their count."""
    found = [pattern.parts(name) for name in names]
    wrong = [name for name, parts in zip(names, found, strict=True) if parts is None]
    if wrong:
        others = f" and {len(wrong) - 1:,} more" if len(wrong) > 1 else ""
        raise DataError(
            f"{wrong[0]}{others}: {'do' if others else 'does'} not match --key-from {pattern.text!r} "
            f"({len(wrong):,} of {count(len(names), 'file')}); leave out what is no sequence, or put * where it says "
            "too much"
        )
    return [parts for parts in found if parts is not None]


def partitions(path: str) -> dict[str, str]:
    """The partitions that a file lies in, as Hive names their folders; a missing value is an empty text.

    >>> partitions("data/year=2024/name=a%20b/part-0.parquet")
    {'year': '2024', 'name': 'a b'}
    """
    folders = [folder.partition("=") for folder in _slashed(path).split("/")[:-1]]
    found = {unquote(name): unquote(value) for name, mark, value in folders if name and mark}
    return {name: "" if value == _EMPTY else value for name, value in found.items()}


def is_partitioned(folder: Path) -> bool:
    """Whether a folder holds the folders of partitions."""
    try:
        return any(re.fullmatch(r"[^=]+=.*", path.name) and path.is_dir() for path in folder.iterdir())
    except OSError:
        return False


def files_below(folder: Path, suffixes: tuple[str, ...], most: int | None = None) -> list[Path]:
    """The files in a folder and those below it that look like inputs, sorted; of many, the first `most` that are found.

    Names that begin with . or _ are those of other programs.
    """
    found: list[Path] = []
    for parent, folders, names in os.walk(folder):
        folders[:] = sorted(name for name in folders if name[:1] not in "._")
        known = [name for name in sorted(names) if name[:1] not in "._" and name.lower().endswith(suffixes)]
        found += [Path(parent, name) for name in known]
        if most is not None and len(found) >= most:
            return found[:most]
    return sorted(found)
