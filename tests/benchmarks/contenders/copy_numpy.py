"""All arrays of a file, read and written again: `python copy_numpy.py IN OUT`."""

import sys


def main(source: str, output: str) -> None:
    import numpy as np

    with np.load(source) as data:
        np.savez(output, **{name: data[name] for name in data.files})


if __name__ == "__main__":
    main(*sys.argv[1:])
