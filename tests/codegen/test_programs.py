"""The programs of `seqtool info --code`, as far as they can be judged without a framework."""

from __future__ import annotations

import ast
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

import seqtool
from seqtool.codegen import CODES, program
from seqtool.errors import DataError
from seqtool.sequences.ragged import Ragged, StepArray
from tests.command import Place, succeeded
from tests.learnable import files, kinds

TRAINING = [code for code in CODES if code != "numpy"]
NAMES = ["train.npz", 'it\'s "mine" $path {x}.npz', "größe\n\x1b[31m.npz", "\\n.npz", "-x y.npz", "$inputs"]


def run(text: str, folder: Path, after: str = "") -> str:
    """What a program prints; `after` comes behind it."""
    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", f"{text}\n{after}"],
        cwd=folder,
        capture_output=True,
        text=True,
        check=False,
    )
    assert (done.returncode, done.stderr) == (0, "")
    return done.stdout


@pytest.mark.parametrize("code", CODES)
def test_every_program_compiles_and_says_how_it_was_made(code: str) -> None:
    for name, data in files().items():
        text = program(data, path=f"{name}.npz", code=code)
        compile(text, name, "exec")
        lines = text.splitlines()
        assert lines[0] == f"# seqtool info {name}.npz --code {code}"
        assert lines[-1].startswith("print(") or lines[-1].startswith("    print(")
        assert "$" not in text
        assert "\n\n\n\n" not in text
        assert max(map(len, lines)) <= 120 + len(name), name
        assert len(lines) <= (75 if code == "jax" else 50)
        assert [line for line in lines if line != line.rstrip()] == []


@pytest.mark.parametrize("code", TRAINING)
def test_a_program_imports_and_makes_nothing_that_it_does_not_use(code: str) -> None:
    names = {program(data, path="a.npz", code=code): name for name, data in files().items()}
    for text, name in names.items():
        tree = ast.parse(text)
        output: set[str] = set()
        for node in ast.walk(tree):
            if isinstance(node, (ast.Import, ast.ImportFrom)):
                output |= {alias.asname or alias.name.split(".")[0] for alias in node.names}
            elif isinstance(node, (ast.FunctionDef, ast.ClassDef)) and node in tree.body:
                output.add(node.name)
            elif isinstance(node, ast.Assign) and isinstance(node.targets[0], ast.Name):
                output.add(node.targets[0].id)
        used = {
            node.id
            for node in ast.walk(tree)
            if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Load)
        }
        assert output - used == set(), name


@pytest.mark.parametrize("code", CODES)
@pytest.mark.parametrize("path", NAMES)
def test_a_path_of_any_letters_stands_in_the_program_as_it_is(code: str, path: str) -> None:
    text = program(kinds()["classes"], path=path, code=code)
    compile(text, "program", "exec")
    assert text.count(repr(path)) >= 1
    comment, rest = text.split("\n", 1)
    assert comment.isprintable()
    assert "\x1b" not in rest


@pytest.mark.thinned
@pytest.mark.parametrize(
    ("code", "kind", "words"),
    [
        (
            "torch",
            "classes",
            ["LSTM(3, 64", "Linear(64, 4)", "to_packed(batch)", "cross_entropy(network(batch), batch.y)"],
        ),
        ("torch", "real", ["Linear(64, 1)", ".squeeze(-1)", "mse_loss(network(batch), batch.y)"]),
        ("torch", "whole", ["batch.y.float()"]),
        ("torch", "two", ["Linear(64, 2)", "mse_loss"]),
        ("torch", "empty", ["SubsetRandomSampler((data.lengths >= 1)"]),
        ("torch", "next", ["SubsetRandomSampler((data.lengths >= 2)", "Linear(64, 3)", "mse_loss"]),
        ("torch", "ids", ["Embedding(20, 32)", "LSTM(32, 64"]),
        ("torch", "next_id", ["Embedding(20, 32)", "Linear(64, 20)", "cross_entropy"]),
        ("keras", "classes", ["masked_input(data)", "Dense(4)", "SparseCategoricalCrossentropy"]),
        ("keras", "empty", ["use_cudnn=False"]),
        ("keras", "ids", ["Embedding(20, 32, mask_zero=True)"]),
        ("keras", "id0", ["value=20", "Embedding(21, 32)", "mask=real"]),
        ("keras", "steps", ["ignore_class=-100", "return_sequences=True"]),
        ("keras", "next_id0", ["ignore_class=20", "Embedding(21, 32)", "Dense(20)"]),
        ("tf", "classes", ["mask=real", "Dense(4)", "sparse_softmax_cross_entropy_with_logits(y, outputs)"]),
        ("tf", "id_steps", ["real = y != -1", "Embedding(20, 32)"]),
        ("tf", "two", ["Dense(2)", "tf.square(outputs - y)"]),
        ("jax", "classes", ["normal(0, 3, 256)", "normal(2, 64, 4)", "one_hot(y, 4)"]),
        ("jax", "next_id", ["normal(3, 20, 32)", "one_hot(x[:, 1:], 20)"]),
    ],
)
def test_the_numbers_of_the_file_stand_in_its_program(code: str, kind: str, words: list[str]) -> None:
    for form in ("ragged", "post"):
        text = program(files()[f"{kind}.{form}"], path="a.npz", code=code)
        assert [word for word in words if word not in text] == []


