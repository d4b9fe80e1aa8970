"""Runs the command within the process of the tests, which saves the start of another one: most of what it takes."""

from __future__ import annotations

import contextlib
import io
import os
import signal
import subprocess
import sys
import tempfile
import traceback
import warnings
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path
from types import FrameType
from typing import NoReturn
from unittest.mock import patch

import pytest

from seqtool.cli import run


def call(
    arguments: Sequence[str],
    *,
    folder: Path,
    environment: Mapping[str, str],
    stdin: bytes | Path | int,
    stdout: int = subprocess.PIPE,
    stderr: int = subprocess.PIPE,
    longest: int,
) -> tuple[int, bytes, bytes]:
    """The exit code of a call, what it wrote to standard output, and what to standard error.

    It sees the folder, the environment, the arguments and the three streams that a process of its own would, as
    descriptors and as Python's objects; all are put back. A stream may be a descriptor; what was written there
    is not returned. What the call does not handle fails the test, as does one that takes more than `longest` seconds.
    """
    with ThreadPoolExecutor(3) as pool:
        with (
            _fed(stdin, pool) as source,
            _read(stdout, pool) as (out, wrote),
            _read(stderr, pool) as (err, text),
            _in_place_of(0, source),
            _in_place_of(1, out),
            _in_place_of(2, err),
            _streams(),
            contextlib.chdir(folder),
            _environment(environment),
            patch.object(sys, "argv", ["seqtool", *arguments]),
            patch.object(tempfile, "tempdir", None),  # found anew from the environment
            warnings.catch_warnings(),
            _ending_after(longest),
        ):
            warnings.simplefilter("error")
            code = _exit_code(arguments)
        return code, wrote.result(), text.result()


@contextlib.contextmanager
def standard_input(data: bytes) -> Iterator[None]:
    """Standard input is a pipe that these bytes come through."""
    with ThreadPoolExecutor(1) as pool, _fed(data, pool) as source, _in_place_of(0, source), _streams():
        yield


def _exit_code(arguments: Sequence[str]) -> int:
    """What Python makes of the end of the call."""
    try:
        return run([*arguments])
    except SystemExit as stop:
        return stop.code if isinstance(stop.code, int) else int(stop.code is not None)
    except Exception:
        if "--traceback" not in arguments:
            raise
        traceback.print_exc()
        return 1


@contextlib.contextmanager
def _fed(data: bytes | Path | int, pool: ThreadPoolExecutor) -> Iterator[int]:
    """A file, or a pipe that these bytes come through."""
    if isinstance(data, int):
        yield data
        return
    if isinstance(data, Path):
        with data.open("rb") as file:
            yield file.fileno()
        return
    reading, writing = os.pipe()
    pool.submit(_write, writing, data)
    try:
        yield reading
    finally:
        os.close(reading)  # which ends the writing, should nobody have read


def _write(handle: int, data: bytes) -> None:
    with contextlib.suppress(BrokenPipeError), os.fdopen(handle, "wb") as file:
        file.write(data)


@contextlib.contextmanager
def _read(asked: int, pool: ThreadPoolExecutor) -> Iterator[tuple[int, Future[bytes]]]:
    """The end of a pipe to write to, and what will have come through it; nothing through another descriptor."""
    if asked != subprocess.PIPE:
        nothing: Future[bytes] = Future()
        nothing.set_result(b"")
        yield asked, nothing
        return
    reading, writing = os.pipe()
    with os.fdopen(reading, "rb") as file:
        result = pool.submit(file.read)
        try:
            yield writing, result
        finally:
            os.close(writing)
            result.result()


@contextlib.contextmanager
def _in_place_of(number: int, handle: int) -> Iterator[None]:
    """Let the descriptor of this number be another."""
    kept = os.dup(number)
    os.dup2(handle, number)
    try:
        yield
    finally:
        os.dup2(kept, number)
        os.close(kept)


@contextlib.contextmanager
def _environment(variables: Mapping[str, str]) -> Iterator[None]:
    """Let these be the variables of the environment."""
    before = dict(os.environ)
    _set_environment(before, variables)
    try:
        yield
    finally:
        _set_environment(dict(os.environ), before)


def _set_environment(present: Mapping[str, str], wanted: Mapping[str, str]) -> None:
    """Change what differs: to set all of them anew, or to look each up, takes as long as all else that a call needs."""
    for name in present.keys() - wanted.keys():
        del os.environ[name]
    for name, text in wanted.items():
        if present.get(name) != text:
            os.environ[name] = text


@contextlib.contextmanager
def _streams() -> Iterator[None]:
    """Python's own objects for the three descriptors, as it makes them when it starts."""
    source = io.TextIOWrapper(io.BufferedReader(io.FileIO(0, closefd=False)), "utf-8")
    out, err = (
        io.TextIOWrapper(
            io.BufferedWriter(io.FileIO(handle, "w", closefd=False)),
            "utf-8",
            "backslashreplace",
            line_buffering=by_line,
        )
        for handle, by_line in ((1, False), (2, True))
    )
    with (
        patch.object(sys, "stdin", source),
        patch.object(sys, "stdout", out),
        patch.object(sys, "stderr", err),
    ):
        try:
            yield
        finally:
            _drain(out, 1)
            _drain(err, 2)


def _drain(stream: io.TextIOWrapper, number: int) -> None:
    """Write what a stream still holds; where that fails, nowhere, or it would come to whatever has this number next."""
    try:
        stream.flush()
    except OSError:
        with Path(os.devnull).open("wb") as null:
            os.dup2(null.fileno(), number)
        stream.flush()


@contextlib.contextmanager
def _ending_after(seconds: int) -> Iterator[None]:
    """Fail a test whose call hangs."""

    def end(_number: int, _frame: FrameType | None) -> NoReturn:
        pytest.fail(f"the call took more than {seconds} seconds")

    before = signal.signal(signal.SIGALRM, end)
    signal.alarm(seconds)
    try:
        yield
    finally:
        signal.alarm(0)
        signal.signal(signal.SIGALRM, before)
