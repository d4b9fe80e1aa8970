"""How receipts tell that sequences were parted, and what a later cut left of them."""

from __future__ import annotations

import numpy as np
import pytest

import seqtool as sq
from seqtool.errors import DataError
from seqtool.sequences.ragged import Ragged
from seqtool.unpadding.parting import Parting

LONG = {"a": [0, 1, 2, 3, 4, 5, 6.0], "b": [0, 1, 2.0]}


def parting_of(data: Ragged) -> Parting:
    found = Parting.of(data)
    assert found is not None
    return found


def test_windows_and_what_follows_them_have_their_place_in_the_whole() -> None:
    made = sq.window([LONG["a"]], size=2, rate=2, horizon=1, lead=1, stride=2)
    found = parting_of(made)
    assert found.numbers.tolist() == [0, 0]
    assert found.first.tolist() == [0, 2]
    assert (found.targets - found.first).tolist() == [4, 4]
    cut = parting_of(sq.truncate(made, maxlen=1))
    assert (cut.first - found.first).tolist() == [2, 2]
    assert cut.targets.tolist() == found.targets.tolist()


@pytest.mark.parametrize("keys", [True, False])
def test_parts_of_a_sequence_without_its_last_steps_have_one_number(keys: bool) -> None:
    made = sq.split(LONG if keys else [*LONG.values()], last=2)
    found = parting_of(made)
    assert found.numbers.tolist() == [0, 0, 0, 1]
    assert found.first.tolist() == [0, 0, 0, 0]
    assert found.targets.tolist() == [4, 5, 6, 2]
    cut = parting_of(sq.truncate(sq.truncate(made, maxlen=3), maxlen=2, truncating="post"))
    assert cut.first.tolist() == [1, 2, 3, 0]
    assert cut.targets.tolist() == found.targets.tolist()


def test_a_cut_that_leaves_unknown_steps_is_refused() -> None:
    made = sq.window(LONG, size=3)
    cut = sq.truncate(made, maxlen=2)
    without = {name: array for name, array in cut.per_sequence.items() if name != "original_lengths"}
    entry = {**cut.receipt[-1], "arguments": {"within": "3"}}
    cases = {
        "nothing tells how many": cut.replace(per_sequence=without),
        "truncate cut steps after window, and its receipt does not tell which": cut.replace(
            receipt=(*cut.receipt[:-1], entry)
        ),
        "the lengths are not those": cut.replace(
            per_sequence={**cut.per_sequence, "original_lengths": np.ones(len(cut), np.int64)}
        ),
    }
    for words, data in cases.items():
        with pytest.raises(DataError, match=words):
            Parting.of(data)


def test_other_sequences_are_no_parts() -> None:
    assert Parting.of(sq.truncate(LONG, maxlen=2)) is None
    assert Parting.of(sq.split(LONG, test=0.5)) is None


def test_a_command_that_may_have_moved_steps_is_refused() -> None:
    windows = sq.window([[0, 1, 2, 3]], size=2)
    entry = {"command": "reverse", "arguments": {}, "rows": {"in": 6, "kept": 6, "cut": 0, "dropped": {}}}
    with pytest.raises(DataError, match="reverse came after window, and may have moved steps"):
        Parting.of(windows.replace(receipt=(*windows.receipt, entry)))
