"""Arrow's reader of streams, alone: `python read_open_csv.py IN`, all types given, nothing written.

It learns nothing and checks nothing: the least that reading as we read, block by block, could take.
"""

import sys


def main(source: str) -> None:
    from pathlib import Path

    import pyarrow as pa
    from pyarrow import csv

    with Path(source).open() as file:
        names = file.readline().rstrip("\n").split(",")
        text = not file.readline().split(",")[0].isdecimal()
    types = dict.fromkeys(names, pa.float64()) | {"key": pa.string() if text else pa.int64()}
    for _ in csv.open_csv(source, convert_options=csv.ConvertOptions(column_types=types)):
        pass


if __name__ == "__main__":
    main(*sys.argv[1:])
