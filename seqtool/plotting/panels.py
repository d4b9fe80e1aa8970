"""The panels of a picture: each draws one part of a portrait into its box on the page."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from seqtool.arrays.dtypes import Array
from seqtool.plotting.boxes import (
    FOOT,
    HEAD,
    INK,
    SOFT,
    TICKS,
    Box,
    color_bar,
    number,
    rgb,
    share,
    shorten,
    whole_numbers,
)
from seqtool.plotting.portrait import MOST_SLOTS, Portrait
from seqtool.plotting.sampling import Distribution, ValueCounts, aligned_bars, covered, limits, reach, unit
from seqtool.sequences.lengths import LengthCounts
from seqtool.words import count

if TYPE_CHECKING:
    from matplotlib.axes import Axes

# Distinct for colour-blind people too, and none of them in the scale of the heat map.
REAL, CUT, PADDING, MISSING = "#4477aa", "#ee7733", "#d9dce0", "#ee3377"
SCALE = "viridis"
_UPRIGHT = {"rotation": 90, "ha": "center", "size": 9.5, "color": SOFT}
_MOST_BARS = 48  # of the histogram of lengths
_PIXELS = 1200  # more than any panel has: edges between cells stay sharp


def _empty_panel(box: Box, title: str, why: str) -> None:
    """A heading that says why there is nothing below it."""
    box.heading(title, why)
    axes = box.axes(left=0.0)
    axes.set_axis_off()


def lengths(box: Box, found: Portrait) -> None:
    """The number of sequences of each length, with the cut where there was one."""
    from matplotlib.patches import Patch

    counts, cut = (found.cut.counts if found.cut else found.counts), found.cut
    if not counts.count:
        _empty_panel(box, "Lengths", "no sequences")
        return
    axes = box.axes()
    edge = cut.maxlen if cut else None
    first, heights, width = aligned_bars(counts, longest=reach(counts), most=_MOST_BARS, edge=edge)
    least, longest = int(first[0]), int(first[-1]) + width - 1
    maxlen = edge if found.maxlen is None else found.maxlen
    colors = [CUT if cut and begin > cut.maxlen else REAL for begin in first.tolist()]
    axes.bar(first - 0.5, heights, width=width, align="edge", color=colors, edgecolor="white", linewidth=0.5)
    right = max(longest, maxlen) if maxlen is not None and maxlen <= longest * 3 // 2 else longest
    room = max(1.0, 0.03 * (right - least))
    axes.set_xlim(max(least - 0.5 - room, -1.5), right + 0.5 + room)
    axes.set_ylim(0, max(1, int(heights.max())) * 1.06)
    axes.set_xlabel("length before the cut (steps)" if cut else "length (steps)")
    axes.set_ylabel("sequences")
    whole_numbers(axes.xaxis, axes.yaxis)
    if least == right:  # no other number on the axis is a length
        axes.set_xticks([least], [f"{least:,}"])
    handles = [
        _line(axes, right, "median", counts.median(), INK, "-"),
        _line(axes, right, "95% ≤", counts.quantile(0.95), INK, "--"),
    ]
    if maxlen is not None:
        # where it cut, the line stands between sequences that were cut and the others
        handles.append(_line(axes, right, "maxlen", maxlen, CUT, "-", shift=0.5 if maxlen == edge else 0.0))
    if cut:
        handles.append(Patch(color=CUT, label="cut"))
    box.heading("Lengths", _about_lengths(found, counts, longest))
    box.legend(axes, handles)


def _line(
    axes: Axes, right: int, name: str, place: float, color: str, style: Any, *, shift: float = 0.0
) -> Any:
    """Draw a line at a length, unless it is too far to the right, and give its entry in the legend."""
    from matplotlib.lines import Line2D

    if place <= right:
        axes.axvline(place + shift, color=color, linewidth=1.5, linestyle=style)
    label = f"{name} {place:,.1f}".removesuffix(".0")
    return Line2D([], [], color=color, linestyle=style, label=label)


def _about_lengths(found: Portrait, counts: LengthCounts, longest: int) -> str:
    """The range of lengths, or what was cut, in a line below the title; `longest` ends the last bar."""
    least = int(counts.lengths[0])
    text = f"{least:,} to {count(counts.longest, 'step')}"
    if least == counts.longest:
        text = f"all of {count(least, 'step')}"
    if found.cut:
        lost = share(found.cut.steps / counts.steps)
        text = (
            f"{count(found.cut.sequences, 'sequence')} lost {count(found.cut.steps, 'step')}, {lost} of all"
        )
    if counts.empty:
        text += f"; {counts.empty:,} empty"
    beyond = counts.beyond(longest)[0]
    return f"{text}; {beyond:,} beyond the right edge" if beyond else text


def mask(box: Box, found: Portrait) -> None:
    """Real steps and padding of sequences, sorted by length."""
    from matplotlib.patches import Patch

    title, width = "Real steps and padding", found.width
    if not found.counts.count or not width:
        _empty_panel(box, title, "no sequences" if not found.counts.count else "no steps")
        return
    verb = "are" if found.maxlen is not None else "would be"
    box.heading(title, f"{share(found.share)} of all slots {verb} padding{how_many(found)}")
    axes = box.axes()
    real = covered(found.lengths, width=width, columns=min(width, MOST_SLOTS), padding=found.padding)
    color, background = rgb(REAL), rgb(PADDING)
    image(axes, background + real[:, :, None] * (color - background), 0, width, found)
    box.legend(axes, [Patch(color=REAL, label="real"), Patch(color=PADDING, label="padding")])


def heat(box: Box, found: Portrait) -> None:
    """One feature over the steps of sequences, sorted by length."""
    import matplotlib
    from matplotlib.patches import Patch

    assert found.heat is not None
    values, real = found.heat.values, found.heat.real
    missing = ~np.isfinite(values) & real
    cells = np.broadcast_to(rgb(PADDING), (*values.shape, 3)).copy()
    cells[missing] = rgb(MISSING)
    finite = values[np.isfinite(values)]
    low, high = limits(finite, 0.01) if len(finite) else (0.0, 0.0)
    shown = real & ~missing
    colors = matplotlib.colormaps[SCALE]
    cells[shown] = colors(unit(values[shown], low, high))[:, :3]
    begin, end = int(found.slots[0]), int(found.slots[-1]) + 1
    text = "sequences sorted by length"
    if end - begin < found.width:
        side = "first" if found.padding == "post" else "last"
        text = f"{side} {end - begin:,} of {found.width:,} slots"
    box.heading(shorten(found.feature, 28), text + how_many(found))
    axes = box.axes(width=box.width - TICKS - 1.2)
    image(axes, cells, begin, end, found)
    handles = [Patch(color=PADDING, label="padding")]
    if missing.any():
        name = _not_finite(int(np.isnan(values[real]).sum()), int(np.isinf(values[real]).sum()))
        handles.append(Patch(color=MISSING, label=f"{name} ({share(missing.sum() / real.sum())})"))
    box.legend(axes, handles)
    if len(finite):
        height = box.height - HEAD - FOOT
        bar = box.axes_at(box.width - 1.07, HEAD, 0.15, height)
        box.text(box.width - 0.08, HEAD + height / 2, shorten(found.feature, 28), **_UPRIGHT)
        color_bar(bar, colors, low, high, clipped=(bool((finite < low).any()), bool((finite > high).any())))


def _not_finite(missing: int, infinite: int) -> str:
    """The name of numbers of which so many are NaN and so many infinite."""
    return " or ".join(name for name, number in (("NaN", missing), ("inf", infinite)) if number)


def how_many(found: Portrait) -> str:
    """The number of sequences that are drawn, where these are not all."""
    drawn, total = len(found.lengths), found.counts.count
    return f"; {drawn:,} of {total:,} sequences drawn" if drawn < total else ""


def image(axes: Axes, cells: Array, begin: int, end: int, found: Portrait) -> None:
    """Draw cells (R, C, 3) of sequences, the shortest at the top, over the slots from `begin` to `end`."""
    total = found.counts.count
    # Enlarged by whole factors first, the image is only ever scaled down: colours mix only where cells share a pixel.
    more = [-(-_PIXELS // size) for size in cells.shape[:2]]
    axes.imshow(
        (cells * 255).round().astype(np.uint8).repeat(more[0], axis=0).repeat(more[1], axis=1),
        extent=(begin, end, total, 0),
        aspect="auto",
        interpolation="antialiased",
    )
    axes.set_xlabel("slot" if found.maxlen is not None else "step")
    axes.set_ylabel("sequences, shortest first")
    whole_numbers(axes.xaxis, axes.yaxis)


def strips(found: Portrait) -> float:
    """The height of the panel that `steps` draws, 0 where there is nothing to draw."""
    if found.ids is not None:
        return 2.2 + FOOT
    rows = -(-len(found.distributions) // _columns(found))
    return _row_height(found) * rows if rows else 0.0


def _row_height(found: Portrait) -> float:
    """The height of a small histogram with its name, its numbers and, where one has it, its note."""
    return 1.45 if any(map(_note, found.distributions)) else 1.3


def _columns(found: Portrait) -> int:
    """The number of small histograms beside each other: up to 6 stand in one row, more in two."""
    histograms = len(found.distributions)
    return max(3, histograms if histograms <= 6 else -(-histograms // 2))


def steps(box: Box, found: Portrait) -> None:
    """The distributions of features over real steps, or the most frequent ids."""
    source = f"steps of {found.looked_at:,} of {count(found.counts.count, 'sequence')}"
    if found.ids is not None:
        _ids(box, found.ids, source)
        return
    shown, columns, height = len(found.distributions), _columns(found), _row_height(found)
    are_some = found.features is not None and shown < found.features
    part = f"the first {shown} of {found.features:,}; " if are_some else ""
    title = "Feature over real steps" if shown == 1 else "Features over real steps"
    box.heading(title, f"{part}{source}; the line is the median")
    width = (box.width + 0.3) / columns
    for i, distribution in enumerate(found.distributions):
        left, top = i % columns * width, HEAD + i // columns * height
        box.text(left, top + 0.1, shorten(distribution.name, int(11 * (width - 0.3))), size=9)
        box.text(left, top + 0.27, _note(distribution), size=9, color=MISSING)
        axes = box.axes_at(left, top + height - 1.08, width - 0.3, 0.72)
        histogram(axes, distribution)
        axes.set_yticks([])
        axes.spines["left"].set_visible(False)


def histogram(axes: Axes, found: Distribution) -> None:
    """Draw bars from 0 to 1, whatever the numbers are, so that matplotlib need not handle huge ones."""
    axes.set_xlim(-0.02, 1.02)
    axes.set_xticks([])
    if not found.bins:
        axes.set_yticks([])
        axes.text(0.5, 0.5, "no finite number", ha="center", va="center", size=9, color=SOFT)
        return
    bins = len(found.bins)
    axes.set_ylim(0, max(found.bins) * 1.05)
    if bins == 1:
        axes.bar([0.5], found.bins, width=0.1, color=REAL)
        axes.set_xticks([0.5], [number(found.low)])
        return
    axes.bar(np.arange(bins) / bins, found.bins, width=1 / bins, align="edge", color=REAL)
    half = 0.5 / bins if found.whole else 0.0
    axes.set_xticks([half, 1 - half], [number(found.low), number(found.high)])
    for label, side in zip(axes.get_xticklabels(), ("left", "right"), strict=True):
        label.set(ha=side)
    place = float(unit(np.array([found.median]), found.low, found.high)[0])
    axes.axvline(half + place * (1 - 2 * half), color=INK, linewidth=1.3)


def about_distribution(found: Distribution) -> str:
    """The range and the median of numbers, with the note on what their histogram does not show."""
    if not found.bins:
        return "no finite number"
    text = f"{number(found.least)} to {number(found.largest)}, median {number(found.median)}"
    return "; ".join([text, _note(found)]) if _note(found) else text


def _note(found: Distribution) -> str:
    """The shares of numbers that a histogram does not show."""
    strange = _not_finite(found.missing, found.infinite).replace(" or ", "/")  # the room is narrow
    parts = [(found.missing + found.infinite, strange), (found.beyond, "outside")]
    return ", ".join(f"{share(part / found.of)} {name}" for part, name in parts if part)


def _ids(box: Box, counted: ValueCounts, source: str) -> None:
    """Bars of the most frequent ids; `source` names the steps that they were counted in."""
    distinct = len(counted.names) + counted.others
    box.heading("Most frequent ids", f"{len(counted.names):,} of {count(distinct, 'id')}, in {source}")
    axes = box.axes()
    shares = [n / counted.of for n in counted.counts]
    axes.bar(range(len(shares)), [100 * part for part in shares], color=REAL, width=0.7)
    axes.set_xticks(range(len(shares)), [shorten(name, 8) for name in counted.names])
    axes.tick_params(axis="x", length=0)
    axes.set_xlim(-0.6, max(len(shares), 6) - 0.4)
    axes.set_xlabel("id")
    axes.set_ylabel("share of steps (%)")
