"""Bad data is never called a bug in seqtool: huge numbers, odd names, odd encodings, descriptions that are made up."""

from __future__ import annotations

import io
import json
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import seqtool
from seqtool.errors import SeqtoolError
from seqtool.operations.strip import strip
from tests.command import Done, Place, succeeded


def explained(done: Done) -> Done:
    """The same, unless the call ended with other than success or one plain line."""
    assert "bug in seqtool" not in done.err, done.err
    assert "Traceback" not in done.err
    assert done.code in (0, 1, 2)
    if done.code and not done.out:  # what `check` finds is its data
        assert len(done.err.splitlines()) == 1
    return done


# Numbers

LONG = "9" * 5000  # Python refuses to read more than 4,300 digits
PAST = "-9223372036854777856"  # past int64
ZERO = "0e9999999999999999999999"  # whose exponent no decimal number has
CELL, KEY, LABEL = "k,v,y\n1,{},1\n1,2,1\n", "k,v,y\n{},1,1\n2,2,1\n", "k,v,y\n1,1,{}\n2,2,7\n"


@pytest.mark.thinned
@pytest.mark.parametrize(
    ("table", "number", "options", "expected"),
    [
        (CELL, LONG, "", "t.csv: line 2, column 'v': '99999"),
        (CELL, LONG, "--dtype int64", "t.csv: line 2, column 'v': '99999"),
        (CELL, PAST, "", f"line 2, column 'v': {PAST}, which float32 cannot hold exactly; choose --dtype float64"),
        (CELL, PAST, "--dtype float64", ""),
        (CELL, PAST, "--dtype int64", f"{PAST}, which int64 cannot hold"),
        (CELL, str(2**64), "--dtype int64", "18446744073709551616, which int64 cannot hold"),
        (CELL, ZERO, "", ""),
        (KEY, LONG, "", ""),
        (KEY, ZERO, "", ""),
        (LABEL, LONG, "--label y", ""),
        (LABEL, LONG, "--label y --label-as number", "is not a number"),
        (LABEL, "0" * 5000 + "7", "--label y", ""),
        (LABEL, ZERO, "--label y", ""),
        (LABEL, ZERO, "--step-label y", ""),
        (LABEL, LONG, "--static y", "column 'y'"),
        (CELL, LONG, "--order-by v", "column 'v'"),
        (CELL, ZERO, "--order-by v", ""),
        ("1,2\n3,4\n", LONG, "--key {}", "out of range: there are 2 columns"),
        ("1,2\n3,4\n", LONG, "--order-by {}", "out of range: there are 2 columns"),
        ("1,2\n3,4\n", LONG, "--order-by {}:%Y", "out of range: there are 2 columns"),
        ("1,2\n3,4\n", LONG, "--columns {}", "out of range: there are 2 columns"),
        ("1,2\n3,4\n", LONG, "--max-memory {}", ""),
    ],
)  # fmt: skip
def test_numbers_that_no_dtype_holds(
    table: str, number: str, options: str, expected: str, place: Place
) -> None:
    place.write("t.csv", table.format(number))
    key = () if "--key" in options else ("--key", "0")
    done = explained(place.run("group", "t.csv", *key, *options.format(number).split(), "-o", "out.npz"))
    assert done.code == (expected != ""), done.err
    assert expected in done.err


def test_labels_spelled_with_zeros_or_an_exponent_are_their_numbers(place: Place) -> None:
    place.write("t.csv", f"k,v,y\n1,1,{'0' * 5000}7\n2,2,{ZERO}\n")
    succeeded(place.run("group", "t.csv", "--key", "k", "--label", "y", "-o", "out.npz"))
    assert place.arrays("out.npz")["classes"].tolist() == [0, 7]


@pytest.mark.parametrize("name", ["t.txt", "t.json", "t.jsonl"])
def test_long_numbers_in_sequences(name: str, place: Place) -> None:
    place.write(name, f"1 {LONG}\n" if name == "t.txt" else f"[1, {LONG}]\n")
    done = explained(place.run("pad", name))
    assert done.err.startswith(f"seqtool: error: {name}: line 1: ")
    assert "set_int_max_str_digits" not in done.err


@pytest.mark.thinned
@pytest.mark.parametrize("number", [LONG, "1e999", PAST, str(2**64)])
@pytest.mark.parametrize("option", ["--value", "--strip", "--max-memory", "--maxlen", "--min-len"])
def test_long_numbers_in_options(option: str, number: str, place: Place) -> None:
    place.write("t.txt", "1 2\n3\n")
    explained(place.run("pad", "t.txt", option, number, "-o", "out.npz"))


