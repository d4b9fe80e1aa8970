"""`page`: a picture and its main numbers as one web page that loads no other file."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from html import escape

from seqtool.plotting.boxes import number, share
from seqtool.plotting.marks import COMMENT
from seqtool.plotting.portrait import Portrait
from seqtool.plotting.sampling import Distribution, ValueCounts
from seqtool.words import by_size, count, printable

_PAGE = """<!DOCTYPE html>
{mark}
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<title>{title}</title>
<style>
:root {{ color-scheme: light dark; font: 16px/1.5 system-ui, sans-serif; }}
body {{ max-width: 1200px; margin: 2rem auto; padding: 0 1rem; }}
figure {{ margin: 1.5rem 0; background: white; border-radius: 8px; overflow-x: auto; }}
figure svg {{ display: block; width: 100%; min-width: 800px; height: auto; }}
table {{ border-collapse: collapse; margin: 0.5rem 0 2rem; }}
caption {{ text-align: left; font-weight: 600; padding: 0.5rem 0; }}
th, td {{ padding: 0.25rem 1.5rem 0.25rem 0; border-bottom: 1px solid #8886; }}
th {{ text-align: left; font-weight: 400; overflow-wrap: anywhere; }}
thead th {{ opacity: 0.7; }}
td, thead th + th {{ text-align: right; font-variant-numeric: tabular-nums; }}
</style>
</head>
<body>
<h1>{title}</h1>
<p>{about}</p>
<figure role="img" aria-label="{alt}">
{svg}
</figure>
{tables}
</body>
</html>
"""


def page(found: Portrait, *, title: str, about: str, svg: bytes) -> bytes:
    """A page with a portrait's picture, which is a whole `.svg` file, and tables of its main numbers."""
    drawing = svg.decode()
    return _PAGE.format(
        mark=COMMENT.decode(),
        title=_text(title),
        about=_text(about),
        alt=_text(
            f"{title}: {about}. It shows {panels_in_words(found)}; the tables below hold the main numbers."
        ),
        svg=drawing[drawing.index("<svg") :].strip(),
        tables="\n".join(_tables(found)),
    ).encode()


def panels_in_words(found: Portrait) -> str:
    """The panels of a picture, in words.

    >>> import numpy as np
    >>> from seqtool.plotting.portrait import portrait
    >>> from seqtool.sequences.ragged import Ragged
    >>> panels_in_words(portrait(Ragged(np.empty((0, 2)), np.array([0]))))
    'a histogram of lengths, a heat map of real steps and padding'
    """
    parts = ["a histogram of lengths", "a heat map of real steps and padding"] if found.draws_lengths else []
    if found.heat is not None:
        parts.append(f"a heat map of {found.feature}")
    if found.labels is not None:
        name = "labels" if found.labelled == "sequence" else "step labels"
        several = len(found.more_labels) + 1
        if several > 1:
            parts.append(f"the balance of {several} {name}")
        else:
            kind = "the balance" if isinstance(found.labels, ValueCounts) else "a histogram"
            parts.append(f"{kind} of {name}")
    if found.over_time is not None:
        parts.append("step labels over time")
    if found.ids is not None:
        parts.append("the most frequent ids")
    if found.distributions:
        shown = len(found.distributions)
        histogram = "a histogram" if shown == 1 else "histograms"
        parts.append(f"{histogram} of {'values' if found.features is None else count(shown, 'feature')}")
    return ", ".join(parts)


def sampled_in_words(found: Portrait) -> str:
    """Which panels show a sample alone, and of how many sequences or steps; nothing where all is drawn."""
    parts = []
    if (found.heat is not None or found.draws_lengths) and len(found.lengths) < found.counts.count:
        parts.append(f"heat maps from {len(found.lengths):,} of {found.counts.count:,} sequences")
    if 0 < found.steps_read < found.steps:
        what = "values" if found.ids is None else "ids"
        parts.append(f"{what} from {found.steps_read:,} of {found.steps:,} steps")
    return f"drawn from a sample: {', '.join(parts)}" if parts else ""


def _tables(found: Portrait) -> Iterator[str]:
    yield _table("Sequences", None, list(_numbers(found)))
    if found.distributions:
        sequences = count(found.counts.count, "sequence")
        caption = f"Features, over the steps of {found.looked_at:,} of {sequences}"
        head = ("feature", "min", "median", "max", "NaN", "inf")
        yield _table(caption, head, [_statistics(distribution) for distribution in found.distributions])
    labels = "Labels" if found.labelled == "sequence" else "Step labels"
    more = [(f"{labels}: {name}", counted) for name, counted in found.more_labels]
    first = f"{labels}: {found.label_name}" if more else labels
    for caption, counted in ((first, found.labels), *more, ("Most frequent ids", found.ids)):
        if isinstance(counted, ValueCounts):
            unit = f"{found.labelled}s" if counted is not found.ids else "steps looked at"
            yield _table(caption, ("", unit, "share"), _value_rows(counted))


def _statistics(distribution: Distribution) -> list[str]:
    """The row of one feature."""
    statistics = (distribution.least, distribution.median, distribution.largest)
    shares = (distribution.missing / distribution.of, distribution.infinite / distribution.of)
    cells = map(number, statistics) if distribution.bins else [""] * 3
    return [distribution.name, *cells, *map(share, shares)]


def _value_rows(counted: ValueCounts) -> list[tuple[str, str, str]]:
    """A row for each class or id, and one for those that are not shown."""
    pairs = [*zip(counted.names, counted.counts, strict=True)]
    if counted.others:
        pairs.append((f"{counted.others:,} more", counted.rest))
    return [(name, f"{times:,}", share(times / counted.of)) for name, times in pairs]


def _numbers(found: Portrait) -> Iterator[tuple[str, str]]:
    """The rows of the table of sequences: a name, and a number in words."""
    counts = found.counts
    yield "sequences", f"{counts.count:,}"
    yield "steps", f"{found.steps:,}"
    if found.features is not None:
        yield "features", f"{found.features:,}"
    if len(found.step) > 1:
        yield "shape of a step", by_size(found.step)
    if counts.count:
        yield "shortest", f"{int(counts.lengths[0]):,}"
        yield "median length", f"{counts.median():,g}"
        yield "95% are no longer than", f"{counts.quantile(0.95):,}"
        yield "longest", f"{counts.longest:,}"
        yield "empty sequences", f"{counts.empty:,}"
    if found.maxlen is not None:
        yield "padded to", f"{found.maxlen:,} slots, {found.padding}"
        yield "share of padding", share(found.share)
    if found.cut:
        yield "sequences cut", f"{found.cut.sequences:,}"
        yield "steps cut", f"{found.cut.steps:,}"


def _table(caption: str, head: Sequence[str] | None, rows: Sequence[Sequence[str]]) -> str:
    lines = ["<table>", f"<caption>{_text(caption)}</caption>"]
    if head:
        cells = "".join(f'<th scope="col">{_text(name)}</th>' for name in head)
        lines.append(f"<thead><tr>{cells}</tr></thead>")
    for first, *others in rows:
        cells = "".join(f"<td>{_text(cell)}</td>" for cell in others)
        lines.append(f'<tr><th scope="row">{_text(first)}</th>{cells}</tr>')
    return "\n".join([*lines, "</table>"])


def _text(text: str) -> str:
    return escape(printable(text))
