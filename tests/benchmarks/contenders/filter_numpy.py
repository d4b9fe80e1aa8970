"""A mask by hand: `python filter_numpy.py IN OUT`."""

import sys


def main(source: str, output: str) -> None:
    import numpy as np

    data = np.load(source)
    kept = (data["lengths"] > 42) & (data["keys"] != 7)
    np.savez(output, x=data["x"][kept], lengths=data["lengths"][kept], keys=data["keys"][kept])


if __name__ == "__main__":
    main(*sys.argv[1:])
