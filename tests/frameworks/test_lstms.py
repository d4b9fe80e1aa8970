"""An LSTM of each framework reads padded files as it reads each sequence alone.

The real command line writes the files; a program for each framework, in a process of its own kind, reads them with
plain NumPy and runs one LSTM, with the same weights, over every sequence alone and over the padded batches.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest

from tests.command import Place, succeeded
from tests.frameworks.running import PROGRAMS, printed, run_program

LENGTHS = [5, 1, 8, 3, 2, 6]
LONGEST = max(LENGTHS)
HOLED = 3  # the sequence with a real step that holds nothing but zeros, its second
FILES = ("grouped", "longer", "json", "foreign", "marked", "left")
RIGHT = FILES[:-1]  # padded on the right
CLOSE = {"rtol": 1e-5, "atol": 1e-6}


# The files


def sequences() -> list[np.ndarray]:
    """Sequences of float32 with many zeros in their features; no step but one is wholly zero."""
    random = np.random.default_rng(11)
    output = [random.standard_normal((length, 3)).astype("float32") for length in LENGTHS]
    for sequence in output:
        sequence[random.random(len(sequence)) < 0.5, 0] = 0
        sequence[random.random(len(sequence)) < 0.3, 2] = 0
    output[HOLED][1] = 0
    return output


def table(sequences: list[np.ndarray]) -> str:
    """The same as CSV: a row a step, in no order."""
    rows = [
        ",".join(map(str, [key, step, *values.tolist()]))
        for key, sequence in enumerate(sequences)
        for step, values in enumerate(sequence)
    ]
    return "\n".join(["key,step,a,b,c", *np.random.default_rng(0).permutation(rows)])


def padded_by_hand(sequences: list[np.ndarray]) -> np.ndarray:
    """A foreign array that still holds old data past the end of its sequences."""
    x = np.random.default_rng(1).standard_normal((len(sequences), LONGEST, 3)).astype("float32")
    for row, sequence in zip(x, sequences, strict=True):
        row[: len(sequence)] = sequence
    return x


@pytest.fixture(scope="module")
def files(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the sequences, and with every file that the command line makes of them."""
    place = Place(tmp_path_factory.mktemp("files"))
    output = sequences()
    place.write("table.csv", table(output))
    place.write("nested.json", json.dumps([sequence.tolist() for sequence in output]))
    place.write("foreign.npy", padded_by_hand(output))
    place.write("true.npy", np.array(LENGTHS))
    for call in (
        "group table.csv --key key --order-by step -o grouped.padded.npz",
        "group table.csv --key key --order-by step --ragged -o ragged.npz",
        "pad ragged.npz --post --maxlen 12 -o longer.padded.npz",
        "pad nested.json --post -o json.padded.npz",
        "pad foreign.npy --lengths true.npy --post --multiple-of 5 -o foreign.padded.npz",
        "pad nested.json --post --value -9 -o marked.padded.npz",
        "pad nested.json --pre -o left.padded.npz",
    ):
        succeeded(place.run(*call.split()))
    offsets = np.cumsum([0, *LENGTHS])
    np.savez(place.folder / "sequences.npz", values=np.concatenate(output), offsets=offsets)
    return place.folder


# What the programs read


@dataclass(frozen=True)
class Readings:
    """What the LSTM of one framework made of the files."""

    framework: str
    folder: Path

    def of(self, name: str) -> dict[str, np.ndarray]:
        with np.load(self.folder / f"{name}.npz") as data:
            return dict(data)

    def alone(self) -> tuple[list[np.ndarray], dict[str, np.ndarray]]:
        """The outputs of each sequence that was run alone, and their final states."""
        ran = self.of("alone")
        return np.split(ran["outputs"], np.cumsum(LENGTHS)[:-1]), {name: ran[name] for name in "hc"}


def framework(name: str, backend: str | None = None) -> object:
    marks = [getattr(pytest.mark, marker) for marker in (name, backend) if marker]
    return pytest.param((name, backend), marks=marks, id="-".join(filter(None, (name, backend))))


KERAS = [framework("keras", backend) for backend in ("tensorflow", "torch", "jax")]
OTHERS = [framework(name) for name in ("torch", "tensorflow", "jax")]
PROGRAM = {
    "keras": "lstm_in_keras.py",
    "torch": "lstm_in_torch.py",
    "tensorflow": "lstm_in_dynamic_rnn.py",
    "jax": "lstm_in_jax.py",
}
ENVIRONMENT = {
    "tensorflow": {"TF_USE_LEGACY_KERAS": "1"},
    "torch": {"KERAS_BACKEND": "torch"},
    "jax": {"KERAS_BACKEND": "jax"},
}
Read = Callable[[tuple[str, str | None]], Readings]


@pytest.fixture(scope="module")
def read(files: Path, tmp_path_factory: pytest.TempPathFactory) -> Read:
    """Runs the program of a framework over the files, once for all tests."""
    done: dict[tuple[str, str | None], Readings] = {}

    def run(which: tuple[str, str | None]) -> Readings:
        if which not in done:
            name, backend = which
            folder = tmp_path_factory.mktemp("readings")
            for path in files.glob("*.npz"):
                (folder / path.name).symlink_to(path)
            environment = {"KERAS_BACKEND": backend} if backend else ENVIRONMENT[name]
            printed(PROGRAMS / PROGRAM[name], folder, folder=folder, environment=environment)
            done[which] = Readings(name, folder)
        return done[which]

    return run


# What holds


