"""The page of a picture: boxes in inches from its top left corner, and the texts and scales inside them."""

from __future__ import annotations

import unicodedata
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from seqtool.arrays.dtypes import Array
from seqtool.dataclass import dataclass
from seqtool.words import printable

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

# Inches.
WIDTH, MARGIN = 12.0, 0.35
HEAD, FOOT = 0.62, 0.75  # of a box: the title above the axes; the labels of axes, and the gap to the next box
TICKS = 0.62  # for the numbers at the left of axes

INK, SOFT = "#222222", "#5c636a"


@dataclass(frozen=True)
class Box:
    """A part of the page, in inches from its top left corner."""

    figure: Figure
    left: float
    top: float
    width: float
    height: float

    def text(self, right: float, down: float, text: str, **style: Any) -> None:
        """Write text that begins `right` inches from the left, with its middle `down` inches from the top."""
        x, y = self._place(right, down)
        self.figure.text(x, y, text, **{"va": "center", "ha": "left", **style})

    def heading(self, title: str, about: str) -> None:
        """The title of a panel, and a line about it."""
        self.text(0.0, 0.12, title, size=11, weight="bold")
        self.text(0.0, 0.36, about, size=9.5, color=SOFT)

    def axes(self, *, left: float = TICKS, width: float | None = None) -> Axes:
        """Axes below the heading, `left` inches from the left, of this width or as wide as the box allows."""
        width = self.width - left if width is None else width
        return self.axes_at(left, HEAD, width, self.height - HEAD - FOOT)

    def axes_at(self, left: float, top: float, width: float, height: float) -> Axes:
        """Axes anywhere in the box, in inches from its top left corner."""
        x, y = self._place(left, top + height)
        page = self.figure.get_size_inches()
        axes: Axes = self.figure.add_axes((x, y, width / page[0], height / page[1]))
        return axes

    def legend(self, axes: Axes, handles: Sequence[Any]) -> None:
        """What the colours and lines mean, at the right of the title."""
        axes.legend(
            handles=handles,
            loc="center right",
            ncols=len(handles),
            bbox_to_anchor=self._place(self.width, 0.12),
            bbox_transform=self.figure.transFigure,
            borderaxespad=0,
            borderpad=0,
            columnspacing=1.2,
            handlelength=1.4,
            handletextpad=0.5,
        )

    def _place(self, right: float, down: float) -> tuple[float, float]:
        """A place in the box as matplotlib counts it: shares of the page, from the bottom left corner."""
        width, height = self.figure.get_size_inches()
        return (self.left + right) / width, 1 - (self.top + down) / height


def shorten(text: str, most: int) -> str:
    """Text in one line, at most `most` letters wide; longer text is cut, and ends in an ellipsis.

    >>> shorten("temperature", 6), shorten("short", 6)
    ('tempe…', 'short')
    """
    text = printable(text)
    if letters(text) <= most:
        return text
    return f"{text[: next(end for end in range(most, -1, -1) if letters(text[:end]) < most)].rstrip()}…"


def letters(text: str) -> int:
    """The width of text in letters; wide ones, such as Chinese, count twice.

    >>> letters("ab"), letters("長さ")
    (2, 4)
    """
    return sum(2 if unicodedata.east_asian_width(letter) in "WF" else 1 for letter in text)


def number(value: float) -> str:
    """A number with three digits, as axes show it.

    >>> number(0.123456), number(1250.4), number(1e300)
    ('0.123', '1,250', '1e+300')
    """
    return f"{value:,.0f}" if 999.5 <= abs(value) < 1e6 else f"{value:.3g}"


def share(part: float) -> str:
    """A share in whole percent: only nothing reads as 0%, and only the whole as 100%.

    >>> share(0.456), share(0.001), share(0.9999)
    ('46%', '<1%', '>99%')
    """
    if 0 < part < 0.01:
        return "<1%"
    return ">99%" if 0.99 < part < 1 else f"{part:.0%}"


def whole_numbers(*axes: Any) -> None:
    """Label each axis with a few whole numbers, large ones short, such as 50k, where they stay distinct."""
    from matplotlib.ticker import EngFormatter, FuncFormatter, MaxNLocator

    short, plain = EngFormatter(sep=""), FuncFormatter(lambda value, _: f"{value:,.0f}")
    for axis in axes:
        low, high = sorted(axis.get_view_interval())
        axis.set_major_locator(MaxNLocator(nbins=6, integer=True, steps=[1, 2, 5, 10]))
        axis.set_major_formatter(short if high >= 1e5 and low < high / 2 else plain)


def color_bar(bar: Axes, colors: Any, low: float, high: float, *, clipped: tuple[bool, bool]) -> None:
    """Draw the scale of a heat map from `low` to `high`; `clipped` says at which ends numbers lie beyond it."""
    shades = colors(np.linspace(0, 1 if high > low else 0, 256))[:, None, :3]
    bar.imshow(shades, origin="lower", aspect="auto", extent=(0, 1, 0, 1))
    places = [0, 0.5, 1] if high > low else [0.5]
    texts = [number(low), number(low / 2 + high / 2), number(high)][: len(places)]
    if clipped[0]:
        texts[0] = f"≤ {texts[0]}"
    if clipped[1]:
        texts[-1] = f"≥ {texts[-1]}"
    bar.set_xticks([])
    bar.set_yticks(places, texts)
    bar.yaxis.tick_right()
    bar.set_frame_on(False)
    bar.tick_params(length=0)


def rgb(color: str) -> Array:
    """A colour as red, green and blue from 0 to 1, (3,)."""
    from matplotlib.colors import to_rgb

    return np.array(to_rgb(color))
