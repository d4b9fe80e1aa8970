"""pandas by groups: `python fill_pandas.py IN OUT`."""

import sys


def main(source: str, output: str) -> None:
    import numpy as np
    import pandas as pd

    data = np.load(source)
    values, offsets = data["values"], data["offsets"]
    frame = pd.DataFrame(values)
    key = np.repeat(np.arange(len(offsets) - 1), np.diff(offsets))
    filled = frame.groupby(key).ffill().fillna(frame.mean())
    np.savez(output, values=filled.to_numpy(), offsets=offsets)


if __name__ == "__main__":
    main(*sys.argv[1:])
