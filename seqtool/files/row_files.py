"""Parquet and Arrow files with a sequence in each row, which other programs read as tables.

The description, by which they are files of ours, is in the metadata of their schema, under the name `seqtool`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO

from seqtool.errors import damaged
from seqtool.files.deflate import Compress
from seqtool.files.row_layout import Layout, RowArrays, rows_of
from seqtool.files.traces import ROW_META

if TYPE_CHECKING:
    from seqtool.files.kinds import Kind
    from seqtool.files.writers import AnySequences

_READ_TOGETHER = 16 << 20  # bytes of a row group that are decoded together


class RowContents:
    """The rows of a file, to be written; see `seqtool.files.writers.Contents`."""

    sized = False
    _copies, _each = 3, 0  # of a row in memory, and the bytes that each of its cells takes beside them

    def __init__(self, data: AnySequences, mask: bool) -> None:
        self.rows: RowArrays = rows_of(data, mask=mask)
        steps = "values" if self.rows.layout.maxlen is None else "x"
        arrays = [steps if stored.name == "values" else stored.name for stored in self.rows.layout.arrays]
        self.names = (*arrays, *self.rows.layout.tables, *(["mask"] if mask else []), "meta")
        self.nbytes = self.rows.nbytes

    def write(
        self,
        file: BinaryIO,
        *,
        seekable: bool,
        compress: Compress | None = None,
        on_written: Callable[[int], None] | None = None,
        threads: int | None = None,
    ) -> None:
        """Write all batches, one after another."""
        from seqtool.files.row_batches import batches, schema_of

        assert compress is None
        schema = schema_of(self.rows.layout, {ROW_META.decode(): self.rows.meta})
        with self._writer(file, schema) as writer:
            for batch, size in batches(self.rows, schema):
                writer.write_batch(batch)
                if on_written is not None:
                    on_written(size)

    @property
    def largest_row(self) -> int:
        """The bytes of memory that writing the longest sequence takes, by what was measured of each format."""
        return self.rows.layout.longest_takes(self._copies, self._each)

    def _writer(self, file: BinaryIO, schema: Any) -> Any:
        raise NotImplementedError


class ParquetContents(RowContents):
    """A Parquet file: a row group for each batch, in pages that zstd has compressed."""

    _each = 16

    def _writer(self, file: BinaryIO, schema: Any) -> Any:
        import pyarrow.parquet as pq

        return pq.ParquetWriter(
            file, schema, compression="zstd", use_dictionary=False, write_page_checksum=True
        )


class ArrowContents(RowContents):
    """An Arrow file, which can be mapped: a record batch for each batch."""

    def _writer(self, file: BinaryIO, schema: Any) -> Any:
        import pyarrow as pa

        return pa.ipc.new_file(file, schema)


def read_batches(path: Path, kind: Kind, name: str, _: Layout) -> Iterator[Any]:
    """The batches of a Parquet or Arrow file; raises DataError, which begins with its `name`, where it is damaged."""
    found = _parquet(path) if kind == "parquet" else _arrow(path, kind)
    while True:
        with damaged(f"{name}: damaged, or not a complete {kind} file"):
            batch = next(found, None)
        if batch is None:
            return
        yield batch


def _parquet(path: Path) -> Iterator[Any]:
    import pyarrow.parquet as pq

    with pq.ParquetFile(path, page_checksum_verification=True) as file:
        for group in range(file.num_row_groups):
            about = file.metadata.row_group(group)
            rows = max(1, about.num_rows * _READ_TOGETHER // max(1, about.total_byte_size))
            yield from file.iter_batches(min(rows, 1 << 16), row_groups=[group])


def _arrow(path: Path, kind: Kind) -> Iterator[Any]:
    import pyarrow as pa

    with pa.OSFile(str(path)) as file:
        if kind == "arrow-stream":
            yield from pa.ipc.open_stream(file)
            return
        reader = pa.ipc.open_file(file)
        for i in range(reader.num_record_batches):
            yield reader.get_batch(i)
