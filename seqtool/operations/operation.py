"""The base of all operations: their arguments, which are checked when one is made, and their outcome.

This module does not import NumPy, so that `seqtool --help` can list every operation quickly; an operation that is a
subcommand imports what it needs inside its methods.
"""

from __future__ import annotations

import inspect
import types
import typing
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import MISSING, field, fields
from datetime import date, timedelta
from functools import cache
from numbers import Real
from typing import TYPE_CHECKING, Annotated, Any, ClassVar, Literal, Protocol, Self

from seqtool.dataclass import dataclass
from seqtool.errors import UsageError, check_choice, check_whole, names_arguments
from seqtool.words import in_short

if TYPE_CHECKING:
    from seqtool.arrays.spool import Spool
    from seqtool.sequences.ragged import Ragged


@dataclass(frozen=True)
class Argument:
    """The help text of an argument, and the least number that it may be, in the annotation of its field.

    A field is a whole number, a number, text, a flag or one of a few words (`Literal`), any of them perhaps None, or
    names: `tuple[str, ...]`. `option` is that of the command line, where it is not called as the field is.
    """

    help: str
    metavar: str | None = None
    least: int | None = None
    option: str | None = None


class State(Protocol):
    """What an operation learned from sequences by `fit`: numbers and small arrays, never a pickle."""

    def facts(self) -> dict[str, Any] | None:
        """The state as exact JSON data, for the receipt; None where there was no number to learn from."""

    def ordered_for(self, ragged: Ragged) -> Self:
        """The same for sequences that may have its features or categories in another order."""


@dataclass(frozen=True)
class Outcome:
    """The sequences that an operation gives, and what became of the steps.

    `cut` counts steps that were cut, `dropped` and `added` count steps by reason: steps in + added = steps kept + cut
    + dropped. A padded block gets `slots` slots if they are not None; else it becomes as short as `maxlen`, if it is
    longer. `lines` are those of the summary, each a word and a text; `facts` are the same as JSON data.
    """

    ragged: Ragged
    cut: int = 0
    dropped: Mapping[str, int] = field(default_factory=dict)
    added: Mapping[str, int] = field(default_factory=dict)
    maxlen: int | None = None
    slots: int | None = None
    lines: Sequence[tuple[str, str]] = ()
    warnings: Sequence[str] = ()
    facts: Mapping[str, Any] = field(default_factory=dict)


class Operation:
    """Base of the operations, frozen dataclasses whose fields are annotated with an `Argument` each.

    The options of the subcommand, the arguments of the Python function and the receipt follow from the fields;
    the docstring of the class is the help. Making one raises UsageError for arguments that are not allowed.

    `undoes` names the field, a flag, with which it takes back what the receipt of sequences says that it did to them.
    """

    undoes: ClassVar[str | None] = None

    def __post_init__(self) -> None:
        for name, annotation in annotated_fields(type(self)).items():
            object.__setattr__(self, name, checked_argument(name, getattr(self, name), annotation))

    @property
    def shares_steps(self) -> bool:
        """Whether sequences that it makes share steps, of which a file is to hold each once."""
        return False

    def fits(self) -> bool:
        """Whether it learns something from sequences, with the arguments that it has."""
        return learns(type(self))

    def fit(self, ragged: Ragged, *, spool: Spool) -> State | None:
        """Learn the state that `apply` needs from sequences; None for the operations that need none.

        The sequences are those of the training split alone, where they are split.
        """
        return None

    def state_from(self, facts: Mapping[str, Any], ragged: Ragged) -> State:
        """The state of `State.facts`, read from the receipt of other sequences, which hold its larger tables."""
        raise NotImplementedError

    def apply(self, ragged: Ragged, state: Any, *, spool: Spool) -> Outcome:
        """Apply it to sequences, lazily; what does not fit into memory goes to `spool`."""
        raise NotImplementedError

    def of_folds(self) -> Sequence[Operation]:
        """The operations that it stands for, one for each fold, which goes to a file of its own; by default none."""
        return ()

    def arguments(self) -> dict[str, Any]:
        """Its arguments by name, for the receipt."""
        return {f.name: getattr(self, f.name) for f in fields(self)}  # type: ignore[arg-type]


