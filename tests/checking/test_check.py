"""`check` on broken files, on whole ones, and on foreign ones; the promises of `Subject`, the looks, the layouts."""

from __future__ import annotations

import json
import shlex
import shutil
import struct
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import seqtool
from seqtool.arrays.spool import Spool
from seqtool.checking import check
from seqtool.checking.findings import Finding
from seqtool.errors import DataError, UsageError
from seqtool.files import contents
from seqtool.files.inputs import opened
from seqtool.sequences.ragged import Padded, Ragged, StepArray
from seqtool.sources.options import ForeignSpec
from tests import oracles
from tests.command import SAMPLES, Place, succeeded
from tests.hunting import examples

NAN = float("nan")
TABLE = """user,time,speed,height,kind,state,age
x,1,1.5,2,car,a,30
x,2,3.5,4,car,b,30
x,3,5.5,6,car,a,30
y,1,7.5,8,foot,b,41
z,1,9.5,10,car,a,52
z,2,11.5,12,car,a,52
"""


@pytest.fixture(scope="module")
def files(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a padded and a ragged file that hold one of everything."""
    folder = tmp_path_factory.mktemp("made")
    (folder / "in.csv").write_text(TABLE)
    options: dict[str, Any] = {
        "key": "user",
        "order_by": "time",
        "label": "kind",
        "step_label": "state",
        "static": "age",
        "keep_row_index": True,
        "keep_order": True,
    }
    whole: Any = seqtool.group(folder / "in.csv", ragged=True, **options)
    seqtool.save(folder / "ragged.npz", whole)
    cut: Any = seqtool.group(folder / "in.csv", maxlen=2, **options)
    seqtool.save(folder / "padded.npz", cut, mask=True)
    return folder


def look(path: Path, reader: Any = None, against: Path | None = None, **foreign: Any) -> list[Finding]:
    with Spool() as spool, opened([str(path)]) as [source], opened([str(against or path)]) as [other]:
        return check(
            source,
            reader=reader,
            against=None if against is None else other,
            foreign=ForeignSpec(**foreign),
            spool=spool,
        )


def failing(findings: list[Finding]) -> list[str]:
    return [finding.name for finding in findings if finding.verdict == "fails"]


def found(findings: list[Finding], name: str) -> Finding:
    [finding] = [finding for finding in findings if finding.name == name]
    return finding


def unsure(findings: list[Finding]) -> list[str]:
    return [finding.name for finding in findings if finding.verdict == "warning"]


@pytest.mark.thinned
@pytest.mark.parametrize("name", ["padded.npz", "ragged.npz"])
@pytest.mark.parametrize("reader", [None, "keras", "keras-cudnn", "torch", "dynamic-rnn"])
def test_files_that_hold_one_of_everything_hold(files: Path, name: str, reader: Any) -> None:
    findings = look(files / name, reader)
    assert {finding.verdict for finding in findings} == {"ok"}
    assert {"file", "arrays", "meta", "lengths", "keys", "features", "values", "static"} <= {
        finding.name for finding in findings
    }


# Broken files: each is a good one with one fault

Arrays = dict[str, np.ndarray]
Fault = Callable[[Arrays], Any]


def put(name: str, place: Any, value: Any) -> Fault:
    """Another number in one cell."""

    def fault(arrays: Arrays) -> None:
        arrays[name][place] = value

    return fault


def change(name: str, how: Callable[[np.ndarray], Any]) -> Fault:
    """Another array."""

    def fault(arrays: Arrays) -> None:
        arrays[name] = np.asarray(how(arrays[name]))

    return fault


def meta(how: Callable[[dict[str, Any]], Any]) -> Fault:
    """Another description."""

    def fault(arrays: Arrays) -> None:
        facts = json.loads(str(arrays["meta"]))
        how(facts)
        arrays["meta"] = np.array(json.dumps(facts))

    return fault


def rows(i: int, name: str, by: int) -> Fault:
    """One count of a receipt off."""

    def off(message: dict[str, Any]) -> None:
        message["receipt"][i]["rows"][name] += by

    return meta(off)


def objects(_: np.ndarray) -> np.ndarray:
    cells = np.empty(3, object)
    cells[:] = ["x", "y", "z"]
    return cells


def bits(how: Callable[[bytearray, zipfile.ZipFile], bytes]) -> Callable[[Path], None]:
    """Other bytes."""

    def fault(path: Path) -> None:
        with zipfile.ZipFile(path) as archive:
            data = how(bytearray(path.read_bytes()), archive)
        path.write_bytes(data)

    return fault


def flip(data: bytearray, archive: zipfile.ZipFile) -> bytes:
    begin = archive.getinfo("x.npy").header_offset
    name, extra = struct.unpack_from("<2H", data, begin + 26)
    data[begin + 30 + name + extra + 128 + 5] ^= 1  # past the header of the array
    return bytes(data)


def flip_header(data: bytearray, archive: zipfile.ZipFile) -> bytes:
    data[archive.getinfo("lengths.npy").header_offset + 130] ^= 255
    return bytes(data)


BROKEN: dict[str, tuple[str, Any, str, str | None]] = {
    # name of the test: file, fault, the finding that fails, its place
    "bit flipped in a stored array": ("padded", bits(flip), "file", None),
    "bit flipped in the header of an array": ("padded", bits(flip_header), "file", None),
    "cut short": ("padded", bits(lambda data, _: bytes(data[:-300])), "file", None),
    "cut short in front": ("padded", bits(lambda data, _: bytes(data[:900])), "file", None),
    "unknown array": ("padded", lambda arrays: arrays.update(extra=np.zeros(2)), "arrays", None),
    "array missing": ("ragged", lambda arrays: arrays.pop("offsets"), "arrays", None),
    "x of four dimensions": ("padded", change("x", lambda x: x[..., None]), "arrays", None),
    "x of text": ("padded", change("x", lambda x: x.astype(str)), "arrays", None),
    "keys as a pickle": ("padded", change("keys", objects), "arrays", None),
    "keys too few": ("padded", change("keys", lambda keys: keys[:2]), "arrays", None),
    "y too long": ("padded", change("y", lambda y: np.append(y, 0)), "arrays", None),
    "lengths as floats": ("padded", change("lengths", lambda n: n.astype(float)), "arrays", None),
    "lengths of another type": ("padded", change("lengths", lambda n: n.astype("int32")), "arrays", None),
    "labels of steps too short": ("padded", change("step_y", lambda y: y[:, :1]), "arrays", None),
    "labels of steps too short in ragged": ("ragged", change("step_y", lambda y: y[:-1]), "arrays", None),
    "mask of another shape": ("padded", change("mask", lambda m: m[:, :1]), "arrays", None),
    "mask of numbers": ("padded", change("mask", lambda m: m.astype(int)), "arrays", None),
    "features too few": ("padded", change("features", lambda names: names[:1]), "arrays", None),
    "names of static columns too many": (
        "padded",
        change("static_features", lambda f: [*f, "b"]),
        "arrays",
        None,
    ),
    "offsets too few": ("ragged", change("offsets", lambda offsets: offsets[:-1]), "arrays", None),
    "offsets empty": ("ragged", change("offsets", lambda offsets: offsets[:0]), "arrays", None),
    "newer version": ("padded", meta(lambda stored: stored.update(version=9)), "meta", None),
    "meta cut short": ("padded", change("meta", lambda text: str(text)[:-1]), "meta", None),
    "another kind": ("padded", meta(lambda stored: stored.update(kind="ragged")), "meta", None),
    "another side": ("padded", meta(lambda stored: stored.update(padding="left")), "meta", None),
    "no value": ("padded", meta(lambda stored: stored.pop("value")), "meta", None),
    "value of too many numbers": (
        "padded",
        meta(lambda stored: stored.update(value=[0, 0, 0])),
        "meta",
        None,
    ),
    "value as text": ("padded", meta(lambda stored: stored.update(value="0")), "meta", None),
    "no value of labels": ("padded", meta(lambda stored: stored["step_values"].pop("step_y")), "meta", None),
    "no receipt": ("ragged", meta(lambda stored: stored.pop("receipt")), "meta", None),
    "tables as a number": ("padded", meta(lambda stored: stored.update(tables=5)), "meta", None),
    "tables as a list": ("padded", meta(lambda stored: stored.update(tables=[1, 2])), "meta", None),
    "tables of no array": (
        "padded",
        meta(lambda stored: stored.update(tables={"classes_7": "y"})),
        "meta",
        None,
    ),
    "length too large": ("padded", put("lengths", 1, 3), "lengths", "lengths[1]"),
    "length negative": ("padded", put("lengths", 2, -1), "lengths", "lengths[2]"),
    "lengths and offsets differ": ("ragged", put("lengths", 1, 2), "lengths", "lengths[1]"),
    "offsets begin late": ("ragged", put("offsets", 0, 1), "lengths", "offsets[0]"),
    "offsets decrease": ("ragged", put("offsets", 2, 2), "lengths", "offsets[2]"),
    "offsets end early": ("ragged", put("offsets", 3, 5), "lengths", "offsets[3]"),
    "leftover data in x": ("padded", put("x", (1, 1), [0, 7]), "padding", "x[1, 1]"),
    "value other than padding": (
        "padded",
        meta(lambda stored: stored.update(value=-1)),
        "padding",
        "x[1, 1]",
    ),
    "leftover data in labels": ("padded", put("step_y", (1, 1), 0), "padding", "step_y[1, 1]"),
    "mask true outside": ("padded", put("mask", (1, 1), True), "mask", "mask[1, 1]"),
    "mask false inside": ("padded", put("mask", (2, 1), False), "mask", "mask[2, 1]"),
    "key twice": ("padded", put("keys", 2, "x"), "keys", "keys[2]"),
    "key twice in ragged": ("ragged", put("keys", 1, "x"), "keys", "keys[1]"),
    "feature twice": ("padded", change("features", lambda _: ["a", "a"]), "features", "features[1]"),
    "label past the classes": ("padded", put("y", 1, 2), "y", "y[1]"),
    "label negative": ("ragged", put("y", 0, -1), "y", "y[0]"),
    "labels as floats": ("padded", change("y", lambda y: y.astype(float)), "y", None),
    "class twice": ("padded", put("classes", 1, "car"), "y", "y[1]"),
    "label of a step past the classes": ("padded", put("step_y", (0, 1), 5), "step_y", "step_y[0, 1]"),
    "label of a ragged step": ("ragged", put("step_y", 4, -1), "step_y", "step_y[4] (sequence 2, step 0)"),
    "original length below": (
        "padded",
        put("original_lengths", 2, 1),
        "original_lengths",
        "original_lengths[2]",
    ),
    "row number of a step missing": ("padded", put("row_index", (0, 0), -1), "row_index", "row_index[0, 0]"),
    "order value missing": (
        "padded",
        change("order", lambda order: np.where(order == order[0, 0], np.nan, order)),
        "order",
        "order[0, 0]",
    ),
    "receipt with more rows in": ("padded", rows(0, "in", 1), "receipt", "receipt[0]"),
    "receipt with more kept": ("ragged", rows(0, "cut", 2), "receipt", "receipt[0]"),
    "receipt of another file": (
        "padded",
        lambda arrays: (rows(0, "in", 3)(arrays), rows(0, "kept", 3)(arrays)),
        "receipt",
        "receipt[0]",
    ),
    "receipts that do not join": (
        "ragged",
        meta(
            lambda stored: stored["receipt"].insert(
                0, {"rows": {"in": 9, "kept": 9, "cut": 0, "dropped": {}}}
            )
        ),
        "receipt",
        "receipt[1]",
    ),
    "receipt without rows": (
        "ragged",
        meta(lambda stored: stored["receipt"][0].pop("rows")),
        "receipt",
        "receipt[0]",
    ),
}


@pytest.mark.thinned
@pytest.mark.parametrize("fault", BROKEN)
def test_a_broken_file_fails_by_its_fault_alone(files: Path, tmp_path: Path, fault: str) -> None:
    source, plant, name, place = BROKEN[fault]
    path = tmp_path / "broken.npz"
    shutil.copy(files / f"{source}.npz", path)
    if plant.__qualname__.startswith("bits"):
        plant(path)
    else:
        with np.load(path) as archive:
            arrays = dict(archive)
        plant(arrays)
        np.savez(path, **arrays)
    findings = look(path)
    assert failing(findings) == [name]
    if place is not None:
        assert found(findings, name).place == place
        assert found(findings, name).count >= 1
    assert findings[-1].name == name or name not in ("file", "arrays", "meta", "lengths")
    assert all("broken.npz" not in finding.message for finding in findings)


@pytest.mark.parametrize("fault", [b"", b"something"], ids=["cut", "trailing"])
def test_an_npy_of_another_size_than_its_header_tells(tmp_path: Path, fault: bytes) -> None:
    path = tmp_path / "in.npy"
    np.save(path, np.ones((2, 3)))
    data = path.read_bytes()
    path.write_bytes(data + fault if fault else data[:-1])
    assert failing(look(path)) == ["file"]


def test_an_npy_of_objects(tmp_path: Path) -> None:
    np.save(tmp_path / "in.npy", np.array([[1], [2, 3]], dtype=object))
    [finding] = look(tmp_path / "in.npy")
    assert (finding.name, finding.verdict) == ("file", "fails")
    assert "object array" in finding.message


def test_findings_count_all_and_name_the_first(files: Path, tmp_path: Path) -> None:
    with np.load(files / "padded.npz") as archive:
        arrays = dict(archive)
    arrays["x"][0, 1, 1], arrays["x"][2, 0, 0], arrays["x"][2, 1, 1] = np.inf, NAN, NAN
    np.savez(tmp_path / "a.npz", **arrays)
    findings = look(tmp_path / "a.npz")
    assert failing(findings) == []
    finding = found(findings, "values")
    assert (finding.verdict, finding.count, finding.place) == ("warning", 3, "x[0, 1, 1]")
    assert failing(look(tmp_path / "a.npz", "torch")) == ["values"]


def test_places_in_a_file_that_is_padded_at_its_start(tmp_path: Path) -> None:
    padded = seqtool.pad([[[1.0, 2]], [[3, 4], [5, NAN], [6, 7]]], maxlen=5)
    seqtool.save(tmp_path / "a.npz", padded)
    assert found(look(tmp_path / "a.npz"), "values").place == "x[1, 3, 1]"


def test_missing_labels_are_a_warning_until_somebody_trains_with_them(tmp_path: Path) -> None:
    padded = seqtool.pad([[1.0], [2.0]]).replace(per_sequence={"y": np.array([0.5, NAN])})
    seqtool.save(tmp_path / "a.npz", padded)
    assert unsure(look(tmp_path / "a.npz")) == ["dtype", "y"]
    assert failing(look(tmp_path / "a.npz", "keras")) == ["y"]


def test_empty_keys_are_a_warning(tmp_path: Path) -> None:
    seqtool.save(tmp_path / "a.npz", seqtool.pad([[1], [2]]).replace(keys=np.array(["", "a"])))
    finding = found(look(tmp_path / "a.npz"), "keys")
    assert (finding.verdict, finding.count, finding.place) == ("warning", 1, "keys[0]")


# Whatever seqtool writes holds


def sound(data: Ragged) -> Ragged:
    """The same, with keys, labels and names that a command could have made; drawn ones are any."""
    changes: dict[str, Any] = {"receipt": ()}
    if data.keys is not None:
        numbers = np.arange(len(data)) if data.keys.ndim == 1 else np.arange(2 * len(data)).reshape(-1, 2)
        changes["keys"] = numbers if data.keys.dtype.kind in "iu" else numbers.astype(str)
    if data.features is not None:
        changes["features"] = tuple(f"{name}{i}" for i, name in enumerate(data.features))
    classes = np.array(["a", "b", "c"])
    changes["names"] = {
        name: classes if name == "classes" else names if name != "static_features" else np.array(["p", "q"])
        for name, names in data.names.items()
    }
    per_step, per_sequence = dict(data.per_step), dict(data.per_sequence)
    if "y" in per_sequence:
        per_sequence["y"] = np.asarray(per_sequence["y"]) % 3
    if "step_y" in per_step:
        per_step["step_y"] = StepArray(np.asarray(per_step["step_y"].data) % 3, -1)
    return data.replace(**changes, per_step=per_step, per_sequence=per_sequence)


@settings(max_examples=examples(60))
@given(oracles.raggeds(riders=True).map(sound), st.sampled_from(["ragged", "pre", "post"]), st.data())
def test_whatever_is_saved_holds(scratch: Path, ragged: Ragged, how: Any, data: st.DataObject) -> None:
    saved: Ragged | Padded = ragged
    mask = False
    if how != "ragged":
        maxlen = data.draw(st.none() | st.integers(1, 6))
        value = data.draw(st.sampled_from([0, 1]))
        saved, mask = seqtool.pad(ragged, maxlen=maxlen, padding=how, value=value), data.draw(st.booleans())
    compress = data.draw(st.sampled_from([None, "fast"]))
    seqtool.save(scratch / "a.npz", saved, mask=mask, compress=compress)
    findings = look(scratch / "a.npz")
    assert failing(findings) == [], findings


def test_what_is_cut_after_it_was_grouped_still_accounts_for_every_row(files: Path, tmp_path: Path) -> None:
    ragged: Any = seqtool.load(files / "ragged.npz")
    seqtool.save(tmp_path / "a.npz", seqtool.pad(seqtool.pad(ragged, maxlen=2), maxlen=1))
    findings = look(tmp_path / "a.npz")
    assert failing(findings) == []
    assert found(findings, "receipt").message.endswith("by group and pad and pad")


@pytest.mark.parametrize(("added", "names"), [(1, []), (2, ["receipt"])])
def test_added_rows_are_accounted_for(tmp_path: Path, added: int, names: list[str]) -> None:
    rows = {"in": 3, "kept": 4, "cut": 0, "dropped": {}, "added": {"repeated": added}}
    ragged = seqtool.Ragged(np.ones((4, 1)), np.array([0, 4]), receipt=({"command": "window", "rows": rows},))
    seqtool.save(tmp_path / "a.npz", ragged)
    assert failing(look(tmp_path / "a.npz")) == names


def test_text_keys_that_are_stored_as_bytes(tmp_path: Path) -> None:
    keys = np.array(["k" * 300_000, *map(str, range(99))], dtype=np.dtypes.StringDType())
    seqtool.save(tmp_path / "a.npz", seqtool.pad(np.ones((100, 1))).replace(keys=keys))
    with np.load(tmp_path / "a.npz") as archive:
        assert "keys_offsets" in archive.files
        arrays = dict(archive)
    assert failing(look(tmp_path / "a.npz")) == []
    np.savez(tmp_path / "b.npz", **{**arrays, "keys_offsets": arrays["keys_offsets"][::-1]})
    assert failing(look(tmp_path / "b.npz")) == ["arrays"]
    np.savez(tmp_path / "c.npz", **{**arrays, "keys_shape": np.array([99])})
    assert failing(look(tmp_path / "c.npz")) == ["arrays"]


# Foreign files


def test_a_foreign_file_with_lengths(tmp_path: Path) -> None:
    path = SAMPLES / "padded.npz"
    findings = look(path)
    assert (failing(findings), unsure(findings)) == ([], ["padding"])
    finding = found(findings, "padding")
    assert (finding.count, finding.place) == (1, "x[1, 1]")
    assert finding.cure == f"seqtool pad {path} --post"
    assert failing(look(path, "torch")) == []  # which reads no padding
    assert failing(look(path, "keras")) == ["padding"]


def test_a_foreign_array_without_lengths_is_taken_as_it_is_and_that_is_reported(tmp_path: Path) -> None:
    np.save(tmp_path / "a.npy", np.array([[5.0, 1, 0, 0], [7, 8, 9, 1]], np.float32))
    findings = look(tmp_path / "a.npy")
    assert (failing(findings), unsure(findings)) == ([], ["lengths"])
    finding = found(findings, "lengths")
    assert "4 real steps" in finding.message
    assert "1 of 2 sequences end in steps of 0 alone" in finding.message
    assert finding.cure == f"seqtool pad {tmp_path / 'a.npy'} --post --strip 0"
    np.save(tmp_path / "b.npy", np.arange(6, dtype=np.float32).reshape(2, 3))
    assert found(look(tmp_path / "b.npy"), "lengths").cure is None


def test_padding_at_the_start_of_a_foreign_array_is_seen_too(tmp_path: Path) -> None:
    path = tmp_path / "a.npy"
    np.save(path, np.array([[0.0, 0, 5, 1], [0, 0, 0, 3], [7, 8, 0, 0]], np.float32))
    finding = found(look(path), "lengths")
    assert (finding.verdict, finding.cure) == (
        "warning",
        f"seqtool pad {path} --post --strip 0 --strip-side pre",
    )
    assert "2 of 3 sequences begin in steps of 0 alone" in finding.message
    lengths = tmp_path / "n.npy"
    np.save(lengths, np.array([4, 4, 4]))
    assert failing(look(path, "torch", lengths=str(lengths))) == []


def test_float64_that_float32_cannot_hold_has_no_cure(tmp_path: Path) -> None:
    np.save(tmp_path / "a.npy", np.array([[1.5, 2.0**24 + 1]]))
    finding = found(look(tmp_path / "a.npy"), "dtype")
    assert (finding.verdict, finding.place, finding.cure) == ("warning", "x[0, 1]", None)


def test_what_a_person_says_of_a_foreign_file(tmp_path: Path) -> None:
    x = np.array([[-1, 5, 1], [-1, -1, 3]], np.float32)
    np.savez(tmp_path / "a.npz", data=x, n=np.array([2.0, 1.0]), other=x)
    for wrong, message in (
        ({}, "several arrays.*, such as --array data"),
        ({"array": "z"}, "no array 'z'"),
    ):
        with pytest.raises(DataError, match=f"a.npz: holds {message}"):
            look(tmp_path / "a.npz", **wrong)
    with pytest.raises(DataError, match="--lengths z: neither"):
        look(tmp_path / "a.npz", array="data", lengths="z")
    options: dict[str, Any] = {"array": "data", "lengths": "n", "value": -1}
    findings = look(tmp_path / "a.npz", **options)
    assert failing(findings) == ["lengths"]
    assert found(findings, "lengths").cure == (
        f"seqtool pad {tmp_path / 'a.npz'} --array data --lengths n --value -1 --post --input-padding pre"
    )
    findings = look(tmp_path / "a.npz", "torch", input_padding="pre", **options)
    assert failing(findings) == ["side"]
    cure = f"seqtool pad {tmp_path / 'a.npz'} --array data --lengths n --input-padding pre --value -1 --post"
    assert found(findings, "side").cure == cure
    assert unsure(findings) == ["lengths dtype"]


BAD_LABELS: dict[str, tuple[dict[str, Any], str, str]] = {
    "too few": ({"y": np.array([1])}, "y", "y has shape (1,); (2) was expected"),
    "objects": ({"y": np.array(["a", None])}, "y", "such as y.astype(str)"),
    "past the classes": ({"y": np.array([0, 2]), "classes": ["a", "b"]}, "y", "outside 0 to 1 (2 classes)"),
    "fractions with classes": ({"y": np.array([0.0, NAN]), "classes": ["a", "b"]}, "y", "whole numbers"),
    "keys twice": ({"keys": np.array([4, 4])}, "keys", "duplicate key '4': keys[0] and keys[1]"),
    "keys of fractions": ({"keys": np.array([0.5, 1])}, "keys", "int64 or text"),
}


@pytest.mark.parametrize("case", BAD_LABELS)
def test_what_belongs_to_foreign_sequences_is_looked_at(tmp_path: Path, case: str) -> None:
    arrays, name, message = BAD_LABELS[case]
    np.savez(tmp_path / "a.npz", x=np.ones((2, 3), np.float32), lengths=[3, 3], **arrays)
    findings = look(tmp_path / "a.npz")
    assert failing(findings) == [name]
    assert message in found(findings, name).message
    good = {"y": np.array([0, 1]), "classes": ["a", "b"], "keys": ["p", "q"]}
    np.savez(tmp_path / "a.npz", x=np.ones((2, 3), np.float32), lengths=[3, 3], **good)
    assert failing(look(tmp_path / "a.npz", "torch")) == []


def test_an_array_of_another_meaning_is_a_warning(tmp_path: Path) -> None:
    np.savez(tmp_path / "a.npz", x=np.ones((2, 3), np.float32), features=np.ones((2, 5)))
    findings = look(tmp_path / "a.npz")
    assert (failing(findings), unsure(findings)) == ([], ["features", "lengths"])


def test_a_meta_that_says_nothing_of_seqtool_is_a_warning(files: Path, tmp_path: Path) -> None:
    with np.load(files / "padded.npz") as archive:
        np.savez(tmp_path / "a.npz", **{**archive, "meta": np.array("{}")})
    assert "meta" in unsure(look(tmp_path / "a.npz"))


def test_lengths_that_hide_padding_are_a_warning(tmp_path: Path) -> None:
    x = np.array([[5, 1, 0, 0], [7, 8, 9, 1]], np.float32)
    np.savez(tmp_path / "a.npz", x=x, lengths=[4, 4])
    for reader in (None, "torch", "keras"):
        finding = found(look(tmp_path / "a.npz", reader), "lengths")
        assert (finding.verdict, finding.count) == ("warning", 1)
        assert (
            f"if lengths are too large, drop these: seqtool pad {tmp_path / 'a.npz'} --strip 0"
            in finding.message
        )
        assert finding.cure is None  # these may be real
    np.savez(tmp_path / "a.npz", x=x, lengths=[2, 4])
    assert found(look(tmp_path / "a.npz"), "lengths").verdict == "ok"
    np.savez(tmp_path / "a.npz", x=x + 7, lengths=[4, 4])  # which end in sevens: no padding with 0
    assert found(look(tmp_path / "a.npz"), "lengths").verdict == "ok"


def test_lengths_that_are_too_short_are_called_so(tmp_path: Path) -> None:
    x = np.arange(1, 49, dtype=np.float32).reshape(2, 4, 6)
    np.savez(tmp_path / "a.npz", x=x, lengths=[3, 4])
    finding = found(look(tmp_path / "a.npz"), "padding")
    assert "the first [19.0, 20.0, 21.0, ...]: leftover data, or lengths too short" in finding.message


@pytest.mark.parametrize("held", [NAN, 5.0])
def test_padding_of_another_value_is_told_from_old_data(tmp_path: Path, held: float) -> None:
    x = np.full((2, 4, 2), held, np.float32)
    x[0, :2], x[1, :3] = 1, 2
    np.savez(tmp_path / "a.npz", x=x, lengths=[2, 3])
    finding = found(look(tmp_path / "a.npz", "keras"), "padding")
    assert (finding.verdict, finding.count) == ("fails", 3)
    assert finding.message == f"padding holds [{held}, {held}], not 0; set it with --value {held:g}"
    assert failing(look(tmp_path / "a.npz", value=held)) == []


@pytest.mark.parametrize("reader", [None, "torch"])
def test_nan_that_is_old_padding_is_not_called_missing(tmp_path: Path, reader: Any) -> None:
    x = np.array([[1, 2, 3, 4], [4, 5, NAN, NAN], [6, NAN, NAN, NAN]], np.float32)
    np.save(tmp_path / "a.npy", x)
    assert found(look(tmp_path / "a.npy", reader), "values").verdict == "ok"
    x[1, 0] = NAN  # a real one among them
    np.save(tmp_path / "a.npy", x)
    finding = found(look(tmp_path / "a.npy", reader), "values")
    assert (finding.count, finding.place) == (1, "x[1, 0]")
    few = np.ones((20, 4), np.float32)
    few[0, 2:] = NAN  # so few may be real
    np.save(tmp_path / "a.npy", few)
    assert found(look(tmp_path / "a.npy", "torch"), "values").verdict == "fails"


def test_lengths_beside_offsets_must_be_those(tmp_path: Path) -> None:
    arrays = {"values": np.ones((6, 2), np.float32), "offsets": [0, 1, 3, 6]}
    np.savez(tmp_path / "a.npz", **arrays, lengths=[1, 2, 3])
    assert failing(look(tmp_path / "a.npz", "torch")) == []
    np.savez(tmp_path / "a.npz", **arrays, lengths=[3, 2, 1])
    assert failing(look(tmp_path / "a.npz", "torch")) == ["lengths"]


def test_what_cannot_be_read_does_not_end_the_look_but_every_cure(tmp_path: Path) -> None:
    np.savez(tmp_path / "a.npz", x=np.ones((2, 3)), lengths=[3, 3], y=np.array(["a", None], object))
    findings = look(tmp_path / "a.npz", "torch")
    assert (failing(findings), unsure(findings)) == (["y"], ["dtype"])
    assert {finding.cure for finding in findings} == {None}
    findings = look(tmp_path / "a.npz", "torch", array="x")
    assert (failing(findings), unsure(findings)) == ([], ["y", "dtype"])
    assert "--array x" in str(found(findings, "dtype").cure)


def test_where_the_side_is_in_doubt_nothing_else_is_reported(place: Place) -> None:
    x = np.array([[0, 0, 5, 1], [7, 8, 0, 1]], np.float32)
    path = place.folder / "a.npz"
    np.savez(path, x=x, lengths=[2, 4], y=[0, 1])
    for reader in (None, "keras", "keras-cudnn", "torch", "dynamic-rnn"):
        findings = look(path, reader)
        assert failing(findings) == ["lengths"]
        assert findings[-1].cure == f"seqtool pad {path} --post --input-padding pre"
    succeeded(place.run(*shlex.split(str(findings[-1].cure))[1:], "-o", "cured.npz"))
    assert place.arrays("cured.npz")["x"].tolist() == [[5, 1, 0, 0], [7, 8, 0, 1]]
    with pytest.raises(DataError, match="--input-padding pre"):
        look(SAMPLES / "padded.npz", against=path)


def test_files_in_which_nothing_stands_are_a_warning(tmp_path: Path) -> None:
    for shape, name in (((0, 3), "lengths"), ((2, 0), "lengths"), ((2, 3, 0), "values")):
        np.savez(tmp_path / "a.npz", x=np.ones(shape, np.float32), lengths=np.full(shape[0], shape[1]))
        findings = look(tmp_path / "a.npz")
        assert (failing(findings), unsure(findings)) == ([], [name])
        assert any(
            word in found(findings, name).message for word in ("no step", "no sequences", "no features")
        )


def test_one_command_cures_all_that_can_be_cured(place: Place) -> None:
    x = np.array([[[1, 2], [9, 9]], [[3, 4], [5, 6]], [[0, 0], [0, 0]]])
    path = place.folder / "a.npz"
    np.savez(path, x=x, lengths=np.array([1, 2, 0], np.int32), y=[0, 2, 3])
    findings = look(path, "torch")
    assert [f.name for f in findings if f.cure] == ["padding", "dtype", "empty", "lengths dtype"]
    [cure] = {f.cure for f in findings if f.cure}
    assert cure == f"seqtool pad {path} --post --dtype float32 --min-len 1"
    succeeded(place.run(*shlex.split(cure)[1:], "-o", "cured.npz"))
    assert place.arrays("cured.npz")["y"].tolist() == [0, 2]
    cured = look(place.folder / "cured.npz", "torch")
    assert (failing(cured), unsure(cured)) == ([], [])


def test_a_name_that_begins_like_an_option_can_be_pasted(place: Place) -> None:
    np.save(place.folder / "-a.npy", np.array([[1, 2], [3, 0]], "float64"))
    done = place.run("check", "--json", "--for", "torch", "--", "-a.npy")
    [cure] = {f["cure"] for f in json.loads(done.out)["findings"] if f["cure"]}
    assert cure == "seqtool pad ./-a.npy --post --dtype float32"
    succeeded(place.run(*shlex.split(cure)[1:], "-o", "cured.npz"))


def test_lengths_in_a_file_of_their_own(tmp_path: Path) -> None:
    np.save(tmp_path / "x.npy", np.array([[5, 1], [3, 0]], np.float32))
    np.save(tmp_path / "n.npy", np.array([2, 1]))
    assert failing(look(tmp_path / "x.npy", lengths=str(tmp_path / "n.npy"))) == []
    np.save(tmp_path / "n.npy", np.array([2, 3]))
    assert failing(look(tmp_path / "x.npy", lengths=str(tmp_path / "n.npy"))) == ["lengths"]
    for wrong in (np.array([2, 1, 1]), np.array([0.5, 1]), np.array([[2, 1]])):
        np.save(tmp_path / "n.npy", wrong)
        assert failing(look(tmp_path / "x.npy", lengths=str(tmp_path / "n.npy"))) == ["arrays"]
    with pytest.raises(DataError, match="--lengths nope: neither"):
        look(tmp_path / "x.npy", lengths="nope")


def test_foreign_ragged_files(tmp_path: Path) -> None:
    np.savez(tmp_path / "a.npz", values=np.array([5, 1, 3]), offsets=np.array([0, 2, 3], np.int32))
    assert failing(look(tmp_path / "a.npz", "torch")) == []
    np.savez(tmp_path / "a.npz", values=np.array([5, 1, 3]), offsets=[0, 2, 1, 3])
    assert failing(look(tmp_path / "a.npz")) == ["lengths"]
    np.savez(tmp_path / "a.npz", values=np.array([5, 1, 3]), offsets=[0.5, 2])
    assert failing(look(tmp_path / "a.npz")) == ["arrays"]
    np.savez(tmp_path / "b.npz", np.ones(3), np.ones(2))
    assert failing(look(tmp_path / "b.npz")) == []
    with pytest.raises(UsageError, match="--lengths"):
        look(tmp_path / "b.npz", lengths="n")


def test_foreign_arrays_of_a_wrong_form(tmp_path: Path) -> None:
    for wrong in (np.ones(3), np.array([["a"]]), np.ones((2, 2), complex)):
        np.savez(tmp_path / "a.npz", wrong)
        assert failing(look(tmp_path / "a.npz")) == ["arrays"]
    np.savez(tmp_path / "a.npz")
    with pytest.raises(DataError, match="holds no array"):
        look(tmp_path / "a.npz")


def test_what_no_call_can_ask_for(files: Path, tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=r"describes its own arrays.*--array and --value out"):
        look(files / "padded.npz", array="x", value=0)
    np.save(tmp_path / "a.npy", np.ones((2, 3)))
    with pytest.raises(UsageError, match="only one"):
        look(tmp_path / "a.npy", array="x")
    with pytest.raises(UsageError, match="add --lengths"):
        look(tmp_path / "a.npy", input_padding="pre")


# Leaks


def saved(path: Path, rows: list[list[float]], keys: Any = None, padding: Any = "post") -> Path:
    padded = seqtool.pad([[[n, n] for n in row] for row in rows], padding=padding)
    seqtool.save(path, padded.replace(keys=None if keys is None else np.array(keys)))
    return path


def test_keys_and_sequences_that_stand_in_both(tmp_path: Path) -> None:
    train = saved(tmp_path / "train.npz", [[1, 2], [3], [4, 5]], ["a", "b", "c"])
    test = saved(tmp_path / "test.npz", [[9], [4, 5], [3, 3], [4, 5]], ["x", "b", "longer", "c"], "pre")
    findings = look(train, against=test)
    assert failing(findings) == ["shared keys", "shared sequences"]
    keys, sequences = findings[-2:]
    assert (keys.count, keys.place) == (2, f"keys[1] and {test}: keys[1]")
    assert (sequences.count, sequences.place) == (2, f"sequence 2 (key c) and {test}: sequence 1 (key b)")
    clean = saved(tmp_path / "clean.npz", [[9], [2, 1], [4, 5, 4, 5]], ["x", "y", "z"])
    assert failing(look(train, against=clean)) == []


def test_what_cannot_be_compared_is_a_warning(tmp_path: Path) -> None:
    train = saved(tmp_path / "train.npz", [[1, 2]], ["a"])
    tokens = tmp_path / "tokens.npz"
    seqtool.save(tokens, seqtool.pad([[1, 2]]))
    assert unsure(look(train, against=tokens))[-2:] == ["shared keys", "shared sequences"]
    other = saved(tmp_path / "other.npz", [[3]], [["a", "b"]])
    findings = look(train, against=other)
    assert unsure(findings)[-1:] == ["shared keys"]
    assert found(findings, "shared keys").message == "cannot be compared: 1 column here, 2 there"


def test_keys_of_numbers_and_of_text_are_compared_as_they_are_written(tmp_path: Path) -> None:
    numbers = saved(tmp_path / "numbers.npz", [[1], [2], [3]], [1, -2, 30])
    text = saved(tmp_path / "text.npz", [[4], [5], [6], [7]], ["x", "30", "01", "-2"])
    for one, two, place in ((numbers, text, (2, 1)), (text, numbers, (3, 1))):
        finding = found(look(one, against=two), "shared keys")
        assert (finding.verdict, finding.count) == ("fails", 2)
        assert finding.place == f"keys[{place[0]}] and {two}: keys[{place[1]}]"
    other = saved(tmp_path / "other.npz", [[4], [5]], ["x", "01"])
    assert failing(look(numbers, against=other)) == []
    pairs = saved(tmp_path / "pairs.npz", [[1], [2]], [[1, 2], [12, 3]])
    written = saved(tmp_path / "written.npz", [[4], [5]], [["1", "a"], ["1", "2"]])
    assert found(look(pairs, against=written), "shared keys").count == 1


def test_the_same_sequences_in_another_float_type_are_found(tmp_path: Path) -> None:
    x = np.random.default_rng(1).normal(size=(5, 4, 2))
    np.save(tmp_path / "wide.npy", x)
    np.save(tmp_path / "narrow.npy", x[3:].astype(np.float32))
    wide, narrow = tmp_path / "wide.npy", tmp_path / "narrow.npy"
    for one, two in ((wide, narrow), (narrow, wide)):
        assert found(look(one, against=two), "shared sequences").count == 2
    np.save(narrow, (x[3:] * 1.001).astype(np.float32))
    assert failing(look(wide, against=narrow)) == []


def test_a_ragged_and_a_foreign_file_are_compared_too(files: Path, tmp_path: Path) -> None:
    findings = look(files / "ragged.npz", against=files / "padded.npz")
    assert [finding.count for finding in findings[-2:]] == [3, 2]  # one sequence was cut
    with np.load(files / "padded.npz") as archive:
        np.savez(tmp_path / "foreign.npz", x=archive["x"][2:], lengths=[2])
    assert found(look(files / "ragged.npz", against=tmp_path / "foreign.npz"), "shared sequences").count == 1


def test_another_file_that_is_not_sound_is_an_error(files: Path, tmp_path: Path) -> None:
    with np.load(files / "padded.npz") as archive:
        np.savez(tmp_path / "bad.npz", **{**archive, "lengths": np.array([9, 1, 1])})
    with pytest.raises(DataError, match=r"bad.npz: a length is 9.*seqtool check .*bad.npz"):
        look(files / "padded.npz", against=tmp_path / "bad.npz")


# Parts of a key


def in_parts(path: Path, keys: Any, part: Any, **more: Any) -> Path:
    keys = np.array(keys)
    padded = seqtool.pad([[i + 1] for i in range(len(keys))], padding="post")
    seqtool.save(path, padded.replace(keys=keys, per_sequence={"part": np.array(part)}, **more))
    return path


@pytest.mark.parametrize(
    ("keys", "part", "message"),
    [
        (["a", "a", "b"], [0, 5, 0], "2 keys in 3 parts, each (key, part) unique"),
        ([1, 1, 1], [2, 0, 1], "1 key in 3 parts, each (key, part) unique"),
        ([[1, 2], [1, 2], [2, 1]], [0, 1, 0], "2 keys in 3 parts, each (key, part) unique"),
        (["a", "b"], [0, 0], "2 keys in 2 parts, each (key, part) unique"),
    ],
)
def test_keys_that_parts_tell_apart(tmp_path: Path, keys: Any, part: Any, message: str) -> None:
    findings = look(in_parts(tmp_path / "a.npz", keys, part))
    assert failing(findings) == []
    assert (found(findings, "keys").verdict, found(findings, "keys").message) == ("ok", message)


def test_a_key_that_stands_twice_with_one_part(tmp_path: Path) -> None:
    findings = look(in_parts(tmp_path / "a.npz", ["b", "a", "b", "b", "b"], [3, 0, 4, 3, 4]))
    assert failing(findings) == ["keys"]
    finding = found(findings, "keys")
    assert (finding.count, finding.place) == (2, "part[3]")
    assert finding.message == ("duplicate (key, part) 'b, part 3': keys[0] and keys[3]")


def test_empty_keys_with_parts_are_a_warning_still(tmp_path: Path) -> None:
    finding = found(look(in_parts(tmp_path / "a.npz", ["a", "", ""], [0, 0, 1])), "keys")
    assert (finding.verdict, finding.count, finding.place) == ("warning", 2, "keys[1]")


@pytest.mark.parametrize(
    ("name", "array", "message"),
    [
        ("part", np.array([0.0, 1, 2]), "part is float64; int64 was expected"),
        ("part", np.array([0, 1, 2], np.int32), "part is int32; int64 was expected"),
        ("part", np.array(["0", "1", "2"]), "part is <U1; int64 was expected"),
        ("part", np.array([0, 1]), "part has shape (2,); (3) was expected"),
        ("part", np.zeros((3, 1), np.int64), "part has shape (3, 1); (3) was expected"),
        ("split", np.array([0, 1, 2]), "split is int64; text was expected"),
        ("split", np.array([["a"]] * 3), "split has shape (3, 1); (3) was expected"),
    ],
)
@pytest.mark.parametrize("kind", ["padded", "ragged"])
def test_parts_and_splits_of_a_wrong_form(
    files: Path, tmp_path: Path, kind: str, name: str, array: Any, message: str
) -> None:
    with np.load(files / f"{kind}.npz") as archive:
        np.savez(tmp_path / "a.npz", **{**archive, name: array})
    findings = look(tmp_path / "a.npz")
    assert failing(findings) == ["arrays"]
    assert found(findings, "arrays").message == f"{message}; remaining checks skipped"


def test_parts_without_keys_say_nothing_of_uniqueness(tmp_path: Path) -> None:
    parts = {"part": np.array([1, 1]), "split": np.array(["train", "test"])}
    seqtool.save(tmp_path / "a.npz", seqtool.pad([[1], [2]]).replace(per_sequence=parts))
    findings = look(tmp_path / "a.npz")
    assert failing(findings) == []
    assert "keys" not in {finding.name for finding in findings}


pairs = st.lists(
    st.tuples(st.sampled_from(["", "1", "12", "a"]), st.sampled_from([0, 1, 12, -1])), max_size=7
)


@settings(max_examples=examples(40))
@given(pairs, st.sampled_from(["text", "bytes", "numbers", "columns"]), st.booleans())
def test_what_check_says_of_keys_and_parts_is_so(
    scratch: Path, pairs: list[tuple[str, int]], stored: str, ragged: bool
) -> None:
    keys: Any = np.array([key for key, _ in pairs], dtype=str)
    if stored == "numbers":
        keys = np.array([len(key) for key, _ in pairs], np.int64)
        pairs = [(str(len(key)), part) for key, part in pairs]
    if stored == "columns":
        keys = np.array([["x", key] for key, _ in pairs], dtype=str).reshape(-1, 2)
    part = np.array([part for _, part in pairs], np.int64)
    data = seqtool.pad(np.ones((len(pairs), 1))).replace(keys=keys, per_sequence={"part": part})
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(contents, "_WIDEST_TEXT", 0 if stored == "bytes" else 1 << 20)
        seqtool.save(scratch / "a.npz", seqtool.unpad(data) if ragged else data)
    finding = found(look(scratch / "a.npz"), "keys")
    again = oracles.repeated(pairs)
    if again:
        assert (finding.verdict, finding.count, finding.place) == ("fails", len(again), f"part[{again[0]}]")
    elif stored in ("text", "bytes", "columns") and "" in [key for key, _ in pairs]:
        assert finding.verdict == "warning"
    else:
        assert finding.verdict == "ok"
        some = len({key for key, _ in pairs})
        assert finding.message.startswith(f"{some} key{'s' * (some != 1)} in {len(pairs)} part")


def test_a_key_in_another_file_is_a_leak_whatever_its_part(tmp_path: Path) -> None:
    train = in_parts(tmp_path / "train.npz", ["a", "a", "b"], [0, 5, 0])
    windows = in_parts(tmp_path / "windows.npz", ["c", "a", "a"], [0, 10, 15])
    findings = look(train, against=windows)
    assert failing(findings) == ["shared keys", "shared sequences"]
    keys, sequences = findings[-2:]
    assert (keys.count, keys.place) == (2, f"keys[0] and {windows}: keys[1]")
    assert sequences.place == f"sequence 0 (key a, part 0) and {windows}: sequence 0 (key c, part 0)"
    whole = saved(tmp_path / "whole.npz", [[9]], ["b"])
    assert found(look(train, against=whole), "shared keys").count == 1
    other = in_parts(tmp_path / "other.npz", ["c", "d"], [0, 5])
    assert found(look(train, against=other), "shared keys").verdict == "ok"
