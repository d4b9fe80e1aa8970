"""pandas without a loop: `python group_pandas.py IN OUT`.

The number of each row's group and its place there say where it goes, so nothing is sorted. A step is written as
one item, however many features it has.
"""

import sys
from pathlib import Path


def main(source: str, output: str) -> None:
    import numpy as np
    import pandas as pd

    if source.endswith(".csv"):
        with Path(source).open() as file:
            names = file.readline().rstrip("\n").split(",")
        frame = pd.read_csv(source, dtype={name: np.float32 for name in names if name != "key"})
    else:
        frame = pd.read_parquet(source)
    features = [name for name in frame.columns if name != "key"]
    groups = frame.groupby("key")
    rows, steps, sizes = groups.ngroup().to_numpy(), groups.cumcount().to_numpy(), groups.size()
    lengths = sizes.to_numpy(np.int64)
    values = np.ascontiguousarray(frame[features].to_numpy(np.float32))
    x = np.zeros((len(lengths), lengths.max(), len(features)), np.float32)
    step = f"V{4 * len(features)}"
    x.view(step)[..., 0][rows, steps] = values.view(step)[:, 0]
    keys = sizes.index.to_numpy()
    np.savez(output, x=x, lengths=lengths, keys=keys if keys.dtype == np.int64 else keys.astype(str))


if __name__ == "__main__":
    main(*sys.argv[1:])
