"""Where what does not fit into memory goes: the folder that a call names, and copies of what can be read only once."""

from __future__ import annotations

import contextlib
import os
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import IO

from seqtool.advice import Advice
from seqtool.errors import DataError, why
from seqtool.system.signals import held

_VARIABLE = "SEQTOOL_TEMP_DIR"


def temporary_folder(named: str | None) -> Path | None:
    """The folder of `--temp-dir`, or of SEQTOOL_TEMP_DIR without it; None for the system's.

    Raises DataError for what is no folder, or cannot be written to.
    """
    source = f"--temp-dir {named}"
    if named is None:
        named = os.environ.get(_VARIABLE) or None
        source = f"{_VARIABLE}={named}"
    if named is None:
        return None
    if not Path(named).is_dir():
        raise DataError(f"{source}: no such folder; create it first, or name another")
    if not os.access(named, os.W_OK):
        raise DataError(f"{source}: cannot be written to; name another folder")
    return Path(named)


@contextlib.contextmanager
def spooled(stream: IO[bytes], folder: Path | None) -> Iterator[Path]:
    """What can be read only once, in a temporary file that can be read again."""
    with contextlib.ExitStack() as clean:
        with held():
            handle, name = tempfile.mkstemp(prefix="seqtool-", dir=folder)
            clean.callback(Path(name).unlink, missing_ok=True)
            spool = clean.enter_context(os.fdopen(handle, "wb"))
        try:
            shutil.copyfileobj(stream, spool, 1 << 20)
            spool.close()  # Windows opens no file again that is open
        except OSError as error:
            raise DataError(
                f"{folder or tempfile.gettempdir()}: cannot hold the input ({why(error)}); name a folder with "
                "more space: ",
                Advice("--temp-dir", "DIR"),
            ) from None
        yield Path(name)
