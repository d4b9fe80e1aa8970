from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from seqtool.arrays import lazy
from seqtool.arrays.spool import Spool
from seqtool.arrays.text import Text
from seqtool.errors import UsageError
from seqtool.files import contents, npz
from seqtool.files.npz import save
from seqtool.files.zip_reader import ZipReader
from seqtool.operations.select import at_least
from seqtool.sequences.ragged import Ragged
from seqtool.sequences.validation import offsets_of
from tests import oracles


def slow_at_least(ragged: Ragged, least: int) -> list[int]:
    return [i for i, length in enumerate(np.asarray(ragged.lengths).tolist()) if length >= least]


def check(ragged: Ragged, found: Ragged, kept: list[int]) -> None:
    """Everything of the sequences that are kept is there, in their order, and nothing else."""
    for rows, output in (
        (ragged.values, found.values),
        *((ragged.per_step[name].data, found.per_step[name].data) for name in ragged.per_step),
    ):
        before, after = oracles.sequences_of(ragged, rows), oracles.sequences_of(found, output)
        assert oracles.text_of(after) == oracles.text_of([before[i] for i in kept])
        assert output.dtype == rows.dtype
    for name, array in ragged.per_sequence.items():
        assert oracles.text_of(found.per_sequence[name]) == oracles.text_of(np.asarray(array)[kept])
    if ragged.keys is None:
        assert found.keys is None
    else:
        assert oracles.text_of(found.keys) == oracles.text_of(np.asarray(ragged.keys)[kept])
    for name, names in ragged.names.items():
        assert oracles.text_of(found.names[name]) == oracles.text_of(names)
    assert (found.features, found.receipt) == (ragged.features, ragged.receipt)


@given(oracles.raggeds(riders=True), st.integers(0, 4))
def test_what_is_kept_keeps_all_that_belongs_to_it(ragged: Ragged, least: int) -> None:
    with Spool() as spool:
        check(ragged, at_least(ragged, least, spool=spool), slow_at_least(ragged, least))


@given(oracles.raggeds(riders=True), st.integers(0, 4))
def test_the_same_of_a_file_that_is_read_in_windows(scratch: Path, ragged: Ragged, least: int) -> None:
    save(scratch / "a.npz", ragged)
    with Spool() as spool, ZipReader(scratch / "a.npz", "a.npz") as archive:
        read = npz.read(archive)
        assert isinstance(read, Ragged)
        check(ragged, at_least(read, least, spool=spool), slow_at_least(ragged, least))


@pytest.mark.parametrize("shape", [(5,), (5, 2)])
def test_keys_of_variable_width(shape: tuple[int, ...]) -> None:
    cells = ["a", "", "längst", "b", "zz", "c", "d", "eee", "f", "g"][: int(np.prod(shape))]
    encoded = [cell.encode() for cell in cells]
    ends = np.cumsum([0, *map(len, encoded)])
    keys = Text(np.frombuffer(b"".join(encoded), np.uint8), ends, shape, widest=None)
    ragged = Ragged(np.arange(7), offsets_of(np.array([0, 2, 1, 0, 4])), keys=keys)
    with Spool() as spool:
        check(ragged, at_least(ragged, 1, spool=spool), [1, 2, 4])
        assert len(at_least(ragged, 9, spool=spool)) == 0


def test_many_sequences_through_a_spool(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(lazy, "CHUNK", 64)
    lengths = np.random.default_rng(1).integers(0, 4, 500)
    ragged = Ragged(np.arange(lengths.sum()), offsets_of(lengths), per_sequence={"y": np.arange(500)})
    with Spool() as spool:
        found = at_least(ragged, 2, spool=spool)
        check(ragged, found, slow_at_least(ragged, 2))


def test_nothing_to_drop_changes_nothing() -> None:
    ragged = Ragged(np.arange(3), np.array([0, 1, 3]))
    assert at_least(ragged, 1) is ragged
    with pytest.raises(UsageError, match="min_len is -1"):
        at_least(ragged, -1)


@given(oracles.raggeds(riders=True), st.integers(0, 3))
def test_the_same_of_text_that_is_stored_as_bytes(scratch: Path, ragged: Ragged, least: int) -> None:
    split = np.array([["train", "", "längst"][i % 3] for i in range(len(ragged))], dtype=str)
    ragged = ragged.replace(per_sequence={**ragged.per_sequence, "split": split})
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(contents, "_WIDEST_TEXT", 0)
        save(scratch / "a.npz", ragged)
        with Spool() as spool, ZipReader(scratch / "a.npz", "a.npz") as archive:
            read = npz.read(archive)
            assert isinstance(read.per_sequence["split"], Text) or not len(ragged)
            found = at_least(read, least, spool=spool)  # type: ignore[arg-type]
            check(ragged, found, slow_at_least(ragged, least))
            save(scratch / "b.npz", found)
            assert oracles.parts(npz.load(scratch / "b.npz")) == oracles.parts(found)
