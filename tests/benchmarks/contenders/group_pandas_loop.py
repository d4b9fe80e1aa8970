"""pandas, a loop over the groups: `python group_pandas_loop.py IN OUT`."""

import sys


def main(source: str, output: str) -> None:
    import numpy as np
    import pandas as pd

    frame = pd.read_csv(source) if source.endswith(".csv") else pd.read_parquet(source)
    features = [name for name in frame.columns if name != "key"]
    keys, groups = [], []
    for key, group in frame.groupby("key"):
        keys.append(key)
        groups.append(group[features].to_numpy(np.float32))
    lengths = np.array([len(group) for group in groups])
    x = np.zeros((len(groups), lengths.max(), len(features)), np.float32)
    for i, group in enumerate(groups):
        x[i, : len(group)] = group
    np.savez(output, x=x, lengths=lengths, keys=np.array(keys))


if __name__ == "__main__":
    main(*sys.argv[1:])
