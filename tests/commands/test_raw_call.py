"""Which options a call gives, held against what typer's own parser makes of the same words."""

from __future__ import annotations

from typing import Any

import pytest
import typer
from hypothesis import given, settings
from hypothesis import strategies as st

from seqtool import cli
from seqtool.commands._raw_call import raw_call
from seqtool.errors import UsageError
from tests.hunting import examples

ROOT: Any = cli.build()


@pytest.mark.parametrize(
    ("call", "command", "asked"),
    [
        ("pad a.npy --json", "pad", True),
        ("pad --json a.npy", "pad", True),
        ("pad a.npy -q --json -o b.npz", "pad", True),
        ("--json pad a.npy", "pad", True),
        ("-- pad a.npy --json", "pad", True),
        ("pad a.npy --json=1", "pad", True),
        ("pad a.npy --nope --json", "pad", True),
        ("pad a.npy -fqo b.npz --json", "pad", True),
        ("pad a.npy -fqob.npz --json", "pad", True),
        ("pad a.npy -ofq --json", "pad", True),
        ("pad - --json", "pad", True),
        ("pad a.npy --label=--json --json", "pad", True),
        ("nope a.npy --json", None, True),
        ("--json", None, True),
        ("pad a.npy", "pad", False),
        ("pad -- --json", "pad", False),
        ("pad a.npy --label --json", "pad", False),
        ("pad a.npy -o --json", "pad", False),
        ("pad a.npy -fqo --json", "pad", False),
        ("pad a.npy --label=--json", "pad", False),
        ("pad --key", "pad", False),
        ("pad --jsonl", "pad", False),
        ("", None, False),
    ],
)
def test_json_is_asked_for_where_it_is_an_option(call: str, command: str | None, asked: bool) -> None:
    found = raw_call(call.split(), ROOT)
    assert (found.command, "--json" in found.options) == (command, asked)


def flags_of(command: str) -> dict[str, Any]:
    return {
        name: option
        for option in ROOT.commands[command].params
        if option.param_type_name == "option"
        for name in (*option.opts, *option.secondary_opts)
    }


WORDS = [
    "--json",
    "-q",
    "-o",
    "-fq",
    "-qo",
    "-oq",
    "--label",
    "--maxlen",
    "3",
    "a.npy",
    "-",
    "--",
    "--key=--json",
]


@given(st.lists(st.sampled_from(WORDS), max_size=8))
@settings(max_examples=examples(300))
def test_whatever_typer_can_parse_gives_the_same_answer(words: list[str]) -> None:
    """Over calls that are whole; typer says that --json is set, and so do we."""
    command = ROOT.commands["pad"]
    try:
        context = command.make_context("pad", [*words], resilient_parsing=False)
    except (typer.TyperException, UsageError):
        return
    assert ("--json" in raw_call(["pad", *words], ROOT).options) == context.params["as_json"]


@pytest.mark.parametrize("command", sorted(ROOT.commands))
def test_every_option_is_seen_by_every_name_and_its_value_is_none(command: str) -> None:
    for name, option in flags_of(command).items():
        value = [] if option.is_flag else ["--json"]
        assert raw_call([command, name, *value], ROOT).options == {name}
