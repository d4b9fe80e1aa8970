"""Sail, which speaks Spark's protocol without Java, writes the same bytes as one process."""

import subprocess
import sys
from collections.abc import Iterator

import pytest

from seqtool.sharding.spark import Spark
from seqtool.sharding.spark_session import session
from tests.command import Place
from tests.sharding.data_sets import into_shards, shards_are_those_of_one_file
from tests.sharding.engines import free_port, many_options, same_through, standing_for, waited_for

pytestmark = [pytest.mark.sail, pytest.mark.filterwarnings("ignore")]


@pytest.fixture(scope="module")
def sail() -> Iterator[Spark]:
    port = free_port()
    server = subprocess.Popen(
        [sys.executable, "-m", "pysail", "spark", "server", "--port", f"{port}"],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        waited_for(port)
        with session(remote=f"sc://127.0.0.1:{port}") as found:
            yield Spark(found)
    finally:
        server.terminate()
        server.wait()


def test_the_same_bytes_and_the_same_error(sail: Spark, place: Place) -> None:
    names, options = many_options(place)
    local = shards_are_those_of_one_file(place, names, options, 3, 2)
    assert local is not None
    with standing_for(sail):
        same_through(place, names, options, 3, local, "--engine", "spark")
    place.write("bad.csv", "k,m,t,a,b,s,lab,c\nz,y,1,never,2,3,l,c\n")
    here = into_shards(place, "bad", [*names, "bad.csv"], options, 3)
    with standing_for(sail):
        done = into_shards(place, "bad", [*names, "bad.csv"], options, 3, "--engine", "spark")
    assert (done.code, done.err) == (here.code, here.err)
    assert "bad.csv" in done.err
