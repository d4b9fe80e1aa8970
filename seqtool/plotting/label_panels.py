"""The panels of labels: the number of each, and labels of steps over time."""

from __future__ import annotations

import numpy as np

from seqtool.arrays.dtypes import Array
from seqtool.plotting.boxes import (
    FOOT,
    HEAD,
    SOFT,
    TICKS,
    Box,
    color_bar,
    letters,
    rgb,
    shorten,
    whole_numbers,
)
from seqtool.plotting.drawn_labels import LabelHolder
from seqtool.plotting.panels import (
    MISSING,
    PADDING,
    REAL,
    SCALE,
    about_distribution,
    histogram,
    how_many,
    image,
)
from seqtool.plotting.portrait import Portrait
from seqtool.plotting.sampling import Distribution, ValueCounts, limits, unit
from seqtool.words import count

_MOST_LETTERS = 32  # of the name of a class: more would leave its bar no room
_FEW_CLASSES = 8  # up to so many have a colour each
_COLORS = ("#4477aa", "#ee6677", "#228833", "#ccbb44", "#66ccee", "#aa3377", "#bb5566", "#222255")


def labels(box: Box, values: ValueCounts | Distribution, *, what: LabelHolder, name: str | None) -> None:
    """The number of sequences, or steps, with each label; `name` is the column that the labels came from."""
    title = "Labels" if what == "sequence" else "Step labels"
    if name is not None:
        title = f"{title}: {shorten(name, 40)}"
    if isinstance(values, Distribution):
        axes = box.axes(width=box.width - TICKS - 0.2)
        box.heading(title, about_distribution(values))
        histogram(axes, values)
        axes.set_xlabel(f"label ({values.name})")
        axes.set_ylabel(f"{what}s")
        whole_numbers(axes.yaxis)
        return
    classes = len(values.names) + values.others
    text = f"{classes:,} {'class' if classes == 1 else 'classes'}, {count(values.of, what)}"
    if values.others:
        text = f"{len(values.names):,} of {classes:,} classes; the others hold {values.rest:,} of {values.of:,} {what}s"
    box.heading(title, f"{text}; {values.missing:,} without a label" if values.missing else text)
    names, counts = [shorten(name, _MOST_LETTERS) for name in values.names], values.counts
    axes = box.axes(left=0.2 + 0.09 * max(map(letters, names), default=0))
    drawn = axes.barh(range(len(counts)), counts, color=REAL, height=0.25 * min(3, len(counts)))
    axes.bar_label(drawn, [f"{n:,}" for n in counts], padding=3, fontsize=9, color=SOFT)
    axes.set_yticks(range(len(names)), names)
    axes.tick_params(axis="y", length=0)
    axes.set_ylim(len(counts) - 0.4, -0.6)
    axes.set_xlim(0, max([1, *counts]) * 1.18)
    axes.set_xlabel(f"{what}s")
    whole_numbers(axes.xaxis)


def over_time(box: Box, found: Portrait) -> None:
    """Labels of steps over the steps of sequences, sorted by length."""
    from matplotlib.patches import Patch

    assert found.over_time is not None
    values, real = found.over_time.values, found.over_time.real
    classes = found.step_classes
    few = classes is not None and len(classes) <= _FEW_CLASSES
    known = real & np.isfinite(values) & ((values >= 0) | (classes is None))
    if classes is not None and few:
        known &= values < len(classes)  # a damaged file may hold others, which have no colour
    cells = np.broadcast_to(rgb(PADDING), (*values.shape, 3)).copy()
    cells[real] = rgb(MISSING)
    title = "Step labels over time"
    if found.labelled == "step" and found.label_name is not None:
        title = f"{title}: {shorten(found.label_name, 40)}"
    box.heading(title, "sequences sorted by length" + how_many(found))
    axes = box.axes(width=None if few else box.width - TICKS - 1.2)
    handles = [] if real.all() else [Patch(color=PADDING, label="padding")]
    if (real & ~known).any():
        handles.append(Patch(color=MISSING, label="no label"))
    if classes and few:
        most = 96 // len(classes) - 6  # letters of each name that find room beside the title
        cells[known] = np.array([rgb(color) for color in _COLORS])[values[known].astype(int)]
        handles += [
            Patch(color=color, label=shorten(name, most))
            for color, name in zip(_COLORS, classes, strict=False)
        ]
    elif known.any():
        cells[known] = _shades(box, values[known])
    image(axes, cells, int(found.slots[0]), int(found.slots[-1]) + 1, found)
    box.legend(axes, handles)


def _shades(box: Box, labels: Array) -> Array:
    """Draw the scale of labels (n,) that are numbers or many classes, and give the colour of each, (n, 3)."""
    import matplotlib

    low, high = limits(labels, 0.0)
    colors = matplotlib.colormaps[SCALE]
    bar = box.axes_at(box.width - 1.07, HEAD, 0.15, box.height - HEAD - FOOT)
    color_bar(bar, colors, low, high, clipped=(False, False))
    return np.asarray(colors(unit(labels, low, high))[:, :3])
