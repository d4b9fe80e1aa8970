"""torch: `python pad_torch.py IN OUT [MAXLEN]`."""

import sys


def main(source: str, output: str, maxlen: str = "") -> None:
    import numpy as np
    import torch

    data = np.load(source)
    if source.endswith(".npy"):
        lengths = np.full(len(data), data.shape[1])
        missing = int(maxlen) - data.shape[1]
        x = torch.nn.functional.pad(torch.from_numpy(data), (0, 0, 0, missing))
    else:
        lengths = np.diff(data["offsets"])
        sequences = torch.from_numpy(data["values"]).split(lengths.tolist())
        x = torch.nn.utils.rnn.pad_sequence(sequences, batch_first=True)
    np.savez(output, x=x.numpy(), lengths=lengths)


if __name__ == "__main__":
    main(*sys.argv[1:])
