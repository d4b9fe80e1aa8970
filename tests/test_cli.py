"""The command line as a Unix tool: help, start-up, what is said where, names, signals, pipes and terminals."""

from __future__ import annotations

import contextlib
import errno
import gzip
import json
import os
import pty
import re
import signal
import subprocess
import sys
import time
import warnings
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pytest

from seqtool import cli
from seqtool.operations import OPERATIONS
from tests.command import SAMPLES, SEQTOOL, Done, Place, succeeded

COMMANDS = ["group", "info", "pad"]
ROWS = SAMPLES / "rows.csv"
DENSE = np.arange(24, dtype=np.float32).reshape(2, 4, 3)


# Help


@pytest.mark.parametrize("command", COMMANDS)
def test_help_has_an_example(command: str, place: Place) -> None:
    done = succeeded(place.run(command, "--help"))
    assert re.search(rf"^ *Example: seqtool {command} \S", done.out.decode(), re.MULTILINE)
    assert done.err == ""
    assert succeeded(place.run(command, "-h")) == done


def test_help_lists_every_command(place: Place) -> None:
    text = succeeded(place.run("--help")).out.decode()
    assert "Example: seqtool group" in text
    listed = dict(line.split(maxsplit=1) for line in text.partition("\nCommands:\n")[2].splitlines())
    assert {*COMMANDS, *OPERATIONS} <= {*listed}
    for command, summary in listed.items():
        assert f"\n  {summary}\n" in place.run(command, "--help").out.decode()


def test_version(place: Place) -> None:
    assert re.fullmatch(r"seqtool \d+\.\d+\.\d+\n", succeeded(place.process("--version")).out.decode())


def test_no_command_shows_how_to_call(place: Place) -> None:
    done = place.process()
    assert done.code == 2
    assert "Usage: seqtool" in done.err
    assert done.out == b""


def test_the_examples_of_the_help_run(place: Place) -> None:
    """The files that the examples name exist here, so that the examples can be pasted as they are."""
    place.write("events.csv", "user,time,a\n7,2,0.5\n7,1,1.5\n8,1,2.5\n")
    place.write("in.npy", DENSE)
    for command in ("group", "pad", "info"):
        text = " ".join(place.run(command, "--help").out.decode().split())
        example = re.search(rf"Example: (seqtool {command} .*?) (?:Arguments|Options):", text)
        assert example
        succeeded(place.shell(example[1]))
    assert place.arrays("train.npz")["x"].shape == (2, 100, 1)
    assert place.arrays("in.pad.npz")["x"].shape == (2, 100, 3)


# Start-up

LOADED = """
import json, sys
from seqtool.cli import run
for heavy, arguments in json.loads(sys.argv[1]):
    try:
        code = run(arguments)
    except SystemExit as stop:
        code = stop.code
    print("loaded", code, [name for name in heavy.split(",") if name in sys.modules], file=sys.stderr)
"""


def loaded(
    place: Place, *calls: tuple[str, list[str]], environment: dict[str, str] | None = None
) -> list[str]:
    """Run calls within one Python: after each of them its exit code, and which of the named modules are there."""
    done = place.program(sys.executable, "-c", LOADED, json.dumps(calls), environment=environment)
    return [line.removeprefix("loaded ") for line in done.err.splitlines() if line.startswith("loaded ")]


HEAVY = "numpy,pandas,pyarrow,isal,rich,click"
OPTIONS = "seqtool.commands._options,seqtool.commands._transform"  # of single commands


def test_help_and_version_load_no_library_and_a_wrong_call_neither(place: Place) -> None:
    short = [(f"{HEAVY},{OPTIONS}", ["--version"]), (f"{HEAVY},{OPTIONS}", ["--help"])]
    helped = [(HEAVY, [command, "--help"]) for command in COMMANDS]
    wrong = (HEAVY, ["pad", "a.npy", "--maxlne", "3"])
    assert loaded(place, *short, *helped, wrong) == ["0 []"] * 5 + ["2 []"]


def test_completion_loads_no_library(place: Place) -> None:
    """What the shell runs at each press of the tab key."""
    environment = {"_SEQTOOL_COMPLETE": "complete_bash", "COMP_WORDS": "seqtool gr", "COMP_CWORD": "1"}
    done = place.process(environment=environment)
    assert done.out.split() == [b"group"]
    assert loaded(place, (HEAVY, []), environment=environment) == ["0 []"]


def test_work_on_arrays_loads_numpy_alone(place: Place) -> None:
    place.write("a.npy", DENSE)
    np.savez(place.folder / "a.npz", x=DENSE, lengths=[4, 2])
    for name in ("ours.npz", "other.npz"):
        succeeded(place.run("pad", "a.npy", "-o", name))
    calls = [
        *(["pad", source, "--maxlen", "9"] for source in ("a.npy", "a.npz", "ours.npz")),
        ["concat", "ours.npz", "other.npz"],
        ["filter", "ours.npz", "--where", "length > 1"],
        ["scale", "ours.npz", "--method", "standard"],
        ["split", "ours.npz", "--test", "0.5"],
        ["truncate", "ours.npz", "--maxlen", "2"],
        ["window", "ours.npz", "--size", "2"],
    ]
    watched = [("numpy,pandas,pyarrow,rich,click", [*call, "-o", "b.npz"]) for call in calls]
    assert loaded(place, *watched) == ["0 ['numpy']"] * len(calls)


