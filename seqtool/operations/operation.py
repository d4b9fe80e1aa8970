"""The base of all operations: their arguments, which are checked when one is made, and their outcome.

This module does not import NumPy, so that `seqtool --help` can list every operation quickly; an operation that is a
subcommand imports what it needs inside its methods.
"""

from __future__ import annotations

import inspect
import typing
from collections.abc import Callable, Mapping, Sequence
from dataclasses import MISSING, dataclass, field, fields
from typing import TYPE_CHECKING, Annotated, Any, Literal, Protocol, Self

from seqtool.errors import UsageError, check_choice, check_whole, names_arguments

if TYPE_CHECKING:
    from seqtool.arrays.spool import Spool
    from seqtool.sequences.ragged import Ragged


@dataclass(frozen=True)
class Argument:
    """The help text of an argument, and the least number that it may be, in the annotation of its field."""

    help: str
    metavar: str | None = None
    least: int | None = None


class State(Protocol):
    """What an operation learned from sequences by `fit`: numbers and small arrays, never a pickle."""

    def merge(self, other: Self) -> Self:
        """The state of the sequences of both."""

    def facts(self) -> dict[str, Any]:
        """The state as exact JSON data, for the receipt."""


@dataclass(frozen=True)
class Outcome:
    """The sequences that an operation gives, and what became of the steps.

    `cut` counts steps that were cut, `dropped` and `added` count steps by reason: steps in + added = steps kept + cut
    + dropped. `maxlen` is the number of slots to which a padded block becomes shorter, None where it keeps its own.
    `lines` are those of the summary, each a word and a text.
    """

    ragged: Ragged
    cut: int = 0
    dropped: Mapping[str, int] = field(default_factory=dict)
    added: Mapping[str, int] = field(default_factory=dict)
    maxlen: int | None = None
    lines: Sequence[tuple[str, str]] = ()
    warnings: Sequence[str] = ()


class Operation:
    """Base of the operations, frozen dataclasses whose fields are annotated with an `Argument` each.

    The options of the subcommand, the arguments of the Python function and the receipt follow from the fields;
    the docstring of the class is the help. Making one raises UsageError for arguments that are not allowed.
    """

    def __post_init__(self) -> None:
        for name, annotation in annotated_fields(type(self)).items():
            _check(name, getattr(self, name), annotation)

    def fit(self, ragged: Ragged) -> State | None:
        """Learn the state that `apply` needs from sequences; None for the operations that need none."""
        return None

    def apply(self, ragged: Ragged, state: Any, *, spool: Spool) -> Outcome:
        """Apply it to sequences, lazily; what does not fit into memory goes to `spool`."""
        raise NotImplementedError

    def arguments(self) -> dict[str, Any]:
        """Its arguments by name, for the receipt."""
        return {f.name: getattr(self, f.name) for f in fields(self)}  # type: ignore[arg-type]


def annotated_fields(operation: type[Operation]) -> dict[str, Any]:
    """The annotation of each field by its name, with its `Argument`."""
    hints = typing.get_type_hints(operation, include_extras=True)
    return {f.name: hints[f.name] for f in fields(operation)}  # type: ignore[arg-type]


def argument_of(annotation: Any) -> tuple[Any, Argument]:
    """The type of a field, and its `Argument`.

    >>> argument_of(Annotated[int, Argument("Steps at most.", least=1)])[1].least
    1
    """
    kind, *extras = (
        typing.get_args(annotation) if typing.get_origin(annotation) is Annotated else [annotation]
    )
    found = [extra for extra in extras if isinstance(extra, Argument)]
    return kind, found[0] if found else Argument("")


def choices(kind: Any) -> tuple[str, ...]:
    """The words that a type such as `Literal["pre", "post"]` allows; none where it is no such type."""
    return typing.get_args(kind) if typing.get_origin(kind) is Literal else ()


def _check(name: str, value: Any, annotation: Any) -> None:
    """Raise UsageError for a value that the annotation of its field does not allow."""
    kind, argument = argument_of(annotation)
    words = choices(kind)
    if value is None and (words or kind is int):
        raise UsageError(f"{name} is None; {' or '.join(words) or 'a whole number'} was expected")
    if words:
        check_choice(name, value, words)
    if kind is not int:
        return
    number = check_whole(name, value)
    if argument.least is not None and number < argument.least:
        raise UsageError(f"{name} is {value}; it must be at least {argument.least}")


def as_function(operation: type[Operation]) -> Callable[..., Any]:
    """The Python function of an operation: sequences in any form, then its arguments by name.

    A Padded comes out padded as it was, everything else as a Ragged.
    """

    def call(sequences: Any, **arguments: Any) -> Any:
        from seqtool.operations.run import run

        signature.bind(sequences, **arguments)  # TypeError as from any function
        return run(operation(**arguments), sequences)

    first = inspect.Parameter("sequences", inspect.Parameter.POSITIONAL_ONLY)
    keywords = [
        inspect.Parameter(
            f.name,
            inspect.Parameter.KEYWORD_ONLY,
            default=inspect.Parameter.empty if f.default is MISSING else f.default,
            annotation=f.type,
        )
        for f in fields(operation)  # type: ignore[arg-type]
    ]
    signature = inspect.Signature([first, *keywords])
    call.__signature__ = signature  # type: ignore[attr-defined]
    call.__name__ = call.__qualname__ = operation.__name__.lower()
    call.__module__, call.__doc__ = operation.__module__, operation.__doc__
    return names_arguments(call)
