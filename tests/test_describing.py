import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import seqtool as sq
from seqtool import npz
from seqtool.describing import describe
from seqtool.errors import DataError
from seqtool.inputs import opened
from seqtool.ragged import Padded, Ragged
from tests import oracles


def facts(path: Path) -> dict[str, Any]:
    with opened([str(path)]) as found:
        return describe(found[0])


def saved(folder: Path, data: Ragged | Padded, **options: Any) -> Path:
    sq.save(folder / "ours.npz", data, **options)
    return folder / "ours.npz"


@pytest.mark.parametrize("shape", [(), (0,), (3,), (2, 3, 4), (0, 5)])
@pytest.mark.parametrize("dtype", ["bool", "int8", "float16", "float64"])
def test_an_npy_is_one_array(tmp_path: Path, shape: tuple[int, ...], dtype: str) -> None:
    array = np.zeros(shape, dtype)
    np.save(tmp_path / "in.npy", array)
    assert facts(tmp_path / "in.npy") == {
        "file": str(tmp_path / "in.npy"),
        "arrays": [{"name": "(the array)", "shape": list(shape), "dtype": dtype, "bytes": array.nbytes}],
    }


def test_a_foreign_npz_is_its_arrays_in_order(tmp_path: Path) -> None:
    np.savez(tmp_path / "in.npz", b=np.zeros((2, 3)), a=np.array(["x", "yz"]), c=np.array(7))
    found = facts(tmp_path / "in.npz")
    assert [array["name"] for array in found["arrays"]] == ["b", "a", "c"]
    assert [array["shape"] for array in found["arrays"]] == [[2, 3], [2], []]
    assert [array["dtype"] for array in found["arrays"]] == ["float64", "<U2", "int64"]
    assert [array["bytes"] for array in found["arrays"]] == [48, 16, 8]
    assert "sequences" not in found


def test_a_padded_file_of_ours_is_told_whole(tmp_path: Path) -> None:
    padded = Padded(
        np.array([[[1.5, 2], [0, 0], [0, 0]], [[3, 4], [5, 6], [0, 0]], [[0, 0], [0, 0], [0, 0]]]),
        np.array([1, 2, 0]),
        padding="post",
        keys=np.array(["a", "b", "c"]),
        features=("speed", "height"),
        per_sequence={"y": np.array([1, 0, 1])},
        names={"classes": np.array(["cat", "dog"])},
        receipt=({"command": "group", "rows": {"in": 3, "kept": 3, "cut": 0, "dropped": {}}},),
    )
    found = facts(saved(tmp_path, padded, mask=True))
    assert [array["name"] for array in found["arrays"]][:2] == ["x", "mask"]
    assert found["sequences"] == {
        "kind": "padded",
        "keys": {"count": 3, "kind": "text"},
        "count": 3,
        "steps": 3,
        "empty": 1,
        "lengths": {"min": 0, "median": 1.0, "max": 2},
        "padding": "post",
        "value": 0,
        "padding_share": pytest.approx(2 / 3),
        "features": ["speed", "height"],
        "classes": ["cat", "dog"],
        "receipt": [{"command": "group", "rows": {"in": 3, "kept": 3, "cut": 0, "dropped": {}}}],
        "preview": [
            {"length": 1, "key": "a", "y": 1, "steps": [["1.5", "2.0"]]},
            {"length": 2, "key": "b", "y": 0, "steps": [["3.0", "4.0"], ["5.0", "6.0"]]},
        ],
    }


def test_a_ragged_file_of_ours_has_no_padding_to_tell(tmp_path: Path) -> None:
    ragged = Ragged(np.arange(20), np.array([0, 7, 20]), keys=np.array([[1, 2], [3, 4]]))
    found = facts(saved(tmp_path, ragged))["sequences"]
    assert found["kind"] == "ragged"
    assert not {"padding", "value", "padding_share", "features", "classes"} & set(found)
    assert found["lengths"] == {"min": 7, "median": 10.0, "max": 13}
    assert found["preview"][0] == {"length": 7, "key": [1, 2], "steps": [["0"], ["1"], ["2"], ["3"], ["4"]]}


