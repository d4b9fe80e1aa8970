"""Rows grouped by a key into one padded array: by hand in ten lines of Python, and by `seqtool group`.

    pip install .
    python samples/groupby.py

The ten lines show what happens; they hold every row as Python objects. The command gives the same, for tables of any
size, and the true lengths with it.
"""

import subprocess
import sys
import tempfile
from itertools import groupby
from operator import itemgetter
from pathlib import Path

import numpy as np

ROWS = Path(__file__).parent / "rows.csv"
KEY = 2  # the column, counted from 0


def group_by(rows: list[list[int]], key: int) -> tuple[list[int], list[int], list[list[list[int]]]]:
    """The keys in order, how many rows each has, and its rows, filled with zeros to the most that a key has."""
    keys, groups = [], []
    # groupby only sees neighbours, so the rows are sorted first; rows of one key keep their order.
    for value, group in groupby(sorted(rows, key=itemgetter(key)), key=itemgetter(key)):
        keys.append(value)
        groups.append(list(group))
    lengths = [len(group) for group in groups]
    blank = [0] * len(rows[0])
    padded = [group + [blank] * (max(lengths) - len(group)) for group in groups]
    return keys, lengths, padded


def main() -> None:
    """Group the same rows in both ways, and compare."""
    rows = [[int(cell) for cell in line.split(",")] for line in ROWS.read_text().split()]
    keys, lengths, padded = group_by(rows, KEY)

    with tempfile.TemporaryDirectory() as folder:
        output = Path(folder) / "grouped.npz"
        command = ["seqtool", "group", str(ROWS), "--key", str(KEY), "-o", str(output), "--quiet"]
        subprocess.run([sys.executable, "-m", *command], check=True)
        with np.load(output) as data:
            grouped = dict(data)

    for key, length, sequence in zip(keys, lengths, padded, strict=True):
        print(f"key {key}, {length} of {len(sequence)} steps real: {sequence}")
    same = (
        grouped["keys"].tolist() == keys
        and grouped["lengths"].tolist() == lengths
        and grouped["x"].tolist() == padded
    )
    print("seqtool group gives the same" if same else "seqtool group gives something else")
    sys.exit(not same)


if __name__ == "__main__":
    main()
