"""The errors that seqtool raises on purpose. Each is one sentence that a person can act on."""

import errno
import functools
import inspect
import operator
import os
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any, NoReturn, ParamSpec, TypeVar

from seqtool.advice import Advice, advice_in
from seqtool.words import in_short

P = ParamSpec("P")
R = TypeVar("R")


class SeqtoolError(Exception):
    """Anything that seqtool refuses: one sentence, of parts as `seqtool.advice.Message` takes them.

    `advice` holds what the sentence proposes; `exit_code` is what the command line ends with.
    """

    exit_code = 1
    advice: tuple[Advice, ...] = ()

    def __init__(self, *parts: object) -> None:
        super().__init__("".join(map(str, parts)))
        self.advice = advice_in(*parts)


class DataError(SeqtoolError, ValueError):
    """What only the data or the disk can show: a bad cell, a damaged file, a cast that would lose something."""


class NotNumbersError(DataError):
    """Columns that cannot be features because they hold text, dates or lists; `columns` are their names."""

    def __init__(self, *parts: object, columns: Sequence[str] = ()) -> None:
        super().__init__(*parts)
        self.columns = columns


class NotSequencesError(DataError):
    """A file in which no sequences stand, one a line or one a cell: it may be a table, whose rows are to be grouped."""


class UsageError(SeqtoolError, ValueError):
    """What the call alone shows: an option out of range, or two that contradict each other."""

    exit_code = 2


class NoInputError(UsageError):
    """No source was named, and nothing comes in on standard input."""


def check_choice(option: str, value: str | None, choices: tuple[str, ...]) -> Any:
    """Return `value`; raise UsageError unless it is None or one of the choices."""
    if value is not None and value not in choices:
        raise UsageError(
            f"{option} is {in_short(value)}; {', '.join(choices[:-1])} or {choices[-1]} was expected"
        )
    return value


def refuse_without_subject(option: str, subject: str, *ways: Advice) -> NoReturn:
    """Raise UsageError for an option that changes nothing, as the call names no subject of it; `ways` name one.

    >>> refuse_without_subject("--gap", "times")
    Traceback (most recent call last):
    seqtool.errors.UsageError: --gap is for times, which this call does not name: leave --gap out
    """
    named = [part for way in ways for part in (way, ", or ")]
    raise UsageError(
        f"{option} is for {subject}, which this call does not name: ", *named, Advice(without=[option])
    )


def check_whole(argument: str, value: Any) -> Any:
    """Return `value` as a Python integer, or None for None; raise UsageError for anything but a whole number.

    >>> check_whole("maxlen", 3.0)
    Traceback (most recent call last):
    seqtool.errors.UsageError: maxlen is 3.0; a whole number was expected, such as 3
    """
    if value is None:
        return None
    try:
        if isinstance(value, bool):
            raise TypeError
        return operator.index(value)
    except TypeError:
        whole = isinstance(value, float) and value.is_integer()
        such = f", such as {int(value)}" if whole else ""
        raise UsageError(f"{argument} is {in_short(value)}; a whole number was expected{such}") from None


def names_arguments(function: Callable[P, R]) -> Callable[P, R]:
    """Decorate a public function so that its errors name its arguments instead of options of the command line."""
    parameters = inspect.signature(function).parameters
    takes_any = any(one.kind is one.VAR_KEYWORD for one in parameters.values())
    return _reworded(function, None if takes_any else frozenset(parameters))


def names_fields(method: Callable[P, R]) -> Callable[P, R]:
    """The same for the `__post_init__` of a public dataclass, whose fields are the arguments of its caller."""
    return _reworded(method, None)


def _reworded(function: Callable[P, R], known: frozenset[str] | None) -> Callable[P, R]:
    """A function whose errors are worded as by `as_arguments`; `known` are the arguments, None for any."""

    @functools.wraps(function)
    def call(*args: P.args, **kwargs: P.kwargs) -> R:
        _check_digits(kwargs)
        try:
            return function(*args, **kwargs)
        except SeqtoolError as error:
            from seqtool.option_names import as_arguments

            error.args = (as_arguments(str(error), known),)
            raise

    return call


def _check_digits(arguments: Mapping[str, object]) -> None:
    """Raise UsageError for a whole number of thousands of digits: Python refuses to write it out in a message."""
    for name, value in arguments.items():
        for number in value if isinstance(value, (list, tuple)) else [value]:
            if isinstance(number, int) and number.bit_length() > MOST_BITS:
                raise UsageError(
                    f"{name} is a whole number of thousands of digits; one that int64 holds was expected"
                )


MOST_BITS = 14_000  # about 4,200 digits, more of which Python refuses to write out


def why(error: OSError) -> str:
    """The reason that the system gives for a file that cannot be read or written."""
    if error.errno == errno.ENOSPC:
        return "no space is left on the disk"
    if error.errno == errno.ENOENT:
        return "no such file"
    return os.strerror(error.errno) if error.errno else " ".join(str(error).split())


@contextmanager
def at(place: str) -> Iterator[None]:
    """Begin each DataError of the block with the name of the file, unless it begins with it already.

    >>> with at("in.npy"):
    ...     raise DataError("cut short")
    Traceback (most recent call last):
    seqtool.errors.DataError: in.npy: cut short
    """
    try:
        yield
    except DataError as error:
        if not str(error).startswith(place):
            error.args = (f"{place}: {error}",)
        raise


@contextmanager
def damaged(what: str) -> Iterator[None]:
    """Turn whatever error a decoder raises for damaged bytes into a DataError; `what` is how it begins."""
    try:
        yield
    except (DataError, MemoryError):
        raise
    except Exception as error:  # noqa: BLE001 - zipfile, numpy and four decoders raise fifteen kinds
        raise DataError(f"{what} ({' '.join(str(error).split())[:200]})") from None
