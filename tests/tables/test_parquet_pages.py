"""Pages of Parquet column chunks, by their headers."""

from __future__ import annotations

from pathlib import Path
from typing import Literal

import numpy as np
import pyarrow as pa
import pyarrow.parquet as parquet
import pytest
from hypothesis import given
from hypothesis import strategies as st

from seqtool.tables.parquet_pages import page_sizes, read_page


@pytest.mark.parametrize("compression", ["none", "snappy"])
@pytest.mark.parametrize("version", ["1.0", "2.0"])
def test_pages_fill_their_chunk(version: Literal["1.0", "2.0"], compression: str, tmp_path: Path) -> None:
    path = tmp_path / "t.parquet"
    table = pa.table({"v": np.random.default_rng(0).random(9000), "s": [f"text {i}" for i in range(9000)]})
    parquet.write_table(
        table,
        path,
        use_dictionary=False,
        compression=compression,
        data_page_size=5000,
        write_batch_size=100,
        data_page_version=version,
    )
    group = parquet.read_metadata(path).row_group(0)
    for chunk in map(group.column, range(2)):
        with path.open("rb") as file:
            begin = chunk.data_page_offset
            sizes = list(page_sizes(file, begin, begin + chunk.total_compressed_size))
        assert len(sizes) > 5
        assert max(sizes) < 10_000
        headers = chunk.total_uncompressed_size - sum(sizes)
        assert 0 < headers < 200 * len(sizes)


@given(st.binary(max_size=40))
def test_other_bytes_are_no_page_or_one_of_some_size(data: bytes) -> None:
    page = read_page(data)
    assert page is None or min(page) >= 0


@pytest.mark.thinned
@pytest.mark.parametrize("byte", range(256))
def test_one_byte_repeated_is_no_page(byte: int) -> None:
    # 0x1C begins a struct within a struct, again and again.
    assert read_page(bytes([byte]) * (1 << 12)) is None
