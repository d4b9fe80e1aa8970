"""Windows one by one: `python window_loop.py IN OUT SIZE HORIZON`."""

import sys


def main(source: str, output: str, size: str, horizon: str) -> None:
    import numpy as np

    data = np.load(source)
    values, offsets, keys = data["values"], data["offsets"], data["keys"]
    steps, behind = int(size), int(horizon)
    x, y, owners = [], [], []
    for key, begin, end in zip(keys, offsets[:-1], offsets[1:], strict=True):
        for start in range(begin, end - steps - behind + 1):
            x.append(values[start : start + steps])
            y.append(values[start + steps : start + steps + behind])
            owners.append(key)
    np.savez(output, x=np.array(x), y=np.array(y), keys=np.array(owners))


if __name__ == "__main__":
    main(*sys.argv[1:])
