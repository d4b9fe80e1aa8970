"""The wheel that people install: built from these sources, put into an environment of its own, and tried there."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import zipfile
from pathlib import Path

import numpy as np
import pytest

from tests.command import SAMPLES

ROOT = Path(__file__).parent.parent
PACKAGE = ROOT / "seqtool"

pytestmark = pytest.mark.slow


def run(folder: Path, *words: str | Path) -> str:
    """What a program writes that finds no sources: the folder is another one, and nothing names them."""
    environment = {name: text for name, text in os.environ.items() if not name.startswith("PYTHON")}
    done = subprocess.run(
        words, cwd=folder, env=environment, capture_output=True, text=True, stdin=subprocess.DEVNULL
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The wheel of a copy of the sources, so that nothing is left behind in them."""
    folder = tmp_path_factory.mktemp("wheel")
    sources = folder / "sources"
    sources.mkdir()
    for name in ("pyproject.toml", "README.md", "LICENSE"):
        shutil.copy(ROOT / name, sources)
    for name in ("seqtool", "samples", "tests"):
        shutil.copytree(ROOT / name, sources / name, ignore=shutil.ignore_patterns("__pycache__"))
    run(folder, sys.executable, "-m", "pip", "wheel", "-q", "--no-deps", "-w", folder, sources)
    (found,) = folder.glob("*.whl")
    return found


@pytest.fixture(scope="module")
def installed(wheel: Path) -> Path:
    """The folder of an environment's programs, with the wheel and all that it says it needs."""
    environment = wheel.parent / "environment"
    run(wheel.parent, sys.executable, "-m", "venv", "--without-pip", environment)
    programs = environment / ("Scripts" if sys.platform == "win32" else "bin")
    pip = [
        sys.executable,
        "-m",
        "pip",
        "--python",
        programs / "python",
    ]  # a pip of its own takes seconds to install
    run(wheel.parent, *pip, "install", "-q", "--no-compile", wheel)
    return programs


def test_the_wheel_holds_every_module_and_nothing_else(wheel: Path) -> None:
    with zipfile.ZipFile(wheel) as archive:
        held = {name for name in archive.namelist() if ".dist-info/" not in name}
        (record,) = (name for name in archive.namelist() if name.endswith("/METADATA"))
        metadata = archive.read(record).decode().split("\n\n")[0]
    modules = {path.relative_to(ROOT).as_posix() for path in PACKAGE.rglob("*.py")}
    assert held == modules | {"seqtool/py.typed", "seqtool/sharding/log4j2.properties"}
    for line in ("License-Expression: MIT", "Requires-Python: >=3.11", "License-File: LICENSE"):
        assert line in metadata.splitlines()


def test_what_is_installed_runs(installed: Path, tmp_path: Path) -> None:
    command = installed / "seqtool"
    assert run(tmp_path, command, "--version").startswith("seqtool ")
    sample = SAMPLES / "japanese_vowels.csv"
    call = ["group", sample, "--key", "utterance", "--order-by", "frame", "--label", "speaker"]
    run(tmp_path, command, *call, "--drop", "split", "-o", "vowels.npz")
    with np.load(tmp_path / "vowels.npz") as file:
        assert file["x"].shape[0] == len(file["lengths"]) == len(file["y"]) > 100
    run(tmp_path, command, "check", "vowels.npz")
    for name in ("pad", "plan", "info", "check", "group"):
        assert f"Example: seqtool {name} " in run(tmp_path, command, name, "--help")


def test_every_module_of_what_is_installed_can_be_loaded(installed: Path, tmp_path: Path) -> None:
    """But those that need a framework, which is not there."""
    program = (
        "import importlib, pkgutil, sys, seqtool\n"
        f"assert not seqtool.__file__.startswith({str(ROOT)!r}), seqtool.__file__\n"
        "for found in pkgutil.walk_packages(seqtool.__path__, 'seqtool.'):\n"
        "    if found.name not in ('seqtool.torch', 'seqtool.keras', 'seqtool.tf', 'seqtool.__main__'):\n"
        "        importlib.import_module(found.name)\n"
        "assert [name for name in seqtool.__all__ if getattr(seqtool, name) is None] == []\n"
    )
    run(tmp_path, installed / "python", "-P", "-c", program)
