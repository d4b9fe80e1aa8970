from pathlib import Path

import numpy as np
import pytest

import seqtool as sq
from seqtool.errors import DataError
from seqtool.sequences.ragged import Ragged

SEQUENCES: dict[str, list[int]] = {"a": [1], "b": [2, 3], "c": [4, 5, 6], "007": [7, 8, 9, 10]}


def test_keys_of_a_file_are_compared_as_written(tmp_path: Path) -> None:
    file = tmp_path / "keys.txt"
    file.write_text("\ufeffc\r\n007\n\nb,x\n7\n", encoding="utf-8")
    with pytest.warns(UserWarning, match=r"keys\.txt: 2 keys of 4 in no sequence: b,x, 7$"):
        found = sq.filter(SEQUENCES, keys=file)
    assert found.keys.tolist() == ["c", "007"]
    assert found.receipt[-1]["arguments"] == {"keys": "keys.txt", "seed": 0}
    pairs = Ragged(np.arange(3), np.arange(4), keys=np.array([["a", "x,y"], ["a", "z"], ["b", "z"]]))
    for text in ('a,"x,y"\nb,z\n', "a\tx,y\nb\tz"):
        file.write_text(text, encoding="utf-8")
        assert sq.filter(pairs, keys=str(file)).values.tolist() == [0, 2]
    file.write_text("a,z\nb\n", encoding="utf-8")
    with pytest.raises(
        DataError, match=r"keys\.txt, line 2: 'b' is a key of 1 column; 2 were expected, with tabs or"
    ):
        sq.filter(pairs, keys=file)
    with pytest.raises(DataError, match="keys names sequences by their keys, which these have not"):
        sq.filter([[1]], keys=file)
    file.write_bytes(b"a\xff")
    with pytest.raises(DataError, match="bytes that are not UTF-8"):
        sq.filter(SEQUENCES, keys=file)
    with pytest.raises(DataError, match=r"none\.txt: no such file"):
        sq.filter(SEQUENCES, keys=tmp_path / "none.txt")
