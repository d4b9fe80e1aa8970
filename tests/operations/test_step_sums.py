"""Fingerprints of stretches of sequences."""

from __future__ import annotations

import numpy as np
import pytest

from seqtool.arrays import gather
from seqtool.arrays.spool import Spool
from seqtool.operations import step_sums
from seqtool.operations.step_sums import Sums
from seqtool.sequences.ragged import Ragged


@pytest.mark.parametrize("together", [1 << 16, 4])
def test_a_stretch_has_one_fingerprint_wherever_it_stands(
    together: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(step_sums, "_STEPS", together)
    monkeypatch.setattr(gather, "SEQUENCES_TOGETHER", together)
    steps = [5, 1, 2, 3, 1, 2, 3, 9, 1, 2]
    sums = Sums.of(Ragged(np.array(steps), np.array([0, 4, 10])), Spool())
    prints = sums.windows(0, 8, 3)
    alike = [[steps[i : i + 3] == steps[j : j + 3] for j in range(8)] for i in range(8)]
    assert (prints[:, None] == prints).tolist() == alike
    assert sums.fingerprints(np.arange(8), 3).tolist() == prints.tolist()
    elsewhere = Sums.of(Ragged(np.array([0, 1, 2, 3, 9, 9]), np.array([0, 6])), Spool())
    held = [steps[i : i + 3] in ([1, 2, 3], [2, 3, 9]) for i in range(8)]
    assert elsewhere.holds(prints, 3).tolist() == held
    assert not elsewhere.holds(prints, 7).any()


def test_the_first_and_the_last_change_of_each_sequence() -> None:
    sums = Sums.of(Ragged(np.array([7, 7, 8, 8, 9, 9, 4, 4]), np.array([0, 6, 8])), Spool())
    assert np.asarray(sums.changes[:]).tolist() == [[2, 4], [0, 0]]
