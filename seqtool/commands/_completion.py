"""What the shell offers while a call is typed: the words that an option takes, and the names in the file of the call.

A completion is quick, never fails and writes nothing else: of a file only its head is read, with no more libraries than
its format needs, and where that fails nothing is offered.
"""

from __future__ import annotations

import contextlib
import os
import re
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import IO, Any

import typer

from seqtool.words import join_names, split_names

_HEAD = 1 << 20  # bytes of a text file that are read
_PLAIN = re.compile(r"[^\w@%+=:,./-]")  # what bash reads as something else than a letter


def words(choices: Sequence[str]) -> Callable[[], list[str]]:
    """The completion of an option that takes one of a few words."""
    return lambda: list(choices)


def dtypes() -> list[str]:
    """The completion of an option that takes a dtype."""
    from seqtool.arrays.dtypes import DTYPES

    return DTYPES


def output(incomplete: str) -> list[str]:
    """The completion of `-o`: once a dot is typed, the suffixes of the formats; before that the shell offers files."""
    from seqtool.files.writers import FOLDER, SUFFIXES

    stem, dot, typed = incomplete.rpartition(".")
    if not dot or not Path(stem).name or "/" in typed:
        return []
    names = [stem + suffix for suffix in SUFFIXES if suffix != FOLDER]
    return [_for_shell(known, incomplete) for known in names if known.startswith(incomplete)]


def name(ctx: typer.Context, incomplete: str) -> list[str]:
    """The completion of an option that names a column, a field or an array of the file that is already typed."""
    return [_for_shell(known, incomplete) for known in _names_typed(ctx) if known.startswith(incomplete)]


def sheets(ctx: typer.Context, incomplete: str) -> list[str]:
    """The completion of an option that names a sheet of the workbook that is already typed."""
    from seqtool.files.inputs import opened

    for path in _files([*ctx.args, *(ctx.params.get("sources") or ())]):
        with contextlib.suppress(Exception), opened([str(path)]) as (source,):
            from seqtool.tables.workbooks import sheet_names

            names = sheet_names(source) if source.kind == "workbook" else []
            return [_for_shell(known, incomplete) for known in names if known.startswith(incomplete)]
    return []


def several_names(ctx: typer.Context, incomplete: str) -> list[str]:
    """The same for an option that takes A,B,C: the last name is completed, by one that is not there yet."""
    return _last_completed(incomplete, "", _names_typed(ctx))


def several_names_of_any(ctx: typer.Context, incomplete: str) -> list[str]:
    """The same where `FILE:A,B` names those of another table."""
    for place in [place for place, letter in enumerate(incomplete) if letter == ":"]:
        for path in _files([incomplete[:place]]):
            with contextlib.suppress(Exception):
                return _last_completed(incomplete, incomplete[: place + 1], names_in(path))
    return several_names(ctx, incomplete)


def _last_completed(incomplete: str, file: str, names: Sequence[str]) -> list[str]:
    """The list that is typed, `file` in front of it, with each name that its last one may become."""
    before, last = _split_last(incomplete.removeprefix(file))
    there = {*split_names(before)} if before else set()
    left = (join_names([known]) for known in names if known not in there)
    return [_for_shell(file + before + known, incomplete) for known in left if known.startswith(last)]


def _split_last(text: str) -> tuple[str, str]:
    """A list of names up to its last comma outside quotes, and what follows it."""
    quoted, end = False, 0
    for i, char in enumerate(text):
        quoted ^= char == '"'
        if char == "," and not quoted:
            end = i + 1
    last = text[end:].lstrip(" ")
    return text[: len(text) - len(last)], last


class _Escaped(str):
    """A name as bash reads it. Typer offers what starts as the word that was typed; this one was chosen already."""

    def startswith(self, *_: Any) -> bool:
        return True


def _for_shell(name: str, incomplete: str) -> str:
    """A name as the shell that asks takes it: bash puts it into the line as it is, others quote it themselves."""
    if not _is_bash() or _in_quotes():
        return name
    # Bash replaces what stands behind the last colon alone.
    return _Escaped(_PLAIN.sub(r"\\\g<0>", name[incomplete.rfind(":") + 1 :]))


def _is_bash() -> bool:
    return os.environ.get("_SEQTOOL_COMPLETE") == "complete_bash"


def join_words() -> None:
    """Make one word of what bash parts at colons before it asks for completions, as `labels.csv:died`."""
    typed, place = os.environ.get("COMP_WORDS", "").split("\n"), os.environ.get("COMP_CWORD", "")
    if not _is_bash() or not place.isdecimal() or ":" not in typed:
        return
    words, current = list[str](), int(place)
    for i, word in enumerate(typed):
        goes_on = word == ":" or (i > 0 and typed[i - 1] == ":" and not word.startswith("-"))
        if goes_on and words:
            words[-1] += word
            current -= i <= int(place)
        else:
            words.append(word)
    os.environ |= {"COMP_WORDS": "\n".join(words), "COMP_CWORD": str(current)}


def _in_quotes() -> bool:
    """Whether the word that bash completes begins with a quote, which bash closes then."""
    typed, place = os.environ.get("COMP_WORDS", "").split("\n"), os.environ.get("COMP_CWORD", "")
    return place.isdecimal() and int(place) < len(typed) and typed[int(place)].startswith(('"', "'"))


# The file


