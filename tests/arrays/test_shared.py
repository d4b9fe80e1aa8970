"""Arrays that processes share: what they hold, and that a write stays with its process."""

import numpy as np

from seqtool.arrays.lazy import Lazy
from seqtool.arrays.shared import SharedArrays

FLOAT32, FLOAT64 = np.dtype("float32"), np.dtype("float64")


def test_arrays_are_cast_where_nothing_is_lost_and_kept_where_something_is() -> None:
    shared = SharedArrays()
    shared.add("fractions", np.array([[0.1, 0.2], [0.3, 0.4]]), FLOAT32, spare=3)
    shared.add("large", np.array([1.0, 1e300]), FLOAT32)
    shared.add("text", np.array(["a", "bc"]), np.dtype("U2"))
    shared.add("empty", np.empty((0, 3)), FLOAT64)
    assert list(shared) == ["fractions", "large", "text", "empty"]
    assert shared["fractions"].tolist() == np.float32([[0.1, 0.2], [0.3, 0.4], *[[0, 0]] * 3]).tolist()
    assert (shared["large"].dtype, shared["large"].tolist()) == (FLOAT64, [1, 1e300])
    assert shared["text"].tolist() == ["a", "bc"]
    assert shared["empty"].shape == (0, 3)


def test_a_loss_late_in_a_large_array_leaves_all_of_it_as_it_is() -> None:
    count = 1_000_000  # two chunks

    def read(begin: int, end: int) -> np.ndarray:
        return np.where(np.arange(begin, end) == count - 1, 2.0**24 + 1, 0.5)

    shared = SharedArrays()
    shared.add("x", Lazy((count,), FLOAT64, read), FLOAT32)
    np.testing.assert_array_equal(shared["x"], read(0, count))


def test_what_is_written_is_no_part_of_the_file() -> None:
    shared = SharedArrays()
    shared.add("a", np.arange(3), np.dtype(np.int64))
    taken = shared["a"]
    taken[0] = 7
    shared.add("b", np.arange(2), np.dtype(np.int64))  # maps the file anew
    assert (shared["a"].tolist(), shared["b"].tolist()) == ([0, 1, 2], [0, 1])
    del shared
    assert taken.tolist() == [7, 1, 2]
