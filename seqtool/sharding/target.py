"""The folder that a data set is written to: it is there when its manifest is, and never half replaced."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from seqtool.advice import Advice
from seqtool.errors import DataError
from seqtool.files.manifest import Manifest, read_manifest
from seqtool.files.shards import is_part
from seqtool.files.stores import Store
from seqtool.files.traces import MANIFEST
from seqtool.system import signals


class OutputFolder:
    """A folder for a data set; with `force` it may hold another one, which stays until the new one is whole.

    Raises DataError where something else is there, or a data set that may not be replaced.
    """

    def __init__(self, store: Store, *, force: bool = False) -> None:
        self.store = store
        names = store.names()
        if any(name != MANIFEST and not is_part(name) for name in names):
            raise DataError(f"{store.address}/: holds files that seqtool did not write; name a new folder")
        self._before: frozenset[str] = frozenset()
        if MANIFEST in names:
            if not force:
                raise DataError(f"{store.address}/: holds a data set; to replace it: ", Advice("--force"))
            before = read_manifest(store.fetch(MANIFEST), store.address)
            self._before = frozenset(shard.name for shard in before.files)

    @contextmanager
    def filled(self) -> Iterator[None]:
        """Fill the folder meanwhile; if that fails, all that was written is removed."""
        is_new = self.store.make()
        try:
            yield
        except BaseException:
            with signals.held():
                self._sweep(self._before)
                if is_new:
                    self.store.unmake()
            raise

    def finish(self, manifest: Manifest) -> None:
        """Write the manifest, which makes the new data set, and remove the files of the one before."""
        with signals.held():  # from the manifest on, the new files are those to be kept, whatever happens
            self.store.write(MANIFEST, manifest.as_json())
            self._before = frozenset(shard.name for shard in manifest.files)
        self._sweep(self._before)

    def _sweep(self, kept: frozenset[str]) -> None:
        """Remove shards, and files in the making, that are not to be kept, such as those of lost attempts."""
        for name in self.store.names():
            if is_part(name) and name not in kept:
                self.store.remove(name)
