"""Every command block of the README runs, in its order, in one scratch folder, and prints what it says."""

from __future__ import annotations

import contextlib
import re
import shutil
import sys
from datetime import date
from pathlib import Path
from unittest.mock import patch

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from _pytest.mark import ParameterSet

import seqtool
from tests.command import Place, succeeded
from tests.workbooks import reader, workbook

ROOT = Path(__file__).parent.parent
BLOCK = re.compile(r"^```(\w+)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
COMMENT = re.compile(r"  # .*$")
PYTHON = re.compile(r'python (?:-c "(?P<code>[^"$`\\]*)"|(?P<script>[\w/]+\.py))')
SETUP = re.compile(r"python3 -m venv \.venv && \.venv/bin/pip install [^&]+ && \.venv/bin/(?P<rest>.*)")


def blocks() -> list[tuple[str, str]]:
    return BLOCK.findall((ROOT / "README.md").read_text())


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Place:
    place = Place(tmp_path_factory.mktemp("readme"))
    shutil.copytree(ROOT / "samples", place.folder / "samples")
    run_block(0, place)  # the file that recipes start from, whichever of them run
    return place


@pytest.fixture(scope="module")
def ran() -> set[int]:
    """The blocks that have run in the folder."""
    return set()


def run_transcript(text: str, place: Place) -> None:
    for part in re.split(r"^\$ ", text, flags=re.MULTILINE)[1:]:
        command, expected = part.split("\n", 1)
        done = succeeded(place.shell(command))
        assert without_aside(done.out.decode() + done.err).strip() == expected.strip()


def without_aside(printed: str) -> str:
    """What a terminal shows: here standard output is a pipe, and the summary tells how to send data there."""
    return printed.replace("; -o - sends the data to standard output", "")


# What a block that has these words in it cannot do without: the markers of tests.
NEEDS = {
    r"import torch|seqtool\.torch": "torch",
    r"import keras|seqtool\.keras": "keras",
    r"import tensorflow|seqtool\.tf\b": "tensorflow",
    r"seqtool plot": "matplotlib",
    r"import SparkSession": "spark",
}


def marked(number: int) -> ParameterSet:
    text = blocks()[number][1]
    marks = [getattr(pytest.mark, marker) for words, marker in NEEDS.items() if re.search(words, text)]
    return pytest.param(number, marks=marks)


def runs_the_tests(number: int) -> bool:
    setup = SETUP.fullmatch(blocks()[number][1].strip())
    return setup is not None and "pytest" in setup["rest"]


ROW = re.compile(r"^\| .* \| `(seqtool .*)` \|$", re.MULTILINE)


def shapes() -> list[str]:
    """The calls of the table of what data looks like."""
    return ROW.findall((ROOT / "README.md").read_text())


def write_shapes(folder: Path) -> None:
    """The inputs that these calls name, small ones."""
    (folder / "european.csv").write_text("# of a sheet\nid;price\n1;2.334,01\n1;0,5\n2;7\n")
    block = np.ones((3, 7, 2), np.float32)
    np.save(folder / "block.npy", block)
    np.save(folder / "lengths.npy", [7, 2, 4])
    for name in ("rec/walk/1.csv", "rec/run/2.csv"):
        (folder / name).parent.mkdir(parents=True)
        (folder / name).write_text("x,y\n1,2\n3,4\n")
    (folder / "clips").mkdir()
    for i, steps in enumerate(block):
        np.save(folder / f"clips/{i}.npy", steps)
    times = ("2024-05-01T10:00", "2024-05-01T10:10", "2024-05-01T12:00")
    (folder / "long.csv").write_text("time,x\n" + "".join(f"{time},{i}\n" for i, time in enumerate(times)))
    for year in (2023, 2024):
        (folder / f"sales/year={year}").mkdir(parents=True)
        pq.write_table(
            pa.table({"shop": ["a", "b"], "sold": [year, 7]}), folder / f"sales/year={year}/part-0.parquet"
        )
    for name, key in (("monday.npz", 1), ("tuesday.parquet", 2)):
        seqtool.save(folder / name, seqtool.Ragged(np.ones((2, 1)), np.array([0, 2]), keys=np.array([key])))
    np.savez(folder / "clips.npz", *(np.ones((steps, 4, 5, 3), np.uint8) for steps in (20, 3)))
    (folder / "measured.csv").write_text(
        "patient,time,item,value\na,0,hr,60\na,0,temp,37\na,1,hr,61\nb,0,temp,38\n"
    )
    (folder / "visits.csv").write_text("patient,day,pulse\n7,1,60\n8,1,70\n7,2,61\n")
    (folder / "notes.txt").write_text("the cat sat\nthe dog\n")
    np.save(folder / "words.npy", np.array([["the", "cat", "sat"], ["the", "dog", ""]]))
    (folder / "clicks.csv").write_text("user,time,item,device\nu,1,a,web\nu,2,b,\nv,1,a,app\n")
    (folder / "patients.csv").write_text("patient,died,age,sex\n7,no,50,1\n8,yes,60,0\n")
    (folder / "wide.csv").write_text("id,y,t0,t1,t2,t3\na,x,1,2,3,\nb,z,4,5,,\n")
    (folder / "cells.csv").write_text("open,close,tags\n1 2 3,[4 5 6],B I O\n7,[8],B\n")
    (folder / "seqs.txt").write_text("1 2 3\n4 5\n")
    (folder / "toy.ts").write_text("@classLabel true a b\n@data\n1,2:3,4:a\n5:6:b\n")
    vectors = pa.array([[1.0, 2.0], [3.0, 4.0], [5.0, 6.0]], pa.list_(pa.float32(), 2))
    pq.write_table(pa.table({"user": ["a", "b", "a"], "emb": vectors}), folder / "emb.parquet")
    (folder / "emb.jsonl").write_text('{"user": 7, "emb": [0.1, 0.2]}\n{"user": 7, "emb": [0.3, 0.4]}\n')
    (folder / "labels.txt").write_text("up\ndown\n")
    visits = [["patient", "day", "pulse"], [7, date(2024, 1, 2), 60], [7, date(2024, 1, 1), 70]]
    workbook(folder / "visits.xlsx", {"visits": visits, "notes": [["by hand"]]})
    (folder / "tags.conllu").write_text('# text = No.\n1\tNo\tno\tINTJ\n2\t"\t.\tPUNCT\n\n1\tGo\tgo\tVERB\n')
    (folder / "users.json").write_text('{"u1": [1, 2], "u2": [3]}')
    np.savez(folder / "steps_first.npz", x=block.swapaxes(0, 1), lengths=[7, 7, 7])


def test_the_table_of_shapes_has_calls() -> None:
    assert len(shapes()) > 3


@pytest.fixture(scope="module")
def inputs(tmp_path_factory: pytest.TempPathFactory) -> Place:
    place = Place(tmp_path_factory.mktemp("inputs"))
    (place.folder / "samples").symlink_to(ROOT / "samples")
    write_shapes(place.folder)
    return place


@pytest.mark.parametrize("call", shapes())
def test_shape(call: str, inputs: Place, tmp_path: Path) -> None:
    if ".xlsx" in call:
        reader()
    assert "wrote" in succeeded(inputs.copied(tmp_path).shell(call)).err


def plain() -> list[int]:
    """The blocks that need nothing but seqtool; the one that runs the tests is run by .ci/run, in a new environment."""
    return [
        number for number in range(len(blocks())) if not marked(number).marks and not runs_the_tests(number)
    ]


def test_blocks(place: Place) -> None:
    """In one test: a block may read what those before it wrote."""
    for number in plain():
        run_block(number, place)


@pytest.mark.parametrize(
    "number", [marked(number) for number in range(len(blocks())) if marked(number).marks]
)
def test_a_block_of_a_framework(number: int, place: Place, ran: set[int]) -> None:
    for earlier in plain():
        if earlier < number and earlier not in ran and blocks()[earlier][0] == "sh":
            run_block(earlier, place)
            ran.add(earlier)
    run_block(number, place)


def run_block(number: int, place: Place) -> None:
    kind, text = blocks()[number]
    setup = SETUP.fullmatch(text.strip())
    if setup:
        text = setup["rest"]  # the environment of this test stands for the one that the README sets up
    if kind == "sh":
        for line in text.splitlines():
            run_line(COMMENT.sub("", line), place)
    elif kind == "python":
        run_python(text, place, alone=bool(marked(number).marks))
    else:
        assert kind == "console", f"a block of kind {kind!r} that no test runs"
        run_transcript(text, place)


def run_line(line: str, place: Place) -> None:
    """A line of shell; one of Python alone takes longer to start than to run, and runs here."""
    python = PYTHON.fullmatch(line)
    if python is None:
        succeeded(place.shell(line))
    elif python["code"]:
        run_python(python["code"], place, alone=False)
    else:
        with patch.object(sys, "argv", [python["script"]]):
            run_python((place.folder / python["script"]).read_text(), place, alone=False)


def run_python(text: str, place: Place, *, alone: bool) -> None:
    """In this process, but for networks, which are trained in one of their own."""
    if alone:
        # Networks this small train faster on one thread than on several that wait for each other.
        threads = {"OMP_NUM_THREADS": "1", "PYTHONWARNINGS": "default"}
        succeeded(place.program(sys.executable, "-c", text, environment=threads))
    else:
        with contextlib.chdir(place.folder):
            exec(compile(text, "README.md", "exec"), {"__name__": "__main__"})


def test_the_first_screen_sets_up_runs_and_tests() -> None:
    first, second = (SETUP.fullmatch(text.strip()) for _, text in blocks()[:2])
    assert first is not None
    assert second is not None
    assert first["rest"].startswith("seqtool group samples/japanese_vowels.csv")
    assert "pytest" in second["rest"]
