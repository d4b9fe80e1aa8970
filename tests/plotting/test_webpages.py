"""The page with a picture and its numbers."""

from __future__ import annotations

from html.parser import HTMLParser

import numpy as np
import pytest

from seqtool.plotting.marks import COMMENT
from seqtool.plotting.portrait import Portrait, portrait
from seqtool.plotting.webpages import page, panels_in_words
from seqtool.sequences.ragged import Ragged, StepArray
from seqtool.sequences.validation import offsets_of
from seqtool.words import printable

SVG = b'<?xml version="1.0"?>\n<!DOCTYPE svg PUBLIC "x" "y">\n<svg width="10"><g/></svg>\n'


class Page(HTMLParser):
    """The rows of all tables, the elements that stand on the page, and which of them were not closed."""

    ALONE = {"meta"}

    def __init__(self, text: str) -> None:
        super().__init__()
        self.rows: list[list[str]] = []
        self.seen: list[tuple[str, dict[str, str | None]]] = []
        self.open: list[str] = []
        self.feed(text)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.seen.append((tag, dict(attrs)))
        if tag not in self.ALONE:
            self.open.append(tag)
        if tag == "tr":
            self.rows.append([])
        if tag in ("td", "th"):
            self.rows[-1].append("")

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.seen.append((tag, dict(attrs)))

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        if self.open and self.open[-1] in ("td", "th"):
            self.rows[-1][-1] += data


def of(found: Portrait, title: str = "a.npz") -> Page:
    text = page(found, title=title, about="two sequences", svg=SVG).decode()
    read = Page(text)
    assert read.open == []
    return read


NASTY = "<script>alert('&')</script>\x1b\n\"{x}"


@pytest.fixture
def found() -> Portrait:
    values = np.array([[1.0, np.nan], [2.0, 7.0], [4.0, 8.0]])
    return portrait(
        Ragged(
            values,
            np.array([0, 1, 3]),
            features=(NASTY, "b"),
            per_sequence={"y": np.array([0, 1]), "original_lengths": np.array([5, 2])},
            names={"classes": np.array([NASTY, "yes"])},
        ),
        maxlen=4,
        padding="pre",
    )


def test_the_main_numbers_stand_in_tables(found: Portrait) -> None:
    rows = of(found).rows
    for row in (
        ["sequences", "2"],
        ["steps", "3"],
        ["features", "2"],
        ["median length", "1.5"],
        ["longest", "2"],
        ["padded to", "4 slots, pre"],
        ["share of padding", "62%"],
        ["sequences cut", "1"],
        ["steps cut", "4"],
        ["b", "7", "7", "8", "33%", "0%"],
        ["yes", "1", "50%"],
    ):
        assert row in rows


def test_names_are_data(found: Portrait) -> None:
    read = of(found, NASTY)
    shown = NASTY.replace("\x1b", "\\x1b").replace("\n", "\\n")
    assert [shown, "1", "2", "4", "0%", "0%"] in read.rows
    assert [shown, "1", "50%"] in read.rows
    assert "script" not in {tag for tag, _ in read.seen}


def test_the_page_needs_nothing_else(found: Portrait) -> None:
    seen = of(found).seen
    assert not {tag for tag, _ in seen} & {"script", "link", "img", "iframe", "object"}
    assert not {name for _, attrs in seen for name in attrs} & {"src", "href", "srcset"}
    text = page(found, title="a", about="b", svg=SVG)
    assert b"url(" not in text
    assert b"@import" not in text


def test_the_picture_stands_on_the_page_and_is_described(found: Portrait) -> None:
    text = page(found, title="a", about="b", svg=SVG)
    assert text.startswith(b"<!DOCTYPE html>\n" + COMMENT)
    assert text.count(b"<svg") == 1
    assert b"<?xml" not in text
    [figure] = [attrs for tag, attrs in of(found).seen if tag == "figure"]
    assert figure["role"] == "img"
    assert printable(panels_in_words(found)) in str(figure["aria-label"])
    assert "color-scheme" in {attrs.get("name") for tag, attrs in of(found).seen if tag == "meta"}


def test_what_is_not_there_is_not_reported() -> None:
    empty = portrait(Ragged(np.empty((0, 2)), np.array([0])))
    assert of(empty).rows == [["sequences", "0"], ["steps", "0"], ["features", "2"]]
    ids = np.repeat(np.arange(20), 2)
    read = of(portrait(Ragged(ids, offsets_of(np.array([len(ids)])))))
    assert ["0", "2", "5%"] in read.rows
    assert ["5 more", "10", "25%"] in read.rows


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        (np.ones((3, 1)), "a heat map of feature 0, a histogram of 1 feature"),
        (np.ones((3, 2)), "a heat map of feature 0, histograms of 2 features"),
        (np.ones(3), "a heat map of value, a histogram of values"),
        (np.ones(3, int), "a heat map of id, the most frequent ids"),
    ],
)
def test_one_thing_is_reported_as_one(values: np.ndarray, expected: str) -> None:
    found = portrait(Ragged(values, np.array([0, 3])))
    assert panels_in_words(found).endswith(expected)
    assert "1 of 1 sequences" not in page(found, title="a", about="b", svg=SVG).decode()


def test_labels_of_steps_are_reported_as_such() -> None:
    labels = {"step_y": StepArray(np.array([1, 1, 0]), -1)}
    found = portrait(Ragged(np.empty((3, 0)), np.array([0, 3]), per_step=labels))
    assert panels_in_words(found).endswith("the balance of step labels, step labels over time")
    assert ["", "steps", "share"] in of(found).rows
    assert ["1", "2", "67%"] in of(found).rows
