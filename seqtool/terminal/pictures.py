"""Pictures on standard output, drawn with rich: how long sequences are, and heat maps of their steps."""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

import numpy as np

from seqtool.arrays.dtypes import Array
from seqtool.arrays.lazy import AnyArray
from seqtool.terminal.heatmap import EXTREME, MISSING, PADDING, Heatmap, heatmap
from seqtool.words import printable

if TYPE_CHECKING:
    from rich.console import Console
    from rich.text import Text

_BAR = 40  # characters of the longest bar
_EIGHTHS = " ▏▎▍▌▋▊▉"
_SHADES = " ░▒▓█"
_MARKS = {PADDING: "·", MISSING: "?", **dict(enumerate(_SHADES))}
# From dark blue over green to yellow, as viridis in matplotlib, without the grey of padding and the red of missing.
_ANCHORS = ((68, 1, 84), (59, 82, 139), (33, 145, 140), (94, 201, 98), (253, 231, 37))
_LEVELS = 32
_PADDING_COLOR, _MISSING_COLOR = "#585858", "#d7005f"
_ROWS = 48  # features that are drawn in colours, two a line
_LINES = 32  # features that are drawn in shades, one a line
_MOST_LINES = 6  # features that have a line each in colours too
_NAME = 14  # characters of a name
_WIDEST = 4  # characters of a step, where there is room
_SCALES = {1: 22, 2: 31}  # characters of the numbers beside a line of one feature, or two
_LEAST = 20  # columns of a picture, even where the terminal is narrower


def show_histogram(out: Console, bins: Sequence[tuple[int, int, int]], *, marked: int | None = None) -> None:
    """Draw how many sequences have which lengths; a bin is its first length, its last length and its count.

    `marked` is a maxlen, which is written at its bar.
    """
    from rich.text import Text

    most = max((count for _, _, count in bins), default=0)
    if not most:
        return
    ranges = _ranges(bins)
    wide = len(f"{most:,}")
    size = min(_BAR, max(_LEAST, out.width - len(ranges[0]) - wide - 24))
    out.print(Text("sequences by length, in steps", style="bold"))
    for (begin, end, count), steps in zip(bins, ranges, strict=True):
        line = Text(f" {steps}  {count:>{wide},}  ")
        line.append(_bar(count, most, size), style="cyan")
        if marked is not None and begin <= marked <= end:
            line.append(f" ◂ maxlen {marked:,}", style="bold")
        line.rstrip()
        out.print(line)
    out.print()


def _ranges(bins: Sequence[tuple[int, int, int]]) -> list[str]:
    """The lengths of each bar, aligned."""
    first, last = (max(len(f"{bin_[i]:,}") for bin_ in bins) for i in (0, 1))
    if all(begin == end for begin, end, _ in bins):
        return [f"{begin:>{first},}" for begin, _, _ in bins]
    return [f"{begin:>{first},} to {end:>{last},}" for begin, end, _ in bins]


