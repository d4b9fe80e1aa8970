from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
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


GIVEN = (
    ["c", "007", "7"],
    ("c", "007", "7"),
    {"007", "7", "c"},
    np.array(["c", "007", "7"]),
    np.array(["c", "007", "7"], dtype=object),
    pd.Series(["c", "007", "7"]),
    pd.Index(["c", "007", "7"]),
    pa.array(["c", "007", "7"]),
    (key for key in ("c", "007", "7")),
)


@pytest.mark.parametrize("given", GIVEN, ids=lambda given: type(given).__name__)
@pytest.mark.filterwarnings("ignore:keys. 1 key of 3 in no sequence. 7")
def test_keys_are_named_themselves_in_any_form(given: Any) -> None:
    found = sq.filter(SEQUENCES, keys=given)
    assert found.keys.tolist() == ["c", "007"]
    assert sorted(found.receipt[-1]["arguments"]["keys"]) == ["007", "7", "c"]
    assert found.receipt[-1]["rows"]["dropped"] == {"key not among keys": 3}


def test_whole_numbers_and_keys_of_several_columns_are_named() -> None:
    assert sq.filter({7: [1], 8: [2]}, keys=np.array([8])).keys.tolist() == [8]
    pairs = Ragged(np.arange(3), np.arange(4), keys=np.array([["a", "1"], ["a", "2"], ["b", "2"]]))
    frame = pd.DataFrame({"k": ["a", "b"], "day": [1, 2]})
    for given in ([("a", 1), ("b", 2)], [["a", "1"], ["b", "2"]], np.array([["a", "1"], ["b", "2"]]), frame):
        assert sq.filter(pairs, keys=given).values.tolist() == [0, 2]
    with pytest.raises(DataError, match=r"keys\[1\]: 'b' is a key of 1 column; 2 were expected, as a tuple"):
        sq.filter(pairs, keys=[("a", 1), "b"])
    with pytest.raises(DataError, match="is a key of 2 columns; 1 was expected"):
        sq.filter(SEQUENCES, keys=[("a", 1)])


@pytest.mark.parametrize("cell", [7.5, None, float("nan"), True])
def test_what_is_no_key_is_refused(cell: Any) -> None:
    with pytest.raises(DataError, match="is no key; text or a whole number was expected"):
        sq.filter(SEQUENCES, keys=["a", cell])


def test_the_receipt_holds_a_hash_of_many_keys(tmp_path: Path) -> None:
    sequences = {str(i): [i] for i in range(102)}
    few, many = (sq.filter(sequences, keys=[*range(count)]) for count in (100, 101))
    assert few.receipt[-1]["arguments"]["keys"] == [str(i) for i in range(100)]
    held = many.receipt[-1]["arguments"]["keys"]
    assert (held["count"], len(held["sha256"]), len(many)) == (101, 64, 101)
    sq.save(tmp_path / "many.npz", many)
    sq.filter(sq.load(tmp_path / "many.npz"), min_len=1)
    with pytest.raises(DataError, match="no sequence is left"):
        sq.filter(sequences, keys=[])
