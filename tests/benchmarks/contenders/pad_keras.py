"""Keras: `python pad_keras.py IN OUT [MAXLEN]`.

Any backend will do, and one there must be; torch is another contender's already.
"""

import os
import sys


def main(source: str, output: str, maxlen: str = "") -> None:
    os.environ.setdefault("KERAS_BACKEND", "torch")
    import numpy as np
    from keras.utils import pad_sequences

    data = np.load(source)
    if source.endswith(".npy"):
        sequences, lengths = data, np.full(len(data), data.shape[1])
    else:
        offsets = data["offsets"]
        sequences, lengths = np.split(data["values"], offsets[1:-1]), np.diff(offsets)
    # Its default of int32 would cut fractions off.
    dtype = sequences[0].dtype
    x = pad_sequences(sequences, maxlen=int(maxlen) if maxlen else None, dtype=dtype, padding="post")
    np.savez(output, x=x, lengths=lengths)


if __name__ == "__main__":
    main(*sys.argv[1:])
