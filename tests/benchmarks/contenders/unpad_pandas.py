"""Real steps by the mask into a DataFrame with the keys repeated, sorted by row number and written as CSV."""

import sys


def main(source: str, target: str) -> None:
    import numpy as np
    import pandas as pd

    data = np.load(source)
    lengths = data["lengths"]
    mask = np.arange(data["x"].shape[1]) < lengths[:, None]
    frame = pd.DataFrame(data["x"][mask], columns=["1", "2", "3", "4"])
    frame.insert(0, "0", np.repeat(data["keys"], lengths))
    frame["step"] = np.nonzero(mask)[1]
    frame["row_index"] = data["row_index"][mask]
    frame.sort_values("row_index").to_csv(target, index=False)


if __name__ == "__main__":
    main(*sys.argv[1:])