def test_a_file_without_sequences_can_be_told(tmp_path: Path) -> None:
    found = facts(saved(tmp_path, Padded(np.empty((0, 5, 2)), np.empty(0, dtype=np.int64))))["sequences"]
    assert (found["count"], found["lengths"], found["preview"], found["padding_share"]) == (0, None, [], 0.0)
    found = facts(saved(tmp_path, Ragged(np.empty(0), np.array([0]))))["sequences"]
    assert (found["count"], found["lengths"], found["preview"]) == (0, None, [])


@given(oracles.raggeds(riders=True), st.booleans())
def test_the_facts_agree_with_the_sequences_and_can_be_written_as_json(
    scratch: Path, ragged: Ragged, as_padded: bool
) -> None:
    path = saved(scratch, sq.pad(ragged) if as_padded else ragged)
    found = facts(path)
    json.dumps(found, allow_nan=False)
    sequences = oracles.sequences_of(ragged)
    told = found["sequences"]
    assert told["count"] == len(sequences)
    assert told["steps"] == sum(map(len, sequences))
    assert told["empty"] == sequences.count([])
    assert [p["length"] for p in told["preview"]] == [len(sequence) for sequence in sequences[:2]]
    assert [len(p["steps"]) for p in told["preview"]] == [min(5, len(sequence)) for sequence in sequences[:2]]
    if sequences:
        assert told["lengths"]["max"] == max(map(len, sequences))
        assert told["lengths"]["min"] == min(map(len, sequences))
    with np.load(path) as arrays:
        assert [array["name"] for array in found["arrays"]] == arrays.files
        assert [array["bytes"] for array in found["arrays"]] == [arrays[n].nbytes for n in arrays.files]


@pytest.mark.parametrize("value", [float("nan"), float("inf"), (1.0, float("nan"))])
def test_a_padding_value_that_json_lacks_is_told_as_text(tmp_path: Path, value: Any) -> None:
    told = facts(saved(tmp_path, sq.pad([[[1.5, 2]], []], value=value)))["sequences"]["value"]
    assert told == npz.value_to_json(value)
    json.dumps(told, allow_nan=False)


def test_a_label_that_json_lacks_is_told_as_text(tmp_path: Path) -> None:
    ragged = Ragged(np.arange(2), np.array([0, 2]), per_sequence={"y": np.array([np.nan])})
    json.dumps(facts(saved(tmp_path, ragged)), allow_nan=False)


def test_of_many_names_some_are_told(tmp_path: Path) -> None:
    names = tuple(f"f{i}" for i in range(200))
    told = facts(saved(tmp_path, Ragged(np.zeros((1, 200)), np.array([0, 1]), features=names)))["sequences"]
    assert told["features"] == list(names[:50])


@pytest.mark.parametrize("ours", [True, False])
def test_a_flipped_bit_anywhere_in_the_data_is_noticed(tmp_path: Path, ours: bool) -> None:
    x = np.arange(300_000.0).reshape(3, -1)
    path = tmp_path / "in.npz"
    if ours:
        sq.save(path, sq.pad(x), mask=True)
    else:
        np.savez(path, x=x)
    whole = bytearray(path.read_bytes())
    whole[whole.index(x.tobytes()) + x.nbytes // 2] ^= 4
    path.write_bytes(whole)
    with pytest.raises(DataError, match="damaged"):
        facts(path)


def test_a_flipped_bit_in_a_mask_is_noticed(tmp_path: Path) -> None:
    path = saved(tmp_path, sq.pad(np.ones((100, 1000), dtype=np.int16)), mask=True)
    whole = bytearray(path.read_bytes())
    whole[whole.index(b"mask.npy") + 50_000] ^= 1
    path.write_bytes(whole)
    with pytest.raises(DataError, match="damaged"):
        facts(path)


def test_an_array_that_no_one_may_open_is_refused(tmp_path: Path) -> None:
    objects = np.empty(1, dtype=object)
    np.save(tmp_path / "in.npy", objects, allow_pickle=True)
    with pytest.raises(DataError, match="object array"):
        facts(tmp_path / "in.npy")
