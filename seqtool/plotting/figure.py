"""`picture`: a portrait of sequences as `.png`, `.svg` or `.html`, drawn with matplotlib."""

from __future__ import annotations

import contextlib
import io
import logging
import os
import warnings
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from seqtool.errors import UsageError
from seqtool.plotting import label_panels, panels
from seqtool.plotting.boxes import FOOT, HEAD, INK, MARGIN, SOFT, WIDTH, Box, shorten
from seqtool.plotting.marks import COMMENT, MARK
from seqtool.plotting.portrait import Portrait
from seqtool.plotting.webpages import page
from seqtool.words import by_size, count, printable

if TYPE_CHECKING:
    from matplotlib.figure import Figure

_DPI = 100  # so that a picture is 1200 pixels wide
_TITLE = 0.85  # inches
_HALF = (WIDTH - 3 * MARGIN) / 2  # the width of a panel beside another
_WHOLE = WIDTH - 2 * MARGIN
_HEIGHT = 2.6  # inches of a panel without its head and foot
_MORE_FONTS = (  # used if installed: they have letters that the font of matplotlib lacks
    "Noto Sans CJK JP",
    "Noto Sans CJK SC",
    "Hiragino Sans",
    "PingFang SC",
    "Microsoft YaHei",
    "Malgun Gothic",
    "Arial Unicode MS",
)
_STYLE: dict[Any, Any] = {
    "font.size": 10,
    "font.sans-serif": ["DejaVu Sans", "Verdana", "Geneva"],  # for readers of an .svg on other machines
    "text.parse_math": False,  # names are data
    "text.color": INK,
    "axes.edgecolor": SOFT,
    "axes.labelcolor": SOFT,
    "axes.labelsize": 9.5,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "xtick.labelsize": 9,
    "ytick.labelsize": 9,
    "xtick.color": SOFT,
    "ytick.color": SOFT,
    "legend.fontsize": 9,
    "legend.frameon": False,
    "svg.fonttype": "none",  # text stays text
    "svg.hashsalt": "seqtool",
}


def check_matplotlib() -> None:
    """Raise UsageError unless matplotlib can be imported."""
    try:
        with _quiet_matplotlib():
            import matplotlib.figure  # noqa: F401
    except ImportError as error:
        fault = "is missing" if isinstance(error, ModuleNotFoundError) else f"cannot be loaded ({error})"
        raise UsageError(f"matplotlib {fault}; plot needs it: pip install 'seqtool[plot]'") from None


def picture(found: Portrait, *, title: str, suffix: str) -> bytes:
    """Draw a portrait, 1200 pixels wide; the same portrait gives the same bytes.

    `suffix` is `.png`, `.svg`, or `.html`: a page with the picture and its main numbers. A person's settings of
    matplotlib have no effect. Raises UsageError where matplotlib is missing.
    """
    check_matplotlib()
    if suffix == ".html":
        return page(found, title=title, about=headline(found), svg=_rendered(found, title, ".svg"))
    return _rendered(found, title, suffix)


def _rendered(found: Portrait, title: str, suffix: str) -> bytes:
    with _quiet_matplotlib():
        import matplotlib
        from matplotlib import font_manager

        installed = font_manager.fontManager.get_font_names()
        fonts = ["DejaVu Sans", *(name for name in _MORE_FONTS if name in installed), "sans-serif"]
        out = io.BytesIO()
        with matplotlib.rc_context():
            matplotlib.rcdefaults()
            matplotlib.rcParams.update({**_STYLE, "font.family": fonts})
            figure = _draw(found, title)
            if suffix == ".png":
                figure.savefig(out, format="png", dpi=_DPI, metadata={"Software": MARK})
                return out.getvalue()
            about = {"Title": f"{printable(title)}: {headline(found)}", "Creator": MARK, "Date": None}
            figure.savefig(out, format="svg", dpi=2 * _DPI, metadata=about)
    xml, rest = out.getvalue().split(b"\n", 1)
    return b"\n".join([xml, COMMENT, rest])


