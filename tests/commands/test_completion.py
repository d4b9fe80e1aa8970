"""What the shell offers while a call is typed."""

from __future__ import annotations

import gzip
import os
import subprocess
import sys
import tempfile
from collections.abc import Callable
from itertools import product
from pathlib import Path
from typing import Any, get_args

import numpy as np
import pyarrow as pa
import pyarrow.feather as feather
import pyarrow.parquet as parquet
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from seqtool import checking, cli, codegen
from seqtool.commands import _completion
from seqtool.commands._completion import names_in
from seqtool.errors import DataError, UsageError
from seqtool.files.deflate import Compress
from seqtool.files.inputs import opened
from seqtool.files.writers import SUFFIXES
from seqtool.grouping.options import GridAgg, PivotAgg, StepUnit
from seqtool.operations import OPERATIONS
from seqtool.operations.clashes import OnClash
from seqtool.sequences.padding_values import Side
from seqtool.tables import csv_dialect, opening
from seqtool.tables.cells.instants import TimeUnit
from seqtool.tables.roles import LabelKind
from tests.command import Done, Place
from tests.hunting import examples

ROOT: Any = cli.build()
ROWS = "user,time,score\nb,2,0.5\na,1,1.5\n"


@pytest.fixture
def here(place: Place, monkeypatch: pytest.MonkeyPatch) -> Place:
    """A place that is the current folder of this process too."""
    monkeypatch.chdir(place.folder)
    return place


def option_of(command: str, name: str) -> Any:
    return next(option for option in ROOT.commands[command].params if name in option.opts)


def offered(*line: str, typed: str = "") -> list[str]:
    """What is offered for a value of the last option of a line, of which some letters are typed."""
    command, *words = line
    # A command keeps the option of help that it is first asked for.
    context = ROOT.commands[command].make_context(
        command, [*words], resilient_parsing=True, help_option_names=["-h", "--help"]
    )
    return [item.value for item in option_of(command, words[-1]).shell_complete(context, typed)]


# The words of an option

CHOICES: dict[tuple[str, str], tuple[str, ...]] = {
    ("pad", "--truncating"): get_args(Side),
    ("group", "--truncating"): get_args(Side),
    ("pad", "--input-padding"): get_args(Side),
    ("check", "--input-padding"): get_args(Side),
    ("plan", "--input-padding"): get_args(Side),
    ("plot", "--input-padding"): get_args(Side),
    ("pad", "--strip-side"): get_args(Side),
    ("scale", "--method"): ("standard", "minmax", "robust", "maxabs"),
    ("encode", "--unknown"): ("oov", "error"),
    ("truncate", "--of"): ("start", "end"),
    ("truncate", "--truncating"): get_args(Side),
    ("truncate", "--input-padding"): get_args(Side),
    ("truncate", "--compress"): get_args(Compress),
    ("convert", "--compress"): get_args(Compress),
    ("apply", "--compress"): get_args(Compress),
    ("concat", "--compress"): get_args(Compress),
    ("concat", "--on-clash"): get_args(OnClash),
    ("convert", "--input-padding"): get_args(Side),
    ("convert", "--trailing-missing"): ("drop", "keep"),
    ("pad", "--compress"): get_args(Compress),
    ("group", "--compress"): get_args(Compress),
    ("check", "--for"): get_args(checking.Reader),
    ("info", "--code"): codegen.CODES,
    ("group", "--label-as"): get_args(LabelKind),
    ("group", "--empty-key"): ("error", "drop", "keep"),
    ("group", "--empty-label"): ("error", "drop", "keep"),
    ("group", "--engine"): ("local", "spark", "dask"),
    ("plan", "--empty-key"): ("error", "drop", "keep"),
    ("plan", "--empty-label"): ("error", "drop", "keep"),
    ("pad", "--trailing-missing"): ("drop", "keep"),
    ("truncate", "--trailing-missing"): ("drop", "keep"),
    ("plan", "--trailing-missing"): ("drop", "keep"),
    ("group", "--pivot-agg"): get_args(PivotAgg),
    ("plan", "--pivot-agg"): get_args(PivotAgg),
    ("group", "--agg"): get_args(GridAgg),
    ("plan", "--agg"): get_args(GridAgg),
    ("group", "--time-unit"): get_args(StepUnit),
    ("plan", "--time-unit"): get_args(StepUnit),
    ("group", "--time-as"): get_args(TimeUnit),
    ("plan", "--time-as"): get_args(TimeUnit),
}


