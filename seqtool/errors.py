"""The errors that seqtool raises on purpose. Each is one sentence that a person can act on."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager


class SeqtoolError(Exception):
    """Anything that seqtool refuses; `exit_code` is what the command line ends with."""

    exit_code = 1


class DataError(SeqtoolError, ValueError):
    """What only the data or the disk can show: a bad cell, a damaged file, a cast that would lose something."""


class NotNumbersError(DataError):
    """Columns that cannot be features because they hold text, dates or lists; `columns` are their names."""

    def __init__(self, message: str, columns: Sequence[str]) -> None:
        super().__init__(message)
        self.columns = columns


class UsageError(SeqtoolError, ValueError):
    """What the call alone shows: an option out of range, or two that contradict each other."""

    exit_code = 2


class NoInputError(UsageError):
    """No source was named, and nothing comes in on standard input."""


@contextmanager
def at(place: str) -> Iterator[None]:
    """Put the name of a file in front of every DataError of the block that does not begin with it.

    >>> with at("in.npy"):
    ...     raise DataError("cut short")
    Traceback (most recent call last):
    seqtool.errors.DataError: in.npy: cut short
    """
    try:
        yield
    except DataError as error:
        if str(error).startswith(place):
            raise
        raise DataError(f"{place}: {error}") from None
