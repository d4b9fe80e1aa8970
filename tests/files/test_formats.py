"""The formats beside `.npz`: out and back everything is equal to the bit, and other programs read the rows."""

from __future__ import annotations

import filecmp
import gzip
import json
from pathlib import Path
from random import Random
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pyarrow import feather, parquet

import seqtool as sq
from seqtool.errors import DataError, UsageError
from seqtool.files import row_batches
from seqtool.files.writers import SUFFIXES
from seqtool.sequences.ragged import Padded, Ragged, StepArray
from tests import oracles
from tests.hunting import examples
from tests.peers import peer
from tests.written import rewrite

HOLD_ALL = [suffix for suffix in SUFFIXES if suffix not in (".npz", ".npy")]
ROWS = [".parquet", ".arrow", ".jsonl"]
NUMBERS = ["bool", *(f"{sign}int{bits}" for sign in ("", "u") for bits in (8, 16, 32, 64))]
NUMBERS += ["float16", "float32", "float64"]


def same_file(data: Ragged | Padded, suffix: str, folder: Path, *, mask: bool = False) -> Path:
    """Write sequences in a format, read them back, and compare the `.npz` of both to the byte."""
    path = f"{folder}/converted{suffix}"
    sq.save(path, data, mask=mask)
    back = sq.load(path)
    sq.save(folder / "before.npz", data)
    sq.save(folder / "after.npz", back)
    assert type(back) is type(data)
    assert filecmp.cmp(folder / "before.npz", folder / "after.npz", shallow=False)
    return Path(path)


def with_plain_nans(ragged: Ragged) -> Ragged:
    """The same sequences with one and the same NaN, as JSON has but null for all of them."""

    def plain(array: Any) -> Any:
        return (
            np.where(np.isnan(array), np.nan, array).astype(array.dtype) if array.dtype.kind == "f" else array
        )

    return ragged.replace(
        values=plain(ragged.values),
        per_step={name: StepArray(plain(array.data), array.value) for name, array in ragged.per_step.items()},
        per_sequence={name: plain(array) for name, array in ragged.per_sequence.items()},
    )


@pytest.mark.parametrize("suffix", HOLD_ALL)
@settings(max_examples=examples(25))
@given(data=st.data())
def test_out_and_back_a_file_is_the_same_to_the_byte(suffix: str, data: Any, scratch: Path) -> None:
    ragged = data.draw(oracles.raggeds(NUMBERS, riders=True))
    ragged = with_plain_nans(ragged) if suffix == ".jsonl" else ragged
    same_file(ragged, suffix, scratch)
    padding = data.draw(st.sampled_from(["pre", "post"]))
    maxlen = data.draw(st.none() | st.integers(1, 6))
    same_file(sq.pad(ragged, padding=padding, maxlen=maxlen), suffix, scratch, mask=True)


EDGES = {
    "float64": [np.nan, np.inf, -np.inf, -0.0, 0.1, 5e-324, 1.7976931348623157e308, 2.0**53 + 2],
    "float32": [np.nan, np.inf, -0.0, 0.1, 1e-45, 3.4028235e38, 16777217, 1 / 3],
    "float16": [np.nan, -np.inf, 65504, 6e-8, 0.1],
    "int64": [2**53 + 1, -(2**63), 2**63 - 1],
    "uint64": [2**64 - 1, 2**53 + 1],
    "uint8": [0, 255],
    "bool": [True, False],
}


@pytest.mark.thinned
@pytest.mark.parametrize("suffix", HOLD_ALL)
@pytest.mark.parametrize("dtype", EDGES)
def test_numbers_at_the_edges_are_equal_to_the_bit(suffix: str, dtype: str, tmp_path: Path) -> None:
    values = np.array(EDGES[dtype], dtype=dtype)
    frames = np.array([values[:2]] * 6).reshape(1, 2, 3, 2)
    for steps in (values, values[:, None], frames):
        ragged = Ragged(steps, np.array([0, 0, 1, len(steps)]))
        same_file(ragged, suffix, tmp_path)
        back: Any = sq.load(f"{tmp_path}/converted{suffix}")
        assert back.values.tobytes() == steps.tobytes()
        assert back.values.dtype == dtype


NAMES = ("lengths", "lengths", "", "Größe in µm", 'a "b", c.d', "line\nbreak", "keys", "values", "x")


