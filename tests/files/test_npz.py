import io
import json
import zipfile
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from seqtool.errors import DataError, SeqtoolError, UsageError
from seqtool.files import contents, stored
from seqtool.files.npz import is_ours, load, read_meta, save
from seqtool.files.writers import contents_of
from seqtool.files.zip_reader import ZipReader
from seqtool.operations.pad import carry_out, pad_stream
from seqtool.sequences.padding_values import value_to_json
from seqtool.sequences.ragged import Padded, Ragged, StepArray
from seqtool.sequences.stream import PaddedStream
from seqtool.sequences.validation import offsets_of
from seqtool.sources.pad import pad
from tests import oracles
from tests.hunting import examples, some
from tests.written import rewrite, write

NAN = float("nan")
BOTH_ROADS = pytest.mark.parametrize("seekable", [True, False], ids=["seekable", "pipe"])
ragged_with_all = oracles.raggeds(riders=True)


class Pipe(io.BytesIO):
    """Cannot seek or tell, as a pipe cannot."""

    def seekable(self) -> bool:
        return False

    def seek(self, *_: Any) -> int:
        raise OSError("a pipe cannot seek")

    def tell(self) -> int:
        raise OSError("a pipe cannot tell")


def packed(data: Ragged | Padded | PaddedStream, *, seekable: bool = True, mask: bool = False) -> bytes:
    file = io.BytesIO() if seekable else Pipe()
    write(file, data, seekable=seekable, mask=mask)
    return file.getvalue()


def reloaded(path: Path, data: bytes) -> Ragged | Padded:
    rewrite(path, data)
    return load(path)


def small() -> Padded:
    return pad([[1], [2, 3]], padding="post").replace(keys=np.array(["a", "b"]))


def full() -> Ragged:
    """One of everything that the format holds."""
    return Ragged(
        np.arange(6.0).reshape(3, 2),
        np.array([0, 1, 3]),
        keys=np.array([["a", "1"], ["b", "ü"]]),
        features=("höhe", ""),
        per_step={
            "step_y": StepArray(np.array([1, 2, 3], dtype=np.int8), -1),
            "row_index": StepArray(np.array([5, 4, 3]), -1),
            "c": StepArray(np.ones((3, 2), dtype=np.float32), NAN),
        },
        per_sequence={
            "y": np.array([0, 1]),
            "static": np.ones((2, 3)),
            "original_lengths": np.array([1, 2]),
            "part": np.array([-7, 2**62]),
            "split": np.array(["train", "ü"]),
        },
        names={
            "classes": np.array(["no", "yes"]),
            "step_classes": np.array(["x", "yy"]),
            "static_features": np.array(["p", "q", "r"]),
        },
        receipt=({"command": "group", "inputs": ["a.csv"]},),
    )


# There and back.


@BOTH_ROADS
@settings(max_examples=examples(50))
@given(ragged=ragged_with_all)
def test_a_ragged_comes_back(seekable: bool, scratch: Path, ragged: Ragged) -> None:
    loaded = reloaded(scratch / "ragged.npz", packed(ragged, seekable=seekable))
    assert isinstance(loaded, Ragged)
    assert oracles.parts(loaded) == oracles.parts(ragged)


@BOTH_ROADS
@pytest.mark.parametrize("padding", ["pre", "post"])
@settings(max_examples=examples(50))
@given(ragged=ragged_with_all, mask=st.booleans())
def test_a_padded_comes_back(seekable: bool, padding: Any, scratch: Path, ragged: Ragged, mask: bool) -> None:
    padded = pad(ragged, padding=padding, value=1, maxlen=3)
    loaded = reloaded(scratch / "padded.npz", packed(padded, seekable=seekable, mask=mask))
    assert isinstance(loaded, Padded)
    assert oracles.parts(loaded) == oracles.parts(padded)


@BOTH_ROADS
@settings(max_examples=examples(50))
@given(ragged=ragged_with_all, maxlen=st.none() | st.integers(1, 6), mask=st.booleans())
def test_a_plan_writes_the_bytes_of_what_it_would_make(
    seekable: bool, ragged: Ragged, maxlen: int | None, mask: bool
) -> None:
    planned = pad_stream(ragged, maxlen=maxlen)
    expected = packed(carry_out(planned), seekable=seekable, mask=mask)
    assert packed(planned, seekable=seekable, mask=mask) == expected


