"""Runs the real command in a scratch folder, and looks at what it leaves behind.

Most calls run within the process of the tests, see `tests.within`: starting one of its own takes ten times as long
as the work. What only a process can show has one.
"""

from __future__ import annotations

import os
import shlex
import shutil
import subprocess
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from tests import within
from tests.shell import Pipeline, pipelines

SEQTOOL = Path(sys.executable).with_name("seqtool")
SAMPLES = Path(__file__).parent.parent / "samples"
LONGEST = 120  # seconds: a call that hangs fails its test
# Starts a program and writes down its peak memory. What a process held before it became that program counts
# too, so it is started by one that is smaller than anything that is measured.
_LAUNCHER = """
import os, sys
process = os.posix_spawnp(sys.argv[2], sys.argv[2:], os.environ)
_, status, used = os.wait4(process, 0)
with open(sys.argv[1], "w") as file:
    file.write(str(used.ru_maxrss * (1 if sys.platform == "darwin" else 1024)))
sys.exit(os.waitstatus_to_exitcode(status) % 256)
"""


@dataclass(frozen=True)
class Done:
    """How a call ended: exit code, what it wrote to standard output, what it told on standard error."""

    code: int
    out: bytes
    err: str


class Place:
    """A folder to run commands in, and an empty folder for their temporary files."""

    def __init__(self, root: Path) -> None:
        self.folder = root / "work"
        self.temporary = root / "temporary"
        self.folder.mkdir()
        self.temporary.mkdir()

    def copied(self, root: Path) -> Place:
        """Another one that holds the same files: for tests that begin with what the same calls have made."""
        place = Place(root)
        shutil.copytree(self.folder, place.folder, symlinks=True, dirs_exist_ok=True)
        return place

    def write(self, name: str, content: str | bytes | np.ndarray) -> Path:
        """A file of this content; an array becomes an .npy."""
        path = self.folder / name
        if isinstance(content, np.ndarray):
            np.save(path, content)
        else:
            path.write_bytes(content.encode() if isinstance(content, str) else content)
        return path

    def environment(self, more: Mapping[str, str] | None = None) -> dict[str, str]:
        """What commands see: warnings are errors, and temporary files go where they can be counted."""
        kept = {name: text for name, text in os.environ.items() if not name.startswith(("_SEQTOOL", "LC_"))}
        path = f"{SEQTOOL.parent}{os.pathsep}{kept.get('PATH', '')}"
        own = {"PATH": path, "TMPDIR": str(self.temporary), "PYTHONWARNINGS": "error", "LANG": "C.UTF-8"}
        return {**kept, **own, **(more or {})}

    def run(
        self,
        *arguments: str | Path,
        stdin: bytes | Path | int | None = None,
        stdout: int = subprocess.PIPE,
        stderr: int = subprocess.PIPE,
        environment: Mapping[str, str] | None = None,
    ) -> Done:
        """`seqtool` with these arguments; without `stdin` its standard input is /dev/null.

        A path as `stdin` is what `< path` gives; bytes come through a pipe. Each stream may be a descriptor too.
        """
        code, out, err = within.call(
            [*map(str, arguments)],
            folder=self.folder,
            environment=self.environment(environment),
            stdin=Path(os.devnull) if stdin is None else stdin,
            stdout=stdout,
            stderr=stderr,
            longest=LONGEST,
        )
        return Done(code, out, err.decode())

    def process(
        self,
        *arguments: str | Path,
        stdin: bytes | Path | None = None,
        stdout: int = subprocess.PIPE,
        environment: Mapping[str, str] | None = None,
        before: Callable[[], object] | None = None,
    ) -> Done:
        """The same in a process of its own, for what Python's start and end have a part in.

        `before` runs in the new process.
        """
        return self.program(
            SEQTOOL, *arguments, stdin=stdin, stdout=stdout, environment=environment, before=before
        )

    def program(
        self,
        *command: str | Path,
        stdin: bytes | Path | None = None,
        stdout: int = subprocess.PIPE,
        environment: Mapping[str, str] | None = None,
        before: Callable[[], object] | None = None,
    ) -> Done:
        """Any program, with what `process` gives to seqtool."""
        feed: dict[str, Any] = {"input": stdin} if isinstance(stdin, bytes) else {"stdin": subprocess.DEVNULL}
        with (stdin if isinstance(stdin, Path) else Path(os.devnull)).open("rb") as file:
            if isinstance(stdin, Path):
                feed = {"stdin": file}
            done = subprocess.run(
                command,
                cwd=self.folder,
                env=self.environment(environment),
                stdout=stdout,
                stderr=subprocess.PIPE,
                timeout=LONGEST,
                preexec_fn=before,
                check=False,
                **feed,
            )
        return Done(done.returncode, done.stdout or b"", done.stderr.decode())

    def measured(self, *arguments: str | Path, program: Sequence[str] = ("seqtool",)) -> tuple[Done, int]:
        """How a call ended, and the most bytes of memory that its process had resident."""
        call = shlex.join([*program, *map(str, arguments)])
        return self.shell(f"{self.launcher('peak')} {call}"), self.peak("peak")

    def launcher(self, name: str) -> str:
        """What to write before a command in a line for `shell`, so that `peak` of that name tells its memory."""
        script = self.temporary.with_name("launcher.py")
        script.write_text(_LAUNCHER, encoding="ascii")
        return shlex.join(map(str, [sys.executable, "-IS", script, script.with_name(f"{name}.peak")]))

    def peak(self, name: str) -> int:
        """The most bytes of memory of a command that was started by the `launcher` of that name."""
        return int(self.temporary.with_name(f"{name}.peak").read_text(encoding="ascii"))

    def outputs(self, command: str, *calls: Sequence[str | Path]) -> list[dict[str, np.ndarray]]:
        """The arrays that a command makes of each of these arguments."""
        arrays = []
        for number, arguments in enumerate(calls):
            succeeded(self.run(command, *arguments, "-o", f"made{number}.npz"))
            arrays.append(self.arrays(f"made{number}.npz"))
        assert self.left_behind() == []
        return arrays

    def shell(self, line: str) -> Done:
        """A line of shell; it fails if any command of a pipeline fails.

        One of calls of seqtool, as `tests.shell` reads it, is run without a shell, each command after the one that
        it reads from.
        """
        read = pipelines(line)
        if read is None:
            return self.bash(line)
        out, err = b"", ""
        for pipeline in read:
            done = self._piped(pipeline)
            out, err = out + done.out, err + done.err
            if done.code != 0:
                return Done(done.code, out, err)
        return Done(0, out, err)

    def _piped(self, pipeline: Pipeline) -> Done:
        data: bytes | Path = self.folder / (pipeline.source or os.devnull)
        if pipeline.target is not None:
            self.write(pipeline.target, b"")
        code, err = 0, ""
        for program, *arguments in pipeline.commands:
            if program == "seqtool":
                done = self.run(*arguments, stdin=data)
            else:
                done = self.program(program, *arguments, stdin=data)
            data, code, err = done.out, done.code or code, err + done.err
        if pipeline.target is None:
            return Done(code, done.out, err)
        self.write(pipeline.target, done.out)
        return Done(code, b"", err)

    def bash(self, line: str) -> Done:
        """A line of shell in a shell; it fails if any command of a pipeline fails."""
        done = subprocess.run(
            ["bash", "-o", "pipefail", "-c", line],
            cwd=self.folder,
            env=self.environment(),
            stdin=subprocess.DEVNULL,
            capture_output=True,
            timeout=LONGEST,
            check=False,
        )
        return Done(done.returncode, done.stdout, done.stderr.decode())

    def start(self, *arguments: str | Path, **options: Any) -> subprocess.Popen[bytes]:
        """`seqtool` with these arguments, not waited for."""
        options.setdefault("stdin", subprocess.DEVNULL)
        return subprocess.Popen(
            [SEQTOOL, *arguments], cwd=self.folder, env=self.environment(), stderr=subprocess.PIPE, **options
        )

    def arrays(self, name: str) -> dict[str, np.ndarray]:
        """Every array of an .npz in the folder, read by NumPy with its defaults."""
        with np.load(self.folder / name) as archive:
            return dict(archive)

    def files(self) -> dict[str, bytes]:
        """What every file in the folder holds, hidden ones too."""
        return {
            str(path.relative_to(self.folder)): path.read_bytes()
            for path in sorted(self.folder.rglob("*"))
            if path.is_file()
        }

    def left_behind(self) -> list[str]:
        """The temporary files that are still there: in the folder, or where temporary files go."""
        beside = [path.name for path in self.folder.rglob(".*")]
        return sorted([*beside, *(path.name for path in self.temporary.rglob("*"))])


def succeeded(done: Done) -> Done:
    """The same, unless the call failed: then what it said fails the test."""
    assert done.code == 0, done.err
    return done
