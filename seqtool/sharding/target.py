"""The folder that a data set is written to: it is there when its manifest is, and never half replaced."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from seqtool.advice import Advice
from seqtool.errors import DataError
from seqtool.files.atomic import naming, replacing
from seqtool.files.manifest import Manifest, read_manifest
from seqtool.files.shards import is_part
from seqtool.files.traces import MANIFEST
from seqtool.system import signals


class Target:
    """A folder for a data set; with `force` it may hold another one, which stays until the new one is whole.

    Raises DataError where something else is there, or a data set that may not be replaced.
    """

    def __init__(self, path: Path, *, force: bool = False) -> None:
        self._path = path.absolute()
        self.name = f"{path}".rstrip("/")
        self._before = self._shards()
        if self._path.exists() and not self._path.is_dir():
            raise DataError(f"{self.name}/: there is a file of this name; name another folder")
        if not self._path.parent.is_dir():
            raise DataError(f"{self.name}/: the folder {path.parent} does not exist; create it first")
        if not self._path.is_dir():
            return
        strangers = [item.name for item in self._path.iterdir() if not is_part(item.name)]
        if [name for name in strangers if name != MANIFEST]:
            raise DataError(f"{self.name}/: holds files that seqtool did not write; name a new folder")
        if MANIFEST in strangers and not force:
            raise DataError(f"{self.name}/: holds a data set; to replace it: ", Advice("--force"))

    def _shards(self) -> frozenset[str]:
        """The files of the data set that is there."""
        if not (self._path / MANIFEST).is_file():
            return frozenset()
        return frozenset(shard.name for shard in read_manifest(self._path, self.name).files)

    @contextmanager
    def filled(self, run: str) -> Iterator[Path]:
        """The folder, to be filled; if that fails, all that was written is removed."""
        is_new = not self._path.is_dir()
        with naming(f"{self.name}/"):
            self._path.mkdir(exist_ok=True)
        try:
            yield self._path
        except BaseException:
            with signals.held():
                self._sweep(self._before)
                if is_new:
                    with suppress(OSError):
                        self._path.rmdir()
            raise
        self._sweep_temporary(run)

    def finish(self, folder: Path, manifest: Manifest) -> None:
        """Write the manifest, which makes the new data set, and remove the files of the one before."""
        with replacing(folder / MANIFEST) as file:
            file.write(manifest.as_json().encode())
        self._sweep(frozenset(shard.name for shard in manifest.files))

    def _sweep(self, kept: frozenset[str]) -> None:
        """Remove shards, and files in the making, that are not to be kept."""
        for item in self._path.iterdir():
            if is_part(item.name) and item.name not in kept:
                with suppress(OSError):  # one file too many
                    item.unlink()

    def _sweep_temporary(self, run: str) -> None:
        """Remove what attempts of this run have left that were lost."""
        for item in self._path.glob(f".seqtool-{run}-*"):
            with suppress(OSError):
                item.unlink()