def test_strip_finds_whole_numbers_past_64_bits() -> None:
    ragged = seqtool.Ragged(np.array([1.0, 2.0**64, 2.0**64]), np.array([0, 2, 3]))
    assert strip(ragged, 2**64).lengths.tolist() == [1, 0]
    assert strip(ragged, 2**64 + 1).lengths.tolist() == [2, 1]


# Names


@pytest.mark.parametrize("names", ["a\nb", '"a\nb"', "a\nb,v"])
def test_a_line_break_in_the_name_of_a_column(names: str, place: Place) -> None:
    place.write("t.csv", 'k,"a\nb",v\n1,2,3\n')
    succeeded(place.run("group", "t.csv", "--key", "k", "--columns", names, "-o", "out.npz"))
    assert place.arrays("out.npz")["features"][0] == "a\nb"
    assert explained(place.run("group", "t.csv", "--key", "k", "--drop", "c\nd")).code == 1


@pytest.mark.parametrize(
    ("record", "call"),
    [
        (r'{"\ud800": 1, "k": 1}', "group t.jsonl --key k"),
        (r'{"a": 1, "k": "\ud800"}', "group t.jsonl --key k"),
        (r'{"a": [1], "k": "\ud800"}', "pad t.jsonl --key k"),
        (r'{"a": [1], "k": "\ud800"}', "pad t.jsonl --label k"),
    ],
)
def test_a_lone_surrogate(record: str, call: str, place: Place) -> None:
    place.write("t.jsonl", record + "\n")
    done = explained(place.run(*call.split()))
    assert (done.code, "lone surrogate, which is not valid text" in done.err) == (1, True), done.err


def test_a_lone_surrogate_among_the_arguments(place: Place) -> None:
    place.write("t.csv", "k,v\n1,2\n")
    assert explained(place.run("group", "t.csv", "--key", "k", "--missing", "\udce9")).code == 2


@pytest.mark.parametrize("how", ["{}[1{}]{}", "{}{}{}"])
@pytest.mark.parametrize("call", ["group {} --key a", "pad {}", "plan {}"])
def test_json_nested_too_deeply(how: str, call: str, place: Place) -> None:
    place.write("t.jsonl", how.format("[" * 100_000, "", "]" * 100_000) + "\n")
    done = explained(place.run(*call.format("t.jsonl").split()))
    assert "line 1: nested too deeply" in done.err or "not JSON" in done.err


# Encodings


@pytest.mark.thinned
@pytest.mark.parametrize(
    "encoding",
    ["base64", "rot13", "zlib", "hex", "idna", "punycode", "undefined", "unicode_escape", "klingon", "u\0tf"],
)
@pytest.mark.parametrize("source", ["t.csv", "t.jsonl"])
def test_what_is_no_encoding_of_text(encoding: str, source: str, place: Place) -> None:
    place.write("t.csv", "k,v\n1,2\n")
    place.write("t.jsonl", '{"k": 1, "v": 2}\n')
    done = explained(place.run("group", source, "--key", "k", "--encoding", encoding))
    assert (done.code, "latin-1 and cp1252 are common" in done.err) == (2, True)


@pytest.mark.parametrize("encoding", ["utf-16", "utf-32", "utf-32-le", "utf-7", "cp424", "hz"])
def test_text_in_another_encoding(encoding: str, place: Place) -> None:
    place.write("t.csv", "k,v\n+x~z,\xff\n".encode("latin-1"))
    done = explained(place.run("group", "t.csv", "--key", "k", "--encoding", encoding))
    assert done.code == 1
    assert "--encoding" in done.err


# Descriptions that are made up


@pytest.fixture(scope="module")
def ours(tmp_path_factory: pytest.TempPathFactory) -> dict[str, np.ndarray]:
    place = Place(tmp_path_factory.mktemp("ours"))
    place.write("t.csv", "k,v,y\na,1,p\nb,2,q\nb,3,q\n")
    succeeded(place.run("group", "t.csv", "--key", "k", "--label", "y", "-o", "t.npz"))
    return place.arrays("t.npz")


def saved(arrays: dict[str, np.ndarray]) -> bytes:
    file = io.BytesIO()
    np.savez(file, **arrays)  # type: ignore[arg-type]
    return file.getvalue()


def change_meta(change: Callable[[dict[str, Any]], object]) -> Callable[[dict[str, np.ndarray]], None]:
    def changed(arrays: dict[str, np.ndarray]) -> None:
        meta = json.loads(str(arrays["meta"]))
        change(meta)
        arrays["meta"] = np.array(json.dumps(meta).replace('"DEEP"', "[" * 9999 + "]" * 9999))

    return changed


def entry(**parts: Any) -> Callable[[dict[str, np.ndarray]], None]:
    return change_meta(lambda meta: meta["receipt"][0].update(parts))


