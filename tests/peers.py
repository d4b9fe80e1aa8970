"""Other libraries that read what seqtool writes, or do what it does: tests marked `peers` compare with them."""

from __future__ import annotations

import importlib
import os
from importlib.util import find_spec
from typing import Any

import pytest


def peer(name: str) -> Any:
    """The module of this name; where it is absent the test is skipped, or fails if SEQTOOL_NEED_EVERYTHING is set."""
    if find_spec(name.partition(".")[0]) is None:
        (pytest.fail if "SEQTOOL_NEED_EVERYTHING" in os.environ else pytest.skip)(f"needs {name}")
    return importlib.import_module(name)
