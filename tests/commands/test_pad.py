"""`seqtool pad`: every option, by what it does to the file that comes out."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

import seqtool
from tests.command import Place, succeeded

RAGGED = "5 1\n3\n\n7 8 9\n"


@pytest.fixture
def place(tmp_path: Path) -> Place:
    return Place(tmp_path)


def pad(place: Place, *arguments: str) -> dict[str, np.ndarray]:
    """The arrays that come of a call."""
    [arrays] = place.outputs("pad", arguments)
    return arrays


def x(place: Place, *arguments: str) -> list:
    return pad(place, *arguments)["x"].tolist()


def test_the_missions_call(place: Place) -> None:
    """`seqtool pad in.npy --maxlen 100 --post`, on (1920, 45, 20)."""
    steps = np.random.default_rng(1).random((1920, 45, 20), dtype=np.float32)
    place.write("in.npy", steps)
    done = succeeded(place.run("pad", "in.npy", "--maxlen", "100", "--post"))
    assert [*place.files()] == ["in.npy", "in.pad.npz"]
    assert place.left_behind() == []
    arrays = place.arrays("in.pad.npz")
    assert arrays["x"].shape == (1920, 100, 20)
    assert arrays["x"].dtype == np.float32
    assert (arrays["x"][:, :45] == steps).all()
    assert not arrays["x"][:, 45:].any()
    assert arrays["lengths"].shape == (1920,)
    assert arrays["lengths"].dtype == np.int64
    assert (arrays["lengths"] == 45).all()
    for word in ("1,920 sequences", "in.npy", "(1920, 100, 20) float32", "all 45", "in.pad.npz"):
        assert word in done.err
    assert len(done.err.splitlines()) <= 4


def test_keras_examples(place: Place) -> None:
    place.write("a.json", "[[1], [2, 3], [4, 5, 6]]")
    assert x(place, "a.json") == [[0, 0, 1], [0, 2, 3], [4, 5, 6]]
    assert x(place, "a.json", "--maxlen", "2") == [[0, 1], [2, 3], [5, 6]]
    assert x(place, "a.json", "--post") == [[1, 0, 0], [2, 3, 0], [4, 5, 6]]


def test_maxlen_sides_and_truncating_are_independent(place: Place) -> None:
    place.write("a.txt", RAGGED)
    assert x(place, "a.txt") == [[0, 5, 1], [0, 0, 3], [0, 0, 0], [7, 8, 9]]
    assert x(place, "a.txt", "--pre", "--maxlen", "2") == [[5, 1], [0, 3], [0, 0], [8, 9]]
    assert x(place, "a.txt", "--post", "--maxlen", "2") == [[5, 1], [3, 0], [0, 0], [8, 9]]
    cut = pad(place, "a.txt", "--maxlen", "2", "--truncating", "post")
    assert cut["x"].tolist() == [[5, 1], [0, 3], [0, 0], [7, 8]]
    assert cut["lengths"].tolist() == [2, 1, 0, 2]
    assert cut["original_lengths"].tolist() == [2, 1, 0, 3]
    [entry] = json.loads(str(cut["meta"]))["receipt"]
    assert entry["rows"] == {"in": 6, "kept": 5, "cut": 1, "dropped": {}}
    assert entry["arguments"]["truncating"] == "post"


def test_value_of_all_kinds(place: Place) -> None:
    place.write("a.npy", np.ones((1, 1, 3)))
    assert x(place, "a.npy", "--maxlen", "2", "--value", "-1.5")[0][0] == [-1.5] * 3
    assert x(place, "a.npy", "--maxlen", "2", "--value", "0,0.5,-1")[0][0] == [0, 0.5, -1]
    arrays = pad(place, "a.npy", "--maxlen", "2", "--value", "nan")
    assert np.isnan(arrays["x"][0, 0]).all()
    assert json.loads(str(arrays["meta"]))["value"] == "nan"


def test_dtype_stays_unless_another_is_asked_for(place: Place) -> None:
    dtypes = ("bool", "int8", "uint16", "int64", "float16", "float64")
    for dtype in dtypes:
        place.write(f"{dtype}.npy", np.array([[1, 0]], dtype))
    calls = [[f"{dtype}.npy", "--maxlen", "3"] for dtype in dtypes]
    *same, asked = place.outputs("pad", *calls, ["float64.npy", "--maxlen", "3", "--dtype", "int8"])
    assert [str(arrays["x"].dtype) for arrays in same] == [*dtypes]
    assert asked["x"].dtype == np.int8
    assert asked["x"].tolist() == [[0, 1, 0]]


def test_mask_follows_the_lengths_and_not_the_values(place: Place) -> None:
    place.write("a.txt", "0 1\n0\n\n7 8 9\n")
    arrays = pad(place, "a.txt", "--post", "--mask")
    assert arrays["mask"].dtype == np.bool_
    assert arrays["mask"].tolist() == [
        [True, True, False],
        [True, False, False],
        [False, False, False],
        [True, True, True],
    ]
    assert pad(place, "a.txt", "--mask")["mask"].tolist()[1] == [False, False, True]
    assert "mask" not in pad(place, "a.txt")


def test_multiple_of_rounds_up(place: Place) -> None:
    place.write("a.txt", RAGGED)
    assert pad(place, "a.txt", "--multiple-of", "8")["x"].shape == (4, 8)
    assert pad(place, "a.txt", "--multiple-of", "3")["x"].shape == (4, 3)
    assert pad(place, "a.txt", "--maxlen", "10", "--multiple-of", "4")["x"].shape == (4, 12)


def test_strip_finds_lengths_that_were_lost(place: Place) -> None:
    place.write("a.npy", np.array([[5.0, 0, 1, 0, 0], [0, 0, 0, 0, 0], [0, 0, 7, 8, 9]]))
    arrays = pad(place, "a.npy", "--strip", "0", "--post")
    assert arrays["lengths"].tolist() == [3, 0, 5]
    assert arrays["x"].tolist() == [[5, 0, 1, 0, 0], [0, 0, 0, 0, 0], [0, 0, 7, 8, 9]]
    [entry] = json.loads(str(arrays["meta"]))["receipt"]
    assert entry["rows"] == {"in": 15, "kept": 8, "cut": 0, "dropped": {"stripped": 7}}
    arrays = pad(place, "a.npy", "--strip", "0", "--strip-side", "pre")
    assert arrays["lengths"].tolist() == [5, 0, 3]
    place.write("b.npy", np.array([[[1, np.nan], [np.nan, np.nan]], [[2, 3], [4, 5]]]))
    assert pad(place, "b.npy", "--strip", "nan")["lengths"].tolist() == [1, 2]


def test_the_summary_mentions_strip_where_old_padding_may_hide(place: Place) -> None:
    place.write("old.npy", np.array([[5.0, 1, 0, 0], [7, 8, 9, 1]]))
    place.write("full.npy", np.array([[5.0, 1, 2, 3], [7, 8, 9, 1]]))
    assert "--strip 0" in succeeded(place.run("pad", "old.npy")).err
    assert "--strip" not in succeeded(place.run("pad", "full.npy")).err


def test_foreign_npz(place: Place) -> None:
    dense = np.array([[5, 1, 9], [3, 9, 9], [7, 8, 9]])
    np.savez(place.folder / "x.npz", x=dense, lengths=[2, 1, 3], other=np.zeros(3))
    done = succeeded(place.run("pad", "x.npz", "-o", "out.npz"))
    assert place.arrays("out.npz")["x"].tolist() == [[0, 5, 1], [0, 0, 3], [7, 8, 9]]
    assert "arrays not read: other" in done.err
    assert "3 steps beyond lengths were overwritten with the padding value" in done.err
    np.savez(place.folder / "named.npz", data=dense, other=dense * 0, true=[2, 1, 3])
    assert x(place, "named.npz", "--array", "data", "--lengths", "true")[1] == [0, 0, 3]
    np.savez(place.folder / "only.npz", something=dense)
    assert x(place, "only.npz") == dense.tolist()
    np.savez(place.folder / "ragged.npz", values=[5, 1, 3], offsets=[0, 2, 2, 3])
    assert x(place, "ragged.npz") == [[5, 1], [0, 0], [0, 3]]
    np.savez(place.folder / "many.npz", *[np.arange(n) + 1 for n in (2, 0, 1, 3, *[1] * 8)])
    assert x(place, "many.npz", "--post")[:4] == [[1, 2, 0], [0, 0, 0], [1, 0, 0], [1, 2, 3]]


def test_lengths_and_the_side_of_a_foreign_array(place: Place) -> None:
    place.write("a.npy", np.array([[9, 5, 1], [9, 9, 3]]))
    place.write("n.npy", np.array([2, 1]))
    arrays = pad(place, "a.npy", "--lengths", "n.npy", "--input-padding", "pre")
    assert arrays["x"].tolist() == [[5, 1], [0, 3]]
    arrays = pad(place, "a.npy", "--lengths", "n.npy", "--input-padding", "pre", "--post")
    assert arrays["lengths"].tolist() == [2, 1]
    assert [row[:n] for row, n in zip(arrays["x"].tolist(), [2, 1], strict=True)] == [[5, 1], [3]]
    arrays = pad(place, "a.npy", "--lengths", "n.npy", "--input-padding", "post", "--post")
    assert [row[:n] for row, n in zip(arrays["x"].tolist(), [2, 1], strict=True)] == [[9, 5], [9]]
    done = place.run("pad", "a.npy", "--lengths", "n.npy")
    assert (done.code, "--input-padding pre" in done.err) == (1, True)


def test_an_old_object_array_with_allow_pickle(place: Place) -> None:
    ragged = np.empty(3, dtype=object)
    ragged[:] = [[5, 1], [3], [7, 8, 9]]
    place.write("a.npy", ragged)
    assert x(place, "a.npy", "--allow-pickle") == [[0, 5, 1], [0, 0, 3], [7, 8, 9]]


def test_padding_a_file_of_ours_again(place: Place) -> None:
    """It knows its lengths, side and value, so that padding it again pads and cuts real steps only."""
    place.write("a.txt", RAGGED)
    succeeded(place.run("pad", "a.txt", "--post", "--maxlen", "5", "--value", "-7", "-o", "ours.npz"))
    arrays = pad(place, "ours.npz", "--maxlen", "4")
    assert arrays["x"].tolist() == [[5, 1, -7, -7], [3, -7, -7, -7], [-7] * 4, [7, 8, 9, -7]]
    assert arrays["lengths"].tolist() == [2, 1, 0, 3]
    assert "original_lengths" not in arrays
    assert x(place, "ours.npz") == [[5, 1, -7], [3, -7, -7], [-7, -7, -7], [7, 8, 9]]
    assert x(place, "ours.npz", "--pre", "--value", "0") == [[0, 5, 1], [0, 0, 3], [0, 0, 0], [7, 8, 9]]
    succeeded(place.run("pad", "ours.npz", "--maxlen", "2", "-o", "cut.npz"))
    arrays = pad(place, "cut.npz", "--maxlen", "4")
    assert arrays["lengths"].tolist() == [2, 1, 0, 2]
    assert arrays["original_lengths"].tolist() == [2, 1, 0, 3]
    receipt = json.loads(str(arrays["meta"]))["receipt"]
    assert [entry["rows"]["cut"] for entry in receipt] == [0, 1, 0]


def test_json_of_lists_and_of_objects(place: Place) -> None:
    place.write("steps.jsonl", "[[1, 0.5]]\n[[2, 1.5], [3, 2.5]]\n")
    arrays = pad(place, "steps.jsonl")
    assert arrays["x"].tolist() == [[[0, 0], [1, 0.5]], [[2, 1.5], [3, 2.5]]]
    assert arrays["x"].dtype == np.float32
    assert pad(place, "steps.jsonl", "--dtype", "float64")["x"].dtype == np.float64
    place.write(
        "tokens.jsonl",
        '{"id": "b", "input_ids": [5, 6], "mask": [1, 1], "label": "spam"}\n'
        '{"id": "a", "input_ids": [7], "mask": [1], "label": "ham"}\n',
    )
    arrays = pad(place, "tokens.jsonl", "--array", "input_ids", "--label", "label", "--key", "id", "--post")
    assert arrays["x"].tolist() == [[5, 6], [7, 0]]
    assert arrays["x"].dtype == np.int64
    assert arrays["keys"].tolist() == ["b", "a"]
    assert arrays["y"].tolist() == [1, 0]
    assert arrays["classes"].tolist() == ["ham", "spam"]


def test_list_columns(place: Place) -> None:
    import pyarrow as pa
    import pyarrow.parquet as parquet

    table = pa.table(
        {
            "ids": pa.array([[5, 6], [], [7]], pa.list_(pa.int32())),
            "label": [0.5, 1.5, 2.5],
            "key": [30, 10, 20],
        }
    )
    parquet.write_table(table, place.folder / "a.parquet")
    arrays = pad(place, "a.parquet", "--array", "ids", "--label", "label", "--key", "key", "--post")
    assert arrays["x"].dtype == np.int32
    assert arrays["x"].tolist() == [[5, 6], [0, 0], [7, 0]]
    assert arrays["keys"].tolist() == [30, 10, 20]
    assert arrays["y"].tolist() == [0.5, 1.5, 2.5]
    assert "classes" not in arrays


def test_text_of_numbers(place: Place) -> None:
    for content in ("5 1\n3\n7 8 9\n", "5\t1\n3\n7\t8\t9\n", "5,1\r\n3\r\n7, 8 ,9\r\n"):
        place.write("a.txt", content)
        assert x(place, "a.txt", "--post") == [[5, 1, 0], [3, 0, 0], [7, 8, 9]]
    place.write("a.txt", "0.5 1\nNaN\n")
    done = succeeded(place.run("pad", "a.txt", "-o", "out.npz"))
    assert place.arrays("out.npz")["x"].dtype == np.float32
    assert "1 missing value" in done.err


def test_npy_output_holds_x_alone(place: Place) -> None:
    place.write("a.txt", RAGGED)
    succeeded(place.run("pad", "a.txt", "--post", "-o", "out.npy"))
    assert np.load(place.folder / "out.npy").tolist() == [[5, 1, 0], [3, 0, 0], [0, 0, 0], [7, 8, 9]]


def test_an_array_without_sequences(place: Place) -> None:
    place.write("a.npy", np.empty((0, 3, 2)))
    arrays = pad(place, "a.npy", "--maxlen", "4")
    assert arrays["x"].shape == (0, 4, 2)
    assert arrays["lengths"].shape == (0,)


def test_an_array_in_fortran_order_and_foreign_byte_order(place: Place) -> None:
    steps = np.arange(24.0).reshape(2, 4, 3)
    for array in (np.asfortranarray(steps), steps.astype(">f8"), steps[:, ::-1][:, ::-1]):
        place.write("a.npy", array)
        arrays = pad(place, "a.npy", "--maxlen", "5", "--post")
        assert arrays["x"][:, :4].tolist() == steps.tolist()
        assert arrays["x"].dtype == np.float64


def test_the_receipt_holds_what_was_asked_for(place: Place) -> None:
    place.write("a.txt", RAGGED)
    arrays = pad(place, "a.txt", "--maxlen", "5", "--post", "--value", "1", "--dtype", "float32")
    meta = json.loads(str(arrays["meta"]))
    assert (meta["format"], meta["version"], meta["kind"]) == ("seqtool", 1, "padded")
    assert (meta["padding"], meta["value"]) == ("post", 1)
    [entry] = meta["receipt"]
    assert entry["inputs"] == ["a.txt"]
    asked = {"maxlen": 5, "padding": "post", "truncating": "pre", "value": 1, "dtype": "float32"}
    assert entry["arguments"] == asked


def test_min_len_drops_short_sequences_with_all_that_belongs_to_them(place: Place) -> None:
    place.write(
        "a.jsonl",
        '{"id": "b", "ids": [5, 6]}\n{"id": "a", "ids": []}\n{"id": "c", "ids": [7]}\n{"id": "d", "ids": [8, 9, 1]}\n',
    )
    call = ["pad", "a.jsonl", "--array", "ids", "--key", "id", "--post"]
    done = succeeded(place.run(*call, "--min-len", "2", "-o", "two.npz"))
    arrays = place.arrays("two.npz")
    assert arrays["x"].tolist() == [[5, 6, 0], [8, 9, 1]]
    assert arrays["keys"].tolist() == ["b", "d"]
    assert "dropped  2 sequences under 2 steps, 1 step in all" in done.err
    [entry] = json.loads(str(arrays["meta"]))["receipt"]
    assert entry["rows"] == {"in": 6, "kept": 5, "cut": 0, "dropped": {"sequence under 2 steps": 1}}
    assert entry["arguments"]["min_len"] == 2
    succeeded(place.run(*call, "--min-len", "1", "-o", "one.npz"))
    assert place.arrays("one.npz")["keys"].tolist() == ["b", "c", "d"]
    done = succeeded(place.run(*call, "--min-len", "9", "--maxlen", "2", "-o", "none.npz"))
    assert place.arrays("none.npz")["x"].shape == (0, 2)
    assert "no sequence is left" in done.err
    assert "min_len" not in str(pad(place, *call[1:])["meta"])
    assert place.run(*call, "--min-len", "-1").code == 2


def test_min_len_counts_what_stripping_leaves(place: Place) -> None:
    place.write("a.npy", np.array([[5.0, 0, 0], [0, 0, 0], [7, 8, 9]]))
    arrays = pad(place, "a.npy", "--strip", "0", "--min-len", "2")
    assert arrays["x"].tolist() == [[7, 8, 9]]
    [entry] = json.loads(str(arrays["meta"]))["receipt"]
    dropped = {"stripped": 5, "sequence under 2 steps": 1}
    assert entry["rows"] == {"in": 9, "kept": 3, "cut": 0, "dropped": dropped}


def test_min_len_on_a_file_of_ours_keeps_labels_and_per_step_arrays(place: Place) -> None:
    place.write("a.csv", "k,v,s,l\na,1,p,x\na,2,q,x\nb,3,p,y\nc,4,q,x\nc,5,q,x\n")
    group = ["group", "a.csv", "--key", "k", "--step-label", "s", "--label", "l", "--keep-row-index"]
    for more, side in ((["--ragged"], []), (["--maxlen", "3"], [])):
        succeeded(place.run(*group, *more, "-o", "g.npz"))
        arrays = pad(place, "g.npz", "--min-len", "2", "--post", *side)
        assert arrays["keys"].tolist() == ["a", "c"]
        assert arrays["y"].tolist() == [0, 0]
        assert arrays["row_index"][:, :2].tolist() == [[0, 1], [3, 4]]
        assert arrays["step_y"][:, :2].tolist() == [[0, 1], [1, 1]]
        rows = [entry["rows"] for entry in json.loads(str(arrays["meta"]))["receipt"]]
        assert rows[1] == {"in": 5, "kept": 4, "cut": 0, "dropped": {"sequence under 2 steps": 1}}


def test_value_auto_takes_one_that_no_real_step_holds(place: Place) -> None:
    place.write("a.npy", np.array([[[0.0, 0], [1, 2]], [[-1, -1], [0, 5]]]))
    done = succeeded(place.run("pad", "a.npy", "--maxlen", "3", "--value", "auto", "-o", "a.npz"))
    arrays = place.arrays("a.npz")
    assert arrays["x"][:, 0].tolist() == [[-2, -2], [-2, -2]]
    assert "padding with -2" in done.err
    meta = json.loads(str(arrays["meta"]))
    assert meta["value"] == -2
    assert meta["receipt"][0]["arguments"]["value"] == -2
    # A file of ours has a value of its own, which auto does without.
    assert x(place, "a.npz", "--maxlen", "3", "--post", "--value", "auto")[0][2] == [-2, -2]
    assert (
        json.loads(str(pad(place, "a.npy", "--value", "auto", "--dtype", "float32")["meta"]))["value"] == -2
    )
    place.write("full.npy", np.array([[True, False]]))
    done = place.run("pad", "full.npy", "--maxlen", "3", "--value", "auto")
    assert done.code == 1
    assert "full.npy: no mask value is free" in done.err
    assert "--dtype" in done.err
    assert pad(place, "full.npy", "--maxlen", "3", "--value", "auto", "--dtype", "int8")["x"][0, 0] == -1


# Ragged


def test_ragged_gathers_sequences_and_pads_nothing(place: Place) -> None:
    place.write("a.npy", np.array([[5, 1, 0, 0], [0, 0, 0, 0], [7, 8, 9, 1]], np.int16))
    call = ["pad", "a.npy", "--strip", "0", "--min-len", "1", "--ragged"]
    done = succeeded(place.run(*call, "--dtype", "float32", "-o", "r.npz"))
    arrays = place.arrays("r.npz")
    assert arrays["values"].tolist() == [5, 1, 7, 8, 9, 1]
    assert arrays["values"].dtype == np.float32
    assert arrays["offsets"].tolist() == [0, 2, 6]
    [entry] = json.loads(str(arrays["meta"]))["receipt"]
    assert entry["rows"] == {"in": 12, "kept": 6, "cut": 0, "dropped": {"stripped": 6}}
    assert entry["arguments"] == {
        "dtype": "float32",
        "ragged": True,
        "strip": "0",
        "strip_side": "post",
        "min_len": 1,
    }
    assert "values (6,) float32, ragged" in done.err
    succeeded(place.run("check", "r.npz", "--for", "torch"))
    succeeded(place.run("pad", "r.npz", "--post", "-o", "p.npz"))
    assert place.arrays("p.npz")["x"].tolist() == [[5, 1, 0, 0], [7, 8, 9, 1]]
    succeeded(place.run("pad", "p.npz", "--ragged", "-o", "again.npz"))
    assert place.arrays("again.npz")["values"].tolist() == arrays["values"].tolist()


def test_ragged_with_maxlen_does_what_truncate_does(place: Place) -> None:
    place.write("a.json", "[[1, 2, 3], [4], []]")
    succeeded(place.run("pad", "a.json", "--ragged", "--maxlen", "2", "-o", "pad.npz"))
    succeeded(place.run("truncate", "a.json", "--maxlen", "2", "-o", "truncate.npz"))
    padded, truncated = place.arrays("pad.npz"), place.arrays("truncate.npz")
    assert padded.keys() == truncated.keys()
    for name in padded.keys() - {"meta"}:
        assert padded[name].tolist() == truncated[name].tolist()
    assert padded["values"].tolist() == [2, 3, 4]
    [entry] = json.loads(str(padded["meta"]))["receipt"]
    assert entry["rows"] == {"in": 4, "kept": 3, "cut": 1, "dropped": {}}
    assert entry["arguments"] == {"ragged": True, "truncating": "pre", "maxlen": 2, "dtype": "int64"}


def test_ragged_refuses_what_pads(place: Place) -> None:
    place.write("a.npy", np.array([[300, 1]]))
    for option in (
        ["--post"],
        ["--value", "0"],
        ["--mask"],
        ["--multiple-of", "2"],
    ):
        done = place.run("pad", "a.npy", "--ragged", *option)
        assert (done.code, done.err.count("\n")) == (2, 1)
        assert "--ragged pads nothing" in done.err
    assert "use .npz" in place.run("pad", "a.npy", "--ragged", "-o", "b.npy").err
    done = place.run("pad", "a.npy", "--ragged", "--dtype", "int8")
    assert done.code == 1
    assert "a.npy: sequence 0, step 0: 300, which int8 cannot hold" in done.err
    assert [path.name for path in place.folder.iterdir()] == ["a.npy"]


def test_parts_and_splits_go_with_their_sequences_through_every_command(place: Place) -> None:
    ragged = seqtool.unpad(seqtool.pad([[1, 2, 0], [], [3], [4, 0]])).replace(
        keys=np.array(["a", "b", "a", "é"]),
        per_sequence={"part": np.array([5, 0, 10, -1]), "split": np.array(["train", "val", "train", "test"])},
    )
    seqtool.save(place.folder / "in.npz", ragged)
    line = "seqtool pad in.npz --min-len 1 --post -o - -q | seqtool pad --strip 0 --ragged -o - -q > out.npz"
    succeeded(place.shell(line))
    succeeded(place.run("pad", "out.npz", "--maxlen", "1", "-o", "cut.npz"))
    succeeded(place.run("check", "cut.npz"))
    for name in ("out.npz", "cut.npz"):
        arrays = place.arrays(name)
        assert arrays["keys"].tolist() == ["a", "a", "é"]
        assert arrays["part"].tolist() == [5, 10, -1]
        assert arrays["split"].tolist() == ["train", "train", "test"]
    assert place.arrays("out.npz")["lengths"].tolist() == [2, 1, 1]
