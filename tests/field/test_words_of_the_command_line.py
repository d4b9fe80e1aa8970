"""Lists of names, a dry run beside an output that is there, and help texts that fit."""

from __future__ import annotations

import re
from typing import Any

import numpy as np
import pytest

from seqtool import cli
from seqtool.words import listed
from tests.command import Place, succeeded

ROOT: Any = cli.build()
TABLE = "k,l,t,u,a,b,v\n2,x,2,1,5,7,0\n1,x,1,2,6,8,1\n1,x,1,1,6,8,2\n"


@pytest.mark.parametrize(
    "parts",
    [
        ["--key", "k,l", "--order-by", "t,u", "--static", "a,b"],
        ["--key", "k", "--key", "l", "--order-by", "t", "--order-by=u", "--static", "a", "--static", "b"],
        ["--key", '"k",l', "--order-by", 't,"u"', "--static", "a, b"],
    ],
)
def test_columns_are_named_in_lists_or_one_by_one(parts: list[str], place: Place) -> None:
    place.write("t.csv", TABLE)
    output = place.outputs("group", ["t.csv", *parts, "--columns=v"])[0]
    assert output["keys"].tolist() == [["1", "x"], ["2", "x"]]
    assert output["x"][0, :, 0].tolist() == [2, 1]
    assert (output["static_features"].tolist(), output["static"].tolist()) == (["a", "b"], [[6, 8], [5, 7]])


def test_a_format_may_hold_commas_and_ends_its_list(place: Place) -> None:
    place.write("t.csv", 'k,v,d\n1,0,"Feb 1, 2000"\n1,1,"Jan 31, 2000"\n1,2,"Jan 31, 2000"\n')
    for by in ("d:%b %d, %Y", '"d:%b %d, %Y"'):
        output = place.outputs("group", ["t.csv", "--key=k", "--order-by", by])[0]
        assert output["x"][0, :, 0].tolist() == [1, 2, 0]
    output = place.outputs("group", ["t.csv", "--key=k", "--order-by", "v:desc,d:%b %d, %Y", "--columns=v"])[
        0
    ]
    assert output["x"][0, :, 0].tolist() == [2, 1, 0]


@pytest.mark.parametrize("call", ["group t.csv --key k --drop l", "pad a.npy", "truncate a.npy --maxlen 1"])
def test_a_dry_run_does_not_mind_an_output_that_is_there(call: str, place: Place) -> None:
    place.write("t.csv", TABLE)
    place.write("a.npy", np.ones((2, 3)))
    command = call.split()[0]
    name = f"{call.split()[1][0]}.{command}.npz"
    place.write(name, "not ours")
    refused = place.run(*call.split())
    assert (refused.code, f"{name}: exists and was not written by seqtool" in refused.err) == (1, True)
    dry = succeeded(place.run(*call.split(), "--dry-run"))
    assert re.search(rf"would write +{name}, .* it exists, and only --force replaces it", dry.err)
    assert place.files()[name] == b"not ours"
    forced = succeeded(place.run(*call.split(), "--dry-run", "--force"))
    assert "it exists" not in forced.err


def test_a_list_never_hides_one_name_alone() -> None:
    for count in range(1, 40):
        names = [*map(str, range(count))]
        shown = listed(names)
        hidden = count - len(shown.replace("... ", "").split(", "))
        assert hidden != 1
        assert (hidden == 0) is ("..." not in shown)


# Help


def test_every_summary_of_a_command_fits_on_its_line(place: Place) -> None:
    done = succeeded(place.run("--help", environment={"COLUMNS": "80"}))
    lines = done.out.decode().partition("Commands:\n")[2].splitlines()
    assert [line.split()[0] for line in lines] == sorted(ROOT.commands)
    assert [line for line in lines if not line.endswith(".") or line.endswith("...")] == []


_ALWAYS = "Text files and workbooks, Memory, Output, Help"


@pytest.mark.parametrize(
    ("command", "expected"),
    [
        ("pad", "Arguments, Padding, Sequences, Input, Labels and keys, " + _ALWAYS),
        ("truncate", "Arguments, Sequences, Input, Labels and keys, " + _ALWAYS),
        ("check", "Arguments, Options, Sequences, Input, Labels and keys, Memory"),
        (
            "group",
            "Arguments, Columns, Times, Padding, Sequences, Rows, "
            + _ALWAYS.replace("Memory", "Shards, Memory"),
        ),
    ],
)
def test_help_lists_options_by_their_groups(command: str, expected: str, place: Place) -> None:
    shown = succeeded(place.run(command, "--help")).out.decode()
    assert re.findall(r"^([A-Z][a-z ]+):$", shown, re.MULTILINE) == expected.split(", ")
    # Each option stands there, and once.
    for option in ROOT.commands[command].params:
        if option.param_type_name == "option":
            assert len(re.findall(rf"^  (-\w, )?{option.opts[0]}\b(?!-)", shown, re.MULTILINE)) == 1
