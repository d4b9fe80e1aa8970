"""`dataclass` makes classes that behave as those of the standard library."""

import copy
import dataclasses
import inspect
import pickle
from collections.abc import Callable
from dataclasses import field
from typing import Any

import pytest

from seqtool import dataclass as ours


def made(dataclass: Any) -> dict[str, Any]:
    """The same classes, made by either decorator."""

    @dataclass(frozen=True)
    class Point:
        """A point."""

        x: int
        y: int = 2
        tags: list[str] = field(default_factory=list, compare=False)
        secret: str = field(default="s", repr=False)

    @dataclass(frozen=True)
    class Named(Point):
        """A subclass, with a field that has a default there."""

        x: int = 5
        name: str = "n"

        def __post_init__(self) -> None:
            if self.x < 0:
                raise ValueError("x is below 0")

    @dataclass
    class Counter:
        """It changes, and counts by itself."""

        start: int
        count: int = field(default=0, init=False)
        seen: dict[str, int] = field(default_factory=dict, init=False)

    @dataclass(frozen=True, kw_only=True)
    class Options:
        """By name alone."""

        b: str = "b"
        a: int

    @dataclass(frozen=True, eq=False, repr=False)
    class Bare:
        """Equal to itself alone."""

        x: int

        def __len__(self) -> int:
            return self.x

    @dataclass(frozen=True, init=False)
    class Own:
        """With its own methods."""

        x: int

        def __init__(self, *x: int) -> None:
            object.__setattr__(self, "x", sum(x))

        def __repr__(self) -> str:
            return "mine"

    return {kind.__name__: kind for kind in (Point, Named, Counter, Options, Bare, Own)}


OURS, THEIRS = made(ours.dataclass), made(dataclasses.dataclass)


def outcome(call: Callable[[], Any]) -> Any:
    """What a call gives, as text without the place in memory; or the kind of its error."""
    try:
        found = call()
    except (TypeError, ValueError, AttributeError) as error:
        return type(error)
    return repr(found).partition(" object at ")[0]


CALLS: list[Callable[[dict[str, Any]], Any]] = [
    lambda c: c["Point"](1),
    lambda c: c["Point"](1, y=3, tags=["a"]),
    lambda c: c["Point"](),
    lambda c: c["Point"](y=1),
    lambda c: c["Point"](1, 2, [], "t", 5),
    lambda c: c["Point"](1, x=2),
    lambda c: c["Point"](1, z=2),
    lambda c: c["Point"](1) == c["Point"](1, 2, ["b"]),
    lambda c: c["Point"](1) == c["Point"](1, secret="t"),
    lambda c: c["Point"](1) == c["Named"](1),
    lambda c: c["Point"](1) == 1,
    lambda c: hash(c["Point"](1)) == hash(c["Point"](1, tags=["b"])),
    lambda c: hash(c["Counter"](1)),
    lambda c: hash(c["Options"](a=1)) == hash(c["Options"](a=1)),
    lambda c: setattr(c["Point"](1), "x", 2),
    lambda c: setattr(c["Point"](1), "new", 2),
    lambda c: delattr(c["Point"](1), "x"),
    lambda c: c["Point"](1).tags is c["Point"](1).tags,
    lambda c: vars(c["Point"](1, secret="t", y=4)),
    lambda c: c["Named"](),
    lambda c: c["Named"](-1),
    lambda c: c["Named"](name="m", x=1),
    lambda c: dataclasses.replace(c["Named"](3), y=9),
    lambda c: dataclasses.replace(c["Named"](3), x=-9),
    lambda c: dataclasses.asdict(c["Named"](3)),
    lambda c: [f.name for f in dataclasses.fields(c["Named"])],
    lambda c: c["Counter"](3),
    lambda c: c["Counter"](3, 4),
    lambda c: c["Counter"](3) == c["Counter"](3),
    lambda c: c["Counter"](3).seen is c["Counter"](3).seen,
    lambda c: [setattr(counter := c["Counter"](3), "count", 7), counter],
    lambda c: c["Options"](1),
    lambda c: c["Options"](a=1),
    lambda c: c["Options"](),
    lambda c: c["Bare"](2) == c["Bare"](2),
    lambda c: c["Bare"](2),
    lambda c: len(c["Bare"](2)),
    lambda c: c["Own"](2, 3).x,
    lambda c: c["Own"](2) == c["Own"](1, 1),
    lambda c: c["Own"](2),
    lambda c: copy.deepcopy(c["Point"](1, tags=["a"])),
    lambda c: c["Point"].__doc__,
    lambda c: [*inspect.signature(c["Named"]).parameters],
    lambda c: [*inspect.signature(c["Options"]).parameters.values()],
]


@pytest.mark.parametrize("call", CALLS)
def test_a_call_does_what_it_does_with_a_class_of_the_standard_library(
    call: Callable[[dict[str, Any]], Any],
) -> None:
    assert outcome(lambda: call(OURS)) == outcome(lambda: call(THEIRS))


@ours.dataclass(frozen=True)
class Pickled:
    """At the top of a module, as pickle needs it."""

    x: int
    y: list[int] = field(default_factory=list)


def test_an_object_is_pickled() -> None:
    assert pickle.loads(pickle.dumps(Pickled(1, [2]))) == Pickled(1, [2])


def test_an_error_of_arguments_names_the_class_and_its_fields() -> None:
    with pytest.raises(
        TypeError, match="Pickled takes x, y; 3 arguments by position, and z by name were given"
    ):
        Pickled(1, [], 3, z=1)  # type: ignore[call-arg]
