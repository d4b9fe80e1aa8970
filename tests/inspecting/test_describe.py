import json
import shlex
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import seqtool as sq
from seqtool.errors import DataError
from seqtool.files.inputs import opened
from seqtool.inspecting.describe import described, find_sequence, sequence_facts, slots_of
from seqtool.sequences.padding_values import value_to_json
from seqtool.sequences.ragged import Padded, Ragged
from seqtool.words import join_names
from tests import oracles
from tests.command import Place
from tests.cutting import small_windows


def facts(path: Path) -> dict[str, Any]:
    with opened([str(path)]) as found, described(found[0]) as (known, _):
        return known


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
        "not_read": [],
    }


def test_a_foreign_npz_is_its_arrays_in_order(tmp_path: Path) -> None:
    np.savez(tmp_path / "in.npz", b=np.zeros((2, 3)), a=np.array(["x", "yz"]), c=np.array(7))
    found = facts(tmp_path / "in.npz")
    assert [array["name"] for array in found["arrays"]] == ["b", "a", "c"]
    assert [array["shape"] for array in found["arrays"]] == [[2, 3], [2], []]
    assert [array["dtype"] for array in found["arrays"]] == ["float64", "<U2", "int64"]
    assert [array["bytes"] for array in found["arrays"]] == [48, 16, 8]
    assert "sequences" not in found


def test_a_padded_file_of_ours_is_reported_whole(tmp_path: Path) -> None:
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
        "histogram": [{"from": n, "to": n, "sequences": 1} for n in (0, 1, 2)],
        "padding": "post",
        "value": 0,
        "padding_share": pytest.approx(2 / 3),
        "features": ["speed", "height"],
        "classes": ["cat", "dog"],
        "not_finite": [],
        "receipt": [{"command": "group", "rows": {"in": 3, "kept": 3, "cut": 0, "dropped": {}}}],
        "preview": [
            {"sequence": 0, "length": 1, "key": "a", "y": 1, "steps": [["1.5", "2.0"]]},
            {"sequence": 1, "length": 2, "key": "b", "y": 0, "steps": [["3.0", "4.0"], ["5.0", "6.0"]]},
        ],
    }


def test_a_ragged_file_of_ours_has_no_padding_to_tell(tmp_path: Path) -> None:
    ragged = Ragged(np.arange(20), np.array([0, 7, 20]), keys=np.array([[1, 2], [3, 4]]))
    found = facts(saved(tmp_path, ragged))["sequences"]
    assert found["kind"] == "ragged"
    assert not {"padding", "value", "padding_share", "features", "classes"} & set(found)
    assert found["lengths"] == {"min": 7, "median": 10.0, "max": 13}
    assert found["preview"][0] == {
        "sequence": 0,
        "length": 7,
        "key": [1, 2],
        "steps": [["0"], ["1"], ["2"], ["3"], ["4"]],
    }


def test_a_file_without_sequences_can_be_described(tmp_path: Path) -> None:
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
    text = found["sequences"]
    assert text["count"] == len(sequences)
    assert text["steps"] == sum(map(len, sequences))
    assert text["empty"] == sequences.count([])
    assert [p["length"] for p in text["preview"]] == [len(sequence) for sequence in sequences[:2]]
    shown = "extent" if ragged.values.ndim > 2 else "steps"
    assert [len(p[shown]) for p in text["preview"]] == [min(5, len(sequence)) for sequence in sequences[:2]]
    if sequences:
        assert text["lengths"]["max"] == max(map(len, sequences))
        assert text["lengths"]["min"] == min(map(len, sequences))
    with np.load(path) as arrays:
        assert [array["name"] for array in found["arrays"]] == arrays.files
        assert [array["bytes"] for array in found["arrays"]] == [arrays[n].nbytes for n in arrays.files]


