"""Whether ids of categories stand in their vocabulary: an Embedding has no rows for others."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import partial

from seqtool.checking.findings import Finding, Subject, find_matches
from seqtool.sequences.categories import PADDING, Category, all_categories, ids_of
from seqtool.words import count


def category_ids(subject: Subject) -> Iterator[Finding]:
    """The ids of each category are those of its vocabulary, and none in a real step is that of padding."""
    for category in all_categories(subject.data):
        yield _of_category(subject, category)


def _of_category(subject: Subject, category: Category) -> Finding:
    ids, rows, name = ids_of(subject.real, category), category.rows, f"category {category.name}"
    column = () if category.column is None else (category.column,)
    place: Callable[..., str] = partial(subject.place, name=None if category.column is None else "c")
    if category.of_sequences:
        place = lambda row, column: f"static_c[{row}, {column}]"  # noqa: E731
    wrong = find_matches(lambda part: (part < 0) | (part >= rows), ids)
    if wrong is not None:
        message = f"ids outside 0 to {rows - 1:,}, for which an Embedding has no rows"
        return Finding(name, "fails", message, wrong.count, place(wrong.row, *column))
    padding = find_matches(lambda part: part == PADDING, ids)
    if padding is not None:
        where = "sequences" if category.of_sequences else "real steps"
        message = f"id {PADDING} in {where}, which is that of padding: a mask skips them"
        return Finding(name, "warning", message, padding.count, place(padding.row, *column))
    return Finding(name, "ok", f"{count(len(category.vocabulary), 'name')}, an Embedding of {rows:,} rows")
