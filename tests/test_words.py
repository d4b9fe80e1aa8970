"""Messages that name options, for those who call functions."""

from pathlib import Path

import numpy as np
import pytest

import seqtool
from seqtool.errors import DataError, NotNumbersError, UsageError, check_whole, names_arguments
from seqtool.option_names import as_arguments


@pytest.mark.parametrize(
    ("options", "arguments"),
    [
        ("choose --dtype float64", 'choose dtype="float64"'),
        ("choose a wider --dtype", "choose a wider dtype"),
        ("another --value, or --dtype float32", 'another value, or dtype="float32"'),
        ("use --label-as class", 'use label_as="class"'),
        ("--empty-key drop, or --empty-key keep", 'empty_key="drop", or empty_key="keep"'),
        ("--maxlen 12 covers 95 %; or: --ragged", "maxlen=12 covers 95 %; or: ragged=True"),
        ("say with --key which column", "say with key which column"),
        ("--columns and --drop both choose", "columns and drop both choose"),
        ("say --header if so, --no-header if not", "say header=True if so, header=False if not"),
        ("or keep the key: --keep-key", "or keep the key: keep_key=True"),
        ("--missing 'a b' reads it, --drop x leaves", 'missing="a b" reads it, drop="x" leaves'),
        ("--drop 'it'\"'\"'s' leaves", 'drop="it\'s" leaves'),
        ("""--drop 'a"b' leaves""", """drop='a"b' leaves"""),
        ("--label a,b for several", 'label=["a", "b"] for several'),
        ("--order-by t:%d.%m.%Y reads it: as", 'order_by="t:%d.%m.%Y" reads it: as'),
        ("--encoding klingon: no such", 'encoding="klingon": no such'),
        ("--delimiter is ';;'; such as ';'", "delimiter is ';;'; such as ';'"),
        ("are allowed (--max-memory); so", "are allowed (max_memory); so"),
        ("padded: add --post", 'padded: add padding="post"'),
        ("name shares: --val 0.1 --test 0.1", "name shares: val=0.1 test=0.1"),
        ("--val and --test make 1.2; less was expected", "val and test make 1.2; less was expected"),
        ("--first and --sample are two ways", "first and sample are two ways"),
        (
            "no sequence is left; to allow that: --allow-empty",
            "no sequence is left; to allow that: allow_empty=True",
        ),
        ("with another part: --on-clash both", 'with another part: on_clash="both"'),
        ("--min-len N, --where EXPR or --sample N", 'min_len=N, where="EXPR" or sample=N'),
        # What is no option of this call stays.
        ("seqtool pad a.npz --min-len 1", "seqtool pad a.npz --min-len 1"),
        (
            "write it with seqtool pad without --compress",
            "write it with seqtool pad without --compress",
        ),
        ("no column '--dtype'; choose --dtype int8", "no column '--dtype'; choose dtype=\"int8\""),
        ("no column 'x --drop y'; there is a--b", "no column 'x --drop y'; there is a--b"),
        ("the column's cells; use --dtype int8", 'the column\'s cells; use dtype="int8"'),
    ],
)
def test_options_become_arguments(options: str, arguments: str) -> None:
    assert as_arguments(options) == arguments


def test_what_a_function_has_no_argument_for_keeps_a_name_or_gives_way() -> None:
    known = {"dtype", "value"}
    assert as_arguments("--dtype int8 or --columns a", known) == 'dtype="int8" or --columns a'
    assert as_arguments("in a folder with room: --temp-dir DIR", known).endswith("TMPDIR in the environment")
    assert as_arguments("(--max-memory)", known) == "(--max-memory on the command line)"
    assert as_arguments("--max-memory 256 MB is too little", known) == "--max-memory 256 MB is too little"
    assert as_arguments("as they are: --ragged", known) == "as they are: a Ragged"


def test_the_border_keeps_the_kind_of_an_error_and_where_it_arose() -> None:
    @names_arguments
    def refuse(*, dtype: str) -> None:
        raise NotNumbersError(f"not {dtype}: --dtype int8 or --other", columns=["a"])

    with pytest.raises(NotNumbersError, match=r'^not x: dtype="int8" or --other$') as caught:
        refuse(dtype="x")
    assert caught.value.columns == ["a"]
    assert caught.traceback[-1].name == "refuse"
    assert caught.value.__context__ is None


def test_the_functions_that_are_public_name_their_arguments(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r'dtype="float32"$'):
        seqtool.pad([[1]], value=0.5)
    with pytest.raises(DataError, match="choose another, such as value=0, or"):
        seqtool.pad([[1]], value=0.5)
    (tmp_path / "t.csv").write_text("k,a\n1,oops\n1,2\n1,3\n", encoding="utf-8")
    with pytest.raises(DataError, match='as a missing value: missing="oops"'):
        seqtool.group(tmp_path / "t.csv", key="k")
    seqtool.save(tmp_path / "t.npz", seqtool.pad([[1]]), compress="fast")
    with pytest.raises(DataError, match=r"without --compress: seqtool pad t\.npz"):
        seqtool.load(tmp_path / "t.npz", mmap=True)


@pytest.mark.parametrize("given", [3.0, "3", True, [3], np.float64(3)])
def test_what_is_no_whole_number_is_refused(given: object) -> None:
    with pytest.raises(UsageError, match=r"maxlen is .*; a whole number was expected"):
        check_whole("maxlen", given)


def test_whole_numbers_of_numpy_become_those_of_python() -> None:
    assert type(check_whole("maxlen", np.int64(3))) is int
    assert check_whole("maxlen", None) is None