@pytest.mark.parametrize("code", TRAINING)
@pytest.mark.parametrize("padded", [False, True])
@pytest.mark.parametrize("held", [-100, 0, 7])
@pytest.mark.filterwarnings("ignore:step_y holds 0 in padding")
def test_a_program_says_of_padded_labels_what_the_file_holds(code: str, padded: bool, held: int) -> None:
    labels = StepArray(np.array([0, 1, 2, 1, 0]), held)
    data = Ragged(np.ones((5, 3)), np.array([0, 2, 5]), per_step={"step_y": labels})
    text = program(seqtool.pad(data) if padded else data, path="a.npz", code=code)
    told = {
        "torch": "# the loss ignores -100, which collate puts into padding"
        + ("" if held == -100 else f", though that of the file holds {held}\n"),
        "keras": "np.where(real, y, 0)" if held == 0 else f"ignore_class={held}",
        "tf": "real = tf.sequence_mask(lengths, tf.shape(x)[1])" if held == 0 else f"real = y != {held}",
        "jax": "where=real)" if held == 0 else f"where=y != {held})",
    }
    assert told[code] in text
    assert ("-100" in text) == (held == -100 or code == "torch")


def test_a_value_that_a_mask_cannot_use_is_exchanged() -> None:
    data = kinds()["classes"]
    assert "value=" not in program(seqtool.pad(data, value=-7), path="a.npz", code="keras")
    hidden = seqtool.pad([[[0, 0], [1, 2]], [[3, 4]]])
    code_text = program(hidden.replace(per_sequence={"y": np.array([0, 1])}), path="a.npz", code="keras")
    assert "shuffle=True, value=-1)" in code_text
    for value in (float("nan"), (1, 2, 3)):
        code_text = program(seqtool.pad(data, value=value), path="a.npz", code="keras")
        assert "shuffle=True, value=0)" in code_text


def test_the_second_line_says_what_is_in_the_file() -> None:
    found = {kind: program(data, path="a", code="torch").splitlines()[1] for kind, data in kinds().items()}
    assert found["classes"] == "# 30 sequences of 1 to 8 steps of 3 features, to learn 4 classes"
    assert found["two"].endswith("to learn 2 numbers")
    assert found["next_id"] == "# 30 sequences of 0 to 8 steps of one of 20 ids, to learn the next step"
    assert found["numbers"].endswith("to learn a number at each step")
    single = Ragged(np.ones((2, 1)), np.array([0, 2]), per_sequence={"static": np.ones((1, 1))})
    assert program(single, path="a", code="torch").splitlines()[1] == (
        "# 1 sequence of 2 steps of 1 feature and 1 number of their own, to learn the next step"
    )


# NumPy


LOADED = """
import json, sys
rows = sequences if "sequences" in globals() else [row[real] for row, real in zip(x, mask)]
print(json.dumps([row.tolist() for row in rows]), "seqtool" in sys.modules)
"""


