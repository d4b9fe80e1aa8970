"""PyTorch: `pack_padded_sequence`, an LSTM, `pad_packed_sequence`."""

from typing import Any

import torch
from batches import SEED, UNITS, Batch, run_over_files
from torch.nn.utils.rnn import pack_padded_sequence, pad_packed_sequence

torch.manual_seed(SEED)
LSTM = torch.nn.LSTM(3, UNITS, batch_first=True)


@torch.no_grad()
def lstm(batch: Batch, masked: bool) -> dict[str, Any]:
    x, lengths = torch.from_numpy(batch.x), torch.from_numpy(batch.lengths)
    if masked:
        packed = pack_padded_sequence(x, lengths, batch_first=True, enforce_sorted=False)
        outputs, (h, c) = LSTM(packed)
        outputs, _ = pad_packed_sequence(outputs, batch_first=True, total_length=x.shape[1])
    else:
        outputs, (h, c) = LSTM(x)
    return {"outputs": outputs.numpy(), "h": h[-1].numpy(), "c": c[-1].numpy()}


run_over_files(lstm)
