"""Rows as text: what other readers make of it."""

from __future__ import annotations

import csv
import io
import json
import math
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given
from hypothesis import strategies as st

from seqtool.errors import UsageError
from seqtool.unpadding.writing import check_escape, writer_of_rows

texts = st.none() | st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), max_size=5)
singles = st.floats(width=32, allow_nan=False)
rows = st.lists(
    st.tuples(texts, st.none() | st.integers(-(2**63), 2**63 - 1), singles, st.none() | st.floats())
)
SCHEMA = pa.schema(
    [("a", pa.string()), ('b"', pa.int64()), ("c,", pa.float32()), ("d", pa.float64()), ("e", pa.bool_())]
)


def written(suffix: str, held: list[Any], *, cut: int = 2, **options: Any) -> bytes:
    file = io.BytesIO()
    writer = writer_of_rows(suffix, file, SCHEMA, **options)
    for begin in range(0, len(held), cut):
        columns = [*zip(*held[begin : begin + cut], strict=True)]
        arrays = [
            pa.array(column, kind, from_pandas=True)
            for column, kind in zip(columns, SCHEMA.types, strict=True)
        ]
        writer.write(pa.RecordBatch.from_arrays(arrays, schema=SCHEMA))
    writer.close()
    return file.getvalue()


@given(rows, st.sampled_from([".csv", ".tsv"]))
def test_python_reads_the_cells_of_csv_exactly(held: list[Any], suffix: str) -> None:
    held = [(*row, True) for row in held]
    text = written(suffix, held).decode()
    found = [*csv.reader(io.StringIO(text, newline=""), delimiter="\t" if suffix == ".tsv" else ",")]
    assert found[0] == SCHEMA.names
    assert len(found) == len(held) + 1
    for cells, (a, b, c, d, _) in zip(found[1:], held, strict=True):
        assert cells[0] == (a or "")
        assert cells[1] == ("" if b is None else str(b))
        assert np.float32(cells[2]) == np.float32(c)
        assert (float(cells[3]) == d) if d is not None and not math.isnan(d) else cells[3] == ""
        assert cells[4] == "true"


@given(rows, st.integers(1, 4))
def test_python_reads_the_cells_of_json_lines_exactly(held: list[Any], cut: int) -> None:
    held = [(*row, False) for row in held]
    text = written(".jsonl", held, cut=cut).decode()
    assert text == written(".jsonl", held).decode()
    found = [json.loads(line, parse_constant=pytest.fail) for line in text.split("\n")[:-1]]
    assert len(found) == len(held)
    for cells, (a, b, c, d, e) in zip(found, held, strict=True):
        assert [*cells] == SCHEMA.names
        assert (cells["a"], cells['b"'], cells["e"]) == (a, b, e)
        assert np.float32(cells["c,"]) == np.float32(c)
        assert cells["d"] is None if d is None or math.isnan(d) else float(cells["d"]) == d


def test_parquet_holds_the_types() -> None:
    held = [("x", 2**63 - 1, 0.5, None, None), (None, None, math.inf, math.nan, True)]
    found = pq.read_table(io.BytesIO(written(".parquet", held, cut=1)))
    assert found.schema == SCHEMA
    assert [*found.to_pylist()[1].values()] == [None, None, math.inf, None, True]


def test_a_single_column_has_no_blank_lines() -> None:
    file, schema = io.BytesIO(), pa.schema([("a", pa.float64())])
    writer = writer_of_rows(".csv", file, schema)
    writer.write(pa.RecordBatch.from_arrays([pa.array([1.0, None])], schema=schema))
    assert file.getvalue() == b'a\n1\n""\n'


def test_formulas_are_escaped_and_numbers_are_not() -> None:
    held = ["=1+1", "+x", "-5", "-5e3", "-", "@a", "a=b", '="q"', None, "+.5"]
    text = written(".csv", [(cell, -1, -2.0, -3.0, True) for cell in held], escape_formulas=True).decode()
    found = [row[0] for row in csv.reader(io.StringIO(text))][1:]
    assert found == ["'=1+1", "'+x", "-5", "-5e3", "'-", "'@a", "a=b", '\'="q"', "", "+.5"]
    assert text.splitlines()[1].endswith(",-1,-2,-3,true")
    with pytest.raises(UsageError, match=r"spreadsheets, which read \.csv and \.tsv, and x\.parquet"):
        check_escape(".parquet", "x.parquet")