def test_a_process_of_its_own_never_loads_pandas(place: Place) -> None:
    """pyarrow would, to see whether what it is handed is a DataFrame."""
    done = succeeded(place.process("group", ROWS, "--key", "2", environment={"PYTHONPROFILEIMPORTTIME": "1"}))
    imported = {line.rpartition("|")[2].strip() for line in done.err.splitlines()}
    assert "pyarrow.lib" in imported
    assert {
        name for name in imported if name.startswith("pandas.")
    } == set()  # "pandas" was looked for in vain


def test_a_call_leaves_the_process_as_it_was(place: Place) -> None:
    def state() -> list[object]:
        streams = [(stream.encoding, stream.errors) for stream in (sys.stdin, sys.stdout, sys.stderr)]
        handlers = [signal.getsignal(number) for number, _ in SIGNALS]
        files = [os.fstat(number) for number in range(3)]
        return [
            [*sys.meta_path],
            [*sys.path],
            {**os.environ},
            [*warnings.filters],
            Path.cwd(),
            streams,
            handlers,
            files,
        ]

    place.write("a.npy", DENSE)
    calls = (["pad", "a.npy"], ["pad", "no.npy"], ["group", ROWS, "--key", "2", "-o", "-"], ["--help"], [])
    for call in calls:  # which loads what they need
        place.run(*call)
    before = state()
    assert [place.run(*call).code for call in calls] == [0, 1, 0, 0, 2]
    assert state() == before


@pytest.mark.parametrize(("call", "code"), [("pad a.npy", 0), ("pad no.npy", 1), ("pad a.npy --maxlen 0", 2)])
def test_a_process_ends_as_the_call_within_another_does(call: str, code: int, place: Place) -> None:
    place.write("a.npy", DENSE)
    done = place.process(*call.split())
    assert done.code == code
    assert place.run(*call.split()) == done
    assert place.left_behind() == []


# What is said


def test_the_summary_goes_to_standard_error(place: Place) -> None:
    done = succeeded(place.run("group", ROWS, "--key", "2"))
    assert done.out == b""
    for word in ("6 rows", "rows.csv", "no header", "x (4, 2, 3) int64", "lengths 1 to 2", "rows.group.npz"):
        assert word in done.err
    assert "\x1b" not in done.err


def test_the_summary_names_what_was_cut_dropped_and_missing(place: Place) -> None:
    place.write("a.csv", "k,note,a\n1,x,1.5\n1,x,\n1,x,2.5\n2,x,1\n,x,7\n")
    done = succeeded(
        place.run("group", "a.csv", "--key", "k", "--drop", "note", "--maxlen", "2", "--empty-key", "drop")
    )
    for word in ("1 row: empty key", "1 step at the start of 1 sequence", "k, note", "a 1"):
        assert word in done.err
    assert re.search(r"^warning: .*NaN.*a 1", done.err, re.MULTILINE)


def test_quiet_says_nothing(place: Place) -> None:
    place.write("a.csv", "k,a\n1,1.5\n1,\n")
    for call in (["group", "a.csv", "--key", "k", "-q"], ["pad", "a.group.npz", "--quiet"]):
        done = succeeded(place.run(*call))
        assert (done.out, done.err) == (b"", "")
    assert {*place.files()} == {"a.csv", "a.group.npz", "a.group.pad.npz"}


def test_verbose_says_more(place: Place) -> None:
    names = [f"column{i}" for i in range(20)]
    place.write("a.csv", f"k,{','.join(names)}\n{','.join('1' * 21)}\n")
    assert "column9" not in succeeded(place.run("group", "a.csv", "--key", "k")).err
    full = succeeded(place.run("group", "a.csv", "--key", "k", "-v")).err
    assert all(name in full for name in names)


def test_json_is_one_object_on_standard_error(place: Place) -> None:
    place.write("a.csv", "k,a\n1,1.5\n1,\n2,3\n2,4\n2,5\n")
    done = succeeded(place.run("group", "a.csv", "--key", "k", "--json", "--maxlen", "2", "-o", "b.npz"))
    facts = json.loads(done.err)
    assert done.out == b""
    assert next(iter(facts.items())) == ("schema", 1)
    assert facts["command"] == "group"
    assert facts["shape"] == [2, 2, 1]
    assert facts["dtype"] == "float32"
    assert facts["rows"] == {"in": 5, "kept": 4, "cut": 1, "dropped": {}}
    assert facts["output"] == "b.npz"
    assert facts["missing"] == {"a": 1}
    assert len(facts["warnings"]) == 1
    assert "NaN" in facts["warnings"][0]
    assert json.loads(succeeded(place.run("pad", "b.npz", "--json")).err)["warnings"] == []


def test_json_tells_of_data_that_went_to_standard_output(place: Place) -> None:
    done = succeeded(place.run("group", "--key", "2", "--json", stdin=ROWS))
    assert json.loads(done.err)["output"] == "-"
    assert done.out[:2] == b"PK"


def test_json_is_valid_where_padding_is_nan(place: Place) -> None:
    place.write("a.npy", DENSE)
    done = succeeded(place.run("pad", "a.npy", "--value", "nan", "--json"))
    facts = json.loads(done.err, parse_constant=lambda name: pytest.fail(f"{name} is not JSON"))
    assert facts["value"] == "nan"


