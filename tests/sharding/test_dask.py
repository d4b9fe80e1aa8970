"""Dask: results come in order, a killed worker changes nothing, and a scheduler that is not there is told."""

from collections.abc import Iterator

import pytest

from seqtool.errors import UsageError
from seqtool.sharding.dask import Dask, client
from seqtool.sharding.local import Local
from tests.command import Place
from tests.sharding.engines import Mortal, content, free_port, grouped, scheduler


def test_results_come_in_order() -> None:
    with client(scheduler()) as found:
        assert Dask(found).each(lambda number: bytes([number]), 5) == [bytes([number]) for number in range(5)]


def test_no_scheduler_is_a_usage_error(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("seqtool.sharding.dask._WAIT", 0.5)
    for address, why in (
        (f"tcp://127.0.0.1:{free_port()}", ""),
        ("nonsense", "missing port"),
        ("x://y", "unknown"),
    ):
        said = rf"--scheduler {address}: no scheduler of Dask answers there .*{why}"
        with pytest.raises(UsageError, match=said), client(address):
            pass


@pytest.fixture(scope="module")
def workers() -> Iterator[Dask]:
    from distributed import Client

    with Client(n_workers=2, threads_per_worker=1, dashboard_address=":0", silence_logs=50) as found:
        yield Dask(found)


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("dies", ["encode", "write"])
def test_a_killed_worker_changes_nothing(dies: str, workers: Dask, two_files: Place) -> None:
    grouped(two_files, Local(), "here")
    marker = two_files.temporary / "died"
    grouped(two_files, Mortal(workers, dies, marker), "there")
    assert marker.exists()
    assert content(two_files.folder / "there") == content(two_files.folder / "here")
