"""Runs a program that uses a framework, outside the process of the tests."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

from tests.frameworks.shared import LONGEST, environment_of, run_shared

PROGRAMS = Path(__file__).parent / "programs"


def run_program(
    program: Path, *arguments: str | Path, folder: Path, environment: Mapping[str, str] | None = None
) -> subprocess.CompletedProcess[str]:
    """How a Python program ended that was run in this folder, where its framework is already loaded."""
    return run_shared("program", program, *arguments, folder=folder, environment={**(environment or {})})


def run_alone(program: Path, *arguments: str | Path, folder: Path) -> str:
    """What a program wrote to standard output that was run in a process of its own, as a person runs it."""
    return _output(
        subprocess.run(
            [sys.executable, program, *arguments],
            cwd=folder,
            env=environment_of(),
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=LONGEST,
            check=False,
        )
    )


def printed(
    program: Path, *arguments: str | Path, folder: Path, environment: Mapping[str, str] | None = None
) -> str:
    """What a program wrote to standard output; if it failed, what it said fails the test."""
    return _output(run_program(program, *arguments, folder=folder, environment=environment))


def _output(done: subprocess.CompletedProcess[str]) -> str:
    assert done.returncode == 0, done.stderr[-4000:]
    return done.stdout
