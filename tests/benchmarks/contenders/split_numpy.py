"""A random permutation of the sequences, and a file for each part of it: `python split_numpy.py IN OUT`."""

import sys


def main(source: str, output: str) -> None:
    import numpy as np

    data = np.load(source)
    arrays = {name: data[name] for name in ("x", "lengths", "keys")}
    order = np.random.default_rng(0).permutation(len(arrays["keys"]))
    tenth = len(order) // 10
    for name, rows in (
        ("test", order[:tenth]),
        ("val", order[tenth : 2 * tenth]),
        ("train", order[2 * tenth :]),
    ):
        np.savez(f"{output}.{name}.npz", **{key: array[rows] for key, array in arrays.items()})


if __name__ == "__main__":
    main(*sys.argv[1:])
