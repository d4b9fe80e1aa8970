"""NumPy: `python compress_numpy.py IN OUT`."""

import sys


def main(source: str, output: str) -> None:
    import numpy as np

    x = np.load(source)
    np.savez_compressed(output, x=x, lengths=np.full(len(x), x.shape[1]))


if __name__ == "__main__":
    main(*sys.argv[1:])
