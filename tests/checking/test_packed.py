import json
from typing import Any

import numpy as np
import pytest

from tests.command import Place

X = np.ones((2, 5, 1))


def findings(place: Place, **arrays: Any) -> list[dict[str, Any]]:
    np.savez(place.folder / "in.npz", x=X, **arrays)
    done = place.run("check", "in.npz", "--json")
    return [one for one in json.loads(done.out)["findings"] if one["name"] == "packed"]


@pytest.mark.parametrize(
    ("name", "array"),
    [
        ("segment_ids", [[1, 1, 0, 0, 0], [1, 1, 2, 2, 0]]),
        ("position_ids", [[0, 1, 2, 3, 4], [0, 1, 0, 1, 2]]),
    ],
)
def test_rows_of_several_sequences_are_warned_of(place: Place, name: str, array: Any) -> None:
    (found,) = findings(place, **{name: np.array(array)})
    assert (found["verdict"], found["count"], found["place"]) == ("warning", 1, f"{name}[1]")
    assert f"1 row holds several sequences, as {name} says" in found["message"]


@pytest.mark.parametrize(
    ("name", "array"),
    [
        ("segment_ids", [[1, 1, 0, 0, 0], [1, 1, 1, 1, 1]]),
        ("position_ids", [[0, 1, 2, 0, 0], [0, 1, 2, 3, 4]]),
        ("position_ids", [[0, 1, 0, 1], [0, 1, 0, 1]]),  # of another shape
        ("segment_ids", [[0.5] * 5, [1.5] * 5]),
        ("notes", [[1, 2, 1, 2, 1], [1, 2, 1, 2, 1]]),
    ],
)
def test_one_sequence_a_row_is_as_it_should_be(place: Place, name: str, array: Any) -> None:
    assert findings(place, **{name: np.array(array)}) == []
