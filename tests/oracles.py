"""Plain-Python twins of the kernels, slow and obvious, and the data that properties draw.

Sequences are lists here, and a step is a number, a list of F numbers, or lists of lists.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from fractions import Fraction
from functools import cache
from itertools import pairwise
from math import fsum, sqrt
from typing import Any
from zlib import crc32

import numpy as np
from hypothesis import strategies as st
from hypothesis.extra import numpy as npst

from seqtool.arrays.lazy import Lazy
from seqtool.arrays.text import Text
from seqtool.sequences.ragged import Padded, Ragged, StepArray
from seqtool.sequences.validation import offsets_of

INTEGERS = ["int8", "int16", "int32", "int64", "uint8", "uint16", "uint32", "uint64"]
NUMBERS = ["bool", *INTEGERS, "float16", "float32", "float64"]


def pad_sequences(
    sequences: list[list[Any]],
    *,
    maxlen: int | None = None,
    padding: str = "pre",
    truncating: str = "pre",
    value: Any = 0,
) -> list[list[Any]]:
    """Keras `pad_sequences` on lists; `value` is a whole step: a number, or a list of F numbers."""
    slots = max(map(len, sequences), default=0) if maxlen is None else maxlen
    rows = []
    for sequence in sequences:
        surplus = max(0, len(sequence) - slots)
        kept = sequence[surplus:] if truncating == "pre" else sequence[: len(sequence) - surplus]
        fill = [value] * (slots - len(kept))
        rows.append(fill + kept if padding == "pre" else kept + fill)
    return rows


def stretch(sequence: list[Any], start: int, maxlen: int | None) -> list[Any]:
    """The steps from `start` on, `maxlen` of them at most; a negative start counts from the end."""
    first = len(sequence) + start if start < 0 else start
    return [step for i, step in enumerate(sequence) if i >= first and (maxlen is None or i < first + maxlen)]


def windows(
    length: int,
    *,
    size: int,
    stride: int = 1,
    rate: int = 1,
    min_size: int | None = None,
    after: int = 0,
    from_end: bool = False,
    last: bool = False,
) -> list[list[int]]:
    """The numbers of the steps in each window of a sequence, behind each of which `after` steps are left."""
    steps, found, begin = list(range(max(0, length - after))), list[list[int]](), 0
    steps = steps[::-1] if from_end or last else steps
    while len(window := steps[begin::rate][:size]) == size and not (last and found):
        found.append(window)
        begin += stride
    if min_size is not None and len(window) >= min_size and not (last and found):
        found += [window] if {*window} - {step for one in found for step in one} else []
    return [window[::-1] for window in found[::-1]] if from_end or last else found


def why_left_out(
    lengths: list[int],
    keys: list[str],
    *,
    least: int,
    most: int,
    listed: set[str],
    selected: list[bool | None],
) -> list[str | None]:
    """Why each sequence is left out, None where it is not; `selected` is what a condition says, None for missing."""
    return [
        f"sequence under {least} steps"
        if length < least
        else f"sequence over {most} steps"
        if length > most
        else "key not in the file of keys"
        if key not in listed
        else "left out by where, for a cell is missing"
        if is_selected is None
        else None
        if is_selected
        else "left out by where"
        for length, key, is_selected in zip(lengths, keys, selected, strict=True)
    ]


def step_mask(lengths: list[int], *, maxlen: int, padding: str = "pre") -> list[list[bool]]:
    """True where a step is real."""
    rows = [[True] * n + [False] * (maxlen - n) for n in lengths]
    return [row[::-1] for row in rows] if padding == "pre" else rows


def unpad(rows: list[list[Any]], lengths: list[int], *, padding: str = "pre") -> list[list[Any]]:
    """Each row without its padding."""
    masks = step_mask(lengths, maxlen=len(rows[0]) if rows else 0, padding=padding)
    return [
        [step for step, real in zip(row, mask, strict=True) if real]
        for row, mask in zip(rows, masks, strict=True)
    ]


def groupby(rows: list[list[Any]], key_column: int) -> tuple[list[Any], list[int], list[list[list[Any]]]]:
    """Sorted keys, how many rows each has, and those rows in file order."""
    groups: dict[Any, list[list[Any]]] = {}
    for row in rows:
        groups.setdefault(row[key_column], []).append(row)
    keys = sorted(groups)
    return keys, [len(groups[key]) for key in keys], [groups[key] for key in keys]


def group_rows(
    columns: Mapping[str, list[Any]], keys: list[str], order: list[str], *, min_len: int = 0
) -> tuple[list[Any], list[list[int]], int]:
    """The sorted keys, the rows of each in order, and how many neighbours the order columns cannot tell apart.

    A key column with text in it is text throughout; sequences below `min_len` rows are left out, but not their
    ties.
    """
    written = {
        name: [str(cell) for cell in columns[name]]
        if any(isinstance(cell, str) for cell in columns[name])
        else columns[name]
        for name in keys
    }
    groups: dict[Any, list[int]] = {}
    for row in range(len(columns[keys[0]])):
        groups.setdefault(tuple(written[name][row] for name in keys), []).append(row)

    def place(row: int) -> list[Any]:
        return [columns[name][row] for name in order]

    for rows in groups.values():
        rows.sort(key=place)  # which is stable
    ties = sum(bool(order) and place(a) == place(b) for rows in groups.values() for a, b in pairwise(rows))
    kept = [key for key in sorted(groups) if len(groups[key]) >= min_len]
    as_text = any(isinstance(cell, str) for key in groups for cell in key)
    found: list[Any] = [[str(cell) if as_text else cell for cell in key] for key in kept]
    return [key[0] if len(keys) == 1 else key for key in found], [groups[key] for key in kept], ties


def repeated(items: list[Any]) -> list[int]:
    """The places of those that stand in front of themselves already."""
    return [i for i, item in enumerate(items) if item in items[:i]]


def strip(sequence: list[Any], *, value: float = 0, side: str = "post") -> list[Any]:
    """The sequence without the run of steps at one side that hold nothing but `value`."""

    def is_padding(step: Any) -> bool:
        numbers = step if isinstance(step, list) else [step]
        return all(number == value or (number != number and value != value) for number in numbers)

    steps = list(sequence)
    while steps and is_padding(steps[-1 if side == "post" else 0]):
        steps.pop(-1 if side == "post" else 0)
    return steps


def sequences_of(ragged: Ragged, rows: Any = None) -> list[list[Any]]:
    """A Ragged's values, or other `rows` of its steps, as lists."""
    steps = np.asarray(ragged.values if rows is None else rows).tolist()
    ends = np.asarray(ragged.offsets).tolist()
    return [steps[begin:end] for begin, end in pairwise(ends)]


