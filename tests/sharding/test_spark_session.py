"""What a user without Java, without pyspark, or without a server is told: one line, before any work."""

import socket

import pytest

from seqtool.errors import DataError, UsageError
from seqtool.sharding import spark_session
from seqtool.sharding.spark_session import plain_errors, session
from tests.sharding.engines import free_port


@pytest.fixture
def installed(monkeypatch: pytest.MonkeyPatch) -> set[str]:
    """The packages that seem to be installed."""
    found = {"pyspark", "py4j"}
    monkeypatch.setattr(spark_session, "find_spec", lambda name: name if name in found else None)
    return found


def refused(expected: str, **arguments: str) -> None:
    with pytest.raises(UsageError, match=expected), session(**arguments):
        pass


def test_what_is_not_installed_is_told_with_ways_out(
    installed: set[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", "/nowhere")
    monkeypatch.delenv("JAVA_HOME", raising=False)
    refused(r"needs Java 17 or later, and no java was found: .* JAVA_HOME; .*--engine dask .*--remote")
    monkeypatch.setenv("JAVA_HOME", "/nowhere")
    refused("needs Java 17 or later")
    installed.remove("py4j")
    refused(r"only the client is installed: name a server \(--remote sc://HOST:PORT\), or pip install")
    installed.clear()
    refused(r"needs pyspark: pip install 'seqtool\[spark\]', or 'seqtool\[sail\]'")


def test_nobody_at_an_address_is_told(installed: set[str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(spark_session, "_has_java", lambda: True)
    port = free_port()
    refused(rf"--remote sc://127\.0\.0\.1:{port}: nobody answers there", remote=f"sc://127.0.0.1:{port}")
    refused(rf"--remote .*:{port}/;token=x: nobody", remote=f"sc://127.0.0.1:{port}/;token=x")
    masters = f"spark://127.0.0.1:{port},127.0.0.1:{port}"
    refused(r"--master spark://.*: nobody answers there \(", master=masters)
    refused(r"--remote is 'spark://a:1'; sc://HOST:PORT was expected", remote="spark://a:1")
    refused(
        r"--master is 'nonsense'; spark://HOST:PORT, local\[2\], yarn or k8s://... was expected",
        master="nonsense",
    )


def test_one_of_several_masters_is_enough(installed: set[str]) -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        spark_session._check_listens(
            "--master", f"spark://127.0.0.1:{free_port()},127.0.0.1:{server.getsockname()[1]}"
        )


class FromSpark(Exception):  # noqa: N818
    """An error as Spark's own."""

    __module__ = "pyspark.errors"


def test_errors_of_spark_become_one_line() -> None:
    text = "An exception was thrown:\nTraceback (most recent call last):\n  File x\nKeyError: 'a'\n\tat org.x"
    with pytest.raises(DataError, match=r"^Spark: KeyError: 'a'$"), plain_errors():
        raise FromSpark(text)
    with pytest.raises(ZeroDivisionError), plain_errors():
        raise ZeroDivisionError
