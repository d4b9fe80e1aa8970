"""An option of one value, given twice: typer takes the last one in silence, seqtool refuses the call."""

from __future__ import annotations

import re
from typing import Any

import pytest

from seqtool import cli
from seqtool.errors import UsageError
from seqtool.operations import OPERATIONS
from tests.command import Place

ROOT: Any = cli.build()
SHARED = {
    option.name for option in ROOT.commands["truncate"].params
}  # by all operations; tried on truncate alone
ONCE = [
    (name, option)
    for name, command in sorted(ROOT.commands.items())
    for option in command.params
    if option.param_type_name == "option" and not option.multiple
    if name not in OPERATIONS or name == "truncate" or option.name not in SHARED
]
NEEDED = {"window": ("--size", "1"), "fill": ("--method", "zero")}
SINGLE = [(name, option) for name, option in ONCE if option.secondary_opts or not option.is_flag]


def value_of(option: Any) -> list[str]:
    words = option.metavar.split("|") if option.metavar else ["1"]
    return [] if option.is_flag else [words[0] if words[0].islower() else "5"]


@pytest.mark.thinned
@pytest.mark.parametrize(("command", "option"), SINGLE, ids=lambda part: getattr(part, "name", part))
def test_an_option_of_one_value_is_given_once(command: str, option: Any) -> None:
    names = [*option.opts, *option.secondary_opts]
    shown = "/".join([option.opts[0], *option.secondary_opts])
    needed = [] if names[0] in NEEDED.get(command, ()) else NEEDED.get(command, ())
    words = [*needed, names[0], *value_of(option), names[-1], *value_of(option)]
    with pytest.raises(UsageError, match=rf"^{re.escape(shown)} was given twice; give it once$"):
        ROOT.commands[command].make_context(command, words)


@pytest.mark.parametrize("call", ["-o a.npz --output=b.npz", "-oa.npz -fob.npz", "--maxlen 3 -q --maxlen 3"])
def test_however_it_is_spelled(call: str, place: Place) -> None:
    place.write("t.csv", "id,v\n1,2\n")
    done = place.run("group", "t.csv", "--key", "id", *call.split())
    assert (done.code, "was given twice" in done.err) == (2, True)
    assert [*place.files()] == ["t.csv"]


def test_a_flag_says_the_same_twice_and_values_are_no_options(place: Place) -> None:
    place.write("t.csv", "id,v\n1,2\n")
    done = place.run("group", "t.csv", "--key", "id", "--missing=--maxlen", "-q", "-qf", "--maxlen", "3")
    assert (done.code, done.err) == (0, "")


def test_help_comes_before_it(place: Place) -> None:
    done = place.run("pad", "--maxlen", "3", "--maxlen", "4", "--help")
    assert (done.code, done.out[:18]) == (0, b"Usage: seqtool pad")


def test_three_times_is_counted(place: Place) -> None:
    done = place.run("truncate", "a.npz", *["--maxlen", "4"] * 3)
    assert done.err == "seqtool: error: --maxlen was given 3 times; give it once\n"
