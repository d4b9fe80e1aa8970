"""The same call through an engine, whose folder must be that of one process, byte for byte."""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import Any

from tests.command import Place, succeeded
from tests.sharding.data_sets import into_shards


@cache
def scheduler() -> str:
    """The address of workers of Dask that are threads of this process; they end with it."""
    from distributed import LocalCluster

    cluster: Any = LocalCluster(processes=False, n_workers=1, threads_per_worker=2, dashboard_address=None)
    return str(cluster.scheduler_address)


def content(folder: Path) -> dict[str, bytes]:
    """What each file of a folder holds."""
    return {path.name: path.read_bytes() for path in folder.iterdir()}


def same_through_dask(
    place: Place, names: list[str], options: list[str], shards: int, local: Path | None
) -> None:
    same_through(place, names, options, shards, local, "--engine", "dask", "--scheduler", scheduler())


def same_through(
    place: Place, names: list[str], options: list[str], shards: int, local: Path | None, *engine: str
) -> None:
    """The same folder, or the same error, comes through an engine; `local` is the folder of one process."""
    done = into_shards(place, "elsewhere", names, options, shards, *engine)
    if local is None:
        here = into_shards(place, "many", names, options, shards)
        assert (done.code, done.err) == (here.code, here.err)
        return
    succeeded(done)
    assert content(place.folder / "elsewhere") == content(local)
