"""The last steps of each sequence of a block padded at its end: `python truncate_numpy.py IN OUT MAXLEN`."""

import sys


def main(source: str, output: str, maxlen: str) -> None:
    import numpy as np

    data = np.load(source)
    x, lengths, keys, slots = data["x"], data["lengths"], data["keys"], int(maxlen)
    kept = np.minimum(lengths, slots)
    rows = (lengths - kept)[:, None] + np.arange(slots)
    cut = np.take_along_axis(x, np.minimum(rows, x.shape[1] - 1)[..., None], axis=1)
    cut[np.arange(slots) >= kept[:, None]] = 0
    np.savez(output, x=cut, lengths=kept, keys=keys, original_lengths=lengths)


if __name__ == "__main__":
    main(*sys.argv[1:])
