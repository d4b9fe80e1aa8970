"""Sessions of Spark, and what goes wrong with one as a line that a person can act on."""

from __future__ import annotations

import os
import re
import shutil
import socket
import sys
import warnings
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from seqtool.errors import DataError, UsageError
from seqtool.system.hiding import need_pandas
from seqtool.words import in_short, shortened

if TYPE_CHECKING:
    from pyspark.sql import SparkSession

_LOGGING = Path(__file__).with_name("log4j2.properties")
_WAIT = 5  # seconds for a server to answer; Spark itself tries for minutes
_ERROR = re.compile(r"(: )?[\w.]+(Error|Exception): ")  # how a line begins that names what went wrong
_STARTED = re.compile(r"local($|\[)|yarn$|k8s://")  # masters that are no address of a master
_LONGEST = 300  # letters of what Spark says
_PORTS = {"sc": 15002, "spark": 7077}  # where Spark listens when an address names no port


@contextmanager
def session(
    *, master: str | None = None, remote: str | None = None, conf: Mapping[str, str] | None = None
) -> Iterator[SparkSession]:
    """A session of Spark until the block ends: on this machine, at a master, or by Spark Connect.

    Raises UsageError where pyspark or Java is missing, and where nobody listens at the address.
    """
    _check(master, remote)
    before = {*os.environ}
    need_pandas()  # which pyspark asks for
    with plain_errors():
        found = _session(master, remote, conf or {})
    try:
        yield found
    finally:
        with plain_errors():
            found.stop()
        for name in {*os.environ} - before:  # or no later session of this process could be of the other kind
            if name.startswith("SPARK_"):
                del os.environ[name]


def _session(master: str | None, remote: str | None, conf: Mapping[str, str]) -> SparkSession:
    from pyspark.sql import SparkSession

    # Workers on this machine run the Python, and so the seqtool, of this process.
    os.environ.setdefault("PYSPARK_PYTHON", sys.executable)
    builder: Any = SparkSession.builder.appName("seqtool group")
    if remote is None:
        builder = builder.master(master or "local[*]").config("spark.ui.showConsoleProgress", "false")
        if not {"SPARK_HOME", "SPARK_CONF_DIR"} & {*os.environ}:  # else they have logging of their own
            builder = builder.config(
                "spark.driver.extraJavaOptions", f"-Dlog4j2.configurationFile={_LOGGING.as_uri()}"
            )
    else:
        builder = builder.remote(remote)
    # Rows are blocks of megabytes: 10,000 of them, as by default, would be more than fits into a batch, or memory.
    builder = builder.config("spark.sql.execution.arrow.maxRecordsPerBatch", "8")
    for name, value in conf.items():
        builder = builder.config(name, value)
    return builder.getOrCreate()


def _check(master: str | None, remote: str | None) -> None:
    """Raise UsageError for what is missing, before Spark says so in many lines, or after minutes."""
    if find_spec("pyspark") is None:
        raise UsageError(
            "--engine spark needs pyspark: pip install 'seqtool[spark]', or 'seqtool[sail]', which needs no Java"
        )
    if remote is not None:
        _check_listens("--remote", remote)
    elif find_spec("py4j") is None:
        raise UsageError(
            "--engine spark without --remote starts Spark, of which only the client is installed: name a server "
            "(--remote sc://HOST:PORT), or pip install 'seqtool[spark]'"
        )
    elif not _has_java():
        raise UsageError(
            "--engine spark needs Java 17 or later, and no java was found: install it, or set JAVA_HOME; without it, "
            "--engine dask does the same, or --remote names a server of Sail (pip install 'seqtool[sail]')"
        )
    elif master is not None and not _STARTED.match(master):
        _check_listens("--master", master)


def _has_java() -> bool:
    home = os.environ.get("JAVA_HOME")
    return (Path(home) / "bin" / "java").exists() if home else shutil.which("java") is not None


def _check_listens(option: str, url: str) -> None:
    """Raise UsageError unless somebody listens at an address; a list of masters needs one of them."""
    scheme = url.partition("://")[0]
    if scheme not in _PORTS or (option == "--remote") != (scheme == "sc"):
        expected = (
            "sc://HOST:PORT" if option == "--remote" else "spark://HOST:PORT, local[2], yarn or k8s://..."
        )
        raise UsageError(f"{option} is {in_short(url)}; {expected} was expected")
    found = "no host"
    for place in urlsplit(url.partition(";")[0]).netloc.split(","):
        host, _, port = place.rpartition("@")[2].rpartition(":")
        if not host:
            host, port = port, f"{_PORTS[scheme]}"
        try:
            with socket.create_connection((host.strip("[]"), int(port)), _WAIT):
                return
        except (OSError, ValueError) as error:
            found = getattr(error, "strerror", None) or str(error)
    raise UsageError(
        f"{option} {url}: nobody answers there ({found}); start the server first, or name another"
    )


@contextmanager
def plain_errors() -> Iterator[None]:
    """What fails in Spark is raised as a DataError of one line; warnings of pyspark about pandas are not shown."""
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", category=FutureWarning)
        warnings.filterwarnings("ignore", category=UserWarning, module="pyspark")
        try:
            yield
        except Exception as error:
            if not _is_sparks(error):
                raise
            raise DataError(f"Spark: {_first_words(error)}") from error


def _is_sparks(error: Exception) -> bool:
    return any(kind.__module__.split(".")[0] in ("pyspark", "py4j", "grpc") for kind in type(error).__mro__)


def _first_words(error: Exception) -> str:
    """What went wrong: of many lines the first that names an error, of Python before Java's frames."""
    lines = [line.strip() for line in str(error).splitlines() if line.strip()]
    raised = [line for line in lines if _ERROR.match(line)]
    return shortened((raised or lines or [type(error).__name__])[0].removeprefix(": "), _LONGEST)
