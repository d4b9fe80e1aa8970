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
from seqtool.plotting.portrait import MOST_SLOTS, Portrait, ValueCounts
from seqtool.plotting.sampling import Distribution, aligned_bars, covered, limits, reach, unit
from seqtool.sequences.lengths import LengthCounts
from seqtool.words import count

if TYPE_CHECKING:
    from matplotlib.axes import Axes

# Apart for every eye, and none of them in the scale of the heat map.
REAL, CUT, PADDING, MISSING = "#4477aa", "#ee7733", "#d9dce0", "#ee3377"
SCALE = "viridis"
_UPRIGHT = {"rotation": 90, "ha": "center", "size": 9.5, "color": SOFT}
_MOST_LENGTHS = 48  # bars
_FINE = 1200  # pixels, more than any panel has: edges between cells stay sharp


def _nothing(box: Box, title: str, why: str) -> None:
    box.heading(title, why)
    axes = box.axes(left=0.0)
    axes.set_axis_off()


def lengths(box: Box, found: Portrait) -> None:
    """How many sequences have which length, with the cut where there was one."""
    from matplotlib.patches import Patch

    counts, cut = (found.cut.counts if found.cut else found.counts), found.cut
    if not counts.count:
        _nothing(box, "Lengths", "no sequences")
        return
    axes = box.axes()
    edge = cut.maxlen if cut else None
    first, heights, width = aligned_bars(counts, longest=reach(counts), most=_MOST_LENGTHS, edge=edge)
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
    if least == right:  # the numbers beside it are no lengths
        axes.set_xticks([least], [f"{least:,}"])
    handles = [
        _line(axes, right, "median", counts.median(), INK, "-"),
        _line(axes, right, "95% ≤", counts.quantile(0.95), INK, "--"),
    ]
    if maxlen is not None:
        # where it cut, it stands between those that were cut and the others
        handles.append(_line(axes, right, "maxlen", maxlen, CUT, "-", shift=0.5 if maxlen == edge else 0.0))
    if cut:
        handles.append(Patch(color=CUT, label="cut"))
    box.heading("Lengths", _about_lengths(found, counts, longest))
    box.legend(axes, handles)


def _line(
    axes: Axes, right: int, name: str, place: float, color: str, style: Any, *, shift: float = 0.0
) -> Any:
    """Draw a line at a length, unless it is too far to the right; give what stands for it in the legend."""
    from matplotlib.lines import Line2D

    if place <= right:
        axes.axvline(place + shift, color=color, linewidth=1.5, linestyle=style)
    label = f"{name} {place:,.1f}".removesuffix(".0")
    return Line2D([], [], color=color, linestyle=style, label=label)


def _about_lengths(found: Portrait, counts: LengthCounts, longest: int) -> str:
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
        _nothing(box, title, "no sequences" if not found.counts.count else "no steps")
        return
    would = "are" if found.maxlen is not None else "would be"
    box.heading(title, f"{share(found.share)} of all slots {would} padding{how_many(found)}")
    axes = box.axes()
    real = covered(found.lengths, width=width, columns=min(width, MOST_SLOTS), padding=found.padding)
    color, rest = rgb(REAL), rgb(PADDING)
    image(axes, rest + real[:, :, None] * (color - rest), 0, width, found)
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
        what = _not_numbers(int(np.isnan(values[real]).sum()), int(np.isinf(values[real]).sum()))
        handles.append(Patch(color=MISSING, label=f"{what} ({share(missing.sum() / real.sum())})"))
    box.legend(axes, handles)
    if len(finite):
        tall = box.height - HEAD - FOOT
        bar = box.axes_at(box.width - 1.07, HEAD, 0.15, tall)
        box.text(box.width - 0.08, HEAD + tall / 2, shorten(found.feature, 28), **_UPRIGHT)
        color_bar(bar, colors, low, high, clipped=(bool((finite < low).any()), bool((finite > high).any())))


