"""Processes that keep a framework loaded and run one call after another: loading it takes longer than most calls.

Two frameworks in one process get in each other's way, and some keep what they were told at first: there is a
process for each environment. What must begin anew has one of its own, see `tests.frameworks.apart.alone`.
"""

from __future__ import annotations

import atexit
import json
import os
import select
import subprocess
import sys
import tempfile
from functools import cache
from pathlib import Path

ROOT = Path(__file__).parent.parent.parent
BACKEND = {"KERAS_BACKEND": "tensorflow"}  # unless a call names another
LONGEST = 1200  # seconds: what hangs fails its test


def environment_of(**more: str) -> dict[str, str]:
    """What frameworks see: they say little, and use one thread, for networks as small as these gain by none."""
    dropped = ("PYTHONWARNINGS", "TF_USE_LEGACY_KERAS")
    kept = {name: text for name, text in os.environ.items() if name not in dropped}
    own = {**BACKEND, "OMP_NUM_THREADS": "1", "CUDA_VISIBLE_DEVICES": ""}
    quiet = {"TF_CPP_MIN_LOG_LEVEL": "3", "TF_ENABLE_ONEDNN_OPTS": "0"}
    # XLA takes longer to make a network fast than such networks take to run.
    slow = "--xla_backend_optimization_level=0 --xla_llvm_disable_expensive_passes=true"
    slow += " --xla_cpu_use_fusion_emitters=false"
    return {**kept, **own, **quiet, "XLA_FLAGS": slow, **more}


def run_shared(
    what: str, *arguments: str | Path, folder: Path, environment: dict[str, str]
) -> subprocess.CompletedProcess[str]:
    """How a `check` or a `program` ended that was run in the process of this environment, in this folder."""
    more = tuple(sorted({**BACKEND, **environment}.items()))
    done = _process(more).run(what, [*map(str, arguments)], folder)
    if done.returncode < 0:  # the process itself has gone
        _process.cache_clear()
    return done


class _Process:
    def __init__(self, environment: dict[str, str]) -> None:
        self._process = subprocess.Popen(
            [sys.executable, "-m", "tests.frameworks.serving"],
            cwd=ROOT,
            env=environment,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        atexit.register(self._process.communicate)  # it ends where its input does

    def run(self, what: str, arguments: list[str], folder: Path) -> subprocess.CompletedProcess[str]:
        assert self._process.stdin
        assert self._process.stdout
        with tempfile.TemporaryDirectory() as wrote:
            out, err = Path(wrote, "out"), Path(wrote, "err")
            call = {"what": what, "arguments": arguments, "folder": str(folder)}
            print(
                json.dumps({**call, "out": str(out), "err": str(err)}), file=self._process.stdin, flush=True
            )
            ready, _, _ = select.select([self._process.stdout], [], [], LONGEST)
            answer = self._process.stdout.readline() if ready else ""
            if not answer:
                self._process.kill()
                self._process.wait()
            code = int(answer or -1)
            return subprocess.CompletedProcess(arguments, code, _text(out), _text(err))


@cache
def _process(more: tuple[tuple[str, str], ...]) -> _Process:
    return _Process(environment_of(**dict(more)))


def _text(path: Path) -> str:
    return path.read_text(encoding="utf-8", errors="replace") if path.exists() else ""