def text_of(array: Any) -> str:
    """An array or nested list spelled out, so that NaN equals NaN and 1 differs from 1.0."""
    return repr(np.asarray(array).tolist() if isinstance(array, (np.ndarray, Lazy, Text)) else array)


def parts(data: Ragged | Padded) -> dict[str, Any]:
    """All that a Ragged or Padded holds, in a form that `==` compares; text by its letters, not its width."""
    if isinstance(data, Padded):
        found: dict[str, Any] = {"x": _spelled(data.x), "padding": data.padding, "value": _number(data.value)}
    else:
        found = {"values": _spelled(data.values), "offsets": _spelled(data.offsets)}
    found |= {
        "lengths": np.asarray(data.lengths).tolist(),
        "features": data.features,
        "receipt": data.receipt,
    }
    found["keys"] = None if data.keys is None else _spelled(data.keys)
    found["per_step"] = {n: (_spelled(a.data), _number(a.value)) for n, a in data.per_step.items()}
    found["per_sequence"] = {name: _spelled(array) for name, array in data.per_sequence.items()}
    found["names"] = {name: _spelled(array) for name, array in data.names.items()}
    return found


def _number(value: Any) -> str:
    return repr([float(number) for number in (value if isinstance(value, tuple) else (value,))])


def _spelled(array: Any) -> tuple[str, tuple[int, ...], str]:
    array = np.asarray(array)
    dtype = "text" if array.dtype.kind in "UT" else str(array.dtype)
    return dtype, array.shape, text_of(array)


text = st.text(st.characters(exclude_characters="\0", exclude_categories=["Cs"]), max_size=6)


def texts(shape: int | tuple[int, ...]) -> st.SearchStrategy[Any]:
    """Arrays of text."""
    return npst.arrays(np.dtypes.StringDType(), shape, elements=text, fill=st.nothing()).map(
        lambda cells: cells.astype(f"U{max(map(len, cells.reshape(-1).tolist()), default=0) or 1}")
    )