@pytest.mark.parametrize("suffix", HOLD_ALL)
def test_names_of_any_spelling(suffix: str, tmp_path: Path) -> None:
    ragged = Ragged(
        np.arange(18, dtype=np.float32).reshape(2, 9),
        np.array([0, 2]),
        keys=np.array([["é", '"1"']]),
        features=NAMES,
        per_sequence={"static": np.array([[1.5, 2]]), "split": np.array(["train"]), "y": np.array([[1, 0]])},
        names={
            "label_names": np.array(["", "lengths"]),
            "classes_0": np.array(["no", "yes"]),
            "static_features": np.array(["lengths", "lengths"]),
        },
        per_step={"order": StepArray(np.array([2**53 + 1, 2]), -1)},
    )
    path = same_file(ragged, suffix, tmp_path)
    if suffix == ".parquet":
        columns = parquet.read_schema(path).names
        assert len({*columns}) == len(columns)
        assert columns[columns.index("lengths_6") + 1 :][:2] == ["values_2", "Größe in µm"]


def test_a_feature_is_a_column_of_lists(tmp_path: Path) -> None:
    data = sq.pad(
        Ragged(
            np.array([[1, 2], [3, 4], [5, 6]], np.float32), np.array([0, 1, 3]), features=("speed", "depth")
        )
    )
    sq.save(tmp_path / "two.parquet", data)
    table = parquet.read_table(tmp_path / "two.parquet")
    assert table.schema.field("speed").type == pa.list_(pa.field("element", pa.float32()))
    assert table.column("speed").to_pylist() == [[1], [3, 5]]
    assert table.column("depth").to_pylist() == [[2], [4, 6]]
    assert table.column("lengths").to_pylist() == [1, 2]
    sq.save(tmp_path / "two.jsonl", data)
    described, *lines = (tmp_path / "two.jsonl").read_text().splitlines()
    assert json.loads(described)["seqtool"]["kind"] == "padded"
    assert lines == [
        '{"lengths": 1, "speed": [1], "depth": [2]}',
        '{"lengths": 2, "speed": [3, 5], "depth": [4, 6]}',
    ]


@pytest.mark.parametrize("suffix", ROWS)
def test_batches_and_sequences_of_any_size(suffix: str, tmp_path: Path, monkeypatch: Any) -> None:
    """Batches of a few steps, and sequences that are longer than a batch."""
    rng = np.random.default_rng(0)
    lengths = rng.integers(0, 9, 200)
    lengths[7] = 500
    ragged = Ragged(
        rng.normal(size=(int(lengths.sum()), 3)),
        np.concatenate([[0], np.cumsum(lengths)]),
        keys=np.array([f"key {i}" for i in range(200)]),
    )
    same_file(ragged, suffix, tmp_path)
    whole = (tmp_path / f"converted{suffix}").read_bytes()
    monkeypatch.setattr(row_batches, "_TOGETHER", 600)
    same_file(ragged, suffix, tmp_path)
    if suffix == ".jsonl":
        assert (tmp_path / "converted.jsonl").read_bytes() == whole
    if suffix == ".parquet":
        assert parquet.ParquetFile(tmp_path / "converted.parquet").num_row_groups > 20


def test_the_arrays_of_a_folder_and_of_tensors_are_mapped(tmp_path: Path) -> None:
    data = sq.pad([[1.5], [2.5, 3.5]])
    for name in ("two/", "two.safetensors"):
        sq.save(f"{tmp_path}/{name}", data)
        mapped: Any = sq.load(f"{tmp_path}/{name}", mmap=True)
        assert isinstance(mapped.x.base, np.memmap) or isinstance(mapped.x, np.memmap)
        assert mapped.x.tolist() == data.x.tolist()
    assert np.load(tmp_path / "two" / "x.npy", mmap_mode="r").tolist() == data.x.tolist()
    for suffix in ROWS:
        sq.save(tmp_path / f"two{suffix}", data)
        with pytest.raises(
            DataError, match="holds rows, which cannot be mapped; make arrays of them: seqtool convert"
        ):
            sq.load(tmp_path / f"two{suffix}", mmap=True)


def test_a_folder_appears_whole_or_not_at_all(tmp_path: Path, monkeypatch: Any) -> None:
    first, second = sq.pad([[1], [2, 3]]), sq.pad([[4, 5, 6]])
    sq.save(f"{tmp_path}/out/", first)
    (tmp_path / "out").chmod(0o750)

    def full(*_: Any, **__: Any) -> None:
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr("seqtool.files.folder.write_array", full)
        with pytest.raises(DataError, match="no space is left"):
            sq.save(f"{tmp_path}/out/", second)
    assert sq.load(tmp_path / "out").lengths.tolist() == [1, 2]
    sq.save(f"{tmp_path}/out/", second)
    assert sq.load(tmp_path / "out").lengths.tolist() == [3]
    assert (tmp_path / "out").stat().st_mode & 0o777 == 0o750
    (tmp_path / "out" / "notes.txt").write_text("mine")
    with pytest.raises(DataError, match="holds files that seqtool did not write; name a new folder"):
        sq.save(f"{tmp_path}/out/", first)
    (tmp_path / "file").write_text("mine")
    with pytest.raises(DataError, match="there is a file of this name"):
        sq.save(f"{tmp_path}/file/", first)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["file", "out"]


