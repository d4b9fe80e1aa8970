"""Dask: results come in order, and a scheduler that is not there is told."""

import pytest

from seqtool.errors import UsageError
from seqtool.sharding.dask import Dask, client
from tests.sharding.engines import (
    free_port,
    scheduler,
)


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
