"""Each sequence by itself: sorted, scaled by the numbers that a receipt holds, and padded with NumPy.

`python recipe_pandas.py ROWS TRAIN OUT SECONDS`; cities become ids and kinds numbers by the tables of the file.
"""

import json
import sys
import time
from pathlib import Path


def main(rows: str, train: str, target: str, seconds: str) -> None:
    import numpy as np
    import pandas as pd

    with np.load(train) as file:
        held = {name: file[name] for name in file.files}
    step = json.loads(str(held["meta"]))["receipt"][1]["state"]
    center, scale = np.array(step["center"]), np.array(step["scale"])
    named = "vocabulary_0" in held
    ids = {name: 3 + i for i, name in enumerate(held["vocabulary_0"].tolist())} if named else {}
    classes = {name: i for i, name in enumerate(held["classes"].tolist())} if named else {}
    frames = [frame for _, frame in pd.read_parquet(rows).groupby("key")]
    blocks, cities, kinds = [], [], []
    begin = time.perf_counter()
    for frame in frames:
        frame = frame.sort_values("time")
        steps = frame[["a", "b", "c", "d"]].to_numpy(np.float64)
        block = np.zeros((1, 20, 4), np.float32)
        block[0, : len(steps)] = (steps - center) / scale
        blocks.append(block)
        if named:
            city = np.zeros((1, 20), np.int64)
            city[0, : len(steps)] = frame["city"].map(ids).fillna(2).to_numpy()
            cities.append(city)
            kinds.append(classes[frame["kind"].iloc[0]])
    Path(seconds).write_text(str(time.perf_counter() - begin))
    np.save(target, np.concatenate(blocks))


if __name__ == "__main__":
    main(*sys.argv[1:])
