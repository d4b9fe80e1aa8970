"""Keras `StringLookup`: names by their count on train, `python encode_keras.py IN OUT`."""

import os
import sys


def main(source: str, output: str) -> None:
    os.environ.setdefault("KERAS_BACKEND", "tensorflow")
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    import numpy as np
    from keras.layers import StringLookup

    data = np.load(source)
    names = data["vocabulary_0"].astype(object)[data["values"] - 3]
    train = np.repeat(data["split"] == "train", np.diff(data["offsets"]))
    lookup = StringLookup()
    lookup.adapt(names[train])
    found = np.asarray(lookup(names))  # 0 is what was not in train, 1 + i the name i
    # Names of one count come in another order; it has no least count.
    vocabulary = np.array(lookup.get_vocabulary()[1:])
    counts = np.bincount(found[train], minlength=len(vocabulary) + 1)[1:]
    order = np.lexsort((vocabulary, -counts))
    order = order[counts[order] >= 2]
    ids = np.full(len(vocabulary) + 1, 2)
    ids[1 + order] = np.arange(3, len(order) + 3)
    np.savez(output, values=ids[found], offsets=data["offsets"], vocabulary=vocabulary[order])


if __name__ == "__main__":
    main(*sys.argv[1:])
