"""Batches of 64 sequences of `in.npz` or `in.parquet`, shuffled: `load.py FRAMEWORK WAY BATCHES [WORKERS [train]]`.

With `train` an LSTM of PyTorch takes a step of training with each. The seconds that so many batches take, after the
first one, go to `seconds.txt`.
"""

import itertools
import os
import sys
import time
from pathlib import Path

import numpy as np

import seqtool

os.environ.update(KERAS_BACKEND="tensorflow", TF_CPP_MIN_LOG_LEVEL="3")
BATCH = 64


def with_torch(way, workers="0", also=""):
    """A DataLoader, or the losses of training with its batches."""
    import torch
    from torch.nn.utils.rnn import pad_sequence
    from torch.utils.data import DataLoader, TensorDataset

    from seqtool.torch import SequenceDataset, collate

    def collate_list(items):
        xs, ys = zip(*items, strict=True)
        return pad_sequence(xs, batch_first=True), torch.tensor([len(x) for x in xs]), torch.stack(ys)

    collate_fn = None
    if way in ("seqtool", "file", "parquet"):
        path = "in.parquet" if way == "parquet" else "in.npz"
        data, collate_fn = SequenceDataset(path, in_memory=way != "file"), collate
    elif way == "list":
        x, lengths, y = ragged()
        data = list(zip(torch.from_numpy(x).split(lengths.tolist()), torch.from_numpy(y), strict=True))
        collate_fn = collate_list
    else:
        data = TensorDataset(*map(torch.from_numpy, padded()))
    loader = DataLoader(data, batch_size=BATCH, shuffle=True, num_workers=int(workers), collate_fn=collate_fn)
    return trained(loader) if also == "train" else loader


def trained(loader):
    """The loss of each batch `(x, lengths, y)`."""
    import torch
    from torch.nn.utils.rnn import pack_padded_sequence

    torch.set_num_threads(1)
    lstm, head = torch.nn.LSTM(5, 16, batch_first=True), torch.nn.Linear(16, 2)
    optimizer = torch.optim.SGD([*lstm.parameters(), *head.parameters()], 0.01)
    for x, lengths, y in loader:
        packed = pack_padded_sequence(x, lengths, batch_first=True, enforce_sorted=False)
        loss = torch.nn.functional.cross_entropy(head(lstm(packed)[1][0][-1]), y)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        yield loss.item()


def with_keras(way):
    """What `fit` reads: the tf.data.Dataset that Keras makes of a PyDataset."""
    import keras
    from keras.src.trainers.data_adapters.py_dataset_adapter import PyDatasetAdapter

    from seqtool.keras import SequenceData

    class Rows(keras.utils.PyDataset):
        def __init__(self):
            super().__init__()
            self.x, _, self.y = padded()
            self.order = np.random.default_rng(0).permutation(len(self.x))

        def __len__(self):
            return len(self.x) // BATCH

        def __getitem__(self, i):
            chosen = self.order[i * BATCH : (i + 1) * BATCH]
            return self.x[chosen], self.y[chosen]

    if way == "arrays":
        return PyDatasetAdapter(Rows()).get_tf_dataset()
    data = SequenceData("in.npz", batch_size=BATCH, shuffle=True, in_memory=way == "seqtool")
    return PyDatasetAdapter(data).get_tf_dataset()


def with_tf(way):
    """A tf.data.Dataset."""
    import tensorflow as tf

    from seqtool.tf import dataset

    slices = tf.data.Dataset.from_tensor_slices
    if way == "slices":
        x, lengths, y = padded()
        return slices((x, lengths, y)).shuffle(len(y)).batch(BATCH).prefetch(2)
    if way == "ragged":
        x, lengths, y = ragged()
        rows = tf.RaggedTensor.from_row_lengths(x, lengths)
        batches = slices((rows, lengths, y)).shuffle(len(y)).batch(BATCH)
        return batches.map(lambda rows, lengths, y: (rows.to_tensor(), lengths, y)).prefetch(2)
    return dataset("in.npz", batch_size=BATCH, shuffle=True, in_memory=way == "seqtool")


def with_datasets(way):
    """Batches of `datasets`, which the same few lines pad."""
    import datasets
    import torch
    from torch.nn.utils.rnn import pad_sequence

    features = "abcde"
    folder = str(Path.cwd() / "cache")
    rows = datasets.load_dataset("parquet", data_files="in.parquet", split="train", cache_dir=folder)
    rows = rows.with_format(way)

    def torch_batch(chosen):
        batch = rows[chosen]
        columns = [pad_sequence(list(batch[name]), batch_first=True) for name in features]
        return torch.stack(columns, dim=-1), batch["lengths"], batch["y"]

    def arrow_batch(chosen):
        table = rows[chosen].combine_chunks()
        lengths = np.asarray(table["lengths"])
        steps = [np.asarray(table[name].chunk(0).flatten()) for name in features]
        x = np.zeros((len(chosen), lengths.max(), len(features)), np.float32)
        x[np.arange(lengths.max()) < lengths[:, None]] = np.stack(steps, axis=-1)
        return torch.from_numpy(x), torch.from_numpy(lengths), torch.from_numpy(np.asarray(table["y"]))

    order = np.random.default_rng(0).permutation(len(rows))
    batch = torch_batch if way == "torch" else arrow_batch
    return (batch(order[begin : begin + BATCH].tolist()) for begin in range(0, len(order), BATCH))


def ragged():
    """Values, lengths and labels."""
    data = seqtool.load("in.npz")
    return np.asarray(data.values), np.asarray(data.lengths), np.asarray(data.per_sequence["y"])


def padded():
    """Rows of all slots, lengths and labels."""
    data = seqtool.pad(seqtool.load("in.npz"), padding="post")
    return data.x, data.lengths, data.per_sequence["y"]


def main():
    """Load the first batch, and then so many others by the clock."""
    framework, way, count, *workers = sys.argv[1:]
    ways = {"torch": with_torch, "keras": with_keras, "tf": with_tf, "datasets": with_datasets}
    batches = iter(ways[framework](way, *workers))
    next(batches)
    begin = time.perf_counter()
    loaded = sum(1 for _ in itertools.islice(batches, int(count)))
    assert loaded == int(count), loaded
    Path("seconds.txt").write_text(str(time.perf_counter() - begin))


if __name__ == "__main__":
    main()
