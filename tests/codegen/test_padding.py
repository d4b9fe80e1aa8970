"""What padding does to a network."""

from __future__ import annotations

import pytest

import seqtool
from seqtool.codegen.padding import is_harmless, mask_value
from seqtool.codegen.tasks import task_of


@pytest.mark.parametrize(
    ("value", "expected"), [(0, 0), (-5, -5), (7, -1), (float("nan"), 0), ((1, 2), 0), ((3, 3), (3, 3))]
)
def test_the_mask_value_is_that_of_the_file_unless_it_hides_steps_or_is_no_number(
    value: object, expected: object
) -> None:
    steps = [[[7, 7], [1, 5]], [[5.5, 0]]]
    if value == 7:
        steps[1] = [[0, 0]]
    assert mask_value(seqtool.pad(steps, value=value)) == expected


def test_padding_does_no_harm_if_it_is_finite_or_a_known_id() -> None:
    for steps, value, expected in (
        ([[[1.5]], [[2.5], [3]]], 9, True),
        ([[[1.5]], [[2.5], [3]]], float("inf"), False),
        ([[[1.5, 1]], [[2.5, 1], [3, 1]]], (0, float("nan")), False),
        ([[1], [2, 3]], 3, True),
        ([[1], [2, 3]], 4, False),
        ([[1], [2, 3]], -1, False),
    ):
        data = seqtool.pad(steps, value=value)
        assert is_harmless(data, task_of(data)) == expected