STEPS = st.sampled_from([(), (1,), (2,), (3,), (2, 2), (1, 2, 3)])
"""Shapes of a step."""


@st.composite
def raggeds(draw: st.DrawFn, dtypes: list[str] = NUMBERS, *, riders: bool = False) -> Ragged:
    """Up to 6 sequences of up to 5 steps, numbers, features or arrays; `riders` adds all that may ride along."""
    lengths = draw(st.lists(st.integers(0, 5), max_size=6))
    steps, count = sum(lengths), len(lengths)
    step = draw(STEPS)
    values = draw(_numbers(draw(st.sampled_from(dtypes)), (steps, *step)))
    ragged = Ragged(values, offsets_of(np.array(lengths, dtype=np.int64)))
    return ragged.replace(**draw(_riders(steps, count, step))) if riders else ragged


@cache  # to make and to validate a strategy takes longer than to draw from it
def _numbers(dtype: str, shape: tuple[int, ...]) -> st.SearchStrategy[Any]:
    return npst.arrays(dtype, shape)


@cache
def _riders(steps: int, count: int, step: tuple[int, ...]) -> st.SearchStrategy[dict[str, Any]]:
    """What may ride along with so many steps, of this shape, and sequences."""
    optional = {
        "keys": st.none()
        | npst.arrays(np.int64, count)
        | npst.arrays(np.int64, (count, 2))
        | texts(count)
        | texts((count, 2)),
        "features": st.none() | st.tuples(*[text] * step[0]) if len(step) == 1 else st.none(),
        "per_step": st.fixed_dictionaries(
            {},
            optional={
                "step_y": npst.arrays(np.int16, steps).map(lambda array: StepArray(array, -1)),
                "c": npst.arrays(np.float32, (steps, 2)).map(lambda array: StepArray(array, float("nan"))),
            },
        ),
        "per_sequence": st.fixed_dictionaries(
            {},
            optional={
                "y": npst.arrays(np.int64, count),
                "static": npst.arrays(np.float64, (count, 2)),
                "part": npst.arrays(np.int64, count),
                "split": texts(count),
            },
        ),
        "names": st.fixed_dictionaries({}, optional={"classes": texts(3), "static_features": texts(2)}),
        "receipt": st.sampled_from([(), ({"command": "group", "inputs": ["é.csv"]},)]),
    }
    return st.fixed_dictionaries(optional)