def _names_typed(ctx: typer.Context) -> list[str]:
    """The names in the first file of the call so far that can be read."""
    asked = {option: ctx.params.get(option) for option in ("delimiter", "header", "encoding", "sheet")}
    sources = [*ctx.args, *(ctx.params.get("sources") or ()), ctx.params.get("source")]
    for path in _files([source for source in sources if source]):
        # Whatever is wrong with it: it is reported when the call is run.
        with contextlib.suppress(Exception):
            names = names_in(path, **{option: value for option, value in asked.items() if value is not None})
            return [*dict.fromkeys([*names, *_told_by(path, ctx.params.get("key_from"))])]
    return []


def _told_by(path: Path, key_from: str | None) -> list[str]:
    """The columns that the path of a file tells: the parts of a pattern, and partitions."""
    from seqtool.files.path_parts import PathPattern, partitions

    return [*(PathPattern(key_from).names if key_from else ()), *partitions(str(path))]


def _files(sources: Sequence[str]) -> Iterator[Path]:
    """The regular files that sources name; of a pattern the first. The shell has replaced no ~ and no variable yet."""
    import glob

    for source in sources:
        meant = os.path.expanduser(os.path.expandvars(source))  # noqa: PTH111 - Path fails for an unknown user
        first = next(glob.iglob(meant, recursive=True), None)
        yield from (Path(path) for path in (source, meant, first) if path and Path(path).is_file())


def names_in(
    path: Path,
    *,
    delimiter: str | None = None,
    header: bool | None = None,
    encoding: str = "utf-8",
    sheet: str | None = None,
) -> list[str]:
    """The columns of a table, the fields of its first objects, or the arrays of an `.npz`, in their order.

    Columns without names are named by their positions. Raises DataError for a file that is none of these.
    """
    from seqtool.files.inputs import opened
    from seqtool.files.packing import open_bytes

    with opened([str(path)], encoding=encoding) as (source,):
        if source.kind == "npz":
            names = _members(path) if source.stored_as == "zip" else []
        elif source.kind in ("parquet", "arrow", "arrow-stream"):
            names = _fields(path, source.kind)
        elif source.kind == "workbook":
            from seqtool.tables.opening import open_tables
            from seqtool.tables.table import TextOptions

            table = open_tables([source], TextOptions.of(header=header, sheet=sheet), list_cells=False)
            names = [*map(table.label, range(len(table.columns)))]
        elif source.kind == "npy":
            names = []
        else:
            with open_bytes(path, source.packing) as stream:
                head = bytes(stream.read(_HEAD))
            as_text = "utf-8-sig" if encoding.lower() in ("utf-8", "utf8") else encoding
            if source.kind == "json":
                names = _keys(head.decode(as_text, errors="replace"), len(source.head))
            else:
                names = _header(head, path.name, delimiter, header, as_text)
    return [known for known in dict.fromkeys(names) if known and known.isprintable()]


def _members(path: Path) -> list[str]:
    import zipfile

    with zipfile.ZipFile(path) as archive:
        return [member.removesuffix(".npy") for member in archive.namelist() if member.endswith(".npy")]


def _fields(path: Path, kind: str) -> list[str]:
    import pyarrow as pa

    if kind == "parquet":
        import pyarrow.parquet as parquet

        with parquet.ParquetFile(path) as file:
            names = file.schema_arrow.names
    else:
        with pa.OSFile(str(path)) as file:
            reader = (pa.ipc.open_stream if kind == "arrow-stream" else pa.ipc.open_file)(file)
            names = reader.schema.names
    # The index that pandas writes is no column.
    return [known for known in names if not re.fullmatch(r"__index_level_\d+__", known)]


def _keys(text: str, most: int) -> list[str]:
    r"""The keys of the first objects of JSON lines, or of a list of objects: of those within so many characters.

    >>> _keys('{"a": 1, "b": 2}\n{"c": 3}', 100)
    ['a', 'b', 'c']
    """
    import json

    start = text.lstrip().removeprefix("[").lstrip()
    first, at = json.JSONDecoder().raw_decode(start)
    rest = start[at:most]
    keys: list[str] = []
    while isinstance(first, dict):
        keys += first
        rest = rest.lstrip(" \t\r\n,")
        try:
            first, at = json.JSONDecoder().raw_decode(rest)
        except ValueError:  # the end, or an object that is cut off here
            break
        rest = rest[at:]
    return keys


def _header(head: bytes, name: str, delimiter: str | None, header: bool | None, encoding: str) -> list[str]:
    """The first row of CSV, where it is a header; else the positions of its cells, if it is surely data.

    As `seqtool.tables.csv_parser.sniff` has it, which loads libraries that take longer than a completion may.
    """
    import csv
    import io

    def lines() -> IO[str]:
        return io.TextIOWrapper(io.BytesIO(head), encoding, errors="surrogateescape", newline="")

    if delimiter is None:
        first = next((line for line in lines() if line.strip()), "")
        marks = "\t" if ".tsv" in name.lower() else ",\t;|"
        delimiter = next((mark for mark in marks if mark in first), marks[0])
    text = lines()
    reader = csv.reader(text, delimiter={"\\t": "\t", "tab": "\t"}.get(delimiter, delimiter))
    row: list[str] = next((cells for cells in reader if cells), [""])
    row[0] = row[0].removeprefix("\ufeff")
    if len(head) == _HEAD and not text.read(1):
        row.pop()  # which may be cut in two
    numbers = [_is_number(cell) for cell in row]
    if header is None and any(numbers) and not all(numbers):
        return []
    is_header = not all(numbers) if header is None else header
    return row if is_header else [str(i) for i in range(len(row))]


def _is_number(cell: str) -> bool:
    try:
        return "_" not in cell and abs(float(cell)) < float("inf")
    except ValueError:
        return False
