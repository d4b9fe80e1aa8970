"""pandas: names by their count on train, `python encode_pandas.py IN OUT`."""

import sys


def main(source: str, output: str) -> None:
    import numpy as np
    import pandas as pd

    data = np.load(source)
    names = pd.Series(data["vocabulary_0"][data["values"] - 3])
    train = np.repeat(data["split"] == "train", np.diff(data["offsets"]))
    counts = names[train].value_counts()
    counts = counts[counts >= 2].rename_axis("name").reset_index(name="count")
    kept = counts.sort_values(["count", "name"], ascending=[False, True])["name"]
    places = pd.Series(np.arange(3, len(kept) + 3), index=kept)
    ids = names.map(places).fillna(2).astype(np.int64).to_numpy()
    np.savez(output, values=ids, offsets=data["offsets"], vocabulary=kept.to_numpy().astype(str))


if __name__ == "__main__":
    main(*sys.argv[1:])
