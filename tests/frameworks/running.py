"""Runs a program that uses a framework, in a process of its own: two frameworks in one get in each other's way."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

PROGRAMS = Path(__file__).parent / "programs"
_LONGEST = 600  # seconds: a program that hangs fails its test


def run_program(
    program: Path, *arguments: str | Path, folder: Path, environment: Mapping[str, str] | None = None
) -> subprocess.CompletedProcess[str]:
    """How a Python program ended that was run in this folder; frameworks may warn as they like."""
    kept = {
        name: text for name, text in os.environ.items() if name not in ("PYTHONWARNINGS", "KERAS_BACKEND")
    }
    own = {"KERAS_HOME": str(folder / "keras-home"), "TF_CPP_MIN_LOG_LEVEL": "3", **(environment or {})}
    return subprocess.run(
        [sys.executable, program, *arguments],
        cwd=folder,
        env={**kept, **own},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=_LONGEST,
        check=False,
    )


def printed(
    program: Path, *arguments: str | Path, folder: Path, environment: Mapping[str, str] | None = None
) -> str:
    """What a program wrote to standard output; if it failed, what it said fails the test."""
    done = run_program(program, *arguments, folder=folder, environment=environment)
    assert done.returncode == 0, done.stderr[-4000:]
    return done.stdout