def _bar(count: int, most: int, size: int) -> str:
    """A bar of block characters, of at least an eighth of one unless the count is 0."""
    eighths = max(1, round(8 * size * count / most)) if count else 0
    return ("█" * (eighths // 8) + _EIGHTHS[eighths % 8]).rstrip()


def show_heatmap(
    out: Console, slots: AnyArray, *, real: tuple[int, int], features: Sequence[str] | None
) -> None:
    """Draw one sequence, (T, F) or (T,): time from left to right, a row for each feature.

    The slots from `real[0]` to `real[1]` are steps, the others padding. Where the terminal has 256 colours, two
    features share a line; else each has a line of shades, without escape codes.
    """
    from rich.cells import cell_len

    width = 1 if slots.ndim == 1 else slots.shape[1]
    if not width or not len(slots):
        return
    colours = out.color_system in ("256", "truecolor")
    together = 2 if colours and width > _MOST_LINES else 1
    names = [_name(i, features) for i in range(min(width, _ROWS if together == 2 else _LINES))]
    labels = _joined(names, together)
    left = max(4, *map(cell_len, labels))
    room = max(_LEAST, out.width - left - _SCALES[together] - 3)
    levels = _LEVELS if colours else len(_SHADES)
    drawn = heatmap(slots, real=real, width=room, height=len(names), levels=levels)
    each = max(1, min(_WIDEST, room // drawn.cells.shape[1]))
    cells = drawn.cells.repeat(each, axis=1)
    scales = _joined([_scale(low, high) for low, high in drawn.scales.tolist()], together)
    for i, label in enumerate(labels):
        rows = cells[together * i : together * (i + 1)]
        picture = _colored(rows) if colours else _shaded(rows[0])
        _print_row(out, f" {' ' * (left - cell_len(label))}{label} ", picture, f" {scales[i]}")
    _print_row(out, f" {'slot' if real[0] else 'step':>{left}} ", _axis(drawn, each))
    for line in _legend(drawn, colours=colours):
        _print_row(out, " " * (left + 2), line)
    out.print()


def _print_row(out: Console, label: str, picture: Text, after: str = "") -> None:
    """Print a line of a picture, with a label in front and a dim text after it."""
    from rich.text import Text

    out.print(Text.assemble(label, picture, (after, "dim")), no_wrap=True, overflow="crop")


def _name(i: int, features: Sequence[str] | None) -> str:
    """The name of a feature, or its number, in at most `_NAME` columns."""
    from rich.cells import cell_len, set_cell_size

    name = str(i) if features is None else printable(features[i])
    return name if cell_len(name) <= _NAME else f"{set_cell_size(name, _NAME - 1)}…"


def _scale(low: float, high: float) -> str:
    return "no number" if np.isnan(low) else f"{low:.3g} to {high:.3g}" if low < high else f"{low:.3g}"


def _joined(words: Sequence[str], together: int) -> list[str]:
    return [", ".join(words[i : i + together]) for i in range(0, len(words), together)]


def _colored(rows: Array) -> Text:
    """One row of cells as full blocks, or two as half blocks: the lower row is the background."""
    from rich.style import Style
    from rich.text import Text

    line = Text()
    for levels, columns in itertools.groupby(rows.T.tolist()):
        front, *behind = (_color(level) for level in levels)
        style = Style(color=front, bgcolor=behind[0] if behind else None)
        line.append(("▀" if behind else "█") * len(list(columns)), style)
    return line


def _color(level: int) -> str:
    """The colour of a level, interpolated between the two nearest anchors."""
    if level < 0:
        return _PADDING_COLOR if level == PADDING else _MISSING_COLOR
    place = level / (_LEVELS - 1) * (len(_ANCHORS) - 1)
    below = min(int(place), len(_ANCHORS) - 2)
    return "#" + "".join(
        f"{round(a + (b - a) * (place - below)):02x}"
        for a, b in zip(_ANCHORS[below], _ANCHORS[below + 1], strict=True)
    )


def _shaded(row: Array) -> Text:
    from rich.text import Text

    return Text("".join(_MARKS[level] for level in row.tolist()))


def _axis(drawn: Heatmap, each: int) -> Text:
    """The numbers of some slots, each below the left end of its column."""
    from rich.text import Text

    apart = len(f"{drawn.end:,}") + 3
    interval = next(
        n * 10**k for k in itertools.count() for n in (1, 2, 5) if n * 10**k * each >= apart * drawn.each
    )
    line = ""
    for slot in range(-(-drawn.first // interval) * interval, drawn.end, interval):
        line = line.ljust((slot - drawn.first) // drawn.each * each) + f"{slot:,}"
    return Text(line, style="dim")


def _legend(drawn: Heatmap, *, colours: bool) -> Iterator[Text]:
    """The meaning of the marks, and which part of the sequence is drawn."""
    from rich.text import Text

    ramp = _colored(np.arange(_LEVELS)[None, ::2]) if colours else Text(_SHADES)
    aside = ", without the outermost 2%" if (drawn.cells[0] != PADDING).sum() >= EXTREME else ""
    yield Text.assemble("low ", ramp, f" high, on the scale beside each row{aside}")
    marks = [
        Text.assemble(_colored(np.array([[mark]])) if colours else _MARKS[mark], f" {word}")
        for mark, word in ((PADDING, "padding"), (MISSING, "missing or infinite"))
        if (drawn.cells == mark).any()
    ]
    if marks:
        yield Text("   ").join(marks)
    if drawn.each > 1:
        yield Text(f"each column is the mean of {drawn.each:,} steps")
    if drawn.end - drawn.first < drawn.slots:
        yield Text(f"slots {drawn.first:,} to {drawn.end - 1:,} of {drawn.slots:,}; all others are padding")
    if len(drawn.cells) < drawn.features:
        yield Text(f"the first {len(drawn.cells)} of {drawn.features:,} features")
