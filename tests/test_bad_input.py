"""Bad input, through the real command: one plain line, the right exit code, and nothing left behind."""

from __future__ import annotations

import contextlib
import gzip
import io
import json
import os
import re
import resource
import shlex
import struct
import subprocess
import zipfile
import zlib
from collections.abc import Callable, Iterator, Sequence
from functools import partial
from pathlib import Path

import numpy as np
import pytest

from seqtool.advice import Advice
from tests.command import Done, Place, succeeded
from tests.field.advising import applied

DATA, CALL = 1, 2  # exit codes: what only the data or the disk shows, what the call alone shows


def assert_refused(
    place: Place, done: Done, code: int, words: Sequence[str], before: dict[str, bytes]
) -> None:
    """One plain line with these words, this exit code, no data, no new or changed file, nothing temporary."""
    assert "Traceback" not in done.err
    assert "bug in seqtool" not in done.err
    lines = done.err.splitlines()
    assert len(lines) == 1, done.err
    if done.err.startswith("{"):  # the call asks for JSON
        assert json.loads(done.err)["exit_code"] == code
    else:
        assert done.err.startswith("seqtool: error: ")
    assert "\x1b" not in done.err
    assert [word for word in words if word not in done.err] == [], done.err
    assert done.code == code, done.err
    assert done.out == b""
    assert place.files() == before
    assert place.left_behind() == []


# Files that are wrong in some way


def npy(array: np.ndarray) -> bytes:
    file = io.BytesIO()
    np.save(file, array)
    return file.getvalue()


def npz(**arrays: np.ndarray) -> bytes:
    file = io.BytesIO()
    np.savez(file, **arrays)
    return file.getvalue()


def flipped(data: bytes, at: int) -> bytes:
    return data[:at] + bytes([data[at] ^ 0x10]) + data[at + 1 :]


def npy_header(description: str) -> bytes:
    """An .npy without data whose header says this."""
    text = description.encode()
    text += b" " * (-(len(text) + 11) % 64) + b"\n"
    return b"\x93NUMPY\x01\x00" + struct.pack("<H", len(text)) + text


def bomb(announced: int, real: int) -> bytes:
    """A small .npz with one deflated member of `real` zero bytes, whose directory announces another size."""
    header = npy_header(f"{{'descr': '|u1', 'fortran_order': False, 'shape': ({announced},), }}")
    packer = zlib.compressobj(9, zlib.DEFLATED, -15)
    packed = packer.compress(header) + packer.compress(bytes(real)) + packer.flush()
    crc = zlib.crc32(header + bytes(real))
    size = len(header) + announced
    extra = struct.pack("<HHQQ", 1, 16, size, len(packed))
    common = (45, 0, 8, 0, 33, crc, 0xFFFFFFFF, 0xFFFFFFFF, 5, len(extra))
    local = struct.pack("<4s5H3L2H", b"PK\x03\x04", *common) + b"x.npy" + extra
    entry = struct.pack("<4s6H3L5H2L", b"PK\x01\x02", 45, *common, 0, 0, 0, 0, 0) + b"x.npy" + extra
    end = struct.pack("<4s4H2LH", b"PK\x05\x06", 0, 0, 1, 1, len(entry), len(local) + len(packed), 0)
    return local + packed + entry + end


