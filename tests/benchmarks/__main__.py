"""`python -m tests.benchmarks [--rounds N] [--rows N] [CASE ...]`: one table of medians and ratios.

Every contender is a whole process, from start to exit, and the contenders of a case take turns, so that a
noisy machine is noisy for all of them. seqtool flushes its output to the disk (fsync); the others do not.
"""

from __future__ import annotations

import argparse
import os
import statistics
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

import numpy as np

SEQTOOL = [sys.executable, "-m", "seqtool"]


@dataclass(frozen=True)
class Contender:
    """A name, and the command that is measured."""

    name: str
    command: list[str]


def script(text: str) -> list[str]:
    return [sys.executable, "-c", text]


def pad_large(folder: Path) -> list[Contender]:
    """A dense array of 400 MB to a maxlen of 400."""
    x = np.random.default_rng(0).random((20_000, 250, 20), dtype=np.float32)
    np.save(folder / "dense.npy", x)
    by_hand = """
import numpy as np
x = np.load("dense.npy")
padded = np.zeros((len(x), 400, x.shape[2]), x.dtype)
padded[:, :x.shape[1]] = x
np.savez("by_hand.npz", x=padded, lengths=np.full(len(x), x.shape[1]))
"""
    ours = [*SEQTOOL, "pad", "dense.npy", "--maxlen", "400", "--post", "-q", "-o", "ours.npz"]
    return [Contender("seqtool pad", ours), Contender("np.load, np.zeros, np.savez", script(by_hand))]


def pad_tiny(folder: Path) -> list[Contender]:
    """A tiny array: the time to start."""
    np.save(folder / "tiny.npy", np.zeros((4, 3, 2)))
    ours = [*SEQTOOL, "pad", "tiny.npy", "--maxlen", "5", "--post", "-q", "-o", "tiny.npz"]
    return [Contender("seqtool pad", ours), Contender("python -c 'import numpy'", script("import numpy"))]


def group_csv(folder: Path, rows: int) -> list[Contender]:
    """CSV rows in random order, 50 to a key, five columns of values."""
    import pandas as pd

    random = np.random.default_rng(0)
    columns = {"key": random.integers(0, rows // 50, rows)}
    columns |= {f"v{i}": np.round(random.normal(size=rows), 4) for i in range(5)}
    pd.DataFrame(columns).to_csv(folder / "rows.csv", index=False)
    loop = """
import numpy as np, pandas as pd
frame = pd.read_csv("rows.csv")
features = [name for name in frame.columns if name != "key"]
keys, groups = [], []
for key, group in frame.groupby("key"):
    keys.append(key)
    groups.append(group[features].to_numpy(np.float32))
lengths = np.array([len(group) for group in groups])
x = np.zeros((len(groups), lengths.max(), len(features)), np.float32)
for i, group in enumerate(groups):
    x[i, :len(group)] = group
np.savez("loop.npz", x=x, lengths=lengths, keys=np.array(keys))
"""
    ours = [*SEQTOOL, "group", "rows.csv", "--key", "key", "-q", "-o", "ours.npz"]
    return [Contender("seqtool group", ours), Contender("pandas groupby and a loop", script(loop))]


def seconds(command: list[str], folder: Path) -> float:
    begin = time.perf_counter()
    subprocess.run(command, cwd=folder, check=True, env={**os.environ, "PYTHONWARNINGS": "ignore"})
    return time.perf_counter() - begin


def measure(title: str, contenders: list[Contender], folder: Path, rounds: int) -> None:
    from rich.console import Console
    from rich.table import Table

    times: dict[str, list[float]] = {contender.name: [] for contender in contenders}
    for contender in contenders:  # once to warm the caches of files
        seconds(contender.command, folder)
    for _ in range(rounds):
        for contender in contenders:
            times[contender.name].append(seconds(contender.command, folder))
    medians = {name: statistics.median(measured) for name, measured in times.items()}
    ours = medians[contenders[0].name]
    table = Table(title=f"{title} (median of {rounds} rounds)", title_justify="left")
    for name in ("", "seconds", "fastest", "of seqtool's time"):
        table.add_column(name, justify="left" if not name else "right")
    for name, median in medians.items():
        table.add_row(name, f"{median:.2f}", f"{min(times[name]):.2f}", f"{median / ours:.2f}")
    Console(width=100).print(table)


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m tests.benchmarks")
    parser.add_argument("cases", nargs="*", help="pad, start, group; all by default")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--rows", type=int, default=5_000_000, help="of the CSV file")
    arguments = parser.parse_args()
    cases = {
        "start": lambda folder: ("a tiny array", pad_tiny(folder)),
        "pad": lambda folder: ("(20000, 250, 20) float32 to maxlen 400", pad_large(folder)),
        "group": lambda folder: (f"{arguments.rows:,} rows of CSV", group_csv(folder, arguments.rows)),
    }
    for name in arguments.cases or cases:
        with tempfile.TemporaryDirectory() as folder:
            title, contenders = cases[name](Path(folder))
            measure(title, contenders, Path(folder), arguments.rounds)


main()