def test_every_option_of_a_few_words_is_known_here() -> None:
    """Those whose value stands in the help as a|b; NAME|FILE are no words. Operations share those of truncate."""
    shared = {option.opts[0] for option in ROOT.commands["truncate"].params}
    found = {
        (command, option.opts[0])
        for command, output in ROOT.commands.items()
        for option in output.params
        if "|" in (option.metavar or "") and not option.metavar.isupper()
        if command not in OPERATIONS or command == "truncate" or option.opts[0] not in shared
    }
    assert found == {*CHOICES}


@pytest.mark.thinned
@pytest.mark.parametrize(("command", "option"), CHOICES)
def test_help_completion_and_judgement_know_the_same_words(command: str, option: str) -> None:
    words = CHOICES[command, option]
    found = option_of(command, option)
    assert sorted(found.metavar.split("|")) == sorted(words)
    assert sorted(offered(command, option)) == sorted(words)
    for word in words:
        context = ROOT.commands[command].make_context(command, [option, word])
        assert context.params[found.name] == word
    for wrong in ("", words[0].upper(), f"{words[0]},{words[1]}", words[0][:-1]):
        with pytest.raises(UsageError) as error:
            ROOT.commands[command].make_context(command, [option, wrong])
        first, *_, last = found.metavar.split("|")
        assert str(error.value).startswith(f"{option} is {wrong!r}; {first}")
        assert str(error.value).endswith(f" or {last} was expected")


def test_a_word_is_completed_by_its_first_letters() -> None:
    assert offered("check", "--for", typed="ker") == ["keras", "keras-cudnn"]
    assert offered("check", "--for", typed="lstm") == []
    assert offered("pad", "a.npy", "--truncating", "nope", "--truncating", typed="po") == ["post"]


@pytest.mark.parametrize("command", ["pad", "group", "plan"])
def test_dtypes_are_offered(command: str) -> None:
    assert offered(command, "a.npy", "--dtype", typed="float") == ["float16", "float32", "float64"]


@pytest.mark.parametrize("word", ["lzma", "FAST"])
def test_a_wrong_word_is_found_before_any_work(word: str, here: Place) -> None:
    """No file is looked at."""
    done = here.run("pad", "no.npy", "--compress", word)
    assert (done.code, done.err) == (
        2,
        f"seqtool: error: --compress is {word!r}; fast or small was expected\n",
    )


# The names in the file that is typed


@pytest.mark.parametrize("command", ["group", "pad", "truncate", "convert"])
def test_the_formats_of_an_output_are_offered(command: str) -> None:
    assert offered(command, "-o", typed="my/out.p") == ["my/out.parquet"]
    assert offered(command, "-o", typed="out.") == [f"out{suffix}" for suffix in SUFFIXES if suffix != "/"]
    assert offered(command, "-o", typed="out") == offered(command, "-o", typed="../out") == []


ONE = ["--key", "--order-by", "--label", "--step-label", "--static"]
MANY = ["--columns", "--drop"]


@pytest.mark.parametrize("option", [*ONE, *MANY])
@pytest.mark.parametrize("command", ["group", "plan"])
def test_columns_are_offered(command: str, option: str, here: Place) -> None:
    here.write("a.csv", ROWS)
    assert offered(command, "a.csv", option) == ["user", "time", "score"]
    assert offered(command, "a.csv", option, typed="s") == ["score"]
    assert offered(command, "a.csv", option, typed="x") == []
    assert offered(command, "--header", "a.csv", "--key", "user", option, typed="t") == ["time"]
    assert offered(command, option) == []


@pytest.mark.parametrize(
    ("command", "option"),
    [
        *product(["pad", "check", "plan"], ["--array", "--lengths", "--label", "--key"]),
        *product(["plot"], ["--array", "--lengths"]),
    ],
)
def test_arrays_are_offered(command: str, option: str, here: Place) -> None:
    np.savez(here.folder / "a.npz", x=np.ones((2, 3)), long=[3, 2], label=[0, 1])
    np.savez_compressed(here.folder / "b.npz", x=np.ones((2, 3)), long=[3, 2], label=[0, 1])
    for name in ("a.npz", "b.npz"):
        assert offered(command, name, option) == ["x", "long", "label"]
        assert offered(command, name, option, typed="l") == ["long", "label"]
    here.write("c.npy", np.ones((2, 3)))
    assert offered(command, "c.npy", option) == []


