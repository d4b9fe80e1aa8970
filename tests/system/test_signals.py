"""Signals that ask to end, met where Python's own handling loses them. Each has a process of its own."""

import signal
import subprocess
import sys

import pytest

needs_threads = pytest.mark.skipif(
    not hasattr(signal, "pthread_kill"), reason="this system cannot signal a thread"
)

_DESTRUCTOR = """
import os, signal, time
from seqtool.system import signals

class Slow:
    def __del__(self):
        os.kill(os.getpid(), signal.SIGTERM)
        time.sleep(5)

signals.install()
try:
    Slow()
    time.sleep(60)
except signals.Ended:
    print("ended by", signals.received())
"""

_OTHER_THREAD = """
import os, signal, threading, time
from seqtool.system import signals

def interrupted():  # in the stead of the main thread, which goes on waiting
    time.sleep(0.1)
    signal.pthread_kill(threading.get_ident(), signal.SIGTERM)
    time.sleep(60)

signals.install()
reader, writer = os.pipe()
threading.Thread(target=interrupted, daemon=True).start()
try:
    os.read(reader, 1)
except signals.Ended:
    print("ended by", signals.received(), flush=True)
    os._exit(0)
"""


_HELD = """
import os, signal, threading, time
from seqtool.system import signals

def hold():  # leaves its block while the main thread is in one, and once more when it is not
    with signals.held():
        pass
    inside.wait()
    with signals.held():
        left.set()
        time.sleep(0.1)

signals.install()
inside, left = threading.Event(), threading.Event()
thread = threading.Thread(target=hold, daemon=True)
try:
    with signals.held():
        thread.start()
        with signals.held():
            os.kill(os.getpid(), signal.SIGTERM)
        inside.set()
        left.wait()
    time.sleep(60)
except signals.Ended:
    print("ended by", signals.received() if left.is_set() and not signals._state.holders else "too early")
"""


@needs_threads
@pytest.mark.parametrize(
    "program", [_DESTRUCTOR, _OTHER_THREAD, _HELD], ids=["destructor", "other-thread", "held"]
)
def test_a_signal_that_python_would_lose(program: str) -> None:
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, timeout=30, check=False
    )
    assert (done.stdout, done.stderr, done.returncode) == ("ended by 15\n", "", 0)


def test_other_errors_of_destructors_are_reported() -> None:
    program = """
from seqtool.system import signals

class Bad:
    def __del__(self):
        raise ValueError("no way")

signals.install()
Bad()
"""
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, timeout=30, check=True
    )
    assert "ValueError: no way" in done.stderr