def _not_numbers(missing: int, infinite: int) -> str:
    """What so many NaN and infinite numbers are called."""
    return " or ".join(name for name, there in (("NaN", missing), ("inf", infinite)) if there)


def how_many(found: Portrait) -> str:
    """How many sequences are drawn, where that is not all of them."""
    drawn, total = len(found.lengths), found.counts.count
    return f"; {drawn:,} of {total:,} sequences drawn" if drawn < total else ""


def image(axes: Axes, cells: Array, begin: int, end: int, found: Portrait) -> None:
    """Cells (R, C, 3) of sequences, the shortest at the top, and slots from `begin` to `end`."""
    total = found.counts.count
    # Where cells become fewer, their colours are mixed: so that they never do, each is many at first.
    more = [-(-_FINE // size) for size in cells.shape[:2]]
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
    """The height of what `steps` draws, 0 where there is nothing to draw."""
    if found.ids is not None:
        return 2.2 + FOOT
    return _small(found) * -(-len(found.distributions) // _columns(found)) if found.distributions else 0.0


def _small(found: Portrait) -> float:
    """The height of a small histogram with its name, its numbers and, where one has it, its note."""
    return 1.45 if any(map(_note, found.distributions)) else 1.3


def _columns(found: Portrait) -> int:
    few = len(found.distributions)
    return max(3, few if few <= 6 else -(-few // 2))


def steps(box: Box, found: Portrait) -> None:
    """How features are distributed over real steps; of ids, the most frequent ones."""
    of = f"steps of {found.looked_at:,} of {count(found.counts.count, 'sequence')}"
    if found.ids is not None:
        _ids(box, found.ids, of)
        return
    shown, columns, tall = len(found.distributions), _columns(found), _small(found)
    some = f"the first {shown} of {found.features:,}; " if found.features and shown < found.features else ""
    title = "Feature over real steps" if shown == 1 else "Features over real steps"
    box.heading(title, f"{some}{of}; the line is the median")
    each = (box.width + 0.3) / columns
    for i, distribution in enumerate(found.distributions):
        left, top = i % columns * each, HEAD + i // columns * tall
        box.text(left, top + 0.1, shorten(distribution.name, int(11 * (each - 0.3))), size=9)
        box.text(left, top + 0.27, _note(distribution), size=9, color=MISSING)
        axes = box.axes_at(left, top + tall - 1.08, each - 0.3, 0.72)
        histogram(axes, distribution)
        axes.set_yticks([])
        axes.spines["left"].set_visible(False)


def histogram(axes: Axes, found: Distribution) -> None:
    """Bars from 0 to 1, whatever the numbers are: matplotlib need not handle huge ones."""
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
    """The range and the median of numbers, and what their histogram does not show."""
    if not found.bins:
        return "no finite number"
    text = f"{number(found.least)} to {number(found.largest)}, median {number(found.median)}"
    return "; ".join([text, _note(found)]) if _note(found) else text


def _note(found: Distribution) -> str:
    """What a histogram does not show."""
    strange = _not_numbers(found.missing, found.infinite).replace(" or ", "/")  # the room is narrow
    parts = [(found.missing + found.infinite, strange), (found.beyond, "outside")]
    return ", ".join(f"{share(part / found.of)} {what}" for part, what in parts if part)


def _ids(box: Box, counted: ValueCounts, of: str) -> None:
    distinct = len(counted.names) + counted.others
    box.heading("Most frequent ids", f"{len(counted.names):,} of {count(distinct, 'id')}, in {of}")
    axes = box.axes()
    shares = [n / counted.of for n in counted.counts]
    axes.bar(range(len(shares)), [100 * part for part in shares], color=REAL, width=0.7)
    axes.set_xticks(range(len(shares)), [shorten(name, 8) for name in counted.names])
    axes.tick_params(axis="x", length=0)
    axes.set_xlim(-0.6, max(len(shares), 6) - 0.4)
    axes.set_xlabel("id")
    axes.set_ylabel("share of steps (%)")