@given(ragged_with_all, st.booleans())
def test_numpy_reads_all_of_it_without_a_pickle(scratch: Path, ragged: Ragged, padded: bool) -> None:
    data = pad(ragged, maxlen=2) if padded else ragged
    path = scratch / "numpy.npz"
    rewrite(path, packed(data))
    with zipfile.ZipFile(path) as archive:
        assert archive.testzip() is None
    with np.load(path) as loaded:
        arrays = {name: loaded[name] for name in loaded.files}
    expected = {"x": data.x} if isinstance(data, Padded) else {"values": data.values, "offsets": data.offsets}
    expected |= {"lengths": data.lengths, **data.per_sequence, **data.names}
    expected |= {name: array.data for name, array in data.per_step.items()}
    if data.keys is not None:
        expected["keys"] = data.keys
    if data.features is not None:
        expected["features"] = np.array(data.features, dtype=str)
    assert sorted(arrays) == sorted([*expected, "meta"])
    for name, array in expected.items():
        assert arrays[name].dtype.kind == array.dtype.kind
        assert oracles.text_of(arrays[name]) == oracles.text_of(array)
    assert json.loads(str(arrays["meta"]))["kind"] == ("padded" if padded else "ragged")


@given(ragged_with_all)
def test_the_same_sequences_give_the_same_bytes(ragged: Ragged) -> None:
    assert packed(ragged) == packed(ragged)


@pytest.mark.parametrize(
    "make", [full, lambda: pad(full(), maxlen=1, value=(1, NAN))], ids=["ragged", "padded"]
)
def test_a_file_that_is_read_and_written_again_keeps_its_bytes(make: Any, tmp_path: Path) -> None:
    data = packed(make())
    assert packed(reloaded(tmp_path / "x.npz", data)) == data


def test_everything_in_the_format_survives_both_types(tmp_path: Path) -> None:
    assert oracles.parts(reloaded(tmp_path / "r.npz", packed(full()))) == oracles.parts(full())
    padded = pad(full(), maxlen=1)
    assert oracles.parts(reloaded(tmp_path / "p.npz", packed(padded))) == oracles.parts(padded)


@given(ragged_with_all)
def test_long_text_goes_as_utf8_and_comes_back(scratch: Path, ragged: Ragged) -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(contents, "_WIDEST_TEXT", 0)
        data = packed(ragged)
    assert oracles.parts(reloaded(scratch / "utf8.npz", data)) == oracles.parts(ragged)


