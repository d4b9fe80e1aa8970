"""pandas: names as ids beside their vocabulary, `python categories_pandas.py IN OUT`."""

import sys


def main(source: str, output: str) -> None:
    import numpy as np
    import pandas as pd

    frame = pd.read_csv(source) if source.endswith(".csv") else pd.read_parquet(source)
    names = frame["item"].astype("category").cat
    groups = frame.groupby("key")
    rows, steps, sizes = groups.ngroup().to_numpy(), groups.cumcount().to_numpy(), groups.size()
    lengths = sizes.to_numpy(np.int64)
    x = np.zeros((len(lengths), lengths.max()), np.int64)
    x[rows, steps] = names.codes.to_numpy().astype(np.int64) + 3
    vocabulary = names.categories.to_numpy().astype(str)
    np.savez(output, x=x, lengths=lengths, keys=sizes.index.to_numpy(), vocabulary_0=vocabulary)


if __name__ == "__main__":
    main(*sys.argv[1:])
