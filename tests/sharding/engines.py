"""The same call through an engine, whose folder must be that of one process, byte for byte."""

from __future__ import annotations

import os
import signal
import socket
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from functools import cache
from pathlib import Path
from typing import Any
from unittest.mock import patch

import pytest

from seqtool.commands._shards import ShardOptions
from seqtool.files import inputs
from seqtool.files.stores import store_at
from seqtool.grouping.spec import GroupSpec
from seqtool.sequences.ragged import Ragged
from seqtool.sharding.engine import EncodeFunction, Engine, WriteFunction
from seqtool.sharding.group import observe, write
from seqtool.sharding.target import OutputFolder
from seqtool.system.memory import allowed
from seqtool.tables import opening
from tests.command import Place, succeeded
from tests.sharding.data_sets import TEXT_KEYS, files_of, into_shards


@cache
def scheduler() -> str:
    """The address of workers of Dask that are threads of this process; they end with it."""
    from distributed import LocalCluster

    cluster: Any = LocalCluster(
        processes=False, n_workers=1, threads_per_worker=2, dashboard_address="127.0.0.1:0"
    )
    return str(cluster.scheduler_address)


def content(folder: Path) -> dict[str, bytes]:
    """What each file of a folder holds."""
    return {path.name: path.read_bytes() for path in folder.iterdir()}


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


@contextmanager
def standing_for(engine: Engine) -> Iterator[None]:
    """Let calls that name any engine have this one, whose session lasts longer than a call."""

    @contextmanager
    def opened(_: ShardOptions) -> Iterator[Engine]:
        yield engine

    with patch.object(ShardOptions, "opened", opened):
        yield


def dying_once(task: Callable[..., Any], marker: Path) -> Callable[..., Any]:
    """The same task, whose process is killed the first time that any of its calls begins."""
    mark = str(marker)

    def run(*arguments: Any) -> Any:
        try:
            os.close(os.open(mark, os.O_CREAT | os.O_EXCL))
        except FileExistsError:
            return task(*arguments)
        os.kill(os.getpid(), signal.SIGKILL)
        return None

    return run


class Mortal:
    """An engine, one of whose workers is killed in the stage `dies`: `encode` or `write`."""

    here = False

    def __init__(self, engine: Engine, dies: str, marker: Path) -> None:
        self._engine, self._dies, self._marker = engine, dies, marker

    def each(self, task: Callable[[int], bytes], count: int) -> Any:
        return self._engine.each(task, count)

    def shuffle(self, encode: EncodeFunction, count: int, write: WriteFunction, shards: int) -> list[bytes]:
        if self._dies == "encode":
            encode = dying_once(encode, self._marker)
        else:
            write = dying_once(write, self._marker)
        return self._engine.shuffle(encode, count, write, shards)


def many_options(place: Place) -> tuple[list[str], list[str]]:
    """Files and a call that use most of what `group` has, for engines whose calls are slow."""
    rows = [
        {"k": TEXT_KEYS[i % 9], "m": "xy"[i % 2], "t": str(i * 7 % 5), "a": f"{i}.5", "b": str(-i)}
        | {"s": str(i % 9), "lab": f"l{i % 9 % 4}", "c": "a\nb" if i % 3 else ""}
        for i in range(80)
    ]
    options = ["--key", "k,m", "--order-by", "t", "--label", "lab", "--category", "c", "--static", "s"]
    return files_of(place, rows, files=3, suffix=".csv.gz"), [*options, "--columns", "a,b", "--min-len", "2"]


def free_port() -> int:
    """A port that nobody listens at."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        return int(server.getsockname()[1])


def waited_for(port: int) -> None:
    """Wait until somebody listens at a port of this machine."""
    for _ in range(1200):
        with suppress(OSError), socket.create_connection(("127.0.0.1", port), 1):
            return
        time.sleep(0.05)
    pytest.fail("the server did not start")


def grouped(place: Place, engine: Engine, out: str = "out", *, force: bool = False) -> Ragged:
    """The files of a place by this engine."""
    spec = GroupSpec.of(ragged=True, key=["k"])
    with inputs.opened([str(path) for path in sorted(place.folder.glob("*.csv"))]) as found:
        table = opening.open_tables(found, spec.text, spec.pattern)
        observed = observe(table, found, spec, engine, shards=3, memory=allowed(None))
        target = OutputFolder(store_at(str(place.folder / out)), force=force)
        return write(observed, engine, target, inputs=["x"]).data
