"""NumPy by hand, a step written as one item however many features it has: `python pad_numpy_items.py IN OUT`."""

import sys


def main(source: str, output: str) -> None:
    import numpy as np

    with np.load(source) as data:
        values, lengths = data["values"], np.diff(data["offsets"])
    x = np.zeros((len(lengths), lengths.max(), *values.shape[1:]), values.dtype)
    step = f"V{values[:1].nbytes}"
    mask = np.arange(x.shape[1]) < lengths[:, None]
    x.reshape(*mask.shape, -1).view(step)[..., 0][mask] = values.reshape(len(values), -1).view(step)[:, 0]
    np.savez(output, x=x, lengths=lengths)


if __name__ == "__main__":
    main(*sys.argv[1:])
