"""The pictures themselves: that they are drawn of everything, legibly, and always alike."""

from __future__ import annotations

import logging
import os
import re
import sys
import xml.etree.ElementTree as ElementTree
from collections.abc import Iterator
from functools import cache
from typing import Any

import numpy as np
import pytest

from seqtool.errors import UsageError
from seqtool.plotting import figure as figure_module
from seqtool.plotting.figure import check_matplotlib, headline, picture
from seqtool.plotting.portrait import Portrait, portrait
from seqtool.sequences.ragged import Ragged, StepArray
from seqtool.sequences.validation import offsets_of

drawn = pytest.mark.matplotlib
NAMES = (
    "$x_1$ and \\frac{",
    "日本語の長い名前と続き",
    "a\nb\x1b[31m",
    "😀 émoji \u202e\ud800",
    "x" * 300,
    "",
    "<&>",
    "_$_",
)


def ragged_of(lengths: list[int] | np.ndarray, values: np.ndarray | None = None, **more: Any) -> Ragged:
    lengths = np.asarray(lengths, np.int64)
    steps = int(lengths.sum())
    if values is None:
        values = np.random.default_rng(0).normal(size=(steps, 2))
    return Ragged(values, offsets_of(lengths), **more)


def odd() -> np.ndarray:
    """Features that hold what is hard to draw."""
    rng = np.random.default_rng(1)
    x = rng.normal(size=(60, 8))
    x[:, 0] = 5
    x[:, 1] = np.nan
    x[:, 2] = rng.choice([1e300, -1e300, 1.7e308, -1.7e308, 0], 60)
    x[:, 3] = np.where(x[:, 3] > 0, np.inf, -np.inf)
    x[:, 4] = 5e-324
    x[::2, 5] = np.nan
    x[:, 6] = rng.standard_cauchy(60)
    x[:, 7] = 2.0**63
    return x


def wide() -> np.ndarray:
    """Six features with everything that a histogram does not show."""
    x = np.random.default_rng(2).normal(size=(2000, 6))
    x[:600], x[600:900], x[900:903] = np.nan, np.inf, 1e9
    return x


def labelled(y: Any, classes: tuple[str, ...] | None = None) -> Ragged:
    names = {} if classes is None else {"classes": np.array([name.replace("\ud800", "") for name in classes])}
    return ragged_of([3] * len(y), per_sequence={"y": np.asarray(y)}, names=names)


def several(count: int) -> Ragged:
    """Sequences with so many labels each: a number, and then classes."""
    y = np.stack([np.arange(4) + 0.5, *[np.arange(4.0) % 2] * (count - 1)], axis=1)
    called = {"label_names": np.array(["time", *(f"kind {i}" for i in range(1, count))])}
    classes = {f"classes_{i}": np.array(["never seen before", "lost"]) for i in range(1, count)}
    return ragged_of([3, 1, 2, 2], per_sequence={"y": y}, names={**called, **classes})


def tail() -> Ragged:
    lengths = np.full(2000, 8)
    lengths[7] = 90_000
    return ragged_of(lengths)


def step_labelled(step_y: Any, **more: Any) -> Ragged:
    step_y = np.asarray(step_y)
    return ragged_of([2, len(step_y) - 2], per_step={"step_y": StepArray(step_y, -1)}, **more)


