"""When the steps of a file are in memory, and that processes share them."""

import multiprocessing
import pickle
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import seqtool
from seqtool.errors import DataError, UsageError
from seqtool.sequences.ragged import Ragged
from seqtool.training import in_memory
from seqtool.training.in_memory import goes_into_memory
from seqtool.training.sequence_file import SequenceFile


@pytest.fixture
def path(tmp_path: Path) -> Path:
    y, keys = np.array([3, 4]), np.array(["a", "bcd"])
    ragged = Ragged(np.arange(10.0).reshape(5, 2), np.array([0, 2, 5]), keys=keys, per_sequence={"y": y})
    seqtool.save(tmp_path / "in.npz", ragged)
    return tmp_path / "in.npz"


def test_what_takes_a_quarter_of_the_allowed_memory_is_read(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SEQTOOL_MAX_MEMORY", "400M")
    monkeypatch.delenv("LOCAL_WORLD_SIZE", raising=False)
    assert goes_into_memory("auto", 100_000_000, "in.npz")
    assert not goes_into_memory("auto", 100_000_001, "in.npz")
    assert goes_into_memory(True, 100_000_001, "in.npz")
    assert not goes_into_memory(False, 1, "in.npz")
    monkeypatch.setenv("LOCAL_WORLD_SIZE", "4")  # each of them reads the file
    assert goes_into_memory("auto", 25_000_000, "in.npz")
    assert not goes_into_memory("auto", 25_000_001, "in.npz")


def test_more_than_the_machine_has_and_other_words_are_refused(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with pytest.raises(UsageError, match=r'^in_memory is .*no.*; True, False or "auto" was expected'):
        SequenceFile(path, in_memory="no")  # type: ignore[arg-type]
    monkeypatch.setattr(in_memory, "budget", lambda: 39)
    with pytest.raises(
        DataError, match=r"^in\.npz: its steps take 40 B, and 39 B of memory .* in_memory=True"
    ):
        SequenceFile(path, in_memory=True)
    assert not SequenceFile(path, in_memory=False).in_memory


def read(file: SequenceFile, results: Any) -> None:
    batch = file.named_batch([1, 0])
    results.put((file.in_memory, {name: array.tolist() for name, array in batch.items()}))


@pytest.mark.parametrize("how", ["fork", "spawn"])
@pytest.mark.filterwarnings("ignore:.*fork:DeprecationWarning")  # of the threads of libraries
def test_a_process_uses_the_memory_of_the_one_that_started_it(how: str, path: Path) -> None:
    if how not in multiprocessing.get_all_start_methods():
        pytest.skip(f"the system does not {how}")
    file = SequenceFile(path, include=["keys"])
    expected = {name: array.tolist() for name, array in file.named_batch([1, 0]).items()}
    assert file.in_memory
    path.unlink()  # so that it can come from memory alone
    context = multiprocessing.get_context(how)
    results = context.SimpleQueue()
    process = context.Process(target=read, args=(file, results))
    process.start()
    assert results.get() == (True, expected)
    process.join()


def test_another_copy_reads_the_file_and_no_second_memory(path: Path) -> None:
    file = SequenceFile(path)
    copy = pickle.loads(pickle.dumps(file))
    assert (file.in_memory, copy.in_memory) == (True, False)
    assert copy.batch([1]).x.tolist() == file.batch([1]).x.tolist()
