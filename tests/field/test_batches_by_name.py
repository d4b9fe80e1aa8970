"""Batches carry all that belongs to their sequences, chosen by name: the same names for every framework."""

from __future__ import annotations

import pickle
from pathlib import Path

import numpy as np
import pytest

import seqtool
from seqtool.errors import UsageError
from seqtool.training.sequence_file import SequenceFile
from tests.frameworks.files import EVERYTHING, write_everything

KINDS = ["ragged", "packed", "post", "pre"]


@pytest.mark.parametrize("kind", KINDS)
def test_a_batch_has_everything_by_name(kind: str, tmp_path: Path) -> None:
    expected = write_everything(tmp_path / "in.npz", kind)
    file = SequenceFile(tmp_path / "in.npz", include=EVERYTHING)
    batch = file.named_batch([2, 0])
    assert set(batch) == {"x", "lengths", "y", *EVERYTHING}
    assert file.categories == {"city": 4}
    for name, array in batch.items():
        np.testing.assert_array_equal(array, expected[name], err_msg=name)
    assert {name: array.dtype.name for name, array in batch.items() if name not in ("keys", "split")} == {
        "x": "float32",
        "static": "float32",
        "mask": "bool",
        "observed": "bool",
        "weight": "float32",
        **dict.fromkeys(
            ["lengths", "y", "step_y", "row_index", "part", "original_lengths", "c", "order"], "int64"
        ),
    }


def test_a_batch_has_no_more_than_it_is_asked_for(tmp_path: Path) -> None:
    write_everything(tmp_path / "in.npz", "post")
    assert list(SequenceFile(tmp_path / "in.npz").named_batch([0])) == ["x", "lengths", "y"]
    x, lengths, y = SequenceFile(tmp_path / "in.npz", include=["static", "step_y"]).batch([0])
    assert (x.shape, lengths.tolist(), None if y is None else y.tolist()) == ((1, 1, 2), [1], [1])
    one = SequenceFile(tmp_path / "in.npz", include="static")
    assert list(one.named_batch([0])) == ["x", "lengths", "y", "static"]


def test_a_copy_for_another_process_includes_the_same(tmp_path: Path) -> None:
    expected = write_everything(tmp_path / "in.npz", "ragged")
    file = pickle.loads(pickle.dumps(SequenceFile(tmp_path / "in.npz", include=["keys", "row_index"])))
    np.testing.assert_array_equal(file.named_batch([2, 0])["row_index"], expected["row_index"])


def test_an_array_that_the_file_lacks(tmp_path: Path) -> None:
    seqtool.save(tmp_path / "in.npz", seqtool.pad([[1], [2, 3]]))
    with pytest.raises(UsageError) as error:
        SequenceFile(tmp_path / "in.npz", include=["mask", "static"])
    assert str(error.value) == (
        "include names 'static', but in.npz has no such array; it has x, lengths, mask"
    )
