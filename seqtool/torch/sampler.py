"""Batches of similar lengths, in random order."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence, Sized
from typing import Any, cast

import numpy as np
from torch.utils.data import Sampler

from seqtool.arrays.dtypes import Array
from seqtool.errors import UsageError
from seqtool.training.batches import bucket_batches, check_boundaries, check_options, length_batches


class LengthBatchSampler(Sampler[list[int]]):
    """Batches of similar lengths, in random order, for the `batch_sampler` of a DataLoader.

    What `sampler` draws (by default all N sequences in random order; a DistributedSampler, or one over a
    subset) is gathered in pools of 100 batches, sorted by length and cut; every index comes once, in
    ceil(n / batch_size) batches, as many on every rank. `lengths` (N,) are those of the dataset. The order
    follows from `seed` and the epoch, which counts up by itself or is set with `set_epoch`; an own
    `sampler` draws by its own rules. With `boundaries`, such as those that `seqtool plan` shows, a batch holds
    sequences of one bucket of lengths, and each bucket may have a batch that is not full.
    """

    def __init__(
        self,
        lengths: Any,
        *,
        batch_size: int,
        sampler: Sampler[int] | None = None,
        seed: int = 0,
        boundaries: Sequence[int] | None = None,
    ) -> None:
        check_options(batch_size=batch_size, seed=seed)
        if boundaries is not None:
            check_boundaries(boundaries)
        if boundaries is not None and sampler is not None:
            raise UsageError(
                "boundaries and sampler do not go together: ranks would have batches in unequal numbers"
            )
        self.lengths = np.asarray(lengths)
        self.batch_size = batch_size
        self.drop_last = False  # asked by libraries that spread batches over machines
        self.sampler = sampler
        self.seed = seed
        self.boundaries = boundaries
        self.epoch = 0

    def __len__(self) -> int:
        if self.boundaries is not None:
            return len(self._bucketed(None))
        sampler = self.lengths if self.sampler is None else self.sampler
        return -(-len(cast(Sized, sampler)) // self.batch_size)

    def set_epoch(self, epoch: int) -> None:
        """Set which epoch comes next, as for a DistributedSampler, which is set too."""
        self.epoch = epoch
        set_epoch = getattr(self.sampler, "set_epoch", None)
        if set_epoch is not None:
            set_epoch(epoch)

    def __iter__(self) -> Iterator[list[int]]:
        random = np.random.default_rng((self.seed, self.epoch))
        self.epoch += 1
        if self.boundaries is not None:
            yield from (batch.tolist() for batch in self._bucketed(random))
            return
        order: Iterable[int] = random.permutation(len(self.lengths)) if self.sampler is None else self.sampler
        for batch in length_batches(order, self.lengths, batch_size=self.batch_size, random=random):
            yield batch.tolist()

    def _bucketed(self, random: np.random.Generator | None) -> list[Array]:
        order, boundaries = np.arange(len(self.lengths)), self.boundaries or ()
        return bucket_batches(order, self.lengths, boundaries, batch_size=self.batch_size, random=random)
