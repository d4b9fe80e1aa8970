import dataclasses
import inspect
import math
import typing
from dataclasses import dataclass
from typing import Annotated, Any

import pytest
import typer
from hypothesis import given
from hypothesis import strategies as st
from typer.testing import CliRunner

from seqtool.commands import _options
from seqtool.commands._groups import takes_groups
from seqtool.commands._values import parse_value
from seqtool.errors import UsageError, check_choice

GROUPS = [
    group
    for group in vars(_options).values()
    if dataclasses.is_dataclass(group) and group.__module__ == _options.__name__
]


def names_of(annotated: Any) -> list[str]:
    """All names of an option, --a/--b as two."""
    (info,) = typing.get_args(annotated)[1:]
    first, *others = info.default, *info.param_decls  # Typer takes the first for a default
    return [name for declared in (first, *others) for name in declared.split("/")]


# Values


@given(st.integers(-(10**30), 10**30))
def test_a_whole_value_stays_whole(number: int) -> None:
    value = parse_value(str(number))
    assert value == number
    assert isinstance(value, int)


@given(st.floats())
def test_a_fraction_is_read_exactly(number: float) -> None:
    value = parse_value(repr(number))
    assert repr(value) == repr(number)


@given(st.lists(st.integers(-9, 9) | st.floats(allow_nan=False), min_size=2, max_size=5))
def test_several_numbers_are_one_for_each_feature(numbers: list[float]) -> None:
    value = parse_value(",".join(map(repr, numbers)))
    assert value == tuple(numbers)
    assert isinstance(value, tuple)
    assert [type(found) for found in value] == [type(number) for number in numbers]


@pytest.mark.parametrize("text", ["nan", "NaN", "NAN"])
def test_nan_is_a_value(text: str) -> None:
    value = parse_value(text)
    assert isinstance(value, float)
    assert math.isnan(value)


def test_no_value_is_none() -> None:
    assert parse_value(None) is None


@pytest.mark.parametrize(
    "text", ["x", "", " ", ",", "1,", ",1", "1,,2", "1;2", "1 2", "0x1F", "1_000", "one"]
)
def test_text_that_is_no_number_is_a_wrong_call(text: str) -> None:
    with pytest.raises(UsageError, match="a number, nan, or one number per feature was expected"):
        parse_value(text)


# Choices


@pytest.mark.parametrize("given", ["class", "number", None])
def test_a_choice_comes_back(given: str | None) -> None:
    assert check_choice("--label-as", given, ("class", "number")) == given


def test_another_choice_is_refused_with_those_there_are() -> None:
    with pytest.raises(UsageError) as error:
        check_choice("--empty-key", "skip", ("error", "drop", "keep"))
    assert str(error.value) == "--empty-key is 'skip'; error, drop or keep was expected"


# Groups


@dataclass(frozen=True)
class Colours:
    ink: Annotated[str, typer.Option("--ink", help="Of the pen.")] = "black"
    paper: Annotated[str | None, typer.Option("--paper")] = None


@dataclass(frozen=True)
class Sizes:
    width: Annotated[int, typer.Option("--width", "-w", min=1)] = 7
    tags: Annotated[list[str] | None, typer.Option("--tag")] = None


def command(
    colours: Colours,
    sizes: Sizes,
    page: Annotated[str | None, typer.Argument()] = None,
    loud: Annotated[bool, typer.Option("--loud/--soft")] = False,
) -> None:
    """Write something."""
    typer.echo(repr((colours, sizes, page, loud)))


def called(*arguments: str) -> Any:
    app = typer.Typer()
    app.command()(takes_groups(command))
    return CliRunner().invoke(app, arguments)


def test_a_command_gets_its_groups_with_their_defaults() -> None:
    done = called()
    assert done.stdout.strip() == repr((Colours(), Sizes(), None, False))


def test_a_command_gets_what_the_line_says_in_the_right_group() -> None:
    done = called("--paper", "red", "a.txt", "-w", "3", "--loud", "--tag", "a", "--tag", "b")
    expected = (Colours(paper="red"), Sizes(width=3, tags=["a", "b"]), "a.txt", True)
    assert done.stdout.strip() == repr(expected)


def test_limits_of_a_field_hold() -> None:
    assert called("--width", "0").exit_code == 2
    assert called("--nope").exit_code == 2


def test_help_shows_the_fields_of_a_group() -> None:
    text = called("--help").stdout
    assert "--ink" in text
    assert "Of the pen." in text
    assert "Write something." in text


def test_groups_are_spread_in_their_place_and_all_by_name() -> None:
    spread = takes_groups(command)
    parameters = inspect.signature(spread).parameters
    assert list(parameters) == ["ink", "paper", "width", "tags", "page", "loud"]
    assert {p.kind for p in parameters.values()} == {inspect.Parameter.KEYWORD_ONLY}
    assert parameters["width"].default == 7
    assert spread.__name__ == "command"
    assert spread.__doc__ == "Write something."


def test_a_command_without_groups_is_as_it_was() -> None:
    seen = []

    def plain(a: int = 1) -> None:
        seen.append(a)

    takes_groups(plain)(a=5)
    assert seen == [5]
    assert list(inspect.signature(takes_groups(plain)).parameters) == ["a"]


# The groups that commands share


@pytest.mark.parametrize("group", GROUPS, ids=lambda group: group.__name__)
def test_every_shared_option_has_a_long_name_and_a_help_text(group: Any) -> None:
    hints = typing.get_type_hints(group, include_extras=True)
    for field in dataclasses.fields(group):
        (info,) = typing.get_args(hints[field.name])[1:]
        assert info.help, field.name
        assert info.help.endswith((".", "]")), field.name
        names = names_of(hints[field.name])
        assert all(name.startswith("-") for name in names), field.name
        assert any(name.startswith("--") for name in names), field.name


def test_no_option_is_declared_twice() -> None:
    hints = [typing.get_type_hints(group, include_extras=True) for group in GROUPS]
    names = [name for found in hints for hint in found.values() for name in names_of(hint)]
    assert len(names) == len(set(names))
    assert {
        "--output",
        "-o",
        "--quiet",
        "-q",
        "--verbose",
        "-v",
        "--json",
        "--dry-run",
        "--maxlen",
        "--post",
        "--pre",
        "--truncating",
        "--value",
        "--dtype",
    } <= set(names)


@pytest.mark.parametrize("group", GROUPS, ids=lambda group: group.__name__)
def test_every_shared_option_may_be_left_out(group: Any) -> None:
    assert dataclasses.is_dataclass(group())
