"""The signals that ask us to end: turned into an exception, so that everything is cleaned up on the way out."""

from __future__ import annotations

import os
import signal
import sys
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from types import FrameType

from seqtool.system.platform import ending_signals

_PATIENCE = 0.2  # seconds until a signal that has ended nothing is sent again


class Ended(BaseException):
    """A signal asks us to end. No KeyboardInterrupt, which typer would swallow."""


class _State:
    """Which signal came, remembered because some libraries answer an exception with one of their own."""

    received: int | None = None
    raised = False  # `Ended` is on its way to the handler of errors
    held = False
    written: list[str] | None = None  # None: nobody asked, and a program that saves for days needs no list


_state = _State()


def install() -> None:
    """From now on these signals raise `Ended`, except those that are ignored, as under nohup."""
    for number in ending_signals():
        if signal.getsignal(number) is not signal.SIG_IGN:
            signal.signal(number, _end)
    sys.unraisablehook = _swallowed
    if hasattr(signal, "pthread_kill"):
        _watch()


def _watch() -> None:
    """Send a signal again for as long as `Ended` is not on its way.

    Python runs a handler between two steps of the main thread: not while that waits in a call of the system which
    another thread has been interrupted in its stead, and in vain where the exception is swallowed.
    """
    reader, writer = os.pipe()
    os.set_blocking(writer, False)
    signal.set_wakeup_fd(writer, warn_on_full_buffer=False)
    main = threading.main_thread().ident
    assert main is not None
    ending = ending_signals()

    def watch() -> None:
        while number := os.read(reader, 1):
            if number[0] in ending:
                time.sleep(_PATIENCE)
                if not _state.raised:
                    signal.pthread_kill(main, number[0])

    threading.Thread(target=watch, name="signals", daemon=True).start()


def _swallowed(error: sys.UnraisableHookArgs) -> None:
    """Python swallows the exceptions of destructors and weak references: `Ended` has to be raised once more."""
    if error.exc_type is Ended:
        _state.raised = False
    else:
        sys.__unraisablehook__(error)


def ignore() -> None:
    """From now on these signals do nothing: while Python shuts down, they would end it with another exit code."""
    for number in ending_signals():
        signal.signal(number, signal.SIG_IGN)


def received() -> int | None:
    """The number of the signal that came, if any did."""
    return _state.received


@contextmanager
def recorded_outputs() -> Iterator[None]:
    """Remember the outputs that are finished in this block, for `outcome`; a block within another adds to its own."""
    outer = _state.written
    if outer is None:
        _state.written = []
    try:
        yield
    finally:
        _state.written = outer


def finished(names: Sequence[str]) -> None:
    """Remember outputs that stand as a whole, by the names that people know."""
    if _state.written is not None:
        _state.written += names


def outcome() -> str:
    """What a call that did not come to its end has left behind, in words.

    >>> outcome()
    'nothing was written'
    """
    from seqtool.words import listed, printable

    written = _state.written or []
    if not written:
        return "nothing was written"
    return f"{printable(listed(written, paths=True))} {'was' if len(written) == 1 else 'were'} written"


@contextmanager
def held() -> Iterator[None]:
    """Let signals wait until the end of the block: for making a file together with the promise to remove it."""
    _state.held = True
    try:
        yield
    finally:
        _state.held = False
    if _state.received is not None and not _state.raised:
        _state.raised = True
        raise Ended


def _end(number: int, _frame: FrameType | None) -> None:
    if _state.raised:
        return  # cleaning up has begun; a second signal must not stop it
    _state.received = number
    if not _state.held:
        _state.raised = True
        raise Ended