@pytest.mark.parametrize("value", [float("nan"), float("inf"), (1.0, float("nan"))])
def test_a_padding_value_that_json_lacks_is_reported_as_text(tmp_path: Path, value: Any) -> None:
    meta = facts(saved(tmp_path, sq.pad([[[1.5, 2]], []], value=value)))["sequences"]["value"]
    assert meta == value_to_json(value)
    json.dumps(meta, allow_nan=False)


def test_a_label_that_json_lacks_is_reported_as_text(tmp_path: Path) -> None:
    ragged = Ragged(np.arange(2), np.array([0, 2]), per_sequence={"y": np.array([np.nan])})
    json.dumps(facts(saved(tmp_path, ragged)), allow_nan=False)


def test_of_many_names_some_are_reported(tmp_path: Path) -> None:
    names = tuple(f"f{i}" for i in range(200))
    meta = facts(saved(tmp_path, Ragged(np.zeros((1, 200)), np.array([0, 1]), features=names)))["sequences"]
    assert meta["features"] == list(names[:50])


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


# One sequence


def sequences_in(keys: Any) -> Ragged:
    count = len(keys)
    return Ragged(np.arange(2 * count), np.arange(0, 2 * count + 1, 2), keys=keys)


@pytest.mark.parametrize(
    ("keys", "wanted", "place"),
    [
        (np.array([-7, 5, 70]), "-7", 0),
        (np.array([5, 7, 70]), "70", 2),
        (np.array(["007", "07", "7"]), "7", 2),
        (np.array(["a", "a,b", "b"]), "a,b", 1),
        (np.array([["a", "1"], ["a", "2"]]), "a,2", 1),
        (np.array([["a", "1"], ["a,b", "2"]]), '"a,b",2', 1),
        (np.array([[1, 2], [3, 4]]), "3,4", 1),
    ],
)
def test_a_sequence_is_found_by_its_key(keys: Any, wanted: str, place: int) -> None:
    ragged = sequences_in(keys)
    assert find_sequence(ragged, wanted, name="in.npz") == place


@given(oracles.raggeds(riders=True), st.booleans())
def test_each_key_finds_a_sequence_with_that_key(ragged: Ragged, as_padded: bool) -> None:
    data = sq.pad(ragged) if as_padded else ragged
    for i in range(len(data)):
        if data.keys is None:
            found = find_sequence(data, str(i), name="in.npz")
            assert found == i
        else:
            key, part = np.asarray(data.keys)[i], data.per_sequence.get("part")
            cells = [*map(str, key.reshape(-1).tolist())]
            if part is not None:
                cells.append(str(part[i]))
            wanted = cells[0] if len(cells) == 1 else join_names(cells)
            found = find_sequence(data, wanted, name="in.npz")
            assert np.array_equal(np.asarray(data.keys)[found], key)
            assert part is None or part[found] == part[i]
        window = slots_of(data, found)
        assert oracles.text_of(window.steps) == oracles.text_of(oracles.sequences_of(ragged)[found])
        assert sequence_facts(data, found)["length"] == len(oracles.sequences_of(ragged)[found])


@pytest.mark.parametrize(
    ("keys", "wanted", "hint"),
    [
        (np.array(["user17", "user18", "guest"]), "user1", "similar keys are user18, user17"),
        (np.array(["a", "b", "c", "d"]), "zzz", "keys look like a, b, c"),
        (np.array([5, 70]), "7", "similar keys are 70"),
        (np.array([5, 70]), "seven", "keys look like 5, 70"),
        (np.array([5, 70]), "9" * 5000, "keys look like 5, 70"),
        (np.array([[1, 2]]), "1", "keys look like 1,2"),
        (np.array([[1, 2]]), "1,2,3", "similar keys are 1,2"),
        (np.array([], dtype=np.int64), "1", "it holds no sequence"),
    ],
)
def test_a_key_that_is_not_there_is_reported_with_near_ones(keys: Any, wanted: str, hint: str) -> None:
    with pytest.raises(DataError, match=r"^in\.npz: no sequence has the key") as error:
        find_sequence(sequences_in(keys), wanted, name="in.npz")
    assert hint in str(error.value)


