"""Spark writes the same bytes as one process: on this machine, on a cluster of two workers, and when one is killed."""

import subprocess
import sys
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import pytest

from seqtool.sharding.spark import Spark
from seqtool.sharding.spark_session import session
from tests.command import Place
from tests.sharding.data_sets import into_shards, shards_are_those_of_one_file
from tests.sharding.engines import (
    Mortal,
    content,
    free_port,
    many_options,
    same_through,
    standing_for,
    waited_for,
)

pytestmark = [pytest.mark.spark, pytest.mark.filterwarnings("ignore")]  # its own are many

QUIET = {
    "spark.ui.enabled": "false",
    "spark.driver.host": "127.0.0.1",
    "spark.driver.bindAddress": "127.0.0.1",
    "spark.pyspark.python": sys.executable,
}


@contextmanager
def cluster(folder: Path) -> Iterator[str]:
    """The address of a master with two workers of a core each."""
    import pyspark

    spark_class = Path(pyspark.__file__).parent / "bin" / "spark-class"
    deploy, port = "org.apache.spark.deploy", free_port()
    master = f"spark://127.0.0.1:{port}"
    here = ["--host", "127.0.0.1", "--webui-port", "0"]
    worker = [f"{deploy}.worker.Worker", *here, "--cores", "1", "--memory", "1g", "--work-dir"]
    calls = [
        [f"{deploy}.master.Master", *here, "--port", f"{port}"],
        [*worker, str(folder / "one"), master],
        [*worker, str(folder / "two"), master],
    ]
    with ExitStack() as stack:
        for call in calls:
            process = subprocess.Popen(
                [spark_class, *call], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
            )
            stack.callback(process.wait)
            stack.callback(process.terminate)
            waited_for(port)
        yield master


@pytest.fixture(scope="module", params=["local[2]", "cluster"])
def spark(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Spark]:
    with ExitStack() as stack:
        master, conf = request.param, QUIET
        if master == "cluster":
            master = stack.enter_context(cluster(tmp_path_factory.mktemp("cluster")))
            conf = {**conf, "spark.executor.memory": "600m"}
        yield Spark(stack.enter_context(session(master=master, conf=conf)))


def test_the_same_bytes_and_the_same_error(spark: Spark, place: Place) -> None:
    names, options = many_options(place)
    local = shards_are_those_of_one_file(place, names, options, 3, 2)
    assert local is not None
    with standing_for(spark):
        same_through(place, names, options, 3, local, "--engine", "spark")
    place.write("bad.csv", "k,m,t,a,b,s,lab,c\nz,y,1,never,2,3,l,c\n")
    here = into_shards(place, "bad", [*names, "bad.csv"], options, 3)
    with standing_for(spark):
        done = into_shards(place, "bad", [*names, "bad.csv"], options, 3, "--engine", "spark")
    assert (done.code, done.err) == (here.code, here.err)
    assert "bad.csv: line 2, column 'a'" in done.err
    assert not (place.folder / "bad").exists()


@pytest.mark.parametrize("dies", ["encode", "write"])
@pytest.mark.parametrize("spark", ["cluster"], indirect=True)  # where Spark tries tasks again
def test_a_killed_worker_changes_nothing(dies: str, spark: Spark, place: Place) -> None:
    names, options = many_options(place)
    into_shards(place, "many", names, options, 3)
    marker = place.temporary / "died"
    with standing_for(Mortal(spark, dies, marker)):
        same_through(place, names, options, 3, place.folder / "many", "--engine", "spark")
    assert marker.exists()
    assert not [name for name in content(place.folder / "elsewhere") if name.startswith(".")]
