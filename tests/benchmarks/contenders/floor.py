"""The least there is to do: `python floor.py IN OUT BYTES [--flush]`.

Parses the rows of IN (`-` for none) into Arrow, all types given, and writes as many bytes as the result takes.
With `--flush` they are flushed to the disk (fsync), as those of seqtool are.
"""

import os
import sys
from pathlib import Path

BLOCK = 4 << 20  # bytes written at once


def parse(source: str) -> None:
    """Every row of a CSV or Parquet file, into Arrow."""
    if source.endswith(".csv"):
        import pyarrow as pa
        from pyarrow import csv

        with Path(source).open() as file:
            names = file.readline().rstrip("\n").split(",")
            text = not file.readline().split(",")[0].isdecimal()
        types = {name: pa.float32() for name in names} | {"key": pa.string() if text else pa.int64()}
        csv.read_csv(source, convert_options=csv.ConvertOptions(column_types=types))
    else:
        from pyarrow import parquet

        parquet.ParquetFile(source, pre_buffer=False).read()


def write(output: str, size: int, flush: bool) -> None:
    """As many bytes as asked for, as a plain file."""
    block = memoryview(bytes(BLOCK))
    with Path(output).open("wb", buffering=0) as file:
        while size > 0:
            size -= file.write(block[:size])
        if flush:
            os.fsync(file.fileno())


def main(source: str, output: str, size: str, *flush: str) -> None:
    if source != "-":
        parse(source)
    write(output, int(size), bool(flush))


if __name__ == "__main__":
    main(*sys.argv[1:])