@pytest.mark.thinned
@pytest.mark.parametrize(
    "call",
    [
        "info a.npz",
        "info a.npz --sequence 0",
        "check a.npz",
        "plan a.npz",
        "pad a.npz",
        "pad a.npz --dry-run",
        "group a.csv --key 0",
        pytest.param("plot a.npz", marks=pytest.mark.matplotlib),
    ],
)
def test_every_json_output_begins_with_the_version_of_its_schema(call: str, place: Place) -> None:
    place.write("a.csv", "1,2\n1,3\n2,4\n")
    place.write("a.npy", DENSE)
    succeeded(place.run("pad", "a.npy", "-o", "a.npz"))
    done = succeeded(place.run(*call.split(), "--json"))
    facts = json.loads(done.out or done.err)
    assert next(iter(facts.items())) == ("schema", 1)
    assert not (done.out and done.err)


# Errors as JSON


def error_of(done: Done) -> dict[str, object]:
    """The error of a call, which is all that it wrote; these keys alone, advice where there is some."""
    assert done.out == b""
    assert done.err.endswith("}\n")
    assert done.err.count("\n") == 1
    error = json.loads(done.err)
    known = [name for name in ("command", "advice") if name in error]
    assert sorted(error) == sorted(["schema", *known, "error", "exit_code"])
    assert error["schema"] == 1
    assert error["exit_code"] == done.code
    return error


@pytest.mark.thinned
@pytest.mark.parametrize(
    ("call", "command", "code"),
    [
        ("pad no.npy", "pad", 1),
        ("pad dense.npy --maxlen 0", "pad", 2),
        ("pad dense.npy --maxlne 3", "pad", 2),
        ("pad dense.npy --truncating up", "pad", 2),
        ("pad dense.npy extra.npy", "pad", 2),
        ("pad", "pad", 2),
        ("pad dense.npy --value", "pad", 2),
        ("pad dense.npy -o no/such/folder.npz", "pad", 1),
        ("group bad.csv --key k", "group", 1),
        ("group bad.csv", "group", 2),
        ("info bad.csv", "info", 1),
        ("check no.npz", "check", 1),
        ("check dense.npy --for lstm", "check", 2),
        ("plan no.npy", "plan", 1),
        ("plan dense.npy --max-memory lots", "plan", 2),
        ("pda dense.npy", None, 2),
    ],
)
def test_an_error_of_a_call_with_json_is_json(
    call: str, command: str | None, code: int, place: Place
) -> None:
    """Its text is the one that the same call without --json writes; the same file stays as it was."""
    place.write("dense.npy", DENSE)
    place.write("bad.csv", "k,a\n1,x\n2,\x1b[31m\n")
    before = place.files()
    first, *others = call.split()
    error = error_of(place.run(first, "--json", *others))
    plain = place.run(*call.split())
    assert (error["exit_code"], error.get("command")) == (code, command)
    text = str(error["error"]).replace(" --json", "")  # in a call that is ready to paste
    assert (plain.code, plain.err) == (code, f"seqtool: error: {text}\n")
    assert place.files() == before
    assert place.left_behind() == []


def test_json_in_front_of_the_command_is_refused_as_json(place: Place) -> None:
    assert error_of(place.run("--json", "pad", "a.npy"))["command"] == "pad"
    assert "command" not in error_of(place.run("--json"))


@pytest.mark.parametrize("call", [["pad", "--", "--json"], ["pad", "no.npy", "--label", "--json"]])
def test_a_value_and_a_file_named_json_ask_for_no_json(call: list[str], place: Place) -> None:
    done = place.run(*call)
    assert done.code == 1
    assert done.err.startswith("seqtool: error: ")


def test_an_error_before_the_options_are_read_is_json(place: Place) -> None:
    done = place.shell("seqtool pad --help --json >&-")
    assert error_of(done) == {
        "schema": 1,
        "command": "pad",
        "error": "standard output is closed",
        "advice": [],
        "exit_code": 1,
    }


@pytest.mark.slow
def test_an_error_as_json_is_alone_at_a_terminal_too(place: Place) -> None:
    """No bar and no colours before it, although a bar would be up by then."""
    rows = "".join(f"{i % 1000},{i}\n" for i in range(1_500_000))
    place.write("a.csv", f"k,a\n{rows}1,x\n")
    with terminal() as (handle, shown):
        done = call(place, "group", "a.csv", "--key", "k", "--json", stderr=handle)
        text = shown()
    assert done.code == 1
    assert json.loads(text)["command"] == "group"
    assert text.count("\n") == 1


def test_with_traceback_an_error_is_raised_also_with_json(place: Place) -> None:
    done = place.run("pad", "no.npy", "--json", "--traceback")
    assert done.code == 1
    assert done.err.startswith("Traceback")


@pytest.mark.parametrize("wrong", ["", pytest.param("--maxlen 0", marks=pytest.mark.slow)])
def test_a_closed_standard_error_keeps_the_exit_code_with_json(wrong: str, place: Place) -> None:
    assert place.shell(f"seqtool pad no.npy --json {wrong} 2>&-").code == (2 if wrong else 1)


