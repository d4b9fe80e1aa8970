"""NumPy by hand: `python concat_numpy.py IN OUT`, with other.npz beside IN."""

import sys
from pathlib import Path


def main(source: str, output: str) -> None:
    import numpy as np

    files = [np.load(source), np.load(Path(source).with_name("other.npz"))]
    blocks = [file["x"] for file in files]
    slots = max(block.shape[1] for block in blocks)
    x = np.concatenate([np.pad(block, ((0, 0), (0, slots - block.shape[1]), (0, 0))) for block in blocks])
    keys, lengths = (np.concatenate([file[name] for file in files]) for name in ("keys", "lengths"))
    if len(np.unique(keys)) < len(keys):
        sys.exit("a key is there twice")
    np.savez(output, x=x, lengths=lengths, keys=keys)


if __name__ == "__main__":
    main(*sys.argv[1:])
