"""Runs a check in a process of its own: for frameworks that clash, fork, or keep what they were told at first."""

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.frameworks.files import write_large

ROOT = Path(__file__).parent.parent.parent
_LONGEST = 300  # seconds


def apart(check: Callable[..., Any], *arguments: str | Path, **environment: str) -> str:
    """What a function of a test module prints when it is called with these texts in a new process.

    Fails with what the process told on standard error unless it ends well.
    """
    call = "import importlib, sys; getattr(importlib.import_module(sys.argv[1]), sys.argv[2])(*sys.argv[3:])"
    quiet = {"TF_CPP_MIN_LOG_LEVEL": "3", "TF_ENABLE_ONEDNN_OPTS": "0", "CUDA_VISIBLE_DEVICES": ""}
    quiet["OMP_NUM_THREADS"] = "1"  # more of them get in each other's way on networks as small as these
    done = subprocess.run(
        [sys.executable, "-c", call, check.__module__, check.__name__, *map(str, arguments)],
        cwd=ROOT,
        env={**os.environ, **quiet, **environment},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=_LONGEST,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def growth(check: Callable[..., Any], folder: Path, **environment: str) -> int:
    """The bytes by which memory grows when `check` goes on from a file to one ten times as large: see `grown`."""
    write_large(folder)
    told = apart(check, folder, **environment).split()[-1]
    if told == "unknown":
        pytest.skip("the system does not tell the memory of a process")
    return int(told)