@pytest.mark.parametrize(
    ("raised", "words"),
    [
        (MemoryError(), "not enough memory"),
        (OSError(errno.ENOSPC, "", "b.npz"), "b.npz: no space is left on the disk"),
        (RuntimeError("of its own"), "unexpected RuntimeError: of its own"),
    ],
)
def test_what_nobody_foresaw_is_json(
    raised: Exception, words: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def broken(_: list[str]) -> int:
        raise raised

    monkeypatch.setattr(cli, "_call", broken)
    monkeypatch.setattr(sys, "meta_path", [*sys.meta_path])
    assert cli.run(["pad", "a.npy", "--json"]) == 1
    captured = capsys.readouterr()
    assert captured.out == ""
    error = json.loads(captured.err)
    assert (error["schema"], error["command"], error["exit_code"]) == (1, "pad", 1)
    assert words in error["error"]


def test_commands_that_cannot_be_loaded_are_reported_as_json(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def broken() -> None:
        raise ImportError("a library is not there")

    monkeypatch.setattr(cli, "build", broken)
    monkeypatch.setattr(sys, "meta_path", [*sys.meta_path])
    assert cli.run(["pad", "a.npy", "--json"]) == 1
    error = json.loads(capsys.readouterr().err)
    assert error == {
        "schema": 1,
        "error": "unexpected ImportError: a library is not there (a bug in seqtool; --traceback shows where)",
        "advice": [],
        "exit_code": 1,
    }


@pytest.mark.parametrize("target", [[], ["-o", "b.npz"], ["-o", "-"]])
def test_a_dry_run_writes_nothing(target: list[str], place: Place) -> None:
    place.write("a.npy", DENSE)
    before = place.files()
    done = succeeded(place.run("pad", "a.npy", "--dry-run", *target))
    assert "x (2, 4, 3) float32" in done.err
    assert re.search(r"would write.* [\d.]+ k?B", done.err)
    assert done.out == b""
    assert place.files() == before
    assert place.left_behind() == []


def test_a_dry_run_of_group_writes_nothing(place: Place) -> None:
    done = succeeded(place.run("group", ROWS, "--key", "2", "--dry-run"))
    assert "x (4, 2, 3) int64" in done.err
    assert place.files() == {}
    assert place.left_behind() == []


def test_a_dry_run_as_json_tells_the_size(place: Place) -> None:
    place.write("a.npy", DENSE)
    done = succeeded(place.run("pad", "a.npy", "--maxlen", "100", "--dry-run", "--json", "-o", "b.npy"))
    facts = json.loads(done.err)
    assert facts["dry_run"] is True
    assert facts["shape"] == [2, 100, 3]
    assert facts["bytes"] == 2 * 100 * 3 * 4
    assert list(place.files()) == ["a.npy"]


def test_a_dry_run_tells_of_sizes_that_no_disk_holds(place: Place) -> None:
    place.write("a.npy", np.ones((1000, 1000)))
    done = succeeded(place.run("pad", "a.npy", "--maxlen", "9000", "--dry-run"))
    assert "72.0 MB" in done.err


def test_the_size_that_is_reported_is_that_of_the_file(place: Place) -> None:
    """Within the headers of its arrays, a few hundred bytes each."""
    done = succeeded(place.run("group", ROWS, "--key", "2", "--json"))
    size = len(place.files()["rows.group.npz"])
    assert size - 4000 < json.loads(done.err)["bytes"] <= size


# Names and places


def test_output_to_standard_output(place: Place) -> None:
    done = succeeded(place.run("group", ROWS, "--key", "2", "-o", "-"))
    (place.folder / "out.npz").write_bytes(done.out)
    assert place.arrays("out.npz")["x"].shape == (4, 2, 3)
    assert list(place.files()) == ["out.npz"]
    assert "standard output" in done.err


@pytest.mark.parametrize(
    ("call", "implicit"),
    [
        ("pad a.npy", "a.pad.npz"),
        ("pad a.b.npy", "a.b.pad.npz"),
        ("pad folder/a.npy", "a.pad.npz"),
        ("pad '[a].npy'", "a.pad.npz"),
        ("pad plain", "plain.pad.npz"),
        ("pad .hidden.npy", ".hidden.pad.npz"),
        ("group folder/z.csv a.csv --key 0", "z.group.npz"),
        ("group '*.csv.gz' --key 0", "b.c.group.npz"),
    ],
)
def test_the_implicit_name(call: str, implicit: str, place: Place) -> None:
    """The stem of the first input and the command, in the current folder."""
    (place.folder / "folder").mkdir()
    for name in ("a.npy", "a.b.npy", "folder/a.npy", ".hidden.npy"):
        place.write(name, DENSE)
    for name in ("a.csv", "folder/z.csv", "plain"):
        place.write(name, "1,2\n")
    place.write("b.c.csv.gz", gzip.compress(b"1,2\n"))
    before = {*place.files()}
    succeeded(place.shell(f"seqtool {call}"))
    assert {*place.files()} - before == {implicit}


def test_standard_input_goes_to_standard_output(place: Place) -> None:
    path = place.write("a.npy", DENSE)
    for stdin, source in ((path, ()), (path.read_bytes(), ()), (path, ("-",))):
        done = succeeded(place.run("pad", *source, stdin=stdin))
        assert done.out[:2] == b"PK"
    assert [*place.files()] == ["a.npy"]
    assert place.left_behind() == []


def test_the_rule_does_not_depend_on_what_standard_output_is(place: Place) -> None:
    """A file gives a file also where standard output is a pipe, and the summary tells how to pipe it."""
    place.write("a.npy", DENSE)
    done = succeeded(place.run("pad", "a.npy"))
    assert (done.out, [*place.files()]) == (b"", ["a.npy", "a.pad.npz"])
    assert "-o - sends the data to standard output" in done.err
    with Path(os.devnull).open("wb") as null:
        done = succeeded(place.run("pad", "a.npy", stdout=null.fileno()))
    assert "-o -" not in done.err


def test_an_implicit_name_replaces_what_seqtool_wrote(place: Place) -> None:
    place.write("a.npy", DENSE)
    succeeded(place.run("pad", "a.npy"))
    succeeded(place.run("pad", "a.npy", "--maxlen", "2"))
    assert place.arrays("a.pad.npz")["x"].shape == (2, 2, 3)


@pytest.mark.parametrize("option", [["--force"], ["-f"], ["-o", "a.pad.npz"]])
def test_force_and_a_given_name_replace_a_foreign_file(option: list[str], place: Place) -> None:
    place.write("a.npy", DENSE)
    place.write("a.pad.npz", b"mine")
    succeeded(place.run("pad", "a.npy", *option))
    assert place.arrays("a.pad.npz")["x"].shape == (2, 4, 3)


def test_a_link_stays_and_its_target_is_replaced(place: Place) -> None:
    place.write("a.npy", DENSE)
    (place.folder / "data").mkdir()
    place.write("data/old.npz", b"old")
    (place.folder / "link.npz").symlink_to("data/old.npz")
    succeeded(place.run("pad", "a.npy", "-o", "link.npz"))
    assert (place.folder / "link.npz").is_symlink()
    assert place.arrays("data/old.npz")["x"].shape == (2, 4, 3)
    assert place.left_behind() == []


def test_the_mode_of_a_new_file_follows_the_umask(place: Place) -> None:
    place.write("a.npy", DENSE)
    before = os.umask(0o027)
    try:
        succeeded(place.run("pad", "a.npy"))
    finally:
        os.umask(before)
    assert (place.folder / "a.pad.npz").stat().st_mode & 0o777 == 0o640


def test_devices_and_descriptors_are_written_straight(place: Place) -> None:
    place.write("a.npy", DENSE)
    expected = succeeded(place.run("pad", "a.npy", "-o", "-")).out
    assert succeeded(place.run("pad", "a.npy", "-o", "/dev/stdout")).out == expected
    succeeded(place.run("pad", "a.npy", "-o", "/dev/null"))
    assert Path(os.devnull).is_char_device()
    for line in (
        "seqtool pad a.npy -o /dev/stdout > out.npz",
        "seqtool pad a.npy -o /dev/fd/3 3> out.npz",
        "seqtool pad a.npy -o >(cat > out.npz); wait $!",
    ):
        succeeded(place.shell(line))
        assert place.arrays("out.npz")["x"].tolist() == DENSE.tolist(), line
        assert place.left_behind() == []
        (place.folder / "out.npz").unlink()


def test_the_same_input_gives_the_same_bytes(place: Place) -> None:
    place.write("a.csv", ROWS.read_bytes())
    (place.folder / "sub").mkdir()
    place.write("sub/a.csv", ROWS.read_bytes())
    output = set()
    for source in ("a.csv", str(place.folder / "sub/a.csv")):
        succeeded(place.run("group", source, "--key", "2", "-o", "b.npz"))
        output.add(place.files()["b.npz"])
    assert len(output) == 1


def test_an_output_is_private_data_of_no_machine(place: Place) -> None:
    """The receipt holds base names: no folder, no user, no temporary name."""
    place.write("a.csv", ROWS.read_bytes())
    succeeded(place.run("group", place.folder / "a.csv", "--key", "2", "-o", place.folder / "b.npz"))
    place.shell("seqtool group --key 2 < a.csv > c.npz")
    for name in ("b.npz", "c.npz"):
        meta = str(place.arrays(name)["meta"])
        assert str(place.folder) not in meta
        assert str(place.temporary) not in meta
    assert json.loads(str(place.arrays("b.npz")["meta"]))["receipt"][0]["inputs"] == ["a.csv"]


# Readers that go away, streams that are closed


@pytest.mark.parametrize(
    "call", ["pad a.npy -o -", "group a.npy --key 0 -o -", "info a.npy", "info a.npy --json", "pad --help"]
)
def test_a_reader_that_has_gone(call: str, place: Place) -> None:
    place.write("a.npy", np.zeros((3, 4)))
    reading, writing = os.pipe()
    os.close(reading)
    run = place.process if call.startswith("pad a.npy") else place.run
    done = run(*call.split(), stdout=writing)
    os.close(writing)
    assert done.code == 141, done.err
    assert done.err == ""
    assert place.left_behind() == []


def test_a_reader_that_goes_after_ten_bytes(place: Place) -> None:
    place.write("a.npy", np.zeros((1000, 1000)))
    done = place.shell("seqtool pad a.npy -o - | head -c 10 | wc -c; echo ${PIPESTATUS[0]}")
    assert done.out.split() == [b"10", b"141"]
    assert done.err == ""


CLOSED = [
    "pad a.npy -o -",
    "group --key 0 < a.npy",
    "info a.npy --json",
    "--version",
    *(
        pytest.param(call, marks=pytest.mark.slow)  # each is a start of Python
        for call in (
            "pad < a.npy",
            "group a.npy --key 0 -o -",
            "info a.npy",
            "info < a.npy",
            "pad --help",
        )
    ),
]


@pytest.mark.parametrize("call", CLOSED)
def test_a_closed_standard_output_is_no_success(call: str, place: Place) -> None:
    place.write("a.npy", np.ones((3, 4)))
    done = place.shell(f"seqtool {call} >&-")
    assert done.code == 1, (done.code, done.err)
    assert done.err.startswith('{"schema": 1, ' if "--json" in call else "seqtool: error: ")
    assert "standard output" in done.err
    assert len(done.err.splitlines()) == 1
    assert place.left_behind() == []


@pytest.mark.parametrize(
    "closed", ["<&- >&- 2>&-", *(pytest.param(one, marks=pytest.mark.slow) for one in ("<&-", ">&-", "2>&-"))]
)
def test_closed_streams_do_not_reach_the_file(closed: str, place: Place) -> None:
    """What is closed leaves its number to the next file that is opened; nothing else may be written there."""
    place.write("a.csv", "k,a\n1,1.5\n1,\n")
    succeeded(place.run("group", "a.csv", "--key", "k", "-o", "good.npz"))
    succeeded(place.shell(f"seqtool group a.csv --key k -o out.npz {closed}"))
    assert place.files()["out.npz"] == place.files()["good.npz"]


def test_a_closed_standard_input_is_no_input(place: Place) -> None:
    done = place.shell("seqtool pad <&-")
    assert (done.code, done.out) == (2, b"")
    assert "no input" in done.err


@pytest.mark.parametrize("wrong", ["", pytest.param("--maxlen 0", marks=pytest.mark.slow)])
def test_a_closed_standard_error_keeps_the_exit_code(wrong: str, place: Place) -> None:
    assert place.shell(f"seqtool pad no.npy {wrong} 2>&-").code == (2 if wrong else 1)


def test_a_full_standard_error_does_not_spoil_the_data(place: Place) -> None:
    place.write("a.npy", DENSE)
    place.shell("seqtool pad a.npy -o out.npz 2> /dev/full")
    assert place.arrays("out.npz")["x"].tolist() == DENSE.tolist()
    assert place.left_behind() == []


# Signals

SIGNALS = [(signal.SIGINT, 130), (signal.SIGTERM, 143), (signal.SIGHUP, 129)]


def one_by_default(first: signal.Signals) -> pytest.MarkDecorator:
    """All signals, each of which takes a start of Python, and one of them that is no slow test."""
    return pytest.mark.parametrize(
        ("number", "code"),
        [
            pytest.param(number, code, marks=[] if number == first else [pytest.mark.slow])
            for number, code in SIGNALS
        ],
    )


@contextlib.contextmanager
def running(place: Place, *arguments: str | Path, **options: object) -> Iterator[subprocess.Popen[bytes]]:
    process = place.start(*arguments, **options)
    try:
        yield process
    finally:
        process.kill()
        process.communicate()


def wait_until(what: Callable[[], bool], process: subprocess.Popen[bytes]) -> None:
    begin = time.monotonic()
    while not what():
        assert process.poll() is None, "it ended before anything could be tried"
        assert time.monotonic() - begin < 60
        time.sleep(0.002)


def assert_ends(place: Place, process: subprocess.Popen[bytes], number: int, code: int) -> None:
    """A signal ends it within two seconds, with this code, one line, and nothing left behind."""
    process.send_signal(number)
    begin = time.monotonic()
    assert process.wait(timeout=30) == code
    assert time.monotonic() - begin < 2
    assert process.stderr is not None
    text = process.stderr.read().decode()
    assert re.fullmatch(r"seqtool: error: (interrupted|terminated|hung up); nothing was written\n", text), (
        text
    )
    assert place.left_behind() == []


@one_by_default(signal.SIGINT)
def test_a_signal_while_reading_a_pipe(number: int, code: int, place: Place) -> None:
    with running(place, "group", "--key", "0", "-o", "b.npz", stdin=subprocess.PIPE) as process:
        assert process.stdin is not None
        process.stdin.write(b"1,2\n" * 1000)
        process.stdin.flush()
        wait_until(lambda: bool(place.left_behind()), process)
        assert_ends(place, process, number, code)
    assert place.files() == {}


@one_by_default(signal.SIGTERM)
def test_a_signal_is_reported_as_json(number: int, code: int, place: Place) -> None:
    what = {130: "interrupted", 143: "terminated", 129: "hung up"}[code]
    with running(place, "group", "--key", "0", "-o", "b.npz", "--json", stdin=subprocess.PIPE) as process:
        assert process.stdin is not None
        process.stdin.write(b"1,2\n" * 1000)
        process.stdin.flush()
        wait_until(lambda: bool(place.left_behind()), process)
        process.send_signal(number)
        assert process.wait(timeout=30) == code
        assert process.stderr is not None
        error = error_of(Done(code, b"", process.stderr.read().decode()))
    assert (error["command"], error["error"]) == ("group", f"{what}; nothing was written")
    assert place.files() == {}


EARLY = """
import os, signal, sys
class Ending:
    def find_spec(self, name, path=None, target=None):
        if name == {module!r} and not self.done:
            self.done = True
            os.kill(os.getpid(), signal.SIGTERM)
    done = False
sys.meta_path.insert(0, Ending())
from seqtool.__main__ import main
main()
"""


@pytest.mark.parametrize(
    "module", ["seqtool.cli", "typer", "typer._click.core", "typer.core", "seqtool.commands.pad"]
)
@pytest.mark.parametrize("as_json", [False, pytest.param(True, marks=pytest.mark.slow)])
def test_a_signal_while_the_command_line_is_loaded(module: str, as_json: bool, place: Place) -> None:
    arguments = ["pad", "a.npy", *(["--json"] if as_json else [])]
    ended = subprocess.run(
        [sys.executable, "-c", EARLY.format(module=module), *arguments],
        cwd=place.folder,
        env=place.environment(),
        capture_output=True,
        check=False,
    )
    done = Done(ended.returncode, ended.stdout, ended.stderr.decode())
    assert done.code == 143
    if as_json:
        assert error_of(done)["error"] == "terminated; nothing was written"
    else:
        assert done.err == "seqtool: error: terminated; nothing was written\n"


@one_by_default(signal.SIGTERM)
def test_a_signal_while_writing_a_file(number: int, code: int, place: Place) -> None:
    """A big group: a gigabyte of padding is on its way to the disk."""
    place.write("a.npy", np.arange(2000.0).reshape(1000, 2))
    place.write("b.npz", b"old")
    before = place.files()
    with running(place, "group", "a.npy", "--key", "0", "--maxlen", "70000", "-o", "b.npz") as process:
        wait_until(lambda: any(p.stat().st_size > 4 << 20 for p in place.folder.glob(".*")), process)
        assert_ends(place, process, number, code)
    assert place.files() == before


def test_a_signal_while_nobody_reads_the_output(place: Place) -> None:
    place.write("a.npy", np.zeros((1000, 1000)))
    with running(place, "pad", "-o", "-", "a.npy", stdout=subprocess.PIPE) as process:
        assert process.stdout is not None
        process.stdout.read(10)
        assert_ends(place, process, signal.SIGTERM, 143)


def full_pipe() -> tuple[int, int]:
    """A pipe that takes nothing before somebody reads from it."""
    reader, writer = os.pipe()
    os.set_blocking(writer, False)
    with contextlib.suppress(BlockingIOError):
        while True:
            os.write(writer, b"." * 4096)
    with contextlib.suppress(BlockingIOError):
        while True:
            os.write(writer, b".")
    os.set_blocking(writer, True)
    return reader, writer


@one_by_default(signal.SIGHUP)
def test_a_signal_after_the_output_stands_does_not_deny_it(number: int, code: int, place: Place) -> None:
    """It waits with its summary for a reader of standard error when the signal comes."""
    place.write("a.npy", np.ones((2, 3)))
    reader, writer = full_pipe()
    process = subprocess.Popen(
        [SEQTOOL, "pad", "a.npy", "-o", "out.npz"],
        cwd=place.folder,
        env=place.environment(),
        stdin=subprocess.DEVNULL,
        stderr=writer,
    )
    os.close(writer)
    try:
        wait_until((place.folder / "out.npz").exists, process)
        time.sleep(0.2)
        process.send_signal(number)
        time.sleep(0.2)
        with os.fdopen(reader, "rb") as file:
            text = file.read().decode()
        assert process.wait(timeout=30) == code
    finally:
        process.kill()
        process.communicate()
    word = {signal.SIGINT: "interrupted", signal.SIGTERM: "terminated", signal.SIGHUP: "hung up"}[number]
    assert text.endswith(f"seqtool: error: {word}; out.npz was written\n")
    assert "nothing was written" not in text
    assert place.arrays("out.npz")["x"].tolist() == [[1.0] * 3] * 2
    assert place.left_behind() == []


def seconds_of_work(process: subprocess.Popen[bytes]) -> float:
    """The CPU time that a process has used so far, in all its threads."""
    fields = Path(f"/proc/{process.pid}/stat").read_text(encoding="ascii").rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


@pytest.fixture(scope="module")
def big(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Seven million rows in random order: seconds of work on any machine."""
    import pyarrow as pa
    import pyarrow.csv as arrow_csv

    path = tmp_path_factory.mktemp("big") / "big.csv"
    random = np.random.default_rng(1)
    rows = 7_000_000
    columns = {"k": random.integers(0, 50_000, rows), "a": random.integers(0, 1000, rows)}
    arrow_csv.write_csv(pa.table(columns), path)
    return path


@pytest.mark.slow
@pytest.mark.skipif(not Path("/proc/self/stat").exists(), reason="the CPU time of a process is in /proc")
@pytest.mark.parametrize(
    ("memory", "number", "code", "work"),
    [
        ([], signal.SIGINT, 130, 0.8),
        ([], signal.SIGTERM, 143, 1.2),
        (["--max-memory", "256M"], signal.SIGINT, 130, 0.9),
        (["--max-memory", "256M"], signal.SIGINT, 130, 1.3),
        (["--max-memory", "256M"], signal.SIGTERM, 143, 1.1),
    ],
)
def test_a_signal_in_the_middle_of_a_big_group(
    memory: list[str], number: int, code: int, work: float, big: Path, place: Place
) -> None:
    """After so many seconds of work: among rows, in the sort, in the merge, or between these."""
    arguments = ["group", str(big), "--key", "k", "-o", "b.npz", *memory]
    process = subprocess.Popen(
        [SEQTOOL, *arguments],
        cwd=place.folder,
        env=place.environment(),
        stderr=subprocess.PIPE,
        stdin=subprocess.DEVNULL,
    )
    try:
        wait_until(lambda: seconds_of_work(process) > work, process)
        assert_ends(place, process, number, code)
    finally:
        process.kill()
        process.communicate()
    assert place.files() == {}


def test_a_pipeline_ends_when_its_first_command_is_interrupted(place: Place) -> None:
    """The second command reads what came before the interrupt: a file cut short, which it refuses."""
    place.write("a.npy", np.zeros((1000, 1000)))
    done = place.shell(
        "seqtool pad a.npy -o - | head -c 100000 | seqtool pad -o out.npz; echo ${PIPESTATUS[2]}"
    )
    assert done.out == b"1\n"
    assert done.err.startswith("seqtool: error: standard input: ")
    assert [*place.files()] == ["a.npy"]
    assert place.left_behind() == []


# Terminals


@contextlib.contextmanager
def terminal() -> Iterator[tuple[int, Callable[[], str]]]:
    """The end of a terminal that a process gets, and a function that reads what was shown on it."""
    master, slave = pty.openpty()
    held = [slave]

    def shown() -> str:
        os.close(held.pop())
        parts = []
        with contextlib.suppress(OSError):  # how Linux says that nobody holds the other end
            while part := os.read(master, 1 << 16):
                parts.append(part)
        return b"".join(parts).decode()

    try:
        yield slave, shown
    finally:
        for handle in (*held, master):
            os.close(handle)


def call(place: Place, *arguments: str | Path, **streams: int) -> Done:
    return place.run(*arguments, environment={"TERM": "xterm"}, **streams)


@pytest.mark.parametrize("command", COMMANDS)
def test_no_input_at_a_terminal_shows_how_to_call(command: str, place: Place) -> None:
    """Short help and exit 2, never a hang."""
    more = ["--key", "0"] if command == "group" else []
    with terminal() as (handle, _):
        done = call(place, command, *more, stdin=handle)
    assert done.code == 2
    assert done.out == b""
    first, usage, *_ = done.err.splitlines()
    assert first.startswith("seqtool: error: no input")
    assert usage.startswith(f"Usage: seqtool {command} ")


def test_no_input_comes_before_other_faults_of_the_call(place: Place) -> None:
    with terminal() as (handle, _):
        done = call(place, "group", stdin=handle)
    assert done.code == 2
    assert "Usage: seqtool group" in done.err


@pytest.mark.parametrize("source", [["a.npy", "-o", "-"], []])
def test_binary_data_never_goes_to_a_terminal(source: list[str], place: Place) -> None:
    path = place.write("a.npy", DENSE)
    with terminal() as (handle, shown), path.open("rb") as file:
        done = call(place, "pad", *source, stdin=file.fileno(), stdout=handle)
        assert shown() == ""
    assert done.code == 2
    assert done.err.startswith("seqtool: error: ")
    assert "terminal" in done.err
    assert "-o FILE" in done.err
    assert place.left_behind() == []


def test_a_dry_run_at_a_terminal_writes_no_binary_data(place: Place) -> None:
    """Nothing is written, so nothing stands in its way."""
    path = place.write("a.npy", DENSE)
    with terminal() as (handle, shown), path.open("rb") as file:
        done = call(place, "pad", "--dry-run", stdin=file.fileno(), stdout=handle)
        assert shown() == ""
    succeeded(done)


def test_a_file_at_a_terminal_gives_a_file(place: Place) -> None:
    place.write("a.npy", DENSE)
    with terminal() as (handle, _):
        done = succeeded(call(place, "pad", "a.npy", stdin=handle, stdout=handle))
    assert "-o -" not in done.err
    assert place.arrays("a.pad.npz")["x"].tolist() == DENSE.tolist()


def test_colours_only_at_a_terminal(place: Place) -> None:
    place.write("a.npy", DENSE)
    assert "\x1b" not in succeeded(call(place, "pad", "a.npy")).err
    assert b"\x1b" not in succeeded(call(place, "info", "a.pad.npz")).out
    with terminal() as (handle, shown):
        succeeded(call(place, "pad", "a.npy", stderr=handle))
        assert "\x1b[" in shown()
    with terminal() as (handle, shown):
        succeeded(call(place, "info", "a.pad.npz", stdout=handle))
        assert "\x1b[" in shown()
    with terminal() as (handle, shown):
        assert call(place, "pad", "no.npy", stderr=handle).code == 1
        assert shown().startswith("seqtool: error: no.npy")


def test_no_colours_where_nobody_wants_them(place: Place) -> None:
    """NO_COLOR, see no-color.org, and a terminal without any."""
    place.write("a.npy", DENSE)
    for variable in ({"NO_COLOR": "1"}, {"TERM": "dumb"}):
        with terminal() as (handle, shown):
            succeeded(place.run("pad", "a.npy", stderr=handle, environment={"TERM": "xterm", **variable}))
            assert "\x1b" not in shown()


def test_a_word_that_no_file_may_be_called_is_refused(place: Place) -> None:
    done = place.run("truncate", "a.npz", "--maxlen", "1", "9" * 5000)
    assert (done.code, done.err.count("\n")) == (2, 1)