@pytest.mark.parametrize(
    ("typed", "completed"),
    [
        ("", ["user", "time", "score", '"a,b"']),
        ("us", ["user"]),
        ("user,", ["user,time", "user,score", 'user,"a,b"']),
        ("user,t", ["user,time"]),
        ("user,time,s", ["user,time,score"]),
        ("user, t", ["user, time"]),
        ('"a,b",s', ['"a,b",score']),
        ('"a,b', ['"a,b"']),
        ('user,"', ['user,"a,b"']),
        ("nope,t", ["nope,time"]),
        ("user,user", []),
        ("user,time,score,x", []),
    ],
)
def test_of_several_names_the_last_is_completed(typed: str, completed: list[str], here: Place) -> None:
    here.write("a.csv", 'user,time,score,"a,b"\nb,2,0.5,1\n')
    for option in MANY:
        assert offered("group", "a.csv", option, typed=typed) == completed


@pytest.mark.parametrize("option", ["--label", "--static"])
def test_columns_of_another_table_are_offered(option: str, here: Place) -> None:
    here.write("a.csv", ROWS)
    here.write("more.csv", 'user,age,"wei,ght"\n1,2,3\n')
    names = ["more.csv:user", "more.csv:age", 'more.csv:"wei,ght"']
    assert offered("group", "a.csv", option, typed="more.csv:") == names
    assert offered("plan", "a.csv", option, typed="more.csv:age,u") == ["more.csv:age,user"]
    assert offered("group", "a.csv", option, typed="no.csv:") == []
    assert offered("group", "a.csv", option, typed="s") == ["score"]
    assert offered("group", "a.csv", "--key", typed="more.csv:") == []


def test_the_first_file_that_can_be_read_counts(here: Place) -> None:
    here.write("a.csv", "k,a\n1,2\n")
    here.write("b.csv", "k,b\n1,2\n")
    (here.folder / "folder").mkdir()
    assert offered("group", "b.csv", "a.csv", "--key") == ["k", "b"]
    assert offered("group", "no.csv", "folder", "a.csv", "--key") == ["k", "a"]
    assert offered("group", "?.csv", "--key") in (["k", "a"], ["k", "b"])
    assert offered("group", "-", "--key") == []


