"""A network that trains from a folder of shards learns what it learns from one file."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from tests.command import Place, succeeded
from tests.frameworks.apart import alone

pytestmark = pytest.mark.torch


@pytest.fixture
def folder(place: Place) -> Path:
    """The same sequences in shards, `shards/`, and in one file, `one.npz`."""
    random = np.random.default_rng(0)
    users = random.integers(0, 60, 1500)
    cells = zip(users, random.normal(users % 3), strict=True)
    rows = "".join(f"u{user},{time},{user % 3},{a:.3f}\n" for time, (user, a) in enumerate(cells))
    place.write("rows.csv", f"user,time,kind,a\n{rows}")
    succeeded(
        place.run(
            *[
                "group",
                "rows.csv",
                "--key",
                "user",
                "--order-by",
                "time",
                "--label",
                "kind",
                "--shards",
                "5",
                "-o",
                "shards/",
            ]
        )
    )
    succeeded(place.run("convert", "shards", "-o", "one.npz"))
    return place.folder


def losses(path: Path, *, in_memory: bool) -> list[float]:
    """The losses of two epochs of a small network, read by two workers in an order that a seed fixes."""
    import torch
    from torch import nn
    from torch.utils.data import DataLoader

    from seqtool.torch import SequenceDataset, collate

    torch.manual_seed(1)
    data = SequenceDataset(path, in_memory=in_memory)
    loader = DataLoader(
        data,
        batch_size=8,
        shuffle=True,
        generator=torch.Generator().manual_seed(2),
        collate_fn=collate,
        num_workers=2,
    )
    lstm, dense = nn.LSTM(1, 8, batch_first=True), nn.Linear(8, 3)
    optimizer = torch.optim.SGD([*lstm.parameters(), *dense.parameters()], 0.1)
    found = []
    for _ in range(2):
        for batch in loader:
            packed = nn.utils.rnn.pack_padded_sequence(
                batch.x, batch.lengths, batch_first=True, enforce_sorted=False
            )
            loss = nn.functional.cross_entropy(dense(lstm(packed)[1][0][-1]), batch.y)
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            found.append(loss.item())
    return found


def check_losses(folder: str) -> None:
    expected = losses(Path(folder, "one.npz"), in_memory=True)
    assert len(expected) == 16
    for in_memory in (True, False):
        assert losses(Path(folder, "shards"), in_memory=in_memory) == expected


def test_a_network_learns_the_same_from_shards(folder: Path) -> None:
    alone(check_losses, folder)


def test_ranks_share_the_sequences_of_shards(folder: Path) -> None:
    from torch.utils.data import DistributedSampler

    from seqtool.torch import SequenceDataset

    data = SequenceDataset(folder / "shards")
    samplers = [DistributedSampler(data, num_replicas=2, rank=rank, seed=3) for rank in range(2)]
    assert sorted(i for sampler in samplers for i in sampler) == [*range(len(data))]