@pytest.mark.parametrize("name", ["y", "static"])
def test_long_text_for_each_sequence_comes_back(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    text = np.array([["a", "bcd", ""], ["ü", "e", "f"]])
    ragged = full().replace(per_sequence={name: text})
    assert oracles.parts(reloaded(tmp_path / "narrow.npz", packed(ragged))) == oracles.parts(ragged)
    monkeypatch.setattr(contents, "_WIDEST_TEXT", 0)
    assert oracles.parts(reloaded(tmp_path / "wide.npz", packed(ragged))) == oracles.parts(ragged)


@pytest.mark.parametrize(
    "keys", [[["a"], ["bc"]], [["a", "b"], ["c", "d"]], [["", ""], ["c", ""]], ["a", ""]]
)
def test_keys_of_long_text_keep_their_columns(
    keys: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(contents, "_WIDEST_TEXT", 0)
    ragged = full().replace(keys=np.array(keys))
    assert reloaded(tmp_path / "keys.npz", packed(ragged)).keys.tolist() == keys  # type: ignore[union-attr]


def test_long_text_is_bytes_and_offsets_to_numpy(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(contents, "_WIDEST_TEXT", 19)
    (tmp_path / "x.npz").write_bytes(packed(small().replace(keys=np.array(["aü", "bcd"]))))
    with np.load(tmp_path / "x.npz") as arrays:
        assert arrays["keys"].tobytes() == "aübcd".encode()
        assert arrays["keys_offsets"].tolist() == [0, 3, 6]
        assert arrays["keys_offsets"].dtype == np.int64
    monkeypatch.setattr(contents, "_WIDEST_TEXT", 24)
    (tmp_path / "x.npz").write_bytes(packed(small().replace(keys=np.array(["aü", "bcd"]))))
    with np.load(tmp_path / "x.npz") as arrays:
        assert arrays["keys"].dtype == np.dtype("<U3")


def test_text_takes_no_more_width_than_it_needs() -> None:
    wide = small().replace(keys=np.array(["a", "b"], dtype="U1000"))
    assert packed(wide) == packed(small())
    stringy = small().replace(keys=np.array(["a", "b"], dtype=np.dtypes.StringDType()))
    assert packed(stringy) == packed(small())
    with np.load(io.BytesIO(packed(wide))) as arrays:
        assert arrays["keys"].dtype == np.dtype("<U1")


@pytest.mark.parametrize(
    "value", [0, -1, 0.5, 2**53, NAN, float("inf"), float("-inf"), (1, 2.5), (NAN, float("-inf"))]
)
def test_the_padding_value_comes_back(value: Any, tmp_path: Path) -> None:
    steps: Any = [[[1.0, 2.0]], [[3.0, 4.0], [5.0, 6.0]]] if isinstance(value, tuple) else [[1.0], [2.0, 3.0]]
    padded = pad(steps, value=value)
    loaded = reloaded(tmp_path / "x.npz", packed(padded))
    assert oracles.parts(loaded) == oracles.parts(padded)
    assert json.dumps(value_to_json(value), allow_nan=False)


@pytest.mark.parametrize("value", [np.int64(7), np.float32(0.5), np.float64(0.5), (np.int64(1),)])
def test_a_padding_value_may_be_a_number_of_numpys(value: Any, tmp_path: Path) -> None:
    steps: Any = [[[1.0]], [[2.0], [3.0]]]
    loaded = reloaded(tmp_path / "x.npz", packed(pad(steps, value=value)))
    assert isinstance(loaded, Padded)
    assert loaded.x[0, 0].tolist() == [value[0] if isinstance(value, tuple) else value]


def test_meta_says_what_the_specification_says() -> None:
    padded = pad(full(), padding="post", value=(1, NAN)).replace(receipt=full().receipt)
    with np.load(io.BytesIO(packed(padded))) as arrays:
        assert arrays["meta"].shape == ()
        meta = json.loads(str(arrays["meta"]))
    assert meta == {
        "format": "seqtool",
        "version": 1,
        "kind": "padded",
        "padding": "post",
        "value": [1, "nan"],
        "step_values": {"step_y": -1, "row_index": -1, "c": "nan"},
        "receipt": [{"command": "group", "inputs": ["a.csv"]}],
    }


@pytest.mark.parametrize("planned", [False, True])
def test_the_mask_is_written_when_asked_for(planned: bool) -> None:
    output: Any = pad_stream(full(), maxlen=3, padding="post")
    data = output if planned else carry_out(output)
    with np.load(io.BytesIO(packed(data, mask=True))) as arrays:
        assert arrays["mask"].dtype == bool
        assert arrays["mask"].tolist() == [[True, False, False], [True, True, False]]
    with np.load(io.BytesIO(packed(data))) as arrays:
        assert "mask" not in arrays.files


# Saving.


def test_npy_holds_x_alone(tmp_path: Path) -> None:
    save(tmp_path / "x.npy", small())
    assert np.load(tmp_path / "x.npy").tolist() == [[1, 0], [2, 3]]
    save(tmp_path / "x.npy", pad_stream(full(), maxlen=1))
    assert np.load(tmp_path / "x.npy").tolist() == [[[0, 1]], [[4, 5]]]


@pytest.mark.parametrize("name", ["x", "x.csv", "x.NPZ.bak", "x.npz.gz"])
def test_another_suffix_is_refused_before_anything_is_written(name: str, tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=r"\.npz, \.npy, .* or a folder/ was expected"):
        save(tmp_path / name, small())
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("where", ["per_step", "per_sequence", "names"])
def test_a_name_that_is_not_in_the_format_is_refused(where: str, tmp_path: Path) -> None:
    arrays: Any = {
        "per_step": StepArray(np.zeros(3), 0),
        "per_sequence": np.zeros(2),
        "names": np.array(["a"]),
    }
    ragged = full().replace(**{where: {"../evil": arrays[where]}})
    with pytest.raises(UsageError, match=r"'\.\./evil' is not a name of the file format"):
        save(tmp_path / "x.npz", ragged)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    "keys",
    [
        np.array(["a", None], dtype=object),
        np.array([b"a", b"b"]),
        np.array([1j, 2]),
        np.array(["2024-01-01", "2024-01-02"], dtype="M8[D]"),
        np.array([(1, 2), (3, 4)], dtype=[("a", "i4"), ("b", "i4")]),
    ],
    ids=lambda keys: str(keys.dtype),
)
@pytest.mark.parametrize("where", ["keys", "y"])
def test_what_no_one_could_read_back_is_never_written(keys: Any, where: str, tmp_path: Path) -> None:
    with pytest.raises(SeqtoolError, match=where):
        save(
            tmp_path / "x.npz",
            full().replace(**{"keys": keys} if where == "keys" else {"per_sequence": {"y": keys}}),
        )
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("keys", [["a\0", "b"], ["a", "b\0"], ["\0", ""]])
def test_a_key_never_loses_a_nul_at_its_end(keys: list[str], tmp_path: Path) -> None:
    strings = small().replace(keys=np.array(keys, dtype=np.dtypes.StringDType()))
    with pytest.raises(DataError, match="NUL"):
        save(tmp_path / "x.npz", strings)


# Damage, and files of others.


@pytest.mark.hunt
def test_every_flipped_bit_is_found_or_harmless(tmp_path: Path) -> None:
    data, expected, missed = packed(small()), oracles.parts(small()), []
    # Every bit around the arrays, and one in each byte of them: the test of the container takes them all.
    places = [place for place in range(8 * len(data)) if in_headers(data, place // 8) or place % 9 == 0]
    assert len(places) > 4000
    for place in some(places):
        flipped = bytearray(data)
        flipped[place // 8] ^= 1 << place % 8
        try:
            found = oracles.parts(reloaded(tmp_path / "flipped.npz", bytes(flipped)))
        except DataError:
            continue
        if found != expected:
            missed.append((place, [part for part in expected if found.get(part) != expected[part]]))
    assert missed == []


def in_headers(data: bytes, place: int) -> bool:
    """Whether a byte belongs to the zip's own records and not to an array."""
    array = data.rfind(b"\x93NUMPY", 0, place + 1)
    record = max(data.rfind(signature, 0, place + 1) for signature in (b"PK\x03\x04", b"PK\x01\x02"))
    return array < record


@pytest.mark.hunt
def test_every_shortened_file_is_refused(tmp_path: Path) -> None:
    data = packed(small())
    for size in some(range(len(data))):
        with pytest.raises(DataError, match=r"^short\.npz"):
            reloaded(tmp_path / "short.npz", data[:size])


def test_a_newer_version_is_refused_by_that_reason(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(contents, "VERSION", 3)
    save(tmp_path / "new.npz", small())
    monkeypatch.undo()
    with pytest.raises(
        DataError, match=r"^new\.npz: format version 3, but this seqtool reads up to version 2"
    ):
        load(tmp_path / "new.npz")


@pytest.mark.parametrize(
    "arrays",
    [
        {"x": np.zeros((2, 3))},
        {"x": np.zeros((2, 3)), "lengths": np.array([1, 2])},
        {"meta": np.array("{}")},
        {"meta": np.array([1, 2])},
        {"meta": np.array('{"format": "other"}')},
        {"meta": np.array(['{"format": "seqtool"}'])},
        {"meta": np.array(b'{"format": "seqtool"}')},
        {"meta": np.frombuffer(b"\xff\xff\xff\xff" * 4, dtype="<U4").reshape(())},
    ],
)
def test_a_file_of_others_is_refused(arrays: dict[str, Any], tmp_path: Path) -> None:
    np.savez(tmp_path / "foreign.npz", **arrays)
    with pytest.raises(DataError, match=r"^foreign\.npz"):
        load(tmp_path / "foreign.npz")


@pytest.mark.parametrize("name", ["t.csv", "t.npy"])
def test_what_is_no_npz_is_refused(name: str, tmp_path: Path) -> None:
    (tmp_path / "t.csv").write_text("k,a\n1,2\n")
    np.save(tmp_path / "t.npy", np.zeros(3))
    with pytest.raises(DataError, match=f"^{name}: not a complete .npz file"):
        load(tmp_path / name)


def changed(data: Padded | Ragged, arrays: dict[str, Any], meta: dict[str, Any] | None = None) -> bytes:
    """A file of ours with some of its arrays exchanged, or left out where None, and some of its meta."""
    with np.load(io.BytesIO(packed(data))) as loaded:
        whole = {name: loaded[name] for name in loaded.files}
    spoken = json.loads(str(whole["meta"])) | (meta or {})
    whole["meta"] = np.array(json.dumps({key: value for key, value in spoken.items() if value != "GONE"}))
    whole |= arrays
    file = io.BytesIO()
    np.savez(file, **{name: array for name, array in whole.items() if array is not None})
    return file.getvalue()


def test_numpys_own_rewriting_of_a_file_is_still_read(tmp_path: Path) -> None:
    assert oracles.parts(reloaded(tmp_path / "x.npz", changed(small(), {}))) == oracles.parts(small())
    assert oracles.parts(reloaded(tmp_path / "x.npz", changed(full(), {}))) == oracles.parts(full())


@pytest.mark.parametrize(
    "meta",
    [
        {"version": "one"},
        {"version": None},
        {"version": "GONE"},
        {"kind": "square"},
        {"kind": "ragged"},
        {"kind": "GONE"},
        {"padding": "left"},
        {"padding": "pre"},
        {"padding": None},
        {"value": "abc"},
        {"value": 9},
        {"value": None},
        {"value": {}},
        {"value": [0]},
        {"value": [0, "x"]},
        {"value": "GONE"},
        {"step_values": "GONE"},
        {"receipt": None},
        {"receipt": 7},
        {"receipt": "GONE"},
    ],
    ids=str,
)
def test_a_meta_that_does_not_hold_is_refused(meta: dict[str, Any], tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"^x\.npz"):
        reloaded(tmp_path / "x.npz", changed(small(), {}, meta))


@pytest.mark.parametrize(
    "step_values", [None, {}, {"step_y": "abc", "row_index": 0, "c": 0}, {"step_y": None}, [1, 2]]
)
def test_step_values_that_do_not_hold_are_refused(step_values: Any, tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"^x\.npz"):
        reloaded(tmp_path / "x.npz", changed(full(), {}, {"step_values": step_values}))


@pytest.mark.parametrize(
    "text", ['["seqtool", "format"]', "{", '{"format": "seqtool"', '["format": "seqtool"]']
)
def test_a_meta_that_is_no_object_is_refused(text: str, tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"^x\.npz"):
        reloaded(tmp_path / "x.npz", changed(small(), {"meta": np.array(text)}))


ODD = np.array([1.5, 2.5])
DAMAGED: dict[str, tuple[Padded | Ragged, dict[str, Any]]] = {
    "a cell past the end": (small(), {"x": np.array([[1, 9], [2, 3]])}),
    "x of one dimension": (small(), {"x": np.zeros(2)}),
    "x gone": (small(), {"x": None}),
    "x of text": (small(), {"x": np.array([["a", ""], ["b", "c"]])}),
    "lengths gone": (small(), {"lengths": None}),
    "lengths too large": (small(), {"lengths": np.array([1, 3])}),
    "lengths too many": (small(), {"lengths": np.array([1, 2, 2])}),
    "lengths of no dimension": (small(), {"lengths": np.array(2)}),
    "lengths of fractions": (small(), {"lengths": ODD}),
    "keys too few": (small(), {"keys": np.array(["a"])}),
    "keys of no dimension": (small(), {"keys": np.array("a")}),
    "features too many": (full(), {"features": np.array(["a", "b", "c"])}),
    "features of numbers": (full(), {"features": np.array([1, 2])}),
    "features of no dimension": (full(), {"features": np.array("ab")}),
    "values gone": (full(), {"values": None}),
    "values too few": (full(), {"values": np.zeros((2, 2))}),
    "offsets gone": (full(), {"offsets": None}),
    "offsets that fall": (full(), {"offsets": np.array([0, 4, 3])}),
    "offsets against lengths": (full(), {"offsets": np.array([0, 2, 3])}),
    "lengths against offsets": (full(), {"lengths": np.array([2, 1])}),
    "step_y too few": (full(), {"step_y": np.array([1, 2], dtype=np.int8)}),
    "step_y of text": (full(), {"step_y": np.array(["a", "b", "c"])}),
    "y too many": (full(), {"y": np.array([1, 2, 3])}),
    "part too few": (full(), {"part": np.array([1])}),
    "part of fractions": (full(), {"part": ODD}),
    "part of two columns": (pad(full(), maxlen=1), {"part": np.ones((2, 2), np.int64)}),
    "split of numbers": (full(), {"split": np.array([0, 1])}),
}


@pytest.mark.thinned
@pytest.mark.parametrize("case", DAMAGED)
def test_arrays_that_do_not_fit_are_refused(case: str, tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"^x\.npz"):
        reloaded(tmp_path / "x.npz", changed(*DAMAGED[case]))


@pytest.mark.parametrize(
    ("text", "offsets"),
    [
        (b"ab", [0, 1, 3]),
        (b"ab", [0, 1, 1]),
        (b"ab", [1, 1, 2]),
        (b"ab", [0, 2, 1]),
        (b"ab", [0, -1, 2]),
        (b"ab", [0, 2]),
        (b"ab", []),
        (b"ab", [0.0, 1.0, 2.0]),
        (b"ab", [[0, 1, 2]]),
        (b"\xc3\xbc", [0, 1, 2]),
        (b"\xff\xff", [0, 1, 2]),
    ],
)
def test_offsets_of_text_that_do_not_fit_its_bytes_are_refused(
    text: bytes, offsets: Any, tmp_path: Path
) -> None:
    keys = {"keys": np.frombuffer(text, dtype=np.uint8), "keys_offsets": np.array(offsets)}
    with pytest.raises(DataError, match=r"^x\.npz"):
        reloaded(tmp_path / "x.npz", changed(small(), keys))


def test_a_file_beyond_memory_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    save(tmp_path / "x.npz", small())
    monkeypatch.setattr(stored, "budget", lambda: 100)
    with pytest.raises(DataError, match=r"^x\.npz: its arrays take .*, but memory allows 100 B"):
        load(tmp_path / "x.npz")


def test_ours_are_told_from_others(tmp_path: Path) -> None:
    save(tmp_path / "ours.npz", small())
    np.savez(tmp_path / "other.npz", x=np.zeros(3))
    np.savez(tmp_path / "liar.npz", meta=np.arange(3))
    for name, ours in [("ours.npz", True), ("other.npz", False), ("liar.npz", False)]:
        with ZipReader(tmp_path / name, name) as archive:
            assert is_ours(archive) == ours


def test_meta_is_read_alone(tmp_path: Path) -> None:
    save(tmp_path / "ours.npz", full())
    with ZipReader(tmp_path / "ours.npz", "ours.npz") as archive:
        assert read_meta(archive)["kind"] == "ragged"


def test_a_large_ragged_is_written_in_the_order_of_the_specification() -> None:
    ragged = Ragged(np.arange(4), offsets_of(np.array([1, 3])), keys=np.array([1, 2]))
    with zipfile.ZipFile(io.BytesIO(packed(ragged))) as archive:
        names = archive.namelist()
    assert names == ["values.npy", "offsets.npy", "lengths.npy", "keys.npy", "meta.npy"]


@given(ragged_with_all, st.booleans(), st.booleans())
def test_the_size_is_known_before_anything_is_written(ragged: Ragged, planned: bool, mask: bool) -> None:
    data = pad_stream(ragged, maxlen=2) if planned else ragged
    with np.load(io.BytesIO(packed(data, mask=mask))) as arrays:
        assert contents_of(data, suffix=".npz", mask=mask).nbytes == sum(
            arrays[name].nbytes for name in arrays.files
        )
