"""One case of the fuzzer: what decides it, what it may do, and how it fails."""

from __future__ import annotations

import os
import random
import shlex
import shutil
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from tests import within
from tests.command import Done, Place

_LONGEST = 30  # seconds: a call that hangs fails its case


class Failure(Exception):  # noqa: N818 - it is what the fuzzer looks for
    """What a case has found."""


@dataclass(frozen=True)
class Case:
    """A case, which its mode, the seed and its number decide, whatever else runs."""

    mode: str
    seed: int
    number: int

    def __str__(self) -> str:
        return f"python -m tests.fuzzing --mode {self.mode} --seed {self.seed} --case {self.number}"

    def rng(self) -> random.Random:
        """Random numbers of its own."""
        return random.Random(f"{self.mode} {self.seed} {self.number}")


class Scratch:
    """A folder for one case, and the calls that it makes there, as they can be repeated."""

    def __init__(self, place: Place) -> None:
        self.place = place
        self.calls: list[str] = []

    def run(self, *arguments: str, stdin: bytes = b"") -> Done:
        """`seqtool` with these arguments, and `stdin` in a pipe; raises Failure for an end that nothing may lead to."""
        self.calls.append(shlex.join(["seqtool", *arguments]))
        code, out, err = within.call(
            arguments,
            folder=self.place.folder,
            environment=self.place.environment(),
            stdin=stdin or Path(os.devnull),
            longest=_LONGEST,
        )
        done = Done(code, out, err.decode())
        if done.code not in (0, 1, 2) or "bug in seqtool" in done.err or "Traceback" in done.err:
            raise Failure(f"exit {done.code}: {done.err[-2000:]}")
        # What `check` finds is its data, and ends it with 1.
        if done.code and not done.out and len(done.err.splitlines()) != 1:
            raise Failure(f"an error of several lines: {done.err[-2000:]}")
        if self.place.left_behind():
            raise Failure(f"left behind: {self.place.left_behind()}")
        return done

    def succeed(self, *arguments: str) -> Done:
        """The same, which must end well."""
        done = self.run(*arguments)
        if done.code:
            raise Failure(f"exit {done.code}: {done.err}")
        return done


def equal(name: str, got: Any, expected: Any) -> None:
    """Raise Failure unless two nested lists, or arrays, hold the same; NaN equals NaN, 1 equals 1.0."""
    found = [repr(_plain(held)) for held in (got, expected)]
    if found[0] != found[1]:
        raise Failure(f"{name} is {found[0][:600]}, but {found[1][:600]} was expected")


def _plain(held: Any) -> Any:
    held = held.tolist() if isinstance(held, np.ndarray) else held
    if isinstance(held, (list, tuple)):
        return [_plain(part) for part in held]
    return float(held) if isinstance(held, (bool, int)) and abs(held) < 2**53 else held


@contextmanager
def scratch(case: Case, *, keep: bool = False) -> Iterator[Scratch]:
    """A folder for one case, which goes with it unless it is to be kept; failures name the case."""
    folder = Path(tempfile.mkdtemp(prefix="fuzzing-"))
    done = Scratch(Place(folder))
    try:
        yield done
    except (KeyboardInterrupt, SystemExit):
        raise
    except BaseException as error:  # noqa: BLE001 - pytest's own failures, of calls that hang, are no Exception
        what = str(error) if isinstance(error, Failure) else f"{type(error).__name__}: {error}"
        kept = f"\n  files: {folder}" if keep else ""
        calls = [call if len(call) < 400 else f"{call[:300]} ... {call[-80:]}" for call in done.calls]
        raise Failure("\n  ".join([f"{case}{kept}", *calls, what])) from (
            None if isinstance(error, Failure) else error
        )
    finally:
        if not keep:
            shutil.rmtree(folder)


Mode = Callable[[random.Random, Scratch], None]