@pytest.mark.parametrize("suffix", HOLD_ALL)
def test_formats_say_what_they_cannot_hold(suffix: str, tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=r"use \.npz for compression"):
        sq.save(f"{tmp_path}/out{suffix}", sq.pad([[1]]), compress="fast")
    with pytest.raises(UsageError, match="is not a name of the file format"):
        sq.save(f"{tmp_path}/out{suffix}", sq.pad([[1]]).replace(per_sequence={"speed": np.ones(1)}))
    assert [*tmp_path.iterdir()] == []


def test_a_description_has_room_for_some_names_only(tmp_path: Path) -> None:
    many = Ragged(np.ones(1), np.array([0, 1]), names={"classes": np.arange(3_000_000)})
    with pytest.raises(DataError, match=r"classes: names of 24.0 MB, and at most 16.0 MB fit .*; write .npz"):
        sq.save(tmp_path / "out.parquet", many)


def test_rows_that_others_changed_are_refused(tmp_path: Path) -> None:
    ragged = Ragged(np.arange(6.0).reshape(3, 2), np.array([0, 1, 3]), features=("a", "b"))
    sq.save(tmp_path / "in.parquet", ragged)
    table = parquet.read_table(tmp_path / "in.parquet")
    short = pa.array([[0.0], [2.0]], pa.list_(pa.float64()))
    changes = {
        "holds 1 sequences and says that it holds 2": table.slice(0, 1),
        "has 0 columns 'b'": table.drop_columns(["b"]),
        "column 'a' holds lists of other lengths": table.set_column(1, "a", short),
        "column 'a' holds double, or nulls; a list": table.set_column(1, "a", pa.array([1.0, 2.0])),
        "column 'a' holds int64; float64 was expected": table.set_column(1, "a", pa.array([[1], [2, 3]])),
    }
    for message, changed in changes.items():
        for write, name in ((parquet.write_table, "out.parquet"), (feather.write_feather, "out.arrow")):
            write(changed, tmp_path / name)
            with pytest.raises(DataError, match=message):
                sq.load(tmp_path / name)
    parquet.write_table(table.replace_schema_metadata(), tmp_path / "out.parquet")
    with pytest.raises(
        DataError, match=r"out\.parquet: not written by seqtool; convert it: seqtool pad out\.parquet"
    ):
        sq.load(tmp_path / "out.parquet")


def test_damaged_lines_are_named(tmp_path: Path) -> None:
    sq.save(tmp_path / "in.jsonl", Ragged(np.arange(3), np.array([0, 1, 3])))
    described, first, second = (tmp_path / "in.jsonl").read_text().splitlines()
    for line, message in {
        second[:-1]: "line 3: damaged",
        second.replace("[1, 2]", '[1, "a"]'): "line 3: damaged",
        second.replace("[1, 2]", "[1, null]"): "holds nulls; int64 was expected",
        second.replace("[1, 2]", "[1, 2.5]"): "line 3: damaged",
        second.replace('"values"', '"other"'): "line 3: damaged .not the fields that the description lists",
    }.items():
        (tmp_path / "in.jsonl").write_text("\n".join([described, first, line]))
        with pytest.raises(DataError, match=message):
            sq.load(tmp_path / "in.jsonl")
    (tmp_path / "in.jsonl").write_text(
        "\n".join([described.replace('"steps": 3', '"steps": "3"'), first, second])
    )
    with pytest.raises(DataError, match="damaged: the layout of the rows"):
        sq.load(tmp_path / "in.jsonl")
    (tmp_path / "in.jsonl.gz").write_bytes(gzip.compress("\n".join([described, first, second]).encode()))
    assert sq.load(tmp_path / "in.jsonl.gz").lengths.tolist() == [1, 2]