def overlapping_bomb() -> bytes:
    """A .npz whose hundred members all are the same 10 MB of zeros."""
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("x.npy", npy(np.zeros(10_000_000, np.uint8)))
    data = file.getvalue()
    begin = data.index(b"PK\x01\x02")
    entry = data[begin : data.index(b"PK\x05\x06")]
    directory = b"".join(
        entry.replace(b"x.npy", b"%c%d.npy" % (97 + i // 10, i % 10)[:5]) for i in range(100)
    )
    end = struct.pack("<4s4H2LH", b"PK\x05\x06", 0, 0, 100, 100, len(directory), begin, 0)
    return data[:begin] + directory + end


def late_fault(line: str) -> bytes:
    """A header, good rows, `line` as line 600,000, and good rows after it."""
    return b"k,a\n" + b"1,2\n" * 599_998 + line.encode() + b"\n" + b"3,4\n" * 100_000


ROWS = "k,a,b\n1,2,3\n1,4,5\n2,6,7\n"
GZIP = gzip.compress(ROWS.encode(), mtime=0)
WRONG_CRC = GZIP[:-8] + bytes([GZIP[-8] ^ 1]) + GZIP[-7:]
MANY = ("k,a\n" + "".join(f"{i % 7},{i * i % 1009}\n" for i in range(20_000))).encode()
PACKED = gzip.compress(MANY, mtime=0)
DENSE = np.arange(24, dtype=np.float32).reshape(2, 4, 3)
FOREIGN = npz(x=DENSE, lengths=np.array([4, 2]))
OBJECTS = np.array([[1, 2], [3]], dtype=object)
STRUCTURED = np.zeros(3, dtype=[("key", "i8"), ("value", "f4")])
HEADER = "{'descr': '<f8', 'fortran_order': False, 'shape': SHAPE, }"

# Files that the cases below read; each case gets those that its call names.
FILES: dict[str, str | bytes | np.ndarray | Callable[[], bytes]] = {
    # Good ones, for calls that are wrong
    "rows.csv": ROWS,
    "bare.csv": "1,2,3\n",
    "narrow.csv": "1,2\n",
    "matrix.npy": np.ones((2, 3)),
    "dense.npy": DENSE,
    "ints.npy": np.array([[1, 2], [3, 300]]),
    "foreign.npz": FOREIGN,
    "lengths.npy": np.array([4, 2]),
    "a,b.npy": DENSE,
    # Nothing in them
    "empty.csv": "",
    "empty.npy": b"",
    "empty.csv.gz": gzip.compress(b"", mtime=0),
    "blank.csv": "\n\n\n",
    "header.csv": "k,a\n",
    "headeronly.csv": "k,a",
    # Rows
    "short.csv": "k,a,b\n1,2,3\n1,2\n3,4,5\n",
    "long.csv": "k,a,b\n1,2,3\n1,2,3,4\n",
    "shortlast.csv": "k,a,b\n1,2,3\n1,2",
    "comma.csv": "k,a\n1,2\n1,2,\n",
    "lateshort.csv": lambda: late_fault("5"),
    "latebad.csv": lambda: late_fault("1,abc"),
    "latelatin.csv": lambda: late_fault("\0,1").replace(b"\0", b"\xe9"),
    "underscore.csv": "k,a\n1,2\n1,1_000\n1,3\n",
    "thousands.csv": "k;a\n1;2\n1;1,000\n1;3\n",
    "hexadecimal.csv": "k,a\n1,2\n1,0x1F\n1,3\n",
    "twolines.csv": 'k,n,a\n1,"one\ntwo",2\n1,"",x\n1,"",3\n1,"",4\n',
    "quote.csv": 'k,n,a\n1,"x",2\n1,"y,3\n1,z,4\n',
    "quotes.csv": 'k,n,a\n1,"x",2\n1,"y,3\n1,"z",4\n',
    "quotestwo.csv": 'k,n,a\n1,"x",2\n1,"y,3\n1,"z,4\n',
    "quotelast.csv": 'k,a,n\n1,2,"x"\n1,3,"y\n',
    "mixed.csv": "1,x\n2,y\n",
    # Columns
    "other.csv": ROWS.replace("b", "c"),
    "swapped.csv": "k,b,a\n1,2,3\n",
    "twice.csv": "k,a,a\n1,2,3\n",
    "label.csv": "k,a,y\n3,1,cat\n7,1,cat\n7,2,dog\n",
    "static.csv": "k,a,s\n3,1,1\n7,1,1\n7,2,2\n",
    "nokey.csv": "k,a\n1,2\n,3\n2,4\n,5\n",
    "nokeys.csv": "k,a\n,2\n,3\n",
    "nankey.npy": np.array([[1.0, 2.0], [np.nan, 3.0]]),
    "american.csv": "k,t,a\n1,12/31/2023,2\n1,01/02/2024,3\n",
    "frames.csv": "k,t,a\n1,frame10,2\n1,frame2,3\n",
    "soon.csv": "k,t,a\n1,1,2\n1,2,3\n1,soon,4\n",
    "dates.csv": "k,t,a\n1,2024-01-01,2\n1,2024-01-02,3\n1,2024-13-01,4\n",
    "noorder.csv": "k,t,a\n1,1,2\n1,,3\n1,3,4\n",
    "nolabel.csv": "k,y,a\n1,1,2\n2,,3\n",
    # Encodings and compression
    "latin.csv": b"k,a\nabc,1\ncaf\xe9,2\nabc,3\n",
    "latinhead.csv": b"k,caf\xe9\n1,1\n",
    "binary.csv": bytes(range(256)),
    "crc.csv.gz": WRONG_CRC,
    "crc.txt.gz": WRONG_CRC,
    "cut.csv.gz": PACKED[:-2000],
    "cutbyte.csv.gz": PACKED[:-1],
    "cuthead.csv.gz": GZIP[:5],
    "flip.csv.gz": flipped(PACKED, len(PACKED) // 2),
    # .npy
    "cut.npy": npy(DENSE)[:-10],
    "cutrows.npy": npy(DENSE[0])[:-10],
    "cuthead.npy": npy(DENSE)[:40],
    "cutmagic.npy": b"\x93NUMPY\x01",
    "tail.npy": npy(DENSE) + b"\0",
    "fliphead.npy": flipped(npy(DENSE), 12),
    "flipshape.npy": npy(DENSE).replace(b"(2, 4, 3)", b"(2, 4, 1)"),
    "peta.npy": npy_header(HEADER.replace("SHAPE", "(1000000000000, 1000)")),
    "negative.npy": npy_header(HEADER.replace("SHAPE", "(-2, 3)")),
    "void.npy": npy_header(HEADER.replace("SHAPE", "(100000000000000000000, 1, 0)")),
    "objects.npy": npy(OBJECTS),
    "structured.npy": npy(STRUCTURED),
    "complex.npy": np.zeros((2, 2), complex),
    "words.npy": np.array([["ab", "cd"]]),
    "days.npy": np.zeros((2, 2), "M8[D]"),
    "flat.npy": np.zeros(4),
    "fraction.npy": np.array([[1.0, 0.9]]),
    "text.npy": "1 2 3\n",
    "zip.npy": FOREIGN,
    # .npz
    "text.npz": "1 2 3\n",
    "objects.npz": npz(x=OBJECTS),
    "cut.npz": FOREIGN[:-30],
    "half.npz": FOREIGN[: len(FOREIGN) // 2],
    "flipdata.npz": flipped(FOREIGN, FOREIGN.index(b"NUMPY") + 147),
    "fliphead.npz": flipped(FOREIGN, FOREIGN.index(b"'descr'") + 1),
    "flipdirectory.npz": flipped(FOREIGN, FOREIGN.index(b"PK\x01\x02") + 3),
    "fliplengths.npz": flipped(FOREIGN, FOREIGN.rindex(b"NUMPY") + 130),
    "several.npz": npz(one=DENSE, two=DENSE),
    "lengths9.npz": npz(x=DENSE, lengths=np.array([4, 9])),
    "lengths1.npz": npz(x=DENSE, lengths=np.array([4])),
    "lengthswords.npz": npz(x=DENSE, lengths=np.array(["4", "2"])),
    "bomb.npz": partial(bomb, 80_000_000_000_000, 1000),
    "more.npz": partial(bomb, 1000, 50_000_000),
    "less.npz": partial(bomb, 50_000_000, 1000),
    # Other formats
    "text.parquet": ROWS,
    "cut.parquet": b"PAR1" + bytes(100),
    "word.txt": "1 2\n3 x\n4\n",
    "int.txt": "1 2\n3 300 4\n",
    "broken.jsonl": "[1]\n[2\n[3]\n",
    "width.jsonl": "[[1, 2]]\n[[3]]\n",
    "field.jsonl": '{"k": 1, "a": 2}\n' * 1001 + '{"k": 1, "b": 2}\n',
    "list.jsonl": '{"k": 1, "a": [2]}\n{"k": 1, "a": [2, 3]}\n',
    # Numbers that do not fit
    "int.csv": "k,a\n1,2\n1,300\n",
    "gap.csv": "k,a\n1,2\n1,\n",
    "exact.csv": "k,a\n1,0.5\n1,16777217\n",
    # File names where data belongs
    "name": "in.npy\n",
    "names": "a.csv\nb.csv\n",
    "path": "/data/new/a.csv.gz\n",
    "nothing": "",
}

# Exit code, call, and words of the message; `< name` sends this file through a pipe.
CASES: list[tuple[int, str, *tuple[str, ...]]] = [
    # Nothing to read
    (DATA, "group no.csv --key 0", "no.csv: no such file"),
    (DATA, "pad no.npy", "no.npy: no such file"),
    (DATA, "info no.npz", "no.npz: no such file"),
    (DATA, "group 'no*.csv' --key 0", "no*.csv: no file matches"),
    (DATA, "group rows.csv no.csv --key k", "no.csv"),
    (DATA, "group . --key 0", "a folder"),
    (DATA, "pad .", "a folder"),
    (DATA, "group empty.csv --key k", "empty.csv: empty"),
    (DATA, "pad empty.npy", "empty.npy: empty"),
    (DATA, "group empty.csv.gz --key k", "empty.csv.gz"),
    (DATA, "group blank.csv --key k", "blank.csv", "blank lines"),
    (DATA, "group header.csv --key k", "header", "no rows"),
    (DATA, "group headeronly.csv --key k", "header", "no rows"),
    (DATA, "group --key k < nothing", "standard input: empty", "-o -"),
    (DATA, "pad -o x.npz < nothing", "standard input: empty", "-o -"),
    # Rows
    (DATA, "group short.csv --key k", "short.csv: line 3: ", "3 cells", " 2", "'1,2'"),
    (DATA, "group long.csv --key k", "long.csv: line 3: ", "3 cells", " 4", "'1,2,3,4'"),
    (DATA, "group shortlast.csv --key k", "shortlast.csv: line 3: ", "3 cells", " 2"),
    (DATA, "group comma.csv --key k", "comma.csv: line 3: ", "2 cells", " 3", "'1,2,'"),
    (DATA, "group lateshort.csv --key k", "lateshort.csv: line 600000: ", "2 cells", " 1", "'5'"),
    (
        DATA,
        "group latebad.csv --key k",
        "latebad.csv: line 600000, column 'a': 'abc'",
        "--missing abc",
    ),
    (DATA, "group underscore.csv --key k", "line 3, column 'a': '1_000'"),
    (DATA, "group thousands.csv --key k", "line 3, column 'a': '1,000'"),
    (DATA, "group hexadecimal.csv --key k", "line 3, column 'a': '0x1F'"),
    (DATA, "group twolines.csv --key k --drop n", "twolines.csv: line 4, column 'a': 'x'"),
    (DATA, "group quote.csv --key k --drop n", "quote.csv: line 3", "quote that is never closed"),
    (DATA, "group quotes.csv --key k --drop n", "quotes.csv: line 3", "quote"),
    (DATA, "group quotestwo.csv --key k --drop n", "quotestwo.csv: line 3", "quote"),
    (DATA, "group quotelast.csv --key k --drop n", "quotelast.csv: line 3", "quote that is never closed"),
    (DATA, "group mixed.csv --key 0", "mixed.csv: line 1", "'1'", "'x'", "--header", "--no-header"),
    # Columns
    (DATA, "group rows.csv other.csv --key k", "rows.csv", "other.csv", "'c'", "'b'"),
    (DATA, "group rows.csv swapped.csv --key k", "rows.csv", "swapped.csv", "another order"),
    (DATA, "group rows.csv bare.csv --key 0", "rows.csv", "bare.csv", "header"),
    (DATA, "group bare.csv narrow.csv --key 0", "bare.csv", "narrow.csv", "2 columns", "3"),
    (DATA, "group rows.csv --key user", "'user'", "k, a, b"),
    (DATA, "group bare.csv --key user", "'user'", "no names", "0 to 2"),
    (DATA, "group rows.csv --key 3", "column 3", "3 columns", "0 to 2"),
    (DATA, "group rows.csv --key -1", "'-1'", "k, a, b"),
    (DATA, "group matrix.npy --key 3", "column 3", "3 columns", "0 to 2"),
    (DATA, "group rows.csv --key k --columns a,z", "'z'", "k, a, b"),
    (DATA, "group rows.csv --key k --drop z", "'z'", "k, a, b"),
    (DATA, "group rows.csv --key k --order-by z", "'z'", "k, a, b"),
    (DATA, "group rows.csv --key k --label z", "'z'", "k, a, b"),
    (DATA, "group twice.csv --key k", "twice.csv", "'a'", "more than once"),
    (DATA, "group rows.csv --key k --drop a,b", "feature", "--keep-key"),
    (DATA, "group label.csv --key k --label y", "'y'", "'cat'", "'dog'", "key 7", "--step-label y"),
    (DATA, "group static.csv --key k --static s", "'s'", "1", "2", "key 7", "--static s"),
    (DATA, "group nokey.csv --key k", "'k'", "2 of 4 rows", "--empty-key drop", "--empty-key keep"),
    (DATA, "group nokeys.csv --key k --empty-key drop", "2 rows", "empty key"),
    (DATA, "group nankey.npy --key 0", "1 of 2 rows", "--empty-key"),
    (
        DATA,
        "group american.csv --key k --order-by t",
        "line 2, column 't': '12/31/2023'",
        "ISO",
        "t:%m/%d/%Y",
    ),
    (DATA, "group frames.csv --key k --order-by t", "line 2, column 't': 'frame10'", "before 'frame2'"),
    (DATA, "group soon.csv --key k --order-by t", "line 4, column 't': 'soon'", "are numbers"),
    (DATA, "group dates.csv --key k --order-by t", "line 4, column 't': '2024-13-01'"),
    (DATA, "group noorder.csv --key k --order-by t", "'t'", "1 of 3 rows", "empty"),
    (DATA, "group nolabel.csv --key k --label y", "'y'", "1 of 2 rows", "empty"),
    # Encodings and compression
    (
        DATA,
        "group latin.csv --key k",
        "latin.csv: line 3, column 0: byte 0xe9",
        "utf-8",
        "--encoding",
        "latin-1",
    ),
    (DATA, "group latinhead.csv --key k", "latinhead.csv: line 1, column 1: byte 0xe9", "--encoding"),
    (DATA, "group latelatin.csv --key k", "latelatin.csv: line 600000, column 0: byte 0xe9", "--encoding"),
    (DATA, "group binary.csv --key 0", "binary.csv", "neither text nor"),
    (DATA, "group crc.csv.gz --key k", "crc.csv.gz: the gzip data is damaged"),
    (DATA, "pad crc.txt.gz", "crc.txt.gz: the gzip data is damaged"),
    (DATA, "group --key k < crc.csv.gz", "standard input: the gzip data is damaged"),
    (DATA, "group cut.csv.gz --key k", "cut.csv.gz: the gzip data is damaged or cut short"),
    (DATA, "group cutbyte.csv.gz --key k", "cutbyte.csv.gz: the gzip data is damaged or cut short"),
    (DATA, "group cuthead.csv.gz --key k", "cuthead.csv.gz: the gzip data is damaged or cut short"),
    (DATA, "group flip.csv.gz --key k", "flip.csv.gz"),
    # .npy
    (DATA, "pad cut.npy", "cut.npy", "(2, 4, 3)", "96 bytes", "86", "cut short"),
    (DATA, "group cutrows.npy --key 0", "cutrows.npy", "cut short"),
    (DATA, "info cut.npy", "cut.npy", "cut short"),
    (DATA, "pad cuthead.npy", "cuthead.npy", "header"),
    (DATA, "pad cutmagic.npy", "cutmagic.npy"),
    (DATA, "pad tail.npy", "tail.npy", "96 bytes", "97"),
    (DATA, "pad fliphead.npy", "fliphead.npy", "header"),
    (DATA, "pad flipshape.npy", "flipshape.npy", "32 bytes", "96"),
    (DATA, "pad peta.npy", "peta.npy", "8,000,000,000,000,000 bytes"),
    (DATA, "pad peta.npy --allow-pickle", "peta.npy"),
    (DATA, "group peta.npy --key 0", "peta.npy", "8,000,000,000,000,000 bytes"),
    (DATA, "info peta.npy", "peta.npy", "8,000,000,000,000,000 bytes"),
    (DATA, "pad < peta.npy", "standard input", "8,000,000,000,000,000 bytes"),
    (DATA, "pad negative.npy", "negative.npy"),
    (DATA, "pad void.npy", "void.npy"),
    (DATA, "pad objects.npy", "objects.npy", "object array", "np.savez", "--allow-pickle"),
    (DATA, "group objects.npy --key 0", "objects.npy", "object array", "numbers"),
    (DATA, "pad structured.npy", "structured.npy", "structured", "key, value"),
    (DATA, "group structured.npy --key 0", "structured.npy", "structured", "key, value"),
    (DATA, "pad complex.npy", "complex.npy", "complex128"),
    (DATA, "group complex.npy --key 0", "complex.npy", "complex128"),
    (DATA, "pad words.npy", "words.npy", "<U2"),
    (DATA, "pad days.npy", "days.npy", "datetime64"),
    (DATA, "pad flat.npy", "flat.npy", "(4,)", "(N, T)"),
    (DATA, "group dense.npy --key 0", "dense.npy", "(2, 4, 3)"),
    (DATA, "pad text.npy", "text.npy: named .npy, but it holds text"),
    (DATA, "group text.npy --key 0", "text.npy: named .npy, but it holds text"),
    (DATA, "info text.npz", "text.npz: named .npz, but it holds text"),
    (DATA, "pad zip.npy", "zip.npy: named .npy, but it holds", "npz"),
    # .npz
    (DATA, "pad objects.npz", "objects.npz[x]", "object array"),
    (DATA, "pad cut.npz", "cut.npz"),
    (DATA, "info half.npz", "half.npz"),
    (DATA, "group cut.npz --key 0", "cut.npz"),
    (DATA, "pad < cut.npz", "standard input"),
    (DATA, "pad flipdata.npz", "flipdata.npz[x]", "damaged"),
    (DATA, "info flipdata.npz", "flipdata.npz[x]", "damaged"),
    (DATA, "pad fliphead.npz", "fliphead.npz[x]"),
    (DATA, "pad flipdirectory.npz", "flipdirectory.npz"),
    (DATA, "pad fliplengths.npz", "fliplengths.npz[lengths]", "damaged"),
    (DATA, "pad several.npz", "several.npz", "--array", "one, two"),
    (DATA, "pad several.npz --array z", "several.npz", "'z'", "one, two"),
    (DATA, "pad lengths9.npz", "lengths9.npz", "lengths[1] is 9", "4 steps"),
    (DATA, "pad lengths1.npz", "lengths1.npz", "lengths"),
    (DATA, "pad lengthswords.npz", "lengthswords.npz", "lengths"),
    (DATA, "pad dense.npy --lengths no.npy", "no.npy"),
    (DATA, "pad bomb.npz", "bomb.npz[x]", "damaged", "ends early"),
    (DATA, "group bomb.npz --key 0", "bomb.npz[x]", "damaged", "ends early"),
    (DATA, "info bomb.npz --full", "bomb.npz[x]", "damaged", "ends early"),
    (DATA, "pad < bomb.npz", "standard input[x]", "damaged", "ends early"),
    (DATA, "pad more.npz", "more.npz"),
    (DATA, "pad less.npz", "less.npz", "damaged"),
    # Other formats
    (DATA, "group text.parquet --key k", "text.parquet: named .parquet, but it holds text"),
    (DATA, "group cut.parquet --key k", "cut.parquet: damaged"),
    (DATA, "pad word.txt", "word.txt: line 2: 'x'"),
    (DATA, "pad broken.jsonl", "broken.jsonl: line 2"),
    (DATA, "pad width.jsonl", "width.jsonl: line 2"),
    (DATA, "group field.jsonl --key k", "field.jsonl: line 1002", "'b'", "--columns"),
    (DATA, "group list.jsonl --key k", "list.jsonl: line 2", "'a'", "list"),
    # A file name where data belongs
    (DATA, "pad < name", "standard input", "'in.npy'", "name of a file", "argument"),
    (DATA, "group --key 0 < names", "standard input", "'a.csv'", "name of a file"),
    (DATA, "group --key 0 < path", "standard input", "'/data/new/a.csv.gz'", "name of a file"),
    # Numbers that do not fit
    (DATA, "group int.csv --key k --dtype int8", "int.csv: line 3, column 'a': 300", "int8", "--dtype"),
    (DATA, "pad ints.npy --dtype int8", "ints.npy", "300", "int8", "--dtype"),
    (DATA, "pad int.txt --dtype int8", "int.txt: line 2: 300", "int8", "--dtype"),
    (DATA, "group gap.csv --key k --dtype int32", "gap.csv: line 3, column 'a': a missing value", "float32"),
    (DATA, "pad fraction.npy --dtype int64", "fraction.npy", "0.9", "fraction", "float32"),
    (DATA, "group exact.csv --key k", "exact.csv: line 3, column 'a': 16777217", "--dtype float64"),
    (DATA, "pad ints.npy --value 0.5", "0.5", "int64"),
    (DATA, "pad ints.npy --value nan --maxlen 4", "nan", "int64"),
    (DATA, "pad dense.npy --value 1,2", "2", "3"),
    # What the call alone shows
    (CALL, "pad dense.npy --maxlne 3", "--maxlne", "--maxlen"),
    (CALL, "pda dense.npy", "pda", "pad"),
    (CALL, "pad dense.npy --maxlen 0", "--maxlen", "0", "1"),
    (CALL, "pad dense.npy --maxlen -3", "--maxlen", "-3", "1"),
    (CALL, "group rows.csv --key k --maxlen 0", "--maxlen", "0", "1"),
    (CALL, "pad dense.npy --maxlen 2.5", "--maxlen", "2.5"),
    (CALL, "pad dense.npy --value x", "--value", "'x'"),
    (CALL, "pad dense.npy --value 1,,2", "--value", "''"),
    (CALL, "group rows.csv --key k --value x", "--value", "'x'"),
    (CALL, "group rows.csv --key k --label-value x", "--label-value", "x"),
    (CALL, "pad dense.npy --truncating up", "--truncating", "'up'", "pre", "post"),
    (CALL, "pad dense.npy --dtype complex64", "dtype", "complex64", "float32"),
    (CALL, "group rows.csv --key k --dtype float", "dtype", "'float'", "float32"),
    (CALL, "pad dense.npy --multiple-of 0", "--multiple-of", "0"),
    (CALL, "group rows.csv --key k --min-len -1", "--min-len", "-1"),
    (CALL, "pad dense.npy --strip x", "--strip", "'x'"),
    (CALL, "pad dense.npy --strip 0 --strip-side up", "--strip-side", "'up'"),
    (CALL, "group rows.csv --key k --empty-key maybe", "--empty-key", "'maybe'", "drop"),
    (CALL, "group rows.csv --key k --label a --label-as colour", "--label-as", "'colour'"),
    (CALL, "group rows.csv --key k --delimiter ab", "--delimiter", "'ab'"),
    (CALL, "group rows.csv --key k --encoding klingon", "klingon", "UTF-8"),
    (CALL, "group rows.csv", "--key"),
    (CALL, "group rows.csv --key k --columns a --drop b", "--columns", "--drop"),
    (CALL, "group rows.csv --key k --ragged --maxlen 3", "--ragged", "--maxlen"),
    (CALL, "group rows.csv --key k --ragged -o out.npy", "out.npy", ".npz"),
    (CALL, "group - - --key k < rows.csv", "-", "standard input", "once"),
    (CALL, "pad dense.npy --array x", "--array"),
    (CALL, "pad dense.npy --input-padding pre", "--input-padding", "--lengths"),
    # Where the output should go
    (CALL, "pad dense.npy -o dense.npy", "dense.npy", "input", "output"),
    (CALL, "pad dense.npy -o ./dense.npy", "dense.npy", "input", "output"),
    (CALL, "group narrow.csv foreign.npz --key 0 -o foreign.npz", "foreign.npz", "input", "output"),
    (CALL, "pad dense.npy --lengths lengths.npy -o lengths.npy", "lengths.npy", "input", "output"),
    (DATA, "pad dense.npy -o no/out.npz", "no/out.npz", "folder", "does not exist"),
    (DATA, "group rows.csv --key k -o no/out.npz", "no/out.npz", "folder", "does not exist"),
    (DATA, "pad dense.npy -o dense.npy/out.npz", "dense.npy/out.npz"),
    (CALL, "pad dense.npy -o .", "a folder"),
    (CALL, "pad dense.npy -o out.txt", "out.txt", ".npz", ".npy"),
    (CALL, "group rows.csv --key k -o out.h5", "out.h5", ".npz", ".npy"),
    (CALL, "pad dense.npy -o out", "out:", ".npz", ".npy"),
]


def refuse(place: Place, call: str) -> tuple[Done, dict[str, bytes]]:
    """Run a call of the table above among the files that it names; and what these held before."""
    words = shlex.split(call)
    for name in {*words} & {*FILES}:
        content = FILES[name]
        place.write(name, content() if callable(content) else content)
    before = place.files()
    stdin = None
    if "<" in words:
        stdin = before[words[-1]]
        words = words[:-2]
    return place.run(*words, stdin=stdin), before


@pytest.mark.thinned
@pytest.mark.parametrize("case", CASES, ids=lambda case: case[1])
def test_bad_input_is_refused_in_one_line(case: tuple[int, str, *tuple[str, ...]], place: Place) -> None:
    code, call, *words = case
    done, before = refuse(place, call)
    assert_refused(place, done, code, words, before)


@pytest.mark.parametrize(("command", "more"), [("pad", []), ("group", ["--key", "0"]), ("info", [])])
def test_no_input_at_all(command: str, more: list[str], place: Place) -> None:
    """The one error with a second line: how the command is used. /dev/null is no input."""
    done = place.run(command, *more)
    first, usage = done.err.splitlines()
    assert usage.startswith(f"Usage: seqtool {command} ")
    assert_refused(place, Done(done.code, done.out, first), CALL, ("no input",), {})


@pytest.mark.parametrize("taken", [FOREIGN, b"mine", b""], ids=["foreign .npz", "text", "empty"])
def test_a_name_that_nobody_gave_replaces_no_foreign_file(taken: bytes, place: Place) -> None:
    place.write("a.npy", DENSE)
    place.write("a.pad.npz", taken)
    before = place.files()
    assert_refused(place, place.run("pad", "a.npy"), DATA, ("a.pad.npz", "--force", "-o"), before)
    assert "only --force replaces it" in succeeded(place.run("pad", "a.npy", "--dry-run")).err
    assert place.files() == before


@pytest.mark.parametrize("command", ["pad", "group", "info"])
def test_a_file_that_may_not_be_read(command: str, place: Place) -> None:
    if os.geteuid() == 0:
        pytest.skip("root may read every file")
    path = place.write("a.npy", DENSE)
    path.chmod(0)
    done = place.run(command, "a.npy", *(["--key", "0"] if command == "group" else []))
    path.chmod(0o600)
    assert_refused(place, done, DATA, ("a.npy", "Permission denied"), place.files())


def test_a_link_that_leads_nowhere(place: Place) -> None:
    (place.folder / "a.npy").symlink_to("gone.npy")
    done = place.run("pad", "a.npy")
    assert_refused(place, done, DATA, ("a.npy", "no such file"), {})


@pytest.mark.parametrize("link", ["symlink_to", "hardlink_to"])
def test_an_output_that_leads_to_the_input(link: str, place: Place) -> None:
    path = place.write("a.npy", DENSE)
    getattr(place.folder / "b.npy", link)(path)
    before = place.files()
    done = place.run("pad", "a.npy", "-o", "b.npy")
    assert_refused(place, done, CALL, ("b.npy", "input", "output"), before)


def test_overlapping_members_of_an_npz_do_not_fill_memory(place: Place) -> None:
    place.write("a.npz", overlapping_bomb())

    def limit() -> None:
        resource.setrlimit(resource.RLIMIT_AS, (4 << 30, 4 << 30))

    before = place.files()
    done = place.process("pad", "a.npz", before=limit)
    assert_refused(place, done, DATA, ("a.npz",), before)


def test_a_damaged_file_of_ours(place: Place) -> None:
    """Every byte of a member is under a checksum; a flip in it is found by every command that reads it."""
    place.write("rows.csv", ROWS)
    succeeded(place.run("group", "rows.csv", "--key", "k", "-o", "good.npz", "-q"))
    good = place.files()["good.npz"]
    (place.folder / "good.npz").unlink()
    for at in (good.index(b"NUMPY") + 130, good.rindex(b"NUMPY") + 300):
        place.write("bad.npz", flipped(good, at))
        before = place.files()
        for command in ("pad", "info"):
            assert_refused(place, place.run(command, "bad.npz"), DATA, ("bad.npz",), before)


def test_a_file_of_a_newer_version(place: Place) -> None:
    place.write("rows.csv", ROWS)
    succeeded(place.run("group", "rows.csv", "--key", "k", "-o", "new.npz", "-q"))
    arrays = place.arrays("new.npz")
    arrays["meta"] = np.array(str(arrays["meta"]).replace('"version": 1', '"version": 3'))
    np.savez(place.folder / "new.npz", **arrays)
    before = place.files()
    for command in ("pad", "info"):
        done = place.run(command, "new.npz")
        assert_refused(place, done, DATA, ("new.npz", "version 3", "update seqtool"), before)


# Columns that are no numbers: the corrected command


# The call, the table, and the features that are left.
TEXT_COLUMNS = [
    ("group a.csv --key k --drop a", "k,a,name,b\n1,2,x,3\n1,4,y,5\n", ["b"]),
    ("group a.csv --key k --columns a,name,b", "k,a,name,b\n1,2,x,3\n1,4,y,5\n", ["a", "b"]),
    ("group a.csv --key k --columns a --columns name,b", "k,a,name,b\n1,2,x,3\n1,4,y,5\n", ["a", "b"]),
    ("group a.csv --key k", 'k,"the name","a,b","it\'s",-x,$HOME,n\n1,w,x,y,z,z,3\n', ["n"]),
    ("group a.csv --key k", 'k,"say ""x""","""q""","""a,b""",n\n1,x,y,z,3\n', ["n"]),
    ("group a.csv --key k", "k, lead,n\n1,x,3\n", ["n"]),
    ("group a.csv --key=k -o out.npz -q", "k,a,name\n1,2,\n1,3,x\n1,4,x\n", ["a"]),
    ("group a.csv --key 1 --no-header", "x,1,2\ny,1,3\n", None),
    ("group a.csv --key k", '{"k": 1, "a": 2, "name": "x"}\n', ["a"]),
    ("group -o out.npz --key k < a.csv", "k,a,name,b\n1,2,x,3\n1,4,y,5\n", ["a", "b"]),
]


@pytest.mark.thinned
@pytest.mark.parametrize(("call", "content", "features"), TEXT_COLUMNS)
def test_the_corrected_command_can_be_pasted(
    call: str, content: str, features: list[str] | None, place: Place
) -> None:
    call, _, piped = call.partition(" < ")
    if content.startswith("{"):
        call = call.replace("a.csv", "a.jsonl")
    path = place.write("a.jsonl" if content.startswith("{") else "a.csv", content)
    before = place.files()
    done = place.run(*shlex.split(call), stdin=path if piped else None)
    assert_refused(place, done, DATA, ["not numeric; leave "], before)
    advice = Advice(
        *shlex.split(done.err.rpartition(" out: ")[2].partition("; for ids")[0]), without=["--columns"]
    )
    corrected = shlex.join(applied(shlex.split(call), advice, {}))
    run = place.bash if "$" in corrected else place.shell
    again = run(f"seqtool {corrected} < {path.name}" if piped else f"seqtool {corrected}")
    assert again.code == 0, f"{corrected} fails: {again.err}"
    [output] = [name for name in place.files() if name.endswith(".npz")]
    arrays = place.arrays(output)
    assert arrays["x"].shape[2] == (2 if features is None else len(features))
    if features is not None:
        assert arrays["features"].tolist() == features


def test_a_cell_that_is_no_number_among_many_is_no_column_of_text(place: Place) -> None:
    place.write("a.csv", "k,a\n" + "1,2\n" * 10 + "1,x\n" + "1,2\n" * 10)
    done = place.run("group", "a.csv", "--key", "k")
    assert_refused(place, done, DATA, ["a.csv: line 12, column 'a': 'x'"], place.files())


def test_the_corrected_command_keeps_all_numbers(place: Place) -> None:
    place.write("a.csv", "k,a,name,b,when\n1,2,x,3,2020-01-01\n1,4,y,5,2020-01-02\n")
    done = place.run("group", "a.csv", "--key", "k")
    assert done.err.endswith("without them: --drop name,when\n")
    place.run("group", "a.csv", "--key", "k", "--drop", "name,when")
    assert place.arrays("a.group.npz")["features"].tolist() == ["a", "b"]


# Out of all proportion


def assert_blow_up(place: Place, done: Done, before: dict[str, bytes], *words: str) -> None:
    assert_refused(place, done, DATA, ("--maxlen 1 ", "95 %", "99 %", "--ragged", *words), before)
    assert re.search(r"\d(\.\d)? (TB|PB|GB)", done.err)


def test_one_long_sequence_among_many_short_ones(place: Place) -> None:
    rows = np.concatenate([np.arange(300_000), np.full(300_000, 123_456)])
    place.write("a.npy", np.stack([rows, np.ones_like(rows)], axis=1))
    before = place.files()
    done = place.run("group", "a.npy", "--key", "0", "--drop-key")
    assert_blow_up(place, done, before, "(300000, 300001, 1)", "key 123456", "300,001 steps")
    succeeded(place.run("group", "a.npy", "--key", "0", "--drop-key", "--maxlen", "1"))
    assert place.arrays("a.group.npz")["x"].shape == (300_000, 1, 1)
    succeeded(place.run("group", "a.npy", "--key", "0", "--drop-key", "--ragged", "-o", "r.npz"))
    before = place.files()
    done = place.run("pad", "r.npz")
    assert_blow_up(place, done, before, "(300000, 300001, 1)", "key 123456", "300,001 steps")


def test_a_blow_up_in_a_pipe_names_ragged(place: Place) -> None:
    rows = "".join(f"{i},1\n" for i in range(300_000)) + "7,1\n" * 300_000
    done = place.run("group", "--key", "0", "--drop-key", stdin=rows.encode())
    assert_blow_up(place, done, {}, "key 7", "300,001 steps")


def test_a_blow_up_is_found_in_a_dry_run(place: Place) -> None:
    values = np.zeros(30_000_000, np.int8)
    offsets = np.concatenate([np.arange(300_000), [len(values)]])
    np.savez(place.folder / "a.npz", values=values, offsets=offsets)
    before = place.files()
    done = place.run("pad", "a.npz", "--dry-run")
    assert_blow_up(place, done, before, "sequence 299999", "29,700,001 steps")


# Disks


@pytest.fixture
def tiny(place: Place) -> Iterator[Path]:
    """A folder on a file system of one megabyte."""
    folder = place.folder / "tiny"
    folder.mkdir()
    mounted = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=1m", "none", folder], capture_output=True, check=False
    )
    if mounted.returncode:
        folder.rmdir()
        pytest.skip(f"no file system can be mounted here: {mounted.stderr.decode().strip()}")
    yield folder
    subprocess.run(["umount", folder], check=True)


def test_a_disk_without_room(place: Place, tiny: Path) -> None:
    place.write("a.npy", np.zeros((1000, 200, 10)))
    before = place.files()
    done = place.run("pad", "a.npy", "-o", "tiny/a.npz")
    assert_refused(place, done, DATA, ("tiny/a.npz", "16.0 MB", "1.0 MB", "disk"), before)


def test_a_disk_that_becomes_full_while_writing(place: Place, tiny: Path) -> None:
    """The data alone would fit; the header makes it too large by less than a page."""
    free = os.statvfs(tiny)
    room = free.f_bavail * free.f_frsize
    place.write("a.npy", np.zeros((room // 256, 256), np.int8))
    before = place.files()
    done = place.run("pad", "a.npy", "-o", "tiny/a.npy")
    assert_refused(place, done, DATA, ("no space", "tiny/a.npy"), before)


def test_a_full_disk_keeps_the_old_output(place: Place, tiny: Path) -> None:
    place.write("tiny/a.npy", np.zeros((100, 1000), np.int8))
    free = os.statvfs(tiny)
    place.write("a.npy", np.zeros((free.f_bavail * free.f_frsize // 256, 256), np.int8))
    before = place.files()
    done = place.run("pad", "a.npy", "-o", "tiny/a.npy")
    assert_refused(place, done, DATA, ("no space",), before)


def test_no_room_for_temporary_files(place: Place, tiny: Path) -> None:
    """What comes through a pipe is kept in the temporary folder: the message says which, and how to name another."""
    rows = b"1,2\n" * 500_000
    done = place.run("group", "--key", "0", "-o", "a.npz", stdin=rows, environment={"TMPDIR": str(tiny)})
    assert_refused(place, done, DATA, ("no space", str(tiny), "--temp-dir"), {})


@contextlib.contextmanager
def small_files() -> Iterator[None]:
    """No file may grow past 100 kB, as under `ulimit -f`."""
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (100_000, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))


@pytest.mark.parametrize("call", ["pad a.npy -o b.npz", "pad a.npy -o b.npy", "group a.npy --key 0 -o b.npz"])
def test_a_limit_on_the_size_of_files(call: str, place: Place) -> None:
    place.write("a.npy", np.zeros((1000, 200)))

    before = place.files()
    with small_files():
        done = place.run(*call.split())
    assert_refused(place, done, DATA, ("too large", call.split()[-1]), before)


def test_a_limit_on_the_size_of_files_that_a_pipe_passes(place: Place) -> None:
    with small_files():
        done = place.run("group", "--key", "0", stdin=b"1,2\n" * 100_000)
    assert_refused(place, done, DATA, ("too large",), {})


FULL = [
    "pad a.npy -o -",
    "group a.npy --key 0 -o -",
    "pad a.npy -o /dev/full",
    "info a.npy",
    "info a.npy --json",
    "pad --help",
]


@pytest.mark.parametrize("call", FULL)
def test_a_standard_output_that_is_full(call: str, place: Place) -> None:
    place.write("a.npy", np.zeros((10, 4)))
    before = place.files()
    with Path("/dev/full").open("wb") as full:
        done = place.run(*call.split(), stdout=full.fileno())
    assert_refused(place, done, DATA, ("no space",), before)


def test_a_standard_output_that_is_full_at_the_end_of_a_pipe(place: Place) -> None:
    rows = b"1,2\n" * 1000
    with Path("/dev/full").open("wb") as full:
        done = place.run("group", "--key", "0", stdin=rows, stdout=full.fileno())
    assert_refused(place, done, DATA, ("no space",), {})


# Errors in the call come before work on the data


@pytest.mark.parametrize(
    ("call", "code", "word"),
    [
        ("-o out.h5", CALL, "out.h5"),
        ("-o no/out.npz", DATA, "no/out.npz"),
        ("--ragged -o out.npy", CALL, "out.npy"),
        ("--dtype decimal", CALL, "decimal"),
        ("--value x", CALL, "--value"),
        ("--truncating up", CALL, "--truncating"),
        ("-o a.csv", CALL, "a.csv"),
    ],
)
def test_group_judges_the_call_before_it_reads_rows(call: str, code: int, word: str, place: Place) -> None:
    """Nobody waits ten minutes for a sort to hear that the suffix of the output is wrong."""
    place.write("a.csv", "k,a\n1,2\n1,oops\n1,3\n1,4\n")
    before = place.files()
    done = place.run("group", "a.csv", "--key", "k", *call.split())
    assert_refused(place, done, code, (word,), before)


@pytest.mark.parametrize(
    ("call", "code", "word"),
    [
        ("-o out.h5", CALL, "out.h5"),
        ("-o no/out.npz", DATA, "no/out.npz"),
        ("--dtype decimal", CALL, "decimal"),
        ("--strip x", CALL, "--strip"),
    ],
)
def test_pad_judges_the_call_before_it_reads_sequences(call: str, code: int, word: str, place: Place) -> None:
    place.write("a.txt", "1 2\n3 oops\n")
    before = place.files()
    done = place.run("pad", "a.txt", *call.split())
    assert_refused(place, done, code, (word,), before)


# One line, whatever the data hold


@pytest.mark.parametrize(
    ("call", "content"),
    [
        ("group a.csv --key z", 'k,"two\nlines"\n1,2\n'),
        ("group a.csv --key k", 'k,a\n1,"x\ny"\n1,2\n1,3\n'),
        ("group a.csv --key k", 'k,"a\nb"\n1,x\n'),
        ("group a.csv --key k", "k,a\n1,\x1b[31mred\n1,2\n1,3\n"),
        ("group a.csv --key k --label y", 'k,y,a\n"1\n2","x\ny",1\n"1\n2",z,2\n'),
        ("group a.csv --key z", "k,\x1b[31mred\n1,2\n"),
    ],
)
def test_line_breaks_and_escapes_in_the_data_do_not_reach_the_message(
    call: str, content: str, place: Place
) -> None:
    place.write("a.csv", content)
    assert_refused(place, place.run(*call.split()), DATA, (), place.files())


def test_a_line_break_in_a_file_name_does_not_reach_the_message(place: Place) -> None:
    assert_refused(place, place.run("pad", "no\nsuch.npy"), DATA, ("such.npy",), {})


def test_an_error_is_one_line_also_with_quiet(place: Place) -> None:
    assert_refused(place, place.run("pad", "no.npy", "--quiet"), DATA, ("no.npy",), {})


def test_traceback_shows_where_an_error_arose(place: Place) -> None:
    done = place.process("pad", "no.npy", "--traceback")
    assert done.code == 1
    assert "Traceback" in done.err
    assert "no.npy" in done.err
