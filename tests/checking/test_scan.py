"""A file is read once by `check`, and what that one look tells is what looks of their own would."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import seqtool
from seqtool.arrays.lazy import Lazy
from seqtool.arrays.spool import Spool
from seqtool.checking.check import check
from seqtool.checking.scan import scanned
from seqtool.files import inputs, zip_reader
from seqtool.sequences.ragged import Padded, Ragged, unchecked
from seqtool.sequences.validation import stale_slots
from tests.cutting import small_windows


@pytest.mark.parametrize("side", ["pre", "post"])
@given(
    lengths=st.lists(st.integers(0, 3), min_size=1, max_size=6),
    odd=st.lists(st.tuples(st.integers(0, 5), st.integers(0, 2), st.sampled_from([1.0, np.nan, np.inf]))),
    window=st.sampled_from([8, 64, 4 << 20]),
)
def test_one_look_tells_what_several_would(side: Any, lengths: list[int], odd: Any, window: int) -> None:
    x = np.zeros((len(lengths), 3, 2), np.float32)
    for i, t, number in odd:
        x[i % len(lengths), t, 1] = number
    block = unchecked(Padded, x=x, lengths=np.array(lengths), padding=side)
    with pytest.MonkeyPatch.context() as patch:
        small_windows(patch, window)
        found = scanned(x, block)
        assert repr(found.stale) == repr(stale_slots(x, block.lengths, padding=side, value=0))
        assert found.finite == scanned(x, Ragged(np.arange(1), np.array([0, 1]))).finite
        assert found.finite == bool(np.isfinite(x).all())


@pytest.mark.parametrize("kind", ["padded", "ragged", "external", "external ragged"])
@pytest.mark.parametrize("compress", [False, True])
def test_the_bytes_of_the_largest_array_are_read_once(
    kind: str, compress: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    ragged = seqtool.Ragged(np.random.default_rng(0).normal(size=(600, 50)), np.array([0, 300, 600]))
    block = seqtool.pad(ragged, padding="post")
    path, save = tmp_path / "in.npz", np.savez_compressed if compress else np.savez
    if kind == "external":
        save(path, arr_0=block.x, lengths=block.lengths)
    elif kind == "external ragged":
        save(path, values=ragged.values, offsets=ragged.offsets)
    else:
        seqtool.save(path, block if kind == "padded" else ragged, compress="fast" if compress else None)
    begun: list[str] = []
    stream = zip_reader.ZipReader._stream

    def noted(archive: Any, info: Any) -> Any:
        begun.append(info.filename)
        return stream(archive, info)

    def read_elsewhere(lazy: Any, window: slice) -> Any:
        assert lazy.nbytes < 100_000, "the steps were read again"
        return lazy._read(*window.indices(len(lazy))[:2])

    monkeypatch.setattr(zip_reader.ZipReader, "_stream", noted)
    if not kind.startswith("external"):  # of those, leftover padding is looked for in the first steps
        monkeypatch.setattr("seqtool.arrays.file_array.FileArray.__getitem__", read_elsewhere)
    with Spool() as spool, inputs.opened([str(path)]) as (source,):
        findings = check(source, spool=spool)
    assert {finding.verdict for finding in findings} <= {"ok", "warning"}
    largest = {"external": "arr_0", "padded": "x"}.get(kind, "values")
    assert begun.count(f"{largest}.npy") <= 1 + (compress and kind == "external")


def test_damage_is_told_before_all_else(tmp_path: Path) -> None:
    x = np.ones((50, 40))
    np.savez(tmp_path / "in.npz", x=x, lengths=np.full(50, 99))
    data = bytearray((tmp_path / "in.npz").read_bytes())
    data[5000] ^= 1
    (tmp_path / "in.npz").write_bytes(data)
    with Spool() as spool, inputs.opened([str(tmp_path / "in.npz")]) as (source,):
        (finding,) = check(source, spool=spool)
    assert (finding.name, finding.verdict) == ("file", "fails")
    assert "CRC" in finding.message


def test_what_is_made_when_asked_for_is_looked_at_in_order() -> None:
    asked: list[int] = []

    def read(begin: int, end: int) -> Any:
        asked.append(begin)
        return np.ones((end - begin, 1 << 19))

    scanned(Lazy((4, 1 << 19), np.dtype(float), read), Ragged(np.arange(1), np.array([0, 1])))
    assert asked == sorted(asked) == [0, 1, 2, 3]