def annotated_fields(operation: type[Operation]) -> Mapping[str, Any]:
    """The annotation of each field by its name, with its `Argument`."""
    kind: Any = operation
    return _annotated(kind)


@cache
def _annotated(operation: Any) -> dict[str, Any]:
    hints = typing.get_type_hints(operation, include_extras=True)
    return {f.name: hints[f.name] for f in fields(operation)}


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


def without_none(kind: Any) -> tuple[Any, bool]:
    """A type without None, and whether it had it.

    >>> without_none(int | None)
    (<class 'int'>, True)
    """
    if typing.get_origin(kind) not in (types.UnionType, typing.Union):
        return kind, False
    (rest,) = (part for part in typing.get_args(kind) if part is not type(None))
    return rest, True


def holds_names(kind: Any) -> bool:
    """Whether a type is that of names, `tuple[str, ...]`."""
    return typing.get_origin(kind) is tuple


def learns(operation: type[Operation]) -> bool:
    """Whether an operation learns something from sequences before it is applied."""
    return operation.fit is not Operation.fit


def checked_argument(name: str, value: Any, annotation: Any) -> Any:
    """The value of a field as its annotation has it; raises UsageError for one that it does not allow."""
    kind, argument = argument_of(annotation)
    kind, optional = without_none(kind)
    words = choices(kind)
    if value is None and optional:
        return None
    if value is None:
        raise UsageError(f"{name} is None; {' or '.join(words) or _EXPECTED.get(kind, 'names')} was expected")
    if words:
        return check_choice(name, value, words)
    if holds_names(kind):
        return _names(value)
    if kind is int:
        value = check_whole(name, value)
    elif kind is str:
        value = written(value)
    if kind is not int and not isinstance(value, _ACCEPTED[kind]):
        raise UsageError(f"{name} is {in_short(value)}; {_EXPECTED[kind]} was expected")
    if argument.least is not None and value < argument.least:
        raise UsageError(f"{name} is {value}; it must be at least {argument.least}")
    return kind(value)


def _names(value: Any) -> tuple[str, ...]:
    """Names as an argument has them: one of them, a name or a position, or several."""
    held = value.tolist() if hasattr(value, "tolist") else value
    return tuple(map(str, [held] if isinstance(held, str) or not isinstance(held, Iterable) else held))


def written(value: Any) -> Any:
    """A number, a moment or a duration as the command line writes it; anything else as it is.

    >>> written(2), written(date(2026, 1, 31)), written(timedelta(seconds=2)), written([2])
    ('2', '2026-01-31', '2000000000ns', [2])
    """
    if isinstance(value, str):
        return value
    import numpy as np

    from seqtool.sequences.orders import size_text

    is_written = isinstance(value, (Real, date, timedelta, np.datetime64)) and not isinstance(value, bool)
    return size_text(value) if is_written else value


_EXPECTED = {int: "a whole number", float: "a number", str: "text", bool: "True or False"}
_ACCEPTED: dict[Any, Any] = {float: Real, str: str, bool: bool}


def as_function(operation: type[Operation]) -> Callable[..., Any]:
    """The Python function of an operation: sequences in any form, then its arguments by name.

    A Padded comes out padded as it was, everything else as a Ragged. One that learns takes `using`: sequences that it
    was applied to, whose receipt says what it learned from them, and by which arguments.
    """

    def call(sequences: Any, **arguments: Any) -> Any:
        from seqtool.operations.run import run

        using = arguments.get("using")
        # TypeError as from any function; what is not given may be taken from `using`
        (signature.bind if using is None else signature.bind_partial)(sequences, **arguments)
        arguments.pop("using", None)
        if using is None:
            return run(operation(**arguments), sequences)
        from seqtool.operations.using import as_fitted

        return run(as_fitted(operation, arguments, using), sequences, using=using)

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
    if learns(operation):
        keywords.append(inspect.Parameter("using", inspect.Parameter.KEYWORD_ONLY, default=None))
    signature = inspect.Signature([first, *keywords])
    call.__signature__ = signature  # type: ignore[attr-defined]
    call.__name__ = call.__qualname__ = operation.__name__.lower()
    call.__module__, call.__doc__ = operation.__module__, operation.__doc__
    return names_arguments(call)
