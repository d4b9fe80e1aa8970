"""Damaged files: whatever bytes they hold, a call ends in one line, or with what a trusted reader finds in them."""

from __future__ import annotations

import contextlib
import warnings
from random import Random
from typing import Any

import numpy as np

import seqtool
from seqtool.errors import SeqtoolError
from tests.fuzzing.cases import Failure, Scratch, equal
from tests.fuzzing.damages import damaged
from tests.fuzzing.sound_files import DATA, FILES, sorted_steps


def run(rng: Random, scratch: Scratch) -> None:
    """One file, damaged, and one call that reads it; or a sound one, and a call with an odd option."""
    name, calls, trusted = rng.choice(FILES)
    data = DATA[name]
    call = rng.choice(calls).replace("{}", name).split()
    if rng.random() < 0.3:
        scratch.place.write(name, data)
        scratch.run(*call, rng.choice(_OPTIONS.get(call[0], _OF_ALL)), *rng.choice(_ARGUMENTS))
        return
    for _ in range(rng.choice([1, 1, 1, 2, 4])):
        data = damaged(rng, name, data)
    scratch.place.write(name, data)
    done = scratch.run(*call)
    if name.endswith("npz") and rng.random() < 0.3:
        _load(scratch, name)
    if trusted is None or done.code or call[0] not in ("pad", "group"):
        return
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            expected = trusted(data)
        except Exception as error:  # noqa: BLE001 - readers raise many kinds
            raise Failure(f"{call[0]} made a file of what its trusted reader refuses: {error}") from None
    if expected is None:
        return
    output = scratch.place.arrays("out.npz")
    equal("what was read", _steps(output), expected)


def _load(scratch: Scratch, name: str) -> None:
    scratch.calls.append(f'python -c "import seqtool; seqtool.load({name!r})"')
    with contextlib.suppress(SeqtoolError):
        seqtool.load(scratch.place.folder / name)


def _steps(arrays: dict[str, np.ndarray]) -> list[Any]:
    """All steps of the sequences, sorted, so that neither keys nor their order matter; as floats, NaN as text."""
    return sorted_steps(arrays["values"].tolist())


# Odd options

_OF_ALL = ["--json", "--nothing", "--sequence", "--array", "--label", "--lengths"]
_OF_OUTPUT = [
    "--value",
    "--maxlen",
    "--min-len",
    "--truncating",
    "--dtype",
    "--compress",
    "--max-memory",
    "--temp-dir",
]
_OPTIONS = {
    "group": [
        *_OF_OUTPUT,
        *(
            "--order-by",
            "--label",
            "--step-label",
            "--static",
            "--columns",
            "--drop",
            "--missing",
            "--label-as",
        ),
        *(
            "--label-value",
            "--empty-key",
            "--empty-label",
            "--delimiter",
            "--encoding",
            "--keep-row-index",
            "--header",
            "--keep-order",
            "--delta",
            "--every",
            "--agg",
            "--time-unit",
            "--since-observed",
            "--position",
        ),
    ],
    "pad": [
        *_OF_OUTPUT,
        *(
            "--array",
            "--label",
            "--key",
            "--lengths",
            "--strip",
            "--strip-side",
            "--input-padding",
            "--multiple-of",
        ),
        *("--mask", "--step-label"),
    ],
    "plan": [
        "--order-by",
        "--label",
        "--columns",
        "--drop",
        "--max-memory",
        "--encoding",
        "--dtype",
        "--batch-size",
    ],
}
_ODD_TEXTS = [
    *(
        "",
        " ",
        "0",
        "-1",
        "1",
        "2",
        "1.5",
        "nan",
        "inf",
        "-inf",
        "1e999",
        "9" * 5000,
        str(2**64),
        "-9223372036854777856",
    ),
    *(
        "k",
        "v",
        "w",
        "x",
        "y",
        "a",
        "k,v",
        "k:text",
        "v:text",
        "t:desc",
        ":text",
        "auto",
        "pre",
        "post",
        "drop",
        "keep",
    ),
    *(
        "class",
        "number",
        "int8",
        "uint64",
        "float16",
        "complex64",
        "float32",
        "latin-1",
        "utf-16",
        "base64",
        "fast",
    ),
    *(
        "\n",
        '"',
        ",",
        "é",
        "\udce9",
        "a\nb",
        "../t.csv",
        "/dev/null",
        "0,0",
        "1,,2",
        "--",
        "-",
        "256M",
        "1K",
        "tab",
    ),
]
_ARGUMENTS = [[], *([text] for text in _ODD_TEXTS), ["v", "--label", "w"], ["1", "--post", "--ragged"]]
