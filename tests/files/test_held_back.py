"""Streams get nothing of data that turn out to be wrong within their first megabytes."""

from __future__ import annotations

import io

import numpy as np
import pytest

import seqtool as sq
from seqtool.files import held_back as module
from seqtool.files.held_back import held_back
from tests.command import Place, succeeded


def test_all_is_written_at_the_end_in_its_order() -> None:
    stream = io.BytesIO()
    with held_back(stream) as file:
        for part in (b"ab", memoryview(np.arange(3, dtype=np.uint8)), np.zeros((0, 2)), b"", bytearray(b"c")):
            assert file.write(part) == memoryview(part).nbytes
        assert stream.getvalue() == b""
    assert stream.getvalue() == b"ab\0\1\2c"


def test_an_error_before_enough_is_there_writes_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "_HELD", 4)
    for parts, written in (([b"abcd"], b""), ([b"abc", b"de"], b"abcde"), ([b"abcde", b"f"], b"abcdef")):
        stream = io.BytesIO()
        with pytest.raises(ValueError, match="wrong"):
            fail_after(parts, stream)
        assert stream.getvalue() == written


def fail_after(parts: list[bytes], stream: io.BytesIO) -> None:
    with held_back(stream) as file:
        for part in parts:
            file.write(part)
        raise ValueError("wrong")


def test_no_header_comes_before_an_error(place: Place) -> None:
    place.write("a.csv", "k,x\na,1\nb,2\n")
    place.write("b.csv", "k,x\na,1\nz,2\n")
    succeeded(place.run("group", "a.csv", "--key", "k", "--ragged", "--keep-row-index", "-o", "a.npz"))
    place.write("p.npy", np.ones(2))
    for output in ("-", "/dev/stdout"):
        done = place.run("unpad", "a.npz", "--add", "p=p.npy", "--rows", "b.csv", "-o", output)
        assert (done.code, done.out) == (1, b"")
    sq.save(place.folder / "small.npz", sq.scale([[1e-30, 2e-30]]))
    place.write("big.npy", np.array([[1e38, -3e38]], np.float32))
    done = place.run("scale", "big.npy", "--using", "small.npz", "-o", "-")
    assert (done.code, done.out) == (1, b"")
