"""Too little address space (ulimit -v) is told in one line: the libraries would end the process."""

from __future__ import annotations

import resource
from collections.abc import Callable

import numpy as np
import pytest

from tests.command import Place


def at_most(size: int) -> Callable[[], None]:
    return lambda: resource.setrlimit(resource.RLIMIT_AS, (size, size))


@pytest.mark.parametrize(
    ("size", "call"),
    [
        (150, "group t.csv --key k"),
        (320, "group t.npy --key 0"),
        (400, "pad t.txt"),
        (500, "plan t.csv --key k"),
    ],
)
def test_too_little_for_arrow(size: int, call: str, place: Place) -> None:
    place.write("t.csv", "k,v\n1,2\n")
    place.write("t.txt", "1 2\n")
    place.write("t.npy", np.ones((2, 3)))
    before = place.files()
    done = place.process(*call.split(), before=at_most(size * 10**6))
    assert done.code == 1
    assert done.err.startswith(f"seqtool: error: the address space of this process is limited to {size}.0 MB")
    assert len(done.err.splitlines()) == 1
    assert (place.files(), place.left_behind()) == (before, [])


def test_enough_for_arrays_and_for_help(place: Place) -> None:
    place.write("t.npy", np.ones((2, 3, 1)))
    assert place.process("pad", "t.npy", before=at_most(320 * 10**6)).code == 0
    assert place.process("--help", before=at_most(100 * 10**6)).code == 0


@pytest.mark.slow
@pytest.mark.parametrize("size", [1000, 1200])
def test_what_is_said_to_be_enough_is_so(size: int, place: Place) -> None:
    place.write("t.csv", "k,a,b\n" + "".join(f"{i % 999},{i},{i / 2}\n" for i in range(300_000)))
    done = place.process("group", "t.csv", "--key", "k", before=at_most(size * 10**6))
    assert done.code == 0, done.err
