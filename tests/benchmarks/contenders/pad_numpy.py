"""NumPy by hand: `python pad_numpy.py IN OUT [MAXLEN]`."""

import sys


def main(source: str, output: str, maxlen: str = "") -> None:
    import numpy as np

    data = np.load(source)
    if source.endswith(".npy"):
        lengths = np.full(len(data), data.shape[1])
        x = np.zeros((len(data), int(maxlen), *data.shape[2:]), data.dtype)
        x[:, : data.shape[1]] = data
    else:
        values, lengths = data["values"], np.diff(data["offsets"])
        x = np.zeros((len(lengths), lengths.max(), *values.shape[1:]), values.dtype)
        x[np.arange(x.shape[1]) < lengths[:, None]] = values
    np.savez(output, x=x, lengths=lengths)


if __name__ == "__main__":
    main(*sys.argv[1:])