def test_the_shell_has_replaced_no_variable_yet(here: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    here.write("a.csv", ROWS)
    monkeypatch.setenv("HOME", str(here.folder))
    monkeypatch.setenv("DATA", str(here.folder))
    for name in ("~/a.csv", "$DATA/a.csv", "${DATA}/a.csv", "$DATA/*.csv"):
        assert offered("group", name, "--key") == ["user", "time", "score"], name
    assert offered("group", "~nobody/a.csv", "--key") == []


def test_the_options_of_the_table_count(here: Place) -> None:
    here.write("a.txt", "k:a\n1:2\n")
    assert offered("group", "a.txt", "--key") == ["k:a"]
    assert offered("group", "a.txt", "--delimiter", ":", "--key") == ["k", "a"]
    here.write("b.csv", "k,2020\n1,2\n")
    assert offered("group", "b.csv", "--key") == []
    assert offered("group", "b.csv", "--header", "--key") == ["k", "2020"]
    assert offered("group", "b.csv", "--no-header", "--key") == ["0", "1"]
    here.write("c.csv", "naïve,a\n1,2\n".encode("latin-1"))
    assert offered("group", "c.csv", "--encoding", "latin-1", "--key") == ["naïve", "a"]
    here.write("d.csv", "é,a\n1,2\n".encode("utf-16"))
    assert offered("group", "d.csv", "--encoding", "utf-16", "--key") == ["é", "a"]
    here.write("e.csv", ROWS)
    assert offered("group", "e.csv", "--encoding", "nope", "--key") == []


def test_columns_without_names_have_positions(here: Place) -> None:
    here.write("a.csv", "1,2,3\n4,5,6\n")
    assert offered("group", "a.csv", "--key") == ["0", "1", "2"]


def written(folder: Path) -> dict[str, tuple[Path, list[str]]]:
    """The same table in every format, and the names to be offered."""
    table = pa.table({"user": ["b"], "__index_level_0__": [1], "score": [0.5]})
    names = ["user", "score"]
    paths = {kind: folder / kind for kind in ("a.csv", "a.tsv", "a.csv.gz", "a.csv.zst", "a.jsonl", "a.json")}
    paths["a.csv"].write_text("user,score\nb,0.5\n", encoding="utf-8")
    paths["a.tsv"].write_text("user\tscore\nb\t0.5\n", encoding="utf-8")
    paths["a.csv.gz"].write_bytes(gzip.compress(b"user,score\nb,0.5\n"))
    paths["a.csv.zst"].write_bytes(pa.Codec("zstd").compress(b"user,score\nb,0.5\n", asbytes=True))
    paths["a.jsonl"].write_text('\n{"user": "b", "score": 0.5}\n{"x": 1}\n', encoding="utf-8")
    paths["a.json"].write_text('[\n  {"user": "b",\n "score": [1, 2]}, {"user": "c"}]', encoding="utf-8")
    parquet.write_table(table, folder / "a.parquet")
    feather.write_feather(table, str(folder / "a.feather"))
    with pa.OSFile(str(folder / "a.arrow"), "wb") as file, pa.ipc.new_stream(file, table.schema) as stream:
        stream.write_table(table)
    for kind in ("a.parquet", "a.feather", "a.arrow"):
        paths[kind] = folder / kind
    return {kind: (path, [*names, "x"] if kind == "a.jsonl" else names) for kind, path in paths.items()}


def test_every_format_is_read(here: Place) -> None:
    for kind, (path, names) in written(here.folder).items():
        assert names_in(path) == names, kind
        assert offered("group", kind, "--key", typed="u") == ["user"], kind


@pytest.mark.parametrize(
    "kind", ["a.csv", "a.tsv", "a.csv.gz", "a.jsonl", "a.parquet", "a.feather", "a.arrow"]
)
def test_what_is_offered_are_the_columns_that_group_finds(kind: str, here: Place) -> None:
    path, _ = written(here.folder)[kind]
    with opened([str(path)]) as found:
        assert names_in(path) == [name for name in opening.open_tables(found).columns if name]


MARKS = st.sampled_from([None, ",", ";", "tab", "|"])
TEXTS = st.text(st.sampled_from('ab1.-_e ,;|\t"é\ufeff\n\r'), max_size=25)


@given(TEXTS, MARKS, st.sampled_from([None, True, False]), st.sampled_from(["a.csv", "a.tsv"]))
@settings(max_examples=examples(400))
def test_a_first_row_is_what_the_reader_of_csv_takes_it_for(
    text: str, mark: str | None, header: bool | None, name: str
) -> None:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / name
        path.write_bytes(text.encode())
        try:
            with opened([str(path)]) as (source,):
                found = csv_dialect.sniff(source, delimiter=mark, header=header, encoding="utf-8")
        except DataError as error:
            if "mixes numbers" in str(error):
                assert names_in(path, delimiter=mark, header=header) == []
            return
        names = found.first_row if found.header else map(str, range(len(found.first_row)))
        expected = [known for known in names if known and known.isprintable()]
        assert names_in(path, delimiter=mark, header=header) == expected


def test_only_the_head_of_a_file_is_read(here: Place) -> None:
    """A first row longer than the head: all names but the one that may be cut."""
    names = [f"column{i:06}" for i in range(200_000)]
    here.write("a.csv", ",".join(names) + "\n")
    found = offered("group", "a.csv", "--key")
    assert 50_000 < len(found) < 100_000
    assert found == names[: len(found)]


def unreadable(folder: Path) -> dict[str, Callable[[Path], object]]:
    """What cannot be read, by its name, as functions that make it."""
    return {
        "empty.csv": lambda path: path.write_bytes(b""),
        "blank.csv": lambda path: path.write_bytes(b"\n \n\n"),
        "binary.csv": lambda path: path.write_bytes(bytes(range(256)) * 9),
        "bytes.csv": lambda path: path.write_bytes(b"\xff\xfe\xfd,\xfc\n1,2\n"),
        "quote.csv": lambda path: path.write_bytes(b'"' + b"a" * (2 << 20)),
        "cut.csv.gz": lambda path: path.write_bytes(gzip.compress(b"a,b\n" * 999)[:20]),
        "cut.csv.zst": lambda path: path.write_bytes(b"\x28\xb5\x2f\xfd\x00"),
        "cut.parquet": lambda path: path.write_bytes(b"PAR1" + b"x" * 99),
        "cut.arrow": lambda path: path.write_bytes(b"ARROW1" + b"x" * 99),
        "stream.arrow": lambda path: path.write_bytes(b"\xff\xff\xff\xff\x10\x00\x00\x00abc"),
        "cut.npz": lambda path: path.write_bytes(b"PK\x03\x04" + b"x" * 99),
        "text.npz": lambda path: path.write_bytes(b"a,b\n1,2\n"),
        "cut.json": lambda path: path.write_bytes(b'{"a": 1, "b'),
        "number.json": lambda path: path.write_bytes(b"7"),
        "lists.json": lambda path: path.write_bytes(b"[[1, 2], [3]]"),
        "deep.json": lambda path: path.write_bytes(b"[" * 200_000),
        "folder": lambda path: path.mkdir(),
        "pipe": lambda path: os.mkfifo(path),
        "loop": lambda path: path.symlink_to(path),
        "no\0name": lambda _: None,
        "[": lambda _: None,
        "": lambda _: None,
    }


@pytest.mark.thinned
@pytest.mark.parametrize("name", unreadable(Path()))
def test_of_what_cannot_be_read_nothing_is_offered_and_nothing_said(
    name: str, here: Place, capfd: pytest.CaptureFixture[str]
) -> None:
    unreadable(here.folder)[name](here.folder / name)
    for command, option in (("group", "--key"), ("group", "--columns"), ("pad", "--array")):
        assert offered(command, name, option, typed="a") == []
    assert capfd.readouterr() == ("", "")


# What shells see


def in_bash(place: Place, line: list[str], **more: str) -> Done:
    """What bash runs at the tab key, with the words as it joins them."""
    words = {"COMP_WORDS": "\n".join(["seqtool", *line]), "COMP_CWORD": str(len(line))}
    return place.run(environment={"_SEQTOOL_COMPLETE": "complete_bash", **words, **more})


@pytest.mark.parametrize(
    ("line", "message"),
    [
        (["check", "--for", "t"], "torch\n"),
        (["pad", "--compress", ""], "fast\nsmall\n"),
        (["pad", "a.npy", "--truncating", ""], "pre\npost\n"),
        (["group", "a.csv", "--key", ""], "user\ntime\nscore\n"),
        (["group", "a.csv", "--columns", "user,s"], "user,score\n"),
        (["group", "no.csv", "--key", ""], "\n"),
        (["group", "cut.parquet", "--key", ""], "\n"),
        (["group", "a.csv", "--trunc"], "--truncating\n"),
    ],
)
def test_bash_is_offered(line: list[str], message: str, place: Place) -> None:
    place.write("a.csv", ROWS)
    place.write("cut.parquet", b"PAR1xxxx")
    assert in_bash(place, line) == Done(0, message.encode(), "")


def test_bash_is_offered_names_of_another_table(place: Place) -> None:
    """Bash takes a colon for a word of its own."""
    place.write("a.csv", "user id,user's,$x\n1,2,3\n")
    of_another = ["group", "b.csv", "--label", "a.csv", ":"]
    assert in_bash(place, of_another) == Done(0, b"user\\ id\nuser\\'s\n\\$x\n", "")
    assert in_bash(place, [*of_another, "user\\ "]) == Done(0, b"user\\ id\n", "")
    assert in_bash(place, [*of_another, "--trunc"]) == Done(0, b"--truncating\n", "")


def test_zsh_is_offered(place: Place) -> None:
    place.write("a.csv", "user id,time\n1,2\n")

    def in_zsh(line: str) -> Done:
        return place.run(environment={"_SEQTOOL_COMPLETE": "complete_zsh", "_TYPER_COMPLETE_ARGS": line})

    assert in_zsh("seqtool check --for k") == Done(0, b'_arguments \'*: :(("keras"\n"keras-cudnn"))\'\n', "")
    assert in_zsh("seqtool group a.csv --key ") == Done(0, b'_arguments \'*: :(("user id"\n"time"))\'\n', "")
    assert in_zsh("seqtool group no.csv --key ") == Done(0, b"_files\n", "")


def test_fish_is_offered(place: Place) -> None:
    place.write("a.csv", "user id,time\n1,2\n")

    def in_fish(line: str, action: str) -> Done:
        settings = {"_TYPER_COMPLETE_ARGS": line, "_TYPER_COMPLETE_FISH_ACTION": action}
        return place.run(environment={"_SEQTOOL_COMPLETE": "complete_fish", **settings})

    assert in_fish("seqtool group a.csv --key ", "get-args") == Done(0, b"user id\ntime\n", "")
    assert in_fish("seqtool group a.csv --key ", "is-args") == Done(0, b"", "")
    assert in_fish("seqtool group no.csv --key ", "is-args") == Done(1, b"", "")
    assert in_fish("seqtool check --for k", "get-args") == Done(0, b"keras\nkeras-cudnn\n", "")


def test_bash_completes_with_what_is_installed(place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    """The script that `--install-completion` leaves, run as bash runs it; names come in as it must read them."""
    # Typer asks for the variable below while the command line is built, which is once a process.
    monkeypatch.setattr(cli, "build", cli.build.__wrapped__)
    place.write("a.csv", "user id,user's,$x\n1,2,3\n")
    home = {"HOME": str(place.temporary), "_TYPER_COMPLETE_TEST_DISABLE_SHELL_DETECTION": "1"}
    assert place.run("--install-completion", "bash", environment=home).code == 0
    script = """
        source ~/.bash_completions/seqtool.sh
        offered() {
            COMP_WORDS=("$@"); COMP_CWORD=$(($# - 1))
            _seqtool_completion seqtool
            printf '<%s>' "${COMPREPLY[@]}"; echo
        }
        offered seqtool group a.csv --key ''
        offered seqtool group a.csv --key 'user\\ '
        offered seqtool group a.csv --key "'user i"
        offered seqtool group a.csv --columns 'user\\ id,\\$'
        offered seqtool group b.csv --key id --label '"a.csv:user i'
        complete -p seqtool
    """
    done = subprocess.run(
        ["bash", "-c", script],
        cwd=place.folder,
        env=place.environment(home),
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stderr == ""
    assert done.stdout.splitlines() == [
        r"<user\ id><user\'s><\$x>",
        r"<user\ id>",
        "<user id>",
        r"<user\ id,\$x>",
        "<a.csv:user id>",
        "complete -o default -F _seqtool_completion seqtool",
    ]


LOADED = """
import sys
from seqtool.cli import run
try:
    run([])
except SystemExit:
    pass
print("loaded", [name for name in ("numpy", "pandas", "pyarrow", "rich.table") if name in sys.modules])
"""


@pytest.mark.thinned
@pytest.mark.parametrize(
    ("name", "libraries"),
    [
        ("a.csv", []),
        ("a.csv.gz", []),
        ("a.jsonl", []),
        ("a.json", []),
        ("a.npz", []),
        ("a.parquet", ["numpy", "pyarrow"]),
        ("a.arrow", ["numpy", "pyarrow"]),
    ],
)
def test_a_completion_loads_no_library_that_the_file_does_not_need(
    name: str, libraries: list[str], place: Place
) -> None:
    """That is what keeps it quick: pandas alone would take longer than all the rest."""
    written(place.folder)
    np.savez(place.folder / "a.npz", user=[1])
    words = {"COMP_WORDS": f"seqtool plan {name} --key us", "COMP_CWORD": "4"}
    done = subprocess.run(
        [sys.executable, "-c", LOADED],
        cwd=place.folder,
        env=place.environment({"_SEQTOOL_COMPLETE": "complete_bash", **words}),
        capture_output=True,
        text=True,
        check=True,
    )
    first, second = done.stdout.splitlines()
    assert (first, done.stderr) == ("user", "")
    assert second == f"loaded {libraries}"


def test_names_are_escaped_for_bash_alone(monkeypatch: pytest.MonkeyPatch, here: Place) -> None:
    here.write("a.csv", '"a b","c""d",é:x\n1,2,3\n')
    assert offered("group", "a.csv", "--step-label") == ["a b", 'c"d', "é:x"]
    assert offered("group", "a.csv", "--key") == ["a b", '"c""d"', "é:x"]  # of which it takes a list
    monkeypatch.setenv("_SEQTOOL_COMPLETE", "complete_bash")
    assert offered("group", "a.csv", "--step-label") == [r"a\ b", r"c\"d", "é:x"]
    assert offered("group", "a.csv", "--key", typed="a b") == [r"a\ b"]
    assert _completion.words(("a", "b"))() == ["a", "b"]
