import io
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.feather as feather
import pyarrow.parquet as parquet
import pytest

import seqtool as sq
from seqtool.errors import DataError, SeqtoolError, UsageError
from seqtool.files.inputs import opened
from seqtool.sources.options import Sequences
from seqtool.sources.read import read_sequences
from tests import oracles
from tests.sources.options import source_options
from tests.within import standard_input
from tests.written import rewrite

ROWS = [[1, 2, 3], [4], [5, 6]]


def read(path: Path, **options: Any) -> Sequences:
    with opened([str(path)]) as found:
        return read_sequences(found[0], source_options(**options))


def bytes_of(kind: str) -> bytes:
    """The rows as a file of some kind."""
    file = io.BytesIO()
    table = pa.table({"x": pa.array(ROWS)})
    if kind == "npz":
        np.savez(file, *(np.array(row) for row in ROWS))
    elif kind == "parquet":
        parquet.write_table(table, file)
    elif kind == "arrow":
        feather.write_feather(table, file)
    elif kind == "arrow-stream":
        with pa.ipc.new_stream(file, table.schema) as writer:
            writer.write_table(table)
    else:
        text = {"json": f"{ROWS}", "lines": "[1, 2, 3]\n[4]\n[5, 6]\n", "text": "1 2 3\n4\n5 6\n"}[kind]
        return text.encode()
    return file.getvalue()


KINDS = ["npz", "parquet", "arrow", "arrow-stream", "json", "lines", "text"]


@pytest.mark.parametrize("kind", KINDS)
def test_every_kind_of_source_gives_the_same_sequences(tmp_path: Path, kind: str) -> None:
    (tmp_path / "in").write_bytes(bytes_of(kind))
    result = read(tmp_path / "in")
    assert oracles.sequences_of(result.ragged) == ROWS
    assert result.ragged.values.dtype == np.int64
    assert result.steps == 6
    assert result.padding is None
    assert not result.dense
    assert result.warnings == []


@pytest.mark.parametrize("kind", KINDS)
def test_every_kind_of_source_comes_through_a_pipe(kind: str) -> None:
    with standard_input(bytes_of(kind)), opened([]) as found:
        ragged = read_sequences(found[0], source_options()).ragged
        assert oracles.sequences_of(ragged) == ROWS


@pytest.mark.parametrize("kind", ["parquet", "arrow", "arrow-stream", "json", "text"])
@pytest.mark.parametrize("options", [{"lengths": "n"}, {"input_padding": "pre"}])
def test_only_padded_arrays_have_lengths_and_a_side(tmp_path: Path, kind: str, options: Any) -> None:
    (tmp_path / "in").write_bytes(bytes_of(kind))
    with pytest.raises(UsageError, match="describes padded arrays"):
        read(tmp_path / "in", **options)


@pytest.mark.parametrize("options", [{"label": "y"}, {"key": "k"}, {"step_label": "s"}])
def test_text_has_no_names(tmp_path: Path, options: Any) -> None:
    (tmp_path / "in").write_bytes(bytes_of("text"))
    with pytest.raises(UsageError, match="which lines of numbers do not have"):
        read(tmp_path / "in", **options)


def test_what_seqtool_saved_is_read_whatever_its_name(tmp_path: Path) -> None:
    ragged = sq.unpad(sq.pad(ROWS))
    sq.save(tmp_path / "in.npz", ragged)
    (tmp_path / "in.npz").rename(tmp_path / "in")
    assert oracles.parts(read(tmp_path / "in").ragged) == oracles.parts(ragged)


def changed(whole: bytes, place: int) -> bytes:
    return whole[:place] + bytes([whole[place] ^ 0x55]) + whole[place + 1 :]


@pytest.mark.parametrize("kind", ["npz", "parquet", "arrow", "arrow-stream"])
def test_damage_anywhere_is_an_error_of_ours_or_changes_nothing_but_the_numbers(
    tmp_path: Path, kind: str
) -> None:
    whole = bytes_of(kind)
    path = tmp_path / "in"
    for place in range(0, len(whole), 1 + len(whole) // 150):
        rewrite(path, changed(whole, place))
        try:
            result = read(path)
        except SeqtoolError as error:
            assert str(path) in str(error)  # noqa: PT017 - either outcome is right
            continue
        assert result.ragged.offsets[-1] == len(result.ragged.values)


def test_damage_to_the_numbers_of_an_npz_never_goes_unnoticed(tmp_path: Path) -> None:
    path = tmp_path / "in.npz"
    x = np.arange(4000).reshape(40, 100)
    np.savez(path, x=x)
    whole = path.read_bytes()
    begin = whole.index(x.tobytes()[:64])
    for place in range(begin, begin + x.nbytes, 997):
        rewrite(path, changed(whole, place))
        with pytest.raises(DataError, match="damaged"):
            read(path)


# Keys


def test_a_key_that_stands_twice_is_refused(tmp_path: Path) -> None:
    (tmp_path / "in.jsonl").write_text('{"k": "a", "s": [1]}\n{"k": "b", "s": [2]}\n{"k": "a", "s": [3]}\n')
    with pytest.raises(DataError, match=r"in\.jsonl: duplicate key a: sequences 0 and 2; .*leave --key out"):
        read(tmp_path / "in.jsonl", array="s", key="k")
    assert len(read(tmp_path / "in.jsonl", array="s").ragged) == 3
    np.savez(tmp_path / "in.npz", x=np.ones((3, 2)), keys=[4, 7, 7])
    with pytest.raises(DataError, match=r"duplicate key 7: sequences 1 and 2; .*--array"):
        read(tmp_path / "in.npz")
    result = read(tmp_path / "in.npz", array="x")
    assert result.ragged.keys is None
    assert result.warnings == ["duplicate key 7: sequences 1 and 2; keys were left out"]
    np.savez(tmp_path / "in.npz", x=np.ones((3, 2)), keys=[4, 7, 8])
    assert read(tmp_path / "in.npz").ragged.keys is not None


def test_a_key_may_stand_twice_where_parts_tell_it_apart(tmp_path: Path) -> None:
    np.savez(tmp_path / "in.npz", x=np.ones((3, 2)), keys=[4, 7, 7], part=[0, 0, 1])
    result = read(tmp_path / "in.npz")
    assert np.asarray(result.ragged.keys).tolist() == [4, 7, 7]
    assert np.asarray(result.ragged.per_sequence["part"]).tolist() == [0, 0, 1]
    np.savez(tmp_path / "in.npz", x=np.ones((3, 2)), keys=[4, 7, 7], part=[0, 1, 1])
    with pytest.raises(DataError, match=r"duplicate key 7, part 1: sequences 1 and 2; .*--array"):
        read(tmp_path / "in.npz")
    np.savez(tmp_path / "in.npz", x=np.ones((3, 2)), keys=[4, 7, 7], part=[0.5, 0, 1])
    with pytest.raises(DataError, match="duplicate key 7: sequences 1 and 2;"):
        read(tmp_path / "in.npz")
