import io
from typing import Any

import numpy as np
import pytest

from seqtool.arrays.lazy import Lazy
from seqtool.arrays.text import Text
from seqtool.commands._options import OutputOptions
from seqtool.errors import UsageError
from seqtool.files import contents as contents_module
from seqtool.files import writers
from seqtool.files.writers import FOLDER, SUFFIXES, WRITERS, check_suffix, contents_of, writer_of
from seqtool.operations.pad import pad_stream
from seqtool.sequences.ragged import Ragged, StepArray
from seqtool.sources.pad import pad

RAGGED = Ragged(
    np.array([1, 2, 3, 4]),
    np.array([0, 3, 4, 4]),
    keys=np.array(["a", "bc", "d"]),
    features=None,
    per_step={"step_y": StepArray(np.array([1, 2, 3, 4]), -1)},
    per_sequence={"y": np.array([0, 1, 0])},
    names={"classes": np.array(["no", "yes"])},
)
FORMATS = pytest.mark.parametrize("suffix", [suffix for suffix in WRITERS if suffix != FOLDER])


def written(contents: writers.Contents, **options: Any) -> bytes:
    file = io.BytesIO()
    contents.write(file, seekable=True, **options)
    return file.getvalue()


def test_the_table_is_by_suffix_and_begins_with_what_holds_everything() -> None:
    assert [writer.suffix for writer in WRITERS.values()] == list(WRITERS) == list(SUFFIXES)
    first = WRITERS[SUFFIXES[0]]
    assert (first.holds, first.ragged, first.mask, first.compress) == ("everything", True, True, True)


@FORMATS
def test_the_help_of_the_option_names_each_format(suffix: str) -> None:
    annotated = OutputOptions.__dataclass_fields__["output"].type
    assert suffix in str(annotated)


@FORMATS
@pytest.mark.parametrize("stream", [True, False])
def test_the_bytes_that_are_announced_are_written(suffix: str, stream: bool) -> None:
    data = pad_stream(RAGGED, maxlen=5) if stream else pad(RAGGED, maxlen=5)
    contents, steps = contents_of(data, suffix=suffix), []
    written(contents, on_written=steps.append)
    assert sum(steps) == contents.nbytes


def test_a_format_holds_x_alone_or_everything() -> None:
    data = pad_stream(RAGGED, maxlen=5)
    assert contents_of(data, suffix=".npy").nbytes == 3 * 5 * 8
    assert contents_of(data, suffix=".npy").names == ("x",)
    names = ("x", "step_y", "mask", "lengths", "keys", "y", "classes", "meta")
    assert contents_of(data, suffix=".npz", mask=True).names == names
    (values, *_) = contents_module.members(RAGGED)
    assert (values.name, values.nbytes) == ("values", 32)


@FORMATS
@pytest.mark.parametrize("asked", ["ragged", "mask", "compress"])
def test_what_a_format_cannot_hold_is_refused_with_one_that_can(suffix: str, asked: str) -> None:
    writer = WRITERS[suffix]
    if getattr(writer, asked):
        writer.check("out", **{asked: True})
        return
    with pytest.raises(UsageError) as caught:
        writer.check("out", **{asked: True})
    text = str(caught.value)
    assert text.startswith(f"out: {suffix} holds {writer.holds}")
    assert "use .npz" in text
    assert asked == "ragged" or f"leave --{asked} out" in text


@pytest.mark.parametrize(
    ("data", "more"), [(RAGGED, {}), (pad(RAGGED), {"mask": True}), (pad(RAGGED), {"compress": "fast"})]
)
def test_contents_are_never_listed_for_a_format_that_cannot_hold_them(
    data: Any, more: dict[str, Any]
) -> None:
    with pytest.raises(UsageError, match=r"^out\.npy: \.npy holds x alone.*; use \.npz"):
        contents_of(data, suffix=".npy", name="out.npy", **more)


@pytest.mark.parametrize("suffix", ["", ".foo", ".NPZ", ".npz.gz"])
def test_another_suffix_is_no_format(suffix: str) -> None:
    for refuse in (writer_of, check_suffix):
        with pytest.raises(
            UsageError, match=r"x: the suffix of the output chooses its format; \.npz, \.npy, "
        ):
            refuse(suffix, "x")


def test_what_a_format_leaves_out_is_reported() -> None:
    data = pad_stream(RAGGED)
    names = ["lengths", "step_y", "y", "keys"]
    npz, npy = WRITERS[".npz"], WRITERS[".npy"]
    assert npz.left_out(names, npz.contents(data, False)) is None
    assert npy.left_out(["x"], npy.contents(data, False)) is None
    message = "lengths, step_y, y, keys: .npy holds x alone, .npz everything"
    assert npy.left_out(names, npy.contents(data, False)) == message


def test_a_format_is_one_entry(monkeypatch: pytest.MonkeyPatch) -> None:
    """A suffix in the table is all that the options and the writing of sequences need to know."""

    class Count:
        names, nbytes = ("count",), 8

        def __init__(self, data: Any, _mask: bool) -> None:
            self.count = len(data)

        def write(self, file: Any, **_: Any) -> None:
            file.write(self.count.to_bytes(8, "little"))

    monkeypatch.setitem(WRITERS, ".count", writers.Writer(".count", Count, "a count alone", mask=False))
    assert written(contents_of(RAGGED, suffix=".count")) == b"\3" + bytes(7)
    with pytest.raises(UsageError, match=r"c: \.count holds a count alone; use \.npz for a mask"):
        contents_of(pad(RAGGED), suffix=".count", name="c", mask=True)


# Listed once


def test_text_is_encoded_once(monkeypatch: pytest.MonkeyPatch) -> None:
    seen, encode = [], contents_module.encoded
    monkeypatch.setattr(
        contents_module, "encoded", lambda name, cells: seen.append(name) or encode(name, cells)
    )
    contents = contents_of(pad_stream(RAGGED), suffix=".npz")
    assert contents.nbytes > 0
    written(contents)
    assert seen == ["keys", "classes"]


@pytest.mark.parametrize("widest", [None, 2])
def test_text_in_a_file_is_not_read_when_it_is_listed(widest: int | None) -> None:
    reads = []

    def window(array: Any) -> Lazy:
        def read(begin: int, end: int) -> Any:
            reads.append((begin, end))
            return array[begin:end]

        return Lazy(array.shape, array.dtype, read)

    data, offsets = np.frombuffer(b"abcd", np.uint8), np.array([0, 1, 3, 4])
    keys = Text(window(data), window(offsets), (3,), widest=widest)
    contents = contents_of(RAGGED.replace(keys=keys), suffix=".npz")
    assert contents.nbytes > 0
    assert reads == []
    packed = written(contents)
    assert reads
    with np.load(io.BytesIO(packed)) as arrays:
        text = arrays["keys"].tobytes() if widest is None else "".join(arrays["keys"].tolist())
    assert text in (b"abcd", "abcd")


def test_contents_cannot_be_written_twice_by_mistake() -> None:
    contents = contents_of(pad_stream(RAGGED), suffix=".npy")
    written(contents)
    with pytest.raises(AssertionError, match="x: 0 bytes were written"):
        written(contents)
