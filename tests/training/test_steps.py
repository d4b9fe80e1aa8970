"""Whole batches gathered at once, against sequences that are taken and padded one by one."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import seqtool
from seqtool.arrays.gather import lazy_gather
from seqtool.arrays.spool import Spool
from seqtool.errors import DataError
from seqtool.sequences.ragged import Padded, Ragged, StepArray
from seqtool.sequences.validation import offsets_of
from seqtool.training import steps
from seqtool.training.numbers import lost
from seqtool.training.opened import Opened
from seqtool.training.sequence_file import SequenceFile
from seqtool.training.steps import Steps
from seqtool.training.stored import stored_steps

FLOAT32 = np.dtype("float32")


def one_by_one(sequences: list[np.ndarray], slots: int, value: Any, dtype: np.dtype) -> np.ndarray:
    block = np.empty((len(sequences), slots, *sequences[0].shape[1:]), dtype)
    for row, sequence in zip(block, sequences, strict=True):
        row[...] = value
        row[: len(sequence)] = sequence
    return block


def gathered(data: Ragged | Padded, spool: Spool | None) -> Steps:
    """The steps of some sequences, in the spool or else in memory, for batches of float32."""
    lengths = np.asarray(data.lengths)
    opened = Opened(lengths, {}, stored_steps(data, [], lengths))
    opened = opened.in_memory({"x": FLOAT32}) if spool is None else opened.in_place(spool)
    return Steps(
        opened.steps["x"], lengths, FLOAT32, lost=lambda i, number: lost("a", "", i, number, FLOAT32)
    )


@given(
    st.data(), st.booleans(), st.sampled_from(["ragged", "post", "pre"]), st.sampled_from([(), (3,), (2, 2)])
)
def test_a_batch_is_what_its_sequences_are_one_by_one(
    data: st.DataObject, in_memory: bool, kind: str, shape: tuple[int, ...]
) -> None:
    lengths = np.array(data.draw(st.lists(st.integers(0, 6), min_size=1, max_size=12)))
    stored = data.draw(st.sampled_from(["float32", "float64", "int16", "bool"]))
    values = (1 + np.arange(lengths.sum() * int(np.prod(shape)))).reshape(-1, *shape).astype(stored)
    ragged = Ragged(values, offsets_of(lengths))
    sequences = [
        values[begin:end] for begin, end in zip(ragged.offsets[:-1], ragged.offsets[1:], strict=True)
    ]
    padded = kind if kind != "ragged" else None
    source = ragged if padded is None else seqtool.pad(ragged, padding=padded, maxlen=7)  # type: ignore[arg-type]
    spool = Spool()
    all_steps = gathered(source, None if in_memory else spool)
    chosen = np.array(data.draw(st.lists(st.integers(0, len(lengths) - 1), min_size=1, max_size=15)))
    slots = int(lengths[chosen].max()) + data.draw(st.integers(0, 3))
    value = data.draw(st.sampled_from([0, -1.5, float("nan")]))
    some = [sequences[i] for i in chosen]
    for large, gap in ((0, 1 << 14), (1 << 20, 1 << 14), (1 << 20, 0)):  # all ways to copy and to read
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(steps, "_LARGE", large)
            patch.setattr(steps, "_GAP", gap)
            block = all_steps.padded(chosen, slots, value)
        np.testing.assert_array_equal(block, one_by_one(some, slots, value, FLOAT32))
        assert block.dtype == FLOAT32
    np.testing.assert_array_equal(all_steps.rows(chosen), np.concatenate(some).astype(FLOAT32))
    np.testing.assert_array_equal(all_steps.all_rows(), values)
    spool.close()


@pytest.mark.parametrize("in_memory", [True, False])
def test_windows_into_shared_values_are_not_copied(in_memory: bool) -> None:
    values = np.arange(40, dtype=np.float32).reshape(20, 2)
    starts, lengths = np.array([3, 0, 3, 15, 1]), np.array([4, 2, 5, 5, 0])
    offsets = offsets_of(lengths)
    with Spool() as spool:
        windows = lazy_gather(spool.append(values), starts, offsets, (int(offsets[-1]), 2))
        found = gathered(Ragged(windows, offsets), None if in_memory else spool)
        assert len(found.array) == 20 + 5 * in_memory
        sequences = [values[start : start + length] for start, length in zip(starts, lengths, strict=True)]
        for chosen in ([0, 1, 2, 3, 4], [3, 3], [4], [2, 4, 1]):
            block = found.padded(np.array(chosen), 6)
            np.testing.assert_array_equal(block, one_by_one([sequences[i] for i in chosen], 6, 0, FLOAT32))
        np.testing.assert_array_equal(found.all_rows(), np.concatenate(sequences))


@pytest.mark.parametrize("in_memory", [True, False])
def test_a_number_is_lost_in_the_batch_of_its_own_sequence_alone(in_memory: bool) -> None:
    values = np.array([1.0, 2, 1e300, 3])
    with Spool() as spool:
        found = gathered(Ragged(values, np.array([0, 1, 2, 3, 4])), None if in_memory else spool)
        check_losses(found)


def check_losses(found: Steps) -> None:
    # The third sequence stands where the padding of the second one is.
    assert found.padded(np.array([3, 1, 0]), 3).tolist() == [[3, 0, 0], [2, 0, 0], [1, 0, 0]]
    with pytest.raises(DataError, match=r"^a: sequence 2 holds 1e\+300, which float32 cannot hold"):
        found.padded(np.array([0, 2]), 1)
    with pytest.raises(DataError, match=r"^value 1e\+300 cannot be held in float32"):
        found.padded(np.array([0]), 1, 1e300)


@pytest.mark.parametrize("in_memory", [True, False])
def test_a_batch_is_the_callers_own(in_memory: bool, tmp_path: Path) -> None:
    ragged = Ragged(np.ones((5, 2), np.float32), np.array([0, 2, 5]))
    ragged = ragged.replace(
        per_sequence={"y": np.array([1, 2])}, per_step={"weight": StepArray(np.ones(5), 0)}
    )
    seqtool.save(tmp_path / "in.npz", ragged)
    file = SequenceFile(tmp_path / "in.npz", include=["weight"], in_memory=in_memory)
    for _ in range(2):
        batch = file.named_batch([1, 0])
        assert {name: float(array.sum()) for name, array in batch.items()} == {
            "x": 10,
            "lengths": 5,
            "y": 3,
            "weight": 5,
        }
        for array in batch.values():
            array += 1