def begin_within(one: list[list[Any]], other: list[list[Any]], *, least: int = 3) -> list[tuple[int, int]]:
    """The sequences of `other`, each with the first of `one` that it begins within, and goes on as it does."""
    found = []
    for j, sought in enumerate(other):
        hits = [
            i
            for i, whole in enumerate(one)
            for start in range(len(whole))
            if (common := min(len(sought), len(whole) - start)) >= max(least, -(-len(sought) // 2))
            and whole[start : start + common] == sought[:common]
            and whole != sought
        ]
        found += [(hits[0], j)] if hits else []
    return found


def looked_up(keys: list[str], table: dict[str, Any]) -> list[Any]:
    """What another table holds for each key as it is written, None where it has no row."""
    return [table.get(key) for key in keys]


def cut_at_gaps(
    groups: Mapping[Any, list[int]], order: list[Any], *, gap: Any
) -> list[tuple[tuple[Any, int], list[int]]]:
    """The rows of each key, in order, parted where the order is further apart than `gap`: each part with its number.

    The order is of numbers that subtract exactly.
    """
    found: list[tuple[tuple[Any, int], list[int]]] = []
    for key, rows in groups.items():
        parts: list[list[int]] = []
        for row in rows:
            if not parts or abs(order[row] - order[parts[-1][-1]]) > gap:
                parts.append([])
            parts[-1].append(row)
        found += [((key, i), part) for i, part in enumerate(parts)]
    return found


def steps_of_row(cells: list[float | None], *, keep: bool = False) -> list[float]:
    """The steps in the cells of a row of a wide table: trailing ones that hold nothing are none, others NaN."""
    while cells and cells[-1] is None and not keep:
        cells = cells[:-1]
    return [float("nan") if cell is None else cell for cell in cells]


def pivoted(
    rows: list[tuple[Any, Any, str, Any]], items: list[str], how: str
) -> list[tuple[Any, list[list[Any]]]]:
    """Rows (key, time, item, value) as steps: for each key in order its rows of cells, None where no value stands."""
    makes: dict[str, Any] = {
        "last": lambda values: values[-1],
        "first": lambda values: values[0],
        "sum": sum,
        "mean": lambda values: sum(values) / len(values),
        "max": max,
        "min": min,
        "count": len,
    }
    found = []
    for key in sorted({row[0] for row in rows}):
        steps = []
        for time in sorted({row[1] for row in rows if row[0] == key}):
            cells = [[v for k, t, i, v in rows if (k, t, i) == (key, time, item)] for item in items]
            cells = [[v for v in values if v is not None] for values in cells]
            steps.append([makes[how](v) if v else 0 if how == "count" else None for v in cells])
        found.append((key, steps))
    return found


def parts_at_gaps(rows: list[tuple[Any, Any, str, Any]], gap: float) -> list[int]:
    """Which part of its key each row (key, time, ...) belongs to, counted from 0, where times jump by more."""
    found = []
    for key, time, *_ in rows:
        times = sorted({row[1] for row in rows if row[0] == key and row[1] <= time})
        found.append(sum(after - before > gap for before, after in pairwise(times)))
    return found


def tagged(text: str) -> list[list[list[str]]]:
    """The sequences of a tagging file, the cells of each token: parted by tabs, or by blanks where there are none."""
    found: list[list[list[str]]] = [[]]
    for line in text.splitlines():
        if not line.strip():
            found.append([])
        elif not line.startswith(("#", "-DOCSTART-")):
            found[-1].append(line.split("\t") if "\t" in line else line.split())
    return [sequence for sequence in found if sequence]


def since_1970(moment: datetime | None, unit: str) -> Fraction | None:
    """The seconds or days from 1970 to a time, UTC where it has no zone; None for none."""
    if moment is None:
        return None
    moment = moment if moment.tzinfo else moment.replace(tzinfo=UTC)
    microseconds = (moment - datetime(1970, 1, 1, tzinfo=UTC)) // timedelta(microseconds=1)
    return Fraction(microseconds, 10**6 * {"seconds": 1, "days": 86_400}[unit])


def centered(numbers: list[float], method: str) -> list[float]:
    """The numbers of one feature, scaled; NaN stays NaN, and where all are equal they become 0."""
    real = sorted(number for number in numbers if number == number)
    if not real:
        return numbers

    def quantile(fraction: float) -> float:
        low, share = divmod((len(real) - 1) * fraction, 1)
        return real[int(low)] + (real[min(int(low) + 1, len(real) - 1)] - real[int(low)]) * share

    mean = fsum(real) / len(real)
    shift, unit = {
        "standard": (mean, sqrt(fsum((number - mean) ** 2 for number in real) / len(real))),
        "minmax": (real[0], real[-1] - real[0]),
        "robust": (quantile(0.5), quantile(0.75) - quantile(0.25)),
        "maxabs": (0.0, max(map(abs, real))),
    }[method]
    if real[0] == real[-1]:
        shift, unit = real[0], 1.0
    return [(number - shift) / (unit or 1.0) for number in numbers]


def left_out(sequence: list[Any], last: int) -> list[tuple[str, list[Any], Any]]:
    """Leave-last-out: each split's name, its steps x and the step y after them."""
    names = ["train", "test"] if last == 1 else ["train", "val", "test"]
    if len(sequence) < 2:
        return []
    if len(sequence) < last + 2:
        return [("train", sequence[:-1], sequence[-1])]
    ends = [len(sequence) - 1 - last + i for i in range(last + 1)]
    return [(name, sequence[:end], sequence[end]) for name, end in zip(names, ends, strict=True)]


def filled(
    sequence: list[float], methods: list[str], *, limit: int | None = None, average: float = 0
) -> list[float]:
    """The numbers of one feature of a sequence, of which those that are NaN are filled by one method after another."""
    seen = [t for t, number in enumerate(sequence) if number == number]
    found = list(sequence)
    for method in methods:
        for t, number in enumerate(found):
            before = max((other for other in seen if other < t), default=None)
            behind = min((other for other in seen if other > t), default=None)
            near = before is not None and (limit is None or t - before <= limit)
            if number == number:
                continue
            if method in ("forward", "linear"):
                if before is None or not near or (method == "linear" and behind is None):
                    continue
                share = 0.0 if behind is None or method == "forward" else (t - before) / (behind - before)
                found[t] = sequence[before] + (sequence[behind or before] - sequence[before]) * share
            elif method in ("mean", "median"):
                found[t] = average
            else:
                found[t] = 0.0 if method == "zero" else float(method)
    return found


def step_features(times: list[Fraction], observed: list[list[bool]]) -> list[list[float]]:
    """Of each step of a sequence: the time since the step before, its number, the time since each feature was seen.

    `times` are exact numbers; `observed[f][t]` tells whether feature f was seen in step t.
    """
    rows = []
    for step, time in enumerate(times):
        row = [float(time - times[max(step - 1, 0)]), float(step)]
        for seen in observed:
            last = max([0, *(before for before in range(step) if seen[before])])
            row.append(float(time - times[last]))
        rows.append(row)
    return rows


def category_ids(cells: list[str]) -> tuple[list[int], list[str]]:
    """The ids of names, empty ones being missing, and the vocabulary: the names in the order of their code points."""
    vocabulary = sorted({cell for cell in cells if cell})
    return [vocabulary.index(cell) + 3 if cell else 1 for cell in cells], vocabulary


def on_grid(
    rows: list[tuple[Fraction, float | None]], size: Fraction, how: str
) -> list[tuple[int, float | None]]:
    """Rows (time, value) of one sequence in order as (stretch, value), one for each from the first to the last.

    None is a missing value; of a stretch without values the mean, last and sum are missing, and the count is 0.
    """
    places = [time // size for time, _ in rows]
    found: list[tuple[int, float | None]] = []
    for stretch in range(places[0], places[-1] + 1):
        here = [v for place, (_, v) in zip(places, rows, strict=True) if place == stretch and v is not None]
        total, number = sum(here), len(here)
        ways = {"mean": total / max(number, 1), "sum": total, "last": here[-1] if here else 0}
        found.append((stretch, number if how == "count" else ways[how] if here else None))
    return found


def concatenated_keys(everything: list[tuple[str, int, int]]) -> dict[str, list[tuple[str, int, int]]]:
    """What is kept of (key, input, place) where keys clash, by the word that says which."""
    first, last = dict[str, tuple[str, int, int]](), dict[str, tuple[str, int, int]]()
    for item in everything:
        first.setdefault(item[0], item)
        last[item[0]] = item
    return {
        "first": [item for item in everything if first[item[0]] == item],
        "last": [item for item in everything if last[item[0]] == item],
        "both": everything,
    }


def encoded(cells: list[str], train: list[str], *, least: int = 1, most: int | None = None) -> list[int]:
    """The ids of names by how often they stand in `train`, then by name; empty ones are missing, others unknown."""
    counts = Counter(name for name in train if name)
    kept = sorted((name for name in counts if counts[name] >= least), key=lambda name: (-counts[name], name))
    kept = kept if most is None else kept[: most - 3]
    return [1 if not cell else kept.index(cell) + 3 if cell in kept else 2 for cell in cells]


def last_names(rows: list[tuple[int, str]]) -> dict[int, str]:
    """The last name that is not empty among the rows of each step, by its number; rows are (number, name) in order."""
    found: dict[int, str] = {}
    for number, name in rows:
        found[number] = name or found.get(number, "")
    return found


def shard_of(cells: list[Any], shards: int) -> int:
    """The shard of a key by its cells, as the format says."""
    return crc32("\0".join(str(cell) for cell in cells).encode()) % shards


def by_key(data: Ragged) -> dict[str, list[dict[str, str]]]:
    """All that belongs to each sequence, spelled out, by its key; several of one key in their order."""
    found: dict[str, list[dict[str, str]]] = {}
    keys, ends = np.asarray(data.keys).tolist(), np.asarray(data.offsets).tolist()
    of_steps = {"values": data.values, **{name: array.data for name, array in data.per_step.items()}}
    for number, (begin, end) in enumerate(pairwise(ends)):
        steps = {name: text_of(np.asarray(array)[begin:end]) for name, array in of_steps.items()}
        whole = {name: text_of(np.asarray(array)[number]) for name, array in data.per_sequence.items()}
        found.setdefault(str(keys[number]), []).append({**steps, **whole})
    return found
