"""Sequences without a single number have one type, whatever the file they come from."""

from pathlib import Path

import numpy as np
import pytest

from tests.command import Place


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("a.txt", "\n\n"),
        ("a.json", "[[], []]"),
        ("a.jsonl", "[]\n[]\n"),
        ("b.jsonl", '{"v": []}\n{"v": []}\n'),
    ],
)
@pytest.mark.parametrize(("options", "dtype"), [((), "float32"), (("--dtype", "int16"), "int16")])
def test_nothing_at_all_is_float32(
    tmp_path: Path, name: str, content: str, options: tuple[str, ...], dtype: str
) -> None:
    place = Place(tmp_path)
    place.write(name, content)
    [arrays] = place.outputs("pad", [name, "--maxlen", "2", *options])
    assert arrays["x"].shape == (2, 2)
    assert arrays["x"].dtype == np.dtype(dtype)