@pytest.mark.parametrize(
    "name", ["classes.ragged", "classes.post", "classes.pre", "next_id.ragged", "number.pre"]
)
def test_the_loader_for_numpy_is_six_lines_that_give_the_sequences(name: str, tmp_path: Path) -> None:
    data = files()[name]
    seqtool.save(tmp_path / "a.npz", data)
    text = program(data, path="a.npz", code="numpy")
    assert len(text.splitlines()) == 6
    assert ("y, classes = " in text) == ("classes" in name)
    first, rows = run(text, tmp_path, LOADED).splitlines()
    assert first.startswith("30 sequences, ")
    known = kinds()[name.split(".")[0]]
    expected = [part.tolist() for part in np.split(known.values, known.offsets[1:-1])]
    assert rows == f"{expected} False"


def test_the_loader_for_numpy_takes_labels_of_any_kind(tmp_path: Path) -> None:
    data = kinds()["classes"].replace(per_sequence={"y": np.array(["a"] * 30)}, names={})
    seqtool.save(tmp_path / "a.npz", data)
    assert run(program(data, path="a.npz", code="numpy"), tmp_path, "print(y[29])").endswith("\na\n")


@pytest.mark.parametrize("code", CODES)
def test_without_sequences_there_is_no_program(code: str) -> None:
    with pytest.raises(DataError, match="holds no sequences"):
        program(Ragged(np.empty((0, 2)), np.array([0])), path="a.npz", code=code)


@pytest.mark.thinned
@pytest.mark.parametrize("name", [name for name in files() if not name.startswith(("real", "rows"))])
def test_what_the_program_for_jax_makes_of_a_file_needs_no_jax(name: str, tmp_path: Path) -> None:
    """Its first part is NumPy's: a batch, which steps of it are real, and their labels."""
    data, kind = files()[name], kinds()[name.split(".")[0]]
    seqtool.save(tmp_path / "a.npz", data)
    text = program(data, path=str(tmp_path / "a.npz"), code="jax")
    output: dict = {}
    exec(text[text.index("import numpy") : text.index("def normal")], output)
    x, real = output["x"], output["real"]
    needed = 2 if "next" in name else 1
    chosen = [i for i, length in enumerate(kind.lengths) if length >= needed]
    assert x.dtype == (np.int64 if "id" in name or "column" in name else np.float32)
    assert ("hole" in name) or np.isfinite(x).all()
    values = kind.values[:, 0] if "column" in name else kind.values
    parts = np.split(values.astype(x.dtype), kind.offsets[1:-1])
    for row, on, i in zip(x, real, chosen, strict=True):
        np.testing.assert_array_equal(row[on], parts[i])
    if "static" in kind.per_sequence:
        np.testing.assert_array_equal(
            output["static"], kind.per_sequence["static"][chosen].astype(np.float32)
        )
    if "static_c" in kind.per_sequence:
        np.testing.assert_array_equal(output["static_c"], kind.per_sequence["static_c"][chosen])
    if "y" in kind.per_sequence:
        np.testing.assert_array_equal(output["y"], np.asarray(kind.per_sequence["y"])[chosen])
    if "step_y" in kind.per_step:
        labels = kind.per_step["step_y"].data
        np.testing.assert_array_equal(output["y"][real], labels)
        assert "hole" in name or np.isfinite(output["y"]).all()


def test_the_second_line_counts_what_sequences_have_of_their_own() -> None:
    found = {
        kind: program(kinds()[kind], path="a", code="torch").splitlines()[1] for kind in ("own", "next_own")
    }
    assert "of 3 features and 2 categories of their own, to learn 3 classes" in found["own"]
    assert (
        "of 3 features and 2 numbers and 2 categories of their own, to learn the next step"
        in found["next_own"]
    )


# The command line


def test_a_program_comes_from_the_command_line_alone(tmp_path: Path) -> None:
    place = Place(tmp_path)
    place.write("visits.csv", "user,score,plan\nb,0.5,pro\na,1.5,free\nb,2.5,pro\n")
    succeeded(place.run("group", "visits.csv", "--key", "user", "--label", "plan", "-o", "a b.npz"))
    for code in CODES:
        done = succeeded(place.run("info", "a b.npz", "--code", code))
        assert done.err == ""
        with_name = program(seqtool.load(place.folder / "a b.npz"), path="a b.npz", code=code)
        assert done.out.decode() == f"{with_name}\n"
    assert run(with_name, place.folder) == "2 sequences, 3 real steps, x (2, 2, 1) float32\n"
