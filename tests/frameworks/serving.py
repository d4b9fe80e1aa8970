"""The process behind `tests.frameworks.shared`: it runs what each line of its input asks for, and says how it ended.

Called as `python -m tests.frameworks.serving`. What a call writes goes to the files that it names.
"""

from __future__ import annotations

import importlib
import json
import os
import runpy
import sys
import traceback
import warnings
from pathlib import Path
from typing import Any


def check(module: str, function: str, *arguments: str) -> None:
    """Call a function of a test module."""
    getattr(importlib.import_module(module), function)(*arguments)


def program(path: str, *arguments: str) -> None:
    """Run a program as `python PATH ARGUMENTS` does."""
    sys.argv = [path, *arguments]
    sys.path.insert(0, str(Path(path).parent))
    try:
        runpy.run_path(path, run_name="__main__")
    finally:
        del sys.path[0]


def ended(what: str, arguments: list[str]) -> int:
    """The exit code that a process of its own would have; what went wrong is told on standard error."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("default")  # so that each call warns of what an earlier one did too
            {"check": check, "program": program}[what](*arguments)
    except SystemExit as stop:
        return stop.code if isinstance(stop.code, int) else int(stop.code is not None)
    except BaseException:  # noqa: BLE001 - a failed call must not end the process
        traceback.print_exc()
        return 1
    return 0


def answer(call: dict[str, Any]) -> int:
    os.chdir(call["folder"])
    for number, name in ((1, "out"), (2, "err")):
        handle = os.open(call[name], os.O_WRONLY | os.O_CREAT)
        os.dup2(handle, number)
        os.close(handle)
    try:
        return ended(call["what"], call["arguments"])
    finally:
        sys.stdout.flush()
        sys.stderr.flush()


def hide() -> None:
    """Let what Keras and TensorFlow load where it is there be absent: it takes seconds, and no network needs it."""
    other = [] if os.environ["KERAS_BACKEND"] == "jax" else ["jax"]
    sys.modules |= dict.fromkeys(["sklearn", "matplotlib", *other])  # type: ignore[arg-type]


def main() -> None:
    hide()
    answers = os.fdopen(os.dup(1), "w")  # what frameworks write must not get in between
    for line in sys.stdin:
        print(answer(json.loads(line)), file=answers, flush=True)


if __name__ == "__main__":
    main()
