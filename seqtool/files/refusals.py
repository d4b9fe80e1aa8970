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
from seqtool.files.kinds import BINARY_SUFFIXES, PACKED_SUFFIXES, TEXT_SUFFIXES, bare_name
from seqtool.files.packing import file_members
from seqtool.files.path_parts import files_below
from seqtool.files.traces import MANIFEST
from seqtool.words import STDIN, count, listed


def no_such_file(source: str, suffixes: Iterable[str]) -> DataError:
    """The error for a name, or a pattern, that no file has."""
    is_pattern = glob.has_magic(source)
    problem = f"{source}: {'no file matches this pattern' if is_pattern else 'no such file'}"
    folder, name = Path(source).parent, Path(source).name
    names = _readable(folder, suffixes)
    if is_pattern:
        found = Counter(Path(one).suffix for one in names)
        own = Path(name).suffix
        near = [f"*{own}"] if own in found else [f"*{suffix}" for suffix, _ in found.most_common(1)]
    else:
        near = get_close_matches(name, names, 1)
    if not near or glob.has_magic(str(folder)):
        return DataError(problem)
    return DataError(f"{problem}; did you mean ", Advice(str(folder / near[0]), without=[source]), "?")


def is_a_folder(source: str, suffixes: Iterable[str]) -> DataError:
    """The error for a folder, which says what stands in it and in those below it, and the glob that takes it."""
    folder = Path(source)
    found = [path.relative_to(folder) for path in files_below(folder, tuple(suffixes), most=_MOST)]
    if not found:
        return DataError(f"{source}: a folder; the name of a file was expected")
    if all(path.name.startswith("shard-") for path in found):
        return DataError(
            f"{source}: shards without {MANIFEST}, so no data set yet: wait for the job that writes it, or run it again"
        )
    depth, suffix = Counter((len(path.parts), _suffix(path)) for path in found).most_common(1)[0][0]
    alike = [path for path in found if (len(path.parts), _suffix(path)) == (depth, suffix)]
    at_least = "at least " if len(found) == _MOST else ""
    kinds = [count(number, f"{kind} file") for kind, number in Counter(map(_suffix, found)).most_common(3)]
    below = f" in {count(len({path.parent for path in alike}), 'folder')} below it" if depth > 1 else ""
    one = Advice(str(folder / alike[0]), without=[source])
    out: list[object] = [
        f"{source}: a folder of {at_least}{', '.join(kinds)}{below}; name a file, such as ",
        one,
    ]
    if len(alike) > 1:
        pattern = str(folder.joinpath(*["*"] * (depth - 1), f"*{suffix}"))
        out += [", or where several may be read: ", Advice(pattern, without=[source])]
        each = str(folder.joinpath(*["*"] * (depth - 1), f"{{key}}{suffix}"))
        whole = Advice(pattern, "--key-from", each, without=[source, "--key"])
        out += [", and where each is a sequence: ", whole]
    return DataError(*out)


def _suffix(path: Path) -> str:
    """What the name of a file ends in, with that of its content where it is packed."""
    return "".join(path.suffixes[-2:]) if path.suffix in PACKED_SUFFIXES else path.suffix


_MOST = 10_000  # files that are counted


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
            members = file_members(archive)
    except (zipfile.BadZipFile, OSError, ValueError, NotImplementedError):
        return  # what is damaged is told by its reader
    if not members or any(member.endswith(".npy") for member in members):
        return
    if "[Content_Types].xml" in members:
        raise DataError(
            f"{name}: a document of an office program, and no workbook; save the table in it as CSV"
        )
    raise DataError(
        f"{name}: a zip archive of {listed(members)}; one file was expected; unpack it: ",
        Advice("python3", "-m", "zipfile", "-e", name, "."),
    )


def _refuse_annotated(name: str, head: bytes) -> None:
    """The text of Weka, or of the Monash archive of forecasts, which begins with words about the data."""
    suffix = Path(name).suffix.lower()
    if suffix in (".arff", ".tsf") and head.lstrip()[:1] in (b"@", b"#", b"%"):
        whose = "Weka" if suffix == ".arff" else "the Monash archive"
        raise DataError(
            f"{name}: a file of {whose}, which seqtool does not read; save its series as CSV, with a column "
            "that tells them apart"
        )


def refuse_file_name(head: bytes) -> None:
    """Raise DataError for a pipe that carries the name of a file, as `echo in.npy |` or `ls |` do, not its content."""
    lines = head[:4096].split(b"\n")
    named = lines[0].strip().decode(errors="replace")
    if "\0" not in named and len(named) < 1024 and all(len(line) < 1024 for line in lines):
        bare = bare_name(named)
        known = Path(bare).suffix.lower() in {*BINARY_SUFFIXES, *TEXT_SUFFIXES}
        if (
            named
            and "," not in named
            and (known or ("." in named and len(named) < 256 and Path(named).is_file()))
        ):
            raise DataError(
                f"{STDIN}: holds the text {named!r}, which looks like the name of a file; "
                f"give it as an argument, or send its content: ... < {named}"
            )
