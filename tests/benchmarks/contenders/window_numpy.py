"""Windows as views of each sequence: `python window_numpy.py IN OUT SIZE HORIZON`."""

import sys
from itertools import pairwise


def main(source: str, output: str, size: str, horizon: str) -> None:
    import numpy as np
    from numpy.lib.stride_tricks import sliding_window_view

    data = np.load(source)
    values, offsets, keys = data["values"], data["offsets"], data["keys"]
    steps, behind = int(size), int(horizon)
    x, y, counts = [], [], []
    for begin, end in pairwise(offsets):
        sequence = values[begin:end]
        x.append(sliding_window_view(sequence, steps, axis=0)[:-behind].swapaxes(1, 2))
        y.append(sliding_window_view(sequence[steps:], behind, axis=0).swapaxes(1, 2))
        counts.append(len(x[-1]))
    np.savez(output, x=np.concatenate(x), y=np.concatenate(y), keys=np.repeat(keys, counts))


if __name__ == "__main__":
    main(*sys.argv[1:])
