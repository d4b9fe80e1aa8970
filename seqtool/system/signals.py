"""The signals that ask us to end: turned into an exception, so that everything is cleaned up on the way out."""

from __future__ import annotations

import signal
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType

from seqtool.system.platform import ending_signals


class Ended(BaseException):
    """A signal asks us to end. No KeyboardInterrupt, which typer would swallow."""


class _State:
    """Which signal came, remembered because some libraries answer an exception with one of their own."""

    received: int | None = None
    held = False


_state = _State()


def install() -> None:
    """From now on these signals raise `Ended`, except those that are ignored, as under nohup."""
    for number in ending_signals():
        if signal.getsignal(number) is not signal.SIG_IGN:
            signal.signal(number, _end)


def ignore() -> None:
    """From now on these signals do nothing: while Python shuts down, they would end it with another exit code."""
    for number in ending_signals():
        signal.signal(number, signal.SIG_IGN)


def received() -> int | None:
    """The number of the signal that came, if any did."""
    return _state.received


@contextmanager
def held() -> Iterator[None]:
    """Let signals wait until the end of the block: for making a file together with the promise to remove it."""
    _state.held = True
    try:
        yield
    finally:
        _state.held = False
    if _state.received is not None:
        raise Ended


def _end(number: int, _frame: FrameType | None) -> None:
    if _state.received is not None:
        return  # cleaning up has begun; a second signal must not stop it
    _state.received = number
    if not _state.held:
        raise Ended
