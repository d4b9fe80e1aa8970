"""Sequences of a file for PyTorch: a dataset, a collate, a sampler of batches of similar lengths, packing.

With `data = SequenceDataset("train.npz")`, a DataLoader of `data` with
`batch_sampler=LengthBatchSampler(data.lengths, batch_size=32)` and `collate_fn=collate` gives each `Batch`,
which a recurrent layer takes as `to_packed(batch)`. Begin with `dataset`.
"""

try:
    import torch  # noqa: F401
except ModuleNotFoundError as missing:
    raise ImportError(f"seqtool.torch needs PyTorch ({missing}): pip install torch") from None

from seqtool.torch.batch import Batch, NamedBatch, to_packed
from seqtool.torch.collation import collate
from seqtool.torch.dataset import Items, SequenceDataset
from seqtool.torch.sampler import LengthBatchSampler

__all__ = ["Batch", "Items", "LengthBatchSampler", "NamedBatch", "SequenceDataset", "collate", "to_packed"]
