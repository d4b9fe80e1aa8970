"""Two tables that are drawn with a seed: a log of clicks, and daily prices.

    python samples/make_tables.py [FOLDER]

`clicks.csv` has a row for each click of 300 users, in the order of time: user, time, item, device, seconds. An item is
followed by one of three others, more often than not, so that there is something to learn. `prices.csv` has a row for
each of four tickers and 250 business days: ticker, date, close, volume; now and then a close is missing.
"""

import csv
import sys
from collections.abc import Iterable, Sequence
from datetime import date, datetime, timedelta
from pathlib import Path

import numpy as np

USERS, ITEMS = 300, 40
TICKERS, DAYS = ["AAA", "BBB", "CCC", "DDD"], 250


def clicks() -> list[tuple[object, ...]]:
    """The rows of the log, in the order of time."""
    random = np.random.default_rng(0)
    followers = random.integers(0, ITEMS, (ITEMS, 3))
    rows: list[tuple[object, ...]] = []
    for user in range(USERS):
        moment = datetime(2026, 1, 1) + timedelta(seconds=int(random.integers(0, 86_400 * 20)))
        item = int(random.integers(ITEMS))
        device = random.choice(["phone", "tablet", "desktop"])
        for _ in range(int(random.integers(1, 30))):
            seconds = round(float(random.exponential(30)), 1)
            rows.append((f"u{user:03}", moment.isoformat(), f"item {item:02}", device, seconds))
            moment += timedelta(seconds=int(random.integers(1, 3_600)))
            item = int(random.choice(followers[item]) if random.random() < 0.8 else random.integers(ITEMS))
    return sorted(rows, key=lambda row: (row[1], row[0]))


def prices() -> list[tuple[object, ...]]:
    """The rows of the price table, day by day."""
    random = np.random.default_rng(1)
    days = [day for i in range(400) if (day := date(2025, 1, 1) + timedelta(days=i)).weekday() < 5][:DAYS]
    moves = random.normal(0.0003, 0.012, (DAYS, len(TICKERS)))
    closes = [20.0, 50, 90, 130] * np.exp(moves.cumsum(axis=0))
    rows: list[tuple[object, ...]] = []
    for day, row in zip(days, closes, strict=True):
        for ticker, close in zip(TICKERS, row, strict=True):
            shown = "" if random.random() < 0.01 else f"{close:.2f}"
            rows.append((ticker, day.isoformat(), shown, int(random.integers(1_000, 90_000))))
    return rows


def write(path: Path, names: Sequence[str], rows: Iterable[tuple[object, ...]]) -> None:
    """A CSV file with a header."""
    with path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(names)
        writer.writerows(rows)


def main() -> None:
    """Write both tables to a folder, by default the current one."""
    folder = Path(sys.argv[1] if len(sys.argv) > 1 else ".")
    write(folder / "clicks.csv", ["user", "time", "item", "device", "seconds"], clicks())
    write(folder / "prices.csv", ["ticker", "date", "close", "volume"], prices())


if __name__ == "__main__":
    main()
