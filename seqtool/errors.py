"""The errors that seqtool raises on purpose. Each is one sentence that a person can act on."""

from collections.abc import Sequence


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
