"""What to say of a source that is no input, and what to name instead: a wrong name, a folder, a foreign archive."""

from __future__ import annotations

import glob
import zipfile
from collections import Counter
from collections.abc import Iterable
from difflib import get_close_matches
from pathlib import Path

from seqtool.advice import Advice
from seqtool.errors import DataError


def no_such_file(source: str, suffixes: Iterable[str]) -> DataError:
    """The error for a name, or a pattern, that no file has."""
    is_pattern = glob.has_magic(source)
    problem = f"{source}: {'no file matches this pattern' if is_pattern else 'no such file'}"
    folder, name = Path(source).parent, Path(source).name
    names = _readable(folder, suffixes)
    if is_pattern:
        near = [f"*{suffix}" for suffix, _ in Counter(Path(name).suffix for name in names).most_common(1)]
    else:
        near = get_close_matches(name, names, 1)
    if not near or glob.has_magic(str(folder)):
        return DataError(problem)
    return DataError(f"{problem}; did you mean ", Advice(str(folder / near[0]), without=[source]), "?")


def is_a_folder(source: str, suffixes: Iterable[str]) -> DataError:
    """The error for a folder, which names the files in it."""
    names = _readable(Path(source), suffixes)
    if not names:
        return DataError(f"{source}: a folder; the name of a file was expected")
    one = Advice(str(Path(source) / names[0]), without=[source])
    out: list[object] = [f"{source}: a folder; name a file in it, such as ", one]
    suffix, count = Counter(Path(name).suffix for name in names).most_common(1)[0]
    if count > 1:
        out += [
            ", or where several may be read: ",
            Advice(str(Path(source) / f"*{suffix}"), without=[source]),
        ]
    return DataError(*out)


def _readable(folder: Path, suffixes: Iterable[str]) -> list[str]:
    """The names of the files in a folder that look like inputs."""
    known = {*suffixes}
    try:
        found = sorted(path.name for path in folder.iterdir() if path.suffix.lower() in known)
    except OSError:
        return []
    return [name for name in found if (folder / name).is_file()]


def refuse_foreign(name: str, path: Path, head: bytes) -> None:
    """Raise DataError for an archive or a text of others, by the file and how it begins."""
    if head.startswith(b"PK"):
        _refuse_archive(name, path)
    _refuse_annotated(name, head)


def _refuse_archive(name: str, path: Path) -> None:
    """A zip archive that holds other things than arrays."""
    try:
        with zipfile.ZipFile(path) as archive:
            members = archive.namelist()
    except (zipfile.BadZipFile, OSError, ValueError, NotImplementedError):
        return  # what is damaged is told by its reader
    if not members or any(member.endswith(".npy") for member in members):
        return
    if "[Content_Types].xml" in members:
        raise DataError(
            f"{name}: the workbook of a spreadsheet, which seqtool does not read; save its sheet as CSV"
        )
    raise DataError(
        f"{name}: a zip archive of {members[0]}{', ...' if len(members) > 1 else ''}; unpack it first: ",
        Advice("python3", "-m", "zipfile", "-e", name, "."),
    )


def _refuse_annotated(name: str, head: bytes) -> None:
    """The text of Weka and sktime, which begins with words about the data."""
    if Path(name).suffix.lower() in (".ts", ".arff") and head.lstrip()[:1] in (b"@", b"#", b"%"):
        raise DataError(
            f"{name}: a file of sktime or Weka, which seqtool does not read; save its series as CSV, with a column "
            "that tells them apart"
        )