@pytest.mark.parametrize("name", FILES)
def test_the_files_hold_the_sequences(files: Path, name: str) -> None:
    with np.load(files / f"{name}.padded.npz") as data:
        x, lengths = data["x"], data["lengths"]
    assert x.dtype == np.float32
    assert lengths.tolist() == LENGTHS
    for row, sequence in zip(x, sequences(), strict=True):
        steps = row[-len(sequence) :] if name == "left" else row[: len(sequence)]
        assert np.array_equal(steps, sequence)


def assert_as_alone(read: Readings, name: str, indices: list[int]) -> None:
    """Outputs at real steps, and both halves of the final state, are those of each sequence run alone."""
    outputs, states = read.alone()
    batch = read.of(f"{name}.read")
    for index in indices:
        length = LENGTHS[index]
        slots = slice(-length, None) if name == "left" else slice(length)
        np.testing.assert_allclose(batch["outputs"][index, slots], outputs[index], **CLOSE)
        np.testing.assert_allclose(batch["h"][index], batch["outputs"][index, slots][-1], **CLOSE)
        for half, alone in states.items():
            np.testing.assert_allclose(batch[half][index], alone[index], **CLOSE)


ALL = list(range(len(LENGTHS)))
WITHOUT_HOLED = [index for index in ALL if index != HOLED]


def past_the_end(outputs: np.ndarray) -> list[tuple[int, int]]:
    """Where the slots are, by sequence and position, that hold no step."""
    return [(index, slot) for index, length in enumerate(LENGTHS) for slot in range(length, outputs.shape[1])]


@pytest.mark.parametrize("name", RIGHT)
@pytest.mark.parametrize("which", OTHERS)
def test_lengths_make_a_batch_read_as_each_sequence_alone(
    read: Read, which: tuple[str, str | None], name: str
) -> None:
    assert_as_alone(read(which), name, ALL)


@pytest.mark.parametrize("name", RIGHT)
@pytest.mark.parametrize("which", OTHERS)
def test_outputs_past_the_end_are_zero(read: Read, which: tuple[str, str | None], name: str) -> None:
    # That the state stands still there is what the test above says: it is the one at the last real step.
    outputs = read(which).of(f"{name}.read")["outputs"]
    assert not any(outputs[slot].any() for slot in past_the_end(outputs))


@pytest.mark.parametrize("name", FILES)
@pytest.mark.parametrize("which", KERAS)
def test_masking_makes_a_batch_read_as_each_sequence_alone(
    read: Read, which: tuple[str, str | None], name: str
) -> None:
    assert_as_alone(read(which), name, ALL if name == "marked" else WITHOUT_HOLED)


@pytest.mark.parametrize("name", RIGHT)
@pytest.mark.parametrize("which", KERAS)
def test_keras_repeats_its_last_output_or_gives_zero_where_it_is_told_to(
    read: Read, which: tuple[str, str | None], name: str
) -> None:
    batch = read(which).of(f"{name}.read")
    for index, slot in past_the_end(batch["outputs"]):
        assert np.array_equal(batch["outputs"][index, slot], batch["outputs"][index, LENGTHS[index] - 1])
        assert not batch["zeroed"][index, slot].any()


@pytest.mark.jax
def test_a_mask_of_our_own_makes_padding_on_the_left_read_as_well(read: Read) -> None:
    assert_as_alone(read(("jax", None)), "left", ALL)


# What does not hold: these show that the tests above can fail


@pytest.mark.parametrize("name", RIGHT)
@pytest.mark.parametrize("which", [*OTHERS, *KERAS])
def test_padding_read_as_data_changes_every_shorter_sequence(
    read: Read, which: tuple[str, str | None], name: str
) -> None:
    unmasked = read(which).of(f"{name}.unmasked")
    _, states = read(which).alone()
    for index, length in enumerate(LENGTHS):
        full = length == unmasked["outputs"].shape[1]
        assert np.allclose(unmasked["h"][index], states["h"][index], **CLOSE) == full
        # Steps that come before the padding do not see it.
        slots = slice(length)
        np.testing.assert_allclose(unmasked["outputs"][index, slots], read(which).alone()[0][index], **CLOSE)


@pytest.mark.parametrize("which", KERAS)
def test_a_real_step_of_zeros_breaks_a_mask_of_zero(read: Read, which: tuple[str, str | None]) -> None:
    _, states = read(which).alone()
    assert not np.allclose(read(which).of("json.read")["h"][HOLED], states["h"][HOLED], atol=1e-3)


@pytest.mark.torch
def test_packing_a_file_that_is_padded_on_the_left_packs_the_padding(read: Read) -> None:
    _, states = read(("torch", None)).alone()
    packed = read(("torch", None)).of("left.read")["h"]
    same = [np.allclose(*pair, **CLOSE) for pair in zip(packed, states["h"], strict=True)]
    assert same == [length == LONGEST for length in LENGTHS]


PACKING = """
import sys

import numpy as np
import torch

data = np.load(sys.argv[1])
x, lengths = torch.from_numpy(data["x"]), torch.from_numpy(data["lengths"])
torch.nn.utils.rnn.pack_padded_sequence(x, lengths, batch_first=True, enforce_sorted=False)
"""


@pytest.mark.torch
def test_a_sequence_without_steps_cannot_be_packed(tmp_path: Path) -> None:
    place = Place(tmp_path)
    place.write("nested.json", "[[[1, 2], [3, 4]], [], [[5, 6]]]")
    succeeded(place.run("pad", "nested.json", "--post", "-o", "empty.npz"))
    done = run_program(
        place.write("packing.py", PACKING), "empty.npz", folder=place.folder, environment=ENVIRONMENT["torch"]
    )
    assert done.returncode == 1
    assert "greater than 0" in done.stderr
