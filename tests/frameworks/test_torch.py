"""`seqtool.torch` with the real PyTorch."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import seqtool
from seqtool.errors import DataError, UsageError
from tests.frameworks.apart import alone, growth
from tests.frameworks.files import (
    COUNT,
    EVERYTHING,
    grown,
    sequences,
    several_labels,
    write,
    write_everything,
)

pytestmark = pytest.mark.torch
KINDS = ["ragged", "packed", "post", "pre"]
every_kind = pytest.mark.parametrize("kind", KINDS)


def batches_of(file: Path, *, batch_size: int = 8, sampler: Any = None, **options: Any) -> list[Any]:
    from torch.utils.data import DataLoader

    from seqtool.torch import LengthBatchSampler, SequenceDataset, collate

    data = SequenceDataset(file)
    batches = LengthBatchSampler(data.lengths, batch_size=batch_size, sampler=sampler)
    return list(DataLoader(data, batch_sampler=batches, collate_fn=collate, **options))


# Items


@every_kind
def test_an_item_is_a_sequence_without_padding_and_its_label(files: Path, kind: str) -> None:
    import torch

    from seqtool.torch import SequenceDataset

    data = SequenceDataset(files / f"{kind}.npz")
    assert len(data) == COUNT
    assert data.lengths.tolist() == [len(sequence) for sequence in sequences()]
    for i, ((x, y), sequence) in enumerate(zip(data, sequences(), strict=True)):
        assert (x.dtype, y.dtype, y.ndim) == (torch.float32, torch.int64, 0)
        np.testing.assert_array_equal(x, sequence)
        assert y == i


def test_items_of_tokens_of_labelled_steps_and_without_labels(files: Path) -> None:
    import torch

    from seqtool.torch import SequenceDataset

    x, y = SequenceDataset(files / "tokens.npz")[3]
    assert (x.dtype, x.ndim, y.dtype) == (torch.int64, 1, torch.float32)
    x, y = SequenceDataset(files / "steps.npz")[3]
    assert (len(y), y.dtype) == (len(x), torch.int64)
    for spelled in ("float64", np.float64, np.dtype("float64")):
        assert SequenceDataset(files / "bare.npz", dtype=spelled)[3].dtype == torch.float64
    x = SequenceDataset(files / "bare.npz", dtype=torch.float64)[3]
    assert x.dtype == torch.float64
    np.testing.assert_array_equal(x, sequences()[3])


def test_an_item_that_is_not_there(files: Path) -> None:
    from seqtool.torch import SequenceDataset

    for i in (-1, COUNT):
        with pytest.raises(IndexError, match=f"there is no sequence {i}"):
            SequenceDataset(files / "ragged.npz")[i]


def test_a_type_that_numpy_lacks(files: Path) -> None:
    import torch

    from seqtool.torch import SequenceDataset

    for dtype in (torch.bfloat16, torch.float8_e5m2):
        with pytest.raises(
            UsageError, match=rf"dtype is {dtype}; a dtype that NumPy also has .* batch\.x\.to\(dtype\)"
        ):
            SequenceDataset(files / "ragged.npz", dtype=dtype)


# Batches


@every_kind
@pytest.mark.parametrize("value", [0, -1.5, (1, 2, 3)])
def test_a_batch_is_what_pad_makes_of_its_sequences(files: Path, kind: str, value: Any) -> None:
    import torch

    from seqtool.torch import Batch, SequenceDataset, collate

    data = SequenceDataset(files / f"{kind}.npz")
    for indices in ([4], [9, 2, 2, 31], list(range(COUNT))):
        batch = collate(data.__getitems__(indices), value=value)
        expected = seqtool.pad([sequences()[i] for i in indices], padding="post", value=value)
        assert isinstance(batch, Batch)
        np.testing.assert_array_equal(batch.x, expected.x)
        assert batch.lengths.tolist() == expected.lengths.tolist()
        assert batch.lengths.dtype == torch.int64
        assert batch.y is not None
        assert batch.y.tolist() == indices


def test_batches_of_tokens_of_labelled_steps_and_without_labels(files: Path) -> None:
    from seqtool.torch import SequenceDataset, collate
    from seqtool.training.sequence_file import SequenceFile

    for name in ("tokens", "steps", "bare"):
        expected = SequenceFile(files / f"{name}.npz").batch([7, 3, 40])
        batch = collate(SequenceDataset(files / f"{name}.npz").__getitems__([7, 3, 40]))
        for found, meant in zip(batch, expected, strict=True):
            if meant is None:
                assert found is None
            else:
                np.testing.assert_array_equal(found, meant)


def test_batches_of_several_labels(files: Path) -> None:
    import torch

    for name, labels in several_labels().items():
        seen = 0
        for batch in batches_of(files / f"{name}.npz"):
            order = torch.round(4 * batch.y[:, 0] / (4 if name == "whole" else 1)).long()
            np.testing.assert_array_equal(batch.y, labels.y[order])
            assert batch.y.dtype == (torch.int64 if name == "whole" else torch.float32)
            for i, x, length in zip(order, batch.x, batch.lengths, strict=True):
                np.testing.assert_array_equal(x[:length], sequences()[i])
            seen += len(order)
        assert seen == COUNT


def test_padding_that_the_type_cannot_hold_is_refused(files: Path) -> None:
    import torch

    from seqtool.torch import SequenceDataset, collate

    tokens = SequenceDataset(files / "tokens.npz").__getitems__([3, 4])
    assert collate(tokens, value=-5).x.dtype == torch.int64
    for value in (0.5, float("nan"), 2**70):
        with pytest.raises(DataError, match=r"^value .* cannot be held in int64"):
            collate(tokens, value=value)
    features = SequenceDataset(files / "ragged.npz").__getitems__([3, 4])
    with pytest.raises(DataError, match=r"^value 1e\+300 cannot be held in float32"):
        collate(features, value=1e300)
    with pytest.raises(DataError, match="value has 2 numbers, but a step has 3 features"):
        collate(features, value=(1, 2))
    halves = [(x.to(torch.bfloat16), y) for x, y in features]
    assert collate(halves, value=0.5).x.dtype == torch.bfloat16
    steps = SequenceDataset(files / "steps.npz").__getitems__([3, 4])
    with pytest.raises(DataError, match=r"^value 0\.5 cannot be held in int64"):
        collate(steps, label_value=0.5)


def test_a_batch_goes_to_a_device_without_its_lengths(files: Path) -> None:
    (batch, *_) = batches_of(files / "ragged.npz")
    moved = batch.to("meta")
    assert (moved.x.device.type, moved.y.device.type, moved.lengths.device.type) == ("meta", "meta", "cpu")
    assert batches_of(files / "bare.npz")[0].to("meta").y is None


@pytest.mark.filterwarnings("ignore:'pin_memory' argument is set:UserWarning")
def test_a_batch_that_is_to_be_pinned_stays_a_batch(files: Path) -> None:
    from seqtool.torch import Batch

    assert all(isinstance(batch, Batch) for batch in batches_of(files / "ragged.npz", pin_memory=True))


@every_kind
def test_a_batch_by_name_has_all_that_belongs_to_its_sequences(kind: str, tmp_path: Path) -> None:
    import torch
    from torch.nn.utils.rnn import unpack_sequence
    from torch.utils.data import DataLoader

    from seqtool.torch import NamedBatch, SequenceDataset, collate, to_packed

    expected = write_everything(tmp_path / "in.npz", kind)
    data = SequenceDataset(tmp_path / "in.npz", include=EVERYTHING)
    (batch,) = DataLoader(data, batch_sampler=[[2, 0]], collate_fn=collate)
    assert type(batch) is NamedBatch
    assert set(batch) == set(expected)
    for name, array in batch.items():
        assert isinstance(array, torch.Tensor) == (name not in ("keys", "split"))
        np.testing.assert_array_equal(array, expected[name], err_msg=name)
    assert {batch[name].dtype for name in ("x", "static")} == {torch.float32}
    moved = batch.to("meta")
    assert {name for name in batch if getattr(moved[name], "is_meta", False)} == {
        name for name in batch if name not in ("keys", "split", "lengths")
    }
    assert [len(steps) for steps in unpack_sequence(to_packed(batch))] == [3, 1]
    with pytest.raises(DataError, match=r"^1 of 1 sequences"):
        to_packed(collate(data.__getitems__([1])))
    other = collate(data.__getitems__([2, 0]), value=-9, label_value=-1)
    assert (other["x"][1, 1:].unique().tolist(), other["step_y"][1].tolist()) == ([-9], [1, -1, -1])


@every_kind
@pytest.mark.parametrize("in_memory", [True, False])
def test_a_batch_gathered_at_once_is_that_of_its_items(kind: str, in_memory: bool, tmp_path: Path) -> None:
    import torch

    from seqtool.torch import SequenceDataset, collate

    write_everything(tmp_path / "all.npz", kind)
    write(tmp_path)
    for name, include in [
        (kind, ()),
        ("tokens", ()),
        ("steps", ()),
        ("bare", ()),
        ("all", EVERYTHING),
        ("all", ["mask"]),
    ]:
        data = SequenceDataset(tmp_path / f"{name}.npz", include=include, in_memory=in_memory)
        for indices in ([2, 0], [1], [1, 1, 2]):
            items = data.__getitems__(indices)
            for value in (0, -3):
                found = collate(items, value=value, label_value=-7)
                expected = collate(list(data.__getitems__(indices)), value=value, label_value=-7)
                assert type(found) is type(expected)
                if isinstance(found, dict):
                    assert list(found) == list(expected)
                    found, expected = found.values(), expected.values()
                for array, meant in zip(found, expected, strict=True):
                    if isinstance(meant, torch.Tensor):
                        assert (array.dtype, array.shape) == (meant.dtype, meant.shape)
                        assert array.equal(meant)
                    else:
                        assert array == meant


def test_items_are_a_list_for_collates_of_others(files: Path) -> None:
    from torch.utils.data import DataLoader, StackDataset, default_collate

    from seqtool.torch import Batch, SequenceDataset, collate

    data = SequenceDataset(files / "ragged.npz")
    lengths = data.lengths.tolist()
    items = data.__getitems__([3, 7, 2])
    assert len(items) == 3
    assert [len(x) for x, _ in items] == [lengths[i] for i in (3, 7, 2)]

    def sorting(items: Any) -> Batch:  # in place, as collates from before `enforce_sorted` do
        items.sort(key=lambda item: -len(item[0]))
        return collate(items)

    (batch,) = DataLoader(data, batch_sampler=[[3, 7, 2]], collate_fn=sorting)
    assert batch.lengths.tolist() == sorted((lengths[i] for i in (3, 7, 2)), reverse=True)
    (batch,) = DataLoader(data, batch_sampler=[[3, 7]], collate_fn=lambda items: [len(x) for x, _ in items])
    assert batch == [lengths[3], lengths[7]]
    (whole, _) = next(iter(DataLoader(StackDataset(data, data), batch_size=1, collate_fn=default_collate)))
    assert whole[0].shape == (1, lengths[0], 3)
    with pytest.raises(IndexError, match="there is no sequence 50"):
        data.__getitems__([3, COUNT])


def check_workers_by_name(folder: str) -> None:
    import torch
    from torch.utils.data import DataLoader

    from seqtool.torch import NamedBatch, SequenceDataset, collate

    write_everything(Path(folder, "named.npz"))
    data = SequenceDataset(Path(folder, "named.npz"), include=EVERYTHING)
    (expected,) = DataLoader(data, batch_size=3, collate_fn=collate)
    for how in ("fork", "spawn"):
        loader = DataLoader(
            data, batch_size=3, collate_fn=collate, num_workers=1, multiprocessing_context=how
        )
        (found,) = loader
        assert type(found) is NamedBatch
        assert list(found) == list(expected)
        for name, array in found.items():
            same = array.equal(expected[name]) if isinstance(array, torch.Tensor) else array == expected[name]
            assert same, name
        found["x"] += 1  # the caller's own

    def half(items: Any) -> Any:  # a type that NumPy lacks, and more bytes than are sent as they are
        batch = collate(items)
        return batch._replace(x=batch.x.to(torch.bfloat16).repeat(1, 1, 1 << 19))

    data = SequenceDataset(Path(folder, "ragged.npz"))
    (batch,) = DataLoader(data, batch_sampler=[[1, 2]], collate_fn=half, num_workers=1)
    assert batch.x.dtype == torch.bfloat16
    assert batch.lengths.tolist() == data.lengths[[1, 2]].tolist()
    print("done")


def test_workers_send_batches_by_name_and_of_other_types(files: Path) -> None:
    assert alone(check_workers_by_name, files).split() == ["done"]


# Packing


@every_kind
def test_packing_holds_the_sequences(files: Path, kind: str) -> None:
    from torch.nn.utils.rnn import unpack_sequence

    from seqtool.torch import to_packed

    for batch in batches_of(files / f"{kind}.npz"):
        for sequence, i in zip(unpack_sequence(to_packed(batch)), batch.y.tolist(), strict=True):
            np.testing.assert_array_equal(sequence, sequences()[i])


def test_packing_names_the_sequences_without_a_step(tmp_path: Path) -> None:
    from seqtool.torch import SequenceDataset, collate, to_packed

    seqtool.save(tmp_path / "in.npz", seqtool.pad([[1.5], [], [2.5], []]))
    data = SequenceDataset(tmp_path / "in.npz")
    with pytest.raises(DataError, match=r"^2 of 4 sequences .* --min-len 1"):
        to_packed(collate(data.__getitems__(range(4))))
    with pytest.raises(DataError, match=r"^1 of 1 sequences"):
        to_packed(collate(data.__getitems__([1])))


# Samplers


def test_every_sequence_comes_once_in_batches_of_similar_lengths(files: Path) -> None:
    batches = batches_of(files / "post.npz")
    assert sorted(i for batch in batches for i in batch.y.tolist()) == list(range(COUNT))
    assert len(batches) == 7
    slots = sum(batch.x.shape[0] * batch.x.shape[1] for batch in batches)
    steps = sum(map(len, sequences()))
    assert slots < 1.2 * steps  # one length for all would take 1.8 times the steps


def test_a_batch_holds_one_bucket_where_there_are_boundaries(files: Path) -> None:
    from torch.utils.data import SequentialSampler

    from seqtool.torch import LengthBatchSampler

    lengths = np.array([len(sequence) for sequence in sequences()])
    sampler = LengthBatchSampler(lengths, batch_size=8, boundaries=[3, 6])
    first, second = list(sampler), list(sampler)
    assert first != second
    assert len(first) == len(second) == len(sampler)
    for epoch in (first, second):
        assert sorted(i for batch in epoch for i in batch) == list(range(COUNT))
        assert all(len({np.searchsorted([3, 6], lengths[i]) for i in batch}) == 1 for batch in epoch)
    with pytest.raises(UsageError, match="boundaries and sampler"):
        LengthBatchSampler(lengths, batch_size=8, boundaries=[3], sampler=SequentialSampler(lengths))


def test_every_epoch_has_an_order_that_follows_from_the_seed() -> None:
    from seqtool.torch import LengthBatchSampler

    lengths = np.arange(60) % 11
    sampler, twin = (LengthBatchSampler(lengths, batch_size=7, seed=5) for _ in range(2))
    epochs = [list(sampler) for _ in range(3)]
    assert len(sampler) == 9
    assert epochs == [list(twin) for _ in range(3)]
    assert epochs[0] != epochs[1]
    sampler.set_epoch(1)
    assert list(sampler) == epochs[1]
    assert list(LengthBatchSampler(lengths, batch_size=7, seed=6)) != epochs[0]
    assert all(type(i) is int for batch in epochs[0] for i in batch)
    with pytest.raises(UsageError, match="batch_size is 0"):
        LengthBatchSampler(lengths, batch_size=0)
    with pytest.raises(UsageError, match="seed is -1"):
        LengthBatchSampler(lengths, batch_size=1, seed=-1)


def test_samplers_of_a_subset_and_with_a_generator() -> None:
    import torch
    from torch.utils.data import RandomSampler, SubsetRandomSampler

    from seqtool.torch import LengthBatchSampler

    lengths = np.arange(60) % 11
    subset = LengthBatchSampler(lengths, batch_size=7, sampler=SubsetRandomSampler(range(10, 30)))
    assert len(subset) == 3
    assert sorted(i for batch in subset for i in batch) == list(range(10, 30))

    def drawn(seed: int) -> list[list[int]]:
        generator = torch.Generator().manual_seed(seed)
        sampler = RandomSampler(range(60), generator=generator)
        return list(LengthBatchSampler(lengths, batch_size=7, sampler=sampler))

    assert drawn(1) == drawn(1) != drawn(2)


def test_a_split_of_the_dataset(files: Path) -> None:
    import torch
    from torch.utils.data import DataLoader, random_split

    from seqtool.torch import LengthBatchSampler, SequenceDataset, collate

    data = SequenceDataset(files / "ragged.npz")
    train, test = random_split(data, [40, 10], torch.Generator().manual_seed(0))
    batches = LengthBatchSampler(data.lengths[train.indices], batch_size=8)
    loaded = list(DataLoader(train, batch_sampler=batches, collate_fn=collate))
    assert sorted(i for batch in loaded for i in batch.y.tolist()) == sorted(train.indices)
    (whole,) = DataLoader(test, batch_size=10, collate_fn=collate)
    assert whole.y.tolist() == test.indices


def test_ranks_make_equally_many_steps_over_all_sequences(files: Path) -> None:
    from torch.utils.data import DistributedSampler

    from seqtool.torch import LengthBatchSampler, SequenceDataset

    data = SequenceDataset(files / "ragged.npz")
    for epoch in range(2):
        ranks = []
        for rank in range(3):
            parts = DistributedSampler(data, num_replicas=3, rank=rank, seed=1)
            batches = LengthBatchSampler(data.lengths, batch_size=4, sampler=parts)
            batches.set_epoch(epoch)
            assert parts.epoch == epoch
            ranks.append(list(batches))
        assert {len(rank) for rank in ranks} == {5}
        drawn = [i for rank in ranks for batch in rank for i in batch]
        assert set(drawn) == set(range(COUNT))
        assert len(drawn) == 51  # 3 does not divide 50: one comes twice


# Processes


def check_workers(folder: str) -> None:
    from torch.utils.data import ConcatDataset, DataLoader

    from seqtool.torch import LengthBatchSampler, SequenceDataset, collate

    # The files of all kinds go to the same workers, for each of them loads PyTorch when it is spawned.
    sets = [SequenceDataset(Path(folder, f"{kind}.npz")) for kind in KINDS]
    batches = LengthBatchSampler(np.concatenate([data.lengths for data in sets]), batch_size=8)
    batches = list(batches)
    kinds = {KINDS[i // COUNT] for batch in batches for i in batch}
    whole = ConcatDataset(sets)
    expected = list(DataLoader(whole, batch_sampler=batches, collate_fn=collate))
    for how in ("fork", "spawn"):
        found = list(
            DataLoader(
                whole,
                batch_sampler=batches,
                collate_fn=collate,
                num_workers={"fork": 2, "spawn": 1}[how],
                multiprocessing_context=how,
            )
        )
        for batch, same in zip(found, expected, strict=True):
            assert type(batch).__name__ == "Batch"
            for tensor, meant in zip(batch, same, strict=True):
                assert tensor.equal(meant), how
    print(*sorted(kinds))


def test_workers_forked_and_spawned_read_the_same_batches(files: Path) -> None:
    assert alone(check_workers, files).split() == sorted(KINDS)


def check_rank(rank: str, folder: str) -> None:
    import torch
    from torch import distributed
    from torch.nn.parallel import DistributedDataParallel
    from torch.utils.data import DataLoader, DistributedSampler

    from seqtool.torch import LengthBatchSampler, SequenceDataset, collate, to_packed

    distributed.init_process_group("gloo", f"file://{folder}/meeting", rank=int(rank), world_size=2)
    torch.manual_seed(0)
    data = SequenceDataset(Path(folder, "ragged.npz"))
    batches = LengthBatchSampler(data.lengths, batch_size=8, sampler=DistributedSampler(data, seed=1))
    loader = DataLoader(data, batch_sampler=batches, collate_fn=collate, num_workers=1)
    lstm = DistributedDataParallel(torch.nn.LSTM(3, 4, batch_first=True))
    optimizer = torch.optim.SGD(lstm.parameters(), 0.1)
    seen: list[int] = []
    for epoch in range(2):
        batches.set_epoch(epoch)
        for batch in loader:
            (lstm(to_packed(batch))[1][0] - batch.y[:, None]).square().mean().backward()
            optimizer.step()
            optimizer.zero_grad()
            seen += batch.y.tolist()
    everybody: list[Any] = [None, None]
    distributed.all_gather_object(everybody, seen)
    assert [len(found) for found in everybody] == [
        COUNT,
        COUNT,
    ]  # half of the sequences in each of two epochs
    assert all(everybody[0].count(i) + everybody[1].count(i) == 2 for i in range(COUNT))
    weights = torch.cat([parameter.detach().flatten() for parameter in lstm.parameters()])
    both = [torch.empty_like(weights) for _ in range(2)]
    distributed.all_gather(both, weights)
    assert both[0].equal(both[1])
    distributed.barrier()
    distributed.destroy_process_group()
    print("done", flush=True)
    os._exit(0)  # threads of the group may outlive it, which C++ takes for a crash while Python ends


def test_two_processes_train_one_network(tmp_path: Path) -> None:
    from concurrent.futures import ThreadPoolExecutor

    write(tmp_path)
    with ThreadPoolExecutor() as pool:
        ranks = pool.map(lambda rank: alone(check_rank, rank, tmp_path), "01")
        assert [text.split() for text in ranks] == [["done"], ["done"]]


# Memory


def check_memory(folder: str) -> None:
    import torch
    from torch.utils.data import DataLoader

    from seqtool.torch import LengthBatchSampler, SequenceDataset, collate, to_packed

    lstm, head = torch.nn.LSTM(200, 4, batch_first=True), torch.nn.Linear(4, 2)
    optimizer = torch.optim.SGD([*lstm.parameters(), *head.parameters()], 0.01)

    def train(path: Path) -> None:
        data = SequenceDataset(path, in_memory=False)
        batches = LengthBatchSampler(data.lengths, batch_size=128)
        for batch in DataLoader(data, batch_sampler=batches, collate_fn=collate):
            scores = head(lstm(to_packed(batch))[1][0][-1])
            torch.nn.functional.cross_entropy(scores, batch.y).backward()
            optimizer.step()
            optimizer.zero_grad()

    grown(train, Path(folder))


@pytest.mark.slow
def test_a_file_ten_times_as_large_takes_no_more_memory(tmp_path: Path) -> None:
    assert growth(check_memory, tmp_path) < 100_000_000