CASES: dict[str, tuple[Any, dict[str, Any]]] = {
    "ragged": (lambda: ragged_of([3, 1, 7]), {}),
    "post": (lambda: ragged_of([3, 1, 7]), {"maxlen": 9}),
    "pre": (lambda: ragged_of([3, 1, 7]), {"maxlen": 9, "padding": "pre"}),
    "cut": (
        lambda: ragged_of([3, 1, 3], per_sequence={"original_lengths": np.array([9, 1, 4])}),
        {"maxlen": 3},
    ),
    "none": (lambda: ragged_of([]), {}),
    "none padded": (lambda: ragged_of([]), {"maxlen": 5}),
    "empty": (lambda: ragged_of([0, 0]), {}),
    "empty padded": (lambda: ragged_of([0, 0]), {"maxlen": 2}),
    "one": (lambda: ragged_of([1]), {}),
    "no features": (lambda: ragged_of([2], np.empty((2, 0))), {}),
    "ids": (lambda: ragged_of([30, 31], np.arange(61) % 25 * 10**17), {}),
    "booleans": (lambda: ragged_of([2, 3], np.array([True, False, True, True, False])), {}),
    "integers": (lambda: ragged_of([2, 1], np.array([[2**62], [-(2**62)], [0]])), {}),
    "single floats": (lambda: ragged_of([2, 1], np.array([0.5, np.nan, np.inf])), {}),
    **{
        f"odd {i}": (lambda: ragged_of([40, 20], odd(), features=NAMES), {"feature": str(i)})
        for i in range(8)
    },
    "fifty features": (lambda: ragged_of([4], np.ones((4, 50))), {}),
    "tail": (tail, {}),
    "tail pre": (tail, {"maxlen": 90_000, "padding": "pre"}),
    "long": (lambda: ragged_of([5000], np.arange(5000.0)), {}),
    "classes": (lambda: labelled([0, 1, 2, 3, 4, 5], NAMES), {}),
    "many classes": (lambda: labelled(np.arange(40) // 2, tuple(f"class {i}" for i in range(20))), {}),
    "real labels": (lambda: labelled([0.5, np.nan, 1e300]), {}),
    "endless labels": (lambda: labelled([np.inf, 0.5, -np.inf]), {}),
    "step labels": (lambda: step_labelled([0, 1, 1, 1, 0], names={"classes": np.array(["no", "yes"])}), {}),
    "real step labels": (lambda: step_labelled([0.5, 1.5, np.inf]), {}),
    "wide notes": (lambda: ragged_of([2000], wide()), {}),
    "two labels": (lambda: several(2), {}),
    "seven labels": (lambda: several(7), {}),
    "some labels": (lambda: labelled([1.0, np.nan]), {}),
}


@cache
def case(name: str) -> Portrait:
    data, more = CASES[name]
    return portrait(data(), **more)


@cache
def pictured(name: str, suffix: str) -> bytes:
    """The picture of a case, drawn once a session."""
    return picture(case(name), title=f"{name} $x$ 日本.npz", suffix=suffix)


@cache
def laid_out_case(name: str) -> Any:
    """The figure of a case, laid out once a session."""
    return figure(case(name))


@pytest.fixture
def untouched() -> Iterator[None]:
    """Drawing leaves what is global as it was."""
    import matplotlib

    def state() -> Any:
        # Who asks for the backend loads pyplot.
        settings = {name: matplotlib.rcParams[name] for name in matplotlib.rcParams if name != "backend"}
        pyplot = "matplotlib.pyplot" in sys.modules
        return settings, pyplot, os.environ.get("MPLBACKEND"), logging.getLogger("matplotlib").level

    before = state()
    yield
    assert state() == before


@drawn
@pytest.mark.usefixtures("untouched")
@pytest.mark.parametrize("name", CASES)
def test_everything_can_be_drawn(name: str, caplog: pytest.LogCaptureFixture) -> None:
    """Warnings are errors here, those of missing letters too."""
    if name.startswith(("odd", "none", "ids", "classes", "real")):
        page = pictured(name, ".html").decode()
        svg = page[page.index("<svg") : page.index("</figure>")]
        assert ElementTree.fromstring(svg).tag.endswith("svg")
    else:
        laid_out_case(name)
    assert caplog.records == []


@drawn
def test_a_picture_is_1200_pixels_wide() -> None:
    png = pictured("ids", ".png")
    assert png.startswith(b"\x89PNG")
    assert int.from_bytes(png[16:20]) == 1200


def figure(found: Portrait) -> Any:
    """The figure of a picture, laid out."""
    import matplotlib
    from matplotlib.backends.backend_agg import FigureCanvasAgg

    with matplotlib.rc_context(), figure_module._quiet_matplotlib():
        matplotlib.rcdefaults()
        matplotlib.rcParams.update(figure_module._STYLE)
        laid_out = figure_module._draw(found, "title")
        FigureCanvasAgg(laid_out).draw()
    return laid_out


def texts(laid_out: Any) -> list[Any]:
    """Every text of a figure that is seen."""
    from matplotlib.text import Text

    return [text for text in laid_out.findobj(Text) if text.get_visible() and text.get_text().strip()]


def boxes(laid_out: Any) -> list[tuple[str, Any]]:
    """What each text that is drawn says, and where it stands, in pixels."""
    ticked, shown = set(), set()
    for axes in laid_out.axes:
        for axis in (axes.xaxis, axes.yaxis):
            ticked |= {label for tick in axis.get_major_ticks() for label in (tick.label1, tick.label2)}
            if axes.axison:  # what lies outside the axes is no part of the picture
                shown |= {label for tick in axis._update_ticks() for label in (tick.label1, tick.label2)}
    renderer = laid_out.canvas.get_renderer()
    return [
        (text.get_text(), text.get_window_extent(renderer))
        for text in texts(laid_out)
        if text not in ticked - shown
    ]


@drawn
@pytest.mark.parametrize("name", [name for name in CASES if not re.match("odd [4-7]", name)])
def test_texts_are_legible_apart_and_on_the_page(name: str) -> None:
    laid_out = laid_out_case(name)
    assert laid_out.get_size_inches()[0] * laid_out.dpi == 1200
    assert min(text.get_fontsize() for text in texts(laid_out)) >= 9
    width, height = laid_out.bbox.size
    found = boxes(laid_out)
    for text, box in found:
        assert box.x0 >= 0, text
        assert box.x1 <= width, text
        assert box.y0 >= 0, text
        assert box.y1 <= height, text
    for i, (text, box) in enumerate(found):
        for other, beside in found[:i]:
            across = min(box.x1, beside.x1) - max(box.x0, beside.x0)
            down = min(box.y1, beside.y1) - max(box.y0, beside.y0)
            assert min(across, down) <= 2, (text, other)  # lines of text have room above and below


@drawn
def test_what_the_picture_says() -> None:
    found = case("cut")
    options = {text.get_text() for text in texts(laid_out_case("cut"))}
    assert {
        "title",
        headline(found),
        "2 sequences lost 7 steps, 50% of all",
        "maxlen 3",
        "cut",
        "length before the cut (steps)",
        "22% of all slots are padding",
        "feature 0",
        "slot",
        "sequences, shortest first",
        "Features over real steps",
        "steps of 3 of 3 sequences; the line is the median",
    } <= options
    assert "Labels" not in options
    options = {text.get_text() for text in texts(laid_out_case("some labels"))}
    assert {"Labels", "1 class, 1 sequence; 1 without a label"} <= options


@drawn
def test_padding_missing_numbers_and_numbers_have_colours_of_their_own() -> None:
    from matplotlib.colors import to_rgb

    found = portrait(ragged_of([3, 1], np.array([[0.0], [np.nan], [1.0], [0.5]])), maxlen=3, padding="pre")
    heat = [axes for axes in figure(found).axes if axes.get_images()][1]
    shown = np.asarray(heat.get_images()[0].get_array())
    cells = shown[:: shown.shape[0] // 2, :: shown.shape[1] // 3][:2, :3] / 255

    def close(cell: Any, color: str) -> bool:
        return bool(np.allclose(cell, to_rgb(color), atol=0.01))

    assert [close(cell, "#d9dce0") for cell in cells.reshape(6, 3)] == [
        True,
        True,
        False,
        False,
        False,
        False,
    ]
    assert [close(cell, "#ee3377") for cell in cells.reshape(6, 3)] == [False] * 4 + [True, False]
    assert close(cells[1, 0], "#440154")  # the two ends of the scale
    assert close(cells[1, 2], "#fde725")


@drawn
@pytest.mark.parametrize(
    ("strange", "message"),
    [([np.nan], "NaN (25%)"), ([np.inf], "inf (25%)"), ([-np.inf, np.nan], "NaN or inf (50%)"), ([], None)],
)
def test_infinite_numbers_are_missing_ones(strange: list[float], message: str | None) -> None:
    values = np.array([*strange, *[1.0, 2.0, 3.0, 4.0][len(strange) :]])[:, None]
    laid_out = figure(portrait(ragged_of([4], values)))
    words = [text.get_text() for text in texts(laid_out)]
    assert [text for text in words if text.endswith("%)")] == ([] if message is None else [message])
    assert not any(text.startswith(("≤", "≥")) for text in words)
    image = np.asarray(next(axes for axes in laid_out.axes if axes.get_images()).get_images()[0].get_array())
    pink = (image[0, :: image.shape[1] // 4][:4] == [0xEE, 0x33, 0x77]).all(axis=1)
    assert pink.tolist() == [True] * len(strange) + [False] * (4 - len(strange))


@drawn
@pytest.mark.parametrize(
    ("original", "maxlen", "place"), [(None, 3, 3), ([9, 1, 4], 3, 3.5), ([9, 1, 4], 6, 6), ([3, 1, 3], 3, 3)]
)
def test_the_line_of_maxlen_stands_between_bars_only_where_it_cut(
    original: list[int] | None, maxlen: int, place: float
) -> None:
    arrays = {} if original is None else {"original_lengths": np.array(original)}
    axes = figure(portrait(ragged_of([3, 1, 3], per_sequence=arrays), maxlen=maxlen)).axes[0]
    [line] = [line for line in axes.get_lines() if line.get_color() == "#ee7733"]
    assert line.get_xdata()[0] == place


@drawn
def test_what_is_said_of_step_labels() -> None:
    options = {text.get_text() for text in texts(laid_out_case("step labels"))}
    assert {"Step labels", "2 classes, 5 steps", "steps", "no", "yes"} <= options
    assert "Labels" not in options
    assert "label (step_y)" in {text.get_text() for text in texts(laid_out_case("real step labels"))}


@drawn
@pytest.mark.parametrize("suffix", [".png", ".svg", ".html"])
def test_the_same_gives_the_same_bytes(suffix: str) -> None:
    one = pictured("classes", suffix)
    assert picture(case("classes"), title="classes $x$ 日本.npz", suffix=suffix) == one
    assert b"Matplotlib" not in one
    assert not re.search(rb"20\d\d-\d\d-\d\d", one)


@drawn
@pytest.mark.parametrize(
    ("suffix", "mark"), [(".png", b"tEXtSoftware\0seqtool plot"), (".svg", b"<!-- seqtool plot -->")]
)
def test_a_picture_says_who_drew_it(suffix: str, mark: bytes) -> None:
    assert mark in pictured("one", suffix)[:1024]


@drawn
def test_settings_of_a_person_do_not_matter() -> None:
    import matplotlib

    before = pictured("ids", ".png")
    odd_settings = {"figure.dpi": 30, "savefig.bbox": "tight", "text.usetex": True, "font.size": 30}
    with matplotlib.rc_context({**odd_settings, "axes.prop_cycle": "cycler('color', ['r'])"}):
        assert picture(case("ids"), title="ids $x$ 日本.npz", suffix=".png") == before


@drawn
def test_names_stay_text() -> None:
    svg = pictured("odd 0", ".svg").decode()
    text = "".join(ElementTree.fromstring(svg).itertext())
    for name in ("$x_1$ and \\frac{", "a\\nb\\x1b[31m", "<&>", "_$_"):
        assert name in text
    assert "日本語" in text


def test_without_matplotlib_the_way_out_is_reported(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "matplotlib", None)
    monkeypatch.delitem(sys.modules, "matplotlib.figure", raising=False)
    for call in (check_matplotlib, lambda: picture(case("one"), title="a", suffix=".png")):
        with pytest.raises(
            UsageError, match=r"^matplotlib is missing; .*: pip install 'seqtool\[plot\]'$"
        ) as caught:
            call()
        assert caught.value.exit_code == 2


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("ragged", "3 sequences, 11 steps, 2 features; ragged"),
        ("pre", "3 sequences, 11 steps, 2 features; padded to 9, pre"),
        ("one", "1 sequence, 1 step, 2 features; ragged"),
        ("single floats", "2 sequences, 3 steps, one number a step; ragged"),
    ],
)
def test_the_headline(name: str, expected: str) -> None:
    assert headline(case(name)) == expected


def written(found: Portrait) -> list[str]:
    svg = ElementTree.fromstring(picture(found, title="a.npz", suffix=".svg"))
    return ["".join(text.itertext()) for text in svg.iter("{http://www.w3.org/2000/svg}text")]


@drawn
def test_names_of_classes_stand_in_full_where_there_is_room() -> None:
    names = ("congestive heart failure", "normal sinus rhythm")
    assert set(names) <= set(written(portrait(labelled([0, 1, 1], names))))


@drawn
def test_the_bars_of_two_classes_fill_their_panel() -> None:
    from matplotlib.axes import Axes

    figure = figure_module._draw(portrait(labelled([0, 1, 1], ("a", "b"))), "a.npz")
    (axes,) = [
        axes
        for axes in figure.axes
        if [str(tick.get_text()) for tick in axes.get_yticklabels()] == ["a", "b"]
    ]
    assert isinstance(axes, Axes)
    low, high = sorted(axes.get_ylim())
    rows = sorted(bar.get_y() + bar.get_height() / 2 for bar in axes.patches)
    assert rows == [0, 1]
    assert high - rows[1] < 1
    assert rows[0] - low < 1


@drawn
def test_equal_lengths_are_reported_in_a_line() -> None:
    equal = portrait(labelled([0, 1, 1], ("a", "b")), maxlen=4)
    text = written(equal)
    assert "3 sequences, 9 steps, 2 features; all of 3 steps; padded to 4, post" in text
    assert not {"Lengths", "Real steps and padding"} & set(text)
    assert {"Lengths", "Real steps and padding"} <= set(written(portrait(ragged_of([2, 3]))))
    # With nothing else to draw, they are drawn.
    assert "Lengths" in written(portrait(ragged_of([2, 2], np.empty((4, 0)))))


@drawn
def test_the_title_of_labels_names_their_column() -> None:
    receipt = ({"command": "group", "arguments": {"label": "speaker", "step_label": "phone"}},)
    assert "Labels: speaker" in written(portrait(labelled([0, 1, 1]).replace(receipt=receipt)))
    text = written(portrait(step_labelled([0, 1, 1, 2]).replace(receipt=receipt)))
    assert {"Step labels: phone", "Step labels over time: phone"} <= set(text)


@drawn
def test_each_of_a_few_labels_has_a_panel_of_its_own() -> None:
    assert {"Labels: time", "Labels: kind 1", "lost"} <= set(written(case("two labels")))
    text = set(written(case("seven labels")))
    assert {"Labels: time", *(f"Labels: kind {i}" for i in range(1, 5))} <= text
    assert "Labels: kind 5" not in text
    assert case("seven labels").omitted == tuple(
        f"y of 'kind {i}': the first 5 labels are drawn" for i in (5, 6)
    )
    page = pictured("two labels", ".html").decode()
    for words in ("Labels: kind 1", "never seen before", "the balance of 2 labels"):
        assert words in page


@drawn
@pytest.mark.parametrize(
    ("step_y", "classes", "expected"),
    [
        ([0, 1, -1, 1], ("walking", "running"), {"walking", "running", "no label", "padding"}),
        ([0.5, 1.5, np.nan, 2], None, {"no label", "padding", "0.5", "2"}),
        (list(range(20)), tuple(f"class {i}" for i in range(20)), {"0", "19"}),
        ([0, 1, 9, 1], ("walking", "running"), {"walking", "running", "no label"}),
        ([-1, -1, -1, -1], (), {"no label", "padding"}),
    ],
)
def test_step_labels_are_drawn_over_time(step_y: list[float], classes: Any, expected: set[str]) -> None:
    names = {} if classes is None else {"names": {"classes": np.array(classes, np.str_)}}
    assert expected | {"Step labels over time"} <= set(
        written(portrait(step_labelled(step_y, **names), maxlen=25))
    )


def test_labels_over_time_stand_where_their_steps_do() -> None:
    data = ragged_of([1, 3], per_step={"step_y": StepArray(np.array([5, 6, 7, 8]), -1)})
    found = portrait(data, maxlen=4, padding="pre").over_time
    assert found is not None
    np.testing.assert_array_equal(found.values, [[np.nan] * 3 + [5], [np.nan, 6, 7, 8]])
    assert found.real.tolist() == [[False] * 3 + [True], [False, True, True, True]]
