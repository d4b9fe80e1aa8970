"""Sorted rows with differences by group, and times filled forward from the last row with a value, to a block."""

import sys


def main(source: str, target: str) -> None:
    import numpy as np
    import pandas as pd

    frame = pd.read_parquet(source).sort_values(["key", "t"], kind="stable")
    features = [name for name in frame.columns if name.startswith("v")]
    groups = frame.groupby("key", sort=False)
    frame["t_delta"] = groups["t"].diff().fillna(0)
    frame["position"] = groups.cumcount()
    first = groups["t"].transform("first")
    for name in features:
        seen = frame["t"].where(frame[name].notna())
        before = seen.groupby(frame["key"]).ffill().groupby(frame["key"]).shift()
        frame[f"{name}_since"] = frame["t"] - before.fillna(first)
    keys, lengths = np.unique(frame["key"], return_counts=True)
    columns = [*features, "t_delta", "position", *(f"{name}_since" for name in features)]
    x = np.zeros((len(keys), lengths.max(), len(columns)), np.float32)
    x[np.arange(lengths.max()) < lengths[:, None]] = frame[columns].to_numpy(np.float32)
    np.savez(target, x=x, lengths=lengths, keys=keys)


if __name__ == "__main__":
    main(*sys.argv[1:])