def test_damaged_bytes_are_an_error(tmp_path: Path) -> None:
    """Of a file that is cut short or whose header lies, never a traceback, and never other numbers."""
    for suffix in (".parquet", ".arrow", ".safetensors"):
        path = tmp_path / f"in{suffix}"
        sq.save(path, Ragged(np.arange(100.0), np.array([0, 40, 100])))
        whole = path.read_bytes()
        for end in (9, len(whole) // 2, len(whole) - 1):
            rewrite(path, whole[:end])
            with pytest.raises(DataError):
                sq.load(path)
    sq.save(path, Ragged(np.arange(3), np.array([0, 3])))
    path.write_bytes(path.read_bytes().replace(b'"shape":[3]', b'"shape":[4]'))
    with pytest.raises(DataError, match="does not fit its header"):
        sq.load(path)


def test_tensors_of_others_are_refused_with_the_way_out(tmp_path: Path) -> None:
    header = json.dumps({"w": {"dtype": "F32", "shape": [1], "data_offsets": [0, 4]}}).encode()
    (tmp_path / "w.safetensors").write_bytes(len(header).to_bytes(8, "little") + header + bytes(4))
    with pytest.raises(DataError, match=r"tensors that seqtool did not write; save them as \.npz"):
        sq.load(tmp_path / "w.safetensors")


# Other programs; each test is skipped where one is absent


@pytest.fixture
def written(tmp_path: Path) -> Path:
    ragged = Ragged(
        np.array([[1.5, 2], [3, np.nan], [5, 6]], np.float32),
        np.array([0, 2, 3]),
        keys=np.array(["u", "v"]),
        features=("speed", "depth"),
        per_sequence={"y": np.array([2**53 + 1, 0])},
        per_step={"step_y": StepArray(np.array([0, 1, 2], np.uint8), 0)},
    )
    sq.save(tmp_path / "in.parquet", ragged)
    sq.save(tmp_path / "in.arrow", ragged)
    sq.save(tmp_path / "in.safetensors", ragged)
    sq.save(tmp_path / "frames.parquet", Ragged(np.arange(24).reshape(2, 3, 4), np.array([0, 2])))
    return tmp_path


@pytest.mark.peers
def test_polars_reads_the_rows(written: Path) -> None:
    polars = peer("polars")
    for frame in (polars.read_parquet(written / "in.parquet"), polars.read_ipc(written / "in.arrow")):
        assert frame["speed"].to_list() == [[1.5, 3], [5]]
        assert frame["y"].to_list() == [2**53 + 1, 0]
        assert frame["step_y"].dtype == polars.List(polars.UInt8)
    assert polars.read_parquet(written / "frames.parquet")["values"].to_list()[0][1][2] == [20, 21, 22, 23]


@pytest.mark.peers
def test_duckdb_reads_the_rows(written: Path) -> None:
    duckdb = peer("duckdb")
    table = f"'{written / 'in.parquet'}'"
    found = duckdb.sql(f"select keys, list_sum(speed), y from {table} order by keys").fetchall()
    assert found == [("u", 4.5, 2**53 + 1), ("v", 5, 0)]
    frames = f"'{written / 'frames.parquet'}'"
    assert duckdb.sql(f"select values[2][3][1] from {frames}").fetchall() == [(20,)]


@pytest.mark.peers
def test_datasets_loads_the_rows(written: Path, monkeypatch: Any) -> None:
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    datasets = peer("datasets")
    found = datasets.load_dataset(
        "parquet", data_files=str(written / "in.parquet"), split="train", cache_dir=str(written / "cache")
    )
    assert found["speed"][:] == [[1.5, 3], [5]]
    assert found["keys"][:] == ["u", "v"]
    assert found["y"][:] == [2**53 + 1, 0]


@pytest.mark.peers
def test_safetensors_loads_the_tensors(written: Path) -> None:
    numpy = peer("safetensors.numpy")
    found = numpy.load_file(written / "in.safetensors")
    assert found["values"].tobytes() == np.array([[1.5, 2], [3, np.nan], [5, 6]], np.float32).tobytes()
    assert found["y"].tolist() == [2**53 + 1, 0]
    assert found["step_y"].dtype == np.uint8


@pytest.mark.parametrize("suffix", [".parquet", ".arrow", ".jsonl", ".safetensors"])
def test_any_damage_is_an_error_of_the_data(suffix: str, tmp_path: Path) -> None:
    """Bytes that were changed, lost or added give other sequences, or an error that names the file; never another."""
    ragged = Ragged(
        np.arange(24, dtype=np.float32).reshape(12, 2),
        np.array([0, 3, 3, 9, 12]),
        keys=np.array(["a", "bb", "é", "x"]),
        features=("u", "v"),
        per_sequence={"y": np.array([0, 1, 0, 1])},
        names={"classes": np.array(["p", "q"])},
        per_step={"step_y": StepArray(np.arange(12), -1)},
    )
    path, random, refused = tmp_path / f"in{suffix}", Random(0), []
    for data in (ragged, sq.pad(ragged)):
        sq.save(path, data)
        whole = path.read_bytes()
        for _ in range(examples(240)):
            changed, place = bytearray(whole), random.randrange(len(whole))
            if random.random() < 0.8:
                changed[place] ^= 1 << random.randrange(8)
            elif random.random() < 0.5:
                del changed[place : place + random.randrange(1, 20)]
            else:
                changed[place:place] = random.randbytes(random.randrange(1, 9))
            rewrite(path, changed)
            try:
                sq.load(path)
            except DataError as error:
                refused.append(str(error))
    assert refused
    assert all(path.name in message for message in refused)
