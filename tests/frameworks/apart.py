"""Runs a check of a framework outside the process of the tests."""

import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.frameworks.files import write_large
from tests.frameworks.shared import LONGEST, ROOT, environment_of, run_shared


def apart(check: Callable[..., Any], *arguments: str | Path, **environment: str) -> str:
    """What a function of a test module prints, called with these texts where that framework is already loaded.

    Fails with what it told on standard error unless it ends well.
    """
    names = (check.__module__, check.__name__)
    done = run_shared("check", *names, *arguments, folder=ROOT, environment=environment)
    assert done.returncode == 0, done.stderr
    return done.stdout


def alone(check: Callable[..., Any], *arguments: str | Path, **environment: str) -> str:
    """The same in a process of its own: for what forks, meets others, or measures memory."""
    call = "import sys; from tests.frameworks.serving import check, hide; hide(); check(*sys.argv[1:])"
    done = subprocess.run(
        [sys.executable, "-c", call, check.__module__, check.__name__, *map(str, arguments)],
        cwd=ROOT,
        env=environment_of(**environment),
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=LONGEST,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def growth(check: Callable[..., Any], folder: Path, **environment: str) -> int:
    """The bytes by which memory grows when `check` goes on from a file to one ten times as large: see `grown`."""
    write_large(folder)
    text = alone(check, folder, **environment).split()[-1]
    if text == "unknown":
        pytest.skip("the system does not tell the memory of a process")
    return int(text)
