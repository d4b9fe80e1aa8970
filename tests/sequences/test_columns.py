import numpy as np
import pytest

from seqtool.arrays.lazy import Lazy
from seqtool.errors import DataError
from seqtool.sequences.columns import class_of, column_named, sequence_columns
from seqtool.sequences.ragged import Ragged

RECEIPT = ({"command": "group", "arguments": {"key": ["house", "user"], "label": "died", "static": ["age"]}},)


def grouped(keys: object) -> Ragged:
    return Ragged(
        np.arange(3.0),
        np.array([0, 1, 3]),
        keys=keys,  # type: ignore[arg-type]
        receipt=RECEIPT,
        per_sequence={"y": np.array([1, 0]), "static": np.array([[30.0], [40]]), "part": np.array([0, 5])},
        names={"classes": np.array(["no", "yes"]), "static_features": np.array(["age"])},
    )


def test_columns_have_the_names_that_they_had_in_the_table() -> None:
    keys = np.array([["a", "1"], ["b", "2"]])
    for form in (keys, Lazy((2, 2), keys.dtype, lambda begin, end: keys[begin:end])):
        columns = sequence_columns(grouped(form))
        assert list(columns) == ["house", "user", "died", "y", "age", "length", "part"]
        assert np.asarray(columns["user"].cells).tolist() == ["1", "2"]
        assert np.asarray(columns["age"].cells).tolist() == [30, 40]
        assert np.asarray(columns["length"].cells).tolist() == [1, 2]
        assert np.asarray(class_of(columns["died"], ["x"])).tolist() == ["yes", "no"]


def test_columns_of_another_table_have_their_own_names() -> None:
    receipt = ({"command": "group", "arguments": {"key": ["user"], "label": "pat.csv:died"}},)
    assert list(sequence_columns(grouped(np.array([1, 2])).replace(receipt=receipt)))[:3] == [
        "user",
        "key",
        "died",
    ]


def test_without_a_receipt_that_fits_they_have_the_names_of_their_arrays() -> None:
    columns = sequence_columns(grouped(np.array([7, 8])).replace(names={}))
    assert list(columns) == ["key", "died", "y", "static_0", "length", "part"]
    with pytest.raises(DataError, match="--by: no column 'sex' of one cell a sequence; there are key, died"):
        column_named(grouped(np.array([7, 8])), "sex", "--by")
    with pytest.raises(DataError, match="y holds numbers; train or val"):
        class_of(columns["y"], ["train or val"])
