"""NumPy: `python compress_external_numpy.py IN OUT`."""

import sys


def main(source: str, output: str) -> None:
    import numpy as np

    with np.load(source) as arrays:
        np.savez_compressed(output, x=arrays["x"], lengths=arrays["lengths"])


if __name__ == "__main__":
    main(*sys.argv[1:])