@pytest.mark.parametrize("wanted", ["2", "-1", "x", "1.0", ""])
def test_a_number_beyond_the_sequences_is_reported_with_their_count(wanted: str) -> None:
    ragged = Ragged(np.arange(3), np.array([0, 1, 3]))
    with pytest.raises(DataError, match="numbered from 0 to 1"):
        find_sequence(ragged, wanted, name="in.npz")
    with pytest.raises(DataError, match=rf"^in\.npz: no sequence {wanted}; it holds no sequence$"):
        find_sequence(Ragged(np.arange(0), np.array([0])), wanted, name="in.npz")


def test_a_key_far_behind_is_found_by_windows(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    small_windows(monkeypatch)
    names = np.array([f"user{i}" for i in range(1000)])
    path = saved(tmp_path, sequences_in(names))
    with opened([str(path)]) as found, described(found[0]) as (_, data):
        assert data is not None
        place = find_sequence(data, "user998", name="ours.npz")
        assert slots_of(data, place).steps[:].tolist() == [1996, 1997]


# Parts of a key


def in_parts(keys: Any, part: list[int]) -> Ragged:
    return sequences_in(np.array(keys)).replace(per_sequence={"part": np.array(part, np.int64)})


def test_the_part_is_reported_with_the_key(tmp_path: Path) -> None:
    ragged = in_parts([["a", "x"], ["a", "x"], ["b", "y"]], [0, -5, 3])
    meta = facts(saved(tmp_path, ragged))["sequences"]
    assert meta["part"] == {"min": -5, "max": 3}
    assert [(p["key"], p["part"]) for p in meta["preview"]] == [(["a", "x"], 0), (["a", "x"], -5)]
    assert sequence_facts(ragged, 2)["part"] == 3
    assert facts(saved(tmp_path, in_parts(np.empty(0, "U1"), [])))["sequences"]["part"] is None


@pytest.mark.parametrize(
    ("keys", "part", "wanted", "place"),
    [
        (["a", "b", "b"], [0, 0, 5], "b,5", 2),
        (["a", "b", "b"], [0, 0, 5], "b, 0", 1),
        (["a", "b", "b"], [0, 0, 5], "a", 0),
        (["a", "b", "b"], [7, 0, 5], "a,7", 0),
        ([3, 3, 4], [0, -5, 0], "3,-5", 1),
        ([3, 3, 4], [0, -5, 0], "4", 2),
        ([[1, 2], [1, 2], [1, 3]], [0, 5, 0], "1,2,5", 1),
        ([[1, 2], [1, 2], [1, 3]], [0, 5, 0], "1,3", 2),
        (["a,0", "a", "a,0"], [0, 0, 1], "a,0", 1),
        (["a,0", "a", "a,0"], [0, 0, 1], '"a,0",1', 2),
        (["", "", 'q"'], [0, 1, 0], ",1", 1),
        (["", "", 'q"'], [0, 1, 0], '"q""",0', 2),
        (["a", "a", "a"], [-(2**63), 2**63 - 1, 0], f"a,{2**63 - 1}", 1),
    ],
)
def test_a_sequence_is_found_by_its_key_and_part(keys: Any, part: list[int], wanted: str, place: int) -> None:
    assert find_sequence(in_parts(keys, part), wanted, name="in.npz") == place


@pytest.mark.parametrize(
    ("keys", "part", "wanted", "message"),
    [
        (
            ["a", "b", "b"],
            [0, 3, 5],
            "b",
            "the key 'b' has several parts: 3, 5; choose one of them: --sequence b,3",
        ),
        (
            ["b c"] * 2,
            [0, 5],
            "b c",
            "'b c' has several parts: 0, 5; choose one of them: --sequence 'b c,0'",
        ),
        (["b,c"] * 2, [0, 5], '"b,c"', "several parts: 0, 5; choose one of them: --sequence '\"b,c\",0'"),
        (
            [[1, 2]] * 2,
            [0, 5],
            "1,2",
            "the key '1,2' has several parts: 0, 5; choose one of them: --sequence 1,2,0",
        ),
        ([7] * 8, [*range(8)], "7", "has several parts: 0, 1, 2, 3, 4, 5, 6, 7; choose"),
        ([7] * 900, [*range(900)], "7", "has several parts: 0, 1, 2, 3, 4, 5, 6, 7, ...; choose"),
        (["a", "b", "b"], [0, 3, 5], "b,4", "the key 'b' has no part 4, only 3, 5"),
        (["a", "b", "b"], [0, 3, 5], "a,1", "the key 'a' has no part 1, only 0"),
        ([7] * 900, [*range(900)], "7,901", "no part 901, only 0, 1, 2, 3, 4, 5, 6, 7, ..."),
        (["bob", "bob"], [0, 1], "bobb,0", "no sequence has the key 'bobb,0'; similar keys are bob"),
        (["b", "b"], [0, 1], "b,x", "no sequence has the key 'b,x'; keys look like b"),
        (["b", "b"], [0, 1], "b,1.0", "no sequence has the key 'b,1.0'"),
        (["b", "b"], [0, 1], "b,0,1", "no sequence has the key 'b,0,1'"),
        (["b,c", "b,c"], [0, 1], "b,c", "no sequence has the key 'b,c'; similar keys are \"b,c\""),
        ([], [], "b,0", "it holds no sequence"),
    ],
)
def test_a_key_in_several_parts_is_reported_with_them(
    keys: Any, part: list[int], wanted: str, message: str
) -> None:
    with pytest.raises(DataError, match=r"^in\.npz: ") as error:
        find_sequence(in_parts(keys, part), wanted, name="in.npz")
    assert message in str(error.value)


@given(st.lists(st.tuples(st.text('a1," ', max_size=3), st.integers(-2, 2)), min_size=1, max_size=8))
def test_what_the_error_proposes_finds_a_sequence_of_that_key(pairs: list[tuple[str, int]]) -> None:
    data = in_parts(np.array([key for key, _ in pairs]), [part for _, part in pairs])
    for key, _ in pairs:
        parts = dict.fromkeys(part for other, part in pairs if other == key)
        if len(parts) == 1:
            assert pairs[find_sequence(data, join_names([key]) or '""', name="")][0] == key
            continue
        with pytest.raises(DataError, match="several parts") as error:
            find_sequence(data, join_names([key]), name="")
        [_, proposed] = shlex.split(str(error.value).rpartition(": ")[2])
        assert pairs[find_sequence(data, proposed, name="")] == (key, next(iter(parts)))


def test_a_part_far_behind_is_found_by_windows(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    small_windows(monkeypatch)
    path = saved(tmp_path, in_parts([f"user{i // 100}" for i in range(1000)], [i % 100 for i in range(1000)]))
    with opened([str(path)]) as found, described(found[0]) as (_, data):
        assert data is not None
        assert find_sequence(data, "user9,98", name="ours.npz") == 998
        with pytest.raises(DataError, match="the key 'user9' has several parts: 0, 1,"):
            find_sequence(data, "user9", name="ours.npz")
        with pytest.raises(DataError, match="has no part 100, only 0, 1, 2, 3, 4, 5, 6, 7,"):
            find_sequence(data, "user9,100", name="ours.npz")


def test_splits_and_categories_are_counted(place: Place) -> None:
    ragged = Ragged(
        np.array([3, 4, 1]),
        np.array([0, 1, 2, 3]),
        per_sequence={"split": np.array(["test", "train", "train"])},
        names={"categories": np.array(["city"]), "vocabulary_0": np.array(["oslo", "rome"])},
    )
    sq.save(place.folder / "t.npz", ragged)
    shown = " ".join(place.run("info", "t.npz").out.decode().split())
    assert "split train 2, test 1" in shown
    assert "category city 2 names: an embedding of 5 rows" in shown