def text(name: str, data: bytes, offsets: list[int], shape: Any) -> Callable[[dict[str, np.ndarray]], object]:
    parts = {"": np.frombuffer(data, np.uint8), "_offsets": np.array(offsets), "_shape": np.array(shape)}
    return lambda arrays: arrays.update({name + end: part for end, part in parts.items()})


INVENTED: dict[str, Callable[[dict[str, np.ndarray]], object]] = {
    "deep nesting": change_meta(lambda meta: meta.update(more="DEEP")),
    "nesting that can be read but not written": change_meta(
        lambda meta: meta["receipt"][0].update(arguments=json.loads('{"a":' * 200 + "1" + "}" * 200))
    ),
    "a version without end": change_meta(lambda meta: meta.update(version=float("inf"))),
    "a version of many digits": lambda arrays: arrays.update(
        meta=np.array(str(arrays["meta"]).replace('"version": 1', f'"version": {LONG}'))
    ),
    "a version as text": change_meta(lambda meta: meta.update(version="1")),
    "no version": change_meta(lambda meta: meta.pop("version")),
    "a receipt of text": change_meta(lambda meta: meta.update(receipt=["x"])),
    "a receipt of objects": change_meta(lambda meta: meta.update(receipt={"a": 1})),
    "rows as a list": entry(rows=[1]),
    "rows without counts": entry(rows={}),
    "rows of text": entry(rows={"in": "3", "kept": 3, "cut": 0, "dropped": {}}),
    "rows dropped as a list": entry(rows={"in": 3, "kept": 3, "cut": 0, "dropped": [1]}),
    "a command that is no text": entry(command=7),
    "arguments without end": entry(arguments={"value": float("nan")}),
    "not an object": lambda arrays: arrays.update(meta=np.array('["format": "seqtool"]')),
    "classes without a dimension": lambda arrays: arrays.update(classes=np.array(3)),
    "classes of two dimensions": lambda arrays: arrays.update(classes=np.array([["p", "q"]])),
    "keys that fall": text("keys", b"abc", [0, 3, 1], [2]),
    "keys past their bytes": text("keys", b"abc", [0, 9, 3], [2]),
    "keys of a negative shape": text("keys", b"abc", [0, 1, 3], [-1, -2]),
    "keys of a shape without end": text("keys", b"abc", [0, 1, 3], [2**62, 2**62]),
    "keys of a shape of fractions": text("keys", b"abc", [0, 1, 3], [2.0]),
    "keys that are not UTF-8": text("keys", b"a\xff\xfe", [0, 1, 3], [2]),
    "a letter cut in two": text("keys", b"\xc3\xa9z", [0, 1, 3], [2]),
    "keys with a NUL": text("keys", b"a\0c", [0, 1, 3], [2]),
}


@pytest.mark.thinned
@pytest.mark.parametrize("case", INVENTED)
def test_a_file_whose_description_is_made_up(case: str, ours: dict[str, np.ndarray], place: Place) -> None:
    arrays = dict(ours)
    INVENTED[case](arrays)
    place.write("t.npz", saved(arrays))
    refused = 0
    for call in ("info t.npz", "check t.npz", "pad t.npz -o out.npz"):
        refused += explained(place.run(*call.split())).code == 1
    with pytest.raises(SeqtoolError):
        seqtool.load(place.folder / "t.npz")
    assert refused, "nobody has noticed"
    assert place.left_behind() == []


@pytest.mark.thinned
@pytest.mark.parametrize("x", [np.array([1, 2, 3]), np.array(["a", "b", "c"]), np.array(3)])
@pytest.mark.parametrize("more", ["lengths", "mask", "y", "keys"])
@pytest.mark.parametrize("command", ["pad", "check", "info", "plan"])
def test_arrays_of_too_few_dimensions(command: str, more: str, x: np.ndarray, place: Place) -> None:
    place.write("t.npz", saved({"x": x, more: np.array([2, 3, 4])}))
    done = explained(place.run(command, "t.npz"))
    assert done.code == (command != "info")


def test_text_that_cannot_be_written(ours: dict[str, np.ndarray], place: Place) -> None:
    place.write("t.npz", saved({**ours, "classes": np.array(["p", "\ud800"])}))
    done = explained(place.run("pad", "t.npz", "-o", "out.npz"))
    assert "classes[1] holds code points that are not text" in done.err


def test_lists_nested_deeper_than_python_prints() -> None:
    nested: Any = 1
    for _ in range(100_000):
        nested = [nested]
    with pytest.raises(SeqtoolError, match=r"^sequences\[0\]"):
        seqtool.pad([nested])
