"""Dask: a worker that is killed changes nothing; one that always dies, or a missing scheduler, is told of."""

import os
import signal
from collections.abc import Iterator
from typing import Any

import pytest

from seqtool.errors import DataError, UsageError
from seqtool.sharding.dask import Dask, client
from tests.command import Place
from tests.sharding.data_sets import into_shards
from tests.sharding.engines import (
    Mortal,
    content,
    free_port,
    many_options,
    same_through,
    scheduler,
    standing_for,
)


def test_results_come_in_order() -> None:
    with client(scheduler()) as found:
        assert Dask(found).each(lambda number: bytes([number]), 5) == [b"\0", b"\1", b"\2", b"\3", b"\4"]


def test_no_scheduler_is_a_usage_error(place: Place) -> None:
    place.write("a.csv", "k,x\n1,2\n")
    for address, why in (
        (f"tcp://127.0.0.1:{free_port()}", ""),
        ("nonsense", "missing port"),
        ("x://y", "unknown"),
    ):
        with (
            pytest.raises(
                UsageError, match=rf"--scheduler {address}: no scheduler of Dask answers there .*{why}"
            ),
            client(address),
        ):
            pass


@pytest.fixture(scope="module")
def workers() -> Iterator[Dask]:
    from distributed import Client

    with Client(n_workers=2, threads_per_worker=1, dashboard_address=None, silence_logs=50) as found:
        yield Dask(found)


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("dies", ["encode", "write"])
def test_a_killed_worker_changes_nothing(dies: str, workers: Any, place: Place) -> None:
    names, options = many_options(place)
    into_shards(place, "many", names, options, 3)
    marker = place.temporary / "died"
    with standing_for(Mortal(workers, dies, marker)):
        same_through(place, names, options, 3, place.folder / "many", "--engine", "dask")
    assert marker.exists()
    assert not [name for name in content(place.folder / "elsewhere") if name.startswith(".")]


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore")
def test_workers_that_always_die_are_told_in_a_line(workers: Dask) -> None:
    with pytest.raises(DataError, match="Dask: 4 workers ended at the same task"):
        workers.each(lambda _: os.kill(os.getpid(), signal.SIGKILL), 1)  # type: ignore[arg-type, return-value]