@contextlib.contextmanager
def _quiet_matplotlib() -> Iterator[None]:
    """Keep matplotlib from warning of fonts, letters and settings: standard error is for messages of seqtool."""
    logger = logging.getLogger("matplotlib")
    level, backend = logger.level, os.environ.get("MPLBACKEND")
    logger.setLevel(logging.CRITICAL)
    os.environ["MPLBACKEND"] = "agg"  # a backend of the person that is not installed would be an error
    try:
        with warnings.catch_warnings():
            warnings.filterwarnings("ignore", category=DeprecationWarning)
            warnings.filterwarnings("ignore", message=r"(?s)Glyph \d+")
            yield
    finally:
        logger.setLevel(level)
        os.environ.pop("MPLBACKEND")
        if backend is not None:
            os.environ["MPLBACKEND"] = backend


def headline(found: Portrait) -> str:
    """The size of a file in one line.

    >>> import numpy as np
    >>> from seqtool.plotting.portrait import portrait
    >>> from seqtool.sequences.ragged import Ragged
    >>> headline(portrait(Ragged(np.arange(3), np.array([0, 1, 3])), maxlen=5, padding="pre"))
    '2 sequences, 3 steps, one number a step; padded to 5, pre'
    """
    step = ", one number a step" if found.features is None else f", {count(found.features, 'feature')}"
    step = f" of {by_size(found.step)}" if len(found.step) > 1 else step
    text = f"{count(found.counts.count, 'sequence')}, {count(found.steps, 'step')}{step}; "
    if not found.draws_lengths and found.counts.count > 1:
        text += f"all of {count(found.counts.longest, 'step')}; "
    if found.maxlen is None:
        return f"{text}ragged"
    return f"{text}padded to {found.maxlen:,}, {found.padding}"


def _draw(found: Portrait, title: str) -> Figure:
    """The figure with its panels in rows, at places in inches, so that nothing moves with the data."""
    from matplotlib.figure import Figure

    has_second_row = found.heat is not None or found.labels is not None
    over_time = found.over_time is not None
    strips = panels.strips(found)
    row = HEAD + _HEIGHT + FOOT
    more = -(-len(found.more_labels) // 2)  # rows of two
    rows = found.draws_lengths + has_second_row + more + over_time
    height = _TITLE + row * rows + (HEAD + strips if strips else 0)
    figure = Figure(figsize=(WIDTH, height), dpi=_DPI, facecolor="white")
    left, right = MARGIN, 2 * MARGIN + _HALF
    head = Box(figure, left, 0.0, _WHOLE, _TITLE)
    head.text(0.0, 0.3, shorten(title, 80), size=14, weight="bold")
    head.text(0.0, 0.58, headline(found), color=SOFT)
    top = _TITLE
    if found.draws_lengths:
        panels.lengths(Box(figure, left, top, _HALF, row), found)
        panels.mask(Box(figure, right, top, _HALF, row), found)
        top += row
    if found.heat is not None:
        panels.heat(Box(figure, left, top, _HALF if found.labels is not None else _WHOLE, row), found)
    if found.labels is not None:
        box = Box(figure, right if found.heat is not None else left, top, _HALF, row)
        label_panels.labels(box, found.labels, what=found.labelled, name=found.label_name)
    top += row if has_second_row else 0
    for i, (name, labels) in enumerate(found.more_labels):
        box = Box(figure, right if i % 2 else left, top + i // 2 * row, _HALF, row)
        label_panels.labels(box, labels, what=found.labelled, name=name)
    top += more * row
    if over_time:
        label_panels.over_time(Box(figure, left, top, _WHOLE, row), found)
        top += row
    if strips:
        panels.steps(Box(figure, left, top, _WHOLE, HEAD + strips), found)
    return figure
