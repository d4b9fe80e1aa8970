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
    """A signal asks the process to end. It is not a KeyboardInterrupt, which typer would swallow."""


class _State:
    """Which signal was received; some libraries replace `Ended` by an exception of their own, so it is kept here."""

    received: int | None = None
    raised = False  # `Ended` is on its way to the handler of errors
    holders = 0  # blocks of `held` that are open, in all threads
    written: list[str] | None = (
        None  # None outside `recorded_outputs`: a program that saves for days needs no list
    )


_state = _State()
_counting = threading.Lock()  # the handler only reads the count, so it cannot wait for this lock


def install() -> None:
    """Make these signals raise `Ended` from now on, except those that are ignored, as under nohup."""
    for number in ending_signals():
        if signal.getsignal(number) is not signal.SIG_IGN:
            signal.signal(number, _end)
    sys.unraisablehook = _swallowed
    if hasattr(signal, "pthread_kill"):
        _watch()


def _watch() -> None:
    """Send a signal again until `Ended` is on its way.

    Python runs handlers in the main thread, between two bytecodes. Where the system interrupts another thread
    instead, the main thread goes on waiting in its system call; and where `Ended` is swallowed, nothing ends.
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
    """Let `Ended` be raised again after a destructor or a weak reference: Python swallows exceptions there."""
    if error.exc_type is Ended:
        _state.raised = False
    else:
        sys.__unraisablehook__(error)


def ignore() -> None:
    """Ignore these signals from now on: while Python shuts down, they would change the exit code."""
    for number in ending_signals():
        signal.signal(number, signal.SIG_IGN)


def received() -> int | None:
    """The number of the signal that was received, None without one."""
    return _state.received


@contextmanager
def recorded_outputs() -> Iterator[None]:
    """Remember the outputs that are finished in this block, for `outcome`; nested blocks share one list."""
    outer = _state.written
    if outer is None:
        _state.written = []
    try:
        yield
    finally:
        _state.written = outer


def finished(names: Sequence[str]) -> None:
    """Remember outputs that are complete, by the names that the user knows."""
    if _state.written is not None:
        _state.written += names


def outcome() -> str:
    """Which outputs an interrupted call has left behind, as part of a message.

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
    """Delay signals until the end of the block, such as between creating a file and arranging its removal.

    Blocks may be nested, and open in several threads: signals wait for the last of them. `Ended` is raised in the
    main thread alone.
    """
    with _counting:
        _state.holders += 1
    try:
        yield
    finally:
        with _counting:
            _state.holders -= 1
    if _state.received is None or _state.raised or _state.holders:
        return
    if threading.current_thread() is not threading.main_thread():
        signal.raise_signal(_state.received)
        return
    _state.raised = True
    raise Ended


def _end(number: int, _frame: FrameType | None) -> None:
    if _state.raised:
        return  # cleaning up has begun; a second signal must not stop it
    _state.received = number
    if not _state.holders:
        _state.raised = True
        raise Ended
