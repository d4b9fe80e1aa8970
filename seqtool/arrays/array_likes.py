"""The cells of the objects of other libraries: NumPy arrays, Arrow data, frames, series and tensors.

No library is imported to recognise its objects: they are known by their interfaces, `__arrow_c_stream__` (the Arrow
PyCapsule interface), `__array__` or `to_numpy`.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from seqtool.arrays.lazy import Lazy
from seqtool.arrays.text import Text
from seqtool.errors import DataError, damaged
from seqtool.words import in_short


def kind_of(thing: Any) -> str:
    """The type of a thing as messages name it: of another library's, that and the class.

    >>> kind_of([1]), kind_of(np.zeros(2))
    ('list', 'numpy.ndarray')
    """
    kind = type(thing)
    package = kind.__module__.split(".")[0]
    return kind.__qualname__ if package in ("builtins", "__main__") else f"{package}.{kind.__qualname__}"


def is_pandas_frame(thing: Any) -> bool:
    """Whether a thing is a pandas DataFrame; pandas is not imported for that."""
    return hasattr(thing, "set_axis") and hasattr(thing, "columns")


def is_arrow(thing: Any) -> bool:
    """Whether a thing offers its cells through the Arrow PyCapsule interface."""
    return hasattr(thing, "__arrow_c_stream__") or hasattr(thing, "__arrow_c_array__")


def is_array_like(thing: Any) -> bool:
    """Whether a thing has cells that `plain` can give; lists, scalars and text have none."""
    if isinstance(thing, (np.generic, type)):
        return False
    return (
        is_pandas_frame(thing) or is_arrow(thing) or hasattr(thing, "__array__") or hasattr(thing, "to_numpy")
    )


def plain(thing: Any) -> Any:
    """The cells of a thing: of a frame or table a list of columns, else a NumPy or Arrow array.

    Raises DataError for what cannot be read.
    """
    if isinstance(thing, np.ndarray):
        return np.asarray(thing) if isinstance(thing, np.matrix) else thing  # a row of a matrix is no vector
    with damaged(f"a {kind_of(thing)} that cannot be read as an array"):
        if is_pandas_frame(thing):
            return _columns_of(thing)
        if isinstance(getattr(thing, "dtype", None), np.dtype) and hasattr(thing, "__array__"):
            return np.asarray(thing)
        if hasattr(thing, "__arrow_array__") and hasattr(thing, "isna") and thing.isna().any():
            import pyarrow as pa

            return pa.array(thing)  # Arrow tells NA from NaN, where to_numpy of pandas gives NaN for both
        if is_arrow(thing):
            array = arrow_array(thing)
            return array.flatten() if is_struct(array) else array
        return np.asarray(thing if hasattr(thing, "__array__") else thing.to_numpy())


def _columns_of(frame: Any) -> Any:
    """The columns of a pandas DataFrame, or one array (n, F) where all columns are numbers of one dtype."""
    kinds = set(frame.dtypes)
    if len(kinds) == 1 and isinstance(kind := kinds.pop(), np.dtype) and kind.kind in "biuf":
        return np.asarray(frame.to_numpy())
    return [plain(frame.iloc[:, i]) for i in range(frame.shape[1])]


def arrow_chunks(thing: Any) -> Any:
    """A thing as an Arrow chunked array, without a copy; the rows of a table become structs.

    Raises pyarrow.ArrowInvalid for one whose parts do not fit together.

    >>> import pyarrow as pa
    >>> arrow_chunks(pa.table({"a": [1, 2]})).type
    StructType(struct<a: int64>)
    """
    chunks = _unvalidated_chunks(thing)
    chunks.validate(full=True)  # wrong offsets would read whatever else is in memory
    return chunks


def _unvalidated_chunks(thing: Any) -> Any:
    import pyarrow as pa

    if isinstance(thing, pa.ChunkedArray):
        return thing
    if isinstance(
        thing, pa.Table
    ):  # its stream crashes pyarrow before 25 where a column was cast to string_view
        return thing.to_struct_array()
    if hasattr(thing, "__arrow_c_stream__"):
        return pa.chunked_array(thing)
    array = thing if isinstance(thing, pa.Array) else pa.array(thing)
    return pa.chunked_array([array])


def arrow_array(thing: Any) -> Any:
    """A thing as one Arrow array, without dictionary encoding; it is copied only where there are several chunks."""
    import pyarrow as pa

    chunks = arrow_chunks(thing)
    array = chunks.chunk(0) if chunks.num_chunks == 1 else chunks.combine_chunks()
    if isinstance(array, pa.ChunkedArray):  # combine_chunks keeps several, where one would be too large
        array = pa.concat_arrays(array.chunks)
    return array.dictionary_decode() if pa.types.is_dictionary(array.type) else array


def is_struct(array: Any) -> bool:
    """Whether the cells of an Arrow array are structs, as the rows of a table are."""
    import pyarrow as pa

    return bool(pa.types.is_struct(array.type))


def as_array(name: str, data: Any) -> Any:
    """The array that a caller passes as `name`, as a NumPy array; `Lazy` and `Text` stay as they are.

    Lists, series, tensors and Arrow arrays become NumPy arrays, and an array of Python strings one of text. Raises
    DataError for masked cells, and for what is no array.

    >>> as_array("lengths", [1, 2])
    array([1, 2])
    """
    if type(data) is np.ndarray or isinstance(data, (Lazy, Text)):
        return data
    if isinstance(data, np.ma.MaskedArray):
        masked = np.argwhere(np.ma.getmaskarray(data))
        if len(masked):
            place = ", ".join(map(str, masked[0].tolist()))
            raise DataError(f"{name}[{place}] is masked; fill it first, such as {name}.filled(...)")
        return data.data
    if isinstance(data, (list, tuple)) or is_array_like(data):
        with damaged(f"{name} cannot be read as an array"):
            data = plain(data) if is_array_like(data) else np.asarray(data)
            data = data if isinstance(data, np.ndarray) else np.asarray(data)
        if data.dtype == object and data.size and all(isinstance(cell, str) for cell in data.flat):
            return np.array(data.tolist(), dtype=str)
    elif not hasattr(data, "shape"):
        raise DataError(f"{name} is {in_short(data)}; an array was expected")
    return data
